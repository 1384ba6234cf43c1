"""Conditions: a small JSON tree over the field catalogue with three back ends that agree.

    {"all": [tree, …]} · {"any": [tree, …]} · {"not": tree} · {"field": key, "op": operator, "value": …}

`verdict` decides on a mapping of values, `narrow` filters a queryset, `words` says it in zh or en. A leaf on
an empty value is plainly false (true for "is empty", "is not", "is none of"); a leaf on a value that is not
there to be known makes the verdict None: unknown, and unknown never opens a gate. Trees are checked when they
are saved (`check`), bounded in depth and size, and hold no user code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import (
    BooleanField,
    Case,
    DecimalField,
    Expression,
    F,
    Model,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Lower, Trim
from django.utils import timezone
from django.utils.translation import gettext as _

from .catalogue import PLACEHOLDER_DATES, PLACEHOLDER_TEXTS, Catalogue, FieldSpec, pick
from .enums import NUMERIC, TEXTUAL, FieldType, Operator, operators_for
from .values import BadValue, clean

Tree = Mapping[str, Any]
M = TypeVar("M", bound=Model)

MAX_DEPTH = 5
MAX_LEAVES = 20
MAX_LIST = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a tree is refused: where in it (`all.0.value`) and what is wrong, in the active language."""

    path: str
    message: str


class ConditionError(ValueError):
    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{p.path}: {p.message}" for p in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Leaf:
    spec: FieldSpec
    op: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class Node:
    mode: str  # all, any, not
    parts: tuple[Compiled, ...]


Compiled = Leaf | Node


def compile_tree(tree: Tree, catalogue: Catalogue) -> Compiled:
    """The tree with fields looked up and values typed. Raises ConditionError with every problem and its path."""
    problems: list[Problem] = []
    leaves = [0]
    compiled = _compile(tree, catalogue, "", 1, problems, leaves)
    if leaves[0] > MAX_LEAVES:
        problems.append(Problem("", _("At most %(limit)s conditions in one tree.") % {"limit": MAX_LEAVES}))
    if problems or compiled is None:
        raise ConditionError(problems)
    return compiled


def check(tree: Tree, catalogue: Catalogue) -> list[Problem]:
    """Every problem of `tree`; empty when it may be saved."""
    try:
        compile_tree(tree, catalogue)
    except ConditionError as error:
        return list(error.problems)
    return []


def fields_of(tree: Compiled) -> frozenset[str]:
    if isinstance(tree, Leaf):
        return frozenset({tree.spec.key})
    return frozenset().union(*(fields_of(part) for part in tree.parts))


def _compile(
    tree: Any, catalogue: Catalogue, path: str, depth: int, problems: list[Problem], leaves: list[int]
) -> Compiled | None:
    def bad(message: str, at: str = "") -> None:
        problems.append(Problem(".".join(p for p in (path, at) if p), message))

    if depth > MAX_DEPTH:
        bad(_("Nested too deep: at most %(limit)s levels.") % {"limit": MAX_DEPTH})
        return None
    if not isinstance(tree, Mapping):
        bad(_("A condition is an object with all, any, not or field."))
        return None
    for mode in ("all", "any"):
        if mode in tree:
            parts = tree[mode]
            if set(tree) != {mode} or not isinstance(parts, (list, tuple)) or not parts:
                bad(
                    _("“%(mode)s” holds a list of at least one condition and nothing beside it.")
                    % {"mode": mode}
                )
                return None
            found = [
                _compile(p, catalogue, f"{path}.{mode}.{i}".lstrip("."), depth + 1, problems, leaves)
                for i, p in enumerate(parts[: MAX_LEAVES + 1])
            ]
            return Node(mode, tuple(p for p in found if p is not None))
    if "not" in tree:
        if set(tree) != {"not"}:
            bad(_("“not” stands alone."))
            return None
        inner = _compile(tree["not"], catalogue, f"{path}.not".lstrip("."), depth + 1, problems, leaves)
        return Node("not", (inner,)) if inner is not None else None
    leaves[0] += 1
    if unknown := set(tree) - {"field", "op", "value"}:
        bad(_("Unknown key “%(key)s”.") % {"key": sorted(map(str, unknown))[0]})
        return None
    spec = catalogue.get(str(tree.get("field", "")))
    if spec is None:
        bad(_("There is no field “%(field)s”.") % {"field": str(tree.get("field", ""))[:60]}, "field")
        return None
    if tree.get("op") not in Operator.values or Operator(tree["op"]) not in operators_for(spec.type):
        bad(
            _("“%(op)s” cannot be asked of “%(field)s”.")
            % {"op": str(tree.get("op"))[:40], "field": spec.name()},
            "op",
        )
        return None
    op = Operator(tree["op"])
    try:
        return Leaf(spec, op, _typed(spec, op, tree.get("value")))
    except BadValue as error:
        bad(str(error), "value")
        return None


