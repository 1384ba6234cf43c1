"""How hand-overs go, over the deals that the asker sees (IT-5). NumPy loads with the question."""

from datetime import date
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field

from fairlead.common.access import access
from fairlead.common.rest import Answer

from .schemas import RateOut, rate_out

router = Router(tags=["insight"])
Way = Literal["ar_sr", "ar_fr", "sr_ar", "sr_fr", "fr_ar", "fr_sr"]


class ReasonCountOut(Answer):
    reason: str
    returned: int


class HandOverWayOut(Answer):
    """One pair of roles. `hours`: median of working hours from a first offer to acceptance; `n`: rounds accepted."""

    way: Way
    attempts: int
    returned: RateOut
    hours: float | None
    n: int


class HandOverFiguresOut(Answer):
    """Of attempts that were answered: how many came back, with the 95 % interval after Wilson and why; and the median
    of the working hours from a first offer to acceptance (nine in ten within `p90_hours`)."""

    attempts: int
    returned: int
    return_rate: float | None
    returned_rate: RateOut
    accepted: int
    accepted_at_once: int
    hours: float | None
    p90_hours: float | None
    enough: bool
    reasons: list[ReasonCountOut]
    ways: list[HandOverWayOut]


@router.get("/figures/hand-overs", response=HandOverFiguresOut, operation_id="hand_overs_figures")
@access("funnel.view", api=True)
def figures(
    request: HttpRequest,
    process: Annotated[str, Query(pattern=r"^[a-z0-9_-]{0,60}$")] = "",
    answered_from: Annotated[date | None, Query()] = None,
    answered_until: Annotated[date | None, Query()] = None,
    team: Annotated[int | None, Query(), Field(ge=1, le=2**63 - 1)] = None,
    way: Annotated[Way | None, Query()] = None,
) -> dict[str, Any]:
    """The return rate of hand-overs and how long they take; the last year where no days are named. What was taken
    back counts as no attempt. `team`: with every team below it."""
    from .hand_overs import Asked, find

    query = {"process": process, "from": answered_from, "to": answered_until, "team": team, "way": way}
    asked = Asked.read({name: "" if value is None else str(value) for name, value in query.items()})
    found = find(request.user, asked, at=timezone.now())
    every = found.figures()
    return {
        "attempts": every.back.cases,
        "returned": int(every.back.k),
        "return_rate": every.back.value,
        "returned_rate": rate_out(every.back),
        "accepted": every.time.n,
        "accepted_at_once": int(every.at_once.k),
        "hours": every.time.median,
        "p90_hours": every.time.p90,
        "enough": every.time.enough,
        "reasons": [{"reason": reason, "returned": count} for reason, count in found.reasons()],
        "ways": [_way(found, one) for one in found.ways()],
    }


def _way(found: Any, way: str) -> dict[str, Any]:
    own = found.figures(lambda attempt: attempt.way == way)
    return {
        "way": way,
        "attempts": own.back.cases,
        "returned": rate_out(own.back),
        "hours": own.time.median,
        "n": own.time.n,
    }
