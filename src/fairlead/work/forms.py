"""What people send to this room, read and checked: dates, contacts, kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid
from fairlead.organisation.models import User

MAX_ID = 2**63 - 1


def read_instant(
    data: Mapping[str, Any], name: str, *, required: bool = True, default: datetime | None = None
) -> datetime | None:
    """A date and time of the reader's clock, or a day alone (its nine o'clock). Raises Invalid."""
    text = str(data.get(name) or "").strip()[:40]
    if not text:
        if required and default is None:
            raise Invalid.field(name, _("Say when."))
        return default
    try:
        found = parse_datetime(text)
        day = parse_date(text) if found is None else None
        if found is None and day is not None:
            found = datetime.combine(day, time(9))
        if found is None:
            raise ValueError(text)
        aware = timezone.make_aware(found) if timezone.is_naive(found) else found
        aware.astimezone(timezone.get_default_timezone())
        aware.timestamp()
    except (ValueError, OverflowError):
        raise Invalid.field(name, _("A date and time is expected as YYYY-MM-DD HH:MM.")) from None
    if not 1900 < aware.year < 2200:
        raise Invalid.field(name, _("This day is too far away."))
    return aware


def read_day(data: Mapping[str, Any], name: str) -> date | None:
    text = str(data.get(name) or "").strip()[:20]
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise Invalid.field(name, _("A day is expected as YYYY-MM-DD."))
    return day


def read_due(
    data: Mapping[str, Any], *, today: date, workday_after: Callable[[date, int], date]
) -> date | None:
    """A day, or so many working days from today (`due_in`); none where neither is given."""
    text, on = str(data.get("due_in") or "").strip()[:4], read_day(data, "due_date")
    if not text:
        return on
    if not (text.isascii() and text.isdigit() and int(text) <= 250):
        raise Invalid.field("due_in", _("Choose in how many working days."))
    return workday_after(today, int(text)) if int(text) else today


def read_ids(data: QueryDict, name: str) -> list[int]:
    found = []
    for text in data.getlist(name)[:50]:
        if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_ID):
            raise Invalid.field(name, _("There is no such record. Choose one from the list."))
        found.append(int(text))
    return found


def read_version(data: Mapping[str, Any]) -> int:
    """The version that a form was made from; a form without one is refused, not trusted."""
    text = str(data.get("version") or "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid(
            _("This form says not which version it changes. Reload the page."), code="version-missing"
        )
    return int(text)


def the_colleague(pk: int, field: str) -> User:
    """Somebody who works here now. Raises Invalid for anybody else."""
    found = User.objects.active().filter(pk=pk).first()
    if found is None:
        raise Invalid.field(field, _("There is no such person here."))
    return found
