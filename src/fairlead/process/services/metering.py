"""The burden meter: counts how long fields took, by class of seconds, and nothing of who or which record (3.22)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F

from fairlead.fields.catalogue import catalogue

from ..burden import class_of, read_spent
from ..models import FormTime
from . import rollout


def measure(subject_type: str, spent: str) -> int:
    """Count what a saved form took; how many fields. No event, for it says nothing about anybody or anything.

    Where measuring is switched off, what the browser sent is dropped unread.
    """
    if not spent or not rollout.current().measures_forms:
        return 0
    seconds = read_spent(spent, catalogue(subject_type))
    with transaction.atomic():
        for key, value in seconds.items():
            about: dict[str, Any] = {
                "subject_type": subject_type,
                "field_key": key,
                "bucket": class_of(value),
            }
            FormTime.objects.get_or_create(**about)
            FormTime.objects.filter(**about).update(count=F("count") + 1)
    return len(seconds)
