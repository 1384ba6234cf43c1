"""Leave on its page, on My day, in the calendar, and by the API (CA-1)."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import company

from fairlead.organisation import services
from fairlead.organisation.models import Leave

pytestmark = pytest.mark.django_db
PAGE = "organisation:leave"


@pytest.fixture
def where():
    return company(language="en")


@pytest.fixture
def as_zhou(where, client):
    client.force_login(where.zhou)
    return client


def day(n: int) -> str:
    return (timezone.localdate() + timedelta(days=n)).isoformat()


@pytest.mark.rule("CA-1")
def test_one_enters_changes_and_takes_back_ones_own(where, as_zhou):
    answer = as_zhou.post(reverse(PAGE), {"first_day": day(3), "last_day": day(4), "reason": "wedding"})
    assert (answer.status_code, answer.url) == (302, reverse(PAGE))
    row = Leave.objects.get()
    assert (row.user, row.entered_by) == (where.zhou, where.zhou)
    page = as_zhou.get(reverse(PAGE)).content.decode()
    assert "wedding" in page
    assert 'name="person"' not in page
    change = reverse("organisation:change_leave", args=[row.pk])
    as_zhou.post(change, {"first_day": day(5), "last_day": day(5), "reason": "", "version": 1})
    row.refresh_from_db()
    assert (row.first_day.isoformat(), row.version) == (day(5), 2)
    answer = as_zhou.post(change, {"first_day": day(5), "last_day": day(1), "version": 2})
    assert answer.status_code == 422
    assert "The last day is not before the first." in answer.content.decode()
    as_zhou.post(change, {"remove": "1", "version": 2})
    assert not Leave.objects.exists()


def test_wrong_days_are_named_and_what_was_typed_stays(as_zhou):
    answer = as_zhou.post(reverse(PAGE), {"first_day": "2026-13-45", "last_day": day(4), "reason": "wedding"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose a day." in page
    assert 'value="wedding"' in page
    answer = as_zhou.post(reverse(PAGE), {"person": "987654", "first_day": day(3), "last_day": day(4)})
    assert answer.status_code == 422
    assert "There is no such person." in answer.content.decode()


def test_a_manager_enters_it_for_the_team_and_a_colleague_reads_no_reason(where, client):
    client.force_login(where.chen)
    assert where.zhou.name in client.get(reverse(PAGE)).content.decode()
    values = {"person": where.zhou.pk, "first_day": day(0), "last_day": day(4), "reason": "surgery"}
    client.post(reverse(PAGE), values)
    assert Leave.objects.get().entered_by == where.chen
    assert "surgery" in client.get(reverse(PAGE)).content.decode()
    client.force_login(where.lin)
    page = client.get(reverse(PAGE)).content.decode()
    assert where.zhou.name in page
    assert "surgery" not in page
    client.force_login(where.qi)
    assert where.zhou.name not in client.get(reverse(PAGE)).content.decode()
    gone = client.post(reverse("organisation:change_leave", args=[Leave.objects.get().pk]), {"remove": "1"})
    assert gone.status_code == 404


def test_my_day_and_the_calendar_say_who_is_away(where, client):
    services.enter_leave(
        where.lin, first_day=timezone.localdate(), last_day=timezone.localdate() + timedelta(days=2),
        **where.how(where.lin),
    )  # fmt: skip
    for person, is_told in ((where.zhou, True), (where.chen, True), (where.qi, False)):
        client.force_login(person)
        for address in (reverse("web:home"), reverse("work:calendar")):
            assert (f"{where.lin.name}" in client.get(address).content.decode()) == is_told, (person, address)
    client.force_login(where.lin)
    assert "You are on leave until" in client.get(reverse("web:home")).content.decode()
    assert "Leave" in client.get(reverse("work:calendar")).content.decode()


def call(client, method, path, body=None, **headers):
    return getattr(client, method)(
        f"/api/v1/{path}",
        json.dumps(body) if body is not None else "",
        content_type="application/json",
        headers=headers,
    )


def test_the_api_does_the_same(where, as_zhou, client):
    made = call(as_zhou, "post", "leave", {"first_day": day(3), "last_day": day(4), "reason": "wedding"})
    assert made.status_code == 201
    pk = made.json()["id"]
    changed = call(
        as_zhou,
        "patch",
        f"leave/{pk}",
        {"first_day": day(3), "last_day": day(3)},
        if_match=made.headers["ETag"],
    )
    assert (changed.json()["last_day"], changed.json()["reason"]) == (day(3), "wedding")
    wrong = call(as_zhou, "post", "leave", {"first_day": day(9), "last_day": day(8)})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "last_day")
    long = call(as_zhou, "post", "leave", {"first_day": day(9), "last_day": day(3000)})
    assert (long.status_code, long.json()["errors"][0]["field"]) == (422, "last_day")
    other = call(as_zhou, "post", "leave", {"user": where.qi.pk, "first_day": day(9), "last_day": day(9)})
    assert other.status_code == 422
    client.force_login(where.lin)
    (seen,) = client.get("/api/v1/leave").json()["items"]
    assert (seen["user"], seen["reason"]) == (where.zhou.pk, None)
    client.force_login(where.qi)
    assert client.get("/api/v1/leave").json()["items"] == []
    assert call(client, "delete", f"leave/{pk}", if_match='"2"').status_code == 404
    client.force_login(where.chen)
    assert call(client, "delete", f"leave/{pk}", if_match='"2"').status_code == 204
