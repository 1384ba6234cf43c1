"""The working calendar: its week and its dated exceptions. What counts time by it hears of each change."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid
from fairlead.common.text import clean_text
from fairlead.organisation import registry
from fairlead.organisation.calendars import Hours, parse_hours
from fairlead.organisation.enums import DayKind, DaySource
from fairlead.organisation.models import CalendarDay, User, WorkingCalendar, new_stamp
from fairlead.organisation.services._base import journal, locked, require

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100
MOST_INTERVALS: Final = 4  # a day
LEAST_WEEK: Final = timedelta(hours=1)


@transaction.atomic
def set_week(
    calendar: WorkingCalendar, *, weekly: Mapping[str, Sequence[Sequence[str]]], version: int | None = None,
    by: User | None, at: datetime, channel: str,
) -> WorkingCalendar:  # fmt: skip
    """Set the hours of each weekday ("1" Monday to "7"), none for a day off. Needs `settings.manage`.

    Raises NotPermitted, Stale, Invalid naming the weekday; a week in which nobody works is refused.
    """
    require(by, "settings.manage", channel)
    row = locked(calendar, version)
    errors, hours = [], {}
    for weekday, pairs in weekly.items():
        try:
            found = parse_hours(pairs)
        except (ValueError, TypeError):
            errors.append(_wrong_hours(f"weekday_{weekday}"))
            continue
        if weekday not in {"1", "2", "3", "4", "5", "6", "7"} or len(found) > MOST_INTERVALS:
            errors.append(_wrong_hours(f"weekday_{weekday}"))
        elif found:
            hours[weekday] = found
    if not errors and sum((_length(of_day) for of_day in hours.values()), timedelta()) < LEAST_WEEK:
        errors.append({"field": "week", "message": _("A working week has at least one hour on one day.")})
    if errors:
        raise Invalid(errors=errors)
    stored = {day: [[_text(a), _text(b, is_end=True)] for a, b in hours[day]] for day in sorted(hours)}
    if stored != row.weekly:
        before, row.weekly = row.weekly, stored
        _touch(row, "weekly")
        data = {"before": before, "after": stored}
        journal(row, "calendar_week_set", by=by, at=at, channel=channel, data=data)
    return row


def _wrong_hours(field: str) -> dict[str, str]:
    return {"field": field, "message": _("Hours look like 09:00–12:00 and do not overlap.")}


def _length(hours: Hours) -> timedelta:
    spans = (timedelta(hours=b.hour - a.hour, minutes=b.minute - a.minute) for a, b in hours)
    return sum((s if s > timedelta() else s + timedelta(days=1) for s in spans), timedelta())


def _text(at: time, *, is_end: bool = False) -> str:
    return "24:00" if is_end and at == time(0) else f"{at:%H:%M}"


@transaction.atomic
def set_calendar_day(
    calendar: WorkingCalendar, *, day: date, kind: str, name: dict[str, str], by: User | None, at: datetime,
    channel: str, intervals: list[list[str]] | None = None, source: str = DaySource.COMPANY,
    version: int | None = None,
) -> CalendarDay:  # fmt: skip
    """Make `day` a day off, a make-up workday or a half day. Needs `settings.manage`.

    Days of source *official* complete a year whose notice does not come with the product: the year is then
    no longer provisional.
    """
    require(by, "settings.manage", channel)
    row = locked(calendar, version)
    if kind not in DayKind.values or source not in DaySource.values:
        raise Invalid.field("kind", _("Choose one of the list."))
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        years = {"first": FIRST_YEAR, "last": LAST_YEAR}
        raise Invalid.field("date", _("A day from %(first)s to %(last)s.") % years)
    if kind == DayKind.HOLIDAY:
        intervals = None
    if intervals is not None:
        try:
            if len(parse_hours(intervals)) > MOST_INTERVALS or not intervals:
                raise ValueError("no hours of a day")
        except (ValueError, TypeError) as error:
            raise Invalid.field("intervals", _("Hours look like 09:00–12:00 and do not overlap.")) from error
    names = {
        language: clean_text(name.get(language, ""), limit=60, field=f"name.{language}")
        for language in ("zh", "en")
    }
    values: dict[str, Any] = {"kind": kind, "name": names, "intervals": intervals, "source": source}
    stored, _created = CalendarDay.objects.update_or_create(calendar=row, date=day, defaults=values)
    _touch(row)
    data = {"date": day.isoformat(), "kind": kind, "source": source}
    journal(row, "calendar_day_set", by=by, at=at, channel=channel, data=data)
    return stored


@transaction.atomic
def remove_calendar_day(
    calendar: WorkingCalendar, *, day: date, by: User | None, at: datetime, channel: str,
    version: int | None = None,
) -> None:  # fmt: skip
    """Let the notice and the weekly pattern decide about `day` again. Needs `settings.manage`."""
    require(by, "settings.manage", channel)
    row = locked(calendar, version)
    deleted, _by_model = CalendarDay.objects.filter(calendar=row, date=day).delete()
    if deleted:
        _touch(row)
        data = {"date": day.isoformat()}
        journal(row, "calendar_day_removed", by=by, at=at, channel=channel, data=data)


def _touch(row: WorkingCalendar, *changed: str) -> None:
    row.version += 1
    row.stamp = new_stamp()
    row.save(update_fields=["version", "stamp", *changed])
    tell_of_change()


def fresh_stamp() -> str:
    """Another mark for another state of a calendar."""
    return new_stamp()


def tell_of_change() -> None:
    """Let whatever counts time compute anew once this transaction stands."""
    for hook in registry.CALENDAR_CHANGED:
        transaction.on_commit(hook)


def touch_people(*, first: bool = False) -> None:
    """Say that who works by which calendar may be another now. `first`: also where nobody had one of their own yet."""
    rows = WorkingCalendar.objects.filter(is_default=True)
    if not first:
        rows = rows.exclude(people_stamp="")
    if rows.update(people_stamp=new_stamp()):
        tell_of_change()
