"""How approvals are decided, for machines (AP-15). NumPy loads with the question."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.common.rest import Code
from fairlead.process.models import Process

from .schemas import DecidingOut, rate_out

router = Router(tags=["process"])


@router.get("/processes/{key}/decisions", response=DecidingOut, operation_id="processes_decisions")
@access("funnel.view", api=True)
def decisions(request: HttpRequest, key: Code) -> dict[str, Any]:
    """By kind of approval, of a year and of records that you see: median and 90 % of the working hours to a decision,
    the share that the rule alone approved, that came again, and of votes that were given unread."""
    from .deciding import figures_of

    if not Process.objects.filter(key=key).exists():
        raise NotFound
    return {
        "process": key,
        "items": [
            {
                "kind": one.kind, "n": one.figures.time.n, "enough": one.figures.time.enough,
                "median_hours": one.figures.time.median, "p90_hours": one.figures.time.p90,
                "by_rule": rate_out(one.figures.auto), "came_again": rate_out(one.figures.again),
                "approved": rate_out(one.figures.approved), "unread": rate_out(one.figures.stamped),
                "left_out": one.left_out,
            }
            for one in figures_of(key, reader=request.user, at=timezone.now())
        ],
    }  # fmt: skip
