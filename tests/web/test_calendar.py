"""The working calendar's page and its API: week, own days, notices, provisional years (CA-1 to CA-5)."""

import json
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import company

from fairlead.journal.models import Event
from fairlead.organisation.models import CalendarDay, WorkingCalendar
from fairlead.organisation.selectors import default_calendar
from fairlead.web.views.calendars import hours_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def where():
    return company(language="en")


@pytest.fixture
def admin(where, client) -> Client:
    client.force_login(where.admin)
    return client


def row() -> WorkingCalendar:
    return WorkingCalendar.objects.get()


def week(**hours: str) -> dict[str, str]:
    return {"version": str(row().version), **{f"weekday_{day[1]}": text for day, text in hours.items()}}


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        ("09:00-12:00", [["09:00", "12:00"]]),
        ("9:00–12:00, 13:30–18:00", [["09:00", "12:00"], ["13:30", "18:00"]]),
        ("9：00至12：00、13：30 ~ 24:00", [["09:00", "12:00"], ["13:30", "24:00"]]),
        ("9-12", None),
        ("09:00-12:00 lunch", None),
        ("09:00", None),
    ],
)
def test_hours_are_read_as_people_write_them(text, pairs):
    assert hours_of(text) == pairs


@pytest.mark.rule("CA-1")
def test_the_week_is_set_on_the_page_and_counts_at_once(admin):
    answer = admin.post(reverse("web:calendar_week"), week(d1="09:00-12:00", d6="9:00-12:00, 13:00-17:00"))
    assert (answer.status_code, answer.url) == (302, reverse("web:calendar"))
    assert row().weekly == {"1": [["09:00", "12:00"]], "6": [["09:00", "12:00"], ["13:00", "17:00"]]}
    assert default_calendar().is_workday(date(2026, 6, 6))  # a plain Saturday
    assert not default_calendar().is_workday(date(2026, 6, 9))
    event = Event.objects.get(type="calendar_week_set")
    assert event.data["after"] == row().weekly
    html = admin.get(reverse("web:calendar")).content.decode()
    assert 'value="09:00–12:00, 13:00–17:00"' in html


@pytest.mark.rule("CA-1")
@pytest.mark.parametrize(
    ("hours", "says"),
    [
        ({}, "at least one hour"),
        ({"d1": "09:00-09:30"}, "at least one hour"),
        ({"d1": "12:00-09:00"}, "do not overlap"),
        ({"d1": "09:00-12:00 11:00-13:00"}, "do not overlap"),
        ({"d1": "<script>"}, "do not overlap"),
        ({"d1": "25:00-26:00"}, "do not overlap"),
        ({"d1": "1:00-2:00 3:00-4:00 5:00-6:00 7:00-8:00 9:00-10:00"}, "do not overlap"),
    ],
)
def test_a_calendar_without_a_working_day_and_wrong_hours_are_refused_and_change_nothing(admin, hours, says):
    before = row().weekly
    answer = admin.post(reverse("web:calendar_week"), week(**hours))
    assert answer.status_code == 422
    html = answer.content.decode()
    assert says in html
    assert "<script>" not in html.split("<main", 1)[1]
    assert row().weekly == before


@pytest.mark.rule("CA-1", "CA-3")
def test_a_day_of_the_companys_own_wins_is_listed_and_can_be_taken_back(admin):
    day = default_calendar().workday_after(timezone.localdate(), 3)
    url = reverse("web:calendar_day")
    answer = admin.post(
        url, {"date": day, "kind": "holiday", "name_en": "Founders' day", "version": row().version}
    )
    assert answer.status_code == 302
    assert not default_calendar().is_workday(day)
    html = admin.get(reverse("web:calendar") + f"?year={day.year}").content.decode()
    assert "Founders&#39; day" in html
    admin.post(url, {"date": day, "kind": "half_day", "version": row().version})
    assert len(default_calendar().hours_on(day)) == 1
    admin.post(url, {"date": day, "remove": "1", "version": row().version})
    assert CalendarDay.objects.count() == 0
    assert len(default_calendar().hours_on(day)) == 2


@pytest.mark.parametrize("day", ["", "2026-13-01", "1999-12-31", "2101-01-01", "9999-12-31"])
def test_a_day_that_is_none_is_refused(admin, day):
    answer = admin.post(
        reverse("web:calendar_day"), {"date": day, "kind": "holiday", "version": row().version}
    )
    assert answer.status_code == 422
    assert CalendarDay.objects.count() == 0


def test_a_late_save_finds_what_changed_meanwhile(admin):
    seen = row().version
    admin.post(reverse("web:calendar_week"), week(d1="09:00-12:00"))
    answer = admin.post(reverse("web:calendar_week"), {"weekday_1": "08:00-12:00", "version": str(seen)})
    assert answer.status_code == 409
    assert row().weekly == {"1": [["09:00", "12:00"]]}


@pytest.mark.rule("CA-2")
def test_everybody_reads_notices_and_provisional_years_and_only_settings_manage_edits(where, client):
    client.force_login(where.zhou)
    html = client.get(reverse("web:calendar") + "?year=2099").content.decode()
    assert "2099 is provisional" in html
    assert reverse("web:calendar_week") not in html
    assert client.post(reverse("web:calendar_week"), week(d1="09:00-12:00")).status_code == 403
    assert "National Day" in client.get(reverse("web:calendar") + "?year=2025").content.decode()


@pytest.mark.rule("CA-1", "CA-3")
def test_the_api_reads_and_sets_the_calendar(admin):
    def call(method: str, path: str, body=None, version: int | None = None):
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        return admin.generic(
            method,
            f"/api/v1/{path}",
            json.dumps(body or {}),
            content_type="application/json",
            headers=headers,
        )

    read = call("GET", "calendar?year=2018").json()
    assert (read["year"], read["provisional"], read["working_days"]) == (2018, False, 250)
    assert call("PUT", "calendar/week", {"weekly": {"1": [["09:00", "12:00"]]}}).status_code == 428
    assert call("PUT", "calendar/week", {"weekly": {}}, read["version"]).status_code == 422
    done = call("PUT", "calendar/week", {"weekly": {"1": [["09:00", "12:00"]]}}, read["version"])
    assert done.json()["weekly"] == {"1": [["09:00", "12:00"]]}
    stale = call("PUT", "calendar/days/2026-12-24", {"kind": "holiday"}, read["version"])
    assert stale.status_code == 412
    now = done.json()["version"]
    days = call("PUT", "calendar/days/2026-12-24", {"kind": "holiday", "zh": "司庆"}, now).json()["days"]
    assert [(d["date"], d["kind"], d["zh"]) for d in days] == [("2026-12-24", "holiday", "司庆")]
    assert call("DELETE", "calendar/days/2026-12-24", version=now + 1).json()["days"] == []


@pytest.mark.rule("CA-3")
def test_a_change_of_the_calendar_asks_for_the_clocks_after_its_commit(
    admin, django_capture_on_commit_callbacks
):
    from django_tasks_db.models import DBTaskResult

    day = timezone.localdate() + timedelta(days=1)
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(reverse("web:calendar_day"), {"date": day, "kind": "holiday", "version": row().version})
    assert DBTaskResult.objects.filter(task_path__endswith="follow_calendar").count() == 1
