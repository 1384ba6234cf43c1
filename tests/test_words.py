"""Both languages are whole, in every room, all the time."""

import pytest

from fairlead.config import messages
from fairlead.config.rooms import ROOMS


@pytest.mark.rule("WORDS-1")
@pytest.mark.parametrize("room", ROOMS)
def test_every_word_of_the_room_is_in_its_catalogue(room):
    assert messages.problems(room) == []


@pytest.mark.rule("WORDS-1")
@pytest.mark.parametrize("room", ROOMS)
def test_chinese_keeps_the_tone_of_the_house(room):
    """No pleading, no cheering: no 您, no 请 at the start of a label, no 成功, no exclamation mark."""
    wrong = []
    for message in messages.read(room):
        texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id:
            wrong += [text for text in texts if any(word in text for word in ("您", "成功", "！", "!"))]
    assert wrong == []


@pytest.mark.rule("WORDS-1")
def test_no_word_is_translated_in_two_ways():
    """All catalogues become one: of two translations the second room would show the first room's."""
    assert messages.disagreements() == []
