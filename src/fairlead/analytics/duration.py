"""How long it takes, whether that differs, and how late it is written down."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import numpy as np

from fairlead.analytics.days import (
    ALWAYS,
    NEVER,
    Bools,
    Floats,
    Instants,
    Ints,
    Measure,
    Numbers,
    Window,
    instant,
)
from fairlead.analytics.funnel.stage_time import stage_curve
from fairlead.analytics.intervals import (
    FLOOR,
    Difference,
    LeftOut,
    Rate,
    bonferroni,
    counted,
    newcombe,
    two_sided_p,
)
from fairlead.analytics.survival import Curve, LogRank, kaplan_meier, log_rank, pool
from fairlead.analytics.tables import OUTCOME, History, Scope

Key = TypeVar("Key", bound=Hashable)

DECIDED = ("won", "lost", "no_decision", "walked_away")
LATE_AFTER_DAYS = 2.0
"""A step recorded more than 48 hours after it happened is late (default)."""


@dataclass(frozen=True)
class CycleLength:
    """`won` and `decided`: cases that ended so, and only these. `everyone`: the open ones too, censored."""

    won: Curve
    decided: Curve
    everyone: Curve
    left_out: LeftOut

    @property
    def n(self) -> int:
        return self.everyone.n

    @property
    def enough(self) -> bool:
        return self.everyone.enough


@dataclass(frozen=True)
class CurveRow(Generic[Key]):
    """One period or group against all others together; `signal`: unlike them beyond luck."""

    key: Key
    curve: Curve
    versus_rest: LogRank
    signal: bool

    @property
    def n(self) -> int:
        return self.curve.n

    @property
    def enough(self) -> bool:
        return self.curve.enough


@dataclass(frozen=True, slots=True)
class LatenessRow(Generic[Key]):
    """One person: delays in days, the share recorded late, and that share against everybody else's."""

    person: Key
    median_days: float
    p80_days: float
    late: Rate
    versus_rest: Difference

    @property
    def n(self) -> int:
        return self.late.cases

    @property
    def enough(self) -> bool:
        return self.late.enough

    @property
    def signal(self) -> bool:
        """Later than the others beyond luck."""
        low = self.versus_rest.low
        return self.versus_rest.enough and low is not None and low > 0


def cycle_length(
    history: History,
    *,
    scope: Scope,
    as_of: datetime,
    opened: Window = ALWAYS,
    closed: Window = ALWAYS,
    measure: Measure | None = None,
    floor: int = FLOOR,
) -> CycleLength:
    """From the beginning of a case to its end.

    Population: cases in scope that began on a day of `opened`; for `won` and `decided` those closed on a day
    of `closed` and not after `as_of`, which says nothing of the ones still open ("won only"). Time axis:
    calendar days between local dates, or `measure`. Basis: count. Censoring: none in those two; in
    `everyone` the open cases are censored at `as_of`, those that left the process
    where they left it. n: each curve's. Interval: log-minus-log. Left out: beginning unknown, invalid,
    duplicate and merged. Real data: median to close 45 days over won and lost.
    Spec: docs/metrics.md 3.2.
    """
    mine, outcome = history.cases_in(scope), history.journeys.outcome
    ended, today = history.closed(as_of), history.day(as_of)
    decided = ended & np.isin(outcome, [OUTCOME.index(word) for word in DECIDED])
    left = ended & (outcome == OUTCOME.index("left_process"))
    excluded = mine & ended & ~decided & ~left
    unknown = mine & ~excluded & (history.opened_day == NEVER)
    inside = mine & ~excluded & opened.holds(history.opened_day) & (history.opened_day <= today)
    lasted = _lasted(history, ended, as_of, measure, inside)
    finished = inside & decided & closed.holds(history.closed_day)
    won = finished & (outcome == OUTCOME.index("won"))
    every = np.ones(len(outcome), bool)
    return CycleLength(
        won=kaplan_meier(lasted[won], every[won], floor=floor),
        decided=kaplan_meier(lasted[finished], every[finished], floor=floor),
        everyone=kaplan_meier(lasted[inside], (ended & ~left)[inside], floor=floor),
        left_out=counted(opened_unknown=unknown, excluded=excluded),
    )


