"""Logging, planning, completing and cancelling activities of any record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.refusals import Invalid, NotFound, Stale
from fairlead.journal.undoing import undo_url

from .. import registry, services
from ..enums import ActivityKind, ActivityOutcome, ActivityState
from ..forms import MAX_ID, read_ids, read_instant, read_version
from ..models import Activity
from .shared import FORM, about, act, form_page, go, is_piece


@access("signed-in")
@require_http_methods(FORM)
def log(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Write down what has happened and, in the same go, what comes next."""
    record = about(request, kind, pk)
    now = timezone.localtime()
    if request.method != "POST":
        return form_page(
            request,
            "log",
            _("Log activity"),
            record,
            pk,
            typed=_suggested(request, record, pk, now.strftime("%Y-%m-%dT%H:%M")),
            contacts=contact_choices(request, kind, pk),
        )
    data = request.POST
    try:
        done_at = read_instant(data, "done_at", default=timezone.now())
        next_due = read_instant(data, "next_due_at", required=bool(data.get("next_summary", "").strip()))
        at = timezone.now()
        # A clock on the page shows minutes: what happened "now" is not in the future.
        if done_at is not None and at < done_at < at + timedelta(minutes=1):
            done_at = at
        how = {**act(request), "at": at}
        assert done_at is not None
        _log_with_next(kind, pk, data, done_at, next_due, read_ids(data, "contacts"), how)
    except Invalid as refusal:
        return form_page(
            request,
            "log",
            _("Log activity"),
            record,
            pk,
            typed=data,
            refusal=refusal,
            contacts=contact_choices(request, kind, pk),
        )
    return go(request, record.url(pk), _("Logged"))


def _suggested(request: HttpRequest, record: records.RecordType, pk: int, now: str) -> dict[str, Any]:
    """What the form of a log begins with: after a call that was tapped, the call."""
    kind = request.GET.get("kind", "")
    typed = {"done_at": now, "outcome": str(ActivityOutcome.TALKED)}
    if kind not in ActivityKind.values:
        return typed
    about = {"kind": str(ActivityKind(kind).label), "name": record.title([pk]).get(pk, "")}
    return typed | {"kind": kind, "summary": (_("%(kind)s with %(name)s") % about)[:200]}


def _log_with_next(
    kind: str, pk: int, data: Any, done_at: Any, next_due: Any, contacts: list[int], how: dict[str, Any]
) -> None:
    with transaction.atomic():  # both or neither: a refused next step must not leave half of what was sent
        services.log_activity(
            kind,
            pk,
            kind=data.get("kind", ""),
            summary=data.get("summary", ""),
            outcome=data.get("outcome", ""),
            done_at=done_at,
            note=data.get("note", ""),
            contact_ids=contacts,
            **how,
        )
        if next_due is not None:
            _plan_next(kind, pk, data, next_due, ActivityKind.CALL, how)


def _plan_next(kind: str, pk: int, data: Any, due_at: Any, otherwise: str, how: dict[str, Any]) -> None:
    """The second half of the form; what is wrong with it stands beside its own inputs, not beside those of the first."""
    try:
        services.plan_activity(
            kind,
            pk,
            kind=data.get("next_kind", "") or otherwise,
            summary=data.get("next_summary", ""),
            due_at=due_at,
            **how,
        )
    except Invalid as refusal:
        listed = [{**e, "field": f"next_{e['field']}"} for e in refusal.details.get("errors", ())]
        raise Invalid(errors=listed) if listed else refusal from refusal


