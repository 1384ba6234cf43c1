from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.organisation.names import fold_username, name_key

IN_ORDER = [
    "Alice Wong", "曹雪", "仇英明" , "单雄信", "卜凡", "区文", "盖鸣", "查理", "解缙", "任正", "曾国", "翟天",
    "朴智", "纪晓", "欧阳修", "尉迟恭", "李明", "黎明", "连战", "吕布", "华罗", "宁浩",
]  # fmt: skip

READINGS = {
    "单雄信": "shan4 ", "曾国": "zeng1 ", "仇英": "qiu2 ", "解缙": "xie4 ", "任正": "ren2 ", "查良": "zha1 ",
    "区文": "ou1 ", "朴智": "piao2 ", "盖鸣": "ge3 ", "种师": "chong2 ", "乐毅": "yue4 ", "缪荣": "miao4 ",
    "覃海": "qin2 ", "纪晓": "ji3 ", "翟天": "zhai2 ", "燕青": "yan1 ", "华佗": "hua4 ", "卜凡": "bu3 ",
    "尉迟恭": "yu4 chi2 ", "欧阳修": "ou1 yang2 ",
}  # fmt: skip


@pytest.mark.parametrize(("name", "reading"), READINGS.items())
def test_a_surname_is_read_as_a_surname(name, reading):
    assert name_key(name).startswith(reading)


def test_people_stand_in_the_order_of_their_sound():
    ordered = sorted(IN_ORDER, key=name_key)

    assert ordered == [
        "Alice Wong", "卜凡", "曹雪", "盖鸣", "华罗", "纪晓", "黎明", "李明", "连战", "吕布", "宁浩", "区文",
        "欧阳修", "朴智", "仇英明", "任正", "单雄信", "解缙", "尉迟恭", "曾国", "查理", "翟天",
    ]  # fmt: skip
    assert all(name_key(one) < name_key(other) for one, other in pairwise(ordered))


def test_a_key_is_cut_not_refused():
    assert len(name_key("张" * 100)) == 400
    assert name_key("  ＡＬＩＣＥ ") == "alice"


@given(st.text(max_size=150))
def test_folding_twice_is_folding_once(text):
    assert fold_username(fold_username(text).upper()) == fold_username(fold_username(text.upper()))
