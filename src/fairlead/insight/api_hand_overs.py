"""How hand-overs go, over the deals that the asker sees (IT-5)."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from fairlead.analytics.hand_overs import Attempt, hand_over_figures
from fairlead.common.access import access
from fairlead.common.rest import Answer
from fairlead.crm.enums import HandOverState
from fairlead.crm.models import HandOver, Opportunity

router = Router(tags=["insight"])


class HandOverFiguresOut(Answer):
    """Of attempts that were answered: how many came back; and the median hours from a first offer to acceptance."""

    attempts: int
    returned: int
    return_rate: float | None
    accepted: int
    accepted_at_once: int
    hours: float | None


@router.get("/figures/hand-overs", response=HandOverFiguresOut, operation_id="hand_overs_figures")
@access("funnel.view", api=True)
def figures(request: HttpRequest) -> dict[str, Any]:
    """The return rate of hand-overs and how long they take. What was taken back counts as no attempt."""
    deals = Opportunity.objects.visible_to(request.user, "funnel.view").values("pk")
    answered = HandOver.objects.filter(
        opportunity__in=deals, state__in=(HandOverState.ACCEPTED, HandOverState.RETURNED)
    )
    found = hand_over_figures(
        [
            Attempt(
                row.opportunity_id,
                row.key,
                row.offered_at,
                row.answered_at,
                row.state == HandOverState.ACCEPTED,
            )
            for row in answered
            if row.answered_at is not None
        ]
    )
    return {
        "attempts": found.attempts,
        "returned": found.returned,
        "return_rate": float(found.rate) if found.rate is not None else None,
        "accepted": found.rounds,
        "accepted_at_once": found.first_time,
        "hours": found.hours,
    }
