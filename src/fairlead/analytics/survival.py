"""How long until something happens, when some are still waiting: Kaplan and Meier, Aalen and Johansen.

Population: whatever rows the caller passes, one duration each. Time axis: duration in the caller's unit
(calendar or working days). Censoring: a row that has not ended counts as at risk up to and including its
duration and never as an event; the mean of the ended ones alone would be too short. Several ways to end
compete: one minus the survival curve of a single cause would overstate it, the cumulative incidence does
not. Intervals: log-minus-log at 95 %. Spec: docs/metrics.md 3.16, vector V-3.16.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fairlead.analytics.days import Bools, Floats, Ints, Numbers
from fairlead.analytics.intervals import FLOOR, Z95, two_sided_p, wilson

_TIE = 1e-12
_DENSE = 20_000


@dataclass(frozen=True, slots=True)
class Quantile:
    """The time by which that share had ended, None when the curve does not fall so far."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Share:
    """A point of a curve (0 to 1) with its interval; all None without a single case."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Curve:
    """The life table of one group. Rows are the times at which at least one event happened.

    `events[c, i]`: events of cause c at `times[i]`. `survival[i]`: the share not ended after `times[i]`.
    `incidence[c, i]`: the share ended by cause c until then. `exposure`: time at risk in total (person-days).
    `gone[j]`: rows that left the risk set, by an event or censored, up to and including `ends[j]`.
    """

    causes: tuple[str, ...]
    times: Floats
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    n: int
    exposure: float
    ends: Floats
    gone: NDArray[np.int64]
    floor: int = FLOOR

    @property
    def enough(self) -> bool:
        """Whether the curve rests on at least `floor` rows."""
        return self.n >= self.floor

    @property
    def longest(self) -> float:
        """The longest observation; past it the curve says nothing unless it has reached zero."""
        return float(self.ends[-1]) if len(self.ends) else 0.0

    @property
    def censored(self) -> int:
        """Rows that had not ended."""
        return self.n - int(self.events.sum())

    def total(self, cause: str) -> int:
        """Events of one cause."""
        return int(self.events[self.causes.index(cause)].sum())

    @cached_property
    def survival(self) -> Floats:
        return np.cumprod(1 - self.events.sum(axis=0) / self.at_risk)

    @cached_property
    def incidence(self) -> Floats:
        before = np.r_[1.0, self.survival[:-1]] if len(self.times) else self.survival
        return np.cumsum(before * self.events / self.at_risk, axis=1)

    @cached_property
    def _bounds(self) -> tuple[Floats, Floats]:
        """Log-minus-log limits of the survival curve; Greenwood's variance."""
        d, n = self.events.sum(axis=0), self.at_risk
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = np.cumsum(d / (n * (n - d)))
            spread = Z95 * np.sqrt(variance) / np.log(self.survival)
            low, high = self.survival ** np.exp(-spread), self.survival ** np.exp(spread)
        gone = self.survival <= 0
        return np.where(gone, 0.0, low), np.where(gone, self._last_high(high, gone), high)

    @staticmethod
    def _last_high(high: Floats, gone: Bools) -> float:
        """Where the curve has reached zero it has no width of its own; keep the last upper limit."""
        alive = high[~gone]
        return float(alive[-1]) if len(alive) else 1.0

    def survival_at(self, t: float) -> Share:
        """S(t): the share that had not ended at `t`; None past the longest observation."""
        return self._point(self.survival, t, 1.0, *self._bounds)

    def incidence_at(self, cause: str, t: float) -> Share:
        """F(t): the share that had ended by `cause` at `t`, interval by the delta method."""
        row = self.causes.index(cause)
        point = self._point(self.incidence[row], t, 0.0)
        if not point.value or point.value >= 1:
            return point
        spread = Z95 * math.sqrt(self._incidence_variance(row, t)) / (point.value * math.log(point.value))
        return Share(point.value, point.value ** math.exp(-spread), point.value ** math.exp(spread))

    def conditional_chance(self, cause: str, *, at: float, within: float) -> float | None:
        """The chance to end by `cause` in the next `within`, given not ended at `at`; None if nobody is."""
        here = self.survival_at(at).value
        now, later = self.incidence_at(cause, at).value, self.incidence_at(cause, at + within).value
        if not here or now is None or later is None:
            return None
        return (later - now) / here

    def rate(self, cause: str) -> float | None:
        """Occurrence over exposure: events of `cause` per unit of time at risk."""
        return self.total(cause) / self.exposure if self.exposure else None

    def quantile(self, share: float) -> Quantile:
        """The first time at which at least `share` had ended, with Brookmeyer and Crowley's interval."""
        low, high = self._bounds
        return Quantile(*(self._first(curve, 1 - share) for curve in (self.survival, low, high)))

    @property
    def median(self) -> Quantile:
        return self.quantile(0.5)

    @property
    def p80(self) -> Quantile:
        return self.quantile(0.8)

    @property
    def p90(self) -> Quantile:
        return self.quantile(0.9)

    def _first(self, curve: Floats, level: float) -> float | None:
        below = np.flatnonzero(curve <= level + _TIE)
        return float(self.times[below[0]]) if len(below) else None

    def at_risk_at(self, t: float | Floats) -> NDArray[np.int64]:
        """Rows still under observation just before `t`."""
        place = np.searchsorted(self.ends, t, side="left")
        return np.asarray(self.n - np.r_[0, self.gone][place])

    def _point(self, curve: Floats, t: float, start: float, *bounds: Floats) -> Share:
        finished = len(self.times) > 0 and self.survival[-1] <= _TIE
        if not self.n or (t > self.longest and not finished):
            return Share(None, None, None)
        place = int(np.searchsorted(self.times, t, side="right")) - 1
        value = float(curve[place]) if place >= 0 else start
        if not _TIE < value < 1 - _TIE:  # no width of its own: Wilson's for the rows that remain
            n, whole = max(int(self.at_risk_at(t)), 1), round(value)
            low, high = wilson(whole * n, n)
            return Share(float(whole), float(low), float(high))
        if not bounds:
            return Share(value, value, value)
        return Share(value, float(bounds[0][place]), float(bounds[1][place]))

    def _incidence_variance(self, row: int, t: float) -> float:
        last = int(np.searchsorted(self.times, t, side="right"))
        n, d = self.at_risk[:last].astype(float), self.events.sum(axis=0)[:last].astype(float)
        mine, curve = self.events[row, :last], self.incidence[row, :last]
        before = np.r_[1.0, self.survival[: last - 1]]
        away = curve[-1] - curve
        with np.errstate(divide="ignore", invalid="ignore"):
            lost = np.where(n > d, away**2 * d / (n * (n - d)), 0.0)
        found = before**2 * (n - mine) * mine / n**3
        both = away * before * mine / n**2
        return max(float((lost + found - 2 * both).sum()), 0.0)


