"""When each case first got where: the one pass over the visits that all cohort figures share.

*Reach* counts a stage as passed when the case stood in it or in any later one, whether or not it stopped
there. *Touch* counts real visits only. Matrices are (stages, cases); a regress changes neither, since only
the first time counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairlead.analytics.days import NEVER, Bools

Rows = NDArray[np.int32]


@dataclass(frozen=True)
class Firsts:
    """Per stage and case: `row`, the first visit that counts (-1: none); `dated`, whether its entry is known;
    `day`, its local day (NEVER if none or undated); `proof`, the day from which dated visits prove it;
    `since`, the day from which it is known to have begun, dated or not.

    `proof` is later than the truth where an undated visit was first, and equal to `day` otherwise.
    """

    row: Rows
    dated: Bools
    day: Rows
    proof: Rows
    since: Rows


@dataclass(frozen=True)
class Reach:
    """Both readings, and per case the lowest stage it stood in and the days it was won, was merged and left the process."""

    reach: Firsts
    touch: Firsts
    lowest: NDArray[np.int16]
    won_day: Rows
    merged_day: Rows
    left_day: Rows


def first_at_or_beyond(case: Rows, axis: NDArray[np.int16], cases: int, stages: int) -> Rows:
    """For each stage and case the first row at that stage or a later one, -1 if none. Rows sorted by case."""
    found = np.full((stages, cases), -1, np.int32)
    if not len(case):
        return found
    # A new case always has a greater key than all before it, so the running maximum starts afresh by itself.
    key = case.astype(np.int64) * stages + axis
    highest = np.maximum.accumulate(key)
    rising = np.flatnonzero(np.r_[True, key[1:] > highest[:-1]])
    found[axis[rising], case[rising]] = rising
    for stage in range(stages - 2, -1, -1):
        found[stage] = np.where(found[stage] < 0, found[stage + 1], found[stage])
    return found


def first_at(case: Rows, axis: NDArray[np.int16], cases: int, stages: int) -> Rows:
    """For each stage and case the first row at exactly that stage, -1 if none."""
    none = np.int32(2**31 - 1)
    found = np.full(stages * cases, none, np.int32)
    np.minimum.at(found, axis.astype(np.int64) * cases + case, np.arange(len(case), dtype=np.int32))
    return np.where(found == none, np.int32(-1), found).reshape(stages, cases)


def firsts(row: Rows, dated_row: Rows | None, known: Bools, entry_day: Rows, begun_day: Rows) -> Firsts:
    """Days for the rows found; `dated_row` is the search over dated visits alone, None if all are."""
    if not len(known):
        nothing = np.full(row.shape, NEVER, np.int32)
        return Firsts(row, np.zeros(row.shape, bool), nothing, nothing, nothing)
    dated = (row >= 0) & known[row]
    day = np.where(dated, entry_day[row], NEVER).astype(np.int32)
    if dated_row is None:
        return Firsts(row, dated, day, day, day)
    proof = np.where(dated_row >= 0, entry_day[dated_row], NEVER).astype(np.int32)
    since = np.where(row >= 0, begun_day[row], NEVER).astype(np.int32)
    return Firsts(row, dated, day, proof, since)
