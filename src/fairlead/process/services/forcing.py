"""Breaking the glass (OV-2): a move or an item forced, never silently: with a reason, marked, told at once.

Only a move that the process knows can be forced, and nobody does it for a record of their own (OV-5).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.journal.services import NewEvent, record
from fairlead.organisation.enums import Role
from fairlead.organisation.models import RoleAssignment
from fairlead.work.enums import Reason
from fairlead.work.services.notifications import notify

from ..definitions import definition_of
from ..enums import JourneyState
from ..models import Journey, Waiver
from ..refusals import OverrideRefused
from ..verdicts import Wish
from . import ledger
from .evidence import criterion_of, gains_by, journey_for, write_waiver
from .moves import MoveOutcome, MoveWish, move_many
from .overrides import MOVES, check_words

FORCED: Final = "break_glass"
FORCE: Final = "glass.break"


@transaction.atomic
def force_waiver(
    journey_id: int,
    *,
    criterion_key: str,
    text: str,
    expires_at: datetime,
    by: Any,
    at: datetime,
    channel: str,
) -> Waiver:
    """Waive an item without being asked, whatever the budget, and tell the process owners (OV-2)."""
    row = _forcing(journey_id, text=text, expires_at=expires_at, by=by, at=at)
    if not criterion_of(row, criterion_key).waivable:
        raise OverrideRefused(_("This item cannot be waived. The move itself can be forced."))
    waiver = write_waiver(
        row,
        criterion_key=criterion_key,
        reason_code=FORCED,
        text=text,
        compensation="",
        expires_at=expires_at,
        by=by,
        at=at,
        channel=channel,
        forced=True,
    )
    _glass_broken(row, text, {"criterion": criterion_key, "waiver": waiver.pk}, by=by, at=at, channel=channel)
    return waiver


def force_move(
    journey_id: int,
    wish: Wish,
    *,
    text: str,
    version: int | None = None,
    by: Any,
    at: datetime,
    channel: str,
) -> MoveOutcome:
    """Make a move that the process knows although its gate is not met, and tell the process owners (OV-2).

    What the gate missed goes along as flags. Raises as `move` does; a move that is not on the map stays impossible.
    """
    with transaction.atomic():
        row = _forcing(journey_id, text=text, expires_at=None, by=by, at=at)
        if wish.kind not in MOVES:
            raise OverrideRefused(_("This move needs no force."))
        outcome = move_many(
            [MoveWish(journey_id=journey_id, wish=wish, version=version, forced=True)],
            by=by,
            at=at,
            channel=channel,
        )[0]
        if outcome.refusal is None:
            assert outcome.verdict is not None
            told = {
                "move": str(wish.kind),
                "to": outcome.verdict.target,
                "past": list(outcome.verdict.soft_passed),
            }
            _glass_broken(row, text, told, by=by, at=at, channel=channel)
    if outcome.refusal is not None:  # outside: the attempt stays noted
        raise outcome.refusal
    return outcome


def _forcing(journey_id: int, *, text: str, expires_at: datetime | None, by: Any, at: datetime) -> Journey:
    row = journey_for(journey_id, by=by, right=FORCE)
    if row.state != JourneyState.OPEN:
        raise OverrideRefused(_("Only for a record on its way something can be let pass."))
    if gains_by(row, by):
        raise OverrideRefused(
            _("Who owns the record or is on its deal team does not break the glass for it.")
        )
    check_words(definition_of(row.process_version), "", "", text, expires_at, at)
    return row


def _glass_broken(
    row: Journey, text: str, data: dict[str, Any], *, by: Any, at: datetime, channel: str
) -> None:
    record(
        [
            NewEvent(
                **ledger.event_base(
                    row,
                    row.process_version.number,
                    type="glass_broken",
                    actor_id=by.pk,
                    effective_at=at,
                    channel=channel,
                    reason_code=FORCED,
                    data=data,
                    comment=text.strip(),
                )
            )
        ]
    )
    owners = RoleAssignment.objects.filter(role=Role.PROCESS_OWNER, user__is_active=True)
    people = {*owners.values_list("user_id", flat=True), *([row.owner_id] if row.owner_id else ())}
    notify(
        recipients=people - {by.pk},
        reason=Reason.ESCALATED,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        text=("glass_broken", {}),
        by=by,
        at=at,
    )
