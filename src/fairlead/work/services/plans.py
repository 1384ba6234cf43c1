"""Work that a room above hands out together, and takes off the lists. The caller has checked the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fairlead.common import bulk
from fairlead.common.questions import Question
from fairlead.journal.services import record

from ..enums import ActivityState, Reason
from ..models import Activity, Task
from . import activities
from .many import task_many
from .notifications import notify
from .tasks import _event


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    title: str
    list_key: str
    assignee_id: int | None
    due_date: date


def tasks_of_plan(
    subject_type: str, subject_id: int, planned: Sequence[PlannedTask], *, by: Any, at: datetime, channel: str
) -> Sequence[Task]:
    """Tasks about one record; each assignee is told once. The caller knows that they see the record."""
    rows = task_many(
        [
            Task(
                subject_type=subject_type,
                subject_id=subject_id,
                title=new.title[:200],
                list_key=new.list_key,
                assignee_id=new.assignee_id,
                due_date=new.due_date,
                created_by=by,
                created_at=at,
            )
            for new in planned
        ],
        channel=channel,
    )
    for person in sorted({r.assignee_id for r in rows if r.assignee_id is not None}):
        notify(
            recipients=[person],
            reason=Reason.ASSIGNED,
            subject_type=subject_type,
            subject_id=subject_id,
            text=("task_assigned", {"task": next(r.pk for r in rows if r.assignee_id == person)}),
            by=by,
            at=at,
        )
    return rows


def remove_open(task_ids: Sequence[int], *, by: Any, at: datetime, channel: str) -> int:
    """Take back those that nobody has done; how many they were."""
    rows = Task.objects.select_for_update(of=("self",)).filter(
        pk__in=list(task_ids), done_at=None, removed_at=None
    )
    found = list(rows.order_by("pk"))
    for row in found:
        row.removed_at, row.version = at, row.version + 1
    bulk.update(found, ["removed_at", "version"])
    record([_event(row, "task_removed", by=by, at=at, channel=channel) for row in found])
    return len(found)


_tasks_left = Question(
    lambda kind, ids: Task.objects.filter(
        subject_type=kind, subject_id__in=ids, done_at=None, removed_at=None
    ).order_by("pk"),
    lists=("ids",),
)
_planned_left = Question(
    lambda kind, ids: Activity.objects.filter(
        subject_type=kind, subject_id__in=ids, state=ActivityState.PLANNED
    ).order_by("pk"),
    lists=("ids",),
)


def end_open_work(
    subject_type: str, subject_ids: Sequence[int], *, by: Any, at: datetime, channel: str
) -> set[int]:
    """Records that are over: open tasks are removed, planned activities cancelled, and say why in their events.

    The records that had an activity planned, and with it a next step. In the transaction of what ended them.
    """
    tasks, planned = _tasks_left(subject_type, subject_ids), _planned_left(subject_type, subject_ids)
    for task in tasks:
        task.removed_at, task.version = at, task.version + 1
    bulk.update(tasks, ["removed_at", "version"])
    for row in planned:
        row.state, row.closed_recorded_at, row.version = ActivityState.CANCELLED, at, row.version + 1
    bulk.update(planned, ["state", "closed_recorded_at", "version"])
    events = [_event(row, "task_removed", by=by, at=at, channel=channel) for row in tasks]
    events += [activities._event(row, "activity_cancelled", by=by, at=at, channel=channel) for row in planned]
    for event in events:
        event.data["closed"] = True
    record(events)
    return {row.subject_id for row in planned}
