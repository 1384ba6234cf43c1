"""Simulated time: working days, and instants in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from django.utils import timezone

from fairlead.organisation.calendars import Calendar

DEAL_DAYS = (0, 2, 4)  # Monday, Wednesday, Friday: what happened since the last of them is written down
OTHER_DAYS = (4,)
MORNING, EVENING, MIDNIGHT = time(8, 0), time(18, 5), time(23, 59)


def at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, timezone.get_default_timezone()).astimezone(UTC)


def office_instant(days: Sequence[date], rng: Random) -> datetime:
    """Some minute in office hours of one of `days`."""
    day = days[int(rng.random() * len(days))]
    return at(day, time(9)) + timedelta(minutes=int(rng.random() * 510))


class Workdays:
    """Which days are worked, and on which of them people write down what happened."""

    def __init__(self, calendar: Calendar, first: date, last: date) -> None:
        self.first, self.last = first, last
        days = [first + timedelta(days=n) for n in range((last - first).days + 200)]
        self._worked = {day for day in days if calendar.is_workday(day)}
        self._end = max(self._worked)
        self._last = max(day for day in self._worked if day < last)
        self._next: dict[date, date] = {}
        self._other: dict[date, date] = {}
        following = other = days[-1]
        for day in reversed(days):
            if day in self._worked and (day.weekday() in DEAL_DAYS or self._is_before_rest(day)):
                following = day
                if day.weekday() in OTHER_DAYS:
                    other = day
            self._next[day], self._other[day] = following, other

    def _is_before_rest(self, day: date) -> bool:
        """Before a holiday everybody writes things down, and on the last day of all."""
        return day == self._last or day + timedelta(days=1) not in self._worked

    def on_or_after(self, day: date) -> date:
        """The first writing day from `day` on; days beyond the simulated time come back as they are."""
        return self._next.get(max(day, self.first), day)

    def other_on_or_after(self, day: date) -> date:
        """The same for accounts and contracts, which are seen to at the end of the week."""
        return self._other.get(max(day, self.first), day)

    def is_writing_day(self, day: date) -> bool:
        return self._next.get(day) == day

    def is_worked(self, day: date) -> bool:
        return day in self._worked

    def worked_from(self, day: date) -> date:
        """The first worked day from `day` on; days beyond the known ones come back as they are."""
        while day not in self._worked and day < self._end:
            day += timedelta(days=1)
        return day

    def since_last(self, day: date) -> list[date]:
        """The worked days that are written down on `day`, the last one first."""
        found = [day]
        before = day - timedelta(days=1)
        while before >= self.first and not self.is_writing_day(before):
            if before in self._worked:
                found.append(before)
            before -= timedelta(days=1)
        return found
