"""Suggests which entry, stage or person the words of a column mean: `GTXPro` → GTX Pro, `王敏` → Wang Min.

Only suggestions come from here. Those with a confidence of `SAFE` and more differ from the entry in nothing
but spelling; everything else waits for a person to confirm it.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from rapidfuzz import fuzz, process
from rapidfuzz.distance import DamerauLevenshtein

from fairlead.common.text import fold
from fairlead.exchange.reading.placeholders import is_placeholder
from fairlead.exchange.reading.values import plain_value
from fairlead.organisation.names import name_key

SAFE: Final = 0.95
_LOWEST: Final = 0.6
_ALTERNATIVES: Final = 4

#: What other systems and people call the ways a sale can stand; keys are categories of state.
STATE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "won": (
        "won",
        "closed won",
        "close won",
        "win",
        "赢单",
        "已赢单",
        "成交",
        "已成交",
        "签约",
        "已签约",
        "赢",
    ),
    "lost": (
        "lost",
        "closed lost",
        "close lost",
        "loss",
        "lose",
        "输单",
        "已输单",
        "丢单",
        "失败",
        "未成交",
        "输",
    ),
    "cancelled": (
        "cancelled",
        "canceled",
        "abandoned",
        "deleted",
        "无效",
        "取消",
        "已取消",
        "作废",
        "终止",
        "关闭",
    ),
    "on_hold": ("on hold", "hold", "paused", "suspended", "parked", "搁置", "暂停", "挂起", "冻结"),
    "open": ("open", "in progress", "active", "进行中", "跟进中", "在谈"),
}
#: Words for stages of a sale in many systems; keys are those of the shipped processes.
STAGE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "prospecting": ("prospecting", "prospect", "new", "lead", "线索", "获取线索", "潜在", "初步接触"),
    "customer_contact": ("contact", "contacted", "engaging", "appointment scheduled", "first meeting",
    "客户接触", "初步沟通",
                         "初步接触", "接触", "商机判断", "working - contacted"),
    "needs_analysis": ("qualification", "qualified", "qualified to buy", "needs analysis", "discovery",
    "id. decision makers",
                       "perception analysis", "需求分析", "需求确认", "验证客户", "立项", "需求沟通"),
    "solution_design": ("value proposition", "solution design", "solution", "demo",
    "presentation scheduled", "方案",
                        "方案制定", "方案报价", "方案设计", "孵化"),
    "quote_negotiation": ("proposal", "quote", "quotation", "proposal/price quote", "proposition",
    "negotiation",
                          "negotiation/review", "contract sent", "decision maker bought-in", "报价", "谈判",
                          "商务谈判",
                          "谈判审核", "报价与谈判", "招投标"),
    "signing": ("signing", "contract", "签约", "合同签订", "签订合同", "成交与签约"),
}  # fmt: skip


class MatchReason(StrEnum):
    SAME = "same"  # the words of the entry, or its key
    SPELLING = "spelling"  # only case, spaces and punctuation differ
    SYNONYM = "synonym"  # another word for it
    SIMILAR = "similar"  # a slip of the pen
    EMAIL = "email"
    PINYIN = "pinyin"
    ORDER = "order"  # family name first or last
    PLACEHOLDER = "placeholder"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that a word may mean: an entry of a list, a stage, a product, an account."""

    key: str
    words: tuple[str, ...]
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    key: str
    name: str
    email: str = ""
    username: str = ""


@dataclass(frozen=True, slots=True)
class ValueSuggestion:
    """What a word of the file is taken for; `key` None: nobody can tell. `rows`: how often it occurs."""

    text: str
    rows: int
    key: str | None
    confidence: float  # 0–1
    reason: MatchReason
    alternatives: tuple[tuple[str, float], ...] = ()

    @property
    def is_safe(self) -> bool:
        return self.key is not None and self.confidence >= SAFE


def squeezed(text: str) -> str:
    """Letters and digits alone, folded: what remains of two spellings that differ in nothing else."""
    return "".join(character for character in fold(text) if character.isalnum())


@dataclass(slots=True)
class _Index:
    """The entries by each of their spellings."""

    same: dict[str, str] = field(default_factory=dict)
    spelt: dict[str, set[str]] = field(default_factory=dict)
    synonyms: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Sequence[Entry], words: Mapping[str, Sequence[str]]) -> "_Index":
        index = cls()
        for entry in entries:
            for word in (*entry.words, entry.key):
                index.same.setdefault(plain_value(word), entry.key)
                if squeezed(word):
                    index.spelt.setdefault(squeezed(word), set()).add(entry.key)
            for word in (*entry.synonyms, *words.get(entry.key, ())):
                index.synonyms.setdefault(squeezed(word), entry.key)
        return index


def suggest_values(
    values: Mapping[str, int] | Iterable[str],
    entries: Sequence[Entry],
    *,
    words: Mapping[str, Sequence[str]] | None = None,
) -> list[ValueSuggestion]:
    """A suggestion for each distinct text of a column (text → rows, as `ColumnProfile.values` has it).

    `words`: further words per key, such as `STAGE_WORDS` and `STATE_WORDS`.
    """
    index = _Index.of(entries, words or {})
    return [_suggested(text, rows, index) for text, rows in _counted(values).items()]


def _counted(values: Mapping[str, int] | Iterable[str]) -> Mapping[str, int]:
    return values if isinstance(values, Mapping) else Counter(values)


