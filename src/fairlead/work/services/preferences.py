"""How a person is told by mail, and when not."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, Stale
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.calendars import Calendar

from ..enums import Digest
from ..models import NotificationPreference


def preferences_of(person: Any) -> NotificationPreference:
    """What is stored, or the defaults: no mail."""
    row = NotificationPreference.objects.filter(person=person.pk).first()
    return row or NotificationPreference(person_id=person.pk)


@transaction.atomic
def set_preferences(
    *,
    digest: str,
    daily_at: time,
    quiet_from: time | None,
    quiet_until: time | None,
    quiet_days_off: bool,
    weekly: bool = True,
    version: int,
    by: Any,
    at: datetime,
    channel: str,
) -> NotificationPreference:
    """Raises Invalid for a quiet time that never ends, Stale."""
    errors = []
    if digest not in Digest.values:
        errors.append({"field": "digest", "message": _("Choose when to be told by mail.")})
    if (quiet_from is None) != (quiet_until is None):
        field = "quiet_until" if quiet_until is None else "quiet_from"
        errors.append({"field": field, "message": _("A quiet time has a beginning and an end.")})
    elif quiet_from is not None and quiet_from == quiet_until:
        errors.append(
            {"field": "quiet_until", "message": _("This quiet time never ends. Let it end at another hour.")}
        )
    if errors:
        raise Invalid(errors=errors)
    NotificationPreference.objects.get_or_create(person_id=by.pk)
    row = NotificationPreference.objects.select_for_update(of=("self",)).get(pk=by.pk)
    if row.version != version:
        raise Stale
    row.digest, row.daily_at, row.quiet_days_off = digest, daily_at, quiet_days_off
    row.quiet_from, row.quiet_until, row.version = quiet_from, quiet_until, version + 1
    row.weekly = weekly
    row.save()
    record(
        [
            NewEvent(
                type="notifications_set",
                subject_type="user",
                subject_id=by.pk,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                data={"digest": digest, "weekly": weekly},
            )
        ]
    )
    return row


def is_quiet(row: NotificationPreference, zone: Any, calendar: Calendar, *, at: datetime) -> bool:
    """Whether the person is to be left alone at `at`, on their own clock."""
    local = timezone.localtime(at, zone)
    if row.quiet_days_off and not calendar.is_workday(local.date()):
        return True
    if row.quiet_from is None or row.quiet_until is None:
        return False
    now = local.time()
    if row.quiet_from < row.quiet_until:
        return row.quiet_from <= now < row.quiet_until
    return now >= row.quiet_from or now < row.quiet_until


def daily_due(row: NotificationPreference, zone: Any, last: datetime | None, *, at: datetime) -> bool:
    """Whether today's mail is due: its hour has come, and none went out since."""
    local = timezone.localtime(at, zone)
    due = local.replace(hour=row.daily_at.hour, minute=row.daily_at.minute, second=0, microsecond=0)
    if local < due:
        due -= timedelta(days=1)
    return last is None or last < due
