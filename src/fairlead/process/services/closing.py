"""What a closed record leaves behind: its open tasks and planned activities come off the lists with it.

Whoever closes it may keep them (`keep_work` in the form of the move). An import tells how something ended and not
what became of the work; and an account goes on when one of its journeys ends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from fairlead.journal.enums import Channel
from fairlead.work.services.plans import end_open_work

from ..enums import CLOSED_STATES
from ..models import Journey
from ..subjects import Moved, room_of

KEEP = "keep_work"


def end_work(moves: Sequence[Moved]) -> None:
    """After moves of one batch, in their transaction."""
    ended: dict[str, list[Moved]] = defaultdict(list)
    for move in moves:
        journey = move.journey
        if (
            journey.state in CLOSED_STATES
            and move.channel != Channel.IMPORT
            and room_of(journey.subject_type).ends_with_journey
            and not move.verdict.wish.form.get(KEEP)
        ):
            ended[journey.subject_type].append(move)
    for subject_type, closed in ended.items():
        first = closed[0]
        stepless = end_open_work(
            subject_type,
            [m.journey.subject_id for m in closed],
            by=first.by,
            at=first.at,
            channel=first.channel,
        )
        if stepless:
            Journey.objects.filter(
                pk__in=[m.journey.pk for m in closed if m.journey.subject_id in stepless]
            ).update(next_step_at=None, next_step_kind="", next_step_text="")
