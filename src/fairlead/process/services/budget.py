"""So many waivers of one person at a time: a waiver is an exception, or its item is a bad one (OV-1, OV-4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from fairlead.organisation.models import User

from ..models import OverrideRequest, OverrideRules, Waiver
from ..refusals import BudgetSpent


def rules() -> OverrideRules:
    return OverrideRules.objects.get_or_create(pk=1)[0]


def within_budget(by: Any, at: datetime) -> None:
    """Raises BudgetSpent. The person is locked, so that two clicks do not both find the last place."""
    User.objects.select_for_update().filter(pk=by.pk).values_list("pk", flat=True).first()
    used, budget = budget_used(by, at), rules().budget
    if used >= budget:
        raise BudgetSpent(
            _(
                "You have %(count)s running, as many as one person may. Revoke one, or leave it to somebody else."
            )
            % {"count": used},
            details={"budget": budget, "running": used},
        )


def budget_used(by: Any, at: datetime) -> int:
    return (
        Waiver.objects.of_budget(by, at).count()
        + OverrideRequest.objects.permits(at).filter(decided_by=by).count()
    )
