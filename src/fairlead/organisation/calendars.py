"""Working time (CA-1, CA-2, CA-4, CA-5), without Django: a weekly pattern, exceptions, a time zone.

Instants are aware; days are dates in the calendar's own time zone. The start of a clock in non-working time
moves to the next opening; an end that falls on a closing is that closing, not the next opening.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

Interval = tuple[time, time]  # an end of 00:00 is the midnight that closes the day
Hours = tuple[Interval, ...]

OFFICE_HOURS: Final[Hours] = ((time(9), time(12)), (time(13, 30), time(18)))
OFFICE_WEEK: Final[Mapping[int, Hours]] = dict.fromkeys(range(1, 6), OFFICE_HOURS)
DATA: Final = Path(__file__).parent / "data" / "cn_holidays.yaml"
_ZERO: Final = timedelta()


@dataclass(frozen=True, slots=True)
class Exceptional:
    """What is different on one date: off, worked, or half worked; `hours` says its own times."""

    kind: str  # "holiday" | "workday" | "half_day"
    zh: str = ""
    en: str = ""
    hours: Hours | None = None


@dataclass(frozen=True)
class Notices:
    """The official days of a country and the years for which they are complete."""

    days: Mapping[date, Exceptional] = field(default_factory=dict)
    published: frozenset[int] = frozenset()
    statutory: tuple[tuple[int, int, int, Exceptional], ...] = ()  # month, day, first year

    def on(self, day: date) -> Exceptional | None:
        """The notice's word about `day`; in a year without one, the dates that the law itself fixes."""
        if (named := self.days.get(day)) is not None or day.year in self.published:
            return named
        for month, number, since, exceptional in self.statutory:
            if (month, number) == (day.month, day.day) and day.year >= since:
                return exceptional
        return None


@lru_cache(maxsize=1)
def mainland_china() -> Notices:
    """The notices that come with the product."""
    from ruamel.yaml import YAML  # loaded when first needed

    raw: dict[str, Any] = YAML(typ="safe", pure=True).load(DATA.read_text(encoding="utf-8"))
    days: dict[date, Exceptional] = {}
    for holiday in raw["holidays"]:
        name = {"zh": holiday["zh"], "en": holiday["en"]}
        for day in _span(holiday["rest"]):
            days[day] = Exceptional("holiday", **name)
        for day in holiday.get("work", ()):
            days[day] = Exceptional("workday", **name)
    statutory = tuple(
        (*map(int, entry["day"].split("-")), entry["since"], Exceptional("holiday", entry["zh"], entry["en"]))
        for entry in raw["statutory"]
    )
    return Notices(days, frozenset(raw["published"]), statutory)


def _span(text: date | str) -> list[date]:
    if isinstance(text, date):
        return [text]
    first, last = map(date.fromisoformat, text.split("/"))
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@dataclass(frozen=True, slots=True)
class _Year:
    """One year, summed: `days[n]` working days and `time[n]` working time before its n-th day."""

    first: int  # ordinal of 1 January
    hours: tuple[Hours, ...]
    days: tuple[int, ...]
    time: tuple[timedelta, ...]