def _typed(spec: FieldSpec, op: Operator, raw: Any) -> Any:
    if op in (Operator.PRESENT, Operator.ABSENT):
        return None
    if op in (Operator.OLDER_THAN, Operator.WITHIN):
        if (
            isinstance(raw, bool)
            or not isinstance(raw, (int, str))
            or not str(raw).isdigit()
            or int(raw) > 36500
        ):
            raise BadValue(_("A number of days is expected."))
        return int(raw)
    if op in (Operator.IN, Operator.NOT_IN):
        if not isinstance(raw, (list, tuple)) or not 0 < len(raw) <= MAX_LIST:
            raise BadValue(_("A list of one to %(limit)s values is expected.") % {"limit": MAX_LIST})
        return tuple(_needed(spec, item) for item in raw)
    if op == Operator.CONTAINS and spec.type != FieldType.MULTI_CHOICE:
        text = str(raw or "").strip()
        if not text or len(text) > 100:
            raise BadValue(_("One to 100 characters are expected."))
        return text
    if op == Operator.CONTAINS:
        value = _needed(spec, raw)
        if len(value) != 1:
            raise BadValue(_("One choice is expected."))
        return value[0]
    return _needed(spec, raw)


def _needed(spec: FieldSpec, raw: Any) -> Any:
    value = clean(spec, raw)
    if value is None:
        raise BadValue(_("A value is expected."))
    return value


# --- back end one: a verdict ----------------------------------------------------------------------------


def verdict(tree: Compiled, values: Mapping[str, Any], *, now: datetime) -> bool | None:
    """True, False, or None where a needed value is not known. Kleene's logic over all, any, not."""
    if isinstance(tree, Leaf):
        if tree.spec.key not in values:
            return None
        return holds(tree.spec, tree.op, values[tree.spec.key], tree.value, now=now)
    if tree.mode == "not":
        inner = verdict(tree.parts[0], values, now=now)
        return None if inner is None else not inner
    decisive = tree.mode == "any"
    unknown = False
    for part in tree.parts:
        result = verdict(part, values, now=now)
        if result is decisive:
            return decisive
        unknown = unknown or result is None
    return None if unknown else not decisive


def holds(spec: FieldSpec, op: Operator, seen: Any, wanted: Any, *, now: datetime) -> bool:
    """Whether one leaf is true of the value `seen` (None or "" is empty)."""
    empty = seen is None or seen == "" or seen == []
    if op == Operator.PRESENT:
        return spec.is_filled(seen)
    if op == Operator.ABSENT:
        return not spec.is_filled(seen)
    if op == Operator.NE:
        return empty or bool(seen != wanted)
    if op == Operator.NOT_IN:
        return empty or seen not in wanted
    if empty:
        return False
    if op == Operator.EQ:
        return bool(seen == wanted)
    if op == Operator.IN:
        return seen in wanted
    if op == Operator.CONTAINS:
        return wanted in seen if spec.type == FieldType.MULTI_CHOICE else _lower(wanted) in _lower(str(seen))
    if op in (Operator.OLDER_THAN, Operator.WITHIN):
        return _in_time(spec, op, seen, wanted, now)
    if op == Operator.GT:
        return bool(seen > wanted)
    if op == Operator.GTE:
        return bool(seen >= wanted)
    if op == Operator.LT:
        return bool(seen < wanted)
    return bool(seen <= wanted)


_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def _lower(text: str) -> str:
    """Lower case of A–Z alone: what every engine's LOWER agrees on."""
    return text.translate(_ASCII_LOWER)


def _in_time(spec: FieldSpec, op: Operator, seen: Any, days: int, now: datetime) -> bool:
    day = timezone.localdate(seen) if isinstance(seen, datetime) else seen
    low, high = _window(op, days, now)
    return (low is None or day >= low) and (high is None or day <= high)


def _window(op: Operator, days: int, now: datetime) -> tuple[date | None, date | None]:
    """Inclusive days: "older than n days" ends before today − n; "within n days" is today to today + n."""
    today = timezone.localdate(now)
    if op == Operator.OLDER_THAN:
        return None, today - timedelta(days=days + 1)
    return today, today + timedelta(days=days)


# --- back end two: a filter -----------------------------------------------------------------------------


