"""Approvals for machines: preview, submit, decide, recall, return, hand on; delegations (§2.4)."""

from typing import Annotated, Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Status

from fairlead.common.access import access
from fairlead.common.refusals import Invalid
from fairlead.common.rest import PathId
from fairlead.journal.enums import Channel
from fairlead.organisation.models import User

from .answers import find_journey
from .approval_answers import (
    delegation_out,
    find_request,
    preview_out,
    question_out,
    request_out,
    requests_out,
)
from .models import ApprovalCondition, ApprovalQuestion, ApprovalRequest, Delegation
from .schemas_approvals import (
    About,
    AddIn,
    ApprovalAnswerIn,
    ApprovalDecisionIn,
    ApprovalOut,
    ApprovalQuestionIn,
    ApprovalQuestionOut,
    CopyIn,
    DelegationIn,
    DelegationOut,
    DelegationsOut,
    KeyText,
    MeetIn,
    PreviewOut,
    RecallIn,
    RequestsOut,
    ReturnIn,
    SubmitIn,
    TransferIn,
)
from .services import approval_asking, approval_handing, approving, conditions, delegating

router = Router(tags=["approvals"])
#: Refusals that no shape tells: a version in the body may be an older one, and a preview may not be possible.
STALE: dict[str, Any] = {"responses": {412: {"$ref": "#/components/responses/Stale"}}}
REFUSED: dict[str, Any] = {"responses": {422: {"$ref": "#/components/responses/Refused"}}}
SecondReader = Annotated[int | None, Query(ge=1, le=10**15 - 1)]


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.API}


def _out(request: HttpRequest, row: ApprovalRequest) -> dict[str, Any]:
    return request_out(row, reader=request.user)


