"""Seeing the pages as another person, and ending it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from fairlead.common.access import access
from fairlead.organisation import viewing
from fairlead.organisation.models import User


@access("people.view_as")
@require_POST
def view_as(request: HttpRequest, pk: int) -> HttpResponse:
    """From here on the session looks as this person, for half an hour, only to read."""
    user: Any = request.user
    viewing.begin(request, get_object_or_404(User.objects.visible_to(user), pk=pk))
    return redirect("/")


@access("signed-in")
@require_POST
def end_view_as(request: HttpRequest) -> HttpResponse:
    """Back to oneself, to the page of the person that one looked as."""
    found: viewing.Viewing | None = getattr(request, "viewing", None)
    if found is None:
        return redirect("/")
    viewing.end(request, found, "left")
    if found.by.may("users.manage"):
        return redirect("organisation:edit_user", found.person.pk)
    return redirect("/")