def narrow(queryset: QuerySet[M], tree: Compiled, *, now: datetime, prefix: str = "") -> QuerySet[M]:
    """Rows of `queryset` of which the tree is true. `prefix` is the ORM path to the subject ("opportunity__")."""
    builder = _Filter(now, prefix)
    condition = builder.build(tree)
    narrowed: QuerySet[M] = queryset.alias(**builder.aliases).filter(condition)
    return narrowed


#: Operators that a column answers as they are.
PLAIN_LOOKUPS = {
    Operator.EQ: "",
    Operator.IN: "__in",
    Operator.GT: "__gt",
    Operator.GTE: "__gte",
    Operator.LT: "__lt",
    Operator.LTE: "__lte",
}


def narrowed(rows: QuerySet[M], tree: Compiled, *, at: datetime) -> QuerySet[M]:
    """Rows of which the tree is true. Plain conditions that all must hold go to the database as they are, so
    that an index can serve them; the rest goes through `narrow`, which means the same."""
    parts = tree.parts if isinstance(tree, Node) and tree.mode == "all" else (tree,)
    rest = []
    for part in parts:
        if (
            isinstance(part, Leaf)
            and not part.spec.custom
            and part.op in PLAIN_LOOKUPS
            and part.spec.type != FieldType.MULTI_CHOICE
        ):
            value = list(part.value) if isinstance(part.value, tuple) else part.value
            rows = rows.filter(**{f"{part.spec.path or part.spec.key}{PLAIN_LOOKUPS[part.op]}": value})
        else:
            rest.append(part)
    return narrow(rows, Node("all", tuple(rest)), now=at) if rest else rows


class _Filter:
    def __init__(self, now: datetime, prefix: str) -> None:
        self.now, self.prefix = now, prefix
        self.aliases: dict[str, Any] = {}

    def build(self, tree: Compiled) -> Q:
        if isinstance(tree, Node):
            built = [self.build(part) for part in tree.parts]
            if tree.mode == "not":
                return ~self._flag(built[0])
            combined = Q()
            for part in built:
                combined = combined & part if tree.mode == "all" else combined | part
            return combined
        # Each leaf is a definite true or false, so that "not" over it never meets SQL's NULL.
        return self._flag(self._leaf(tree))

    def _flag(self, condition: Q) -> Q:
        name = f"_condition_{len(self.aliases)}"
        self.aliases[name] = Case(
            When(condition, then=Value(True)), default=Value(False), output_field=BooleanField()
        )
        return Q(**{name: True})

    def _leaf(self, leaf: Leaf) -> Q:
        spec, op, value = leaf.spec, leaf.op, leaf.value
        path = self._path(spec)
        if op in (Operator.PRESENT, Operator.ABSENT):
            filled = self._filled(spec, path)
            return filled if op == Operator.PRESENT else ~self._flag(filled)
        if op == Operator.NE:
            return ~self._flag(Q(**{path: value}))
        if op == Operator.NOT_IN:
            return ~self._flag(Q(**{f"{path}__in": list(value)}))
        if op == Operator.EQ:
            return Q(**{path: value})
        if op == Operator.IN:
            return Q(**{f"{path}__in": list(value)})
        if op == Operator.CONTAINS:
            if spec.type == FieldType.MULTI_CHOICE:
                return Q(**{f"{path}__contains": f'"{value}"'})
            return Q(**{f"{self._lowered(spec, path)}__contains": _lower(value)})
        if op in (Operator.OLDER_THAN, Operator.WITHIN):
            return self._time(spec, path, op, value)
        return Q(**{f"{path}__{op}": value})

    def _time(self, spec: FieldSpec, path: str, op: Operator, days: int) -> Q:
        low, high = _window(op, days, self.now)
        condition = Q(**{f"{path}__isnull": False})
        if spec.type == FieldType.DATETIME:
            zone = timezone.get_current_timezone()
            if low is not None:
                condition &= Q(**{f"{path}__gte": self._instant(spec, datetime.combine(low, time.min, zone))})
            if high is not None:
                end = datetime.combine(high + timedelta(days=1), time.min, zone)
                condition &= Q(**{f"{path}__lt": self._instant(spec, end)})
            return condition
        if low is not None:
            condition &= Q(**{f"{path}__gte": low.isoformat() if spec.custom else low})
        if high is not None:
            condition &= Q(**{f"{path}__lte": high.isoformat() if spec.custom else high})
        return condition

    def _instant(self, spec: FieldSpec, at: datetime) -> Any:
        return at.astimezone(UTC).isoformat() if spec.custom else at

    def _path(self, spec: FieldSpec) -> str:
        if not spec.custom:
            return f"{self.prefix}{spec.path or spec.key}"
        name = f"_custom_{spec.key}"
        if name not in self.aliases:
            self.aliases[name] = custom_expression(spec, f"{self.prefix}custom")
        return name

    def _lowered(self, spec: FieldSpec, path: str) -> str:
        name = f"_lower_{len(self.aliases)}"
        self.aliases[name] = Lower(F(path), output_field=TextField())
        return name

    def _filled(self, spec: FieldSpec, path: str) -> Q:
        condition = Q(**{f"{path}__isnull": False})
        if spec.type in TEXTUAL:
            name = f"_trim_{len(self.aliases)}"
            self.aliases[name] = Lower(Trim(F(path)), output_field=TextField())
            return condition & ~Q(**{f"{name}__in": ["", *sorted(PLACEHOLDER_TEXTS)]})
        if spec.type in NUMERIC and spec.zero_is_placeholder:
            return condition & ~Q(**{path: 0})
        if spec.type == FieldType.DATE:
            days = [d.isoformat() for d in PLACEHOLDER_DATES] if spec.custom else list(PLACEHOLDER_DATES)
            return condition & ~Q(**{f"{path}__in": days})
        if spec.type == FieldType.DATETIME and not spec.custom:
            return condition & ~Q(**{f"{path}__date__in": list(PLACEHOLDER_DATES)})
        if spec.type == FieldType.MULTI_CHOICE:
            return condition & ~Q(**{path: "[]"})
        return condition


