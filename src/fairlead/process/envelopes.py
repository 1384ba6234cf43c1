"""The envelope of an approval: values with the direction in which they may move (AP-3, AP-4). Pure, no I/O.

It is absolute: ten cuts of 1 % leave it where one of 10 % does. What is inside needs nothing; what is outside touches
only the levers whose value moved the wrong way; a value bound exactly is left by any change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from fairlead.fields.enums import FieldType
from fairlead.fields.values import to_json

from .approval_enums import Direction, Lever
from .approval_policy import ApprovalKind, Asked, asked_of
from .facts import ApprovalFact, Bound

CURRENCY = "currency"


def envelope(kind: ApprovalKind, fields: Mapping[str, Any]) -> tuple[Bound, ...]:
    """The values as they stand now, bound. An amount binds its currency too: 100 of another is another amount."""
    found = [Bound(b.lever, b.spec.key, b.direction, _plain(fields.get(b.spec.key))) for b in kind.binds]
    named = {(b.lever, b.field) for b in found}
    for bind in kind.binds:
        if bind.spec.type == FieldType.MONEY and CURRENCY in fields and (bind.lever, CURRENCY) not in named:
            named.add((bind.lever, CURRENCY))
            found.append(Bound(bind.lever, CURRENCY, Direction.EQUAL, _plain(fields[CURRENCY])))
    return tuple(found)


def holds(bound: Bound, fields: Mapping[str, Any]) -> bool | None:
    """Whether a value is still inside; None where it cannot be read. A value that has gone is outside."""
    if bound.field not in fields:
        return None
    now, then = fields[bound.field], bound.value
    if bound.direction == Direction.SUBSET:
        return set(now or ()) <= set(then or ())
    if now is None or then is None or now == "":
        return _plain(now) in (then, None) and then in (None, "")
    if bound.direction == Direction.EQUAL:
        return _same(now, then)
    one, other = _comparable(now, then)
    return one <= other if bound.direction == Direction.AT_MOST else one >= other


def left(bounds: Iterable[Bound], fields: Mapping[str, Any]) -> frozenset[str]:
    """The levers of which a value is outside."""
    return frozenset(b.lever for b in bounds if holds(b, fields) is False)


def moved(bounds: Iterable[Bound], fields: Mapping[str, Any]) -> tuple[Bound, ...]:
    """The bounds that do not hold any more."""
    return tuple(b for b in bounds if holds(b, fields) is False)


class Cover(StrEnum):
    """How far the approvals of a kind cover the values of now."""

    NOT_NEEDED = "not_needed"
    COVERED = "covered"
    PENDING = "pending"
    MISSING = "missing"
    OUTSIDE = "outside"
    EXPIRED = "expired"
    PROHIBITED = "prohibited"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """`open_levers`: those to be decided anew. `ends_at`: when the first approval of those that cover runs out."""

    cover: Cover
    asked: Asked
    open_levers: tuple[str, ...] = ()
    by: tuple[ApprovalFact, ...] = ()
    ends_at: datetime | None = None


def coverage(
    kind: ApprovalKind, fields: Mapping[str, Any], approvals: Sequence[ApprovalFact], *, at: datetime
) -> Coverage:
    """Whether live approvals cover what the matrix asks of the values of now, lever by lever.

    An approval covers a lever when it is of the tier that is asked now or higher, all its values are inside, and its
    time has not run out (AP-3, AP-4, AP-14).
    """
    asked = asked_of(kind, fields, at=at)
    if asked.prohibited:
        return Coverage(cover=Cover.PROHIBITED, asked=asked)
    if asked.is_unknown:
        return Coverage(cover=Cover.UNKNOWN, asked=asked)
    if not asked.lanes:
        return Coverage(cover=Cover.NOT_NEEDED, asked=asked)
    mine = [a for a in approvals if a.kind == kind.key]
    by: list[ApprovalFact] = []
    open_: dict[str, Cover] = {}
    for lever, row in asked.lanes.items():
        state, fact = _lane(row.tier, [a for a in mine if a.lever == lever], fields, at)
        if fact is not None:
            by.append(fact)
        else:
            open_[lever] = state
    if not open_:
        ends = [a.expires_at for a in by if a.expires_at is not None]
        return Coverage(cover=Cover.COVERED, asked=asked, by=tuple(by), ends_at=min(ends, default=None))
    states = set(open_.values())
    if any(a.is_pending for a in mine):
        cover = Cover.PENDING
    else:
        order = (Cover.UNKNOWN, Cover.MISSING, Cover.OUTSIDE, Cover.EXPIRED)
        cover = next(state for state in order if state in states)
    return Coverage(cover=cover, asked=asked, open_levers=tuple(open_), by=tuple(by))


def _lane(
    tier: int, approvals: Sequence[ApprovalFact], fields: Mapping[str, Any], at: datetime
) -> tuple[Cover, ApprovalFact | None]:
    state = Cover.MISSING
    for fact in sorted(approvals, key=lambda a: (a.granted_at, a.id), reverse=True):
        if fact.is_pending:
            continue
        inside = [holds(b, fields) for b in fact.bounds]
        if fact.was_outside or False in inside or fact.tier < tier:
            state = Cover.OUTSIDE if state == Cover.MISSING else state
        elif None in inside:
            return Cover.UNKNOWN, None
        elif fact.expires_at is not None and fact.expires_at <= at:
            state = Cover.EXPIRED
        else:
            return Cover.COVERED, fact
    return state, None


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple, set, frozenset)):
        return sorted(to_json(v) for v in value)
    return to_json(value)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _comparable(now: Any, then: Any) -> tuple[Any, Any]:
    one, other = _number(now), _number(then)
    if one is not None and other is not None:
        return one, other
    return str(_plain(now)), str(_plain(then))


def _same(now: Any, then: Any) -> bool:
    if isinstance(now, (Decimal, int, float)) and not isinstance(now, bool):
        return _number(now) == _number(then)
    return bool(_plain(now) == _plain(then))


def bounds_as_json(bounds: Iterable[Bound]) -> list[dict[str, Any]]:
    return [
        {"lever": b.lever, "field": b.field, "direction": str(b.direction), "value": b.value} for b in bounds
    ]


def bounds_from_json(stored: Iterable[Mapping[str, Any]]) -> tuple[Bound, ...]:
    return tuple(Bound(b["lever"], b["field"], b["direction"], b["value"]) for b in stored)


def of_lever(kind: ApprovalKind, bounds: Iterable[Bound], lever: str) -> tuple[Bound, ...]:
    """What a decision on one lever binds; a decision as a whole binds also what no other row decides about."""
    own = frozenset(kind.levers)
    return tuple(b for b in bounds if b.lever == lever or (lever == Lever.DECISION and b.lever not in own))
