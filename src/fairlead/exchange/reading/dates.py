"""Dates as people and programs write them.

`03/04/2017` is two days. One cell cannot say which; a column mostly can: a single 25/04/2017 settles it for
all. Where no cell settles it, a person is asked, once for the column.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from fairlead.exchange.reading.placeholders import DAYS
from fairlead.exchange.reading.problems import shown
from fairlead.exchange.reading.reading import Outcome, Reading, bad, read


class DateOrder(StrEnum):
    """Which of two small numbers before a year comes first."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_SEPARATOR: Final = r"\s*[-/.]\s*"
_YEAR_FIRST: Final = re.compile(rf"(\d{{4}}){_SEPARATOR}(\d{{1,2}}){_SEPARATOR}(\d{{1,2}})(?!\d)")
_CHINESE: Final = re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?")
_YEAR_LAST: Final = re.compile(rf"(\d{{1,2}}){_SEPARATOR}(\d{{1,2}}){_SEPARATOR}(\d{{4}}|\d{{2}})(?!\d)")
_COMPACT: Final = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})(?!\d)")
_DAY_NAME: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s-]+([a-z]{3,9})\.?,?[\s-]+(\d{4})(?!\d)")
_NAME_DAY: Final = re.compile(r"([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)")
_MAYBE: Final = re.compile(r"\d\s*[-/.年－／．]\s*\d|\d{8}|[A-Za-zＡ-ｚ]{3}.*\d|\d.*[A-Za-zＡ-ｚ]{3}")
_SERIAL: Final = re.compile(r"\d{1,6}(?:\.\d{1,12})?")
_CLOCK: Final = re.compile(
    r"[t,\s]*(上午|下午|中午|凌晨|晚上|早上|am|pm)?\s*(\d{1,2})\s*[:：时点]\s*(\d{1,2})?\s*[分]?"
    r"(?:\s*[:：]?\s*(\d{1,2})\s*秒?)?(?:[.,](\d{1,9}))?\s*(am|pm|a\.m\.|p\.m\.)?\s*"
    r"(z|utc|gmt|(?:utc|gmt)?[+-]\d{2}:?\d{2}|(?:utc|gmt)[+-]\d{1,2})?"
)
_WEEKDAY: Final = re.compile(
    r"\s*[(（]?(?:星期|周|礼拜)[一二三四五六日天][)）]?\s*|^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+"
)
_SERIAL_ZERO: Final = date(1899, 12, 30)
#: A bare number is a day only between 1950 and 2099: smaller and larger ones are numbers.
SERIAL_RANGE: Final = (Decimal(18264), Decimal(73050))
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class _Found:
    """The parts of a date text: a settled day, or two small numbers and a year; then the time of day."""

    day: date | None
    first: int = 0
    second: int = 0
    year: int = 0
    rest: str = ""
    serial: bool = False


@dataclass(frozen=True, slots=True)
class OrderFinding:
    """What a column says about the order of day and month.

    `order` None with `ambiguous` > 0: nobody can tell, ask. `conflict`: some cells settle it one way and
    others the other way (two files were pasted together): ask too, and the odd ones out will be errors.
    """

    order: DateOrder | None
    ambiguous: int = 0
    day_first: str = ""  # a cell that can only be day first
    month_first: str = ""  # a cell that can only be month first
    example: str = ""  # an ambiguous cell

    @property
    def conflict(self) -> bool:
        return bool(self.day_first and self.month_first)

    @property
    def asks(self) -> bool:
        return self.order is None and (self.ambiguous > 0 or self.conflict)


class OrderEvidence:
    """Gathers, cell by cell, what a column says about its order."""

    def __init__(self) -> None:
        self._day_first = self._month_first = self._example = ""
        self._ambiguous = 0

    def add(self, text: str) -> None:
        match = _YEAR_LAST.match(text.strip())
        if match is None:
            return
        first, second = int(match[1]), int(match[2])
        if 12 < first <= 31 and 1 <= second <= 12:
            self._day_first = self._day_first or shown(text)
        elif 12 < second <= 31 and 1 <= first <= 12:
            self._month_first = self._month_first or shown(text)
        elif first != second and 1 <= first <= 12 and 1 <= second <= 12:
            self._ambiguous += 1
            self._example = self._example or shown(text)

    def finding(self) -> OrderFinding:
        order = None
        if bool(self._day_first) != bool(self._month_first):
            order = DateOrder.DAY_FIRST if self._day_first else DateOrder.MONTH_FIRST
        return OrderFinding(order, self._ambiguous, self._day_first, self._month_first, self._example)


def infer_order(texts: Iterable[str]) -> OrderFinding:
    """The order of day and month of a whole column."""
    evidence = OrderEvidence()
    for text in texts:
        evidence.add(text)
    return evidence.finding()


def read_date(text: str, *, order: DateOrder | None = None, tz: tzinfo = UTC) -> Reading:
    """A business day. A time of day with a zone counts on the day that it is in `tz`; a bare one keeps its
    day."""
    return _read(text, order, tz, whole_day=True)


