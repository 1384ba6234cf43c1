"""How long cases stay in a stage, and how they leave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fairlead.analytics.days import ALWAYS, Bools, Ints, Measure, Numbers, Window, instant
from fairlead.analytics.intervals import FLOOR, LeftOut
from fairlead.analytics.survival import Curve, Share, curves_by_group
from fairlead.analytics.tables import EXIT, History, Scope

STAGE_CAUSES = ("forward", "won", "regress", "lost", "cancelled")
"""How a visit ends. "forward" is advance and skip_forward; "lost" is lost, no_decision and walked_away."""

_CAUSE = {
    "advance": 1, "skip_forward": 1, "won": 2, "regress": 3, "lost": 4, "no_decision": 4, "walked_away": 4,
    "cancelled": 5,
}  # fmt: skip
_CAUSE_OF_EXIT = np.array([_CAUSE.get(word, 0) for word in EXIT], np.int8)
"""0 where nothing ended: still open, or the record was migrated, merged or left the process (censored then)."""


@dataclass(frozen=True, slots=True)
class StageTime:
    """One stage. `chances[day][cause]`: the share that had left by that cause within so many days."""

    stage: str
    curve: Curve
    chances: Mapping[int, Mapping[str, Share]]
    left_out: LeftOut

    @property
    def n(self) -> int:
        return self.curve.n

    @property
    def enough(self) -> bool:
        return self.curve.enough


@dataclass(frozen=True, slots=True)
class StageTimes:
    rows: tuple[StageTime, ...]
    per: Literal["visit", "case"]


def time_in_stage(
    history: History,
    *,
    scope: Scope,
    as_of: datetime,
    entered: Window = ALWAYS,
    per: Literal["visit", "case"] = "visit",
    measure: Measure | None = None,
    at: tuple[int, ...] = (30, 60, 90),
    floor: int = FLOOR,
) -> StageTimes:
    """The time spent in each stage, by Kaplan and Meier, and the competing ways out, by Aalen and Johansen.

    Population: visits in scope that began on a day of `entered`, not after `as_of`; with `per="case"` the
    sum of the visits of a case to the stage, the last of which tells whether and how it left for good.
    Time axis: calendar days between local dates, or what `measure(entered, left)` says (working days).
    Basis: count. Censoring: visits open at `as_of`, migrated, merged or left the process are censored there. n: visits, or
    cases. Interval: log-minus-log. Left out: undated entries (with `per="case"` the whole case in that
    stage), stages jumped over, `final_only`. The mean of ended visits is not given: it is too short.
    Vector on real data: Engaging, n 8,300, median 69 days, at 138 days won 0.5194 and lost 0.3017.
    Spec: docs/metrics.md 3.2, 3.16.
    """
    visits = history.visits
    ended = history.ended(as_of)
    mine = history.begun(as_of, ended) & history.visits_in(scope)
    if entered != ALWAYS:
        mine &= entered.holds(history.entry_day) | ~visits.entered_known
    rows = np.flatnonzero(mine & history.timed)
    cause = np.where(ended[rows], _CAUSE_OF_EXIT[visits.exit[rows]], 0)
    lasted = _durations(history, rows, ended, as_of, measure)
    axis = visits.axis[rows]
    untimed = np.flatnonzero(mine & ~history.timed)
    undated = untimed[~(visits.entered_known | visits.skipped)[untimed] & history.ordered_visits[untimed]]
    if per == "case":
        axis, lasted, cause = _per_case(history, rows, lasted, cause, undated)
    found = []
    reasons = _reasons(history, untimed)
    curves = curves_by_group(lasted, cause, axis, len(visits.axis_keys), STAGE_CAUSES, floor=floor)
    for k, key in enumerate(visits.axis_keys):
        curve = curves[k]
        chances = {day: {c: curve.incidence_at(c, day) for c in STAGE_CAUSES} for day in at}
        found.append(StageTime(key, curve, chances, {r: int(n[k]) for r, n in reasons.items()}))
    return StageTimes(tuple(found), per)


def stage_curve(
    history: History,
    stage: str,
    *,
    scope: Scope,
    as_of: datetime,
    entered: Window = ALWAYS,
    measure: Measure | None = None,
    floor: int = FLOOR,
) -> Curve:
    """The curve of one stage alone, per visit: a row of `time_in_stage`. ValueError for a stranger."""
    place = history.visits.axis_keys.index(stage)
    times = time_in_stage(
        history, scope=scope, as_of=as_of, entered=entered, measure=measure, at=(), floor=floor
    )
    return times.rows[place].curve


def _durations(
    history: History, rows: Ints, ended: Bools, as_of: datetime, measure: Measure | None
) -> Numbers:
    """How long the visits in `rows` had lasted at `as_of`."""
    if measure is None:
        until = np.minimum(history.exit_day[rows], history.day(as_of))
        return np.maximum(until - history.entry_day[rows], 0)
    left = np.where(ended[rows], history.visits.left[rows], instant(as_of))
    return measure(history.visits.entered[rows], left)


def _per_case(
    history: History, rows: Ints, lasted: Numbers, cause: NDArray[np.int8], undated: Ints
) -> tuple[NDArray[np.int16], Numbers, NDArray[np.int8]]:
    """Sum the visits of each case to each stage; the last one says how it ended."""
    stages = len(history.visits.axis_keys)
    size = len(history.journeys) * stages
    mine = history.case_and_stage[rows]
    total = np.bincount(mine, weights=lasted, minlength=size)
    last = np.full(size, -1, np.int64)
    last[mine] = np.arange(len(rows))
    last[history.case_and_stage[undated]] = -1
    kept = np.flatnonzero(last >= 0)
    sums: Numbers = total[kept]
    if np.issubdtype(lasted.dtype, np.integer):
        sums = sums.astype(np.int64)
    return (kept % stages).astype(np.int16), sums, cause[last[kept]]


def _reasons(history: History, untimed: Ints) -> dict[str, NDArray[np.int64]]:
    """Visits left out of each stage, by reason."""
    visits, stages = history.visits, len(history.visits.axis_keys)
    axis, ordered, skipped = visits.axis[untimed], history.ordered_visits[untimed], visits.skipped[untimed]
    masks = {"final_only": ~ordered, "skipped": ordered & skipped, "entry_unknown": ordered & ~skipped}
    return {name: np.bincount(axis[mask], minlength=stages) for name, mask in masks.items()}
