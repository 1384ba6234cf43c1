"""In, out, and the two preferences that can be changed from any page."""

from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.journal.enums import Channel
from fairlead.organisation import services, viewing
from fairlead.organisation.enums import Language, Theme
from fairlead.organisation.forms import SignInForm
from fairlead.organisation.lockout import Attempt, locked_words, try_password
from fairlead.organisation.views.pending import bare_context, safe_next, wait

_YEAR = 365 * 24 * 3600


@access("public")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Name and password; before the first run the way to it."""
    target = safe_next(request, request.POST.get("next") or request.GET.get("next"))
    if request.user.is_authenticated:
        return redirect(target)
    if request.method != "POST":
        if not services.is_set_up():
            return redirect("organisation:first_run")
        return _sign_in_page(request, SignInForm(), target, 200)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_page(request, form, target, 422)
    given = form.cleaned_data
    attempt = try_password(request, username=given["username"], password=given["password"], at=timezone.now())
    if attempt.user is None:
        form.add_error("password", _why_not(attempt))
        return _sign_in_page(request, form, target, 429 if attempt.locked_minutes else 422)
    if services.second_step_of(attempt.user) is not None:
        wait(request, attempt.user, target, timezone.now())
        return redirect("organisation:sign_in_code")
    login(request, attempt.user)
    return redirect(target)


def _sign_in_page(request: HttpRequest, form: SignInForm, target: str, status: int) -> HttpResponse:
    context = bare_context(request, form=form, next=target)
    return page(request, "organisation/sign_in.html", context, status=status)


def _why_not(attempt: Attempt) -> str:
    if attempt.locked_minutes:
        return locked_words(attempt)
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    return ngettext(
        "Wrong password. %(n)s more try locks it for %(minutes)s minutes.",
        "Wrong password. %(n)s more tries lock it for %(minutes)s minutes.",
        attempt.tries_left,
    ) % {"n": attempt.tries_left, "minutes": minutes}


@access("public")
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if (looking := getattr(request, "viewing", None)) is not None:
        viewing.end(request, looking, "signed-out")
    logout(request)
    return redirect("organisation:sign_in")


@access("public")
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """The language of all pages: kept with the person, or for a guest in a cookie."""
    response = redirect(safe_next(request, request.POST.get("next")))
    chosen = request.POST.get("language", "")
    if chosen not in Language.values:
        return response
    if request.user.is_authenticated:
        user = request.user
        services.change_preferences(user, by=user, at=timezone.now(), channel=Channel.UI, language=chosen)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, chosen, max_age=_YEAR, httponly=True,
        samesite="Lax", secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip
    return response


@access("signed-in")
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    chosen = request.POST.get("theme", "")
    if chosen in Theme.values:
        services.change_preferences(user, by=user, at=timezone.now(), channel=Channel.UI, theme=chosen)
    return redirect(safe_next(request, request.POST.get("next")))
