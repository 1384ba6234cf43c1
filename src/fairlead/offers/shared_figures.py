"""The three figures that AR, SR and FR of a deal share: satisfaction, profit, collection (IT-6).

Of one contract each, and pure: nothing measured is said as such, and one that failed fails all three roles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

USUAL_SATISFACTION: Final = Decimal(8)  # of 10, where a contract names no target
KINDS: Final = ("satisfaction", "profit", "collection")


@dataclass(frozen=True, slots=True)
class Payment:
    due: date | None
    amount: Decimal | None
    paid: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What is known of a contract. `margin`: as planned with the deal, in percent. Money in its own currency."""

    contract: int
    amount: Decimal
    cost: Decimal | None = None
    margin: Decimal | None = None
    satisfaction: Decimal | None = None
    satisfaction_target: Decimal | None = None
    payments: tuple[Payment, ...] = ()


@dataclass(frozen=True, slots=True)
class Shared:
    """One figure. `n`: what it rests on (a score, a contract, payments that are due); 0: nothing measured. `met` is None
    where nothing was measured or no target was agreed."""

    kind: str
    value: Decimal | None
    target: Decimal | None
    n: int
    met: bool | None


def satisfaction(signed: Signed) -> Shared:
    """The score against its target, of 10."""
    target = signed.satisfaction_target if signed.satisfaction_target is not None else USUAL_SATISFACTION
    value = signed.satisfaction
    if value is None:
        return Shared("satisfaction", None, target, 0, None)
    return Shared("satisfaction", value, target, 1, value >= target)


def profit(signed: Signed) -> Shared:
    """Amount less actual cost, against the margin that was planned with the deal. Without a plan there is no target."""
    target = None
    if signed.margin is not None:
        target = (signed.amount * signed.margin / 100).quantize(Decimal("0.01"))
    if signed.cost is None:
        return Shared("profit", None, target, 0, None)
    value = signed.amount - signed.cost
    return Shared("profit", value, target, 1, None if target is None else value >= target)


def collection(signed: Signed, *, today: date) -> Shared:
    """The share of what was due by the day before `today` that had been paid by its due date, in percent; by amount where
    each payment says one, else by their number. All of it is the target."""
    due = [p for p in signed.payments if p.due is not None and p.due < today]
    if not due:
        return Shared("collection", None, Decimal(100), 0, None)
    weights = [p.amount for p in due]
    known: list[Decimal] = [w for w in weights if w is not None]
    if len(known) < len(due) or not sum(known):
        known = [Decimal(1)] * len(due)
    paid = [w for p, w in zip(due, known, strict=True) if p.paid is not None and p.due and p.paid <= p.due]
    in_time = sum(paid, Decimal(0))
    value = (100 * in_time / sum(known, Decimal(0))).quantize(Decimal("0.1"))
    return Shared("collection", value, Decimal(100), len(due), value >= 100)


def shared_of(signed: Signed, *, today: date, with_profit: bool = True) -> tuple[Shared, ...]:
    """`with_profit` false: for a reader from whom cost and margin are kept."""
    found = [
        satisfaction(signed),
        *([profit(signed)] if with_profit else []),
        collection(signed, today=today),
    ]
    return tuple(found)


def all_met(figures: Sequence[Shared]) -> bool | None:
    """One that failed fails all three; None while none has failed and not all are measured."""
    if any(one.met is False for one in figures):
        return False
    return True if figures and all(one.met for one in figures) else None
