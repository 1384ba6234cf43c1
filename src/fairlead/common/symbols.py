"""Symbols of the drawings among the static files, to stand in a page that shows them many times.

A `<use>` of another file is drawn anew when that file has come, and its long address stands beside each. Where one
page shows hundreds, it carries the few symbols itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from markupsafe import Markup

_STATIC: Final = Path(__file__).parent / "static"
_SYMBOL: Final = re.compile(r'<symbol id="([a-z0-9-]+)".*?</symbol>', re.DOTALL)


@lru_cache(maxsize=8)
def _drawing(file: str) -> Mapping[str, Markup]:
    path = _STATIC / file
    text = (
        path.read_text(encoding="utf-8") if path.exists() else ""
    )  # the files of others may not be fetched yet
    return {found[1]: Markup(found[0]) for found in _SYMBOL.finditer(text)}  # noqa: S704 - our own drawings


def symbols_of(file: str, *names: str) -> dict[str, Markup]:
    """The markup of the named symbols of a static drawing; one that is not in there is left out."""
    drawing = _drawing(file)
    return {name: drawing[name] for name in names if name in drawing}
