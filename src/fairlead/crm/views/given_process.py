"""A deal that has left its process is given one again: the one that the rules say, or another."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotPermitted, Stale
from fairlead.journal.models import Event
from fairlead.organisation.models import User
from fairlead.process import fold
from fairlead.process.enums import JourneyState
from fairlead.process.models import Journey
from fairlead.process.services.leaving import process_by_rule

from .. import services
from ..forms.records import version_of
from ..models import Opportunity
from ..rules import reaches
from ..selectors.journeys import startable
from .editing import act
from .shared import deal_url, find_deal, go


def left_words(row: Any, user: Any) -> dict[str, Any] | None:
    """What the page of a deal says of having left its process; nothing for one that has not."""
    journey = row.journey
    if journey.state != JourneyState.LEFT:
        return None
    told = _told(journey)
    who = User.objects.filter(pk=told.actor_id).values_list("name", flat=True).first() if told else None
    return {
        "day": journey.closed_at,
        "by": who or _("Fairlead"),
        "reason": _reason(told),
        "url": reverse("crm:given_process", args=[row.pk])
        if reaches(user, "opportunity.move", row) and row.merged_into_id is None
        else "",
    }


def _told(journey: Journey) -> Event | None:
    rows = Event.objects.of_journeys([journey.pk]).filter(type=fold.LEFT)
    return rows.select_related("detail").order_by("-pk").first()


def _reason(told: Event | None) -> str:
    detail = getattr(told, "detail", None)
    return str(detail.comment) if detail is not None else ""


@access("opportunity.move")
@require_http_methods(["GET", "HEAD", "POST"])
def given_process(request: HttpRequest, pk: int) -> HttpResponse:
    """GET: which process it would take by the rules. POST: it sets out on the one chosen."""
    deal = find_deal(request, pk)
    if not reaches(request.user, "opportunity.move", deal):
        raise NotPermitted
    if request.method != "POST":
        return _page(request, deal)
    try:
        given = services.give_process(
            deal.pk,
            process_key=request.POST.get("process", "")[:60],
            version=version_of(request.POST),
            **act(request),
        )
    except (Invalid, Stale) as refusal:
        return _page(request, find_deal(request, pk), refusal=refusal)
    return go(request, deal_url(pk), _("Began at %(stage)s") % {"stage": localized(given.stage.name)})


def _page(request: HttpRequest, deal: Opportunity, *, refusal: Invalid | Stale | None = None) -> HttpResponse:
    journey: Any = deal.journey
    has_left = journey.state == JourneyState.LEFT
    errors = refusal.details.get("errors", ()) if isinstance(refusal, Invalid) else ()
    options = startable("opportunity", [journey]) if has_left else []
    rule = ""
    if options:
        rule = process_by_rule(journey, at=act(request)["at"])
    context = {
        "nav_at": "opportunities",
        "deal": deal,
        "journey": journey,
        "back_url": deal_url(deal.pk),
        "has_left": has_left,
        "reason": _reason(_told(journey)) if has_left else "",
        "options": options,
        "rule": rule,
        "rule_name": dict(options).get(rule, ""),
        "said": " ".join(e["message"] for e in errors) or (str(refusal) if refusal is not None else ""),
    }
    status = refusal.status if refusal is not None else 200
    return page(request, "crm/given_process.html", context, status=status)
