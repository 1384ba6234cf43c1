"""The frame of every page: what is in it, for whom, at what price."""

import re

import pytest
from django.test import RequestFactory
from django.urls import reverse
from tests.factories.crm import PASSWORD

from fairlead.organisation.models import User
from fairlead.web import navigation
from fairlead.web.frame import frame_of


def frame(user, path="/help/"):
    request = RequestFactory().get(path)
    request.resolver_match = None
    request.user = User.objects.select_related("team").get(pk=user.pk)
    return frame_of(request)


def keys(made):
    return [entry.key for _word, entries in made["nav"] for entry in entries]


@pytest.mark.rule("T01")
def test_only_what_a_person_may_open_is_in_there(where):
    seller, admin, newcomer = (keys(frame(where.people[name])) for name in ("zhou", "admin", "newcomer"))
    assert {"home", "board", "settings"} <= set(seller)
    assert not {"users", "fields", "audit", "imports"} & set(seller)
    assert {"users", "fields"} <= set(admin)
    assert not {"board", "opportunities", "accounts", "funnel"} & set(newcomer)
    assert frame(where.newcomer)["create"] == ()
    assert frame(where.zhou)["create"][0][0] == reverse("crm:new_deal")


def test_no_item_of_the_navigation_has_two_meanings():
    items = [item for _label, group in navigation.GROUPS for item in group]
    shortcuts = [item.shortcut for item in items if item.shortcut]
    assert len(set(shortcuts)) == len(shortcuts)
    assert len({item.key for item in items}) == len(items)


@pytest.mark.parametrize("deals", [1, 50])
def test_the_frame_costs_two_queries(where, django_assert_num_queries, deals):
    for number in range(deals):
        where.deal(f"deal {number}")
    user = User.objects.select_related("team").get(pk=where.zhou.pk)
    assert user.may("opportunity.view")
    request = RequestFactory().get("/")
    request.resolver_match, request.user = None, user
    with django_assert_num_queries(1):
        made = frame_of(request)
        frame_of(request)
    assert dict(made["counts"])["board"] == deals


def test_a_guest_has_no_frame():
    request = RequestFactory().get("/")
    assert frame_of(request) == {}


def test_the_demo_says_so_on_every_page(where, client_of):
    client = client_of("zhou")
    assert "Sample data" not in client.get("/help/").content.decode()
    User.objects.filter(pk=where.lin.pk).update(is_sample=True)
    assert "Sample data" in client.get("/help/").content.decode()


def test_the_page_says_where_one_is(client_of):
    text = client_of("admin").get("/settings/fields/").content.decode()
    current = re.findall(r'<a href="([^"]+)" aria-current="page"', text.split("</nav>")[0])
    assert current == ["/settings/fields/"]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_guest_is_sent_to_sign_in_and_back(client_of, where, language, client, settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    answer = client.get("/search/?q=a", headers={"accept-language": language})
    assert (answer.status_code, answer.url) == (302, "/sign-in?next=%2Fsearch%2F%3Fq%3Da")
    signed = client.post("/sign-in", {"username": "zhou", "password": PASSWORD, "next": "/search/?q=a"})
    assert signed.url == "/search/?q=a"
