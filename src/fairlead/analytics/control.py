"""Is this month unlike the others, or is it luck? Control charts for shares.

Spec: docs/metrics.md 3.18 (the p-chart; other charts come with the control pages).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from fairlead.analytics.days import Bools, Floats
from fairlead.analytics.intervals import LeftOut

BASELINE_FLOOR, BASELINE_FULL = 6, 12
"""Fewer points than the first make no chart, fewer than the second a provisional one."""
TRUSTED_EVENTS = 5
"""Limits are trusted only where n·p̄ is at least this."""

Signal = Literal["outside", "run", "near"]


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """One period: `x` of `n`, its own limits (they depend on n), and what is unusual about it, if anything.

    "outside": beyond a limit. "run": the eighth or later in a row on one side of the centre. "near": three of
    the last four, this one among them, closer to the same limit than to the centre.
    """

    x: int
    n: int
    value: float | None
    low: float | None
    high: float | None
    signal: Signal | None
    trusted: bool


@dataclass(frozen=True, slots=True)
class Chart:
    centre: float | None
    points: tuple[ChartPoint, ...]
    n: int
    baseline_points: int
    left_out: LeftOut

    @property
    def enough(self) -> bool:
        return self.baseline_points >= BASELINE_FLOOR

    @property
    def provisional(self) -> bool:
        return BASELINE_FLOOR <= self.baseline_points < BASELINE_FULL


def p_chart(
    x: ArrayLike, n: ArrayLike, *, baseline: Sequence[int] | None = None, left_out: LeftOut | None = None
) -> Chart:
    """A chart of shares `x/n` with limits p̄ ± 3·√(p̄(1-p̄)/n), clipped to 0 and 1.

    Population: the caller's periods, in order; `baseline` names those that set the centre (all by default).
    A frozen baseline matters: a period that is itself the signal widens the limits if it helps to set them.
    n: sum over all periods. Interval: the limits. Vector: x (12, 10, 16, 12, 2) of n (40, 35, 50, 45, 30)
    gives p̄ 0.260 and limits for n = 30 of 0.0198 and 0.5002, so 2 of 30 is no signal.
    Spec: docs/metrics.md 3.18.
    """
    hits, trials = np.asarray(x, np.int64), np.asarray(n, np.int64)
    chosen = np.arange(len(hits)) if baseline is None else np.asarray(baseline, np.int64)
    used = chosen[trials[chosen] > 0]
    total = int(trials[used].sum())
    if not total:
        points = tuple(
            ChartPoint(int(a), int(b), None, None, None, None, False)
            for a, b in zip(hits, trials, strict=True)
        )
        return Chart(None, points, int(trials.sum()), 0, dict(left_out or {}))
    centre = float(hits[used].sum() / total)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(trials > 0, hits / trials, np.nan)
        spread = 3 * math.sqrt(centre * (1 - centre)) / np.sqrt(trials)
    low, high = np.clip(centre - spread, 0, 1), np.clip(centre + spread, 0, 1)
    signals = _signals(values, centre, low, high)
    points = tuple(
        ChartPoint(
            x=int(hits[i]),
            n=int(trials[i]),
            value=float(values[i]) if trials[i] else None,
            low=float(low[i]) if trials[i] else None,
            high=float(high[i]) if trials[i] else None,
            signal=signals[i],
            trusted=bool(trials[i] * centre >= TRUSTED_EVENTS),
        )
        for i in range(len(hits))
    )
    return Chart(centre, points, int(trials.sum()), len(used), dict(left_out or {}))


def _signals(values: Floats, centre: float, low: Floats, high: Floats) -> list[Signal | None]:
    """The strongest signal at each point; empty periods are passed over and break no run."""
    seen = np.flatnonzero(~np.isnan(values))
    side = np.sign(values[seen] - centre)
    limit = np.where(side > 0, high[seen], low[seen])
    near: Bools = (side != 0) & (np.abs(values[seen] - limit) < np.abs(values[seen] - centre))
    found: list[Signal | None] = [None] * len(values)
    run = 0
    for place, i in enumerate(seen):
        run = run + 1 if place and side[place] == side[place - 1] != 0 else 1
        lately = slice(max(place - 3, 0), place + 1)
        alike = int((near[lately] & (side[lately] == side[place])).sum())
        if values[i] > high[i] or values[i] < low[i]:
            found[i] = "outside"
        elif run >= 8:
            found[i] = "run"
        elif near[place] and alike >= 3:
            found[i] = "near"
    return found
