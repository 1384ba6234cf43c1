"""One's own favourites, and the records that one opened last."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status

from fairlead.common.access import access
from fairlead.common.refusals import NotPermitted
from fairlead.common.rest import Answer, Flag
from fairlead.journal.enums import Channel

from . import services
from .schemas import About
from .selectors.keeping import favourites_of, seen_of

router = Router(tags=["work"])


class KeptOut(Answer):
    subject_type: str
    subject_id: int
    title: str
    url: str
    at: datetime
    starred: bool


class KeptList(Answer):
    items: list[KeptOut]


class StarIn(About):
    starred: Flag


def _reader(request: HttpRequest) -> Any:
    user: Any = request.user
    if user.api_key is not None and not user.may("process.view"):
        raise NotPermitted  # a key that only writes reads nothing
    return user


@router.get("/favourites", response=KeptList, operation_id="favourites_list")
@access("signed-in", api=True)
def favourites(request: HttpRequest) -> dict[str, Any]:
    """Starred records that one sees, the latest star first."""
    return {"items": favourites_of(_reader(request))}


@router.put("/favourites", response={204: None}, operation_id="favourites_set")
@access("signed-in", api=True)
def set_favourite(request: HttpRequest, payload: StarIn) -> Status[None]:
    """Star a record or take the star off."""
    services.set_star(
        payload.subject_type, payload.subject_id, payload.starred,
        by=request.user, at=timezone.now(), channel=Channel.API,
    )  # fmt: skip
    return Status(204, None)


@router.get("/recent", response=KeptList, operation_id="recent_list")
@access("signed-in", api=True)
def recent(request: HttpRequest) -> dict[str, Any]:
    """Records whose pages one opened, the latest first, at most thirty."""
    return {"items": seen_of(_reader(request))}
