"""Versions in flight: what running deals meet when their process changes (VR-1 to VR-10, AC-13 to AC-15)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.forms.models import model_to_dict
from django.utils import timezone, translation
from tests.factories.crm import PROCESS, STAGES, Company, company
from tests.kit.documents import read_document
from tests.process.versions import HOW, carried_out, next_document, planned, publish_next, undone

from fairlead.common.refusals import Stale
from fairlead.crm.selectors.board import BoardFilter, load_board, processes
from fairlead.insight import history
from fairlead.journal.models import Event
from fairlead.process import services as process
from fairlead.process import version_plans
from fairlead.process.definition import Definition
from fairlead.process.definitions import definition_of
from fairlead.process.engine import decide, forward_move
from fairlead.process.enums import CriterionState
from fairlead.process.models import Clock, Journey, Migration, ProcessVersion, Visit
from fairlead.process.refusals import GateRefused, MigrationRefused
from fairlead.process.selectors.gathering import situations
from fairlead.process.services import carrying_over, ledger, migrating, rebuilding
from fairlead.process.verdicts import Verdict

pytestmark = pytest.mark.django_db
EXAMPLE = Path(__file__).parents[2] / "examples" / "processes" / "key_account_opportunity.yaml"
ADDED = {"customer_contact": "new_passed", "needs_analysis": "new_here", "solution_design": "new_later"}


@pytest.fixture
def where() -> Iterator[Company]:
    with translation.override("en"):
        yield company(at=timezone.now() - timedelta(days=60), language="en")


def verdict_of(journey: Journey, at: datetime) -> Verdict:
    situation = situations([journey], at=at)[journey.pk]
    wish = forward_move(situation.definition, situation.facts)
    assert wish is not None
    return decide(situation.definition, situation.facts, wish)


def state_of(verdict: Verdict, key: str) -> tuple[str, str]:
    result = next(r for r in verdict.results if r.key == key)
    return result.state, result.why


def everything() -> dict[str, Any]:
    """Journeys, visits and clocks, row for row, but the count of their changes."""
    return {
        "journeys": [
            {k: v for k, v in model_to_dict(j).items() if k not in ("version", "facts_rev")}
            for j in Journey.objects.order_by("pk")
        ],
        "visits": [
            {k: v for k, v in model_to_dict(v).items() if k != "id"}
            for v in Visit.objects.order_by("journey_id", "ordinal")
        ],
        "clocks": [model_to_dict(c) for c in Clock.objects.order_by("pk")],
    }


def told_alike() -> None:
    """The journal alone tells the same; and rebuilt into empty tables it stands row for row."""
    assert list(rebuilding.differences()) == []
    before = everything()
    rebuilding.rebuild()
    assert everything() == before


@pytest.mark.rule("AC-13", "VR-5", "VR-4", "VR-2")
def test_what_was_added_to_a_passed_stage_stays_out_to_this_one_it_waits_and_later_it_holds(
    where: Company,
) -> None:
    deal = where.deal(at=where.at)
    where.fulfil(deal)
    where.move(deal, to="needs_analysis")
    where.fulfil(deal)
    now = timezone.now()
    publish_next(where, at=now, added=ADDED)
    plan = planned(now, grace_days=5)
    row = plan.rows.get()
    assert (row.choice, row.to_stage) == ("now", "needs_analysis")
    assert row.outlook["exempt"] == ["new_passed"]
    assert row.outlook["due_later"] == ["new_here"]
    assert "unmet" not in row.outlook
    carried_out(plan, now)
    journey = where.journey(deal)
    assert journey.process_version.number == 2
    assert state_of(verdict_of(journey, now), "new_passed") == ("na", "grandfathered")
    assert state_of(verdict_of(journey, now), "new_here") == ("na", "grace")
    after = now + timedelta(days=14)
    assert state_of(verdict_of(journey, after), "new_here")[0] == CriterionState.UNMET
    assert state_of(verdict_of(journey, after), "new_passed") == ("na", "grandfathered")
    # Within its grace the deal moves on; the item that was added there is required as everywhere.
    where.move(deal, to="solution_design", by=where.zhou)
    where.fulfil(deal)
    with pytest.raises(GateRefused) as refused:
        where.move(deal, to="quote_negotiation")
    assert {g.key for g in refused.value.verdict.gaps} >= {"new_later"}
    told_alike()


@pytest.mark.rule("VR-5", "AP-14")
def test_a_passed_word_is_not_asked_again_as_an_approval_and_the_stage_at_hand_has_its_grace(
    where: Company,
) -> None:
    """The second version of the key-account process: ATI was a manager's word where these deals passed it."""
    passed, here = where.deal(at=where.at), where.deal(at=where.at)
    for deal in (passed, here):
        where.fulfil(deal)
        where.move(deal, to="needs_analysis")
        where.fulfil(deal)
    where.move(passed, to="solution_design")
    now = timezone.now()
    process.publish(read_document(EXAMPLE.read_text(encoding="utf-8")), by=None, at=now, channel="ui")
    carried_out(planned(now, grace_days=5), now)
    after = now + timedelta(days=14)
    assert state_of(verdict_of(where.journey(passed), after), "ati") == ("na", "grandfathered")
    assert state_of(verdict_of(where.journey(here), now), "ati") == ("na", "grace")
    assert state_of(verdict_of(where.journey(here), after), "ati")[0] == CriterionState.UNMET
    told_alike()


