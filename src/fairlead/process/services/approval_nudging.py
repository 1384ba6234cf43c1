"""催办: whoever submitted it reminds those who are asked; once in half a working day, so that it stays a reminder."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _

from fairlead.common.refusals import NotFound, NotPermitted
from fairlead.journal.models import Event
from fairlead.organisation.selectors import default_calendar
from fairlead.work.words import when_words

from ..approval_enums import SeatState
from ..models import ApprovalRequest
from ..refusals import ApprovalRefused
from .approval_rows import holding, own_of, sees
from .approving import refuse_ended

NUDGED: Final = "approval_nudged"
REST: Final = timedelta(hours=4)  # working time between two


def next_nudge(request: ApprovalRequest, *, at: datetime) -> datetime | None:
    """When it may be called to mind again; none: now."""
    last = (
        Event.objects.of_journeys([request.journey_id])
        .filter(type=NUDGED, data__request=request.pk)
        .order_by("-id")
        .values_list("effective_at", flat=True)
        .first()
    )
    since = last or request.submitted_at
    free = default_calendar().add_working_time(since, REST)
    return free if free > at else None


def nudge(request_id: int, *, by: Any, at: datetime, channel: str) -> ApprovalRequest:
    """Remind those who are asked. Raises NotFound, NotPermitted, ApprovalDecided, ApprovalRefused (`approval-nudged`)."""
    with holding(request_id, at=at, channel=channel) as held:
        if by.pk not in own_of(held.request):
            raise (NotPermitted if sees(by, held.request) else NotFound)()
        refuse_ended(held)
        free = next_nudge(held.request, at=at)
        if free is not None:
            raise ApprovalRefused(
                _("They were asked a short while ago. Remind them again from %(when)s on.")
                % {"when": when_words(free, at)},
                code="approval-nudged",
                details={"free_at": free.isoformat()},
            )
        asked = [s.person_id for s in held.seat_rows() if s.state == SeatState.ASKED]
        held.event(NUDGED, by=by, data={"people": sorted(set(asked))})
        held.tell(asked, "approval_nudged")
        held.store()
    return held.request
