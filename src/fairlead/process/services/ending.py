"""What waits for somebody on a journey that ends, whichever way it does: won, lost, cancelled, or out of its process.

Nobody is asked any more about what is over: requests for approval are recalled, requests to let pass withdrawn, and an
open veto ends with its deal. Where the deal runs on, what was vetoed is still not settled: the veto stands again, with
its two working days from then on (IT-3). An approval or a leave is asked anew by whoever wants it; steps that were
agreed are carried as after any recall (AP-6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..approval_enums import RequestState
from ..enums import CLOSED_STATES, Kind, OverrideState, VetoState
from ..models import ApprovalRequest, Journey, OverrideRequest, Veto
from ..selectors.approvals import Has
from ..subjects import Moved
from . import gates
from .approval_rows import held_of
from .approving import call_off
from .overrides import journal as journal_override
from .overrides import settle as settle_override
from .vetoing import note, tell_team


def end_what_waits(
    journeys: Sequence[Journey], *, by: Any, at: datetime, channel: str
) -> dict[int, dict[str, list[int]]]:
    """Of (locked) journeys that have ended or are about to; the ids of each kind by journey."""
    found: dict[int, dict[str, list[int]]] = {j.pk: defaultdict(list) for j in journeys}
    how: dict[str, Any] = {"by": by, "at": at, "channel": channel}
    by_id = {j.pk: j for j in journeys}
    asking = [j.pk for j in journeys if j.approvals & Has.PENDING]
    requests = ApprovalRequest.objects.select_for_update(of=("self",)).filter(
        journey__in=asking, state=RequestState.PENDING
    )
    for request in requests.order_by("pk") if asking else ():
        call_off(held_of(request, by_id[request.journey_id], at=at, channel=channel), by=by)
        found[request.journey_id]["approval"].append(request.pk)
    overrides = OverrideRequest.objects.select_for_update(of=("self",)).filter(
        journey__in=list(by_id), state=OverrideState.OPEN
    )
    for override in overrides.order_by("pk"):
        settle_override(override, OverrideState.WITHDRAWN, by=None, at=at)
        journal_override(override, by_id[override.journey_id], "override_withdrawn", **how)
        found[override.journey_id]["override"].append(override.pk)
    vetoes = Veto.objects.select_for_update(of=("self",)).filter(
        journey__in=list(by_id), state=VetoState.OPEN
    )
    for veto in vetoes.order_by("pk"):
        veto.state, veto.settled_at, veto.ended_at, veto.again_at = VetoState.ENDED, at, at, None
        veto.version += 1
        veto.save(update_fields=["state", "settled_at", "ended_at", "again_at", "version"])
        note(veto, by_id[veto.journey_id], "veto_ended", **how)
        found[veto.journey_id]["veto"].append(veto.pk)
    return {pk: dict(own) for pk, own in found.items()}


def vetoes_stand_again(journeys: Sequence[Journey], *, by: Any, at: datetime, channel: str) -> set[int]:
    """Of (locked) journeys that run on; which of them have one. Their gates are to be judged anew."""
    by_id = {j.pk: j for j in journeys}
    ended = Veto.objects.select_for_update(of=("self",)).filter(
        journey__in=list(by_id), state=VetoState.ENDED
    )
    found = set()
    for veto in ended.order_by("pk"):
        veto.state, veto.settled_at, veto.again_at, veto.escalated_at = VetoState.OPEN, None, at, None
        veto.version += 1
        veto.save(update_fields=["state", "settled_at", "again_at", "escalated_at", "version"])
        journey = by_id[veto.journey_id]
        note(veto, journey, "veto_again", by=by, at=at, channel=channel)
        tell_team(veto, journey, "veto_again", by=by, at=at)
        found.add(journey.pk)
    return found


def follow_ends(moves: Sequence[Moved]) -> None:
    """After moves of one batch, in their transaction: what waits is asked for once for all of them."""
    ended: dict[tuple[Any, datetime, str], list[Journey]] = defaultdict(list)
    reopened: dict[tuple[Any, datetime, str], list[Moved]] = defaultdict(list)
    for move in moves:
        if move.journey.state in CLOSED_STATES:
            ended[move.by, move.at, move.channel].append(move.journey)
        elif move.verdict.wish.kind == Kind.REOPEN:
            reopened[move.by, move.at, move.channel].append(move)
    for (by, at, channel), journeys in ended.items():
        end_what_waits(journeys, by=by, at=at, channel=channel)
    for (by, at, channel), again in reopened.items():
        stands = vetoes_stand_again([m.journey for m in again], by=by, at=at, channel=channel)
        gates.refresh_gates([m.journey for m in again if m.journey.pk in stands and m.refresh], at=at)
