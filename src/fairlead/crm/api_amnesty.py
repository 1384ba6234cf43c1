"""Clean-up days in the API: what is proposed, and closing it."""

from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from pydantic import Field

from fairlead.common.access import access
from fairlead.common.rest import MAX_ID, Answer, Body
from fairlead.common.text import clean_text
from fairlead.journal.enums import Channel

from .selectors.amnesty import MOST, clean_up, dead_deals
from .services.amnesty import close_dead_deals

router = Router(tags=["crm"])


class DeadDealOut(Answer):
    id: int
    name: str
    stage: str
    quiet_since: datetime
    close_date: date | None


class CleanUpOut(Answer):
    """`first` and `last` day of the window of today, or of the next one; None where there are no such days."""

    is_open: bool
    first: date | None
    last: date | None
    deals: list[DeadDealOut]


class CleanUpIn(Body):
    ids: Annotated[list[Annotated[int, Field(ge=1, le=MAX_ID)]], Field(min_length=1, max_length=MOST)]
    reason: Annotated[str, Field(max_length=60)]
    comment: Annotated[str, Field(max_length=2000)] = ""


class NotClosedOut(Answer):
    id: int
    why: str


class CleanedUpOut(Answer):
    closed: list[int]
    refused: list[NotClosedOut]


@router.get("/clean-up", response=CleanUpOut, operation_id="clean_up_get")
@access("opportunity.view", api=True)
def proposals(request: HttpRequest) -> dict[str, Any]:
    """The open deals of the asker that look dead, and the days on which they may be closed without a mark."""
    at = timezone.now()
    days = clean_up(at=at)
    rows: list[Any] = list(dead_deals(request.user, days, at=at)[:MOST])
    return {
        "is_open": days.is_open,
        "first": days.window.first if days.window else None,
        "last": days.window.last if days.window else None,
        "deals": [
            {
                "id": row.pk, "name": row.name, "stage": row.journey.stage.axis_key, "quiet_since": row.quiet_since,
                "close_date": row.expected_close_date,
            }
            for row in rows
        ],
    }  # fmt: skip


@router.post("/clean-up", response=CleanedUpOut, operation_id="clean_up_close")
@access("opportunity.move", api=True)
def close(request: HttpRequest, payload: CleanUpIn) -> dict[str, Any]:
    """Close own dead deals. 422 `no-clean-up-days` outside the window; what is refused stops no other."""
    done = close_dead_deals(
        payload.ids, reason=payload.reason, by=request.user, at=timezone.now(), channel=Channel.API,
        comment=clean_text(payload.comment, limit=2000, multiline=True, field="comment"),
    )  # fmt: skip
    return {"closed": list(done.closed), "refused": [{"id": pk, "why": why} for pk, why in done.refused]}
