"""A task gets other words, another person, another day; who gets it is told; it is taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from tests.factories.crm import Company, company

from fairlead.common.refusals import Invalid, Stale
from fairlead.journal.models import Event
from fairlead.journal.undoing import undo
from fairlead.work import services as work
from fairlead.work.models import Task
from fairlead.work.services import task_edits

pytestmark = pytest.mark.rule("U14")


@pytest.fixture
def where(db: None) -> Company:
    translation.activate("en")
    return company(language="en")


def changed(row: Task, where: Company, **values: Any) -> Task:
    row.refresh_from_db()
    wanted = {"title": row.title, "assignee": row.assignee, "due_date": row.due_date} | values
    return work.edit_task(row.pk, version=row.version, **wanted, **where.how())


def given(where: Company, **values: Any) -> Task:
    deal = where.deal(sr=where.sun.pk)
    return work.add_task("opportunity", deal.pk, title="Draw", **values, **where.how())


def test_words_person_and_day_change_with_one_event_and_the_new_person_is_told(
    where: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(task_edits, "notify", lambda **notice: told.append(notice["recipients"]))
    row, day = given(where), timezone.localdate() + timedelta(days=3)
    changed(row, where, title="Draw it", assignee=where.sun, due_date=day)
    row.refresh_from_db()
    assert (row.title, row.assignee, row.due_date, row.version) == ("Draw it", where.sun, day, 2)
    event = Event.objects.get(type="task_edited")
    assert event.data["fields"] == ["title", "assignee", "due_date"]
    assert told == [[where.sun.pk]]
    changed(row, where, title="Draw it well")  # the same person is not told again
    assert told == [[where.sun.pk]]
    changed(row, where)  # nothing changed
    assert Event.objects.filter(type="task_edited").count() == 2


def test_it_is_taken_back_unless_somebody_touched_it_since(where: Company) -> None:
    row = given(where, assignee=where.zhou)
    changed(row, where, title="Draw it", assignee=where.sun)
    event = Event.objects.get(type="task_edited")
    undo([event.pk], by=where.zhou, at=timezone.now(), channel="ui")
    row.refresh_from_db()
    assert (row.title, row.assignee) == ("Draw", where.zhou)


def test_what_cannot_be(where: Company) -> None:
    row = given(where)
    for values in ({"title": " "}, {"title": "x" * 201}, {"assignee": where.qi}):
        with pytest.raises(Invalid):
            changed(row, where, **values)
    with pytest.raises(Stale):
        work.edit_task(row.pk, title="A", assignee=None, due_date=None, version=9, **where.how())
    work.complete_task(row.pk, version=row.version, **where.how())
    with pytest.raises(Invalid, match="Reopen"):
        changed(row, where, title="Later")


def test_the_page_shows_what_stands_and_saves(where: Company, client: Client) -> None:
    row = given(where, assignee=where.zhou)
    client.force_login(where.zhou)
    url = reverse("work:task_edit", args=[row.pk])
    assert url in client.get(reverse("work:tasks")).content.decode()
    html = client.get(url, {"next": "/tasks/"}).content.decode()
    assert 'value="Draw"' in html and f'value="{where.zhou.pk}" selected' in html
    body = {
        "title": "Draw it",
        "assignee": str(where.sun.pk),
        "due_in": "2",
        "version": "1",
        "next": "/tasks/",
    }
    answer = client.post(url, body)
    assert (answer.status_code, answer.url) == (302, "/tasks/")
    row.refresh_from_db()
    assert (row.title, row.assignee) == ("Draw it", where.sun) and row.due_date is not None
    late = client.post(url, body | {"title": "Mine"})
    assert late.status_code == 409 and "Mine" in late.content.decode()
    row.refresh_from_db()
    assert row.title == "Draw it"


def test_a_stranger_finds_nothing_and_a_reader_changes_nothing(where: Company, client: Client) -> None:
    row = given(where)
    url = reverse("work:task_edit", args=[row.pk])
    client.force_login(where.qi)
    assert client.get(url).status_code == 404
    client.force_login(where.shen)
    assert client.post(url, {"title": "No", "version": "1"}).status_code == 403
    client.force_login(where.zhou)
    assert client.get(reverse("work:task_edit", args=[999_999])).status_code == 404


def test_by_the_api_what_is_not_sent_stays(where: Company, client: Client) -> None:
    row = given(where, assignee=where.zhou)
    client.force_login(where.zhou)
    url, json = f"/api/v1/tasks/{row.pk}", "application/json"
    answer = client.patch(url, {"title": "Draw it"}, content_type=json, headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.content
    assert (answer.json()["title"], answer.json()["assignee"]) == ("Draw it", where.zhou.pk)
    answer = client.patch(url, {"assignee": None}, content_type=json, headers={"If-Match": '"2"'})
    assert (answer.json()["title"], answer.json()["assignee"]) == ("Draw it", None)
    assert (
        client.patch(url, {"title": "A"}, content_type=json, headers={"If-Match": '"1"'}).status_code == 412
    )
