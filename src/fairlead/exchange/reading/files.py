"""What is this file, and what are its rows?

`sniff` looks at a file and says what it takes it for; `open_table` reads it as told. Neither raises for
anything that a file can hold: what is wrong comes back as problems.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from fairlead.exchange.reading import delimited, workbooks
from fairlead.exchange.reading.formats import (
    DEFAULT_LIMITS,
    ENCODINGS,
    Column,
    Content,
    Kind,
    Limits,
    RawRecord,
    Row,
    SourceFormat,
    columns_of,
    fingerprint,
    opened,
    size_of,
)
from fairlead.exchange.reading.problems import RowProblem, Severity
from fairlead.exchange.reading.sniffing import (
    binary_kind,
    find_delimiter,
    find_encoding,
    find_header_row,
    find_quote,
)


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What a file was taken for; `format` is None where it cannot be read, and `problems` say why."""

    format: SourceFormat | None
    sheets: tuple[str, ...] = ()
    problems: tuple[RowProblem, ...] = ()


@dataclass(slots=True)
class Table:
    """A file opened for reading, once: `rows()` streams from the disk.

    `problems` are those of the file and its header; reading all rows may add to them (too many rows).
    """

    format: SourceFormat
    columns: tuple[Column, ...] = ()
    problems: list[RowProblem] = field(default_factory=list)
    blank_rows: int = 0
    _records: Iterator[RawRecord] = field(default_factory=lambda: iter(()))
    _limits: Limits = DEFAULT_LIMITS

    @property
    def refused(self) -> bool:
        return any(problem.severity is Severity.REFUSED for problem in self.problems)

    @property
    def fingerprint(self) -> str:
        return fingerprint(column.title for column in self.columns)

    def rows(self) -> Iterator[Row]:
        """The rows below the header, blank ones left out, each exactly as wide as the header."""
        width, limit = len(self.columns), self._limits.rows
        if not width:
            return
        count = 0
        for record in self._records:
            cells, problems = record.cells, record.problems
            if not problems and not "".join(cells).strip():
                self.blank_rows += 1
                continue
            if problems and problems[0].code == "too-many-quotes":
                self.problems.extend(problems)
                return
            if count == limit:
                self.problems.append(RowProblem(None, None, "too-many-rows", {"limit": limit}))
                return
            count += 1
            if len(cells) != width:
                cells, problems = _fitted(record, width, self.format.kind)
            yield Row(record.number, tuple(cells), problems)


def _fitted(record: RawRecord, width: int, kind: Kind) -> tuple[list[str], tuple[RowProblem, ...]]:
    """A row brought to the width of the header. Surplus blank cells say nothing; the rest is a problem."""
    cells, found = record.cells, len(record.cells)
    problems = tuple(p for p in record.problems if p.column is None or p.column < width)
    params = {"found": found, "expected": width}
    if found < width:
        # A row that is cut off at an open quote says that already; a sheet's rows are as wide as they are.
        if kind is Kind.DELIMITED and not any(p.code == "unterminated-quote" for p in problems):
            problems += (RowProblem(record.number, None, "row-short", params),)
        return cells + [""] * (width - found), problems
    surplus = [place for place in range(width, found) if cells[place].strip()]
    if surplus:
        params["found"] = surplus[-1] + 1
        problems += (RowProblem(record.number, None, "row-long", params),)
    return cells[:width], problems


