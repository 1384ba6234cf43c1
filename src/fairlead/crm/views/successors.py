"""A deal that ended too long ago to be reopened goes on as another one, linked to it (MV-7)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from fairlead.common.access import access
from fairlead.process.enums import JourneyState

from .. import services
from ..models import Opportunity
from .editing import act
from .shared import deal_url, find_deal, go

ENDED = (JourneyState.LOST, JourneyState.CANCELLED)


def successor_words(row: Opportunity, user: Any, *, reopen_days: int, at: datetime) -> dict[str, Any] | None:
    """What the page of a deal says where it can be reopened no more, and where it goes on or comes from."""
    before = row.predecessor_id
    journey: Any = row.journey
    is_late = (
        journey.state in ENDED
        and row.merged_into_id is None
        and at - journey.closed_at > timedelta(days=reopen_days)
    )
    if not is_late and before is None:
        return None
    seen = Opportunity.objects.visible_to(user).select_related("journey").order_by("-pk")
    later = list(seen.filter(predecessor=row.pk)[:3]) if is_late else []
    earlier = seen.filter(pk=before).first() if before is not None else None
    runs = any(d.journey is not None and d.journey.state not in ENDED for d in later)
    return {
        "late": is_late,
        "days": reopen_days,
        "later": [(d.name, deal_url(d.pk)) for d in later],
        "earlier": (earlier.name, deal_url(earlier.pk)) if earlier is not None else None,
        "url": reverse("crm:successor", args=[row.pk])
        if is_late and not runs and user.may("opportunity.create")
        else "",
    }


@access("opportunity.create")
@require_POST
def successor(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin it and go there."""
    row = services.create_successor(find_deal(request, pk).pk, **act(request))
    return go(request, deal_url(row.pk), _("A new deal, linked to the earlier one"))
