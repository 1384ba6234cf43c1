"""Reads the records of a delimited file one by one and never gives up on a row because of another one."""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from typing import Final

from fairlead.common.safe_cells import restored_cell
from fairlead.exchange.reading.formats import Content, Limits, RawRecord, SourceFormat, opened
from fairlead.exchange.reading.problems import RowProblem
from fairlead.exchange.reading.sniffing import sep_line

MARKING: Final = "fairlead-mark-undecodable"
_SUSPECT: Final = re.compile("[\x00\ud800-\udfff]")
_UNDECODED: Final = re.compile("[\ud800-\udfff]+")


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Undecodable bytes become lone surrogates, which valid text cannot hold: they are found again by
    cell."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(MARKING, _mark)


class _Lines:
    """The lines of a file, with those of the record under way remembered so that they can be read again."""

    def __init__(self, stream: io.TextIOBase) -> None:
        self._stream = stream
        self._again: deque[str] = deque()
        self._begun = False
        self.taken: list[str] = []
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._stream.readline()
        if not self._begun:
            self._begun = True
            line = line.removeprefix("\ufeff")
        if not line:
            self.ended = True
            raise StopIteration
        self.taken.append(line)
        return line

    def read_again(self, lines: list[str]) -> None:
        self._again.extendleft(reversed(lines))
        self.ended = False


def records(content: Content, fmt: SourceFormat, limits: Limits) -> Iterator[RawRecord]:
    """Every record with its place, blank ones too. Stops early at too many open quotes.

    A quote that is never closed costs its own row only: reading goes on with the next line.
    """
    with opened(content) as binary:
        stream = io.TextIOWrapper(binary, encoding=fmt.encoding, errors=MARKING, newline="")
        yield from _records(_Lines(stream), fmt, limits)


def _records(lines: _Lines, fmt: SourceFormat, limits: Limits) -> Iterator[RawRecord]:
    reader = csv.reader(lines, delimiter=fmt.delimiter, quotechar=fmt.quote)
    number = open_quotes = 0
    while True:
        code = ""
        lines.taken.clear()
        try:
            cells = next(reader)
            if lines.ended:  # the reader wanted another line inside a quoted cell
                code = "unterminated-quote"
        except StopIteration:
            return
        except csv.Error:  # a cell longer than the reader takes
            code = "unterminated-quote" if len(lines.taken) > 1 else "cell-too-long"
        number += 1
        if code == "unterminated-quote":
            open_quotes += 1
            if open_quotes > limits.open_quotes:
                params = {"limit": limits.open_quotes, "row": number}
                yield RawRecord(number, [], (RowProblem(number, None, "too-many-quotes", params),))
                return
            lines.read_again(lines.taken[1:])
            del lines.taken[1:]
        if code:
            cells = _unquoted(lines.taken[0], fmt, limits)
        if number == 1 and sep_line(lines.taken[0]):
            cells = []  # Excel obeys this row and does not show it
        suspect = code or any(len(t) * 4 > limits.cell_bytes or _SUSPECT.search(t) for t in lines.taken)
        if any("'" in line for line in lines.taken):
            cells = [restored_cell(cell) for cell in cells]
        yield RawRecord(number, cells, _examine(cells, number, code, fmt, limits) if suspect else ())


def _unquoted(line: str, fmt: SourceFormat, limits: Limits) -> list[str]:
    """The cells of a broken line, taken without any quoting."""
    return [cell.strip(fmt.quote) for cell in line.rstrip("\r\n").split(fmt.delimiter, limits.columns)]


def _examine(
    cells: list[str], number: int, code: str, fmt: SourceFormat, limits: Limits
) -> tuple[RowProblem, ...]:
    """The problems of a suspect record; its cells are made storable in place."""
    problems = [RowProblem(number, None, code)] if code == "unterminated-quote" else []
    for index, cell in enumerate(cells):
        if "\x00" in cell:
            cells[index] = cell = cell.replace("\x00", "")
            problems.append(RowProblem(number, index, "nul"))
        if _UNDECODED.search(cell):
            cells[index] = cell = _UNDECODED.sub("\ufffd", cell)
            problems.append(RowProblem(number, index, "undecodable", {"encoding": fmt.encoding.upper()}))
        if len(cell) > limits.cell_bytes // 4 and len(cell.encode()) > limits.cell_bytes:
            cells[index] = cell[:1000]
            params = {"limit": limits.cell_bytes // 1000}
            problems.append(RowProblem(number, index, "cell-too-long", params))
    return tuple(problems)
