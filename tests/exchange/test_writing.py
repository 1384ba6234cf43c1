import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from tests.exchange.kit import cells_of, problems_of

from fairlead.common.safe_cells import is_risky, restored_cell, safe_cell
from fairlead.exchange.writing import content_disposition, csv_chunks, write_xlsx

pytestmark = pytest.mark.rule("T10")

SIGNS = "=+-@＝＋－＠"
BEFORE = [
    "",
    "\t",
    "\r",
    "\n",
    "\x00",
    " ",
    "\u200b",
    "\ufeff",
    "\u00a0",
    '"',
    ";",
    ",",
    "　",
    "'",
    "''",
    "\u202e",
]
PREFIXES = [before + sign for before in BEFORE for sign in SIGNS]
INVISIBLE = "\t\r\n\x00 \u200b\ufeff\u00a0　\u202e\"';,"
texts = st.builds(
    str.__add__,
    st.sampled_from(["", "", *PREFIXES, "+86 138", "-5", "_x0041_x0042_", "1e5", "007"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufffe\uffff"), max_size=15),
).map(lambda text: text.replace("\x00", ""))


def exported(header, rows) -> bytes:
    return b"".join(csv_chunks(header, rows))


def workbook(header, rows) -> bytes:
    target = io.BytesIO()
    assert write_xlsx(target, header, rows) == []
    return target.getvalue()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_no_cell_of_a_csv_file_can_run(prefix):
    for text in (prefix + "1+1", prefix + 'cmd|" /C calc"!A0', prefix):
        cell = next(csv.reader(io.StringIO(exported(["a"], [[text, "x"]]).decode("utf-8-sig"), newline="")))
        line = list(csv.reader(io.StringIO(exported(["a"], [[text]]).decode("utf-8-sig"), newline="")))[1][0]
        assert cell == ["a"]
        assert line.startswith("'")
        assert restored_cell(line) == text.replace("\x00", "")


@given(st.text())
def test_the_apostrophe_comes_and_goes_exactly(text):
    assert restored_cell(safe_cell(text)) == text
    assert safe_cell(text) == text or is_risky(text)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(st.lists(st.tuples(texts, texts, texts), min_size=100, max_size=100))
def test_ten_thousand_hostile_rows_come_back_unchanged(rows):
    header = ["id", "a", "b", "c"]
    numbered = [(str(number), *row) for number, row in enumerate(rows)]

    assert cells_of(exported(header, numbered)) == numbered
    assert problems_of(exported(header, numbered)) == []
    assert cells_of(workbook(header, numbered)) == numbered


def test_every_text_of_a_workbook_is_a_text():
    values = [prefix + "1+1" for prefix in PREFIXES] + [
        "http://x.cn",
        "mailto:a@b.cn",
        "{=1}",
        "12",
        "1e5",
        "TRUE",
    ]
    content = workbook(["a"], [[value] for value in values])
    page = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    read = [row[0] for row in page.iter_rows()][1:]
    assert read == [value.replace("\x00", "") for value in values]
    assert all(isinstance(value, str) for value in read)


def test_numbers_days_and_phones_stay_what_they_are():
    row = [
        -5,
        Decimal("-1234.50"),
        Decimal("1E+2"),
        date(2017, 3, 4),
        True,
        None,
        "+86 138 1234 5678",
        "-5",
        "007",
    ]
    header = list("abcdefghi")
    assert exported(header, [row]).decode("utf-8-sig").splitlines()[1] == (
        '-5,-1234.50,100,"2017-03-04","TRUE","","\'+86 138 1234 5678","\'-5","007"'
    )
    expected = ("-5", "-1234.50", "100", "2017-03-04", "TRUE", "", "+86 138 1234 5678", "-5", "007")
    assert cells_of(exported(header, [row])) == [expected]
    assert cells_of(workbook(header, [row])) == [tuple(c.replace("-1234.50", "-1234.5") for c in expected)]


def test_what_a_spreadsheet_cannot_hold():
    big = Decimal("12345678901234567890.12")
    assert cells_of(workbook(["a", "b"], [[big, date(1899, 1, 1)]])) == [(str(big), "1899-01-01")]
    instant = datetime(2017, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert cells_of(workbook(["a", "b"], [[instant, "x"]])) == [("2017-03-04 05:06:07", "x")]
    assert cells_of(exported(["a", "b"], [[instant, "x\ud800"]])) == [("2017-03-04 05:06:07+00:00", "x")]
    target = io.BytesIO()
    assert write_xlsx(target, ["a"], [["x"], ["y" * 40_000], ["\x01" * 30_000]], sheet="[a]:*?/\\'") == [
        (3, 0),
        (4, 0),
    ]
    assert [len(row[0]) for row in cells_of(target.getvalue())] == [1, 32_767, 4_681]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (
            "商机 2017.csv",
            "attachment; filename=\"export.csv\"; filename*=UTF-8''%E5%95%86%E6%9C%BA%202017.csv",
        ),
        ("deals.xlsx", "attachment; filename=\"deals.xlsx\"; filename*=UTF-8''deals.xlsx"),
        ('../a"b\r\nX: y.csv', "attachment; filename=\"a_b__X_ y.csv\"; filename*=UTF-8''_a_b__X_%20y.csv"),
        ("", "attachment; filename=\"export\"; filename*=UTF-8''export"),
    ],
)
def test_names_of_downloads(name, value):
    header = content_disposition(name)
    assert header == value
    header.encode("ascii")
    assert "\r" not in header and "\n" not in header
