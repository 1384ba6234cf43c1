"""Clocks as people see them: the worst one on a card, all four beside a record, and what share was in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import models
from django.db.models import Case, Q, When
from django.utils import timezone

from fairlead.journal.models import Event
from fairlead.organisation.calendars import Calendar
from fairlead.organisation.selectors import Calendars, calendars

from .. import clock_events, fold
from ..clock_spans import through_at
from ..clocks import ClockPolicy, Limit, Reading, mark_name, readings, stop_at
from ..definitions import clock_policy, clock_policy_of, definition_of
from ..enums import ClockAct, ClockKind, ClockLevel, ClockStop, ExitType
from ..models import Clock, Journey, ProcessVersion, Visit
from .stays import cut_stays

#: What the clocks read of a journey's row.
_TRAVEL = (
    "state",
    "episode_no",
    "opened_at",
    "entered_at",
    "hold_since",
    "superseded_at",
    "carried",
    "clocks",
)
_LEVELS = ("red", "yellow")
_ORDER = {str(kind): n for n, kind in enumerate(ClockKind)}


@dataclass(frozen=True, slots=True)
class WorstClock:
    """The clock of a journey that asks most for a hand: red before yellow, in the order of the kinds.

    `days`: None for the stay in the stage, whose days the board has counted itself.
    """

    kind: str
    level: str
    days: int | None


@dataclass(frozen=True, slots=True)
class Call:
    """A flag or a proposal that stands beside a clock that is over. `name`: its words, where it has any."""

    act: str
    do: ClockAct
    at: datetime
    name: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    """One clock at an instant. `days` and limits are working days; `level` is how it stands, told or not."""

    kind: ClockKind
    key: str
    days: int
    yellow: int | None
    red: int | None
    level: str
    is_noted: bool  # the sweep has noted the breach: it can be acknowledged
    is_paused: bool
    stop: ClockStop | None  # the optional stop by which it stands still, and until when at the latest
    stop_until: datetime | None
    is_echo: bool  # the same as the stay beside it: this is the first one in the stage
    started_at: datetime
    cause: str
    yellow_at: datetime | None
    red_at: datetime | None
    breached_at: datetime | None
    acknowledged_until: datetime | None
    step: int
    calls: tuple[Call, ...] = ()
    name: Mapping[str, str] = field(
        default_factory=dict
    )  # of a track, with whose it is and whether it is through
    role: str = ""
    is_through: bool = False


def _level(level: str, yellow_at: datetime | None, red_at: datetime | None, at: datetime) -> str:
    if level == ClockLevel.RED or (red_at is not None and at > red_at):
        return ClockLevel.RED
    return ClockLevel.YELLOW if level or (yellow_at is not None and at > yellow_at) else ClockLevel.NONE


def _days(calendar: Calendar, started: datetime, spent: int, since: datetime | None, at: datetime) -> int:
    if spent == 0 and since is not None:
        return calendar.working_days_between(_day(calendar, started), _day(calendar, max(at, started)))
    running = calendar.working_time_between(since, at) if since is not None and at > since else timedelta()
    return int((timedelta(seconds=spent) + running) / calendar.usual_day)


def _day(calendar: Calendar, at: datetime) -> date:
    return at.astimezone(calendar.zone).date()


def worst_clocks(owners: Mapping[int, int | None], *, at: datetime, book: Calendars) -> dict[int, WorstClock]:
    """For a board: one statement or two; journeys whose clocks are all in time are left out. `owners`: by journey."""
    ids = list(owners)
    if not ids:
        return {}
    late = Q(red_at__lt=at) | Q(level=ClockLevel.RED)
    over = Clock.objects.filter(journey_id__in=ids).filter(late | Q(yellow_at__lt=at) | ~Q(level=""))
    # Instants are dear to read: first who is over, then since when, and that only of what a card shows.
    rows = over.values_list("pk", "journey_id", "kind", Case(When(late, then=0), default=1))
    worst: dict[int, tuple[int, int, int, str]] = {}
    for pk, journey, kind, rank in rows:
        found = (rank, _ORDER[kind], pk, kind)
        if journey not in worst or found < worst[journey]:
            worst[journey] = found
    asked = [pk for _rank, _order, pk, kind in worst.values() if kind != ClockKind.VISIT]
    days: dict[int, int] = {}
    if asked:
        times = Clock.objects.filter(pk__in=asked)
        for pk, journey, started, spent, since in times.values_list(
            "pk", "journey_id", "started_at", "spent_seconds", "running_since"
        ):
            days[pk] = _days(book.of(owners[journey]), started, spent, since, at)
    return {
        journey: WorstClock(kind, _LEVELS[rank], days.get(pk))
        for journey, (rank, _order, pk, kind) in worst.items()
    }


def clocks_of(
    journey: Journey,
    *,
    at: datetime,
    visits: Sequence[Visit] | None = None,
    policy: ClockPolicy | None = None,
    calendar: Calendar | None = None,
) -> list[ClockState]:
    """The clocks of a journey; none once it is closed. With what a page has at hand it asks the database nothing:
    its visits in order, the policy of its version, the calendar of its owner."""
    calendar = calendar or calendars().of(journey.owner_id)
    taken = journey.clocks.get("policy")
    if policy is None or taken is not None:
        policy = (
            clock_policy(journey.process_key, taken)
            if taken
            else clock_policy_of(journey.process_version_id)[0]
        )
    travel = fold.Travel(stage_key=journey.stage.key, process_key=journey.process_key)
    for name in _TRAVEL:
        setattr(travel, name, getattr(journey, name))
    made: list[Any] = list(visits if visits is not None else Visit.objects.filter(journey=journey).in_order())
    travel.visits = made
    norm = journey.clocks.get("norms", {}).get(journey.stage.key)
    found = []
    for reading in readings(travel, policy, taken or 0, calendar).values():
        track = policy.tracks.get(journey.stage.key, {}).get(reading.key)
        if reading.kind == ClockKind.TRACK and track is not None:
            limit = track.limit
        elif reading.kind == ClockKind.RESPONSE:
            limit = policy.responses.get(journey.stage.key, {}).get(reading.key, Limit())
        else:
            limit = policy.limit(reading.kind, journey.stage.key)
        stop = stop_at(travel, policy, calendar, reading.kind, at)
        yellow, red = limit.days(norm if reading.kind in (ClockKind.VISIT, ClockKind.STAGE) else None)
        found.append(
            ClockState(
                kind=reading.kind,
                key=reading.key,
                days=_days(calendar, reading.started_at, reading.spent_seconds, reading.running_since, at),
                yellow=yellow,
                red=red,
                level=_level(reading.level, reading.yellow_at, reading.red_at, at),
                is_noted=bool(reading.level),
                is_paused=reading.running_since is None or stop is not None,
                stop=stop[0] if stop else None,
                stop_until=stop[1] if stop else None,
                is_echo=reading.is_echo,
                started_at=reading.started_at,
                cause=reading.cause,
                yellow_at=reading.yellow_at,
                red_at=reading.red_at,
                breached_at=reading.breached_at,
                acknowledged_until=reading.acknowledged_until,
                step=reading.step,
                calls=_calls(journey, policy, reading) if reading.level else (),
                name=track.name if reading.kind == ClockKind.TRACK and track is not None else {},
                role=track.role if reading.kind == ClockKind.TRACK and track is not None else "",
                is_through=reading.kind == ClockKind.TRACK and through_at(travel, reading.key) is not None,
            )
        )
    return found


def _calls(journey: Journey, policy: ClockPolicy, reading: Reading) -> tuple[Call, ...]:
    mark = journey.clocks.get("marks", {}).get(mark_name(reading.kind, reading.key), {})
    words = {act.key: act.name for act in policy.acts}
    return tuple(
        Call(
            call["act"], ClockAct(call["do"]), datetime.fromisoformat(call["at"]), words.get(call["act"], {})
        )
        for call in mark.get("calls", ())
    )


def over_clocks(owner_id: int, *, at: datetime, limit: int = 50) -> list[tuple[Clock, Journey]]:
    """The clocks of a person's own journeys that are over, the longest first; for the day's work."""
    rows = (
        Clock.objects.filter(
            journey__owner_id=owner_id, journey__superseded_at=None, next_due_at__isnull=False
        )
        .filter(Q(red_at__lt=at) | Q(yellow_at__lt=at))
        .select_related("journey")
        .order_by("yellow_at", "pk")[:limit]
    )
    return [(row, row.journey) for row in rows]


def breaches_of(journey_id: int, *, limit: int = 200) -> list[Event]:
    """What the clocks of a journey have said and what ended it, the newest first."""
    types = (*clock_events.CLOCK_EVENTS, clock_events.RESOLVED)
    return list(
        Event.objects.of_journeys([journey_id])
        .filter(type__in=types)
        .order_by("-effective_at", "-pk")[:limit]
    )


def keeps_old_time(process_key: str) -> int:
    """Running journeys whose clocks go by the thresholds of another version than the published one."""
    published = ProcessVersion.objects.published().filter(process__key=process_key).values("number")[:1]
    clocks = Clock.objects.filter(journey__process_key=process_key, kind=ClockKind.TOTAL)
    return clocks.exclude(policy=models.Subquery(published)).count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """Completed visits of a stage in a period and how many of them were not over their limit (SL-5)."""

    stage: str
    name: Mapping[str, str]
    completed: int
    in_time: int
    open_over: int

    @property
    def percent(self) -> float | None:
        """None where nothing was completed: no share of nothing."""
        return round(100 * self.in_time / self.completed, 1) if self.completed else None


def compliance(
    process_key: str, *, left_from: date, left_before: date, journeys: Any = None
) -> list[Compliance]:
    """By stage of the published version, by the breaches in the journal: history is never judged anew.

    `journeys`: only these, ids or a query of them (the asker's reach). Skipped and imported visits are left out,
    and those that began at an unknown instant.
    """
    version = ProcessVersion.objects.published().filter(process__key=process_key).first()
    if version is None:
        return []
    begin, end = (timezone.make_aware(datetime.combine(day, time.min)) for day in (left_from, left_before))
    visits = Visit.objects.filter(
        journey__process_key=process_key, left_at__gte=begin, left_at__lt=end, skipped=False, imported=False,
        entered_at_known=True,
    )  # fmt: skip
    over = Clock.objects.filter(journey__process_key=process_key, kind=ClockKind.VISIT, level=ClockLevel.RED)
    if journeys is not None:
        visits, over = visits.filter(journey__in=journeys), over.filter(journey__in=journeys)
    visits = visits.exclude(exit_type=ExitType.MIGRATED)
    stays = cut_stays(process_key)
    rows = list(visits.values_list("journey_id", "stage_key", "entered_at", "left_at"))
    late: dict[tuple[int, str], list[datetime]] = {}
    breaches = Event.objects.filter(
        type=clock_events.BREACHED, process_key=process_key, effective_at__lt=end,
        data__clock=str(ClockKind.VISIT), data__level=str(ClockLevel.RED),
    )  # fmt: skip
    for journey, data, when in breaches.values_list("journey_id", "data", "effective_at"):
        if journey is not None:
            late.setdefault((journey, data["key"]), []).append(when)
    counted: dict[str, list[int]] = {}
    for journey, stage, entered, left in rows:
        both = counted.setdefault(stage, [0, 0])
        begun, is_known, names = stays.begin(journey, entered)
        if not is_known:
            continue
        both[0] += 1
        told = (when for name in (stage, *names) for when in late.get((journey, name), ()))
        both[1] += not any(begun <= when <= left for when in told if left)
    standing: dict[str, int] = {}
    for key in over.values_list("key", flat=True):
        standing[key] = standing.get(key, 0) + 1
    return [
        Compliance(
            stage=s.key,
            name=s.name,
            completed=counted.get(s.key, [0, 0])[0],
            in_time=counted.get(s.key, [0, 0])[1],
            open_over=standing.get(s.key, 0),
        )
        for s in definition_of(version).stages
    ]