def aalen_johansen(durations: Numbers, cause: Ints, causes: tuple[str, ...], *, floor: int = FLOOR) -> Curve:
    """Cumulative incidence of competing causes.

    `cause[i]` is 0 for a row that has not ended (censored), 1 for `causes[0]`, and so on. Raises ValueError
    for a negative duration. An empty input gives an empty curve that answers None.
    """
    return curves_by_group(durations, cause, np.zeros(len(cause), np.int8), 1, causes, floor=floor)[0]


def curves_by_group(
    durations: Numbers, cause: Ints, group: Ints, groups: int, causes: tuple[str, ...], *, floor: int = FLOOR
) -> list[Curve]:
    """`aalen_johansen` for each group 0, 1, … in one pass over the rows."""
    if len(durations) and durations.min() < 0:
        raise ValueError("A duration is negative.")
    width = len(causes) + 1
    if len(durations) and np.issubdtype(durations.dtype, np.integer) and durations.max() < _DENSE:
        size = int(durations.max()) + 1
        key = (group.astype(np.int64) * width + cause) * size + durations
        table = np.bincount(key, minlength=groups * width * size).reshape(groups, width, size)
        return [from_table(np.arange(size, dtype=float), one, causes, floor=floor) for one in table]
    curves = []
    for g in range(groups):
        here = group == g
        times, place = np.unique(durations[here], return_inverse=True)
        counts = np.bincount(cause[here].astype(np.int64) * len(times) + place, minlength=width * len(times))
        curves.append(from_table(times.astype(float), counts.reshape(width, len(times)), causes, floor=floor))
    return curves


