"""When a calendar changes, or who works by which, due instants of running clocks are computed anew (CA-3).

Only clocks of the owners concerned; one event for the whole; and people are told only of clocks whose due instant
moved. History and breaches already noted stay as they were.
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
from fairlead.organisation.models import WorkingCalendar
from fairlead.organisation.selectors import Calendars, calendars

from .. import clock_events
from ..models import Clock, ClockCalendar, Journey
from ..selectors.gathering import visits_of
from . import clock_notices, clock_rows, ledger
from .approval_clocks import recompute_approvals
from .clock_notices import Notice

AT_ONCE = 100  # journeys a transaction
FEW = 500  # owners that are asked for by name; of more all journeys are looked at
_TIMES = ("yellow_at", "red_at", "next_due_at", "spent_seconds")


@dataclass(slots=True)
class Recomputed:
    """`moved`: clocks whose yellow or red instant is another one now; `approvals`: steps of which that is true;
    `told`: owner → journeys."""

    clocks: int = 0
    moved: int = 0
    approvals: int = 0
    told: dict[int, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True, slots=True)
class _Concerned:
    """Whose clocks have to be computed: those of `people`, or of everybody but `others`."""

    everybody: bool
    people: frozenset[int] = frozenset()
    others: frozenset[int] = frozenset()


def is_outdated() -> bool:
    """Whether the calendars are others than those by which the clocks were last computed."""
    return _is_outdated(calendars())


def _is_outdated(book: Calendars) -> bool:
    if not book.stamp:  # there is no calendar yet
        return False
    known = ClockCalendar.objects.order_by("pk").values_list("stamp", "people_stamp").first()
    if known is None:
        return Clock.objects.exists()
    return known != (book.stamp, book.people_stamp)


def recompute_clocks(*, at: datetime) -> Recomputed:
    """Compute running clocks by the calendars of now, in short transactions; once a change, whoever asks.

    Killed in the middle it does all of it again, and comes to the same.
    """
    book, done = calendars(), Recomputed()
    row = WorkingCalendar.objects.filter(is_default=True).first()
    if row is None or not _is_outdated(book):
        return done
    is_first, concerned, pace = not ClockCalendar.objects.exists(), _concerned(book), turns.pace()
    ids = _journeys_of(concerned)
    for first in range(0, len(ids), AT_ONCE):
        with pace.turn(), transaction.atomic():
            _recompute(ids[first : first + AT_ONCE], book, done)
    done.approvals = recompute_approvals(book, people=None if concerned.everybody else concerned.people)
    with pace.turn(), transaction.atomic():
        state = {
            "stamp": book.stamp,
            "people": {str(pk): mark for pk, mark in book.marks.items()},
            "people_stamp": book.people_stamp,
            "computed_at": at,
        }
        ClockCalendar.objects.update_or_create(pk=1, defaults=state)
        nobody = not concerned.everybody and not concerned.people
        if nobody or (
            is_first and not done.moved and not done.approvals
        ):  # nobody's time changed: the clocks were only looked at
            return done
        data = {"clocks": done.clocks, "moved": done.moved, "calendar_version": row.version}
        if done.approvals:
            data["approvals"] = done.approvals
        if not concerned.everybody:
            data["people"] = len(concerned.people)
        record(
            [
                NewEvent(
                    type=clock_events.RECOMPUTED,
                    subject_type="workingcalendar",
                    subject_id=row.pk,
                    actor_id=None,
                    effective_at=at,
                    channel=Channel.SYSTEM,
                    data=data,
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


def _concerned(book: Calendars) -> _Concerned:
    known = ClockCalendar.objects.order_by("pk").first()
    if known is None:
        return _Concerned(everybody=True)
    before = {int(pk): mark for pk, mark in known.people.items()}
    people = before.keys() | book.marks.keys()
    changed = {pk for pk in people if before.get(pk) != book.marks.get(pk)}
    if known.stamp == book.stamp:
        return _Concerned(everybody=False, people=frozenset(changed))
    return _Concerned(everybody=True, others=frozenset(people - changed))


def _journeys_of(concerned: _Concerned) -> list[int]:
    """Journeys with clocks whose owner's calendar is another one now, in their order."""
    journeys = Journey.objects.filter(pk__in=Clock.objects.values("journey_id"))
    if not concerned.everybody and len(concerned.people) <= FEW:
        journeys = journeys.filter(owner_id__in=concerned.people)
    return [
        pk
        for pk, owner in journeys.order_by("pk").values_list("pk", "owner_id")
        if (owner not in concerned.others if concerned.everybody else owner in concerned.people)
    ]


def _recompute(ids: Sequence[int], book: Calendars, done: Recomputed) -> None:
    locked = ledger.lock(ids)
    stored = {row.pk: row for row in Clock.objects.filter(journey__in=list(locked))}
    travels, _ids = ledger.travels_of(list(locked.values()), visits=visits_of(list(locked)))
    changed: list[Clock] = []
    for pk, journey in locked.items():
        has_moved = False
        calendar = book.of(journey.owner_id)
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
