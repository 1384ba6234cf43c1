"""Tasks and planned activities of one person: the list, and the days of the calendar."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common import records
from fairlead.common.names import localized
from fairlead.organisation.models import User
from fairlead.organisation.selectors import calendars, colleagues_away

from ..models import Activity, Task
from ..words import ICONS, due_words

MOST: Final = 200  # of a list
MOST_ITEMS: Final = 500  # of a month
MOST_NAMES: Final = 6  # of people on leave, on a day


def titles_of(about: Iterable[tuple[str, int]], reader: Any) -> dict[tuple[str, int], tuple[str, str]]:
    """Title and address of the records that the reader sees; the others are not in there."""
    by_kind: dict[str, set[int]] = defaultdict(set)
    for kind, pk in about:
        by_kind[kind].add(pk)
    found = {}
    for kind, ids in by_kind.items():
        record = records.record_type(kind)
        seen = sorted(record.visible_ids(reader, sorted(ids), record.view_right))
        found.update({(kind, pk): (title, record.url(pk)) for pk, title in record.title(seen).items()})
    return found


def open_work(subject_type: str, subject_id: int) -> tuple[int, int]:
    """How many tasks are open on a record, and how many activities planned. The caller has checked the right."""
    about: dict[str, Any] = {"subject_type": subject_type, "subject_id": subject_id}
    tasks = Task.objects.filter(**about, done_at=None, removed_at=None)
    return tasks.count(), Activity.objects.filter(**about, state="planned").count()


def tasks_of(reader: Any, *, scope: str, done: bool, today: date) -> tuple[list[dict[str, Any]], bool]:
    """Tasks that are mine, or that I gave to others; late ones first. Whether there are more."""
    mine = Q(assignee=reader) | Q(assignee=None, created_by=reader)
    given = Q(created_by=reader) & ~Q(assignee=reader) & Q(assignee__isnull=False)
    rows = Task.objects.filter(given if scope == "given" else mine, removed_at=None, done_at__isnull=not done)
    order = ("-done_at", "-pk") if done else (F("due_date").asc(nulls_last=True), "pk")
    found = list(rows.order_by(*order)[: MOST + 1])
    titles = titles_of({(t.subject_type, t.subject_id) for t in found}, reader)
    names = dict(
        User.objects.filter(pk__in={t.assignee_id for t in found if t.assignee_id}).values_list("pk", "name")
    )
    editable = _editable(found, reader)
    shown = [
        {
            "may_edit": (t.subject_type, t.subject_id) in editable,
            "pk": t.pk, "title": t.title, "version": t.version, "done": t.done_at is not None,
            "due": due_words(t.due_date, today), "record": titles[t.subject_type, t.subject_id][0],
            "url": titles[t.subject_type, t.subject_id][1], "assignee": names.get(t.assignee_id or 0, ""),
            "assignee_id": t.assignee_id or 0, "label": localized(records.record_type(t.subject_type).label),
        }
        for t in found[:MOST]
        if (t.subject_type, t.subject_id) in titles
    ]  # fmt: skip
    return shown, len(found) > MOST


def _editable(rows: Sequence[Task], reader: Any) -> set[tuple[str, int]]:
    """The records on which the reader works; one question a kind."""
    found: set[tuple[str, int]] = set()
    for kind in sorted({t.subject_type for t in rows}):
        record = records.record_type(kind)
        ids = sorted({t.subject_id for t in rows if t.subject_type == kind})
        found |= {(kind, pk) for pk in record.visible_ids(reader, ids, record.edit_right)}
    return found


@dataclass(slots=True)
class Day:
    """One day of the calendar with what stands on it."""

    date: date
    is_today: bool
    is_off: bool
    name: str = ""  # of a holiday
    is_other_month: bool = False
    away: list[str] = field(default_factory=list)  # colleagues on leave
    items: list[dict[str, Any]] = field(default_factory=list)


def week_of(day: date) -> list[date]:
    monday = day - timedelta(days=day.isoweekday() - 1)
    return [monday + timedelta(days=n) for n in range(7)]


def month_of(day: date) -> list[date]:
    """The whole weeks that hold the month."""
    first = week_of(day.replace(day=1))[0]
    last = week_of((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1))[-1]
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def calendar_of(reader: Any, days: Sequence[date], *, now: datetime, month: int = 0) -> list[Day]:
    """One's own activities, planned and done, and one's open tasks."""
    zone = timezone.get_current_timezone()
    start = datetime.combine(days[0], time(0), zone)
    end = datetime.combine(days[-1] + timedelta(days=1), time(0), zone)
    within = Q(state="planned", due_at__gte=start, due_at__lt=end) | Q(
        state="done", done_at__gte=start, done_at__lt=end
    )
    activities = list(Activity.objects.filter(within, owner=reader).order_by("due_at", "pk")[:MOST_ITEMS])
    tasks = list(
        Task.objects.filter(
            Q(assignee=reader) | Q(assignee=None, created_by=reader),
            removed_at=None,
            done_at=None,
            due_date__gte=days[0],
            due_date__lte=days[-1],
        ).order_by("pk")[:MOST_ITEMS]
    )
    about: set[tuple[str, int]] = {(a.subject_type, a.subject_id) for a in activities}
    about |= {(t.subject_type, t.subject_id) for t in tasks}
    titles = titles_of(about, reader)
    book, today = calendars(), timezone.localdate(now)
    working = book.of(reader.pk)
    mine = [row[1:] for row in book.leave_between(days[0], days[-1]) if row[0] == reader.pk]
    others = colleagues_away(reader, book, days[0], days[-1])
    shown = {
        day: Day(
            day, day == today, not working.is_workday(day),
            _("Leave") if _within(day, mine) else _name(working.exception_on(day)),
            bool(month) and day.month != month,
            _few([name for name, *span in others if _within(day, [span])]),
        )
        for day in days
    }  # fmt: skip
    for item in [*_activities(activities, titles, now), *_tasks(tasks, titles, today)]:
        if item["day"] in shown:
            shown[item["day"]].items.append(item)
    for of_day in shown.values():
        of_day.items.sort(key=lambda item: (item["time"], item["pk"]))
    return list(shown.values())


def _few(names: list[str]) -> list[str]:
    """As many names as a day has room for, and how many more there are."""
    return names if len(names) <= MOST_NAMES else [*names[:MOST_NAMES], f"+{len(names) - MOST_NAMES}"]


def _within(day: date, spans: Iterable[Sequence[date]]) -> bool:
    return any(first <= day <= last for first, last in spans)


def _name(exception: Any) -> str:
    return localized({"zh": exception.zh, "en": exception.en}) if exception is not None else ""


def _activities(
    rows: Sequence[Activity], titles: Mapping[tuple[str, int], tuple[str, str]], now: datetime
) -> Iterable[dict[str, Any]]:
    for row in rows:
        found = titles.get((row.subject_type, row.subject_id))
        at = row.due_at if row.state == "planned" else row.done_at
        if found is None or at is None:
            continue
        local = timezone.localtime(at)
        late = row.state == "planned" and at < now
        yield {
            "what": "activity", "pk": row.pk, "version": row.version, "day": local.date(),
            "time": f"{local:%H:%M}", "text": row.summary, "record": found[0], "url": found[1],
            "icon": ICONS.get(row.kind, "calendar-event"), "planned": row.state == "planned", "place": row.place,
            "state": "overdue" if late else "planned" if row.state == "planned" else "ready",
        }  # fmt: skip


def _tasks(
    rows: Sequence[Task], titles: Mapping[tuple[str, int], tuple[str, str]], today: date
) -> Iterable[dict[str, Any]]:
    for row in rows:
        found = titles.get((row.subject_type, row.subject_id))
        if found is not None:
            yield {
                "what": "task", "pk": row.pk, "version": row.version, "day": row.due_date, "time": "",
                "text": row.title, "record": found[0], "url": found[1], "icon": "clipboard-check", "planned": False,
                "place": "", "state": due_words(row.due_date, today)["state"],
            }  # fmt: skip