@pytest.mark.rule("VR-5")
def test_who_goes_back_to_a_stage_is_asked_all_that_it_asks(where: Company) -> None:
    deal = where.deal(at=where.at)
    where.fulfil(deal)
    where.move(deal, to="needs_analysis")
    now = timezone.now()
    publish_next(where, at=now, added=ADDED)
    carried_out(planned(now), now)
    where.move(deal, "regress", "customer_contact", by=where.chen, reason="need_changed", comment="重来")
    journey = where.journey(deal)
    assert "exempt" not in journey.carried
    assert state_of(verdict_of(journey, timezone.now()), "new_passed")[0] == CriterionState.UNMET
    told_alike()


@pytest.mark.rule("AC-14", "VR-3")
def test_a_removed_stage_without_a_place_stops_the_migration_and_nothing_changes(where: Company) -> None:
    where.deal(stage="needs_analysis", at=where.at)
    now = timezone.now()
    publish_next(where, at=now, rename=("needs_analysis", "discovery"))
    before, events = everything(), Event.objects.count()
    plan = migrating.plan_migration(PROCESS, at=now, **HOW)
    assert "needs_analysis" not in plan.mapping["1"]
    with pytest.raises(MigrationRefused) as refused:
        migrating.check(plan.pk, by=None, at=now)
    assert [p["path"] for p in refused.value.details["problems"]] == ["1.needs_analysis"]
    with pytest.raises(MigrationRefused):
        migrating.confirm(plan.pk, version=plan.version, at=now, **HOW)
    assert everything() == before
    assert Event.objects.count() == events + 1  # the plan alone


@pytest.mark.rule("VR-3")
def test_where_everybody_keeps_the_old_version_no_mapping_is_asked_for(where: Company) -> None:
    where.deal(stage="needs_analysis", at=where.at)
    now = timezone.now()
    publish_next(where, at=now, rename=("needs_analysis", "discovery"))
    plan = carried_out(planned(now, groups=[{"choice": "keep"}]), now)
    assert plan.totals["kept"] == 1
    assert Journey.objects.get().process_version.number == 1


def funnel() -> dict[str, Any]:
    loaded = history.load(PROCESS)
    visits = loaded.history.visits
    return {
        "axes": loaded.axis_keys,
        "visits": sorted(
            zip(
                visits.journey.tolist(),
                visits.axis.tolist(),
                visits.entered.tolist(),
                visits.exit.tolist(),
                strict=True,
            )
        ),
        "cases": len(loaded.history.journeys.journey),
    }


