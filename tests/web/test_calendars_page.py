"""Several calendars on the page and by the API: added, changed, deleted, chosen for teams and people (CA-1)."""

import json

import pytest
from django.test import Client
from django.urls import reverse
from tests.factories.crm import company

from fairlead.organisation import services
from fairlead.organisation.models import Team, User, WorkingCalendar

pytestmark = pytest.mark.django_db


@pytest.fixture
def where():
    return company(language="en")


@pytest.fixture
def admin(where, client) -> Client:
    client.force_login(where.admin)
    return client


@pytest.fixture
def gulf(where) -> WorkingCalendar:
    how = where.how(where.admin)
    return services.create_calendar(name="Gulf", time_zone="Asia/Dubai", pattern="sun_thu", **how)


def of(row: WorkingCalendar, **values: str) -> dict[str, str]:
    row.refresh_from_db()
    return {"calendar": str(row.pk), "version": str(row.version), **values}


@pytest.mark.rule("CA-1")
def test_a_calendar_is_added_changed_and_deleted_on_the_page(admin):
    add = {"new_name": "Gulf", "new_zone": "Asia/Dubai", "base": "week:sun_thu"}
    answer = admin.post(reverse("web:calendar_new"), add)
    row = WorkingCalendar.objects.get(name="Gulf")
    assert (answer.status_code, answer.url) == (302, f"{reverse('web:calendar')}?calendar={row.pk}")
    page = admin.get(answer.url).content.decode()
    assert "nobody works by it" in page
    assert "Asia/Dubai" in page
    admin.post(reverse("web:calendar_week"), of(row, weekday_7="09:00-12:00"))
    row.refresh_from_db()
    assert row.weekly == {"7": [["09:00", "12:00"]]}
    admin.post(
        reverse("web:calendar_day"), of(row, date="2026-12-02", kind="holiday", name_en="National day")
    )
    assert row.days.count() == 1
    assert not WorkingCalendar.objects.get(is_default=True).days.exists()
    answer = admin.post(
        reverse("web:calendar_change"), of(row, name="Dubai", time_zone="Asia/Dubai", notices="1")
    )
    row.refresh_from_db()
    assert (answer.status_code, row.name, row.country) == (302, "Dubai", "CN")
    admin.post(reverse("web:calendar_change"), of(row, remove="1"))
    assert not WorkingCalendar.objects.filter(pk=row.pk).exists()
    assert admin.get(reverse("web:calendar"), {"calendar": row.pk}).status_code == 404


def test_what_is_wrong_is_named_beside_its_field_and_all_that_was_typed_stays(admin, gulf):
    own = WorkingCalendar.objects.get(is_default=True)
    answer = admin.post(
        reverse("web:calendar_new"), {"new_name": "Gulf", "new_zone": "Asia/Dubai", "base": "copy:9"}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose one of the list." in page
    assert 'value="Gulf"' in page
    answer = admin.post(
        reverse("web:calendar_new"), {"new_name": "", "new_zone": "x", "base": f"copy:{own.pk}"}
    )
    assert "Fill in the name." in answer.content.decode()
    answer = admin.post(reverse("web:calendar_change"), of(own, remove="1"))
    assert answer.status_code == 422
    assert "so it stays" in answer.content.decode()
    answer = admin.post(reverse("web:calendar_week"), of(gulf))
    assert answer.status_code == 422
    assert "at least one hour" in answer.content.decode()
    assert "Asia/Dubai" in answer.content.decode()


@pytest.mark.rule("CA-1")
def test_teams_and_people_choose_on_their_pages(admin, where, gulf):
    team, person = where.teams["east_one"], where.zhou
    assert 'name="calendar"' in admin.get(reverse("organisation:edit_team", args=[team.pk])).content.decode()
    admin.post(
        reverse("organisation:edit_team", args=[team.pk]),
        {"name": team.name, "parent": team.parent_id, "version": team.version, "calendar": gulf.pk},
    )
    assert Team.objects.get(pk=team.pk).calendar == gulf
    values = {
        "name": person.name, "email": "", "language": "en", "time_zone": "Asia/Shanghai", "team": team.pk,
        "roles": ["AR"], "version": person.version,
    }  # fmt: skip
    admin.post(reverse("organisation:edit_user", args=[person.pk]), {**values, "calendar": gulf.pk})
    person.refresh_from_db()
    assert person.calendar == gulf
    page = admin.get(reverse("web:calendar"), {"calendar": gulf.pk}).content.decode()
    assert "1 team · 1 person" in page
    answer = admin.post(reverse("web:calendar_change"), of(gulf, remove="1"))
    assert answer.status_code == 422
    assert "Give them another one first" in answer.content.decode()
    admin.post(
        reverse("organisation:edit_user", args=[person.pk]),
        {**values, "version": person.version, "calendar": ""},
    )
    assert User.objects.get(pk=person.pk).calendar is None


def test_where_there_is_only_the_companys_nobody_is_asked_and_nothing_changes(admin, where):
    team = where.teams["east_one"]
    assert (
        'name="calendar"' not in admin.get(reverse("organisation:edit_team", args=[team.pk])).content.decode()
    )
    assert 'name="calendar"' not in admin.get(reverse("organisation:create_user")).content.decode()


def call(client: Client, method: str, path: str, body=None, **headers):
    return getattr(client, method)(
        f"/api/v1/{path}",
        json.dumps(body) if body is not None else "",
        content_type="application/json",
        headers=headers,
    )


@pytest.mark.rule("CA-1")
def test_the_api_does_the_same(admin, where):
    own = WorkingCalendar.objects.get(is_default=True)
    made = call(admin, "post", "calendars", {"name": "Gulf", "time_zone": "Asia/Dubai", "copy_of": own.pk})
    assert made.status_code == 201
    pk, version = made.json()["id"], made.headers["ETag"]
    changed = call(admin, "patch", f"calendars/{pk}", {"notices": False}, if_match=version)
    assert (changed.status_code, changed.json()["notices"]) == (200, False)
    week = call(
        admin,
        "put",
        f"calendars/{pk}/week",
        {"weekly": {"7": [["09:00", "12:00"]]}},
        if_match=changed.headers["ETag"],
    )
    assert week.json()["weekly"] == {"7": [["09:00", "12:00"]]}
    assert call(admin, "put", f"users/{where.zhou.pk}/calendar", {"calendar": pk}).json()["calendar"] == pk
    assert (
        call(admin, "put", f"teams/{where.zhou.team_id}/calendar", {"calendar": pk}).json()["calendar"] == pk
    )
    listed = {row["name"]: row for row in admin.get("/api/v1/calendars").json()["items"]}
    assert listed["Gulf"]["people"] == [where.zhou.pk]
    assert listed["Gulf"]["teams"] == [where.zhou.team_id]
    refused = call(admin, "delete", f"calendars/{pk}", if_match=week.headers["ETag"])
    assert (refused.status_code, refused.json()["code"]) == (422, "calendar-in-use")
    for kind, who in (("users", where.zhou.pk), ("teams", where.zhou.team_id)):
        assert call(admin, "put", f"{kind}/{who}/calendar", {"calendar": None}).json()["calendar"] is None
    assert call(admin, "delete", f"calendars/{pk}", if_match=week.headers["ETag"]).status_code == 204
    missing = call(admin, "put", f"users/{where.zhou.pk}/calendar", {"calendar": pk})
    assert (missing.status_code, missing.json()["errors"][0]["field"]) == (422, "calendar")
