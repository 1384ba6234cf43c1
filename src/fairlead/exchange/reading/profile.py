"""Looks at a whole file once: what its columns hold, what is missing, what is odd.

Cells are looked at in pages of rows, each distinct text of a page once: most columns repeat themselves.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from fairlead.exchange.reading.dates import OrderEvidence, OrderFinding, looks_like_date
from fairlead.exchange.reading.files import Table
from fairlead.exchange.reading.formats import Column, Kind, Row
from fairlead.exchange.reading.numbers import NumberStyle, StyleEvidence, StyleFinding, looks_like_number
from fairlead.exchange.reading.placeholders import is_placeholder
from fairlead.exchange.reading.problems import RowProblem
from fairlead.fields.enums import FieldType

PAGE: Final = 2_000
DISTINCT_KEPT: Final = 1_000
SAMPLES: Final = 5
FIRST_ROWS: Final = 10
PROBLEMS_KEPT: Final = 200
_MOSTLY: Final = 0.9
_DIGIT: Final = re.compile(r"\d")
_DIGITS: Final = re.compile(r"\d{1,15}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PHONE: Final = re.compile(r"\(?\+?[\d][\d\s().\-/]{5,22}(?:(?:x|ext\.?|转)\s?\d{1,6})?")
_URL: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_BOOLEAN_WORDS: Final = frozenset({"true", "false", "yes", "no", "是", "否", "y", "n", "t", "f"})
_FORMULA: Final = re.compile(r"[=+@-].*[A-Za-z]+\(|=[A-Z]{1,3}\d|=")


@dataclass(slots=True)
class ColumnProfile:
    """What one column holds. Counts are of rows; `distinct` stops at `DISTINCT_KEPT` (then `many` is
    true)."""

    column: Column
    filled: int = 0
    empty: int = 0
    values: Counter[str] = field(default_factory=Counter)  # the commonest texts, trimmed
    many: bool = False
    samples: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    placeholders: Counter[str] = field(default_factory=Counter)
    untrimmed: int = 0
    formulas: int = 0
    longest: int = 0
    order: OrderFinding = field(default_factory=lambda: OrderFinding(None))
    style: StyleFinding = field(default_factory=lambda: StyleFinding(None))

    @property
    def distinct(self) -> int:
        return len(self.values)

    @property
    def empty_share(self) -> float:
        return self.empty / max(self.empty + self.filled, 1)

    @property
    def type(self) -> FieldType:
        """The type that at least nine in ten filled cells have; text where none has."""
        known = self.filled - sum(self.placeholders.values())
        if known <= 0:
            return FieldType.TEXT
        for kind in (
            FieldType.EMAIL,
            FieldType.DATETIME,
            FieldType.DATE,
            FieldType.INTEGER,
            FieldType.BOOLEAN,
        ):
            if self._count(kind) >= _MOSTLY * known:
                return kind
        if self._count(FieldType.DECIMAL) >= _MOSTLY * known:
            return FieldType.DECIMAL
        if self.kinds["phone"] + self.kinds["digits"] >= _MOSTLY * known and self.kinds["phone"]:
            return FieldType.PHONE
        return FieldType.LONG_TEXT if self.longest > 200 else FieldType.TEXT

    def _count(self, kind: FieldType) -> int:
        counts = self.kinds
        match kind:
            case FieldType.DATETIME:
                return counts["datetime"] + counts["date"] if counts["datetime"] else 0
            case FieldType.DATE:
                return counts["date"]
            case FieldType.INTEGER:
                return counts["digits"]
            case FieldType.DECIMAL:
                return counts["digits"] + counts["number"]
            case FieldType.BOOLEAN:
                zeros = counts["digits"] if set(self.values) <= {"0", "1"} | _BOOLEAN_WORDS else 0
                return counts["boolean"] + zeros
            case _:
                return counts[str(kind)]


@dataclass(slots=True)
class FileProfile:
    """A whole file. `problems` keeps at most `PROBLEMS_KEPT` of each code; `problem_counts` counts all."""

    rows: int = 0
    rows_with_problems: int = 0
    blank_rows: int = 0
    columns: list[ColumnProfile] = field(default_factory=list)
    first_rows: list[Row] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    problem_counts: Counter[str] = field(default_factory=Counter)

    def column(self, key: str) -> ColumnProfile:
        return next(profile for profile in self.columns if profile.column.key == key)

    def add_problem(self, problem: RowProblem) -> None:
        self.problem_counts[problem.code] += 1
        if self.problem_counts[problem.code] <= PROBLEMS_KEPT:
            self.problems.append(problem)


def profile(table: Table) -> FileProfile:
    """The profile of a file; reads the table to its end."""
    result = FileProfile(columns=[ColumnProfile(column) for column in table.columns])
    for problem in table.problems:
        result.add_problem(problem)
    known = len(table.problems)
    watchers = [_Watcher(column) for column in result.columns]
    for page in _pages(table.rows()):
        result.rows += len(page)
        for row in page:
            if row.problems:
                result.rows_with_problems += 1
                for problem in row.problems:
                    result.add_problem(problem)
        result.first_rows += page[: FIRST_ROWS - len(result.first_rows)] if result.rows <= PAGE else []
        for watcher, cells in zip(watchers, zip(*(row.cells for row in page), strict=True), strict=True):
            watcher.look_at(cells)
    for problem in table.problems[known:]:
        result.add_problem(problem)
    for watcher in watchers:
        watcher.finish(assume_point=table.format.kind is Kind.WORKBOOK)
    result.blank_rows = table.blank_rows
    return result


def _pages(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while page := list(islice(rows, PAGE)):
        yield page


class _Watcher:
    """Fills the profile of one column, page by page."""

    def __init__(self, column: ColumnProfile) -> None:
        self._column = column
        self._order = OrderEvidence()
        self._style = StyleEvidence()
        self._known: dict[str, str] = {}

    def look_at(self, cells: tuple[str, ...]) -> None:
        column = self._column
        for text, count in Counter(cells).items():
            trimmed = text.strip()
            if not trimmed:
                column.empty += count
                continue
            column.filled += count
            column.longest = max(column.longest, len(text))
            if len(trimmed) != len(text):
                column.untrimmed += count
            self._keep(trimmed, count)
            kind = self._known.get(trimmed)
            if kind is None:
                kind = self._kind(trimmed)
                if len(self._known) < DISTINCT_KEPT:
                    self._known[trimmed] = kind
            column.kinds[kind] += count
            if kind == "placeholder":
                column.placeholders[trimmed] += count
            if text[0] == "=" and _FORMULA.match(text):
                column.formulas += count

    def _keep(self, text: str, count: int) -> None:
        column = self._column
        if text in column.values:
            column.values[text] += count
        elif len(column.values) < DISTINCT_KEPT:
            column.values[text] = count
            if len(column.samples) < SAMPLES:
                column.samples.append(text[:200])
        else:
            column.many = True

    def _kind(self, text: str) -> str:
        """The kind of one text; evidence for the whole column is taken on the way."""
        if _DIGITS.fullmatch(text):
            return "digits"
        # No placeholder has a digit but those that begin with zeros.
        numeric = _DIGIT.search(text, 0, 60) is not None
        if (not numeric or text[0] in "0#") and is_placeholder(text):
            return "placeholder"
        if "@" in text and _EMAIL.fullmatch(text):
            return "email"
        if not numeric:
            return "boolean" if text.casefold() in _BOOLEAN_WORDS else "text"
        if len(text) > 60:
            return "text"
        if looks_like_date(text):
            self._order.add(text)
            return "datetime" if ":" in text or "：" in text else "date"
        if looks_like_number(text):
            self._style.add(text)
            return "number"
        if _PHONE.fullmatch(text):
            return "phone"
        return "url" if _URL.match(text) else "text"

    def finish(self, *, assume_point: bool) -> None:
        self._column.order = self._order.finding()
        style = self._style.finding()
        if assume_point and style.style is None and not style.conflict:
            # Numbers of a workbook are no texts: they come with a point, whatever the sheet shows.
            style = StyleFinding(NumberStyle.POINT)
        self._column.style = style
