"""Activities: planned, done, cancelled. Planning one gives a record its next step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common import records
from fairlead.common.refusals import Invalid, NotFound, Stale
from fairlead.common.text import clean_text
from fairlead.journal.services import NewEvent, record

from ..enums import ActivityKind, ActivityOutcome, ActivityState
from ..models import Activity

NewActivity = dict[str, Any]


#: What stands in the calendar from here on: its event says for when, and whether a contact takes part.
_PLANNING = frozenset({"activity_planned", "activity_rescheduled", "activity_reopened"})


def _event(activity: Activity, type_: str, *, by: Any, at: datetime, channel: str) -> NewEvent:
    planned = {}
    if type_ in _PLANNING and activity.due_at is not None:
        planned = {"due": activity.due_at.isoformat(), "customer": bool(activity.contact_ids)}
    return NewEvent(
        type=type_,
        subject_type=activity.subject_type,
        subject_id=activity.subject_id,
        actor_id=by.pk if by is not None else None,
        effective_at=activity.done_at if type_ == "activity_done" and activity.done_at else at,
        recorded_at=at,
        channel=channel,
        data={
            "activity": activity.pk,
            "kind": activity.kind,
            "outcome": activity.outcome,
            "version": activity.version,
            **planned,
        },
        payload={"summary": activity.summary},
    )


def _checked(kind: str, summary: str, outcome: str, *, done: bool) -> str:
    errors = []
    if kind not in ActivityKind.values:
        errors.append({"field": "kind", "message": _("There is no such kind of activity.")})
    summary = clean_text(summary, limit=100_000).strip()
    if not summary:
        errors.append({"field": "summary", "message": _("Say in a few words what it is about.")})
    if len(summary) > 200:
        errors.append(
            {"field": "summary", "message": _("At most 200 characters; put the rest into the note.")}
        )
    if done and outcome not in ActivityOutcome.values:
        errors.append({"field": "outcome", "message": _("Choose what came of it.")})
    if errors:
        raise Invalid(errors=errors)
    return summary


def log_activity(
    subject_type: str,
    subject_id: int,
    *,
    kind: str,
    summary: str,
    outcome: str,
    done_at: datetime,
    by: Any,
    at: datetime,
    channel: str,
    note: str = "",
    contact_ids: Sequence[int] = (),
    place: str = "",
) -> Activity:
    """Write down what has happened. Raises NotFound, NotPermitted, Invalid."""
    return log_activities(
        subject_type,
        subject_id,
        [
            {
                "kind": kind,
                "summary": summary,
                "outcome": outcome,
                "done_at": done_at,
                "note": note,
                "contact_ids": list(contact_ids),
                "place": place,
            }
        ],
        by=by,
        at=at,
        channel=channel,
    )[0]


@transaction.atomic
def log_activities(
    subject_type: str, subject_id: int, wanted: Sequence[NewActivity], *, by: Any, at: datetime, channel: str
) -> list[Activity]:
    kind = records.record_type(subject_type)
    records.require(by, subject_type, subject_id, kind.edit_right)
    rows = []
    for new in wanted:
        summary = _checked(new["kind"], new["summary"], new["outcome"], done=True)
        if new["done_at"] > at:
            raise Invalid(
                errors=[{"field": "done_at", "message": _("This lies in the future. Plan it instead.")}]
            )
        rows.append(
            Activity(
                subject_type=subject_type,
                subject_id=subject_id,
                kind=new["kind"],
                state=ActivityState.DONE,
                summary=summary,
                note=clean_text(new.get("note", ""), limit=20_000, multiline=True, field="note"),
                done_at=new["done_at"],
                outcome=new["outcome"],
                contact_ids=_seen_contacts(by, new.get("contact_ids", ())),
                place=clean_text(new.get("place", ""), limit=120, field="place"),
                owner=by,
                recorded_at=at,
                closed_recorded_at=at,
            )
        )
    with kind.changing([subject_id], at):
        stored = Activity.objects.bulk_create(rows)
        record([_event(a, "activity_done", by=by, at=at, channel=channel) for a in stored])
    return stored


@transaction.atomic
def plan_activity(
    subject_type: str,
    subject_id: int,
    *,
    kind: str,
    summary: str,
    due_at: datetime,
    by: Any,
    at: datetime,
    channel: str,
    note: str = "",
    contact_ids: Sequence[int] = (),
    place: str = "",
    owner: Any = None,
) -> Activity:
    """Plan the next step. Raises NotFound, NotPermitted, Invalid."""
    record_kind = records.record_type(subject_type)
    records.require(by, subject_type, subject_id, record_kind.edit_right)
    summary = _checked(kind, summary, "", done=False)
    with record_kind.changing([subject_id], at):
        row = Activity.objects.create(
            subject_type=subject_type,
            subject_id=subject_id,
            kind=kind,
            state=ActivityState.PLANNED,
            summary=summary,
            note=clean_text(note, limit=20_000, multiline=True, field="note"),
            due_at=due_at,
            contact_ids=_seen_contacts(by, contact_ids),
            place=clean_text(place, limit=120, field="place"),
            owner=owner or by,
            recorded_at=at,
        )
        record([_event(row, "activity_planned", by=by, at=at, channel=channel)])
    return row


def _seen_contacts(by: Any, contact_ids: Sequence[int]) -> list[int]:
    if not contact_ids:
        return []
    seen = records.record_type("contact").visible_ids(by, list(contact_ids), "contact.view")
    if missing := set(contact_ids) - seen:
        raise Invalid(
            errors=[{"field": "contacts", "message": _("There is no contact %(id)s.") % {"id": min(missing)}}]
        )
    return sorted(seen)


def _standing(
    activity_id: int, version: int, by: Any, *, planned: bool = True
) -> tuple[Activity, records.RecordType]:
    row = Activity.objects.select_for_update(of=("self",)).filter(pk=activity_id).first()
    if row is None:
        raise NotFound
    kind = records.require(
        by, row.subject_type, row.subject_id, records.record_type(row.subject_type).edit_right
    )
    if row.version != version or (row.state == ActivityState.PLANNED) != planned:
        raise Stale(details={"version": row.version, "state": row.state})
    return row, kind


def _settled(activity_id: int, version: int, by: Any) -> tuple[Activity, records.RecordType]:
    return _standing(activity_id, version, by, planned=False)


@transaction.atomic
def complete_activity(
    activity_id: int,
    *,
    version: int,
    outcome: str,
    by: Any,
    at: datetime,
    channel: str,
    note: str = "",
    done_at: datetime | None = None,
) -> Activity:
    """A planned activity has happened."""
    row, kind = _standing(activity_id, version, by)
    _checked(row.kind, row.summary, outcome, done=True)
    note_before = row.note
    with kind.changing([row.subject_id], at):
        row.state, row.outcome, row.done_at = ActivityState.DONE, outcome, done_at or at
        row.note = clean_text(note, limit=20_000, multiline=True, field="note") or row.note
        row.closed_recorded_at, row.version = at, row.version + 1
        row.save()
        event = _event(row, "activity_done", by=by, at=at, channel=channel)
        if row.note != note_before:
            event.payload["note_before"] = note_before
        record([event])
    return row


@transaction.atomic
def reopen_activity(
    activity_id: int, *, version: int, by: Any, at: datetime, channel: str, note: str | None = None
) -> Activity:
    """What was done or cancelled is planned again, and with `note` says what it said before.

    Raises NotFound, NotPermitted, Stale.
    """
    row, kind = _settled(activity_id, version, by)
    if row.due_at is None:
        raise Invalid.field("state", _("This was never planned."))
    with kind.changing([row.subject_id], at):
        row.state, row.outcome, row.done_at, row.closed_recorded_at = ActivityState.PLANNED, "", None, None
        row.note = row.note if note is None else note
        row.version += 1
        row.save()
        record([_event(row, "activity_reopened", by=by, at=at, channel=channel)])
    return row


@transaction.atomic
def remove_activity(activity_id: int, *, version: int, by: Any, at: datetime, channel: str) -> Activity:
    """What was written down did not happen: it counts nowhere any more. Raises NotFound, NotPermitted, Stale."""
    row, kind = _settled(activity_id, version, by)
    with kind.changing([row.subject_id], at):
        row.state, row.outcome, row.done_at = ActivityState.CANCELLED, "", None
        row.closed_recorded_at, row.version = at, row.version + 1
        row.save()
        record([_event(row, "activity_removed", by=by, at=at, channel=channel)])
    return row


@transaction.atomic
def cancel_activity(activity_id: int, *, version: int, by: Any, at: datetime, channel: str) -> Activity:
    row, kind = _standing(activity_id, version, by)
    with kind.changing([row.subject_id], at):
        row.state, row.closed_recorded_at, row.version = ActivityState.CANCELLED, at, row.version + 1
        row.save()
        record([_event(row, "activity_cancelled", by=by, at=at, channel=channel)])
    return row


@transaction.atomic
def reschedule_activity(
    activity_id: int, *, version: int, due_at: datetime, by: Any, at: datetime, channel: str
) -> Activity:
    """Another time for something planned. Raises NotFound, NotPermitted, Stale."""
    row, kind = _standing(activity_id, version, by)
    before = row.due_at
    with kind.changing([row.subject_id], at):
        row.due_at, row.version = due_at, row.version + 1
        row.save(update_fields=["due_at", "version"])
        event = _event(row, "activity_rescheduled", by=by, at=at, channel=channel)
        event.data.update({"before": before, "after": due_at})
        record([event])
    return row
