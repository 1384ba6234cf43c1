"""The acts of a deal team: the split, a no and its settling, hand-overs, questions to a role (§2.8, SL-4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST

from fairlead.common.access import access
from fairlead.common.refusals import Invalid, NotFound, Refusal
from fairlead.common.returned import Returned
from fairlead.process import services as process
from fairlead.process.models import Veto
from fairlead.process.refusals import VetoRefused

from .. import services
from ..forms.records import version_of
from ..models import HandOver, RoleQuestion
from ..refusals import NotYours
from .editing import act, find
from .opportunity import opportunity_page
from .shared import MAX_ID, clean_int, go

TAB = "team"
REFUSALS = (Invalid, NotYours, VetoRefused)


def _do(
    request: HttpRequest, pk: int, form: str, done: str, verb: Callable[[], Any], at: str
) -> HttpResponse:
    """Act, then show the tab; what was refused stands where it was typed."""
    try:
        verb()
    except REFUSALS as refusal:
        return _returned(request, pk, form, refusal)
    return go(request, f"{reverse('crm:opportunity', args=[pk])}?tab={TAB}#{at}", done)


def _returned(request: HttpRequest, pk: int, form: str, refusal: Refusal) -> HttpResponse:
    return opportunity_page(request, pk, TAB, returned=Returned.of(form, request.POST, refusal))


@access("opportunity.edit")
@require_POST
def split(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree how the bonus is shared."""
    find("opportunity", pk, request.user)
    ar, sr, fr = (clean_int(request.POST.get(name), -1, 1000, -1) for name in ("ar", "sr", "fr"))
    return _do(
        request,
        pk,
        "split",
        _("Agreed"),
        lambda: services.agree_split(pk, ar=ar, sr=sr, fr=fr, **act(request)),
        "split",
    )


@access("veto.raise")
@require_POST
def veto(request: HttpRequest, pk: int) -> HttpResponse:
    """Say no, and what would do instead."""
    row = find("opportunity", pk, request.user)
    data = request.POST
    return _do(
        request,
        pk,
        "veto",
        _("Noted: nothing moves ahead until this is settled."),
        lambda: process.raise_veto(
            row.journey_id,
            domain=data.get("domain", ""),
            clause=data.get("clause", ""),
            alternative=data.get("alternative", ""),
            **act(request),
        ),
        "vetoes",
    )


def _veto(request: HttpRequest, pk: int, veto_id: int) -> dict[str, Any]:
    row = find("opportunity", pk, request.user)
    if not Veto.objects.filter(pk=min(veto_id, MAX_ID), journey=row.journey_id).exists():
        raise NotFound
    return {"version": version_of(request.POST), **act(request)}


@access("veto.raise")
@require_POST
def withdraw_veto(request: HttpRequest, pk: int, veto_id: int) -> HttpResponse:
    how = _veto(request, pk, veto_id)
    return _do(
        request,
        pk,
        f"veto-{veto_id}",
        _("Taken back"),
        lambda: process.withdraw_veto(veto_id, **how),
        "vetoes",
    )


@access("opportunity.edit")
@require_POST
def accept_alternative(request: HttpRequest, pk: int, veto_id: int) -> HttpResponse:
    how = _veto(request, pk, veto_id)
    return _do(
        request,
        pk,
        f"veto-{veto_id}",
        _("Accepted"),
        lambda: process.accept_alternative(veto_id, **how),
        "vetoes",
    )


@access("veto.overrule")
@require_POST
def overrule(request: HttpRequest, pk: int, veto_id: int) -> HttpResponse:
    how = _veto(request, pk, veto_id)
    reason = request.POST.get("reason", "")
    return _do(
        request,
        pk,
        f"veto-{veto_id}",
        _("Overruled"),
        lambda: process.overrule_veto(veto_id, reason=reason, **how),
        "vetoes",
    )


@access("opportunity.edit")
@require_POST
def offer(request: HttpRequest, pk: int) -> HttpResponse:
    """Offer a hand-over with its package."""
    find("opportunity", pk, request.user)
    data = request.POST
    package = data.get("package", "")
    return _do(
        request,
        pk,
        f"offer-{package}",
        _("Offered"),
        lambda: services.offer_hand_over(
            pk, package=package, there=data.getlist("there"), note=data.get("note", ""), **act(request)
        ),
        "hand-overs",
    )


@access("opportunity.edit")
@require_POST
def answer_hand_over(request: HttpRequest, pk: int, handover_id: int) -> HttpResponse:
    """`act`: accept, return or withdraw."""
    find("opportunity", pk, request.user)
    if not HandOver.objects.filter(pk=min(handover_id, MAX_ID), opportunity=pk).exists():
        raise NotFound
    data, how = request.POST, {"version": version_of(request.POST), **act(request)}
    wanted, form = data.get("act", ""), f"handover-{handover_id}"
    if wanted == "accept":
        return _do(
            request,
            pk,
            form,
            _("Accepted"),
            lambda: services.accept_hand_over(handover_id, **how),
            "hand-overs",
        )
    if wanted == "withdraw":
        return _do(
            request, pk, form, _("Taken back"), lambda: services.withdraw_hand_over(handover_id, **how), "hand-overs"
        )  # fmt: skip
    return _do(
        request,
        pk,
        form,
        pgettext("a hand-over", "Returned"),
        lambda: services.return_hand_over(
            handover_id, reason_code=data.get("reason_code", ""), reason=data.get("reason", ""), **how
        ),
        "hand-overs",
    )


@access("opportunity.edit")
@require_POST
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask whoever fills a slot."""
    find("opportunity", pk, request.user)
    data = request.POST
    return _do(
        request,
        pk,
        "ask",
        _("Asked"),
        lambda: services.ask_role(
            pk,
            role=data.get("role", ""),
            question=data.get("question", ""),
            days=clean_int(data.get("days") or 3, 0, 1000, 0),
            **act(request),
        ),
        "questions",
    )


@access("opportunity.edit")
@require_POST
def answer_question(request: HttpRequest, pk: int, question_id: int) -> HttpResponse:
    """`act` withdraw takes it back; without it the answer."""
    find("opportunity", pk, request.user)
    if not RoleQuestion.objects.filter(pk=min(question_id, MAX_ID), opportunity=pk).exists():
        raise NotFound
    data, how = request.POST, {"version": version_of(request.POST), **act(request)}
    form = f"question-{question_id}"
    if data.get("act") == "withdraw":
        return _do(
            request, pk, form, _("Taken back"), lambda: services.withdraw_question(question_id, **how), "questions"
        )  # fmt: skip
    return _do(
        request,
        pk,
        form,
        _("Answered"),
        lambda: services.answer_role(question_id, answer=data.get("answer", ""), **how),
        "questions",
    )
