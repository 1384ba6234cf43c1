"""Reads one sheet of an XLSX workbook, after a look at what unpacking it would cost.

The reader takes the rectangle around all cells into memory, and a shared text once per cell that shows it.
A file of a few kB can therefore ask for all the memory there is; such files are refused before they are
opened.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import BinaryIO, Final
from xml.sax.saxutils import unescape

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from fairlead.exchange.reading.formats import Content, Limits, RawRecord, SourceFormat, opened
from fairlead.exchange.reading.problems import RowProblem

ZIP_MAGIC: Final = b"PK\x03\x04"
OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # old XLS, and every password-protected workbook

# The address stands first in every file that a spreadsheet writes; elsewhere it is looked for.
_CELL: Final = re.compile(rb"<(?:\w+:)?c\s+(?:r=\"([A-Z]{1,7})(\d{1,10})\")?([^>]*)>")
_PLACE: Final = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]{1,7})(\d{1,10})[\"']")
_SHARED: Final = re.compile(
    rb"<(?:\w+:)?c\s[^>]*\bt\s*=\s*[\"']s[\"'][^>]*>\s*(?:<[^v/][^>]*>\s*)*<(?:\w+:)?v>\s*(\d{1,9})"
)
_SHARED_ITEM: Final = re.compile(rb"<(?:\w+:)?si\b[^>]*>(.*?)</(?:\w+:)?si>", re.DOTALL)
_SHEET_TAG: Final = re.compile(rb"<(?:\w+:)?sheet\s([^>]*)/?>")
_RELATION_TAG: Final = re.compile(rb"<(?:\w+:)?Relationship\s([^>]*)/?>")
_ATTRIBUTE: Final = re.compile(r"([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_MERGED: Final = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*\bref\s*=\s*[\"'][A-Z]+\d+:[A-Z]+(\d+)")
_ERROR_MARK: Final = re.compile(rb"\bt\s*=\s*[\"']e[\"']")
_MOST_ERRORS_NAMED: Final = 1_000


class Unreadable(Exception):
    """The workbook is refused; carries the problem to show."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.problem = RowProblem(None, None, code, params)


@dataclass(slots=True)
class SheetShape:
    """What the look at the packed sheet found."""

    rows: int = 0
    columns: int = 0
    merged: int = 0  # merged ranges below the first row
    errors: set[tuple[int, int]] = field(default_factory=set)  # (row from 1, column from 0)


def check_archive(content: Content, limits: Limits) -> None:
    """Raises Unreadable for what is no sound XLSX archive or unpacks to too much. Opens nothing."""
    try:
        with opened(content) as stream, zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
            if "xl/workbook.xml" not in archive.NameToInfo:
                raise Unreadable("not-a-table", kind="ZIP")
            if len(entries) > limits.zip_entries or sum(e.file_size for e in entries) > limits.unpacked_bytes:
                raise Unreadable("workbook-bomb", limit=limits.unpacked_bytes // 2**20)
            for entry in entries:
                _check_honesty(stream, entry)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, EOFError):
        raise Unreadable("workbook-damaged") from None


