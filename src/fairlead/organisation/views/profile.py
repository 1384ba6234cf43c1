"""One's own account: preferences, password, keys."""

from typing import Any

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, Stale
from fairlead.journal.enums import Channel
from fairlead.organisation import services
from fairlead.organisation.forms import ApiKeyForm, PasswordForm, PreferencesForm, add_refusal
from fairlead.organisation.models import ApiKey, User


def _user(request: HttpRequest) -> User:
    user: Any = request.user
    return user


@access("signed-in")
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    if request.method != "POST":
        return _profile_page(request)
    form = PreferencesForm(request.POST)
    if not form.is_valid():
        return _profile_page(request, preferences=form, status=422)
    try:
        services.change_preferences(user, by=user, at=timezone.now(), channel=Channel.UI, **form.cleaned_data)
    except Stale as refusal:
        form.add_error(None, str(refusal))
        return _profile_page(request, preferences=form, status=409)
    return redirect("organisation:profile")


@access("signed-in")
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """A new password ends all other sessions of the person; this one goes on."""
    user = _user(request)
    form = PasswordForm(request.POST or None)
    if form.is_valid():
        try:
            changed = services.set_password(
                user, by=user, at=timezone.now(), channel=Channel.UI, **form.cleaned_data
            )
        except Invalid as refusal:
            add_refusal(form, refusal)
        else:
            update_session_auth_hash(request, changed)
            return redirect("organisation:profile")
    context = {"form": form, "forced": user.must_change_password, "nav_at": "profile"}
    return page(request, "organisation/change_password.html", context, status=422 if form.errors else 200)


@access("apikeys.own")
@require_POST
def create_key(request: HttpRequest) -> HttpResponse:
    """The text of the key stands on this one answer and nowhere else."""
    user = _user(request)
    form = ApiKeyForm(request.POST)
    if not form.is_valid():
        return _profile_page(request, keys=form, status=422)
    now = timezone.now()
    try:
        key, text = services.create_api_key(
            user, name=form.cleaned_data["name"], scopes=form.cleaned_data["scopes"],
            expires_at=now + form.lifetime(), by=user, at=now, channel=Channel.UI,
        )  # fmt: skip
    except Invalid as refusal:
        add_refusal(form, refusal)
        return _profile_page(request, keys=form, status=422)
    return _profile_page(request, new_key=key, new_text=text, status=201)


@access("signed-in")
@require_POST
def revoke_key(request: HttpRequest, pk: int) -> HttpResponse:
    user = _user(request)
    key = get_object_or_404(ApiKey.objects.visible_to(user), pk=pk)
    services.revoke_api_key(key, by=user, at=timezone.now(), channel=Channel.UI)
    return redirect("organisation:profile")


def _profile_page(
    request: HttpRequest, *, preferences: PreferencesForm | None = None, keys: ApiKeyForm | None = None,
    new_key: ApiKey | None = None, new_text: str = "", status: int = 200,
) -> HttpResponse:  # fmt: skip
    user = User.objects.select_related("team").get(pk=_user(request).pk)
    shown = {name: getattr(user, name) for name in ("language", "theme", "time_zone", "version")}
    now = timezone.now()
    context = {
        "nav_at": "profile", "person": user, "roles": sorted(role.label for role in user.roles),
        "preferences": preferences or PreferencesForm(initial=shown), "key_form": keys or ApiKeyForm(),
        "keys": ApiKey.objects.filter(owner=user), "now_at": now, "new_key": new_key, "new_text": new_text,
    }  # fmt: skip
    return page(request, "organisation/profile.html", context, status=status)
