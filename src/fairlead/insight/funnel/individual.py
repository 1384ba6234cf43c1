"""One person's own win rate: what was closed on clean-up days is left out of it, and of nothing else (PI-6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
from django.db.models import F

from fairlead.analytics.tables import STATE, Scope
from fairlead.journal.models import Event
from fairlead.process import fold
from fairlead.process.amnesty import TAG
from fairlead.process.models import Journey

from ..scopes import both
from .asked import Asked

AT_ONCE: Final = 10_000


def cleaned_up(journeys: Sequence[int]) -> list[int]:
    """Those that are closed as they were closed on clean-up days; one reopened and closed since is not."""
    last: dict[int | None, datetime] = {}
    for start in range(0, len(journeys), AT_ONCE):
        tagged = Event.objects.filter(
            journey_id__in=journeys[start : start + AT_ONCE],
            type__in=[fold.LOST, fold.CANCELLED],
            data__tag=TAG,
        )
        last.update(tagged.order_by("pk").values_list("journey_id", "effective_at"))
    closed = Journey.objects.filter(pk__in=last).values_list("pk", F("closed_at"))
    return sorted(pk for pk, at in closed if at == last[pk])


def win_given(asked: Asked) -> dict[str, Any]:
    """What the win rate is asked with: the scope, without clean-up closings where it is one person's."""
    ids = cleaned_up(_given_up(asked)) if asked.is_individual else []
    if not ids:
        return asked.given
    kept: Scope = ~np.isin(asked.loaded.history.journeys.journey, ids)
    return {**asked.given, "scope": both(asked.scope, kept)}


def _given_up(asked: Asked) -> list[int]:
    """The journeys in scope that ended without a win: of one person some hundred, where the journal has very many."""
    history = asked.loaded.history
    ended = np.isin(history.journeys.state, [STATE.index("lost"), STATE.index("cancelled")])
    found: list[int] = np.unique(history.journeys.journey[history.cases_in(asked.scope) & ended]).tolist()
    return found
