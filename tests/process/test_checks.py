"""Each type of criterion judged on plain facts: the whole answer, word for word, at both sides of each border (§2.2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.process.subjects import subject_catalogue

from fairlead.fields.conditions import compile_tree
from fairlead.process.checks import CHECKS, condition_result, end_of_day, expiry, group_state
from fairlead.process.definition import Criterion, Definition, Score
from fairlead.process.enums import CriterionState, CriterionType, JourneyState, Level, Mode
from fairlead.process.facts import (
    ActivityFact,
    AttestationFact,
    ChildrenFact,
    ConditionFact,
    DocumentFact,
    ExternalFact,
    Facts,
    JourneyFact,
    RelationFact,
)

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)  # noon in Shanghai
TODAY = date(2026, 3, 2)
MET, UNMET, EXPIRED, UNKNOWN, NA, WAIVED = (
    CriterionState.MET, CriterionState.UNMET, CriterionState.EXPIRED, CriterionState.UNKNOWN, CriterionState.NA,
    CriterionState.WAIVED,
)  # fmt: skip
CATALOGUE = subject_catalogue("opportunity")
JOURNEY = JourneyFact(
    id=1, stage_key="one", state=JourneyState.OPEN, outcome="", episode_no=1, opened_at=NOW, entered_at=NOW,
    entered_at_known=True, closed_at=None, owner_id=7, soft=False, passed=frozenset(), imported=frozenset(),
)  # fmt: skip
SCORE = Score("fit", {"en": "Fit"}, ("pain", "buyer"), top=2)
DEFINITION = Definition(
    key="p", version=1, subject="opportunity", name={}, goal={}, mode=Mode.ENFORCED, stages=(), fields=(),
    scores={"fit": SCORE}, lists={}, reopen_days=30, recurring_days=None, source={},
)  # fmt: skip


def facts(**changes: Any) -> Facts:
    return replace(Facts(subject_id=1, at=NOW, today=TODAY, fields={}, journey=JOURNEY), **changes)


def criterion(kind: str, **changes: Any) -> Criterion:
    given: dict[str, Any] = {"key": "c", "name": {}, "type": CriterionType(kind), "level": Level.BLOCK}
    return Criterion(**(given | changes))


def judged(
    kind: str, params: dict[str, Any], given: Facts, *, settled: bool = False, **more: Any
) -> tuple[Any, ...]:
    one = criterion(kind, params=params, **more)
    return CHECKS[one.type](one, given, DEFINITION, settled)


# --- days and their ends ---


@pytest.mark.rule("GT-5")
def test_evidence_runs_out_at_the_end_of_its_last_day_in_the_time_of_the_house() -> None:
    assert end_of_day(TODAY) == datetime(2026, 3, 2, 16, tzinfo=UTC)
    assert end_of_day(date.max) == end_of_day(date.max - timedelta(days=1))
    assert end_of_day(date.max).date() == date(9999, 12, 30)
    assert end_of_day(date(9999, 12, 29)) == datetime(9999, 12, 29, 16, tzinfo=UTC)
    plain, ten = criterion("document"), criterion("document", valid_days=10)
    late = datetime(2026, 3, 2, 17, tzinfo=UTC)  # the third of March in Shanghai
    assert expiry(plain, late) is None
    assert expiry(ten, late) == datetime(2026, 3, 13, 16, tzinfo=UTC)
    assert expiry(ten, late, date(2026, 3, 5)) == datetime(2026, 3, 5, 16, tzinfo=UTC)
    assert expiry(plain, late, date(2026, 3, 5)) == datetime(2026, 3, 5, 16, tzinfo=UTC)
    assert expiry(ten, late, date(2026, 4, 5)) == datetime(2026, 3, 13, 16, tzinfo=UTC)


# --- fields ---


@pytest.mark.rule("GT-2", "GT-4")
@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({}, (UNKNOWN, "field_unknown", ["amount"], "")),
        ({"amount": 6}, (MET, "field_met", ["amount"], "field:amount")),
        ({"amount": 5}, (UNMET, "field_value", ["amount"], "")),
        ({"amount": None}, (UNMET, "field_empty", ["amount"], "")),
        ({"amount": ""}, (UNMET, "field_empty", ["amount"], "")),
        ({"amount": 0}, (UNMET, "field_placeholder", ["amount"], "")),
    ],
)
def test_a_field_says_why_it_does_not_do(fields: dict[str, Any], answer: tuple[Any, ...]) -> None:
    state, why, named, evidence = answer
    tree = compile_tree({"field": "amount", "op": "gt", "value": 5}, CATALOGUE)
    spec = CATALOGUE.get("amount")
    assert spec is not None
    found = judged("field", {}, facts(fields=fields), condition=tree, fields=(spec,))
    assert found == (state, why, {"fields": named}, "field", {"fields": ["amount"]}, evidence, None)


# --- activities ---


def activity(number: int, **changes: Any) -> ActivityFact:
    one = ActivityFact(
        number, "meeting", NOW - timedelta(days=3), "held", True, frozenset({"IT"}), frozenset({"buyer"})
    )
    return replace(one, **changes)


def count(**changes: int) -> dict[str, int]:
    return {"count": 0, "min": 1, "departments": 0, "departments_min": 0, "within_days": 0} | changes


@pytest.mark.rule("GT-2")
def test_activities_are_counted_by_kind_outcome_role_and_department() -> None:
    ours = facts(
        activities=(activity(1), activity(2, done_at=NOW - timedelta(days=1), departments=frozenset({"HR"})))
    )
    mend = {"kinds": ["meeting"], "min": 2, "departments_min": 2}
    asked = {"kinds": ["meeting"], "min": 2, "departments_min": 2}
    both = count(count=2, min=2, departments=2, departments_min=2)

    assert judged("activity", asked, ours) == (
        MET,
        "activity_met",
        both,
        "activity",
        mend,
        "activity:2",
        None,
    )
    assert judged("activity", asked, facts(unknown=frozenset({"activities"}))) == (
        UNKNOWN, "evidence_unknown", {}, "activity", mend, "", None,
    )  # fmt: skip
    one_house = facts(activities=(activity(1), activity(2)))
    assert judged("activity", asked, one_house) == (
        UNMET, "activity_missing", both | {"departments": 1}, "activity", mend, "", None,
    )  # fmt: skip
    one = facts(activities=(activity(1, departments=frozenset({"IT", "HR"})),))
    assert judged("activity", asked, one)[:3] == (UNMET, "activity_missing", both | {"count": 1})
    nothing = {"kinds": [], "min": 1, "departments_min": 0}
    assert judged("activity", {}, facts()) == (
        UNMET, "activity_missing", count(), "activity", nothing, "", None,
    )  # fmt: skip
    assert judged("activity", {"min": 0}, facts()) == (
        MET, "activity_met", count(min=0), "activity", nothing | {"min": 0}, "", None,
    )  # fmt: skip


@pytest.mark.rule("GT-2")
@pytest.mark.parametrize(
    ("params", "change", "counts"),
    [
        ({}, {}, True),
        ({}, {"two_way": False}, False),
        ({"outcomes": ["sent"]}, {}, False),
        ({"outcomes": ["sent"]}, {"outcome": "sent", "two_way": False}, True),
        ({"kinds": ["call"]}, {}, False),
        ({"kinds": ["call"]}, {"kind": "call"}, True),
        ({"contact_roles": ["champion"]}, {}, False),
        ({"contact_roles": ["champion", "buyer"]}, {}, True),
    ],
)
def test_which_activity_counts(params: dict[str, Any], change: dict[str, Any], counts: bool) -> None:
    found = judged("activity", params, facts(activities=(activity(1, **change),)))
    assert (found[0] == MET) is counts


@pytest.mark.rule("GT-5")
def test_an_activity_grows_too_old_on_its_day_but_not_for_a_stage_long_passed() -> None:
    asked = {"within_days": 7, "min": 2}
    week = timedelta(days=7)
    given = facts(
        activities=(activity(1, done_at=NOW - week), activity(2), activity(3, done_at=NOW - 2 * week))
    )
    found = judged("activity", asked, given)
    assert found[:3] == (MET, "activity_met", count(count=2, min=2, within_days=7, departments=1))
    assert found[5:] == ("activity:2", NOW)  # until the second newest is a week old

    older = facts(activities=(activity(1, done_at=NOW - week - timedelta(seconds=1)), activity(2)))
    found = judged("activity", asked, older)
    assert found[:3] == (EXPIRED, "activity_too_old", count(count=1, min=2, within_days=7, departments=1))
    assert found[5:] == ("", None)
    assert judged("activity", asked, older, settled=True)[:2] == (MET, "activity_met")
    assert judged("activity", asked, older, settled=True)[6] is None
    assert judged("activity", asked, facts(activities=(activity(1),)))[1] == "activity_missing"
    assert judged("activity", {"within_days": 7, "min": 0}, facts())[::6] == (MET, None)


# --- documents ---


def paper(number: int, **changes: Any) -> DocumentFact:
    return replace(DocumentFact(number, "offer", 1, True, True, NOW - timedelta(days=3), None, 9), **changes)


@pytest.mark.rule("GT-2")
@pytest.mark.parametrize(
    ("params", "change", "counts"),
    [
        ({}, {"by_customer": False, "signed": False}, True),
        ({"by": "customer"}, {"by_customer": False}, False),
        ({"by": "customer"}, {}, True),
        ({"by": "us"}, {"by_customer": False}, True),
        ({"signed": True}, {"signed": False}, False),
        ({"signed": True}, {}, True),
        ({"version_min": 2}, {}, False),
        ({"version_min": 2}, {"version": 2}, True),
        ({}, {"version": 0}, False),
        ({}, {"kind": "plan"}, False),
    ],
)
def test_which_document_counts(params: dict[str, Any], change: dict[str, Any], counts: bool) -> None:
    found = judged("document", {"kind": "offer", **params}, facts(documents=(paper(1, **change),)))
    mend = {"kind": "offer", "by": params.get("by", ""), "signed": params.get("signed", False)}
    if counts:
        assert (found[0], found[4]) == (MET, mend)
    else:
        why = "document_missing" if "kind" in change else "document_not_customer"
        assert found == (UNMET, why, mend, "document", mend, "", None)


@pytest.mark.rule("GT-5")
def test_the_newest_document_speaks_until_it_runs_out() -> None:
    asked = {"kind": "offer"}
    mend = {"kind": "offer", "by": "", "signed": False}
    newer = paper(1, added_at=NOW - timedelta(days=1), version=4, by_customer=False)
    said = {"version": 4, "at": newer.added_at.isoformat(), "by_id": 9}
    given = facts(documents=(newer, paper(2)))
    assert judged("document", asked, given) == (
        MET,
        "document_met",
        said,
        "document",
        mend,
        "document:1",
        None,
    )
    same = facts(documents=(paper(4), paper(3)))
    assert judged("document", asked, same)[5] == "document:4"

    ends = end_of_day(newer.added_at.date() + timedelta(days=1))
    holds = judged("document", asked, given, valid_days=1)
    assert (holds[0], holds[6]) == (MET, ends)
    for at, state in ((ends - timedelta(seconds=1), MET), (ends, EXPIRED)):
        assert judged("document", asked, replace(given, at=at), valid_days=1)[0] == state
    assert judged("document", asked, replace(given, at=ends), valid_days=1) == (
        EXPIRED, "document_expired", {**said, "ended_at": ends.isoformat()}, "document", mend, "document:1", ends,
    )  # fmt: skip
    until = facts(documents=(paper(2, valid_until=TODAY),))
    assert judged("document", asked, until)[6] == end_of_day(TODAY)


@pytest.mark.rule("GT-2", "GT-4")
def test_a_document_that_nobody_could_have_given_is_unknown() -> None:
    mend = {"kind": "offer", "by": "", "signed": False}
    unknown = (UNKNOWN, "evidence_unknown", {}, "document", mend, "", None)
    asked = {"kind": "offer"}
    assert (
        judged("document", asked, facts(unknown=frozenset({"documents"}), documents=(paper(1),))) == unknown
    )
    one = frozenset({"document:offer"})
    assert judged("document", asked, facts(unknown=one)) == unknown
    assert judged("document", asked, facts(unknown=one, documents=(paper(1),)))[0] == MET
    refused = judged(
        "document", {**asked, "by": "customer"}, facts(unknown=one, documents=(paper(1, by_customer=False),))
    )
    assert refused[1] == "document_not_customer"


# --- people ---


def relation(number: int, **changes: Any) -> RelationFact:
    return replace(RelationFact(number, "buyer", 2, 1, 3, "IT"), **changes)


@pytest.mark.rule("GT-2")
def test_contact_roles_are_covered_with_depth_and_stance() -> None:
    mend = {"roles": ["buyer", "user"], "depth_min": 0, "stance_min": None}
    asked = {"roles": ["buyer", "user"]}

    def said(*missing: str, least: int = 2) -> dict[str, Any]:
        return {"roles": ["buyer", "user"], "missing": list(missing), "count": 2 - len(missing), "min": least}

    both = facts(relations=(relation(3), relation(4, role="user"), relation(5)))
    assert judged("relation", asked, both) == (
        MET,
        "relation_met",
        said(),
        "relation",
        mend,
        "relation:3",
        None,
    )
    one = facts(relations=(relation(3), relation(4)))
    assert judged("relation", asked, one) == (
        UNMET, "relation_weak", said("user"), "relation", mend, "", None,
    )  # fmt: skip
    assert judged("relation", {**asked, "min": 1}, one)[:3] == (MET, "relation_met", said("user", least=1))
    none = facts(relations=(relation(3, role="other"),))
    assert judged("relation", asked, none)[:3] == (UNMET, "relation_missing", said("buyer", "user"))
    assert judged("relation", asked, facts(unknown=frozenset({"relations"}))) == (
        UNKNOWN, "evidence_unknown", {}, "relation", mend, "", None,
    )  # fmt: skip
    assert judged("relation", {"roles": "buyer"}, one)[2]["roles"] == ["buyer"]


@pytest.mark.rule("GT-2")
@pytest.mark.parametrize(
    ("params", "change", "counts"),
    [
        ({}, {"depth": 0}, True),
        ({"depth_min": 2}, {}, True),
        ({"depth_min": 2}, {"depth": 1}, False),
        ({"stance_min": 1}, {}, True),
        ({"stance_min": 1}, {"stance": 0}, False),
        ({"stance_min": -1}, {"stance": -1}, True),
        ({}, {"stance": -2}, True),
    ],
)
def test_which_contact_covers_a_role(params: dict[str, Any], change: dict[str, Any], counts: bool) -> None:
    found = judged("relation", {"roles": ["buyer"], **params}, facts(relations=(relation(3, **change),)))
    assert (found[0], found[1]) == ((MET, "relation_met") if counts else (UNMET, "relation_weak"))
    assert found[4] == {
        "roles": ["buyer"], "depth_min": params.get("depth_min", 0), "stance_min": params.get("stance_min"),
    }  # fmt: skip


# --- scores ---


@pytest.mark.rule("GT-2", "PD-8")
@pytest.mark.parametrize(
    ("pain", "buyer", "floor", "state", "why", "below"),
    [
        (2, 1, {}, MET, "score_met", []),
        (2, 0, {}, UNMET, "score_low", []),
        (2, 1, {"buyer": 1}, MET, "score_met", []),
        (2, 1, {"buyer": 2}, UNMET, "score_floor", ["buyer"]),
        (9, 0, {"buyer": 1}, UNMET, "score_low", ["buyer"]),
    ],
)
def test_a_score_has_a_sum_and_floors(
    pain: int, buyer: int, floor: dict[str, int], state: str, why: str, below: list[str]
) -> None:
    mend = {"score": "fit", "fields": ["pain", "buyer"]}
    found = judged(
        "score", {"score": "fit", "min": 3, "floor": floor}, facts(fields={"pain": pain, "buyer": buyer})
    )
    said = {"total": min(pain, 2) + buyer, "min": 3, "top": 4, "below": below}
    evidence = "score:fit" if state == MET else ""
    assert found == (state, why, said, "score", mend, evidence, None)


@pytest.mark.rule("GT-4")
def test_a_score_with_an_element_that_cannot_be_read_is_unknown() -> None:
    found = judged("score", {"score": "fit", "min": 0}, facts(fields={"pain": 2}))
    assert found == (
        UNKNOWN, "evidence_unknown", {}, "score", {"score": "fit", "fields": ["pain", "buyer"]}, "", None,
    )  # fmt: skip


# --- the word of somebody else ---


def word(number: int, **changes: Any) -> AttestationFact:
    return replace(AttestationFact(number, "c", "manager", 8, NOW - timedelta(days=3)), **changes)


@pytest.mark.rule("IT-1", "GT-2")
def test_nobody_attests_the_own_work() -> None:
    mend = {"role": "manager", "criterion": "c"}

    def asked(given: Facts, **more: Any) -> tuple[Any, ...]:
        return judged("attestation", {}, given, role="manager", **more)

    def no(why: str) -> tuple[Any, ...]:
        return UNMET, why, mend, "attest", mend, "", None

    unknown = (UNKNOWN, "evidence_unknown", {}, "attest", mend, "", None)
    newest = word(5, at=NOW - timedelta(days=1), by_id=6)
    given = facts(attestations=(newest, word(4)))
    said = {"by_id": 6, "at": newest.at.isoformat(), "role": "manager"}
    assert asked(given) == (MET, "attestation_met", said, "attest", mend, "attestation:5", None)
    assert asked(facts(attestations=(word(5), word(4))))[5] == "attestation:5"
    assert asked(facts()) == no("attestation_missing")
    assert asked(facts(attestations=(word(5, criterion_key="other"),))) == no("attestation_missing")
    assert asked(facts(attestations=(word(5, by_id=7),))) == no("attestation_own")
    theirs = facts(attestations=(word(5),), team={"SR": frozenset({8})})
    assert asked(theirs)[0] == MET
    assert asked(theirs, own_work_of=("SR",)) == no("attestation_own")
    assert asked(theirs, own_work_of=("FR",))[0] == MET
    assert asked(facts(unknown=frozenset({"attestations"}))) == unknown
    assert asked(facts(unknown=frozenset({"attestation:c"}))) == unknown
    assert asked(facts(unknown=frozenset({"attestation:c"}), attestations=(word(5, by_id=7),))) == no(
        "attestation_own"
    )


@pytest.mark.rule("GT-5")
def test_a_word_runs_out() -> None:
    ends = end_of_day(TODAY + timedelta(days=2))
    given = facts(attestations=(word(5),))
    for at, state, why in (
        (ends - timedelta(seconds=1), MET, "attestation_met"),
        (ends, EXPIRED, "attestation_expired"),
    ):
        found = judged("attestation", {}, replace(given, at=at), valid_days=5)
        assert (found[:2], found[5:]) == ((state, why), ("attestation:5", ends))
        assert found[2] == {"by_id": 8, "at": word(5).at.isoformat(), "role": "manager"}


# --- facts from outside, tasks, time ---


@pytest.mark.rule("GT-2", "GT-5")
def test_a_fact_from_outside_is_there_missing_run_out_or_unknown() -> None:
    mend = {"fact": "paid"}
    since = NOW - timedelta(days=1)
    ends = end_of_day(TODAY)
    given = facts(externals={"paid": ExternalFact("paid", since, "payment:3")})
    said = {"fact": "paid", "at": since.isoformat()}

    assert judged("external", mend, given) == (MET, "external_met", said, "external", mend, "payment:3", None)
    assert judged("external", mend, given, valid_days=1)[6] == ends
    assert judged("external", mend, replace(given, at=ends), valid_days=1) == (
        EXPIRED, "external_expired", mend, "external", mend, "payment:3", ends,
    )  # fmt: skip
    assert judged("external", mend, facts()) == (UNMET, "external_missing", mend, "external", mend, "", None)
    assert judged("external", mend, replace(given, unknown=frozenset({"externals"}))) == (
        UNKNOWN, "evidence_unknown", {}, "external", mend, "", None,
    )  # fmt: skip


@pytest.mark.rule("GT-2")
@pytest.mark.parametrize(
    ("children", "params", "state", "said"),
    [
        (ChildrenFact(2, 2), {}, MET, (2, 2, 2)),
        (ChildrenFact(1, 2), {}, UNMET, (1, 2, 2)),
        (ChildrenFact(1, 2), {"min": 1}, MET, (1, 2, 1)),
        (ChildrenFact(0, 0), {}, UNMET, (0, 0, 1)),
        (None, {}, UNMET, (0, 0, 1)),
    ],
)
def test_tasks_are_counted(children: Any, params: dict[str, int], state: str, said: tuple[int, ...]) -> None:
    mend = {"tasks": "list"}
    given = facts(children={"list": children} if children else {})
    found = judged("child", {"tasks": "list", **params}, given)
    numbers = dict(zip(("done", "total", "min"), said, strict=True))
    why, evidence = ("child_met", "tasks:list") if state == MET else ("child_open", "")
    assert found == (state, why, numbers, "task", mend, evidence, None)


@pytest.mark.rule("GT-4")
@pytest.mark.parametrize("gone", ["children", "child:list"])
def test_tasks_that_cannot_be_read_are_unknown(gone: str) -> None:
    unknown = (UNKNOWN, "evidence_unknown", {}, "task", {"tasks": "list"}, "", None)
    assert judged("child", {"tasks": "list"}, facts(unknown=frozenset({gone}))) == unknown
    there = facts(unknown=frozenset({gone}), children={"list": ChildrenFact(1, 1)})
    assert judged("child", {"tasks": "list"}, there)[0] == (UNKNOWN if gone == "children" else MET)


@pytest.mark.rule("GT-2")
def test_a_day_to_be_in_time_for() -> None:
    def asked(**fields: Any) -> tuple[Any, ...]:
        return judged("elapsed", {"before": "close"}, facts(fields=fields))

    mend = {"fields": ["close"]}
    day = {"fields": ["close"], "date": "2026-03-02"}
    in_time = (MET, "elapsed_in_time", day, "field", mend, "field:close", end_of_day(TODAY))
    assert asked(close=TODAY) == in_time
    assert asked(close=datetime(2026, 3, 1, 17, tzinfo=UTC)) == in_time  # the second of March in Shanghai
    assert asked(close=date(2026, 3, 1)) == (
        UNMET, "elapsed_late", {"fields": ["close"], "date": "2026-03-01"}, "field", mend, "", None,
    )  # fmt: skip
    assert asked(close=None) == (UNMET, "field_empty", mend, "field", mend, "", None)
    assert asked() == (UNKNOWN, "evidence_unknown", {}, "field", mend, "", None)


@pytest.mark.rule("GT-2")
def test_a_time_that_has_to_pass() -> None:
    def asked(days: int | None, *, settled: bool = False) -> tuple[Any, ...]:
        return judged("elapsed", {"min_days": 3}, facts(working_days_in_stage=days), settled=settled)

    assert asked(3) == (MET, "elapsed_met", {"days": 3, "min": 3}, "wait", {"min": 3}, "", None)
    assert asked(2) == (UNMET, "elapsed_early", {"days": 2, "min": 3}, "wait", {"min": 3}, "", None)
    assert asked(None) == (UNKNOWN, "evidence_unknown", {}, "wait", {"min": 3}, "", None)
    assert asked(0, settled=True) == (MET, "elapsed_met", {"days": 3, "min": 3}, "wait", {}, "", None)


# --- what an approval was given on condition of ---


@pytest.mark.rule("AP-12")
@pytest.mark.parametrize(
    ("kind", "mend", "shown_as"),
    [
        ("external", "external", "external"),
        ("document", "document", "document"),
        ("word", "condition", "attestation"),
    ],
)
def test_a_condition_of_an_approval_is_a_required_item(kind: str, mend: str, shown_as: str) -> None:
    one = ConditionFact(
        id=4, key="k4", stage_key="one", kind=kind, name="offer", text="First this", role="FR"
    )
    open_ = condition_result(one, facts())
    assert (open_.key, open_.stage_key, open_.side, open_.level) == ("k4", "one", "exit", Level.BLOCK)
    assert (open_.state, open_.why, open_.evidence, open_.type) == (UNMET, "condition_open", "", shown_as)
    assert (open_.mend, open_.mend_params) == (mend, {"condition": 4, "fact": "offer", "kind": "offer"})
    assert (open_.role, open_.why_params) == ("FR", {"text": "First this"})

    there = facts(
        externals={"offer": ExternalFact("offer", NOW, "payment:3")},
        documents=(paper(2), paper(5), paper(6, kind="plan")),
    )
    came = condition_result(one, there)
    expected = {"external": (MET, "payment:3"), "document": (MET, "document:5"), "word": (UNMET, "")}[kind]
    assert (came.state, came.evidence) == expected
    gone = {"external": "externals", "document": "documents", "word": "words"}[kind]
    unknown = condition_result(one, replace(there, unknown=frozenset({gone})))
    assert unknown.state == (UNMET if kind == "word" else UNKNOWN) and unknown.evidence == ""
    noted = condition_result(replace(one, met_at=NOW), facts())
    assert (noted.state, noted.why, noted.evidence) == (MET, "condition_met", "condition:4")


@pytest.mark.rule("GT-9", "GT-1")
@pytest.mark.parametrize(
    ("mode", "k", "states", "comes_to"),
    [
        ("all", 0, [], NA),
        ("any", 0, [NA, NA], NA),
        ("all", 0, [MET, WAIVED, NA], MET),
        ("all", 0, [MET, UNMET], UNMET),
        ("all", 0, [MET, UNKNOWN], UNKNOWN),
        ("all", 0, [MET, EXPIRED], EXPIRED),
        ("all", 0, [UNKNOWN, EXPIRED], EXPIRED),
        ("any", 0, [UNMET, WAIVED], MET),
        ("any", 0, [UNMET, UNMET], UNMET),
        ("any", 0, [UNMET, EXPIRED], EXPIRED),
        ("k_of", 2, [MET, MET, UNMET], MET),
        ("k_of", 2, [MET, UNMET, UNMET], UNMET),
        ("k_of", 2, [MET, UNKNOWN, UNMET], UNKNOWN),
        ("k_of", 2, [MET, EXPIRED, UNMET], EXPIRED),
        ("k_of", 3, [MET, NA, MET], MET),
        ("k_of", 3, [MET, UNKNOWN, UNMET], UNMET),
        ("k_of", 3, [MET, EXPIRED, UNMET], UNMET),
        ("k_of", 3, [MET, EXPIRED, UNKNOWN], EXPIRED),
    ],
)  # fmt: skip
def test_a_group_counts_what_applies(
    mode: str, k: int, states: list[CriterionState], comes_to: CriterionState
) -> None:
    assert group_state(mode, k, states) == comes_to
