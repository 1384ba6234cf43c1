"""One line of typing on the page of a record and on My day: what it means, before and after Enter."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page, toast, trigger
from fairlead.common.refusals import Invalid
from fairlead.journal.undoing import undo_url
from fairlead.organisation.selectors import calendars

from .. import services
from ..enums import ActivityKind
from ..forms import read_ids
from ..models import Activity
from ..phrases import MOST
from ..selectors.lines import Understood, box, outcome_label, preview, records_named, understand
from ..words import ICONS, when_words
from .activities import proposals
from .shared import FORM, about, act, go, is_piece


@access("signed-in")
@require_http_methods(FORM)
def line(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """The line of a record; without a script a page of its own."""
    record = about(request, kind, pk)
    if request.method != "POST":
        return _answer(request, box(kind, pk), kind, pk)
    return _save(request, record, kind, pk, request.POST.get("text", ""))


@access("signed-in")
@require_POST
def line_preview(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """What would be saved."""
    about(request, kind, pk)
    now = timezone.now()
    meant = understand(request.user, kind, pk, _text(request), at=now)
    return _parts(request, meant, now, box(kind, pk))


@access("signed-in")
@require_POST
def day_line_preview(request: HttpRequest) -> HttpResponse:
    """On My day the line names its record too: the ones it may mean, the surest first."""
    now, text = timezone.now(), _text(request)
    found = records_named(request.user, text) if text else []
    if not found:
        return _parts(request, None, now, box(error=_hint() if text else ""))
    kind, pk, word = _chosen(request, found)
    meant = understand(request.user, kind, pk, _cut(text, word), at=now)
    choices = [
        {"value": f"{n.subject_type}:{n.subject_id}", "title": n.title, "chosen": (n.subject_type, n.subject_id) == (kind, pk)}
        for n in found
    ]  # fmt: skip
    return _parts(request, meant, now, box(about=choices))


@access("signed-in")
@require_POST
def day_line(request: HttpRequest) -> HttpResponse:
    text = " ".join(request.POST.get("text", "").replace("\x00", "").split())
    if len(text) > MOST:
        return _answer(request, box(text=text, error=_too_long()), "", 0, status=422)
    found = records_named(request.user, text) if text else []
    if not found:
        return _answer(request, box(text=text, error=_hint()), "", 0, status=422)
    kind, pk, word = _chosen(request, found)
    record = about(request, kind, pk)
    return _save(request, record, kind, pk, _cut(text, word), typed=text, day=True)


@access("signed-in")
@require_POST
def next_step(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """One of the steps that fit the stage, by one click: on the next working day, at its opening."""
    record = about(request, kind, pk)
    now = timezone.now()
    services.plan_activity(
        kind,
        pk,
        kind=request.POST.get("kind", ""),
        summary=request.POST.get("summary", ""),
        due_at=next_opening(request.user, now),
        **{**act(request), "at": now},
    )
    if not is_piece(request):
        return go(request, record.url(pk), _("Planned"))
    saved = Activity.objects.filter(subject_type=kind, subject_id=pk).order_by("-pk")[:1]
    day = "day" in request.POST
    return _done(request, box(*(() if day else (kind, pk)), saved=_said(list(saved), now)), kind, pk)


def next_opening(reader: Any, now: datetime) -> datetime:
    """Nine o'clock of the reader's next working day, on their clock."""
    day = calendars().of(reader.pk).workday_after(timezone.localdate(now), 1)
    return timezone.localtime(now).replace(
        year=day.year, month=day.month, day=day.day, hour=9, minute=0, second=0, microsecond=0
    )


# --- parts ---


def _text(request: HttpRequest) -> str:
    return " ".join(request.POST.get("text", "").replace("\x00", "").split())[:MOST]


def _hint() -> str:
    return _("Name the account, the deal or the person, so that it is filed in the right place.")


def _too_long() -> str:
    return _("At most %(limit)s characters; put the rest into the note.") % {"limit": MOST}


def _cut(text: str, word: str) -> str:
    """The line without the name of its record, unless that word is all there is."""
    return " ".join(text.replace(word, " ", 1).split()) or text


def _chosen(request: HttpRequest, found: list[Any]) -> tuple[str, int, str]:
    kind, _colon, number = request.POST.get("about", "").partition(":")
    for one in found:
        if (one.subject_type, str(one.subject_id)) == (kind, number):
            return one.subject_type, one.subject_id, one.word
    return found[0].subject_type, found[0].subject_id, found[0].word


def _parts(
    request: HttpRequest, meant: Understood | None, now: datetime, shown: dict[str, Any]
) -> HttpResponse:
    if meant is not None:
        # What the person chose stays chosen while they go on typing; what was only guessed is guessed anew.
        chosen, guessed = request.POST.get("outcome", ""), request.POST.get("guessed", "")
        shown["parts"] = preview(meant, at=now)
        shown["outcome"] = chosen if chosen and chosen != guessed else meant.line.now.outcome
        shown["guess"] = meant.line.now.outcome
        shown["chosen"] = set(read_ids(request.POST, "contacts"))
    return page(request, "work/line_preview.html", {"line": shown})


def _save(
    request: HttpRequest, record: records.RecordType, kind: str, pk: int, text: str, *, typed: str = "", day: bool = False
) -> HttpResponse:  # fmt: skip
    now = timezone.now()
    where = () if day else (kind, pk)
    text = " ".join(text.replace("\x00", "").split())
    if len(text) > MOST:
        return _answer(request, box(*where, text=text, error=_too_long()), kind, pk, status=422)
    meant = understand(request.user, kind, pk, text, at=now)
    if meant is None:
        return _answer(
            request, box(*where, error=_("Write what happened or what comes next.")), kind, pk, status=422
        )
    try:
        saved = services.save_line(
            kind,
            pk,
            meant.line,
            summaries=meant.summaries,
            outcome=request.POST.get("outcome", ""),
            contact_ids=tuple(read_ids(request.POST, "contacts")),
            **{**act(request), "at": now},
        )
    except Invalid as refusal:
        shown = box(*where, text=typed or text, error=str(refusal.message), parts=preview(meant, at=now))
        return _answer(request, {**shown, "guess": "", "chosen": set()}, kind, pk, status=422)
    if not is_piece(request):
        return go(request, "/" if day else record.url(pk), _("Saved"))
    offers = proposals(kind, pk)[:4] if not any(a.state == "planned" for a in saved) else []
    shown = box(
        *where, saved=_said(saved, now), offers=offers, next_url=reverse("work:line_next", args=[kind, pk])
    )
    shown |= {
        "day": day,
        "plan_url": reverse("work:plan", args=[kind, pk]),
        "next_at": when_words(next_opening(request.user, now), now),
    }
    return _done(request, shown, kind, pk)


def _said(rows: list[Activity], now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "planned": a.state == "planned",
            "icon": ICONS.get(a.kind, "notes"),
            "text": a.summary,
            "kind": str(ActivityKind(a.kind).label),
            "when": when_words(a.due_at if a.state == "planned" else a.done_at, now),
            "outcome": outcome_label(a.outcome),
        }
        for a in rows
    ]


def _done(request: HttpRequest, shown: dict[str, Any], kind: str, pk: int) -> HttpResponse:
    response = _answer(request, shown, kind, pk)
    trigger(response, "record-changed", "")
    trigger(response, "line-saved", "")
    return toast(response, _("Saved"), undo_url(request) or None)


def _answer(
    request: HttpRequest, shown: dict[str, Any], kind: str, pk: int, *, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {"line": shown, "nav_at": f"{kind}s" if kind else "home", "record": None}
    if kind and not is_piece(request):
        record = records.record_type(kind)
        context["record"] = {
            "title": record.title([pk]).get(pk, ""), "url": record.url(pk), "label": localized(record.label),
        }  # fmt: skip
    return page(request, "work/line.html", context, block="box", status=status)
