"""Changing a task: its words, who does it, until when."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common import records
from fairlead.common.refusals import Invalid, NotFound, Stale
from fairlead.common.text import clean_text
from fairlead.journal.services import NewEvent, record

from ..enums import Reason
from ..models import Task
from .notifications import notify


@transaction.atomic
def edit_task(
    task_id: int,
    *,
    title: str,
    assignee: Any,
    due_date: date | None,
    version: int,
    by: Any,
    at: datetime,
    channel: str,
) -> Task:
    """Other words, another person, another day. Whoever gets it must see the record, and is told.

    Raises NotFound, NotPermitted, Stale, Invalid; a task that is done is opened again first.
    """
    row = Task.objects.select_for_update(of=("self",)).filter(pk=task_id, removed_at=None).first()
    if row is None:
        raise NotFound
    kind = records.record_type(row.subject_type)
    records.require(by, row.subject_type, row.subject_id, kind.edit_right)
    if row.version != version:
        raise Stale(details={"version": row.version})
    title = clean_text(title, limit=100_000, field="title").strip()
    if not title or len(title) > 200:
        raise Invalid.field("title", _("Write 1 to 200 characters."))
    if row.done_at is not None:
        raise Invalid.field("", _("This is done already. Reopen it to change it."))
    is_new = assignee is not None and assignee.pk != row.assignee_id
    if is_new and not kind.sees(assignee, row.subject_id):
        raise Invalid.field(
            "assignee", _("%(name)s may not see this record. Choose somebody else.") % {"name": assignee.name}
        )
    before = _values(row)
    row.title, row.assignee, row.due_date = title, assignee, due_date
    after = _values(row)
    if after == before:
        return row
    row.version += 1
    with kind.changing([row.subject_id], at):
        row.save(update_fields=["title", "assignee", "due_date", "version"])
        record([_event(row, before, after, by=by, at=at, channel=channel)])
    if is_new:
        notify(
            recipients=[assignee.pk],
            reason=Reason.ASSIGNED,
            subject_type=row.subject_type,
            subject_id=row.subject_id,
            text=("task_assigned", {"task": row.pk}),
            by=by,
            at=at,
        )
    return row


def _values(row: Task) -> dict[str, Any]:
    day = row.due_date.isoformat() if row.due_date is not None else None
    return {"title": row.title, "assignee": row.assignee_id, "due_date": day}


def _event(
    row: Task, before: dict[str, Any], after: dict[str, Any], *, by: Any, at: datetime, channel: str
) -> NewEvent:
    changed = [name for name in after if after[name] != before[name]]
    return NewEvent(
        type="task_edited",
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        actor_id=by.pk,
        effective_at=at,
        channel=channel,
        data={"task": row.pk, "list": row.list_key, "version": row.version, "fields": changed},
        payload={"title": row.title, "before": before, "after": after},
    )
