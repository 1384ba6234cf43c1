"""How long filling a field takes, in classes of seconds: enough for a median, too little to know anybody by. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Container, Mapping
from typing import Final

#: The longest seconds of each class; what took longer is in the last one.
BOUNDS: Final = (1, 2, 4, 7, 12, 20, 35, 60, 100, 180, 320, 600)
MOST_FIELDS: Final = 60
_PAIR: Final = re.compile(r"(?:f\.)?([a-z][a-z0-9_]{0,59}):([0-9]{1,4})")


def class_of(seconds: int) -> int:
    """The number of the class that `seconds` fall into: 1 s and less is 0, 600 s and more the last."""
    return min(bisect_left(BOUNDS, seconds), len(BOUNDS) - 1)


def read_spent(text: str, known: Container[str]) -> Mapping[str, int]:
    """Field → seconds, out of what a browser sent. What is no field, no number, zero or too much is left out."""
    found: dict[str, int] = {}
    for part in text[:5000].split(",")[:MOST_FIELDS]:
        match = _PAIR.fullmatch(part)
        if match is None or match[1] not in known:
            continue
        seconds = int(match[2])
        if 0 < seconds <= BOUNDS[-1]:
            found[match[1]] = seconds
    return found
