"""What the product did for one person in a week, from what it really records; and the end of a day in three lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import Count, Q, QuerySet

from fairlead.analytics.burden import FEWEST, class_median
from fairlead.crm.enums import ManyRowState
from fairlead.crm.models import Account, ManyChangeRow, Opportunity
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.organisation.models import User
from fairlead.organisation.selectors import default_calendar
from fairlead.process import fold
from fairlead.process.burden import BOUNDS
from fairlead.process.models import FormTime
from fairlead.work.enums import ActivityState
from fairlead.work.models import Activity, NotificationEntry

SHOWN: Final = 200
MENDED_WITHIN: Final = timedelta(hours=24)
KEYS: Final = ("imported", "changed", "mended", "reminded", "told", "undone")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that a number counts: a record, and when."""

    subject_type: str
    subject_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Week:
    """From Monday to Sunday, both included, in the person's own zone."""

    first: date
    start: datetime
    end: datetime

    @property
    def last(self) -> date:
        return self.first + timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Given:
    """`counts` by KEYS; `seconds`: what changing many saved, where the burden meter has measured that field."""

    counts: Mapping[str, int]
    seconds: float

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def week_before(user: User, *, at: datetime, back: int = 1) -> Week:
    """The week `back` weeks before the one of `at`; 0 is the present one."""
    today = at.astimezone(user.tz).date()
    first = today - timedelta(days=today.weekday(), weeks=back)
    start = datetime.combine(first, time(), user.tz)
    return Week(first, start, datetime.combine(first + timedelta(days=7), time(), user.tz))


def given_in(user: User, week: Week) -> Given:
    counts = {key: source(user, week)[0] for key, source in SOURCES.items()}
    return Given(counts, _seconds_saved(user, week))


def lines_of(user: User, week: Week, key: str) -> Sequence[Line]:
    """The newest of what a number counts. Raises KeyError for an unknown key."""
    return SOURCES[key](user, week)[1]()


Source = Callable[[User, Week], tuple[int, Callable[[], Sequence[Line]]]]


def _events(week: Week) -> QuerySet[Event]:
    return Event.objects.filter(recorded_at__gte=week.start, recorded_at__lt=week.end)


def _of_events(rows: QuerySet[Event]) -> tuple[int, Callable[[], Sequence[Line]]]:
    columns = ("subject_type", "subject_id", "recorded_at")
    return rows.count(), lambda: [Line(*row) for row in rows.order_by("-pk").values_list(*columns)[:SHOWN]]


def _imported(user: User, week: Week) -> Any:
    """Records of one's own that an import made: nobody typed them."""
    mine = Q(subject_type="opportunity", subject_id__in=Opportunity.objects.filter(owner=user).values("pk"))
    mine |= Q(subject_type="account", subject_id__in=Account.objects.filter(owner=user).values("pk"))
    return _of_events(_events(week).filter(mine, type="created", channel=Channel.IMPORT))


def _changed(user: User, week: Week) -> Any:
    """Records changed with others in one go."""
    rows = _many(user, week)
    columns = ("change__kind", "record_id", "change__created_at")
    return rows.count(), lambda: [Line(*row) for row in rows.order_by("-pk").values_list(*columns)[:SHOWN]]


def _many(user: User, week: Week) -> QuerySet[ManyChangeRow]:
    return ManyChangeRow.objects.filter(
        change__by=user, change__created_at__gte=week.start, change__created_at__lt=week.end,
        state=ManyRowState.CHANGED,
    )  # fmt: skip


def _mended(user: User, week: Week) -> Any:
    """Deals that a gate stopped and that moved on within a day: what was missing was named and mended at once."""
    rows = _events(week).filter(type__in=["move_refused", fold.MOVED, fold.WON], actor_id=user.pk)
    stopped: dict[tuple[str, int], datetime] = {}
    found: list[Line] = []
    columns = ("type", "subject_type", "subject_id", "recorded_at")
    for kind, subject, pk, at in rows.order_by("pk").values_list(*columns):
        if kind == "move_refused":
            stopped.setdefault((subject, pk), at)
        elif (since := stopped.pop((subject, pk), None)) is not None and at - since <= MENDED_WITHIN:
            found.append(Line(subject, pk, at))
    return len(found), lambda: found[::-1][:SHOWN]


