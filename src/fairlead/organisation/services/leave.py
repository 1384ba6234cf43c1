"""Days on which somebody does not work: entered by the person, or by whoever may hand over their deals (CA-1)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.common.text import clean_text
from fairlead.organisation.models import Leave, User
from fairlead.organisation.querysets import kept_by
from fairlead.organisation.services._base import UNATTENDED, business_day, journal
from fairlead.organisation.services.calendars import touch_people

MOST_DAYS: Final = 366
LAST_YEAR: Final = 2100
#: Leave is entered and changed so far back and no further: what a clock said long ago stays said.
BACK: Final = timedelta(days=31)


@transaction.atomic
def enter_leave(
    person: User, *, first_day: date, last_day: date, by: User | None, at: datetime, channel: str, reason: str = ""
) -> Leave:  # fmt: skip
    """Enter leave from `first_day` through `last_day`. One's own, or that of people whose deals one may hand over.

    Raises NotPermitted; Invalid for leave that ends before it begins, that is too long, long past, or meets another.
    """
    row = _held(person, by, channel)
    _check(row, first_day, last_day, at)
    leave = Leave(
        user=row, first_day=first_day, last_day=last_day, entered_by=by, entered_at=at,
        reason=clean_text(reason, limit=200, field="reason"),
    )  # fmt: skip
    leave.save(force_insert=True)
    touch_people(first=True)
    _note(leave, "leave_entered", by=by, at=at, channel=channel)
    return leave


@transaction.atomic
def change_leave(
    leave_id: int, *, first_day: date, last_day: date, by: User, at: datetime, channel: str, version: int,
    reason: str | None = None,
) -> Leave:  # fmt: skip
    """Other days, or another reason (None: as it was). Raises NotFound, NotPermitted, Stale, Invalid."""
    leave = _find(leave_id, by, channel, version)
    _check(leave.user, first_day, last_day, at, but=leave)
    if (leave.first_day, leave.last_day) != (first_day, last_day):
        touch_people(first=True)
    leave.first_day, leave.last_day = first_day, last_day
    if reason is not None:
        leave.reason = clean_text(reason, limit=200, field="reason")
    leave.version += 1
    leave.save(update_fields=["first_day", "last_day", "reason", "version"])
    _note(leave, "leave_changed", by=by, at=at, channel=channel)
    return leave


@transaction.atomic
def remove_leave(leave_id: int, *, by: User, at: datetime, channel: str, version: int) -> None:
    """Take leave back that is not long over. Raises NotFound, NotPermitted, Stale, Invalid."""
    leave = _find(leave_id, by, channel, version)
    if leave.last_day < business_day(at) - BACK:
        raise Invalid(_("This leave is long over. What was counted by it stays."))
    _note(leave, "leave_removed", by=by, at=at, channel=channel)
    leave.delete()
    touch_people(first=True)


def _held(person: User, by: User | None, channel: str) -> User:
    """The person, held: two entries that are fine alone do not overlap together."""
    if by is None and channel not in UNATTENDED:
        raise NotPermitted
    row: User = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
    if by is not None and by.pk != row.pk and not User.objects.filter(kept_by(by), pk=row.pk).exists():
        raise NotPermitted
    return row


def _find(leave_id: int, by: User, channel: str, version: int) -> Leave:
    found = Leave.objects.visible_to(by).select_related("user").filter(pk=leave_id).first()
    if found is None:
        raise NotFound
    person = _held(found.user, by, channel)
    leave = Leave.objects.select_for_update(of=("self",)).filter(pk=leave_id).first()
    if leave is None:
        raise NotFound
    if leave.version != version:
        raise Stale
    leave.user = person
    return leave


def _check(person: User, first: date, last: date, at: datetime, *, but: Leave | None = None) -> None:
    today = business_day(at)
    if last < first:
        raise Invalid.field("last_day", _("The last day is not before the first."))
    if last - first >= timedelta(days=MOST_DAYS):
        raise Invalid.field(
            "last_day",
            _("Leave has at most %(days)s days. Hand the deals over for longer.") % {"days": MOST_DAYS},
        )
    earliest = min(today - BACK, but.first_day if but is not None else today)
    if first < earliest or last < today - BACK:
        raise Invalid.field(
            "first_day", _("Leave begins on %(day)s at the earliest.") % {"day": (today - BACK).isoformat()}
        )
    if last.year > LAST_YEAR:
        raise Invalid.field("last_day", _("A day until %(year)s.") % {"year": LAST_YEAR})
    others = Leave.objects.filter(user=person, first_day__lte=last, last_day__gte=first)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if (other := others.first()) is not None:
        raise Invalid.field(
            "first_day",
            _("There is leave from %(first)s to %(last)s already. Change that one.")
            % {"first": other.first_day.isoformat(), "last": other.last_day.isoformat()},
        )


def _note(leave: Leave, kind: str, *, by: User | None, at: datetime, channel: str) -> None:
    """About the person; why somebody is away is theirs, so the reason is not told."""
    data = {
        "leave": leave.pk, "first_day": leave.first_day.isoformat(), "last_day": leave.last_day.isoformat(),
    }  # fmt: skip
    journal(leave.user, kind, by=by, at=at, channel=channel, data=data)
