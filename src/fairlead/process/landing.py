"""Soft landing: gates that only flag, until the business day from which they hold (rollout, spec 4.11)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from .enums import Mode

FIRST_WEEKS: Final = timedelta(weeks=4)  # how long a new installation begins softly
LONGEST: Final = timedelta(days=366)  # what stays soft for longer is not on its way to being enforced


def is_soft(mode: str, enforced_from: date | None, today: date) -> bool:
    """Whether gates only flag on the business day `today`: until the day before `enforced_from`, if one is set."""
    return mode == Mode.SOFT and (enforced_from is None or today < enforced_from)


def mode_on(mode: str, enforced_from: date | None, today: date) -> Mode:
    return Mode.SOFT if is_soft(mode, enforced_from, today) else Mode.ENFORCED


def coming(mode: str, enforced_from: date | None, today: date) -> date | None:
    """The day from which gates will hold, while they do not yet."""
    return enforced_from if is_soft(mode, enforced_from, today) else None


def may_begin(enforced_from: date, today: date) -> bool:
    """A day to come, so that nobody is held without having been told."""
    return today < enforced_from <= today + LONGEST
