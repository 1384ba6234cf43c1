"""Whether the rows of a matrix leave questions open: two of one tier that may hold at once, values that no row decides
about (PD-3). Pure: over conditions as trees.

A condition is read as boxes, one for each way to make it true; a box says of some fields which values they may have.
What is not a plain comparison says nothing, so that two rows that cannot be told apart count as overlapping.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fairlead.fields.conditions import Compiled, Leaf
from fairlead.fields.enums import NUMERIC, FieldType, Operator

from .approval_enums import Direction
from .approval_policy import Bind, MatrixRow

MOST_BOXES = 64
_LOW, _HIGH = Decimal("-Infinity"), Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers from `low` to `high`; `low_in`, `high_in`: themselves too."""

    low: Decimal = _LOW
    high: Decimal = _HIGH
    low_in: bool = False
    high_in: bool = False

    def meets(self, other: Span) -> Span | None:
        low, low_in = max((self.low, not self.low_in), (other.low, not other.low_in))
        high, high_in = min((self.high, self.high_in), (other.high, other.high_in))
        found = Span(low, high, not low_in, high_in)
        return None if low > high or (low == high and not (found.low_in and found.high_in)) else found


Allowed = Span | frozenset[Any]
Box = Mapping[str, Allowed]


def overlap(rows: Sequence[MatrixRow]) -> Iterator[tuple[MatrixRow, MatrixRow]]:
    """Pairs of rows of the same lever and tier that may hold for the same values."""
    for i, one in enumerate(rows):
        for other in rows[i + 1 :]:
            if (one.lever, one.tier) == (other.lever, other.tier) and _may_both_hold(one.when, other.when):
                yield one, other


def _may_both_hold(one: Compiled | None, other: Compiled | None) -> bool:
    return any(_join(a, b) is not None for a in boxes(one) for b in boxes(other))


def boxes(tree: Compiled | None) -> list[Box]:
    if tree is None:
        return [{}]
    if isinstance(tree, Leaf):
        allowed = _allowed(tree)
        return [{}] if allowed is None else [{tree.spec.key: allowed}]
    if tree.mode == "not":
        return [{}]
    parts = [boxes(part) for part in tree.parts]
    if tree.mode == "any":
        found = [box for part in parts for box in part]
    else:
        found = [{}]
        for part in parts:
            found = [joined for a in found for b in part if (joined := _join(a, b)) is not None]
            if len(found) > MOST_BOXES:
                return [{}]
    return found if len(found) <= MOST_BOXES else [{}]


def _allowed(leaf: Leaf) -> Allowed | None:
    if leaf.spec.type in NUMERIC:
        match leaf.op:
            case Operator.GT:
                return Span(low=Decimal(leaf.value))
            case Operator.GTE:
                return Span(low=Decimal(leaf.value), low_in=True)
            case Operator.LT:
                return Span(high=Decimal(leaf.value))
            case Operator.LTE:
                return Span(high=Decimal(leaf.value), high_in=True)
            case Operator.EQ:
                return Span(Decimal(leaf.value), Decimal(leaf.value), True, True)
        return None
    if leaf.op == Operator.EQ and leaf.spec.type != FieldType.LONG_TEXT:
        return frozenset({leaf.value})
    if leaf.op == Operator.IN:
        return frozenset(leaf.value)
    return None


def _join(one: Box, other: Box) -> Box | None:
    """Both at once; None where they contradict each other."""
    found = dict(one)
    for field, allowed in other.items():
        held = found.get(field)
        if held is None:
            found[field] = allowed
            continue
        both = _meet(held, allowed)
        if both is None:
            return None
        found[field] = both
    return found


def _meet(one: Allowed, other: Allowed) -> Allowed | None:
    if isinstance(one, Span) and isinstance(other, Span):
        return one.meets(other)
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        return one & other or None
    return one


def holes(rows: Sequence[MatrixRow], binds: Sequence[Bind]) -> Iterator[tuple[MatrixRow, str]]:
    """Values of a bound number between two rows of its lever, or beyond the last on the bad side, that no row covers."""
    for bind in binds:
        if bind.direction not in (Direction.AT_MOST, Direction.AT_LEAST) or bind.spec.type not in NUMERIC:
            continue
        key = bind.spec.key
        spans: list[tuple[Span, MatrixRow]] = []
        covers_all = False
        for row in rows:
            if row.lever != bind.lever:
                continue
            for box in boxes(row.when):
                span = box.get(key)
                covers_all = covers_all or not box
                if isinstance(span, Span) and len(box) == 1:
                    spans.append((span, row))
        if spans and not covers_all:
            yield from _gaps(
                bind.spec.name(), sorted(spans, key=lambda s: (s[0].low, not s[0].low_in)), bind.direction
            )


def _gaps(
    field: str, spans: Sequence[tuple[Span, MatrixRow]], direction: Direction
) -> Iterator[tuple[MatrixRow, str]]:
    top, row = spans[0]
    if direction == Direction.AT_LEAST and top.low != _LOW:
        yield row, f"{field} {'<' if top.low_in else '≤'} {_plain(top.low)}"
    for span, this in spans[1:]:
        touches = span.low < top.high or (span.low == top.high and (span.low_in or top.high_in))
        if not touches:
            left, right = ("<" if top.high_in else "≤"), ("<" if span.low_in else "≤")
            yield this, f"{_plain(top.high)} {left} {field} {right} {_plain(span.low)}"
        if (span.high, span.high_in) > (top.high, top.high_in):
            top, row = span, this
    if direction == Direction.AT_MOST and top.high != _HIGH:
        yield row, f"{field} {'>' if top.high_in else '≥'} {_plain(top.high)}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():,f}"
