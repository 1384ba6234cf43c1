"""What a file is taken for, its limits, and the rows that come out of it."""

import hashlib
import io
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Final

from django.utils.translation import gettext_lazy as _

from fairlead.exchange.reading.problems import RowProblem, column_letter

Content = Path | bytes

#: Encodings that a person may choose, with the name that they know.
ENCODINGS: Final = {
    "utf-8": "UTF-8",
    "gb18030": "GB18030 (GBK, GB2312)",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "big5hkscs": "Big5",
    "cp1252": "Windows-1252",
}
DELIMITERS: Final = (",", ";", "\t", "|")

_REASONS: Final = {
    "bom": _("The file begins with a byte order mark."),
    "utf8-valid": _("Every character is valid UTF-8."),
    "ascii": _("Only plain ASCII characters occur."),
    "utf8-mostly": _("Nearly all characters are valid UTF-8; some bytes are damaged."),
    "gb-common": _("The bytes are common Chinese characters in GB18030."),
    "gb-possible": _("The bytes are valid GB18030, but with rare characters."),
    "big5-common": _("The bytes are common Chinese characters in Big5."),
    "zero-bytes": _("Every other byte is zero, as in UTF-16."),
    "western": _("The bytes look like Western European letters."),
    "sep-line": _("The first row names the separator."),
    "even-columns": _("With this separator the rows have equally many cells."),
    "uneven-columns": _("No separator gives rows of equal length; this one fits best."),
    "one-column": _("No separator was found: one column."),
    "workbook": _("The file is an XLSX workbook."),
    "title-row": _("A title stands above the column names."),
    "chosen": _("Chosen by hand."),
}


class Kind(StrEnum):
    DELIMITED = "delimited"
    WORKBOOK = "workbook"


@dataclass(frozen=True, slots=True)
class SourceFormat:
    """What a file is taken for. Every part can be chosen otherwise with `override`."""

    kind: Kind
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    sheet: str = ""
    header_row: int = 1
    confidence: float = 1.0  # 0–1
    why: tuple[str, ...] = ()

    def override(self, **parts: Any) -> "SourceFormat":
        """The same with some parts chosen by a person (encoding, delimiter, quote, sheet, header_row)."""
        return replace(self, **parts, confidence=1.0, why=("chosen",))

    @property
    def reasons(self) -> list[str]:
        return [str(_REASONS[code]) for code in self.why]

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": str(self.kind),
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "quote": self.quote,
            "sheet": self.sheet,
            "header_row": self.header_row,
            "confidence": self.confidence,
            "why": list(self.why),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "SourceFormat":
        return cls(**{**data, "kind": Kind(data["kind"]), "why": tuple(data["why"])})


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read at most."""

    file_bytes: int = 20 * 1024 * 1024
    unpacked_bytes: int = 200 * 1024 * 1024
    zip_entries: int = 2_000
    rows: int = 50_000  # without the header
    columns: int = 1_000
    cell_bytes: int = 100_000
    sheet_cells: int = 5_000_000  # the rectangle around all cells of a sheet
    open_quotes: int = 50


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file. `key` is the title made unique, so that a mapping can name it."""

    index: int
    title: str
    key: str

    @property
    def letter(self) -> str:
        return column_letter(self.index)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: as many cells as the header has columns, each a text.

    Values of a workbook come as text too: whole numbers without a decimal point, dates as 2017-03-04.
    """

    number: int  # as a spreadsheet counts
    cells: tuple[str, ...]
    problems: tuple[RowProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A row as the file has it, before it is held against the header."""

    number: int
    cells: list[str]
    problems: tuple[RowProblem, ...] = ()


def opened(content: Content) -> BinaryIO:
    return content.open("rb") if isinstance(content, Path) else io.BytesIO(content)


def size_of(content: Content) -> int:
    return content.stat().st_size if isinstance(content, Path) else len(content)


def plain_title(title: str) -> str:
    """A column title as people compare it: one line, half-width, lower case, without the mark for
    “required”."""
    text = unicodedata.normalize("NFKC", title.replace("\ufeff", ""))
    return " ".join(text.split()).strip("* ").casefold()


def fingerprint(titles: Iterable[str]) -> str:
    """The same for two files with the same titles in any order: under it a mapping is kept for the next
    time."""
    listed = sorted(plain_title(title) for title in titles)
    return hashlib.sha256(json.dumps(listed, ensure_ascii=False).encode()).hexdigest()[:32]


def columns_of(cells: Sequence[str], row: int) -> tuple[list[Column], list[RowProblem]]:
    """The columns of a header row and what is odd about their titles. Empty cells at the end are no
    columns."""
    titles = [" ".join(cell.replace("\ufeff", "").split()) for cell in cells]
    while titles and not titles[-1]:
        titles.pop()
    columns: list[Column] = []
    problems: list[RowProblem] = []
    taken: set[str] = set()
    spoken = [plain_title(title) for title in titles]
    counts, copies = Counter(spoken), Counter[str]()
    for index, title in enumerate(titles):
        letter = column_letter(index)
        base = title or f"#{letter}"
        key = base
        while plain_title(key) in taken:
            copies[base] += 1
            key = f"{base} ({copies[base] + 1})"
        taken.add(plain_title(key))
        columns.append(Column(index, title, key))
        if not title:
            problems.append(RowProblem(row, index, "header-empty", {"letter": letter}))
        elif key != base:
            problems.append(
                RowProblem(
                    row,
                    index,
                    "header-duplicate",
                    {"title": title, "key": key, "count": counts[spoken[index]]},
                )
            )
    return columns, problems
