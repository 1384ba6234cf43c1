"""The submitter's side of approvals: what would be asked of whom, submitting, calling to mind, withdrawing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Refusal
from fairlead.common.returned import NOTHING, Returned
from fairlead.common.text import clean_text
from fairlead.fields.catalogue import catalogue, pick
from fairlead.fields.conditions import verdict as condition_verdict
from fairlead.fields.enums import NUMERIC, FieldType
from fairlead.journal.enums import Channel
from fairlead.organisation.models import User
from fairlead.work.words import when_words

from .answers import find_journey
from .approval_answers import find_request
from .approval_easing import eases
from .approval_enums import RequestState
from .approval_forecast import ease_words, steps_words, usual_words
from .approval_policy import ApprovalKind
from .approval_screens import STATE_LOOKS, due_of, rail_of
from .approval_times import usual_time
from .definition import Criterion, Definition
from .enums import CLOSED_STATES
from .envelopes import Cover, coverage
from .facts import Facts
from .models import ApprovalRequest, Journey
from .refusals import ApprovalDecided, ApprovalRefused
from .selectors.approval_inbox import detail
from .selectors.gathering import situations
from .services import approval_asking, approving
from .services.approval_nudging import next_nudge, nudge
from .subjects import room_of
from .views_approvals import MAX_ID, MAX_WORDS, NAV, colleagues, left_notes, number_in

TRIED: Final = "v_"
COVERS: Final = {
    Cover.NOT_NEEDED: ("won", "check"), Cover.COVERED: ("won", "check"), Cover.PENDING: ("pending", "clock"),
    Cover.MISSING: ("due", "rubber-stamp"), Cover.OUTSIDE: ("blocked", "alert-triangle"),
    Cover.EXPIRED: ("overdue", "hourglass"), Cover.PROHIBITED: ("overdue", "ban"),
    Cover.UNKNOWN: ("flagged", "help"),
}  # fmt: skip


def cover_words(cover: Cover) -> str:
    return {
        Cover.NOT_NEEDED: _("No approval is needed with these values."),
        Cover.COVERED: _("The approval in force covers these values."),
        Cover.PENDING: _("It is being decided."),
        Cover.MISSING: _("An approval is needed."),
        Cover.OUTSIDE: _("A value left what was approved: it has to be approved anew."),
        Cover.EXPIRED: _("The approval has run out."),
        Cover.PROHIBITED: _("No tier may approve this."),
        Cover.UNKNOWN: _("A value is missing, so nobody can tell which approval is needed."),
    }[cover]


# --- on the record's page ---


def record_panel(
    journey: Journey, definition: Definition, facts: Facts, reader: Any, *, at: datetime, may_ask: bool
) -> dict[str, Any] | None:
    """What `process/approvals_panel.html` needs beside a record: each kind, how it stands, and what runs.

    None where the process asks for no approval.
    """
    kinds = definition.approvals.kinds
    if not kinds:
        return None
    rows: dict[str, ApprovalRequest] = {}
    if journey.approvals:
        for row in (
            ApprovalRequest.objects.filter(journey=journey, about="")
            .select_related("submitted_by", "journey__stage")
            .order_by("number")
        ):
            rows[row.kind] = row
    wanted = _kinds_here(definition, facts)
    shown = []
    for key, kind in kinds.items():
        found = coverage(kind, facts.fields, [a for a in facts.approvals if not a.about], at=at)
        request = rows.get(key)
        is_pending = request is not None and request.state == RequestState.PENDING
        cover = Cover.PENDING if is_pending else found.cover
        if (
            request is None
            and key not in wanted
            and cover in (Cover.NOT_NEEDED, Cover.UNKNOWN, Cover.MISSING)
        ):
            continue
        look, icon = COVERS[cover]
        asks = may_ask and cover in (Cover.MISSING, Cover.OUTSIDE, Cover.EXPIRED)
        shown.append(
            {
                "name": pick(kind.name),
                "look": look,
                "icon": icon,
                "text": cover_words(cover),
                "until": when_words(found.ends_at, at) if cover == Cover.COVERED and found.ends_at else "",
                "ask_url": reverse("process:approval_ask", args=[journey.pk, key]) if asks else "",
                "frozen": [s.name() for s in (b.spec for b in kind.binds) if s.readable_by(reader)]
                if is_pending
                else [],
                "request": _running(request, reader, at) if request is not None else None,
            }
        )
    return {"rows": shown} if shown else None


def _kinds_here(definition: Definition, facts: Facts) -> set[str]:
    """The kinds that the gate ahead asks for, of a record like this one: a bid is decided only where one is made, and
    nothing is where the journey has ended."""
    here = facts.journey.stage_key
    if here not in definition.by_key or facts.journey.state in CLOSED_STATES:
        return set()
    stage = definition.stage(here)
    found = set()
    for criterion in (*stage.entry, *stage.exit):
        if not _may_apply(criterion, facts):
            continue
        for one in (criterion, *criterion.children):
            if one.params.get("approval") and _may_apply(one, facts):
                found.add(str(one.params["approval"]))
    return found


def _may_apply(criterion: Criterion, facts: Facts) -> bool:
    condition = criterion.applies_if
    return condition is None or condition_verdict(condition, facts.fields, now=facts.at) is not False


def _running(request: ApprovalRequest, reader: Any, at: datetime) -> dict[str, Any]:
    state, due = due_of(request.next_due_at, at)
    is_pending = request.state == RequestState.PENDING
    mine = is_pending and reader.pk in (request.submitted_by_id, request.owner_id_then)
    free = next_nudge(request, at=at) if mine else None
    found = detail(request, reader, at=at) if is_pending else None
    return {
        "url": f"{reverse('process:approvals')}?tab=mine&item={request.pk}",
        "state": str(RequestState(request.state).label),
        "look": STATE_LOOKS[RequestState(request.state)],
        "when": when_words(request.ended_at or request.submitted_at, at),
        "due": due,
        "due_look": state,
        "rail": rail_of(found, at) if found is not None else [],
        "may_recall": mine,
        "recall_url": reverse("process:approval_recall", args=[request.pk]),
        "nudge_url": reverse("process:approval_nudge", args=[request.pk]) if mine and free is None else "",
        "nudge_free": when_words(free, at) if free is not None else "",
        "is_mine_to_decide": bool(found and found.mine),
        "version": request.version,
        "is_auto": request.is_auto,
    }


# --- asking ---


@access("signed-in")
@require_http_methods(["GET", "HEAD", "POST"])
def approval_ask(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Ask for an approval, with a live preview: who, why, how long it takes, and what would need nobody."""
    user: Any = request.user
    journey = find_journey(user, min(pk, MAX_ID))
    room = room_of(journey.subject_type)
    if journey.subject_id not in room.visible_ids(user, [journey.subject_id], right=room.move_right):
        raise NotPermitted
    if request.method != "POST":
        return _ask_page(request, journey, kind)
    data = request.POST
    try:
        definition = situations([journey], at=timezone.now())[journey.pk].definition
        found = _kind(definition, kind)
        items = (*found.package, *found.opinions)
        row = approving.submit(
            journey.pk,
            kind=kind,
            text=clean_text(data.get("text", ""), limit=MAX_WORDS, multiline=True, field="text"),
            package={
                i.key: clean_text(
                    data.get(f"p_{i.key}", ""), limit=MAX_WORDS, multiline=True, field=f"p_{i.key}"
                )
                for i in items
            },
            second_reader_id=number_in(data.get("second_reader")) or None,
            copies=[pk for one in data.getlist("copies") if (pk := number_in(one))],
            by=user,
            at=timezone.now(),
            channel=Channel.UI,
        )
    except (Invalid, ApprovalRefused, ApprovalDecided) as refusal:
        return _ask_page(request, journey, kind, returned=Returned.of("ask", data, _placed(refusal)))
    messages.info(request, _("Approved by the rule") if row.is_auto else _("Submitted for approval"))
    return redirect(room.url(journey.subject_id))


