"""Drafts: the next version of a process while it is written. No running deal is touched by any of it (VR-1).

A draft may be unfinished: it is stored with whatever problems it has, and publishing alone asks that there be none.
An edit that makes its own piece unreadable is refused; what concerns the document as a whole is listed beside it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.fields.catalogue import subject_types
from fairlead.journal.services import NewEvent, record

from ..document import KEY
from ..editing import edit
from ..editing_approvals import PIECES as APPROVAL_PIECES
from ..editing_lists import PIECES as STAGE_LIST_PIECES
from ..enums import Mode, RequestState, VersionStatus
from ..examining import Examination, examine
from ..loading import SCHEMA_VERSION
from ..models import Process, ProcessDraft, ProcessVersion, PublishRequest
from ..refusals import BaseMoved, DraftExists
from .publishing import PUBLISH, publish, refusal_of, require_second
from .shipping import TEMPLATES, shipped

MAX_NAME = 100


def templates() -> list[str]:
    """The keys of the documents that a new process may begin from."""
    return sorted({key for keys in TEMPLATES.values() for key in keys})


def draft_of(process_key: str, *, by: Any) -> ProcessDraft:
    """The draft of a process. Raises NotPermitted, NotFound."""
    if not by.may(PUBLISH):
        raise NotPermitted
    return read_draft(process_key)


def read_draft(process_key: str) -> ProcessDraft:
    """The draft of a process, for a door that has asked who reads. Raises NotFound."""
    found = (
        ProcessDraft.objects.select_related("process", "base", "changed_by", "begun_by")
        .filter(process__key=process_key)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def published_of(process: Process) -> ProcessVersion | None:
    return process.versions.filter(status=VersionStatus.PUBLISHED).first()


def next_number(process: Process) -> int:
    last = process.versions.order_by("-number").values_list("number", flat=True).first()
    return (last or 0) + 1


# --- beginning and ending ---


@transaction.atomic
def begin_draft(
    process_key: str, *, by: Any, at: datetime, channel: str, number: int | None = None
) -> ProcessDraft:
    """A draft that begins as the published version, or as version `number`. Raises NotFound, DraftExists."""
    process = _process(process_key, by)
    versions = process.versions.select_for_update()
    base = (
        versions.filter(number=number).first()
        if number is not None
        else versions.order_by("-status", "-number").filter(status=VersionStatus.PUBLISHED).first()
        or versions.order_by("-number").first()
    )
    if base is None:
        raise NotFound
    return _begin(
        process, base.document, published_of(process) or base, by, at, channel, {"from": base.number}
    )


@transaction.atomic
def begin_process(
    document: Any,
    *,
    by: Any,
    at: datetime,
    channel: str,
    key: str = "",
    name: Mapping[str, str] | None = None,
) -> ProcessDraft:
    """A draft from a document that is at hand, such as an uploaded file or a template: of a process that is here
    already, or of a new one. `key` and `name` give a copy its own. Raises Invalid, DraftExists.
    """
    if not by.may(PUBLISH):
        raise NotPermitted
    if not isinstance(document, Mapping):
        raise Invalid.field("document", _("The document is not a mapping."))
    content = copy.deepcopy(dict(document))
    if key:
        content["process"] = key
    if name:
        content["name"] = dict(name)
    own = content.get("process")
    if not isinstance(own, str) or not KEY.fullmatch(own):
        raise Invalid.field("key", _("A key of small letters, digits and _ is expected."))
    subject = content.get("subject")
    if subject not in subject_types():
        said = _("There is no such kind of record: “%(subject)s”.") % {"subject": str(subject)[:40]}
        raise Invalid.field("subject", said)
    if key and Process.objects.filter(key=key).exists():
        raise Invalid.field("key", _("There is a process with this key already."))
    process, _made = Process.objects.select_for_update().get_or_create(
        key=own, defaults={"subject_type": subject, "name": _name_in(content), "mode": Mode.SOFT}
    )
    if process.subject_type != subject:
        raise Invalid.field("subject", _("A process keeps its kind of record."))
    return _begin(process, content, published_of(process), by, at, channel, {"from": None})


def blank(key: str, subject: str, name: Mapping[str, str]) -> dict[str, Any]:
    """The document of a process without any stage yet, with the reasons of the plain one to begin with."""
    lists = copy.deepcopy(shipped("plain_opportunity")["lists"])
    return {
        "schema": SCHEMA_VERSION,
        "process": key,
        "version": 1,
        "subject": subject,
        "mode": str(Mode.SOFT),
        "name": dict(name),
        "lists": lists,
        "stages": [],
    }


def _name_in(content: Mapping[str, Any]) -> dict[str, str]:
    name = content.get("name")
    found = name if isinstance(name, Mapping) else {}
    return {lang: str(words)[:MAX_NAME] for lang, words in found.items() if lang in ("zh", "en")}


def _process(process_key: str, by: Any) -> Process:
    if not by.may(PUBLISH):
        raise NotPermitted
    process = Process.objects.select_for_update().filter(key=process_key).first()
    if process is None:
        raise NotFound
    return process


def _begin(
    process: Process,
    document: Mapping[str, Any],
    base: ProcessVersion | None,
    by: Any,
    at: datetime,
    channel: str,
    data: dict[str, Any],
) -> ProcessDraft:
    held = ProcessDraft.objects.select_related("changed_by").filter(process=process).first()
    if held is not None:
        raise DraftExists(details=_whose(held))
    content = {**copy.deepcopy(dict(document)), "version": next_number(process)}
    draft = ProcessDraft.objects.create(
        process=process,
        document=content,
        base=base,
        begun_by=by,
        begun_at=at,
        changed_by=by,
        changed_at=at,
        editors=[by.pk],
    )
    _journal("draft_begun", draft, by, at, channel, data)
    return draft


@transaction.atomic
def discard_draft(process_key: str, *, version: int, by: Any, at: datetime, channel: str) -> None:
    """The draft goes; versions stay as they are. A process that never had a version goes with it."""
    draft = _locked(process_key, version, by)
    process = draft.process
    _lapse(process, at)
    _journal("draft_discarded", draft, by, at, channel, {"edits": draft.version - 1})
    draft.delete()
    if not process.versions.exists():
        process.publish_requests.all().delete()
        process.delete()


# --- editing ---


def _locked(process_key: str, version: int | None, by: Any) -> ProcessDraft:
    """The draft, held until the transaction ends. Raises Stale, naming who changed it since, where it is another one."""
    if not by.may(PUBLISH):
        raise NotPermitted
    draft = (
        ProcessDraft.objects.select_for_update(of=("self",))
        .select_related("process", "base", "changed_by")
        .filter(process__key=process_key)
        .first()
    )
    if draft is None:
        raise NotFound
    if version is not None and draft.version != version:
        who = draft.changed_by.name if draft.changed_by else "—"
        raise Stale(
            _("%(who)s changed this draft meanwhile. Look at it again; your edit was not taken.")
            % {"who": who},
            details=_whose(draft),
        )
    return draft


def _whose(draft: ProcessDraft) -> dict[str, Any]:
    return {
        "version": draft.version,
        "changed_by": draft.changed_by_id,
        "changed_at": draft.changed_at.isoformat(),
    }


@transaction.atomic
def edit_draft(
    process_key: str,
    op: str,
    given: Mapping[str, Any],
    *,
    version: int | None,
    by: Any,
    at: datetime,
    channel: str,
) -> tuple[ProcessDraft, str]:
    """One edit of the document (see `editing`); the draft, and the path of the piece edited.

    Raises NotPermitted, NotFound, Stale, and Invalid where the edit has no place or its own piece is unreadable.
    """
    draft = _locked(process_key, version, by)
    changed, path = edit(draft.document, op, given)
    if changed == draft.document:
        return draft, path
    _require_readable(draft.document, changed, op, path, given)
    _store(draft, changed, by, at)
    said = {name: str(given[name])[:60] for name in ("stage", "side", "list") if given.get(name)}
    _journal("draft_edited", draft, by, at, channel, {"op": op, "path": path[:200], **said})
    return draft, path


@transaction.atomic
def replace_document(
    process_key: str, document: Any, *, version: int, by: Any, at: datetime, channel: str
) -> ProcessDraft:
    """The whole document at once, such as from a file that was edited elsewhere."""
    draft = _locked(process_key, version, by)
    if not isinstance(document, Mapping):
        raise Invalid.field("document", _("The document is not a mapping."))
    if document.get("process") != draft.process.key or document.get("subject") != draft.process.subject_type:
        raise Invalid.field(
            "document", _("This is the document of another process. Begin a draft of that one.")
        )
    _store(draft, {**copy.deepcopy(dict(document)), "version": next_number(draft.process)}, by, at)
    _journal("draft_edited", draft, by, at, channel, {"op": "replace"})
    return draft


@transaction.atomic
def rebase_draft(process_key: str, *, version: int, by: Any, at: datetime, channel: str) -> ProcessDraft:
    """From now on the draft is compared with the version that is published; what it says stays as it is."""
    draft = _locked(process_key, version, by)
    draft.base = published_of(draft.process)
    _store(draft, {**draft.document, "version": next_number(draft.process)}, by, at)
    _journal(
        "draft_edited",
        draft,
        by,
        at,
        channel,
        {"op": "rebase", "base": draft.base.number if draft.base else None},
    )
    return draft


def _store(draft: ProcessDraft, document: dict[str, Any], by: Any, at: datetime) -> None:
    draft.document, draft.changed_by, draft.changed_at = document, by, at
    draft.editors = sorted({*draft.editors, by.pk})
    draft.version += 1
    draft.save()
    _lapse(draft.process, at)


#: Edits that make a piece, and the argument that holds it: what is wrong inside the piece is refused at once.
_PIECES: Mapping[str, str] = {
    "criterion_add": "criterion",
    "criterion_set": "criterion",
    "transition_add": "transition",
    "transition_set": "transition",
    "reason_add": "reason",
    "reason_set": "reason",
    "field_add": "field",
    "field_set": "field",
    "playbook_add": "playbook",
    "playbook_set": "playbook",
    "task_add": "task",
    "task_set": "task",
    "score_add": "score",
    "score_set": "score",
    "element_add": "acts",
    "element_set": "acts",
    "stage_add": "",
    "stage_set": "",
    "process_set": "",
    **APPROVAL_PIECES,
    **STAGE_LIST_PIECES,
}


#: Lists of a piece that are filled by edits of their own: empty, they are listed beside it as something to do yet.
_COME_LATER = frozenset({"criteria", "tasks", "elements"})


def _require_readable(
    before: Mapping[str, Any], after: Mapping[str, Any], op: str, path: str, given: Mapping[str, Any]
) -> None:
    """Raises Invalid for each problem that the edit brings into its own piece; `errors` name fields of the piece."""
    if op not in _PIECES:
        return
    known = {(p.path, p.message) for p in examine(before).errors}
    parts = tuple(given.get("set") or ()) if op.endswith("_set") and not _PIECES[op] else ()
    if op == "stage_add":
        parts = ("key", "name")
    if op == "approval_add":
        parts = tuple(after["approvals"]["kinds"][-1])  # rows may come later, by edits of their own
    errors = []
    for problem in examine(after).errors:
        if (
            problem.whole
            or (problem.path, problem.message) in known
            or not _inside(problem.path, path, parts)
        ):
            continue
        inside = problem.path.removeprefix(path).lstrip(".")
        if inside in _COME_LATER and (given.get(_PIECES[op]) or {}).get(inside) == []:
            continue
        errors.append({"field": inside or "criterion", "message": problem.message})
    if errors:
        raise Invalid(errors=errors)


def _inside(path: str, piece: str, parts: tuple[str, ...]) -> bool:
    """Whether `path` lies in the piece; with `parts`, in one of these of it."""
    if piece and path != piece and not path.startswith(f"{piece}."):
        return False
    if not parts:
        return path != piece or "." in piece.removeprefix("stages.")
    inside = path.removeprefix(piece).lstrip(".")
    return any(inside == part or inside.startswith(f"{part}.") for part in parts)


# --- publishing ---


def ready(draft: ProcessDraft) -> Examination:
    """Raises CannotPublish with every problem, BaseMoved where another version came between."""
    found = examine(draft.document)
    if found.errors or found.definition is None:
        raise refusal_of(found)
    published = published_of(draft.process)
    if (published.pk if published else None) != draft.base_id:
        number = published.number if published else 0
        raise BaseMoved(
            _(
                "Version %(number)s was published since this draft was begun. "
                "Compare the draft with it, take over what is missing, then go on."
            )
            % {"number": number},
            details={"published": number},
        )
    return found


@transaction.atomic
def publish_draft(process_key: str, *, version: int, by: Any, at: datetime, channel: str) -> ProcessVersion:
    """Publish the draft as the next version; running journeys keep theirs.

    Raises NotPermitted, Stale, CannotPublish, BaseMoved, and SecondPersonNeeded where the house asks for one.
    """
    draft = _locked(process_key, version, by)
    require_second(by)
    return _publish(draft, by, at, channel)


def _publish(draft: ProcessDraft, by: Any, at: datetime, channel: str) -> ProcessVersion:
    ready(draft)
    document = {**draft.document, "version": next_number(draft.process)}
    published = publish(document, by=by, at=at, channel=channel, decided=True)
    draft.delete()
    return published


@transaction.atomic
def _lapse(process: Process, at: datetime) -> None:
    """What was asked for was another document: the request is over."""
    PublishRequest.objects.filter(process=process, state=RequestState.OPEN).update(
        state=RequestState.LAPSED, decided_at=at
    )


def _journal(
    type_: str, draft: ProcessDraft, by: Any, at: datetime, channel: str, data: dict[str, Any]
) -> None:
    record(
        [
            NewEvent(
                type=type_,
                subject_type="process",
                subject_id=draft.process_id,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                process_key=draft.process.key,
                process_version=draft.document.get("version")
                if isinstance(draft.document.get("version"), int)
                else None,
                data={"edit": draft.version, **data},
            )
        ]
    )
