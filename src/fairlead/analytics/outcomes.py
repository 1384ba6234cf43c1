"""How it ended, and what goes with winning."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from fairlead.analytics.control import Chart, p_chart
from fairlead.analytics.days import ALWAYS, NEVER, Bools, Ints, Window
from fairlead.analytics.intervals import (
    FLOOR,
    Difference,
    LeftOut,
    Rate,
    bonferroni,
    counted,
    newcombe,
    stratified,
)
from fairlead.analytics.survival import Curve, Share, aalen_johansen
from fairlead.analytics.tables import OUTCOME, History, Scope

Basis = Literal["closed", "full"]
BASES: Mapping[Basis, tuple[str, ...]] = {
    "closed": ("lost",),
    "full": ("lost", "no_decision", "walked_away"),
}
"""Which outcomes stand against the won ones. "lost" is lost to a competitor."""
EXCLUDED = ("invalid", "duplicate", "merged")
LEFT = "left_process"
"""Taken out of the process by decision: in no win rate, and censored at that moment in every curve over time."""
CRITERION = ("none", "met", "unmet", "expired", "waived", "not_applicable")
"""How a criterion stood at the gate; "none": the case never came to that gate."""

Group = TypeVar("Group", bound=Hashable)


@dataclass(frozen=True, slots=True)
class WinRate:
    """The share won by count and by final amount; `outcomes` counts every outcome, in or out of the basis."""

    basis: Basis
    count: Rate
    value: Rate
    outcomes: Mapping[str, int]
    excluded: int
    won_value: float
    left_out: LeftOut

    @property
    def n(self) -> int:
        return self.count.cases

    @property
    def enough(self) -> bool:
        return self.count.enough


@dataclass(frozen=True, slots=True)
class WinCurve:
    """The share won by so many days after the beginning."""

    curve: Curve
    points: Mapping[int, Share]
    left_out: LeftOut

    @property
    def n(self) -> int:
        return self.curve.n

    @property
    def enough(self) -> bool:
        return self.curve.enough


@dataclass(frozen=True, slots=True)
class GroupRow(Generic[Group]):
    """One group against all others together; `signal` when the widened interval leaves zero."""

    group: Group
    rate: Rate
    versus_rest: Difference

    @property
    def signal(self) -> bool:
        return self.versus_rest.enough and not self.versus_rest.holds_zero


def win_rate(
    history: History,
    *,
    scope: Scope,
    as_of: datetime,
    basis: Basis,
    closed: Window = ALWAYS,
    floor: int = FLOOR,
) -> WinRate:
    """Won ÷ decided, the definition printed beside it.

    Population: cases in scope closed on a day of `closed` and not after `as_of`, `final_only` included, for
    no order of steps is needed. Time axis: the day of closing. Basis: "closed" is won ÷ (won + lost to a
    competitor), "full" adds no decision and walked away; by count, and by final amount. Censoring: open cases
    do not count, so a young pipeline looks better or worse than it is; see `win_curve`. n: the denominator.
    Interval: Wilson. Excluded but reported: invalid, duplicate, merged, left the process. V-3.9: won 12, lost 18, no decision
    6, walked away 4, excluded 5 give 0.4000 closed and 0.3000 full. Spec: docs/metrics.md 3.9.
    """
    inside = history.cases_in(scope) & history.closed(as_of) & closed.holds(history.closed_day)
    outcome, amount = history.journeys.outcome[inside], history.journeys.amount[inside]
    tally = np.bincount(outcome, minlength=len(OUTCOME))
    outcomes = {word: int(tally[code]) for code, word in enumerate(OUTCOME) if word != "open"}
    won = outcome == OUTCOME.index("won")
    decided = won | _is(outcome, BASES[basis])
    other = {word: outcomes[word] for word in BASES["full"] if word not in BASES[basis]}
    return WinRate(
        basis=basis,
        count=Rate.of(int(won.sum()), int(decided.sum()), floor=floor),
        value=Rate.by_value(amount[decided], won[decided], floor=floor),
        outcomes=outcomes,
        excluded=sum(outcomes[word] for word in EXCLUDED),
        won_value=float(np.nansum(amount[won])),
        left_out={word: outcomes[word] for word in (*EXCLUDED, LEFT)} | other,
    )


def win_curve(
    history: History,
    *,
    scope: Scope,
    as_of: datetime,
    opened: Window = ALWAYS,
    at: tuple[int, ...] = (30, 60, 90, 180, 365),
    floor: int = FLOOR,
) -> WinCurve:
    """W(t): the share won within t days of the beginning, t included.

    Population: cases in scope that began on a day of `opened`, not after `as_of`. Time axis: calendar days
    from there. Basis: count. Competing: won, and ended in any other way. Censoring: open at `as_of`, and
    where a case left the process. n: cases. Interval: log-minus-log; a point is None where nobody was followed for
    so long. Left out: beginning unknown, invalid, duplicate and merged. Spec: docs/metrics.md 3.9, 3.16.
    """
    mine, outcome = history.cases_in(scope), history.journeys.outcome
    ended = history.closed(as_of)
    unusable = mine & ended & _is(outcome, EXCLUDED)
    unknown = mine & (history.opened_day == NEVER) & ~unusable
    today = history.day(as_of)
    inside = mine & opened.holds(history.opened_day) & (history.opened_day <= today)
    rows = np.flatnonzero(inside & ~unusable)
    decided = ended & (outcome != OUTCOME.index(LEFT))
    cause = np.where(decided[rows], np.where(outcome[rows] == OUTCOME.index("won"), 1, 2), 0).astype(np.int8)
    lasted = np.minimum(history.closed_day[rows], today) - history.opened_day[rows]
    curve = aalen_johansen(np.maximum(lasted, 0), cause, ("won", "ended"), floor=floor)
    left_out = counted(opened_unknown=unknown, excluded=unusable & (inside | (history.opened_day == NEVER)))
    return WinCurve(curve, {day: curve.incidence_at("won", day) for day in at}, left_out)


def compare_groups(rates: Mapping[Group, Rate], *, confidence: float = 0.95) -> tuple[GroupRow[Group], ...]:
    """Each group's share against that of all the others together, lowest first.

    Population, axis, basis and censoring are those of `rates`, counts of cases that no two groups share.
    Interval: Newcombe, widened by Bonferroni for the number of groups. No league table: neighbours in the
    list differ only where `signal` says that they stand out. Spec: docs/metrics.md 3.1, 3.18.
    """
    z = bonferroni(len(rates), confidence)
    k, n = sum(rate.k for rate in rates.values()), sum(rate.n for rate in rates.values())
    rows = [
        GroupRow(group, rate, newcombe(rate, Rate.of(int(k - rate.k), int(n - rate.n)), z=z))
        for group, rate in rates.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.rate.value is None, row.rate.value or 0.0)))


def criterion_lift(
    history: History,
    *,
    scope: Scope,
    as_of: datetime,
    criterion: NDArray[np.int8],
    basis: Basis = "full",
    strata: Ints | None = None,
    floor: int = FLOOR,
) -> Difference:
    """P(win | met at the gate) - P(win | unmet, expired or waived): does this criterion matter?

    Population: cases in scope, closed by `as_of` with an outcome of the basis, whose gate asked the
    criterion; `criterion` holds a code of CRITERION per case. Time axis: none. Basis: count. Censoring: open
    cases do not count. n: cases on both sides. Interval: Newcombe's; with `strata` (a code per case: stage,
    amount band, both) the differences are taken within strata and pooled, so that large deals, which win and
    meet differently, do not pass for the criterion. An association, not an effect. Left out: not
    applicable, never asked, still open, outside the basis. Spec: docs/metrics.md 3.26.
    """
    mine, outcome = history.cases_in(scope), history.journeys.outcome
    asked = mine & (criterion != CRITERION.index("none"))
    unmet = np.isin(criterion, [CRITERION.index(word) for word in ("unmet", "expired", "waived")])
    met = criterion == CRITERION.index("met")
    closed = history.closed(as_of)
    won = outcome == OUTCOME.index("won")
    decided = closed & (won | _is(outcome, BASES[basis]))
    usable = asked & (met | unmet)
    left_out = counted(
        never_asked=mine & ~asked,
        not_applicable=asked & ~usable,
        still_open=usable & ~closed,
        outside_basis=usable & closed & ~decided,
    )

    def side(which: Bools) -> Rate:
        return Rate.of(int((which & won).sum()), int(which.sum()), floor=floor)

    counts = usable & decided
    a, b = side(counts & met), side(counts & unmet)
    if strata is None:
        return newcombe(a, b, left_out=left_out)
    pairs = [(side(counts & met & here), side(counts & unmet & here)) for here in _each(strata, counts)]
    return stratified(pairs, a, b, left_out=left_out)


def loss_reason_chart(
    history: History,
    *,
    scope: Scope,
    as_of: datetime,
    reason: Ints,
    code: int,
    periods: Sequence[Window],
    baseline: Sequence[int] | None = None,
) -> Chart:
    """The share of decided cases lost for one reason, period by period, as a p-chart.

    Population: cases in scope closed by `as_of` as won, lost, no decision or walked away. Time axis: the day
    of closing. Basis: count; lost cases whose `reason` (a code per case) is `code` ÷ all decided, so a bad
    month for price does not hide behind a good month for everything else. Censoring: open cases do not
    count. n: decided cases. Interval: the limits of the chart. Left out: excluded outcomes.
    Spec: docs/metrics.md 3.18.
    """
    outcome = history.journeys.outcome
    mine = history.cases_in(scope) & history.closed(as_of)
    lost = mine & _is(outcome, BASES["full"])
    decided = lost | (mine & (outcome == OUTCOME.index("won")))
    inside = [period.holds(history.closed_day) for period in periods]
    x = [int((lost & (reason == code) & month).sum()) for month in inside]
    n = [int((decided & month).sum()) for month in inside]
    within = np.logical_or.reduce(inside) if inside else np.zeros(len(outcome), bool)
    return p_chart(x, n, baseline=baseline, left_out=counted(excluded=mine & ~decided & within))


def _is(outcome: NDArray[np.int8], words: Sequence[str]) -> Bools:
    return np.isin(outcome, [OUTCOME.index(word) for word in words])


def _each(strata: Ints, among: Bools) -> list[Bools]:
    return [strata == value for value in np.unique(strata[among])]
