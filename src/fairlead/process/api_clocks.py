"""Clocks, breaches and compliance for machines."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Router

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.refusals import Invalid, NotFound
from fairlead.common.rest import Code, Day, PathId
from fairlead.journal.enums import Channel

from . import services
from .answers import find_journey, visible_journeys
from .models import Process
from .schemas_clocks import AcknowledgeIn, BreachesOut, ClocksOut, ComplianceOut, SettleIn, TakenOut
from .selectors.clocks import ClockState, breaches_of, clocks_of, compliance, keeps_old_time
from .tasks import take_over

router = Router(tags=["process"])

QUARTER = timedelta(days=92)


def _out(state: ClockState) -> dict[str, Any]:
    return {
        "clock": state.kind, "key": state.key, "days": state.days, "yellow": state.yellow, "red": state.red,
        "level": state.level, "noted": state.is_noted, "paused": state.is_paused,
        "stop": str(state.stop or ""), "stop_until": state.stop_until, "started_at": state.started_at,
        "cause": state.cause, "yellow_at": state.yellow_at, "red_at": state.red_at,
        "breached_at": state.breached_at, "acknowledged_until": state.acknowledged_until, "told": state.step,
        "calls": [{"act": c.act, "do": c.do, "at": c.at, "name": localized(dict(c.name)) if c.name else ""} for c in state.calls],
    }  # fmt: skip


@router.get("/journeys/{id:pk}/clocks", response=ClocksOut, operation_id="clocks_list")
@access("signed-in", api=True)
def clocks(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """The clocks of a journey as they stand; none once it is closed."""
    return {"items": [_out(s) for s in clocks_of(find_journey(request.user, pk), at=timezone.now())]}


@router.post("/journeys/{id:pk}/clocks/acknowledge", response=ClocksOut, operation_id="clocks_acknowledge")
@access("signed-in", api=True)
def acknowledge(request: HttpRequest, pk: PathId, payload: AcknowledgeIn) -> dict[str, Any]:
    """Let reminders about a clock that is over rest; 422 `clock-in-time` where nothing was noted."""
    at = timezone.now()
    find_journey(request.user, pk)
    services.acknowledge(
        pk,
        kind=payload.clock,
        key=payload.key,
        hours=payload.hours,
        by=request.user,
        at=at,
        channel=Channel.API,
    )
    return {"items": [_out(s) for s in clocks_of(find_journey(request.user, pk), at=at)]}


@router.post("/journeys/{id:pk}/clocks/settle", response=ClocksOut, operation_id="clocks_settle")
@access("signed-in", api=True)
def settle(request: HttpRequest, pk: PathId, payload: SettleIn) -> dict[str, Any]:
    """A flag or a proposal of a clock was looked at and goes; 404 where it stands no more."""
    at = timezone.now()
    find_journey(request.user, pk)
    services.settle_call(
        pk, kind=payload.clock, key=payload.key, act=payload.act, by=request.user, at=at, channel=Channel.API
    )
    return {"items": [_out(s) for s in clocks_of(find_journey(request.user, pk), at=at)]}


@router.get("/journeys/{id:pk}/breaches", response=BreachesOut, operation_id="breaches_list")
@access("signed-in", api=True)
def breaches(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """What the clocks of a journey have said and what ended it, the newest first, at most 200."""
    row = find_journey(request.user, pk)
    return {
        "items": [
            {
                "id": e.pk, "type": e.type, "at": e.effective_at, "recorded_at": e.recorded_at,
                "stage": e.from_stage, "by": e.actor_id, "data": e.data,
            }
            for e in breaches_of(row.pk)
        ]
    }  # fmt: skip


@router.get("/processes/{key}/compliance", response=ComplianceOut, operation_id="processes_compliance")
@access("funnel.view", api=True)
def stage_compliance(
    request: HttpRequest, key: Code, left_from: Day | None = None, left_before: Day | None = None
) -> dict[str, Any]:
    """By stage: visits completed in a period and the share that stayed within the limit, of what you see.

    Without dates the last 92 days. Breaches are read from the journal: history is never judged anew.
    """
    if not Process.objects.filter(key=key).exists():
        raise NotFound
    before = left_before or timezone.localdate() + timedelta(days=1)
    since = left_from or before - QUARTER
    if since >= before:
        raise Invalid(
            errors=[{"field": "left_before", "message": _("The period ends later than it begins.")}]
        )
    seen = visible_journeys(request.user).filter(process_key=key).values("pk")
    rows = compliance(key, left_from=since, left_before=before, journeys=seen)
    return {
        "process": key, "left_from": since, "left_before": before,
        "items": [
            {
                "stage": c.stage, "name": localized(dict(c.name)), "completed": c.completed, "in_time": c.in_time,
                "percent": c.percent, "open_over": c.open_over,
            }
            for c in rows
        ],
    }  # fmt: skip


@router.post("/processes/{key}/thresholds/take-over", response=TakenOut, operation_id="processes_take_over")
@access("process.publish", api=True)
def thresholds(request: HttpRequest, key: Code) -> dict[str, Any]:
    """Let running journeys keep time by the published thresholds; a job writes it (SL-6)."""
    if not Process.objects.filter(key=key).exists():
        raise NotFound
    waiting = keeps_old_time(key)
    user: Any = request.user
    take_over.enqueue(key, user.pk)
    return {"running": waiting}
