"""Finds out the encoding and the separator of a delimited file.

The whole file is looked at: one old export line in the middle of a plain file decides its encoding.
"""

import codecs
import csv
import io
import re
from collections import Counter
from itertools import islice
from typing import Final

from fairlead.exchange.reading.formats import DELIMITERS

_RECORDS_LOOKED_AT: Final = 60
_SAMPLE_CHARACTERS: Final = 200_000
_MULTIBYTE: Final = re.compile(rb"[\x80-\xff]+")

_BINARY: Final = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"\x1f\x8b", "gzip"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"),
    (b"SQLite format 3", "SQLite"),
    (b"\x7fELF", "ELF"),
    (b"{\\rtf", "RTF"),
)


def binary_kind(data: bytes) -> str:
    """The name of a well-known format that is no table, or nothing."""
    return next((name for magic, name in _BINARY if data.startswith(magic)), "")


def find_encoding(data: bytes) -> tuple[str, float, str]:
    """(encoding, confidence 0–1, reason code). Never fails: the last resort is Windows-1252, with low
    confidence."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8", 1.0, "bom"
    if data.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le", 1.0, "bom"
    if data.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be", 1.0, "bom"
    if wide := _utf16_without_mark(data):
        return wide, 0.9, "zero-bytes"
    if data.isascii():
        return "utf-8", 1.0, "ascii"
    if _decodes(data, "utf-8"):
        return "utf-8", 0.99, "utf8-valid"
    damaged = _utf8_damage(data)
    if damaged <= 0.02:
        return "utf-8", 0.8, "utf8-mostly"
    common = _common_share(data, "gb18030", 0xB0, 0xD7)
    big5 = _common_share(data, "big5hkscs", 0xA4, 0xC6)
    western = _western_share(data)
    if common is not None and common >= 0.6 and western < 0.8:
        return "gb18030", 0.95 if big5 is None or common >= big5 else 0.7, "gb-common"
    if big5 is not None and big5 >= 0.6 and western < 0.8:
        return "big5hkscs", 0.7, "big5-common"
    if damaged <= 0.3:
        return "utf-8", 0.6, "utf8-mostly"
    if western >= 0.8:
        return "cp1252", 0.6, "western"
    if common is not None:
        return "gb18030", 0.5, "gb-possible"
    # Some bytes are damaged: take the reading that breaks least.
    broken = {name: data.decode(name, "replace").count("\ufffd") for name in ("gb18030", "utf-8", "cp1252")}
    best = min(broken, key=lambda name: (broken[name], name != "gb18030"))
    return best, 0.3, {"gb18030": "gb-possible", "utf-8": "utf8-mostly", "cp1252": "western"}[best]


def _decodes(data: bytes, encoding: str) -> bool:
    """Whether all of `data` is valid, a character cut off at the very end aside."""
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(data, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _utf16_without_mark(data: bytes) -> str:
    even, odd = data[0::2].count(0), data[1::2].count(0)
    if (even + odd) * 50 < len(data) or not data:
        return ""
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    if max(even, odd) < 9 * min(even, odd):
        return ""
    # A text with many NULs in it is no UTF-16: there the other bytes must make sensible characters too.
    text = data[: _SAMPLE_CHARACTERS * 2].decode(encoding, "replace")
    return encoding if text.count("\ufffd") * 50 <= len(text) else ""


def _utf8_damage(data: bytes) -> float:
    """The share of characters beyond ASCII that are not valid UTF-8."""
    text = data.decode("utf-8", "replace")
    beyond = sum(1 for character in text if character > "\x7f")
    return text.count("\ufffd") / max(beyond, 1)


def _common_share(data: bytes, encoding: str, low: int, high: int) -> float | None:
    """The share of two-byte characters whose first byte is among the common ones; None: not valid at all."""
    if not _decodes(data, encoding):
        return None
    common = total = 0
    for run in _MULTIBYTE.finditer(data):
        firsts = run.group()[0::2]
        total += len(firsts)
        common += sum(1 for byte in firsts if low <= byte <= high)
        if total > 50_000:
            break
    return common / max(total, 1)


def _western_share(data: bytes) -> float:
    """The share of high bytes that stand alone beside ASCII letters, as é does in Windows-1252."""
    alone = total = 0
    for run in _MULTIBYTE.finditer(data):
        total += len(run.group())
        if len(run.group()) == 1:
            before, after = data[run.start() - 1 : run.start()], data[run.end() : run.end() + 1]
            alone += (before + after).isalpha() or before.isalpha() or after.isalpha()
        if total > 50_000:
            break
    return alone / max(total, 1)


def find_delimiter(text: str) -> tuple[str, float, str]:
    """(delimiter, confidence 0–1, reason code) from the beginning of a decoded file."""
    text = text.lstrip("\ufeff")
    if named := sep_line(text):
        return named, 1.0, "sep-line"
    scores = {delimiter: _evenness(text, delimiter) for delimiter in DELIMITERS}
    best = max(scores, key=lambda d: (scores[d][0] * min(scores[d][1], 6), -DELIMITERS.index(d)))
    even, width = scores[best]
    if width < 2:
        return ",", 0.5, "one-column"
    return best, round(0.5 + even / 2, 2), "even-columns" if even >= 0.8 else "uneven-columns"


def sep_line(text: str) -> str:
    """The separator that a first row such as `sep=;` names (Excel reads and hides it), or nothing."""
    found = re.match(r'"?sep=([,;\t|])"?[ ]*(?:\r|\n|$)', text, re.IGNORECASE)
    return found.group(1) if found else ""


def _evenness(text: str, delimiter: str) -> tuple[float, int]:
    """(share of the first records that have the commonest number of cells, that number)."""
    widths: Counter[int] = Counter()
    reader = csv.reader(io.StringIO(text[:_SAMPLE_CHARACTERS], newline=""), delimiter=delimiter)
    try:
        for record in islice(reader, _RECORDS_LOOKED_AT):
            if record:
                widths[len(record)] += 1
    except csv.Error:
        pass  # a cell longer than the reader takes: judge by what came before it
    if not widths:
        return 0.0, 0
    # Rows of one cell say nothing: a title row, a note at the end.
    width = max(widths, key=lambda w: (widths[w] if w > 1 else 0, w))
    return widths[width] / widths.total(), width


def find_quote(text: str, delimiter: str) -> str:
    """The double quote, unless nearly every cell of the first row stands in single ones."""
    first = text.lstrip("\ufeff").split("\n", 1)[0].rstrip("\r")
    cells = first.split(delimiter)
    single = sum(1 for cell in cells if len(cell) > 1 and cell[0] == cell[-1] == "'")
    return "'" if '"' not in first and single >= 2 and single >= 0.8 * len(cells) else '"'


def find_header_row(records: list[list[str]]) -> int:
    """The first row with anything in it, or the next one where that holds only a title above the column
    names."""
    filled = [sum(1 for cell in record if cell.strip()) for record in records]
    first = next((place for place, count in enumerate(filled) if count), 0)
    title_only = len(filled) > first + 1 and filled[first] == 1 and filled[first + 1] >= 3
    return first + 2 if title_only else first + 1
