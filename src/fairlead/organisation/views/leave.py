"""Leave: one's own, that of one's team, and of people whose deals one may hand over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, Refusal
from fairlead.journal.enums import Channel
from fairlead.organisation import services
from fairlead.organisation.models import Leave, User
from fairlead.organisation.querysets import kept_by

INPUTS: Final = ("person", "first_day", "last_day", "reason")
MOST: Final = 300


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.UI}


@access("signed-in")
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """Who is away and when, and the form that enters leave."""
    if request.method != "POST":
        return _page(request)
    user: Any = request.user
    typed = {name: request.POST.get(name, "") for name in INPUTS}
    try:
        person = user
        if typed["person"] and typed["person"] != str(user.pk):
            found = User.objects.filter(kept_by(user)).filter(pk=_number(typed["person"])).first()
            if found is None:
                raise Invalid.field("person", _("There is no such person."))
            person = found
        services.enter_leave(
            person, first_day=_day(typed["first_day"], "first_day"), last_day=_day(typed["last_day"], "last_day"),
            reason=typed["reason"], **_how(request),
        )  # fmt: skip
    except Invalid as refusal:
        return _page(request, refusal=refusal, typed=typed)
    messages.info(request, _("Saved"))
    return redirect("organisation:leave")


@access("signed-in")
@require_POST
def change_leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Other days; or, with `remove`, take it back."""
    typed = {name: request.POST.get(name, "") for name in INPUTS}
    try:
        if not Leave.objects.visible_to(request.user).filter(pk=pk).exists():
            raise NotFound
        version = _number(request.POST.get("version", ""))
        if request.POST.get("remove"):
            services.remove_leave(pk, version=version, **_how(request))
        else:
            services.change_leave(
                pk, first_day=_day(typed["first_day"], "first_day"), last_day=_day(typed["last_day"], "last_day"),
                reason=typed["reason"], version=version, **_how(request),
            )  # fmt: skip
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(request, refusal=refusal, typed=typed, at=pk)
    messages.info(request, _("Saved"))
    return redirect("organisation:leave")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid.field(field, _("Choose a day.")) from error


def _page(
    request: HttpRequest,
    *,
    refusal: Refusal | None = None,
    typed: Mapping[str, str] | None = None,
    at: int | None = None,
) -> HttpResponse:
    """`at`: the leave whose form was refused; none: the one that enters leave."""
    user: Any = request.user
    today = timezone.localdate()
    told = refusal.details.get("errors", ()) if refusal is not None else ()
    errors = {e["field"]: e["message"] for e in told}
    rows = Leave.objects.visible_to(user).not_over(today - services.LEAVE_BACK).select_related("user__team")
    kept = set(Leave.objects.kept_by(user).values_list("pk", flat=True)) if rows else set()
    listed = [_row(row, today, row.pk in kept, user, typed if row.pk == at else None) for row in rows[:MOST]]
    typed = typed if at is None and typed is not None else {}
    people = User.objects.active().filter(kept_by(user)).exclude(pk=user.pk).by_name()
    context = {
        "nav_at": "leave",
        "rows": [row for row in listed if not row["is_over"]],
        "over": [row for row in listed if row["is_over"] and row["may_change"]],
        "people": [(str(user.pk), _("Myself")), *((str(p.pk), p.name) for p in people)],
        "typed": {name: typed.get(name, "") for name in INPUTS},
        "errors": errors if at is None else {},
        "errors_of": {at: errors} if at is not None else {},
        "refused": str(refusal) if refusal is not None and not errors else "",
        "notes": [{"text": str(note), "undo": ""} for note in messages.get_messages(request)],
    }
    return page(request, "organisation/leave.html", context, status=refusal.status if refusal else 200)


def _row(
    row: Leave, today: date, may_change: bool, reader: Any, typed: Mapping[str, str] | None
) -> dict[str, Any]:
    """The reason is for the person and for those who keep their leave."""
    mine = row.user_id == reader.pk
    reason = row.reason if may_change else ""
    return {
        "pk": row.pk,
        "version": row.version,
        "name": row.user.name,
        "team": row.user.team.name if row.user.team is not None else "",
        "first_day": row.first_day,
        "last_day": row.last_day,
        "reason": reason,
        "is_mine": mine,
        "is_now": row.first_day <= today <= row.last_day,
        "is_over": row.last_day < today,
        "may_change": may_change,
        "typed": typed
        or {"first_day": row.first_day.isoformat(), "last_day": row.last_day.isoformat(), "reason": reason},
        "is_open": typed is not None,
    }
