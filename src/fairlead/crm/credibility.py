"""How far the customer's own steps bear out the expected close date (PB-3). Pure, and explained by its reasons.

A date is as good as the customer's record of keeping dates: promises kept, promises moved, and what still stands
between today and the signature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any, Final

HIGH: Final = "high"
MEDIUM: Final = "medium"
LOW: Final = "low"
UNKNOWN: Final = "unknown"
FEWEST = 2  # customer's steps that have come due before their record says anything
SOME_SLIP, MUCH_SLIP = 0.2, 0.5  # share of them that slipped


@dataclass(frozen=True, slots=True)
class Step:
    """`first_due`: the day that was promised at first. `done_on`: None while it is open."""

    of_customer: bool
    due: date
    first_due: date
    done_on: date | None = None

    def slip(self, today: date) -> int:
        """Calendar days beyond the first promise, as it stands today."""
        reached = self.done_on or max(self.due, today if self.due < today else self.due)
        return max((reached - self.first_due).days, 0)

    def is_late(self, today: date) -> bool:
        return self.done_on is None and self.due < today

    def has_come_due(self, today: date) -> bool:
        """Its first promise has been kept or broken: done, overdue, or moved to a later day."""
        return self.done_on is not None or self.first_due < today or self.due > self.first_due


@dataclass(frozen=True, slots=True)
class Credibility:
    """`reasons`: codes with their numbers and days, the weightiest first. `likely`: the close date plus the usual slip."""

    level: str
    reasons: tuple[tuple[str, Mapping[str, Any]], ...]
    kept: int
    counted: int
    usual_slip: int
    likely: date | None


def credibility(steps: Sequence[Step], close_date: date | None, *, today: date) -> Credibility:
    theirs = [s for s in steps if s.of_customer]
    counted = [s for s in theirs if s.has_come_due(today)]
    slips = [s.slip(today) for s in counted]
    kept = sum(1 for slip in slips if slip == 0)
    usual = round(median(slips)) if slips else 0
    late = sum(1 for s in theirs if s.is_late(today))
    ahead = [s.due for s in steps if s.done_on is None]
    after = sum(1 for due in ahead if close_date is not None and due > close_date)
    share = 1 - kept / len(counted) if counted else 0.0
    reasons: list[tuple[str, Mapping[str, Any]]] = []
    if close_date is None:
        reasons.append(("no_date", {}))
    elif close_date < today:
        reasons.append(("date_past", {"day": close_date}))
    if not theirs:
        reasons.append(("no_customer_step", {}))
    if after:
        reasons.append(("steps_after_date", {"count": after, "day": max(ahead)}))
    if late:
        reasons.append(("late_now", {"count": late}))
    if counted:
        reasons.append(("record", {"kept": kept, "count": len(counted)}))
    if usual:
        reasons.append(("usual_slip", {"days": usual}))
    likely = close_date + timedelta(days=usual) if close_date is not None and usual else None
    level = _level(len(theirs), len(counted), share, late, after, close_date, today)
    return Credibility(level, tuple(reasons), kept, len(counted), usual, likely)


def _level(
    theirs: int, counted: int, share: float, late: int, after: int, close_date: date | None, today: date
) -> str:
    if close_date is None or not theirs:
        return UNKNOWN
    if close_date < today or after or late > 1:
        return LOW
    if counted < FEWEST:
        return MEDIUM if late else UNKNOWN
    if share > MUCH_SLIP:
        return LOW
    return HIGH if share <= SOME_SLIP and not late else MEDIUM
