"""One's own deals that look dead: nothing has moved for long, or the close date passed long ago (PI-6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from fairlead.organisation.selectors import default_calendar
from fairlead.process.amnesty import Window, window_around
from fairlead.process.definition import Definition, Reason
from fairlead.process.definitions import definition_of
from fairlead.process.enums import ClockKind, ClockLevel, Outcome
from fairlead.process.models import Clock, ProcessVersion, Rollout
from fairlead.process.services import rollout

from ..models import Opportunity

MOST = 200


@dataclass(frozen=True, slots=True)
class CleanUp:
    """The settings of the days, the window of today or the next one, and whether it is open."""

    rollout: Rollout
    window: Window | None
    today: date

    @property
    def is_open(self) -> bool:
        return self.window is not None and self.window.holds(self.today)


def clean_up(*, at: datetime) -> CleanUp:
    row = rollout.current()
    today = at.astimezone(default_calendar().zone).date()
    return CleanUp(row, window_around(row.amnesty_day, row.amnesty_length, today), today)


def dead_deals(user: Any, days: CleanUp, *, at: datetime) -> QuerySet[Opportunity]:
    """The open deals that `user` owns and may move, without movement for as long as the settings say, or as long past
    their close date; the quietest first. `quiet_since` and `is_red` (a clock is over) are annotated."""
    clocks = Clock.objects.filter(journey=OuterRef("journey"))
    quiet = clocks.filter(kind=ClockKind.INACTIVITY).values("started_at")[:1]
    red = clocks.filter(level=ClockLevel.RED).order_by("breached_at").values("kind")[:1]
    idle = timedelta(days=days.rollout.amnesty_idle_days)
    return (
        Opportunity.objects.visible_to(user, "opportunity.move")
        .filter(owner=user, journey__state="open", journey__superseded_at=None)
        .annotate(quiet_since=Coalesce(Subquery(quiet), "journey__entered_at"), red_clock=Subquery(red))
        .filter(Q(quiet_since__lte=at - idle) | Q(expected_close_date__lte=days.today - idle))
        .select_related("account", "journey__stage", "journey__process_version")
        .order_by("quiet_since", "pk")
    )


def reasons_for(version: ProcessVersion) -> tuple[Definition, Sequence[Reason]]:
    """The reasons that close without a competitor's name; all where a process has no other."""
    definition = definition_of(version)
    offered = definition.lists.get("lost", ())
    return definition, [one for one in offered if one.outcome != Outcome.LOST] or offered
