"""What the open pipeline may be worth: amounts times chances, and how far that can be off."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from fairlead.analytics.days import Floats
from fairlead.analytics.intervals import FLOOR, LeftOut, counted

PRIOR_WEIGHT = 10.0
"""How many cases the parent's share is worth (default)."""
LARGE_SHARE = 0.6
"""One deal with this part of the total makes the mean meaningless: show both outcomes instead."""
_SIMULATED_UP_TO, _RUNS, _SEED = 400, 4_000, 20_240_101


@dataclass(frozen=True, slots=True)
class Weighted:
    """The expected value with its spread; `two_points` (without, with the largest deal) when that deal is
    LARGE_SHARE of the total or more.
    """

    mean: float
    total: float
    sd: float
    p10: float
    p50: float
    p90: float
    largest_share: float
    two_points: tuple[float, float] | None
    n: int
    enough: bool
    left_out: LeftOut


def shrunken(won: ArrayLike, n: ArrayLike, *, prior: ArrayLike, weight: float = PRIOR_WEIGHT) -> Floats:
    """The win share of small groups, drawn towards the parent's: (won + weight·prior) ÷ (n + weight).

    Element by element; a group without a case has the prior itself. Spec: docs/metrics.md 3.10.
    """
    k, trials = np.asarray(won, float), np.asarray(n, float)
    return np.asarray((k + weight * np.asarray(prior, float)) / (trials + weight))


def weighted_pipeline(amounts: Floats, chances: Floats, *, floor: int = FLOOR) -> Weighted:
    """Σ a·p over open cases, with its spread Σ a²·p·(1-p).

    Population: the caller's open cases, one amount (base currency) and one chance of winning each. Time axis:
    none. Basis: value. Censoring: none. Percentiles: simulated with a fixed seed for up to 400 cases, beyond
    by the normal curve. n: cases with an amount. They are taken as independent, so a common shock is not in
    the spread. Left out: amount missing or not positive. Spec: docs/metrics.md 3.10.
    """
    usable = amounts > 0
    a, p = amounts[usable], np.clip(chances[usable], 0.0, 1.0)
    mean, total, sd = float(a @ p), float(a.sum()), float(np.sqrt((a * a) @ (p * (1 - p))))
    if len(a) <= _SIMULATED_UP_TO:
        draws = np.random.default_rng(_SEED).random((_RUNS, len(a))) < p
        p10, p50, p90 = (float(q) for q in np.quantile(draws @ a, (0.1, 0.5, 0.9)))
    else:
        p10, p50, p90 = (max(mean + sd * NormalDist().inv_cdf(q), 0.0) for q in (0.1, 0.5, 0.9))
    share = float(a.max() / total) if len(a) else 0.0
    two_points = None
    if share >= LARGE_SHARE:
        largest = int(a.argmax())
        without = mean - float(a[largest] * p[largest])
        two_points = (without, without + float(a[largest]))
    enough, left_out = len(a) >= floor, counted(amount_missing=~usable)
    return Weighted(mean, total, sd, p10, p50, p90, share, two_points, len(a), enough, left_out)
