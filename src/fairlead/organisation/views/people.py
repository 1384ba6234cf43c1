"""The people here and their teams, for whoever manages them."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, Refusal, Stale
from fairlead.journal.enums import Channel
from fairlead.organisation import services
from fairlead.organisation.enums import Role, TeamKind
from fairlead.organisation.forms import (
    ResetPasswordForm,
    TeamEditForm,
    TeamForm,
    UserEditForm,
    UserForm,
    add_refusal,
)
from fairlead.organisation.models import Organisation, Team, User

_FORM_METHODS = ["GET", "HEAD", "POST"]


def _act(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.UI}


@access("users.manage")
@require_safe
def users(request: HttpRequest) -> HttpResponse:
    people = User.objects.manageable_by(request.user).select_related("team")
    context = {
        "nav_at": "users",
        "people": people.prefetch_related("role_assignments").by_name(),
        "teams": Team.objects.visible_to(request.user).as_tree(),
    }
    return page(request, "organisation/users.html", context)


@access("users.manage")
@sensitive_post_parameters("password")
@require_http_methods(_FORM_METHODS)
def create_user(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    organisation = Organisation.objects.current()
    initial = {"language": organisation.language, "time_zone": organisation.time_zone}
    form = UserForm(request.POST or None, initial=initial, by=user)
    if form.is_valid():
        values = form.cleaned_data | {"password": form.cleaned_data["password"] or None}
        calendar = values.pop("calendar", None)
        try:
            with transaction.atomic():
                made = services.create_user(
                    **values, must_change_password=bool(values["password"]), **_act(request)
                )
                services.assign_calendar(made, calendar=calendar, **_act(request))
        except Invalid as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("organisation:users")
    context = {"nav_at": "users", "form": form, "person": None}
    return page(request, "organisation/user_form.html", context, status=422 if form.errors else 200)


@access("users.manage")
@require_http_methods(_FORM_METHODS)
def edit_user(request: HttpRequest, pk: int) -> HttpResponse:
    """Name, address, team and roles in one form: either all of it is stored or nothing."""
    by: Any = request.user
    person = get_object_or_404(User.objects.manageable_by(by).select_related("team"), pk=pk)
    if request.method != "POST":
        return _user_page(request, person, UserEditForm(initial=_stored(person), by=by))
    form = UserEditForm(request.POST, by=by)
    if not form.is_valid():
        return _user_page(request, person, form, status=422)
    values = dict(form.cleaned_data)
    team, roles = values.pop("team"), values.pop("roles")
    assigned = {"calendar": values.pop("calendar")} if "calendar" in values else None
    try:
        with transaction.atomic():
            services.change_user(person, **values, **_act(request))
            services.move_to_team(person, team=team, **_act(request))
            if assigned is not None:
                services.assign_calendar(person, **assigned, **_act(request))
            services.set_roles(person, roles=[Role(role) for role in roles], **_act(request))
    except Invalid as refusal:
        add_refusal(form, refusal)
        return _user_page(request, person, form, status=422)
    except Stale as refusal:
        form.add_error(None, str(refusal))
        person.refresh_from_db()
        # What stands there now is shown beside what was typed; saving again then means it.
        form.data = {**request.POST.dict(), "roles": roles, "version": person.version}
        return _user_page(request, person, form, stored=_stored(person), status=409)
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return _user_page(request, person, form, status=refusal.status)
    return redirect("organisation:users")


@access("users.manage")
@sensitive_post_parameters("password")
@require_POST
def reset_password(request: HttpRequest, pk: int) -> HttpResponse:
    by: Any = request.user
    person = get_object_or_404(User.objects.manageable_by(by).select_related("team"), pk=pk)
    form = ResetPasswordForm(request.POST)
    if person.pk == by.pk:
        return redirect("organisation:change_password")
    if form.is_valid():
        try:
            services.set_password(person, password=form.cleaned_data["password"], **_act(request))
        except Invalid as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("organisation:edit_user", pk)
    edit = UserEditForm(initial=_stored(person), by=by)
    return _user_page(request, person, edit, reset=form, status=422)


@access("users.manage")
@require_POST
def set_active(request: HttpRequest, pk: int) -> HttpResponse:
    """`active` = 1 lets the person in again, 0 shuts them out, anything else changes nothing."""
    by: Any = request.user
    person = get_object_or_404(User.objects.manageable_by(by).select_related("team"), pk=pk)
    act = {"1": services.reactivate, "0": services.deactivate}.get(request.POST.get("active", ""))
    try:
        if act is not None:
            act(person, **_act(request))
    except services.LastAdministrator as refusal:
        form = UserEditForm(_stored(person), by=by)
        form.is_valid()
        form.add_error(None, str(refusal))
        return _user_page(request, person, form, status=refusal.status)
    return redirect("organisation:edit_user", pk)


@access("users.manage")
@require_http_methods(_FORM_METHODS)
def create_team(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    form = TeamForm(request.POST or None, by=user)
    if form.is_valid():
        parent = form.cleaned_data["parent"]
        kind = TeamKind.TEAM if parent else TeamKind.BRANCH
        try:
            services.create_team(name=form.cleaned_data["name"], parent=parent, kind=kind, **_act(request))
        except Invalid as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("organisation:users")
    context = {"nav_at": "users", "form": form, "team": None}
    return page(request, "organisation/team_form.html", context, status=422 if form.errors else 200)


@access("users.manage")
@require_http_methods(_FORM_METHODS)
def edit_team(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    team = get_object_or_404(Team.objects.visible_to(user), pk=pk)
    initial = {
        "name": team.name, "parent": team.parent_id, "calendar": team.calendar_id, "version": team.version,
    }  # fmt: skip
    form = TeamEditForm(request.POST or None, initial=initial, by=user)
    status = 200
    if form.is_valid():
        given = form.cleaned_data
        try:
            with transaction.atomic():
                services.rename_team(team, name=given["name"], version=given["version"], **_act(request))
                services.place_team(team, parent=given["parent"], **_act(request))
                if "calendar" in given:
                    services.assign_calendar(team, calendar=given["calendar"], **_act(request))
            return redirect("organisation:users")
        except Invalid as refusal:
            add_refusal(form, refusal)
        except Stale as refusal:
            form.add_error(None, str(refusal))
            status = 409
    if form.errors and status == 200:
        status = 422
    context = {"nav_at": "users", "form": form, "team": team}
    return page(request, "organisation/team_form.html", context, status=status)


def _stored(person: User) -> dict[str, Any]:
    held = person.role_assignments.filter(team=None)
    return {
        "name": person.name, "email": person.email, "language": person.language,
        "time_zone": person.time_zone, "team": person.team_id, "calendar": person.calendar_id,
        "roles": [row.role for row in held], "version": person.version,
    }  # fmt: skip


def _user_page(
    request: HttpRequest, person: User, form: UserEditForm, *, reset: ResetPasswordForm | None = None,
    stored: dict[str, Any] | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    user: Any = request.user
    context = {
        "nav_at": "users", "form": form, "person": person, "reset": reset or ResetPasswordForm(),
        "stored": [
            (form[name].label, value)
            for name, value in (stored or {}).items()
            if name != "version" and name in form.fields
        ],
        "second_step": services.second_step_of(person) is not None,
        "may_look": user.may(services.VIEW_AS) and not services.hindrance(person, user),
        "memberships": person.memberships.select_related("team").order_by("-from_date"),
    }  # fmt: skip
    return page(request, "organisation/user_form.html", context, status=status)
