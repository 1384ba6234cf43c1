"""Clocks on plain values at their edges: limits, runs, the level of a moment, which clock asks what next (§2.5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from tests.process.test_clocks import CHINA, event, mark, moved, read, shanghai, started, travel

from fairlead.organisation.calendars import OFFICE_WEEK, Calendar, Exceptional, Notices, parse_hours
from fairlead.process import clock_events, clocks, fold
from fairlead.process.clocks import Act, ClockPolicy, Limit, Rung, TrackLimit, readings
from fairlead.process.enums import ClockAct, ClockCause, ClockKind, ClockLevel, ClockStop, EscalateTo

PLAIN = Calendar(weekly=OFFICE_WEEK)
MONDAY = shanghai(2026, 11, 2, 9)
A_DAY = timedelta(hours=7, minutes=30)
POLICY = ClockPolicy(
    visit={"five": Limit(3, 6)}, stage={"five": Limit(4, 8)}, inactivity=Limit(5, 10), total=Limit(30, 60),
    responses={"five": {"SR": Limit(2, 3)}},
    tracks={"five": {"x": TrackLimit("SR", {}, Limit(2, 4), 0), "y": TrackLimit("FR", {}, Limit(1, 2), 1)}},
)  # fmt: skip


def days(number: int, of: datetime = MONDAY) -> datetime:
    return CHINA.add_working_days(of, number)


def all_of(*events: Any, policy: ClockPolicy = POLICY) -> dict[tuple[str, str], Any]:
    return {(str(k), key): r for (k, key), r in readings(travel(*events), policy, 4, CHINA).items()}


# --- limits ---


@pytest.mark.rule("SL-3")
@pytest.mark.parametrize(
    ("limit", "norm", "found"),
    [
        (Limit(10, 20), 8.0, (10, 20)),
        (Limit(10, 20, (1.5, 2.0)), None, (10, 20)),
        (Limit(10, 20, (1.5, 2.0)), 8.0, (12, 16)),
        (Limit(10, 20, (1.5, None)), 8.0, (12, 20)),
        (Limit(10, 20, (None, 2.0)), 8.0, (10, 16)),
        (Limit(10, 20, (1.5, 2.0)), 0.1, (1, 1)),
        (Limit(None, None, (1.5, 2.0)), 2.0, (3, 4)),
    ],
)
def test_a_limit_in_days(limit: Limit, norm: float | None, found: tuple[int | None, int | None]) -> None:
    assert limit.days(norm) == found


@pytest.mark.rule("SL-2", "SL-6")
def test_a_policy_says_which_limit_and_which_act_holds_where() -> None:
    assert (
        POLICY.limit(ClockKind.VISIT, "five") == Limit(3, 6)
        and POLICY.limit(ClockKind.VISIT, "four") == Limit()
    )
    assert (
        POLICY.limit(ClockKind.STAGE, "five") == Limit(4, 8)
        and POLICY.limit(ClockKind.STAGE, "four") == Limit()
    )
    assert POLICY.limit(ClockKind.INACTIVITY, "") == Limit(5, 10) and POLICY.limit(
        ClockKind.TOTAL, ""
    ) == Limit(30, 60)
    assert POLICY.has_more("five") and not POLICY.has_more("four")
    assert replace(POLICY, responses={}).has_more("five") and replace(POLICY, tracks={}).has_more("five")
    relative = Limit(3, 6, (1.0, 2.0))
    assert not POLICY.needs_norm("five")
    assert replace(POLICY, visit={"five": relative}).needs_norm("five") and not replace(
        POLICY, visit={"five": relative}
    ).needs_norm("four")
    assert replace(POLICY, stage={"five": relative}).needs_norm("five")
    act = Act(key="a", clock=ClockKind.VISIT, level=ClockLevel.RED, do=ClockAct.FLAG)
    acts = (
        act,
        replace(act, key="b", stages=("five",)),
        replace(act, key="c", enabled=False),
        replace(act, key="d", level=ClockLevel.YELLOW),
    )
    policy = replace(POLICY, acts=acts)
    assert [a.key for a in policy.acts_at("visit", "red", "five")] == ["a", "b"]
    assert [a.key for a in policy.acts_at("visit", "red", "four")] == ["a"]
    assert policy.acts_at("stage", "red", "five") == []


# --- runs ---


@pytest.mark.rule("AC-26")
def test_runs_outside_of_pauses() -> None:
    def h(number: int) -> datetime:
        return MONDAY + timedelta(hours=number)

    assert clocks.without([(h(0), None)], []) == ((h(0), None),)
    assert clocks.without([(h(0), None)], [(h(2), None)]) == ((h(0), h(2)),)
    assert clocks.without([(h(0), None)], [(h(-2), None)]) == ()
    assert clocks.without([(h(0), h(5))], [(h(3), h(4)), (h(1), h(2))]) == (
        (h(0), h(1)),
        (h(2), h(3)),
        (h(4), h(5)),
    )
    assert clocks.without([(h(0), h(5))], [(h(0), h(5))]) == ()
    assert clocks.without([(h(0), h(5))], [(h(5), h(6)), (h(-1), h(0))]) == ((h(0), h(5)),)
    assert clocks.without([(h(0), h(5))], [(h(1), h(4)), (h(2), h(3))]) == ((h(0), h(1)), (h(4), h(5)))
    assert clocks.without([(h(0), h(1)), (h(2), None)], [(h(3), h(4))]) == (
        (h(0), h(1)),
        (h(2), h(3)),
        (h(4), None),
    )


@pytest.mark.rule("CA-4")
def test_the_age_of_a_stay_in_working_days() -> None:
    day = timedelta(days=1)
    assert clocks.age_days(CHINA, ((MONDAY, None),), MONDAY + day) == 1
    assert clocks.age_days(CHINA, ((MONDAY, None),), MONDAY) == 0
    assert clocks.age_days(CHINA, ((MONDAY, None),), MONDAY - day) == 0
    assert clocks.age_days(CHINA, ((MONDAY, MONDAY + 2 * day),), MONDAY + 9 * day) == 2
    late = datetime(2026, 11, 1, 17, tzinfo=UTC)  # Monday in Shanghai
    assert clocks.age_days(CHINA, ((late, None),), late + day) == 1
    two = ((MONDAY, MONDAY + day), (MONDAY + 2 * day, MONDAY + 3 * day))
    assert clocks.age_days(CHINA, two, MONDAY + 9 * day) == 2
    assert clocks.age_days(CHINA, two, MONDAY + day) == 1
    assert clocks.spent(CHINA, two, MONDAY) == timedelta(0)
    assert clocks.spent(CHINA, ((MONDAY, None),), MONDAY + timedelta(hours=2)) == timedelta(hours=2)


@pytest.mark.rule("AC-24")
def test_when_runs_are_used_up() -> None:
    assert clocks.due(CHINA, [], 3) is None and clocks.due(CHINA, [(MONDAY, None)], None) is None
    assert clocks.due(CHINA, [(MONDAY, days(1))], 3) is None
    assert clocks.due(CHINA, [(MONDAY, None)], 3) == days(3)
    tuesday, thursday = shanghai(2026, 11, 3, 9), shanghai(2026, 11, 5, 9)
    assert clocks.due(CHINA, [(MONDAY, tuesday), (thursday, None)], 1) == shanghai(2026, 11, 5, 18)
    assert clocks.due(
        CHINA, [(MONDAY, shanghai(2026, 11, 9, 9)), (shanghai(2026, 11, 10, 9), None)], 1
    ) == shanghai(2026, 11, 10, 9)


# --- readings ---


@pytest.mark.rule("SL-1", "SL-4", "IT-2")
def test_every_clock_of_a_first_stay_field_by_field() -> None:
    found = all_of(started(MONDAY))
    assert list(found) == [
        ("visit", "five"), ("stage", "five"), ("inactivity", ""), ("total", ""), ("response", "SR"), ("track", "x"),
        ("track", "y"),
    ]  # fmt: skip
    limits = {"visit": (3, 6), "stage": (3, 6), "inactivity": (5, 10), "total": (30, 60), "response": (2, 3)}
    for (kind, key), reading in found.items():
        yellow, red = limits.get(kind, (2, 4) if key == "x" else (1, 2))
        assert (str(reading.kind), reading.key, reading.started_at, reading.policy) == (kind, key, MONDAY, 4)
        assert (reading.spent_seconds, reading.running_since, reading.paused_at) == (0, MONDAY, None)
        # What the clock of the whole stage grants more than that of the stay is never later than the stay.
        if kind == "stage":
            assert (reading.yellow_at, reading.red_at) == (days(4), days(8)) and not reading.is_echo
        else:
            assert (reading.yellow_at, reading.red_at) == (days(yellow), days(red))
        assert reading.next_due_at == reading.yellow_at
        assert (reading.level, reading.breached_at, reading.acknowledged_until, reading.step) == (
            "",
            None,
            None,
            0,
        )
        assert reading.cause == ("stage" if kind == "inactivity" else "")
        assert reading.place == (1 if key == "y" else 0)
    taken = travel(started(MONDAY), event(clock_events.REPOLICIED, days(1), policy=6))
    assert clocks.policy_of(taken) == 6 and clocks.policy_of(travel(started(MONDAY))) is None
    echo = all_of(started(MONDAY), policy=replace(POLICY, stage=POLICY.visit))["stage", "five"]
    assert echo.is_echo and echo.next_due_at is None and echo.red_at == days(6)


@pytest.mark.rule("SL-1", "PD-7")
def test_a_hold_stops_all_but_the_total() -> None:
    tuesday = shanghai(2026, 11, 3, 9)
    found = all_of(started(MONDAY), event(fold.HELD, tuesday))
    for (kind, _key), reading in found.items():
        if kind == "total":
            assert (reading.running_since, reading.paused_at) == (MONDAY, None)
            continue
        assert (reading.running_since, reading.paused_at, reading.next_due_at) == (None, tuesday, None)
        assert (reading.spent_seconds, reading.yellow_at, reading.red_at) == (
            A_DAY.total_seconds(),
            None,
            None,
        )
    went_on = all_of(
        started(MONDAY), event(fold.HELD, tuesday), event(fold.RESUMED, shanghai(2026, 11, 5, 9))
    )
    visit = went_on["visit", "five"]
    assert (visit.running_since, visit.spent_seconds, visit.started_at) == (
        shanghai(2026, 11, 5, 9),
        A_DAY.total_seconds(),
        MONDAY,
    )
    assert visit.red_at == shanghai(2026, 11, 12, 18)
    at_once = all_of(started(MONDAY), event(fold.HELD, MONDAY))["visit", "five"]
    assert (at_once.paused_at, at_once.started_at, at_once.spent_seconds) == (MONDAY, MONDAY, 0)


@pytest.mark.rule("SL-4", "IT-2")
def test_an_answer_and_a_track_that_is_through_end_their_clocks() -> None:
    tuesday = shanghai(2026, 11, 3, 9)
    since = clocks.text_of(MONDAY)
    red = {"level": "red", "since": since}
    events = [
        started(MONDAY), event(clock_events.BREACHED, days(3), clock="response", key="SR", **red),
        event(clock_events.BREACHED, days(4), clock="track", key="x", **red),
    ]  # fmt: skip
    late = all_of(*events)
    assert [late[k].level for k in (("response", "SR"), ("track", "x"), ("track", "y"))] == ["red", "red", ""]
    assert late["track", "x"].breached_at == days(4)
    done = all_of(
        *events, event("attested", tuesday, role="SR"), event(clock_events.TRACK_THROUGH, tuesday, track="x")
    )
    for key in (("response", "SR"), ("track", "x")):
        assert (done[key].level, done[key].running_since, done[key].paused_at, done[key].next_due_at) == (
            "",
            None,
            tuesday,
            None,
        )
        assert done[key].spent_seconds == A_DAY.total_seconds()
    # A hold ends no wait for an answer.
    held = all_of(*events, event(fold.HELD, days(5)))
    assert held["response", "SR"].level == "red" and held["track", "x"].level == "red"


@pytest.mark.rule("AC-27", "SL-3")
def test_back_at_a_stage_its_own_clock_goes_on_and_the_medians_hold_for_stays_alone() -> None:
    back, four = shanghai(2026, 11, 5, 9), shanghai(2026, 11, 3, 9)
    events = (started(MONDAY), moved(four, "four"), moved(back, "five", back=True))
    found = all_of(*events)
    assert (found["visit", "five"].started_at, found["stage", "five"].started_at) == (back, MONDAY)
    assert (
        found["stage", "five"].spent_seconds == A_DAY.total_seconds() and not found["stage", "five"].is_echo
    )
    assert found["stage", "five"].yellow_at == shanghai(2026, 11, 10, 18) and found[
        "visit", "five"
    ].yellow_at == days(3, back)
    assert found["total", ""].started_at == MONDAY and found["inactivity", ""].started_at == back
    same = all_of(*events, policy=replace(POLICY, stage=POLICY.visit))
    assert not same["stage", "five"].is_echo
    known = started(MONDAY)
    known.data["norm"] = 10.0
    relative = Limit(3, 6, (1.0, 2.0))
    policy = ClockPolicy(
        visit={"five": relative}, stage={"five": relative}, inactivity=relative, total=relative
    )
    medians = {kind: r.red_at for kind, r in read(travel(known), policy).items()}
    assert medians == {"visit": days(20), "stage": days(20), "inactivity": days(6), "total": days(6)}


@pytest.mark.rule("SL-1")
def test_nothing_runs_once_it_is_over_or_another_record_went_on() -> None:
    assert all_of(started(MONDAY), event(fold.LOST, days(1), outcome="lost")) == {}
    assert all_of(started(MONDAY), event(fold.SUPERSEDED, days(1))) == {}
    assert readings(fold.Travel(), POLICY, 1, CHINA) == {}


@pytest.mark.rule("SL-1")
def test_what_was_seen_last_by_the_word_of_the_policy() -> None:
    state = travel(started(MONDAY), event(fold.MIRRORED, days(1), amount="5"), event("file_added", days(2)))
    policy = replace(POLICY, meaningful=(ClockCause.STAGE, ClockCause.AMOUNT))
    assert clocks.last_seen(state, policy) == (days(1), "amount")
    assert clocks.last_seen(state, replace(policy, meaningful=(ClockCause.STAGE, ClockCause.EVIDENCE))) == (
        days(2),
        "evidence",
    )
    assert clocks.last_seen(state, replace(policy, meaningful=(ClockCause.OWNER,))) == (MONDAY, "stage")
    state.opened_at = None
    assert clocks.last_seen(state, replace(policy, meaningful=())) == (MONDAY, "stage")


# --- levels, marks, the next look ---


@pytest.mark.rule("SL-2")
def test_the_level_of_a_moment_is_that_of_the_limits_it_has_passed() -> None:
    reading = all_of(started(MONDAY))["visit", "five"]
    second = timedelta(seconds=1)

    def level(at: datetime, said: str = "", **more: Any) -> str:
        return str(clocks.level_at(replace(reading, level=said, **more), at))

    assert [level(days(3)), level(days(3) + second), level(days(6)), level(days(6) + second)] == [
        "",
        "yellow",
        "yellow",
        "red",
    ]
    assert level(days(3) + second, "red") == "red" and level(days(3), "yellow") == "yellow"
    assert (
        level(days(9), yellow_at=None, red_at=None) == ""
        and level(days(5), "yellow", yellow_at=None) == "yellow"
    )


@pytest.mark.rule("SL-2")
def test_a_mark_is_of_one_clock_and_one_start() -> None:
    state = travel(
        started(MONDAY),
        event(
            clock_events.BREACHED,
            days(3),
            clock="visit",
            key="five",
            level="yellow",
            since=clocks.text_of(MONDAY),
        ),
    )
    assert clocks.mark_of(state, ClockKind.VISIT, "five", MONDAY)["level"] == "yellow"
    assert (
        clocks.mark_of(state, ClockKind.VISIT, "five", days(1))
        == {}
        == clocks.mark_of(state, ClockKind.STAGE, "five", MONDAY)
    )
    assert (
        clocks.mark_name(ClockKind.TRACK, "x") == "track:x"
        and clocks.mark_name(ClockKind.RESPONSE, "SR") == "response:SR"
    )


@pytest.mark.rule("SL-2", "AC-28")
def test_what_the_sweep_has_to_say_next() -> None:
    def look(
        told: dict[str, Any], yellow: datetime | None, red: datetime | None, policy: ClockPolicy = POLICY
    ) -> datetime | None:
        return clocks.next_look(told, yellow, red, policy, CHINA)

    assert (
        look({}, days(3), days(6)) == days(3)
        and look({}, None, days(6)) == days(6)
        and look({}, None, None) is None
    )
    assert (
        look({"level": "yellow"}, days(3), days(6)) == days(6)
        and look({"level": "yellow"}, days(3), None) is None
    )
    assert look(mark(), days(3), days(6)) == shanghai(2026, 11, 2, 18)
    assert look(mark(step=1), None, None, replace(POLICY, ladder=(Rung(EscalateTo.OWNER),))) is None
    assert clocks.next_rung({"level": "red"}, POLICY, CHINA) is None


@pytest.mark.rule("AC-28", "SL-2")
def test_rungs_follow_what_was_told_and_repeat_what_was_sent() -> None:
    told = clocks.text_of(MONDAY)
    policy = ClockPolicy(
        ladder=(Rung(EscalateTo.OWNER, repeat_hours=2), Rung(EscalateTo.MANAGER, after_hours=8))
    )
    eight = CHINA.add_working_time(MONDAY, timedelta(hours=8))
    # Told late: the ladder counts from then, not from when it was due.
    assert clocks.next_rung(mark(told=told, step=1), policy, CHINA) == (eight, 1)
    sent = clocks.text_of(MONDAY + timedelta(hours=1))
    assert clocks.next_rung(mark(told=told, step=1, sent=sent), policy, CHINA) == (
        MONDAY + timedelta(hours=3),
        0,
    )
    assert clocks.next_rung(mark(told=told, step=0, sent=sent), policy, CHINA) == (MONDAY, 0)
    assert clocks.next_rung(mark(told=told, step=2, sent=sent), policy, CHINA) is None
    assert clocks.next_rung(mark(told=told, step=5, sent=sent), replace(policy, ladder=policy.ladder[:1]), CHINA) == (
        MONDAY + timedelta(hours=3), 4,
    )  # fmt: skip
    early = clocks.text_of(MONDAY - timedelta(days=1))
    assert clocks.next_rung(mark(told=told, ack=early), policy, CHINA) == (MONDAY, 0)


@pytest.mark.rule("AC-28")
@pytest.mark.parametrize(
    ("hour", "minute", "quiet", "ends"),
    [
        (20, 0, (20, 8), (3, 8)),
        (19, 59, (20, 8), None),
        (8, 0, (20, 8), None),
        (0, 30, (20, 8), (2, 8)),
        (12, 0, (12, 14), (2, 14)),
        (13, 59, (12, 14), (2, 14)),
        (11, 59, (12, 14), None),
        (9, 0, None, None),
    ],
)
def test_quiet_hours_have_borders(hour: int, minute: int, quiet: Any, ends: Any) -> None:
    at = shanghai(2026, 11, 2, hour, minute, 7)
    assert clocks.out_of_quiet(at, quiet, CHINA) == (at if ends is None else shanghai(2026, 11, *ends))


@pytest.mark.rule("SL-1")
def test_a_clock_says_why_it_stands_still_and_until_when() -> None:
    state = travel(started(MONDAY))
    text = clocks.text_of
    state.clocks = {
        **state.clocks,
        "waits": [[text(days(1)), None, 5]],
        "plans": [[text(days(1)), text(days(3)), 6, True], [text(days(1)), text(days(2)), 7, True]],
    }
    policy = replace(POLICY, waiting=2, planned=True)

    def stop(kind: ClockKind, at: datetime, under: ClockPolicy = policy) -> Any:
        return clocks.stop_at(state, under, CHINA, kind, at)

    until = CHINA.add_working_days(days(1), 2)
    assert stop(ClockKind.VISIT, days(1)) == stop(ClockKind.STAGE, days(2)) == (ClockStop.WAITING, until)
    assert stop(ClockKind.VISIT, until) is None and stop(ClockKind.VISIT, MONDAY) is None
    assert (
        stop(ClockKind.INACTIVITY, days(1)) == (ClockStop.PLANNED, days(3))
        and stop(ClockKind.INACTIVITY, days(3)) is None
    )
    assert stop(ClockKind.TOTAL, days(1)) is None and stop(ClockKind.RESPONSE, days(1)) is None
    assert (
        stop(ClockKind.VISIT, days(1), POLICY) is None and stop(ClockKind.INACTIVITY, days(1), POLICY) is None
    )


# --- the calendar below them ---


def hours(*pairs: str) -> Any:
    return parse_hours([pair.split("-") for pair in pairs])


@pytest.mark.rule("CA-1", "CA-2")
def test_exceptional_days_have_their_own_hours_or_those_of_a_plain_day() -> None:
    sunday, monday, tuesday = date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)
    own = Calendar(days={sunday: Exceptional("workday", "x", "x"), monday: Exceptional("half_day", "x", "x"),
                         tuesday: Exceptional("workday", "x", "x", hours=hours("10:00-12:00", "13:00-14:00"))})  # fmt: skip
    usual = PLAIN.hours_on(monday)
    assert own.hours_on(sunday) == usual and own.hours_on(monday) == usual[:1] and len(usual) == 2
    assert own.hours_on(tuesday) == hours("10:00-12:00", "13:00-14:00")
    half = Calendar(
        days={monday: Exceptional("half_day", "x", "x", hours=hours("10:00-11:00", "12:00-13:00"))}
    )
    assert len(half.hours_on(monday)) == 2
    assert own.exception_on(date(2026, 11, 4)) is None and own.usual_day == A_DAY
    night = Calendar(weekly={1: hours("22:00-24:00"), 2: hours("09:00-10:00")})
    assert night.usual_day == timedelta(hours=2)
    assert night.opening_at(shanghai(2026, 11, 3, 0)) == shanghai(2026, 11, 3, 9)
    assert night.working_time_between(shanghai(2026, 11, 2, 9), shanghai(2026, 11, 3, 0)) == timedelta(
        hours=2
    )
    for pairs in (
        ("20:00-24:00", "21:00-22:00"),
        ("09:00-12:00", "11:59-13:00"),
        ("10:00-10:00",),
        ("11:00-10:00",),
    ):
        with pytest.raises(ValueError):
            hours(*pairs)
    assert len(hours("09:00-12:00", "12:00-13:00")) == 2
    always = Calendar(weekly=dict.fromkeys(range(1, 8), hours("00:00-24:00")))
    assert always.count_working_days(date(2026, 1, 1), date(2026, 12, 31)) == 365
    law = CHINA.notices
    assert law is not None and [law.on(date(year, 10, 3)) is not None for year in (1999, 2000)] == [
        False,
        True,
    ]
    told = Notices(published=frozenset({2030}), statutory=((10, 1, 1949, Exceptional("holiday")),))
    assert (told.on(date(2029, 10, 1)) is not None, told.on(date(2030, 10, 1))) == (True, None)
    assert law.on(date(1949, 10, 1)) is None and law.on(date(1950, 10, 2)) is not None
    with pytest.raises(ValueError):
        Calendar(weekly={})
    with pytest.raises(ValueError):
        Calendar(weekly={0: hours("09:00-10:00")})
    with pytest.raises(ValueError):
        Calendar(weekly={8: hours("09:00-10:00")})


@pytest.mark.rule("CA-4", "CA-5")
def test_working_time_has_borders() -> None:
    friday = shanghai(2026, 11, 6, 18)
    assert PLAIN.add_working_time(friday, timedelta(0)) == friday and PLAIN.opening_at(friday) == friday
    after = friday + timedelta(seconds=1)
    assert PLAIN.add_working_time(after, timedelta(0)) == PLAIN.opening_at(after) == shanghai(2026, 11, 9, 9)
    assert PLAIN.add_working_time(after, timedelta(hours=1)) == shanghai(2026, 11, 9, 10)
    assert PLAIN.is_working(shanghai(2026, 11, 6, 9)) and not PLAIN.is_working(friday)
    assert PLAIN.working_time_between(shanghai(2026, 11, 6, 10), shanghai(2026, 11, 6, 9)) == timedelta(
        hours=-1
    )
    assert PLAIN.add_working_days(after, 0) == shanghai(2026, 11, 9, 18)
    with pytest.raises(ValueError):
        PLAIN.add_working_time(friday, timedelta(seconds=-1))
    with pytest.raises(ValueError):
        PLAIN.opening_at(datetime(2026, 11, 6))  # noqa: DTZ001
    assert PLAIN.working_time_between(shanghai(2025, 12, 31, 17), shanghai(2027, 1, 4, 10)) == (
        A_DAY * PLAIN.count_working_days(date(2026, 1, 1), date(2027, 1, 1)) + timedelta(hours=2)
    )


@pytest.mark.rule("CA-4")
def test_working_days_have_borders() -> None:
    friday, saturday, monday = date(2026, 11, 6), date(2026, 11, 7), date(2026, 11, 9)
    assert (PLAIN.working_days_between(friday, monday), PLAIN.working_days_between(monday, friday)) == (1, -1)
    assert PLAIN.working_days_between(friday, saturday) == PLAIN.working_days_between(friday, friday) == 0
    assert [
        PLAIN.count_working_days(a, b)
        for a, b in (
            (friday, monday),
            (saturday, monday),
            (monday, friday),
            (friday, friday),
            (saturday, saturday),
        )
    ] == [2, 1, 0, 1, 0]
    assert PLAIN.workday_after(friday, 1) == monday and PLAIN.workday_after(date(2026, 12, 31), 1) == date(
        2027, 1, 1
    )
    with pytest.raises(ValueError):
        PLAIN.workday_after(friday, 0)
    ordinals = [d.toordinal() for d in (friday, monday, date(2027, 1, 1))]
    assert PLAIN.working_days_between_many(ordinals, ordinals[1:] + ordinals[:1]) == [1, 39, -40]
    assert (
        PLAIN.working_days_between_many([], ordinals) == PLAIN.working_days_between_many(ordinals, []) == []
    )
    assert PLAIN.hours_on(friday)[0][0] == time(9)
    fresh = Calendar(weekly=OFFICE_WEEK)
    assert fresh.working_days_between(date(2026, 12, 31), date(2027, 1, 4)) == 2
    assert fresh.count_working_days(date(2026, 1, 1), date(2026, 12, 31)) == 261
    assert Calendar(notices=CHINA.notices).exception_on(date(2026, 10, 1)) is not None
    away = PLAIN.away([(friday, monday)])
    assert not away.is_workday(friday) and not away.is_workday(monday) and away.is_workday(date(2026, 11, 10))
    assert PLAIN.away([]) is PLAIN and PLAIN.is_workday(friday)
    over = PLAIN.away([(date(2026, 12, 31), date(2027, 1, 1))])
    assert over.count_working_days(date(2026, 12, 30), date(2027, 1, 4)) == 2
