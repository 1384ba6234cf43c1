"""A deal that has left its process is given one again, for machines."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from fairlead.common.access import access
from fairlead.common.rest import Body, IfMatch, PathId, version_in
from fairlead.process.answers import journey_out
from fairlead.process.schemas import JourneyOut

from . import services
from .api_methods import _deal, _how

router = Router(tags=["crm"])


class GivenIn(Body):
    """`process` blank: the one that the rules say, else the default."""

    process: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,59})?$")] = ""


@router.post(
    "/opportunities/{id:pk}/process", response={201: JourneyOut}, operation_id="opportunities_give_process"
)
@access("opportunity.move", api=True)
def give(
    request: HttpRequest, pk: PathId, payload: GivenIn, if_match: IfMatch = None
) -> Status[dict[str, Any]]:
    """Set a deal that has left its process out on one again, at its beginning.

    422 for one that is on a process.
    """
    version = version_in(if_match)
    _deal(request, pk)
    given = services.give_process(pk, process_key=payload.process, version=version, **_how(request))
    return Status(201, journey_out(given))
