"""Drafts of processes: begun, edited step by step, examined, published or asked to be."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Router, Status

from fairlead.common.access import access
from fairlead.common.refusals import Invalid, NotFound
from fairlead.common.rest import Code, IfMatch, etag, version_in
from fairlead.journal.enums import Channel

from . import services
from .examining import examine
from .models import ProcessDraft, ProcessVersion, PublishRequest
from .schemas import VersionOut
from .schemas_drafts import (
    DraftBegin,
    DraftEdit,
    DraftOut,
    DraftReplace,
    DraftsOut,
    PublishAskIn,
    PublishDecisionIn,
    PublishRequestOut,
)
from .selectors.drafts import changes_of
from .services.drafting import blank, read_draft, replace_document, templates
from .services.shipping import shipped

router = Router(tags=["process"])
NOTHING = {204: None}


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.API}


def version_out(row: ProcessVersion) -> dict[str, Any]:
    from .api import _version_out  # the room's main router includes this one

    return _version_out(ProcessVersion.objects.select_related("process").get(pk=row.pk))


@router.get("/drafts", response=DraftsOut, operation_id="drafts_list")
@access("process.publish", api=True, reads=True)
def drafts(request: HttpRequest) -> dict[str, Any]:
    """Every draft there is: at most one a process."""
    rows = ProcessDraft.objects.select_related("process", "base").order_by("process__key")
    return {"items": [_head(row) for row in rows]}


def _head(row: ProcessDraft) -> dict[str, Any]:
    number = row.document.get("version")
    return {
        "process": row.process.key, "subject": row.process.subject_type,
        "number": number if isinstance(number, int) else 0,
        "base": row.base.number if row.base else None, "version": row.version,
        "changed_by": row.changed_by_id, "changed_at": row.changed_at,
    }  # fmt: skip


def draft_out(row: ProcessDraft) -> dict[str, Any]:
    found = examine(row.document)
    asked = PublishRequest.objects.filter(process=row.process).order_by("-pk").first()
    return {
        **_head(row), "begun_by": row.begun_by_id, "begun_at": row.begun_at, "document": row.document,
        "findings": [
            {
                "level": f.level, "path": f.path, "message": f.message, "part": f.place.part, "stage": f.place.stage,
                "item": f.place.item, "twin": dict(f.twin) if f.twin else None,
            }
            for f in found.findings
        ],
        "changes": [{"sign": c.sign, "text": c.text} for c in changes_of(row, found.definition)],
        "request": request_out(asked) if asked else None,
    }  # fmt: skip


def request_out(row: PublishRequest) -> dict[str, Any]:
    return {
        "state": row.state, "asked_by": row.asked_by_id, "asked_at": row.asked_at, "comment": row.comment,
        "decided_by": row.decided_by_id, "decided_at": row.decided_at, "answer": row.answer,
    }  # fmt: skip


def _answer(response: HttpResponse, key: str) -> dict[str, Any]:
    row = read_draft(key)
    etag(response, row.version)
    return draft_out(row)


@router.get("/processes/{key}/draft", response=DraftOut, operation_id="drafts_get")
@access("process.publish", api=True, reads=True)
def draft(request: HttpRequest, response: HttpResponse, key: Code) -> dict[str, Any]:
    """The draft with everything that is wrong or doubtful about it, and what it changes."""
    return _answer(response, key)


@router.post("/processes/{key}/draft", response={201: DraftOut}, operation_id="drafts_begin")
@access("process.publish", api=True)
def begin(
    request: HttpRequest, response: HttpResponse, key: Code, payload: DraftBegin
) -> Status[dict[str, Any]]:
    """Begin a draft: of the published version, of another one, or of a document or template as a new process."""
    given: Any = payload.document
    name = {str(language): words for language, words in (payload.name or {}).items()}
    if payload.template is not None:
        if payload.template not in {*templates(), "blank"}:
            raise Invalid.field("template", _("Choose one of the list."))
        given = blank(key, "opportunity", name) if payload.template == "blank" else shipped(payload.template)
    if given is None:
        services.begin_draft(key, number=payload.version, **_how(request))
    else:
        own = given.get("process") == key and payload.template is None
        services.begin_process(given, key="" if own else key, name=name, **_how(request))
    return Status(201, _answer(response, key))


@router.delete("/processes/{key}/draft", response=NOTHING, operation_id="drafts_discard")
@access("process.publish", api=True)
def discard(request: HttpRequest, key: Code, if_match: IfMatch = None) -> Status[None]:
    """Give the draft up; published versions stay."""
    services.discard_draft(key, version=version_in(if_match), **_how(request))
    return Status(204, None)


@router.post("/processes/{key}/draft/edits", response=DraftOut, operation_id="drafts_edit")
@access("process.publish", api=True)
def edit(
    request: HttpRequest, response: HttpResponse, key: Code, payload: DraftEdit, if_match: IfMatch = None
) -> dict[str, Any]:
    """One edit. What is wrong inside the piece is refused (422); what concerns the whole is listed in `findings`."""
    given = payload.model_dump(exclude_unset=True, exclude={"op"})
    services.edit_draft(key, payload.op, given, version=version_in(if_match), **_how(request))
    return _answer(response, key)


@router.put("/processes/{key}/draft", response=DraftOut, operation_id="drafts_replace")
@access("process.publish", api=True)
def replace(
    request: HttpRequest, response: HttpResponse, key: Code, payload: DraftReplace, if_match: IfMatch = None
) -> dict[str, Any]:
    """The whole document at once, such as from a file that is kept under version control."""
    replace_document(key, payload.document, version=version_in(if_match), **_how(request))
    return _answer(response, key)


@router.post("/processes/{key}/draft/rebase", response=DraftOut, operation_id="drafts_rebase")
@access("process.publish", api=True)
def rebase(
    request: HttpRequest, response: HttpResponse, key: Code, if_match: IfMatch = None
) -> dict[str, Any]:
    """Compare the draft with the version that is published now; its content stays."""
    services.rebase_draft(key, version=version_in(if_match), **_how(request))
    return _answer(response, key)


@router.post("/processes/{key}/draft/publish", response=VersionOut, operation_id="drafts_publish")
@access("process.publish", api=True)
def publish(request: HttpRequest, key: Code, if_match: IfMatch = None) -> dict[str, Any]:
    """Publish the draft; 422 `cannot-publish` names every problem, `second-person-needed` who else may decide."""
    return version_out(services.publish_draft(key, version=version_in(if_match), **_how(request)))


@router.post("/processes/{key}/draft/request", response={201: PublishRequestOut}, operation_id="drafts_ask")
@access("process.publish", api=True)
def ask(
    request: HttpRequest, key: Code, payload: PublishAskIn, if_match: IfMatch = None
) -> Status[dict[str, Any]]:
    """Ask somebody who did not write it to publish it."""
    row = services.ask_to_publish(key, comment=payload.comment, version=version_in(if_match), **_how(request))
    return Status(201, request_out(row))


@router.post("/processes/{key}/draft/decision", response=PublishRequestOut, operation_id="drafts_decide")
@access("process.publish", api=True)
def decide(request: HttpRequest, key: Code, payload: PublishDecisionIn) -> dict[str, Any]:
    """Publish what was asked for, or refuse it with a reason; never one's own draft."""
    services.decide_publishing(key, grant=payload.grant, answer=payload.answer, **_how(request))
    row = PublishRequest.objects.filter(process__key=key).order_by("-pk").first()
    if row is None:
        raise NotFound
    return request_out(row)