def compare_curves(curves: Mapping[Key, Curve], *, confidence: float = 0.95) -> tuple[CurveRow[Key], ...]:
    """Each curve against all the others together by the log-rank test, in the order given.

    Population, axis and censoring are those of the curves, over rows that no two of them share. Interval:
    each curve's own; `signal` needs a p below (1 - confidence) ÷ number of curves and both sides enough.
    """
    limit = two_sided_p(bonferroni(len(curves), confidence))
    rows = []
    for key, curve in curves.items():
        others = [other for name, other in curves.items() if name != key]
        rest = pool(others) if others else None
        test = log_rank(curve, rest) if rest else LogRank(curve.n - curve.censored, 0.0, 0.0, 1.0)
        enough = curve.enough and rest is not None and rest.enough
        rows.append(CurveRow(key, curve, test, enough and test.p < limit))
    return tuple(rows)


def stage_by_period(
    history: History,
    stage: str,
    *,
    scope: Scope,
    as_of: datetime,
    periods: Sequence[Window],
    measure: Measure | None = None,
    floor: int = FLOOR,
) -> tuple[CurveRow[Window], ...]:
    """Time in one stage by the period of entry: has it become slower?

    Population, axis, basis, censoring, n, interval, left out: as `funnel.time_in_stage` per visit, the
    visits grouped by the day they began. Periods must not overlap. Spec: docs/metrics.md 3.2, 3.16.
    """
    curves = {
        period: stage_curve(
            history, stage, scope=scope, as_of=as_of, entered=period, measure=measure, floor=floor
        )
        for period in periods
    }
    return compare_curves(curves)


def stage_by_group(
    history: History,
    stage: str,
    *,
    scope: Scope,
    as_of: datetime,
    group: Ints,
    entered: Window = ALWAYS,
    measure: Measure | None = None,
    floor: int = FLOOR,
) -> tuple[CurveRow[int], ...]:
    """Time in one stage by group (branch, owner, version): a code per case, negative for none.

    Otherwise as `stage_by_period`.
    """
    mine = history.cases_in(scope)
    curves = {}
    for code in np.unique(group[mine & (group >= 0)]):
        here = mine & (group == code)
        curves[int(code)] = stage_curve(
            history, stage, scope=here, as_of=as_of, entered=entered, measure=measure, floor=floor
        )
    return compare_curves(curves)


def lateness(
    recorded: Instants,
    effective: Instants,
    person: Ints,
    *,
    scope: Bools,
    late_after_days: float = LATE_AFTER_DAYS,
    measure: Measure | None = None,
    floor: int = FLOOR,
) -> tuple[LatenessRow[int], ...]:
    """Who writes down late: the delay from when a step happened to when it was recorded, worst first.

    Population: the events of the caller in `scope` (a boolean per event), without imported ones, whose
    delay is that of the import. Time axis: elapsed days, or `measure(effective, recorded)`; recorded before
    it happened counts as no delay. Basis: count of events. Censoring: none; what is not yet recorded is
    unseen. n: events of the person. Interval: Wilson for the share, Newcombe against all others, widened
    for the number of people. Spec: docs/metrics.md 3.22.
    """
    happened, written, who = effective[scope], recorded[scope], person[scope]
    if measure is None:
        delay: Floats = (written - happened).astype("timedelta64[us]").astype(np.int64) / 86_400_000_000
    else:
        delay = np.asarray(measure(happened, np.maximum(written, happened)), float)
    delay = np.maximum(delay, 0.0)
    late = delay > late_after_days
    people = np.unique(who)
    z = bonferroni(len(people))
    rows = []
    for one in people:
        mine = who == one
        rate = Rate.of(int(late[mine].sum()), int(mine.sum()), floor=floor)
        rest = Rate.of(int(late[~mine].sum()), int((~mine).sum()), floor=floor)
        median, p80 = np.quantile(delay[mine], (0.5, 0.8))
        rows.append(LatenessRow(int(one), float(median), float(p80), rate, newcombe(rate, rest, z=z)))
    return tuple(sorted(rows, key=lambda row: (-(row.late.value or 0.0), row.person)))


def _lasted(
    history: History, ended: Bools, as_of: datetime, measure: Measure | None, inside: Bools
) -> Numbers:
    """How long each case had lasted at `as_of`; meaningless outside `inside`."""
    if measure is None:
        until = np.minimum(history.closed_day.astype(np.int64), history.day(as_of))
        return np.maximum(until - history.opened_day, 0)
    left = np.where(ended, history.journeys.closed, instant(as_of))
    lasted = np.zeros(len(inside))
    lasted[inside] = measure(history.journeys.opened[inside], left[inside])
    return lasted