@pytest.mark.rule("AC-14", "VR-6", "VR-7")
def test_with_a_place_the_clock_goes_on_and_the_funnel_is_what_it_was(where: Company) -> None:
    deals = [where.deal(stage=stage, at=where.at, days_ago=9) for stage in STAGES[:3]]
    where.fulfil(deals[0])
    where.move(deals[0], to="needs_analysis")
    now = timezone.now()
    was = {d.pk: where.journey(d) for d in deals}
    before = funnel()
    clocks = {(c.journey_id, c.kind): (c.started_at, c.level) for c in Clock.objects.all()}
    publish_next(where, at=now, rename=("needs_analysis", "discovery"), axis="needs_analysis")
    plan = carried_out(planned(now), now)
    assert plan.mapping["1"]["needs_analysis"] == "discovery"  # found by its place on the axis
    assert plan.totals["breaks"] == []
    for deal in deals:
        journey = where.journey(deal)
        assert journey.process_version.number == 2
        assert (journey.entered_at, journey.entered_at_known) == (was[deal.pk].entered_at, True)
        visits = list(Visit.objects.filter(journey=journey).order_by("ordinal"))
        assert (visits[-2].exit_type, visits[-2].left_at) == ("migrated", now)
        assert visits[-2].stage_key == was[deal.pk].stage.key  # it keeps its own name
        assert (visits[-1].process_version, visits[-1].amount) == (2, visits[-2].amount)
    assert where.journey(deals[1]).stage.key == "discovery"
    assert {(c.journey_id, c.kind): (c.started_at, c.level) for c in Clock.objects.all()} == clocks
    history.forget()
    assert funnel() == before
    told_alike()


@pytest.mark.rule("VR-6", "VR-3")
def test_stages_that_are_joined_add_their_stays(where: Company) -> None:
    """Two stages come to one: C2 sums over both, C1 goes on from the present stay."""
    deal = where.deal(at=where.at, days_ago=20)
    where.fulfil(deal)
    process.move(
        deal.journey_id,
        forward_move(*_of(where.journey(deal))),  # type: ignore[arg-type]
        by=where.zhou,
        at=where.at,
        channel="ui",
    )
    now = timezone.now()
    publish_next(where, at=now)
    mapping = {"1": {"customer_contact": "needs_analysis"}}
    carried_out(planned(now, mapping=mapping), now)
    journey = where.journey(deal)
    clocks = {c.kind: c for c in Clock.objects.filter(journey=journey)}
    assert clocks["visit"].started_at == journey.entered_at
    assert clocks["stage"].started_at == where.at - timedelta(days=20)
    assert clocks["stage"].key == "needs_analysis"
    told_alike()


def _of(journey: Journey) -> tuple[Definition, Any]:
    situation = situations([journey], at=timezone.now())[journey.pk]
    return situation.definition, situation.facts


@pytest.mark.rule("VR-7")
def test_a_mapping_to_another_place_of_the_axis_is_said_to_break_the_series(where: Company) -> None:
    where.deal(at=where.at)
    now = timezone.now()
    publish_next(where, at=now)
    plan = planned(now, mapping={"1": {"customer_contact": "needs_analysis"}})
    assert plan.totals["breaks"] == [["customer_contact", "needs_analysis"]]


@pytest.mark.rule("VR-2")
def test_by_default_who_is_past_the_quotation_keeps_the_old_version(where: Company) -> None:
    for stage in ("customer_contact", "quote_negotiation", "signing"):
        where.deal(stage=stage, at=where.at)
    now = timezone.now()
    publish_next(where, at=now)
    plan = planned(now)
    assert dict(plan.rows.values_list("from_stage", "choice")) == {
        "customer_contact": "now",
        "quote_negotiation": "now",
        "signing": "keep",
    }


@pytest.mark.rule("VR-2")
def test_groups_choose_by_stage_amount_and_owner_the_first_that_fits(where: Company) -> None:
    large = where.deal(at=where.at, amount=9_000_000)
    of_lin = where.deal(at=where.at, owner=where.lin, amount=100)
    other = where.deal(at=where.at, stage="signing", amount=100)
    now = timezone.now()
    publish_next(where, at=now)
    plan = planned(
        now,
        groups=[
            {"min": "5000000", "choice": "keep"},
            {"owner": str(where.lin.pk), "choice": "next"},
            {"stage": "signing", "max": 500, "choice": "now"},
        ],
    )
    found = dict(plan.rows.values_list("journey__subject_id", "choice"))
    assert found == {large.pk: "keep", of_lin.pk: "next", other.pk: "now"}


