"""Shapes of activities, comments, tasks and files in the API."""

from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from pydantic import Field

from fairlead.common.rest import MAX_ID, Answer, Body, Day, Id, Instant, Long
from fairlead.organisation.models import User

from .forms import the_colleague
from .models import Activity, Comment, File, NotificationPreference, Task

SubjectType = Annotated[
    str, Field(pattern=r"^[a-z_]{1,30}$", description="opportunity, account, contact, segment, contract")
]
Short = Annotated[str, Field(min_length=1, max_length=200)]
Contacts = Annotated[list[Id], Field(max_length=50)]
ActivityKinds = Literal[
    "call", "meeting", "visit", "email", "chat", "demo", "site_visit", "workshop", "other"
]
Outcomes = Literal["agreed", "talked", "answered", "declined", "no_answer", "sent"]


class About(Body):
    """Which record it is about."""

    subject_type: SubjectType
    subject_id: Id


class LoggedActivityIn(About):
    kind: ActivityKinds
    summary: Short
    outcome: Outcomes
    done_at: Instant
    note: Long = ""
    contacts: Contacts = []


class PlannedActivityIn(About):
    kind: ActivityKinds
    summary: Short
    due_at: Instant
    note: Long = ""
    contacts: Contacts = []
    owner: Id | None = None


class CompletedActivityIn(Body):
    outcome: Outcomes
    note: Long = ""
    done_at: Instant | None = None


class ActivityOut(Answer):
    id: int
    subject_type: str
    subject_id: int
    kind: str
    state: str
    summary: str
    note: str
    due_at: datetime | None
    done_at: datetime | None
    outcome: str
    contacts: list[int]
    owner: int
    recorded_at: datetime
    version: int


class CommentIn(About):
    text: Annotated[str, Field(min_length=1, max_length=10_000)]


class CommentEditIn(Body):
    text: Annotated[str, Field(min_length=1, max_length=10_000)]


class ReactionIn(Body):
    kind: Literal["agree", "seen", "thanks", "question"]


class CommentOut(Answer):
    """`mentions` are told; `untold` are names that may not see the record, said once, to who wrote them."""

    id: int
    subject_type: str
    subject_id: int
    text: str
    mentions: list[int]
    untold: list[str]
    by: int
    at: datetime
    edited_at: datetime | None
    version: int


class NotificationOut(Answer):
    """What is new about one record: why one is told, how much, and the newest sentences."""

    id: int
    subject_type: str
    subject_id: int
    title: str
    reason: str
    unread: int
    last_at: datetime
    entries: list[str]


class ReadIn(Body):
    ids: Annotated[list[Id], Field(max_length=200)] | None = None


HourOfDay = Annotated[
    str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="HH:MM, one's own clock")
]


class NotificationSettingsIn(Body):
    """`weekly`: what the system gave back last week stands in the first mail of a week."""

    digest: Literal["none", "soon", "daily"] = "none"
    daily_at: HourOfDay = "08:30"
    quiet_from: HourOfDay | None = None
    quiet_until: HourOfDay | None = None
    quiet_days_off: bool = True
    weekly: bool = True


class NotificationSettingsOut(Answer):
    """How one is told by mail. `quiet_days_off`: no mail on days off of the working calendar."""

    digest: Literal["none", "soon", "daily"]
    daily_at: time
    quiet_from: time | None
    quiet_until: time | None
    quiet_days_off: bool
    weekly: bool
    version: int


def settings_out(row: NotificationPreference) -> dict[str, Any]:
    return {name: getattr(row, name) for name in NotificationSettingsOut.model_fields}


class AttentionIn(About):
    attention: Literal["", "followed", "muted"]


class TaskIn(About):
    title: Short
    list_key: Annotated[
        str, Field(pattern=r"^[a-z0-9_]{0,60}$", description="Groups tasks that a gate counts")
    ] = ""
    assignee: Id | None = None
    due_date: Day | None = None


class TaskChange(Body):
    """What is left out stays as it is; null empties it."""

    title: Short = ""
    assignee: Id | None = None
    due_date: Day | None = None


class TaskOut(Answer):
    id: int
    subject_type: str
    subject_id: int
    title: str
    list_key: str
    assignee: int | None
    due_date: date | None
    done_at: datetime | None
    created_at: datetime
    version: int


class FileIn(About):
    """`reference` says where a document is filed that is not sent; one of it and `content` is needed."""

    subject_id: Annotated[int, Field(ge=1, le=MAX_ID)]  # the parts of a form are text
    kind: Annotated[
        str,
        Field(
            pattern=r"^([a-z][a-z0-9_]{0,59})?$",
            description="What gates ask for; blank for the next edition of a known name",
        ),
    ] = ""
    name: Annotated[str, Field(max_length=255)] = ""
    reference: Annotated[str, Field(max_length=500)] = ""
    by_customer: bool = False
    signed: bool = False
    valid_until: Day | None = None


class FileOut(Answer):
    id: int
    subject_type: str
    subject_id: int
    kind: str
    name: str
    reference: str
    media_type: str
    size: int
    sha256: str
    number: int
    edition: int
    by_customer: bool
    signed: bool
    valid_until: date | None
    added_by: int | None
    added_at: datetime
    withdrawn_at: datetime | None


def colleague(pk: int | None, field: str) -> User | None:
    return None if pk is None else the_colleague(pk, field)


def activity_out(row: Activity) -> dict[str, Any]:
    return {
        "id": row.pk, "subject_type": row.subject_type, "subject_id": row.subject_id, "kind": row.kind,
        "state": row.state, "summary": row.summary, "note": row.note, "due_at": row.due_at, "done_at": row.done_at,
        "outcome": row.outcome, "contacts": row.contact_ids, "owner": row.owner_id, "recorded_at": row.recorded_at,
        "version": row.version,
    }  # fmt: skip


def comment_out(row: Comment) -> dict[str, Any]:
    return {
        "id": row.pk, "subject_type": row.subject_type, "subject_id": row.subject_id, "text": row.text,
        "mentions": row.mentions, "untold": list(row.untold), "by": row.by_id, "at": row.at, "edited_at": row.edited_at,
        "version": row.version,
    }  # fmt: skip


def task_out(row: Task) -> dict[str, Any]:
    return {
        "id": row.pk, "subject_type": row.subject_type, "subject_id": row.subject_id, "title": row.title,
        "list_key": row.list_key, "assignee": row.assignee_id, "due_date": row.due_date, "done_at": row.done_at,
        "created_at": row.created_at, "version": row.version,
    }  # fmt: skip


def file_out(row: File) -> dict[str, Any]:
    return {
        "id": row.pk, "subject_type": row.subject_type, "subject_id": row.subject_id, "kind": row.kind, "name": row.name,
        "reference": row.reference, "media_type": row.media_type, "size": row.size, "sha256": row.sha256,
        "number": row.number, "edition": row.edition,
        "by_customer": row.by_customer, "signed": row.signed, "valid_until": row.valid_until,
        "added_by": row.added_by_id, "added_at": row.added_at, "withdrawn_at": row.withdrawn_at,
    }  # fmt: skip
