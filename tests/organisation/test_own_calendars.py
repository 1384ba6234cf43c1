"""Calendars beside the company's own, and who works by which: the nearest wins (CA-1)."""

from datetime import date

import pytest
from django.db import connection
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext
from tests.factories.crm import company

from fairlead.common.refusals import Invalid, NotPermitted, Stale
from fairlead.journal.models import Event
from fairlead.organisation import services
from fairlead.organisation.models import WorkingCalendar
from fairlead.organisation.selectors import calendars, default_calendar

pytestmark = pytest.mark.django_db
SUNDAY, FRIDAY = date(2026, 3, 15), date(2026, 3, 13)


@pytest.fixture
def where():
    return company()


@pytest.fixture
def how(where):
    return where.how(where.admin)


@pytest.fixture
def gulf(how) -> WorkingCalendar:
    return services.create_calendar(name="中东", time_zone="Asia/Dubai", pattern="sun_thu", **how)


def works_by(person) -> str:
    """What a person's week is, by a Sunday and a Friday."""
    calendar = calendars().of(person.pk)
    return f"{'S' if calendar.is_workday(SUNDAY) else '-'}{'F' if calendar.is_workday(FRIDAY) else '-'}"


def test_before_anybody_chooses_everybody_works_by_the_companys_and_it_costs_one_question(where):
    calendars()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        found = calendars()
    assert len(asked) == 1
    assert found.is_plain
    assert found.of(where.zhou.pk) is found.of(None) is found.default is default_calendar()


@pytest.mark.rule("CA-1")
def test_the_nearest_calendar_wins_person_before_team_before_the_teams_above(where, how, gulf):
    six = services.create_calendar(name="六天", time_zone="Asia/Shanghai", pattern="mon_sat", **how)
    root = where.zhou.team
    while root.parent is not None:
        root = root.parent
    services.assign_calendar(root, calendar=gulf, **how)
    assert works_by(where.zhou) == "S-"
    services.assign_calendar(where.zhou.team, calendar=six, **how)
    assert works_by(where.zhou) == "-F"
    services.assign_calendar(where.zhou, calendar=gulf, **how)
    assert works_by(where.zhou) == "S-"
    services.assign_calendar(where.zhou, calendar=None, **how)
    assert works_by(where.zhou) == "-F"
    other = services.create_team(name="另一组", parent=root, **how)
    services.move_to_team(where.zhou, team=other, **how)
    assert works_by(where.zhou) == "S-"
    services.assign_calendar(other, calendar=six, **how)
    services.place_team(other, parent=where.teams["south_one"], **how)
    services.assign_calendar(other, calendar=None, **how)
    services.assign_calendar(root, calendar=None, **how)
    assert works_by(where.zhou) == "-F"
    assert calendars().of(where.zhou.pk) is default_calendar()
    told = Event.objects.filter(type="calendar_assigned", subject_type="user").order_by("pk")
    assert [e.data["to_calendar_id"] for e in told] == [gulf.pk, None]


@pytest.mark.rule("CA-1")
def test_a_team_that_moves_works_by_the_calendar_of_where_it_stands_now(where, how, gulf):
    south = where.teams["south_one"]
    services.assign_calendar(south, calendar=gulf, **how)
    team = services.create_team(name="新组", parent=where.zhou.team, **how)
    services.move_to_team(where.zhou, team=team, **how)
    assert works_by(where.zhou) == "-F"
    services.place_team(team, parent=south, **how)
    assert works_by(where.zhou) == "S-"


def test_who_works_by_which_is_asked_once_for_each_state_of_it(where, how, gulf):
    services.assign_calendar(where.zhou, calendar=gulf, **how)
    calendars()
    with CaptureQueriesContext(connection) as asked:
        assert calendars() is calendars()
    assert len(asked) == 2
    services.set_calendar_day(gulf, day=SUNDAY, kind="holiday", name={"zh": "节日"}, **how)
    assert works_by(where.zhou) == "--"


def test_a_copy_has_the_days_of_its_original_and_goes_its_own_way_then(where, how):
    own = WorkingCalendar.objects.get(is_default=True)
    services.set_calendar_day(own, day=FRIDAY, kind="holiday", name={"zh": "司庆"}, **how)
    copy = services.create_calendar(name="分公司", time_zone="Asia/Shanghai", copy_of=own, **how)
    assert list(copy.days.values_list("date", "kind")) == [(FRIDAY, "holiday")]
    assert (copy.country, copy.weekly, copy.is_default) == (own.country, own.weekly, False)
    services.remove_calendar_day(copy, day=FRIDAY, **how)
    assert own.days.count() == 1


def test_a_calendar_is_deleted_only_when_nobody_works_by_it(where, how, gulf):
    services.assign_calendar(where.zhou, calendar=gulf, **how)
    with pytest.raises(services.CalendarInUse, match=where.zhou.name):
        services.remove_calendar(gulf, **how)
    with pytest.raises(services.CalendarInUse):
        services.remove_calendar(WorkingCalendar.objects.get(is_default=True), **how)
    with pytest.raises(ProtectedError):
        gulf.delete()
    services.assign_calendar(where.zhou, calendar=None, **how)
    services.remove_calendar(gulf, **how)
    assert not WorkingCalendar.objects.filter(pk=gulf.pk).exists()
    assert Event.objects.filter(type="calendar_removed").count() == 1


def test_wrong_input_is_named(where, how, gulf):
    for values, field in (
        ({"name": " ", "time_zone": "Asia/Dubai", "pattern": "sun_thu"}, "name"),
        ({"name": "中东", "time_zone": "Asia/Dubai", "pattern": "sun_thu"}, "name"),
        ({"name": "x", "time_zone": "Mars/Olympus", "pattern": "sun_thu"}, "time_zone"),
        ({"name": "x", "time_zone": "Asia/Dubai", "pattern": "never"}, "base"),
        ({"name": "x", "time_zone": "Asia/Dubai"}, "base"),
    ):
        with pytest.raises(Invalid) as refused:
            services.create_calendar(**values, **how)
        assert [e["field"] for e in refused.value.details["errors"]] == [field]
    with pytest.raises(Invalid):
        services.set_week(gulf, weekly={str(day): [] for day in range(1, 8)}, **how)
    with pytest.raises(Stale):
        services.change_calendar(gulf, name="海湾", version=7, **how)


def test_only_who_keeps_the_settings_adds_one_and_only_who_manages_people_assigns(where, how, gulf):
    other = where.how(where.zhou)
    before = Event.objects.count()
    for act in (
        lambda: services.create_calendar(name="x", time_zone="Asia/Dubai", pattern="sun_thu", **other),
        lambda: services.change_calendar(gulf, name="x", **other),
        lambda: services.remove_calendar(gulf, **other),
        lambda: services.assign_calendar(where.zhou, calendar=gulf, **other),
    ):
        with pytest.raises(NotPermitted):
            act()
    assert Event.objects.count() == before


def test_another_zone_or_other_notices_are_another_calendar_a_name_is_not(how, gulf):
    stamp = gulf.stamp
    assert services.change_calendar(gulf, name="海湾", **how).stamp == stamp
    row = services.change_calendar(gulf, notices=True, **how)
    assert (row.country, row.stamp != stamp) == ("CN", True)
    assert services.change_calendar(row, notices=True, **how).version == row.version
