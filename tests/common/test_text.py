import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.common.refusals import Invalid
from fairlead.common.text import avatar_text, clean_text, matches, search_key


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  华锐   重工 ", "华锐 重工"),
        ("a\x00b", "ab"),
        ("a\u202eb", "ab"),
        ("e\u0301", "é"),
        ("line\r\nline", "line line"),
        ("👩‍🔧", "👩‍🔧"),
        (None, ""),
    ],
)
def test_clean_text(typed, kept):
    assert clean_text(typed) == kept


def test_clean_text_keeps_the_lines_of_a_note():
    assert clean_text("one \r\n two\n", multiline=True) == "one\n two"


@pytest.mark.parametrize("typed", ["a\ud800b", "x" * 201])
def test_clean_text_refuses_what_cannot_be_kept(typed):
    with pytest.raises(Invalid) as refused:
        clean_text(typed, field="title")
    assert refused.value.details["errors"][0]["field"] == "title"


@given(st.text(max_size=100))
def test_clean_text_is_done_after_one_time(typed):
    once = clean_text(typed)
    assert clean_text(once) == once


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("华锐重工", ["华锐", "huarui", "hrzg", "HRZG", "ＨＲ"]),
        ("单晓明", ["shan", "sxm", "单"]),
        ("Müller & Söhne", ["muller", "sohne", "ms"]),
        ("GTX Pro", ["gtx", "pro"]),
    ],
)
def test_search_key_is_found_by(name, queries):
    key = search_key(name)
    assert [query for query in queries if matches(query) not in key] == []


@given(st.text(max_size=60))
def test_search_key_takes_any_text(text):
    key = search_key(text)
    assert key == key.strip()
    assert len(key) <= 500


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("王小明", "小明"),
        ("欧阳修", "阳修"),
        ("李四", "李四"),
        ("Mary Ann Lee", "ML"),
        ("zoe", "Z"),
        ("", "?"),
    ],
)
def test_avatar_text(name, letters):
    assert avatar_text(name) == letters
