"""Clocks run by the calendar of a deal's owner, and follow whoever changes it (CA-1, CA-3)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.factories.crm import PROCESS, company

from fairlead.crm import services as crm
from fairlead.crm.selectors.board import BoardFilter, load_board, processes
from fairlead.journal.models import Event
from fairlead.organisation import services as organisation
from fairlead.organisation.models import WorkingCalendar
from fairlead.organisation.selectors import calendars, default_calendar
from fairlead.process.models import Clock, ClockCalendar
from fairlead.process.selectors.clocks import clocks_of
from fairlead.process.services import clock_notices
from fairlead.process.services.rebuilding import differences, rebuild
from fairlead.process.services.recalculating import is_outdated, recompute_clocks
from fairlead.process.services.sweeping import sweep

pytestmark = pytest.mark.django_db


@pytest.fixture
def where():
    return company()


@pytest.fixture
def how(where):
    return where.how(where.admin)


@pytest.fixture
def short(how):
    """A calendar with one working day a week: whatever is counted by it takes much longer."""
    row = organisation.create_calendar(name="周三", time_zone="Asia/Shanghai", pattern="mon_fri", **how)
    return organisation.set_week(row, weekly={"3": [["09:00", "12:00"]]}, **how)


@pytest.fixture
def told():
    found = []
    clock_notices.tell_with(found.extend)
    yield found
    clock_notices._tellers.remove(found.extend)


def visit(deal) -> Clock:
    return Clock.objects.get(journey=deal.journey_id, kind="visit")


def untouched() -> None:
    assert list(differences()) == []


@pytest.mark.rule("CA-1")
def test_a_deal_that_begins_is_timed_by_its_owners_calendar(where, how, short):
    organisation.assign_calendar(where.zhou, calendar=short, **how)
    mine, other = where.deal(days_ago=1), where.deal(days_ago=1, owner=where.people["qi"])
    assert visit(mine).red_at > visit(other).red_at
    own = calendars().of(where.zhou.pk)
    assert own.is_workday(visit(mine).red_at.astimezone(own.zone).date())
    untouched()
    rebuild()
    assert visit(mine).red_at > visit(other).red_at
    untouched()


@pytest.mark.rule("CA-1", "CA-3")
def test_choosing_a_calendar_moves_the_clocks_of_those_concerned_alone(where, how, short, told):
    mine, other = where.deal(days_ago=1), where.deal(days_ago=1, owner=where.people["qi"])
    recompute_clocks(at=timezone.now())
    before = visit(mine).red_at, visit(other).red_at
    organisation.assign_calendar(where.zhou.team, calendar=short, **how)
    assert is_outdated()
    done = recompute_clocks(at=timezone.now())
    assert visit(mine).red_at > before[0]
    assert visit(other).red_at == before[1]
    assert done.clocks == 4  # of the one deal
    event = Event.objects.get(type="calendar_recomputed")
    assert event.data["moved"] == done.moved > 0
    moved = [n for n in told if n.code == "clock_moved"]
    assert [(n.recipient_ids, n.subject_id) for n in moved] == [((where.zhou.pk,), mine.pk)]
    untouched()
    assert recompute_clocks(at=timezone.now()).clocks == 0
    organisation.assign_calendar(where.zhou.team, calendar=None, **how)
    recompute_clocks(at=timezone.now())
    assert visit(mine).red_at == before[0]
    assert ClockCalendar.objects.get().people == {}
    untouched()


@pytest.mark.rule("CA-3")
def test_a_change_of_one_calendar_reaches_only_those_who_work_by_it(where, how, short, told):
    organisation.assign_calendar(where.zhou, calendar=short, **how)
    mine, other = where.deal(days_ago=1), where.deal(days_ago=1, owner=where.people["qi"])
    recompute_clocks(at=timezone.now())
    before = visit(mine).red_at, visit(other).red_at
    organisation.set_week(short, weekly={"3": [["09:00", "12:00"]], "4": [["09:00", "12:00"]]}, **how)
    done = recompute_clocks(at=timezone.now())
    assert done.clocks == 4
    assert visit(mine).red_at < before[0]
    day = default_calendar().workday_after(timezone.localdate(), 2)
    organisation.set_calendar_day(
        WorkingCalendar.objects.get(is_default=True), day=day, kind="holiday", name={"zh": "司庆"}, **how
    )
    then = visit(mine).red_at
    done = recompute_clocks(at=timezone.now())
    assert done.clocks == 4  # of the other one now
    assert visit(other).red_at > before[1]
    assert visit(mine).red_at == then
    untouched()


@pytest.mark.rule("CA-1", "CA-3")
def test_a_deal_that_is_handed_over_runs_by_the_new_owners_calendar_from_its_start(where, how, short):
    organisation.assign_calendar(where.zhou, calendar=short, **how)
    deal, twin = where.deal(days_ago=3), where.deal(days_ago=3, owner=where.chen)
    assert visit(deal).red_at > visit(twin).red_at
    crm.reassign("opportunity", deal.pk, owner=where.chen, version=deal.version, **where.how(where.chen))
    assert abs(visit(deal).red_at - visit(twin).red_at) < timedelta(days=1)
    assert visit(deal).red_at.time() == visit(twin).red_at.time()
    untouched()


@pytest.mark.rule("CA-1")
def test_the_sweep_and_the_pages_ask_by_the_owners_calendar(where, how, short):
    organisation.assign_calendar(where.zhou, calendar=short, **how)
    mine, other = where.deal(days_ago=30), where.deal(days_ago=30, owner=where.people["qi"])
    sweep(at=timezone.now())
    assert visit(other).level == "red"
    assert visit(mine).level != "red"
    journey = where.journey(mine)
    days = {s.kind: s.days for s in clocks_of(journey, at=timezone.now())}
    process_ = next(p for p in processes() if p.key == PROCESS)
    card = next(
        c
        for column in load_board(where.admin, process_, BoardFilter(), at=timezone.now()).columns
        for c in column.cards
        if c.journey == journey.pk
    )
    assert card.days == days["visit"] <= 6
    untouched()


def test_no_sweep_asks_a_question_for_each_owner(where, how, short):
    people = [where.people[name] for name in ("zhou", "lin", "wu", "qi", "chen", "luo")]
    for n, person in enumerate(people):
        if n % 2:
            organisation.assign_calendar(person, calendar=short, **how)
    deals = [where.deal(days_ago=400, owner=person) for person in people]
    calendars()
    with CaptureQueriesContext(connection) as asked:
        sweep(at=timezone.now())
    many = sum("organisation_" in q["sql"] and "calendar" in q["sql"] for q in asked)
    assert many <= 3, many
    assert len(deals) == 6


@pytest.mark.rule("CA-3")
def test_data_of_before_goes_on_as_it_was(where):
    """A database in which the clocks were computed by the company's calendar, before people had their own."""
    deal = where.deal(days_ago=1)
    recompute_clocks(at=timezone.now())
    known = ClockCalendar.objects.get()
    assert (known.people, known.people_stamp) == ({}, "")
    assert not is_outdated()
    assert visit(deal).red_at == default_calendar().add_working_days(
        visit(deal).started_at, clocks_of(where.journey(deal), at=timezone.now())[0].red
    )


