"""What several pages of this room need: the deal of an address, where its page is, notes for after a redirect."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from fairlead.common.refusals import NotFound
from fairlead.journal.undoing import undo_url

from ..models import Opportunity

MAX_ID = 2**63 - 1


def find_deal(request: HttpRequest, pk: int) -> Opportunity:
    """The deal that the reader sees, with its journey; a stranger gets what is not there."""
    user: Any = request.user
    rows = Opportunity.objects.visible_to(user).select_related(
        "account", "owner", "journey__stage", "journey__process_version"
    )
    deal = rows.filter(pk=pk).first() if pk <= MAX_ID else None
    if deal is None or deal.journey is None:
        raise NotFound
    return deal


def address(name: str, *args: Any) -> str:
    """The address of a page of any room, or nothing where that page is not there."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def deal_url(pk: int) -> str:
    return address("crm:opportunity", pk) or reverse("crm:panel", args=[pk])


def is_piece(request: HttpRequest) -> bool:
    """Whether HTMX asked for a piece of a page."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def is_on_board(request: HttpRequest) -> bool:
    """Whether the piece goes to a board."""
    htmx: Any = getattr(request, "htmx", None)
    here = str(getattr(htmx, "current_url_abs_path", "") or "")
    return urlsplit(here).path == reverse("crm:board")  # the skip link puts a fragment behind it


def way_back(request: HttpRequest, default: str) -> str:
    """Where the person came from, if that is ours."""
    wanted = str(request.POST.get("next") or request.GET.get("next") or "")
    is_ours = (
        wanted.startswith("/")
        and wanted.isprintable()
        and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    )
    return wanted if is_ours else default


def go(request: HttpRequest, url: str, text: Any = "", undo: str = "") -> HttpResponse:
    """Go to another page, which shows `text` and takes back what was done; for HTMX too."""
    if text:
        messages.info(request, str(text), extra_tags=undo or undo_url(request))
    if is_piece(request):
        response = HttpResponse(status=204)
        response.headers["HX-Redirect"] = url
        return response
    return HttpResponseRedirect(url)


def notes(request: HttpRequest) -> list[dict[str, str]]:
    """What the page before left to say, for the frame."""
    return [{"text": str(note), "undo": note.extra_tags or ""} for note in messages.get_messages(request)]


def clean_int(text: Any, low: int, high: int, default: int) -> int:
    value = str(text or "").strip()
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        return default
    return min(max(int(value), low), high)
