"""The first steps that a person has passed over, or all of them closed for good."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid
from fairlead.organisation.models import FirstSteps, User
from fairlead.organisation.services._base import journal

MOST: Final = 30


@transaction.atomic
def set_first_steps(
    *, by: User, at: datetime, channel: str, passed: str = "", closed: bool = False
) -> FirstSteps:
    """Pass over one step, or close them all: what was closed stays closed. One's own only."""
    row, _made = FirstSteps.objects.select_for_update().get_or_create(user_id=by.pk)
    before = (list(row.passed), row.closed_at)
    if passed and passed not in row.passed:
        if len(row.passed) >= MOST or len(passed) > MOST:
            raise Invalid(_("There is no such step."))
        row.passed = [*row.passed, passed]
    if closed and row.closed_at is None:
        row.closed_at = at
    if (row.passed, row.closed_at) != before:
        row.save()
        data: dict[str, Any] = {"passed": row.passed, "closed": row.closed_at is not None}
        journal(by, "first_steps_set", by=by, at=at, channel=channel, data=data)
    return row
