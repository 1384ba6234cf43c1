"""Starred and lately opened records."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.pages import page

from .. import services
from ..selectors.keeping import favourites_of, seen_of
from .shared import about, act, is_piece


@access("signed-in")
@require_safe
def kept(request: HttpRequest) -> HttpResponse:
    """Favourites at the left, what was opened last at the right."""
    user: Any = request.user
    context = {"nav_at": "kept", "favourites": favourites_of(user), "seen": seen_of(user)}
    return page(request, "work/kept.html", context)


@access("signed-in")
@require_POST
def star(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """`on` = 1 stars the record, anything else takes the star off. HTMX gets the button as it stands now."""
    record = about(request, kind, pk, edit=False)
    starred = services.set_star(kind, pk, request.POST.get("on") == "1", **act(request))
    if is_piece(request):
        return render(request, "work/star_button.html", {"kind": kind, "pk": pk, "starred": starred})
    return redirect("work:kept" if "list" in request.POST else record.url(pk))


@access("signed-in")
@require_POST
def seen(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """The page of a record says that it was opened."""
    about(request, kind, pk, edit=False)
    services.see(kind, pk, by=request.user, at=timezone.now())
    return HttpResponse(status=204)


@access("signed-in")
@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    services.forget_seen(by=request.user)
    return redirect("work:kept")