@pytest.mark.rule("VR-1")
def test_publishing_moves_nobody_and_a_published_version_never_changes(where: Company) -> None:
    deal = where.deal(at=where.at)
    before = everything()
    publish_next(where, added=ADDED)
    assert everything() == before
    assert where.journey(deal).process_version.number == 1
    assert ProcessVersion.objects.published().get(process__key=PROCESS).number == 2
    with pytest.raises(Exception, match="another content"):
        process.publish(next_document(number=1, added=ADDED), by=None, at=timezone.now(), channel="ui")


@pytest.mark.rule("VR-2", "VR-6")
def test_with_the_next_change_of_stage_the_move_itself_carries_it_over(where: Company) -> None:
    deal = where.deal(at=where.at)
    where.fulfil(deal)
    now = timezone.now()
    publish_next(where, at=now, added=ADDED, rename=("needs_analysis", "discovery"), axis="needs_analysis")
    plan = carried_out(planned(now, groups=[{"choice": "next"}]), now)
    journey = where.journey(deal)
    assert (journey.process_version.number, journey.waits_for_id) == (1, plan.pk)
    assert plan.rows.get().state == "waiting"
    where.move(deal, to="needs_analysis")  # the gate that it was shown: nothing new is asked of it
    journey = where.journey(deal)
    assert (journey.process_version.number, journey.stage.key, journey.waits_for_id) == (2, "discovery", None)
    assert plan.rows.get().state == "done"
    verdict = verdict_of(journey, timezone.now())
    assert state_of(verdict, "new_passed") == ("na", "grandfathered")
    assert state_of(verdict, "new_here")[0] == CriterionState.UNMET  # it entered only now: no grace
    assert [v.exit_type for v in Visit.objects.filter(journey=journey).order_by("ordinal")] == [
        "advance",
        "migrated",
        "",
    ]
    assert (journey.gate_state, journey.gate_missing > 0) == ("missing", True)
    told_alike()


@pytest.mark.rule("AC-15", "VR-9")
def test_undo_puts_back_who_has_not_moved_and_names_who_has(where: Company) -> None:
    still, moved, waiting = (where.deal(at=where.at) for _ in range(3))
    where.fulfil(moved)
    deal = where.deal(at=where.at, owner=where.lin)
    now = timezone.now()
    publish_next(
        where, at=now, added={"solution_design": "new_later"}, rename=("needs_analysis", "discovery")
    )
    before = everything()
    lin = [{"owner": where.lin.pk, "choice": "next"}]
    mapping = {"1": {"needs_analysis": "discovery"}}
    plan = carried_out(planned(now, groups=lin, mapping=mapping), now)
    assert set(
        Journey.objects.exclude(subject_id=deal.pk).values_list("process_version__number", flat=True)
    ) == {2}
    where.move(moved, to="discovery")
    plan = undone(plan, now + timedelta(hours=23))
    assert plan.state == "undone"
    states = dict(plan.rows.values_list("journey__subject_id", "state"))
    assert states == {still.pk: "undone", waiting.pk: "undone", moved.pk: "refused", deal.pk: "undone"}
    assert where.journey(moved).process_version.number == 2
    assert where.journey(deal).waits_for_id is None
    told_alike()
    kept = {still.journey_id, waiting.journey_id}
    after = everything()
    assert [j for j in after["journeys"] if j["subject_id"] in (still.pk, waiting.pk)] == [
        j for j in before["journeys"] if j["subject_id"] in (still.pk, waiting.pk)
    ]
    assert [v for v in after["visits"] if v["journey"] in kept] == [
        v for v in before["visits"] if v["journey"] in kept
    ]
    assert [c for c in after["clocks"] if c["journey"] in kept] == [
        c for c in before["clocks"] if c["journey"] in kept
    ]


