"""How the acts of this room are taken back: each by a verb of its own, if nothing happened to the thing since."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from fairlead.common import records
from fairlead.common.refusals import NotFound, Stale
from fairlead.journal.models import Event
from fairlead.journal.undoing import CannotUndo, undo_with
from fairlead.organisation.models import User

from ..enums import ActivityState
from ..models import Activity, Comment, File, Follow, Task
from .activities import cancel_activity, remove_activity, reopen_activity, reschedule_activity
from .files import restore_file, withdraw_file
from .notes import edit_comment, react, remove_comment, restore_comment
from .notifications import set_attention
from .task_edits import edit_task
from .tasks import complete_task, remove_task, reopen_task, restore_task

How = dict[str, Any]


def changed_since(event: Event, *, same: str = "") -> CannotUndo:
    """The refusal that says who changed it since; `same`: the number of `data` that names the thing."""
    later = Event.objects.about(event.subject_type, [event.subject_id]).filter(id__gt=event.pk)
    if same:
        later = later.filter(**{f"data__{same}": event.data.get(same)})
    last = later.order_by("-id").first()
    if last is None:
        return CannotUndo()
    name = User.objects.filter(pk=last.actor_id).values_list("name", flat=True).first() or _("Fairlead")
    at = timezone.localtime(last.recorded_at)
    return CannotUndo(
        _("%(name)s changed this on %(day)s at %(time)s. It stays as it is now.")
        % {"name": name, "day": at.strftime("%Y-%m-%d"), "time": at.strftime("%H:%M")}
    )


def _activity(event: Event) -> Activity:
    """The activity as this act left it."""
    row = Activity.objects.filter(pk=event.data.get("activity", 0)).first()
    if row is None or row.version != event.data.get("version"):
        raise changed_since(event, same="activity")
    return row


def told_of(event: Event) -> dict[str, Any]:
    """The values of before and after, unless they were erased."""
    detail = getattr(event, "detail", None)
    if event.detail_hash and (detail is None or detail.purged_at is not None):
        raise CannotUndo(_("What it was before has been erased."))
    return dict(detail.payload) if detail is not None else {}


def _done(event: Event, how: How) -> None:
    row = _activity(event)
    if row.due_at is None:
        remove_activity(row.pk, version=row.version, **how)
        return
    note = told_of(event).get("note_before")
    reopen_activity(row.pk, version=row.version, note=note, **how)


def _planned(event: Event, how: How) -> None:
    row = _activity(event)
    cancel_activity(row.pk, version=row.version, **how)


def _cancelled(event: Event, how: How) -> None:
    row = _activity(event)
    reopen_activity(row.pk, version=row.version, **how)


def _rescheduled(event: Event, how: How) -> None:
    row = _activity(event)
    before = parse_datetime(str(event.data.get("before", "")))
    if before is None or row.state != ActivityState.PLANNED:
        raise changed_since(event, same="activity")
    reschedule_activity(row.pk, version=row.version, due_at=before, **how)


def _task_way(verb: Any) -> Any:
    def run(event: Event, how: How) -> None:
        pk, version = event.data.get("task", 0), event.data.get("version", 0)
        try:
            verb(pk, version=version, **how)
        except (Stale, NotFound) as refusal:
            # Only whoever sees the record may hear what happened there.
            row = Task.objects.filter(pk=pk).first()
            if row is None or (isinstance(refusal, NotFound) and not _sees(event, how)):
                raise
            raise changed_since(event, same="task") from refusal

    return run


def _task_edited(event: Event, how: How) -> None:
    """Words, person and day of before, if nobody touched the task since."""
    row = Task.objects.filter(pk=event.data.get("task", 0), removed_at=None).first()
    before = told_of(event).get("before", {})
    if row is None or row.version != event.data.get("version") or not before:
        raise changed_since(event, same="task")
    day = str(before.get("due_date") or "")
    edit_task(
        row.pk,
        title=str(before.get("title", "")),
        assignee=User.objects.filter(pk=before.get("assignee") or 0).first(),
        due_date=parse_date(day) if day else None,
        version=row.version,
        **how,
    )


def _sees(event: Event, how: How) -> bool:
    return records.record_type(event.subject_type).sees(how["by"], event.subject_id)


def _comment_removed(event: Event, how: How) -> None:
    row = Comment.objects.filter(pk=event.data.get("comment", 0)).first()
    if row is None or row.removed_at != event.effective_at:
        raise changed_since(event, same="comment")
    restore_comment(row.pk, **how)


def _commented(event: Event, how: How) -> None:
    row = Comment.objects.filter(pk=event.data.get("comment", 0)).first()
    if row is None or row.removed_at is not None or row.version != 1:
        raise changed_since(event, same="comment")
    remove_comment(row.pk, **how)


def _comment_edited(event: Event, how: How) -> None:
    told = told_of(event)
    row = Comment.objects.filter(pk=event.data.get("comment", 0)).first()
    if row is None or row.removed_at is not None or row.text != told.get("after"):
        raise changed_since(event, same="comment")
    edit_comment(row.pk, version=row.version, text=str(told.get("before", "")), **how)


def _reacted(event: Event, how: How) -> None:
    """The same nod once more gives or takes it."""
    row = Comment.objects.filter(pk=event.data.get("comment", 0), removed_at=None).first()
    kind = event.data.get("kind", "")
    if row is None:
        raise changed_since(event, same="comment")
    stands = row.reactions.filter(by=how["by"], kind=kind).exists()
    if stands != (event.type == "reaction_given"):
        raise changed_since(event, same="comment")
    react(row.pk, kind, **how)


def _file_added(event: Event, how: How) -> None:
    withdraw_file(_file(event, withdrawn=False).pk, **how)


def _file_withdrawn(event: Event, how: How) -> None:
    row = _file(event, withdrawn=True)
    if row.withdrawn_at != event.effective_at:
        raise changed_since(event, same="file")
    restore_file(row.pk, **how)


def _file(event: Event, *, withdrawn: bool) -> File:
    row = File.objects.filter(pk=event.data.get("file", 0), withdrawn_at__isnull=not withdrawn).first()
    if row is None:
        raise changed_since(event, same="file")
    return row


def _attention(event: Event, how: How) -> None:
    kind, pk = event.subject_type, event.subject_id
    rows = Follow.objects.filter(person=how["by"], subject_type=kind, subject_id=pk)
    if (rows.values_list("attention", flat=True).first() or "") != event.data.get("after"):
        raise CannotUndo
    set_attention(kind, pk, event.data["before"], unread=event.data.get("unread", 0), **how)


def register_ways_back() -> None:
    """Called once, when the room starts."""
    undo_with("activity_done", _done)
    undo_with("activity_planned", _planned)
    undo_with("activity_cancelled", _cancelled)
    undo_with("activity_rescheduled", _rescheduled)
    undo_with("task_added", _task_way(remove_task))
    undo_with("task_edited", _task_edited)
    undo_with("task_done", _task_way(reopen_task))
    undo_with("task_reopened", _task_way(complete_task))
    undo_with("task_removed", _task_way(restore_task))
    undo_with("comment_removed", _comment_removed)
    undo_with("commented", _commented)
    undo_with("comment_edited", _comment_edited)
    undo_with("reaction_given", _reacted)
    undo_with("reaction_taken", _reacted)
    undo_with("file_added", _file_added)
    undo_with("file_withdrawn", _file_withdrawn)
    undo_with("attention_set", _attention)
