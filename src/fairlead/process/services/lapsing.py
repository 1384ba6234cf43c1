"""What ends by the clock: requests that nobody decided, and waivers that have run out (OV-1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from fairlead.journal.enums import Channel
from fairlead.journal.services import NewEvent, record
from fairlead.work.enums import Reason
from fairlead.work.services.notifications import notify

from ..enums import JourneyState, OverrideState
from ..models import Journey, OverrideRequest, Waiver
from . import ledger
from .overrides import journal, settle, tell

TOLD_WITHIN: Final = timedelta(days=7)  # nobody hears today of what ran out long ago


def lapse_due(*, at: datetime, limit: int = 200) -> int:
    """Requests that nobody decided in time lapse; whoever lives by a waiver that has run out is told. How many."""
    done = 0
    due = OverrideRequest.objects.open().filter(expires_at__lte=at).order_by("pk")
    for request_id, journey_id in due.values_list("pk", "journey_id")[:limit]:
        with transaction.atomic():
            row = ledger.lock([journey_id])[journey_id]
            request = OverrideRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
            if request.state != OverrideState.OPEN:
                continue
            settle(request, OverrideState.LAPSED, by=None, at=at)
            journal(request, row, "override_lapsed", by=None, at=at, channel=Channel.SYSTEM)
            tell([request.requested_by_id], Reason.OWNER, request, row, "override_lapsed", None, at)
            done += 1
    over = Waiver.objects.filter(
        ended_told_at=None,
        revoked_at=None,
        expires_at__lte=at,
        expires_at__gt=at - TOLD_WITHIN,
        journey__state__in=[JourneyState.OPEN, JourneyState.ON_HOLD],
    ).order_by("pk")
    for waiver_id, journey_id in over.values_list("pk", "journey_id")[:limit]:
        with transaction.atomic():
            row = ledger.lock([journey_id])[journey_id]
            waiver = Waiver.objects.select_for_update(of=("self",)).get(pk=waiver_id)
            if waiver.ended_told_at is not None:
                continue
            waiver.ended_told_at = at
            waiver.save(update_fields=["ended_told_at"])
            _waiver_ended(waiver, row, at)
            done += 1
    return done


def _waiver_ended(waiver: Waiver, row: Journey, at: datetime) -> None:
    record(
        [
            NewEvent(
                **ledger.event_base(
                    row,
                    row.process_version.number,
                    type="waiver_ended",
                    actor_id=None,
                    effective_at=waiver.expires_at,
                    recorded_at=at,
                    channel=Channel.SYSTEM,
                    data={"criterion": waiver.criterion_key, "waiver": waiver.pk},
                )
            )
        ]
    )
    asker = OverrideRequest.objects.filter(waiver=waiver).values_list("requested_by", flat=True)
    people = {waiver.granted_by_id, *asker, *([row.owner_id] if row.owner_id else ())}
    notify(
        recipients=people,
        reason=Reason.OWNER,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        text=("waiver_ended", {}),
        by=None,
        at=at,
    )
