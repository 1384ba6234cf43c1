"""Clean-up days: the window of each month in which dead deals are closed without a mark against anybody (PI-6). Pure."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

TAG: Final = "amnesty"  # in the data of the event that closes


@dataclass(frozen=True, slots=True)
class Window:
    """Both days included."""

    first: date
    last: date

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last


def window_around(day: int, length: int, today: date) -> Window | None:
    """The window that holds `today`, else the next one; None where there are no such days (`day` 0).

    A window that begins late in a month may reach into the next.
    """
    if not day:
        return None
    months = (today.replace(day=1) - timedelta(days=1), today, _next_month(today))
    windows = (_window(day, length, month) for month in months)
    return next(window for window in windows if today <= window.last)


def _next_month(today: date) -> date:
    return today.replace(day=1) + timedelta(days=monthrange(today.year, today.month)[1])


def _window(day: int, length: int, month: date) -> Window:
    first = month.replace(day=day)
    return Window(first, first + timedelta(days=length - 1))