class Calendar:
    """When people work. Immutable; years are summed on first use, so that each question is a look-up."""

    def __init__(
        self,
        *,
        time_zone: str = "Asia/Shanghai",
        weekly: Mapping[int, Hours] = OFFICE_WEEK,
        days: Mapping[date, Exceptional] | None = None,
        notices: Notices | None = None,
    ) -> None:
        """`weekly` by ISO weekday; `days` (the company's own) win over `notices`, those over the week."""
        self.zone = ZoneInfo(time_zone)
        self.weekly = {weekday: _checked(hours) for weekday, hours in weekly.items() if hours}
        if not self.weekly or not self.weekly.keys() <= set(range(1, 8)):
            raise ValueError("a working week needs hours on at least one of the weekdays 1 to 7")
        self.days = dict(days or {})
        self.notices = notices
        self._usual = self.weekly[min(self.weekly)]
        self._years: dict[int, _Year] = {}
        # A few thousand days at most are asked for.
        self._opened: dict[date, list[tuple[datetime, datetime]]] = {}

    @property
    def usual_day(self) -> timedelta:
        """Working time of a plain day: the measure by which time is told in days."""
        lengths = (
            timedelta(hours=end.hour - begin.hour, minutes=end.minute - begin.minute)
            for begin, end in self._usual
        )
        return sum((length if length > _ZERO else length + timedelta(days=1) for length in lengths), _ZERO)

    def away(self, spans: Sequence[tuple[date, date]]) -> Calendar:
        """This calendar for a person who is on leave on some days: `spans` of first and last day. They do not work."""
        return _Away(self, spans) if spans else self

    # Days

    def is_workday(self, day: date) -> bool:
        return bool(self.hours_on(day))

    def hours_on(self, day: date) -> Hours:
        """The hours of `day`, none on a day off."""
        return self._year(day.year).hours[day.toordinal() - self._year(day.year).first]

    def exception_on(self, day: date) -> Exceptional | None:
        """What makes `day` unlike others of its weekday, with its names; None for a plain day."""
        own = self.days.get(day)
        return own if own is not None or self.notices is None else self.notices.on(day)

    def is_provisional(self, year: int) -> bool:
        """Whether the official notice for `year` is not known here yet (暂定)."""
        return self.notices is not None and year not in self.notices.published

    def working_days_between(self, start: date, end: date) -> int:
        """Working days after `start` up to and including `end`: 0 on the day itself; negative backwards.

        So `working_days_between(d, workday_after(d, n)) == n`.
        """
        early, late = sorted((start, end))
        whole = sum(self._year(year).days[-1] for year in range(early.year, late.year))
        days = whole + self._days_in_year_through(late) - self._days_in_year_through(early)
        return days if start <= end else -days

    def working_days_between_many(self, starts: Sequence[int], ends: Sequence[int]) -> list[int]:
        """`working_days_between` for columns of proleptic ordinals (`date.toordinal()`), in one pass."""
        if not starts or not ends:
            return []
        low, high = min(min(starts), min(ends)), max(max(starts), max(ends))
        first_year, last_year = date.fromordinal(low).year, date.fromordinal(high).year
        base = date(first_year, 1, 1).toordinal()
        sums: list[int] = []
        total = 0
        for year in range(first_year, last_year + 1):
            block = self._year(year)
            sums.extend(total + count for count in block.days[1:])
            total += block.days[-1]
        return [sums[end - base] - sums[start - base] for start, end in zip(starts, ends, strict=True)]

    def count_working_days(self, first: date, last: date) -> int:
        """Working days from `first` through `last`, both ends included; 0 when `last` is before `first`."""
        return max(self.working_days_between(first, last) + self.is_workday(first), 0) if first <= last else 0

    def workday_after(self, day: date, n: int) -> date:
        """The n-th working day after `day` (n ≥ 1)."""
        if n < 1:
            raise ValueError("n counts from 1")
        year, wanted = day.year, n + self._days_in_year_through(day)
        while (block := self._year(year)).days[-1] < wanted:
            wanted -= block.days[-1]
            year += 1
        return date.fromordinal(block.first + bisect_left(block.days, wanted) - 1)

    # Time

    def add_working_time(self, start: datetime, amount: timedelta) -> datetime:
        """The earliest instant by which `amount` of working time has passed since `start`.

        No amount: `start` itself, or the next opening when nobody works then.
        """
        if amount < _ZERO:
            raise ValueError("working time is added forward only")
        if amount == _ZERO:
            return self.opening_at(start)
        year, wanted = self._local(start).year, amount + self._time_in_year_before(start)
        while (block := self._year(year)).time[-1] < wanted:
            wanted -= block.time[-1]
            year += 1
        index = bisect_left(block.time, wanted) - 1
        left = wanted - block.time[index]
        for opening, closing in self._instants(date.fromordinal(block.first + index)):
            if closing - opening >= left:
                return opening + left
            left -= closing - opening
        raise AssertionError("the sums of a year disagree with its days")

    def add_working_days(self, start: datetime, n: int) -> datetime:
        """The closing of the n-th working day after the one on which work can start (AC-24).

        A start outside working time counts from the next opening (CA-5). n = 0: the closing of that very day.
        """
        day = self._local(self.opening_at(start)).date()
        return self._instants(self.workday_after(day, n) if n else day)[-1][1]

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """Working time from `start` to `end`; negative backwards.

        `add_working_time(a, working_time_between(a, b)) == b` for every b after an opening up to the closing.
        """
        if end < start:
            return -self.working_time_between(end, start)
        first, last = self._local(start).year, self._local(end).year
        whole = sum((self._year(year).time[-1] for year in range(first, last)), _ZERO)
        return whole + self._time_in_year_before(end) - self._time_in_year_before(start)

    def opening_at(self, at: datetime) -> datetime:
        """`at` when somebody works then (closing included), or the next opening, in UTC."""
        moment = at.astimezone(UTC)
        day = self._local(at).date()
        for opening, closing in self._instants(day):
            if moment <= closing:
                return max(moment, opening)
        return self._instants(self.workday_after(day, 1))[0][0]

    def is_working(self, at: datetime) -> bool:
        return any(opening <= at < closing for opening, closing in self._instants(self._local(at).date()))

    # Inside

    def _local(self, at: datetime) -> datetime:
        if at.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return at.astimezone(self.zone)

    def _hours(self, day: date) -> Hours:
        usual = self.weekly.get(day.isoweekday(), ())
        exceptional = self.exception_on(day)
        if exceptional is None:
            return usual
        if exceptional.kind == "holiday":
            return ()
        hours = _checked(exceptional.hours) if exceptional.hours else usual or self._usual
        return hours[:1] if exceptional.kind == "half_day" and not exceptional.hours else hours

    def _instants(self, day: date) -> list[tuple[datetime, datetime]]:
        found = self._opened.get(day)
        if found is None:
            found = self._opened[day] = [self._instant(day, interval) for interval in self.hours_on(day)]
        return found

    def _instant(self, day: date, interval: Interval) -> tuple[datetime, datetime]:
        """Opening and closing in UTC, where an hour is an hour also on the night when clocks change."""
        opening, closing = interval
        end_day = day + timedelta(days=1) if closing == time(0) else day
        starts = datetime.combine(day, opening, self.zone).astimezone(UTC)
        return starts, max(starts, datetime.combine(end_day, closing, self.zone).astimezone(UTC))

    def _year(self, year: int) -> _Year:
        block = self._years.get(year)
        if block is None:
            first = date(year, 1, 1).toordinal()
            length = date(year, 12, 31).toordinal() - first + 1
            dates = [date.fromordinal(first + n) for n in range(length)]
            hours = tuple(self._hours(day) for day in dates)
            spent = (
                sum((end - start for start, end in (self._instant(day, i) for i in of_day)), _ZERO)
                for day, of_day in zip(dates, hours, strict=True)
            )
            block = self._years[year] = _Year(
                first,
                hours,
                tuple(accumulate((bool(of_day) for of_day in hours), initial=0)),
                tuple(accumulate(spent, initial=_ZERO)),
            )
        return block

    def _days_in_year_through(self, day: date) -> int:
        block = self._year(day.year)
        return block.days[day.toordinal() - block.first + 1]

    def _time_in_year_before(self, at: datetime) -> timedelta:
        day = self._local(at).date()
        block = self._year(day.year)
        spent = block.time[day.toordinal() - block.first]
        for opening, closing in self._instants(day):
            spent += max(min(at, closing) - opening, _ZERO)
        return spent


