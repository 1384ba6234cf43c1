"""What the method costs: seconds of filling in, and waiting for the word of others (metrics 3.22)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FEWEST = 5
"""Below so many measurements no median is said."""


def class_median(counts: Mapping[int, int], bounds: Sequence[float]) -> float | None:
    """The median out of counts per class, class i reaching from bounds[i-1] (0 for the first) to bounds[i].

    Linear within the class that holds the middle. None without a case. Vector: bounds 2, 4, 8 with 1, 2, 1 cases:
    the middle (2 of 4) lies halfway through the second class, 3. Spec: docs/metrics.md 3.22.
    """
    total = sum(counts.values())
    if total <= 0:
        return None
    middle, below = total / 2, 0
    for place, bound in enumerate(bounds):
        here = counts.get(place, 0)
        if here and below + here >= middle:
            low = bounds[place - 1] if place else 0.0
            return low + (bound - low) * (middle - below) / here
        below += here
    return float(bounds[-1])


def median(values: Sequence[float]) -> float | None:
    """The middle value, or the mean of the two in the middle; None without a value."""
    if not values:
        return None
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one criterion: seconds to fill its fields in (None: not measured enough), hours waited for it per deal that
    waited (None: nobody did), how many did, and the deals that passed its stage."""

    seconds: float | None
    wait: float | None
    waited: int
    deals: int

    @property
    def wait_per_deal(self) -> float:
        """Hours of waiting spread over every deal that came by."""
        return (self.wait or 0.0) * self.waited / self.deals if self.deals else 0.0


def burden(costs: Sequence[Cost]) -> tuple[float, float]:
    """Burden of a deal that meets all of `costs`: Σ median seconds of required fields, Σ waiting hours per deal (3.22).

    Vector: 30 s and 12 s, one word waited for 8 h by 5 of 20 deals: 42 s and 2 h.
    """
    return sum(cost.seconds or 0.0 for cost in costs), sum(cost.wait_per_deal for cost in costs)
