"""Criteria are acts of the buyer (GT-6): words that tell only of our own doing are named, with a buyer-side twin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .definition import Name

#: What only we do, by language; each with the place in TWINS that suits it.
_OURS_ZH: Final = (
    (
        "quote",
        re.compile(
            r"(已|完成|提交|发送|发出|给出|递交|做好)[^，。；]{0,6}报价|报价[^，。；]{0,4}(已|发送|发出|提交)"
        ),
    ),
    (
        "demo",
        re.compile(r"(已|完成|做过|进行)[^，。；]{0,6}(演示|讲解|介绍|宣讲|展示)|(演示|宣讲)(完成|已做)"),
    ),
    ("bid", re.compile(r"(已|完成|提交|递交)[^，。；]{0,4}(投标|标书)")),
    ("solution", re.compile(r"(已|完成|提交|发送|发出|递交|编写)[^，。；]{0,6}(方案|建议书|材料|资料)")),
    ("visit", re.compile(r"(已|完成|做过)[^，。；]{0,6}(拜访|走访|联系|沟通|致电|打电话)")),
    ("contract", re.compile(r"(已|完成|发送|发出|提交)[^，。；]{0,4}合同")),
    ("other", re.compile(r"^(我方)?(已|完成)(发送|提交|发出|递交|通知|告知|跟进)")),
)
_GONE: Final = r"(sent|send|submitted|issued|delivered|given|gave|handed in|handed over)"
_PRICE: Final = r"(quote|quotation|price|offer)"
_PAPER: Final = r"(proposal|solution|material|brochure)s?"


def _pair(one: str, other: str) -> re.Pattern[str]:
    """Both in either order."""
    return re.compile(rf"\b{one}\b.*\b{other}\b|\b{other}\b.*\b{one}\b", re.IGNORECASE)


_OURS_EN: Final = (
    ("quote", _pair(_GONE, _PRICE)),
    ("demo", re.compile(r"\b(demo(ed|nstrated)|presented|shown|pitched)\b", re.IGNORECASE)),
    ("demo", _pair(r"(demo|demonstration|presentation)", r"(done|given|held|made)")),
    ("bid", _pair(_GONE, r"(bid|tender)")),
    ("solution", _pair(_PAPER, r"(sent|submitted|written|wrote|done|delivered)")),
    ("visit", re.compile(r"\b(visited|called|e-?mailed|phoned|contacted|followed up)\b", re.IGNORECASE)),
    ("visit", _pair(r"(visit|call)", r"(done|made)")),
    ("contract", _pair(_GONE, "contract")),
    ("other", re.compile(r"^(we )?(sent|submitted|informed|notified|delivered|told)\b", re.IGNORECASE)),
)
#: The customer does something: then the words are as they should be.
_THEIRS_ZH: Final = re.compile(
    r"(客户|对方|甲方|买方|决策人|使用者|评价人|采购|内线|业主)[^，。；]{0,10}"
    r"(确认|同意|认可|签|回复|反馈|回应|说|提出|提供|接受|批准|参加|出席|评价|选|承诺|答应|给出|知道|试用|验收|付|邀请)"
)
_THEIRS_EN: Final = re.compile(
    r"\b(customers?|clients?|buyers?|decision makers?|users?|purchasing|champions?|they)\b.{0,24}\b"
    r"(confirm|agree|accept|sign|repl|respond|answer|gave|give|state|said|say|approv|attend|provid|commit|choos|chose|"
    r"correct|test|pay|paid|invit|review)",
    re.IGNORECASE,
)
TWINS: Final[Mapping[str, Name]] = {
    "quote": {"zh": "客户确认收到报价并给出反馈", "en": "Customer confirmed the quote and gave feedback"},
    "demo": {
        "zh": "客户参加演示并说出结论",
        "en": "Customer attended the demonstration and stated a conclusion",
    },
    "bid": {"zh": "客户确认收到标书且没有缺项", "en": "Customer confirmed that the bid is complete"},
    "solution": {"zh": "客户评价人认可方案", "en": "Customer's evaluator accepted the solution"},
    "visit": {"zh": "客户确认会谈纪要和下一步", "en": "Customer confirmed the minutes and the next step"},
    "contract": {"zh": "客户反馈合同条款意见", "en": "Customer responded to the terms of the contract"},
    "other": {"zh": "客户确认并给出反馈", "en": "Customer confirmed and gave feedback"},
}


@dataclass(frozen=True, slots=True)
class Twin:
    """What the words tell of (`quote`, `demo` …), and how the same could be asked of the buyer."""

    kind: str
    name: Name


def seller_side(name: Mapping[str, str]) -> Twin | None:
    """The twin for words that tell of our own doing alone; None where the buyer acts in either language."""
    zh, en = str(name.get("zh", "")), str(name.get("en", ""))
    if _THEIRS_ZH.search(zh) or _THEIRS_EN.search(en):
        return None
    for words, table in ((zh, _OURS_ZH), (en, _OURS_EN)):
        for kind, pattern in table:
            if words and pattern.search(words):
                return Twin(kind, TWINS[kind])
    return None
