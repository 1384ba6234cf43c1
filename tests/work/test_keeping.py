"""Favourites and what was opened last: one's own, bounded, and only what one sees."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import Company, company

from fairlead.common.refusals import Invalid, NotFound
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.work import services
from fairlead.work.models import Favourite, Seen
from fairlead.work.selectors.keeping import favourites_of, seen_of
from fairlead.work.services import keeping


@pytest.fixture
def where(db: None, settings) -> Company:
    settings.ALLOWED_HOSTS = ["testserver"]
    return company(language="en")


def client_of(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def star(where, deal, on=True, by=None):
    return services.set_star(
        "opportunity", deal.pk, on, by=by or where.zhou, at=timezone.now(), channel=Channel.UI
    )


def test_a_star_is_set_and_taken_off_once_and_noted_with_the_person(where):
    deal = where.deal("园区网")
    for _again in range(2):
        star(where, deal)
    assert [one.title for one in favourites_of(where.zhou)] == ["园区网"]
    assert favourites_of(where.admin) == []
    star(where, deal, on=False)
    assert favourites_of(where.zhou) == []
    events = Event.objects.filter(type="star_set").order_by("pk")
    assert [(e.subject_type, e.data["starred"]) for e in events] == [("user", True), ("user", False)]


@pytest.mark.rule("T05")
def test_only_what_one_sees_is_starred_listed_or_remembered(where):
    foreign = where.deal("of qi", owner=where.qi)
    with pytest.raises(NotFound):
        star(where, foreign)
    with pytest.raises(NotFound):
        services.see("opportunity", foreign.pk, by=where.zhou, at=timezone.now())
    Favourite.objects.create(
        person=where.zhou, subject_type="opportunity", subject_id=foreign.pk, at=timezone.now()
    )
    Seen.objects.create(
        person=where.zhou, subject_type="opportunity", subject_id=foreign.pk, at=timezone.now()
    )
    assert favourites_of(where.zhou) == [] and seen_of(where.zhou) == []
    assert "of qi" not in client_of(where.zhou).get(reverse("work:kept")).content.decode()


def test_the_list_of_what_was_opened_is_bounded_and_the_latest_first(where, monkeypatch):
    monkeypatch.setattr(keeping, "MOST_SEEN", 3)
    deals = [where.deal(f"deal {n}") for n in range(5)]
    start = timezone.now()
    for n, deal in enumerate(deals):
        services.see("opportunity", deal.pk, by=where.zhou, at=start + timedelta(minutes=n))
    assert [one.title for one in seen_of(where.zhou)] == ["deal 4", "deal 3", "deal 2"]
    services.see("opportunity", deals[2].pk, by=where.zhou, at=start + timedelta(minutes=9))
    assert seen_of(where.zhou)[0].title == "deal 2"
    assert Seen.objects.filter(person=where.zhou).count() == 3
    assert not Event.objects.filter(type__contains="seen").exists()
    services.forget_seen(by=where.zhou)
    assert seen_of(where.zhou) == []


def test_at_most_so_many_favourites(where, monkeypatch):
    monkeypatch.setattr(keeping, "MOST_STARS", 1)
    star(where, where.deal())
    with pytest.raises(Invalid):
        star(where, where.deal())


@pytest.mark.rule("T21")
def test_as_many_queries_for_one_as_for_twenty(where, django_assert_num_queries):
    for n in range(20):
        star(where, where.deal(f"deal {n}"))
        if n in (0, 19):
            assert where.zhou.roles
            with django_assert_num_queries(3):  # stars; which of them are seen; their titles
                assert len(favourites_of(where.zhou)) == n + 1


@pytest.mark.rule("U01")
def test_the_star_of_a_page_the_list_and_the_palette(where):
    client = client_of(where.zhou)
    deal = where.deal("园区网")
    page = client.get(reverse("crm:opportunity", args=[deal.pk])).content.decode()
    assert 'aria-pressed="false"' in page.split('class="wk-star"')[1]
    url = reverse("work:star", args=["opportunity", deal.pk])
    piece = client.post(url, {"on": "1"}, headers={"HX-Request": "true"}).content.decode()
    assert 'aria-pressed="true"' in piece and "<html" not in piece
    assert client.post(url, {"on": "1"}).url == reverse("crm:opportunity", args=[deal.pk])
    assert "园区网" in client.get(reverse("work:kept")).content.decode()
    offered = client.get("/palette/?q=&at=/", headers={"HX-Request": "true"}).content.decode()
    assert 'id="p-stars"' in offered and "园区网" in offered
    assert client.post(url, {"on": "0", "list": "1"}).url == reverse("work:kept")
    assert not Favourite.objects.exists()


def test_a_page_says_that_it_was_opened(where):
    client = client_of(where.zhou)
    deal = where.deal("园区网")
    url = reverse("work:seen", args=["opportunity", deal.pk])
    for _twice in range(2):
        assert client.post(url).status_code == 204
    assert [one.title for one in seen_of(where.zhou)] == ["园区网"]
    assert client.get("/api/v1/recent").json()["items"][0]["title"] == "园区网"
    assert client.post(reverse("work:forget_seen")).status_code == 302
    assert client.get("/api/v1/recent").json()["items"] == []
