"""How hand-overs go: the share of attempts that came back, and how long a round takes (IT-5, AC-31)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from statistics import median

Between = Callable[[datetime, datetime], float]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that was answered: of which deal and way, offered and answered when, accepted or returned.

    `ref` leads the caller back to its row, and `reason` says why it came back.
    """

    deal: int
    way: str
    offered_at: datetime
    answered_at: datetime
    accepted: bool
    reason: str = ""
    ref: int = 0


@dataclass(frozen=True, slots=True)
class HandOverFigures:
    """`rate` is of attempts that were answered, None of none; `hours` is the median from a first offer to acceptance."""

    attempts: int
    returned: int
    rounds: int  # that ended accepted
    first_time: int  # of these, at the first attempt
    hours: float | None

    @property
    def rate(self) -> Fraction | None:
        return Fraction(self.returned, self.attempts) if self.attempts else None


def wall_hours(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() / 3600


@dataclass(frozen=True, slots=True)
class Round:
    """From a first offer to acceptance: the attempt that was accepted, how many came back before it, and the hours."""

    last: Attempt
    since: datetime
    returned: int
    hours: float


def rounds_of(attempts: Iterable[Attempt], between: Between = wall_hours) -> list[Round]:
    """Attempts of one deal and way form rounds: each ends when one is accepted. `between`: hours from one instant to
    another, for a caller that counts working time alone."""
    begun: dict[tuple[int, str], tuple[datetime, int]] = {}
    found = []
    for one in sorted(attempts, key=lambda a: (a.offered_at, a.answered_at)):
        key = (one.deal, one.way)
        since, tries = begun.pop(key, (one.offered_at, 0))
        if one.accepted:
            found.append(Round(one, since, tries, between(since, one.answered_at)))
        else:
            begun[key] = (since, tries + 1)
    return found


def hand_over_figures(attempts: Sequence[Attempt], between: Between = wall_hours) -> HandOverFigures:
    """Over all of them; see `rounds_of`."""
    rounds = rounds_of(attempts, between)
    return HandOverFigures(
        attempts=len(attempts),
        returned=sum(1 for one in attempts if not one.accepted),
        rounds=len(rounds),
        first_time=sum(1 for one in rounds if not one.returned),
        hours=median(one.hours for one in rounds) if rounds else None,
    )