@router.get("/journeys/{id:pk}/approvals", response=RequestsOut, operation_id="approvals_list")
@access("process.view", api=True)
def of_journey(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """The requests of a journey with their steps and votes, the newest first, at most 200."""
    journey = find_journey(request.user, pk)
    rows = ApprovalRequest.objects.filter(journey=journey).select_related("journey")[:200]
    return {"items": requests_out(list(rows), reader=request.user)}


@router.get(
    "/journeys/{id:pk}/approvals/preview",
    response=PreviewOut,
    operation_id="approvals_preview",
    openapi_extra=REFUSED,
)
@access("process.view", api=True)
def preview(
    request: HttpRequest, pk: PathId, kind: KeyText, about: About = "", second_reader: SecondReader = None
) -> dict[str, Any]:
    """Whom a request would meet with the values of now, and why. Changes nothing."""
    journey = find_journey(request.user, pk)
    found = approval_asking.preview(
        journey,
        kind_key=kind,
        about=about,
        second_reader_id=second_reader,
        by=request.user,
        at=timezone.now(),
    )
    return preview_out(found, subject_type=journey.subject_type, reader=request.user)


@router.post("/journeys/{id:pk}/approvals", response={201: ApprovalOut}, operation_id="approvals_submit")
@access("signed-in", api=True)
def submit(request: HttpRequest, pk: PathId, payload: SubmitIn) -> Status[dict[str, Any]]:
    """Submit for approval. 422 `approval-incomplete`, `approval-prohibited`, `approval-stands`, `approval-nobody`."""
    find_journey(request.user, pk)
    row = approving.submit(
        pk,
        kind=payload.kind,
        text=payload.text,
        package=payload.package,
        about=payload.about,
        second_reader_id=payload.second_reader,
        copies=payload.copies,
        **_how(request),
    )
    return Status(201, _out(request, row))


@router.get("/approvals/{id:pk}", response=ApprovalOut, operation_id="approvals_get")
@access("process.view", api=True)
def one(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    return _out(request, find_request(request.user, pk))


@router.post(
    "/approvals/{id:pk}/decide", response=ApprovalOut, operation_id="approvals_decide", openapi_extra=STALE
)
@access("approval.decide", api=True)
def decide(request: HttpRequest, pk: PathId, payload: ApprovalDecisionIn) -> dict[str, Any]:
    """Approve, on conditions or without, or reject. 409 `approval-decided` where it was decided before."""
    find_request(request.user, pk)
    row = approving.decide(
        pk,
        approves=payload.decision == "approve",
        comment=payload.comment,
        conditions=[c.model_dump() for c in payload.conditions],
        version=payload.version,
        **_how(request),
    )
    return _out(request, row)


@router.post(
    "/approvals/{id:pk}/recall", response=ApprovalOut, operation_id="approvals_recall", openapi_extra=STALE
)
@access("signed-in", api=True)
def recall(request: HttpRequest, pk: PathId, payload: RecallIn) -> dict[str, Any]:
    """Withdraw a request before the last decision; by whoever submitted it."""
    find_request(request.user, pk)
    row = approving.recall(pk, comment=payload.comment, version=payload.version, **_how(request))
    return _out(request, row)


@router.post(
    "/approvals/{id:pk}/return", response=ApprovalOut, operation_id="approvals_return", openapi_extra=STALE
)
@access("approval.decide", api=True)
def give_back(request: HttpRequest, pk: PathId, payload: ReturnIn) -> dict[str, Any]:
    """Return it to whoever submitted it, to the step before, or to a step by its key."""
    find_request(request.user, pk)
    row = approving.give_back(
        pk, to=payload.to, comment=payload.comment, version=payload.version, **_how(request)
    )
    return _out(request, row)


@router.post(
    "/approvals/{id:pk}/transfer",
    response=ApprovalOut,
    operation_id="approvals_transfer",
    openapi_extra=STALE,
)
@access("approval.decide", api=True)
def transfer(request: HttpRequest, pk: PathId, payload: TransferIn) -> dict[str, Any]:
    """Hand one's seat to another person."""
    find_request(request.user, pk)
    row = approval_handing.transfer(
        pk, to=payload.to, comment=payload.comment, version=payload.version, **_how(request)
    )
    return _out(request, row)


@router.post(
    "/approvals/{id:pk}/approvers",
    response=ApprovalOut,
    operation_id="approvals_add_approver",
    openapi_extra=STALE,
)
@access("approval.decide", api=True)
def add_approver(request: HttpRequest, pk: PathId, payload: AddIn) -> dict[str, Any]:
    """Ask one more person, before, after or beside one's own step."""
    find_request(request.user, pk)
    row = approval_handing.add_approver(
        pk,
        person=payload.person,
        place=payload.place,
        comment=payload.comment,
        version=payload.version,
        **_how(request),
    )
    return _out(request, row)


@router.post("/approvals/{id:pk}/copies", response=ApprovalOut, operation_id="approvals_copy")
@access("comment.add", api=True)
def copy_to(request: HttpRequest, pk: PathId, payload: CopyIn) -> dict[str, Any]:
    """Tell people of it, without a vote."""
    find_request(request.user, pk)
    return _out(request, approval_handing.copy_to(pk, people=payload.people, **_how(request)))


@router.post(
    "/approvals/{id:pk}/questions", response={201: ApprovalQuestionOut}, operation_id="approvals_ask"
)
@access("comment.add", api=True)
def ask(request: HttpRequest, pk: PathId, payload: ApprovalQuestionIn) -> Status[dict[str, Any]]:
    """Ask somebody about it; by those who take part."""
    find_request(request.user, pk)
    row = approval_handing.ask_question(pk, to=payload.to, text=payload.text, **_how(request))
    return Status(201, question_out(row))


@router.post(
    "/approval-questions/{id:pk}/answer",
    response=ApprovalQuestionOut,
    operation_id="approval_questions_answer",
)
@access("comment.add", api=True)
def answer(request: HttpRequest, pk: PathId, payload: ApprovalAnswerIn) -> dict[str, Any]:
    approval_handing.answer_question(pk, text=payload.text, **_how(request))
    return question_out(ApprovalQuestion.objects.get(pk=pk))


@router.post(
    "/approval-conditions/{id:pk}/meet", response=ApprovalOut, operation_id="approval_conditions_meet"
)
@access("approval.decide", api=True)
def meet(request: HttpRequest, pk: PathId, payload: MeetIn) -> dict[str, Any]:
    """Say that a condition is fulfilled which no fact and no document shows."""
    conditions.meet(pk, comment=payload.comment, **_how(request))
    row = ApprovalCondition.objects.select_related("request__journey").get(pk=pk)
    return _out(request, row.request)


@router.get("/delegations", response=DelegationsOut, operation_id="delegations_list")
@access("process.view", api=True)
def delegations(request: HttpRequest) -> dict[str, Any]:
    """Who stands in for whom: one's own, or everybody's with the right to make them; the newest 200."""
    user: Any = request.user
    rows = Delegation.objects.order_by("-from_date", "-pk")
    if not user.may(delegating.FOR_OTHERS):
        rows = rows.filter(Q(delegator=user) | Q(delegate=user))
    return {"items": [delegation_out(row) for row in rows[:200]]}


@router.post("/delegations", response={201: DelegationOut}, operation_id="delegations_create")
@access("approval.decide", api=True)
def delegate(request: HttpRequest, payload: DelegationIn) -> Status[dict[str, Any]]:
    """Let somebody stand in from day to day. 422 `delegation-circle` where it would lead back."""
    user: Any = request.user
    delegator = user
    if payload.delegator is not None and payload.delegator != user.pk:
        delegator = User.objects.filter(pk=payload.delegator).first()
        if delegator is None:
            raise Invalid.field("delegator", "")
    row = delegating.delegate(
        delegator=delegator,
        delegate_to=payload.delegate,
        from_date=payload.from_date,
        to_date=payload.to_date,
        kinds=payload.kinds,
        amount_cap=payload.amount_cap,
        reason=payload.reason,
        **_how(request),
    )
    return Status(201, delegation_out(row))


@router.post("/delegations/{id:pk}/revoke", response=DelegationOut, operation_id="delegations_revoke")
@access("approval.decide", api=True)
def revoke(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    return delegation_out(delegating.revoke_delegation(pk, **_how(request)))
