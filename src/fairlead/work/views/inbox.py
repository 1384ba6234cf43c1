"""The inbox, what a person wants to hear of a record, and when mail may come."""

from __future__ import annotations

from datetime import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_time
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, Stale

from .. import services
from ..enums import Attention, Digest
from ..forms import MAX_ID, read_version
from ..models import Follow, Notification
from ..selectors.inbox import inbox_of
from .shared import FORM, about, act, form_page, go, left_notes


@access("signed-in")
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    show = "all" if request.GET.get("show") == "all" else "unread"
    start = request.GET.get("from", "")
    before = int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 0
    rows, following = inbox_of(request.user, at=timezone.now(), unread_only=show == "unread", before=before)
    here = reverse("work:inbox")
    context = {
        "nav_at": "inbox",
        "notes": left_notes(request),
        "rows": rows,
        "show": show,
        "older_url": f"{here}?show={show}&from={following}" if following else "",
        "shows": [
            {"text": text, "url": f"{here}?show={key}", "current": key == show}
            for key, text in (("unread", _("Unread")), ("all", _("All")))
        ],
    }
    return page(request, "work/inbox.html", context, block="rows")


@access("signed-in")
@require_POST
def open_notification(request: HttpRequest, pk: int) -> HttpResponse:
    """Read, and on to the record."""
    user: Any = request.user
    row = Notification.objects.filter(pk=pk, recipient=user).first() if pk <= MAX_ID else None
    if row is None or not records.record_type(row.subject_type).sees(user, row.subject_id):
        raise NotFound
    services.mark_read(by=user, at=timezone.now(), ids=[pk])
    return redirect(records.record_type(row.subject_type).url(row.subject_id))


@access("signed-in")
@require_POST
def read_notification(request: HttpRequest, pk: int) -> HttpResponse:
    services.mark_read(by=request.user, at=timezone.now(), ids=[min(pk, MAX_ID)])
    return go(request, reverse("work:inbox"), _("Marked as read"))


@access("signed-in")
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    services.mark_read(by=request.user, at=timezone.now())
    return go(request, reverse("work:inbox"), _("Marked as read"))


@access("signed-in")
@require_http_methods(FORM)
def attention(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Follow a record, mute it, or hear only what concerns oneself."""
    record = about(request, kind, pk, edit=False)
    user: Any = request.user
    choices = [
        ("", _("Only what concerns me")),
        (Attention.FOLLOWED.value, _("Follow: everything")),
        (Attention.MUTED.value, _("Mute: nothing")),
    ]
    more: dict[str, Any] = {"choices": choices}
    if request.method != "POST":
        row = Follow.objects.filter(subject_type=kind, subject_id=pk, person=user).first()
        typed = {"attention": row.attention if row is not None else ""}
        return form_page(request, "attention", _("Notifications"), record, pk, typed=typed, **more)
    chosen = request.POST.get("attention", "")
    if chosen and chosen not in Attention.values:
        wrong = Invalid.field("attention", _("Choose one of the three."))
        return form_page(
            request, "attention", _("Notifications"), record, pk, typed=request.POST, refusal=wrong, **more
        )
    services.set_attention(kind, pk, chosen, **act(request))
    done = {Attention.FOLLOWED: _("Followed"), Attention.MUTED: _("Muted")}
    back = reverse("work:inbox") if "inbox" in request.POST else record.url(pk)
    return go(request, back, done.get(Attention(chosen), "") if chosen else _("Saved"))


@access("signed-in")
@require_http_methods(FORM)
def preferences(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    stored = services.preferences_of(user)
    if request.method != "POST":
        return _preferences_page(request, stored, {})
    data = request.POST
    try:
        services.set_preferences(
            digest=data.get("digest", ""),
            daily_at=_clock(data, "daily_at") or time(8, 30),
            quiet_from=_clock(data, "quiet_from"),
            quiet_until=_clock(data, "quiet_until"),
            quiet_days_off=bool(data.get("quiet_days_off")),
            weekly=bool(data.get("weekly")),
            version=read_version(data),
            **act(request),
        )
    except Invalid as refusal:
        return _preferences_page(request, stored, data, refusal)
    except Stale as refusal:
        return _preferences_page(request, services.preferences_of(user), data, refusal, status=409)
    return go(request, reverse("work:inbox_settings"), _("Saved"))


def _clock(data: Any, name: str) -> time | None:
    text = str(data.get(name) or "").strip()[:8]
    if not text:
        return None
    try:
        found = parse_time(text)
    except ValueError:
        found = None
    if found is None:
        raise Invalid.field(name, _("An hour is expected as HH:MM."))
    return found.replace(second=0, microsecond=0, tzinfo=None)


def _preferences_page(
    request: HttpRequest, stored: Any, typed: Any, refusal: Any = None, status: int = 422
) -> HttpResponse:
    errors = (
        {e["field"]: e["message"] for e in refusal.details.get("errors", [])} if refusal is not None else {}
    )
    if refusal is not None and not errors:
        errors[""] = str(refusal.message)
    values = {
        name: f"{value:%H:%M}" if isinstance(value, time) else value or ""
        for name in ("digest", "daily_at", "quiet_from", "quiet_until", "quiet_days_off", "weekly")
        for value in [getattr(stored, name)]
    }
    if typed:
        values = {name: typed.get(name, "") for name in values}
    context = {
        "nav_at": "inbox",
        "notes": left_notes(request),
        "values": values,
        "errors": errors,
        "version": stored.version,
        "digests": Digest.choices,
        "mail_is_set": getattr(settings, "MAIL_IS_SET", False),
        "address": getattr(request.user, "email", ""),
    }
    return page(request, "work/inbox_settings.html", context, status=status if refusal is not None else 200)
