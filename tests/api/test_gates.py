"""The gate is the same through every door: refusals, evaluations, races."""

import json

import pytest
from django.utils import timezone
from tests.factories.crm import company

from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.process import services as process
from fairlead.process.enums import Kind
from fairlead.process.models import Evaluation, Visit
from fairlead.process.refusals import GateRefused
from fairlead.process.verdicts import Wish


def told(evaluation: Evaluation) -> dict:
    """What an attempt says, without what differs between two equal deals: their names and ids."""
    fields = {k: v for k, v in evaluation.facts["fields"].items() if k not in {"name", "account"}}
    return {
        "kind": evaluation.kind, "from": evaluation.from_stage, "to": evaluation.to_stage, "allowed": evaluation.allowed,
        "gaps": evaluation.gaps, "results": evaluation.results, "objections": evaluation.objections,
        "facts": {**evaluation.facts, "fields": fields},
    }  # fmt: skip


@pytest.mark.rule("AC-2", "GT-2")
@pytest.mark.parametrize(
    "stage", ["customer_contact", "needs_analysis", "solution_design", "quote_negotiation"]
)
def test_the_api_refuses_and_notes_as_every_other_channel_does(where, key_of, stage):
    one, other = where.deal(stage=stage), where.deal(stage=stage)
    with pytest.raises(GateRefused) as caught:
        process.move(
            one.journey_id,
            Wish(kind=Kind.ADVANCE, to=""),
            by=where.zhou,
            at=timezone.now(),
            channel=Channel.UI,
        )
    answer = key_of(where.zhou).post(f"/opportunities/{other.pk}/move", {"kind": "advance"})
    assert answer.status_code == 422
    refused = answer.json()
    assert refused["code"] == "gate-refused"
    assert [gap["key"] for gap in refused["gaps"]] == [gap.key for gap in caught.value.verdict.gaps]
    by_page, by_api = Evaluation.objects.order_by("pk")
    assert refused["evaluation_id"] == by_api.pk
    assert told(by_page) == told(by_api)
    assert (by_page.channel, by_api.channel) == (Channel.UI, Channel.API)


@pytest.mark.rule("AC-1", "AC-2", "GT-7")
def test_a_refusal_names_every_gap_with_its_mend_and_leaves_one_attempt(where, key_of):
    deal = where.deal()
    before = (Visit.objects.count(), where.journey(deal).version, Event.objects.count())
    gaps = key_of(where.zhou).post(f"/opportunities/{deal.pk}/move", {}).json()["gaps"]
    after = (Visit.objects.count(), where.journey(deal).version, Event.objects.count())
    assert after == (before[0], before[1], before[2] + 2)  # the key was made, the attempt was noted
    found = {gap["key"]: gap for gap in gaps}
    assert set(found) == {"contact_two_way", "problem_stated", "bant", "sr_for_needs_analysis"}
    problem = found["problem_stated"]
    assert (problem["state"], problem["mend"], problem["mend_params"]) == (
        "unmet",
        "field",
        {"fields": ["customer_problem"]},
    )
    assert problem["text"] == "Fill in Problem in the customer's words"
    assert found["contact_two_way"]["mend"] == "activity"
    assert len(found["bant"]["parts"]) == 4


@pytest.mark.rule("AC-2")
def test_mended_through_the_api_it_moves(where, key_of):
    deal = where.fulfil(where.deal(), but=("problem_stated",))
    door = key_of(where.zhou)
    version = door.get(f"/opportunities/{deal.pk}").json()["version"]
    door.patch(
        f"/opportunities/{deal.pk}",
        {"fields": {"customer_problem": "停机一次损失二十万，李工 3 月 2 日说"}},
        version,
    )
    assert door.get(f"/opportunities/{deal.pk}/checklist").json()["allowed"] is True
    moved = door.post(f"/opportunities/{deal.pk}/move", {"to": "needs_analysis"})
    assert moved.status_code == 200
    assert moved.json()["journey"]["stage"] == "needs_analysis"
    assert moved.headers["ETag"] == f'"{where.journey(deal).version}"'
    assert Evaluation.objects.get(pk=moved.json()["evaluation_id"]).allowed


@pytest.mark.rule("AC-11", "MV-11")
def test_who_was_slower_learns_what_changed_and_moves_nothing(where, key_of):
    deal = where.fulfil(where.deal())
    seen = where.journey(deal).version
    first, second = key_of(where.zhou), key_of(where.chen)
    assert (
        first.post(f"/opportunities/{deal.pk}/move", {"to": "needs_analysis", "version": seen}).status_code
        == 200
    )
    before = (Visit.objects.count(), Evaluation.objects.count())
    late = second.post(f"/opportunities/{deal.pk}/move", {"to": "needs_analysis", "version": seen})
    assert late.status_code == 409
    problem = json.loads(late.content)
    assert (problem["code"], problem["stage"], problem["version"]) == (
        "lost-race",
        "needs_analysis",
        seen + 1,
    )
    changed = problem["changed"]
    assert (changed["from"], changed["to"], changed["by"]) == (
        "customer_contact",
        "needs_analysis",
        where.zhou.pk,
    )
    assert (Visit.objects.count(), Evaluation.objects.count()) == before


def test_a_move_that_the_process_does_not_know_says_so(where, key_of):
    deal = where.deal()
    answer = key_of(where.zhou).post(f"/opportunities/{deal.pk}/move", {"to": "signing"})
    assert (answer.status_code, answer.json()["code"]) == (422, "move-impossible")
    assert answer.json()["objections"][0]["code"] == "no_such_move"


def test_looking_leaves_no_trace(where, key_of):
    deal, door = where.deal(), key_of(where.zhou)
    before = (Event.objects.count(), Evaluation.objects.count())
    checklist = door.get(f"/opportunities/{deal.pk}/checklist").json()
    assert (checklist["kind"], checklist["to"], checklist["allowed"]) == ("advance", "needs_analysis", False)
    assert checklist["gaps"] == ["contact_two_way", "problem_stated", "bant", "sr_for_needs_analysis"]
    lost = door.get(f"/opportunities/{deal.pk}/checklist", kind="close_lost").json()
    assert [o["code"] for o in lost["objections"]] == ["reason_missing"]
    assert (Event.objects.count(), Evaluation.objects.count()) == before


@pytest.mark.django_db
def test_in_soft_mode_the_gaps_are_told_as_flags(key_of):
    where = company(mode="soft")
    deal = where.deal()
    moved = key_of(where.zhou).post(f"/opportunities/{deal.pk}/move", {}).json()
    assert moved["soft_passed"] == ["contact_two_way", "problem_stated", "bant", "sr_for_needs_analysis"]


def test_words_and_waivers_open_a_gate(where, key_of):
    deal = where.fulfil(where.deal(stage="needs_analysis"), but=("ati",))
    owner, manager = key_of(where.zhou), key_of(where.chen)
    own = owner.post(f"/journeys/{deal.journey_id}/attestations", {"criterion": "ati"})
    assert own.status_code == 403
    made = manager.post(
        f"/journeys/{deal.journey_id}/attestations", {"criterion": "ati", "statement": "同意"}
    )
    assert made.status_code == 201
    assert owner.get(f"/opportunities/{deal.pk}/checklist").json()["allowed"] is True
    manager.post(f"/attestations/{made.json()['id']}/withdraw")
    assert owner.get(f"/opportunities/{deal.pk}/checklist").json()["gaps"] == ["ati"]
