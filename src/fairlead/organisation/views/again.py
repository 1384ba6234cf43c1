"""Signing in again over a page whose session has ended: the page stays, with all that was typed."""

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.organisation import services
from fairlead.organisation.forms import SignInForm
from fairlead.organisation.lockout import locked_words, try_password
from fairlead.organisation.views.pending import wait


@access("public")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def session(request: HttpRequest) -> HttpResponse:
    """204 to somebody who is signed in, with a fresh token; to others 401 and the form to sign in."""
    if request.user.is_authenticated:
        return _here(request)
    if request.method != "POST":
        return _form(request, 401)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _form(request, 422, _("Enter name and password."))
    given = form.cleaned_data
    attempt = try_password(request, username=given["username"], password=given["password"], at=timezone.now())
    if attempt.user is None:
        error = locked_words(attempt) if attempt.locked_minutes else _("Wrong password.")
        return _form(request, 429 if attempt.locked_minutes else 422, error)
    if services.second_step_of(attempt.user) is not None:
        wait(request, attempt.user, "/", timezone.now())
        return _form(request, 409, needs_code=True)
    login(request, attempt.user)
    return _here(request)


def _here(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(status=204)
    response.headers["X-Fairlead-User"] = str(request.user.pk)
    response.headers["X-Fairlead-Token"] = get_token(request)
    return response


def _form(request: HttpRequest, status: int, error: str = "", *, needs_code: bool = False) -> HttpResponse:
    context = {"error": error, "needs_code": needs_code, "username": request.POST.get("username", "")[:254]}
    return page(request, "organisation/again.html", context, status=status)
