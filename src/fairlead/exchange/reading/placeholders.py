"""Words and dates that people and programs write where nothing is known."""

import re
import unicodedata
from datetime import date
from typing import Final

WORDS: Final = frozenset({
    "n/a", "na", "n.a", "n.a.", "#n/a", "#n/a!", "none", "null", "nil", "nan", "(null)", "(none)",
    "(blank)", "undefined", "select", "please select",
    "tbd", "tba", "tbc", "t.b.d.", "todo", "unknown", "not known", "not available", "not set",
    "not applicable",
    "no data", "empty", "blank", "-none-", "--none--", "xxx", "?", "??", "???", ".", "..", "...", "/", "//",
    "\\", "\\n",
    "待定", "暂无", "无", "未知", "不详", "不清楚", "不知道", "未填", "未填写", "待补", "待补充", "待确认",
    "待填",
    "没有", "空", "暂缺", "缺", "略", "同上", "无数据", "未定", "请选择", "暂未确定",
})  # fmt: skip
_DASHES: Final = re.compile(r"[-_–—―─=*]+")
# Salesforce writes an empty reference as an id of zeros.
_EMPTY_ID: Final = re.compile(r"0{15}(?:AAA)?|0{8}-0{4}-0{4}-0{4}-0{12}", re.IGNORECASE)
_NO_DATE: Final = re.compile(r"0000[-/.]00[-/.]00(?:[ T]00:00(?::00)?)?|00[-/.]00[-/.]0000")

#: Days that programs write for “no day”: zero points of spreadsheets and clocks, and the end of time.
DAYS: Final = frozenset({
    date(1, 1, 1), date(1753, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1), date(1900, 1,
    2),
    date(1901, 1, 1), date(1970, 1, 1), date(2099, 12, 31), date(2100, 1, 1), date(2999, 12, 31), date(9999,
    12, 31),
})  # fmt: skip


def is_placeholder(text: str) -> bool:
    """Whether a cell says “nothing known” instead of being empty."""
    if len(text) > 40:
        return False
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    # `--Select--` and `- None -` are words in a frame.
    plain = plain.strip("- ") or plain
    return bool(
        plain in WORDS or _DASHES.fullmatch(plain) or _EMPTY_ID.fullmatch(plain) or _NO_DATE.fullmatch(plain)
    )
