"""Reads of the organisation that other rooms ask for often."""

from datetime import date
from functools import lru_cache

from fairlead.common.questions import Question
from fairlead.organisation.calendars import (
    OFFICE_WEEK,
    Calendar,
    Exceptional,
    Hours,
    Notices,
    mainland_china,
    parse_hours,
)
from fairlead.organisation.enums import DaySource
from fairlead.organisation.models import Organisation, WorkingCalendar

_default = Question(lambda: WorkingCalendar.objects.filter(is_default=True).order_by("pk")[:1])


def default_calendar() -> Calendar:
    """The organisation's working calendar; office hours with the official notices before one is set.

    Built once for each state of its row (`stamp`): one small query a call, never an outdated answer.
    """
    row = _default.first()
    return calendar_of(row) if row is not None else _plain(Organisation.objects.current().time_zone)


def calendar_of(row: WorkingCalendar) -> Calendar:
    return _built(row.pk, row.stamp)


@lru_cache(maxsize=8)
def _plain(time_zone: str) -> Calendar:
    return Calendar(time_zone=time_zone, notices=mainland_china())


@lru_cache(maxsize=32)
def _built(pk: int, stamp: str) -> Calendar:
    row = WorkingCalendar.objects.get(pk=pk)
    days: dict[date, Exceptional] = {}
    official: dict[date, Exceptional] = {}
    for day in row.days.all():
        hours = parse_hours(day.intervals) if day.intervals else None
        exceptional = Exceptional(day.kind, day.name.get("zh", ""), day.name.get("en", ""), hours)
        (official if day.source == DaySource.OFFICIAL else days)[day.date] = exceptional
    weekly = {int(weekday): parse_hours(pairs) for weekday, pairs in row.weekly.items()} or OFFICE_WEEK
    return _alike(
        row.time_zone,
        tuple(sorted(weekly.items())),
        tuple(sorted(days.items())),
        tuple(sorted(official.items())),
        row.country == "CN",
    )


@lru_cache(maxsize=32)
def _alike(
    time_zone: str,
    weekly: tuple[tuple[int, Hours], ...],
    days: tuple[tuple[date, Exceptional], ...],
    official: tuple[tuple[date, Exceptional], ...],
    takes_notices: bool,
) -> Calendar:
    """One calendar for rows that say the same: what it has summed up stays good for the next state of a row."""
    notices, own = None, dict(days)
    if takes_notices:
        shipped = mainland_china()
        years = shipped.published | {day.year for day, _exceptional in official}
        notices = Notices({**shipped.days, **dict(official)}, years, shipped.statutory)
    else:
        own = {**dict(official), **own}
    return Calendar(time_zone=time_zone, weekly=dict(weekly), days=own, notices=notices)