def _placed(refusal: Refusal) -> Refusal:
    """A missing item of the package stands at its own field."""
    missing = refusal.details.get("missing")
    if not missing:
        return refusal
    errors = [
        {"field": f"p_{key}", "message": _("The request is not complete without this.")} for key in missing
    ]
    placed = Invalid(str(refusal.message), errors=errors)
    placed.code = refusal.code
    return placed


def _kind(definition: Definition, key: str) -> ApprovalKind:
    found = definition.approvals.kinds.get(key)
    if found is None:
        raise NotFound
    return found


def _ask_page(
    request: HttpRequest, journey: Journey, key: str, *, returned: Returned = NOTHING
) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    situation = situations([journey], at=at)[journey.pk]
    kind = _kind(situation.definition, key)
    given, wrong = tried_values(kind, request.GET, user)
    facts = {**situation.facts.fields, **given}
    context: dict[str, Any] = {
        "nav_at": NAV,
        "notes": left_notes(request),
        "name": pick(kind.name),
        "help": pick(kind.help) if kind.help else "",
        "title": journey.title,
        "record_url": room_of(journey.subject_type).url(journey.subject_id),
        "ask_url": reverse("process:approval_ask", args=[journey.pk, key]),
        "returned": returned,
        "package": kind.package,
        "opinions": kind.opinions,
        "pick": pick,
        "people": colleagues(user),
        "tries": [
            {
                "name": f"{TRIED}{bind.spec.key}",
                "label": bind.spec.name(),
                "unit": bind.spec.unit_name,
                "value": request.GET.get(f"{TRIED}{bind.spec.key}", _plain(situation.facts.fields.get(bind.spec.key))),
                "error": wrong.get(bind.spec.key),
            }
            for bind in kind.binds
            if bind.spec.type in NUMERIC and bind.spec.readable_by(user)
        ],
        "is_tried": bool(given),
        "needs_reader": False,
        **preview_of(journey, situation.definition, kind, facts, given, user, at),
    }  # fmt: skip
    return page(request, "process/approval_ask.html", context, block="preview", status=returned.status)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def tried_values(
    kind: ApprovalKind, data: Mapping[str, Any], reader: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """Values to try in place of those of now; what is no number is said and left out."""
    found: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for bind in kind.binds:
        text = str(data.get(f"{TRIED}{bind.spec.key}", "")).strip().replace(",", "")[:30]
        if not text or bind.spec.type not in NUMERIC or not bind.spec.readable_by(reader):
            continue
        try:
            value = Decimal(text)
        except InvalidOperation:
            wrong[bind.spec.key] = _("A number is expected.")
            continue
        if not value.is_finite() or abs(value) >= 10**15:
            wrong[bind.spec.key] = _("A number is expected.")
            continue
        found[bind.spec.key] = int(value) if bind.spec.type == FieldType.INTEGER else value
    return found, wrong


def preview_of(
    journey: Journey, definition: Definition, kind: ApprovalKind, facts: Mapping[str, Any],
    given: Mapping[str, Any], user: Any, at: datetime,
) -> dict[str, Any]:  # fmt: skip
    """Who would be asked with these values, and why; a refusal says why nobody can be."""
    fields = catalogue(journey.subject_type)
    said = ""
    steps: list[dict[str, Any]] = []
    cover, needs_reader = Cover.UNKNOWN, False
    try:
        found = approval_asking.preview(journey, kind_key=kind.key, by=user, at=at, values=given)
    except ApprovalRefused as refusal:
        said, needs_reader = str(refusal.message), bool(refusal.details.get("needs_second_reader"))
        cover = Cover.MISSING
    else:
        cover = found.coverage.cover
        people = {seat.person_id for step in found.steps for seat in step.seats}
        names = dict(User.objects.filter(pk__in=people).values_list("pk", "name"))
        values = {b.field: b.value for b in found.bounds}
        steps = steps_words(found.steps, kind, names, values, fields, user)
        if found.coverage.asked.prohibited:
            said = _(", ").join(pick(one.name) for one in found.coverage.asked.prohibited)
    look, icon = COVERS[cover]
    return {
        "cover": str(cover),
        "cover_look": look,
        "cover_icon": icon,
        "cover_text": cover_words(cover),
        "said": said,
        "needs_reader": needs_reader,
        "steps": steps,
        "usual": usual_words(usual_time(kind.key)) if steps else "",
        "ease": ease_words(eases(kind, facts, at=at), user)
        if cover in (Cover.MISSING, Cover.OUTSIDE, Cover.EXPIRED, Cover.PROHIBITED)
        else "",
        "may_submit": cover in (Cover.MISSING, Cover.OUTSIDE, Cover.EXPIRED, Cover.NOT_NEEDED),
        "frozen": [b.spec.name() for b in kind.binds if b.spec.readable_by(user)],
    }


# --- while it runs ---


@access("signed-in")
@require_POST
def approval_recall(request: HttpRequest, pk: int) -> HttpResponse:
    """撤回: by whoever submitted it, before the last decision."""
    return _run(request, pk, "recall")


@access("signed-in")
@require_POST
def approval_nudge(request: HttpRequest, pk: int) -> HttpResponse:
    """催办: remind those who are asked."""
    return _run(request, pk, "nudge")


def _run(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    user: Any = request.user
    row = find_request(user, min(pk, MAX_ID))
    how: dict[str, Any] = {"by": user, "at": timezone.now(), "channel": Channel.UI}
    if act == "recall":
        comment = clean_text(
            request.POST.get("comment", ""), limit=MAX_WORDS, multiline=True, field="comment"
        )
        approving.recall(
            row.pk, comment=comment, version=number_in(request.POST.get("version")) or None, **how
        )
        messages.info(request, _("Withdrawn"))
    else:
        nudge(row.pk, **how)
        messages.info(request, _("They are reminded"))
    return redirect(room_of(row.journey.subject_type).url(row.journey.subject_id))