def read_datetime(text: str, *, order: DateOrder | None = None, tz: tzinfo = UTC) -> Reading:
    """An instant, aware, in UTC. A text without a zone means the clock of `tz`; a bare date its midnight."""
    return _read(text, order, tz, whole_day=False)


def looks_like_date(text: str) -> bool:
    """Whether a cell is written as a date (a bare number is not)."""
    if len(text) > _LONGEST or not _MAYBE.search(text):
        return False
    try:
        found = _find(text)
    except ValueError:
        return False
    return found is not None and not found.serial and _clock(found.rest) is not None


def _read(text: str, order: DateOrder | None, tz: tzinfo, *, whole_day: bool) -> Reading:
    if len(text) > _LONGEST:
        return bad("not-a-date", value=shown(text))
    try:
        found = _find(text)
    except ValueError:
        return bad("date-impossible", value=shown(text))
    clock = _clock(found.rest) if found else None
    if found is None or clock is None:
        return bad("not-a-date", value=shown(text))
    hints = ("excel-serial",) if found.serial else ()
    if found.day is not None:
        return _finished(found.day, clock, tz, text, hints, whole_day=whole_day)
    day_first, month_first = (
        _day(found.year, found.second, found.first),
        _day(found.year, found.first, found.second),
    )
    if order is None and day_first and month_first and day_first != month_first:
        readings = [
            _finished(day, clock, tz, text, hints, whole_day=whole_day) for day in (day_first, month_first)
        ]
        params = {"value": shown(text), "first": day_first.isoformat(), "second": month_first.isoformat()}
        return Reading(Outcome.AMBIGUOUS, None, "date-ambiguous", params, tuple(r.value for r in readings))
    chosen = {
        None: day_first or month_first,
        DateOrder.DAY_FIRST: day_first,
        DateOrder.MONTH_FIRST: month_first,
    }[order]
    if chosen is None:
        return bad("date-impossible", value=shown(text))
    return _finished(chosen, clock, tz, text, hints, whole_day=whole_day)


def _find(text: str) -> _Found | None:
    """The date in a text. Raises ValueError for a settled order with an impossible day."""
    plain = _WEEKDAY.sub(" ", unicodedata.normalize("NFKC", text).strip().lower()).strip()
    for pattern in (_YEAR_FIRST, _CHINESE, _COMPACT):
        if match := pattern.match(plain):
            rest = plain[match.end() :]
            return _Found(date(int(match[1]), int(match[2]), int(match[3])), rest=rest)
    if match := _YEAR_LAST.match(plain):
        year = int(match[3])
        if len(match[3]) == 2:
            year += 2000 if year < 70 else 1900
        return _Found(None, int(match[1]), int(match[2]), year, plain[match.end() :])
    if match := _DAY_NAME.match(plain):
        if month := _MONTHS.get(match[2]):
            return _Found(date(int(match[3]), month, int(match[1])), rest=plain[match.end() :])
    elif (match := _NAME_DAY.match(plain)) and (month := _MONTHS.get(match[1])):
        return _Found(date(int(match[3]), month, int(match[2])), rest=plain[match.end() :])
    if _SERIAL.fullmatch(plain) and SERIAL_RANGE[0] <= (number := Decimal(plain)) <= SERIAL_RANGE[1]:
        seconds = round(number % 1 * 86_400)
        moment = datetime.combine(_SERIAL_ZERO, time()) + timedelta(days=int(number), seconds=seconds)
        return _Found(moment.date(), rest=moment.strftime(" %H:%M:%S") if seconds else "", serial=True)
    return None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Clock:
    at: time
    zone: tzinfo | None
    given: bool


def _clock(rest: str) -> _Clock | None:
    """The time of day after a date; None: what stands there is no time."""
    if not rest.strip():
        return _Clock(time(), None, given=False)
    match = _CLOCK.fullmatch(rest.rstrip())
    if match is None:
        return None
    before, hour_text, minute, second, fraction, after, zone = match.groups()
    hour, half = int(hour_text), before or (after or "").replace(".", "")
    if (half in ("下午", "晚上", "pm") and hour < 12) or (half == "中午" and hour < 11):
        hour += 12
    elif half in ("上午", "早上", "凌晨", "am") and hour == 12:
        hour = 0
    try:
        at = time(hour, int(minute or 0), int(second or 0), int((fraction or "0")[:6].ljust(6, "0")))
        return _Clock(at, _zone(zone or ""), given=True)
    except ValueError:
        return None


def _zone(text: str) -> tzinfo | None:
    digits = re.sub(r"\D", "", text)
    if not text:
        return None
    if not digits:
        return UTC
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:2]), int(digits[2:]))
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if "-" in text else offset)


def _finished(
    day: date, clock: _Clock, tz: tzinfo, text: str, hints: tuple[str, ...], *, whole_day: bool
) -> Reading:
    if day in DAYS:
        return Reading(Outcome.PLACEHOLDER, None, "placeholder", {"value": shown(text)})
    try:
        local = datetime.combine(day, clock.at, clock.zone or tz)
        if whole_day:
            return read(local.astimezone(tz).date() if clock.zone else day, *hints)
        return read(local.astimezone(UTC), *hints)
    except (OverflowError, InvalidOperation, ValueError):
        return bad("date-impossible", value=shown(text))
