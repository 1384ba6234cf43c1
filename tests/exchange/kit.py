"""Files made for tests of reading."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
import xlsxwriter

from fairlead.exchange.reading.files import Table, open_table, read_whole, sniff
from fairlead.exchange.reading.formats import Content, Limits, Row
from fairlead.exchange.reading.layouts import recognise
from fairlead.exchange.reading.mapping import TargetField, suggest_mapping
from fairlead.exchange.reading.problems import RowProblem
from fairlead.exchange.reading.vocabulary import words_for
from fairlead.fields.enums import FieldType

REAL = Path(__file__).parents[3] / "shared" / "data"
needs_real_files = pytest.mark.skipif(
    not REAL.is_dir(), reason=f"the real files are not here: {REAL} is no folder"
)


def opened(content: Content, limits: Limits | None = None) -> Table:
    found = sniff(content)
    assert found.format is not None, found.problems
    return open_table(content, found.format, limits=limits or Limits())


def rows_of(content: Content) -> list[Row]:
    table, rows, _problems = read_whole(content)
    assert table is not None
    return rows


def cells_of(content: Content) -> list[tuple[str, ...]]:
    return [row.cells for row in rows_of(content)]


def problems_of(content: Content) -> list[RowProblem]:
    return read_whole(content)[2]


def workbook(rows: Sequence[Sequence[object]], *, sheet: str = "Data") -> bytes:
    """An XLSX file with texts as texts and numbers as numbers."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        page = book.add_worksheet(sheet)
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell is not None:
                    page.write(number, column, cell)
    return buffer.getvalue()


def mapped(titles: Sequence[str], subject: str = "") -> dict[str, str]:
    """title → meaning of a header, with one target for every meaning that the vocabulary knows."""
    content = (",".join('"' + title.replace('"', '""') + '"' for title in titles) + "\n").encode()
    table = opened(content)
    subject = subject or recognise([column.title for column in table.columns]).subject
    targets = [TargetField(f"{subject}.{meaning}", FieldType.TEXT) for meaning in words_for(subject)]
    suggestions = suggest_mapping(table.columns, targets, subject=subject)
    return {s.column.title: s.target.split(".")[1] for s in suggestions if s.target}
