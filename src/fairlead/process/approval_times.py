"""How long a kind of approval usually takes. The figure is made above, where all figures are; this is its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usually:
    """Working hours from submission to the end, over `n` past decisions; `enough`: n is not small (AP-15)."""

    n: int
    median: float | None
    p90: float | None
    enough: bool


UsualTime = Callable[[str], Usually]
_source: list[UsualTime] = []


def usual_time_from(source: UsualTime) -> None:
    """Called once, when the room of figures starts."""
    _source[:] = [source]


def usual_time(kind: str) -> Usually:
    return _source[0](kind) if _source else Usually(0, None, None, False)
