"""Taking back one's own acts by the API."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status

from fairlead.common.access import access
from fairlead.common.rest import PathId

from .enums import Channel
from .undoing import undo

router = Router(tags=["journal"])


@router.post("/events/{id:pk}/undo", response={204: None}, operation_id="event_undo")
@access("signed-in", api=True)
def event_undo(request: HttpRequest, pk: PathId) -> Status[None]:
    """Take back one's own act by a new one, if nothing has changed since: rights and versions are asked anew."""
    user: Any = request.user
    undo([pk], by=user, at=timezone.now(), channel=Channel.API)
    return Status(204, None)
