"""An opportunity as it was known at the end of a day."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from fairlead.common.access import access
from fairlead.common.money import format_amount
from fairlead.common.pages import page
from fairlead.fields.catalogue import catalogue
from fairlead.organisation.models import User
from fairlead.process.enums import CriterionState, ForecastCategory, JourneyState, Level
from fairlead.process.selectors.known import GateKnown
from fairlead.process.words import headline, item_name, stage_name

from ..models import Opportunity
from ..selectors.as_known import AsKnown, as_known, end_of_day
from ..selectors.paths import look_of
from ..selectors.references import names_of, text_of
from .shared import deal_url, find_deal


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return day if day is not None and 1970 <= day.year <= 9000 else None


@access("opportunity.view")
@require_safe
def as_of(request: HttpRequest, pk: int) -> HttpResponse:
    """Fields, stage, amount and team as the journal knew them; the reader's rights are those of today."""
    deal = find_deal(request, pk)
    now = timezone.now()
    given = request.GET.get("date", "").strip()
    day = _day(given) if given else timezone.localdate(now)
    known = as_known(deal, end_of_day(day, now)) if day is not None else None
    context = {
        "nav_at": "opportunities",
        "deal": deal,
        "back": deal_url(deal.pk),
        "given": given or (day.isoformat() if day else ""),
        "error": None if day is not None else _("A day is expected, such as 2026-03-31."),
        "known": known is not None,
        **(_shown(deal, known, request.user) if known is not None else {}),
    }
    return page(request, "crm/as_known.html", context, block="content", status=200 if day else 400)


def _shown(deal: Opportunity, known: AsKnown, user: Any) -> dict[str, Any]:
    travel = known.travel
    specs = [spec for spec in catalogue("opportunity").readable_by(user) if spec.key in known.fields]
    pairs = [(spec, known.fields[spec.key]) for spec in specs]
    names = names_of(pairs, reader=user)
    people = {i for found in known.team.values() for i in found} | {travel.owner_id or 0}
    who = dict(User.objects.filter(pk__in=people).values_list("pk", "name"))
    sees_amount = any(spec.key == "amount" for spec in specs)
    currency = str(known.fields.get("currency") or deal.currency)
    return {
        "at": known.at,
        "stage": stage_name(known.gate.definition, travel.stage_key) if known.gate else travel.stage_key,
        **_gate(known.gate),
        "state": str(JourneyState(travel.state).label),
        "category": str(ForecastCategory(travel.forecast_category).label),
        "amount": format_amount(travel.base_amount, currency) if sees_amount else "•••",
        "owner": who.get(travel.owner_id or 0, "—"),
        "team": [
            (role, ", ".join(who.get(i, f"#{i}") for i in sorted(found)))
            for role, found in sorted(known.team.items())
        ],
        "fields": [(spec.name(), text_of(spec, value, names) or "—") for spec, value in pairs],
    }


def _gate(gate: GateKnown | None) -> dict[str, Any]:
    """The items of the gate by name and state; the values behind them stand among the fields, as far as one may read."""
    if gate is None or gate.verdict is None:
        return {"gate": "", "items": []}
    verdict = gate.verdict
    here = gate.definition.position(gate.facts.journey.stage_key)
    shown = [r for r in verdict.results if not r.settled or gate.definition.position(r.stage_key) >= here]
    return {
        "gate": headline(gate.definition, verdict),
        "items": [
            {
                "name": item_name(gate.definition, r),
                "state": look_of(r),
                "said": str(CriterionState(r.state).label),
                "level": str(Level(r.level).label),
            }
            for r in sorted(shown, key=lambda r: (r.settled, r.level != Level.BLOCK))
        ],
    }
