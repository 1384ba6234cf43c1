"""The first steps of a newcomer: by role, read from what there is, skippable, and gone for good when closed."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from fairlead.fields.catalogue import catalogue
from fairlead.journal.models import Event
from fairlead.organisation.enums import Role
from fairlead.organisation.models import FirstSteps, User
from fairlead.web.selectors.first_steps import MOST, NEW_FOR, OF_ROLE, STEPS, first_steps

URL = "/first-steps/"


@pytest.fixture(autouse=True)
def newcomers(where):
    """Everybody came today."""
    User.objects.update(created_at=timezone.now())
    for person in where.people.values():
        person.refresh_from_db()


def shown(client):
    """Step → done, as the card on my day shows them."""
    text = client.get("/").content.decode()
    if 'id="first-steps"' not in text:
        return None
    card = text.split('id="first-steps"')[1].split("</section>")[0]
    rows = re.findall(r"<li( class=\"is-settled\")?>.*?class=\"t\"[^>]*>([^<]+)<", card, re.S)
    return {unescape(label): bool(settled) for settled, label in rows}


@pytest.mark.rule("U16")
def test_each_role_has_its_own_and_nobody_but_an_administrator_those_of_one(where, client_of):
    seller = shown(client_of("zhou"))
    assert list(seller) == [
        "Create an opportunity", "Log a call or a visit", "Plan a next step", "Move a deal on",
        "Choose when mail comes",
    ]  # fmt: skip
    assert list(shown(client_of("admin"))) == [
        "Add colleagues", "Bring your accounts", "Read the process", "Set the calendar", "Secure your sign-in",
    ]  # fmt: skip
    assert shown(client_of("newcomer")) is None
    administers = {"colleagues", "calendar"}
    for role, keys in OF_ROLE:
        assert 4 <= len(keys) <= MOST and set(keys) <= set(STEPS)
        assert role == Role.ADMIN or not administers & set(keys)
    assert {role for role, _keys in OF_ROLE} == set(Role)


@pytest.mark.rule("U16")
def test_a_step_is_done_when_what_there_is_says_so(where, client_of):
    client = client_of("zhou")
    assert not any(shown(client).values())
    deal = where.deal()
    assert shown(client)["Create an opportunity"]
    where.next_step(deal, days=2)
    assert shown(client)["Plan a next step"] and not shown(client)["Log a call or a visit"]
    assert "2 / 5" in client.get("/").content.decode()


@pytest.mark.rule("U16")
def test_a_step_is_passed_over_and_the_card_closed_for_good(where, client_of):
    client = client_of("zhou")
    assert client.post(URL, {"pass": "mail"}).url == "/"
    assert shown(client)["Choose when mail comes"]
    assert client.post(URL, {"pass": "spaceship"}).status_code == 422
    assert client.post(URL, {"close": "1"}).status_code == 302
    assert shown(client) is None
    row = FirstSteps.objects.get(user=where.zhou)
    assert row.passed == ["mail"] and row.closed_at is not None
    client.post(URL, {"close": "1"})
    assert FirstSteps.objects.get(user=where.zhou).closed_at == row.closed_at
    assert Event.objects.filter(type="first_steps_set", actor_id=where.zhou.pk).count() == 2
    assert shown(client_of("lin")) is not None


@pytest.mark.rule("U16")
def test_who_has_settled_all_or_is_new_no_more_sees_no_card(where, client_of, django_assert_num_queries):
    client = client_of("zhou")
    for key in dict(OF_ROLE)[Role.AR]:
        client.post(URL, {"pass": key})
    assert shown(client) is None
    old = where.people["lin"]
    User.objects.filter(pk=old.pk).update(created_at=timezone.now() - NEW_FOR - timedelta(days=1))
    old.refresh_from_db()
    with django_assert_num_queries(0):
        assert first_steps(old, at=timezone.now()) == []


@pytest.mark.rule("U16")
def test_it_costs_two_queries(where, django_assert_num_queries):
    catalogue("opportunity")
    person = User.objects.get(pk=where.zhou.pk)
    assert person.roles
    with django_assert_num_queries(2):
        assert len(first_steps(person, at=timezone.now())) == MOST


@pytest.mark.rule("U16")
def test_the_api_answers_the_same(where, client_of):
    client = client_of("zhou")
    items = client.get("/api/v1/first-steps").json()["items"]
    assert [one["key"] for one in items] == list(dict(OF_ROLE)[Role.AR])
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/").content.decode()).group(1)

    def post(body):
        return client.post(
            "/api/v1/first-steps", body, content_type="application/json", headers={"X-CSRFToken": token}
        )

    assert [one["passed"] for one in post({"passed": "move"}).json()["items"]].count(True) == 1
    assert post({"passed": "nothing"}).status_code == 422
    assert post({"closed": True}).json()["items"] == []
    assert reverse("web:first_steps") == URL
