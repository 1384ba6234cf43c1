"""Playbooks: given out by role and working day, never twice in silence, started by what happens, ended with a word."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from tests.factories.crm import Company, company

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.crm import services as crm
from fairlead.crm.models import Opportunity
from fairlead.journal.models import Event
from fairlead.process import services as process
from fairlead.process.models import Journey, PlaybookRun
from fairlead.process.refusals import PlaybookRanBefore
from fairlead.process.selectors.playbooks import RunView, runs_of
from fairlead.work import services as work

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def where(db: Any) -> Company:
    return company(at=MONDAY)


def run_of(deal: Opportunity, playbook: str) -> RunView:
    deal.refresh_from_db()
    return next(v for v in runs_of(deal.journey) if v.run.playbook_key == playbook)


def events(deal: Opportunity) -> list[str]:
    rows = Event.objects.filter(subject_type="opportunity", subject_id=deal.pk).order_by("pk")
    return [e.type for e in rows if e.type.startswith("playbook")]


def finish(view: RunView, by: Any, count: int | None = None) -> None:
    for _key, task in view.tasks[:count]:
        work.complete_task(task.pk, version=task.version, by=by, at=MONDAY, channel="ui")


@pytest.mark.rule("PB-2")
def test_tasks_go_to_who_holds_the_role_and_fall_due_in_working_days(where: Company) -> None:
    deal = where.deal(stage="needs_analysis", sr=where.sun.pk)

    process.launch_playbook(deal.journey_id, playbook="reach_decider", **where.how(at=MONDAY))

    view = run_of(deal, "reach_decider")
    assert [(key, task.assignee.username, task.due_date) for key, task in view.tasks] == [
        ("map", "zhou", date(2026, 11, 24)),
        ("champion", "zhou", date(2026, 11, 26)),
        ("manager_call", "chen", date(2026, 12, 1)),
        ("meet", "zhou", date(2026, 12, 7)),
    ]
    assert view.percent == 0 and events(deal) == ["playbook_launched"]


@pytest.mark.rule("PB-2")
def test_progress_counts_what_is_done_and_the_end_takes_the_rest_back(where: Company) -> None:
    deal = where.deal(stage="needs_analysis")
    run = process.launch_playbook(deal.journey_id, playbook="reach_decider", **where.how())
    finish(run_of(deal, "reach_decider"), where.zhou, 1)
    assert run_of(deal, "reach_decider").percent == 25

    ended = process.end_playbook(run.pk, outcome="partially", version=1, **where.how())

    view = run_of(deal, "reach_decider")
    assert (ended.state, ended.outcome) == ("ended", "partially")
    assert [key for key, _task in view.tasks] == ["map"]
    with pytest.raises(Stale):
        process.end_playbook(run.pk, outcome="not", version=1, **where.how())


@pytest.mark.rule("PB-2")
def test_a_second_launch_asks_and_makes_nothing(where: Company) -> None:
    deal = where.deal(stage="needs_analysis")
    how = where.how()
    process.launch_playbook(deal.journey_id, playbook="reach_decider", **how)

    with pytest.raises(PlaybookRanBefore) as refused:
        process.launch_playbook(deal.journey_id, playbook="reach_decider", **how)

    assert refused.value.details["again"] == ["restart", "resume", "skip"]
    assert PlaybookRun.objects.count() == 1 and len(run_of(deal, "reach_decider").tasks) == 4


@pytest.mark.rule("PB-2")
@pytest.mark.parametrize(
    ("again", "numbers", "open_tasks", "event"),
    [
        ("restart", [1, 2], 4, "playbook_launched"),
        ("resume", [1], 3, "playbook_resumed"),
        ("skip", [1], 3, "playbook_skipped"),
    ],
)
def test_restart_resume_skip(
    where: Company, again: str, numbers: list[int], open_tasks: int, event: str
) -> None:
    deal = where.deal(stage="needs_analysis")
    process.launch_playbook(deal.journey_id, playbook="reach_decider", **where.how(at=MONDAY))
    finish(run_of(deal, "reach_decider"), where.zhou, 1)
    later = MONDAY + timedelta(days=7)

    process.launch_playbook(deal.journey_id, playbook="reach_decider", again=again, **where.how(at=later))

    deal.refresh_from_db()
    left = [t for v in runs_of(deal.journey) for _key, t in v.tasks if t.done_at is None]
    assert sorted(v.run.number for v in runs_of(deal.journey)) == numbers
    assert len(left) == open_tasks and events(deal)[-1] == event
    moved = {"restart": date(2026, 12, 1), "resume": date(2026, 12, 3), "skip": date(2026, 11, 26)}
    assert min(t.due_date for t in left) == moved[again]


@pytest.mark.rule("PB-2")
def test_going_back_and_in_again_asks_and_does_not_duplicate(where: Company) -> None:
    deal = where.deal(stage="solution_design", is_tender=True)
    how = where.how()
    enter_quotation(where, deal)
    assert [v.run.trigger for v in runs_of(journey(deal))] == ["stage"]
    step_back(where, deal)

    enter_quotation(where, deal)

    view = run_of(deal, "bid")
    assert view.run.asked_at is not None and PlaybookRun.objects.count() == 1
    assert events(deal) == ["playbook_launched", "playbook_asked"]
    process.launch_playbook(deal.journey_id, playbook="bid", again="skip", **how)
    assert run_of(deal, "bid").run.asked_at is None


@pytest.mark.rule("PB-2", "PB-4")
def test_a_trigger_minds_what_the_playbook_is_for(where: Company) -> None:
    deal = where.deal(stage="solution_design", is_tender=False)

    enter_quotation(where, deal)

    assert PlaybookRun.objects.count() == 0


@pytest.mark.rule("PB-2")
def test_hold_third_push_competitor_and_a_lost_contact_start_what_waits_for_them(where: Company) -> None:
    deal = where.deal(stage="needs_analysis")
    contact = where.contact(deal.account)
    crm.add_contact_role(deal.pk, contact_id=contact.pk, role="EB", **where.how())
    for days in (100, 110):
        where.edit(deal, expected_close_date=timezone.localdate(MONDAY) + timedelta(days=days))
    where.edit(deal, expected_close_date=timezone.localdate(MONDAY) + timedelta(days=95))  # earlier: no push
    assert PlaybookRun.objects.count() == 0

    where.edit(deal, expected_close_date=timezone.localdate(MONDAY) + timedelta(days=130))
    where.edit(deal, competitor="云帆")
    where.edit(deal, competitor="云帆与北辰")  # one more name is no new entry
    crm.mark_contact_left(contact.pk, version=1, **where.how())
    hold(where, deal)

    started = {(r.playbook_key, r.trigger) for r in PlaybookRun.objects.all()}
    assert started == {
        ("slipping_date", "pushed"),
        ("competitor_enters", "competitor"),
        ("key_person_left", "contact_left"),
        ("keep_warm", "hold"),
    }


@pytest.mark.rule("PB-2")
def test_a_closed_deal_ends_what_is_open_without_putting_words_in_a_mouth(where: Company) -> None:
    deal = where.deal(stage="needs_analysis")
    process.launch_playbook(deal.journey_id, playbook="reach_decider", **where.how())

    lose(where, deal)

    run = PlaybookRun.objects.get()
    assert (run.state, run.outcome) == ("ended", "")
    assert run_of(deal, "reach_decider").tasks == ()
    with pytest.raises(Invalid):
        process.launch_playbook(deal.journey_id, playbook="reach_decider", **where.how())
    process.end_playbook(run.pk, outcome="not", version=run.version, **where.how())
    assert PlaybookRun.objects.get().outcome == "not"


@pytest.mark.rule("PB-2", "T05")
def test_who_may_not_edit_the_deal_launches_nothing(where: Company) -> None:
    deal = where.deal(stage="needs_analysis")

    with pytest.raises(NotFound):
        process.launch_playbook(deal.journey_id, playbook="reach_decider", **where.how(where.qi))
    with pytest.raises(NotPermitted):
        process.launch_playbook(deal.journey_id, playbook="reach_decider", **where.how(where.shen))
    with pytest.raises(NotFound):
        process.launch_playbook(deal.journey_id, playbook="nosuch", **where.how())
    assert PlaybookRun.objects.count() == 0


@pytest.mark.rule("PB-1")
def test_an_answer_keeps_the_question_as_it_was_put(where: Company) -> None:
    deal = where.deal(stage="needs_analysis")

    row = process.answer_question(deal.journey_id, key="cost_last_year", answer=" 三百多万 ", **where.how())
    own = process.answer_question(deal.journey_id, question="谁签字？", answer="厂长", **where.how())

    assert (row.answer, row.type, row.stage_key) == ("三百多万", "problem", "needs_analysis")
    assert row.question.startswith("这个问题去年") or "last year" in row.question
    assert (own.question_key, own.question) == ("", "谁签字？")
    for wrong in (
        {"key": "nosuch", "answer": "x"},
        {"key": "cost_last_year", "answer": " "},
        {"answer": "x"},
    ):
        with pytest.raises(Invalid):
            process.answer_question(deal.journey_id, **wrong, **where.how())
    process.remove_answer(row.pk, **where.how())
    row.refresh_from_db()
    assert row.removed_at is not None


@pytest.mark.rule("PB-5")
def test_opened_guidance_is_noted_once_a_person_and_visit(where: Company) -> None:
    deal = where.deal(stage="needs_analysis")
    at = where.at + timedelta(hours=1)

    def noted(by: Any) -> bool:
        return process.note_guidance(deal.journey_id, stage_key="needs_analysis", **where.how(by, at))

    assert [noted(where.zhou), noted(where.zhou), noted(where.chen)] == [True, False, True]
    with pytest.raises(NotPermitted):  # an auditor leaves no trace on what is audited
        noted(where.shen)
    assert Event.objects.filter(type="guidance_opened").count() == 2


# --- ways ---


def journey(deal: Opportunity) -> Journey:
    return Journey.objects.get(subject_type="opportunity", subject_id=deal.pk)


def enter_quotation(where: Company, deal: Opportunity) -> None:
    where.fulfil(deal)
    where.move(deal)
    assert journey(deal).stage.key == "quote_negotiation"


def step_back(where: Company, deal: Opportunity) -> None:
    where.move(deal, kind="regress", to="solution_design", reason="solution_rejected")


def hold(where: Company, deal: Opportunity) -> None:
    where.move(deal, kind="hold", reason="budget_waiting", form={"resume_date": "2099-01-01"})


def lose(where: Company, deal: Opportunity) -> None:
    where.move(deal, kind="close_lost", reason="walked_away", form={})
