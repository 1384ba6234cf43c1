"""Whether stays with help ended forward more often than stays without it (PB-5).

Population: ended stays at a stage. A stay counts as *with* where the help was used between entering and leaving.
Going forward: advanced, skipped ahead or won. An association, not a cause: help is sought where a deal is hard, or
used by those who sell well anyway.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """`forward` out of `n` stays, with the Wilson interval at 95 %; bounds are 0–1, None where `n` is 0."""

    forward: int
    n: int

    @property
    def rate(self) -> float | None:
        return self.forward / self.n if self.n else None

    @property
    def bounds(self) -> tuple[float, float] | None:
        if not self.n:
            return None
        from .intervals import wilson  # a page that only imports this module needs no NumPy

        low, high = wilson(self.forward, self.n)
        return float(low), float(high)

    @property
    def is_few(self) -> bool:
        """Too few to say anything: below the floor of all figures here."""
        from .intervals import FLOOR

        return self.n < FLOOR

    def minus(self, other: Share) -> Share:
        return Share(self.forward - other.forward, self.n - other.n)


def shares(stays: Iterable[tuple[str, bool]]) -> dict[str, Share]:
    """Stage → its share, of (stage, went forward)."""
    counts: dict[str, list[int]] = {}
    for stage, forward in stays:
        one = counts.setdefault(stage, [0, 0])
        one[0] += forward
        one[1] += 1
    return {stage: Share(*count) for stage, count in counts.items()}


def verdict(with_help: Share, without: Share) -> str:
    """`few`, `more`, `less` or `even`: only intervals that do not meet tell the two apart."""
    one, other = with_help.bounds, without.bounds
    if one is None or other is None or with_help.is_few or without.is_few:
        return "few"
    if one[0] > other[1]:
        return "more"
    return "less" if one[1] < other[0] else "even"
