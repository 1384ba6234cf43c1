"""Overrides for machines: ask, decide, take back; the budget; and breaking the glass."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router, Status
from pydantic import Field

from fairlead.common.access import access
from fairlead.common.refusals import Invalid, NotFound
from fairlead.common.rest import (
    MOST,
    Answer,
    Body,
    Cut,
    IfMatch,
    Instant,
    PathId,
    Sort,
    Whole,
    cut,
    etag,
    listed,
    version_in,
)
from fairlead.common.text import clean_text
from fairlead.journal.enums import Channel

from .answers import find_journey, journey_out, situation_of, waiver_out, wish_of
from .models import Journey, OverrideRequest
from .schemas import JourneyOut, MoveIn, OverrideOut, WaiverOut
from .selectors import overrides as found_overrides
from .services import budget, forcing, overrides

router = Router(tags=["process"])
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Text = Annotated[str, Field(max_length=5000)]


class OverrideIn(Body):
    """An item of the gate, or a move that needs somebody else's right: one of the two."""

    criterion: Key | None = None
    move: Literal["advance", "branch", "skip", "regress", "close_won"] | None = None
    to: Annotated[str, Field(max_length=60)] = ""
    reason: Annotated[str, Field(max_length=60)] = ""
    text: Text
    compensation: Annotated[Text, Field(description="What makes good for it meanwhile")]
    expires_at: Instant


class DecisionIn(Body):
    """Refusing asks for words: whoever asked goes on from there."""

    decision: Literal["grant", "refuse"]
    text: Text = ""


class OverrideRulesIn(Body):
    """`review_percent`: an item overridden in more than so many of 100 cases comes up for review."""

    budget: Annotated[Whole, Field(ge=0, le=1000)]
    review_percent: Annotated[Whole, Field(ge=1, le=100)]


class OverrideRulesOut(OverrideRulesIn):
    version: int
    running: int


class ForceIn(Body):
    """A criterion to waive until `expires_at`, or a move that the process knows: one of the two, with a reason."""

    criterion: Key | None = None
    expires_at: Instant | None = None
    move: MoveIn | None = None
    text: Text


class ForcedOut(Answer):
    journey: JourneyOut
    waiver: WaiverOut | None
    past: list[str]


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.API}


def request_out(row: OverrideRequest) -> dict[str, Any]:
    return {
        "id": row.pk, "journey": row.journey_id, "subject_type": row.journey.subject_type,
        "subject_id": row.journey.subject_id, "state": row.state, "criterion": row.criterion_key,
        "move": row.move_kind, "to": row.to_stage, "needs_right": row.needs_right, "reason": row.reason_code,
        "text": row.text, "compensation": row.compensation, "expires_at": row.expires_at,
        "requested_by": row.requested_by_id, "requested_at": row.requested_at, "decided_by": row.decided_by_id,
        "decided_at": row.decided_at, "decision": row.decision, "used_at": row.used_at, "waiver": row.waiver_id,
    }  # fmt: skip


def _find(request: HttpRequest, pk: int) -> OverrideRequest:
    found = found_overrides.seen_by(request.user).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


