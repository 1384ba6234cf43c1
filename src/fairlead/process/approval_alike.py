"""Which past decisions are like this one. Pure: over values as they were bound.

Each value weighs the same: a number by how far it lies apart, measured by the spread of all cases; a choice by how
much is shared; anything else by whether it is the same. The same record or customer comes nearer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

MOST: Final = 5
_NEAR: Final = 0.1  # how much nearer the same circle brings a case


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A decision of the past. `circle`: whatever binds cases together, such as the customer."""

    id: int
    values: Mapping[str, Any]
    at: datetime
    circle: str = ""


def alike(
    values: Mapping[str, Any], cases: Sequence[Case], *, circle: str = "", most: int = MOST
) -> list[Case]:
    """The most similar cases, the nearest first; of equals the newer."""
    spreads = {key: _spread([case.values.get(key) for case in cases] + [now]) for key, now in values.items()}
    scored = [
        (
            _distance(values, case.values, spreads) - (_NEAR if circle and circle == case.circle else 0.0),
            -case.at.timestamp(),
            -case.id,
            case,
        )
        for case in cases
    ]
    return [case for *_rank, case in sorted(scored, key=lambda one: one[:3])[:most]]


def span(field: str, cases: Sequence[Case]) -> tuple[Decimal, Decimal] | None:
    """From which to which number a value went in these cases; None where none says a number."""
    found = [n for case in cases if (n := number(case.values.get(field))) is not None]
    return (min(found), max(found)) if found else None


def number(value: Any) -> Decimal | None:
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _spread(values: Sequence[Any]) -> float:
    found = [float(n) for value in values if (n := number(value)) is not None]
    return max(found) - min(found) if found else 0.0


def _distance(one: Mapping[str, Any], other: Mapping[str, Any], spreads: Mapping[str, float]) -> float:
    if not one:
        return 0.0
    return sum(_apart(one[key], other.get(key), spreads[key]) for key in one) / len(one)


def _apart(one: Any, other: Any, spread: float) -> float:
    a, b = number(one), number(other)
    if a is not None and b is not None:
        return float(abs(a - b)) / spread if spread else 0.0
    if isinstance(one, list) and isinstance(other, list):
        together = set(map(str, one)) | set(map(str, other))
        return 1 - len(set(map(str, one)) & set(map(str, other))) / len(together) if together else 0.0
    return 0.0 if one == other else 1.0
