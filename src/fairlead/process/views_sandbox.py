"""Clicking through a draft: a deal that is nothing but a sandbox, judged by the engine itself."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, Refusal, Stale

from .answers import visible_journeys
from .enums import JourneyState
from .models import ProcessDraft
from .refusals import SandboxRefused
from .sandbox_reading import refused_words, scene_words
from .services import sandboxing
from .services.drafting import draft_of

NAV = "processes"
MOST_COPIES = 50


@access("process.publish")
@require_http_methods(["GET", "HEAD", "POST"])
def sandbox(request: HttpRequest, key: str) -> HttpResponse:
    """The sandbox of whoever asks; each button is one act in it."""
    draft = draft_of(key, by=request.user)
    said: list[str] = []
    errors: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        try:
            said = _act(request, key)
            if not said:
                return redirect("process:sandbox", key)
            status = 422
        except Invalid as refusal:
            status = refusal.status
            errors = {_name_of(e["field"]): e["message"] for e in refusal.details.get("errors", ())}
            said = list(dict.fromkeys(errors.values())) or [str(refusal)]
        except (Stale, SandboxRefused) as refusal:
            said, status = [str(refusal)], refusal.status
    return page(request, "process/sandbox.html", _context(request, draft, said, errors), status=status)


def _context(
    request: HttpRequest, draft: ProcessDraft, said: list[str], errors: dict[str, str]
) -> dict[str, Any]:
    now = timezone.now()
    name = draft.document.get("name")
    context: dict[str, Any] = {
        "nav_at": NAV,
        "draft": draft,
        "process": draft.process,
        "name": (localized(name) if isinstance(name, dict) else "") or draft.process.key,
        "number": draft.document.get("version"),
        "said": said,
        "errors": errors,
        "copies": [(str(row.pk), row.title or "—") for row in _copies(request, draft)],
        "scene": None,
        "cannot": "",
        "row": sandboxing.sandbox_of(draft.process.key, by=request.user),
    }
    try:
        if context["row"] is None:
            sandboxing.readable(draft)
        else:
            found = sandboxing.scene(context["row"], draft, by=request.user, now=now)
            context["scene"] = scene_words(found, reader=request.user)
    except Refusal as refusal:
        context["cannot"] = str(refusal)
    return context


def _copies(request: HttpRequest, draft: ProcessDraft) -> Any:
    """Records on their way on this process that the person sees, those that moved last first."""
    rows = visible_journeys(request.user).filter(process_key=draft.process.key, state=JourneyState.OPEN)
    return rows.order_by("-entered_at", "-pk")[:MOST_COPIES]


def _act(request: HttpRequest, key: str) -> list[str]:
    """What stood in the way of a move; nothing where the act was done."""
    post = request.POST
    how: dict[str, Any] = {"by": request.user, "at": timezone.now()}
    do = post.get("do", "")
    if do == "begin":
        source = post.get("source", "")
        if source and not (source.isascii() and source.isdigit() and len(source) <= 15):
            raise Invalid.field("source", _("Choose one of the list."))
        number = int(source) if source else None
        sandboxing.begin_sandbox(key, source=number, **how)
        return []
    if do == "end":
        sandboxing.end_sandbox(key, by=request.user)
        return []
    given: dict[str, Any] = {name: post.get(name, "")[:60] for name in ("item", "kind", "to", "reason")}
    days = post.get("days", "")
    given["days"] = int(days) if days.isascii() and days.isdigit() and len(days) <= 4 else None
    day = parse_date(post["day"]) if _is_day(post.get("day", "")) else None
    given["at"] = timezone.make_aware(datetime.combine(day, time(9))) if day is not None else None
    given["values"] = {
        name.removeprefix("field."): value[:2000] for name, value in post.items() if name.startswith("field.")
    }
    version = post.get("version", "")
    number = int(version) if version.isascii() and version.isdigit() and len(version) <= 9 else 0
    found, verdict = sandboxing.play(key, do, given, version=number, **how)
    if verdict is None:
        return []
    if not verdict.allowed:
        return refused_words(verdict, found)
    if verdict.soft_passed:
        messages.info(request, _("Moved on softly: the gate flags, it does not block."))
    return []


def _name_of(field: str) -> str:
    """The input that a mistake is about: the source of a copy, or a field of the record."""
    return field if field == "source" else f"field.{field}"


def _is_day(text: str) -> bool:
    try:
        return parse_date(text) is not None
    except ValueError:
        return False
