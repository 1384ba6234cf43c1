"""Pieces of pages that are drawn once: the same words in the same language are the same piece.

    {% set icon = remembered(icon) %}
    {% set me_items = remembered(me_items, "csrf_input", "here") %}

A macro that is imported without context knows its arguments and the language of the reader and nothing else, so
what it drew is kept under these. `fresh` names arguments that differ with every answer, as a token does: the macro
is drawn once with marks in their places, and every answer has its own text where the marks stood.

Arguments that are no plain values (or tuples of them) have the macro drawn anew. A macro that reads the clock or a
setting that may change, or that asks whether a fresh argument is empty, must not be remembered.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any, Final

from django.utils.translation import get_language
from markupsafe import Markup, escape

#: Kept of each macro; the least used go first.
MOST: Final = 1024
_PLAIN: Final = (str, int, float, type(None))
#: With the type of each argument as part of what is kept: marked-up text equals the same text that is not.
_KINDS: Final = frozenset({*_PLAIN, bool, tuple, Markup})
_MARK: Final = f"fresh{secrets.token_hex(12)}x"  # letters and digits: no filter writes them otherwise
_MARKS: Final = re.compile(rf"{_MARK}(\d)")


class Remembered:
    """A macro that is drawn once for the same arguments."""

    def __init__(self, macro: Callable[..., str], *fresh: str, most: int = MOST) -> None:
        self._macro, self._fresh = macro, fresh
        self._kept = lru_cache(maxsize=most)(self._drawn)

    def __call__(self, *args: Any, **given: Any) -> Markup:
        new = [given.pop(name) for name in self._fresh]
        kinds = (*map(type, args), *map(type, given.values()))
        if not _KINDS.issuperset(kinds):
            return Markup(self._macro(*args, **given, **dict(zip(self._fresh, new, strict=True))))  # noqa: S704 - drawn
        pieces = self._kept(get_language(), kinds, args, tuple(given.items()))
        if not new:
            return pieces[0]
        texts: list[str] = list(pieces)
        for at in range(1, len(texts), 2):
            texts[at] = escape(new[int(texts[at])])
        return Markup("".join(texts))  # noqa: S704 - the pieces are drawn escaped, the fresh texts are escaped above

    def _drawn(
        self,
        _language: str | None,
        _kinds: tuple[type, ...],
        args: tuple[Hashable, ...],
        given: tuple[tuple[str, Hashable], ...],
    ) -> tuple[Markup, ...]:
        """What stands around the fresh arguments; at every second place the number of the one that goes there."""
        for value in (*args, *(value for _name, value in given)):
            if isinstance(value, tuple):
                _refuse_others(value)
        marks = {name: f"{_MARK}{number}" for number, name in enumerate(self._fresh)}
        return tuple(Markup(piece) for piece in _MARKS.split(self._macro(*args, **dict(given), **marks)))  # noqa: S704


def _refuse_others(values: tuple[Any, ...]) -> None:
    """The types inside of a tuple are not part of what is kept, so nothing in it may equal what it is not."""
    for value in values:
        if isinstance(value, tuple):
            _refuse_others(value)
        elif not isinstance(value, _PLAIN) or hasattr(value, "__html__"):
            raise TypeError(
                f"A macro is remembered by tuples of plain values, not of {type(value).__name__}."
            )