def _check_honesty(stream: BinaryIO, entry: zipfile.ZipInfo) -> None:
    """The directory may lie about sizes: unpack for a moment, never beyond what was claimed."""
    if entry.flag_bits & 0x1:
        raise Unreadable("old-workbook")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable("workbook-damaged")
    stream.seek(entry.header_offset)
    local = stream.read(30)
    if local[:4] != ZIP_MAGIC:
        raise Unreadable("workbook-damaged")
    stream.seek(int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little"), 1)
    if entry.compress_type == zipfile.ZIP_STORED:
        if entry.file_size != entry.compress_size:
            raise Unreadable("workbook-damaged")
        return
    unpacker = zlib.decompressobj(-15)
    left, size = entry.compress_size, 0
    while left > 0 and not unpacker.eof:
        packed = stream.read(min(left, 1 << 16))
        if not packed:
            raise Unreadable("workbook-damaged")
        left -= len(packed)
        while packed:
            size += len(unpacker.decompress(packed, 1 << 20))
            if size > entry.file_size:
                raise Unreadable("workbook-damaged")
            packed = unpacker.unconsumed_tail


def sheet_names(content: Content, limits: Limits) -> tuple[list[str], str, SheetShape]:
    """(all sheets, the one to begin with, its shape). Call after `check_archive`."""
    try:
        with opened(content) as stream:
            sheets = [
                meta
                for meta in CalamineWorkbook.from_filelike(stream).sheets_metadata
                if meta.typ == SheetTypeEnum.WorkSheet
            ]
    except (CalamineError, OSError, ValueError):
        raise Unreadable("workbook-damaged") from None
    names = [meta.name for meta in sheets]
    if not names:
        raise Unreadable("file-empty")
    visible = [meta.name for meta in sheets if meta.visible == SheetVisibleEnum.Visible]
    for name in visible or names:
        shape = shape_of(content, name, limits)
        if shape.rows > 1:
            return names, name, shape
    first = (visible or names)[0]
    return names, first, shape_of(content, first, limits)


def shape_of(content: Content, sheet: str, limits: Limits) -> SheetShape:
    """How far the filled cells of a sheet reach. Raises Unreadable where reading it would take too much
    memory."""
    shape = SheetShape()
    with opened(content) as stream, zipfile.ZipFile(stream) as archive:
        try:
            part = _part_of(archive, sheet)
            xml = archive.read(part) if part else b""
            _measure(xml, shape)
            if shape.rows * shape.columns > limits.sheet_cells:
                raise Unreadable("sheet-too-wide", rows=shape.rows, columns=shape.columns)
            _check_shared(archive, xml, limits)
        except (zipfile.BadZipFile, zlib.error, KeyError, EOFError):
            raise Unreadable("workbook-damaged") from None
    return shape


def _measure(xml: bytes, shape: SheetShape) -> None:
    columns: set[bytes] = set()
    rows: set[bytes] = set()
    unplaced, in_row = 0, 0
    for cell in _CELL.finditer(xml):
        letters, digits, attributes = cell.groups()
        if attributes.endswith(b"/"):
            continue  # formatted, but empty
        if letters is None:
            place = _PLACE.search(attributes)
            if place is None:
                unplaced += 1
                continue
            letters, digits = place.groups()
        columns.add(letters)
        rows.add(digits)
        if b"e" in attributes and _ERROR_MARK.search(attributes) and len(shape.errors) < _MOST_ERRORS_NAMED:
            shape.errors.add((int(digits), _column_index(letters)))
    row = max(map(int, rows), default=0)
    if unplaced:  # cells without an address stand one after the other
        parts = re.split(rb"</(?:\w+:)?row", xml)
        row = max(row, len(parts))
        in_row = max(len(_CELL.findall(part)) for part in parts)
    shape.merged = sum(1 for last in _MERGED.findall(xml) if last != b"1")
    shape.rows = row
    shape.columns = max([in_row, *(_column_index(letters) + 1 for letters in columns)])


def _column_index(letters: bytes) -> int:
    number = 0
    for byte in letters.upper():
        number = number * 26 + byte - 64
    return number - 1


def _check_shared(archive: zipfile.ZipFile, xml: bytes, limits: Limits) -> None:
    """Refuses one long text shown by very many cells."""
    name = next((n for n in archive.namelist() if n.lower() == "xl/sharedstrings.xml"), "")
    if not name:
        return
    lengths = [len(item.group(1)) for item in _SHARED_ITEM.finditer(archive.read(name))]
    if not lengths or max(lengths) * xml.count(b"<") <= limits.unpacked_bytes:
        return
    total = 0
    for shown in _SHARED.finditer(xml):
        place = int(shown.group(1))
        total += lengths[place] if place < len(lengths) else 0
    if total > 2 * limits.unpacked_bytes:
        raise Unreadable("workbook-bomb", limit=limits.unpacked_bytes // 2**20)


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The name of the packed file that holds `sheet`, or nothing."""
    relation = ""
    for tag in _SHEET_TAG.finditer(archive.read("xl/workbook.xml")):
        attributes = _attributes(tag.group(1))
        if attributes.get("name") == sheet:
            relation = next((value for key, value in attributes.items() if key.endswith(":id")), "")
    for tag in _RELATION_TAG.finditer(archive.read("xl/_rels/workbook.xml.rels")):
        attributes = _attributes(tag.group(1))
        if relation and attributes.get("Id") == relation:
            target = attributes.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return next((name for name in archive.namelist() if name.lower() == path.lower()), "")
    return ""


def _attributes(tag: bytes) -> dict[str, str]:
    pairs = _ATTRIBUTE.findall(tag.decode("utf-8", "replace"))
    return {key: unescape(double or single, {"&quot;": '"', "&apos;": "'"}) for key, double, single in pairs}


def records(content: Content, fmt: SourceFormat, limits: Limits) -> Iterator[RawRecord]:
    """Every row of the chosen sheet with its place, empty ones too. Raises Unreadable before the first
    row."""
    check_archive(content, limits)
    yield from measured_records(content, fmt, limits, shape_of(content, fmt.sheet, limits))


def measured_records(
    content: Content, fmt: SourceFormat, limits: Limits, shape: SheetShape
) -> Iterator[RawRecord]:
    """`records` of a workbook that was looked at already."""
    with opened(content) as stream:
        try:
            workbook = CalamineWorkbook.from_filelike(stream)
            if fmt.sheet not in workbook.sheet_names:
                raise Unreadable("sheet-missing", sheet=fmt.sheet)
            sheet = workbook.get_sheet_by_name(fmt.sheet)
        except (CalamineError, OSError, ValueError):
            raise Unreadable("workbook-damaged") from None
        yield from _rows(sheet, shape, limits)


def _rows(sheet: CalamineSheet, shape: SheetShape, limits: Limits) -> Iterator[RawRecord]:
    left = [""] * (sheet.start[1] if sheet.start else 0)
    broken_rows = {row for row, _column in shape.errors}
    for number, values in enumerate(sheet.iter_rows(), start=1):
        cells = left + [value if isinstance(value, str) else _as_text(value) for value in values]
        problems: list[RowProblem] = []
        if number == 1 and shape.merged:
            problems.append(RowProblem(None, None, "merged-cells", {"count": shape.merged}))
        for index, cell in enumerate(cells):
            if "\x00" in cell:
                cells[index] = cell.replace("\x00", "")
                problems.append(RowProblem(number, index, "nul"))
            if len(cell) * 4 > limits.cell_bytes and len(cell.encode()) > limits.cell_bytes:
                cells[index] = cell[:1000]
                params = {"limit": limits.cell_bytes // 1000}
                problems.append(RowProblem(number, index, "cell-too-long", params))
        if number in broken_rows:
            wrong = sorted(column for row, column in shape.errors if row == number)
            problems += [RowProblem(number, column, "cell-error") for column in wrong]
        yield RawRecord(number, cells, tuple(problems))


def _as_text(value: object) -> str:
    """A cell of a workbook as one would type it: 5, 0.1, 2017-03-04, 2017-03-04 17:00:00, TRUE."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        hours, rest = divmod(int(value.total_seconds()), 3600)
        return f"{hours}:{rest // 60:02}:{rest % 60:02}"
    return str(value)