def _suggested(text: str, rows: int, index: _Index) -> ValueSuggestion:
    plain, tight = plain_value(text), squeezed(text)
    if key := index.same.get(plain):
        return ValueSuggestion(text, rows, key, 1.0, MatchReason.SAME)
    spelt = index.spelt.get(tight, set())
    if len(spelt) == 1:
        return ValueSuggestion(text, rows, next(iter(spelt)), 0.97, MatchReason.SPELLING)
    if key := index.synonyms.get(tight):
        return ValueSuggestion(text, rows, key, 0.9, MatchReason.SYNONYM)
    if is_placeholder(text):
        return ValueSuggestion(text, rows, None, 0.9, MatchReason.PLACEHOLDER)
    return _similar(text, rows, tight, index)


def _similar(text: str, rows: int, tight: str, index: _Index) -> ValueSuggestion:
    """The nearest spelling. Short words and other digits are no slips of the pen: `GTK 500` is not `GTK
    600`."""
    best: dict[str, float] = {}
    if len(tight) <= 100:
        for spelling, score, _place in process.extract(
            tight, index.spelt.keys(), scorer=fuzz.ratio, limit=8, score_cutoff=60
        ):
            likeness = _likeness(tight, spelling, score / 100)
            for key in index.spelt[spelling]:
                best[key] = max(best.get(key, 0.0), likeness)
    ranked = sorted(best.items(), key=lambda pair: -pair[1])
    if not ranked or ranked[0][1] < _LOWEST:
        return ValueSuggestion(text, rows, None, 0.0, MatchReason.NONE, _rounded(ranked))
    key, score = ranked[0]
    second = ranked[1][1] if len(ranked) > 1 else 0.0
    if score - second < 0.05:  # two entries are equally near: a person decides
        return ValueSuggestion(text, rows, None, 0.0, MatchReason.NONE, _rounded(ranked))
    return ValueSuggestion(
        text, rows, key, round(min(score, 0.94), 2), MatchReason.SIMILAR, _rounded(ranked[1:])
    )


def _likeness(one: str, other: str, ratio: float) -> float:
    if re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return min(ratio, 0.5)
    slips = DamerauLevenshtein.distance(one, other)
    allowed = max(len(one), len(other)) // 5 + (1 if len(one) > 3 else 0)
    return ratio if slips <= allowed else min(ratio, 0.65) if _within(one, other) else min(ratio, 0.55)


def _within(one: str, other: str) -> bool:
    return len(one) >= 4 and len(other) >= 4 and (one in other or other in one)


def _rounded(ranked: Sequence[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    return tuple((key, round(score, 2)) for key, score in ranked[:_ALTERNATIVES])


def suggest_people(
    values: Mapping[str, int] | Iterable[str], people: Sequence[Person]
) -> list[ValueSuggestion]:
    """A suggestion for each owner's name, e-mail or sign-in name. Two people of one name are never guessed
    at."""
    ways: dict[str, dict[MatchReason, set[str]]] = {}
    for person in people:
        for text, reason in _ways_to_write(person):
            ways.setdefault(text, {}).setdefault(reason, set()).add(person.key)
    spellings = [Entry(person.key, (person.name,)) for person in people]
    index = _Index.of(spellings, {})
    return [_person(text, rows, ways, index) for text, rows in _counted(values).items()]


_SURENESS: Final = {
    MatchReason.EMAIL: 1.0,
    MatchReason.SAME: 1.0,
    MatchReason.ORDER: 0.96,
    MatchReason.SPELLING: 0.96,
    MatchReason.PINYIN: 0.9,
}


def _ways_to_write(person: Person) -> Iterable[tuple[str, MatchReason]]:
    yield plain_value(person.name), MatchReason.SAME
    if person.email:
        yield plain_value(person.email), MatchReason.EMAIL
    if person.username:
        yield plain_value(person.username), MatchReason.SAME
    yield squeezed(person.name), MatchReason.SPELLING
    parts = re.findall(r"[^\W_]+", fold(person.name))
    if len(parts) > 1 and all(part.isascii() for part in parts):
        yield "".join([parts[-1], *parts[:-1]]), MatchReason.ORDER
        yield f"{parts[0][0]}{parts[-1]}", MatchReason.PINYIN
    for spelling in romanised(person.name):
        yield spelling, MatchReason.PINYIN


def romanised(name: str) -> list[str]:
    """A Han name in letters, family name first and last: wangmin, minwang. Other names give nothing."""
    if not re.fullmatch("[\u3400-\u9fff]{2,6}", unicodedata.normalize("NFKC", name).strip()):
        return []
    syllables = re.sub(r"\d", "", name_key(name)).split()
    orders = ("".join(syllables), "".join([*syllables[1:], syllables[0]]))
    # ü is typed as v, u or yu on keyboards without it.
    return list(dict.fromkeys(order.replace("ü", typed) for order in orders for typed in ("v", "u", "yu")))


def _person(
    text: str, rows: int, ways: Mapping[str, Mapping[MatchReason, set[str]]], index: _Index
) -> ValueSuggestion:
    plain, local = plain_value(text), re.sub(r"@.*", "", unicodedata.normalize("NFKC", text))
    alternatives: tuple[tuple[str, float], ...] = ()
    for spelling in dict.fromkeys((plain, squeezed(text), squeezed(local))):
        for reason, keys in sorted(ways.get(spelling, {}).items(), key=lambda pair: -_SURENESS[pair[0]]):
            if len(keys) == 1:
                mailed = "@" in text and reason is not MatchReason.EMAIL
                sure = min(_SURENESS[reason], 0.9) if mailed else _SURENESS[reason]
                return ValueSuggestion(text, rows, next(iter(keys)), sure, reason)
            alternatives = alternatives or tuple((key, 0.5) for key in sorted(keys))[:_ALTERNATIVES]
    if alternatives:
        return ValueSuggestion(text, rows, None, 0.0, MatchReason.NONE, alternatives)
    if is_placeholder(text):
        return ValueSuggestion(text, rows, None, 0.9, MatchReason.PLACEHOLDER)
    return _similar(text, rows, squeezed(local), index)
