"""Sample data of a company that has just begun: what they bring, how far they are, and the way to be rid of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Refusal
from fairlead.exchange.enums import SampleState
from fairlead.exchange.models import SampleData
from fairlead.exchange.selectors.samples import sample_view
from fairlead.exchange.services import samples
from fairlead.exchange.tasks import enqueue_sample_data
from fairlead.journal.enums import Channel

from .wizard import _whole

WORKING = (SampleState.LOADING, SampleState.CLEARING)


@access("settings.manage")
@require_safe
def sample_data(request: HttpRequest) -> HttpResponse:
    return _page(request)


def _page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    at = timezone.now()
    row = samples.sample_data()
    context: dict[str, Any] = {"nav_at": "settings", "refused": str(refusal or ""), **sample_view(row, at=at)}
    if row.state in WORKING and refusal is None:
        return page(request, "exchange/sample_progress.html", context, block="progress")
    status = refusal.status if refusal is not None else 200
    answer = page(request, "exchange/sample_data.html", context, status=status)
    return answer if refusal is not None else _whole(request, answer)


@access("settings.manage")
@require_POST
def load(request: HttpRequest) -> HttpResponse:
    return _begin(request, samples.begin_load)


@access("settings.manage")
@require_POST
def clear(request: HttpRequest) -> HttpResponse:
    return _begin(request, samples.begin_clear)


def _begin(request: HttpRequest, begin: Callable[..., SampleData]) -> HttpResponse:
    try:
        with transaction.atomic():
            begin(by=request.user, at=timezone.now(), channel=Channel.UI)
            enqueue_sample_data()
    except Refusal as refusal:
        return _page(request, refusal)
    return redirect("exchange:sample_data")
