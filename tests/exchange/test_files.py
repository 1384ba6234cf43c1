import codecs
import io
import zipfile

import pytest
from django.utils import translation
from tests.exchange.kit import cells_of, opened, problems_of, rows_of, workbook

from fairlead.exchange.reading.files import open_table, sniff
from fairlead.exchange.reading.formats import Kind, Limits, SourceFormat
from fairlead.exchange.reading.problems import WORDINGS, RowProblem, column_letter

TEXT = "商机名称,客户,金额\n一期改造,华锐重工,1200\n二期扩建,“远景”能源,3400\n"
EXPECTED = [("一期改造", "华锐重工", "1200"), ("二期扩建", "“远景”能源", "3400")]


def codes(problems: list[RowProblem]) -> list[tuple[int | None, int | None, str]]:
    return [(p.row, p.column, p.code) for p in problems]


@pytest.mark.rule("T23")
@pytest.mark.parametrize(
    ("encoding", "mark", "found"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", codecs.BOM_UTF8, "utf-8"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16-le"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16-be"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("gb18030", b"", "gb18030"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encoding_separator_and_line_ends_are_found(encoding, mark, found, delimiter, newline):
    content = mark + TEXT.replace(",", delimiter).replace("\n", newline).encode(encoding)

    table = opened(content)

    assert (table.format.encoding, table.format.delimiter) == (found, delimiter)
    assert [c.title for c in table.columns] == ["商机名称", "客户", "金额"]
    assert [row.cells for row in table.rows()] == EXPECTED
    assert table.problems == []


def test_the_finding_says_why_in_both_languages_and_can_be_overridden():
    content = "name,city\nJosé,Málaga\nRenée,Orléans\n".encode("cp1252")
    found = sniff(content).format

    assert found is not None
    assert (found.encoding, found.why) == ("cp1252", ("western", "even-columns"))
    assert 0 < found.confidence < 0.9
    with translation.override("zh-hans"):
        assert found.reasons == ["字节像西欧字母。", "按此分隔符，各行单元格数相同。"]
    chosen = found.override(encoding="gb18030")
    assert (chosen.confidence, chosen.why) == (1.0, ("chosen",))
    assert SourceFormat.from_json(chosen.as_json()) == chosen


def test_a_wrong_encoding_is_named_by_row_and_column_and_nothing_is_lost_silently():
    content = TEXT.encode("gb18030")
    table = open_table(content, SourceFormat(Kind.DELIMITED, encoding="utf-8"))

    rows = list(table.rows())

    assert [r.number for r in rows] == [2, 3]
    assert {(p.row, p.column, p.code) for row in rows for p in row.problems} == {
        (2, 0, "undecodable"), (2, 1, "undecodable"), (3, 0, "undecodable"), (3, 1, "undecodable")
    }  # fmt: skip
    assert all(c < "\udc00" or c > "\udfff" for row in rows for cell in row.cells for c in cell)


def test_row_numbers_are_those_of_a_spreadsheet():
    content = b'a,b\n1,"two\nlines"\n\n3,x\n,\n5,y\n'

    assert [(r.number, r.cells) for r in rows_of(content)] == [
        (2, ("1", "two\nlines")), (4, ("3", "x")), (6, ("5", "y"))
    ]  # fmt: skip
    table = opened(content)
    list(table.rows())
    assert table.blank_rows == 2


def test_ragged_rows_say_what_is_missing_and_what_is_too_much():
    content = b"a,b,c\n1,2\n1,2,3,4\n1,2,3,,\n1,2,3\n"

    assert codes(problems_of(content)) == [(2, None, "row-short"), (3, None, "row-long")]
    short, long, blank_tail, whole = rows_of(content)
    assert (short.cells, long.cells) == (("1", "2", ""), ("1", "2", "3"))
    assert blank_tail.problems == whole.problems == ()
    with translation.override("en"):
        assert long.problems[0].message == "The row has 4 cells, the header 3."
    assert long.problems[0].mend_code == "drop-surplus"


def test_double_and_empty_titles_get_keys_of_their_own():
    table = opened(b"Name,,name,Name,x\n1,2,3,4,5\n")

    assert [c.key for c in table.columns] == ["Name", "#B", "name (2)", "Name (3)", "x"]
    assert codes(table.problems) == [
        (1, 1, "header-empty"), (1, 2, "header-duplicate"), (1, 3, "header-duplicate")
    ]  # fmt: skip


@pytest.mark.rule("T23")
def test_an_open_quote_costs_its_own_row_only():
    content = b'a,b\n1,x\n2,"open\n3,y\n4,z\n'

    assert codes(problems_of(content)) == [(3, None, "unterminated-quote")]
    assert [(r.number, r.cells) for r in rows_of(content)] == [
        (2, ("1", "x")), (3, ("2", "open")), (4, ("3", "y")), (5, ("4", "z"))
    ]  # fmt: skip


def test_very_long_cells_and_swallowed_rows_are_told_apart():
    swallowed = b'a,b\n1,"open\n' + b"2,xxxxxxxx\n" * 20_000
    rows = rows_of(swallowed)
    assert len(rows) == 20_001
    assert codes([p for r in rows for p in r.problems]) == [(2, None, "unterminated-quote")]

    long = b"a,b\n1," + b"x" * 1_000_000 + b"\n2,y\n"
    assert codes(problems_of(long)) == [(2, 1, "cell-too-long")]
    assert rows_of(long)[1].cells == ("2", "y")


def test_too_many_open_quotes_stop_the_reading():
    block = b'1,"open\n' + b"2,xxxxxxxx\n" * 14_000
    table = opened(b"a,b\n" + block * 3, Limits(open_quotes=2))

    assert sum(1 for _ in table.rows()) == 2 * 14_001
    assert codes(table.problems) == [(28_004, None, "too-many-quotes")]
    assert table.refused


def test_nul_and_half_characters_are_named_and_made_storable():
    content = codecs.BOM_UTF8 + b"a,b\n1,x\x00y\n2,\xed\xa0\x80\n3,\xf0\x9f\x98\x80\n"

    assert codes(problems_of(content)) == [(2, 1, "nul"), (3, 1, "undecodable")]
    assert cells_of(content) == [("1", "xy"), ("2", "�"), ("3", "😀")]


def test_a_title_above_the_header_and_a_separator_line_are_met():
    assert opened("客户导出,,\n名称,城市,级别\n华锐,大连,A\n".encode()).format.header_row == 2
    table = opened(b"sep=;\na;b\n1;2\n")
    assert (table.format.delimiter, table.format.header_row) == (";", 2)
    assert [(r.number, r.cells) for r in table.rows()] == [(3, ("1", "2"))]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file-empty"),
        (b"\xef\xbb\xbf \n", "file-empty"),
        (b"%PDF-1.7 ...", "not-a-table"),
        (b"\x89PNG\r\n", "not-a-table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "old-workbook"),
        (b"PK\x03\x04 broken", "workbook-damaged"),
    ],
)
def test_what_is_no_table_is_refused_with_a_mend(content, code):
    found = sniff(content)
    assert found.format is None
    assert [p.code for p in found.problems] == [code]
    assert found.problems[0].message and found.problems[0].mend


@pytest.mark.rule("T33")
def test_limits_of_size_rows_and_columns():
    assert sniff(b"a,b\n" * 30, limits=Limits(file_bytes=100)).problems[0].code == "file-too-large"
    table = opened(b"a\n" + b"1\n" * 60_000)
    assert sum(1 for _ in table.rows()) == 50_000
    assert [p.code for p in table.problems] == ["too-many-rows"]
    assert table.refused
    wide = opened(",".join(f"c{n}" for n in range(1_001)).encode() + b"\n")
    assert [p.code for p in wide.problems] == ["too-many-columns"]
    assert list(wide.rows()) == []
    thousand = opened(",".join(f"c{n}" for n in range(1_000)).encode() + b"\n" + b",".join([b"1"] * 1_000))
    assert [len(row.cells) for row in thousand.rows()] == [1_000]


def test_a_workbook_comes_as_text():
    content = workbook([
        ["name", "amount", "phone", "ok", "formula"],
        ["=1+1", 1200.5, 13812345678, True, None],
        [" 华锐 ", 5, "+86 138", False, "@x"],
    ])  # fmt: skip
    table = opened(content)
    assert (table.format.kind, table.format.sheet) == (Kind.WORKBOOK, "Data")
    assert [(r.number, r.cells) for r in table.rows()] == [
        (2, ("=1+1", "1200.5", "13812345678", "TRUE", "")),
        (3, (" 华锐 ", "5", "+86 138", "FALSE", "@x")),
    ]


@pytest.mark.rule("T23")
def test_a_sheet_with_dates_formulas_errors_merged_cells_and_an_offset():
    import datetime

    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        book.add_worksheet("Empty")
        page = book.add_worksheet("二")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for place, title in enumerate(["a", "b", "c", "d"]):
            page.write_string(2, 1 + place, title)
        page.write_datetime(3, 1, datetime.date(2017, 3, 4), day)
        page.write_formula(3, 2, "=1+1", None, 2)
        page.write_formula(3, 3, "=1/0", None, "#DIV/0!")
        page.write_datetime(3, 4, datetime.datetime(2017, 3, 4, 5, 6, 7), day)  # noqa: DTZ001 (a sheet has no zones)
        page.merge_range(4, 1, 5, 1, "both")
        page.write_string(5, 2, "x")
    found = sniff(buffer.getvalue())
    assert found.sheets == ("Empty", "二")
    assert found.format is not None
    assert (found.format.sheet, found.format.header_row) == ("二", 3)
    table = open_table(buffer.getvalue(), found.format)
    rows = list(table.rows())
    assert [(r.number, r.cells[1:]) for r in rows] == [
        (4, ("2017-03-04", "2", "", "2017-03-04 05:06:07")), (5, ("both", "", "", "")), (6, ("", "x", "", ""))
    ]  # fmt: skip
    assert codes(list(rows[0].problems)) == [(4, 3, "cell-error")]
    assert [p.code for p in table.problems] == ["merged-cells", "header-empty"]
    missing = open_table(buffer.getvalue(), found.format.override(sheet="三"))
    assert [p.code for p in missing.problems] == ["sheet-missing"]


def _repacked(content: bytes, change) -> bytes:
    """The same workbook with its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()


@pytest.mark.rule("T33", "T23")
def test_bombs_are_refused_before_they_are_opened():
    plain = workbook([["a"], ["x"]])
    sheet = "xl/worksheets/sheet1.xml"

    huge = _repacked(plain, lambda name, data: data + b" " * 300_000_000 if name == sheet else data)
    assert len(huge) < 1_000_000
    assert [p.code for p in sniff(huge).problems] == ["workbook-bomb"]

    far = b'<c r="XFD1048576" t="n"><v>1</v></c></row></sheetData>'
    corner = _repacked(plain, lambda name, data: data.replace(b"</row></sheetData>", far))
    assert [p.code for p in sniff(corner).problems] == ["sheet-too-wide"]

    long_text = b"<si><t>" + b"x" * 90_000 + b"</t></si>"
    cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(3, 40_000))
    shared = _repacked(
        plain,
        lambda name, data: {
            "xl/sharedStrings.xml": data.replace(
                data[data.find(b"<si>") : data.find(b"</si>") + 5], long_text
            ),
            sheet: data.replace(b"</sheetData>", cells + b"</sheetData>"),
        }.get(name, data),
    )
    assert [p.code for p in sniff(shared).problems] == ["workbook-bomb"]


@pytest.mark.rule("T33")
def test_a_directory_that_lies_about_sizes_is_not_believed():
    honest = _repacked(workbook([["a"], ["x"]]), lambda name, data: data + b" " * 100_000)
    lying = bytearray(honest)
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        for entry in archive.infolist():
            place = honest.find(b"PK\x01\x02")
            while place >= 0:
                lying[place + 24 : place + 28] = (100).to_bytes(4, "little")
                place = honest.find(b"PK\x01\x02", place + 1)
            assert entry.file_size > 100_000
    assert [p.code for p in sniff(bytes(lying)).problems] == ["workbook-damaged"]


def test_every_problem_has_words_in_both_languages():
    samples = {
        "day": "x",
        "items": "x",
        "message": "x",
        "start": "2017-03-01",
        "end": "2017-02-01",
        "size": 30, "limit": 20, "kind": "PDF", "sheet": "x", "rows": 1, "columns": 2, "row": 1,
        "encoding": "x",
        "count": 2, "letter": "B", "title": "x", "key": "y", "found": 1, "expected": 2, "value": "x",
        "first": "1",
        "second": "2", "length": 3,
    }  # fmt: skip
    for code in WORDINGS:
        problem = RowProblem(2, 1, code, samples)
        with translation.override("en"):
            english = (problem.message, problem.mend)
        with translation.override("zh-hans"):
            chinese = (problem.message, problem.mend)
        assert all(a and b and a != b for a, b in zip(english, chinese, strict=True)), code
        assert RowProblem.from_json(problem.as_json()) == problem
    assert [column_letter(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
