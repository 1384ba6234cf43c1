"""Approvals in words: levers, rows of the matrix, what is prohibited, values with their direction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import Catalogue, FieldSpec, pick
from fairlead.fields.conditions import words as condition_words
from fairlead.organisation.enums import Role

from .approval_enums import Direction, Lever, Resolver
from .approval_policy import Approver, MatrixRow
from .definition import Definition
from .facts import Bound
from .roles import role_name


def lever_names(params: Mapping[str, Any]) -> str:
    return _(", ").join(str(Lever(key).label) for key in params.get("levers", ()) if key in Lever.values)


def row_name(row: MatrixRow) -> str:
    """The name that the document gives, or else the condition in words."""
    if row.name:
        return pick(row.name)
    return condition_words(row.when) if row.when is not None else str(Lever(row.lever).label)


def row_names(params: Mapping[str, Any], definition: Definition) -> str:
    kind = definition.approvals.kinds.get(params.get("approval", ""))
    found = [row for key in params.get("rows", ()) if kind and (row := kind.row(key))]
    return _(", ").join(row_name(row) for row in found)


def prohibited_names(params: Mapping[str, Any], definition: Definition) -> str:
    kind = definition.approvals.kinds.get(params.get("approval", ""))
    wanted = params.get("prohibited", ())
    return _(", ").join(pick(one.name) for one in (kind.prohibited if kind else ()) if one.key in wanted)


def kind_name(definition: Definition, key: str) -> str:
    kind = definition.approvals.kinds.get(key)
    return pick(kind.name) if kind else key


def approver_name(approver: Approver, definition: Definition) -> str:
    match approver.kind:
        case Resolver.LINE:
            if approver.value == 1:
                return _("direct manager")
            return _("manager %(level)s levels up") % {"level": approver.value}
        case Resolver.COMMITTEE:
            committee = definition.approvals.committees.get(str(approver.value))
            return pick(committee.name) if committee else str(approver.value)
        case Resolver.PERSON:
            return str(approver.value)
    role = str(approver.value)
    return str(Role(role).label) if approver.kind == Resolver.ROLE else role_name(role)


def bound_text(bound: Bound, catalogue: Catalogue) -> str:
    """One bound value, such as “Discount ≤ 12 %”."""
    spec = catalogue.get(bound.field)
    sign = {Direction.AT_MOST: "≤", Direction.AT_LEAST: "≥", Direction.SUBSET: "⊆", Direction.EQUAL: "="}
    name = spec.name() if spec else bound.field
    return f"{name} {sign[Direction(bound.direction)]} {value_text(bound.value, spec)}"


def value_text(value: Any, spec: FieldSpec | None) -> str:
    if value is None or value == "" or value == []:
        return "—"
    if isinstance(value, list):
        return _(", ").join(value_text(v, spec) for v in value)
    if spec is not None and spec.options:
        option = spec.option(str(value))
        return pick(option.label) if option else str(value)
    text = str(value)
    try:
        text = f"{Decimal(text).normalize():,f}"
    except InvalidOperation:
        return text
    return f"{text} {spec.unit_name}" if spec is not None and spec.unit else text


def bounds_text(bounds: Iterable[Bound], catalogue: Catalogue) -> str:
    return _(", ").join(bound_text(bound, catalogue) for bound in bounds)
