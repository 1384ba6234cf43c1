"""The working calendar for machines: its week, its own days, and which years are provisional."""

from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Path, Query, Router
from pydantic import Field

from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.common.rest import Answer, Body, IfMatch, etag, version_in
from fairlead.journal.enums import Channel
from fairlead.organisation import services
from fairlead.organisation.enums import DayKind
from fairlead.organisation.models import CalendarDay, WorkingCalendar
from fairlead.organisation.selectors import calendar_of

router = Router(tags=["organisation"])

Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
Interval = Annotated[list[Clock], Field(min_length=2, max_length=2)]
Hours = Annotated[list[Interval], Field(max_length=4)]
Name = Annotated[str, Field(max_length=60)]
Year = Annotated[int, Query(ge=2000, le=2100)]
DayInPath = Annotated[date, Path()]


class CalendarDayOut(Answer):
    date: date
    kind: str
    zh: str
    en: str
    hours: list[list[str]] | None
    official: bool


class CalendarOut(Answer):
    """`weekly` by ISO weekday; `days` are those of its own in the year; `provisional`: its notice is not known."""

    name: str
    time_zone: str
    version: int
    year: int
    provisional: bool
    working_days: int
    weekly: dict[str, list[list[str]]]
    days: list[CalendarDayOut]


class WeekIn(Body):
    """Hours of each ISO weekday, "1" to "7"; a weekday without hours is a day off."""

    weekly: Annotated[dict[Annotated[str, Field(pattern=r"^[1-7]$")], Hours], Field(max_length=7)]


class DayIn(Body):
    kind: Annotated[DayKind, Field()]
    zh: Name = ""
    en: Name = ""
    hours: Hours | None = None


def _row() -> WorkingCalendar:
    row = WorkingCalendar.objects.filter(is_default=True).first()
    if row is None:
        raise NotFound
    return row


def _out(row: WorkingCalendar, year: int) -> dict[str, Any]:
    working = calendar_of(row)
    return {
        "name": row.name, "time_zone": row.time_zone, "version": row.version, "year": year,
        "provisional": working.is_provisional(year), "weekly": row.weekly,
        "working_days": working.count_working_days(date(year, 1, 1), date(year, 12, 31)),
        "days": [_day_out(day) for day in row.days.filter(date__year=year)],
    }  # fmt: skip


def _day_out(day: CalendarDay) -> dict[str, Any]:
    return {
        "date": day.date, "kind": day.kind, "zh": day.name.get("zh", ""), "en": day.name.get("en", ""),
        "hours": day.intervals, "official": day.source == "official",
    }  # fmt: skip


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.API}


def _answer(response: HttpResponse, year: int) -> dict[str, Any]:
    row = _row()
    etag(response, row.version)
    return _out(row, year)


@router.get("/calendar", response=CalendarOut, operation_id="calendar_get")
@access("process.view", api=True)
def calendar(request: HttpRequest, response: HttpResponse, year: Year | None = None) -> dict[str, Any]:
    """The working calendar of the organisation, with its own days of a year (this one, if none is named)."""
    return _answer(response, year or timezone.localdate().year)


@router.put("/calendar/week", response=CalendarOut, operation_id="calendar_set_week")
@access("settings.manage", api=True)
def week(
    request: HttpRequest, response: HttpResponse, payload: WeekIn, if_match: IfMatch = None
) -> dict[str, Any]:
    """Set the weekly pattern. Due instants of clocks are then computed anew; a week without work is refused."""
    services.set_week(_row(), weekly=payload.weekly, version=version_in(if_match), **_how(request))
    return _answer(response, timezone.localdate().year)


@router.put("/calendar/days/{day}", response=CalendarOut, operation_id="calendar_set_day")
@access("settings.manage", api=True)
def set_day(
    request: HttpRequest, response: HttpResponse, day: DayInPath, payload: DayIn, if_match: IfMatch = None
) -> dict[str, Any]:
    """Make a day a day off, a make-up workday or a half day; it wins over notice and week."""
    services.set_calendar_day(
        _row(), day=day, kind=payload.kind, name={"zh": payload.zh, "en": payload.en}, intervals=payload.hours,
        version=version_in(if_match), **_how(request),
    )  # fmt: skip
    return _answer(response, day.year)


@router.delete("/calendar/days/{day}", response=CalendarOut, operation_id="calendar_remove_day")
@access("settings.manage", api=True)
def remove_day(
    request: HttpRequest, response: HttpResponse, day: DayInPath, if_match: IfMatch = None
) -> dict[str, Any]:
    """Let the notice and the week decide about a day again."""
    services.remove_calendar_day(_row(), day=day, version=version_in(if_match), **_how(request))
    return _answer(response, day.year)
