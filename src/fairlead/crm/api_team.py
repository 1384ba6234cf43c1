"""The deal team at work, for machines: the split, vetoes, hand-overs, questions to a role (§2.8, SL-4)."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.common.rest import IfMatch, PathId, etag, version_in
from fairlead.process import services as process
from fairlead.process.models import Veto

from . import services
from .api_methods import _deal, _how
from .models import BonusSplit, HandOver, RoleQuestion
from .schemas_team import (
    HandOverIn,
    HandOverOut,
    HandOversOut,
    QuestionsOut,
    ReplyIn,
    RoleAnswerIn,
    RoleQuestionIn,
    RoleQuestionOut,
    SplitIn,
    SplitOut,
    VetoesOut,
    VetoIn,
    VetoOut,
    VetoSettleIn,
    hand_over_out,
    question_out,
    split_out,
    veto_out,
)
from .services.deal_team import USUAL_SPLIT

router = Router(tags=["crm"])


# --- the split ---


@router.get("/opportunities/{id:pk}/bonus-split", response=SplitOut, operation_id="bonus_split_get")
@access("opportunity.view", api=True)
def get_split(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """How the bonus is shared between the roles; until it is agreed, what is usual."""
    row = BonusSplit.objects.filter(opportunity=_deal(request, pk), ended_at=None).first()
    return split_out(row, USUAL_SPLIT)


@router.put("/opportunities/{id:pk}/bonus-split", response=SplitOut, operation_id="bonus_split_agree")
@access("opportunity.edit", api=True)
def agree_split(request: HttpRequest, pk: PathId, payload: SplitIn) -> dict[str, Any]:
    """Agree on shares that make 100. What was agreed before stays on record."""
    _deal(request, pk)
    return split_out(services.agree_split(pk, **payload.model_dump(), **_how(request)), USUAL_SPLIT)


# --- vetoes ---


@router.get("/opportunities/{id:pk}/vetoes", response=VetoesOut, operation_id="vetoes_list")
@access("opportunity.view", api=True)
def vetoes(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """What somebody said no to in their own field, the newest first; open ones stop every move ahead."""
    rows = Veto.objects.filter(journey=_deal(request, pk).journey).order_by("-at", "-pk")
    return {"items": [veto_out(row) for row in rows]}


@router.post("/opportunities/{id:pk}/vetoes", response={201: VetoOut}, operation_id="vetoes_raise")
@access("veto.raise", api=True)
def raise_veto(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: VetoIn
) -> Status[dict[str, Any]]:
    """Say no to a clause, with what would do instead; `invalid` without an alternative."""
    journey = _deal(request, pk).journey_id
    assert journey is not None
    row = process.raise_veto(journey, **payload.model_dump(), **_how(request))
    etag(response, row.version)
    return Status(201, veto_out(row))


@router.post("/vetoes/{id:pk}/settle", response=VetoOut, operation_id="vetoes_settle")
@access("opportunity.view", api=True)
def settle_veto(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: VetoSettleIn, if_match: IfMatch = None
) -> dict[str, Any]:
    """Take one's own back, accept the alternative, or overrule it with a reason: each asks for a right of its own."""
    row = Veto.objects.select_related("journey").filter(pk=pk).first()
    if row is None or row.journey.subject_type != "opportunity":
        raise NotFound
    _deal(request, row.journey.subject_id)
    how = {"version": version_in(if_match), **_how(request)}
    if payload.how == "overruled":
        row = process.overrule_veto(pk, reason=payload.reason, **how)
    else:
        settle = process.withdraw_veto if payload.how == "withdrawn" else process.accept_alternative
        row = settle(pk, **how)
    etag(response, row.version)
    return veto_out(row)


# --- hand-overs ---


@router.get("/opportunities/{id:pk}/hand-overs", response=HandOversOut, operation_id="hand_overs_list")
@access("opportunity.view", api=True)
def hand_overs(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """Every attempt to hand work from role to role, the newest first."""
    rows = HandOver.objects.filter(opportunity=_deal(request, pk)).order_by("-offered_at", "-pk")
    return {"items": [hand_over_out(row) for row in rows]}


@router.post(
    "/opportunities/{id:pk}/hand-overs", response={201: HandOverOut}, operation_id="hand_overs_offer"
)
@access("opportunity.edit", api=True)
def offer(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: HandOverIn
) -> Status[dict[str, Any]]:
    """Offer a package to whoever holds the other role; every required item has to be there."""
    _deal(request, pk)
    row = services.offer_hand_over(pk, **payload.model_dump(), **_how(request))
    etag(response, row.version)
    return Status(201, hand_over_out(row))


@router.post("/hand-overs/{id:pk}/answer", response=HandOverOut, operation_id="hand_overs_answer")
@access("opportunity.edit", api=True)
def answer_hand_over(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: RoleAnswerIn, if_match: IfMatch = None
) -> dict[str, Any]:
    """Accept it, or return it with a reason; whoever holds the taking role answers."""
    how = {"version": version_in(if_match), **_how(request)}
    if payload.accept:
        row = services.accept_hand_over(pk, **how)
    else:
        row = services.return_hand_over(pk, reason_code=payload.reason_code, reason=payload.reason, **how)
    etag(response, row.version)
    return hand_over_out(row)


@router.delete("/hand-overs/{id:pk}", response={204: None}, operation_id="hand_overs_withdraw")
@access("opportunity.edit", api=True)
def withdraw(request: HttpRequest, pk: PathId, if_match: IfMatch = None) -> Status[None]:
    """Take back what is not answered yet; it counts as no attempt."""
    services.withdraw_hand_over(pk, version=version_in(if_match), **_how(request))
    return Status(204, None)


# --- questions to a role ---


@router.get(
    "/opportunities/{id:pk}/role-questions", response=QuestionsOut, operation_id="role_questions_list"
)
@access("opportunity.view", api=True)
def questions(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """Questions to AR, SR and FR with the instant by which an answer is owed, the newest first."""
    rows = RoleQuestion.objects.filter(opportunity=_deal(request, pk)).order_by("-asked_at", "-pk")
    return {"items": [question_out(row) for row in rows]}


@router.post(
    "/opportunities/{id:pk}/role-questions",
    response={201: RoleQuestionOut},
    operation_id="role_questions_ask",
)
@access("opportunity.edit", api=True)
def ask(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: RoleQuestionIn
) -> Status[dict[str, Any]]:
    """Ask whoever fills a slot; `days` are working days."""
    _deal(request, pk)
    row = services.ask_role(pk, **payload.model_dump(), **_how(request))
    etag(response, row.version)
    return Status(201, question_out(row))


@router.post("/role-questions/{id:pk}/answer", response=RoleQuestionOut, operation_id="role_questions_answer")
@access("opportunity.edit", api=True)
def answer_question(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: ReplyIn, if_match: IfMatch = None
) -> dict[str, Any]:
    """Answer as whoever fills the slot now."""
    row = services.answer_role(pk, answer=payload.answer, version=version_in(if_match), **_how(request))
    etag(response, row.version)
    return question_out(row)


@router.delete("/role-questions/{id:pk}", response={204: None}, operation_id="role_questions_withdraw")
@access("opportunity.edit", api=True)
def withdraw_question(request: HttpRequest, pk: PathId, if_match: IfMatch = None) -> Status[None]:
    services.withdraw_question(pk, version=version_in(if_match), **_how(request))
    return Status(204, None)
