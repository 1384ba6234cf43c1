"""The sealed journal by the API, for whoever audits the whole house."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from pydantic import Field

from fairlead.common.access import access
from fairlead.common.refusals import NotPermitted
from fairlead.common.rest import Answer, Body
from fairlead.journal.enums import Channel
from fairlead.journal.models import SealCheck
from fairlead.journal.sealing import check, state

from .trail import RIGHT

router = Router(tags=["journal"])


class VerifyIn(Body):
    """`expect`: a head of the chain noted before; the chain must still contain it."""

    expect: str = Field("", pattern=r"^([0-9a-f]{64})?$")


class CheckOut(Answer):
    """`fault` is blank where all of it holds; `event` or `seal` is the first that does not."""

    at: datetime
    by: int | None
    sound: bool
    events: int
    seals: int
    unsealed: int
    head: str
    fault: str
    seal: int | None
    event: int | None


class SealOut(Answer):
    """How far the chain reaches, and what its last reading found."""

    seals: int
    events: int
    unsealed: int
    head: str
    sealed_at: datetime | None
    check: CheckOut | None


def _of_all(request: HttpRequest) -> Any:
    user: Any = request.user
    if not user.reach(RIGHT).all:
        raise NotPermitted(details={"right": RIGHT, "scope": "all"})
    return user


def _check_out(found: SealCheck) -> dict[str, Any]:
    names = ("at", "sound", "events", "seals", "unsealed", "head", "fault")
    return {name: getattr(found, name) for name in names} | {
        "by": found.by_id_then,
        "seal": found.seal_id,
        "event": found.event_id,
    }


@router.get("/journal/seal", response=SealOut, operation_id="journal_seal")
@access("audit.view", api=True)
def seal_state(request: HttpRequest) -> dict[str, Any]:
    """How far the journal is sealed, the head of the chain, and what its last reading found."""
    _of_all(request)
    found = state()
    names = ("seals", "events", "unsealed", "head", "sealed_at")
    checked = _check_out(found.check) if found.check else None
    return {name: getattr(found, name) for name in names} | {"check": checked}


@router.post("/journal/verify", response=CheckOut, operation_id="journal_verify")
@access("audit.view", api=True)
def verify(request: HttpRequest, payload: VerifyIn) -> dict[str, Any]:
    """Read the whole journal again: the first row that was altered, taken out or slipped in, if there is one."""
    user = _of_all(request)
    return _check_out(check(by=user, at=timezone.now(), channel=Channel.API, expected=payload.expect))
