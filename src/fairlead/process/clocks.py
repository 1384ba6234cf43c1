"""The four clocks of a journey (§2.5), pure: which are running, since when, why, and when they are due.

Three sources: the fold's `Travel` (visits, holds, what happened last), the `ClockPolicy` of a process version,
and the working calendar. No database and no reading of the time. An instant at which a clock is due is still in
time; after it the clock is over (CA-5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from .carrying import begin_of_stay
from .clock_spans import (
    Run,
    holds_of,
    plans_of,
    response_span,
    stage_spans,
    through_at,
    track_span,
    waits_of,
)
from .enums import ClockAct, ClockCause, ClockKind, ClockLevel, ClockStop, EscalateTo, JourneyState

if TYPE_CHECKING:
    from fairlead.organisation.calendars import Calendar

    from .travel import Travel, VisitState

MEANINGFUL: Final = (
    ClockCause.STAGE,
    ClockCause.AMOUNT,
    ClockCause.CLOSE_DATE,
    ClockCause.BUYING_ROLE,
    ClockCause.MEETING,
    ClockCause.REPLY,
    ClockCause.EVIDENCE,
)
BY_KEY: Final = frozenset({ClockKind.RESPONSE, ClockKind.TRACK})  # several of them may run in one stage
ENOUGH_VISITS: Final = 20  # completed visits before a median may set a limit (SL-3)
_NOTHING: Final = timedelta()


@dataclass(frozen=True, slots=True)
class Limit:
    """Two thresholds in working days; with `factors`, multiples of the stage's own median once it is known."""

    yellow: int | None = None
    red: int | None = None
    factors: tuple[float | None, float | None] = (None, None)

    @property
    def is_relative(self) -> bool:
        return self.factors != (None, None)

    def days(self, norm: float | None) -> tuple[int | None, int | None]:
        """Yellow and red, by the median `norm` where there is one, else absolute (SL-3)."""
        if norm is None or not self.is_relative:
            return self.yellow, self.red
        yellow, red = (
            days if factor is None else max(1, round(factor * norm))
            for factor, days in zip(self.factors, (self.yellow, self.red), strict=True)
        )
        return yellow, red