def _entries(user: User, week: Week) -> QuerySet[NotificationEntry]:
    return NotificationEntry.objects.filter(notification__recipient=user, at__gte=week.start, at__lt=week.end)


def _of_entries(rows: QuerySet[NotificationEntry]) -> Any:
    columns = ("notification__subject_type", "notification__subject_id", "at")
    return rows.count(), lambda: [Line(*row) for row in rows.order_by("-pk").values_list(*columns)[:SHOWN]]


def _reminded(user: User, week: Week) -> Any:
    """Reminders of time limits that nobody had to keep in mind."""
    return _of_entries(_entries(user, week).filter(code__startswith="clock_"))


def _told(user: User, week: Week) -> Any:
    """What colleagues did, told without having to ask."""
    return _of_entries(_entries(user, week).filter(by__isnull=False))


def _undone(user: User, week: Week) -> Any:
    """Acts taken back by one press."""
    return _of_events(_events(week).filter(actor_id=user.pk, data__has_key="undoes"))


SOURCES: Final[Mapping[str, Source]] = {
    "imported": _imported, "changed": _changed, "mended": _mended, "reminded": _reminded, "told": _told,
    "undone": _undone,
}  # fmt: skip


def _seconds_saved(user: User, week: Week) -> float:
    """Of changing many: all rows of a change but one, times the measured median of that field. Nothing is guessed."""
    changes = _many(user, week).values_list("change__kind", "change__what", "change").annotate(n=Count("pk"))
    rows = [(kind, what, n) for kind, what, _change, n in changes.order_by() if n > 1]
    if not rows:
        return 0.0
    classes: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    times = FormTime.objects.filter(field_key__in={what for _kind, what, _n in rows})
    for kind, what, bucket, count in times.values_list("subject_type", "field_key", "bucket", "count"):
        classes[kind, what][bucket] = count
    return sum(
        (n - 1) * (class_median(classes[kind, what], BOUNDS) or 0.0)
        for kind, what, n in rows
        if sum(classes[kind, what].values()) >= FEWEST
    )


# --- the end of a day ---


@dataclass(frozen=True, slots=True)
class DayEnd:
    """Done today, left of today, and what the next working day begins with."""

    contacts: int
    moves: int
    planned: int
    left: int
    next_day: date
    next_count: int
    first: Activity | None


def day_end(user: User, *, at: datetime) -> DayEnd:
    today = at.astimezone(user.tz).date()
    start = datetime.combine(today, time(), user.tz)
    tomorrow = start + timedelta(days=1)
    done = Event.objects.filter(actor_id=user.pk, recorded_at__gte=start, recorded_at__lte=at)
    counts = dict(done.values_list("type").annotate(n=Count("pk")).order_by())
    next_day = default_calendar().workday_after(today, 1)
    next_start = datetime.combine(next_day, time(), user.tz)
    steps = Activity.objects.filter(
        owner=user, state=ActivityState.PLANNED, due_at__lt=next_start + timedelta(days=1)
    ).order_by("due_at", "pk")
    open_steps = list(steps[:SHOWN])
    following = [step for step in open_steps if step.due_at and step.due_at >= next_start]
    return DayEnd(
        contacts=counts.get("activity_done", 0),
        moves=sum(counts.get(kind, 0) for kind in (fold.MOVED, fold.WON, fold.LOST, fold.CANCELLED)),
        planned=counts.get("activity_planned", 0),
        left=sum(1 for step in open_steps if step.due_at and step.due_at < tomorrow),
        next_day=next_day,
        next_count=len(following),
        first=following[0] if following else None,
    )
