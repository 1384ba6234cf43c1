"""Tasks with somebody who does them and a day in working time; the calendar; another day by one click."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import Company, company

from fairlead.journal.models import Event
from fairlead.organisation.selectors import default_calendar
from fairlead.work import services as work
from fairlead.work.models import Activity, Notification, Task
from fairlead.work.services.notifications import deliver


@pytest.fixture
def where(db: None, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.setattr(type(deliver), "enqueue", lambda self, *a, **k: deliver.call(*a, **k))
    return company(language="en")


def body(response: Any) -> str:
    return str(response.content.decode())


@pytest.mark.rule("CA-1", "U26")
def test_a_task_is_given_in_working_days_and_who_gets_it_is_told(where: Company, client: Client) -> None:
    deal = where.deal("Cooling for line 4", sr=where.sun.pk)
    client.force_login(where.zhou)
    form = body(client.get(reverse("work:task", args=["opportunity", deal.pk])))
    assert "in 2 working days" in form and "孙启航" in form and "齐远" not in form
    data = {"title": "Draw the line", "assignee": where.sun.pk, "due_in": "2"}
    assert client.post(reverse("work:task", args=["opportunity", deal.pk]), data).status_code == 302
    row = Task.objects.get()
    assert row.due_date == default_calendar().workday_after(timezone.localdate(), 2)
    assert row.assignee == where.sun and Notification.objects.get(reason="assigned").recipient == where.sun
    client.force_login(where.sun)
    text = body(client.get(reverse("work:tasks")))
    assert "Draw the line" in text and "Cooling for line 4" in text
    assert "Draw the line" in body(client.get("/calendar/", {"day": row.due_date.isoformat()}))
    assert (
        client.post(reverse("work:task_done", args=[row.pk]), {"version": 1, "next": "/tasks/"}).headers[
            "Location"
        ]
        == "/tasks/"
    )
    assert "Draw the line" not in body(client.get(reverse("work:tasks")))
    assert "Draw the line" in body(client.get(reverse("work:tasks") + "?state=done"))
    client.force_login(where.zhou)
    assert "Draw the line" in body(client.get(reverse("work:tasks") + "?scope=given&state=done"))


@pytest.mark.rule("CA-1")
def test_a_task_that_nobody_was_given_is_its_makers_in_the_list_and_in_the_calendar(
    where: Company, client: Client
) -> None:
    deal, today = where.deal("Cooling for line 4"), timezone.localdate()
    work.add_task("opportunity", deal.pk, title="Check the terms", due_date=today, **where.how(where.zhou))
    for name, is_theirs in (("zhou", True), ("chen", False)):
        client.force_login(where.people[name])
        for address in (reverse("work:tasks"), "/calendar/"):
            assert ("Check the terms" in body(client.get(address))) is is_theirs, (name, address)


@pytest.mark.rule("T04", "T01")
def test_nobody_gets_a_task_about_what_they_may_not_see(where: Company, client: Client) -> None:
    deal = where.deal()
    client.force_login(where.zhou)
    address = reverse("work:task", args=["opportunity", deal.pk])
    for wrong in (
        {"assignee": where.qi.pk},
        {"assignee": "x"},
        {"assignee": 10**18},
        {"due_in": "999"},
        {"due_in": "x"},
    ):
        assert client.post(address, {"title": "x", **wrong}).status_code == 422, wrong
    assert not Task.objects.exists() and not Notification.objects.exists()


@pytest.mark.rule("T01")
def test_who_only_sees_the_record_settles_what_was_given_to_them_and_nothing_else(
    where: Company, client: Client
) -> None:
    deal = where.deal()
    given = work.add_task("opportunity", deal.pk, title="Check the terms", assignee=where.lu, **where.how())
    other = work.add_task("opportunity", deal.pk, title="Call", **where.how())
    client.force_login(where.lu)  # legal: reads, works on nothing
    assert client.post(reverse("work:task_done", args=[given.pk]), {"version": 1}).status_code == 302
    assert (
        client.post(reverse("work:task_done", args=[given.pk]), {"version": 2, "remove": 1}).status_code
        == 403
    )
    assert client.post(reverse("work:task_done", args=[other.pk]), {"version": 1}).status_code == 403
    client.force_login(where.qi)
    assert client.post(reverse("work:task_done", args=[other.pk]), {"version": 1}).status_code == 404


@pytest.mark.rule("U36", "CA-1")
def test_another_day_by_one_click_and_back(where: Company, client: Client) -> None:
    deal = where.deal()
    step = where.next_step(deal, days=-3)
    client.force_login(where.zhou)
    address = reverse("work:later", args=[step.pk])
    before = step.due_at
    assert client.post(address, {"version": 1, "to": "day", "next": "/"}).headers["Location"] == "/"
    step.refresh_from_db()
    local = timezone.localtime(step.due_at)
    assert local.date() == default_calendar().workday_after(timezone.localdate(), 1)
    assert local.time() == timezone.localtime(before).time()
    page = body(client.get("/"))
    undo = page.split('data-undo="')[1].split('"')[0].replace("&amp;", "&")
    assert client.post(undo).status_code == 302
    step.refresh_from_db()
    assert step.due_at == before and step.version == 3
    assert client.post(address, {"version": 1, "to": "day"}).status_code == 409
    assert client.post(address, {"version": 3, "to": "never"}).status_code == 422
    assert client.post(address, {"version": 3, "to": "monday"}).status_code == 302
    step.refresh_from_db()
    assert timezone.localtime(step.due_at).isoweekday() == 1 or not default_calendar().is_workday(
        timezone.localdate() + timedelta(days=8 - timezone.localdate().isoweekday())
    )
    assert Event.objects.filter(type="activity_rescheduled").count() == 3
    assert where.journey(deal).next_step_at == step.due_at
    client.force_login(where.shen)
    assert client.post(address, {"version": 4, "to": "day"}).status_code == 403


@pytest.mark.rule("U36")
def test_the_calendar_shows_ones_own_days_in_both_views(where: Company, client: Client) -> None:
    deal = where.deal("Cooling for line 4")
    zone = timezone.get_current_timezone()
    at = datetime(2026, 10, 9, 10, 0, tzinfo=zone)
    how = where.how()
    work.plan_activity(
        "opportunity", deal.pk, kind="visit", summary="On site", due_at=at, place="Hall 3", **how
    )
    work.log_activity(
        "opportunity", deal.pk, kind="call", summary="Talked", outcome="talked", done_at=at - timedelta(days=31), **how
    )  # fmt: skip
    foreign = where.deal(owner=where.lin)
    work.plan_activity(
        "opportunity", foreign.pk, kind="call", summary="Not mine", due_at=at, **where.how(where.lin)
    )
    client.force_login(where.zhou)
    week = body(client.get("/calendar/", {"day": "2026-10-08"}))
    assert "On site" in week and "Hall 3" in week and "Not mine" not in week and "10:00" in week
    assert "National Day" in week or "国庆" in week
    month = body(client.get("/calendar/", {"view": "month", "day": "2026-10-01"}))
    assert "On site" in month and "October 2026" in month
    assert "Talked" in body(client.get("/calendar/", {"view": "month", "day": "2026-09-01"}))
    for odd in ("x", "2026-02-31", "0001-01-01", "9999-12-31", ""):
        for view in ("week", "month", "x"):
            assert client.get("/calendar/", {"day": odd, "view": view}).status_code == 200


@pytest.mark.parametrize("rows", [1, 30])
def test_lists_ask_the_same_for_one_and_for_many(
    where: Company, client: Client, rows: int, django_assert_max_num_queries: Any
) -> None:
    for n in range(rows):
        deal = where.deal(f"deal {n}")
        where.next_step(deal, days=-1)
        work.add_task("opportunity", deal.pk, title="x", due_date=date(2026, 1, 1), **where.how())
    client.force_login(where.zhou)
    # The first page also asks for hand-overs, questions to a role and approvals that wait for one.
    for address, most in (("/", 15), ("/tasks/", 12), ("/calendar/", 12), ("/inbox/", 12)):
        client.get(address)
        with django_assert_max_num_queries(most):
            assert client.get(address).status_code == 200
    assert Activity.objects.count() == rows
