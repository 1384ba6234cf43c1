"""What clocks do by themselves when they pass a limit: tasks, flags, proposals, a lower forecast, a move (SL-2)."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone, translation
from tests.factories.crm import PROCESS, company, document

from fairlead.fields.catalogue import catalogue
from fairlead.journal.models import Event
from fairlead.process import services as process
from fairlead.process.definition import DefinitionError
from fairlead.process.loading import load
from fairlead.process.models import Clock, Evaluation
from fairlead.process.services.rebuilding import differences
from fairlead.process.services.sweeping import sweep
from fairlead.work import services as work
from fairlead.work.models import NotificationEntry, Task

pytestmark = [pytest.mark.django_db, pytest.mark.rule("SL-2")]
TALK = {"zh": "和经理过一遍", "en": "Go through it with your manager"}


@pytest.fixture
def where():
    return company(language="en")


def acting(where, *acts, **more):
    """The process of the company with these acts; deals that set out from now on follow it."""
    changed = {**document(), "version": 2, "mode": "enforced", "clocks": {"acts": list(acts), **more}}
    process.publish(changed, by=None, at=timezone.now(), channel="system")


def act(do, key="one", **more):
    return {"key": key, "clock": "inactivity", "level": "red", "do": do, **more}


def acted(deal) -> list[str]:
    rows = Event.objects.filter(journey_id=deal.journey_id, type="clock_acted").order_by("pk")
    return [e.data["do"] for e in rows]


def told(deal) -> list[str]:
    rows = NotificationEntry.objects.filter(notification__subject_id=deal.pk, code__startswith="clock_")
    return list(rows.order_by("pk").values_list("code", flat=True))


def test_a_task_goes_to_the_holder_of_the_role_in_working_days_and_once(where):
    acting(where, act("task", name=TALK, role="SR", due=2), act("task", "two", name=TALK))
    deal = where.deal(days_ago=60, sr=where.sun.pk)
    with translation.override("zh-hans"):
        sweep(at=timezone.now())
    sweep(at=timezone.now() + timedelta(minutes=1))
    found = list(Task.objects.filter(subject_type="opportunity", subject_id=deal.pk).order_by("pk"))
    assert [task.assignee for task in found] == [where.sun, where.zhou]
    assert {task.title for task in found} == {TALK["zh"]}
    assert found[0].due_date > found[1].due_date > timezone.localdate()
    assert acted(deal) == ["task", "task"]
    assert not list(differences())


def test_flags_and_proposals_stand_beside_the_clock_until_they_are_settled(where, client):
    acting(where, act("flag", "flag", name=TALK), act("propose_hold", "hold"), act("propose_lost", "lost"))
    deal = where.deal(days_ago=60)
    sweep(at=timezone.now())
    assert {"clock_flag", "clock_propose_hold", "clock_propose_lost"} <= set(told(deal))
    assert where.journey(deal).state == "open"  # a proposal moves nothing
    client.force_login(where.zhou)
    page = reverse("crm:opportunity", args=[deal.pk])
    html = client.get(page).content.decode()
    assert TALK["en"] in html and "Proposed: put it on hold" in html and "Proposed: close it as lost" in html
    panel = reverse("crm:panel", args=[deal.pk])
    assert f'href="{panel}?as=hold"' in html and f'href="{panel}?as=lost"' in html
    assert client.get(f"{panel}?as=hold").status_code == 200
    url = reverse("process:settle_call", args=[deal.journey_id])
    wanted = {"kind": "inactivity", "act": "hold", "next": page}
    assert client.post(url, wanted).status_code == 302
    assert client.post(url, wanted).status_code == 404  # it stands no more
    html = client.get(page).content.decode()
    assert "put it on hold" not in html and TALK["en"] in html
    assert not list(differences())
    answer = client.get(f"/api/v1/journeys/{deal.journey_id}/clocks").json()["items"]
    calls = next(row["calls"] for row in answer if row["clock"] == "inactivity")
    assert [(call["act"], call["do"], call["name"]) for call in calls] == [
        ("flag", "flag", TALK["en"]), ("lost", "propose_lost", ""),
    ]  # fmt: skip


def test_what_stands_beside_a_clock_goes_with_its_breach(where, client):
    acting(where, act("propose_hold"))
    deal = where.deal(days_ago=60)
    sweep(at=timezone.now())
    work.log_activity(
        "opportunity", deal.pk, kind="call", summary="A word", outcome="talked", done_at=timezone.now(), **where.how()
    )  # fmt: skip
    client.force_login(where.zhou)
    html = client.get(reverse("crm:opportunity", args=[deal.pk])).content.decode()
    assert "put it on hold" not in html
    assert not list(differences())


def test_only_who_may_move_the_record_settles_and_a_stranger_finds_nothing(where, client):
    acting(where, act("propose_hold", "hold"))
    deal = where.deal(days_ago=60, fr=where.he.pk)
    sweep(at=timezone.now())
    url = reverse("process:settle_call", args=[deal.journey_id])
    wanted = {"kind": "inactivity", "act": "hold"}
    client.force_login(where.qi)
    assert client.post(url, wanted).status_code == 404
    client.force_login(where.shen)  # reads everything, moves nothing
    assert client.post(url, wanted).status_code == 403
    door = f"/api/v1/journeys/{deal.journey_id}/clocks/settle"
    client.force_login(where.zhou)
    body = {"clock": "inactivity", "act": "hold"}
    assert client.post(door, body, content_type="application/json").status_code == 200
    assert client.post(door, body, content_type="application/json").status_code == 404
    assert Event.objects.get(type="clock_call_settled").actor_id == where.zhou.pk


def test_the_forecast_falls_by_one_category_stays_there_and_the_owner_is_told(where):
    acting(where, act("lower_forecast"), act("lower_forecast", "again"))
    deal = where.deal(days_ago=60, stage="signing")
    before = where.journey(deal).forecast_category
    lower = {"commit": "best_case", "best_case": "pipeline", "pipeline": "omitted"}
    sweep(at=timezone.now())
    journey = where.journey(deal)
    assert (journey.forecast_category, journey.category_pinned) == (lower[before], True)
    assert acted(deal) == ["lower_forecast"] and "clock_lower_forecast" in told(deal)
    assert not list(differences())


def test_a_move_is_off_until_the_process_says_otherwise(where):
    acting(where, act("move", kind="close_lost", reason="walked_away"))
    deal = where.deal(days_ago=60)
    sweep(at=timezone.now())
    assert where.journey(deal).state == "open" and acted(deal) == []


def test_a_move_goes_through_the_door_of_all_moves(where):
    acting(where, act("move", kind="close_lost", reason="walked_away", enabled=True))
    deal = where.deal(days_ago=60)
    sweep(at=timezone.now())
    assert where.journey(deal).state == "lost"
    lost = Event.objects.get(journey_id=deal.journey_id, type="lost")
    assert (lost.actor_id, lost.channel, lost.reason_code) == (None, "system", "walked_away")
    assert not list(differences())


@pytest.mark.rule("GT-2")
def test_the_gate_decides_over_a_move_and_a_refusal_becomes_a_task(where):
    acting(where, act("move", kind="advance", to="needs_analysis", enabled=True))
    deal = where.deal(days_ago=60)
    with translation.override("en"):
        sweep(at=timezone.now())
    assert where.journey(deal).stage.key == "customer_contact"
    assert Evaluation.objects.filter(journey=deal.journey_id, allowed=False, channel="system").count() == 1
    task = Task.objects.get(subject_type="opportunity", subject_id=deal.pk)
    assert task.assignee == where.zhou and task.title.startswith("A time limit could not move it")
    assert Event.objects.filter(journey_id=deal.journey_id, type="move_refused").count() == 1
    sweep(at=timezone.now() + timedelta(minutes=1))
    assert Task.objects.count() == 1
    assert Clock.objects.get(journey=deal.journey_id, kind="inactivity").level == "red"
    assert not list(differences())


def test_acts_keep_to_their_stages_and_leave_what_is_on_hold_alone(where):
    acting(where, act("flag", name=TALK, stages=["signing"]), act("propose_hold", "early", level="yellow"))
    deal, held = where.deal(days_ago=60), where.deal(days_ago=5)
    resume = (timezone.localdate() + timedelta(days=20)).isoformat()
    where.move(held, "hold", reason="project_paused", form={"resume_date": resume})
    sweep(at=timezone.now() + timedelta(days=200))
    assert acted(deal) == ["propose_hold"] and acted(held) == []


@pytest.mark.rule("PD-3")
@pytest.mark.parametrize(
    "change,path",
    [
        ({"key": "Not a key"}, "clocks.acts.0.key"),
        ({"clock": "sand"}, "clocks.acts.0.clock"),
        ({"level": "blue"}, "clocks.acts.0.level"),
        ({"do": "shout"}, "clocks.acts.0.do"),
        ({"do": "task"}, "clocks.acts.0.name"),
        ({"do": "task", "name": TALK, "role": "KING"}, "clocks.acts.0.role"),
        ({"do": "task", "name": TALK, "due": 0}, "clocks.acts.0.due"),
        ({"do": "propose_hold", "to": "signing"}, "clocks.acts.0.to"),
        ({"stages": ["nowhere"]}, "clocks.acts.0.stages"),
        ({"do": "move", "kind": "close_won"}, "clocks.acts.0.kind"),
        ({"do": "move", "kind": "advance", "to": "nowhere"}, "clocks.acts.0.to"),
        ({"do": "move", "kind": "regress", "to": "needs_analysis", "reason": "mood"}, "clocks.acts.0.reason"),
        ({"do": "move", "kind": "close_lost"}, "clocks.acts.0.reason"),
        ({"enabled": "yes"}, "clocks.acts.0.enabled"),
        ({"anything": 1}, "clocks.acts.0.anything"),
    ],
)
def test_a_wrong_act_is_named_with_its_path(where, change, path):
    changed = {**document(), "clocks": {"acts": [act("propose_hold") | change]}}
    with pytest.raises(DefinitionError) as refused:
        load(changed, catalogue("opportunity"))
    assert path in [problem.path for problem in refused.value.problems]


def test_two_acts_of_one_key_are_refused(where):
    changed = {**document(), "clocks": {"acts": [act("propose_hold"), act("propose_lost")]}}
    with pytest.raises(DefinitionError) as refused:
        load(changed, catalogue("opportunity"))
    assert [problem.path for problem in refused.value.problems] == ["clocks.acts.1.key"]


def test_the_page_of_the_process_says_them_in_words(where, client):
    acting(
        where, act("task", name=TALK, role="MGR", due=3), act("move", "two", kind="advance", to="needs_analysis"),
        act("propose_lost", "three", stages=["signing"]),
    )  # fmt: skip
    client.force_login(where.zhou)
    html = client.get(reverse("process:process", args=[PROCESS])).content.decode()
    assert "What time limits do by themselves" in html
    assert "due in 3 working days: Go through it with your manager" in html
    assert "the gate decides, a refusal becomes a task — off" in html
    assert "propose to close it as lost (in " in html
