"""Leave for machines: who is away and when."""

from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router, Status
from pydantic import Field

from fairlead.common.access import access
from fairlead.common.refusals import Invalid
from fairlead.common.rest import (
    MOST,
    Answer,
    Body,
    Cut,
    Day,
    Id,
    IfMatch,
    PathId,
    Sort,
    cut,
    etag,
    listed,
    version_in,
)
from fairlead.journal.enums import Channel
from fairlead.organisation import services
from fairlead.organisation.models import Leave, User
from fairlead.organisation.querysets import kept_by

router = Router(tags=["organisation"])

Limit = Annotated[int, Query(ge=1, le=MOST)]
Reason = Annotated[str, Field(max_length=200)]


class LeaveOut(Answer):
    """Both days included. `reason` is null for whoever does not keep that person's leave."""

    id: int
    user: int
    first_day: date
    last_day: date
    reason: str | None
    version: int


class LeaveIn(Body):
    """`user`: none is oneself."""

    user: Id | None = None
    first_day: Day
    last_day: Day
    reason: Reason = ""


class LeaveChange(Body):
    first_day: Day
    last_day: Day
    reason: Reason | None = None


def _out(row: Leave, *, reason: bool) -> dict[str, Any]:
    return {
        "id": row.pk, "user": row.user_id, "first_day": row.first_day, "last_day": row.last_day,
        "reason": row.reason if reason else None, "version": row.version,
    }  # fmt: skip


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.API}


@router.get("/leave", response=Cut[LeaveOut], operation_id="leave_list")
@access("process.view", api=True)
def leave(
    request: HttpRequest, since: date | None = None, cursor: str = "", limit: Limit = 50
) -> dict[str, Any]:
    """One's own leave, that of one's team, and of people whose leave one keeps, that is not over on `since` (today)."""
    day = since or timezone.localdate()
    visible = Leave.objects.visible_to(request.user).not_over(day)
    rows, following = cut(visible, Sort("first_day", "first_day"), cursor, limit)
    kept = set(
        Leave.objects.kept_by(request.user)
        .filter(pk__in=[row.pk for row in rows])
        .values_list("pk", flat=True)
    )
    return listed([_out(row, reason=row.pk in kept) for row in rows], following)


@router.post("/leave", response={201: LeaveOut}, operation_id="leave_enter")
@access("process.view", api=True)
def enter(request: HttpRequest, response: HttpResponse, payload: LeaveIn) -> Status[dict[str, Any]]:
    """Enter leave of one's own, or of somebody whose deals one may hand over; clocks of their deals are computed anew."""
    user: Any = request.user
    person: User | None = user
    if payload.user is not None and payload.user != user.pk:
        person = User.objects.filter(kept_by(user)).filter(pk=payload.user).first()
    if person is None:
        raise Invalid.field("user", _("There is no such person."))
    row = services.enter_leave(
        person, first_day=payload.first_day, last_day=payload.last_day, reason=payload.reason, **_how(request)
    )
    etag(response, row.version)
    return Status(201, _out(row, reason=True))


@router.patch("/leave/{id:pk}", response=LeaveOut, operation_id="leave_change")
@access("process.view", api=True)
def change(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: LeaveChange, if_match: IfMatch = None
) -> dict[str, Any]:
    """Other days, or another reason."""
    row = services.change_leave(
        pk, first_day=payload.first_day, last_day=payload.last_day, reason=payload.reason,
        version=version_in(if_match), **_how(request),
    )  # fmt: skip
    etag(response, row.version)
    return _out(row, reason=True)


@router.delete("/leave/{id:pk}", response={204: None}, operation_id="leave_remove")
@access("process.view", api=True)
def remove(request: HttpRequest, pk: PathId, if_match: IfMatch = None) -> Status[None]:
    """Take leave back. What was said by clocks in the meantime stays."""
    services.remove_leave(pk, version=version_in(if_match), **_how(request))
    return Status(204, None)
