"""Signing in over a page whose session has ended: the same doors, the same lock, nothing opened by half."""

from typing import Any

import pytest
from django.test import Client
from tests.factories.crm import PASSWORD, Company, company

pytestmark = pytest.mark.rule("U33", "T12")
ADDRESS = "/session"


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def send(client: Client, **data: Any) -> Any:
    return client.post(ADDRESS, data, headers={"accept-language": "en"})


def test_who_is_signed_in_gets_a_fresh_token_and_nothing_else(where: Company, client: Client) -> None:
    assert client.get(ADDRESS).status_code == 401
    client.force_login(where.zhou)
    answer = client.get(ADDRESS)
    assert answer.status_code == 204 and answer.content == b""
    assert answer.headers["X-Fairlead-User"] == str(where.zhou.pk)
    assert len(answer.headers["X-Fairlead-Token"]) >= 32 and "no-store" in answer.headers["Cache-Control"]


def test_the_right_password_opens_and_a_new_session_begins(where: Company, client: Client) -> None:
    before = client.session.session_key
    answer = send(client, username="zhou", password=PASSWORD)
    assert answer.status_code == 204 and answer.headers["X-Fairlead-User"] == str(where.zhou.pk)
    assert client.get("/").status_code == 200 and client.session.session_key != before


def test_a_wrong_one_is_said_and_counted_like_on_the_page_itself(where: Company, client: Client) -> None:
    for _n in range(5):
        answer = send(client, username="zhou", password="wrong")
        assert answer.status_code in (422, 429) and "<html" not in answer.content.decode()
    assert send(client, username="zhou", password=PASSWORD).status_code == 429
    assert client.get("/").status_code == 302
    assert send(client).status_code == 422
    assert send(client, username="nobody", password="x").status_code == 422
    assert "wrong" not in send(
        client, username="lin", password="wrong-secret"
    ).content.decode().lower().replace("wrong password", "")


def test_a_token_is_needed(where: Company) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(ADDRESS, {"username": "zhou", "password": PASSWORD}).status_code == 403


def test_the_password_alone_does_not_open_where_a_code_is_asked(
    where: Company, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairlead.organisation.services.second_step_of", lambda user: object())
    answer = send(client, username="zhou", password=PASSWORD)
    assert answer.status_code == 409 and "/sign-in/code" in answer.content.decode()
    assert client.get(ADDRESS).status_code == 401 and client.get("/").status_code == 302