@dataclass(frozen=True, slots=True)
class TrackLimit:
    """The limit of one role's track within a stage (IT-2). `place`: which of its stage's tracks it is, from 0."""

    role: str
    name: Mapping[str, str]
    limit: Limit
    place: int


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the ladder: whom to tell, after how much working time, and how often again (hours)."""

    to: EscalateTo
    after_hours: int = 0
    repeat_hours: int | None = None


LADDER: Final = (
    Rung(EscalateTo.OWNER),
    Rung(EscalateTo.TEAM, after_hours=8),
    Rung(EscalateTo.MANAGER, after_hours=16, repeat_hours=40),
    Rung(EscalateTo.NEXT_LEVEL, after_hours=40),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a clock does when it passes a limit (SL-2). `kind`, `to` and `reason` are of a move alone, which stays
    off until a process says otherwise."""

    key: str
    clock: ClockKind
    level: ClockLevel
    do: ClockAct
    stages: tuple[str, ...] = ()
    name: Mapping[str, str] = field(default_factory=dict)
    role: str = ""
    days: int = 1
    kind: str = ""
    to: str = ""
    reason: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPolicy:
    """What a process version says about its clocks. A changed policy is another version (SL-6)."""

    meaningful: tuple[ClockCause, ...] = MEANINGFUL
    visit: Mapping[str, Limit] = field(default_factory=dict)  # by stage
    stage: Mapping[str, Limit] = field(default_factory=dict)  # by stage
    inactivity: Limit = Limit(10, 20)
    total: Limit = Limit()
    ladder: tuple[Rung, ...] = LADDER
    quiet: tuple[int, int] | None = None  # from hour, until hour, in the calendar's time zone
    ack_hours: int = 24  # working hours that an acknowledgement is good for, unless it says otherwise
    responses: Mapping[str, Mapping[str, Limit]] = field(default_factory=dict)  # stage → role → limit (SL-4)
    tracks: Mapping[str, Mapping[str, TrackLimit]] = field(
        default_factory=dict
    )  # stage → track → limit (IT-2)
    acts: tuple[Act, ...] = ()
    waiting: int | None = None  # for so many working days an awaited answer stops C1 and C2; None: never
    planned: bool = False  # whether a planned talk with the customer stops C3 until its time

    def acts_at(self, kind: str, level: str, stage_key: str) -> list[Act]:
        """What is to be done when this clock passes this limit in this stage."""
        return [
            act
            for act in self.acts
            if act.enabled
            and (act.clock, act.level) == (kind, level)
            and stage_key in (act.stages or (stage_key,))
        ]

    def limit(self, kind: str, stage_key: str) -> Limit:
        if kind == ClockKind.VISIT:
            return self.visit.get(stage_key, Limit())
        if kind == ClockKind.STAGE:
            return self.stage.get(stage_key, Limit())
        return self.inactivity if kind == ClockKind.INACTIVITY else self.total

    def has_more(self, stage_key: str) -> bool:
        """Whether this stage has clocks that end with it: answers and tracks."""
        return bool(self.responses.get(stage_key) or self.tracks.get(stage_key))

    def needs_norm(self, stage_key: str) -> bool:
        return any(self.limit(kind, stage_key).is_relative for kind in (ClockKind.VISIT, ClockKind.STAGE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One clock as it stands after the last event; field by field what `models.Clock` stores.

    `spent_seconds`: working time before the run that goes on now. `next_due_at`: when the sweep has to look at
    it next. `step`: rungs of the ladder climbed since it was over.
    """

    kind: ClockKind
    key: str  # of the stage or the track, or the role that a response is waited for
    started_at: datetime
    cause: str
    spent_seconds: int
    running_since: datetime | None
    paused_at: datetime | None
    yellow_at: datetime | None
    red_at: datetime | None
    level: str
    breached_at: datetime | None
    acknowledged_until: datetime | None
    step: int
    next_due_at: datetime | None
    policy: int
    is_echo: bool = False  # C2 in a first stay is C1; not stored
    place: int = 0  # of a track among those of its stage; not stored


# --- spans, runs and due instants ---


def without(spans: Iterable[Run], pauses: Sequence[Run]) -> tuple[Run, ...]:
    """What is left of `spans` outside of `pauses`, in order."""
    runs: list[Run] = []
    ordered = sorted(pauses, key=lambda pause: pause[0])
    for begin, end in spans:
        start: datetime | None = begin
        for since, until in ordered:
            if start is None or (end is not None and since >= end) or (until is not None and until <= start):
                continue
            if since > start:
                runs.append((start, since))
            start = until
        if start is not None and (end is None or start < end):
            runs.append((start, end))
    return tuple(runs)


def spent(calendar: Calendar, runs: Sequence[Run], at: datetime) -> timedelta:
    """Working time of `runs` up to `at`."""
    total = _NOTHING
    for begin, end in runs:
        until = at if end is None else min(end, at)
        if until > begin:
            total += calendar.working_time_between(begin, until)
    return total


def allowance(calendar: Calendar, start: datetime, days: int) -> timedelta:
    """Working time from `start` to the closing of the n-th working day after it (AC-24)."""
    return calendar.working_time_between(start, calendar.add_working_days(start, days))


def due(calendar: Calendar, runs: Sequence[Run], days: int | None) -> datetime | None:
    """When the working time of `runs` is used up: for one run the closing of the n-th working day after its start.

    None without a limit, or while the clock stands still.
    """
    if days is None or not runs or runs[-1][1] is not None:
        return None
    since = runs[-1][0]
    if len(runs) == 1:
        return calendar.add_working_days(since, days)
    earlier = sum((calendar.working_time_between(b, e) for b, e in runs[:-1] if e is not None), _NOTHING)
    left = max(allowance(calendar, runs[0][0], days) - earlier, _NOTHING)
    # Never later than a stay that began only now would be.
    return min(calendar.add_working_time(since, left), calendar.add_working_days(since, days))


def age_days(calendar: Calendar, runs: Sequence[Run], at: datetime) -> int:
    """Working days of `runs` for people: counted by dates as on a card; several runs by their working time."""
    if len(runs) == 1:
        begin, end = runs[0]
        until = max(at if end is None else min(end, at), begin)
        zone = calendar.zone
        return calendar.working_days_between(begin.astimezone(zone).date(), until.astimezone(zone).date())
    return int(spent(calendar, runs, at) / calendar.usual_day)


# --- from a journey to its clocks ---


def readings(
    travel: Travel, policy: ClockPolicy, number: int, calendar: Calendar
) -> dict[tuple[ClockKind, str], Reading]:
    """The clocks of a running journey by kind and key; none once it is closed. `number`: the policy's version."""
    if travel.state not in (JourneyState.OPEN, JourneyState.ON_HOLD) or travel.superseded_at is not None:
        return {}
    visit = travel.open_visit
    if visit is None:
        return {}
    begun = begin_of_stay(travel.visits, visit)
    seen_at, cause = last_seen(travel, policy)
    holds = holds_of(travel)
    pauses = [*holds, *waits_of(travel, policy, calendar)]
    clocks: list[tuple[ClockKind, str, tuple[Run, ...], str, Limit]] = [
        (ClockKind.VISIT, visit.stage_key, without([(begun, None)], pauses), "",
         policy.limit(ClockKind.VISIT, visit.stage_key)),
        (ClockKind.STAGE, visit.stage_key, without(stage_spans(travel, visit), pauses), "",
         policy.limit(ClockKind.STAGE, visit.stage_key)),
        (ClockKind.INACTIVITY, "", without([(seen_at, None)], [*holds, *plans_of(travel, policy)]), cause, policy.inactivity),
        (ClockKind.TOTAL, "", ((travel.opened_at or visit.entered_at, None),), "", policy.total),
    ]  # fmt: skip
    for role, limit in policy.responses.get(visit.stage_key, {}).items():
        asked = response_span(travel, visit, role)
        clocks.append((ClockKind.RESPONSE, role, without([asked], holds), "", limit))
    tracks = policy.tracks.get(visit.stage_key, {})
    for key, track in tracks.items():
        clocks.append(
            (ClockKind.TRACK, key, without([track_span(travel, begun, key)], pauses), "", track.limit)
        )
    norm = norm_of(travel, visit)
    starts = {
        ClockKind.VISIT: begun,
        ClockKind.STAGE: begun,
        ClockKind.INACTIVITY: seen_at,
        ClockKind.TOTAL: travel.opened_at or visit.entered_at,
        ClockKind.RESPONSE: begun,
        ClockKind.TRACK: begun,
    }
    found: dict[tuple[ClockKind, str], Reading] = {}
    for kind, key, runs, why, limit in clocks:
        days = limit.days(norm if kind in (ClockKind.VISIT, ClockKind.STAGE) else None)
        is_echo = kind == ClockKind.STAGE and len(stage_spans(travel, visit)) == 1 and (
            days == policy.limit(ClockKind.VISIT, visit.stage_key).days(norm)
        )  # fmt: skip
        found[kind, key] = _reading(
            travel, policy, number, calendar, kind, key, runs, why, days, starts[kind], is_echo=is_echo,
            alone=clocks[0][2] if kind == ClockKind.STAGE else (),
            place=tracks[key].place if kind == ClockKind.TRACK else 0,
        )  # fmt: skip
    return found


def _reading(
    travel: Travel, policy: ClockPolicy, number: int, calendar: Calendar, kind: ClockKind, key: str,
    runs: tuple[Run, ...], cause: str, days: tuple[int | None, int | None], since: datetime, *, is_echo: bool,
    alone: tuple[Run, ...] = (), place: int = 0,
) -> Reading:  # fmt: skip
    """`alone`: the runs of the last stay; what came before it never buys time."""
    open_run = runs[-1] if runs and runs[-1][1] is None else None
    earlier = [run for run in runs if run[1] is not None]
    yellow, red = (
        min((t for t in (due(calendar, runs, n), due(calendar, alone, n)) if t is not None), default=None)
        for n in days
    )
    mark = mark_of(travel, kind, key, since)
    is_answered = kind == ClockKind.RESPONSE and open_run is None and travel.hold_since is None
    is_answered = is_answered or (kind == ClockKind.TRACK and through_at(travel, key) is not None)
    next_due = None
    # In a stage's first visit C1 and C2 are one and the same: the first one speaks for both.
    if open_run is not None and not is_echo:
        next_due = next_look(mark, yellow, red, policy, calendar)
    return Reading(
        kind=kind,
        key=key,
        started_at=runs[0][0] if runs else since,
        cause=cause,
        spent_seconds=round(sum(
            (calendar.working_time_between(b, e) for b, e in earlier if e is not None), _NOTHING
        ).total_seconds()),
        running_since=open_run[0] if open_run else None,
        paused_at=None if open_run else travel.hold_since or (earlier[-1][1] if earlier else since),
        yellow_at=yellow,
        red_at=red,
        level="" if is_answered else mark.get("level", ""),
        breached_at=instant(mark.get("at")),
        acknowledged_until=instant(mark.get("ack")),
        step=mark.get("step", 0),
        next_due_at=next_due,
        policy=number,
        is_echo=is_echo,
        place=place,
    )  # fmt: skip


def stop_at(
    travel: Travel, policy: ClockPolicy, calendar: Calendar, kind: ClockKind, at: datetime
) -> tuple[ClockStop, datetime] | None:
    """Why a clock stands still at `at` by an optional stop, and until when at the latest."""
    if kind in (ClockKind.VISIT, ClockKind.STAGE):
        why, spans = ClockStop.WAITING, waits_of(travel, policy, calendar)
    elif kind == ClockKind.INACTIVITY:
        why, spans = ClockStop.PLANNED, plans_of(travel, policy)
    else:
        return None
    ends = [end for begin, end in spans if end is not None and begin <= at < end]
    return (why, max(ends)) if ends else None


def last_seen(travel: Travel, policy: ClockPolicy) -> tuple[datetime, str]:
    """When something meaningful happened last, and what it was (SL-1)."""
    seen: Mapping[str, str] = travel.clocks.get("seen", {})
    best = max(
        ((seen[cause], cause) for cause in policy.meaningful if cause in seen),
        default=None,
    )
    if best is None:
        return travel.opened_at or travel.visits[-1].entered_at, ClockCause.STAGE
    return datetime.fromisoformat(best[0]), str(best[1])


def norm_of(travel: Travel, visit: VisitState) -> float | None:
    """The median that stood when the stage was entered; it is frozen in the event of the move (SL-3)."""
    found: float | None = travel.clocks.get("norms", {}).get(visit.stage_key)
    return found


def policy_of(travel: Travel) -> int | None:
    """The version whose thresholds were taken over later, at somebody's request (SL-6)."""
    found: int | None = travel.clocks.get("policy")
    return found


# --- marks: what the sweep has said about a clock ---


def mark_name(kind: str, key: str) -> str:
    return f"{kind}:{key}" if kind in BY_KEY else str(kind)


def mark_of(travel: Travel, kind: str, key: str, since: datetime) -> Mapping[str, Any]:
    """The breach that stands on a clock; one of an earlier start (before a reset) is none."""
    mark: Mapping[str, Any] = travel.clocks.get("marks", {}).get(mark_name(kind, key), {})
    return mark if mark.get("since") == text_of(since) else {}


def next_look(
    mark: Mapping[str, Any],
    yellow: datetime | None,
    red: datetime | None,
    policy: ClockPolicy,
    calendar: Calendar,
) -> datetime | None:
    """When the sweep has something to say next: a threshold, or a rung of the ladder."""
    level = mark.get("level", "")
    if not level:
        return min((t for t in (yellow, red) if t is not None), default=None)
    if level == ClockLevel.YELLOW:
        return red
    rung = next_rung(mark, policy, calendar)
    return rung[0] if rung else None


def next_rung(
    mark: Mapping[str, Any], policy: ClockPolicy, calendar: Calendar
) -> tuple[datetime, int] | None:
    """When a red clock is told of next, and the rung that is climbed then (the last one again for a repeat).

    An acknowledgement pauses repeats and further rungs until it ends; nobody is told in quiet hours (AC-28).
    """
    breached, step = instant(mark.get("told") or mark.get("at")), int(mark.get("step", 0))
    if breached is None:
        return None
    wanted: list[tuple[datetime, int]] = []
    if step < len(policy.ladder):
        after = timedelta(hours=policy.ladder[step].after_hours)
        wanted.append((calendar.add_working_time(breached, after) if after else breached, step))
    sent = instant(mark.get("sent"))
    if step and sent is not None and (hours := policy.ladder[min(step, len(policy.ladder)) - 1].repeat_hours):
        wanted.append((calendar.add_working_time(sent, timedelta(hours=hours)), step - 1))
    if not wanted:
        return None
    when, rung = min(wanted)
    ack = instant(mark.get("ack"))
    if ack is not None and ack > when:
        when = ack
    return out_of_quiet(when, policy.quiet, calendar), rung


def out_of_quiet(at: datetime, quiet: tuple[int, int] | None, calendar: Calendar) -> datetime:
    """`at`, or the end of the quiet hours in which it falls."""
    if quiet is None:
        return at
    start, end = quiet
    local = at.astimezone(calendar.zone)
    inside = start <= local.hour < end if start < end else local.hour >= start or local.hour < end
    if not inside:
        return at
    ended = local.replace(hour=end, minute=0, second=0, microsecond=0)
    if ended <= local:
        ended += timedelta(days=1)
    return ended.astimezone(UTC)


def level_at(reading: Reading, at: datetime) -> str:
    """How a clock stands at `at`, whether or not the sweep has said so yet."""
    if reading.red_at is not None and at > reading.red_at:
        return ClockLevel.RED
    if reading.yellow_at is not None and at > reading.yellow_at:
        return ClockLevel.RED if reading.level == ClockLevel.RED else ClockLevel.YELLOW
    return reading.level


def text_of(at: datetime) -> str:
    """One spelling per instant; the texts sort as the instants do."""
    return at.astimezone(UTC).isoformat()


def instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
