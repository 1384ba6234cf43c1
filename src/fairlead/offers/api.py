"""Contracts and the steps that follow a signature."""

from dataclasses import asdict
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Status

from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.common.rest import MOST, Cut, IfMatch, PathId, cut, etag, listed, sort_named, version_in
from fairlead.common.text import clean_text
from fairlead.crm.models import Opportunity
from fairlead.crm.services.values import value_of
from fairlead.fields.catalogue import catalogue
from fairlead.fields.lists import filtered, readable, sorts_of
from fairlead.fields.schemas import record_out, values_in
from fairlead.journal.enums import Channel
from fairlead.process.answers import journey_out

from . import services
from .models import Contract, Milestone
from .schemas import (
    ContractChange,
    ContractIn,
    ContractOut,
    DoneIn,
    MilestoneIn,
    MilestoneOut,
    SharedFiguresListOut,
    milestone_out,
)
from .shared_figures import all_met, shared_of
from .shared_reading import MASK, signed_of

router = Router(tags=["offers"])
#: They take no If-Match, and yet somebody else may have been first.
STALE_WITHOUT_VERSION: Final = {"responses": {412: {"$ref": "#/components/responses/Stale"}}}


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.API}


def _rows(user: Any) -> Any:
    return Contract.objects.visible_to(user).select_related("journey__stage").prefetch_related("milestones")


def _find(user: Any, pk: int) -> Contract:
    row: Contract | None = _rows(user).filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row


def _out(row: Contract, user: Any) -> dict[str, Any]:
    return record_out(row, catalogue("contract"), user, value_of) | {
        "journey": journey_out(row.journey) if row.journey is not None else None,
        "milestones": [milestone_out(m) for m in row.milestones.all()],
    }


@router.get("/contracts", response=Cut[ContractOut], operation_id="contracts_list", exclude_unset=True)
@access("contract.view", api=True)
def contracts(
    request: HttpRequest, filter: str = "", sort: Annotated[str, Query(max_length=60)] = "number", cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> dict[str, Any]:  # fmt: skip
    """Contracts that one sees, by a condition over their fields."""
    fields = readable("contract", request.user)
    rows = filtered(_rows(request.user), filter, fields, at=timezone.now())
    found, following = cut(rows, sort_named(sort, sorts_of(fields, id="pk")), cursor, limit)
    return listed([_out(row, request.user) for row in found], following)


@router.get("/contracts/{id:pk}", response=ContractOut, operation_id="contracts_get", exclude_unset=True)
@access("contract.view", api=True)
def contract(request: HttpRequest, response: HttpResponse, pk: PathId) -> dict[str, Any]:
    row = _find(request.user, pk)
    etag(response, row.version)
    return _out(row, request.user)


@router.post("/contracts", response={201: ContractOut}, operation_id="contracts_create", exclude_unset=True)
@access("contract.edit", api=True)
def create(request: HttpRequest, response: HttpResponse, payload: ContractIn) -> Status[dict[str, Any]]:
    """File the contract of an opportunity. Countersigned, it is what the signing gate waits for."""
    given = payload.model_dump(exclude={"opportunity"})
    row = services.create_contract(payload.opportunity, **given, **_how(request))
    etag(response, row.version)
    return Status(201, _out(Contract.objects.select_related("journey__stage").get(pk=row.pk), request.user))


@router.patch("/contracts/{id:pk}", response=ContractOut, operation_id="contracts_edit", exclude_unset=True)
@access("contract.edit", api=True)
def edit(
    request: HttpRequest,
    response: HttpResponse,
    pk: PathId,
    payload: ContractChange,
    if_match: IfMatch = None,
) -> dict[str, Any]:
    """Change number, dates, amount or custom fields."""
    version = version_in(if_match)
    values = values_in(payload, catalogue("contract"))
    row = services.edit_contract(pk, values, version=version, **_how(request))
    etag(response, row.version)
    return _out(Contract.objects.select_related("journey__stage").get(pk=row.pk), request.user)


@router.get(
    "/opportunities/{id:pk}/shared-figures", response=SharedFiguresListOut, operation_id="shared_figures_of"
)
@access("contract.view", api=True)
def shared_figures(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """What AR, SR and FR of a deal answer for together, contract by contract: satisfaction, profit, collection (IT-6)."""
    if not Opportunity.objects.visible_to(request.user).filter(pk=pk).exists():
        raise NotFound
    rows = list(_rows(request.user).filter(opportunity=pk).select_related("opportunity").order_by("pk"))
    today = timezone.localdate()
    with_profit = request.user.may(MASK)  # type: ignore[union-attr]
    items = []
    for row, signed in zip(rows, signed_of(rows), strict=True):
        figures = shared_of(signed, today=today, with_profit=with_profit)
        items.append(
            {
                "contract": row.pk,
                "number": row.number,
                "currency": row.currency,
                "figures": [asdict(one) for one in figures],
                "all_met": all_met(figures),
            }
        )
    return {"items": items}


@router.post("/contracts/{id:pk}/milestones", response={201: MilestoneOut}, operation_id="milestones_add")
@access("contract.edit", api=True)
def add_milestone(request: HttpRequest, pk: PathId, payload: MilestoneIn) -> Status[dict[str, Any]]:
    name = clean_text(payload.name, limit=100, field="name")
    row = services.add_milestone(
        pk, kind=payload.kind, name=name, due_date=payload.due_date, amount=payload.amount, **_how(request))  # fmt: skip
    return Status(201, milestone_out(row))


@router.post("/milestones/{id:pk}/complete", response=MilestoneOut, operation_id="milestones_complete")
@access("contract.edit", api=True)
def complete(request: HttpRequest, pk: PathId, payload: DoneIn) -> dict[str, Any]:
    """Done on a day, today or before: handed over, accepted, paid."""
    _seen_milestone(request, pk)
    return milestone_out(services.complete_milestone(pk, on=payload.on, **_how(request)))


@router.post(
    "/milestones/{id:pk}/reopen",
    response=MilestoneOut,
    operation_id="milestones_reopen",
    openapi_extra=STALE_WITHOUT_VERSION,
)
@access("contract.edit", api=True)
def reopen(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """It was not reached after all. 412 where it is open already."""
    _seen_milestone(request, pk)
    return milestone_out(services.reopen_milestone(pk, **_how(request)))


@router.delete(
    "/milestones/{id:pk}",
    response={204: None},
    operation_id="milestones_remove",
    openapi_extra=STALE_WITHOUT_VERSION,
)
@access("contract.edit", api=True)
def remove(request: HttpRequest, pk: PathId) -> Status[None]:
    """One that was added by mistake. 412 where it was reached: reopen it first."""
    _seen_milestone(request, pk)
    services.remove_milestone(pk, **_how(request))
    return Status(204, None)


def _seen_milestone(request: HttpRequest, pk: int) -> None:
    if not Milestone.objects.filter(pk=pk, contract__in=Contract.objects.visible_to(request.user)).exists():
        raise NotFound
