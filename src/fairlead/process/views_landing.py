"""The soft landing of a process: what its gates would hold, and the day from which they do."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid
from fairlead.journal.enums import Channel

from .answers import visible_journeys
from .enums import Mode
from .landing import coming, mode_on
from .models import Process
from .selectors.landing import HeldBack, business_day, held_back, held_journeys, with_gaps
from .services.landing import set_mode
from .subjects import room_of

PER_PAGE = 50


def banner_context(
    process: Process, user: Any, *, today: date, known: HeldBack | None = None
) -> dict[str, Any]:
    """How the gates stand today and what will stop from when on, for the page of the process."""
    mode = mode_on(process.mode, process.enforced_from, today)
    day = coming(process.mode, process.enforced_from, today)
    found = (known or held_back(visible_journeys(user), process, today=today)) if mode == Mode.SOFT else None
    return {
        "is_soft": mode == Mode.SOFT,
        "mode_words": mode.label,
        "from_day": date_format(day, "DATE_FORMAT") if day else "",
        "enforced_from": day.isoformat() if day else "",
        "held": found.held if found else 0,
        "held_words": _held_words(found.held, found.open) if found else "",
        "held_stages": [s for s in found.stages if s.held] if found else [],
        "first_day": date.fromordinal(today.toordinal() + 1).isoformat(),
    }


def _held_words(held: int, total: int) -> str:
    said = ngettext(
        "As things stand, %(n)s of the %(total)s open records you see would be held",
        "As things stand, %(n)s of the %(total)s open records you see would be held",
        held,
    )
    return said % {"n": held, "total": total}


@access("process.view")
@require_safe
def landing(request: HttpRequest, key: str) -> HttpResponse:
    """The open records that enforced gates would hold, each with what is missing."""
    user: Any = request.user
    at = timezone.now()
    found = get_object_or_404(Process, key=key)
    seen = visible_journeys(user)
    stage = request.GET.get("stage", "")[:60]
    today = business_day(at)
    summary = held_back(seen, found, today=today)
    number = request.GET.get("page", "1")
    pages = Paginator(held_journeys(seen, found, stage=stage), PER_PAGE).get_page(
        number if number.isascii() else 1
    )
    room = room_of(found.subject_type)
    rows = [
        {
            "title": row.journey.title or "—",
            "url": room.url(row.journey.subject_id),
            "stage": localized(row.journey.stage.name),
            "owner": row.journey.owner.name if row.journey.owner else "—",
            "gaps": row.gaps,
        }
        for row in with_gaps(list(pages.object_list), at=at)
    ]
    context = {
        "nav_at": "processes",
        "process": found,
        "name": localized(found.name),
        "stages": [
            {"text": _("All"), "url": "?", "current": not stage},
            *(
                {"text": f"{s.name} {s.held}", "url": f"?stage={s.key}", "current": stage == s.key}
                for s in summary.stages
                if s.held
            ),
        ],
        "rows": rows,
        "pages": pages,
        "page_url": f"?{'stage=' + stage + '&' if stage else ''}page=",
        **banner_context(found, user, today=today, known=summary),
    }
    return page(request, "process/landing.html", context, block="content")


@access("process.publish")
@require_POST
def mode(request: HttpRequest, key: str) -> HttpResponse:
    """Flag, flag until a day, or block."""
    user: Any = request.user
    found = get_object_or_404(Process, key=key)
    given = request.POST.get("enforced_from", "").strip()
    try:
        from_day = date.fromisoformat(given) if given else None
    except ValueError:
        raise Invalid(errors=[{"field": "enforced_from", "message": _("A day is expected.")}]) from None
    set_mode(
        found.key,
        mode=request.POST.get("mode", ""),
        enforced_from=from_day,
        by=user,
        at=timezone.now(),
        channel=Channel.UI,
    )
    return redirect("process:process", found.key)
