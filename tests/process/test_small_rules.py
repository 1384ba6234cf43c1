"""Small rules on plain values: soft landing, clean-up days, what is carried over, spans of stays, who may say no."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from tests.process.test_checks import criterion
from tests.process.test_clocks import CHINA
from tests.process.test_decide import FORKED, PLAIN, STAGES, item, process, stage
from tests.process.test_fold import event, hour, moved, started, told
from tests.process.test_scorecards import NOW, SCORE, W, known

from fairlead.process import amnesty, carrying, clock_events, clock_spans, fold, landing
from fairlead.process.clocks import ClockPolicy, text_of
from fairlead.process.definition import Act, DefinitionError, Note, Package, Question, Score, Trouble
from fairlead.process.enums import ClockCause, Kind, Mode, NoteKind, Outcome, QuestionType
from fairlead.process.scorecards import MOST_RAISES, needs_of, scorecard
from fairlead.process.vetoes import domains_of, role_of

TODAY = date(2026, 3, 2)
DAY = timedelta(days=1)


# --- soft landing, clean-up days ---


@pytest.mark.rule("4.11")
def test_gates_flag_until_the_day_before_they_hold() -> None:
    for mode, since, soft in (
        ("soft", None, True), ("soft", TODAY + DAY, True), ("soft", TODAY, False), ("enforced", None, False),
        ("enforced", TODAY + DAY, False),
    ):  # fmt: skip
        assert landing.is_soft(mode, since, TODAY) is soft
        assert landing.mode_on(mode, since, TODAY) == (Mode.SOFT if soft else Mode.ENFORCED)
        assert landing.coming(mode, since, TODAY) == (since if soft else None)
    days = [TODAY, TODAY + DAY, TODAY + 366 * DAY, TODAY + 367 * DAY]
    assert [landing.may_begin(day, TODAY) for day in days] == [False, True, True, False]
    assert landing.FIRST_WEEKS.days == 28


@pytest.mark.rule("PI-6")
@pytest.mark.parametrize(
    ("day", "length", "today", "first", "last"),
    [
        (10, 3, date(2026, 3, 2), date(2026, 3, 10), date(2026, 3, 12)),
        (10, 3, date(2026, 3, 10), date(2026, 3, 10), date(2026, 3, 12)),
        (10, 3, date(2026, 3, 12), date(2026, 3, 10), date(2026, 3, 12)),
        (10, 3, date(2026, 3, 13), date(2026, 4, 10), date(2026, 4, 12)),
        (28, 7, date(2026, 3, 3), date(2026, 2, 28), date(2026, 3, 6)),
        (28, 7, date(2026, 12, 31), date(2026, 12, 28), date(2027, 1, 3)),
        (1, 1, date(2026, 12, 2), date(2027, 1, 1), date(2027, 1, 1)),
        (28, 2, date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 1)),
    ],
)
def test_the_clean_up_days_of_now_or_the_next(
    day: int, length: int, today: date, first: date, last: date
) -> None:
    window = amnesty.window_around(day, length, today)
    assert window == amnesty.Window(first, last)
    assert [window.holds(d) for d in (first - DAY, first, last, last + DAY)] == [False, True, True, False]
    assert amnesty.window_around(0, length, today) is None


# --- vetoes, a process and its parts ---


@pytest.mark.rule("IT-3")
def test_each_role_says_no_in_its_own_field() -> None:
    assert [str(d) for d in domains_of({"FR"})] == ["delivery_date", "delivery_scope", "delivery_cost"]
    assert [role_of(str(d)) for d in domains_of({"SR", "AR", "FIN", "LEG"})] == ["SR", "AR", "FIN", "LEG"]
    assert domains_of(frozenset()) == () and role_of("weather") == ""


@pytest.mark.rule("PB-1")
def test_a_note_shows_no_item_unless_it_names_one() -> None:
    note = Note(kind=NoteKind.EVIDENCE, title={"en": "Minutes"})
    assert (note.criterion, note.url, note.text, note.applies_if) == ("", "", {}, None)


@pytest.mark.rule("PD-1", "PD-2")
def test_a_process_knows_its_order_its_forks_and_its_criteria() -> None:
    assert [PLAIN.position(s.key) for s in PLAIN.stages] == [0, 1, 2, 3]
    assert [s.key for s in PLAIN.between("one", "four")] == ["two", "three"] and PLAIN.between(
        "one", "two"
    ) == ()
    assert [s.key for s in PLAIN.before("three")] == ["one", "two"] and PLAIN.before("one") == ()
    following = [PLAIN.next_stage(s.key) for s in PLAIN.stages]
    assert [s and s.key for s in following] == ["two", "three", "four", None]
    assert FORKED.has_branches and not PLAIN.has_branches
    assert [(s.key, side, c.key) for s, side, c in PLAIN.criteria()][:4] == [
        ("one", "exit", "a"), ("one", "exit", "a2"), ("two", "entry", "b0"), ("two", "exit", "b"),
    ]  # fmt: skip
    group = criterion("group", key="g", children=(item("p"), item("q")))
    whole = process(stage("one", 1, entry=(item("e"),), exit=(group,), start=True), *STAGES[1:])
    found = [whole.criterion(key) for key in ("q", "e", "g", "moon")]
    assert [f and (f[0].key, f[1], f[2].key) for f in found] == [
        ("one", "exit", "q"),
        ("one", "entry", "e"),
        ("one", "exit", "g"),
        None,
    ]
    assert [s.key for s in whole.start_stages] == ["one"]
    assert (
        STAGES[2].transition(Kind.REGRESS).to == "one"
        and STAGES[2].transition(Kind.REGRESS, "two").to == "two"
    )  # type: ignore[union-attr]
    assert STAGES[2].transition(Kind.SKIP) is None and STAGES[2].transition(Kind.REGRESS, "moon") is None
    reason = PLAIN.reason("lost", "price")
    assert reason is not None and reason.outcome == Outcome.LOST
    assert PLAIN.reason("lost", "moon") is None and PLAIN.reason("moon", "price") is None
    asks = process(
        replace(
            STAGES[0], questions=(Question(text={}), Question(text={}, key="q", type=QuestionType.PROBLEM))
        )
    )
    place = asks.question("q")
    assert place is not None and (place[0].key, place[1].key) == ("one", "q") and asks.question("") is None
    package = Package(from_role="AR", to_role="SR", name={}, items=())
    assert (package.key, package.days) == ("ar_sr", 2)
    error = DefinitionError([Trouble("a.b", "wrong"), Trouble("c", "bad")])
    assert str(error) == "a.b: wrong\nc: bad" and len(error.problems) == 2


@pytest.mark.rule("PD-8")
def test_what_an_element_is_worth_and_which_act_comes_next() -> None:
    score = Score("s", W, ("pain", "buyer"), top=2, points={"claimed": 1, "verified": 5})
    assert [score.worth(v) for v in (None, 0, 1, 2, 3, -1, "claimed", "verified", "moon")] == [
        0,
        0,
        1,
        2,
        2,
        0,
        1,
        2,
        0,
    ]
    assert score.most == 4 and (score.fresh_days, Act(1, W).minutes) == (60, 60)
    card = scorecard(score, {"pain": 1}, {}, needed=2, now=NOW)
    assert [(r.element, r.to, r.minutes, r.act) for r in card.raises] == [
        ("pain", 2, 60, None), ("buyer", 1, 60, None), ("buyer", 2, 60, None),
    ]  # fmt: skip
    assert (card.enough, card.needed, card.is_met) == (1, 2, False)
    assert scorecard(score, {"pain": 2}, {}, needed=2, now=NOW).enough == 0
    assert scorecard(score, {"pain": 1}, {}, needed=99, now=NOW).enough == 3  # all there are, and not enough
    choice = Score("s", W, ("pain",), top=2, acts={"pain": (Act(2, W, 5), Act(1, W, 50), Act(1, W, 40))})
    first, second = scorecard(choice, {}, {}, now=NOW).raises
    assert (first.to, first.minutes, second.to, second.minutes) == (1, 40, 2, 5)
    wide = Score("s", W, tuple(f"e{n}" for n in range(9)), top=2)
    assert len(scorecard(wide, {}, {}, now=NOW).raises) == MOST_RAISES
    month = {"pain": known("1", 30), "buyer": known("1", 31), "paper": known("", -2)}
    elements = scorecard(SCORE, {"pain": 1}, month, now=NOW).elements
    assert [(e.age, e.is_old, e.holds) for e in elements] == [
        (30, False, True),
        (31, True, False),
        (0, False, True),
    ]


@pytest.mark.rule("PD-8", "GT-1")
def test_the_gate_ahead_sets_what_a_score_needs() -> None:
    asks = criterion("score", key="s", params={"score": "fit", "min": "3", "floor": {"pain": "1"}})
    group = criterion("group", key="g", children=(asks,))
    exits = process(replace(STAGES[0], exit=(item("a"), group)), *STAGES[1:])
    assert needs_of(exits, "one", "fit") == (3, {"pain": 1}) and needs_of(exits, "one", "bant") == (None, {})
    entries = process(
        STAGES[0], replace(STAGES[1], entry=(replace(asks, params={"score": "fit", "min": 2}),)), *STAGES[2:]
    )
    assert needs_of(entries, "one", "fit") == (2, {}) and needs_of(entries, "four", "fit") == (None, {})


# --- what is carried over ---


@pytest.mark.rule("VR-5", "VR-6")
def test_what_was_mapped_is_mapped_on() -> None:
    first = carrying.migrated(
        {}, {"stages": {"a": "b"}, "from_version": 1, "exempt": {"x": "b"}, "grace": {}}, last=1
    )
    assert first == {"stages": {"1": {"a": "b"}}, "exempt": {"x": "b"}}
    second = carrying.migrated(first, {"stages": {"b": "c"}, "from_version": 2, "grace": {"y": "t"}}, last=2)
    assert second == {"stages": {"1": {"a": "c"}, "2": {"b": "c"}}, "grace": {"y": "t"}}
    other = carrying.migrated(second, {"stages": {"c": "d"}, "from_version": 3, "from_process": "p"}, last=3)
    assert other == {"former": [[3, {"1": {"a": "d"}, "2": {"b": "d"}, "3": {"c": "d"}}]]}
    again = carrying.migrated(other, {"stages": {"d": "e"}, "from_version": 1}, last=4)
    assert again == {
        "stages": {"1": {"d": "e"}},
        "former": [[3, {"1": {"a": "e"}, "2": {"b": "e"}, "3": {"c": "e"}}]],
    }

    def now(stage_key: str, version: int, ordinal: int) -> str:
        visit = SimpleNamespace(stage_key=stage_key, process_version=version, ordinal=ordinal)
        return carrying.stage_now(visit, again)

    assert (now("a", 1, 1), now("a", 1, 3), now("d", 1, 4), now("a", 1, 4), now("z", 9, 9)) == (
        "e",
        "e",
        "e",
        "a",
        "z",
    )


@pytest.mark.rule("VR-5")
def test_an_exemption_ends_where_its_stage_is_worked_anew() -> None:
    carried = {"stages": {"1": {}}, "exempt": {"x": "b", "y": "c"}, "grace": {"z": hour(5).isoformat()}}
    assert carrying.exempt(carried) == {"x", "y"} and carrying.exempt({}) == frozenset()
    assert carrying.grace(carried) == {"z": hour(5)} and carrying.grace({}) == {}
    assert carrying.entering(carried, "b") == {**carried, "exempt": {"y": "c"}}
    only_exempt = {"exempt": {"x": "b"}}
    assert carrying.entering(only_exempt, "b") == {} and carrying.entering(only_exempt, "c") == only_exempt
    plain = {"stages": {"1": {"a": "b"}}}
    assert carrying.entering(plain, "b") is plain and carrying.entering({"grace": {"z": "t"}}, "b") == {
        "grace": {"z": "t"}
    }
    assert carrying.of_new_episode(carried | plain | {"former": [[1, {}]]}) == {**plain, "former": [[1, {}]]}


# --- spans ---


def migrated(at: float, key: str) -> Any:
    return event(fold.MIGRATED, at, key, axis="A", stages={"one": key}, from_version=1, version=2)


@pytest.mark.rule("AC-27", "VR-6")
def test_stays_at_a_stage_add_up_and_a_migration_cuts_none() -> None:
    state = told(
        started(),
        moved(1, "two"),
        moved(3, "one", exit="regress"),
        moved(5, "two"),
        moved(6, "one", exit="regress"),
    )
    visit = state.visits[-1]
    assert clock_spans.stage_spans(state, visit) == [(hour(0), hour(1)), (hour(3), hour(5)), (hour(6), None)]
    assert carrying.begin_of_stay(state.visits, visit) == hour(6)
    cut = told(started(), moved(1, "two"), moved(3, "one", exit="regress"), migrated(4, "uno"))
    assert clock_spans.stage_spans(cut, cut.visits[-1]) == [(hour(0), hour(1)), (hour(3), None)]
    assert carrying.begin_of_stay(cut.visits, cut.visits[-1]) == hour(3)
    # Two stays that touch without a migration stay two.
    touching = told(started(), moved(1, "one"))
    assert clock_spans.stage_spans(touching, touching.visits[-1]) == [(hour(0), hour(1)), (hour(1), None)]
    again = told(started(), event(fold.LOST, 2, outcome="lost"), event(fold.REOPENED, 3, "one", axis="A"))
    assert clock_spans.stage_spans(again, again.visits[-1]) == [(hour(3), None)]
    assert carrying.begin_of_stay(again.visits, again.visits[-1]) == hour(3)
    skipped = told(started(), moved(1, "three", skipped=[["two", "B"]]), moved(2, "two", exit="regress"))
    assert clock_spans.stage_spans(skipped, skipped.visits[-1]) == [(hour(2), None)]


@pytest.mark.rule("SL-4", "IT-2")
def test_an_answer_counts_from_the_entry_and_one_of_before_does_not() -> None:
    state = told(started(), event("attested", 1, role="SR"), moved(2, "two"))
    visit = state.visits[-1]
    assert (
        clock_spans.response_span(state, visit, "SR")
        == (hour(2), None)
        == clock_spans.response_span(state, visit, "FR")
    )
    state = told(event("attested", 2, role="SR"), state=state)
    assert clock_spans.response_span(state, visit, "SR") == (hour(2), hour(2))
    state.clocks = {**state.clocks, "tracks": {"x": text_of(hour(1)), "y": text_of(hour(5))}}
    assert [clock_spans.track_span(state, hour(2), key) for key in "xyz"] == [
        (hour(2), hour(2)), (hour(2), hour(5)), (hour(2), None),
    ]  # fmt: skip
    assert clock_spans.through_at(state, "y") == hour(5) and clock_spans.through_at(state, "z") is None


@pytest.mark.rule("PD-7", "SL-1")
def test_what_stops_a_clock_is_read_from_what_the_fold_remembers() -> None:
    state = told(started(), event(fold.HELD, 1), event(fold.RESUMED, 2))
    assert clock_spans.holds_of(state) == [(hour(1), hour(2))]
    assert clock_spans.holds_of(told(event(fold.HELD, 3), state=state)) == [
        (hour(1), hour(2)),
        (hour(3), None),
    ]
    text = text_of
    state.clocks = {
        "waits": [
            [text(hour(0)), text(hour(3)), 1],
            [text(hour(0)), None, 2],
            [text(hour(5)), text(hour(5)), 3],
        ],
        "plans": [[text(hour(0)), text(hour(2)), 1, True]],
    }
    off, on = ClockPolicy(), ClockPolicy(waiting=1, planned=True)
    assert clock_spans.waits_of(state, off, CHINA) == [] == clock_spans.plans_of(state, off)
    until = CHINA.add_working_days(hour(0), 1)
    assert clock_spans.waits_of(state, on, CHINA) == [(hour(0), hour(3)), (hour(0), until)]
    assert clock_spans.plans_of(state, on) == [(hour(0), hour(2))]


@pytest.mark.rule("SL-1")
@pytest.mark.parametrize(
    ("type_", "data", "cause"),
    [
        ("activity_done", {"outcome": "talked", "kind": "visit"}, ClockCause.MEETING),
        ("activity_done", {"outcome": "answered", "kind": "email"}, ClockCause.REPLY),
        ("activity_done", {"outcome": "agreed", "kind": "chat"}, ClockCause.REPLY),
        ("activity_done", {"outcome": "declined", "kind": "other"}, ClockCause.REPLY),
        ("activity_done", {"outcome": "sent", "kind": "email"}, ClockCause.ATTEMPT),
        ("activity_done", {}, ClockCause.ATTEMPT),
        ("contact_role_added", {}, ClockCause.BUYING_ROLE),
        ("contact_role_removed", {}, ClockCause.BUYING_ROLE),
        ("file_added", {}, ClockCause.EVIDENCE),
        ("attested", {}, ClockCause.EVIDENCE),
        ("owner_changed", {}, ClockCause.OWNER),
        ("activity_planned", {}, ClockCause.PLANNED),
        ("activity_cancelled", {}, None),
        ("moon_landed", {}, None),
    ],
)
def test_what_an_event_is_to_the_clock_of_inactivity(type_: str, data: dict[str, Any], cause: Any) -> None:
    assert clock_events.cause_of(event(type_, 1, **data)) == cause
    assert (type_ in clock_events.EVIDENCE_EVENTS) is (cause is not None or type_ == "activity_cancelled")


# --- what waits, what is planned, what is put back ---


def sent(at: float, activity: int = 1) -> Any:
    return event("activity_done", at, outcome="sent", kind="email", activity=activity)


@pytest.mark.rule("SL-1")
def test_what_was_sent_waits_until_an_answer() -> None:
    def waits(*events: Any) -> list[Any]:
        return [[b, e, a] for b, e, a in told(started(), *events).clocks.get("waits", [])]

    one = [text_of(hour(1)), None, 1]
    assert waits(sent(1)) == [one] and waits(sent(1), sent(2, 2)) == [one] and waits(sent(-1)) == []
    answered = event("activity_done", 3, outcome="talked", kind="visit", activity=9)
    over = [text_of(hour(1)), text_of(hour(3)), 1]
    assert waits(sent(1), answered) == [over] and waits(sent(1), answered, answered) == [over]
    assert waits(sent(1), answered, sent(2, 2)) == [over]  # written before the answer, entered late
    assert waits(sent(1), answered, sent(3, 2)) == [over, [text_of(hour(3)), None, 2]]
    assert waits(sent(1), moved(2, "two")) == [[text_of(hour(1)), text_of(hour(2)), 1]]
    early = event("activity_done", 0.5, outcome="talked", kind="visit", activity=9)
    assert waits(sent(1), early) == [[text_of(hour(1)), text_of(hour(1)), 1]]
    assert waits(sent(1), event("activity_removed", 2, activity=1)) == []
    assert waits(sent(1), event("activity_reopened", 2, activity=2)) == [one]
    many = [
        e for n in range(60) for e in (sent(2 * n + 1, n), replace(answered, effective_at=hour(2 * n + 2)))
    ]
    assert len(waits(*many)) == 50 and waits(*many)[-1][2] == 59


@pytest.mark.rule("SL-1")
def test_a_talk_stands_in_the_calendar_until_its_time() -> None:
    def plan(
        at: float, due: float | None, activity: int | None = 1, type_: str = "activity_planned", **more: Any
    ) -> Any:
        given = {
            "activity": activity,
            "customer": True,
            "due": hour(due).isoformat() if due is not None else None,
        }
        return event(type_, at, **(given | more))

    def plans(*events: Any) -> list[Any]:
        return told(started(), *events).clocks.get("plans", [])

    one = [text_of(hour(1)), text_of(hour(9)), 1, True]
    assert plans(plan(1, 9)) == [one]
    assert (
        plans(plan(1, 1))
        == plans(plan(1, 9, customer=False))
        == plans(plan(1, None))
        == plans(plan(1, 9, None))
        == []
    )
    cut = [text_of(hour(1)), text_of(hour(3)), 1, False]
    assert plans(plan(1, 9), plan(3, 20, type_="activity_rescheduled")) == [
        cut,
        [text_of(hour(3)), text_of(hour(20)), 1, True],
    ]
    assert plans(plan(1, 9), plan(3, 20, type_="activity_done", outcome="talked", kind="visit")) == [cut]
    assert plans(plan(1, 9), event("activity_cancelled", 3, activity=1)) == [cut]
    assert plans(plan(1, 9), event("activity_cancelled", 30, activity=1)) == [[*one[:3], False]]
    assert plans(plan(1, 9), event("activity_cancelled", 0.5, activity=1)) == [[one[0], one[0], 1, False]]
    assert plans(plan(1, 9), event("activity_cancelled", 3, activity=2)) == [one]
    assert plans(plan(1, 9), event("activity_removed", 3, activity=1)) == [one]
    for again in (2, 5):  # what is over ends once
        ends = (event("activity_cancelled", at, activity=1) for at in (3, again))
        assert plans(plan(1, 9), *ends) == [cut]
    assert len(plans(*(plan(n, n + 1, n) for n in range(1, 30)))) == 20


@pytest.mark.rule("EV-3")
def test_a_journey_that_is_put_back_is_what_the_event_carries() -> None:
    state = told(started(), moved(1, "two"))
    visit = {
        "episode_no": 2, "ordinal": 1, "stage_key": "one", "axis_key": "A", "process_version": 1, "visit_no": 3,
        "entered_at": hour(0).isoformat(), "entered_at_known": True, "left_at": hour(2).isoformat(), "exit_type": "advance",
        "outcome": "", "skipped": False, "imported": True, "held_seconds": 5, "amount": "12.50", "close_date": "2026-05-01",
        "owner_id_then": 7, "team_id_then": None, "forecast_category": "commit",
    }  # fmt: skip
    travel = {
        "opened_at": hour(-1).isoformat(), "entered_at": hour(2).isoformat(), "closed_at": None,
        "hold_since": hour(3).isoformat(),
        "superseded_at": None, "resume_date": "2026-04-01", "close_date": None, "base_amount": "99", "episode_no": 2,
        "reason_code": "",
    }  # fmt: skip
    visits = [
        visit,
        visit | {"ordinal": 2, "visit_no": 1, "left_at": None},
        visit | {"episode_no": 1, "stage_key": "old"},
    ]
    put_back = replace(
        event(fold.RESTORED, 9),
        data={"travel": travel, "stage": "one", "process_version": 4, "visits": visits},
    )
    state = told(put_back, state=state)
    assert (state.stage_key, state.process_version, state.visit_total) == ("one", 4, 3)
    assert (state.opened_at, state.entered_at, state.resume_date, state.base_amount) == (
        hour(-1),
        hour(2),
        date(2026, 4, 1),
        Decimal(99),
    )
    assert (state.close_date, state.closed_at, state.episode_no, state.hold_since) == (None, None, 2, hour(3))
    first = state.visits[0]
    assert (first.entered_at, first.left_at, first.amount, first.close_date) == (
        hour(0),
        hour(2),
        Decimal("12.50"),
        date(2026, 5, 1),
    )
    assert isinstance(first.entered_at, datetime) and first.held_seconds == 5
    assert state.stage_visits == {"one": 3}
    same = told(replace(put_back, data={**put_back.data, "visits": []} | {"travel": {}}), state=state)
    assert same.visits == [] and same.process_version == 4
    kept = told(replace(put_back, data={"travel": {}, "stage": "x", "visits": []}), state=same)
    assert (kept.process_version, kept.stage_key) == (4, "x")


@pytest.mark.rule("SL-1")
def test_only_a_running_journey_in_its_very_first_stay_is_setting_out() -> None:
    state = told(started())
    assert state.setting_out[:4] == ("one", hour(0), None, hour(0)) and len(state.setting_out) == 5
    assert told(event(fold.SUPERSEDED, 1), state=told(started())).setting_out == ()
    assert told(event(fold.HELD, 1), state=told(started())).setting_out == ()
    assert told(moved(1, "two"), state=state).setting_out == () == fold.Travel().setting_out
    assert fold.Travel().open_visit is None
