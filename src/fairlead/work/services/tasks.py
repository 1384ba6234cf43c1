"""Plain tasks inside the house; those with a `list_key` are counted by gates."""

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


def _event(row: Task, type_: str, *, by: Any, at: datetime, channel: str) -> NewEvent:
    return NewEvent(
        type=type_,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        actor_id=by.pk if by is not None else None,
        effective_at=at,
        channel=channel,
        data={"task": row.pk, "list": row.list_key, "version": row.version},
        payload={"title": row.title},
    )


@transaction.atomic
def add_task(
    subject_type: str,
    subject_id: int,
    *,
    title: str,
    by: Any,
    at: datetime,
    channel: str,
    list_key: str = "",
    assignee: Any = None,
    due_date: date | None = None,
) -> Task:
    """Something to be done about a record. Whoever is to do it must see it, and is told.

    Raises NotFound, NotPermitted, Invalid.
    """
    kind = records.record_type(subject_type)
    records.require(by, subject_type, subject_id, kind.edit_right)
    title = clean_text(title, limit=100_000, field="title").strip()
    if not title or len(title) > 200:
        raise Invalid(errors=[{"field": "title", "message": _("Write 1 to 200 characters.")}])
    if assignee is not None and not kind.sees(assignee, subject_id):
        raise Invalid.field(
            "assignee", _("%(name)s may not see this record. Choose somebody else.") % {"name": assignee.name}
        )
    with kind.changing([subject_id], at):
        row = Task.objects.create(
            subject_type=subject_type,
            subject_id=subject_id,
            title=title,
            list_key=list_key[:60],
            assignee=assignee,
            due_date=due_date,
            created_by=by,
            created_at=at,
        )
        record([_event(row, "task_added", by=by, at=at, channel=channel)])
    if assignee is not None:
        notify(
            recipients=[assignee.pk],
            reason=Reason.ASSIGNED,
            subject_type=subject_type,
            subject_id=subject_id,
            text=("task_assigned", {"task": row.pk}),
            by=by,
            at=at,
        )
    return row


def _change(
    task_id: int,
    version: int,
    type_: str,
    *,
    by: Any,
    at: datetime,
    channel: str,
    removed: bool = False,
    **values: Any,
) -> Task:
    """Whoever works on the record; what is given to somebody who only sees it, that person may settle too."""
    rows = Task.objects.select_for_update(of=("self",))
    row = rows.filter(pk=task_id, removed_at__isnull=not removed).first()
    if row is None:
        raise NotFound
    kind = records.record_type(row.subject_type)
    settles = row.assignee_id == by.pk and "removed_at" not in values and by.may("comment.add")
    records.require(by, row.subject_type, row.subject_id, kind.view_right if settles else kind.edit_right)
    if row.version != version:
        raise Stale(details={"version": row.version})
    with kind.changing([row.subject_id], at):
        for name, value in values.items():
            setattr(row, name, value)
        row.version += 1
        row.save()
        record([_event(row, type_, by=by, at=at, channel=channel)])
    return row


@transaction.atomic
def complete_task(task_id: int, *, version: int, by: Any, at: datetime, channel: str) -> Task:
    return _change(task_id, version, "task_done", by=by, at=at, channel=channel, done_at=at)


@transaction.atomic
def reopen_task(task_id: int, *, version: int, by: Any, at: datetime, channel: str) -> Task:
    return _change(task_id, version, "task_reopened", by=by, at=at, channel=channel, done_at=None)


@transaction.atomic
def remove_task(task_id: int, *, version: int, by: Any, at: datetime, channel: str) -> Task:
    return _change(task_id, version, "task_removed", by=by, at=at, channel=channel, removed_at=at)


@transaction.atomic
def restore_task(task_id: int, *, version: int, by: Any, at: datetime, channel: str) -> Task:
    """A removed task stands again."""
    return _change(
        task_id, version, "task_restored", by=by, at=at, channel=channel, removed=True, removed_at=None
    )
