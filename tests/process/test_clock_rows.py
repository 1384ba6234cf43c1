"""Clock rows beside the move, by the same fold that a rebuild uses; the sweep, its breaches and its ladder."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.factories.crm import PROCESS, company, document

from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.crm import services as crm
from fairlead.journal.models import Event
from fairlead.organisation import services as organisation
from fairlead.organisation.models import WorkingCalendar
from fairlead.organisation.selectors import default_calendar
from fairlead.process import services as process
from fairlead.process.enums import ClockKind
from fairlead.process.models import Clock, Journey, Visit
from fairlead.process.refusals import ClockRefused
from fairlead.process.services import clock_notices
from fairlead.process.services.rebuilding import differences, rebuild, refold_clocks
from fairlead.process.services.recalculating import recompute_clocks
from fairlead.process.services.sweeping import due_journeys, sweep
from fairlead.work import services as work

pytestmark = pytest.mark.django_db


@pytest.fixture
def where():
    return company()


def clocks(deal) -> dict[str, Clock]:
    return {row.kind: row for row in Clock.objects.filter(journey=deal.journey_id)}


def untouched() -> None:
    assert list(differences()) == []


def said(deal, type_: str) -> list[tuple[str, str]]:
    rows = Event.objects.filter(journey_id=deal.journey_id, type=type_).order_by("pk")
    return [(e.data["clock"], e.data.get("level") or e.data.get("to")) for e in rows]


@pytest.mark.rule("SL-1", "AC-26", "AC-27")
def test_clocks_are_written_with_the_move_and_a_rebuild_comes_to_the_same_rows(where):
    deal = where.fulfil(where.deal(days_ago=9))
    assert set(clocks(deal)) == {"visit", "stage", "inactivity", "total"}
    where.move(deal, to="needs_analysis")
    journey = where.journey(deal)
    assert clocks(deal)["visit"].started_at == journey.entered_at
    assert clocks(deal)["visit"].key == "needs_analysis"
    assert clocks(deal)["total"].started_at == journey.opened_at
    untouched()
    where.move(deal, "regress", to="customer_contact", reason="need_changed")
    untouched()
    where.move(deal, "hold", reason="project_paused", form={"resume_date": _in(20)})
    assert clocks(deal)["visit"].paused_at == where.journey(deal).hold_since
    assert clocks(deal)["total"].paused_at is None
    untouched()
    where.move(deal, "resume")
    assert clocks(deal)["visit"].running_since is not None
    untouched()
    before = list(Clock.objects.order_by("pk").values())
    Clock.objects.all().delete()
    rebuild()
    assert list(Clock.objects.order_by("pk").values()) == before
    where.move(deal, "close_lost", reason="price", form={"competitor": "东方自控"})
    assert clocks(deal) == {}
    untouched()


def _in(days: int) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


@pytest.mark.rule("SL-1")
def test_evidence_sets_the_clock_of_inactivity_back_in_its_own_transaction_and_a_note_does_not(where):
    deal = where.deal(days_ago=40)
    first = clocks(deal)["inactivity"]
    assert first.cause == "stage"
    work.add_comment("opportunity", deal.pk, text="随手一记", **where.how(deal.owner))
    assert clocks(deal)["inactivity"].started_at == first.started_at
    now = timezone.now()
    work.log_activity(
        "opportunity", deal.pk, kind="call", summary="回访", outcome="talked", done_at=now - timedelta(hours=1),
        **where.how(deal.owner, now),
    )  # fmt: skip
    after = clocks(deal)["inactivity"]
    assert (after.cause, after.started_at) == ("meeting", now - timedelta(hours=1))
    where.edit(deal, amount=77)
    assert clocks(deal)["inactivity"].cause == "amount"
    untouched()


@pytest.mark.rule("SL-5", "CA-5")
def test_the_sweep_notes_each_breach_once_with_the_instant_at_which_it_was_due(where):
    deal = where.deal(days_ago=60)
    row = clocks(deal)["visit"]
    sweep(at=row.yellow_at)
    assert ("visit", "yellow") not in said(deal, "clock_breached")  # exactly at the threshold is in time
    sweep(at=row.yellow_at + timedelta(seconds=1))
    assert clocks(deal)["visit"].level == "yellow"
    at = timezone.now()
    swept = sweep(at=at)
    assert swept.breaches >= 1
    assert clocks(deal)["visit"].level == "red"
    breach = Event.objects.filter(journey_id=deal.journey_id, type="clock_breached", data__clock="visit")
    assert [(e.data["level"], e.effective_at) for e in breach.order_by("pk")] == [
        ("yellow", row.yellow_at),
        ("red", row.red_at),
    ]
    untouched()
    assert sweep(at=at).breaches == 0


@pytest.mark.rule("SL-5")
def test_what_ends_a_breach_is_written_as_its_resolution(where):
    deal = where.fulfil(where.deal(days_ago=60))
    sweep(at=timezone.now())
    where.move(deal, to="needs_analysis")
    resolved = Event.objects.get(journey_id=deal.journey_id, type="clock_resolved", data__clock="visit")
    assert resolved.data["resolution"] == "advance"
    assert resolved.data["level"] == "red"
    assert clocks(deal)["visit"].level == ""
    untouched()


@pytest.mark.rule("AC-28", "SL-2")
def test_the_ladder_tells_owner_team_manager_and_the_next_level_and_an_acknowledgement_pauses_it(where):
    told = []
    clock_notices.tell_with(told.extend)
    try:
        deal = where.deal(days_ago=60)
        calendar, at = default_calendar(), timezone.now()
        sweep(at=at)
        assert ("visit", "owner") in said(deal, "clock_escalated")
        for hours in (9, 17, 41):
            sweep(at=calendar.add_working_time(at, timedelta(hours=hours)) + timedelta(seconds=1))
        assert [to for clock, to in said(deal, "clock_escalated") if clock == "visit"] == [
            "owner", "team", "manager", "next_level",
        ]  # fmt: skip
        mine = [n for n in told if n.subject_id == deal.pk and n.params["clock"] == "visit"]
        assert mine[0].recipient_ids == (deal.owner_id,)
        assert where.chen.pk in mine[-2].recipient_ids
        untouched()
    finally:
        clock_notices._tellers.remove(told.extend)


@pytest.mark.rule("AC-27")
def test_bouncing_does_not_save_a_deal_from_its_red_flag(where):
    deal = where.deal(stage="needs_analysis", days_ago=60)
    where.move(deal, "regress", to="customer_contact", reason="need_changed")
    where.fulfil(deal)
    where.move(deal, to="needs_analysis")
    rows = clocks(deal)
    assert rows["visit"].red_at > timezone.now()
    assert rows["stage"].red_at <= default_calendar().opening_at(timezone.now()) + timedelta(seconds=1)
    sweep(at=rows["stage"].red_at + timedelta(seconds=1))
    assert ("stage", "red") in said(deal, "clock_breached")
    untouched()


def test_a_move_costs_one_statement_for_its_clocks(where):
    deal = where.fulfil(where.deal(days_ago=9))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        where.move(deal, to="needs_analysis")
    about = [q["sql"] for q in asked.captured_queries if "process_clock" in q["sql"]]
    assert len(about) == 1, about
    calendar = [q for q in asked.captured_queries if "workingcalendar" in q["sql"]]
    assert len(calendar) <= 1


@pytest.mark.rule("AC-26")
def test_evidence_written_in_bulk_is_heard_when_the_clocks_listen_to_the_journal_again(where):
    deal = where.deal(days_ago=40)
    Journey.objects.filter(pk=deal.journey_id).update(clocks={})
    Clock.objects.all().delete()
    refold_clocks({deal.journey_id})
    untouched()
    assert Clock.objects.filter(journey=deal.journey_id).count() == 4
    assert due_journeys(timezone.now()) == [deal.journey_id]
    assert ClockKind.VISIT in clocks(deal)


@pytest.mark.rule("AC-28", "SL-2")
def test_an_acknowledgement_pauses_reminders_for_the_stated_time_and_only_where_a_clock_is_over(where):
    deal = where.deal(days_ago=60)
    with pytest.raises(ClockRefused):
        process.acknowledge(deal.journey_id, kind="visit", **where.how(deal.owner))
    calendar, at = default_calendar(), timezone.now()
    sweep(at=at)
    with pytest.raises(NotFound):
        process.acknowledge(deal.journey_id, kind="visit", **where.how(where.he))
    row = process.acknowledge(deal.journey_id, kind="visit", hours=30, **where.how(deal.owner, at))
    assert row.acknowledged_until == calendar.add_working_time(at, timedelta(hours=30))
    sweep(at=calendar.add_working_time(at, timedelta(hours=20)))
    assert [to for clock, to in said(deal, "clock_escalated") if clock == "visit"] == ["owner"]
    sweep(at=calendar.add_working_time(at, timedelta(hours=31)))
    assert [to for clock, to in said(deal, "clock_escalated") if clock == "visit"] == ["owner", "team"]
    untouched()
    with pytest.raises(Invalid):
        process.acknowledge(deal.journey_id, kind="visit", hours=9999, **where.how(deal.owner))


@pytest.mark.rule("SL-6")
def test_a_new_threshold_is_a_new_version_and_open_clocks_keep_theirs_until_asked(where):
    deal = where.deal(days_ago=9)
    before = clocks(deal)["visit"]
    changed = {
        **document(),
        "version": 2,
        "clocks": {
            "stages": {"customer_contact": {"visit": {"yellow": 2, "red": 3}}},
            "quiet": {"from": 22, "until": 7},
        },
    }
    process.publish(changed, by=None, at=timezone.now(), channel="system")
    assert clocks(deal)["visit"].red_at == before.red_at
    untouched()
    assert process.take_over_thresholds(PROCESS, **where.how(where.admin)) == 1
    after = clocks(deal)["visit"]
    assert (after.red_at, after.policy) == (default_calendar().add_working_days(before.started_at, 3), 2)
    assert process.take_over_thresholds(PROCESS, **where.how(where.admin)) == 0
    with pytest.raises(NotPermitted):
        process.take_over_thresholds(PROCESS, **where.how(deal.owner))
    untouched()


@pytest.mark.rule("CA-3", "AC-25")
def test_a_changed_calendar_moves_due_instants_with_one_event_and_tells_only_whose_moved(where):
    told = []
    clock_notices.tell_with(told.extend)
    try:
        deal, held = where.deal(days_ago=1), where.deal(days_ago=1)
        where.move(held, "hold", reason="project_paused", form={"resume_date": _in(20)})
        recompute_clocks(at=timezone.now())
        assert not Event.objects.filter(type="calendar_recomputed").exists()
        day = default_calendar().workday_after(timezone.localdate(), 2)
        organisation.set_calendar_day(
            WorkingCalendar.objects.get(), day=day, kind="holiday", name={"zh": "司庆", "en": "Founders' day"},
            **where.how(where.admin),
        )  # fmt: skip
        before = clocks(deal)["visit"].red_at
        done = recompute_clocks(at=timezone.now())
        assert clocks(deal)["visit"].red_at > before
        assert done.moved > 0
        event = Event.objects.get(type="calendar_recomputed")
        assert event.data["moved"] == done.moved
        mine = [n for n in told if n.code == "clock_moved" and n.subject_id == deal.pk]
        assert [n.recipient_ids for n in mine] == [(deal.owner_id,)]
        untouched()
        assert recompute_clocks(at=timezone.now()).clocks == 0
    finally:
        clock_notices._tellers.remove(told.extend)


@pytest.mark.rule("SL-3")
def test_a_median_is_taken_of_twenty_completed_visits_and_frozen_in_the_event_of_the_entry(where):
    changed = {
        **document(),
        "version": 2,
        "clocks": {
            "stages": {
                "customer_contact": {"visit": {"yellow": 8, "red": 9, "factor": {"yellow": 1.5, "red": 2}}}
            }
        },
    }
    process.publish(changed, by=None, at=timezone.now(), channel="system", mode="soft")
    calendar = default_calendar()
    entered = timezone.now() - timedelta(days=100)
    for n in range(20):
        deal = where.deal(days_ago=100)
        assert "norms" not in Journey.objects.get(pk=deal.journey_id).clocks
        left = calendar.workday_after(timezone.localdate(entered), 6 if n < 11 else 30)
        Visit.objects.filter(journey=deal.journey_id).update(
            left_at=entered + (left - timezone.localdate(entered)), exit_type="advance"
        )
    new = crm.create(
        "opportunity", {"name": "新商机", "amount": 5, "account": where.account().pk}, process_key=PROCESS,
        **where.how(where.zhou),
    )  # fmt: skip
    assert Journey.objects.get(pk=new.journey_id).clocks["norms"] == {"customer_contact": 6.0}
    row = clocks(new)["visit"]
    assert row.red_at == calendar.add_working_days(row.started_at, 12)
    untouched_but_visits = [d for d in differences() if d.journey_id == new.journey_id]
    assert untouched_but_visits == []
