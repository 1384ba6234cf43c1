"""The tables every metric reads: journeys, and the visits they paid to stages.

Columns are NumPy arrays of one length; words are small codes into the tuples below. Order matters: visits
are sorted by (journey, episode, order of the visits), journeys by (journey, episode). A *case* is one
episode of one journey: a deal that was lost and reopened counts as a second attempt. See
docs/decisions/0003-analytics-in-numpy.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, tzinfo
from enum import Enum
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fairlead.analytics.days import NEVER, Bools, Floats, Instants, Ints, instant, local_day, local_days
from fairlead.analytics.reach import Firsts, Reach, first_at, first_at_or_beyond, firsts

EXIT = (
    "open", "advance", "skip_forward", "regress", "won", "lost", "no_decision", "walked_away",
    "cancelled", "migrated", "merged", "left_process",
)  # fmt: skip
STATE = ("open", "on_hold", "won", "lost", "cancelled", "left_process")
OUTCOME = (
    "open", "won", "lost", "no_decision", "walked_away", "invalid", "duplicate", "merged", "left_process",
)  # fmt: skip
FIDELITY = ("native", "full", "stage_dates_only", "final_only")


class Everything(Enum):
    """The scope of somebody who may see every journey; said aloud, never a default."""

    EVERYTHING = "everything"


EVERYTHING = Everything.EVERYTHING
Scope = Bools | Everything
"""Whose rows: a boolean for each row of `Journeys`, or EVERYTHING."""


def codes(words: Iterable[str], dictionary: Sequence[str]) -> NDArray[np.int16]:
    """The place of each word in `dictionary`. Raises KeyError for a stranger."""
    place = {word: number for number, word in enumerate(dictionary)}
    return np.array([place[word] for word in words], np.int16)


def instants(values: Iterable[datetime | None]) -> Instants:
    """Aware datetimes as UTC `datetime64[us]`, None as NaT. Raises ValueError for a naive one."""

    def naive(value: datetime | None) -> datetime | None:
        if value is None or value.tzinfo is UTC:
            return value and value.replace(tzinfo=None)
        if value.tzinfo is None:
            raise ValueError("An instant needs its time zone.")
        return value.astimezone(UTC).replace(tzinfo=None)

    return np.array([naive(value) for value in values], "datetime64[us]")


class _Columns:
    """Equal lengths and the promised type in each column; a subset by rows."""

    _types: dict[str, str] = {}

    def __post_init__(self) -> None:
        lengths = {}
        for name, kind in self._types.items():
            column = np.asarray(getattr(self, name))
            if kind == "datetime64[us]" and column.dtype == np.int64:
                column = column.view(kind)
            object.__setattr__(self, name, column.astype(kind, copy=False))
            lengths[name] = len(column)
        if len(set(lengths.values())) > 1:
            raise ValueError(f"Columns differ in length: {lengths}")

    def take(self, rows: Ints | Bools) -> Self:
        """The same table with these rows only (a mask or ascending row numbers)."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return type(self)(**{name: v[rows] if name in self._types else v for name, v in values.items()})


@dataclass(frozen=True, eq=False)
class Visits(_Columns):
    """One row per visit of a case to a stage.

    `axis`: place of the stage's axis key in `axis_keys`, the order of the process. `entered` with
    `entered_known` false is only the moment of import. `left` is NaT while `exit` is "open". `skipped`: the
    stage was jumped over, a visit of zero length. `amount`: base currency, frozen at entry, NaN if none.
    """

    axis_keys: tuple[str, ...]
    journey: NDArray[np.int64]
    episode: NDArray[np.int16]
    axis: NDArray[np.int16]
    entered: Instants
    entered_known: Bools
    left: Instants
    exit: NDArray[np.int8]
    skipped: Bools
    imported: Bools
    amount: Floats
    owner: NDArray[np.int64]
    team: NDArray[np.int64]

    _types = {
        "journey": "int64", "episode": "int16", "axis": "int16", "entered": "datetime64[us]",
        "entered_known": "bool", "left": "datetime64[us]", "exit": "int8", "skipped": "bool",
        "imported": "bool", "amount": "float64", "owner": "int64", "team": "int64",
    }  # fmt: skip

    def __len__(self) -> int:
        return len(self.journey)