def sniff(content: Content, *, limits: Limits = DEFAULT_LIMITS) -> Sniffed:
    """What a file (a path, or its bytes) seems to be."""
    size = size_of(content)
    if size == 0:
        return _refused("file-empty")
    if size > limits.file_bytes:
        return _refused("file-too-large", size=-(-size // 2**20), limit=limits.file_bytes // 2**20)
    with opened(content) as stream:
        data = stream.read(limits.file_bytes)
    if data.startswith(workbooks.OLE_MAGIC):
        return _refused("old-workbook")
    if data.startswith(workbooks.ZIP_MAGIC):
        return _sniff_workbook(content, limits)
    if kind := binary_kind(data):
        return _refused("not-a-table", kind=kind)
    return _sniff_text(content, data, limits)


def _refused(code: str, **params: object) -> Sniffed:
    return Sniffed(None, (), (RowProblem(None, None, code, params),))


def _sniff_text(content: Content, data: bytes, limits: Limits) -> Sniffed:
    encoding, sure_of_encoding, why_encoding = find_encoding(data)
    beginning = data[:1_000_000].decode(encoding, "replace").removeprefix("\ufeff")
    if not beginning.strip():
        return _refused("file-empty")
    delimiter, sure_of_delimiter, why_delimiter = find_delimiter(beginning)
    fmt = SourceFormat(
        Kind.DELIMITED,
        encoding=encoding,
        delimiter=delimiter,
        quote=find_quote(beginning, delimiter),
        confidence=round(min(sure_of_encoding, sure_of_delimiter), 2),
        why=(why_encoding, why_delimiter),
    )
    first = [record.cells for record in islice(delimited.records(content, fmt, limits), 10)]
    return Sniffed(_with_header_row(fmt, first))


def _sniff_workbook(content: Content, limits: Limits) -> Sniffed:
    try:
        workbooks.check_archive(content, limits)
        names, sheet, shape = workbooks.sheet_names(content, limits)
        fmt = SourceFormat(Kind.WORKBOOK, sheet=sheet, why=("workbook",))
        beginning = islice(workbooks.measured_records(content, fmt, limits, shape), 10)
        first = [record.cells for record in beginning]
    except workbooks.Unreadable as refusal:
        return Sniffed(None, (), (refusal.problem,))
    return Sniffed(_with_header_row(fmt, first), tuple(names))


def _with_header_row(fmt: SourceFormat, records: list[list[str]]) -> SourceFormat:
    row = find_header_row(records)
    if row == 1:
        return fmt
    why = fmt.why if "sep-line" in fmt.why and row == 2 else (*fmt.why, "title-row")
    return SourceFormat(
        fmt.kind, fmt.encoding, fmt.delimiter, fmt.quote, fmt.sheet, row, min(fmt.confidence, 0.9), why
    )


def open_table(content: Content, fmt: SourceFormat, *, limits: Limits = DEFAULT_LIMITS) -> Table:
    """The columns of a file read as `fmt` says, ready to stream its rows."""
    if fmt.kind is Kind.DELIMITED and fmt.encoding not in ENCODINGS:
        return Table(fmt, problems=[RowProblem(None, None, "unknown-encoding", {"encoding": fmt.encoding})])
    if size_of(content) > limits.file_bytes:
        return Table(fmt, problems=list(sniff(content, limits=limits).problems))
    source = delimited.records if fmt.kind is Kind.DELIMITED else workbooks.records
    records = source(content, fmt, limits)
    try:
        skipped = list(islice(records, fmt.header_row - 1))
        header = next(records, RawRecord(fmt.header_row, []))
    except workbooks.Unreadable as refusal:
        return Table(fmt, problems=[refusal.problem])
    columns, problems = columns_of(header.cells, header.number)
    problems = [p for record in (*skipped, header) for p in record.problems] + problems
    if not columns:
        problems.append(RowProblem(None, None, "header-missing", {"row": fmt.header_row}))
    elif len(columns) > limits.columns:
        params = {"columns": len(columns), "limit": limits.columns}
        return Table(fmt, problems=[RowProblem(None, None, "too-many-columns", params)])
    return Table(fmt, tuple(columns), problems, _records=records, _limits=limits)


def read_whole(
    content: Content, *, limits: Limits = DEFAULT_LIMITS
) -> tuple[Table | None, list[Row], list[RowProblem]]:
    """(table, all rows, all problems) of a small file, sniffed and read in one go: for commands and tests."""
    found = sniff(content, limits=limits)
    if found.format is None:
        return None, [], list(found.problems)
    table = open_table(content, found.format, limits=limits)
    rows = list(table.rows())
    return table, rows, [*table.problems, *chain.from_iterable(row.problems for row in rows)]
