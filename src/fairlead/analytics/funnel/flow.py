"""F2: how the visits that ended in a period ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from fairlead.analytics.days import ALWAYS, Window
from fairlead.analytics.intervals import FLOOR, LeftOut, Rate, counted, rates_by_value
from fairlead.analytics.tables import EXIT, History, Scope

ENDS = ("advance", "won", "skip_forward", "regress", "lost", "no_decision", "walked_away", "cancelled")
"""Exits that end a visit; "migrated" and "merged" only move the record, "left_process" takes it out."""
ADVANCES = ("advance", "won")
_ENDS = np.isin(EXIT, ENDS)
_FORWARD = np.isin(EXIT, ADVANCES)


@dataclass(frozen=True, slots=True)
class ExitRow:
    """One stage: visits ended, by how, and the share that advanced. `ends` follows the words of EXIT."""

    stage: str
    ends: Mapping[str, int]
    count: Rate
    value: Rate

    @property
    def n(self) -> int:
        return self.count.cases

    @property
    def enough(self) -> bool:
        return self.count.enough


@dataclass(frozen=True, slots=True)
class ExitTable:
    rows: tuple[ExitRow, ...]
    n: int
    left_out: LeftOut


def period_exit_yield(
    history: History, *, scope: Scope, as_of: datetime, period: Window = ALWAYS, floor: int = FLOOR
) -> ExitTable:
    """Of the visits that ended in `period`, the share that advanced.

    Population: visits in scope that ended on a day of `period` and not after `as_of`. Time axis: the day of
    the end. Basis: count of visits, and amount frozen at entry. Numerator: "advance", and "won" (how the last
    stage is advanced from); a jump over the next stage is an end, not an advance. Censoring: none; therefore
    biased when the ages of what is open change, a control figure and no forecast. n: ended visits. Interval:
    Wilson. Left out: stages jumped over, records only moved (migrated) or taken out of the process, all
    visits of a case that was merged into another by `as_of` (that one counts), `final_only`.
    Undated entries count, their ends are dated. Spec: docs/metrics.md 3.1 F2.
    """
    visits, stages = history.visits, len(history.visits.axis_keys)
    inside = history.ended(as_of) & period.holds(history.exit_day) & history.visits_in(scope)
    rows = np.flatnonzero(inside)
    ordered, skipped, real = history.ordered_visits[rows], visits.skipped[rows], _ENDS[visits.exit[rows]]
    double = history.reach.merged_day[history.case[rows]] <= history.day(as_of)
    gone = visits.exit[rows] == EXIT.index("left_process")
    left_out = counted(
        final_only=~ordered,
        merged=ordered & double,
        skipped=ordered & ~double & skipped,
        moved=ordered & ~double & ~skipped & ~real & ~gone,
        left_process=ordered & ~double & ~skipped & gone,
    )
    rows = rows[ordered & ~double & ~skipped & real]
    axis, how, amount = visits.axis[rows], visits.exit[rows], visits.amount[rows]
    table = np.bincount(axis.astype(np.int64) * len(EXIT) + how, minlength=stages * len(EXIT))
    table = table.reshape(stages, len(EXIT))
    forward = _FORWARD[how]
    values = rates_by_value(amount, forward, axis, stages, floor=floor)
    found = []
    for k, key in enumerate(visits.axis_keys):
        ends = {word: int(table[k, EXIT.index(word)]) for word in ENDS}
        count = Rate.of(sum(ends[word] for word in ADVANCES), sum(ends.values()), floor=floor)
        found.append(ExitRow(key, ends, count, values[k]))
    return ExitTable(tuple(found), len(rows), left_out)
