"""Symbols that a page carries itself."""

from fairlead.common.symbols import symbols_of


def test_named_symbols_come_whole_and_what_is_not_there_is_left_out():
    found = symbols_of("rings.svg", "g-ready", "g-unheard-of", "g-flagged")
    assert list(found) == ["g-ready", "g-flagged"]
    for name, markup in found.items():
        assert markup.startswith(f'<symbol id="{name}"') and markup.endswith("</symbol>")
        assert markup.count("<symbol") == 1


def test_a_drawing_that_was_not_fetched_has_none():
    assert symbols_of("vendor/not-fetched.svg", "icon-phone") == {}
