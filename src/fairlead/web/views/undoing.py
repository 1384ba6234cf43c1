"""Undo: one address for everything that a person can take back, from a toast, by Ctrl+Z or from the history."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.crm.views.editing import PLURALS
from fairlead.journal.enums import Channel
from fairlead.journal.undoing import MOST, undo


def _leave(request: HttpRequest, url: str) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return HttpResponseRedirect(url)
    response = HttpResponse(status=204)
    response.headers["HX-Redirect"] = url
    return response


@access("signed-in")
@require_POST
def take_back(request: HttpRequest, ids: str) -> HttpResponse:
    """Take back one's own acts of these events. A script gets 204 and shows the page anew."""
    numbers = ids.split("-")
    if len(numbers) > MOST or not all(n.isdigit() and len(n) < 19 for n in numbers):
        raise NotFound
    user: Any = request.user
    events = undo([int(n) for n in numbers], by=user, at=timezone.now(), channel=Channel.UI)
    messages.info(request, _("Taken back"))
    gone = next((event for event in events if event.type == "created"), None)
    if gone is not None:  # its page is no more
        return _leave(request, reverse(f"crm:{PLURALS[gone.subject_type]}"))
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    wanted = request.POST.get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, None):
        return HttpResponseRedirect(wanted)
    kinds = {kind.subject_type: kind for kind in records.record_types()}
    first = events[-1]
    kind = kinds.get(first.subject_type)
    return HttpResponseRedirect(kind.url(first.subject_id) if kind is not None else "/")
