"""One person's own win rate: what was closed on clean-up days is left out of it, and of nothing else (PI-6)."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db.models import F

from fairlead.analytics.tables import Scope
from fairlead.journal.models import Event
from fairlead.process import fold
from fairlead.process.amnesty import TAG
from fairlead.process.models import Journey

from ..scopes import both
from .asked import Asked


def cleaned_up(process_key: str) -> list[int]:
    """Journeys that are closed as they were closed on clean-up days; one reopened and closed since is not."""
    tagged = Event.objects.filter(
        process_key=process_key, type__in=[fold.LOST, fold.CANCELLED], data__tag=TAG, journey_id__isnull=False
    )
    last = dict(tagged.order_by("pk").values_list("journey_id", "effective_at"))
    closed = Journey.objects.filter(pk__in=last).values_list("pk", F("closed_at"))
    return sorted(pk for pk, at in closed if at == last[pk])


def win_given(asked: Asked) -> dict[str, Any]:
    """What the win rate is asked with: the scope, without clean-up closings where it is one person's."""
    ids = cleaned_up(asked.process.key) if asked.is_individual else []
    if not ids:
        return asked.given
    kept: Scope = ~np.isin(asked.loaded.history.journeys.journey, ids)
    return {**asked.given, "scope": both(asked.scope, kept)}