@pytest.mark.rule("VR-9")
def test_after_a_day_it_is_not_undone(where: Company) -> None:
    where.deal(at=where.at)
    now = timezone.now()
    publish_next(where, at=now)
    plan = carried_out(planned(now), now)
    with pytest.raises(MigrationRefused, match="24 hours"):
        migrating.begin_undo(plan.pk, at=now + timedelta(hours=24), **HOW)
    assert Journey.objects.get().process_version.number == 2


@pytest.mark.rule("VR-9")
def test_one_event_for_the_whole_and_one_for_each_journey(where: Company) -> None:
    deals = [where.deal(at=where.at) for _ in range(3)]
    now = timezone.now()
    publish_next(where, at=now)
    plan = carried_out(planned(now), now)
    assert Event.objects.filter(type="migration_confirmed").count() == 1
    told = Event.objects.filter(type="migrated")
    assert {e.subject_id for e in told} == {d.pk for d in deals}
    assert {e.data["migration"] for e in told} == {plan.pk}


@pytest.mark.rule("VR-6", "PD-7")
def test_who_is_on_hold_stays_on_hold_and_the_pause_is_one(where: Company) -> None:
    deal = where.deal(at=where.at)
    paused = where.at + timedelta(days=2)
    form = {"resume_date": (timezone.localdate() + timedelta(days=30)).isoformat()}
    from fairlead.process.enums import Kind
    from fairlead.process.verdicts import Wish

    hold = Wish(kind=Kind.HOLD, reason="project_paused", form=form)
    process.move(deal.journey_id, hold, by=where.zhou, at=paused, channel="ui")
    now = timezone.now()
    publish_next(where, at=now)
    plan = carried_out(planned(now), now)
    journey = where.journey(deal)
    assert (journey.state, journey.hold_since) == ("on_hold", paused)
    told_alike()
    plan = undone(plan, now + timedelta(hours=1))
    assert (
        where.journey(deal).hold_since,
        Visit.objects.get(journey=journey, left_at=None).held_seconds,
    ) == (paused, 0)
    later = now + timedelta(hours=2)
    process.move(deal.journey_id, Wish(kind=Kind.RESUME), by=where.zhou, at=later, channel="ui")
    visit = Visit.objects.get(journey=journey, left_at=None)
    assert visit.held_seconds == int((later - paused).total_seconds())
    told_alike()


