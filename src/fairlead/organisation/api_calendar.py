"""Working calendars for machines: their weeks, their own days, which years are provisional, and who works by which."""

from datetime import date
from typing import Annotated, Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Path, Query, Router, Status
from pydantic import Field

from fairlead.common.access import access
from fairlead.common.refusals import Invalid, NotFound
from fairlead.common.rest import Answer, Body, Flag, Id, IfMatch, PathId, etag, version_in
from fairlead.journal.enums import Channel
from fairlead.organisation import services
from fairlead.organisation.enums import DayKind, WeekPattern
from fairlead.organisation.models import CalendarDay, Team, User, WorkingCalendar
from fairlead.organisation.schemas import TeamOut, UserOut, team_out, user_out
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


class CalendarBrief(Answer):
    """`notices`: the official days of mainland China hold. `teams` and `people` chose it themselves."""

    id: int
    name: str
    time_zone: str
    is_default: bool
    notices: bool
    teams: list[int]
    people: list[int]
    version: int


class Calendars(Answer):
    items: list[CalendarBrief]


class CalendarOut(Answer):
    """`weekly` by ISO weekday; `days` are those of its own in the year; `provisional`: its notice is not known."""

    id: int
    name: str
    time_zone: str
    is_default: bool
    notices: bool
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


class CalendarIn(Body):
    """Either `copy_of`, the id of a calendar, or `pattern`, a plain week."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    time_zone: Annotated[str, Field(max_length=64)]
    copy_of: Id | None = None
    pattern: WeekPattern | None = None


class CalendarChange(Body):
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    time_zone: Annotated[str, Field(max_length=64)] | None = None
    notices: Flag | None = None


class AssignIn(Body):
    calendar: Id | None = Field(description="null: that of the team above, or the company's")


def _row(pk: int | None = None) -> WorkingCalendar:
    """The calendar with this id; the company's own for none."""
    wanted = {"is_default": True} if pk is None else {"pk": pk}
    row = WorkingCalendar.objects.filter(**wanted).first()
    if row is None:
        raise NotFound
    return row


