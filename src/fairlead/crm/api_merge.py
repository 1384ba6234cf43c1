"""Deals that are one and the same, for machines: which may be, merging them, and the way back (MV-8)."""

from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Router

from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.common.rest import Answer, Body, Id, PathId
from fairlead.journal.enums import Channel
from fairlead.journal.undoing import undo

from . import services
from .api_methods import _deal, _how
from .selectors.merge import doubles_of
from .services.merge import merge_told

router = Router(tags=["crm"])

Version = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]


class MergeIn(Body):
    """`other` ends in the deal of the address. The versions are those of both deals and of both journeys, as they were
    read. `take`: fields whose value comes from `other`; null: those in which the deal that stays says nothing."""

    other: Id
    version: Version
    journey_version: Version
    other_version: Version
    other_journey_version: Version
    take: Annotated[list[str], Field(max_length=200)] | None = None
    other_account: bool = False


class MergedOut(Answer):
    """`event`: the id of the event that tells of the merge."""

    event: int
    kept: int
    merged: int


class DoubleOut(Answer):
    id: int
    name: str
    why: str
    version: int
    journey_version: int


class DoublesOut(Answer):
    items: list[DoubleOut]


@router.get("/opportunities/{id:pk}/doubles", response=DoublesOut, operation_id="opportunities_doubles")
@access("opportunity.view", api=True)
def doubles(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """Running deals that this one may be the same as and that the asker sees, the surest first."""
    found = doubles_of(_deal(request, pk), request.user, right="opportunity.view")
    return {
        "items": [
            {
                "id": one.deal.pk, "name": one.deal.name, "why": str(one.why), "version": one.deal.version,
                "journey_version": one.deal.journey.version if one.deal.journey is not None else 0,
            }
            for one in found
        ]
    }  # fmt: skip


@router.post("/opportunities/{id:pk}/merge", response=MergedOut, operation_id="opportunities_merge")
@access("opportunity.edit", api=True)
def merge(request: HttpRequest, pk: PathId, payload: MergeIn) -> dict[str, Any]:
    """Let another deal end in this one, which goes on for both; amounts are not added.

    409 `merge-refused` names every obstacle; 412 `stale-version` when one of the four versions is not so any more.
    """
    _deal(request, pk)
    told = services.merge(
        pk,
        other_id=payload.other,
        seen=services.Seen(payload.version, payload.journey_version),
        other_seen=services.Seen(payload.other_version, payload.other_journey_version),
        take=payload.take,
        other_account=payload.other_account,
        **_how(request),
    )
    return {"event": told.pk, "kept": pk, "merged": payload.other}


@router.post("/opportunities/{id:pk}/unmerge", response=MergedOut, operation_id="opportunities_unmerge")
@access("opportunity.edit", api=True)
def unmerge(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """Take one's own merge of this deal into another back: within a day, while nothing has happened to either."""
    deal = _deal(request, pk)
    told = merge_told(deal.pk) if deal.merged_into_id is not None else None
    if told is None:
        raise NotFound
    undo([told.pk], by=request.user, at=timezone.now(), channel=Channel.API)
    return {"event": told.pk, "kept": told.data["into"], "merged": deal.pk}
