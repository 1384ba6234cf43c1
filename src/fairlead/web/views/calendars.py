"""The working calendars: a year of each for everybody, its week and its own days for whoever keeps the settings."""

from __future__ import annotations

import re
from calendar import Calendar as Months
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import MONTHS, WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, Refusal
from fairlead.journal.enums import Channel
from fairlead.organisation import services
from fairlead.organisation.enums import DayKind, DaySource, WeekPattern
from fairlead.organisation.forms import time_zones
from fairlead.organisation.models import WorkingCalendar
from fairlead.organisation.selectors import calendar_of, default_calendar

FIRST_YEAR, LAST_YEAR = 2000, 2100
DAY = timedelta(days=1)
_INTERVAL = re.compile(r"(\d{1,2}[:：]\d{2})\s*(?:[-–—~～至]|to)\s*(\d{1,2}[:：]\d{2})")
_BETWEEN = re.compile(r"[\s,，;；、]*")
MOST_TEXT = 200
DAY_INPUTS = ("date", "kind", "name_zh", "name_en", "hours")
NEW_INPUTS = ("new_name", "new_zone", "base")
OWN_INPUTS = ("name", "time_zone", "notices")


@access("signed-in")
@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    """A year of the working calendar: days off, make-up workdays, and whether its notice is known."""
    wanted = request.GET.get("year", "")
    year = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) == 4 else 0
    return _page(request, year)


@access("settings.manage")
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Add a calendar: a plain week, or a copy of another one."""
    typed = {n: request.POST.get(n, "") for n in NEW_INPUTS}
    try:
        kind, _colon, value = typed["base"].partition(":")
        copy_of = None
        if kind == "copy" and (copy_of := _calendar(value)) is None:
            raise Invalid.field("base", _("Choose one of the list."))
        row = services.create_calendar(
            name=typed["new_name"], time_zone=typed["new_zone"], pattern=value if kind == "week" else "",
            copy_of=copy_of, **_how(request),
        )  # fmt: skip
    except Refusal as refusal:
        return _page(request, 0, refusal=refusal, typed=typed, form="new")
    return redirect(_url(row))


@access("settings.manage")
@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Name, time zone and notices of a calendar; or, with `remove`, delete one that nobody works by."""
    typed = {n: request.POST.get(n, "") for n in OWN_INPUTS}
    try:
        row = _row(request)
        if request.POST.get("remove"):
            services.remove_calendar(row, version=_version(request), **_how(request))
            return redirect("web:calendar")
        row = services.change_calendar(
            row, name=typed["name"], time_zone=typed["time_zone"], notices=bool(typed["notices"]),
            version=_version(request), **_how(request),
        )  # fmt: skip
    except Refusal as refusal:
        return _page(request, 0, refusal=refusal, typed=typed, form="own")
    return redirect(_url(row))


@access("settings.manage")
@require_POST
def week(request: HttpRequest) -> HttpResponse:
    """Set the weekly pattern; the page as it was with every wrong line named."""
    typed = {str(n): request.POST.get(f"weekday_{n}", "") for n in range(1, 8)}
    try:
        weekly, errors = {}, []
        for weekday, text in typed.items():
            pairs = hours_of(text)
            if pairs is None:
                message = _("Hours look like 09:00–12:00 and do not overlap.")
                errors.append({"field": f"weekday_{weekday}", "message": message})
            else:
                weekly[weekday] = pairs
        if errors:
            raise Invalid(errors=errors)
        services.set_week(_row(request), weekly=weekly, version=_version(request), **_how(request))
    except Refusal as refusal:
        return _page(request, 0, refusal=refusal, typed=typed)
    return redirect(_url(_row(request)))


@access("settings.manage")
@require_POST
def day(request: HttpRequest) -> HttpResponse:
    """Add or change a day of the company's own, or let the notice and the week decide about it again."""
    posted = request.POST
    typed = {n: posted.get(n, "") for n in DAY_INPUTS}
    try:
        on = _date(typed["date"])
        if posted.get("remove"):
            services.remove_calendar_day(_row(request), day=on, version=_version(request), **_how(request))
        else:
            pairs = hours_of(typed["hours"])
            if pairs is None:
                raise Invalid.field("hours", _("Hours look like 09:00–12:00 and do not overlap."))
            services.set_calendar_day(
                _row(request),
                day=on,
                kind=typed["kind"],
                name={"zh": typed["name_zh"], "en": typed["name_en"]},
                intervals=pairs or None,
                version=_version(request),
                **_how(request),
            )
    except Refusal as refusal:
        return _page(request, 0, refusal=refusal, typed=typed)
    return redirect(f"{_url(_row(request), year=on.year)}#own")


