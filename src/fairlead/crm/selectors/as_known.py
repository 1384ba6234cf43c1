"""An opportunity as it was known on an instant (EV-4): from the journal, and masked by the rights of today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from fairlead.process.fold import Travel
from fairlead.process.selectors.known import GateKnown, gate_known, known_on
from fairlead.process.subjects import Moment, room_of

from ..models import Opportunity


@dataclass(frozen=True, slots=True)
class AsKnown:
    """`fields`: what can be told of them, purged values left out; `team`: who filled the slots that day; `gate`: how
    the next move stood, by the version and the facts of that day."""

    at: datetime
    travel: Travel
    fields: Mapping[str, Any]
    team: Mapping[str, frozenset[int]]
    gate: GateKnown | None


def end_of_day(day: date, now: datetime) -> datetime:
    """What was known when the day was over; of today, what is known now."""
    end = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
    return min(end - timedelta(microseconds=1), now)


def as_known(deal: Opportunity, at: datetime) -> AsKnown | None:
    """None for an instant at which nobody had written of it yet."""
    if deal.journey is None:
        return None
    travel = known_on([deal.journey], at).get(deal.journey.pk)
    if travel is None:
        return None
    gate = gate_known(deal.journey, travel, at)
    if gate is not None:
        return AsKnown(at, travel, gate.facts.fields, gate.facts.team, gate)
    moment = Moment(deal.pk, at)
    found = room_of("opportunity").facts_then([moment]).get(moment)
    return AsKnown(at, travel, found.fields, found.team, None) if found is not None else None
