"""Files as people send them, and worse: each drawn from a number, so that one that broke something can be drawn again."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

import xlsxwriter

ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16")
DELIMITERS = (",", ";", "\t")
HOSTILE = (
    "=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "-5", "+86 138 1234 5678", "　", "\u200b", "\u202eabc", "＝1", "N/A", "-",
    "NULL", "#REF!", "1e309", "NaN", "0", "<script>alert(1)</script>", '"', "''", "a\nb", "x" * 400, "😀", "待定",
    "2026-13-45", "31/02/2026", "99999999999999999999", "١٢٣", "½", "Ⅻ", "\t", "true", "是",
)  # fmt: skip
DAYS = (
    "2026-11-03",
    "2026/11/3",
    "3.11.2026",
    "11/12/2026",
    "2026年11月3日",
    "20261103",
    "46329",
    "Nov 3, 2026",
)
AMOUNTS = ("120000", "12万", "1,234,567.89", "1.234.567,89", "¥88,000", "3.5亿", "(500)", "12 000", "1e5")
NAMES = ("海星药业", "启晨半导体", "Acme Ltd", "北方泵业", "海星药业 ", "ＡＣＭＥ Ltd", "O'Neil & Söhne")
PEOPLE = ("周敏", "林芷若", "吴婧怡", "王工", "Li Lei", "nobody")
STAGES = ("方案", "需求分析", "solution_design", "赢单", "lost", "第九阶段", "")
#: Kind → the titles that a file of it may have, and where its cells come from.
COLUMNS: dict[str, dict[str, Sequence[str]]] = {
    "account": {
        "客户名称": NAMES, "简称": NAMES, "行业": ("医药", "半导体", ""), "城市": ("无锡", "Berlin", ""),
        "员工数": ("120", "1,200", "一千", "12.5", "-3"), "年营收": AMOUNTS, "客户分级": ("A", "B", "大客户", "Z"),
        "网站": ("example.com", "http://[", ""), "电话": ("0510-8888 0000", "+86 138 1234 5678", "call me"),
        "负责人": PEOPLE, "统一社会信用代码": ("91310000MA1K35TY2Q", "91310000MA1K35TY2X", ""), "编号": ("A1", "A2", "A3"),
    },
    "contact": {
        "姓名": PEOPLE, "客户": NAMES, "职务": ("经理", ""), "部门": ("采购部", ""), "邮箱": ("a@b.cn", "a@", "A@B.CN"),
        "手机": ("13812345678", "138 1234 5678", "x"), "备注": ("记得回电", ""), "编号": ("C1", "C2"),
    },
    "opportunity": {
        "商机名称": ("冷却系统", "二期扩产", "Line 2"), "客户": NAMES, "金额": AMOUNTS, "预计签约日": DAYS, "负责人": PEOPLE,
        "阶段": STAGES, "来源": ("展会", "web", "谁知道"), "招标项目": ("是", "no", "x"), "编号": ("D1", "D2", "D3"),
        "创建日期": DAYS, "说明": ("客户催得急", ""),
    },
}  # fmt: skip
MOST_ROWS = 24
WIDE = 1_000


@dataclass(frozen=True, slots=True)
class StrangeFile:
    """`dress` says in words what is special about it: for the message of a test that failed."""

    seed: int
    kind: str
    name: str
    content: bytes
    dress: tuple[str, ...]


def strange_file(seed: int) -> StrangeFile:
    rng, dress = Random(seed), []
    kind = rng.choice(list(COLUMNS))
    titles, rows = _grid(rng, kind, dress)
    make = rng.choice((_delimited, _delimited, _workbook))
    name, content = make(rng, titles, rows, dress)
    if rng.random() < 0.15:
        content = content[: rng.randrange(len(content) + 1)]
        dress.append("cut")
    return StrangeFile(seed, kind, name, content, (kind, *dress))


def _grid(rng: Random, kind: str, dress: list[str]) -> tuple[list[str], list[list[str]]]:
    pools = COLUMNS[kind]
    first = next(iter(pools))
    titles = [first, *rng.sample([t for t in pools if t != first], rng.randint(1, len(pools) - 1))]
    if rng.random() < 0.3:
        titles.insert(rng.randrange(len(titles) + 1), rng.choice(("随便", "", "Spalte 7", "=1+1")))
    if rng.random() < 0.2:
        titles.append(rng.choice(titles))
        dress.append("duplicate title")
    if rng.random() < 0.04:
        titles += [f"列{n}" for n in range(WIDE - len(titles))]
        dress.append("thousand columns")
    if rng.random() < 0.1:
        rng.shuffle(titles)
    wild = rng.choice((0.0, 0.05, 0.3))
    rows = [
        [
            rng.choice(HOSTILE)
            if rng.random() < wild
            else _named(rng, first, title, number, pools.get(title, ("", "x")))
            for title in titles
        ]
        for number in range(rng.randint(0, 4 if len(titles) >= WIDE else MOST_ROWS))
    ]
    return titles, rows


def _named(rng: Random, first: str, title: str, number: int, pool: Sequence[str]) -> str:
    """Most names are of one record alone, some stand here already or twice in the file."""
    text = rng.choice(pool)
    return f"{text} {number}" if title in (first, "编号") and text and rng.random() < 0.8 else text


def _delimited(rng: Random, titles: list[str], rows: list[list[str]], dress: list[str]) -> tuple[str, bytes]:
    encoding, delimiter = rng.choice(ENCODINGS), rng.choice(DELIMITERS)
    if rng.random() < 0.3:
        dress.append("ragged")
        rows = [
            [*row, "", "more"] if (chance := rng.random()) < 0.15 else row[: rng.randint(0, len(row))]
            if chance < 0.3 else row
            for row in rows
        ]  # fmt: skip
    out = io.StringIO(newline="")
    quoting = rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    ending = rng.choice(("\r\n", "\n"))
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=ending).writerows([titles, *rows])
    dress += [encoding, f"separator {delimiter!r}"]
    return "file.csv", out.getvalue().encode(encoding, "replace")


def _workbook(rng: Random, titles: list[str], rows: list[list[str]], dress: list[str]) -> tuple[str, bytes]:
    kept = io.BytesIO()
    book = xlsxwriter.Workbook(
        kept, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": rng.choice(("yyyy-mm-dd", "d.m.yy", "General"))})
    top = rng.choice((0, 0, 0, 2))
    if top:
        sheet.merge_range(0, 0, 0, max(1, min(4, len(titles) - 1)), "季度报表")
        dress.append("merged heading")
    for column, title in enumerate(titles):
        sheet.write_string(top, column, title)
    typed: tuple[Callable[[int, int, str], Any], ...] = (
        lambda r, c, text: sheet.write_string(r, c, text),
        lambda r, c, text: sheet.write_number(r, c, rng.choice((46329, 46329.5, 1200.5, -3, 0, 1e15, 60))),
        lambda r, c, text: sheet.write_datetime(r, c, datetime(2026, 11, rng.randint(1, 28), 9), day),  # noqa: DTZ001 - a cell has no zone,
        lambda r, c, text: sheet.write_formula(r, c, "=1+1", value=rng.choice((2, text, "#DIV/0!"))),
        lambda r, c, text: sheet.write_boolean(r, c, rng.random() < 0.5),
        lambda r, c, text: sheet.write_blank(r, c, None, day),
    )
    weights = (1, 0, 0, 0, 0, 0) if rng.random() < 0.4 else (20, 2, 2, 2, 1, 1)
    if weights[1]:
        dress.append("typed cells")
    for r, row in enumerate(rows, start=top + 1):
        for c, text in enumerate(row):
            rng.choices(typed, weights)[0](r, c, text)
    if rows and len(titles) > 1 and rng.random() < 0.2:
        sheet.merge_range(top + len(rows) + 1, 0, top + len(rows) + 2, 1, "合计")
        dress.append("merged cells below")
    if rng.random() < 0.2:
        book.add_worksheet("空").write_string(0, 0, "x")
        dress.append("second sheet")
    book.close()
    return "file.xlsx", kept.getvalue()
