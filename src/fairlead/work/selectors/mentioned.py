"""With which contacts it was spoken."""

from __future__ import annotations

from collections.abc import Collection

from ..models import Activity


def contacts_spoken_with(contact_ids: Collection[int]) -> set[int]:
    """Those of `contact_ids` that an activity names. It reads all activities that name anybody."""
    wanted, found = set(contact_ids), set()
    for named in Activity.objects.exclude(contact_ids=[]).values_list("contact_ids", flat=True).iterator():
        found |= wanted.intersection(named)
    return found
