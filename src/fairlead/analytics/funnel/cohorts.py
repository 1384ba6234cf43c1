"""F3: how far those got who arrived together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from fairlead.analytics.days import ALWAYS, Bools, Floats, Ints, Window
from fairlead.analytics.intervals import FLOOR, LeftOut, Rate, counted
from fairlead.analytics.survival import Curve, Share, aalen_johansen
from fairlead.analytics.tables import History, Scope

Mode = Literal["reach", "touch"]
WON = "won"
"""What comes after the last stage."""


@dataclass(frozen=True, slots=True)
class CohortRow:
    """From `stage` to `next_stage` ("won" after the last) within the horizon, by count and by value."""

    stage: str
    next_stage: str
    count: Rate
    value: Rate
    left_out: LeftOut

    @property
    def n(self) -> int:
        return self.count.cases

    @property
    def enough(self) -> bool:
        return self.count.enough


@dataclass(frozen=True, slots=True)
class CohortTable:
    rows: tuple[CohortRow, ...]
    horizon_days: int
    mode: Mode


@dataclass(frozen=True, slots=True)
class PathStep:
    """A later stage of a path: the share of the cohort that got there, and the share of the step before."""

    stage: str
    of_start: Rate
    of_previous: Rate


@dataclass(frozen=True, slots=True)
class Path:
    """One cohort followed to the end. In reach mode the product of the steps is the overall conversion."""

    start: str
    steps: tuple[PathStep, ...]
    overall: Rate
    left_out: LeftOut
    horizon_days: int
    mode: Mode

    @property
    def n(self) -> int:
        return self.overall.cases

    @property
    def enough(self) -> bool:
        return self.overall.enough


@dataclass(frozen=True, slots=True)
class RecentRow:
    """F3′ of one stage: the curve of causes ("next", "ended") and the share that got on in time."""

    stage: str
    next_stage: str
    curve: Curve
    share: Share
    left_out: LeftOut

    @property
    def n(self) -> int:
        return self.curve.n

    @property
    def enough(self) -> bool:
        return self.curve.enough


@dataclass(frozen=True, slots=True)
class _Cohort:
    """Who counts, as ascending case numbers, with the day and the amount of their first entry."""

    cases: Ints
    day: Ints
    amount: Floats
    left_out: dict[str, int]


def cohort_conversion(
    history: History,
    *,
    scope: Scope,
    as_of: datetime,
    horizon_days: int,
    mode: Mode,
    entered: Window = ALWAYS,
    floor: int = FLOOR,
) -> CohortTable:
    """Of the cases that first entered a stage in `entered`, the share that got further within the horizon.

    Population: cases in scope whose first entry lies in the window and at least `horizon_days` before
    `as_of`. Time axis: calendar days from the first entry to the first arrival further on, the last day
    included; coming back after a regress counts once. Mode "reach": a stage jumped over counts as passed,
    by a case that ever stood at or before it; further on is any later stage, or won. Mode "touch": real
    visits only, to this stage and to the very next. Basis: count, and amount frozen at first entry.
    Censoring: none is needed, everybody was followed for the whole horizon. n: cases. Interval: Wilson.
    Left out: follow-up too short, undated entry, undated arrival that might have been in time, `final_only`,
    merged, left the process meanwhile, begun beyond the stage (reach), never really there (touch). Real data: engaged in the
    first quarter of 2017, won within 90 days 606 of 1,619, 0.3743 (0.3511 to 0.3981). Spec: docs/metrics.md 3.1 F3.
    """
    keys, today = history.visits.axis_keys, history.day(as_of)
    rows = []
    for k, key in enumerate(keys):
        cohort = _cohort(history, k, scope, as_of, entered, mode, horizon_days)
        arrival, dated = _arrival(history, k + 1, mode, today)
        hit = arrival[cohort.cases] <= cohort.day + horizon_days
        gone = ~hit & _left_within(history, cohort, horizon_days, today)
        decided = hit | (dated[cohort.cases] & ~gone)
        rows.append(
            CohortRow(
                stage=key,
                next_stage=keys[k + 1] if k + 1 < len(keys) else WON,
                count=Rate.of(int(hit.sum()), int(decided.sum()), floor=floor),
                value=Rate.by_value(cohort.amount[decided], hit[decided], floor=floor),
                left_out=cohort.left_out | counted(arrival_unknown=~decided & ~gone, left_process=gone),
            )
        )
    return CohortTable(tuple(rows), horizon_days, mode)


def cohort_path(
    history: History,
    *,
    scope: Scope,
    as_of: datetime,
    horizon_days: int,
    mode: Mode,
    start: str,
    entered: Window = ALWAYS,
    floor: int = FLOOR,
) -> Path:
    """One cohort, those who first entered `start` in the window, followed through every later stage to won.

    Population, axis, basis (count), censoring and left out as in `cohort_conversion`, all within
    `horizon_days` of the entry to `start`. In reach mode the steps multiply to the overall conversion; in
    touch mode, or from rows of different cohorts, they do not, and no product may be shown.
    Raises ValueError for an unknown stage. Spec: docs/metrics.md 3.1.
    """
    keys, today = history.visits.axis_keys, history.day(as_of)
    first = keys.index(start)
    cohort = _cohort(history, first, scope, as_of, entered, mode, horizon_days)
    until, gone = cohort.day + horizon_days, _left_within(history, cohort, horizon_days, today)
    decided = ~gone
    hits = []
    for k in range(first + 1, len(keys) + 1):
        arrival, dated = _arrival(history, k, mode, today)
        hits.append(arrival[cohort.cases] <= until)
        decided = decided & (hits[-1] | dated[cohort.cases])
    n, steps, before = int(decided.sum()), [], decided
    for key, hit in zip((*keys[first + 1 :], WON), hits, strict=True):
        there = hit & decided
        of_start = Rate.of(int(there.sum()), n, floor=floor)
        step = Rate.of(int((there & before).sum()), int(before.sum()), floor=floor)
        steps.append(PathStep(key, of_start, step))
        before = there
    left_out = cohort.left_out | counted(arrival_unknown=~decided & ~gone, left_process=gone)
    return Path(start, tuple(steps), steps[-1].of_start, left_out, horizon_days, mode)


def recent_conversion(
    history: History,
    *,
    scope: Scope,
    as_of: datetime,
    horizon_days: int,
    entered: Window = ALWAYS,
    floor: int = FLOOR,
) -> tuple[RecentRow, ...]:
    """F3′: the same share without waiting for everybody's follow-up, by Aalen and Johansen (reach mode).

    Population: cases in scope whose first entry lies in the window. Time axis: calendar days from there.
    Basis: count. Competing: getting further ("next") and being lost or cancelled before ("ended").
    Censoring: at `as_of`, and where a case left the process. n: cases. Interval: log-minus-log. `share`
    is None where nobody was followed for so long. Spec: docs/metrics.md 3.1 F3′, 3.16.
    """
    keys, today = history.visits.axis_keys, history.day(as_of)
    rows = []
    for k, key in enumerate(keys):
        cohort = _cohort(history, k, scope, as_of, entered, "reach", None)
        arrival, dated = _arrival(history, k + 1, "reach", today)
        decided = dated[cohort.cases]
        cases, day = cohort.cases[decided], cohort.day[decided]
        reached, closed = arrival[cases], history.closed_day[cases]
        until = np.minimum(np.minimum(reached, closed), today)
        ended = (closed <= until) & (history.reach.left_day[cases] > today)
        cause = np.where(reached <= until, 1, np.where(ended, 2, 0)).astype(np.int8)
        curve = aalen_johansen(np.maximum(until - day, 0), cause, ("next", "ended"), floor=floor)
        share = curve.incidence_at("next", horizon_days)
        left_out = cohort.left_out | counted(arrival_unknown=~decided)
        rows.append(RecentRow(key, keys[k + 1] if k + 1 < len(keys) else WON, curve, share, left_out))
    return tuple(rows)


def _cohort(
    history: History, k: int, scope: Scope, as_of: datetime, entered: Window, mode: Mode, horizon: int | None
) -> _Cohort:
    """The cases that first entered stage `k` in the window, and why others do not count."""
    reach, today = history.reach, history.day(as_of)
    first = reach.reach if mode == "reach" else reach.touch
    day = first.day[k]
    # An undated entry could lie in any window; it is counted as left out in all of them.
    there = (first.row[k] >= 0) & history.cases_in(scope)
    undated = there & ~first.dated[k] & (first.since[k] <= today)
    there &= entered.holds(day) & (day <= today)
    unordered = (there | undated) & ~history.ordered
    merged = there & (reach.merged_day <= today) & history.ordered
    kept = there & ~unordered & ~merged
    reasons = {"final_only": unordered, "merged": merged, "entry_unknown": undated & ~unordered}
    if mode == "reach":
        beyond = kept & (reach.lowest > k)
        reasons |= {"started_later": beyond, "entry_unknown": reasons["entry_unknown"] & (reach.lowest <= k)}
        kept &= ~beyond
    else:
        passed = reach.reach.day[k]
        jumped = (first.row[k] < 0) & (reach.lowest <= k) & history.cases_in(scope) & history.ordered
        reasons["skipped"] = jumped & entered.holds(passed) & (passed <= today)
    if horizon is not None:
        short = kept & (day > today - horizon)
        reasons["follow_up_short"] = short
        kept &= ~short
    cases = np.flatnonzero(kept)
    return _Cohort(cases, day[cases], history.visits.amount[first.row[k][cases]], counted(**reasons))


def _left_within(history: History, cohort: _Cohort, horizon: int, today: int) -> Bools:
    """Cases that left the process before they could be followed for the whole horizon."""
    day = history.reach.left_day[cohort.cases]
    return np.asarray((day <= cohort.day + horizon) & (day <= today))


def _arrival(history: History, k: int, mode: Mode, today: int) -> tuple[Ints, Bools]:
    """For each case the day on which it is proven to have got to stage `k`, and whether that day is exact."""
    reach = history.reach
    first = reach.reach if mode == "reach" else reach.touch
    if k == len(first.row):
        return reach.won_day, np.ones(len(reach.won_day), bool)
    exact = first.dated[k] | (first.since[k] > today)
    day = first.proof[k]
    return (np.minimum(day, reach.won_day) if mode == "reach" else day), exact
