"""Mending an item of a gate where it is seen: thin doors to the services; afterwards the panel shows itself anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from fairlead.common.access import access
from fairlead.common.pages import trigger
from fairlead.common.refusals import Invalid, NotFound, Refusal, Stale
from fairlead.common.text import clean_text
from fairlead.fields.catalogue import catalogue, pick
from fairlead.journal.enums import Channel
from fairlead.process.refusals import ApprovalRefused, AttestationRefused, WaiverRefused
from fairlead.process.selectors.approvals import condition_behind
from fairlead.process.services import attest as give_word
from fairlead.process.services import conditions, grant_waiver
from fairlead.process.services.metering import measure
from fairlead.work import services as work
from fairlead.work.services.files import MAX_BYTES

from .. import services
from ..forms.mends import PREFIX, day_of, end_of, field_changes, happened_at, ids, number
from ..models import Opportunity
from ..selectors.panel import look
from .moves import panel_page
from .shared import find_deal, go, is_piece, way_back

Act = Callable[[HttpRequest, Opportunity, dict[str, Any]], str]
PANELS = ("panel", "gate-panel")


def _mend(request: HttpRequest, pk: int, act: Act) -> HttpResponse:
    """Do `act`, then show the panel again; a refusal keeps what was typed and says what is wrong."""
    deal = find_deal(request, pk)
    at = timezone.now()
    how = {"by": request.user, "at": at, "channel": Channel.UI}
    kind, to = str(request.POST.get("kind") or ""), str(request.POST.get("to") or "")
    try:
        with transaction.atomic():  # a contact named along with an activity stays only if both are written
            text = act(request, deal, how)
    except (Invalid, Stale, WaiverRefused, AttestationRefused, ApprovalRefused) as refusal:
        gate = look(find_deal(request, pk), request.user, at, kind=kind, to=to)
        return panel_page(
            request,
            gate,
            status=refusal.status,
            errors=_errors(request, refusal),
            message="" if isinstance(refusal, Invalid) and _has_field(request, refusal) else _said(refusal),
        )
    panel = f"{reverse('crm:panel', args=[pk])}?kind={kind}&to={to}"
    if not is_piece(request):
        return go(request, way_back(request, panel), text)
    if request.headers.get("HX-Target", "") not in PANELS:
        return go(request, way_back(request, panel), text)
    gate = look(find_deal(request, pk), request.user, timezone.now(), kind=kind, to=to)
    response = panel_page(request, gate)
    return trigger(trigger(response, "fl:changed", {"deal": pk}), "say", {"text": text})


def _said(refusal: Refusal) -> str:
    errors = refusal.details.get("errors") or []
    if isinstance(refusal, Invalid) and errors:
        return " ".join(e["message"] for e in errors)
    return str(refusal.message)


def _has_field(request: HttpRequest, refusal: Invalid) -> bool:
    """Whether every message has an input of this form to stand under."""
    names = {name.removeprefix(PREFIX) for name in request.POST}
    return all(e["field"] in names for e in refusal.details.get("errors", ())) and bool(
        refusal.details.get("errors")
    )


def _errors(request: HttpRequest, refusal: Refusal) -> dict[str, Any]:
    found: dict[str, Any] = {
        "criterion": str(request.POST.get("criterion") or ""),
        "typed": {name: request.POST.get(name) for name in request.POST},
        "lists": {name: request.POST.getlist(name) for name in request.POST},
        "fields": {e["field"]: e["message"] for e in refusal.details.get("errors", ())},
        "theirs": {},
    }
    if isinstance(refusal, Stale):
        fields = catalogue("opportunity")
        for conflict in refusal.details.get("conflicts", ()):
            spec = fields.get(conflict["field"])
            value = conflict["theirs"]
            option = spec.option(str(value)) if spec and value is not None else None
            shown = pick(option.label) if option else value
            found["theirs"][conflict["field"]] = "—" if shown is None else str(shown)
    return found


def _version(request: HttpRequest) -> int:
    return number(request.POST, "deal_version", -1)


@access("opportunity.edit")
@require_POST
def mend(request: HttpRequest, pk: int) -> HttpResponse:
    """Fill in fields of the deal."""

    def act(request: HttpRequest, deal: Opportunity, how: dict[str, Any]) -> str:
        services.edit(
            "opportunity",
            deal.pk,
            field_changes(request.POST, request.user),
            version=_version(request),
            **how,
        )
        measure("opportunity", request.POST.get("_spent", ""))
        return _("Saved")

    return _mend(request, pk, act)


@access("opportunity.edit")
@require_POST
def mend_activity(request: HttpRequest, pk: int) -> HttpResponse:
    """Log a contact with the customer; somebody not yet on file can be named with the department."""

    def act(request: HttpRequest, deal: Opportunity, how: dict[str, Any]) -> str:
        post = request.POST
        contacts = ids(post.getlist("contacts"))
        done_at = happened_at(post, "done_on", how["at"])
        if str(post.get("new_name") or "").strip():
            contacts.append(_new_contact(request, deal, how).pk)
        work.log_activity(
            "opportunity",
            deal.pk,
            kind=str(post.get("activity_kind") or ""),
            summary=str(post.get("summary") or ""),
            outcome=str(post.get("outcome") or ""),
            done_at=done_at,
            contact_ids=contacts,
            **how,
        )
        return _("Logged")

    return _mend(request, pk, act)


def _new_contact(request: HttpRequest, deal: Opportunity, how: dict[str, Any]) -> Any:
    if deal.account_id is None:
        raise Invalid(errors=[{"field": "new_name", "message": _("Name the account of the deal first.")}])
    values = {
        "name": request.POST.get("new_name"),
        "department": request.POST.get("new_department"),
        "account": deal.account_id,
    }
    try:
        return services.create("contact", values, **how)
    except Invalid as error:
        listed = [{"field": "new_name", "message": e["message"]} for e in error.details["errors"]]
        raise Invalid(errors=listed) from error


@access("opportunity.edit")
@require_POST
def mend_file(request: HttpRequest, pk: int) -> HttpResponse:
    """File a document: the file itself, or where it is filed."""

    def act(request: HttpRequest, deal: Opportunity, how: dict[str, Any]) -> str:
        upload = request.FILES.get("content")
        if upload is not None and upload.size is not None and upload.size > MAX_BYTES:
            raise Invalid(
                errors=[
                    {
                        "field": "content",
                        "message": _("At most %(limit)s MB.") % {"limit": MAX_BYTES // 2**20},
                    }
                ]
            )
        reference = str(request.POST.get("reference") or "")
        name = (
            str(request.POST.get("name") or "").strip() or (upload.name if upload else "") or reference[:255]
        )
        work.add_file(
            "opportunity",
            deal.pk,
            kind=str(request.POST.get("document_kind") or ""),
            name=name or "",
            content=upload.read() if upload is not None else None,
            media_type=(upload.content_type or "") if upload is not None else "",
            reference=reference,
            by_customer=bool(request.POST.get("by_customer")),
            signed=bool(request.POST.get("signed")),
            valid_until=day_of(request.POST, "valid_until"),
            **how,
        )
        return _("Filed")

    return _mend(request, pk, act)


@access("opportunity.edit")
@require_POST
def mend_relation(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a contact of the account a part in the deal; a new one is put on file first."""

    def act(request: HttpRequest, deal: Opportunity, how: dict[str, Any]) -> str:
        post = request.POST
        chosen = ids([str(post.get("contact") or "")])
        if not chosen and str(post.get("new_name") or "").strip():
            chosen = [_new_contact(request, deal, how).pk]
        if not chosen:
            raise Invalid(errors=[{"field": "contact", "message": _("Choose a contact, or name a new one.")}])
        _place(
            deal,
            chosen[0],
            str(post.get("role") or ""),
            number(post, "depth", 1),
            number(post, "stance", 0),
            how,
        )
        return _("Placed in the deal")

    return _mend(request, pk, act)


