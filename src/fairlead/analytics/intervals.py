"""Shares with their uncertainty, and the floor below which no number is shown.

The Wilson score interval for a share, Newcombe's for the difference of two, both at 95 % unless another
`z` is given. Spec: docs/metrics.md 3.1, 3.26.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fairlead.analytics.days import Bools, Floats, Ints

Z95 = 1.959963984540054
FLOOR = 10
"""A share or curve over fewer cases is "样本不足 / too few" (default; every metric takes another)."""
MISSING_AMOUNT_CEILING = 0.2
"""A share by value is too few when more than this part of the cases has no amount (default)."""

LeftOut = Mapping[str, int]
"""How many rows of the scope were not counted, by the reason why."""


def wilson(k: ArrayLike, n: ArrayLike, z: float = Z95) -> tuple[Floats, Floats]:
    """The Wilson score interval of `k` out of `n`, element by element; NaN where `n` is 0.

    `k` and `n` may be fractions: a weighted share passes its effective n. V-3.1: 12/40 gives
    (0.1807, 0.4543), 0/5 gives (0, 0.4345).
    """
    hits, trials = np.asarray(k, float), np.asarray(n, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = hits / trials
        centre = (p + z * z / (2 * trials)) / (1 + z * z / trials)
        half = z / (1 + z * z / trials) * np.sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials))
    low, high = np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)
    return np.where(hits == 0, np.where(trials > 0, 0.0, np.nan), low), np.where(
        hits == trials, np.where(trials > 0, 1.0, np.nan), high
    )


def bonferroni(comparisons: int, confidence: float = 0.95) -> float:
    """The z that keeps `confidence` over that many comparisons together."""
    return NormalDist().inv_cdf(1 - (1 - confidence) / (2 * max(comparisons, 1)))


def two_sided_p(z: float) -> float:
    """The chance of a standard normal value at least as far from zero."""
    return math.erfc(abs(z) / math.sqrt(2))


@dataclass(frozen=True, slots=True)
class Rate:
    """A share `k / n` with its interval; `value`, `low`, `high` are None when n is 0.

    For a share by value `k` and `n` are sums of amounts, and `cases` the number of cases behind them.
    """

    k: float
    n: float
    value: float | None
    low: float | None
    high: float | None
    cases: int
    enough: bool

    @classmethod
    def of(cls, k: int, n: int, *, floor: int = FLOOR, z: float = Z95) -> Rate:
        """A share by count, Wilson interval."""
        if n == 0:
            return cls(0, 0, None, None, None, 0, False)
        low, high = wilson(k, n, z)
        return cls(int(k), int(n), k / n, float(low), float(high), int(n), n >= floor)

    @classmethod
    def by_value(cls, amounts: Floats, hit: Bools, *, floor: int = FLOOR, z: float = Z95) -> Rate:
        """A share by amount; see `rates_by_value`."""
        weight = np.where(amounts > 0, amounts, 0.0)
        # Plain sums: a dot product of this size wakes every core for a millisecond's work.
        won, total, squares = float(weight[hit].sum()), float(weight.sum()), float((weight * weight).sum())
        return _of_sums(won, total, squares, int(np.count_nonzero(weight)), len(weight), floor, z)


def rates_by_value(
    amounts: Floats, hit: Bools, group: Ints, groups: int, *, floor: int = FLOOR, z: float = Z95
) -> list[Rate]:
    """Shares by amount, one for each group 0, 1, …

    Wilson interval at the effective n, (Σa)² ÷ Σa²: few large deals count as few. Amounts that are missing,
    zero or negative carry no weight; too many of them and the share is not `enough`.
    """
    weight = np.where(amounts > 0, amounts, 0.0)
    rows = np.bincount(group, minlength=groups)
    missing = np.bincount(group[weight == 0], minlength=groups)
    total = np.bincount(group, weights=weight, minlength=groups)
    squares = np.bincount(group, weights=weight * weight, minlength=groups)
    won = np.bincount(group, weights=weight * hit, minlength=groups)
    sums = zip(won, total, squares, rows - missing, rows, strict=True)
    return [_of_sums(float(w), float(t), float(s), int(c), int(r), floor, z) for w, t, s, c, r in sums]


def _of_sums(won: float, total: float, squares: float, cases: int, rows: int, floor: int, z: float) -> Rate:
    if not cases:
        return Rate(0.0, 0.0, None, None, None, 0, False)
    effective = total * total / squares
    low, high = wilson(won / total * effective, effective, z)
    enough = cases >= floor and rows - cases <= MISSING_AMOUNT_CEILING * rows
    return Rate(won, total, won / total, float(low), float(high), cases, enough)


@dataclass(frozen=True, slots=True)
class Difference:
    """`a.value - b.value` with its interval; None where either side is empty."""

    a: Rate
    b: Rate
    value: float | None
    low: float | None
    high: float | None
    enough: bool
    left_out: LeftOut = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Cases on both sides."""
        return self.a.cases + self.b.cases

    @property
    def holds_zero(self) -> bool:
        """Whether "no difference" lies inside the interval; true when nothing can be said."""
        return self.low is None or self.high is None or self.low <= 0 <= self.high


def newcombe(a: Rate, b: Rate, *, z: float = Z95, left_out: LeftOut | None = None) -> Difference:
    """The difference of two independent shares with Newcombe's hybrid score interval (his method 10)."""
    return stratified([(a, b)], a, b, z=z, left_out=left_out)


def stratified(
    strata: Sequence[tuple[Rate, Rate]], a: Rate, b: Rate, *, z: float = Z95, left_out: LeftOut | None = None
) -> Difference:
    """The difference within strata, weighted n₁n₀/(n₁+n₀) as Mantel and Haenszel did.

    A stratum with one empty side drops out.
    The interval adds up the distances of the Wilson limits in squares, so that one stratum alone gives
    Newcombe's. `a` and `b` are the two sides without strata, for the reader.
    """
    usable = [(x, y) for x, y in strata if x.n and y.n]
    missing = dict(left_out or {})
    if not usable:
        return Difference(a, b, None, None, None, False, missing)
    n1, n0, k1, k0 = (
        np.array(side, float) for side in zip(*[(x.n, y.n, x.k, y.k) for x, y in usable], strict=True)
    )
    weight = n1 * n0 / (n1 + n0)
    weight /= weight.sum()
    p1, p0 = k1 / n1, k0 / n0
    (low1, high1), (low0, high0) = wilson(k1, n1, z), wilson(k0, n0, z)
    value = float((weight * (p1 - p0)).sum())
    down = math.sqrt(float((weight**2 * ((p1 - low1) ** 2 + (high0 - p0) ** 2)).sum()))
    up = math.sqrt(float((weight**2 * ((high1 - p1) ** 2 + (p0 - low0) ** 2)).sum()))
    return Difference(a, b, value, value - down, value + up, a.enough and b.enough, missing)


def counted(**reasons: Any) -> dict[str, int]:
    """Masks or numbers as a `LeftOut`: plain integers, zeros kept, so that a page can say "none"."""
    return {reason: int(np.sum(what)) for reason, what in reasons.items()}
