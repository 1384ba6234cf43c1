"""What mends an item of a gate, read from the small forms of the panel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid
from fairlead.fields.catalogue import catalogue
from fairlead.fields.enums import FieldType

from ..models import Account

PREFIX = "f."
MAX_ID = 2**63 - 1


def field_changes(data: Any, user: Any) -> dict[str, Any]:
    """The fields of the form, as `services.edit` takes them; an account is named, not numbered."""
    fields = catalogue("opportunity")
    changes: dict[str, Any] = {}
    for name in data:
        key = name.removeprefix(PREFIX)
        spec = fields.get(key) if name.startswith(PREFIX) else None
        if spec is None:
            continue
        changes[key] = data.getlist(name) if spec.type == FieldType.MULTI_CHOICE else data.get(name)
        if spec.type == FieldType.RECORD and spec.target == "account":
            changes[key] = account_named(str(data.get(name) or ""), user)
    return changes


def account_named(text: str, user: Any) -> int | None:
    """The account that `user` sees under exactly this name."""
    name = text.strip()[:200]
    if not name:
        return None
    rows = (
        Account.objects.visible_to(user).filter(name=name) if _is_storable(name) else Account.objects.none()
    )
    found = rows.order_by("pk").values_list("pk", flat=True).first()
    if found is None:
        raise Invalid(
            errors=[
                {
                    "field": "account",
                    "message": _("No account is called “%(name)s”. Choose one from the list.")
                    % {"name": name[:60]},
                }
            ]
        )
    return int(found)


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def ids(values: list[str]) -> list[int]:
    return [int(v) for v in values[:100] if v.isascii() and v.isdigit() and len(v) < 19]


def day_of(data: Mapping[str, Any], name: str) -> date | None:
    text = str(data.get(name) or "").strip()
    if not text:
        return None
    try:
        day = parse_date(text[:20])
    except ValueError:
        day = None
    if day is None:
        raise Invalid(errors=[{"field": name, "message": _("A day is expected as YYYY-MM-DD.")}])
    return day


def end_of(day: date) -> datetime:
    """The instant at which `day` is over."""
    try:
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
    except OverflowError:
        raise Invalid(errors=[{"field": "until", "message": _("The day is too far away.")}]) from None


def happened_at(data: Mapping[str, Any], name: str, at: datetime) -> datetime:
    """Noon of the day that was said, or now."""
    day = day_of(data, name)
    if day is None or day == timezone.localdate(at):
        return at
    return timezone.make_aware(datetime.combine(day, time(12)))


def number(data: Mapping[str, Any], name: str, default: int) -> int:
    text = str(data.get(name) or "").strip().replace("−", "-")
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 6 else default
