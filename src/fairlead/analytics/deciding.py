"""How long decisions take, how often they come again, and how many are given without a look (AP-15, metrics 3.27)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fairlead.analytics.intervals import FLOOR, Rate

STAMPED_WITHIN = 60.0
"""Seconds: an approval that is given sooner after it was opened was hardly read (default)."""


def quantile(values: Sequence[float], share: float) -> float | None:
    """Linear between the two nearest ranks (type 7); None without a value. Vector: 1, 2, 3, 10 at 0.9 gives 7.9."""
    if not values:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


@dataclass(frozen=True, slots=True)
class Usual:
    """How long decisions took: never a mean, which one forgotten request would spoil. `enough`: n is not small."""

    n: int
    median: float | None
    p90: float | None
    enough: bool


def usual(hours: Sequence[float], *, floor: int = FLOOR) -> Usual:
    """Of completed decisions. Vector: 1, 2, 3, 4 hours: median 2.5, p90 3.7, n 4, not enough."""
    return Usual(len(hours), quantile(hours, 0.5), quantile(hours, 0.9), len(hours) >= floor)


@dataclass(frozen=True, slots=True)
class Decided:
    """A request that has ended. `hours`: working hours from submission to the end; none where the rule alone
    approved it. `round`: the how many-th of its kind in its journey."""

    is_auto: bool
    hours: float | None
    round: int
    is_approved: bool


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote for it. `seconds`: from opening (or asking, where it was never opened) to the vote; `changed`: with a
    comment or a condition."""

    seconds: float
    changed: bool


@dataclass(frozen=True, slots=True)
class Deciding:
    """`again`: share of requests by people that were submitted before and had to come again. `stamped`: share of
    votes for it that were given unchanged within a minute."""

    time: Usual
    auto: Rate
    again: Rate
    approved: Rate
    stamped: Rate


def deciding(requests: Sequence[Decided], votes: Sequence[Vote], *, floor: int = FLOOR) -> Deciding:
    """The figures of AP-15. Vector: of three requests one by the rule, two by people in 4 and 8 hours, one of them
    in its second round: auto 1/3, median 6 hours, again 1/2."""
    people = [r for r in requests if not r.is_auto]
    stamped = sum(1 for v in votes if not v.changed and v.seconds < STAMPED_WITHIN)
    return Deciding(
        time=usual([r.hours for r in people if r.hours is not None], floor=floor),
        auto=Rate.of(len(requests) - len(people), len(requests), floor=floor),
        again=Rate.of(sum(1 for r in people if r.round > 1), len(people), floor=floor),
        approved=Rate.of(sum(1 for r in people if r.is_approved), len(people), floor=floor),
        stamped=Rate.of(stamped, len(votes), floor=floor),
    )
