"""Tasks: given, done, listed; the calendar, and another day by one click."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.dates import MONTHS, WEEKDAYS_ABBR
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, Stale
from fairlead.organisation.models import User
from fairlead.organisation.selectors import calendars

from .. import services
from ..forms import MAX_ID, read_day, read_due, read_version, the_colleague
from ..models import Task
from ..selectors.agenda import calendar_of, month_of, tasks_of, week_of
from ..selectors.comments import people_to_mention
from ..words import is_chinese, when_words
from .activities import standing
from .shared import FORM, about, act, form_page, go, left_notes

SPANS = (0, 1, 2, 3, 5, 10)


@access("signed-in")
@require_http_methods(FORM)
def task(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    record = about(request, kind, pk)
    data = request.POST
    more: dict[str, Any] = {"people": _choices(request, kind, pk), "spans": _spans()}
    if request.method != "POST":
        typed = {"list": request.GET.get("list", "")[:60]}
        return form_page(request, "task", _("New task"), record, pk, typed=typed, **more)
    try:
        assignee = _assignee(data.get("assignee", ""))
        services.add_task(
            kind,
            pk,
            title=data.get("title", ""),
            list_key=_slug(data.get("list", "")),
            assignee=assignee,
            due_date=_due(request, data, assignee),
            **act(request),
        )
    except Invalid as refusal:
        return form_page(request, "task", _("New task"), record, pk, typed=data, refusal=refusal, **more)
    return go(request, record.url(pk), _("Added"))


def _due(request: HttpRequest, data: Mapping[str, Any], assignee: Any) -> date | None:
    """A day, or in so many working days of whoever does it: their leave is none."""
    person = assignee.pk if assignee is not None else request.user.pk
    return read_due(data, today=timezone.localdate(), workday_after=calendars().of(person).workday_after)


@access("signed-in")
@require_http_methods(FORM)
def edit_task(request: HttpRequest, pk: int) -> HttpResponse:
    """Its words, who does it, until when."""
    row = (
        Task.objects.filter(pk=pk, removed_at=None).select_related("assignee").first()
        if pk <= MAX_ID
        else None
    )
    if row is None:
        raise NotFound
    kind, about_id = row.subject_type, row.subject_id
    record = about(request, kind, about_id)
    people = _choices(request, kind, about_id)
    if row.assignee is not None and row.assignee_id not in [who for who, _name in people]:
        people.append((row.assignee.pk, row.assignee.name))
    more: dict[str, Any] = {"people": people, "spans": _spans(), "version": row.version}
    back = _back(request, record.url(about_id))
    typed: Any = {
        "title": row.title, "list": row.list_key, "assignee": row.assignee_id or "",
        "due_date": row.due_date.isoformat() if row.due_date else "", "next": back,
    }  # fmt: skip
    if request.method != "POST":
        return form_page(request, "task", _("Change task"), record, about_id, typed=typed, **more)
    data = request.POST
    try:
        assignee = _assignee(data.get("assignee", ""))
        services.edit_task(
            pk,
            title=data.get("title", ""),
            assignee=assignee,
            due_date=_due(request, data, assignee),
            version=read_version(data),
            **act(request),
        )
    except (Invalid, Stale) as refusal:
        return form_page(
            request, "task", _("Change task"), record, about_id, typed=data, refusal=refusal, **more
        )
    return go(request, back, _("Saved"))


def _choices(request: HttpRequest, kind: str, pk: int) -> list[tuple[int, str]]:
    """Those who see the record, oneself first."""
    user: Any = request.user
    return [(user.pk, user.name), *((p.pk, p.name) for p in people_to_mention(user, kind, pk, "", most=40))]


def _spans() -> list[tuple[str, str]]:
    def words(n: int) -> str:
        return ngettext("in %(n)s working day", "in %(n)s working days", n) % {"n": n} if n else _("today")

    return [("", "—"), *((str(n), words(n)) for n in SPANS)]


def _assignee(text: str) -> User | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid.field("assignee", _("There is no such person here."))
    return the_colleague(int(text), "assignee")


def _slug(text: str) -> str:
    return "".join(c for c in text[:60] if c.isascii() and (c.isalnum() or c == "_"))


@access("signed-in")
@require_POST
def task_done(request: HttpRequest, pk: int) -> HttpResponse:
    """Done, or with `reopen` open again, or with `remove` gone."""
    row = Task.objects.filter(pk=pk).first() if pk <= MAX_ID else None
    if row is None:
        raise NotFound
    record = about(request, row.subject_type, row.subject_id, edit=False)
    service = (
        services.reopen_task
        if "reopen" in request.POST
        else (services.remove_task if "remove" in request.POST else services.complete_task)
    )
    service(pk, version=read_version(request.POST), **act(request))
    return go(request, _back(request, record.url(row.subject_id)), _("Saved"))


def _back(request: HttpRequest, default: str) -> str:
    wanted = request.POST.get("next", "") or request.GET.get("next", "")
    return wanted if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, None) else default


@access("signed-in")
@require_safe
def tasks(request: HttpRequest) -> HttpResponse:
    scope = "given" if request.GET.get("scope") == "given" else "mine"
    done = request.GET.get("state") == "done"
    here = reverse("work:tasks")
    rows, more = tasks_of(request.user, scope=scope, done=done, today=timezone.localdate())
    context = {
        "nav_at": "tasks",
        "notes": left_notes(request),
        "rows": rows,
        "more": more,
        "done": done,
        "here": f"{here}?{urlencode({'scope': scope, **({'state': 'done'} if done else {})})}",
        "clear_url": here,
        "filtered": done or scope == "given",
        "scopes": [
            {"text": text, "url": f"{here}?scope={key}", "current": key == scope}
            for key, text in (("mine", _("Mine")), ("given", _("Given to others")))
        ],
        "states": [
            {"text": text, "url": f"{here}?scope={scope}&state={key}", "current": (key == "done") == done}
            for key, text in (("open", pgettext("tasks", "Open")), ("done", _("Done")))
        ],
    }
    return page(request, "work/tasks.html", context)


# --- the calendar ---


@access("signed-in")
@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    """A week, or a month; on a phone the same days one under the other."""
    now = timezone.now()
    view = "month" if request.GET.get("view") == "month" else "week"
    try:
        day = read_day(request.GET, "day") or timezone.localdate(now)
    except Invalid:
        day = timezone.localdate(now)
    day = min(max(day, date(1970, 1, 8)), date(2150, 12, 1))
    days = week_of(day) if view == "week" else month_of(day)
    step = timedelta(days=7) if view == "week" else None
    before = day - step if step else (day.replace(day=1) - timedelta(days=1)).replace(day=1)
    after = day + step if step else (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    here = reverse("work:calendar")

    def url(of: str, at: date) -> str:
        return f"{here}?view={of}&day={at.isoformat()}"

    shown = calendar_of(request.user, days, now=now, month=day.month if view == "month" else 0)
    context = {
        "nav_at": "activities",
        "notes": left_notes(request),
        "view": view,
        "days": shown,
        "weekdays": [str(WEEKDAYS_ABBR[n]) for n in range(7)],
        "title": _title(days, day, view),
        "here": url(view, day),
        "before_url": url(view, before),
        "after_url": url(view, after),
        "today_url": f"{here}?view={view}",
        "views": [
            {"text": text, "url": url(key, day), "current": key == view}
            for key, text in (("week", _("Week")), ("month", _("Month")))
        ],
        "is_empty": not any(one.items for one in shown),
    }
    return page(request, "work/calendar.html", context)


def _title(days: list[date], day: date, view: str) -> str:
    if view == "month":
        return (
            f"{day.year}年{day.month}月"
            if is_chinese()
            else f"{str(MONTHS[day.month]).capitalize()} {day.year}"
        )
    first, last = days[0], days[-1]
    if is_chinese():
        return f"{first.year}年{first.month}月{first.day}日 – {last.month}月{last.day}日"
    return f"{first.day} {str(MONTHS[first.month]).capitalize()} – {last.day} {str(MONTHS[last.month]).capitalize()} {last.year}"


@access("signed-in")
@require_POST
def later(request: HttpRequest, pk: int) -> HttpResponse:
    """Another day by one click: the next working one, next Monday, or (`back`) where it stood before."""
    row, record = standing(request, pk)
    now = timezone.now()
    if row.due_at is None:
        raise Invalid.field("", _("This is %(state)s already.") % {"state": row.get_state_display()})
    before = row.due_at
    version = read_version(request.POST if "version" in request.POST else request.GET)
    back = request.GET.get("back", "")[:40]
    due_at = _put_back(back) if back else _later(request.POST.get("to", ""), before, now, row.owner_id)
    changed = services.reschedule_activity(pk, version=version, due_at=due_at, **{**act(request), "at": now})
    undo = ""
    if not back:
        query = urlencode({"back": before.isoformat(), "version": str(changed.version)})
        undo = f"{reverse('work:later', args=[pk])}?{query}"
    said = _("Put to %(when)s") % {"when": when_words(due_at, now)}
    messages.info(request, said, extra_tags=undo)
    return go(request, _back(request, record.url(row.subject_id)))


def _put_back(text: str) -> datetime:
    found = parse_datetime(text)
    if found is None or timezone.is_naive(found):
        raise Invalid.field("", _("A date and time is expected as YYYY-MM-DD HH:MM."))
    return found


def _later(to: str, due_at: datetime, now: datetime, owner_id: int | None) -> datetime:
    local, today = timezone.localtime(due_at), timezone.localdate(now)
    base = max(local.date(), today)
    working = calendars().of(owner_id)
    if to == "monday":
        day = base + timedelta(days=8 - base.isoweekday())
        day = day if working.is_workday(day) else working.workday_after(day, 1)
    elif to == "day":
        day = working.workday_after(base, 1)
    else:
        raise Invalid.field("to", _("Choose another day."))
    return local.replace(year=day.year, month=day.month, day=day.day)
