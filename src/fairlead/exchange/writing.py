"""Writes tables that a spreadsheet opens as they are meant, and that come back unchanged.

Text stays text: in CSV a leading apostrophe keeps `=1+1` from running (`safe_cells`), in XLSX every text is
written as a text. Numbers stay numbers, and a phone number is a text, so that no digit is lost.
"""

import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import quote

from fairlead.common.safe_cells import restored_cell, safe_cell

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

__all__ = [
    "CSV_TYPE",
    "XLSX_TYPE",
    "Cell",
    "content_disposition",
    "csv_chunks",
    "restored_cell",
    "safe_cell",
    "write_xlsx",
]

Cell = str | int | Decimal | bool | date | datetime | None

CSV_TYPE: Final = "text/csv; charset=utf-8"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: A spreadsheet keeps no more characters in a cell, and no more digits in a number.
XLSX_CELL_LIMIT: Final = 32_767
XLSX_DIGITS: Final = 15
_NOT_STORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_NOT_IN_XML: Final = re.compile("[\ufffe\uffff]")
_ESCAPED: Final = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f]")
_ROWS_PER_CHUNK: Final = 500


def csv_chunks(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """A CSV file in pieces, for a streaming answer: UTF-8 with a byte order mark, commas, every text
    quoted."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([_csv_cell(title) for title in header])
    yield b"\xef\xbb\xbf"
    for count, row in enumerate(rows, start=1):
        writer.writerow([_csv_cell(cell) for cell in row])
        if count % _ROWS_PER_CHUNK == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


class _Bare:
    """A number that the CSV writer leaves without quotes and with exactly these digits."""

    def __init__(self, number: Decimal) -> None:
        self._number = number

    def __float__(self) -> float:  # by this the writer knows a number
        return float(self._number)

    def __str__(self) -> str:
        return format(self._number, "f")


def _csv_cell(cell: Cell) -> str | int | _Bare:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int):
        return cell
    if isinstance(cell, Decimal):
        return _Bare(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    return safe_cell(_NOT_STORABLE.sub("", cell))


#: From the number of rows to the name of a second sheet and its lines of two cells.
Notes = Callable[[int], tuple[str, Sequence[tuple[str, Cell]]]]


def write_xlsx(
    target: BinaryIO,
    header: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    sheet: str = "",
    tz: tzinfo = UTC,
    notes: Notes | None = None,
) -> list[tuple[int, int]]:
    """Write one sheet, and with `notes` a second one that says what the first holds. Returns the places (row
    from 1, column from 0) of texts that had to be cut to 32,767 characters.

    Instants are shown on the clock of `tz`: a spreadsheet knows no zones.
    """
    import xlsxwriter  # loaded when first needed

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "tmpdir": tempfile.gettempdir(),
    }
    cut: list[tuple[int, int]] = []
    number = 0
    with xlsxwriter.Workbook(target, options) as workbook:
        formats = {
            "header": workbook.add_format({"bold": True}),
            "date": workbook.add_format({"num_format": "yyyy-mm-dd"}),
            "datetime": workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        page = _add_sheet(workbook, _sheet_name(sheet))
        for column, title in enumerate(header):
            page.write_string(0, column, _xlsx_text(title), formats["header"])
        page.freeze_panes(1, 0)
        for number, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if _is_too_long(cell):
                    cut.append((number + 1, column))
                _write_cell(page, number, column, cell, formats, tz)
        if notes is not None:
            _write_notes(workbook, notes(number), _sheet_name(sheet), formats, tz)
    return cut


def _write_notes(
    workbook: Any,
    said: tuple[str, Sequence[tuple[str, Cell]]],
    other: str,
    formats: dict[str, Any],
    tz: tzinfo,
) -> None:
    name, lines = _sheet_name(said[0]), said[1]
    page = _add_sheet(workbook, name if name.casefold() != other.casefold() else f"{name[:28]} 2")
    page.set_column(0, 0, 18)
    page.set_column(1, 1, 80)
    for row, (label, value) in enumerate(lines):
        page.write_string(row, 0, _xlsx_text(label), formats["header"])
        _write_cell(page, row, 1, value, formats, tz)


def _add_sheet(workbook: Any, name: str) -> "Worksheet":
    page: Worksheet = workbook.add_worksheet(name)
    # The library's own escape misses marks that overlap (`_x0041_x0042_`); `_xlsx_text` escapes all of them.
    page._escape_control_characters = _as_it_is
    return page


def _is_too_long(cell: Cell) -> bool:
    if not isinstance(cell, str) or len(cell) <= XLSX_CELL_LIMIT // 7:
        return False
    return len(_xlsx_text(cell)) > XLSX_CELL_LIMIT


def _as_it_is(data: str) -> str:
    return data


def _write_cell(
    page: "Worksheet", row: int, column: int, cell: Cell, formats: dict[str, object], tz: tzinfo
) -> None:
    if cell is None or cell == "":
        return
    if isinstance(cell, bool):
        page.write_boolean(row, column, cell)
    elif isinstance(cell, int | Decimal):
        if len(Decimal(cell).normalize().as_tuple().digits) > XLSX_DIGITS:
            page.write_string(row, column, format(Decimal(cell), "f"))
        else:
            page.write_number(row, column, cell)
    elif isinstance(cell, datetime):
        page.write_datetime(row, column, cell.astimezone(tz).replace(tzinfo=None), formats["datetime"])
    elif isinstance(cell, date) and cell.year >= 1901:
        page.write_datetime(row, column, cell, formats["date"])
    elif isinstance(cell, date):
        page.write_string(row, column, cell.isoformat())
    else:
        text = _xlsx_text(cell)
        page.write_string(row, column, text if len(text) <= XLSX_CELL_LIMIT else _cut(cell))


def _cut(text: str) -> str:
    """The longest beginning that still fits when escaped."""
    return (
        _xlsx_text(text[: XLSX_CELL_LIMIT // 7])
        if _CONTROLS.search(text)
        else _xlsx_text(text)[:XLSX_CELL_LIMIT]
    )


def _xlsx_text(text: str) -> str:
    """Text as XML can hold it: control characters and what looks like their escape are escaped."""
    text = _NOT_IN_XML.sub("\ufffd", _NOT_STORABLE.sub("", text))
    text = _ESCAPED.sub("_x005F_", text)
    return _CONTROLS.sub(lambda match: f"_x{ord(match[0]):04X}_", text)


def _sheet_name(name: str) -> str:
    """A name that a workbook accepts: 31 characters, none of []:*?/\\ and no apostrophe at the ends."""
    clean = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", _NOT_STORABLE.sub("", name)).strip(" '")[:31].strip(" '")
    return clean if clean and clean.casefold() != "history" else "Sheet1"


def content_disposition(name: str) -> str:
    """The header value that saves a download as `name`, also in Chinese (RFC 6266 with RFC 5987)."""
    plain = (
        re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*\u202a-\u202e\u2066-\u2069\ud800-\udfff]', "_", name).strip(" .")
        or "export"
    )
    stem, dot, ending = plain.rpartition(".")
    if not dot or len(ending) > 8:
        stem, ending = plain, ""
    plain = stem[:100] + (f".{ending}" if ending else "")
    ascii_name = re.sub(r"[^A-Za-z0-9._ -]+", "_", plain).strip("_ ") or "export"
    if not stem.isascii():
        ascii_name = "export" + (f".{ending}" if ending.isascii() and ending else "")
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(plain, safe='')}"