def hours_of(text: str) -> list[list[str]] | None:
    """`09:00-12:00, 13:30–18:00` as pairs; nothing is a day off; None for what is no hours."""
    pairs, at = [], 0
    text = text.strip()
    if len(text) > MOST_TEXT:
        return None
    while at < len(text):
        found = _INTERVAL.match(text, at)
        if found is None:
            return None
        pairs.append([part.replace("：", ":").zfill(5) for part in found.groups()])
        between = _BETWEEN.match(text, found.end())
        at = between.end() if between is not None else found.end()
    return pairs


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid.field("date", _("Choose a day.")) from error


def _version(request: HttpRequest) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.UI}


def _calendar(text: str) -> WorkingCalendar | None:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        return None
    return WorkingCalendar.objects.filter(pk=int(text)).first()


def _row(request: HttpRequest) -> WorkingCalendar:
    """The calendar that a form speaks of; the company's own where it names none."""
    text = request.POST.get("calendar", "")
    row = _calendar(text) if text else WorkingCalendar.objects.filter(is_default=True).first()
    if row is None:
        raise NotFound
    return row


def _url(row: WorkingCalendar, **query: Any) -> str:
    """The page of a calendar; the company's own is the plain one."""
    asked = ({} if row.is_default else {"calendar": row.pk}) | query
    return reverse("web:calendar") + (f"?{urlencode(asked)}" if asked else "")


# --- the page ---


def _page(
    request: HttpRequest,
    wanted: int,
    *,
    refusal: Refusal | None = None,
    typed: Mapping[str, str] | None = None,
    form: str = "",
) -> HttpResponse:
    user: Any = request.user
    row = _shown(request)
    today = timezone.localdate()
    year = min(max(wanted or today.year, FIRST_YEAR), LAST_YEAR)
    working = calendar_of(row) if row is not None else default_calendar()
    months = [_month(working, year, month, today) for month in range(1, 13)]
    days = [day for month in months for week in month["weeks"] for day in week if day["name"]]
    context = {
        "nav_at": "settings",
        "year": year,
        "months": months,
        "provisional": working.is_provisional(year),
        "weekdays": [_weekday(number) for number in range(7)],
        "working_days": working.count_working_days(date(year, 1, 1), date(year, 12, 31)),
        "years": [
            {"text": str(number), "url": _of_year(row, number), "current": number == year}
            for number in range(year - 2, year + 3)
        ],
        "exceptions": _runs(days),
        "editing": None,
        "calendars": _calendars(row),
        "shown": row,
    }
    if user.may("settings.manage") and row is not None:
        other = form if refusal is not None else ""
        context["editing"] = _editing(row, year, None if other else refusal, {} if other else typed or {})
        context["keeping"] = _keeping(row, refusal, typed or {}, other)
    return page(request, "web/calendar.html", context, status=refusal.status if refusal else 200)


def _shown(request: HttpRequest) -> WorkingCalendar | None:
    """The calendar that the page is asked for. One that is no more: 404."""
    given = request.POST if request.method == "POST" else request.GET
    if text := given.get("calendar", ""):
        if (row := _calendar(text)) is None:
            raise NotFound
        return row
    return WorkingCalendar.objects.filter(is_default=True).first()


def _of_year(row: WorkingCalendar | None, year: int) -> str:
    return f"?year={year}" if row is None or row.is_default else f"?calendar={row.pk}&year={year}"


def _calendars(shown: WorkingCalendar | None) -> list[dict[str, Any]]:
    """Every calendar with who works by it, the company's own first."""
    rows = WorkingCalendar.objects.annotate(
        team_count=Count("teams", distinct=True), person_count=Count("people", distinct=True)
    )
    return [
        {
            "name": row.name,
            "zone": row.time_zone,
            "url": _url(row),
            "is_default": row.is_default,
            "teams": row.team_count,
            "people": row.person_count,
            "current": shown is not None and row.pk == shown.pk,
        }
        for row in rows.order_by("-is_default", "name", "pk")
    ]


