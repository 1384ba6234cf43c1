"""One sentence about what a version of a process has that the one before had not, or the other way round."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """`sign`: added, removed or changed."""

    sign: str
    text: str
