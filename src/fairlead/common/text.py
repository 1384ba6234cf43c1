"""Text that people type: made safe to store, easy to find, short enough for a round picture."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from django.utils.translation import gettext as _

from fairlead.common.han import simplified
from fairlead.common.refusals import Invalid

LANGUAGE_OF_CODE: Final = {"zh-hans": "zh", "zh": "zh", "zh-cn": "zh", "en": "en"}
SHORT_LIMIT: Final = 200
LONG_LIMIT: Final = 20_000

# Tab and line feeds stay. Directional overrides could make one name look like another; joiners carry emoji.
_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_SPACES: Final = re.compile(r"[^\S\n]+")
_HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_RUN: Final = re.compile(f"{_HAN.pattern}+|{_HAN.pattern.replace('[', '[^')}+")
# Surnames that are read otherwise than the same character in a word.
_SURNAMES: Final = {
    "万俟": "mo qi", "尉迟": "yu chi", "长孙": "zhang sun", "单": "shan", "解": "xie", "查": "zha",
    "仇": "qiu", "朴": "piao", "盖": "ge", "区": "ou", "曾": "zeng", "翟": "zhai", "覃": "qin", "任": "ren",
    "繁": "po", "员": "yun", "种": "chong", "折": "she", "缪": "miao", "冼": "xian", "尉": "wei",
    "乐": "yue", "宓": "mi", "郗": "xi", "佘": "she",
}  # fmt: skip
_LONGEST_NAME: Final = 4  # a surname of two characters and two of its own
_WORD: Final = re.compile(r"[^\W_]+")


def clean_text(
    value: str | None, *, limit: int = SHORT_LIMIT, multiline: bool = False, field: str = ""
) -> str:
    """The text as it may be stored: NFC, no control characters, single spaces.

    Raises Invalid for lone surrogates, which no database keeps, and for more than `limit` characters.
    """
    if not value:
        return ""
    if _SURROGATES.search(value):
        raise Invalid.field(
            field, _("The text contains half characters that cannot be stored. Type it again.")
        )
    text = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    text = _CONTROLS.sub("", text)
    if multiline:
        text = "\n".join(line.rstrip() for line in text.split("\n")).strip()
    else:
        text = _SPACES.sub(" ", text.replace("\n", " ")).strip()
    if len(text) > limit:
        raise Invalid.field(
            field,
            _("The text has %(length)s characters; at most %(limit)s are kept. Shorten it.")
            % {"length": len(text), "limit": limit},
        )
    return text


def fold(value: str) -> str:
    """Full-width to half-width, lower case, without accents: how two spellings become one."""
    text = unicodedata.normalize("NFKD", value.casefold())
    if any(map(unicodedata.combining, text)):
        text = "".join(character for character in text if not unicodedata.combining(character))
    return unicodedata.normalize("NFC", text).casefold()


def search_key(value: str | None, *, limit: int = 500) -> str:
    """What a search box compares with: the folded text, its pinyin and its initials, with one space between.

    华锐重工 gives `华锐重工 huaruizhonggong hrzg`. A surname is found by its own reading too (单 as shan), and
    traditional characters by simplified ones: 華銳重工 is kept in both.
    """
    typed = " ".join(_WORD.findall(fold(value or "")))
    text = simplified(typed)
    if not text:
        return ""
    if not _HAN.search(text):
        words = text.split(" ")
        initials = "".join(word[0] for word in words) if len(words) > 1 else ""
        return " ".join(filter(None, [text, initials]))[:limit]
    parts = [text]
    for syllables in _readings(text[:80].replace(" ", "")):
        parts += ["".join(syllables), "".join(syllable[0] for syllable in syllables)]
    return " ".join(_distinct([*parts, typed]))[:limit]


@lru_cache(maxsize=4096)
def readings_in(key: str) -> Mapping[str, tuple[str, ...]]:
    """The parts of a search key that are sounds, with their syllables; none where nothing is Han."""
    parts = key.split(" ") if _HAN.search(key) else []
    for place in range(1, len(parts)):
        found = {"".join(syllables): syllables for syllables in _readings("".join(parts[:place])[:80])}
        if parts[place] in found:
            return found
    return {}


def _readings(text: str) -> tuple[tuple[str, ...], ...]:
    """The pinyin syllables of the text; for what may be a person's name also with the surname read as one."""
    plain = tuple(syllable for run in _RUN.findall(text) for syllable in _syllables(run))
    if len(plain) == len(text) <= _LONGEST_NAME:
        for surname, reading in _SURNAMES.items():
            if text.startswith(surname) and len(text) - len(surname) in {1, 2}:
                return plain, (*reading.split(), *plain[len(surname) :])
    return (plain,)


@lru_cache(maxsize=8192)
def _syllables(run: str) -> tuple[str, ...]:
    """Of characters that are all Han, or all not: names of records are made of the same words again and again."""
    if not _HAN.match(run):
        return tuple(folded for character in run if (folded := fold(character).replace("ü", "v")))
    from pypinyin import Style, lazy_pinyin  # its tables take 10 MB: loaded when first needed

    read = lazy_pinyin(run, style=Style.NORMAL, errors=lambda rest: list(rest))  # type: ignore[arg-type,return-value]
    return tuple(folded for syllable in read if (folded := fold(syllable).replace("ü", "v")))


def matches(query: str) -> str:
    """The query as it stands inside a search key."""
    return " ".join(_WORD.findall(simplified(fold(query))))


def avatar_text(name: str) -> str:
    """The last two characters of a Han name (王小明 → 小明), the two initials of another one."""
    stripped = "".join(name.split())
    han: list[str] = _HAN.findall(stripped)
    if han and len(han) * 2 >= len(stripped):
        return "".join(han[-2:])
    words: list[str] = _WORD.findall(name)
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def _distinct(parts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(part for part in parts if part))
