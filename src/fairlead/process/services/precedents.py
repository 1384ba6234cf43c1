"""Settling an exception of the register (AP-13): made a policy, or not to come again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.journal.services import NewEvent, record

from ..approval_enums import PrecedentState
from ..models import Precedent
from ..refusals import AlreadyDecided
from ..subjects import room_of
from . import ledger
from .evidence import MIN_REASON

SETTLE: Final = "process.publish"


@transaction.atomic
def settle_precedent(
    precedent_id: int, *, state: str, note: str, by: Any, at: datetime, channel: str
) -> Precedent:
    """Say what becomes of an exception that recurs: `promoted` (the matrix is to allow it) or `refused`.

    Raises NotFound, NotPermitted, Invalid, AlreadyDecided.
    """
    row = Precedent.objects.select_for_update(of=("self",)).filter(pk=precedent_id).first()
    if row is None:
        raise NotFound
    room = room_of(row.subject_type)
    if not room.visible_ids(by, [row.subject_id], right=room.view_right):
        raise NotFound
    if not by.may(SETTLE):
        raise NotPermitted
    if row.state != PrecedentState.OPEN:
        raise AlreadyDecided(details={"state": row.state})
    errors = []
    if state not in (PrecedentState.PROMOTED, PrecedentState.REFUSED):
        errors.append({"field": "state", "message": _("Choose what becomes of it.")})
    if len(note.strip()) < MIN_REASON:
        errors.append(
            {
                "field": "note",
                "message": _("Say why in at least %(count)s characters.") % {"count": MIN_REASON},
            }
        )
    if errors:
        raise Invalid(errors=errors)
    row.state, row.note = PrecedentState(state), note.strip()
    row.settled_by, row.settled_at = by, at
    row.save(update_fields=["state", "note", "settled_by", "settled_at"])
    journey = row.grant.journey
    record(
        [
            NewEvent(
                **ledger.event_base(
                    journey,
                    journey.process_version.number,
                    type="precedent_settled",
                    actor_id=by.pk,
                    effective_at=at,
                    channel=channel,
                    data={"precedent": row.pk, "approval": row.kind, "row": row.row_key, "state": row.state},
                    comment=row.note,
                )
            )
        ]
    )
    return row
