"""Work written down for many records at once, each row with the event that the single verb writes.

For the product itself (an import run, a simulated company): the caller has the right over the records, calls
`process.services.many.touch_facts` first and copies next steps afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from fairlead.common import bulk
from fairlead.journal.services import NewEvent, record

from ..enums import ActivityState
from ..models import Activity, Comment, File, Task
from . import activities, files, notes, tasks


def log_many(rows: Sequence[Activity], *, channel: str) -> Sequence[Activity]:
    """Write activities that are done, or planned where `done_at` is None; `owner` is who wrote them down.

    One that was planned before it was done has its day (`due_at`), is recorded when it was planned, and says when
    it was written down as done (`closed_recorded_at`).
    """
    for row in rows:
        row.state = ActivityState.PLANNED if row.done_at is None else ActivityState.DONE
        if row.done_at is not None:
            if row.due_at is None or row.closed_recorded_at is None:
                row.closed_recorded_at = row.recorded_at
            else:
                row.version = 2
    bulk.insert(rows)
    record([event for row in rows for event in _as_it_came(row, channel)])
    return rows


def _as_it_came(row: Activity, channel: str) -> list[NewEvent]:
    found = []
    if row.closed_recorded_at != row.recorded_at:
        planned = activities._event(
            row, "activity_planned", by=row.owner, at=row.recorded_at, channel=channel
        )
        planned.data.update({"outcome": "", "version": 1})
        found.append(planned)
    if row.closed_recorded_at is not None:
        found.append(
            activities._event(row, "activity_done", by=row.owner, at=row.closed_recorded_at, channel=channel)
        )
    return found


def file_many(rows: Sequence[File], *, channel: str) -> Sequence[File]:
    """File references to documents; the caller numbers the versions of a kind."""
    bulk.insert(rows)
    record(
        [
            files._event(row, "file_added", by=row.added_by, at=row.recorded_at, channel=channel)
            for row in rows
        ]
    )
    return rows


def task_many(rows: Sequence[Task], *, channel: str) -> Sequence[Task]:
    """Add open tasks."""
    bulk.insert(rows)
    record(
        [
            tasks._event(row, "task_added", by=row.created_by, at=row.created_at, channel=channel)
            for row in rows
        ]
    )
    return rows


def comment_many(rows: Sequence[Comment], *, recorded_at: datetime, channel: str) -> Sequence[Comment]:
    """Say a word about many records; a word of the past has its `at`, and the instant at which it was written down.
    Nobody is told: it calls nobody."""
    bulk.insert(rows)
    record(
        [
            replace(
                notes._event(row, "commented", by=row.by, at=row.at, channel=channel), recorded_at=recorded_at
            )
            for row in rows
        ]
    )
    return rows


def complete_many(rows: Sequence[Task], *, by: Mapping[int, Any], at: datetime, channel: str) -> None:
    """Complete tasks; `by` names the person for each id."""
    for row in rows:
        row.done_at, row.version = at, row.version + 1
    bulk.update(rows, ["done_at", "version"])
    record([tasks._event(row, "task_done", by=by[row.pk], at=at, channel=channel) for row in rows])
