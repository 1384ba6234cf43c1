"""What people do to clocks: acknowledge one that is over, take over the thresholds of a newer version (SL-2, SL-6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common import turns
from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.organisation.selectors import Calendars, calendars

from .. import clock_events, subjects
from ..clocks import BY_KEY, mark_name
from ..enums import ClockKind, JourneyState
from ..models import Clock, Journey, ProcessVersion
from ..refusals import ClockRefused
from . import clock_rows, ledger

AT_ONCE = 50
MOST_HOURS = 400  # working hours: about ten weeks


@transaction.atomic
def acknowledge(
    journey_id: int,
    *,
    kind: str,
    key: str = "",
    hours: int | None = None,
    by: Any,
    at: datetime,
    channel: str,
) -> Clock:
    """“I know”: reminders about a clock that is over rest for `hours` of working time (the policy's, if none).

    Raises NotFound, NotPermitted, Invalid, ClockRefused where the clock is in time. The breach itself stays.
    """
    journey = ledger.lock([journey_id]).get(journey_id)
    if journey is None:
        raise NotFound
    room = subjects.room_of(journey.subject_type)
    if not room.visible_ids(by, [journey.subject_id], right=room.view_right):
        raise NotFound
    if not room.visible_ids(by, [journey.subject_id], right=room.move_right):
        raise NotPermitted
    if kind not in ClockKind.values:
        raise Invalid(errors=[{"field": "clock", "message": _("There is no such clock.")}])
    row = Clock.objects.filter(journey=journey_id, kind=kind, key=key or _key_of(journey, kind)).first()
    if row is None or not row.level:
        raise ClockRefused
    travels, _ids = ledger.travels_of([journey])
    policy, _number = clock_rows.policy_for(journey, travels[journey_id])
    hours = policy.ack_hours if hours is None else hours
    if not 1 <= hours <= MOST_HOURS:
        raise Invalid(
            errors=[{"field": "hours", "message": _("1 to %(most)s working hours.") % {"most": MOST_HOURS}}]
        )
    until = calendars().of(journey.owner_id).add_working_time(at, timedelta(hours=hours))
    ledger.write(
        {journey_id: journey},
        [
            clock_rows.event(
                journey, clock_events.ACKNOWLEDGED, by_id=by.pk, at=at, channel=channel, clock=kind,
                key=row.key, until=until.isoformat(),
            )
        ],
        bump=False,
    )  # fmt: skip
    return Clock.objects.get(pk=row.pk)


@transaction.atomic
def settle_call(
    journey_id: int, *, kind: str, key: str = "", act: str, by: Any, at: datetime, channel: str
) -> Journey:
    """A flag or a proposal of a clock was looked at and goes; the breach itself stays.

    Raises NotFound (also where it stands no more), NotPermitted.
    """
    journey = ledger.lock([journey_id]).get(journey_id)
    if journey is None:
        raise NotFound
    room = subjects.room_of(journey.subject_type)
    if not room.visible_ids(by, [journey.subject_id], right=room.view_right):
        raise NotFound
    if not room.visible_ids(by, [journey.subject_id], right=room.move_right):
        raise NotPermitted
    key = key if kind in BY_KEY else _key_of(journey, kind)
    mark = journey.clocks.get("marks", {}).get(mark_name(kind, key), {})
    if not any(call["act"] == act for call in mark.get("calls", ())):
        raise NotFound
    settled = clock_rows.event(
        journey, clock_events.CALL_SETTLED, by_id=by.pk, at=at, channel=channel, clock=kind, key=key, act=act
    )
    ledger.write({journey_id: journey}, [settled], bump=False)
    return journey


def _key_of(journey: Journey, kind: str) -> str:
    return journey.stage.key if kind in (ClockKind.VISIT, ClockKind.STAGE) else ""


def take_over_thresholds(
    process_key: str, *, by: Any, at: datetime, channel: str, number: int | None = None
) -> int:
    """Let running journeys keep time by the thresholds of a newer version; how many did (SL-6).

    Without this they keep those of the version they are pinned to. Breaches already noted stay. Written in short
    transactions; a second run goes on where the first one ended.
    """
    if by is not None and not by.may("process.publish"):
        raise NotPermitted
    versions = ProcessVersion.objects.filter(process__key=process_key)
    version = versions.filter(number=number).first() if number else versions.published().first()
    if version is None:
        raise NotFound
    running = Journey.objects.of_process(process_key).running().current().order_by("pk")
    ids = [
        pk
        for pk, own, memory in running.values_list("pk", "process_version__number", "clocks")
        if memory.get("policy", own) != version.number
    ]
    book, pace = calendars(), turns.pace()
    for first in range(0, len(ids), AT_ONCE):
        with pace.turn(), transaction.atomic():
            _take(ids[first : first + AT_ONCE], version.number, by=by, at=at, channel=channel, calendars=book)
    return len(ids)


def _take(
    ids: Sequence[int], number: int, *, by: Any, at: datetime, channel: str, calendars: Calendars
) -> None:
    locked = {
        pk: row
        for pk, row in ledger.lock(ids).items()
        if row.state in (JourneyState.OPEN, JourneyState.ON_HOLD)
    }
    events = [
        clock_rows.event(
            row, clock_events.REPOLICIED, by_id=by.pk if by is not None else None, at=at, channel=channel,
            policy=number,
        )
        for row in locked.values()
    ]  # fmt: skip
    ledger.write(locked, events, bump=False, calendars=calendars)
