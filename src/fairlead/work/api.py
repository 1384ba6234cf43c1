"""What is done and filed about a record. Its kind decides who may: the right stands on the record, not here."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import File as FilePart
from ninja import Form, Query, Router, Status, UploadedFile

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.refusals import Invalid, NotFound
from fairlead.common.rest import MOST, BadInput, Cut, IfMatch, PathId, Sort, cut, etag, listed, version_in
from fairlead.journal.enums import Channel

from . import services
from .api_inbox import router as inbox
from .api_keeping import router as keeping
from .models import Activity, Comment, File, Task
from .schemas import (
    ActivityOut,
    CommentEditIn,
    CommentIn,
    CommentOut,
    CompletedActivityIn,
    FileIn,
    FileOut,
    LoggedActivityIn,
    PlannedActivityIn,
    ReactionIn,
    TaskChange,
    TaskIn,
    TaskOut,
    activity_out,
    colleague,
    comment_out,
    file_out,
    task_out,
)
from .serving import given_out

router = Router(tags=["work"])
router.add_router("", inbox)
router.add_router("", keeping)

SubjectType = Annotated[str, Query(pattern=r"^[a-z_]{1,30}$")]
SubjectId = Annotated[int, Query(ge=1, le=10**15 - 1)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
BINARY = {"type": "string", "format": "binary"}
NEWEST = Sort("newest", "pk", descending=True)


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.API}


def _about(request: HttpRequest, model: Any, subject_type: str, subject_id: int) -> Any:
    kind = records.record_type(subject_type)
    if not kind.sees(request.user, subject_id):
        raise NotFound
    return model.objects.filter(subject_type=subject_type, subject_id=subject_id)


def _one(request: HttpRequest, model: Any, pk: int, **filters: Any) -> Any:
    row = model.objects.filter(pk=pk, **filters).first()
    if row is None or not records.record_type(row.subject_type).sees(request.user, row.subject_id):
        raise NotFound
    return row


# --- activities ---


@router.get("/activities", response=Cut[ActivityOut], operation_id="activities_list")
@access("signed-in", api=True)
def activities(
    request: HttpRequest,
    subject_type: SubjectType,
    subject_id: SubjectId,
    cursor: str = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """Planned, done and cancelled activities of a record, the newest first."""
    rows, following = cut(_about(request, Activity, subject_type, subject_id), NEWEST, cursor, limit)
    return listed(map(activity_out, rows), following)


@router.get("/activities/{id:pk}", response=ActivityOut, operation_id="activities_get")
@access("signed-in", api=True)
def activity(request: HttpRequest, response: HttpResponse, pk: PathId) -> dict[str, Any]:
    row = _one(request, Activity, pk)
    etag(response, row.version)
    return activity_out(row)


@router.post("/activities/log", response={201: ActivityOut}, operation_id="activities_log")
@access("signed-in", api=True)
def log_activity(
    request: HttpRequest, response: HttpResponse, payload: LoggedActivityIn
) -> Status[dict[str, Any]]:
    """Write down what has happened, and what came of it."""
    row = services.log_activity(
        payload.subject_type, payload.subject_id, kind=payload.kind, summary=payload.summary, outcome=payload.outcome,
        done_at=payload.done_at, note=payload.note, contact_ids=payload.contacts, **_how(request),
    )  # fmt: skip
    etag(response, row.version)
    return Status(201, activity_out(row))


@router.post("/activities/plan", response={201: ActivityOut}, operation_id="activities_plan")
@access("signed-in", api=True)
def plan_activity(
    request: HttpRequest, response: HttpResponse, payload: PlannedActivityIn
) -> Status[dict[str, Any]]:
    """Plan an activity: the earliest one planned is the record's next step."""
    row = services.plan_activity(
        payload.subject_type, payload.subject_id, kind=payload.kind, summary=payload.summary, due_at=payload.due_at,
        note=payload.note, contact_ids=payload.contacts, owner=colleague(payload.owner, "owner"), **_how(request),
    )  # fmt: skip
    etag(response, row.version)
    return Status(201, activity_out(row))


