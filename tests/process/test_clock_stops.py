"""The optional stops of clocks (§2.5): an awaited answer, a planned talk; off by default, in the fold, with their cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.crm import PROCESS, Company, company, document
from tests.process.test_clocks import CHINA, POLICY, event, moved, read, shanghai, started, travel

from fairlead.crm.models import Opportunity
from fairlead.fields.catalogue import catalogue
from fairlead.process import clocks, fold
from fairlead.process import services as process
from fairlead.process.clock_words import policy_words
from fairlead.process.definition import DefinitionError
from fairlead.process.enums import ClockKind, ClockStop
from fairlead.process.loading import load
from fairlead.process.models import Clock
from fairlead.process.selectors.clocks import ClockState, clocks_of
from fairlead.process.services.rebuilding import differences, rebuild
from fairlead.work import services as work

MONDAY = shanghai(2026, 11, 2, 9)
STOPS = replace(POLICY, waiting=3, planned=True)
STOPPED = (ClockKind.VISIT, ClockKind.STAGE)


def done(at: datetime, outcome: str, *, kind: str = "email", activity: int = 1) -> Any:
    return event("activity_done", at, activity=activity, kind=kind, outcome=outcome)


def plan(
    at: datetime, due: datetime, *, activity: int = 7, contact: bool = True, type_: str = "planned"
) -> Any:
    return event(
        f"activity_{type_}",
        at,
        activity=activity,
        kind="visit",
        outcome="",
        due=due.isoformat(),
        customer=contact,
    )


def gap(start: datetime, end: datetime) -> timedelta:
    return CHINA.working_time_between(start, end)


# --- an awaited answer ---


@pytest.mark.rule("SL-1")
def test_nothing_stops_a_clock_unless_the_process_says_so() -> None:
    sent = travel(started(MONDAY), done(shanghai(2026, 11, 3, 9), "sent"))
    fold.apply(sent, plan(shanghai(2026, 11, 3, 9), shanghai(2026, 11, 12, 9)))
    plain = read(travel(started(MONDAY)))
    for kind, reading in read(sent).items():
        assert (reading.red_at, reading.running_since) == (plain[kind].red_at, plain[kind].running_since)


@pytest.mark.rule("SL-1")
def test_an_awaited_answer_stops_the_stay_until_it_comes() -> None:
    asked, answered = shanghai(2026, 11, 3, 9), shanghai(2026, 11, 4, 15)
    state = travel(started(MONDAY), done(asked, "sent"), done(answered, "answered"))
    plain, found = read(travel(started(MONDAY))), read(state, STOPS)
    for kind in STOPPED:
        assert found[kind].red_at == CHINA.add_working_time(plain[kind].red_at, gap(asked, answered))
        assert found[kind].running_since == answered
    assert found[ClockKind.TOTAL].red_at == plain[ClockKind.TOTAL].red_at
    assert found[ClockKind.INACTIVITY].started_at == answered  # a reply sets it back as ever


@pytest.mark.rule("SL-1")
def test_nobody_waits_longer_than_the_process_grants_and_a_second_letter_buys_no_time() -> None:
    asked = shanghai(2026, 11, 3, 9)
    state = travel(started(MONDAY), done(asked, "sent"))
    last = CHINA.add_working_days(asked, 3)
    once = read(state, STOPS)[ClockKind.VISIT]
    assert once.running_since == last and once.paused_at is None
    fold.apply(state, done(shanghai(2026, 11, 4, 9), "sent", activity=2))
    fold.apply(state, done(shanghai(2026, 11, 5, 9), "no_answer", kind="call", activity=3))
    assert read(state, STOPS)[ClockKind.VISIT] == once
    before, after = last - timedelta(seconds=1), last
    assert clocks.stop_at(state, STOPS, CHINA, ClockKind.VISIT, before) == (ClockStop.WAITING, last)
    assert clocks.stop_at(state, STOPS, CHINA, ClockKind.VISIT, after) is None
    assert clocks.stop_at(state, STOPS, CHINA, ClockKind.TOTAL, before) is None


@pytest.mark.rule("SL-1", "AC-27")
def test_leaving_the_stage_ends_the_wait_and_the_sum_of_stays_keeps_it() -> None:
    asked, left = shanghai(2026, 11, 3, 9), shanghai(2026, 11, 4, 9)
    state = travel(started(MONDAY), done(asked, "sent"), moved(left, "four"))
    assert read(state, STOPS)[ClockKind.VISIT] == read(state)[ClockKind.VISIT]
    fold.apply(state, moved(shanghai(2026, 11, 5, 9), "five", back=True))
    stage = read(state, STOPS)[ClockKind.STAGE]
    assert stage.spent_seconds == gap(MONDAY, asked).total_seconds()


@pytest.mark.rule("SL-1")
def test_what_was_written_late_or_taken_back_waits_for_nobody() -> None:
    late = travel(started(MONDAY), done(shanghai(2026, 11, 5, 9), "answered"))
    fold.apply(late, done(shanghai(2026, 11, 4, 9), "sent", activity=2))  # before the reply that is known
    assert read(late, STOPS)[ClockKind.VISIT] == read(late)[ClockKind.VISIT]
    state = travel(started(MONDAY), done(shanghai(2026, 11, 3, 9), "sent"))
    fold.apply(
        state, event("activity_removed", shanghai(2026, 11, 3, 10), activity=1, kind="email", outcome="")
    )
    assert read(state, STOPS)[ClockKind.VISIT] == read(travel(started(MONDAY)))[ClockKind.VISIT]


# --- a planned talk ---


@pytest.mark.rule("SL-1")
def test_a_planned_talk_stops_the_clock_of_inactivity_until_its_time() -> None:
    said, due = shanghai(2026, 11, 3, 9), shanghai(2026, 11, 12, 14)
    state = travel(started(MONDAY), plan(said, due))
    plain, found = read(travel(started(MONDAY))), read(state, STOPS)
    silent = found[ClockKind.INACTIVITY]
    assert silent.running_since == due
    assert silent.red_at == CHINA.add_working_time(plain[ClockKind.INACTIVITY].red_at, gap(said, due))
    assert clocks.stop_at(state, STOPS, CHINA, ClockKind.INACTIVITY, said) == (ClockStop.PLANNED, due)
    assert clocks.stop_at(state, STOPS, CHINA, ClockKind.INACTIVITY, due) is None
    for kind in (*STOPPED, ClockKind.TOTAL):
        assert found[kind].red_at == plain[kind].red_at


@pytest.mark.rule("SL-1")
def test_only_a_talk_with_a_contact_that_lies_ahead_does() -> None:
    said = shanghai(2026, 11, 3, 9)
    for nothing in (
        plan(said, shanghai(2026, 11, 12, 14), contact=False),
        plan(said, shanghai(2026, 11, 2, 14)),
        event("activity_planned", said, activity=7, kind="visit", outcome=""),  # of the time before
    ):
        state = travel(started(MONDAY), nothing)
        assert read(state, STOPS)[ClockKind.INACTIVITY] == read(state)[ClockKind.INACTIVITY]


@pytest.mark.rule("SL-1")
@pytest.mark.parametrize("ends", ["cancelled", "done"])
def test_called_off_or_held_without_an_answer_it_goes_on_from_there(ends: str) -> None:
    said, due, at = shanghai(2026, 11, 3, 9), shanghai(2026, 11, 12, 14), shanghai(2026, 11, 5, 9)
    state = travel(started(MONDAY), plan(said, due))
    outcome = "no_answer" if ends == "done" else ""
    fold.apply(state, event(f"activity_{ends}", at, activity=7, kind="visit", outcome=outcome))
    silent = read(state, STOPS)[ClockKind.INACTIVITY]
    assert (silent.running_since, silent.spent_seconds) == (at, gap(MONDAY, said).total_seconds())


@pytest.mark.rule("SL-1")
def test_put_off_after_its_time_the_days_between_count() -> None:
    said, due = shanghai(2026, 11, 3, 9), shanghai(2026, 11, 4, 9)
    put_off, later = shanghai(2026, 11, 6, 9), shanghai(2026, 11, 12, 9)
    state = travel(started(MONDAY), plan(said, due), plan(put_off, later, type_="rescheduled"))
    silent = read(state, STOPS)[ClockKind.INACTIVITY]
    assert silent.running_since == later
    assert silent.spent_seconds == (gap(MONDAY, said) + gap(due, put_off)).total_seconds()


@settings(max_examples=40, deadline=None)
@given(hours=st.lists(st.tuples(st.integers(0, 400), st.sampled_from("sawpcr")), max_size=12))
def test_a_stop_never_makes_a_clock_due_earlier(hours: list[tuple[int, str]]) -> None:
    """Whatever happens in whatever order, stops only give time."""
    acts = {
        "s": lambda at: done(at, "sent"),
        "a": lambda at: done(at, "answered"),
        "w": lambda at: done(at, "no_answer", kind="call"),
        "p": lambda at: plan(at, at + timedelta(hours=50)),
        "c": lambda at: event("activity_cancelled", at, activity=7, kind="visit", outcome=""),
        "r": lambda at: plan(at, at + timedelta(hours=20), type_="rescheduled"),
    }
    state = travel(started(MONDAY))
    for hour, what in hours:
        fold.apply(state, acts[what](MONDAY + timedelta(hours=hour)))
    plain, found = read(state), read(state, STOPS)
    for kind in (*STOPPED, ClockKind.INACTIVITY):
        assert found[kind].red_at is not None and plain[kind].red_at is not None
        assert found[kind].red_at >= plain[kind].red_at


# --- in a company ---


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def stopping(where: Company, stops: dict[str, Any]) -> None:
    changed = {**document(), "version": 2, "clocks": {**document().get("clocks", {}), "stops": stops}}
    process.publish(changed, by=None, at=timezone.now(), channel="system")


def states(where: Company, deal: Opportunity) -> dict[str, ClockState]:
    return {s.kind: s for s in clocks_of(where.journey(deal), at=timezone.now())}


def sent(where: Company, deal: Opportunity) -> None:
    work.log_activity(
        "opportunity",
        deal.pk,
        kind="email",
        summary="发送方案",
        outcome="sent",
        done_at=timezone.now(),
        **where.how(),
    )


@pytest.mark.rule("SL-1")
def test_the_panel_and_the_interface_say_why_a_clock_stands_still(where: Company, client: Client) -> None:
    stopping(where, {"waiting": 5, "planned": True})
    deal = where.deal(days_ago=3)
    contact = where.contact(deal.account)
    sent(where, deal)
    work.plan_activity(
        "opportunity", deal.pk, kind="visit", summary="复核", due_at=timezone.now() + timedelta(days=9),
        contact_ids=[contact.pk], **where.how(),
    )  # fmt: skip
    found = states(where, deal)
    assert (found["visit"].stop, found["inactivity"].stop) == (ClockStop.WAITING, ClockStop.PLANNED)
    assert found["visit"].is_paused and found["total"].stop is None
    client.force_login(where.zhou)
    html = client.get(reverse("crm:opportunity", args=[deal.pk])).content.decode()
    assert "the customer&#39;s answer is awaited" in html and "until the talk with the customer on" in html
    rows = client.get(f"/api/v1/journeys/{deal.journey_id}/clocks").json()["items"]
    told = {row["clock"]: (row["stop"], row["paused"], row["stop_until"] is None) for row in rows}
    assert told["visit"] == ("waiting", True, False) and told["inactivity"] == ("planned", True, False)
    assert told["total"] == ("", False, True)


@pytest.mark.rule("SL-1", "EV-1")
def test_the_rows_are_those_of_the_journal_at_every_step(where: Company) -> None:
    stopping(where, {"waiting": 5, "planned": True})
    deal = where.deal(days_ago=9)
    contact = where.contact(deal.account)
    planned = work.plan_activity(
        "opportunity", deal.pk, kind="visit", summary="复核", due_at=timezone.now() + timedelta(days=9),
        contact_ids=[contact.pk], **where.how(),
    )  # fmt: skip
    sent(where, deal)
    assert list(differences()) == []
    planned = work.reschedule_activity(
        planned.pk, version=planned.version, due_at=timezone.now() + timedelta(days=3), **where.how()
    )
    assert list(differences()) == []
    planned = work.cancel_activity(planned.pk, version=planned.version, **where.how())
    planned = work.reopen_activity(planned.pk, version=planned.version, **where.how())
    assert list(differences()) == []
    work.complete_activity(planned.pk, version=planned.version, outcome="talked", **where.how())
    assert list(differences()) == []
    assert len(where.journey(deal).clocks["plans"]) == 3 and where.journey(deal).clocks["waits"][0][1]
    before = list(Clock.objects.order_by("pk").values())
    Clock.objects.all().delete()
    rebuild()
    assert list(Clock.objects.order_by("pk").values()) == before


@pytest.mark.rule("SL-6")
def test_a_policy_that_stops_is_a_new_version_and_takes_effect_when_it_is_taken_over(where: Company) -> None:
    deal = where.deal(days_ago=3)
    sent(where, deal)
    assert states(where, deal)["visit"].stop is None
    stopping(where, {"waiting": 5})
    assert states(where, deal)["visit"].stop is None
    process.take_over_thresholds(PROCESS, **where.how(where.admin))
    assert states(where, deal)["visit"].stop == ClockStop.WAITING
    assert list(differences()) == []


@pytest.mark.rule("PD-3")
@pytest.mark.parametrize(
    "stops,path",
    [
        ({"waiting": 0}, "clocks.stops.waiting"),
        ({"waiting": 61}, "clocks.stops.waiting"),
        ({"waiting": "soon"}, "clocks.stops.waiting"),
        ({"planned": "yes"}, "clocks.stops.planned"),
        ({"lunch": True}, "clocks.stops.lunch"),
        ([1], "clocks.stops"),
    ],
)
def test_a_stop_that_cannot_be_is_named_with_its_place(where: Company, stops: Any, path: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        load({**document(), "clocks": {"stops": stops}}, catalogue("opportunity"))
    assert path in [problem.path for problem in refused.value.problems]


def test_the_description_of_a_process_names_its_stops(where: Company) -> None:
    plain = load(document(), catalogue("opportunity"))
    both = load(
        {**document(), "clocks": {**document().get("clocks", {}), "stops": {"waiting": 5, "planned": True}}},
        catalogue("opportunity"),
    )
    assert (plain.clocks.waiting, plain.clocks.planned) == (None, False)
    assert len(policy_words(both)) == len(policy_words(plain)) + 1
    words = [line for _head, lines in policy_words(both) for line in lines]
    assert any("5" in line for line in words) and words != [
        line for _head, lines in policy_words(plain) for line in lines
    ]
