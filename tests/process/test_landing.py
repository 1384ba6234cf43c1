"""Soft landing: gates flag until a day, then they block; what would be held is counted by the same decision."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from tests.factories.crm import PROCESS, company

from fairlead.common.refusals import Invalid, NotPermitted
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.organisation.models import Organisation
from fairlead.process.answers import visible_journeys
from fairlead.process.engine import decide, forward_move
from fairlead.process.enums import Kind
from fairlead.process.landing import FIRST_WEEKS, is_soft, may_begin, mode_on
from fairlead.process.models import Journey, Process
from fairlead.process.refusals import GateRefused
from fairlead.process.selectors.gathering import situations
from fairlead.process.selectors.landing import held_back, held_journeys, with_gaps
from fairlead.process.services import move
from fairlead.process.services.landing import set_mode
from fairlead.process.services.shipping import set_up_step
from fairlead.process.verdicts import Wish

pytestmark = [pytest.mark.django_db, pytest.mark.rule("PI-6", "4.11")]
FIRST_OF_MARCH = date(2026, 3, 1)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("mode", "day", "today", "soft"),
    [
        ("soft", None, date(2030, 1, 1), True),
        ("soft", FIRST_OF_MARCH, date(2026, 2, 28), True),
        ("soft", FIRST_OF_MARCH, FIRST_OF_MARCH, False),
        ("soft", FIRST_OF_MARCH, date(2026, 3, 2), False),
        ("enforced", None, FIRST_OF_MARCH, False),
        ("enforced", FIRST_OF_MARCH, date(2026, 2, 1), False),
    ],
)
def test_gates_flag_until_the_day_before(mode, day, today, soft):
    assert is_soft(mode, day, today) is soft
    assert mode_on(mode, day, today) == ("soft" if soft else "enforced")


def test_only_a_day_to_come_within_a_year():
    today = date(2026, 2, 1)
    assert [may_begin(today + timedelta(days=n), today) for n in (-1, 0, 1, 366, 367)] == [
        False,
        False,
        True,
        True,
        False,
    ]


def soft_until(where, days):
    now = timezone.now()
    day = now.astimezone(SHANGHAI).date() + timedelta(days=days)
    set_mode(PROCESS, mode="soft", enforced_from=day, by=where.tang, at=now, channel=Channel.UI)
    return day


def test_a_move_passes_with_flags_the_evening_before_and_is_held_from_midnight_of_the_organisation():
    where = company(mode="soft")
    day = soft_until(where, 3)
    before, after = where.deal("before"), where.deal("after")
    midnight = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    how = {"by": where.zhou, "channel": Channel.UI}

    # In a zone far west it is still the day before; the organisation's day decides.
    with timezone.override("America/Los_Angeles"):
        outcome = move(before.journey_id, Wish(kind=Kind.ADVANCE), at=midnight - timedelta(seconds=1), **how)
        with pytest.raises(GateRefused):
            move(after.journey_id, Wish(kind=Kind.ADVANCE), at=midnight, **how)

    assert set(outcome.verdict.soft_passed) == {
        "contact_two_way",
        "problem_stated",
        "bant",
        "sr_for_needs_analysis",
    }
    assert where.journey(before).gate_flags >= 3
    assert where.journey(after).stage.key == "customer_contact"


def test_what_would_be_held_is_what_an_enforced_gate_refuses():
    where = company(mode="soft")
    where.fulfil(where.deal("ready"))
    for stage in ("customer_contact", "needs_analysis", "needs_analysis"):
        where.deal(stage, stage=stage)
    where.deal("of another branch", owner=where.qi)
    at = timezone.now()
    process = Process.objects.get(key=PROCESS)
    refused = []
    for pk, s in situations(list(Journey.objects.current()), at=at).items():
        strict = replace(s.facts, journey=replace(s.facts.journey, soft=False))
        if not decide(s.definition, strict, forward_move(s.definition, strict)).allowed:
            refused.append(pk)

    everything, today = visible_journeys(where.tang), at.astimezone(SHANGHAI).date()
    found = held_back(everything, process, today=today)

    assert sorted(held_journeys(everything, process).values_list("pk", flat=True)) == sorted(refused)
    assert (found.open, found.held, found.mode) == (5, 4, "soft")
    assert [(s.key, s.open, s.held) for s in found.stages] == [
        ("customer_contact", 3, 2),
        ("needs_analysis", 2, 2),
    ]
    of_zhou = visible_journeys(where.zhou)
    assert held_back(of_zhou, process, today=today).held == 3
    rows = with_gaps(list(held_journeys(of_zhou, process, stage="customer_contact")), at=at)
    assert [(row.journey.title, len(row.gaps)) for row in rows] == [("customer_contact", 4)]


def test_the_day_is_written_down_with_who_set_it():
    where = company(mode="soft")
    day = soft_until(where, 10)
    event = Event.objects.filter(type="process_mode_set").latest("pk")
    assert (event.actor_id, event.process_key) == (where.tang.pk, PROCESS)
    assert event.data == {
        "before": "soft",
        "after": "soft",
        "enforced_from_before": None,
        "enforced_from": day.isoformat(),
    }
    soft_until(where, 10)  # the same again says nothing new
    assert Event.objects.filter(type="process_mode_set").count() == 1


@pytest.mark.parametrize("days", [-1, 0, 400])
def test_a_day_that_is_past_or_far_off_is_refused(days):
    where = company(mode="soft")
    with pytest.raises(Invalid):
        soft_until(where, days)
    assert Process.objects.get(key=PROCESS).enforced_from is None


@pytest.mark.rule("T02")
@pytest.mark.parametrize("name", ["zhou", "chen", "shen"])
def test_only_a_publisher_sets_the_day(name):
    where = company(mode="soft")
    with pytest.raises(NotPermitted):
        set_mode(PROCESS, mode="enforced", by=where.people[name], at=timezone.now(), channel=Channel.UI)
    assert Process.objects.get(key=PROCESS).mode == "soft"


def test_enforcing_at_once_forgets_the_day():
    where = company(mode="soft")
    soft_until(where, 10)
    row = set_mode(PROCESS, mode="enforced", by=where.tang, at=timezone.now(), channel=Channel.UI)
    assert (row.mode, row.enforced_from) == ("enforced", None)


def test_the_page_says_the_day_and_what_would_stop_and_the_numbers_open_their_rows(client: Client):
    where = company(mode="soft", language="en")
    day = soft_until(where, 20)
    where.deal("lacking", stage="needs_analysis")
    where.fulfil(where.deal("ready"))
    client.force_login(where.zhou)

    text = client.get(f"/processes/{PROCESS}/").content.decode()

    assert f"enforced from {day.strftime('%b')}" in text
    assert "As things stand, 1 of the 2 open records you see would be held" in text
    assert f"/processes/{PROCESS}/landing/?stage=needs_analysis" in text
    assert "Set the day" not in text  # a seller reads it
    rows = client.get(f"/processes/{PROCESS}/landing/?stage=needs_analysis").content.decode()
    assert 'data-count="1"' in rows
    assert "lacking" in rows
    assert ">ready<" not in rows
    deal = where.journey(where.deal("third")).subject_id
    assert "on they stop a move" in client.get(f"/opportunities/{deal}/").content.decode()


def test_the_owner_of_the_process_sets_the_day_on_its_page(client: Client):
    where = company(mode="soft", language="en")
    client.force_login(where.tang)
    day = timezone.now().astimezone(SHANGHAI).date() + timedelta(days=30)
    url = f"/processes/{PROCESS}/mode"
    assert client.post(url, {"mode": "soft", "enforced_from": "31.12."}).status_code == 422
    assert client.post(url, {"mode": "soft", "enforced_from": day.isoformat()}).status_code == 302
    assert Process.objects.get(key=PROCESS).enforced_from == day


def test_a_new_installation_lands_softly_for_four_weeks():
    where = company(mode="enforced")
    organisation = Organisation.objects.get()
    organisation.soft_mode, organisation.template = True, "plain"
    at = timezone.now()
    set_up_step(organisation, where.admin, at)
    row = Process.objects.get(key="plain_opportunity")
    assert row.mode == "soft"
    assert row.enforced_from == at.astimezone(SHANGHAI).date() + FIRST_WEEKS


@pytest.mark.parametrize("deals", [1, 20])
def test_the_questions_do_not_grow(client: Client, django_assert_num_queries, deals):
    where = company(mode="soft")
    account = where.account()
    for n in range(deals):
        where.deal(f"deal {n}", account=account)
    client.force_login(where.zhou)
    client.get(f"/processes/{PROCESS}/landing/")
    with django_assert_num_queries(23):  # open vetoes and accepted hand-overs are facts of their own
        client.get(f"/processes/{PROCESS}/landing/")
