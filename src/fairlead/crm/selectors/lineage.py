"""Deals that were merged: what went into what, and which running deal may be a double of another one."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from fairlead.process.enums import JourneyState

from ..models import Opportunity

RUNNING: Final = (JourneyState.OPEN, JourneyState.ON_HOLD)


def double_id(deal: str = "pk") -> Subquery:
    """Beside a deal in one question: the oldest other running deal of that name at its account, if there is one."""
    rows = Opportunity.objects.filter(
        account=OuterRef("account"),
        name=OuterRef("name"),
        journey__state__in=RUNNING,
        journey__process_key=OuterRef("journey__process_key"),
    )
    return Subquery(rows.exclude(pk=OuterRef(deal)).order_by("pk").values("pk")[:1])


def has_merged() -> Exists:
    """Whether other deals were merged into this one."""
    return Exists(Opportunity.objects.filter(merged_into=OuterRef("pk")))


def lineage_of(row: Opportunity, user: Any) -> dict[str, list[tuple[int, str]]]:
    """What it was merged into, and what was merged into it: ids with names, as far as the reader sees them."""
    seen: QuerySet[Opportunity] = Opportunity.objects.visible_to(user)
    found = seen.filter(Q(pk=row.merged_into_id) | Q(merged_into=row.pk)).order_by("pk")
    named = list(found.values_list("pk", "name"))
    return {
        "into": [one for one in named if one[0] == row.merged_into_id],
        "from": [one for one in named if one[0] != row.merged_into_id],
    }


def merged_ids(row_id: int) -> list[int]:
    """Every deal that was merged into this one, also by way of others."""
    found: list[int] = []
    fresh = [row_id]
    while fresh:
        fresh = [
            pk
            for pk in Opportunity.objects.filter(merged_into__in=fresh).values_list("pk", flat=True)
            if pk not in found
        ]
        found += fresh
    return found