def custom_expression(spec: FieldSpec, column: str) -> Expression | KeyTextTransform:
    """A custom field as an SQL expression of its own type, the same on both engines."""
    text = KeyTextTransform(spec.key, column)
    if spec.type in NUMERIC:
        return Cast(text, DecimalField(max_digits=24, decimal_places=6))
    if spec.type == FieldType.BOOLEAN:
        return Case(
            When(**{f"{column}__{spec.key}": True}, then=Value(True)),
            When(**{f"{column}__{spec.key}": False}, then=Value(False)),
            default=None,
            output_field=BooleanField(null=True),
        )
    if spec.type == FieldType.MULTI_CHOICE:
        return Cast(KeyTransform(spec.key, column), TextField())
    if spec.type in (FieldType.PERSON, FieldType.TEAM, FieldType.RECORD):
        return Cast(text, DecimalField(max_digits=20, decimal_places=0))
    return Cast(text, TextField())


# --- back end three: words ------------------------------------------------------------------------------


def words(tree: Compiled, *, language: str | None = None) -> str:
    """The condition as a sentence part in the active language: “amount is at least 500,000”."""
    if isinstance(tree, Leaf):
        return leaf_words(tree)
    parts = [words(p, language=language) for p in tree.parts]
    if tree.mode == "not":
        return _("not (%(condition)s)") % {"condition": parts[0]}
    joint = _(" and ") if tree.mode == "all" else _(" or ")
    nested = [
        f"({w})" if isinstance(p, Node) and len(p.parts) > 1 else w
        for p, w in zip(tree.parts, parts, strict=True)
    ]
    return joint.join(nested)


def leaf_words(leaf: Leaf) -> str:
    name = leaf.spec.name()
    if leaf.op in (Operator.PRESENT, Operator.ABSENT):
        return f"{name} {leaf.op.label}"
    if leaf.op == Operator.OLDER_THAN:
        return _("%(field)s is more than %(days)s days ago") % {"field": name, "days": leaf.value}
    if leaf.op == Operator.WITHIN:
        return _("%(field)s is within %(days)s days from now") % {"field": name, "days": leaf.value}
    if leaf.op == Operator.EQ and isinstance(leaf.value, bool):
        return _("%(field)s: %(answer)s") % {"field": name, "answer": value_words(leaf.spec, leaf.value)}
    said = f"{name} {_SIGNS.get(leaf.op) or leaf.op.label} {value_words(leaf.spec, leaf.value)}"
    return f"{said} {leaf.spec.unit_name}" if leaf.spec.unit and leaf.spec.type in NUMERIC else said


_SIGNS = {Operator.GT: ">", Operator.GTE: "≥", Operator.LT: "<", Operator.LTE: "≤"}


def value_words(spec: FieldSpec, value: Any) -> str:
    """A value as a person reads it."""
    if value is None or value == "" or value == []:
        return "—"
    if isinstance(value, (list, tuple)):
        return _(", ").join(value_words(spec, item) for item in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if spec.type in (FieldType.CHOICE, FieldType.MULTI_CHOICE) and (option := spec.option(str(value))):
        return pick(option.label)
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (Decimal, int)):
        text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)
