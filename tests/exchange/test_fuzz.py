"""Whatever a file holds: rows or problems, never an exception, and never a cell that cannot be stored."""

import csv
import io
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.exchange.kit import workbook

from fairlead.exchange.reading.files import open_table, read_whole, sniff
from fairlead.exchange.reading.formats import ENCODINGS, Kind, SourceFormat
from fairlead.exchange.reading.profile import profile
from fairlead.exchange.reading.values import ReadAs, read_cell
from fairlead.fields.enums import FieldType

pytestmark = pytest.mark.rule("T23")


def relaxed(examples: int) -> settings:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=examples, deadline=None, suppress_health_check=slow)


hostile = st.text(
    st.one_of(
        st.sampled_from(list("=+-@'\",;|\t\n\r\x00 　﻿​‮‏＝＋0123456789.年月日￥€万%()")),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=20,
)
grids = st.lists(st.lists(hostile, max_size=6), min_size=1, max_size=12)


def assert_sound(content: bytes) -> None:
    table, rows, problems = read_whole(content)
    for problem in problems:
        assert problem.message and problem.mend
    if table is None:
        assert problems
        return
    assert all(len(row.cells) == len(table.columns) for row in rows)
    numbers = [row.number for row in rows]
    assert numbers == sorted(set(numbers))
    for row in rows:
        for cell in row.cells:
            assert "\x00" not in cell
            cell.encode()  # no lone surrogates


@relaxed(250)
@given(
    grids,
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "big5", "cp1252"]),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONE]),
)
def test_any_grid_in_any_dress(grid, encoding, delimiter, quoting):
    text = io.StringIO(newline="")
    rows = grid if quoting != csv.QUOTE_NONE else [[*row, "end"] for row in grid]
    csv.writer(text, delimiter=delimiter, quoting=quoting, escapechar="\\").writerows(rows)
    assert_sound(text.getvalue().encode(encoding, "replace"))


@relaxed(250)
@given(grids, st.sampled_from(["utf-8-sig", "gb18030", "utf-16"]), st.floats(0, 1))
def test_a_file_cut_at_any_byte(grid, encoding, share):
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["甲", "乙", "丙"], *grid])
    content = text.getvalue().encode(encoding, "replace")
    assert_sound(content[: int(len(content) * share)])


@pytest.mark.nightly
@relaxed(5_000)
@given(grids, st.sampled_from(sorted(ENCODINGS)), st.sampled_from([",", ";", "\t", "|"]), st.floats(0, 1))
def test_five_thousand_files(grid, encoding, delimiter, share):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([["a", "乙", "a"], *grid])
    content = text.getvalue().encode(encoding, "replace")
    assert_sound(content)
    assert_sound(content[: int(len(content) * share)])


@relaxed(250)
@given(st.binary(max_size=400))
def test_any_bytes(content):
    assert_sound(content)


@relaxed(100)
@given(
    st.binary(max_size=300), st.sampled_from(sorted(ENCODINGS)), st.sampled_from([",", ";", "\t", "|", "'"])
)
def test_any_bytes_under_any_choice(content, encoding, delimiter):
    table = open_table(content, SourceFormat(Kind.DELIMITED, encoding=encoding, delimiter=delimiter))
    assert all(len(row.cells) == len(table.columns) for row in table.rows())


@relaxed(150)
@given(st.integers(0, 2**32), st.integers(0, 2**32), st.integers(1, 255))
def test_a_workbook_cut_or_bent_at_any_byte(cut, place, change):
    content = workbook([["a", "b"], ["x", 1], ["y", 2.5]])
    assert_sound(content[: cut % len(content)])
    bent = bytearray(content)
    bent[place % len(bent)] ^= change
    assert_sound(bytes(bent))


@relaxed(400)
@given(hostile, st.sampled_from(list(FieldType)))
def test_any_cell_as_any_type(text, kind):
    reading = read_cell(text, ReadAs(type=kind, choices={"a": ("A",)}))
    assert reading.ok == (reading.code in ("", "placeholder"))
    assert reading.problem(2, 0) is None or reading.problem(2, 0).message


@relaxed(60)
@given(grids)
def test_a_profile_counts_every_cell(grid):
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a", "b", "a"], *grid])
    content = text.getvalue().encode("utf-8")
    found = sniff(content)
    assert found.format is not None
    seen = profile(open_table(content, found.format))
    assert all(column.filled + column.empty == seen.rows for column in seen.columns)


@pytest.mark.rule("T33")
def test_fifty_thousand_rows_are_profiled_in_seconds():
    header = "编号,名称,客户,金额,日期,电话,备注,阶段,负责人,状态\n"
    line = "OP-{0},商机{0},客户{1},{0}.5,{2}/3/2017,+86 138{0:08d},“备注, {0}”,方案,王敏,进行中\n"
    content = (header + "".join(line.format(n, n % 700, n % 28 + 1).replace("“", '"').replace("”", '"')
                                for n in range(50_000))).encode("gb18030")  # fmt: skip
    started = time.process_time()  # the machine may be busy with other things
    found = sniff(content)
    assert found.format is not None
    seen = profile(open_table(content, found.format))
    assert time.process_time() - started < 12
    assert (seen.rows, seen.problem_counts.total()) == (50_000, 0)
    assert seen.column("日期").order.order == "dmy"
    assert len(seen.first_rows) == 10
