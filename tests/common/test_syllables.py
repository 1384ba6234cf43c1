"""Whole syllables mean these syllables; unfinished ones, letters and initials are compared as they stand."""

from __future__ import annotations

import pytest

from fairlead.common.syllables import is_whole, sounds
from fairlead.common.text import search_key


@pytest.mark.rule("U01")
@pytest.mark.parametrize("word", ["zhang", "zhangai", "huarui", "xian", "zha", "nve", "chuang", "china"])
def test_words_of_whole_syllables(word: str) -> None:
    assert is_whole(word)


@pytest.mark.rule("U01")
@pytest.mark.parametrize("word", ["zhangj", "hrzg", "zh", "an", "acme", "车辆", "zhang3", "", "ng"])
def test_words_that_are_not(word: str) -> None:
    assert not is_whole(word)


@pytest.mark.rule("U01")
@pytest.mark.parametrize(
    "name,word,is_meant",
    [
        ("站改造", "zhang", False),  # zhan and the g of gai
        ("站改造", "zhan", True),
        ("站改造", "zhangai", True),
        ("站改造", "zhangaizao", True),
        ("站改造", "zhanga", True),  # ga begins gai
        ("车站改造", "zhang", False),
        ("张江站改造", "zhang", True),
        ("张江", "zhang", True),
        ("张江", "zha", True),  # the start of a longer syllable
        ("张江", "hang", False),  # from the middle of one
        ("长沙", "chang", True),
        ("西安", "xian", True),  # xi an
        ("先锋", "xian", True),
        ("方案", "fang", True),
        ("反光", "fang", False),  # fan guang
        ("华锐重工", "huarui", True),
        ("华锐重工", "ruizhong", True),
        ("单晓", "shan", True),  # a surname with a reading of its own
        ("单晓", "dan", True),
        ("Zhangjiang 站改造", "zhang", True),  # by its letters
        ("ABC站改造", "zhang", False),
        ("China Steel", "china", True),
        ("中海昂能", "zhan", True),  # zhong hai ang neng: by its initials alone
    ],
)
def test_a_word_of_whole_syllables_is_held_by_syllables_letters_or_initials(
    name: str, word: str, is_meant: bool
) -> None:
    key = search_key(name)
    assert is_whole(word) and sounds(key, word) is is_meant
