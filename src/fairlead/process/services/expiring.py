"""Holds end by themselves: on the day on which it was to come back, a journey is open again (PD-7)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from fairlead.journal.enums import Channel
from fairlead.organisation.selectors import default_calendar

from ..enums import JourneyState, Kind
from ..models import Journey
from ..verdicts import Wish
from .moves import MoveWish, move_many

logger = logging.getLogger(__name__)
AT_ONCE: Final = 20


def expire_holds(*, at: datetime) -> int:
    """Resume what was to come back by today, a few at a time; how many. A refused one stops no other."""
    today = at.astimezone(default_calendar().zone).date()
    due = Journey.objects.current().filter(
        state=JourneyState.ON_HOLD, resume_date__lt=today + timedelta(days=1)
    )
    ids = list(due.order_by("pk").values_list("pk", flat=True))
    resumed = 0
    for start in range(0, len(ids), AT_ONCE):
        wishes = [MoveWish(journey_id=pk, wish=Wish(kind=Kind.RESUME)) for pk in ids[start : start + AT_ONCE]]
        outcomes = move_many(wishes, by=None, at=at, channel=Channel.AUTOMATION)
        resumed += sum(1 for outcome in outcomes if outcome.allowed)
        for outcome in outcomes:
            if outcome.refusal is not None:
                logger.warning("process.hold_not_ended", extra={"journey": outcome.journey_id})
    return resumed