@dataclass(frozen=True, eq=False)
class Journeys(_Columns):
    """One row per case: its state now, when it began and ended, its amount now (the final one if closed).

    `opened` is NaT when nobody knows it; `amount` in base currency, NaN if none.
    """

    journey: NDArray[np.int64]
    episode: NDArray[np.int16]
    state: NDArray[np.int8]
    outcome: NDArray[np.int8]
    opened: Instants
    closed: Instants
    amount: Floats
    owner: NDArray[np.int64]
    team: NDArray[np.int64]
    fidelity: NDArray[np.int8]

    _types = {
        "journey": "int64", "episode": "int16", "state": "int8", "outcome": "int8",
        "opened": "datetime64[us]", "closed": "datetime64[us]", "amount": "float64", "owner": "int64",
        "team": "int64", "fidelity": "int8",
    }  # fmt: skip

    def __len__(self) -> int:
        return len(self.journey)


@dataclass(frozen=True, eq=False)
class History:
    """Visits with their journeys and the organisation's time zone: the input of every metric.

    What depends on neither scope nor question is worked out once and kept, so hold on to a History as long
    as the data stands. Raises ValueError for unsorted rows or a visit without its journey.
    """

    visits: Visits
    journeys: Journeys
    zone: tzinfo = UTC

    def __post_init__(self) -> None:
        keys = _case_keys(self.journeys.journey, self.journeys.episode)
        if (keys[1:] <= keys[:-1]).any():
            raise ValueError("Journeys must be sorted by (journey, episode) without doubles.")
        self.case  # noqa: B018  (fails now, not in the first metric)

    @cached_property
    def case(self) -> NDArray[np.int32]:
        """For each visit the row of its case in `journeys`."""
        visits = _case_keys(self.visits.journey, self.visits.episode)
        if not len(visits):
            return np.empty(0, np.int32)
        if (visits[1:] < visits[:-1]).any():
            raise ValueError("Visits must be sorted by (journey, episode).")
        first = np.r_[True, visits[1:] != visits[:-1]]
        known = _case_keys(self.journeys.journey, self.journeys.episode)
        rows = np.searchsorted(known, visits[first])
        if not len(known) or (known[np.minimum(rows, len(known) - 1)] != visits[first]).any():
            raise ValueError("A visit has no journey.")
        return np.asarray(rows[np.cumsum(first) - 1], np.int32)

    @cached_property
    def case_starts(self) -> Bools:
        """Which visits are the first of their case."""
        return np.r_[True, self.case[1:] != self.case[:-1]] if len(self.case) else np.empty(0, bool)

    @cached_property
    def case_and_stage(self) -> NDArray[np.int64]:
        """For each visit one number for its case and stage: case times the number of stages, plus axis."""
        return self.case.astype(np.int64) * len(self.visits.axis_keys) + self.visits.axis

    @cached_property
    def entry_day(self) -> NDArray[np.int32]:
        """The local day each visit began (of the import where `entered_known` is false)."""
        return local_days(self.visits.entered, self.zone)

    @cached_property
    def exit_day(self) -> NDArray[np.int32]:
        """The local day each visit ended, NEVER while open."""
        return local_days(self.visits.left, self.zone)

    @cached_property
    def begun_day(self) -> NDArray[np.int32]:
        """The day each visit is known to have begun: see `begun` for undated ones."""
        days, undated = self.entry_day.copy(), np.flatnonzero(~self.visits.entered_known)
        first = self.case_starts[undated]
        days[undated] = np.where(first, np.iinfo(np.int32).min, self.exit_day[undated - 1])
        return days

    @cached_property
    def opened_day(self) -> NDArray[np.int32]:
        """The local day each case began, NEVER if unknown."""
        return local_days(self.journeys.opened, self.zone)

    @cached_property
    def closed_day(self) -> NDArray[np.int32]:
        """The local day each case closed, NEVER while open."""
        return local_days(self.journeys.closed, self.zone)

    @cached_property
    def reach(self) -> Reach:
        """When each case first reached and first touched each stage."""
        visits, cases, stages = self.visits, len(self.journeys), len(self.visits.axis_keys)
        known = visits.entered_known

        def search(find: Callable[..., NDArray[np.int32]], mask: Bools | None) -> Firsts:
            def among(chosen: Bools | None) -> NDArray[np.int32]:
                if chosen is None or chosen.all():
                    return find(self.case, visits.axis, cases, stages)
                rows = np.flatnonzero(chosen)
                found = find(self.case[rows], visits.axis[rows], cases, stages)
                return np.where(found >= 0, rows[found], -1).astype(np.int32) if len(rows) else found

            dated = None if known.all() else among(known if mask is None else known & mask)
            return firsts(among(mask), dated, known, self.entry_day, self.begun_day)

        reached = search(first_at_or_beyond, None)
        touched = search(first_at, ~visits.skipped)
        lowest = np.full(cases, stages, np.int16)
        if len(visits):
            starts = np.flatnonzero(self.case_starts)
            lowest[self.case[starts]] = np.minimum.reduceat(visits.axis, starts)
        ends = (self._last_day(word) for word in ("won", "merged", "left_process"))
        return Reach(reached, touched, lowest, *ends)

    def _last_day(self, word: str) -> NDArray[np.int32]:
        """The day on which a visit of each case ended that way, NEVER if none did."""
        days = np.full(len(self.journeys), NEVER, np.int32)
        rows = np.flatnonzero(self.visits.exit == EXIT.index(word))
        days[self.case[rows]] = self.exit_day[rows]
        return days

    @cached_property
    def ordered(self) -> Bools:
        """Cases whose steps are known at all: every fidelity but `final_only`."""
        return np.asarray(self.journeys.fidelity != FIDELITY.index("final_only"))

    @cached_property
    def ordered_visits(self) -> Bools:
        """The visits of `ordered` cases."""
        return self.ordered[self.case]

    @cached_property
    def timed(self) -> Bools:
        """Visits whose length means something: dated, really paid, of cases whose steps are known."""
        return self.visits.entered_known & ~self.visits.skipped & self.ordered_visits

    def day(self, as_of: datetime) -> int:
        """The local day of `as_of`."""
        return local_day(as_of, self.zone)

    def cases_in(self, scope: Scope) -> Bools:
        """The scope as a mask over cases. Raises ValueError when it has another length."""
        if isinstance(scope, Everything):
            return np.ones(len(self.journeys), bool)
        if scope.dtype != bool or scope.shape != (len(self.journeys),):
            raise ValueError("A scope is one boolean per journey.")
        return scope

    def visits_in(self, scope: Scope) -> Bools:
        """The scope as a mask over visits."""
        if isinstance(scope, Everything):
            return np.ones(len(self.visits), bool)
        return self.cases_in(scope)[self.case]

    def scoped(self, scope: Scope) -> History:
        """A history of the journeys in scope alone. Metrics with `scope` do not need it; exports do."""
        if isinstance(scope, Everything):
            return self
        visits, journeys = self.visits.take(self.visits_in(scope)), self.journeys.take(self.cases_in(scope))
        return History(visits, journeys, self.zone)

    def ended(self, as_of: datetime) -> Bools:
        """Which visits had ended at `as_of` (an end at that very instant counts)."""
        return np.asarray(self.visits.left <= instant(as_of))

    def begun(self, as_of: datetime, ended: Bools) -> Bools:
        """Which visits had begun at `as_of`.

        An undated visit has begun as soon as the one before it has ended, since its date is only that of
        the import.
        """
        begun = np.asarray(self.visits.entered <= instant(as_of))
        undated = np.flatnonzero(~self.visits.entered_known)
        begun[undated] = self.case_starts[undated] | ended[undated - 1]
        return begun

    def closed(self, as_of: datetime) -> Bools:
        """Which cases were closed at `as_of`."""
        return np.asarray(self.journeys.closed <= instant(as_of))


def _case_keys(journey: NDArray[np.int64], episode: NDArray[np.int16]) -> NDArray[np.int64]:
    return journey * 65_536 + episode
