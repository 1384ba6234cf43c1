from django.urls import path

from fairlead.organisation.views import (
    again,
    first_run,
    leave,
    looking,
    people,
    profile,
    second_step,
    sign_in,
)

app_name = "organisation"
urlpatterns = [
    path("sign-in", sign_in.sign_in, name="sign_in"),
    path("sign-in/code", second_step.sign_in_code, name="sign_in_code"),
    path("session", again.session, name="session"),
    path("sign-out", sign_in.sign_out, name="sign_out"),
    path("language", sign_in.language, name="language"),
    path("theme", sign_in.theme, name="theme"),
    path("first-run", first_run.first_run, name="first_run"),
    path("profile", profile.profile, name="profile"),
    path("profile/password", profile.change_password, name="change_password"),
    path("profile/second-step", second_step.second_step, name="second_step"),
    path("profile/keys", profile.create_key, name="create_key"),
    path("profile/keys/<int:pk>/revoke", profile.revoke_key, name="revoke_key"),
    path("leave", leave.leave, name="leave"),
    path("leave/<int:pk>", leave.change_leave, name="change_leave"),
    path("people", people.users, name="users"),
    path("people/new", people.create_user, name="create_user"),
    path("people/<int:pk>", people.edit_user, name="edit_user"),
    path("people/<int:pk>/password", people.reset_password, name="reset_password"),
    path("people/<int:pk>/second-step", second_step.reset_second_step, name="reset_second_step"),
    path("people/<int:pk>/active", people.set_active, name="set_active"),
    path("people/<int:pk>/view-as", looking.view_as, name="view_as"),
    path("view-as/end", looking.end_view_as, name="end_view_as"),
    path("teams/new", people.create_team, name="create_team"),
    path("teams/<int:pk>", people.edit_team, name="edit_team"),
]
