"""The frame of every page: what is in it, for whom, at what price."""

import os
import re

import pytest
from django.test import RequestFactory
from django.urls import reverse
from tests.factories.crm import PASSWORD
from tests.kit.fingerprint import changed, db_fingerprint

from fairlead.config.management.commands import worker
from fairlead.exchange.demo.progress import SILENT_SECONDS, Progress, being_built
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
    tag = '<a class="fl-tag" href="/help/demo/"'
    client = client_of("zhou")
    assert tag not in client.get("/help/").content.decode()
    User.objects.filter(pk=where.lin.pk).update(is_sample=True)
    assert tag in client.get("/help/").content.decode()


@pytest.mark.rule("U16")
def test_while_the_demo_is_built_every_page_says_how_far_and_nothing_is_changed(
    where, client_of, client, settings, tmp_path
):
    settings.DATA_DIR = tmp_path
    User.objects.filter(pk=where.lin.pk).update(is_sample=True)
    progress = Progress(tmp_path / "demo-progress.json", lambda line: None)
    progress.write(63, 100, "days")
    deal = where.deal("the first one")
    client = client_of("zhou")
    assert "63\u00a0%" in client.get("/help/").content.decode().replace(" %", "\u00a0%")
    before = db_fingerprint()
    for door, data in (
        (reverse("crm:meet_condition", args=[deal.pk]), {}),
        (f"/opportunities/{deal.pk}/move/", {"kind": "advance"}),
    ):
        answer = client.post(door, data)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "20")
        assert "63" in answer.content.decode()
    refused = client.post(f"/api/v1/opportunities/{deal.pk}/move", {}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (503, "demo-being-built")
    assert not changed(before, db_fingerprint())
    assert client.post("/theme", {"theme": "dark"}).status_code < 400
    piece = client.get("/demo-progress/", headers={"hx-request": "true"}).content.decode()
    assert 'hx-trigger="every 2s"' in piece
    assert "<html" not in piece
    progress.complete()
    piece = client.get("/demo-progress/", headers={"hx-request": "true"}).content.decode()
    assert "complete" in piece
    assert "hx-trigger" not in piece
    assert "63" not in client.get("/help/").content.decode().partition("<main")[0].partition("fl-looking")[2]
    answer = client.post(f"/opportunities/{deal.pk}/move/", {"kind": "advance"})
    assert answer.status_code != 503


@pytest.mark.django_db
def test_whoever_opens_a_coming_demo_at_once_is_not_asked_to_set_one_up(client, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    assert "fl-form" in client.get("/first-run").content.decode()
    Progress(tmp_path / "demo-progress.json", lambda line: None).write(0, 100, "founding")
    assert client.get("/sign-in").url == "/first-run"
    text = client.get("/first-run").content.decode()
    assert 'http-equiv="refresh"' in text
    assert "fl-form" not in text


def test_a_demo_whose_builder_was_killed_holds_nobody_back(tmp_path):
    path = tmp_path / "demo-progress.json"
    assert being_built(path) is None
    Progress(path, lambda line: None).write(40, 100, "days")
    assert being_built(path) == 40
    silent = path.stat().st_mtime - SILENT_SECONDS - 1
    os.utime(path, (silent, silent))
    assert being_built(path) is None


def test_the_schedule_waits_while_the_demo_is_built(monkeypatch, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    progress = Progress(tmp_path / "demo-progress.json", lambda line: None)
    progress.write(40, 100, "days")
    looked = []
    monkeypatch.setattr(worker.schedule, "due", lambda at: looked.append(at) or [])
    worker.look_at_schedule()
    assert not looked
    progress.complete()
    worker.look_at_schedule()
    assert len(looked) == 1


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
