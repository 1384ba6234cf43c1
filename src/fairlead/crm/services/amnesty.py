"""Closing one's own dead deals on clean-up days, through the one door of every move, and tagged (PI-6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from fairlead.common.refusals import Invalid, Refusal
from fairlead.process.amnesty import TAG
from fairlead.process.enums import Kind
from fairlead.process.services import MoveWish, move_many
from fairlead.process.verdicts import Wish

from ..selectors.amnesty import MOST, clean_up, dead_deals, reasons_for


class NoCleanUpDays(Refusal):
    """Dead deals are closed without a mark only in the window of the month."""

    code = "no-clean-up-days"
    status = 422
    default_message = _("These are no clean-up days. A deal can be closed on its own page at any time.")


@dataclass(frozen=True, slots=True)
class Closed:
    """Deals that were closed, and those that were not with the reason in words."""

    closed: Sequence[int]
    refused: Sequence[tuple[int, str]]


def close_dead_deals(
    deal_ids: Sequence[int], *, reason: str, comment: str = "", by: Any, at: datetime, channel: str
) -> Closed:
    """Close those of one's own deals that are proposed; each closing event carries the tag of the clean-up.

    Raises NoCleanUpDays outside the window, Invalid without a deal or a reason that the deals' process offers.
    A deal that is not proposed (somebody else's, alive, closed meanwhile) is refused, and stops no other.
    """
    wanted = list(dict.fromkeys(deal_ids))
    if not wanted or len(wanted) > MOST:
        raise Invalid.field("id", _("Choose from 1 to %(most)s deals.") % {"most": MOST})
    if not reason:
        raise Invalid.field("reason", _("Choose a reason of the list."))
    days = clean_up(at=at)
    if not days.is_open:
        raise NoCleanUpDays
    found = {deal.pk: deal for deal in dead_deals(by, days, at=at).filter(pk__in=wanted)}
    wishes, journeys = [], {}
    refused = [(pk, str(_("Not among the deals that are proposed."))) for pk in wanted if pk not in found]
    for pk, deal in found.items():
        journey: Any = deal.journey
        if reason not in {one.key for one in reasons_for(journey.process_version)[1]}:
            raise Invalid.field("reason", _("Choose a reason of the list."))
        journeys[journey.pk] = pk
        wish = Wish(kind=Kind.CLOSE_LOST, reason=reason, comment=comment)
        wishes.append(MoveWish(journey_id=journey.pk, wish=wish, version=journey.version, tag=TAG))
    outcomes = move_many(wishes, by=by, at=at, channel=channel)
    closed = [journeys[one.journey_id] for one in outcomes if one.allowed]
    refused += [(journeys[one.journey_id], str(one.refusal)) for one in outcomes if not one.allowed]
    return Closed(closed, refused)
