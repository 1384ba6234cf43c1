"""Who has first to choose a password, or to set up the second step, sees the page for it and no other.

Who looks as another person is that person for every page, and changes nothing (`viewing`).
"""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from fairlead.common.errors import answer
from fairlead.common.refusals import NotPermitted
from fairlead.organisation import registry, viewing

_STILL_OPEN: Final = frozenset({"organisation:sign_out", "organisation:language", "organisation:theme"})


class OrganisationMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if viewing.KEY in request.session:
            found = viewing.viewing_of(request)
            if found is not None:
                request.viewing = found  # type: ignore[attr-defined]
                request.user = found.person
            elif request.method not in viewing.SAFE and not _has_key(request):
                # It ended just now: what was typed as somebody else is not done as oneself.
                return answer(request, viewing.OnlyLooking())
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        if (found := getattr(request, "viewing", None)) is not None:
            return _only_looking(request, found, name)
        access = getattr(view, "access", None)
        if access is not None and access.needs == "public":
            return None
        user: Any = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return None
        if not user.must_change_password and not user.second_step_due:
            return None
        door = "organisation:change_password" if user.must_change_password else "organisation:second_step"
        if name in _STILL_OPEN or name == door:
            return None
        if request.path.startswith("/api/"):  # the API answers for itself, with a problem document
            return None
        return redirect(door)


def _only_looking(request: HttpRequest, found: viewing.Viewing, name: str) -> HttpResponse | None:
    if name in registry.PRIVATE_PAGES:
        said = _("This page is %(name)s’s own and not shown to others.") % {"name": found.person.name}
        return answer(request, NotPermitted(said, code="only-looking"))
    if request.method in viewing.SAFE or name in viewing.ACTS or _has_key(request):
        return None
    return answer(request, viewing.OnlyLooking())


def _has_key(request: HttpRequest) -> bool:
    """A call of the API with a key of its own: it speaks for the key's owner, whatever session came along."""
    return request.path.startswith("/api/") and request.headers.get("Authorization", "").startswith("Bearer ")