@access("signed-in")
@require_http_methods(FORM)
def plan(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    record = about(request, kind, pk)
    # Named, not read from the request: the form also answers to “done”, at an address of its own.
    here = reverse("work:plan", args=[kind, pk])
    if request.method != "POST":
        chosen = request.GET.get("kind", "")
        return form_page(
            request,
            "plan",
            _("Plan the next step"),
            record,
            pk,
            typed={
                "kind": chosen if chosen in ActivityKind.values else "",
                "summary": request.GET.get("summary", "")[:200],
                "due_at": next_morning(),
            },
            action=here,
            proposals=proposals(kind, pk),
            contacts=contact_choices(request, kind, pk),
        )
    try:
        due_at = read_instant(request.POST, "due_at")
        assert due_at is not None
        services.plan_activity(
            kind,
            pk,
            kind=request.POST.get("kind", ""),
            summary=request.POST.get("summary", ""),
            due_at=due_at,
            note=request.POST.get("note", ""),
            contact_ids=read_ids(request.POST, "contacts"),
            **act(request),
        )
    except Invalid as refusal:
        return form_page(
            request,
            "plan",
            _("Plan the next step"),
            record,
            pk,
            typed=request.POST,
            refusal=refusal,
            action=here,
            proposals=proposals(kind, pk),
            contacts=contact_choices(request, kind, pk),
        )
    return go(request, record.url(pk), _("Planned"))


@access("signed-in")
@require_http_methods(FORM)
def complete(request: HttpRequest, pk: int) -> HttpResponse:
    """Done: what came of it, and at once the next step."""
    row, record = standing(request, pk)
    more: dict[str, Any] = {"activity": row, "proposals": proposals(row.subject_type, row.subject_id)}
    if request.method != "POST":
        return form_page(
            request,
            "complete",
            _("Done"),
            record,
            row.subject_id,
            typed={"outcome": ActivityOutcome.TALKED, "next_due_at": "", "next_summary": ""},
            **more,
        )
    data = request.POST
    try:
        next_due = read_instant(data, "next_due_at", required=bool(data.get("next_summary", "").strip()))
        _complete_with_next(row, data, next_due, read_version(data), act(request))
    except Stale:
        return conflict(request, row, record)
    except Invalid as refusal:
        return form_page(
            request, "complete", _("Done"), record, row.subject_id, typed=data, refusal=refusal, **more
        )
    if next_due is None and not data.get("next_summary"):
        still = Activity.objects.filter(
            subject_type=row.subject_type, subject_id=row.subject_id, state=ActivityState.PLANNED
        ).exists()
        if not still:
            return after_done(request, row)
    return go(request, record.url(row.subject_id), _("Done"))


def _complete_with_next(row: Activity, data: Any, next_due: Any, version: int, how: dict[str, Any]) -> None:
    with transaction.atomic():
        services.complete_activity(
            row.pk, version=version, outcome=data.get("outcome", ""), note=data.get("note", ""), **how
        )
        if next_due is not None:
            _plan_next(row.subject_type, row.subject_id, data, next_due, row.kind, how)


def after_done(request: HttpRequest, row: Activity) -> HttpResponse:
    """Nothing is planned any more: ask for the next step, do not just leave."""
    messages.info(request, _("Done. What comes next?"), extra_tags=undo_url(request))
    url = reverse("work:plan", args=[row.subject_type, row.subject_id])
    if is_piece(request):
        request.method = "GET"
        return plan(request, row.subject_type, row.subject_id)
    return HttpResponseRedirect(url)


@access("signed-in")
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    row, record = standing(request, pk)
    try:
        services.cancel_activity(pk, version=read_version(request.POST), **act(request))
    except Stale:
        return conflict(request, row, record)
    return go(request, record.url(row.subject_id), _("Cancelled"))


def standing(request: HttpRequest, pk: int) -> tuple[Activity, records.RecordType]:
    row = Activity.objects.filter(pk=pk).first() if pk <= MAX_ID else None
    if row is None:
        raise NotFound
    return row, about(request, row.subject_type, row.subject_id)


def conflict(request: HttpRequest, row: Activity, record: records.RecordType) -> HttpResponse:
    """Somebody else completed or cancelled it meanwhile: say how it stands, keep what was typed."""
    row.refresh_from_db()
    response = form_page(
        request,
        "complete",
        _("Done"),
        record,
        row.subject_id,
        typed=request.POST,
        activity=row,
        conflict=True,
        proposals=[],
        state=str(row.get_state_display()),
    )
    response.status_code = 409
    return response


def proposals(kind: str, pk: int) -> list[dict[str, str]]:
    found = [step for source in registry.proposals for step in source(kind, pk)]
    return [
        {"kind": code, "text": text, "label": str(ActivityKind(code).label)}
        for code, text in found[:5]
        if code in ActivityKind.values
    ]


def next_morning() -> str:
    return (timezone.localtime() + timedelta(days=1)).replace(hour=9, minute=0).strftime("%Y-%m-%dT%H:%M")


def contact_choices(request: HttpRequest, kind: str, pk: int) -> list[tuple[int, str]]:
    """Who may have taken part; the room of contacts says so."""
    return [pair for source in registry.contact_sources for pair in source(request.user, kind, pk)]
