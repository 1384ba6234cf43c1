"""Accepted hand-overs as facts that a gate may ask for (IT-5): `handover_sr_fr` and its like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from fairlead.common.questions import Question
from fairlead.process.facts import ExternalFact
from fairlead.process.packages import fact_of

from .enums import HandOverState
from .models import HandOver

_accepted: Question[tuple[Any, ...]] = Question(
    lambda ids: (
        HandOver.objects.filter(opportunity__in=ids, state=HandOverState.ACCEPTED)
        .order_by("answered_at", "pk")
        .values_list("opportunity_id", "from_role", "to_role", "answered_at", "pk")
    ),
    lists=("ids",),
)


def facts_of(
    accepted: Iterable[tuple[str, str, datetime, int]], as_of: datetime | None = None
) -> dict[str, ExternalFact]:
    """The last acceptance of each hand-over: of (giver, taker, instant, id), the earliest first."""
    facts: dict[str, ExternalFact] = {}
    for giver, taker, at, pk in accepted:
        if as_of is None or at <= as_of:
            name = fact_of(f"{giver}_{taker}".lower())
            facts[name] = ExternalFact(name, at, f"handover:{pk}")
    return facts


def hand_over_facts(ids: Sequence[int]) -> Any:
    """Read once for all instants."""
    found: dict[int, list[tuple[str, str, datetime, int]]] = defaultdict(list)
    for deal, giver, taker, at, pk in _accepted(ids):
        found[deal].append((giver, taker, at, pk))

    def read(pk: int, as_of: datetime | None, _documents: Any) -> Mapping[str, ExternalFact]:
        return facts_of(found.get(pk, ()), as_of)

    return read
