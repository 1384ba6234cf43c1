"""Versions in flight on plain values: where a stage goes, what is new there, and what a plan adds up to (VR-2 to VR-7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation
from tests.process.test_checks import CATALOGUE, NOW, criterion
from tests.process.test_decide import at, item, process, stage, to

from fairlead.process.definition import Definition, Stage
from fairlead.process.enums import ForecastCategory, JourneyState, Kind, Level
from fairlead.process.facts import AttestationFact, WaiverFact
from fairlead.process.version_plans import (
    Outlook,
    StageMap,
    Totals,
    added,
    carried_facts,
    default_choice,
    keep_after,
    outlook,
    read_map,
    suggested,
)

TENDER = {"field": "is_tender", "op": "eq", "value": True}


def version(number: int, *stages: Stage) -> Definition:
    return replace(process(*stages), version=number)


def plain(key: str, order: int, axis: str = "", ahead: str = "", **more: Any) -> Stage:
    found = stage(key, order, *([to(Kind.ADVANCE, ahead)] if ahead else ()), **more)
    return replace(found, axis_key=axis or key, name={"en": key.title(), "zh": key})


OLD = version(1, plain("one", 1, ahead="two", exit=(item("a"),), probability=(0, 10, 20)),
              plain("two", 2, ahead="three", entry=(item("b0"),), exit=(item("b"),), limit_yellow=3, limit_red=6),
              plain("three", 3, exit=(item("c"),)))  # fmt: skip
NEW = version(2, plain("uno", 1, "one", "due", exit=(item("a"), item("a_new"))),
              plain("due", 2, "two", "tre", entry=(item("b0"), item("b0_new")),
                    exit=(item("b"), item("b_new"), item("b_say", level=Level.FLAG)),
                    limit_yellow=4, limit_red=6, probability=(0, 35, 50), forecast=ForecastCategory.COMMIT),
              plain("tre", 3, "three", exit=(item("c"),)))  # fmt: skip
STRAIGHT = {"one": "uno", "two": "due", "three": "tre"}


def mapped(raw: dict[str, Any], old: Definition = OLD, new: Definition = NEW) -> StageMap:
    with translation.override("en"):
        return read_map(old, new, raw, CATALOGUE)


def troubles(raw: dict[str, Any]) -> list[tuple[str, str]]:
    return [(t.path, t.message) for t in mapped(raw).troubles]


# --- the mapping ---


@pytest.mark.rule("VR-3")
def test_stages_are_found_again_by_key_else_by_their_only_place_on_the_axis() -> None:
    assert suggested(OLD, NEW) == STRAIGHT
    assert suggested(OLD, OLD) == {key: key for key in STRAIGHT}
    twice = version(2, *NEW.stages, plain("due2", 4, "two"))
    assert suggested(OLD, twice) == {"one": "uno", "three": "tre"}
    assert suggested(OLD, version(2, NEW.stages[0])) == {"one": "uno"}


@pytest.mark.rule("VR-3")
def test_a_whole_mapping_is_read_and_places_every_stage() -> None:
    found = mapped(STRAIGHT)
    assert found.troubles == () and found.whole(None) == STRAIGHT and found.breaks == ()
    assert found.place("two", None) == "due" and found.place("moon", None) is None


@pytest.mark.rule("VR-3")
def test_a_split_asks_its_conditions_in_order_and_the_rest_goes_to_the_last() -> None:
    found = mapped(STRAIGHT | {"two": {"split": [{"to": "due", "when": TENDER}, {"to": "tre"}]}})
    assert found.troubles == ()
    assert found.place("two", at("two", fields={"is_tender": True})) == "due"
    assert found.place("two", at("two", fields={"is_tender": False})) == "tre"
    assert found.place("two", at("two")) == found.place("two", None) == "tre"  # what is not known is not true
    assert found.to["two"].stages == ("due", "tre") and not found.to["two"].by_hand
    assert found.whole(at("two", fields={"is_tender": True}))["two"] == "due"


@pytest.mark.rule("VR-3")
def test_a_choice_by_hand_is_one_of_those_that_are_offered() -> None:
    found = mapped(STRAIGHT | {"two": {"pick": ["due", "tre"]}})
    assert found.troubles == () and found.to["two"].by_hand
    assert (found.place("two", None), found.place("two", None, "tre"), found.place("two", None, "uno")) == (
        None,
        "tre",
        None,
    )
    assert found.whole(None)["two"] == "due" and found.whole(None, "tre")["two"] == "tre"
    waits = outlook(found, at("two"), category="", probability=0, pinned=False, grace_until=None)
    assert waits == Outlook(from_stage="two", to_stage=None, choices=("due", "tre"))
    alone = mapped(STRAIGHT | {"two": {"pick": ["due", {"to": "due"}]}})
    assert alone.troubles == () and not alone.to["two"].by_hand and alone.place("two", None) == "due"


@pytest.mark.rule("VR-3")
@pytest.mark.parametrize(
    ("given", "path", "said"),
    [
        (None, "1.two", "“Two” has no place in the new version. Say to which stage its records go."),
        ("", "1.two", "“Two” has no place in the new version. Say to which stage its records go."),
        ({}, "1.two", "“Two” has no place in the new version. Say to which stage its records go."),
        ("moon", "1.two", "“Two” leads to “moon”, which the new version does not have."),
        ({"split": [{"to": "m" * 70}]}, "1.two", f"“Two” leads to “{'m' * 60}”, which the new version does not have."),
        ({"split": [5]}, "1.two", "“Two” leads to “None”, which the new version does not have."),
        ({"split": [{"to": 5}]}, "1.two", "“Two” leads to “5”, which the new version does not have."),
        (5, "1.two", "A stage is expected, or the stages it is split into."),
        ({"split": []}, "1.two", "A stage is expected, or the stages it is split into."),
        ({"split": "due"}, "1.two", "A stage is expected, or the stages it is split into."),
        ({"split": ["due"] * 13}, "1.two", "A stage is expected, or the stages it is split into."),
        ({"pick": ["due"], "split": []}, "1.two", "A stage is expected, or the stages it is split into."),
        (
            {"split": [{"to": "due"}, {"to": "tre"}]}, "1.two",
            "“Two” is split: each way but the last needs a condition, and the last takes what is left.",
        ),
        (
            {"split": [{"to": "due", "when": TENDER}]}, "1.two",
            "“Two” is split: each way but the last needs a condition, and the last takes what is left.",
        ),
        (
            {"split": [{"to": "due", "when": {"field": "moon", "op": "eq"}}, {"to": "tre"}]}, "1.two.0.field",
            "There is no field “moon”.",
        ),
    ],
)  # fmt: skip
def test_a_hole_in_a_mapping_is_named(given: Any, path: str, said: str) -> None:
    assert troubles(STRAIGHT | {"two": given}) == [(path, said)]
    assert set(mapped(STRAIGHT | {"two": given}).to) == {"one", "three"}


@pytest.mark.rule("VR-3")
def test_twelve_ways_are_the_most_and_a_stage_that_never_was_is_named() -> None:
    ways = [{"to": "due", "when": TENDER}] * 11
    assert troubles(STRAIGHT | {"two": {"split": [*ways, {"to": "tre"}]}}) == []
    assert troubles(STRAIGHT | {"m" * 70: "due"}) == [
        (f"1.{'m' * 60}", f"The earlier version has no stage “{'m' * 60}”.")
    ]
    nothing = mapped({})
    assert [t.path for t in nothing.troubles] == ["1.one", "1.two", "1.three"]
    nowhere = outlook(nothing, at("two"), category="", probability=0, pinned=False, grace_until=None)
    assert nowhere == Outlook(from_stage="two", to_stage=None)


@pytest.mark.rule("VR-7")
def test_another_place_on_the_axis_breaks_the_series_once() -> None:
    other = mapped(
        STRAIGHT
        | {"two": {"split": [{"to": "tre", "when": TENDER}, {"to": "due", "when": TENDER}, {"to": "tre"}]}}
    )
    assert other.breaks == (("two", "three"),)
    hidden = version(1, OLD.stages[0], replace(OLD.stages[1], show_in_funnel=False), OLD.stages[2])
    assert mapped(STRAIGHT | {"two": "tre"}, hidden).breaks == ()


# --- one journey ---


@pytest.mark.rule("VR-4", "VR-5")
def test_what_is_added_to_passed_stages_is_exempt_and_to_this_one_has_its_grace() -> None:
    facts = at("two", came=("a", "b0"), passed=frozenset({"one"}), imported=frozenset({"one"}))
    until = NOW + timedelta(days=5)
    found = outlook(
        mapped(STRAIGHT), facts, category="pipeline", probability=20, pinned=False, grace_until=until
    )
    assert (found.from_stage, found.to_stage, found.stages) == ("two", "due", STRAIGHT)
    assert found.exempt == {"a_new": "uno", "b0_new": "due"} and found.grace == ("b_new", "b_say")
    assert (found.unmet, found.due_later, found.lost, found.approvals) == ((), ("b_new",), (), ())
    assert found.limits == ((3, 6), (4, 6)) and found.moves_limits
    assert found.category == ("pipeline", "commit") and found.probability == (20, 35)
    entering = outlook(
        mapped(STRAIGHT), facts, category="pipeline", probability=20, pinned=True, grace_until=None
    )
    assert (entering.unmet, entering.due_later, entering.grace) == (("b_new",), (), ())
    assert entering.category == ("pipeline", "pipeline")
    done = outlook(
        mapped(STRAIGHT),
        at("two", came=("b", "b_new")),
        category="",
        probability=0,
        pinned=False,
        grace_until=until,
    )
    assert done.due_later == () and done.exempt == {"b0_new": "due"}
    same = outlook(
        mapped({k: k for k in STRAIGHT}, OLD, OLD),
        at("one"),
        category="",
        probability=10,
        pinned=False,
        grace_until=until,
    )
    assert (same.unmet, same.exempt, same.grace, same.moves_limits, same.probability) == (
        (),
        {},
        (),
        False,
        (10, 10),
    )


@pytest.mark.rule("VR-5")
def test_what_was_asked_more_mildly_or_answered_otherwise_counts_as_new() -> None:
    def fresh(before: Any, after: Any, **journey: Any) -> tuple[dict[str, str], tuple[str, ...]]:
        old, new = version(1, plain("one", 1, exit=before)), version(2, plain("one", 1, exit=after))
        was = at("one", **journey).journey
        return added(old, new, was, was)

    flag, block = item("a", level=Level.FLAG), item("a")
    info = item("a", level=Level.INFO)
    assert fresh((block,), (block,)) == ({}, ()) and fresh((block,), (flag,)) == ({}, ())
    assert fresh((flag,), (block,)) == ({}, ("a",)) and fresh((info,), (flag,)) == ({}, ("a",))
    assert fresh((), (info,)) == ({}, ("a",)) and fresh((info,), (info,)) == ({}, ())
    other = criterion("attestation", key="a")
    assert fresh((block,), (other,)) == ({}, ("a",))
    group = criterion("group", key="g", children=(block,))
    assert fresh((group,), (block,)) == ({}, ())
    assert fresh((replace(group, level=Level.FLAG),), (block,)) == ({}, ("a",))
    assert fresh((block,), (block,), exempt=frozenset({"a"})) == ({}, ("a",))
    assert fresh((flag, block), (block,)) == fresh((block, flag), (block,)) == ({}, ())


@pytest.mark.rule("VR-5")
def test_an_exemption_of_before_goes_on_where_its_stage_is_behind() -> None:
    was = at("two", passed=frozenset({"one"}), exempt=frozenset({"a_new", "gone", "c"})).journey
    now = at("due", passed=frozenset({"uno"})).journey
    exempt, _fresh = added(OLD, NEW, was, now)
    assert exempt == {"a_new": "uno", "b0_new": "due"}
    # A stage that was neither passed nor entered was never asked.
    unseen = added(
        OLD,
        NEW,
        at("three", passed=frozenset({"one"})).journey,
        at("tre", passed=frozenset({"uno", "due"})).journey,
    )
    assert unseen[0] == {
        "a_new": "uno",
        "b0": "due",
        "b0_new": "due",
        "b": "due",
        "b_new": "due",
        "b_say": "due",
    }
    skipped = added(OLD, NEW, at("three").journey, at("tre").journey)
    assert skipped == ({}, ())


@pytest.mark.rule("VR-4")
def test_words_and_waivers_without_a_criterion_are_named_and_new_approvals_too() -> None:
    facts = at(
        "one",
        attestations=(AttestationFact(1, "gone", "AR", 5, NOW), AttestationFact(2, "a", "AR", 5, NOW)),
        waivers=(WaiverFact(1, "away", "x", 5, NOW, NOW), WaiverFact(2, "part", "x", 5, NOW, NOW)),
    )
    asks = criterion("approval", key="ati", params={"approval": "ati"})
    group = criterion("group", key="g", children=(item("part"),))
    new = version(2, plain("uno", 1, "one", exit=(asks, item("a"), group)), *NEW.stages[1:])
    found = outlook(
        mapped(STRAIGHT, OLD, new), facts, category="", probability=0, pinned=False, grace_until=None
    )
    assert found.lost == ("away", "gone") and found.approvals == ("ati",)
    kept = version(1, plain("one", 1, exit=(asks,)), *OLD.stages[1:])
    again = outlook(
        mapped(STRAIGHT, kept, new), facts, category="", probability=0, pinned=False, grace_until=None
    )
    assert again.approvals == ()


@pytest.mark.rule("VR-6")
def test_facts_are_told_in_the_words_of_the_later_version() -> None:
    facts = at("two", passed=frozenset({"one", "moon"}), imported=frozenset({"one"}))
    journey = carried_facts(NEW, facts, STRAIGHT, "due").journey
    assert (journey.stage_key, journey.passed, journey.imported) == ("due", {"uno", "moon"}, {"uno"})


# --- a plan ---


def one(**changes: Any) -> Outlook:
    given: dict[str, Any] = {
        "from_stage": "one",
        "to_stage": "uno",
        "category": ("a", "a"),
        "probability": (20, 50),
    }
    return Outlook(**(given | changes))


@pytest.mark.rule("VR-4")
def test_a_plan_adds_up_what_moves_what_waits_and_what_it_is_worth() -> None:
    totals = Totals()
    assert totals.weighted_change is None and totals.as_json()["weighted_change"] is None
    totals.add(
        one(unmet=("a", "b"), due_later=("c",), exempt={"d": "one"}), Decimal(1000), 20, JourneyState.OPEN
    )
    totals.add(one(limits=((1, 2), (1, 3)), category=("a", "b")), Decimal(1000), 20, JourneyState.ON_HOLD)
    totals.add(one(to_stage=None), Decimal(100), 10, JourneyState.OPEN)
    totals.add(None, Decimal("50.50"), 10, JourneyState.OPEN)
    totals.add(None, None, 10, JourneyState.OPEN)
    totals.add(None, Decimal(40), 25, JourneyState.OPEN, leaves=True)  # weighted no more
    assert totals.as_json() == {
        "journeys": 6, "movable": 2, "manual": 1, "kept": 2, "leaving": 1, "with_new_gaps": 1, "with_grace": 1,
        "with_exempt": 1, "limits_moved": 1, "forecasts_moved": 1, "weighted_before": "225.05",
        "weighted_after": "515.05", "weighted_change": "128.9",
    }  # fmt: skip


@pytest.mark.rule("VR-2")
def test_who_is_past_the_quotation_keeps_the_version() -> None:
    assert keep_after([OLD, NEW]) == ""
    quoted = version(1, plain("one", 1), plain("quote_negotiation", 2, "offer"), plain("three", 3))
    assert keep_after([OLD, quoted]) == "offer"
    chinese = version(1, plain("one", 1), replace(plain("two", 2), name={"zh": "报价与谈判"}))
    assert keep_after([chinese]) == "two"
    choices = [default_choice(quoted, key, "offer") for key in ("one", "quote_negotiation", "three")]
    assert choices == ["now", "now", "keep"] and default_choice(quoted, "three", "") == "now"
