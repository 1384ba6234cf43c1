"""Keeping the journey's copy of its subject, and the forecast category that a person pins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common import bulk
from fairlead.common.questions import Question
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.journal.services import NewEvent

from .. import fold, subjects
from ..definitions import definition_of
from ..enums import ForecastCategory, JourneyState
from ..models import Journey
from . import ledger

_current_ids = Question(
    lambda kind, ids: Journey.objects.on(kind, ids).current().order_by("pk").values_list("pk", flat=True),
    lists=("ids",),
)


def mirror_subjects(
    subject_type: str,
    subject_ids: Sequence[int],
    *,
    by_id: int | None,
    at: datetime,
    channel: str,
    batch_id: int | None = None,
    clocks: bool = True,
) -> None:
    """Copy title, owner, team, amount and close date to the running journeys; what the fold keeps is journaled.

    Call it inside `facts_change`, after the subject's own row was written. `clocks` as in `ledger.write`.
    """
    mirrors = subjects.room_of(subject_type).mirrors(subject_ids)
    journeys = ledger.lock(_current_ids(subject_type, subject_ids))
    events, renamed = [], []
    for journey in journeys.values():
        mirror = mirrors[journey.subject_id]
        if (journey.title, journey.incomplete) != (mirror.title[:300], mirror.incomplete):
            journey.title, journey.incomplete = mirror.title[:300], mirror.incomplete
            renamed.append(journey)
        if journey.state not in (JourneyState.OPEN, JourneyState.ON_HOLD):
            continue
        data: dict[str, Any] = {}
        if journey.owner_id != mirror.owner_id:
            data["owner_id"] = mirror.owner_id
        if journey.team_id != mirror.team_id:
            data["team_id"] = mirror.team_id
        if journey.base_amount != mirror.amount:
            data["amount"] = None if mirror.amount is None else str(mirror.amount)
        if journey.close_date != mirror.close_date:
            data["close_date"] = mirror.close_date.isoformat() if mirror.close_date else None
        if data:
            events.append(
                NewEvent(
                    **ledger.event_base(
                        journey,
                        0,
                        type=fold.MIRRORED,
                        actor_id=by_id,
                        effective_at=at,
                        channel=channel,
                        data=data,
                        batch_id=batch_id,
                    )
                    | {"process_version": None}
                )
            )
    bulk.update(renamed, ["title", "incomplete"])
    ledger.write(journeys, events, bump=False, clocks=clocks)


@transaction.atomic
def pin_category(
    journey_id: int, *, category: str, pinned: bool, version: int, by: Any, at: datetime, channel: str
) -> Journey:
    """Set the forecast category by hand; unpinned it follows the stage again (MV-1)."""
    journey = ledger.lock([journey_id]).get(journey_id)
    if journey is None:
        raise NotFound
    room = subjects.room_of(journey.subject_type)
    if not room.visible_ids(by, [journey.subject_id], right=room.view_right):
        raise NotFound
    if not room.visible_ids(by, [journey.subject_id], right=room.move_right):
        raise NotPermitted
    if journey.version != version:
        raise Stale
    if category not in ForecastCategory.values:
        raise Invalid(errors=[{"field": "category", "message": _("There is no such forecast category.")}])
    if not pinned:
        category = definition_of(journey.process_version).stage(journey.stage.key).forecast
    ledger.write(
        {journey.pk: journey},
        [
            NewEvent(
                **ledger.event_base(
                    journey,
                    journey.process_version.number,
                    type=fold.CATEGORY_SET,
                    actor_id=by.pk,
                    effective_at=at,
                    channel=channel,
                    data={"category": category, "pinned": pinned},
                )
            )
        ],
    )
    return journey
