"""The mutual action plan of a deal, read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils import timezone

from ..credibility import Credibility, Step, credibility
from ..enums import Side
from ..models import PlanStep


def steps_of(deal_id: int) -> list[PlanStep]:
    """By day; what is taken back is gone."""
    rows = PlanStep.objects.filter(opportunity=deal_id, removed_at=None).select_related("contact", "owner")
    return list(rows.order_by("due", "pk"))


def credibility_of(steps: Sequence[PlanStep], close_date: date | None, today: date) -> Credibility:
    return credibility(
        [
            Step(
                of_customer=row.side == Side.CUSTOMER,
                due=row.due,
                first_due=row.first_due,
                done_on=timezone.localdate(row.done_at) if row.done_at is not None else None,
            )
            for row in steps
        ],
        close_date,
        today=today,
    )
