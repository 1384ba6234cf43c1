"""Whether the gates of a process flag or block, and from which business day on they block (soft landing)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotPermitted
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.selectors import default_calendar

from ..enums import Mode
from ..landing import LONGEST, may_begin
from ..models import Process
from .publishing import PUBLISH


@transaction.atomic
def set_mode(
    process_key: str,
    *,
    mode: str,
    enforced_from: date | None = None,
    by: Any,
    at: datetime,
    channel: str,
) -> Process:
    """Let gates flag or block. Running journeys are judged by the new mode at their next move.

    `enforced_from`: with soft mode the business day from which gates block; a day to come, at most a year off.
    Raises NotPermitted, Invalid.
    """
    if not by.may(PUBLISH):
        raise NotPermitted
    process = Process.objects.select_for_update().get(key=process_key)
    if mode not in Mode.values:
        raise Invalid(errors=[{"field": "mode", "message": _("A mode is soft or enforced.")}])
    if mode != Mode.SOFT:
        enforced_from = None
    today = at.astimezone(default_calendar().zone).date()
    if enforced_from is not None and not may_begin(enforced_from, today):
        said = _("Give a day after today, at most %(days)s days ahead.") % {"days": LONGEST.days}
        raise Invalid(errors=[{"field": "enforced_from", "message": said}])
    before = (process.mode, process.enforced_from)
    if before == (mode, enforced_from):
        return process
    process.mode, process.enforced_from = mode, enforced_from
    process.save(update_fields=["mode", "enforced_from"])
    record(
        [
            NewEvent(
                type="process_mode_set",
                subject_type="process",
                subject_id=process.pk,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                process_key=process.key,
                data={
                    "before": before[0],
                    "after": mode,
                    "enforced_from_before": before[1].isoformat() if before[1] else None,
                    "enforced_from": enforced_from.isoformat() if enforced_from else None,
                },
            )
        ]
    )
    return process
