"""Who is behind a figure of the funnel: the rows of each count, so that every bar opens what it counted.

Each function takes what its metric takes and gives ascending row numbers, of `visits` or of `journeys` (cases).
Their number is the count that the metric shows; a property test holds the two together.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np

from fairlead.analytics.days import ALWAYS, Bools, Ints, Measure, Window
from fairlead.analytics.funnel.cohorts import WON, Mode, _arrival, _cohort, _left_within
from fairlead.analytics.funnel.flow import _ENDS, ADVANCES
from fairlead.analytics.funnel.stage_time import _CAUSE_OF_EXIT, STAGE_CAUSES, _durations
from fairlead.analytics.outcomes import BASES, Basis
from fairlead.analytics.tables import EXIT, OUTCOME, STATE, History, Scope

STOCK_PARTS = ("all", "on_hold", "dated", "undated")
COHORT_PARTS = ("all", "hit", "missed")
TIME_PARTS = ("all", "open", "left", *STAGE_CAUSES)


def stock_visits(history: History, stage: str, part: str = "all", *, scope: Scope, as_of: datetime) -> Ints:
    """The open visits behind a row of `stock`, or those of its cases that are on hold, dated, undated."""
    visits, place = history.visits, history.visits.axis_keys.index(stage)
    ended = history.ended(as_of)
    here = history.begun(as_of, ended) & ~ended & history.visits_in(scope) & (visits.axis == place)
    if part == "on_hold":
        here &= history.journeys.state[history.case] == STATE.index("on_hold")
    elif part == "dated":
        here &= visits.entered_known
    elif part == "undated":
        here &= ~visits.entered_known
    return np.flatnonzero(here)


def exit_visits(
    history: History, stage: str, part: str = "all", *, scope: Scope, as_of: datetime, period: Window = ALWAYS
) -> Ints:
    """The visits behind a row of `period_exit_yield`: all ends, the "forward" or "losing" ones, or one word of ENDS."""
    visits, place = history.visits, history.visits.axis_keys.index(stage)
    here = history.ended(as_of) & period.holds(history.exit_day) & history.visits_in(scope)
    here &= history.ordered_visits & ~visits.skipped & _ENDS[visits.exit] & (visits.axis == place)
    if part == "forward":
        here &= np.isin(visits.exit, [EXIT.index(word) for word in ADVANCES])
    elif part == "losing":
        here &= np.isin(visits.exit, [EXIT.index(word) for word in BASES["full"]])
    elif part != "all":
        here &= visits.exit == EXIT.index(part)
    return np.flatnonzero(here)


def cohort_cases(
    history: History,
    stage: str,
    part: str = "all",
    *,
    scope: Scope,
    as_of: datetime,
    horizon_days: int,
    mode: Mode,
    entered: Window = ALWAYS,
) -> Ints:
    """The cases behind a row of `cohort_conversion`: its n, those that got on in time, those that did not."""
    k, today = history.visits.axis_keys.index(stage), history.day(as_of)
    cohort = _cohort(history, k, scope, as_of, entered, mode, horizon_days)
    arrival, dated = _arrival(history, k + 1, mode, today)
    hit = arrival[cohort.cases] <= cohort.day + horizon_days
    gone = _left_within(history, cohort, horizon_days, today)
    return cohort.cases[_part(part, hit, hit | (dated[cohort.cases] & ~gone))]


def path_cases(
    history: History,
    stage: str,
    part: str = "all",
    *,
    start: str,
    scope: Scope,
    as_of: datetime,
    horizon_days: int,
    mode: Mode,
    entered: Window = ALWAYS,
) -> Ints:
    """The cases of a `cohort_path` that reached `stage` ("won" too); part "all" gives the whole cohort."""
    keys, today = history.visits.axis_keys, history.day(as_of)
    first = keys.index(start)
    cohort = _cohort(history, first, scope, as_of, entered, mode, horizon_days)
    until = cohort.day + horizon_days
    decided = ~_left_within(history, cohort, horizon_days, today)
    reached = decided
    for k in range(first + 1, len(keys) + 1):
        arrival, dated = _arrival(history, k, mode, today)
        hit = arrival[cohort.cases] <= until
        decided = decided & (hit | dated[cohort.cases])
        if (keys[k] if k < len(keys) else WON) == stage:
            reached = hit
    return cohort.cases[_part(part, reached, decided)]


def staying_visits(
    history: History,
    stage: str,
    part: str = "all",
    *,
    scope: Scope,
    as_of: datetime,
    entered: Window = ALWAYS,
    within: int | None = None,
    over: int | None = None,
    measure: Measure | None = None,
) -> Ints:
    """The visits behind the curve of a stage in `time_in_stage` (per visit).

    `part`: all, still open (censored), left, or left by one of STAGE_CAUSES; `within`: ended by that day at the
    latest; `over`: lasted longer than so many days.
    """
    visits, place = history.visits, history.visits.axis_keys.index(stage)
    ended = history.ended(as_of)
    mine = history.begun(as_of, ended) & history.visits_in(scope) & history.timed & (visits.axis == place)
    if entered != ALWAYS:
        mine &= entered.holds(history.entry_day)
    rows = np.flatnonzero(mine)
    cause = np.where(ended[rows], _CAUSE_OF_EXIT[visits.exit[rows]], 0)
    lasted = _durations(history, rows, ended, as_of, measure)
    keep = np.ones(len(rows), bool)
    if part == "open":
        keep = cause == 0
    elif part == "left":
        keep = cause > 0
    elif part != "all":
        keep = cause == STAGE_CAUSES.index(part) + 1
    if within is not None:
        keep &= lasted <= within
    if over is not None:
        keep &= lasted > over
    return np.asarray(rows[keep])


def closed_cases(
    history: History,
    part: str = "all",
    *,
    scope: Scope,
    as_of: datetime,
    basis: Basis = "full",
    closed: Window = ALWAYS,
) -> Ints:
    """The cases behind a win rate: one outcome, or all that its basis counts."""
    inside = history.cases_in(scope) & history.closed(as_of) & closed.holds(history.closed_day)
    words = ("won", *BASES[basis]) if part == "all" else (part,)
    return np.flatnonzero(inside & np.isin(history.journeys.outcome, [OUTCOME.index(word) for word in words]))


def _part(part: str, hit: Bools, decided: Bools) -> Bools:
    return {"all": decided, "hit": hit & decided, "missed": decided & ~hit}[part]
