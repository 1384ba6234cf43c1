"""The process designer: a draft as list and picture, edited in small steps, examined all the time, published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, Refusal
from fairlead.journal.enums import Channel
from fairlead.organisation.models import Organisation

from . import services
from .designer import page_context, place
from .designer_approvals import PART as APPROVALS
from .designer_approvals import back_to, open_place
from .designer_inputs import Post, errors_of, name_of, read
from .designer_readings import given_by
from .designer_shapes import Form
from .editing_criteria import find_criterion
from .enums import RequestState
from .examining import examine
from .models import Journey, Process, ProcessDraft, PublishRequest
from .refusals import BaseMoved, CannotPublish, DraftExists, MigrationRefused, SecondPersonNeeded
from .selectors.drafts import changes_of, is_untouched
from .selectors.landing import business_day
from .selectors.versions import behind, is_late_in_quarter
from .services.drafting import blank, draft_of, replace_document, templates
from .services.migrating import plan_migration
from .services.publishing import PUBLISH, deciders
from .services.shipping import shipped
from .subjects import registered, room_of
from .views_versions import try_now_or_later

NAV = "processes"


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.UI}


def _version(request: HttpRequest) -> int:
    given = request.POST.get("version", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 9 else 0


@access("process.publish")
@require_safe
def draft(request: HttpRequest, key: str) -> HttpResponse:
    """One draft: stages, the part that is open, what is wrong, what it changes."""
    return _page(request, draft_of(key, by=request.user))


def _page(
    request: HttpRequest, row: ProcessDraft, *, refused: Form | None = None, said: str = "", status: int = 200,
    given: Mapping[str, str] | None = None,
) -> HttpResponse:  # fmt: skip
    found = examine(row.document)
    at = place(row.document, given if given is not None else request.GET.dict())
    asked = (
        PublishRequest.objects.filter(process=row.process).select_related("asked_by", "decided_by").first()
    )
    user: Any = request.user
    needs_second = Organisation.objects.current().publish_needs_second
    others = [p.name for p in deciders() if p.pk not in {*row.editors, user.pk}] if needs_second else []
    context = {
        "nav_at": NAV,
        "draft": row,
        "process": row.process,
        "name": localized(row.document["name"]) if _is_name(row.document.get("name")) else row.process.key,
        "number": row.document.get("version"),
        "running": Journey.objects.of_process(row.process.key).current().running().count(),
        "changes": changes_of(row, found.definition),
        "untouched": is_untouched(row, found.definition),
        "asked": asked,
        "is_asked": asked is not None and asked.state == RequestState.OPEN,
        "may_decide": user.pk not in {*row.editors, asked.asked_by_id if asked else None},
        "needs_second": needs_second,
        "late_in_quarter": is_late_in_quarter(business_day(timezone.now())),
        "others": others,
        "said": said,
        **page_context(row, at, found, refused),
    }
    return page(request, "process/designer.html", context, status=status)


def _is_name(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value)


# --- beginning ---


@access("process.publish")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A new process: empty, as a copy of a shipped one, or from a file."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            row = _begin_new(request)
        except (Invalid, DraftExists) as refusal:
            listed = refusal.details.get("errors") or [{"field": "", "message": str(refusal)}]
            errors = {_NEW_PLACES.get(e["field"], ""): e["message"] for e in listed}
        else:
            return redirect("process:draft", row.process.key)
    subjects = [(kind, localized(room_of(kind).label)) for kind in registered()]
    context = {
        "nav_at": NAV,
        "errors": errors,
        "given": request.POST.dict() if request.method == "POST" else {},
        "templates": [("blank", _("Nothing: stage by stage")), *((t, localized(shipped(t)["name"])) for t in templates()),
                      ("file", _("A file (YAML)"))],
        "subjects": subjects,
    }  # fmt: skip
    return page(request, "process/new_process.html", context, status=422 if errors else 200)


_NEW_PLACES = {"key": "key", "name-zh": "zh", "name-en": "en", "subject": "subject", "document": "file", "file": "file",
               "template": "template"}  # fmt: skip


def _begin_new(request: HttpRequest) -> ProcessDraft:
    from .designer_inputs import Input, names

    inputs = (
        Input(name="key", most=60, optional=True),
        *names("name", "", "", {}, optional=True, most=100),
    )
    post = Post(
        lambda n: request.POST.get({"name-zh": "zh", "name-en": "en"}.get(n, n), ""), request.POST.getlist
    )
    values = read(inputs, post)
    template, key, name = request.POST.get("template", ""), values["key"], name_of(values, "name")
    if template == "file":
        return services.begin_process(_document(request), key=key, name=name or None, **_how(request))
    if template not in {*templates(), "blank"}:
        raise Invalid.field("template", _("Choose one of the list."))
    errors = [
        {"field": f, "message": _("Fill this in.")} for f in ("key", "name-zh", "name-en") if not values[f]
    ]
    if errors:
        raise Invalid(errors=errors)
    if template == "blank":
        subject = request.POST.get("subject", "")
        return services.begin_process(blank(key, subject, name), key=key, **_how(request))
    return services.begin_process(shipped(template), key=key, name=name, **_how(request))


def _document(request: HttpRequest) -> Any:
    from .files import MAX_BYTES, UnreadableFile, read_yaml

    given = request.FILES.get("file")
    if given is None:
        raise Invalid.field("file", _("Choose a file."))
    try:
        return read_yaml(given.read(MAX_BYTES + 1))
    except UnreadableFile as error:
        raise Invalid.field("file", str(error)) from None


@access("process.publish")
@require_POST
def begin(request: HttpRequest, key: str) -> HttpResponse:
    """Begin a draft of a process, or go on with the one there is."""
    given = request.POST.get("number", "")
    number = int(given) if given.isascii() and given.isdigit() and len(given) <= 6 else None
    try:
        services.begin_draft(key, number=number, **_how(request))
    except DraftExists:
        messages.info(request, _("There is a draft already; here it is."))
    return redirect("process:draft", key)


# --- editing ---


@access("process.publish")
@require_POST
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """One edit; back to where it was made, with what was typed where it was refused."""
    row = draft_of(key, by=request.user)
    form: Form | None = None
    try:
        given, form = given_by(Post(lambda n: request.POST.get(n, ""), request.POST.getlist), row)
        if form is not None and form.errors:
            return _page(request, row, refused=form, status=422, given=_open(request))
        _row, path = services.edit_draft(
            key, request.POST.get("op", ""), given, version=_version(request), **_how(request)
        )
    except Refusal as refusal:
        if isinstance(refusal, Invalid) and form is not None:
            errors = errors_of(
                refusal, form.inputs, at=_FIELD_PLACES if request.POST.get("asks") == "field" else None
            )
            form = Form(
                op=form.op,
                inputs=form.inputs,
                said=form.said,
                submit=form.submit,
                title=form.title,
                errors=errors,
            )
            return _page(request, row, refused=form, status=422, given=_open(request))
        if refusal.status in (403, 404):
            raise
        fresh = draft_of(key, by=request.user)
        return _page(request, fresh, said=str(refusal), status=refusal.status, given=_open(request))
    back = back_to(path) if request.POST.get("part") == APPROVALS else _back(request)
    return redirect(f"{reverse('process:draft', args=[key])}?{back}")


_FIELD_PLACES = {"field": "condition-1-field", "op": "condition-1-op", "value": "condition-1-value"}


#: What stays open after an edit of it: the list of a reason, the playbook of a task.
_STAYS_OPEN = ("list", "playbook_key", "score_key")


def _back(request: HttpRequest) -> str:
    stage, part = request.POST.get("stage", "")[:60], request.POST.get("part", "")[:20]
    found = [
        f"stage={stage}" if stage and request.POST.get("op") != "stage_remove" else "",
        f"part={part}" if part else "",
    ]
    found += [f"item={request.POST[name][:60]}" for name in _STAYS_OPEN if request.POST.get(name)]
    return "&".join(filter(None, found))


#: What a form says of the piece it changes, and how the address says it.
_OPENS: Mapping[str, str] = {
    "criterion_key": "item",
    "number": "item",
    "field_key": "item",
    "track_key": "item",
    "list": "item",
    "group": "in",
    "playbook_key": "item",
    "task_key": "in",
    "score_key": "item",
    "element": "in",
}


def _open(request: HttpRequest) -> dict[str, str]:
    """The place of the page whose form was sent, as its address says it."""
    post, op = request.POST, request.POST.get("op", "")
    if post.get("part") == APPROVALS:
        return open_place(post.dict(), op)
    found = {"stage": post.get("stage", ""), "part": post.get("part", "")}
    if op.endswith("_add"):
        found["add"] = post.get("asks", "1")
    for name, said in _OPENS.items():
        if post.get(name):
            found[said] = post[name]
    return found


# --- acts on the whole draft ---


@access("process.publish")
@require_POST
def act(request: HttpRequest, key: str) -> HttpResponse:
    """Publish, ask for it, decide on it, take over a newer base, bring a file, take the wording of a twin, discard."""
    row = draft_of(key, by=request.user)
    what = request.POST.get("act", "")
    if what not in _ACTS:
        raise Invalid.field("act", _("There is no such act."))
    try:
        return _ACTS[what](request, row)
    except (CannotPublish, BaseMoved, SecondPersonNeeded, Invalid) as refusal:
        fresh = draft_of(key, by=request.user)
        return _page(request, fresh, said=str(refusal), status=refusal.status, given=_open(request))


def _publish(request: HttpRequest, row: ProcessDraft) -> HttpResponse:
    published = services.publish_draft(row.process.key, version=_version(request), **_how(request))
    messages.info(request, _("Version %(number)s is published.") % {"number": published.number})
    return _after_publishing(request, row.process)


def _after_publishing(request: HttpRequest, process: Process) -> HttpResponse:
    """Where records travel on an earlier version: straight to what becomes of them, planned and tried with the groups
    of VR-2. Nothing moves before somebody confirms it."""
    if not behind(process):
        return redirect("process:process", process.key)
    try:
        plan = plan_migration(process.key, **_how(request))
        try_now_or_later(plan, request.user)
    except MigrationRefused:  # a hole in the mapping, or others are being moved: the page says so
        pass
    return redirect("process:migrate", process.key)


def _ask(request: HttpRequest, row: ProcessDraft) -> HttpResponse:
    comment = request.POST.get("comment", "")
    services.ask_to_publish(row.process.key, comment=comment, version=_version(request), **_how(request))
    messages.info(request, _("Asked. Whoever decides is told."))
    return redirect("process:draft", row.process.key)


def _decide(grant: bool) -> Callable[[HttpRequest, ProcessDraft], HttpResponse]:
    def decide(request: HttpRequest, row: ProcessDraft) -> HttpResponse:
        answer = request.POST.get("answer", "")
        services.decide_publishing(row.process.key, grant=grant, answer=answer, **_how(request))
        return (
            _after_publishing(request, row.process) if grant else redirect("process:draft", row.process.key)
        )

    return decide


def _rebase(request: HttpRequest, row: ProcessDraft) -> HttpResponse:
    services.rebase_draft(row.process.key, version=_version(request), **_how(request))
    return redirect("process:draft", row.process.key)


def _bring(request: HttpRequest, row: ProcessDraft) -> HttpResponse:
    replace_document(row.process.key, _document(request), version=_version(request), **_how(request))
    messages.info(request, _("The draft holds the file now."))
    return redirect("process:draft", row.process.key)


def _reword(request: HttpRequest, row: ProcessDraft) -> HttpResponse:
    """The words that the check of wordings offered for an item."""
    key = request.POST.get("item", "")
    twin = next((f.twin for f in examine(row.document).warnings if f.twin and f.place.item == key), None)
    if twin is not None:
        body = {**find_criterion(row.document, key).item, "name": dict(twin)}
        given = {"criterion_key": key, "criterion": body}
        services.edit_draft(
            row.process.key, "criterion_set", given, version=_version(request), **_how(request)
        )
    return redirect(f"{reverse('process:draft', args=[row.process.key])}?{_back(request)}")


def _discard(request: HttpRequest, row: ProcessDraft) -> HttpResponse:
    key = row.process.key
    services.discard_draft(key, version=_version(request), **_how(request))
    messages.info(request, _("The draft is discarded."))
    return (
        redirect("process:process", key)
        if Process.objects.filter(key=key).exists()
        else redirect("process:processes")
    )


_ACTS: Mapping[str, Callable[[HttpRequest, ProcessDraft], HttpResponse]] = {
    "publish": _publish,
    "ask": _ask,
    "grant": _decide(True),
    "refuse": _decide(False),
    "rebase": _rebase,
    "bring": _bring,
    "reword": _reword,
    "discard": _discard,
}


@access("process.publish")
@require_safe
def document(request: HttpRequest, key: str) -> HttpResponse:
    """The draft as a file, for review under version control; `fairlead process validate` reads it."""
    row = draft_of(key, by=request.user)
    from .files import write_yaml  # reads YAML's library, which no other page needs

    response = HttpResponse(write_yaml(row.document), content_type="application/yaml; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{key}-draft.yaml"'
    return response


__all__ = ["PUBLISH", "act", "begin", "document", "draft", "edit", "new"]