@router.post("/activities/{id:pk}/complete", response=ActivityOut, operation_id="activities_complete")
@access("signed-in", api=True)
def complete_activity(
    request: HttpRequest,
    response: HttpResponse,
    pk: PathId,
    payload: CompletedActivityIn,
    if_match: IfMatch = None,
) -> dict[str, Any]:
    """A planned activity has happened."""
    if payload.done_at is not None and payload.done_at > timezone.now():
        raise Invalid.field("done_at", _("This lies in the future. Plan it instead."))
    row = services.complete_activity(
        pk, version=version_in(if_match), outcome=payload.outcome, note=payload.note, done_at=payload.done_at,
        **_how(request),
    )  # fmt: skip
    etag(response, row.version)
    return activity_out(row)


@router.post("/activities/{id:pk}/cancel", response=ActivityOut, operation_id="activities_cancel")
@access("signed-in", api=True)
def cancel_activity(
    request: HttpRequest, response: HttpResponse, pk: PathId, if_match: IfMatch = None
) -> dict[str, Any]:
    """It will not happen."""
    row = services.cancel_activity(pk, version=version_in(if_match), **_how(request))
    etag(response, row.version)
    return activity_out(row)


# --- comments ---


@router.get("/comments", response=Cut[CommentOut], operation_id="comments_list")
@access("signed-in", api=True)
def comments(
    request: HttpRequest,
    subject_type: SubjectType,
    subject_id: SubjectId,
    cursor: str = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    rows = _about(request, Comment, subject_type, subject_id).filter(removed_at=None)
    found, following = cut(rows, NEWEST, cursor, limit)
    return listed(map(comment_out, found), following)


@router.post("/comments", response={201: CommentOut}, operation_id="comments_create")
@access("signed-in", api=True)
def add_comment(request: HttpRequest, response: HttpResponse, payload: CommentIn) -> Status[dict[str, Any]]:
    """Whoever sees a record may comment on it; an auditor only reads. `untold`: names called in vain."""
    row = services.add_comment(payload.subject_type, payload.subject_id, text=payload.text, **_how(request))
    etag(response, row.version)
    return Status(201, comment_out(row))


@router.patch("/comments/{id:pk}", response=CommentOut, operation_id="comments_edit")
@access("signed-in", api=True)
def edit_comment(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: CommentEditIn, if_match: IfMatch = None
) -> dict[str, Any]:
    """Change one's own comment, within a day."""
    row = services.edit_comment(pk, version=version_in(if_match), text=payload.text, **_how(request))
    etag(response, row.version)
    return comment_out(row)


@router.post("/comments/{id:pk}/react", response={204: None}, operation_id="comments_react")
@access("signed-in", api=True)
def react(request: HttpRequest, pk: PathId, payload: ReactionIn) -> Status[None]:
    """A nod, or the same one taken back."""
    services.react(pk, payload.kind, **_how(request))
    return Status(204, None)


@router.delete("/comments/{id:pk}", response={204: None}, operation_id="comments_remove")
@access("signed-in", api=True)
def remove_comment(request: HttpRequest, pk: PathId) -> Status[None]:
    """Take back one's own comment."""
    services.remove_comment(pk, **_how(request))
    return Status(204, None)


# --- tasks ---


@router.get("/tasks", response=Cut[TaskOut], operation_id="tasks_list")
@access("signed-in", api=True)
def tasks(
    request: HttpRequest,
    subject_type: SubjectType,
    subject_id: SubjectId,
    cursor: str = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    rows = _about(request, Task, subject_type, subject_id).filter(removed_at=None)
    found, following = cut(rows, NEWEST, cursor, limit)
    return listed(map(task_out, found), following)


@router.get("/tasks/{id:pk}", response=TaskOut, operation_id="tasks_get")
@access("signed-in", api=True)
def task(request: HttpRequest, response: HttpResponse, pk: PathId) -> dict[str, Any]:
    row = _one(request, Task, pk, removed_at=None)
    etag(response, row.version)
    return task_out(row)


@router.post("/tasks", response={201: TaskOut}, operation_id="tasks_create")
@access("signed-in", api=True)
def add_task(request: HttpRequest, response: HttpResponse, payload: TaskIn) -> Status[dict[str, Any]]:
    row = services.add_task(
        payload.subject_type, payload.subject_id, title=payload.title, list_key=payload.list_key,
        assignee=colleague(payload.assignee, "assignee"), due_date=payload.due_date, **_how(request),
    )  # fmt: skip
    etag(response, row.version)
    return Status(201, task_out(row))


@router.patch("/tasks/{id:pk}", response=TaskOut, operation_id="tasks_edit")
@access("signed-in", api=True)
def edit_task(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: TaskChange, if_match: IfMatch = None
) -> dict[str, Any]:
    """Other words, another person, another day; what is not sent stays. 422 for a task that is done."""
    row = _one(request, Task, pk, removed_at=None)
    sent = payload.model_dump(exclude_unset=True)
    row = services.edit_task(
        pk,
        title=sent.get("title", row.title),
        assignee=colleague(sent["assignee"], "assignee") if "assignee" in sent else row.assignee,
        due_date=sent.get("due_date", row.due_date),
        version=version_in(if_match),
        **_how(request),
    )
    etag(response, row.version)
    return task_out(row)


@router.post("/tasks/{id:pk}/complete", response=TaskOut, operation_id="tasks_complete")
@access("signed-in", api=True)
def complete_task(
    request: HttpRequest, response: HttpResponse, pk: PathId, if_match: IfMatch = None
) -> dict[str, Any]:
    row = services.complete_task(pk, version=version_in(if_match), **_how(request))
    etag(response, row.version)
    return task_out(row)


@router.post("/tasks/{id:pk}/reopen", response=TaskOut, operation_id="tasks_reopen")
@access("signed-in", api=True)
def reopen_task(
    request: HttpRequest, response: HttpResponse, pk: PathId, if_match: IfMatch = None
) -> dict[str, Any]:
    row = services.reopen_task(pk, version=version_in(if_match), **_how(request))
    etag(response, row.version)
    return task_out(row)


@router.delete("/tasks/{id:pk}", response={204: None}, operation_id="tasks_remove")
@access("signed-in", api=True)
def remove_task(request: HttpRequest, pk: PathId, if_match: IfMatch = None) -> Status[None]:
    services.remove_task(pk, version=version_in(if_match), **_how(request))
    return Status(204, None)


# --- files ---


@router.get("/files", response=Cut[FileOut], operation_id="files_list")
@access("signed-in", api=True)
def files(
    request: HttpRequest,
    subject_type: SubjectType,
    subject_id: SubjectId,
    cursor: str = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """The documents of a record, the newest first, withdrawn ones with them."""
    rows, following = cut(_about(request, File, subject_type, subject_id), NEWEST, cursor, limit)
    return listed(map(file_out, rows), following)


@router.post("/files", response={201: FileOut}, operation_id="files_upload")
@access("signed-in", api=True)
def add_file(
    request: HttpRequest, payload: Form[FileIn], content: Annotated[UploadedFile | None, FilePart()] = None
) -> Status[dict[str, Any]]:
    """File a document as `multipart/form-data`: its content, or only where it is filed. Versions of a kind count up."""
    for name in {*request.POST, *request.FILES} - {*FileIn.model_fields, "content"}:
        raise BadInput.field(name.encode("utf-8", "replace").decode()[:60], "Extra inputs are not permitted")
    row = services.add_file(
        payload.subject_type, payload.subject_id, kind=payload.kind,
        name=payload.name or (content.name if content is not None else None) or "",
        content=content.read() if content is not None else None,
        media_type=(content.content_type if content is not None else None) or "", reference=payload.reference,
        by_customer=payload.by_customer, signed=payload.signed, valid_until=payload.valid_until, **_how(request),
    )  # fmt: skip
    return Status(201, file_out(row))


@router.get("/files/{id:pk}", response=FileOut, operation_id="files_get")
@access("signed-in", api=True)
def file(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    return file_out(_one(request, File, pk))


@router.get(
    "/files/{id:pk}/content", operation_id="files_download",
    openapi_extra={"responses": {200: {"content": {"application/octet-stream": {"schema": BINARY}}}}},
)  # fmt: skip
@access("signed-in", api=True)
def download(request: HttpRequest, pk: PathId) -> HttpResponse:
    """The content, always as a download. 404 for a document that is only filed elsewhere."""
    return given_out(_one(request, File, pk))  # type: ignore[return-value]


@router.post("/files/{id:pk}/withdraw", response=FileOut, operation_id="files_withdraw")
@access("signed-in", api=True)
def withdraw_file(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """It stays, and no longer counts at any gate."""
    return file_out(services.withdraw_file(pk, **_how(request)))
