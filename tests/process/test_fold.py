"""A journey's life told event by event: what the fold knows after each, field by field (EV-2, EV-3)."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.process.test_clocks import event as plain_event

from fairlead.process import clock_events, fold
from fairlead.process.clocks import text_of
from fairlead.process.ending_aside import stood
from fairlead.process.enums import ClockCause, ExitType, JourneyState, Outcome
from fairlead.process.travel import Travel

T0 = datetime(2026, 3, 2, 1, tzinfo=UTC)


def hour(number: float) -> datetime:
    return T0 + timedelta(hours=number)


def event(type_: str, at: float, to: str = "", /, **more: Any) -> Any:
    header = {
        name: more.pop(name)
        for name in ("reason_code", "fidelity", "episode_no", "recorded_at")
        if name in more
    }
    version = more.pop("version", 1)
    process = more.pop("process", "p")
    return replace(
        plain_event(type_, hour(at), to, **more), process_version=version, process_key=process, **header
    )


def started(at: float = 0, to: str = "one", **more: Any) -> Any:
    given = {"axis": "A", "category": "pipeline", "probability": 10, "owner_id": 7, "team_id": 3, "amount": "100.50",
             "close_date": "2026-06-01"}  # fmt: skip
    return event(fold.STARTED, at, to, **(given | more))


def moved(at: float, to: str, **more: Any) -> Any:
    return event(fold.MOVED, at, to, **({"axis": to.upper(), "exit": "advance"} | more))


def told(*events: Any, state: Travel | None = None) -> Travel:
    state = state or Travel()
    for each in events:
        state = fold.apply(state, each)
    return state


def visits(state: Travel, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(getattr(v, name) for name in names) for v in state.visits]


def journey(state: Travel, *names: str) -> tuple[Any, ...]:
    return tuple(getattr(state, name) for name in names)


@pytest.mark.rule("EV-2", "EV-3")
def test_a_start_opens_the_first_visit_with_what_the_record_was_worth_then() -> None:
    state = told(started(fidelity="imported"))
    assert journey(state, "stage_key", "process_key", "process_version", "state", "episode_no", "fidelity") == (
        "one", "p", 1, JourneyState.OPEN, 1, "imported",
    )  # fmt: skip
    assert journey(state, "owner_id", "team_id", "base_amount", "close_date") == (
        7,
        3,
        Decimal("100.50"),
        date(2026, 6, 1),
    )
    assert journey(state, "forecast_category", "probability", "opened_at", "entered_at") == (
        "pipeline",
        10,
        T0,
        T0,
    )
    assert state.entered_at_known and state.visit_total == 1 and state.stage_visits == {"one": 1}
    (visit,) = state.visits
    assert asdict(visit) == {
        "episode_no": 1, "ordinal": 1, "stage_key": "one", "axis_key": "A", "process_version": 1, "visit_no": 1,
        "entered_at": T0, "entered_at_known": True, "left_at": None, "exit_type": "", "outcome": "", "skipped": False,
        "imported": False, "held_seconds": 0, "amount": Decimal("100.50"), "close_date": date(2026, 6, 1),
        "owner_id_then": 7, "team_id_then": 3, "forecast_category": "pipeline",
    }  # fmt: skip
    assert (state.touched, state.removed, state.open_visit) == ([visit], [], visit)
    earlier = told(started(opened_at=hour(-5).isoformat(), known=False, episode_no=2))
    assert (earlier.opened_at, earlier.entered_at, earlier.entered_at_known, earlier.episode_no) == (
        hour(-5),
        T0,
        False,
        2,
    )
    assert not earlier.visits[0].entered_at_known
    bare = told(event(fold.STARTED, 0, "one", axis="A", category="", probability=0))
    assert journey(bare, "owner_id", "team_id", "base_amount", "close_date") == (None, None, None, None)


@pytest.mark.rule("EV-2", "MV-1")
def test_a_move_leaves_one_stage_and_enters_the_next() -> None:
    state = told(started(), moved(2, "two", category="commit", probability=60))
    assert visits(state, "outcome", "imported") == [("", False), ("", False)]
    assert visits(state, "stage_key", "left_at", "exit_type", "visit_no", "ordinal", "forecast_category") == [
        ("one", hour(2), "advance", 1, 1, "pipeline"), ("two", None, "", 1, 2, "commit"),
    ]  # fmt: skip
    assert journey(state, "stage_key", "entered_at", "probability", "regress_count") == (
        "two",
        hour(2),
        60,
        0,
    )
    assert state.touched == state.visits and state.clocks["seen"] == {"stage": text_of(hour(2))}
    back = told(moved(3, "one", exit="regress"), state=state)
    assert visits(back, "stage_key", "visit_no")[2] == ("one", 2) and back.regress_count == 1
    assert back.touched == back.visits[1:] and back.probability == 60
    early = told(moved(1, "two"), state=told(started(2)))
    assert early.visits[0].left_at == hour(2)  # never before it was entered


@pytest.mark.rule("MV-2", "EV-2")
def test_a_skip_leaves_visits_without_length() -> None:
    state = told(started(), moved(2, "four", exit="skip_forward", skipped=[["two", "B"], ["three", "C"]]))
    assert visits(state, "stage_key", "axis_key", "skipped", "entered_at", "left_at", "exit_type") == [
        ("one", "A", False, T0, hour(2), "skip_forward"), ("two", "B", True, hour(2), hour(2), "skip_forward"),
        ("three", "C", True, hour(2), hour(2), "skip_forward"), ("four", "FOUR", False, hour(2), None, ""),
    ]  # fmt: skip
    assert state.visit_total == 4 and len(state.touched) == 4


@pytest.mark.rule("MV-1")
def test_a_category_set_by_hand_stays_until_the_end() -> None:
    state = told(started(), event(fold.CATEGORY_SET, 1, category="commit", pinned=True))
    assert journey(state, "forecast_category", "category_pinned") == ("commit", True)
    state = told(moved(2, "two", category="best_case", probability=40), state=state)
    assert journey(state, "forecast_category", "probability") == ("commit", 40)
    state = told(event(fold.WON, 3, category="closed", probability=100), state=state)
    assert journey(state, "forecast_category", "category_pinned", "probability") == ("closed", False, 100)
    free = told(
        started(),
        event(fold.CATEGORY_SET, 1, category="commit", pinned=False),
        moved(2, "two", category="best_case"),
    )
    assert free.forecast_category == "best_case" and free.probability == 10


@pytest.mark.rule("EV-3")
def test_what_the_record_is_worth_changes_for_visits_to_come() -> None:
    state = told(started(), event(fold.MIRRORED, 1, owner_id=8, amount="50", close_date=None))
    assert journey(state, "owner_id", "team_id", "base_amount", "close_date") == (8, 3, Decimal(50), None)
    assert visits(state, "owner_id_then", "amount", "close_date") == [
        (7, Decimal("100.50"), date(2026, 6, 1))
    ]
    assert state.clocks["seen"] == {
        "stage": text_of(T0), str(ClockCause.AMOUNT): text_of(hour(1)), str(ClockCause.CLOSE_DATE): text_of(hour(1)),
    }  # fmt: skip
    state = told(event(fold.MIRRORED, 2, team_id=4), moved(3, "two"), state=state)
    assert visits(state, "owner_id_then", "team_id_then", "amount", "close_date")[1] == (
        8,
        4,
        Decimal(50),
        None,
    )
    assert set(state.clocks["seen"]) == {"stage", "amount", "close_date"}
    assert told(event(fold.MIRRORED, 9, amount=None), state=state).base_amount is None


@pytest.mark.rule("PD-7", "MV-9")
def test_a_hold_is_counted_and_its_span_kept() -> None:
    state = told(started(), event(fold.HELD, 2, resume_date="2026-04-01", reason_code="budget"))
    assert journey(state, "state", "hold_since", "resume_date", "reason_code") == (
        JourneyState.ON_HOLD, hour(2), date(2026, 4, 1), "budget",
    )  # fmt: skip
    assert state.touched == []
    state = told(event(fold.RESUMED, 5), state=state)
    assert journey(state, "state", "hold_since", "resume_date", "reason_code") == (
        JourneyState.OPEN,
        None,
        None,
        "",
    )
    assert state.visits[0].held_seconds == 3 * 3600 and state.touched == state.visits
    assert state.clocks["holds"] == [[text_of(hour(2)), text_of(hour(5))]]
    state = told(event(fold.HELD, 6), event(fold.RESUMED, 7), state=state)
    assert state.visits[0].held_seconds == 4 * 3600 and len(state.clocks["holds"]) == 2
    nothing = told(event(fold.HELD, 8), event(fold.RESUMED, 8), state=state)
    assert nothing.visits[0].held_seconds == 4 * 3600 and len(nothing.clocks["holds"]) == 2
    assert nothing.resume_date is None
    assert visits(told(started(), event(fold.RESUMED, 5)), "held_seconds") == [(0,)]
    closed = told(started(), event(fold.HELD, 2), event(fold.LOST, 4, outcome="lost"))
    assert (
        closed.visits[0].held_seconds == 2 * 3600 and closed.hold_since is None and closed.resume_date is None
    )
    assert closed.clocks["holds"] == [[text_of(hour(2)), text_of(hour(4))]]
    # A hold that began before the stay counts from its entry.
    long = told(started(), event(fold.HELD, 1), moved(3, "two"))
    assert visits(long, "held_seconds") == [(2 * 3600,), (0,)]
    state = told(started(5))
    state.hold_since = hour(1)
    assert told(event(fold.RESUMED, 7), state=state).visits[0].held_seconds == 2 * 3600


@pytest.mark.rule("MV-5", "MV-6")
@pytest.mark.parametrize(
    ("type_", "state", "outcome", "exit_type"),
    [
        (fold.WON, JourneyState.WON, Outcome.WON, ExitType.WON),
        (fold.LOST, JourneyState.LOST, "no_decision", ExitType.LOST),
        (fold.CANCELLED, JourneyState.CANCELLED, "invalid", ExitType.CANCELLED),
    ],
)
def test_an_end_closes_the_visit_and_says_how(type_: str, state: str, outcome: str, exit_type: str) -> None:
    found = told(started(), event(type_, 3, outcome=outcome, reason_code="price", amount="70", probability=0))
    assert journey(found, "state", "outcome", "closed_at", "reason_code", "base_amount", "probability") == (
        state, outcome, hour(3), "price", Decimal(70), 0,
    )  # fmt: skip
    assert visits(found, "left_at", "exit_type", "outcome", "imported") == [
        (hour(3), exit_type, outcome, False)
    ]
    assert found.forecast_category == "pipeline" and found.open_visit is None
    history = told(started(), event(type_, 3, outcome=outcome, fidelity="imported"))
    assert history.visits[0].imported
    again = told(event(type_, 5, outcome=outcome), state=found)
    assert again.visits[0].left_at == hour(3)  # what is over ends once


@pytest.mark.rule("EV-2")
def test_imported_steps_ask_no_gate_and_say_so() -> None:
    passed = event(
        fold.PASSED,
        2,
        "two",
        axis="B",
        exit="advance",
        category="commit",
        probability=50,
        amount="9",
        known=False,
    )
    state = told(started(), passed)
    assert visits(state, "stage_key", "imported", "entered_at_known", "exit_type") == [
        ("one", True, True, "advance"), ("two", False, False, ""),
    ]  # fmt: skip
    assert journey(state, "base_amount", "forecast_category", "probability", "regress_count", "entered_at_known") == (
        Decimal(9), "commit", 50, 0, False,
    )  # fmt: skip
    back = told(event(fold.PASSED, 3, "one", axis="A", exit="regress"), state=state)
    assert back.regress_count == 1 and back.visits[-1].entered_at_known and back.entered_at_known


@pytest.mark.rule("MV-7")
def test_begun_again_it_counts_anew_and_the_past_stays() -> None:
    state = told(
        started(norm=4), moved(1, "two"), event(fold.HELD, 2), event(fold.RESUMED, 3),
        event(clock_events.REPOLICIED, 3, policy=6), event(fold.LOST, 4, outcome="lost", reason_code="price"),
    )  # fmt: skip
    state.carried = {"stages": {"1": {"x": "y"}}, "exempt": {"c": "two"}}
    state = told(
        event(fold.REOPENED, 6, "two", axis="B", category="commit", probability=30, norm=9), state=state
    )
    assert journey(state, "state", "outcome", "reason_code", "closed_at", "episode_no", "opened_at") == (
        JourneyState.OPEN, "", "", None, 2, hour(6),
    )  # fmt: skip
    assert state.stage_visits == {"two": 1} and state.carried == {"stages": {"1": {"x": "y"}}}
    assert state.clocks == {"policy": 6, "seen": {"stage": text_of(hour(6))}, "norms": {"two": 9}}
    assert visits(state, "episode_no", "ordinal", "visit_no")[-1] == (2, 3, 1)
    assert journey(state, "forecast_category", "probability") == ("commit", 30)


@pytest.mark.rule("SL-3", "SL-6")
def test_a_median_is_frozen_at_the_entry_and_tracks_end_with_their_stage() -> None:
    state = told(
        started(norm=4),
        event(clock_events.TRACK_THROUGH, 1, track="x"),
        event(clock_events.TRACK_THROUGH, 2, track="y"),
    )
    assert state.clocks["norms"] == {"one": 4}
    assert state.clocks["tracks"] == {"x": text_of(hour(1)), "y": text_of(hour(2))}
    opened = told(event(clock_events.TRACK_REOPENED, 3, track="x"), state=state)
    assert opened.clocks["tracks"] == {"y": text_of(hour(2))}
    left = told(moved(4, "two", norm=7), state=opened)
    assert "tracks" not in left.clocks and left.clocks["norms"] == {"one": 4, "two": 7}
    assert told(moved(5, "three"), state=left).clocks["norms"] == {"one": 4, "two": 7}


@pytest.mark.rule("EV-3")
def test_superseded_and_unknown_events() -> None:
    state = told(started())
    before = asdict(state)
    assert asdict(told(event("moon_landed", 1), state=state)) == before | {"touched": []}
    assert told(event(fold.SUPERSEDED, 2), state=state).superseded_at == hour(2)
    deaf = told(event("attested", 3, role="SR"), state=state)
    assert "answers" not in deaf.clocks and deaf.clocks["seen"] == {"stage": text_of(T0)}


# --- versions ---


def migrated(at: float, to: str = "uno", **more: Any) -> Any:
    given = {"axis": "A", "stages": {"one": "uno"}, "from_version": 1, "version": 2}
    return event(fold.MIGRATED, at, to, **(given | more))


@pytest.mark.rule("VR-6", "EV-3")
def test_a_migration_cuts_the_stay_in_two_and_freezes_nothing_anew() -> None:
    state = told(
        started(norm=4), event(fold.MIRRORED, 1, owner_id=9, amount="5"), event(fold.HELD, 2),
        event(clock_events.TRACK_THROUGH, 2, track="x"), event(clock_events.REPOLICIED, 2, policy=6),
        migrated(5, norm=8, exempt={"c": "uno"}, grace={"d": hour(9).isoformat()}, category="commit", probability=20),
    )  # fmt: skip
    assert visits(state, "stage_key", "process_version", "left_at", "exit_type", "held_seconds", "visit_no") == [
        ("one", 1, hour(5), "migrated", 3 * 3600, 1), ("uno", 2, None, "", 0, 1),
    ]  # fmt: skip
    assert visits(state, "amount", "owner_id_then", "team_id_then", "close_date", "forecast_category")[1] == (
        Decimal("100.50"), 7, 3, date(2026, 6, 1), "pipeline",
    )  # fmt: skip
    assert journey(state, "process_version", "process_key", "stage_key", "hold_since", "entered_at") == (
        2, "p", "uno", hour(2), T0,
    )  # fmt: skip
    assert journey(state, "forecast_category", "probability", "state") == ("commit", 20, JourneyState.ON_HOLD)
    assert (
        state.clocks["norms"] == {"one": 4, "uno": 8}
        and "tracks" not in state.clocks
        and state.clocks["policy"] == 6
    )
    assert state.carried == {
        "stages": {"1": {"one": "uno"}}, "exempt": {"c": "uno"}, "grace": {"d": hour(9).isoformat()},
    }  # fmt: skip
    assert state.touched == state.visits


@pytest.mark.rule("VR-6")
def test_a_stay_at_one_stage_keeps_its_number_and_its_median() -> None:
    state = told(started(norm=4), moved(1, "two"), moved(2, "one", exit="regress"))
    assert state.stage_visits == {"one": 2, "two": 1}
    state = told(migrated(3, "one", norm=8, process="", policy_dropped=6), state=state)
    assert visits(state, "visit_no")[-2:] == [(2,), (2,)] and state.stage_visits == {"one": 2, "two": 1}
    assert state.clocks["norms"] == {"one": 4} and state.process_key == "p"
    elsewhere = told(started(), moved(1, "two"), moved(2, "one", exit="regress"), migrated(3, "uno"))
    assert visits(elsewhere, "visit_no")[-2:] == [(2,), (1,)]
    taken = told(started(), event(clock_events.REPOLICIED, 1, policy=6), migrated(2, policy_dropped=6))
    assert "policy" not in taken.clocks
    moved_on = told(migrated(3, process="q", from_process="p"), state=told(started()))
    assert moved_on.process_key == "q" and moved_on.carried == {"former": [[1, {"1": {"one": "uno"}}]]}
    early = told(migrated(1), state=told(started(2)))
    assert early.visits[0].left_at == hour(2) == early.visits[1].entered_at


@pytest.mark.rule("VR-9", "AC-15")
def test_a_migration_that_is_undone_leaves_no_trace_but_what_was_heard() -> None:
    before = told(started(), event(fold.HELD, 1), event(clock_events.REPOLICIED, 1, policy=6))
    undo = event(fold.UNMIGRATED, 6, carried={"stages": {}}, policy=6, category="pipeline", probability=10)
    state = told(migrated(4, category="commit", probability=50, policy_dropped=6), undo, state=before)
    assert visits(state, "stage_key", "left_at", "exit_type", "held_seconds") == [("one", None, "", 0)]
    assert journey(state, "stage_key", "process_version", "visit_total", "hold_since") == (
        "one",
        1,
        1,
        hour(1),
    )
    assert journey(state, "forecast_category", "probability") == ("pipeline", 10)
    assert state.stage_visits == {"one": 1, "uno": 0} and state.clocks["policy"] == 6
    assert (state.touched, [v.stage_key for v in state.removed], state.carried) == (
        state.visits,
        ["uno"],
        {"stages": {}},
    )
    # A hold of after the migration that is over by then stays counted.
    later = told(
        started(),
        migrated(2),
        event(fold.HELD, 3),
        event(fold.RESUMED, 5),
        event(fold.UNMIGRATED, 6, carried={}),
    )
    assert visits(later, "held_seconds") == [(2 * 3600,)] and "policy" not in later.clocks
    runs = told(started(), migrated(2), event(fold.HELD, 3), event(fold.UNMIGRATED, 6, carried={}))
    assert visits(runs, "held_seconds") == [(0,)] and runs.hold_since == hour(3)
    same = told(
        started(),
        moved(1, "two"),
        moved(2, "one", exit="regress"),
        migrated(3, "one"),
        event(fold.UNMIGRATED, 6, carried={}),
    )
    assert same.stage_visits == {"one": 2, "two": 1}
    reopened = told(
        started(), moved(1, "two"), moved(2, "one", exit="regress"), event(fold.LOST, 3, outcome="lost"),
        event(fold.REOPENED, 4, "one", axis="A"), migrated(5, "one"), event(fold.UNMIGRATED, 6, carried={}),
    )  # fmt: skip
    assert reopened.stage_visits == {"one": 1}  # of this episode


# --- doubles ---


def unmerged(at: float, kept: dict[str, Any]) -> Any:
    return replace(event(fold.UNMERGED, at), data=kept)


@pytest.mark.rule("MV-8")
def test_a_double_ends_merged_and_stands_again_as_before() -> None:
    state = told(
        started(),
        event(fold.CATEGORY_SET, 1, category="commit", pinned=True),
        event(fold.HELD, 2, resume_date="2026-04-01", reason_code="x"),
    )
    kept = stood(state, 0)
    assert kept == {
        "state": "on_hold", "reason_code": "x", "forecast_category": "commit", "category_pinned": True, "probability": 10,
        "hold_since": hour(2).isoformat(), "resume_date": "2026-04-01", "held_seconds": 0,
    }  # fmt: skip
    before = asdict(state)
    state = told(event(fold.MERGED, 5), state=state)
    assert visits(state, "left_at", "exit_type", "outcome", "held_seconds") == [
        (hour(5), "merged", "merged", 3 * 3600)
    ]
    assert journey(state, "state", "outcome", "closed_at", "hold_since", "resume_date", "reason_code") == (
        JourneyState.CANCELLED, Outcome.MERGED, hour(5), None, None, "",
    )  # fmt: skip
    assert journey(state, "probability", "forecast_category", "category_pinned") == (0, "omitted", False)
    assert state.touched == state.visits
    state = told(unmerged(7, kept), state=state)
    assert asdict(state) == before | {"touched": [asdict(state.visits[0])]}
    plain = stood(told(started()), 4)
    assert (plain["hold_since"], plain["resume_date"], plain["held_seconds"]) == (None, None, 4)
    back = told(event(fold.MERGED, -3), unmerged(7, plain), state=told(started()))
    assert journey(back, "hold_since", "resume_date", "closed_at", "outcome") == (None, None, None, "")
    assert told(started(), event(fold.MERGED, -3)).closed_at == T0


# --- what is heard ---


@pytest.mark.rule("SL-1")
def test_evidence_is_heard_while_it_runs_and_the_latest_of_each_cause_counts() -> None:
    done = {"outcome": "talked", "kind": "meeting", "activity": 1}
    state = told(started(), event("activity_done", 3, **done), event("activity_done", 2, **done))
    assert state.clocks["seen"] == {"stage": text_of(T0), "meeting": text_of(hour(3))}
    state = told(event("attested", 4, role="SR"), event("attested", 5), state=state)
    assert state.clocks["answers"] == {"SR": text_of(hour(4))}
    assert state.clocks["seen"]["evidence"] == text_of(hour(5))
    state = told(event(fold.HELD, 6), event("file_added", 7), state=state)
    assert state.clocks["seen"]["evidence"] == text_of(hour(7))
    closed = told(event(fold.LOST, 8, outcome="lost"), event("file_added", 9), state=state)
    assert closed.clocks["seen"]["evidence"] == text_of(hour(7))


@pytest.mark.rule("SL-2")
def test_marks_of_a_breach_are_kept_and_cleared_by_a_new_one() -> None:
    at = {"clock": "visit", "key": "one", "since": "s1"}
    breach = event(clock_events.BREACHED, 1, level="yellow", recorded_at=hour(2), **at)
    state = told(started(), breach)
    (name,) = state.clocks["marks"]
    assert state.clocks["marks"][name] == {
        "level": "yellow", "since": "s1", "at": text_of(hour(1)), "told": text_of(hour(2)), "step": 0, "sent": None, "ack": None,
    }  # fmt: skip
    call = {"do": "flag", "act": "a", **at}
    state = told(
        event(clock_events.ESCALATED, 3, step=0, **at), event(clock_events.ACKNOWLEDGED, 4, until="u", **at),
        event(clock_events.ACTED, 4, **call), event(clock_events.ACTED, 5, **call | {"act": "b"}),
        event(clock_events.ACTED, 6, **call), event(clock_events.ACTED, 6, **call | {"do": "task", "act": "z"}), state=state,
    )  # fmt: skip
    mark = state.clocks["marks"][name]
    assert (mark["step"], mark["sent"], mark["ack"], mark["level"]) == (1, text_of(hour(3)), "u", "yellow")
    flag = {"act": "a", "do": "flag", "at": text_of(hour(6))}
    assert mark["calls"] == [flag | {"act": "b", "at": text_of(hour(5))}, flag]
    state = told(event(clock_events.CALL_SETTLED, 7, **call | {"act": "b"}), state=state)
    assert state.clocks["marks"][name]["calls"] == [flag]
    same = told(event(clock_events.BREACHED, 8, level="red", **at), state=state)
    assert same.clocks["marks"][name]["calls"] == [flag]
    assert (
        same.clocks["marks"][name]["told"] == text_of(hour(8)) and same.clocks["marks"][name]["ack"] is None
    )
    anew = told(event(clock_events.BREACHED, 9, level="yellow", **at | {"since": "s2"}), state=same)
    assert anew.clocks["marks"][name]["calls"] == []


@pytest.mark.rule("SL-2", "SL-4")
def test_calls_of_one_role_are_not_those_of_another() -> None:
    def acted(key: str, act: str, type_: str = clock_events.ACTED) -> Any:
        return event(type_, 2, clock="response", key=key, since="s1", do="flag", act=act)

    def calls(state: Travel, key: str) -> list[str]:
        return [call["act"] for call in state.clocks["marks"][f"response:{key}"]["calls"]]

    state = told(started(), acted("SR", "a"), acted("SR", "b"), acted("FR", "c"))
    assert (calls(state, "SR"), calls(state, "FR")) == (["a", "b"], ["c"])
    state = told(
        acted("SR", "a", clock_events.CALL_SETTLED), acted("SR", "c", clock_events.CALL_SETTLED), state=state
    )
    assert (calls(state, "SR"), calls(state, "FR")) == (["b"], ["c"])
