"""The card with the first steps: passing one over, closing it for good."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from fairlead.common.access import access
from fairlead.common.refusals import Invalid
from fairlead.journal.enums import Channel
from fairlead.organisation import services
from fairlead.web.selectors.first_steps import STEPS


@access("signed-in")
@require_POST
def first_steps(request: HttpRequest) -> HttpResponse:
    """`pass` names a step; `close` ends the card. Back to my day."""
    user: Any = request.user
    passed, closed = request.POST.get("pass", ""), "close" in request.POST
    if not closed and passed not in STEPS:
        raise Invalid
    services.set_first_steps(
        by=user, at=timezone.now(), channel=Channel.UI, passed="" if closed else passed, closed=closed
    )
    return redirect("web:home")
