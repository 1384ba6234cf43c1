"""How hand-overs go: the share of attempts that came back, and how long a round takes (IT-5, AC-31)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from statistics import median


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that was answered: of which deal and way, offered and answered when, accepted or returned."""

    deal: int
    way: str
    offered_at: datetime
    answered_at: datetime
    accepted: bool


@dataclass(frozen=True, slots=True)
class HandOverFigures:
    """`rate` is of attempts that were answered, None of none; `hours` is the median from a first offer to acceptance."""

    attempts: int
    returned: int
    rounds: int  # that ended accepted
    first_time: int  # of these, at the first attempt
    hours: float | None

    @property
    def rate(self) -> Fraction | None:
        return Fraction(self.returned, self.attempts) if self.attempts else None


def hand_over_figures(attempts: Sequence[Attempt]) -> HandOverFigures:
    """Attempts of one deal and way form rounds: each ends when one is accepted."""
    begun: dict[tuple[int, str], tuple[datetime, int]] = {}
    hours, first_time, returned = [], 0, 0
    for one in sorted(attempts, key=lambda a: (a.offered_at, a.answered_at)):
        key = (one.deal, one.way)
        since, tries = begun.pop(key, (one.offered_at, 0))
        if not one.accepted:
            returned += 1
            begun[key] = (since, tries + 1)
            continue
        first_time += tries == 0
        hours.append((one.answered_at - since).total_seconds() / 3600)
    return HandOverFigures(
        attempts=len(attempts),
        returned=returned,
        rounds=len(hours),
        first_time=first_time,
        hours=median(hours) if hours else None,
    )
