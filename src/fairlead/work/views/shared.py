"""What the pages of this room share: the record they are about, the form page, the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from fairlead.common import records
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import NotFound, Refusal
from fairlead.journal.enums import Channel
from fairlead.journal.undoing import undo_url

from ..enums import ActivityKind, ActivityOutcome
from ..forms import MAX_ID

FORM = ["GET", "HEAD", "POST"]


def act(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.UI}


def about(request: HttpRequest, kind: str, pk: int, *, edit: bool = True) -> records.RecordType:
    """The kind of the record, if the person sees it and, for `edit`, may work on it."""
    if pk > MAX_ID:
        raise NotFound
    record = records.record_type(kind)
    return records.require(request.user, kind, pk, record.edit_right if edit else record.view_right)


def is_piece(request: HttpRequest) -> bool:
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def go(request: HttpRequest, url: str, text: str = "") -> HttpResponse:
    """On to `url`; whoever acted in a dialog stays on the page under it. The note takes back what was done."""
    if text:
        messages.info(request, text, extra_tags=undo_url(request))
    if is_piece(request):
        htmx: Any = request.htmx  # type: ignore[attr-defined]
        response = HttpResponse(status=204)
        response.headers["HX-Redirect"] = htmx.current_url_abs_path or url
        return response
    return HttpResponseRedirect(url)


def left_notes(request: HttpRequest) -> list[dict[str, str]]:
    """What the page before left to say, for the frame."""
    return [{"text": str(note), "undo": note.extra_tags or ""} for note in messages.get_messages(request)]


def form_page(
    request: HttpRequest,
    form: str,
    title: str,
    record: records.RecordType,
    pk: int,
    *,
    typed: Mapping[str, Any],
    refusal: Refusal | None = None,
    **more: Any,
) -> HttpResponse:
    errors: dict[str, str] = {}
    for error in refusal.details.get("errors", []) if refusal is not None else ():
        errors.setdefault(error["field"], error["message"])
    if refusal is not None and not errors:
        errors[""] = str(refusal.message)
    return page(
        request,
        "work/form.html",
        {
            "form": form,
            "title": title,
            "record": {
                "kind": record.subject_type,
                "pk": pk,
                "title": record.title([pk]).get(pk, ""),
                "url": record.url(pk),
                "label": localized(record.label),
            },
            "typed": typed,
            "errors": errors,
            "kinds": ActivityKind.choices,
            "outcomes": ActivityOutcome.choices,
            "error_links": [
                {"field": f"f-{k}" if k else "", "label": labels().get(k, ""), "message": m}
                for k, m in errors.items()
            ],
            "action": request.get_full_path(),
            "in_dialog": is_piece(request),
            "nav_at": f"{record.subject_type}s",
            "contacts": more.pop("contacts", []),
            "chosen": {
                int(c)
                for c in (typed.getlist("contacts") if hasattr(typed, "getlist") else ())
                if c.isascii() and c.isdigit()
            },
            "activity": None,
            "proposals": [],
            "conflict": False,
            "choices": [],
            "people": [],
            "spans": [],
            "version": 0,
            **more,
        },
        block="form",
        status=refusal.status if refusal is not None else 200,
    )


def labels() -> dict[str, str]:
    return {
        "kind": _("Kind"),
        "summary": _("What"),
        "outcome": _("Outcome"),
        "done_at": _("When"),
        "due_at": _("When"),
        "text": _("Comment"),
        "title": _("Task"),
        "content": _("File"),
        "name": _("File"),
        "note": _("Note"),
        "contacts": _("Who took part"),
        "next_due_at": _("Next step"),
        "next_kind": _("Next step"),
        "next_summary": _("Next step"),
        "reference": _("Or where it is filed"),
        "valid_until": _("Valid until"),
        "assignee": _("Who does it"),
        "due_date": pgettext("a task is due", "Until"),
        "due_in": pgettext("a task is due", "Until"),
    }
