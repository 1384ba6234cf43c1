"""Moves through the one door: gates, attempts, visits, flags, outcomes (§2.0 to 2.3)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.factories.crm import STAGES, company

from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.crm import services as crm
from fairlead.crm.models import Account, Opportunity
from fairlead.journal.models import Event
from fairlead.offers import services as offers
from fairlead.offers.models import Contract
from fairlead.process import services as process
from fairlead.process.enums import CriterionState, Kind
from fairlead.process.models import ChainLink, Evaluation, GateFlag, Journey, Visit
from fairlead.process.refusals import AttestationRefused, GateRefused, LostRace, MoveImpossible, WaiverRefused
from fairlead.process.selectors.gathering import checklists, situations
from fairlead.process.services.moves import MoveWish, move_many
from fairlead.process.services.rebuilding import differences, rebuild
from fairlead.process.verdicts import Wish
from fairlead.work import services as work

pytestmark = pytest.mark.django_db


@pytest.fixture
def where():
    return company()


def gaps(caught) -> list[str]:
    return [g.key for g in caught.value.verdict.gaps]


@pytest.mark.rule("AC-1", "GT-1", "GT-3", "GT-7", "EV-1")
def test_a_refused_move_names_every_gap_and_leaves_exactly_one_attempt(where):
    deal = where.deal()
    before = (Visit.objects.count(), Event.objects.count(), where.journey(deal).version)
    with pytest.raises(GateRefused) as caught:
        where.move(deal, to="needs_analysis")
    assert gaps(caught) == ["contact_two_way", "problem_stated", "bant", "sr_for_needs_analysis"]
    assert caught.value.verdict.target == "needs_analysis"
    attempt = Evaluation.objects.get()
    assert (attempt.allowed, attempt.gaps, attempt.to_stage) == (False, 4, "needs_analysis")
    assert {r["key"]: r["state"] for r in attempt.results}["bant"] == CriterionState.UNMET
    assert attempt.facts["fields"]["name"] == deal.name
    assert (Visit.objects.count(), Event.objects.count(), where.journey(deal).version) == (
        before[0],
        before[1] + 1,
        before[2],
    )
    assert Event.objects.filter(type="move_refused", evaluation_id=attempt.pk).count() == 1
    where.edit(deal, competitor="saving still works")


@pytest.mark.rule("MV-1", "EV-2", "EV-3", "GT-4")
def test_a_move_writes_stage_visits_category_evaluation_and_event_together(where):
    deal = where.fulfil(where.deal(days_ago=9))
    outcome = where.move(deal, to="needs_analysis")
    journey = where.journey(deal)
    assert (journey.stage.key, journey.probability, journey.forecast_category) == (
        "needs_analysis",
        25,
        "pipeline",
    )
    first, second = Visit.objects.filter(journey=journey).in_order()
    assert (first.stage_key, first.exit_type, second.stage_key, second.exit_type) == (
        "customer_contact",
        "advance",
        "needs_analysis",
        "",
    )
    assert first.left_at == second.entered_at == outcome.event.effective_at
    assert second.amount == deal.amount
    assert second.owner_id_then == deal.owner_id
    assert outcome.event.evaluation_id == outcome.evaluation_id
    assert Evaluation.objects.get(pk=outcome.evaluation_id).allowed
    where.edit(deal, amount=1)
    assert Visit.objects.get(pk=second.pk).amount == 1_200_000


@pytest.mark.rule("MV-1")
def test_a_category_set_by_hand_is_never_overwritten_by_a_move(where):
    deal = where.fulfil(where.deal())
    journey = where.journey(deal)
    process.pin_category(journey.pk, category="commit", pinned=True, version=journey.version, **where.how())
    where.move(deal, to="needs_analysis")
    assert where.journey(deal).forecast_category == "commit"
    journey = where.journey(deal)
    process.pin_category(
        journey.pk, category="pipeline", pinned=False, version=journey.version, **where.how()
    )
    assert where.journey(deal).forecast_category == "pipeline"


@pytest.mark.rule("AC-3", "GT-1")
def test_a_flag_passes_and_is_kept_with_its_day_counter_until_it_is_mended(where):
    deal = where.fulfil(where.deal())
    where.move(deal, to="needs_analysis")
    flag = GateFlag.objects.filter(journey=deal.journey_id, cleared_at=None).order_by("pk").first()
    assert flag is not None
    assert flag.level == "flag"
    assert (
        where.journey(deal).gate_flags
        == GateFlag.objects.filter(journey=deal.journey_id, cleared_at=None).count()
    )


@pytest.mark.rule("AC-4", "GT-5")
def test_an_expired_document_blocks_the_next_move_and_moves_nothing_back(where):
    now = timezone.now()
    deal = where.deal(stage="needs_analysis", days_ago=120)
    where.fulfil(deal, at=now - timedelta(days=100))
    later = situations([where.journey(deal)], at=now)[deal.journey_id]
    states = {r.key: r.state for r in checklists([where.journey(deal)], at=now)[deal.journey_id].results}
    assert states["req_confirmed"] == CriterionState.EXPIRED
    assert later.facts.journey.stage_key == "needs_analysis"
    with pytest.raises(GateRefused) as caught:
        where.move(deal, to="solution_design")
    assert "req_confirmed" in gaps(caught)
    assert where.journey(deal).stage.key == "needs_analysis"


@pytest.mark.rule("GT-5")
def test_the_gate_summary_of_a_journey_is_judged_anew_when_evidence_runs_out(where):
    now = timezone.now()
    deal = where.fulfil(where.deal(stage="needs_analysis", days_ago=60), at=now - timedelta(days=30))
    journey = where.journey(deal)
    assert journey.gate_state == "ready"
    due = journey.gate_next_expiry_at
    assert due is not None
    assert process.refresh_due_gates(at=due - timedelta(minutes=1)) == 0
    assert process.refresh_due_gates(at=due) == 1
    assert where.journey(deal).gate_state == "missing"


@pytest.mark.rule("AC-5", "GT-2")
def test_a_placeholder_does_not_satisfy_a_field(where):
    deal = where.fulfil(where.deal())
    where.edit(deal, customer_problem="待定")
    with pytest.raises(GateRefused) as caught:
        where.move(deal, to="needs_analysis")
    result = next(r for r in caught.value.verdict.results if r.key == "problem_stated")
    assert result.state == CriterionState.UNMET


@pytest.mark.rule("AC-6", "MV-2")
def test_a_skip_needs_its_transition_and_a_reason_and_leaves_zero_length_visits(where):
    deal = where.fulfil(where.deal())
    with pytest.raises(MoveImpossible):
        where.move(deal, "skip", to="signing", reason="framework_order")
    with pytest.raises(MoveImpossible) as caught:
        where.move(deal, "skip", to="quote_negotiation")
    assert caught.value.details["objections"][0]["code"] == "reason_missing"
    reason = where.version.document["lists"]["skip"][0]["key"]
    # fr_deliverability may not be skipped: FR says it can be delivered.
    where.edit(deal, fr=where.he.pk)
    process.attest(deal.journey_id, criterion_key="fr_deliverability", statement="ok", **where.how(where.he))
    outcome = where.move(deal, "skip", to="quote_negotiation", reason=reason)
    assert outcome.verdict.skipped == ("needs_analysis", "solution_design")
    visits = list(Visit.objects.filter(journey=deal.journey_id).in_order())
    assert [(v.stage_key, v.skipped) for v in visits] == [
        ("customer_contact", False),
        ("needs_analysis", True),
        ("solution_design", True),
        ("quote_negotiation", False),
    ]
    assert all(v.entered_at == v.left_at for v in visits if v.skipped)
    assert visits[0].exit_type == "skip_forward"


@pytest.mark.rule("MV-3", "EV-2")
def test_one_stage_back_needs_a_reason_further_back_a_manager(where):
    deal = where.deal(stage="quote_negotiation")
    with pytest.raises(MoveImpossible):
        where.move(deal, "regress", to="solution_design")
    reason = where.version.document["lists"]["regress"][0]["key"]
    where.move(deal, "regress", to="solution_design", reason=reason)
    with pytest.raises(NotPermitted) as caught:
        where.move(deal, "regress", to="customer_contact", reason=reason)
    assert caught.value.details["needs_right"] == "regress.confirm"
    where.move(deal, "regress", to="customer_contact", reason=reason, by=where.chen)
    journey = where.journey(deal)
    assert (journey.stage.key, journey.regress_count, journey.forecast_category) == (
        "customer_contact",
        2,
        "pipeline",
    )
    again = Visit.objects.get(journey=journey, left_at=None)
    assert again.visit_no == 2


@pytest.mark.rule("AC-8", "MV-6")
def test_losing_asks_for_its_form_and_for_no_gate(where):
    deal = where.deal(stage="needs_analysis")
    with pytest.raises(MoveImpossible) as caught:
        where.move(deal, "close_lost", reason="price")
    assert caught.value.details["objections"][0]["code"] == "competitor_missing"
    where.move(deal, "close_lost", reason="price", form={"competitor": "东方自控"})
    journey = where.journey(deal)
    assert (journey.state, journey.outcome, journey.reason_code, journey.stage.key) == (
        "lost",
        "lost",
        "price",
        "needs_analysis",
    )
    assert Opportunity.objects.get(pk=deal.pk).competitor == "东方自控"
    assert Visit.objects.get(journey=journey, exit_type="lost").outcome == "lost"


@pytest.mark.rule("MV-6")
@pytest.mark.parametrize(
    ("reason", "state", "outcome"),
    [
        ("walked_away", "lost", "walked_away"),
        ("invalid", "cancelled", "invalid"),
        ("duplicate", "cancelled", "duplicate"),
    ],
)
def test_every_losing_reason_names_its_outcome(where, reason, state, outcome):
    deal = where.deal()
    where.move(deal, "close_lost", reason=reason)
    journey = where.journey(deal)
    assert (journey.state, journey.outcome) == (state, outcome)


@pytest.mark.rule("PD-7", "MV-9")
def test_hold_needs_reason_and_date_stops_and_comes_back(where):
    deal = where.deal()
    reason = where.version.document["lists"]["hold"][0]["key"]
    today = timezone.localdate()
    for form in ({}, {"resume_date": today.isoformat()}):
        with pytest.raises(MoveImpossible):
            where.move(deal, "hold", reason=reason, form=form)
    where.move(deal, "hold", reason=reason, form={"resume_date": (today + timedelta(days=30)).isoformat()})
    assert where.journey(deal).state == "on_hold"
    with pytest.raises(MoveImpossible):
        where.move(deal, to="needs_analysis")
    where.move(deal, "resume")
    assert where.journey(deal).state == "open"
    assert where.journey(deal).resume_date is None


@pytest.mark.rule("MV-5", "MV-7")
def test_winning_needs_the_contract_locks_the_commercial_values_and_opens_the_contract(where):
    from tests.factories.crm import document

    process.publish(document("contract_fulfilment"), by=None, at=where.at, channel="system", mode="enforced")
    deal = where.fulfil(where.deal(stage="quote_negotiation"))
    where.move(deal, to="signing")
    win = where.version.document["lists"]["win"][0]["key"]
    with pytest.raises(GateRefused) as caught:
        where.move(deal, "close_won", reason=win)
    assert "contract_equals_approved" in gaps(caught)
    today = timezone.localdate()
    contract = offers.create_contract(
        deal.pk,
        number="HT-1",
        amount=deal.amount + 1,
        currency="CNY",
        signed_date=today,
        countersigned_date=today,
        **where.how(),
    )
    with pytest.raises(GateRefused):
        where.move(deal, "close_won", reason=win)
    offers.edit_contract(contract.pk, {"amount": deal.amount}, version=contract.version, **where.how())
    where.move(deal, "close_won", reason=win)
    journey = where.journey(deal)
    assert (journey.state, journey.probability, journey.forecast_category) == ("won", 100, "closed")
    deal.refresh_from_db()
    assert deal.commercial_locked
    assert Account.objects.get(pk=deal.account_id).is_customer
    with pytest.raises(Invalid):
        where.edit(deal, amount=5)
    where.edit(deal, description="notes may still be written")
    assert Contract.objects.get(pk=contract.pk).journey.stage.order == 0
    assert ChainLink.objects.get().kind == "won"
    with pytest.raises(NotPermitted):
        where.move(deal, "reopen", comment="wrong")
    with pytest.raises(NotPermitted):
        where.move(deal, "reopen", comment="wrong", by=where.admin)


@pytest.mark.rule("MV-7", "AC-9")
def test_reopening_in_time_begins_an_episode_and_later_asks_for_a_successor(where):
    deal = where.deal(stage="solution_design", days_ago=150)
    where.move(deal, "close_lost", reason="price", form={"competitor": "东方自控"})
    with pytest.raises(MoveImpossible):
        where.move(deal, "reopen", to="signing", comment="back")
    where.move(deal, "reopen", to="needs_analysis", comment="客户预算恢复")
    journey = where.journey(deal)
    assert (journey.episode_no, journey.stage.key, journey.state, journey.outcome) == (
        2,
        "needs_analysis",
        "open",
        "",
    )
    assert Visit.objects.filter(journey=journey, exit_type="lost", episode_no=1).count() == 1
    where.move(deal, "close_lost", reason="price", form={"competitor": "东方自控"})
    late = timezone.now() + timedelta(days=200)
    with pytest.raises(MoveImpossible) as caught:
        process.move(deal.journey_id, Wish(kind=Kind.REOPEN, comment="again"), **where.how(at=late))
    assert caught.value.details["objections"][0]["code"] == "too_late_to_reopen"
    successor = crm.create_successor(deal.pk, **where.how(at=late))
    assert successor.predecessor_id == deal.pk


@pytest.mark.rule("MV-10", "AC-2", "GT-2")
@pytest.mark.parametrize("channel", ["ui", "api", "import", "automation", "mobile"])
def test_every_channel_gets_the_same_verdict(where, channel):
    deal, ready = where.deal(), where.fulfil(where.deal())
    refused, allowed = move_many(
        [
            MoveWish(journey_id=d.journey_id, wish=Wish(kind=Kind.ADVANCE, to="needs_analysis"))
            for d in (deal, ready)
        ],
        by=where.zhou,
        at=timezone.now(),
        channel=channel,
    )
    assert [g.key for g in refused.verdict.gaps] == [
        "contact_two_way",
        "problem_stated",
        "bant",
        "sr_for_needs_analysis",
    ]
    assert isinstance(refused.refusal, GateRefused)
    assert allowed.allowed
    assert {e.channel for e in Evaluation.objects.all()} == {channel}
    stored = Evaluation.objects.get(journey=deal.journey_id)
    assert [r["key"] for r in stored.results if r["level"] == "block" and r["state"] == "unmet"] == [
        "contact_two_way",
        "problem_stated",
        "bant",
        "sr_for_needs_analysis",
    ]


@pytest.mark.rule("MV-10", "GT-4")
def test_facts_gathered_under_the_lock_give_the_same_answers(where):
    """What a simulation asks for: each journey is read once, and nothing else is different."""

    def asked(**how):
        deals = [where.deal(), where.fulfil(where.deal()), where.fulfil(where.deal())]
        wish = Wish(kind=Kind.ADVANCE, to="needs_analysis")
        wishes = [MoveWish(journey_id=d.journey_id, wish=wish) for d in deals]
        wishes[2] = MoveWish(journey_id=deals[2].journey_id, wish=wish, version=99)
        found = move_many(wishes, by=where.zhou, at=timezone.now(), channel="ui", **how)
        states = []
        for d in deals:
            stored = Evaluation.objects.filter(journey=d.journey_id).first()
            states.append([(r["key"], r["state"]) for r in stored.results] if stored else None)
        rows = [where.journey(d) for d in deals]
        return [
            (o.allowed, type(o.refusal), state, row.stage.key, row.version)
            for o, state, row in zip(found, states, rows, strict=True)
        ]

    usual = asked()
    assert [kind for _allowed, kind, *_more in usual] == [GateRefused, type(None), LostRace]
    assert asked(gather_locked=True) == usual


def test_a_journey_is_written_only_where_it_changes(where):
    deal = where.deal()
    with CaptureQueriesContext(connection) as asked:
        where.edit(deal, amount=4321)
    written = [q["sql"] for q in asked if q["sql"].startswith('UPDATE "process_journey" SET "base_amount"')]
    assert len(written) == 1 and "owner_id" not in written[0] and "stage_id" not in written[0]
    assert where.journey(deal).base_amount == 4321
    assert list(differences()) == []


@pytest.mark.rule("GT-2")
def test_the_product_itself_passes_rights_but_no_gate(where):
    deal = where.deal()
    outcome = move_many(
        [MoveWish(journey_id=deal.journey_id, wish=Wish(kind=Kind.ADVANCE, to="needs_analysis"))],
        by=None,
        at=timezone.now(),
        channel="automation",
    )[0]
    assert isinstance(outcome.refusal, GateRefused)


@pytest.mark.rule("MV-11", "AC-11")
def test_the_second_mover_learns_what_changed(where):
    deal = where.fulfil(where.deal())
    seen = where.journey(deal).version
    how = where.how()
    process.move(deal.journey_id, Wish(kind=Kind.ADVANCE, to="needs_analysis"), version=seen, **how)
    with pytest.raises(LostRace) as caught:
        process.move(deal.journey_id, Wish(kind=Kind.ADVANCE, to="needs_analysis"), version=seen, **how)
    assert caught.value.details["stage"] == "needs_analysis"
    assert Visit.objects.filter(journey=deal.journey_id).count() == 2


@pytest.mark.rule("MV-12")
def test_a_new_owner_leaves_the_stage_alone(where):
    deal = where.deal(stage="needs_analysis")
    crm.reassign("opportunity", deal.pk, owner=where.lin, version=deal.version, **where.how(where.chen))
    journey = where.journey(deal)
    assert (journey.owner_id, journey.stage.key) == (where.lin.pk, "needs_analysis")
    assert Visit.objects.get(journey=journey, left_at=None).owner_id_then == where.zhou.pk
    deal.refresh_from_db()
    assert deal.ar_id == where.lin.pk


@pytest.mark.rule("T01", "T03")
def test_a_stranger_finds_nothing_and_a_reader_may_not_move(where):
    deal = where.fulfil(where.deal())
    for stranger in (where.qi, where.newcomer):
        with pytest.raises(NotFound):
            where.move(deal, to="needs_analysis", by=stranger)
    with pytest.raises(NotPermitted):
        where.move(deal, to="needs_analysis", by=where.shen)
    assert Evaluation.objects.count() == 0


@pytest.mark.rule("OV-1", "GT-1")
def test_a_waiver_settles_a_criterion_until_it_ends(where):
    deal = where.fulfil(where.deal(), but=("bant",))
    reason = where.version.document["lists"]["waiver"][0]["key"]
    now = timezone.now()
    grant = {
        "criterion_key": "bant",
        "reason_code": reason,
        "text": "框架客户，预算每年一次性批复",
        "expires_at": now + timedelta(days=10),
    }
    with pytest.raises(NotPermitted):
        process.grant_waiver(deal.journey_id, **grant, **where.how())
    with pytest.raises(Invalid):
        process.grant_waiver(deal.journey_id, **{**grant, "text": "短"}, **where.how(where.chen))
    process.grant_waiver(deal.journey_id, **grant, **where.how(where.chen))
    assert where.journey(deal).gate_state == "waived"
    verdict = checklists([where.journey(deal)], at=now + timedelta(days=11))[deal.journey_id]
    assert [g.key for g in verdict.gaps] == ["bant"]
    where.move(deal, to="needs_analysis")
    with pytest.raises(GateRefused) as caught:
        process.move(
            deal.journey_id,
            Wish(kind=Kind.ADVANCE, to="solution_design"),
            **where.how(at=now + timedelta(days=11)),
        )
    assert "bant" in gaps(caught)


@pytest.mark.rule("OV-1", "OV-2")
def test_nobody_waives_for_the_own_deal_and_administrators_have_no_bypass(where):
    deal = where.deal(owner=where.chen)
    reason = where.version.document["lists"]["waiver"][0]["key"]
    with pytest.raises(WaiverRefused):
        process.grant_waiver(
            deal.journey_id,
            criterion_key="bant",
            reason_code=reason,
            text="自己给自己的单子豁免一下",
            expires_at=timezone.now() + timedelta(days=1),
            **where.how(where.chen),
        )
    with pytest.raises(GateRefused):
        where.move(where.deal(), to="needs_analysis", by=where.admin)


@pytest.mark.rule("IT-1")
def test_the_owner_does_not_attest_and_a_role_is_needed(where):
    deal = where.deal(stage="needs_analysis")
    with pytest.raises(NotPermitted):
        process.attest(deal.journey_id, criterion_key="ati", statement="", **where.how())
    own = where.deal(stage="needs_analysis", owner=where.chen)
    with pytest.raises(AttestationRefused):
        process.attest(own.journey_id, criterion_key="ati", statement="", **where.how(where.chen))
    given = process.attest(
        deal.journey_id, criterion_key="ati", statement="同意立项", **where.how(where.chen)
    )
    assert checklists([where.journey(deal)], at=timezone.now())[deal.journey_id].results
    process.withdraw_attestation(given.pk, **where.how(where.chen))
    with pytest.raises(NotFound):
        process.withdraw_attestation(given.pk, **where.how(where.chen))


@pytest.mark.rule("GT-8")
def test_evidence_that_goes_away_after_the_pass_advises_a_step_back(where):
    deal = where.fulfil(where.deal(stage="needs_analysis"))
    where.move(deal, to="solution_design")
    assert not where.journey(deal).step_back_advised
    role = deal.contact_roles.get(role="EB")
    crm.mark_contact_left(role.contact_id, version=role.contact.version, **where.how())
    journey = where.journey(deal)
    assert journey.step_back_advised
    assert journey.stage.key == "solution_design"


@pytest.mark.rule("EV-5", "GT-3")
def test_imported_passes_are_not_asked_again(where):
    deal = where.fulfil(where.deal(stage="solution_design"))
    verdict = checklists([where.journey(deal)], at=timezone.now())[deal.journey_id]
    states = {r.key: (r.state, r.why) for r in verdict.results}
    assert states["req_confirmed"] == (CriterionState.NA, "imported")
    where.move(deal, to="quote_negotiation")
    assert where.journey(deal).stage.key == "quote_negotiation"


@pytest.mark.rule("GT-1")
def test_soft_mode_lets_gaps_pass_as_flags_and_says_so():
    where = company(mode="soft")
    deal = where.deal()
    outcome = where.move(deal, to="needs_analysis")
    assert set(outcome.verdict.soft_passed) == {
        "contact_two_way",
        "problem_stated",
        "bant",
        "sr_for_needs_analysis",
    }
    flags = set(GateFlag.objects.filter(journey=deal.journey_id).values_list("criterion_key", flat=True))
    assert {"contact_two_way", "problem_stated", "bant"} <= flags
    where.edit(deal, customer_problem="轴承温度每周报警两次")
    cleared = GateFlag.objects.get(journey=deal.journey_id, criterion_key="problem_stated")
    assert cleared.cleared_at is not None


@pytest.mark.rule("EV-1", "T15")
def test_the_journal_rebuilds_journeys_and_visits_row_for_row(where):
    deals = [where.fulfil(where.deal(stage=stage)) for stage in STAGES[:4]]
    for deal, stage in zip(deals, STAGES[1:], strict=False):
        where.move(deal, to=stage)
    reason = where.version.document["lists"]["regress"][0]["key"]
    where.move(deals[0], "regress", to="customer_contact", reason=reason)
    where.move(deals[1], "close_lost", reason="walked_away")
    where.move(deals[1], "reopen", comment="客户回来了")
    where.edit(deals[2], amount=77, expected_close_date="2027-01-05")
    assert list(differences()) == []
    kept = list(
        Visit.objects.in_order().values_list(
            "journey_id", "ordinal", "entered_at", "left_at", "exit_type", "amount"
        )
    )
    Visit.objects.all().delete()
    Journey.objects.update(probability=1, regress_count=9, base_amount=None)
    rebuild()
    assert list(differences()) == []
    assert (
        list(
            Visit.objects.in_order().values_list(
                "journey_id", "ordinal", "entered_at", "left_at", "exit_type", "amount"
            )
        )
        == kept
    )


@pytest.mark.rule("GT-4")
def test_facts_as_of_an_instant_equal_those_stored_with_the_attempt_then(where):
    deal = where.deal()
    with pytest.raises(GateRefused):
        where.move(deal, to="needs_analysis")
    first = Evaluation.objects.get()
    where.edit(deal, competitor="西门子", amount=5)
    work.add_file(
        "opportunity",
        deal.pk,
        kind="requirement_confirmation",
        name="x.pdf",
        reference="y",
        by_customer=True,
        **where.how(),
    )
    where.fulfil(deal)
    from fairlead.process.engine import decide
    from fairlead.process.recording import facts_as_json, results_as_json

    then = situations([where.journey(deal)], at=first.at, as_of=first.at)[deal.journey_id]
    told = facts_as_json(then.facts)
    assert {
        k: (v, told["fields"][k]) for k, v in first.facts["fields"].items() if told["fields"][k] != v
    } == {}
    assert told == first.facts
    again = decide(then.definition, then.facts, Wish(kind=Kind.ADVANCE, to="needs_analysis"))
    assert results_as_json(again.results) == first.results


@pytest.mark.rule("T21")
@pytest.mark.parametrize("count", [1, 12])
def test_facts_of_many_journeys_take_a_fixed_number_of_queries(where, count, django_assert_num_queries):
    deals = [where.deal(stage="needs_analysis") for _ in range(count)]
    journeys = list(Journey.objects.select_related("stage").filter(pk__in=[d.journey_id for d in deals]))
    situations(journeys, at=timezone.now())
    with django_assert_num_queries(13):
        situations(journeys, at=timezone.now())


@pytest.mark.rule("EV-4")
def test_a_move_can_have_happened_earlier_than_it_was_written(where):
    deal = where.fulfil(where.deal())
    happened = timezone.now() - timedelta(days=2)
    outcome = process.move(
        deal.journey_id, Wish(kind=Kind.ADVANCE, to="needs_analysis"), effective_at=happened, **where.how()
    )
    assert outcome.event.effective_at == happened
    assert outcome.event.recorded_at > happened
    assert (
        datetime(2020, 1, 1, tzinfo=UTC)
        < Visit.objects.get(journey=deal.journey_id, left_at=None).entered_at
        == happened
    )


@pytest.mark.rule("T05", "MV-9", "MV-5", "GT-2")
@pytest.mark.parametrize(
    ("kind", "form", "field"),
    [
        (Kind.HOLD, {"resume_date": "soon"}, "resume_date"),
        (Kind.HOLD, {"resume_date": "20990101"}, "resume_date"),
        (Kind.HOLD, {"resume_date": "2099-02-30"}, "resume_date"),
        (Kind.HOLD, {"resume_date": 20990101}, "resume_date"),
        (Kind.HOLD, {"resume_date": "2020-01-01"}, "resume_date"),
        (Kind.CLOSE_WON, {"amount": "lots"}, "amount"),
        (Kind.CLOSE_WON, {"amount": "-1"}, "amount"),
        (Kind.CLOSE_WON, {"amount": "NaN"}, "amount"),
        (Kind.CLOSE_WON, {"amount": "1e40"}, "amount"),
        (Kind.CLOSE_WON, {"amount": "1.005"}, "amount"),
        (Kind.CLOSE_WON, {"amount": True}, "amount"),
        (Kind.CLOSE_WON, {"amount": [1]}, "amount"),
        (Kind.CLOSE_LOST, {"competitor": ["A"]}, "competitor"),
        (Kind.CLOSE_LOST, {"competitor": "A" * 201}, "competitor"),
    ],
)
def test_what_a_move_says_must_be_a_day_an_amount_a_name(where, kind, form, field):
    """Through the door itself, where neither page nor API has looked before."""
    deal = where.deal(stage="signing" if kind == Kind.CLOSE_WON else "customer_contact")
    name = {Kind.HOLD: "hold", Kind.CLOSE_LOST: "lost", Kind.CLOSE_WON: "win"}[kind]
    reason = where.version.document["lists"][name][0]["key"]
    before = where.journey(deal)
    with pytest.raises(MoveImpossible) as caught:
        process.move(before.pk, Wish(kind=kind, reason=reason, form=form), **where.how())
    errors = {e["field"]: e["message"] for e in caught.value.details["errors"]}
    assert set(errors) == {field}
    assert errors[field] in str(caught.value.message)
    after = where.journey(deal)
    assert (after.state, after.version) == ("open", before.version)