@pytest.mark.rule("VR-9")
def test_work_that_is_broken_off_is_taken_up_where_it_stopped(
    where: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        where.deal(at=where.at)
    now = timezone.now()
    publish_next(where, at=now)
    plan = planned(now)
    migrating.confirm(plan.pk, version=plan.version, at=now, **HOW)
    monkeypatch.setattr(carrying_over, "AT_MOST", 2)
    written = ledger.write
    calls = 0

    def fails(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise RuntimeError("the power went")
        return written(*args, **kwargs)

    with monkeypatch.context() as broken, pytest.raises(RuntimeError):
        broken.setattr(ledger, "write", fails)
        carrying_over.execute(plan.pk, clock=lambda: now)
    assert Journey.objects.filter(process_version__number=2).count() == 2
    told_alike()
    carrying_over.execute(plan.pk, clock=lambda: now)
    carrying_over.execute(plan.pk, clock=lambda: now)  # once more changes nothing
    plan.refresh_from_db()
    assert (plan.state, plan.rows_done) == ("done", 5)
    assert Event.objects.filter(type="migrated").count() == 5
    told_alike()


@pytest.mark.rule("VR-3")
def test_a_split_by_condition_and_by_hand(where: Company) -> None:
    small, large = where.deal(at=where.at, amount=100), where.deal(at=where.at, amount=10_000_000)
    now = timezone.now()
    publish_next(where, at=now)
    when = {"field": "amount", "op": "gte", "value": 1_000_000}
    split = {"split": [{"to": "needs_analysis", "when": when}, {"to": "customer_contact"}]}
    plan = planned(now, mapping={"1": {"customer_contact": split}})
    assert dict(plan.rows.values_list("journey__subject_id", "to_stage")) == {
        small.pk: "customer_contact",
        large.pk: "needs_analysis",
    }
    by_hand = {"pick": ["needs_analysis", "customer_contact"]}
    plan = planned(now, mapping={"1": {"customer_contact": by_hand}})
    assert (plan.totals["movable"], plan.totals["manual"]) == (0, 2)
    migrating.pick_stage(plan.pk, large.journey_id, "needs_analysis", at=now, **HOW)
    plan = carried_out(plan, now)
    assert where.journey(large).stage.key == "needs_analysis"
    assert where.journey(small).process_version.number == 1
    assert dict(plan.rows.values_list("journey__subject_id", "state")) == {
        small.pk: "manual",
        large.pk: "done",
    }


@pytest.mark.rule("VR-3")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"split": [{"to": "nowhere"}]}, "does not have"),
        ({"split": [{"to": "signing"}, {"to": "needs_analysis"}]}, "needs a condition"),
        ({"split": []}, "A stage is expected"),
        ("", "has no place"),
        (
            {
                "split": [
                    {"to": "signing", "when": {"field": "no_such", "op": "gte", "value": 1}},
                    {"to": "signing"},
                ]
            },
            "",
        ),
    ],
)
def test_what_is_wrong_in_a_mapping_is_named(where: Company, given: Any, said: str) -> None:
    publish_next(where)
    old, new = (definition_of(v) for v in ProcessVersion.objects.order_by("number"))
    from fairlead.fields.catalogue import catalogue

    raw = {**version_plans.suggested(old, new), "customer_contact": given}
    found = version_plans.read_map(old, new, raw, catalogue("opportunity"))
    assert found.troubles
    assert said in found.troubles[0].message
    assert found.troubles[0].path.startswith("1.customer_contact")


@pytest.mark.rule("VR-1", "VR-7", "GT-3")
def test_boards_and_lists_show_two_versions_side_by_side(where: Company) -> None:
    old = where.deal(stage="needs_analysis", at=where.at)
    now = timezone.now()
    publish_next(where, at=now, rename=("needs_analysis", "discovery"), axis="needs_analysis")
    carried_out(planned(now, groups=[{"choice": "keep"}]), now)
    new = where.deal(at=where.at)
    where.fulfil(new)
    where.move(new, to="discovery")
    assert {where.journey(d).process_version.number for d in (old, new)} == {1, 2}
    board = load_board(where.zhou, processes()[0], BoardFilter(process=PROCESS), at=timezone.now())
    column = next(c for c in board.columns if c.key == "needs_analysis")
    assert {card.subject for card in column.cards} == {old.pk, new.pk}
    assert column.figures.count == 2
    where.fulfil(old)
    where.move(old, to="solution_design")  # the older one goes on by its own version
    assert where.journey(old).stage.version.number == 1


@pytest.mark.rule("VR-4")
def test_an_old_page_learns_that_the_plan_has_changed(where: Company) -> None:
    where.deal(at=where.at)
    now = timezone.now()
    publish_next(where, at=now)
    plan = planned(now)
    migrating.edit_plan(plan.pk, version=plan.version, at=now, grace_days=3, **HOW)
    with pytest.raises(Stale):
        migrating.confirm(plan.pk, version=plan.version, at=now, **HOW)
    plan.refresh_from_db()
    with pytest.raises(MigrationRefused, match="Try the plan first"):
        migrating.confirm(plan.pk, version=plan.version, at=now, **HOW)
    assert Migration.objects.get().state == "planned"


@pytest.mark.rule("VR-4")
def test_weighted_pipeline_before_and_after(where: Company) -> None:
    where.deal(at=where.at, amount=1_000_000)
    now = timezone.now()
    publish_next(where, at=now)
    plan = planned(now, mapping={"1": {"customer_contact": "needs_analysis"}})
    assert plan.totals["weighted_before"] == "100000.00"  # 10 %
    assert plan.totals["weighted_after"] == "250000.00"  # 25 %
    assert plan.totals["weighted_change"] == "150.0"
