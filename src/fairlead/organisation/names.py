"""How names sort by their sound and how user names are spelled."""

import unicodedata
from typing import Final

KEY_LENGTH: Final = 400

# Surnames that sound otherwise than the word does: 单 is dān in a sentence and Shàn on a visiting card.
# Compound surnames (尉迟, 万俟) are phrases that pypinyin reads rightly.
_SURNAMES: Final = {
    "单": "shan4", "曾": "zeng1", "仇": "qiu2", "解": "xie4", "任": "ren2", "查": "zha1",
    "区": "ou1", "朴": "piao2", "盖": "ge3", "种": "chong2", "乐": "yue4", "洗": "xian3",
    "召": "shao4", "缪": "miao4", "覃": "qin2", "纪": "ji3", "折": "she2", "黑": "he4",
    "秘": "bi4", "员": "yun4", "郇": "xun2", "能": "nai4", "翟": "zhai2", "句": "gou1",
    "燕": "yan1", "宁": "ning4", "葛": "ge3", "卜": "bu3", "繁": "po2", "那": "na1",
    "祭": "zhai4", "都": "du1", "哈": "ha3", "华": "hua4", "薄": "bo2", "肖": "xiao1",
    "乜": "nie4", "干": "gan1", "少": "shao4", "於": "yu1", "观": "guan4", "占": "zhan1",
    "相": "xiang4", "过": "guo1", "藏": "zang1", "佴": "nai4", "重": "chong2", "适": "kuo4",
}  # fmt: skip


def _syllables(text: str) -> str:
    from pypinyin import Style, lazy_pinyin  # its tables take 10 MB: loaded when first needed

    return " ".join(lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True))


def name_key(name: str) -> str:
    """The sort key of a person's name: syllables with tones, the surname read as a surname.

    「李明」 → "li3 ming2", so that 黎 stands before 李 and both before 连. Other scripts fold to lower case.
    """
    folded = unicodedata.normalize("NFKC", name).strip().casefold()
    if reading := _SURNAMES.get(folded[:1]):
        return f"{reading} {_syllables(folded[1:])}".strip()[:KEY_LENGTH]
    return _syllables(folded)[:KEY_LENGTH]


def sound_key(name: str) -> str:
    """The sort key of any other name: 单县机械厂 begins with its county, which is read as in a sentence."""
    return _syllables(unicodedata.normalize("NFKC", name).strip().casefold())[:KEY_LENGTH]


def fold_username(username: str) -> str:
    """The one spelling of a user name: NFKC, lower case, no space around it."""
    return unicodedata.normalize("NFKC", username).strip().casefold()