@router.get("/overrides", response=Cut[OverrideOut], operation_id="overrides_list")
@access("process.view", api=True)
def overrides_list(
    request: HttpRequest,
    show: Literal["decide", "mine", "all"] = "all",
    state: Annotated[str, Query(pattern=r"^[a-z]{0,10}$")] = "",
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> dict[str, Any]:
    """Requests about records that one sees, the newest first; `decide`: what waits for the asker's decision."""
    user: Any = request.user
    rows = found_overrides.seen_by(user)
    if show == "decide":
        rows = found_overrides.to_decide(user)
    elif show == "mine":
        rows = rows.filter(requested_by=user)
    if state:
        rows = rows.filter(state=state)
    found, following = cut(rows, Sort("newest", "pk", True), cursor, limit)
    return listed([request_out(row) for row in found], following)


@router.get("/overrides/{id:pk}", response=OverrideOut, operation_id="overrides_get")
@access("process.view", api=True)
def overrides_get(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    return request_out(_find(request, pk))


@router.post("/journeys/{id:pk}/overrides", response={201: OverrideOut}, operation_id="overrides_request")
@access("signed-in", api=True)
def overrides_request(request: HttpRequest, pk: PathId, payload: OverrideIn) -> Status[dict[str, Any]]:
    """Ask that an item or a move be let pass. Asked again while it waits, the answer is the request that waits."""
    find_journey(request.user, pk)
    row = overrides.request_override(
        pk,
        criterion_key=payload.criterion or "",
        move_kind=payload.move or "",
        to=payload.to,
        reason_code=payload.reason,
        text=clean_text(payload.text, limit=5000, multiline=True, field="text"),
        compensation=clean_text(payload.compensation, limit=5000, multiline=True, field="compensation"),
        expires_at=payload.expires_at,
        **_how(request),
    )
    return Status(201, request_out(row))


@router.post("/overrides/{id:pk}/decide", response=OverrideOut, operation_id="overrides_decide")
@access("signed-in", api=True)
def overrides_decide(request: HttpRequest, pk: PathId, payload: DecisionIn) -> dict[str, Any]:
    """Grant or refuse, by somebody above whoever asked who gains nothing by it. 409 `already-decided`; 422
    `waiver-budget-spent` when as many of one's own run as one person may have."""
    _find(request, pk)
    text = clean_text(payload.text, limit=5000, multiline=True, field="text")
    overrides.decide_override(pk, granted=payload.decision == "grant", text=text, **_how(request))
    return request_out(_find(request, pk))


@router.post("/overrides/{id:pk}/withdraw", response=OverrideOut, operation_id="overrides_withdraw")
@access("signed-in", api=True)
def overrides_withdraw(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """Take back one's own request while it waits."""
    _find(request, pk)
    overrides.withdraw_override(pk, **_how(request))
    return request_out(_find(request, pk))


@router.get("/override-rules", response=OverrideRulesOut, operation_id="override_rules")
@access("process.view", api=True)
def rules(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """The budget of waivers; `running`: how many of the asker's own run now."""
    row = budget.rules()
    etag(response, row.version)
    return _rules_out(row, request.user)


@router.put("/override-rules", response=OverrideRulesOut, operation_id="override_rules_set")
@access("process.publish", api=True)
def rules_set(
    request: HttpRequest, response: HttpResponse, payload: OverrideRulesIn, if_match: IfMatch = None
) -> dict[str, Any]:
    row = overrides.set_rules(
        budget=payload.budget,
        review_percent=payload.review_percent,
        version=version_in(if_match),
        **_how(request),
    )
    etag(response, row.version)
    return _rules_out(row, request.user)


def _rules_out(row: Any, user: Any) -> dict[str, Any]:
    return {
        "budget": row.budget,
        "review_percent": row.review_percent,
        "version": row.version,
        "running": budget.budget_used(user, timezone.now()),
    }


@router.post("/journeys/{id:pk}/force", response=ForcedOut, operation_id="journeys_force")
@access("glass.break", api=True)
def force(request: HttpRequest, pk: PathId, payload: ForceIn) -> dict[str, Any]:
    """Break the glass: force a move that the process knows, or waive an item, with a reason of ten characters. It is
    marked, stands in the audit log and is told to the process owners at once; never for a record of one's own."""
    journey = find_journey(request.user, pk)
    text = clean_text(payload.text, limit=5000, multiline=True, field="text")
    if (payload.criterion is None) == (payload.move is None):
        raise Invalid.field("criterion", _("Name an item or a move, one of the two."))
    waiver, past = None, []
    if payload.criterion is not None:
        if payload.expires_at is None:
            raise Invalid.field("expires_at", _("Say until which day it holds."))
        waiver = forcing.force_waiver(
            pk, criterion_key=payload.criterion, text=text, expires_at=payload.expires_at, **_how(request)
        )
    else:
        assert payload.move is not None
        wish = wish_of(situation_of(journey, timezone.now()), payload.move)
        made = forcing.force_move(pk, wish, text=text, version=payload.move.version, **_how(request))
        past = list(made.verdict.soft_passed) if made.verdict is not None else []
    row = Journey.objects.select_related("stage").get(pk=pk)
    return {
        "journey": journey_out(row),
        "waiver": waiver_out(waiver) if waiver is not None else None,
        "past": past,
    }
