"""F1: what lies where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from fairlead.analytics.intervals import LeftOut, counted
from fairlead.analytics.tables import STATE, History, Scope


@dataclass(frozen=True, slots=True)
class StockRow:
    """One stage: cases open in it, their amount, and how many of them have no known entry date."""

    stage: str
    count: int
    amount: float
    without_amount: int
    on_hold: int
    entry_known: int
    entry_unknown: int
    ratio: float | None
    """Cases in the next stage ÷ cases here: a picture of the workload, no chance. None if empty or last."""

    @property
    def enough(self) -> bool:
        """A count is a count."""
        return True


@dataclass(frozen=True, slots=True)
class StockTable:
    rows: tuple[StockRow, ...]
    n: int
    amount: float
    left_out: LeftOut


def stock(
    history: History, *, scope: Scope, as_of: datetime, amount: Literal["now", "frozen"] = "now"
) -> StockTable:
    """The open cases of each stage at `as_of`.

    Population: cases in scope with a visit begun and not ended at `as_of`, on hold included (told apart
    by the state of today). Time axis: the instant `as_of`. Basis: count, and amount in base currency, the
    case's amount of today ("now") or the one frozen at entry. Censoring: none. n: cases. Interval: none,
    everything is counted. Undated entries count here, and are told apart. Spec: docs/metrics.md 3.1 F1.
    """
    visits, stages = history.visits, len(history.visits.axis_keys)
    ended = history.ended(as_of)
    here = np.flatnonzero(history.begun(as_of, ended) & ~ended & history.visits_in(scope))
    axis, case = visits.axis[here], history.case[here]
    value = visits.amount[here] if amount == "frozen" else history.journeys.amount[case]
    missing = np.isnan(value)
    held = history.journeys.state[case] == STATE.index("on_hold")
    counts = np.bincount(axis, minlength=stages)
    amounts = np.bincount(axis, weights=np.where(missing, 0.0, value), minlength=stages)
    without, on_hold, dated = (
        np.bincount(axis[mask], minlength=stages) for mask in (missing, held, visits.entered_known[here])
    )
    rows = tuple(
        StockRow(
            stage=key,
            count=int(counts[k]),
            amount=float(amounts[k]),
            without_amount=int(without[k]),
            on_hold=int(on_hold[k]),
            entry_known=int(dated[k]),
            entry_unknown=int(counts[k] - dated[k]),
            ratio=float(counts[k + 1] / counts[k]) if k + 1 < stages and counts[k] else None,
        )
        for k, key in enumerate(visits.axis_keys)
    )
    return StockTable(rows, len(here), float(amounts.sum()), counted(amount_unknown=missing))
