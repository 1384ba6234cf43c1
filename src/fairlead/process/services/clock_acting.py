"""What clocks do by themselves when they pass a limit: tasks, flags, proposals, a lower forecast, a move (SL-2).

The sweep writes the events in one go with the breaches (`events_of`); what else has to happen follows in the same
transaction (`follow`). A move goes through the door of all moves, and the gate decides; a refusal becomes a task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common import records
from fairlead.fields.catalogue import pick
from fairlead.journal.enums import Channel
from fairlead.journal.services import NewEvent
from fairlead.organisation.selectors import Calendars
from fairlead.work.services.plans import PlannedTask, tasks_of_plan

from .. import clock_events, fold
from ..clocks import Act, ClockPolicy
from ..enums import ClockAct, ForecastCategory, JourneyState, Kind
from ..models import Journey
from ..verdicts import Wish
from . import clock_rows
from .clock_notices import Notice
from .moves import MoveWish, move_many
from .playbooks import holders

_LOWER = {
    ForecastCategory.COMMIT: ForecastCategory.BEST_CASE,
    ForecastCategory.BEST_CASE: ForecastCategory.PIPELINE,
    ForecastCategory.PIPELINE: ForecastCategory.OMITTED,
}


@dataclass(frozen=True, slots=True)
class Done:
    """An act that a clock called for, on its journey."""

    row: Journey
    act: Act
    clock_key: str
    lowered: str = ""


def acts_of(
    row: Journey, policy: ClockPolicy, clock: str, clock_key: str, level: str, before: Sequence[Done]
) -> list[Done]:
    """What is to be done about a breach. A deal on hold is left alone; a category falls once a sweep."""
    if row.state != JourneyState.OPEN:
        return []
    found: list[Done] = []
    for act in policy.acts_at(clock, level, row.stage.key):
        lowered = ""
        if act.do == ClockAct.LOWER_FORECAST:
            lowered = _LOWER.get(ForecastCategory(row.forecast_category), "")
            if not lowered or any(done.lowered and done.row is row for done in (*before, *found)):
                continue
        found.append(Done(row, act, clock_key, str(lowered)))
    return found


def events_of(done: Done, at: datetime) -> list[NewEvent]:
    """The event of the act, and the one that changes the category."""
    how: dict[str, Any] = {"by_id": None, "at": at, "channel": Channel.SYSTEM}
    more: dict[str, Any] = {"category": done.lowered} if done.lowered else {}
    acted = clock_rows.event(
        done.row, clock_events.ACTED, clock=str(done.act.clock), key=done.clock_key, level=str(done.act.level),
        do=str(done.act.do), act=done.act.key, **more, **how,
    )  # fmt: skip
    if not done.lowered:
        return [acted]
    return [acted, clock_rows.event(done.row, fold.CATEGORY_SET, category=done.lowered, pinned=True, **how)]


def notices_of(done: Sequence[Done], at: datetime) -> list[Notice]:
    """Owners are told what is proposed, and that their forecast fell; a task tells of itself."""
    return [
        Notice(
            recipient_ids=(one.row.owner_id,) if one.row.owner_id is not None else (),
            subject_type=one.row.subject_type,
            subject_id=one.row.subject_id,
            code=f"clock_{one.act.do}",
            params={"clock": str(one.act.clock), "category": one.lowered},
            at=at,
        )
        for one in done
        if one.act.do not in (ClockAct.TASK, ClockAct.MOVE)
    ]


def follow(done: Sequence[Done], at: datetime, calendars: Calendars) -> None:
    """Tasks and moves, after the events of the sweep were written."""
    for one in done:
        if one.act.do == ClockAct.TASK:
            found = holders(one.row, {one.act.role}, at) if one.act.role else {}
            _task(
                one.row,
                pick(one.act.name),
                found.get(one.act.role, one.row.owner_id),
                one.act.days,
                at,
                calendars,
            )
    moving: dict[int, Done] = {}
    for one in done:
        if one.act.do == ClockAct.MOVE:
            moving.setdefault(one.row.pk, one)  # the first one that is asked for
    wishes = [
        MoveWish(
            journey_id=pk,
            wish=Wish(
                kind=Kind(one.act.kind), to=one.act.to, reason=one.act.reason, comment=_("By a time limit")
            ),
        )
        for pk, one in moving.items()
    ]
    for outcome in move_many(wishes, by=None, at=at, channel=Channel.SYSTEM):
        if outcome.refusal is not None:
            why = str(getattr(outcome.refusal, "message", "")) or _("the gate is not open")
            row = moving[outcome.journey_id].row
            _task(
                row,
                _("A time limit could not move it: %(why)s") % {"why": why},
                row.owner_id,
                1,
                at,
                calendars,
            )


def _task(
    row: Journey, title: str, assignee_id: int | None, days: int, at: datetime, calendars: Calendars
) -> None:
    today = timezone.localdate(at)
    due = calendars.of(assignee_id).workday_after(today, days)
    planned = PlannedTask(title=title, list_key="", assignee_id=assignee_id, due_date=due)
    with records.record_type(row.subject_type).changing([row.subject_id], at):
        tasks_of_plan(row.subject_type, row.subject_id, [planned], by=None, at=at, channel=Channel.SYSTEM)