def _place(
    deal: Opportunity, contact_id: int, role: str, depth: int, stance: int, how: dict[str, Any]
) -> None:
    """A contact that has the role already is judged anew."""
    standing = deal.contact_roles.filter(contact_id=contact_id, role=role[:12], removed_at=None).first()
    if standing is not None:
        services.change_contact_role(
            standing.pk, stance=stance, influence=standing.influence, depth=depth, **how
        )
    else:
        services.add_contact_role(
            deal.pk, contact_id=contact_id, role=role, stance=stance, depth=depth, **how
        )


@access("opportunity.edit")
@require_POST
def mend_task(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a task to a list that a gate counts, tick it, or open it again."""

    def act(request: HttpRequest, deal: Opportunity, how: dict[str, Any]) -> str:
        post = request.POST
        for name, verb in (("done", work.complete_task), ("reopen", work.reopen_task)):
            task, _dot, version = str(post.get(name) or "").partition(".")
            if found := ids([task]):
                verb(found[0], version=number({"v": version}, "v", -1), **how)
                return _("Saved")
        work.add_task(
            "opportunity",
            deal.pk,
            title=str(post.get("title") or ""),
            list_key=str(post.get("list") or ""),
            **how,
        )
        return _("Added")

    return _mend(request, pk, act)


@access("deal.attest")
@require_POST
def attest(request: HttpRequest, pk: int) -> HttpResponse:
    """Give one's word for an item."""

    def act(request: HttpRequest, deal: Opportunity, how: dict[str, Any]) -> str:
        statement = clean_text(
            str(request.POST.get("statement") or ""), limit=2000, multiline=True, field="statement"
        )
        assert deal.journey_id is not None
        give_word(
            deal.journey_id,
            criterion_key=str(request.POST.get("criterion") or "")[:60],
            statement=statement,
            **how,
        )
        return _("Confirmed")

    return _mend(request, pk, act)


@access("approval.decide")
@require_POST
def meet_condition(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that the condition of an approval is fulfilled."""

    def act(request: HttpRequest, deal: Opportunity, how: dict[str, Any]) -> str:
        comment = clean_text(
            str(request.POST.get("comment") or ""), limit=2000, multiline=True, field="comment"
        )
        condition = condition_behind(number(request.POST, "condition", 0))
        if condition is None or condition.journey_id != deal.journey_id:
            raise NotFound
        conditions.meet(condition.pk, comment=comment, **how)
        return _("Fulfilled")

    return _mend(request, pk, act)


@access("waiver.grant")
@require_POST
def waive(request: HttpRequest, pk: int) -> HttpResponse:
    """Let an item pass for a while."""

    def act(request: HttpRequest, deal: Opportunity, how: dict[str, Any]) -> str:
        post = request.POST
        until = day_of(post, "until")
        if until is None:
            raise Invalid(errors=[{"field": "until", "message": _("Say until which day it holds.")}])
        text = clean_text(str(post.get("text") or ""), limit=2000, multiline=True, field="text")
        assert deal.journey_id is not None
        grant_waiver(
            deal.journey_id,
            criterion_key=str(post.get("waived") or "")[:60],
            reason_code=str(post.get("reason") or "")[:60],
            text=text,
            expires_at=end_of(until),
            **how,
        )
        return _("Waived")

    return _mend(request, pk, act)
