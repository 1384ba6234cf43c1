"""Clocks through the doors: the panel of a deal, “I know”, the API, compliance by stage, the document's section."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import PROCESS, company, document

from fairlead.fields.catalogue import catalogue
from fairlead.organisation.selectors import default_calendar
from fairlead.process.clocks import LADDER, MEANINGFUL, Limit
from fairlead.process.definition import DefinitionError
from fairlead.process.loading import load
from fairlead.process.models import Clock
from fairlead.process.selectors.clocks import compliance, over_clocks
from fairlead.process.services.sweeping import sweep
from fairlead.work.models import Notification, NotificationEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def where():
    return company(language="en")


def page_of(client, deal) -> str:
    return client.get(reverse("crm:opportunity", args=[deal.pk])).content.decode()


@pytest.mark.rule("SL-1", "SL-2")
def test_the_panel_names_four_clocks_their_cause_and_lets_an_owner_acknowledge(where, client):
    deal = where.deal(days_ago=60)
    sweep(at=timezone.now())
    client.force_login(where.zhou)
    html = page_of(client, deal)
    for words in ("This visit", "In this stage so far", "Since anything happened", "Since it began"):
        assert words in html
    assert "the stage changed" in html
    url = reverse("process:acknowledge", args=[deal.journey_id])
    assert html.count(f'action="{url}"') == 2  # the stay and the silence are over; C2 is the same as C1 here
    answer = client.post(url, {"kind": "visit", "next": reverse("crm:opportunity", args=[deal.pk])})
    assert (answer.status_code, answer.url) == (302, reverse("crm:opportunity", args=[deal.pk]))
    row = Clock.objects.get(journey=deal.journey_id, kind="visit")
    assert row.acknowledged_until > timezone.now()
    html = page_of(client, deal)
    assert "reminders rest until" in html
    assert html.count(f'action="{url}"') == 1
    piece = client.post(url, {"kind": "inactivity"}, headers={"HX-Request": "true"})
    assert piece.status_code == 200
    assert b"<html" not in piece.content


@pytest.mark.rule("SL-2")
def test_a_stranger_finds_no_clock_and_a_reader_cannot_acknowledge(where, client):
    deal = where.deal(days_ago=60)
    sweep(at=timezone.now())
    url = reverse("process:acknowledge", args=[deal.journey_id])
    client.force_login(where.he)
    assert client.post(url, {"kind": "visit"}).status_code == 404
    client.force_login(where.tang)
    assert url not in page_of(client, deal)
    assert client.post(url, {"kind": "visit"}).status_code == 403
    client.force_login(where.zhou)
    assert client.post(url, {"kind": "visit", "next": "https://example.com/"}).url.startswith(
        "/opportunities/"
    )
    assert client.post(url, {"kind": "nonsense"}).status_code == 422


@pytest.mark.rule("SL-2")
def test_breaches_reach_the_owner_and_rungs_the_manager_as_notifications(where):
    deal = where.deal(days_ago=60)
    at = timezone.now()
    sweep(at=at)
    mine = Notification.objects.get(recipient=deal.owner, subject_type="opportunity", subject_id=deal.pk)
    codes = set(NotificationEntry.objects.filter(notification=mine).values_list("code", flat=True))
    assert {"clock_yellow_visit", "clock_red_visit"} <= codes
    for hours in (9, 17):
        sweep(at=default_calendar().add_working_time(at, timedelta(hours=hours)) + timedelta(seconds=1))
    told = Notification.objects.get(recipient=where.chen, subject_id=deal.pk)
    assert told.reason == "escalated"


@pytest.mark.rule("SL-5")
def test_compliance_counts_completed_visits_by_the_breaches_of_the_journal(where):
    late, quick = where.fulfil(where.deal(days_ago=60)), None
    sweep(at=timezone.now())
    quick = where.deal(days_ago=0)
    where.fulfil(quick)
    for deal in (late, quick):
        where.move(deal, to="needs_analysis")
    today = timezone.localdate()
    rows = {
        c.stage: c
        for c in compliance(
            PROCESS, left_from=today - timedelta(days=1), left_before=today + timedelta(days=1)
        )
    }
    assert (rows["customer_contact"].completed, rows["customer_contact"].in_time) == (2, 1)
    assert rows["customer_contact"].percent == 50.0
    assert rows["needs_analysis"].percent is None
    only = compliance(
        PROCESS, left_from=today, left_before=today + timedelta(days=1), journeys=[quick.journey_id]
    )
    assert only[0].percent == 100.0


def test_the_days_work_can_ask_for_clocks_that_are_over(where):
    late, fine = where.deal(days_ago=60), where.deal(days_ago=1)
    found = {journey.pk for _clock, journey in over_clocks(where.zhou.pk, at=timezone.now())}
    assert late.journey_id in found
    assert fine.journey_id not in found


# --- the section of the document ---


def loaded(clocks=None):
    wanted = document() if clocks is None else {**document(), "clocks": clocks}
    return load(wanted, catalogue("opportunity"))


@pytest.mark.rule("SL-1", "SL-3")
def test_where_the_section_names_no_limits_those_of_the_stages_rule(where):
    policy = loaded().clocks
    assert policy.limit("visit", "needs_analysis") == policy.limit("stage", "needs_analysis") == Limit(14, 20)
    assert policy.meaningful == MEANINGFUL
    assert policy.ladder == LADDER
    assert policy.total == Limit(100, 200)
    assert set(document()["clocks"]) == {"acts"}  # of limits it says nothing


@pytest.mark.rule("SL-2", "SL-3", "SL-4")
@pytest.mark.parametrize(
    ("clocks", "path"),
    [
        ({"stages": {"nowhere": {}}}, "clocks.stages.nowhere"),
        (
            {"stages": {"needs_analysis": {"visit": {"yellow": 9, "red": 3}}}},
            "clocks.stages.needs_analysis.visit",
        ),
        (
            {"stages": {"needs_analysis": {"visit": {"yellow": 9, "factor": {"red": 2}}}}},
            "clocks.stages.needs_analysis.visit.red",
        ),
        (
            {"stages": {"needs_analysis": {"visit": {"red": 9, "factor": {"red": "much"}}}}},
            "clocks.stages.needs_analysis.visit.factor.red",
        ),
        (
            {"stages": {"needs_analysis": {"responses": {"XX": {"red": 1}}}}},
            "clocks.stages.needs_analysis.responses",
        ),
        ({"meaningful": []}, "clocks.meaningful"),
        ({"meaningful": ["note"]}, "clocks.meaningful"),
        ({"ladder": [{"to": "everybody"}]}, "clocks.ladder.0.to"),
        ({"ladder": [{"to": "owner", "after": 9}, {"to": "manager", "after": 1}]}, "clocks.ladder.1.after"),
        ({"quiet": {"from": 8, "until": 8}}, "clocks.quiet"),
        ({"quiet": {"from": 8}}, "clocks.quiet.until"),
        ({"acknowledge": 0}, "clocks.acknowledge"),
        ({"inactivity": {"yellow": True}}, "clocks.inactivity.yellow"),
        ({"anything": 1}, "clocks.anything"),
        ([], "clocks"),
    ],
)
def test_what_is_wrong_with_the_section_is_named_with_its_path(where, clocks, path):
    with pytest.raises(DefinitionError) as caught:
        loaded(clocks)
    assert path in [p.path for p in caught.value.problems]


@pytest.mark.rule("SL-1", "SL-2")
def test_the_page_of_a_process_says_what_its_clocks_do(where, client):
    client.force_login(where.zhou)
    html = client.get(reverse("process:process", args=[PROCESS])).content.decode()
    for words in (
        "What counts as activity",
        "a talk with the customer",
        "the manager after 16 working hours",
    ):
        assert words in html
