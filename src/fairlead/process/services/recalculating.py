"""When the working calendar changes, due instants of running clocks are computed anew (CA-3).

One event for the whole, and people are told only of clocks whose due instant moved. History and breaches already
noted stay as they were.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from fairlead.common import bulk, turns
from fairlead.journal.enums import Channel
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.calendars import Calendar
from fairlead.organisation.models import WorkingCalendar
from fairlead.organisation.selectors import default_calendar

from .. import clock_events
from ..models import Clock, ClockCalendar
from ..selectors.gathering import visits_of
from . import clock_notices, clock_rows, ledger
from .clock_notices import Notice

AT_ONCE = 100  # journeys a transaction
_TIMES = ("yellow_at", "red_at", "next_due_at", "spent_seconds")


@dataclass(slots=True)
class Recomputed:
    """`moved`: clocks whose yellow or red instant is another one now; `told`: owner → journeys."""

    clocks: int = 0
    moved: int = 0
    told: dict[int, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))


def is_outdated() -> bool:
    """Whether the calendar is another one than that by which the clocks were last computed."""
    row = WorkingCalendar.objects.filter(is_default=True).first()
    known = ClockCalendar.objects.order_by("pk").first()
    if known is None:
        return row is not None and Clock.objects.exists()
    return row is not None and known.stamp != row.stamp


def recompute_clocks(*, at: datetime) -> Recomputed:
    """Compute all running clocks by the calendar of now, in short transactions; once a change, whoever asks.

    Killed in the middle it does all of it again, and comes to the same.
    """
    row = WorkingCalendar.objects.filter(is_default=True).first()
    done = Recomputed()
    if row is None or not is_outdated():
        return done
    is_first = not ClockCalendar.objects.exists()
    calendar, pace = default_calendar(), turns.pace()
    ids = sorted(set(Clock.objects.values_list("journey_id", flat=True)))
    for first in range(0, len(ids), AT_ONCE):
        with pace.turn(), transaction.atomic():
            _recompute(ids[first : first + AT_ONCE], calendar, done)
    with pace.turn(), transaction.atomic():
        ClockCalendar.objects.update_or_create(pk=1, defaults={"stamp": row.stamp, "computed_at": at})
        if is_first and not done.moved:  # nobody changed anything: the clocks were only looked at
            return done
        record(
            [
                NewEvent(
                    type=clock_events.RECOMPUTED,
                    subject_type="workingcalendar",
                    subject_id=row.pk,
                    actor_id=None,
                    effective_at=at,
                    channel=Channel.SYSTEM,
                    data={"clocks": done.clocks, "moved": done.moved, "calendar_version": row.version},
                )
            ]
        )
        clock_notices.tell(
            [
                Notice(
                    recipient_ids=(owner,),
                    subject_type=kind,
                    subject_id=pk,
                    code="clock_moved",
                    params={},
                    at=at,
                )
                for owner, subjects in done.told.items()
                for kind, pk in subjects
            ]
        )
    return done


def _recompute(ids: Sequence[int], calendar: Calendar, done: Recomputed) -> None:
    locked = ledger.lock(ids)
    stored = {row.pk: row for row in Clock.objects.filter(journey__in=list(locked))}
    travels, _ids = ledger.travels_of(list(locked.values()), visits=visits_of(list(locked)))
    changed: list[Clock] = []
    for pk, journey in locked.items():
        has_moved = False
        for reading in clock_rows.readings_of(journey, travels[pk], calendar).values():
            told = clock_rows.row_of(pk, reading)
            row = stored.get(told.pk)
            done.clocks += 1
            if row is None or all(getattr(row, name) == getattr(told, name) for name in _TIMES):
                continue
            changed.append(told)
            if (row.yellow_at, row.red_at) != (told.yellow_at, told.red_at):
                done.moved += 1
                has_moved = has_moved or told.next_due_at is not None
        if has_moved and journey.owner_id is not None:
            done.told[journey.owner_id].append((journey.subject_type, journey.subject_id))
    bulk.update(changed, _TIMES)
