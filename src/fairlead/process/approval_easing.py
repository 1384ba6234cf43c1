"""The change that would need nobody: “down to 8 % and no approval is needed”. Pure, from the conditions of the rows.

Only what the process binds is changed, and only in the direction that concedes less; the nearest value wins. What is
proposed was tried on the whole matrix, so that one row is not left by falling into another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import product
from typing import Any

from fairlead.fields.catalogue import FieldSpec
from fairlead.fields.conditions import Compiled, Leaf
from fairlead.fields.enums import NUMERIC, FieldType

from .approval_enums import Direction, Lever
from .approval_policy import ApprovalKind, Asked, Bind, MatrixRow, asked_of

MOST_TRIES = 200


@dataclass(frozen=True, slots=True)
class Change:
    """A bound value and what it would be instead."""

    spec: FieldSpec
    direction: Direction
    value: Any


def eases(kind: ApprovalKind, fields: Mapping[str, Any], *, at: datetime) -> tuple[Change, ...]:
    """The fewest and smallest changes after which no row fires; empty where none are needed, or none are enough."""
    before = asked_of(kind, fields, at=at)
    if not before.lanes and not before.prohibited:
        return ()
    ways = [found for lever in _levers(kind, before) if (found := _ways(kind, lever, fields, at))]
    if len(ways) < len(before.lanes):
        return ()
    for tried, choice in enumerate(product(*ways)):
        if tried == MOST_TRIES:
            break
        changed = {**fields, **{change.spec.key: change.value for change in choice}}
        after = asked_of(kind, changed, at=at)
        if not after.lanes and not after.prohibited and not after.is_unknown:
            unique = {change.spec.key: change for change in choice}
            return tuple(unique.values())
    return ()


def _levers(kind: ApprovalKind, asked: Asked) -> Iterator[str]:
    yield from asked.lanes
    if asked.prohibited and not asked.lanes:
        yield from dict.fromkeys(bind.lever for bind in kind.binds)


def _ways(kind: ApprovalKind, lever: str, fields: Mapping[str, Any], at: datetime) -> list[Change]:
    """Changes of one value after which no row of the lever fires, the nearest of each field, numbers first."""
    rows = [row for row in kind.rows if row.lever == lever]
    found = []
    for bind in _binds(kind, lever):
        for value in _nearer(bind, rows, kind, fields):
            after = asked_of(kind, {**fields, bind.spec.key: value}, at=at)
            if lever not in after.lanes and not after.is_unknown:
                found.append(Change(bind.spec, bind.direction, value))
                break
    return found


def _binds(kind: ApprovalKind, lever: str) -> list[Bind]:
    own = [b for b in kind.binds if b.lever == lever or lever == Lever.DECISION]
    return sorted(own, key=lambda b: b.direction == Direction.SUBSET)


def _nearer(
    bind: Bind, rows: Iterable[MatrixRow], kind: ApprovalKind, fields: Mapping[str, Any]
) -> list[Any]:
    """Values on the good side of the one of now, the nearest first. An equal value has no better side."""
    now = fields.get(bind.spec.key)
    trees = [row.when for row in rows if row.when is not None] + [one.when for one in kind.prohibited]
    leaves = [leaf for tree in trees for leaf in _leaves(tree) if leaf.spec.key == bind.spec.key]
    if bind.direction == Direction.SUBSET:
        return _fewer(now, leaves)
    if bind.spec.type not in NUMERIC or bind.direction == Direction.EQUAL or now is None:
        return []
    step = 1 if bind.spec.type == FieldType.INTEGER else Decimal("0.01")
    edges = {edge for leaf in leaves if _is_number(leaf.value) for edge in _around(leaf.value, step)}
    if bind.direction == Direction.AT_MOST:
        return sorted((e for e in edges if e < now and e >= 0), reverse=True)
    return sorted(e for e in edges if e > now)


def _around(value: Any, step: Any) -> tuple[Any, Any, Any]:
    return value - step, value, value + step


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _fewer(now: Any, leaves: Iterable[Leaf]) -> list[Any]:
    """Without one of the choices that the rows name, without all of them, without any."""
    held = list(now or ())
    named = set()
    for leaf in leaves:
        named |= set(leaf.value) if isinstance(leaf.value, (list, tuple, set, frozenset)) else {leaf.value}
    single = [[v for v in held if v != gone] for gone in held if gone in named]
    return [*single, [v for v in held if v not in named], []] if held else []


def _leaves(tree: Compiled) -> Iterator[Leaf]:
    if isinstance(tree, Leaf):
        yield tree
        return
    for part in tree.parts:
        yield from _leaves(part)
