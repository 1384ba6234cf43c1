"""`decide` on a small process of plain values: each move from each state, with all that its verdict says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from tests.process.test_checks import (
    CATALOGUE,
    JOURNEY,
    MET,
    NA,
    NOW,
    UNKNOWN,
    UNMET,
    WAIVED,
    criterion,
    facts,
)

from fairlead.fields.conditions import compile_tree
from fairlead.process.definition import Criterion, Definition, Reason, Stage, Track, Transition
from fairlead.process.engine import (
    branch_since,
    decide,
    evaluate,
    forward_move,
    judge,
    legal_moves,
    tracks_of,
)
from fairlead.process.enums import JourneyState, Kind, Level, Mode, Outcome, StageKind
from fairlead.process.facts import (
    ActivityFact,
    ApprovalFact,
    ConditionFact,
    ExternalFact,
    Facts,
    JourneyFact,
    VetoFact,
    WaiverFact,
)
from fairlead.process.verdicts import CriterionResult, LegalMove, TrackResult, Verdict, Wish

TENDER = compile_tree({"field": "is_tender", "op": "eq", "value": True}, CATALOGUE)
LARGE = compile_tree({"field": "amount", "op": "gt", "value": 100}, CATALOGUE)


def item(key: str, **changes: Any) -> Criterion:
    """A criterion that holds once the fact of its key has come from outside."""
    return criterion("external", **({"key": key, "params": {"fact": key}, "role": "AR"} | changes))


def stage(key: str, order: int, *transitions: Transition, **more: Any) -> Stage:
    return Stage(
        key=key, axis_key=key, order=order, kind=StageKind.OPEN, name={}, transitions=transitions, **more
    )


def to(kind: Kind, key: str = "", **more: Any) -> Transition:
    return Transition(kind=kind, to=key, **more)


LOST, HOLD = to(Kind.CLOSE_LOST), to(Kind.HOLD)
STAGES = (
    stage("one", 1, to(Kind.ADVANCE, "two"), to(Kind.SKIP, "three"), LOST, HOLD, exit=(item("a"), item("a2", level=Level.FLAG))),
    stage("two", 2, to(Kind.ADVANCE, "three"), to(Kind.REGRESS, "one", label={"en": "Back"}), LOST, HOLD,
          entry=(item("b0"),), exit=(item("b", skippable=False), item("b2"))),
    stage("three", 3, to(Kind.ADVANCE, "four"), to(Kind.REGRESS, "one"), to(Kind.REGRESS, "two", needs_right="back.two"), LOST,
          entry=(item("c0"),), exit=(item("c"),)),
    stage("four", 4, to(Kind.CLOSE_WON), LOST, exit=(item("d"),)),
)  # fmt: skip
LISTS = {"lost": (Reason("price", {}, Outcome.LOST), Reason("asleep", {}, Outcome.NO_DECISION))}


def process(*stages: Stage) -> Definition:
    return Definition(
        key="p", version=1, subject="opportunity", name={}, goal={}, mode=Mode.ENFORCED, stages=stages, fields=(),
        scores={}, lists=LISTS, reopen_days=30, recurring_days=None, source={},
        by_key={s.key: s for s in stages}, positions={s.key: n for n, s in enumerate(stages)},
    )  # fmt: skip


PLAIN = process(*STAGES)
ALL = ("a", "a2", "b0", "b", "b2", "c0", "c", "d")


def outside(*keys: str) -> dict[str, ExternalFact]:
    return {key: ExternalFact(key, NOW, f"note:{key}") for key in keys}


def at(key: str, *, came: tuple[str, ...] = (), **changes: Any) -> Facts:
    of_journey = {f: changes.pop(f) for f in tuple(changes) if f in JourneyFact.__slots__ and f != "fields"}
    return facts(journey=replace(JOURNEY, stage_key=key, **of_journey), externals=outside(*came), **changes)


def asked(given: Facts, kind: Kind, key: str = "", definition: Definition = PLAIN, **more: Any) -> Verdict:
    return decide(definition, given, Wish(kind=kind, to=key, **more))


def states(verdict: Verdict) -> dict[str, str]:
    return {r.key: str(r.state) for r in verdict.results}


def objections(verdict: Verdict) -> list[tuple[str, dict[str, Any]]]:
    assert not verdict.objections or not verdict.allowed
    return [(o.code, dict(o.params)) for o in verdict.objections]


# --- what is possible ---


@pytest.mark.rule("MV-1", "MV-3", "PD-2")
def test_the_moves_of_each_state_are_named_with_their_reasons_and_rights() -> None:
    assert legal_moves(PLAIN, at("one")) == (
        LegalMove(Kind.ADVANCE, "two", "", ""),
        LegalMove(Kind.SKIP, "three", "skip", ""),
        LegalMove(Kind.CLOSE_LOST, "", "lost", ""),
        LegalMove(Kind.HOLD, "", "hold", ""),
    )
    assert legal_moves(PLAIN, at("three"))[1:3] == (
        LegalMove(Kind.REGRESS, "one", "regress", "regress.confirm"),
        LegalMove(Kind.REGRESS, "two", "regress", "back.two"),
    )
    assert LegalMove(Kind.REGRESS, "one", "regress", "") in legal_moves(PLAIN, at("two"))
    issued = legal_moves(PLAIN, at("three", issued=True))
    assert issued[2] == LegalMove(Kind.REGRESS, "two", "regress", "back.two")
    assert LegalMove(Kind.REGRESS, "one", "regress", "regress.confirm") in legal_moves(
        PLAIN, at("two", issued=True)
    )
    own = process(
        replace(STAGES[0], transitions=(to(Kind.ADVANCE, "two", reasons="why", needs_right="r"),)),
        *STAGES[1:],
    )
    assert legal_moves(own, at("one")) == (LegalMove(Kind.ADVANCE, "two", "why", "r"),)


@pytest.mark.rule("MV-7", "MV-8", "PD-7")
def test_what_is_closed_can_be_reopened_and_what_rests_resumed() -> None:
    won, lost = at("four", state=JourneyState.WON), at("two", state=JourneyState.LOST)
    assert legal_moves(PLAIN, won) == (LegalMove(Kind.REOPEN, "four", "reopen", "deal.reopen_won"),)
    assert legal_moves(PLAIN, lost) == (LegalMove(Kind.REOPEN, "two", "reopen", "deal.reopen"),)
    assert legal_moves(PLAIN, at("two", state=JourneyState.CANCELLED, outcome=Outcome.MERGED)) == ()
    rests = at("two", state=JourneyState.ON_HOLD)
    assert legal_moves(PLAIN, rests) == (
        LegalMove(Kind.RESUME, "two", "", ""), LegalMove(Kind.CLOSE_LOST, "", "lost", ""),
    )  # fmt: skip
    without = process(replace(STAGES[0], transitions=(to(Kind.ADVANCE, "two"),)), *STAGES[1:])
    assert legal_moves(without, at("one", state=JourneyState.ON_HOLD)) == (
        LegalMove(Kind.RESUME, "one", "", ""),
    )


@pytest.mark.rule("MV-1")
def test_the_plain_next_move_is_advance_branch_or_winning() -> None:
    assert forward_move(PLAIN, at("one")) == Wish(kind=Kind.ADVANCE, to="two")
    assert forward_move(PLAIN, at("four")) == Wish(kind=Kind.CLOSE_WON)
    assert forward_move(PLAIN, at("one", state=JourneyState.ON_HOLD)) is None
    assert forward_move(PLAIN, at("four", state=JourneyState.WON)) is None
    only_back = process(*STAGES[:3], replace(STAGES[3], transitions=(LOST, to(Kind.REGRESS, "one"))))
    assert forward_move(only_back, at("four")) is None


@pytest.mark.rule("MV-1", "MV-8", "PD-7")
@pytest.mark.parametrize(
    ("given", "kind", "key", "objection"),
    [
        (
            at("one"),
            Kind.ADVANCE,
            "three",
            ("no_such_move", {"kind": "advance", "to": "three", "from": "one"}),
        ),
        (at("one"), Kind.CLOSE_WON, "", ("no_such_move", {"kind": "close_won", "to": "", "from": "one"})),
        (at("one"), Kind.RESUME, "", ("not_on_hold", {})),
        (at("one"), Kind.REOPEN, "", ("not_closed", {})),
        (at("one", state=JourneyState.ON_HOLD), Kind.ADVANCE, "", ("on_hold", {})),
        (at("one", state=JourneyState.LOST), Kind.ADVANCE, "", ("closed", {"state": "lost"})),
        (at("one", state=JourneyState.LOST), Kind.RESUME, "", ("not_on_hold", {})),
        (at("one", state=JourneyState.CANCELLED, outcome=Outcome.MERGED), Kind.REOPEN, "", ("merged", {})),
    ],
)
def test_a_move_that_cannot_be_has_its_objection(
    given: Facts, kind: Kind, key: str, objection: tuple[str, dict[str, Any]]
) -> None:
    verdict = asked(given, kind, key)
    assert objections(verdict) == [objection]
    assert (verdict.results, verdict.target, verdict.soft_passed, verdict.again) == ((), key, (), False)


@pytest.mark.rule("PD-7", "MV-6")
def test_what_rests_may_be_resumed_or_lost() -> None:
    rests = at("one", state=JourneyState.ON_HOLD)
    assert asked(rests, Kind.RESUME).allowed and asked(rests, Kind.RESUME).needs_right == ""
    lost = asked(rests, Kind.CLOSE_LOST, reason="asleep")
    assert lost.allowed and lost.results == ()  # losing asks for its form alone


# --- what a gate asks ---


@pytest.mark.rule("GT-3", "GT-4")
def test_ahead_asks_the_exit_here_the_entry_there_and_what_blocked_before() -> None:
    verdict = asked(at("two", passed=frozenset({"one"})), Kind.ADVANCE)
    assert [(r.key, r.stage_key, r.side) for r in verdict.results] == [
        ("a", "one", "exit"), ("b", "two", "exit"), ("b2", "two", "exit"), ("c0", "three", "entry"),
    ]  # fmt: skip
    assert not verdict.allowed and verdict.target == "three" and verdict.skipped == ()
    assert [r.key for r in verdict.gaps] == ["a", "b", "b2", "c0"] and verdict.flags == ()
    assert states(asked(at("two"), Kind.ADVANCE)).keys() == {"b", "b2", "c0"}
    passed = asked(at("two", came=("a", "b", "b2", "c0"), passed=frozenset({"one"})), Kind.ADVANCE)
    assert passed.allowed and passed.gaps == () and passed.soft_passed == ()
    assert set(states(passed).values()) == {"met"}
    assert states(asked(at("four", passed=frozenset({"one", "two"})), Kind.CLOSE_WON)).keys() == {
        "a",
        "b",
        "b2",
        "d",
    }


@pytest.mark.rule("GT-3", "GT-5")
def test_how_recent_something_was_is_not_asked_of_a_stage_that_was_passed() -> None:
    old = ActivityFact(1, "call", NOW - timedelta(days=60), "talked", True, frozenset(), frozenset())
    recent = criterion("activity", key="talked", params={"within_days": 7})
    staged = process(replace(STAGES[0], exit=(recent,)), *STAGES[1:])
    assert states(asked(at("one", activities=(old,)), Kind.ADVANCE, definition=staged))["talked"] == "expired"
    passed = at("two", activities=(old,), passed=frozenset({"one"}))
    assert states(asked(passed, Kind.ADVANCE, definition=staged))["talked"] == "met"


@pytest.mark.rule("GT-1")
def test_a_suggestion_stops_nothing_and_is_named() -> None:
    verdict = asked(at("one", came=("a", "b0")), Kind.ADVANCE)
    assert verdict.allowed and [r.key for r in verdict.flags] == ["a2"]
    assert verdict.gaps == () and verdict.results[0].open_flag is False


@pytest.mark.rule("MV-2")
def test_a_skip_asks_what_may_never_be_skipped_and_the_entry_at_its_end() -> None:
    verdict = asked(at("one"), Kind.SKIP, "three", reason="known")
    assert [r.key for r in verdict.results] == ["b", "c0"]
    assert verdict.skipped == ("two",) and verdict.target == "three" and not verdict.allowed
    done = asked(at("one", came=("b", "c0")), Kind.SKIP, "three", reason="known")
    assert done.allowed and done.skipped == ("two",)
    assert objections(asked(at("one"), Kind.SKIP, "three")) == [("reason_missing", {"list": "skip"})]


@pytest.mark.rule("GT-1")
def test_gates_that_only_flag_let_gaps_pass_and_name_them() -> None:
    verdict = asked(at("one", soft=True), Kind.ADVANCE)
    assert verdict.allowed and verdict.soft_passed == ("a", "b0")
    vetoed = at("one", soft=True, vetoes=(VetoFact(5, "technical", "It will not fit", 8, NOW),))
    refused = asked(vetoed, Kind.ADVANCE)
    assert not refused.allowed and refused.soft_passed == ()


@pytest.mark.rule("IT-3")
def test_an_open_veto_stands_before_the_move_and_names_its_clause() -> None:
    given = at("one", came=ALL, vetoes=(VetoFact(5, "technical", "It will not fit", 8, NOW),))
    verdict = asked(given, Kind.ADVANCE)
    assert not verdict.allowed
    assert verdict.gaps == (
        CriterionResult(
            key="veto_5", stage_key="one", side="exit", type="veto", level=Level.BLOCK, state=UNMET, why="veto_open",
            why_params={"by_id": 8, "domain": "technical", "clause": "It will not fit", "at": NOW.isoformat()},
            role="SR", mend="veto", mend_params={"veto": 5},
        ),
    )  # fmt: skip
    assert asked(given, Kind.CLOSE_LOST, reason="asleep").allowed


@pytest.mark.rule("MV-3")
def test_back_asks_for_a_reason_and_far_back_for_a_right_but_for_no_criterion() -> None:
    assert objections(asked(at("two"), Kind.REGRESS, "one")) == [("reason_missing", {"list": "regress"})]
    near = asked(at("two"), Kind.REGRESS, "one", reason="x")
    assert near.allowed and near.needs_right == "" and near.results == () and near.target == "one"
    assert asked(at("three"), Kind.REGRESS, "one", reason="x").needs_right == "regress.confirm"
    assert asked(at("three"), Kind.REGRESS, "two", reason="x").needs_right == "back.two"
    assert asked(at("two", issued=True), Kind.REGRESS, "one", reason="x").needs_right == "regress.confirm"


@pytest.mark.rule("MV-3", "AC-7")
@pytest.mark.parametrize(
    ("fact", "right"),
    [
        ({"stage_key": "two"}, "regress.confirm"),
        ({"stage_key": "two", "was_outside": True}, "regress.confirm"),  # it was given all the same
        ({"stage_key": "one"}, ""),  # what was decided there stands where it leads
        ({"stage_key": "two", "is_pending": True}, ""),
        ({"stage_key": "two", "about": "skip:three"}, ""),  # one permission, used up
        ({"stage_key": "gone"}, ""),
    ],
)
def test_one_stage_back_behind_what_was_approved_is_far(fact: dict[str, Any], right: str) -> None:
    given = ApprovalFact(id=1, kind="terms", lever="price", tier=1, bounds=(), granted_at=NOW, **fact)
    facts_ = at("two", approvals=(given,))
    assert asked(facts_, Kind.REGRESS, "one", reason="x").needs_right == right
    assert next(m for m in legal_moves(PLAIN, facts_) if m.kind == Kind.REGRESS).needs_right == right


@pytest.mark.rule("MV-7")
def test_reopening_meets_its_days_its_reason_and_the_entry_there_which_only_flags() -> None:
    month = timedelta(days=30)

    def reopened(closed: timedelta, key: str = "", **more: Any) -> Verdict:
        given = at("two", state=JourneyState.LOST, closed_at=NOW - closed)
        return asked(given, Kind.REOPEN, key, **({"comment": "They called"} | more))

    verdict = reopened(month)
    assert verdict.allowed and (verdict.target, verdict.needs_right) == ("two", "deal.reopen")
    assert states(verdict) == {"b0": "unmet"} and verdict.soft_passed == ("b0",)
    assert reopened(month, "one").target == "one" and reopened(month, "one").results == ()
    assert objections(reopened(month + timedelta(seconds=1))) == [("too_late_to_reopen", {"days": 30})]
    assert objections(reopened(month, "three")) == [("reopen_too_far", {"to": "three"})]
    assert objections(reopened(month, "moon")) == [("reopen_too_far", {"to": "moon"})]
    assert objections(reopened(month, comment="")) == [("reason_missing", {"list": "reopen"})]
    assert reopened(month, comment="", reason="x").allowed
    assert reopened(2 * month, "moon", comment="").results == ()
    assert asked(at("two", state=JourneyState.WON), Kind.REOPEN, comment="x").needs_right == "deal.reopen_won"


@pytest.mark.rule("AP-12")
def test_a_condition_of_an_approval_is_due_at_the_exit_of_its_stage() -> None:
    def with_one_at(key: str, here: str = "one", kind: Kind = Kind.ADVANCE) -> bool:
        one = ConditionFact(id=3, key="k", stage_key=key, kind="word", name="", text="First this")
        verdict = asked(at(here, came=ALL, conditions=(one,)), kind, form={"amount": "1"})
        assert verdict.allowed is not any(r.key == "k" for r in verdict.results)
        return not verdict.allowed

    assert with_one_at("one") and not with_one_at("two") and not with_one_at("three")
    assert with_one_at("gone") and with_one_at("one", "two") and with_one_at("four", "four", Kind.CLOSE_WON)


# --- one criterion ---


def one(given: Facts, **changes: Any) -> CriterionResult:
    return judge(PLAIN, given, STAGES[0], "exit", item("a", **changes))


@pytest.mark.rule("GT-9", "VR-5")
def test_what_does_not_apply_says_why() -> None:
    plain = CriterionResult(
        key="a", stage_key="one", side="exit", type="external", level=Level.BLOCK, state=NA, role="AR"
    )
    assert one(at("one", imported=frozenset({"one"}))) == replace(plain, why="imported")
    assert one(at("one", imported=frozenset({"two"}))).state == UNMET
    assert one(at("one", exempt=frozenset({"a"}))) == replace(plain, why="grandfathered")
    later = NOW + timedelta(seconds=1)
    assert one(at("one", grace={"a": later})) == replace(
        plain, why="grace", why_params={"until": later.isoformat()}, expires_at=later
    )
    assert one(at("one", grace={"a": NOW})).state == UNMET
    assert one(at("one", fields={"is_tender": False}), applies_if=TENDER) == replace(
        plain, why="does_not_apply"
    )
    assert one(at("one"), applies_if=TENDER) == replace(plain, state=UNKNOWN, why="applies_unknown")
    assert one(at("one", fields={"is_tender": True}), applies_if=TENDER).state == UNMET


def waiver(number: int, ends: datetime, key: str = "a") -> WaiverFact:
    return WaiverFact(number, key, "urgent", 9, NOW - timedelta(days=2), ends)


@pytest.mark.rule("OV-1")
def test_a_waiver_settles_its_item_while_it_runs_and_only_where_it_may() -> None:
    soon, later = NOW + timedelta(seconds=1), NOW + timedelta(days=1)
    assert one(at("one", waivers=(waiver(1, soon), waiver(2, later), waiver(3, soon)))) == CriterionResult(
        key="a", stage_key="one", side="exit", type="external", level=Level.BLOCK, state=WAIVED, why="waived",
        why_params={"by_id": 9, "reason": "urgent", "until": later.isoformat()}, role="AR", evidence="waiver:2",
        expires_at=later,
    )  # fmt: skip
    assert one(at("one", waivers=(waiver(1, NOW),))).state == UNMET
    assert one(at("one", waivers=(waiver(1, soon, "b"),))).state == UNMET
    assert one(at("one", waivers=(waiver(1, soon),)), waivable=False).state == UNMET
    assert one(at("one", came=("a",), waivers=(waiver(1, soon),))).state == MET
    assert one(at("one", waivers=(waiver(1, soon),)), applies_if=TENDER).state == WAIVED


@pytest.mark.rule("GT-1", "OV-1")
def test_a_group_says_how_far_it_is_and_holds_as_long_as_its_shortest_part() -> None:
    parts = (item("p", valid_days=3), item("q", valid_days=2), item("r"))

    def group(given: Facts, **more: Any) -> CriterionResult:
        one = criterion("group", key="g", children=parts, role="SR", mode="k_of", k=2, **more)
        return judge(PLAIN, given, STAGES[0], "exit", one)

    half = group(at("one", came=("p",)))
    assert (half.state, half.why, half.mend, half.role, half.expires_at) == (
        UNMET,
        "group",
        "group",
        "SR",
        None,
    )
    assert dict(half.why_params) == {"done": 1, "total": 3, "mode": "k_of", "k": 2}
    assert (half.key, half.side, half.stage_key, half.level, half.type) == (
        "g",
        "exit",
        "one",
        Level.BLOCK,
        "group",
    )
    assert [r.key for r in half.children] == ["p", "q", "r"]
    whole = group(at("one", came=("p", "q")))
    assert whole.state == MET and whole.expires_at == whole.children[1].expires_at
    assert whole.children[0].expires_at > whole.children[1].expires_at
    assert group(at("one", came=("p", "r"))).expires_at == whole.children[0].expires_at
    waivers = (waiver(1, NOW + timedelta(days=9), "g"),)
    assert group(at("one", came=("p",), waivers=waivers)).state == WAIVED
    assert group(at("one", came=("p", "q"), waivers=waivers)).state == MET
    away = group(at("one", imported=frozenset({"one"})))
    assert (away.state, away.why) == (NA, "imported")


@pytest.mark.rule("IT-1")
def test_a_filled_slot_is_not_worth_a_line() -> None:
    staged = stage("one", 1, exit=(item("s", slot="SR"), item("t")))
    assert [r.key for r in evaluate(PLAIN, at("one"), staged, "exit")] == ["s", "t"]
    assert [r.key for r in evaluate(PLAIN, at("one", came=("s", "t")), staged, "exit")] == ["t"]
    assert [r.key for r in evaluate(PLAIN, at("one", exempt=frozenset({"s", "t"})), staged, "exit")] == ["t"]
    assert list(evaluate(PLAIN, at("one"), staged, "entry")) == []


@pytest.mark.rule("IT-2")
def test_tracks_count_the_items_of_each_role() -> None:
    tracks = (
        Track(key="x", role="SR", name={}, criteria=("a", "a2"), level=Level.BLOCK),
        Track(key="y", role="FR", name={}, criteria=("a2",), level=Level.FLAG),
        Track(key="z", role="AR", name={}, criteria=("gone",), level=Level.BLOCK),
    )
    staged = process(replace(STAGES[0], tracks=tracks), *STAGES[1:])
    verdict = asked(at("one"), Kind.ADVANCE, definition=staged)
    x, y, z = verdict.tracks
    assert x == TrackResult(
        key="x", stage_key="one", role="SR", level=Level.BLOCK, done=0, total=2, missing=("a",)
    )
    assert y == TrackResult(
        key="y", stage_key="one", role="FR", level=Level.FLAG, done=0, total=1, missing=()
    )
    assert (x.is_through, y.is_through, z.is_through) == (False, False, True)
    assert verdict.waits_for == (x,)
    x, y, z = asked(at("one", came=("a",)), Kind.ADVANCE, definition=staged).tracks
    assert (x.done, x.missing, x.is_through, y.is_through) == (1, (), True, False)
    other = [replace(r, stage_key="two") for r in verdict.results]
    assert tracks_of(staged.stage("one"), other)[0].total == 0
    entry = [replace(r, side="entry") for r in verdict.results]
    assert tracks_of(staged.stage("one"), entry)[0].total == 0
    assert asked(at("two"), Kind.ADVANCE, definition=staged).tracks == ()


# --- forks ---

FORKED = process(
    replace(STAGES[0], transitions=(to(Kind.BRANCH, "two", when=TENDER), to(Kind.BRANCH, "three"), LOST)),
    *STAGES[1:],
)


@pytest.mark.rule("PD-6")
def test_a_fork_takes_the_first_way_that_holds_and_says_what_it_looked_at() -> None:
    tender, plain = at("one", fields={"is_tender": True}), at("one", fields={"is_tender": False})
    assert forward_move(FORKED, tender) == Wish(kind=Kind.BRANCH, to="two")
    assert [m.to for m in legal_moves(FORKED, plain)] == ["three", ""]
    first = asked(tender, Kind.BRANCH, definition=FORKED)
    assert (first.target, first.branches, first.again) == ("two", (("two", True),), False)
    assert states(first).keys() == {"a", "a2", "b0"}
    other = asked(plain, Kind.BRANCH, "three", FORKED)
    assert (other.target, other.branches) == ("three", (("two", False), ("three", True)))
    wrong = asked(plain, Kind.BRANCH, "two", FORKED)
    assert objections(wrong) == [("other_branch", {"to": "three"})]
    assert wrong.branches == (("two", False), ("three", True))
    unknown = asked(at("one"), Kind.BRANCH, "", FORKED)
    assert objections(unknown) == [("branch_unknown", {"to": "two"})] and unknown.branches == (("two", None),)
    assert objections(asked(at("one"), Kind.BRANCH, "two", FORKED)) == [("branch_unknown", {"to": "two"})]
    assert legal_moves(FORKED, at("one")) == (LegalMove(Kind.CLOSE_LOST, "", "lost", ""),)
    nowhere = asked(at("two"), Kind.BRANCH, "three", FORKED)
    assert objections(nowhere) == [("no_such_move", {"kind": "branch", "to": "three", "from": "two"})]
    assert asked(at("one", state=JourneyState.ON_HOLD), Kind.BRANCH, definition=FORKED).branches == ()
    assert asked(at("two", came=("b", "b2", "c0")), Kind.ADVANCE, definition=FORKED).branches == ()


@pytest.mark.rule("PD-6")
def test_a_fork_may_ask_for_the_state_of_a_criterion() -> None:
    catalogue_tree = compile_tree({"field": "is_tender", "op": "eq", "value": True}, CATALOGUE)
    leaf = replace(catalogue_tree, spec=replace(catalogue_tree.spec, key="criterion.a"))  # type: ignore[type-var, union-attr]
    forked = process(
        replace(STAGES[0], transitions=(to(Kind.BRANCH, "two", when=leaf), to(Kind.BRANCH, "three"))),
        *STAGES[1:],
    )
    assert forward_move(forked, at("one", came=("a",))) == Wish(kind=Kind.BRANCH, to="two")
    assert forward_move(forked, at("one")) == Wish(kind=Kind.BRANCH, to="three")
    waived = at("one", waivers=(waiver(1, NOW + timedelta(days=1)),))
    assert forward_move(forked, waived) == Wish(kind=Kind.BRANCH, to="two")
    assert forward_move(forked, at("one", unknown=frozenset({"externals"}))) is None
    missing = replace(leaf, spec=replace(leaf.spec, key="criterion.gone"))
    gone = process(
        replace(STAGES[0], transitions=(to(Kind.BRANCH, "two", when=missing), to(Kind.BRANCH, "three"))),
        *STAGES[1:],
    )
    assert forward_move(gone, at("one")) is None


@pytest.mark.rule("MV-4")
def test_a_fork_that_would_lead_elsewhere_now_is_named_and_taken_again_with_a_reason() -> None:
    """Past the fork by “three”, and now it is a tender: back, and on by “two”."""
    there = at("three", passed=frozenset({"one"}), fields={"is_tender": True})
    since = branch_since(FORKED, there)
    assert since is not None and (since.fork, since.taken, since.to) == ("one", "three", "two")
    again = LegalMove(Kind.BRANCH, "two", "regress", "", again=True)
    assert again in legal_moves(FORKED, there) and forward_move(FORKED, there) == Wish(
        kind=Kind.ADVANCE, to="four"
    )

    verdict = asked(there, Kind.BRANCH, "two", FORKED, reason="grew")
    assert (verdict.again, verdict.target, verdict.branches) == (True, "two", (("two", True),))
    assert [r.key for r in verdict.results] == ["a", "b0"]  # what lies behind the fork is left, not finished
    assert asked(at("three", came=("a", "b0"), passed=frozenset({"one"}), fields={"is_tender": True}),
                 Kind.BRANCH, "two", FORKED, reason="grew").allowed  # fmt: skip
    assert objections(asked(there, Kind.BRANCH, "two", FORKED)) == [("reason_missing", {"list": "regress"})]
    same = at("three", passed=frozenset({"one"}), fields={"is_tender": False})
    assert branch_since(FORKED, same) is None and again not in legal_moves(FORKED, same)
    assert branch_since(FORKED, at("three", passed=frozenset({"one"}))) is None
    rests = at("three", passed=frozenset({"one"}), fields={"is_tender": True}, state=JourneyState.ON_HOLD)
    assert branch_since(FORKED, rests) is None
    been = at("three", passed=frozenset({"one", "two"}), fields={"is_tender": True})
    assert branch_since(FORKED, been) is None
    assert branch_since(FORKED, at("one", passed=frozenset({"one"}), fields={"is_tender": True})) is None


@pytest.mark.rule("MV-4")
def test_at_a_second_fork_the_first_one_is_offered_again_beside_it() -> None:
    third = replace(STAGES[2], transitions=(to(Kind.BRANCH, "four"),))
    forked = process(FORKED.stages[0], STAGES[1], third, STAGES[3])
    there = at("three", passed=frozenset({"one"}), fields={"is_tender": True})
    assert legal_moves(forked, there) == (
        LegalMove(Kind.BRANCH, "four", "", ""), LegalMove(Kind.BRANCH, "two", "regress", "", again=True),
    )  # fmt: skip
    assert forward_move(forked, there) == Wish(kind=Kind.BRANCH, to="four")
    again = asked(there, Kind.BRANCH, "two", forked, reason="grew")
    assert (again.again, again.target, again.objections) == (True, "two", ())
    stuck = process(
        FORKED.stages[0], STAGES[1], replace(third, transitions=(to(Kind.REGRESS, "one"),)), STAGES[3]
    )
    assert (
        legal_moves(stuck, there)[-1].again and forward_move(stuck, there) is None
    )  # it is an act, no next move
    # A way that is offered as it is, is not offered twice.
    twice = process(
        FORKED.stages[0], STAGES[1], replace(third, transitions=(to(Kind.BRANCH, "two"),)), STAGES[3]
    )
    assert legal_moves(twice, there) == (LegalMove(Kind.BRANCH, "two", "", ""),)


@pytest.mark.rule("MV-4", "GT-3")
def test_of_stages_before_a_fork_that_is_taken_again_only_those_up_to_it_count() -> None:
    forked = process(
        STAGES[0],
        replace(STAGES[1], transitions=(to(Kind.BRANCH, "three", when=TENDER), to(Kind.BRANCH, "four"))),
        *STAGES[2:],
        stage("five", 5, to(Kind.CLOSE_WON)),
    )
    there = at("five", passed=frozenset({"one", "two", "four"}), fields={"is_tender": True})
    verdict = asked(there, Kind.BRANCH, "three", forked, reason="grew")
    assert [r.key for r in verdict.results] == ["a", "b", "b2", "c0"] and verdict.again


# --- what a wish has to say ---


@pytest.mark.rule("MV-6", "PD-7")
@pytest.mark.parametrize(
    ("kind", "wish", "fields", "codes"),
    [
        (Kind.CLOSE_LOST, {}, {}, ["reason_missing"]),
        (Kind.CLOSE_LOST, {"reason": "moon"}, {}, ["reason_unknown"]),
        (Kind.CLOSE_LOST, {"reason": "asleep"}, {}, []),
        (Kind.CLOSE_LOST, {"reason": "price"}, {}, ["competitor_missing"]),
        (Kind.CLOSE_LOST, {"reason": "price"}, {"competitor": "Acme"}, []),
        (Kind.CLOSE_LOST, {"reason": "price", "form": {"competitor": "Acme"}}, {}, []),
        (Kind.CLOSE_LOST, {"reason": "price", "form": {"competitor": "x" * 200}}, {}, []),
        (Kind.CLOSE_LOST, {"reason": "price", "form": {"competitor": "x" * 201}}, {}, ["competitor_invalid"]),
        (Kind.CLOSE_LOST, {"reason": "price", "form": {"competitor": 5}}, {}, ["competitor_invalid"]),
        (Kind.HOLD, {}, {}, ["reason_missing", "resume_date_missing"]),
        (Kind.HOLD, {"reason": "x", "form": {"resume_date": "2026-03-03"}}, {}, []),
        (Kind.HOLD, {"reason": "x", "form": {"resume_date": "2026-03-02"}}, {}, ["resume_date_past"]),
        (Kind.HOLD, {"reason": "x", "form": {"resume_date": "20260303"}}, {}, ["resume_date_invalid"]),
        (Kind.HOLD, {"reason": "x", "form": {"resume_date": "soon"}}, {}, ["resume_date_invalid"]),
        (Kind.HOLD, {"reason": "x", "form": {"resume_date": date(2026, 3, 3)}}, {}, ["resume_date_invalid"]),
        (Kind.CLOSE_LOST, {"reason": "asleep", "form": {"resume_date": "2020-01-01"}}, {}, []),
    ],
)  # fmt: skip
def test_a_wish_says_why_and_when(kind: Kind, wish: Any, fields: dict[str, Any], codes: list[str]) -> None:
    assert [code for code, _params in objections(asked(at("one", fields=fields), kind, **wish))] == codes


@pytest.mark.rule("MV-5")
@pytest.mark.parametrize(
    ("amount", "codes"),
    [
        (None, ["amount_missing"]),
        ("12.50", []),
        ("0.00", []),
        ("12.505", ["amount_invalid"]),
        ("-0.01", ["amount_invalid"]),
        (12.5, ["amount_invalid"]),
        (True, ["amount_invalid"]),
        ("NaN", ["amount_invalid"]),
        ("Infinity", ["amount_invalid"]),
        ("a lot", ["amount_invalid"]),
        ("9999999999999999.99", []),
        ("10000000000000000", ["amount_invalid"]),
    ],
)
def test_a_deal_is_won_with_an_amount(amount: Any, codes: list[str]) -> None:
    verdict = asked(at("four", came=("d",), fields={"amount": None}), Kind.CLOSE_WON, form={"amount": amount})
    assert [code for code, _params in objections(verdict)] == codes
    assert verdict.allowed is (not codes)
    assert asked(at("four", came=("d",), fields={"amount": 5}), Kind.CLOSE_WON).allowed
    assert asked(at("four", came=("d",)), Kind.CLOSE_WON).allowed  # a record without amounts
    assert asked(at("one", came=ALL, fields={"amount": None}), Kind.ADVANCE).allowed


@pytest.mark.rule("MV-6")
def test_an_unknown_reason_is_named_with_its_list() -> None:
    assert objections(asked(at("one"), Kind.CLOSE_LOST, reason="moon")) == [
        ("reason_unknown", {"list": "lost", "reason": "moon"})
    ]
    lost = asked(at("one"), Kind.CLOSE_LOST).objections[0]
    assert (lost.asked_field, asked(at("one"), Kind.ADVANCE, "moon").objections[0].asked_field) == (
        "reason",
        "",
    )


@pytest.mark.rule("AP-2", "MV-2")
def test_a_move_that_wants_an_approval_of_a_kind_that_there_is_not_is_refused() -> None:
    wants = process(replace(STAGES[0], transitions=(to(Kind.ADVANCE, "two", approval="ati"),)), *STAGES[1:])
    assert objections(asked(at("one", came=ALL), Kind.ADVANCE, definition=wants)) == [
        ("approval_missing", {"approval": "ati", "to": "two"})
    ]