def _out(row: WorkingCalendar, year: int) -> dict[str, Any]:
    working = calendar_of(row)
    return {
        "id": row.pk, "name": row.name, "time_zone": row.time_zone, "is_default": row.is_default,
        "notices": bool(row.country), "version": row.version, "year": year,
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


def _answer(response: HttpResponse, year: int, pk: int | None = None) -> dict[str, Any]:
    row = _row(pk)
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


# --- calendars beside the company's own, and who works by them ---


def _brief(row: WorkingCalendar) -> dict[str, Any]:
    return {
        "id": row.pk, "name": row.name, "time_zone": row.time_zone, "is_default": row.is_default,
        "notices": bool(row.country), "teams": sorted(team.pk for team in row.teams.all()),
        "people": sorted(user.pk for user in row.people.all()), "version": row.version,
    }  # fmt: skip


@router.get("/calendars", response=Calendars, operation_id="calendars_list")
@access("process.view", api=True)
def every_calendar(request: HttpRequest) -> dict[str, Any]:
    """All working calendars, the company's own first, with the teams and people who were given one."""
    rows = WorkingCalendar.objects.order_by("-is_default", "name", "pk").prefetch_related(
        Prefetch("teams", Team.objects.only("pk", "calendar")),
        Prefetch("people", User.objects.only("pk", "calendar")),
    )
    return {"items": [_brief(row) for row in rows]}


@router.post("/calendars", response={201: CalendarOut}, operation_id="calendars_create")
@access("settings.manage", api=True)
def create(request: HttpRequest, response: HttpResponse, payload: CalendarIn) -> Status[dict[str, Any]]:
    """Add a calendar: a copy of another one with its days, or a plain week without official notices."""
    copy_of = None
    if payload.copy_of is not None:
        copy_of = WorkingCalendar.objects.filter(pk=payload.copy_of).first()
        if copy_of is None:
            raise Invalid.field("copy_of", _("There is no such calendar."))
    row = services.create_calendar(
        name=payload.name, time_zone=payload.time_zone, pattern=payload.pattern or "", copy_of=copy_of,
        **_how(request),
    )  # fmt: skip
    return Status(201, _answer(response, timezone.localdate().year, row.pk))


@router.get("/calendars/{id:pk}", response=CalendarOut, operation_id="calendars_get")
@access("process.view", api=True)
def one(request: HttpRequest, response: HttpResponse, pk: PathId, year: Year | None = None) -> dict[str, Any]:
    """A calendar with its own days of a year (this one, if none is named)."""
    return _answer(response, year or timezone.localdate().year, pk)


@router.patch("/calendars/{id:pk}", response=CalendarOut, operation_id="calendars_change")
@access("settings.manage", api=True)
def change(
    request: HttpRequest,
    response: HttpResponse,
    pk: PathId,
    payload: CalendarChange,
    if_match: IfMatch = None,
) -> dict[str, Any]:
    """Change name, time zone, or whether the official days of mainland China hold."""
    changes = {k: v for k, v in payload.dict(exclude_unset=True).items() if v is not None}
    services.change_calendar(_row(pk), version=version_in(if_match), **changes, **_how(request))
    return _answer(response, timezone.localdate().year, pk)


@router.delete("/calendars/{id:pk}", response={204: None}, operation_id="calendars_remove")
@access("settings.manage", api=True)
def remove(request: HttpRequest, pk: PathId, if_match: IfMatch = None) -> Status[None]:
    """Delete a calendar that no team and nobody works by; never the company's own."""
    services.remove_calendar(_row(pk), version=version_in(if_match), **_how(request))
    return Status(204, None)


@router.put("/calendars/{id:pk}/week", response=CalendarOut, operation_id="calendars_set_week")
@access("settings.manage", api=True)
def week_of(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: WeekIn, if_match: IfMatch = None
) -> dict[str, Any]:
    """Set the weekly pattern of a calendar; a week without work is refused."""
    services.set_week(_row(pk), weekly=payload.weekly, version=version_in(if_match), **_how(request))
    return _answer(response, timezone.localdate().year, pk)


@router.put("/calendars/{id:pk}/days/{day}", response=CalendarOut, operation_id="calendars_set_day")
@access("settings.manage", api=True)
def set_day_of(
    request: HttpRequest, response: HttpResponse, pk: PathId, day: DayInPath, payload: DayIn,
    if_match: IfMatch = None,
) -> dict[str, Any]:  # fmt: skip
    """Make a day of a calendar a day off, a make-up workday or a half day."""
    services.set_calendar_day(
        _row(pk), day=day, kind=payload.kind, name={"zh": payload.zh, "en": payload.en}, intervals=payload.hours,
        version=version_in(if_match), **_how(request),
    )  # fmt: skip
    return _answer(response, day.year, pk)


@router.delete("/calendars/{id:pk}/days/{day}", response=CalendarOut, operation_id="calendars_remove_day")
@access("settings.manage", api=True)
def remove_day_of(
    request: HttpRequest, response: HttpResponse, pk: PathId, day: DayInPath, if_match: IfMatch = None
) -> dict[str, Any]:
    """Let the notice and the week of a calendar decide about a day again."""
    services.remove_calendar_day(_row(pk), day=day, version=version_in(if_match), **_how(request))
    return _answer(response, day.year, pk)


@router.put("/users/{id:pk}/calendar", response=UserOut, operation_id="users_set_calendar")
@access("users.manage", api=True)
def give_person(request: HttpRequest, pk: PathId, payload: AssignIn) -> dict[str, Any]:
    """Let a person work by a calendar of their own; the clocks of their deals are computed anew."""
    person = User.objects.manageable_by(request.user).filter(pk=pk).first()
    if person is None:
        raise NotFound
    services.assign_calendar(person, calendar=_chosen(payload.calendar), **_how(request))
    person.refresh_from_db()
    return user_out(person)


@router.put("/teams/{id:pk}/calendar", response=TeamOut, operation_id="teams_set_calendar")
@access("users.manage", api=True)
def give_team(request: HttpRequest, pk: PathId, payload: AssignIn) -> dict[str, Any]:
    """Let a team and the teams below it work by a calendar; people and teams with their own keep it."""
    team = Team.objects.visible_to(request.user).filter(pk=pk).first()
    if team is None:
        raise NotFound
    services.assign_calendar(team, calendar=_chosen(payload.calendar), **_how(request))
    team.refresh_from_db()
    return team_out(team)


def _chosen(pk: int | None) -> WorkingCalendar | None:
    if pk is None:
        return None
    row = WorkingCalendar.objects.filter(pk=pk).first()
    if row is None:
        raise Invalid.field("calendar", _("There is no such calendar."))
    return row
