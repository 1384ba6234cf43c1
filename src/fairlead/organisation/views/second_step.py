"""The second step: asked for at sign-in, set up and switched off by oneself, reset by an administrator."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid
from fairlead.journal.enums import Channel
from fairlead.organisation import codes, services
from fairlead.organisation.forms import CodeForm, SecondStepForm, add_refusal
from fairlead.organisation.lockout import Attempt, locked_words, try_code
from fairlead.organisation.models import Organisation, SecondStep, User
from fairlead.organisation.views.pending import bare_context, forget_pending, pending

_BACKEND: Final = "fairlead.organisation.backends.PasswordBackend"
_FORM: Final = ["GET", "HEAD", "POST"]


@access("public")
@sensitive_post_parameters("code")
@never_cache
@require_http_methods(_FORM)
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """The second step, for whoever has given the right password within the last minutes."""
    at = timezone.now()
    waiting = pending(request, at)
    if waiting is None:
        return redirect("organisation:sign_in")
    user, target = waiting
    form = CodeForm(request.POST if request.method == "POST" else None)
    status = 200
    if form.is_valid():
        given = form.cleaned_data["code"]
        attempt = try_code(
            request,
            user,
            lambda: services.take_code(user, code=given, at=at, channel=Channel.UI),
            at=at,
        )
        if attempt.user is not None:
            forget_pending(request)
            login(request, user, backend=_BACKEND)
            return redirect(target)
        form.add_error("code", _why_not(attempt))
        status = 429 if attempt.locked_minutes else 422
    elif form.is_bound:
        status = 422
    context = bare_context(request, form=form, person=user)
    return page(request, "organisation/sign_in_code.html", context, status=status)


def _why_not(attempt: Attempt) -> str:
    if attempt.locked_minutes:
        return locked_words(attempt)
    return ngettext(
        "This code is not right or was used already. %(n)s more try.",
        "This code is not right or was used already. %(n)s more tries.",
        attempt.tries_left,
    ) % {"n": attempt.tries_left}


@access("signed-in")
@sensitive_post_parameters("code", "current")
@never_cache
@require_http_methods(_FORM)
def second_step(request: HttpRequest) -> HttpResponse:
    """One's own second step: begin, confirm, new recovery codes, off. Codes stand on one answer and nowhere else."""
    user = User.objects.get(pk=request.user.pk)
    act = request.POST.get("act", "")
    if request.method != "POST":
        return _page(request, user)
    how: dict[str, Any] = {"by": request.user, "at": timezone.now(), "channel": Channel.UI}
    if act == "begin":
        with suppress(Invalid):  # it is on already: the page says so
            services.begin_second_step(user, **how)
        return redirect("organisation:second_step")
    acts: dict[str, Callable[..., list[str] | None]] = {
        "confirm": services.confirm_second_step,
        "codes": services.renew_recovery_codes,
        "off": services.switch_off_second_step,
    }
    if act not in acts:
        return redirect("organisation:second_step")
    return _change(request, user, act, acts[act], how)


def _change(
    request: HttpRequest, user: User, act: str, service: Callable[..., list[str] | None], how: dict[str, Any]
) -> HttpResponse:
    form = SecondStepForm(request.POST, auto_id=f"{act}_%s")
    if not form.is_valid():
        return _page(request, user, form=form, act=act, status=422)
    made: list[str] = []
    refusals: list[Invalid] = []

    def check() -> bool:
        try:
            made.extend(service(user, **form.cleaned_data, **how) or ())
        except Invalid as refusal:
            refusals.append(refusal)
            return False
        return True

    attempt = try_code(request, user, check, at=how["at"])
    if attempt.user is None:
        if attempt.locked_minutes:
            form.add_error(None, locked_words(attempt))
        else:
            add_refusal(form, refusals[0])
        return _page(request, user, form=form, act=act, status=429 if attempt.locked_minutes else 422)
    if act == "off":
        return redirect("organisation:second_step")
    return _page(request, user, recovery=made, status=201)


def _page(
    request: HttpRequest,
    user: User,
    *,
    form: SecondStepForm | None = None,
    act: str = "",
    recovery: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    found = SecondStep.objects.filter(user=user).first()
    user.refresh_from_db()
    context: dict[str, Any] = {
        "nav_at": "profile",
        "person": user,
        "forms": {name: SecondStepForm(auto_id=f"{name}_%s") for name in ("confirm", "codes", "off")}
        | ({act: form} if form is not None else {}),
        "act": act,
        "recovery": recovery or [],
        "state": "off" if found is None else "on" if found.confirmed_at else "waiting",
        "due": user.second_step_due,
        "left": found.codes.filter(used_at=None).count() if found is not None else 0,
        "is_on_since": found.confirmed_at if found is not None else None,
    }
    if found is not None and not found.confirmed_at:
        issuer = Organisation.objects.current().name or codes.ISSUER
        side, path = codes.picture_of(codes.address_of(found.secret, user.username, issuer))
        context |= {"side": side, "path": path, "secret": codes.grouped(found.secret)}
    return page(request, "organisation/second_step.html", context, status=status)


@access("users.manage")
@require_POST
def reset_second_step(request: HttpRequest, pk: int) -> HttpResponse:
    """For somebody who has lost device and codes; from then on the password alone signs in, until they set it up anew."""
    by: Any = request.user
    person = get_object_or_404(User.objects.manageable_by(by).select_related("team"), pk=pk)
    services.reset_second_step(person, by=by, at=timezone.now(), channel=Channel.UI)
    return redirect("organisation:edit_user", pk)
