"""Pieces of pages that are drawn once: the same where they may be, and never the text of somebody else."""

import pytest
from django.utils.translation import gettext_lazy, override
from jinja2 import Environment
from markupsafe import Markup

from fairlead.common.remembered import Remembered


class Macro:
    """Counts how often it is drawn."""

    def __init__(self, text):
        self.calls = 0
        self.macro = Environment(autoescape=True).from_string(text).module.piece

    def __call__(self, *args, **given):
        self.calls += 1
        return self.macro(*args, **given)


NAMED = "{% macro piece(name, size=16) %}<b class='s{{ size }}'>{{ name }}</b>{% endmacro %}"
FORM = "{% macro piece(url, token, here) %}<form action='{{ url }}'>{{ token }}<i>{{ here }}</i>{{ token }}</form>{% endmacro %}"


def test_the_same_arguments_are_drawn_once():
    drawn = Macro(NAMED)
    piece = Remembered(drawn)
    assert [piece("a<b", size=14), piece("a<b", size=14)] == ["<b class='s14'>a&lt;b</b>"] * 2
    assert drawn.calls == 1
    assert (piece("c", size=14), piece("a<b", 20)) == (
        "<b class='s14'>c</b>",
        "<b class='s20'>a&lt;b</b>",
    )
    assert drawn.calls == 3


def test_each_language_has_its_own():
    drawn = Macro(NAMED)
    piece = Remembered(drawn)
    for language in ("en", "zh-hans", "en"):
        with override(language):
            piece("a")
    assert drawn.calls == 2


def test_what_differs_with_every_answer_stands_where_it_stood():
    drawn = Macro(FORM)
    piece = Remembered(drawn, "token", "here")
    first = piece("/go", token=Markup("<input value='1'>"), here="/a?x=1&y=<2>")
    second = piece("/go", token=Markup("<input value='2'>"), here="/b")
    assert first == (
        "<form action='/go'><input value='1'><i>/a?x=1&amp;y=&lt;2&gt;</i><input value='1'></form>"
    )
    assert second == "<form action='/go'><input value='2'><i>/b</i><input value='2'></form>"
    assert drawn.calls == 1
    assert isinstance(second, Markup)


@pytest.mark.parametrize("first", [0, 1])
def test_marked_up_text_is_not_taken_for_the_same_text(first):
    """The two are equal for Python; what is drawn of them is not."""
    piece = Remembered(Macro(NAMED))
    values = [(Markup("<i>"), "<b class='s16'><i></b>"), ("<i>", "<b class='s16'>&lt;i&gt;</b>")]
    for value, drawn in (values[first], values[1 - first], values[first]):
        assert piece(value) == drawn


def test_what_is_inside_of_a_tuple_must_be_plain():
    with pytest.raises(TypeError, match="plain values"):
        Remembered(Macro(NAMED))(("a", (Markup("<b>"),)))


@pytest.mark.parametrize("value", [gettext_lazy("Save"), ["Save"]], ids=["lazy", "list"])
def test_other_values_are_drawn_anew(value):
    drawn = Macro(NAMED)
    piece = Remembered(drawn)
    with override("en"):
        assert "Save" in piece(value)
        assert "Save" in piece(value)
    assert drawn.calls == 2


def test_the_least_used_goes_first():
    drawn = Macro(NAMED)
    piece = Remembered(drawn, most=2)
    for name in ("a", "b", "c", "a"):
        piece(name)
    assert drawn.calls == 4
