"""“I know”: the button beside a clock that is over; and taking over newer thresholds."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import NotFound
from fairlead.journal.enums import Channel

from . import services
from .answers import find_journey
from .clock_words import panel_rows
from .models import Journey, Process
from .selectors.clocks import clocks_of
from .subjects import move_page, room_of
from .tasks import take_over


def panel_context(
    journey: Journey, *, may_acknowledge: bool, at: datetime, page_at: str, **at_hand: Any
) -> dict[str, Any]:
    """What `process/clocks.html` needs; rooms above put it beside their record. `at_hand`: see `clocks_of`."""
    states = clocks_of(journey, at=at, **at_hand)
    return {
        "clocks": panel_rows(
            states, may_acknowledge=may_acknowledge, at=at, move_page=partial(move_page, journey)
        ),
        "clock_url": reverse("process:acknowledge", args=[journey.pk]),
        "settle_url": reverse("process:settle_call", args=[journey.pk]),
        "clock_at": page_at,
    }


@access("signed-in")
@require_POST
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    """Reminders about a clock rest for a while; who may move the record may say so."""
    user: Any = request.user
    at = timezone.now()
    journey = find_journey(user, pk)
    services.acknowledge(
        pk,
        kind=request.POST.get("kind", ""),
        key=request.POST.get("key", "")[:60],
        by=user,
        at=at,
        channel=Channel.UI,
    )
    return _back(request, journey, at)


@access("signed-in")
@require_POST
def settle_call(request: HttpRequest, pk: int) -> HttpResponse:
    """A flag or proposal of a clock was looked at and goes; who may move the record may say so."""
    user: Any = request.user
    at = timezone.now()
    find_journey(user, pk)
    journey = services.settle_call(
        pk,
        kind=request.POST.get("kind", ""),
        key=request.POST.get("key", "")[:60],
        act=request.POST.get("act", "")[:60],
        by=user,
        at=at,
        channel=Channel.UI,
    )
    return _back(request, journey, at)


def _back(request: HttpRequest, journey: Journey, at: datetime) -> HttpResponse:
    """The panel for htmx, else the page that asked."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None) or not back.startswith("/"):
        back = room_of(journey.subject_type).url(journey.subject_id)
    if not getattr(request, "htmx", False):
        return redirect(back)
    context = panel_context(journey, may_acknowledge=True, at=at, page_at=back)
    return page(request, "process/clocks.html", context)


@access("process.publish")
@require_POST
def thresholds(request: HttpRequest, key: str) -> HttpResponse:
    """Running journeys keep time by the published version from now on; a job writes it (SL-6)."""
    user: Any = request.user
    if not Process.objects.filter(key=key).exists():
        raise NotFound
    take_over.enqueue(key, user.pk)
    return redirect("process:process", key)
