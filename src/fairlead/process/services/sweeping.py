"""The sweep: what clocks have to say, once a minute. Found by one index, written in short, fair transactions.

A breach is an event with the instant at which it was due, however late the sweep came; rungs of the ladder
are climbed from the instant at which the breach was noted, so that a night without a worker wakes nobody twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from fairlead.common import turns
from fairlead.journal.enums import Channel
from fairlead.journal.services import NewEvent
from fairlead.organisation.calendars import Calendar
from fairlead.organisation.selectors import Calendars, calendars
from fairlead.work.enums import Reason

from .. import clock_events, fold, subjects
from ..clocks import ClockPolicy, Reading, mark_name, next_rung, readings, text_of
from ..enums import ClockKind, ClockLevel, EscalateTo
from ..models import Clock, Journey
from ..selectors.gathering import visits_of
from . import clock_acting, clock_notices, clock_rows, ledger, track_noting
from .clock_notices import Notice

AT_ONCE = 100  # journeys a transaction at most; the queue makes it twenty while people write
_REASONS = {
    EscalateTo.OWNER: Reason.OWNER,
    EscalateTo.TEAM: Reason.TEAM,
    EscalateTo.MANAGER: Reason.ESCALATED,
    EscalateTo.NEXT_LEVEL: Reason.ESCALATED,
}
MOST = 5000  # journeys a sweep; what is left waits a minute


@dataclass(slots=True)
class Swept:
    """What one sweep did."""

    journeys: int = 0
    breaches: int = 0
    escalations: int = 0
    transactions: int = 0


@dataclass(slots=True)
class _Findings:
    events: list[NewEvent] = field(default_factory=list)
    told: list[tuple[Journey, Reading, str, str, str]] = field(default_factory=list)  # level, whom, role
    done: list[clock_acting.Done] = field(default_factory=list)  # what clocks do by themselves


def due_journeys(at: datetime, *, limit: int = MOST) -> list[int]:
    """Journeys with a clock that is due, the longest overdue first."""
    ids = Clock.objects.due(at).order_by("next_due_at").values_list("journey_id", flat=True)
    return list(dict.fromkeys(ids[: limit * len(ClockKind)]))[:limit]


def sweep(*, at: datetime, limit: int = MOST) -> Swept:
    """Note every breach and climb every rung that is due at `at`. Bears a second run: it looks at the rows."""
    swept, ids = Swept(), due_journeys(at, limit=limit)
    if not ids:
        return swept
    book, pace = calendars(), turns.pace()
    while ids:
        few = min(pace.rows, AT_ONCE)
        with pace.turn(), transaction.atomic():
            _sweep_some(ids[:few], at, book, swept)
        pace.wrote(few)
        del ids[:few]
    return swept


def _sweep_some(ids: Sequence[int], at: datetime, book: Calendars, swept: Swept) -> None:
    locked = ledger.lock(ids)
    visits = visits_of(list(locked))
    travels, _ids = ledger.travels_of(list(locked.values()), visits=visits)
    findings = _Findings()
    due: list[tuple[Journey, Reading, ClockPolicy]] = []
    for pk, row in locked.items():
        policy, number = clock_rows.policy_for(row, travels[pk])
        calendar = book.of(row.owner_id)
        for reading in readings(travels[pk], policy, number, calendar).values():
            if reading.next_due_at is not None and reading.next_due_at < at:
                due.append((row, reading, policy))
    # A role that is through is not told of its limit, even where nothing has judged its gate since.
    asked = {row.pk: row for row, reading, _policy in due if reading.kind == ClockKind.TRACK}
    through = track_noting.through_now(list(asked.values()), at=at)
    for row, reading, policy in due:
        if reading.kind == ClockKind.TRACK and reading.key in through.get(row.pk, ()):
            role = policy.tracks[row.stage.key][reading.key].role
            findings.events.append(track_noting.event(row, reading.key, role, at))
        else:
            _look(row, travels[row.pk], reading, policy, book.of(row.owner_id), at, findings)
    ledger.write(locked, findings.events, bump=False, calendars=book, visits=visits)
    clock_notices.tell([*_notices(findings, at), *clock_acting.notices_of(findings.done, at)])
    clock_acting.follow(findings.done, at, book)
    swept.journeys += len(locked)
    swept.transactions += 1
    for event in findings.events:
        swept.breaches += event.type == clock_events.BREACHED
        swept.escalations += event.type == clock_events.ESCALATED


def _look(
    row: Journey,
    travel: fold.Travel,
    reading: Reading,
    policy: ClockPolicy,
    calendar: Calendar,
    at: datetime,
    findings: _Findings,
) -> None:
    """The events that one clock has to write at `at`."""
    track = policy.tracks.get(row.stage.key, {}).get(reading.key) if reading.kind == ClockKind.TRACK else None
    role = track.role if track is not None else ""
    level, mark = reading.level, travel.clocks.get("marks", {}).get(mark_name(reading.kind, reading.key), {})
    for wanted, when in _passed(reading, at):
        findings.events.append(
            clock_rows.event(
                row, clock_events.BREACHED, by_id=None, at=when, recorded_at=at, channel=Channel.SYSTEM,
                clock=str(reading.kind), key=reading.key, level=str(wanted), since=text_of(_since(row, reading, travel)),
            )
        )  # fmt: skip
        for act in clock_acting.acts_of(row, policy, reading.kind, reading.key, wanted, findings.done):
            findings.done.append(act)
            findings.events += clock_acting.events_of(act, at)
        level, mark = wanted, {"at": text_of(when), "told": text_of(at), "step": 0}
        if wanted == ClockLevel.YELLOW:
            findings.told.append((row, reading, str(wanted), EscalateTo.OWNER, role))
    if level != ClockLevel.RED:
        return
    rung = next_rung(mark, policy, calendar)
    if rung is None or rung[0] > at:
        return
    step = rung[1]
    findings.events.append(
        clock_rows.event(
            row, clock_events.ESCALATED, by_id=None, at=at, channel=Channel.SYSTEM, clock=str(reading.kind),
            key=reading.key, step=step, to=str(policy.ladder[step].to), repeated=step < int(mark.get("step", 0)),
        )
    )  # fmt: skip
    findings.told.append((row, reading, ClockLevel.RED, policy.ladder[step].to, role))


def _passed(reading: Reading, at: datetime) -> Iterator[tuple[ClockLevel, datetime]]:
    """Thresholds that were passed and not noted yet, in their order; exactly at one is in time (CA-5)."""
    if reading.level == ClockLevel.RED:
        return
    yellow, red = reading.yellow_at, reading.red_at
    if not reading.level and yellow is not None and yellow < at and (red is None or yellow < red):
        yield ClockLevel.YELLOW, yellow
    if red is not None and red < at:
        yield ClockLevel.RED, red


def _since(row: Journey, reading: Reading, travel: fold.Travel) -> datetime:
    """What a mark is tied to: the start after which a breach of before no longer counts."""
    if reading.kind == ClockKind.INACTIVITY:
        return reading.started_at
    if reading.kind == ClockKind.TOTAL:
        return travel.opened_at or row.opened_at
    return row.entered_at


def _notices(findings: _Findings, at: datetime) -> list[Notice]:
    """Who is told of what: one notice a clock, its people found in bulk."""
    if not findings.told:
        return []
    by_type: dict[str, set[int]] = defaultdict(set)
    for row, _reading, _level, to, role in findings.told:
        if to == EscalateTo.TEAM or role:
            by_type[row.subject_type].add(row.subject_id)
    teams: dict[tuple[str, int], Mapping[str, Collection[int]]] = {
        (kind, pk): facts.team
        for kind, ids in by_type.items()
        for pk, facts in subjects.room_of(kind).facts(sorted(ids)).items()
    }
    managers = clock_notices.Managers()
    notices = []
    for row, reading, level, to, role in findings.told:
        people: set[int] = set()
        team = teams.get((row.subject_type, row.subject_id), {})
        reason = _REASONS[EscalateTo(to)]
        if to == EscalateTo.OWNER:
            people = {row.owner_id} if row.owner_id is not None else set()
            if role:
                # First whoever works on the track; once it is over its limit, whoever answers for the deal too.
                holders = set(team.get(role, ()))
                over = {*people, *team.get("AR", ())} if level == ClockLevel.RED or not holders else set()
                people, reason = holders | over, Reason.TEAM
        elif to == EscalateTo.TEAM:
            people = {person for own in team.values() for person in own}
        elif to in (EscalateTo.MANAGER, EscalateTo.NEXT_LEVEL):
            people = managers.of(row.team_id, above=int(to == EscalateTo.NEXT_LEVEL))
        notices.append(
            Notice(
                recipient_ids=tuple(sorted(people)),
                subject_type=row.subject_type,
                subject_id=row.subject_id,
                code=f"clock_{level}_{reading.kind}",
                params={"clock": str(reading.kind), "key": reading.key, "stage": row.stage.key}
                | ({"role": role} if role else {}),
                at=at,
                reason=reason,
            )
        )
    return notices
