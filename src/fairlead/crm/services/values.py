"""Values on their way into a record: typed, within what the column holds, pointing at what the person sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from fairlead.fields.catalogue import FieldSpec
from fairlead.fields.enums import NUMERIC, REFERENCE, FieldType
from fairlead.fields.values import BadValue, clean, from_json, to_json
from fairlead.organisation.models import Team, User

from ..models import Account, Contact, Opportunity, Product, Segment

MODELS: Mapping[str, Any] = {
    "segment": Segment,
    "account": Account,
    "contact": Contact,
    "opportunity": Opportunity,
}
# What the constraints of the tables ask for, beside the width of a column.
LIMITS: Mapping[str, tuple[int | None, int | None]] = {
    "amount": (0, None),
    "annual_revenue": (0, None),
    "market_size": (0, None),
    "margin": (None, 100),
    "employees": (0, None),
}


def error_of(spec: FieldSpec, message: str, row: int | None = None) -> dict[str, str]:
    where = _("Row %(row)s, %(field)s: ") % {"row": row, "field": spec.name()} if row else ""
    return {"field": spec.key, "message": f"{where}{message}"}


def clean_values(
    fields: Any,
    raw: Mapping[str, Any],
    *,
    by: User | None,
    errors: list[dict[str, str]],
    row: int | None = None,
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in raw.items():
        spec = fields.get(key)
        if spec is None or (by is not None and not spec.writable_by(by)) or not spec.settable:
            errors.append({"field": key, "message": _("This field is not here to be set.")})
            continue
        try:
            values[key] = _fitting(fields.subject_type, spec, clean(spec, value))
        except BadValue as error:
            errors.append(error_of(spec, str(error), row))
    return values


def _fitting(kind: str, spec: FieldSpec, value: Any) -> Any:
    """What its column can hold: the limits of the database as an answer instead of an error. Raises BadValue."""
    if value is None or spec.custom or spec.type not in NUMERIC or not isinstance(value, int | Decimal):
        return value
    column = MODELS[kind]._meta.get_field(spec.path or spec.key)
    if isinstance(column, models.DecimalField):
        step = Decimal(1).scaleb(-column.decimal_places)
        most = Decimal(10) ** (column.max_digits - column.decimal_places) - step
    else:
        most = Decimal(2**31 - 1)
    lowest, highest = LIMITS.get(spec.key, (None, None))
    low = -most if lowest is None else Decimal(lowest)
    high = most if highest is None else Decimal(highest)
    if not low <= value <= high:
        raise BadValue(
            _("The number lies outside of what is possible here: %(low)s to %(high)s.")
            % {"low": f"{low:,}", "high": f"{high:,}"}
        )
    return value


_TARGETS = {"account": Account, "contact": Contact, "segment": Segment}


def unreachable(rows: Sequence[Mapping[str, Any]], fields: Any, by: User) -> list[dict[str, str]]:
    """References to records that the person cannot see are refused as if they were not there (T05).

    `rows` hold typed values: what was written as “+12” has become the number that it stands for.
    """
    errors = []
    for spec in fields:
        if spec.type not in REFERENCE:
            continue
        ids = {v for row in rows if (v := row.get(spec.key)) is not None}
        if not ids:
            continue
        if spec.target == "product":
            found = set(Product.objects.filter(pk__in=ids).values_list("pk", flat=True))
        elif spec.target in _TARGETS:
            rows_of: Any = _TARGETS[spec.target]
            found = set(rows_of.objects.visible_to(by).filter(pk__in=ids).values_list("pk", flat=True))
        elif spec.type == FieldType.TEAM:
            found = set(Team.objects.filter(pk__in=ids, is_active=True).values_list("pk", flat=True))
        else:
            found = set(User.objects.filter(pk__in=ids, is_active=True).values_list("pk", flat=True))
        if ids - found:
            errors.append(error_of(spec, _("There is no such record. Choose one from the list.")))
    return errors


def taken_codes(fields: Any, codes: Sequence[str], *, but: int | None = None) -> list[dict[str, str]]:
    """Credit codes name one company each."""
    given = [code for code in codes if code]
    if not given:
        return []
    taken = set(
        Account._default_manager.filter(uscc__in=given).exclude(pk=but).values_list("uscc", flat=True)
    )
    twice = {code for code in given if given.count(code) > 1} if len(given) > len(set(given)) else set()
    return [
        error_of(fields["uscc"], _("Another account has the credit code %(code)s.") % {"code": code})
        for code in sorted(taken | twice)
    ]


def assign(row: Any, fields: Any, values: Mapping[str, Any]) -> None:
    custom = dict(row.custom or {})
    for key, value in values.items():
        spec = fields[key]
        if spec.custom:
            if value is None:
                custom.pop(key, None)
            else:
                custom[key] = to_json(value)
        elif spec.type in REFERENCE:
            setattr(row, spec.path, value)
        else:
            model: type[models.Model] = type(row)
            attribute, empty = _column(model, spec.path or key)
            setattr(row, attribute, empty() if value is None else value)
    row.custom = custom


@lru_cache(maxsize=256)
def _column(model: type[models.Model], name: str) -> tuple[str, Callable[[], Any]]:
    """The attribute that holds a field, and what it holds when nothing is said."""
    column: Any = model._meta.get_field(name)
    return column.attname, (lambda: None) if column.null else column.get_default


def value_of(row: models.Model, spec: FieldSpec) -> Any:
    """The typed value of a field of `row`; None for empty text as well."""
    if spec.custom:
        stored = row.custom.get(spec.key)  # type: ignore[attr-defined]
        return None if stored is None else from_json(spec, stored)
    value: Any = row
    for part in (spec.path or spec.key).split("__"):
        value = getattr(value, part, None) if value is not None else None
    return None if value == "" and spec.type != FieldType.BOOLEAN else value


def conflicts(row: Any, fields: Any, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Both sides of each field, so that nothing typed is lost (U09, U34)."""
    return [
        {"field": key, "yours": to_json(value), "theirs": to_json(value_of(row, fields[key]))}
        for key, value in wanted.items()
        if value_of(row, fields[key]) != value
    ]


def payload_of(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: to_json(value) for key, value in values.items()}
