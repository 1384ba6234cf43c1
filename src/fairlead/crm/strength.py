"""How well we know somebody: a number from our own activities alone, the same for equal facts (U20).

Four parts, each rounded down, 100 at most:

    recency    40 × (1 − days since the last two-way contact ÷ 180), at least 0
    rhythm     30 × activities of the last 90 days ÷ 6, at most 30
    two-way    20 × two-way contacts ÷ activities of the last 365 days; fewer than 3 activities count as 3
    breadth    10 × colleagues in touch in the last 365 days ÷ 3, at most 10

From 65 a relationship is strong, from 35 fair, below weak; without an activity there is none. Mails of others,
visits to web sites and bought data play no part.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

FADES: Final = 180  # days after which a contact counts for nothing
FULL_RHYTHM: Final = 6  # activities in 90 days
LEAST: Final = 3  # of fewer activities a share says little
FULL_BREADTH: Final = 3  # colleagues
MOST: Final = {"recency": 40, "rhythm": 30, "two_way": 20, "breadth": 10}
STRONG, FAIR = 65, 35


@dataclass(frozen=True, slots=True)
class Touch:
    """One activity that happened."""

    id: int
    at: datetime
    two_way: bool
    colleague: int


@dataclass(frozen=True, slots=True)
class Strength:
    """`parts`: points by part. The counts are those of which the points are made."""

    score: int
    level: str  # strong, fair, weak, none
    parts: dict[str, int]
    first_at: datetime | None
    last_at: datetime | None
    last_two_way_at: datetime | None
    next_at: datetime | None
    in_90_days: int
    in_365_days: int
    two_way: int
    colleagues: int


def strength_of(touches: Iterable[Touch], *, at: datetime, next_at: datetime | None = None) -> Strength:
    """The strength at an instant. What lies after it does not count."""
    known = [touch for touch in touches if touch.at <= at]
    year = [touch for touch in known if at - touch.at <= timedelta(days=365)]
    quarter = sum(at - touch.at <= timedelta(days=90) for touch in year)
    two_way = sum(touch.two_way for touch in year)
    colleagues = len({touch.colleague for touch in year})
    answered = max((touch.at for touch in known if touch.two_way), default=None)
    parts = {
        "recency": _recency(answered, at),
        "rhythm": MOST["rhythm"] * min(quarter, FULL_RHYTHM) // FULL_RHYTHM,
        "two_way": MOST["two_way"] * two_way // max(len(year), LEAST),
        "breadth": MOST["breadth"] * min(colleagues, FULL_BREADTH) // FULL_BREADTH,
    }
    score = sum(parts.values())
    return Strength(
        score=score,
        level=_level(score) if known else "none",
        parts=parts,
        first_at=min((touch.at for touch in known), default=None),
        last_at=max((touch.at for touch in known), default=None),
        last_two_way_at=answered,
        next_at=next_at,
        in_90_days=quarter,
        in_365_days=len(year),
        two_way=two_way,
        colleagues=colleagues,
    )


def _recency(answered: datetime | None, at: datetime) -> int:
    if answered is None:
        return 0
    days = min((at - answered).days, FADES)
    return MOST["recency"] * (FADES - days) // FADES


def _level(score: int) -> str:
    return "strong" if score >= STRONG else "fair" if score >= FAIR else "weak"
