"""Approvals in words: levers, rows of the matrix, what is prohibited, values with their direction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import Catalogue, FieldSpec, pick
from fairlead.fields.conditions import words as condition_words
from fairlead.organisation.enums import Role

from .approval_enums import ApprovalMode, Direction, Lever, Resolver
from .approval_policy import ApprovalKind, Approver, Bind, MatrixRow
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


def approver_name(approver: Approver, definition: Definition, people: Mapping[str, str] | None = None) -> str:
    """`people`: user name → the name that is read."""
    match approver.kind:
        case Resolver.LINE:
            if approver.value == 1:
                return _("direct manager")
            return _("manager %(level)s levels up") % {"level": approver.value}
        case Resolver.COMMITTEE:
            committee = definition.approvals.committees.get(str(approver.value))
            return pick(committee.name) if committee else str(approver.value)
        case Resolver.PERSON:
            return (people or {}).get(str(approver.value), str(approver.value))
    role = str(approver.value)
    return str(Role(role).label) if approver.kind == Resolver.ROLE else role_name(role)


def row_asks(row: MatrixRow, definition: Definition, people: Mapping[str, str] | None = None) -> str:
    """Who decides and how their votes count: “direct manager, Finance (all of them)”."""
    text = _(", ").join(approver_name(a, definition, people) for a in row.approvers)
    several = len(row.approvers) > 1 or any(a.kind == Resolver.COMMITTEE for a in row.approvers)
    if not several:
        return text
    if row.mode == ApprovalMode.K_OF_N:
        return _("%(who)s (%(k)s of them)") % {"who": text, "k": row.k}
    return _("%(who)s (%(mode)s)") % {"who": text, "mode": str(row.mode.label).lower()}


def row_sentence(row: MatrixRow, definition: Definition, people: Mapping[str, str] | None = None) -> str:
    who = row_asks(row, definition, people)
    if row.when is None:
        return _("In any case: %(who)s") % {"who": who}
    return _("If %(condition)s: %(asks)s") % {"condition": condition_words(row.when), "asks": who}


def kind_sentence(kind: ApprovalKind, definition: Definition) -> str:
    """The matrix of an approval in one breath, with what is left to nobody."""
    parts = [row_sentence(row, definition) for row in kind.rows]
    if parts and all(row.when is not None for row in kind.rows):
        parts.append(_("otherwise nobody is asked"))
    return _("; ").join(parts)


def bind_sentence(bind: Bind) -> str:
    """What asks again, such as “Discount: a higher value asks again”."""
    return {
        Direction.AT_MOST: _("%(field)s: a higher value asks again"),
        Direction.AT_LEAST: _("%(field)s: a lower value asks again"),
        Direction.SUBSET: _("%(field)s: a further choice asks again"),
        Direction.EQUAL: _("%(field)s: any other value asks again"),
    }[bind.direction] % {"field": bind.spec.name()}


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