def kaplan_meier(durations: Numbers, ended: Bools, *, floor: int = FLOOR) -> Curve:
    """Survival until the end, whatever it was: the curve with one cause, "ended"."""
    return aalen_johansen(durations, ended.astype(np.int8), ("ended",), floor=floor)


def from_table(
    times: Floats, table: NDArray[np.int64], causes: tuple[str, ...], *, floor: int = FLOOR
) -> Curve:
    """A curve from counts: `table[0]` censored, `table[c]` ended by `causes[c - 1]`, at each of `times`."""
    leaving = table.sum(axis=0)
    n = int(leaving.sum())
    at_risk = n - np.r_[0, np.cumsum(leaving)[:-1]] if len(times) else leaving
    eventful = table[1:].sum(axis=0) > 0
    seen = leaving > 0
    return Curve(
        causes=causes,
        times=times[eventful],
        at_risk=at_risk[eventful],
        events=table[1:, eventful],
        n=n,
        exposure=float((leaving * times).sum()),
        ends=times[seen],
        gone=np.cumsum(leaving[seen]),
        floor=floor,
    )


def pool(curves: Sequence[Curve]) -> Curve:
    """The curve of several groups taken together. Raises ValueError when their causes differ."""
    causes = curves[0].causes
    if any(curve.causes != causes for curve in curves):
        raise ValueError("The curves count different causes.")
    times = np.unique(np.concatenate([curve.times for curve in curves]))
    ends = np.unique(np.concatenate([curve.ends for curve in curves]))
    events, gone = np.zeros((len(causes), len(times)), np.int64), np.zeros(len(ends), np.int64)
    for curve in curves:
        events[:, np.searchsorted(times, curve.times)] += curve.events
        gone += np.r_[0, curve.gone][np.searchsorted(curve.ends, ends, side="right")]
    return Curve(
        causes=causes,
        times=times,
        at_risk=np.sum([curve.at_risk_at(times) for curve in curves], axis=0, dtype=np.int64),
        events=events,
        n=sum(curve.n for curve in curves),
        exposure=sum(curve.exposure for curve in curves),
        ends=ends,
        gone=gone,
        floor=curves[0].floor,
    )


@dataclass(frozen=True, slots=True)
class LogRank:
    """Whether a group ends sooner (`z` > 0) or later (`z` < 0) than another; `p`: by luck alone."""

    observed: int
    expected: float
    z: float
    p: float


def log_rank(a: Curve, b: Curve) -> LogRank:
    """The log-rank test of `a` against `b`, all causes together."""
    times = np.union1d(a.times, b.times)
    d1, d0 = _events_at(a, times), _events_at(b, times)
    n1, n0 = a.at_risk_at(times), b.at_risk_at(times)
    n, d = n1 + n0, d1 + d0
    expected = d * n1 / np.maximum(n, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(n > 1, d * (n1 / n) * (n0 / n) * (n - d) / (n - 1), 0.0).sum()
    observed = int(d1.sum())
    z = float((observed - expected.sum()) / math.sqrt(variance)) if variance > 0 else 0.0
    return LogRank(observed, float(expected.sum()), z, two_sided_p(z))


def _events_at(curve: Curve, times: Floats) -> Floats:
    counts = np.zeros(len(times))
    counts[np.searchsorted(times, curve.times)] = curve.events.sum(axis=0)
    return counts