@pytest.mark.rule("CA-1", "CA-3")
def test_leave_of_the_owner_lets_the_clocks_of_their_deals_rest(where, told):
    mine, other = where.deal(days_ago=1), where.deal(days_ago=1, owner=where.people["qi"])
    recompute_clocks(at=timezone.now())
    before = visit(mine).red_at, visit(other).red_at
    today = timezone.localdate()
    row = organisation.enter_leave(
        where.zhou, first_day=today, last_day=today + timedelta(days=13), **where.how(where.chen)
    )
    done = recompute_clocks(at=timezone.now())
    assert done.clocks == 4
    assert visit(mine).red_at >= before[0] + timedelta(days=13)
    assert visit(other).red_at == before[1]
    assert [n.recipient_ids for n in told if n.code == "clock_moved"] == [(where.zhou.pk,)]
    untouched()
    rebuild()
    untouched()
    organisation.remove_leave(row.pk, version=1, **where.how(where.zhou))
    recompute_clocks(at=timezone.now())
    assert visit(mine).red_at == before[0]
    untouched()
    assert Event.objects.filter(type="calendar_recomputed").count() == 2


@pytest.mark.rule("CA-3")
def test_a_change_of_the_companys_calendar_reaches_who_is_on_leave_too(where, how):
    mine = where.deal(days_ago=1)
    today = timezone.localdate()
    organisation.enter_leave(where.zhou, first_day=today, last_day=today, **where.how(where.zhou))
    recompute_clocks(at=timezone.now())
    before = visit(mine).red_at
    day = calendars().of(where.zhou.pk).workday_after(today, 2)
    organisation.set_calendar_day(
        WorkingCalendar.objects.get(is_default=True), day=day, kind="holiday", name={"zh": "司庆"}, **how
    )
    recompute_clocks(at=timezone.now())
    assert visit(mine).red_at > before
    untouched()
