"""From instants to days: local dates, half-open windows, and how long something lasted.

A *day* is a local date of the organisation, as whole days since 1970-01-01. A duration in calendar days
is the difference of two local dates, so a deal engaged on the 1st and closed on the 3rd took two days in
every time zone and across a change of the clocks; what ends on the day it began took zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Instants = NDArray[np.datetime64]
"""Moments in UTC, dtype `datetime64[us]`, NaT where there is none."""

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Numbers = NDArray[np.integer[Any]] | NDArray[np.floating[Any]]

Measure = Callable[[Instants, Instants], Numbers]
"""`measure(entered, left)`: how long each lasted, for example in working days. Never sees NaT."""

NEVER = np.int32(2**31 - 1)
"""The day of something that has not happened."""

_EPOCH = date(1970, 1, 1).toordinal()
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """Local dates `since <= day < before`; None leaves that side open."""

    since: date | None = None
    before: date | None = None

    def holds(self, days: Ints) -> Bools:
        """Which of `days` lie inside. NEVER lies in no window."""
        inside = np.asarray(days < NEVER if self.before is None else days < day_of(self.before))
        if self.since is not None:
            inside &= days >= day_of(self.since)
        return inside


ALWAYS = Window()


def day_of(value: date) -> int:
    """The number of a local date: days since 1970-01-01."""
    return value.toordinal() - _EPOCH


def date_of(day: int) -> date:
    """The local date with that number."""
    return date.fromordinal(day + _EPOCH)


def instant(value: datetime) -> np.datetime64:
    """An aware datetime as `datetime64[us]` in UTC. Raises ValueError for a naive one."""
    if value.tzinfo is None:
        raise ValueError("An instant needs its time zone.")
    return np.datetime64(value.astimezone(UTC).replace(tzinfo=None), "us")


def local_day(value: datetime, zone: tzinfo) -> int:
    """The number of the local date on which an aware datetime falls."""
    return day_of(value.astimezone(zone).date())


def local_days(instants: Instants, zone: tzinfo) -> NDArray[np.int32]:
    """The local date number of each instant; NEVER for NaT."""
    micros = instants.astype("datetime64[us]").view(np.int64)
    missing = np.isnat(instants)
    known = micros[~missing] if missing.any() else micros
    days = np.full(micros.shape, NEVER, np.int32)
    if not known.size:
        return days
    starts, offsets = _offsets(zone, _year(known.min()), _year(known.max()))
    shift: Any = offsets[0]
    if len(offsets) > 1:
        shift = offsets[np.searchsorted(starts, known, side="right") - 1]
    days[~missing] = (known + shift) // _DAY_US
    return days


def months(since: date, before: date) -> list[Window]:
    """The calendar months that make up `since <= day < before`, the first and last cut to fit."""
    windows = []
    start = since
    while start < before:
        following = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        windows.append(Window(start, min(following, before)))
        start = following
    return windows


def _year(micros: np.int64) -> int:
    return int(np.datetime64(int(micros), "us").astype("datetime64[Y]").astype(int)) + 1970


@lru_cache(maxsize=64)
def _offsets(zone: tzinfo, first_year: int, last_year: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """From which instant (µs) each offset (µs) of the zone holds, over these years.

    Looks at one instant a week and closes in on each change, so a change undone within the week is missed.
    """
    week = timedelta(days=7)
    at = datetime(max(first_year, 2), 1, 1, tzinfo=UTC) - week
    end = datetime(min(last_year + 1, 9998), 1, 1, tzinfo=UTC) + week
    starts, offsets = [np.iinfo(np.int64).min], [_offset(zone, at)]
    while at < end:
        following = at + week
        if _offset(zone, following) != offsets[-1]:
            low, high = at, following
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                low, high = (middle, high) if _offset(zone, middle) == offsets[-1] else (low, middle)
            change = high.replace(microsecond=0)
            starts.append(int(change.timestamp()) * 1_000_000)
            offsets.append(_offset(zone, following))
        at = following
    return np.array(starts, np.int64), np.array(offsets, np.int64)


def _offset(zone: tzinfo, at: datetime) -> int:
    return round((at.astimezone(zone).utcoffset() or timedelta()).total_seconds() * 1_000_000)