class _Away(Calendar):
    """A calendar less the days of somebody's leave. Years without leave are those of the calendar itself."""

    def __init__(self, base: Calendar, spans: Sequence[tuple[date, date]]) -> None:
        self.zone, self.weekly, self.days, self.notices = base.zone, base.weekly, base.days, base.notices
        self._usual, self._base, self._spans = base._usual, base, tuple(spans)
        self._years, self._opened = {}, {}

    def _year(self, year: int) -> _Year:
        block = self._years.get(year)
        if block is None:
            plain = self._base._year(year)
            first, length = plain.first, len(plain.hours)
            off: set[int] = set()
            for begin, end in self._spans:
                off.update(range(max(begin.toordinal() - first, 0), min(end.toordinal() - first + 1, length)))
            block = self._years[year] = plain if not off else _less(plain, off)
        return block


def _less(plain: _Year, off: set[int]) -> _Year:
    """The year without the working time of the days `off`, counted from its first as 0."""
    hours = tuple(() if n in off else of_day for n, of_day in enumerate(plain.hours))
    spent = (_ZERO if n in off else after - before for n, (before, after) in enumerate(pairwise(plain.time)))
    return _Year(
        plain.first,
        hours,
        tuple(accumulate((bool(of_day) for of_day in hours), initial=0)),
        tuple(accumulate(spent, initial=_ZERO)),
    )


def _checked(hours: Sequence[Interval]) -> Hours:
    """`hours` in order; ValueError when they overlap or end before they begin."""
    ordered = tuple(sorted(hours))
    for opening, closing in ordered:
        if closing != time(0) and closing <= opening:
            raise ValueError(f"hours end before they begin: {opening:%H:%M}–{closing:%H:%M}")
    for (_opening, closing), (following, _closing) in pairwise(ordered):
        if closing == time(0) or following < closing:
            raise ValueError(f"hours overlap at {following:%H:%M}")
    return ordered


def parse_hours(pairs: Sequence[Sequence[str]]) -> Hours:
    """Hours as stored in JSON: [["09:00", "12:00"], ["13:30", "24:00"]]."""
    return _checked([(_parse_time(opening), _parse_time(closing)) for opening, closing in pairs])


def _parse_time(text: str) -> time:
    return time(0) if text == "24:00" else time.fromisoformat(text)