def _keeping(
    row: WorkingCalendar, refusal: Refusal | None, typed: Mapping[str, str], form: str
) -> dict[str, Any]:
    """The forms around a calendar: its name, zone and notices, and the one that adds another."""
    names = {"new": {"name": "new_name", "time_zone": "new_zone"}}.get(form, {})
    told = refusal.details.get("errors", ()) if refusal is not None and form else ()
    errors = {names.get(e["field"], e["field"]): e["message"] for e in told}
    own = typed if form == "own" else {}
    new = typed if form == "new" else {}
    bases = [(f"week:{key}", label) for key, label in WeekPattern.choices]
    copies = WorkingCalendar.objects.order_by("-is_default", "name", "pk").values_list("pk", "name")
    return {
        "name": own.get("name", row.name),
        "time_zone": own.get("time_zone", row.time_zone),
        "notices": bool(own["notices"]) if own else bool(row.country),
        "zones": time_zones(),
        "bases": [*bases, *((f"copy:{pk}", _("Copy of %(name)s") % {"name": name}) for pk, name in copies)],
        "new": {
            "name": new.get("new_name", ""),
            "zone": new.get("new_zone", row.time_zone),
            "base": new.get("base", ""),
        },
        "own_errors": errors if form == "own" else {},
        "new_errors": errors if form == "new" else {},
        "refused": str(refusal) if refusal is not None and form and not errors else "",
    }


def _editing(
    row: WorkingCalendar, year: int, refusal: Refusal | None, typed: Mapping[str, str]
) -> dict[str, Any]:
    errors = (
        {_input_of(e["field"]): e["message"] for e in refusal.details.get("errors", ())} if refusal else {}
    )
    return {
        "version": row.version,
        "zone": row.time_zone,
        "week": [
            {
                "field": f"weekday_{n}",
                "name": str(WEEKDAYS[n - 1]),
                "text": typed.get(str(n), _hours_text(row.weekly.get(str(n), ()))),
                "error": errors.get(f"weekday_{n}"),
            }
            for n in range(1, 8)
        ],
        "week_errors": {n: text for n, text in errors.items() if n not in DAY_INPUTS},
        "day_errors": {n: text for n, text in errors.items() if n in DAY_INPUTS},
        "refused": str(refusal) if refusal and not errors else "",
        "kinds": DayKind.choices,
        "typed": {n: typed.get(n, "") for n in DAY_INPUTS},
        "errors": {n: errors.get(n) for n in DAY_INPUTS},
        "days": [
            {
                "date": d.date,
                "weekday": str(WEEKDAYS[d.date.weekday()]),
                "kind": d.get_kind_display(),
                "name": localized(d.name) if any(d.name.values()) else "",
                "hours": _hours_text(d.intervals or ()),
                "official": d.source == DaySource.OFFICIAL,
            }
            for d in row.days.filter(date__year=year)
        ],
    }


def _input_of(name: str) -> str:
    """What the service calls its hours is one input here."""
    return {"intervals": "hours", "name.zh": "name_zh", "name.en": "name_en"}.get(name, name)


def _hours_text(pairs: Any) -> str:
    return ", ".join(f"{opening}–{closing}" for opening, closing in pairs)


def _weekday(number: int) -> str:
    """一 or Mon."""
    name = str(WEEKDAYS_ABBR[number])
    return name[-1:] if (get_language() or "").startswith("zh") else name


def _runs(days: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring days of one occasion as one row."""
    runs: list[dict[str, Any]] = []
    for day in days:
        last = runs[-1] if runs else None
        goes_on = last is not None and last["last"] + DAY == day["date"]
        if last and goes_on and (last["name"], last["kind"]) == (day["name"], day["kind"]):
            last["last"] = day["date"]
        else:
            runs.append({"first": day["date"], "last": day["date"], "name": day["name"], "kind": day["kind"]})
    return runs


def _month(working: Any, year: int, month: int, today: date) -> dict[str, Any]:
    weeks = []
    for week in Months(firstweekday=0).monthdatescalendar(year, month):
        weeks.append([_day(working, day, month, today) for day in week])
    return {"name": str(MONTHS[month]), "weeks": weeks}


def _day(working: Any, day: date, month: int, today: date) -> dict[str, Any]:
    inside = day.month == month
    exception = working.exception_on(day) if inside else None
    works = working.is_workday(day) if inside else False
    name = localized({"zh": exception.zh, "en": exception.en}) if exception else ""
    kind = "" if not inside else "work" if works else "off"
    if exception is not None:
        kind = "extra" if works and day.isoweekday() > 5 else "holiday" if not works else kind
    words = {"off": _("day off"), "holiday": _("day off"), "extra": _("make-up workday")}.get(kind, "")
    return {
        "date": day, "inside": inside, "kind": kind, "today": day == today,
        "name": name or (words if exception else ""), "said": " ".join(filter(None, [words, name])),
    }  # fmt: skip
