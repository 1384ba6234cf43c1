"""What ends a session, and what changes inside of one."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from tests.factories.crm import PASSWORD, company

from fairlead.common.refusals import NotPermitted
from fairlead.organisation import services
from fairlead.organisation.enums import Role
from fairlead.organisation.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.rule("T12")]


@pytest.fixture
def where(settings: Any) -> Any:
    settings.ALLOWED_HOSTS = ["testserver"]
    return company(language="en")


def signed_in(username: str) -> Client:
    client = Client()
    assert client.post("/sign-in", {"username": username, "password": PASSWORD}).status_code == 302
    return client


def test_signing_out_takes_a_post(where: Any) -> None:
    client = signed_in("zhou")
    assert client.get("/sign-out").status_code == 405
    assert client.get("/").status_code == 200
    assert client.post("/sign-out").status_code == 302
    assert client.get("/").status_code == 302


def test_the_session_gets_another_key_at_sign_in(where: Any) -> None:
    client = Client()
    client.get("/sign-in")
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    client.cookies["fairlead"] = planted
    client.post("/sign-in", {"username": "zhou", "password": PASSWORD})
    assert client.cookies["fairlead"].value != planted
    assert not Session.objects.filter(session_key=planted).exists()


@pytest.mark.rule("T01")
def test_a_change_of_roles_holds_from_the_next_request(where: Any) -> None:
    client = signed_in("zhou")
    assert client.get("/people").status_code == 403
    services.set_roles(where.zhou, roles=[Role.AR, Role.ADMIN], **where.how(where.admin))
    assert client.get("/people").status_code == 200
    services.set_roles(User.objects.get(pk=where.zhou.pk), roles=[Role.AR], **where.how(where.admin))
    assert client.get("/people").status_code == 403


@pytest.mark.rule("T01")
def test_the_disabled_are_out_at_their_next_request(where: Any) -> None:
    client = signed_in("zhou")
    assert client.get("/board/").status_code == 200
    services.deactivate(where.zhou, **where.how(where.admin))
    assert client.get("/board/").status_code == 302
    assert client.get("/api/v1/opportunities").status_code == 401
    again = Client().post("/sign-in", {"username": "zhou", "password": PASSWORD})
    assert again.status_code == 422


@pytest.mark.rule("T01")
def test_who_leaves_a_team_loses_its_rows_at_once(where: Any) -> None:
    deal = where.deal()
    client = signed_in("chen")
    address = f"/opportunities/{deal.pk}/panel/"
    assert client.get(address).status_code == 200
    services.move_to_team(where.chen, team=where.teams["south"], **where.how(where.admin))
    assert client.get(address).status_code == 404


def test_a_new_password_ends_the_other_sessions(where: Any) -> None:
    here, there = signed_in("zhou"), signed_in("zhou")
    values = {"current": PASSWORD, "password": "another-horse-battery"}
    assert here.post("/profile/password", values).status_code == 302
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 302


def test_a_form_of_another_site_is_refused(where: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(where.zhou)
    for path in ("/theme", "/sign-out", "/profile", "/opportunities/new/"):
        assert client.post(path, {"theme": "dark"}).status_code == 403
    assert User.objects.get(pk=where.zhou.pk).theme == "auto"
    assert client.get("/").status_code == 200


def test_a_key_cannot_make_keys_or_change_its_owner(where: Any) -> None:
    from datetime import timedelta

    how = where.how(where.zhou)
    row, text = services.create_api_key(
        where.zhou,
        name="x",
        scopes=["read", "write", "manage"],
        expires_at=how["at"] + timedelta(days=1),
        **how,
    )
    headers = {"authorization": f"Bearer {text}"}
    body = {"name": "y", "scopes": ["read"], "expires_at": (how["at"] + timedelta(days=1)).isoformat()}
    made = Client().post("/api/v1/keys", body, "application/json", headers=headers)
    assert made.status_code == 403
    owner = User.objects.get(pk=where.zhou.pk)
    owner.api_key = row
    with pytest.raises(NotPermitted):
        services.create_api_key(
            owner, name="z", scopes=["read"], expires_at=how["at"] + timedelta(days=1), **where.how(owner)
        )


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "\t//evil.example",
     "/%0d%0aLocation:evil", "http:evil.example", "///evil.example", "\\\\evil.example", "/\t/evil.example"],
)  # fmt: skip
def test_nobody_is_sent_to_another_site(where: Any, target: str) -> None:
    answer = Client().post("/sign-in", {"username": "zhou", "password": PASSWORD, "next": target})
    assert answer.status_code == 302
    assert answer.url == "/" or (answer.url.startswith("/%0d") and "\n" not in answer.url)
