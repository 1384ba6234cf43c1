"""Values of fields: from a person's or a file's text to a typed value, to JSON, and to words."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from .catalogue import FieldSpec, pick
from .enums import TEXTUAL, FieldType

MAX_DIGITS = Decimal("1e16")
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
_EMAIL = re.compile(r"^[^@\s]{1,64}@[^@\s]{1,255}$")


class BadValue(ValueError):
    """The text cannot be a value of the field; the message says what is expected."""


def clean(spec: FieldSpec, raw: Any) -> Any:
    """A typed value from `raw` (text, number, bool, list), or None for nothing. Raises BadValue."""
    if raw is None or (isinstance(raw, str) and raw.strip() == ""):
        return None
    if isinstance(raw, str) and _NOT_STORABLE.search(raw):
        raise BadValue(_("The text holds a character that cannot be stored. Type it again."))
    return _CLEANERS[spec.type](spec, raw)


def _text(spec: FieldSpec, raw: Any) -> str:
    if not isinstance(raw, (str, int, float, Decimal)) or isinstance(raw, bool):
        raise BadValue(_("Text is expected."))
    text = str(raw).strip()
    if len(text) > spec.max_length:
        raise BadValue(
            _("At most %(limit)s characters; this has %(length)s.")
            % {"limit": spec.max_length, "length": len(text)}
        )
    return text


def _email(spec: FieldSpec, raw: Any) -> str:
    text = _text(spec, raw)
    if not _EMAIL.match(text):
        raise BadValue(_("An e-mail address has the form name@company.com."))
    return text


def _decimal(spec: FieldSpec, raw: Any) -> Decimal:
    if isinstance(raw, bool):
        raise BadValue(_("A number is expected."))
    try:
        number = (
            Decimal(str(raw).strip().replace(",", "").replace("，", ""))
            if not isinstance(raw, Decimal)
            else raw
        )
    except InvalidOperation:
        raise BadValue(_("A number is expected, such as 1200.50.")) from None
    if not number.is_finite() or abs(number) >= MAX_DIGITS:
        raise BadValue(_("The number is too large."))
    exponent = -2 if spec.type in (FieldType.MONEY, FieldType.PERCENT) else -6
    return number.quantize(Decimal(1).scaleb(exponent))


def _integer(spec: FieldSpec, raw: Any) -> int:
    number = _decimal(spec, raw)
    if number != number.to_integral_value():
        raise BadValue(_("A whole number is expected."))
    return int(number)


def _date(spec: FieldSpec, raw: Any) -> date:
    if isinstance(raw, datetime):
        return timezone.localdate(raw) if timezone.is_aware(raw) else raw.date()
    if isinstance(raw, date):
        return raw
    try:
        parsed = parse_date(str(raw).strip())
    except ValueError as error:
        raise BadValue(_("There is no such day: %(text)s.") % {"text": str(raw)[:40]}) from error
    if parsed is None:
        raise BadValue(_("A date is expected as YYYY-MM-DD."))
    return parsed


def _datetime(spec: FieldSpec, raw: Any) -> datetime:
    if isinstance(raw, datetime):
        parsed: datetime | None = raw
    else:
        try:
            parsed = parse_datetime(str(raw).strip())
        except ValueError:
            parsed = None
    if parsed is None:
        raise BadValue(_("A date and time is expected as YYYY-MM-DD HH:MM."))
    if timezone.is_naive(parsed):
        parsed = timezone.make_aware(parsed)
    try:
        return parsed.astimezone(UTC)
    except OverflowError:
        raise BadValue(_("The date is too far away.")) from None


def _boolean(spec: FieldSpec, raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    text = str(raw).strip().lower()
    if text in ("true", "1", "yes", "y", "on", "是", "真", "有"):
        return True
    if text in ("false", "0", "no", "n", "off", "否", "假", "无", "没有"):
        return False
    raise BadValue(_("Yes or no is expected."))


def _choice(spec: FieldSpec, raw: Any) -> str:
    text = str(raw).strip()
    for option in spec.options:
        if text == option.value or text.casefold() in {w.casefold() for w in option.label.values()}:
            return option.value
    raise BadValue(
        _("“%(value)s” is not one of: %(options)s.")
        % {"value": text[:60], "options": ", ".join(pick(o.label) for o in spec.options[:12])}
    )


def _multi_choice(spec: FieldSpec, raw: Any) -> list[str]:
    parts = raw if isinstance(raw, (list, tuple)) else re.split(r"[;；,，、\n]", str(raw))
    return sorted({_choice(spec, part) for part in parts if str(part).strip()})


def _reference(spec: FieldSpec, raw: Any) -> int:
    try:
        found = int(str(raw))
    except ValueError:
        found = 0
    if not 0 < found < 2**63:
        raise BadValue(_("A record is expected."))
    return found


_CLEANERS = {
    **dict.fromkeys(TEXTUAL, _text),
    FieldType.CHOICE: _choice,
    FieldType.EMAIL: _email,
    FieldType.INTEGER: _integer,
    FieldType.DECIMAL: _decimal,
    FieldType.MONEY: _decimal,
    FieldType.PERCENT: _decimal,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
    FieldType.BOOLEAN: _boolean,
    FieldType.MULTI_CHOICE: _multi_choice,
    FieldType.PERSON: _reference,
    FieldType.TEAM: _reference,
    FieldType.RECORD: _reference,
}


def to_json(value: Any) -> Any:
    """How a value stands in a JSON column or an event: numbers as text, so that no float touches an amount."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value


def from_json(spec: FieldSpec, stored: Any) -> Any:
    """The typed value that `to_json` wrote; what no longer fits the type is given back as stored."""
    if stored is None:
        return None
    try:
        if spec.type in (FieldType.DECIMAL, FieldType.MONEY, FieldType.PERCENT):
            return Decimal(str(stored))
        if spec.type == FieldType.INTEGER:
            return int(stored)
        if spec.type == FieldType.DATE:
            return date.fromisoformat(stored)
        if spec.type == FieldType.DATETIME:
            return datetime.fromisoformat(stored)
    except (ValueError, TypeError, InvalidOperation):
        return stored
    return stored
