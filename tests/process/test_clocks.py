"""The four clocks, pure: starts, stops, thresholds, the ladder (§2.5)."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.journal.services import NewEvent
from fairlead.organisation.calendars import Calendar, mainland_china
from fairlead.process import clock_events, clocks, fold
from fairlead.process.clocks import ClockPolicy, Limit, Rung, readings
from fairlead.process.enums import ClockCause, ClockKind, EscalateTo, JourneyState

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHINA = Calendar(notices=mainland_china())
POLICY = ClockPolicy(
    visit={"five": Limit(3, 6), "four": Limit(3, 6)},
    stage={"five": Limit(3, 6), "four": Limit(3, 6)},
    inactivity=Limit(5, 10),
    total=Limit(30, 60),
)


def shanghai(*args: int) -> datetime:
    return datetime(*args, tzinfo=SHANGHAI).astimezone(UTC)


def event(type_: str, at: datetime, to: str = "", **data):
    return NewEvent(
        type=type_,
        subject_type="opportunity",
        subject_id=1,
        actor_id=None,
        effective_at=at,
        channel="ui",
        journey_id=1,
        process_key="p",
        process_version=1,
        to_stage=to,
        data=data,
    )


def started(at: datetime, stage: str = "five"):
    return event(fold.STARTED, at, stage, axis=stage, category="pipeline", probability=10)


def moved(at: datetime, to: str, back: bool = False):
    kind = "regress" if back else "advance"
    return event(fold.MOVED, at, to, axis=to, exit=kind, category="pipeline", probability=10)


def travel(*events) -> fold.Travel:
    state = fold.Travel()
    for each in events:
        fold.apply(state, each)
    return state


def read(state: fold.Travel, policy: ClockPolicy = POLICY, calendar: Calendar = CHINA):
    return {kind: r for (kind, _key), r in readings(state, policy, 1, calendar).items()}


@pytest.mark.rule("AC-24", "CA-5")
def test_three_working_days_from_the_friday_before_national_day_end_on_the_eighth_of_october():
    start = shanghai(2018, 9, 28, 10)
    visit = read(travel(started(start)))[ClockKind.VISIT]
    assert visit.yellow_at == shanghai(2018, 10, 8, 18)
    assert clocks.age_days(CHINA, ((start, None),), shanghai(2018, 10, 12, 12)) == 7  # 8 with the first one


@pytest.mark.rule("CA-5")
def test_a_start_outside_working_time_counts_from_the_next_opening():
    at_night = read(travel(started(shanghai(2026, 11, 20, 23))))[ClockKind.VISIT]  # a Friday
    on_monday = read(travel(started(shanghai(2026, 11, 23, 9))))[ClockKind.VISIT]
    assert at_night.yellow_at == on_monday.yellow_at == shanghai(2026, 11, 26, 18)


@pytest.mark.rule("CA-5")
def test_due_exactly_at_closing_is_in_time():
    visit = read(travel(started(shanghai(2026, 11, 23, 10))))[ClockKind.VISIT]
    assert clocks.level_at(visit, visit.red_at) == "yellow"
    assert clocks.level_at(visit, visit.red_at + timedelta(microseconds=1)) == "red"


@pytest.mark.rule("AC-26", "SL-2")
def test_a_hold_stops_three_clocks_and_not_the_fourth_and_its_time_is_left_out():
    start = shanghai(2026, 11, 2, 9)
    held = travel(started(start), event(fold.HELD, shanghai(2026, 11, 3, 9), resume_date="2026-11-20"))
    for kind, reading in read(held).items():
        assert (reading.paused_at is None) == (kind == ClockKind.TOTAL)
        assert (reading.next_due_at is None) == (kind != ClockKind.TOTAL)
    fold.apply(held, event(fold.RESUMED, shanghai(2026, 11, 20, 9)))
    after = read(held)
    plain = read(travel(started(start)))
    gap = CHINA.working_time_between(shanghai(2026, 11, 3, 9), shanghai(2026, 11, 20, 9))
    for kind in (ClockKind.VISIT, ClockKind.STAGE, ClockKind.INACTIVITY):
        assert after[kind].red_at == CHINA.add_working_time(plain[kind].red_at, gap)
        assert after[kind].spent_seconds == 7.5 * 3600
        assert after[kind].running_since == shanghai(2026, 11, 20, 9)
    assert after[ClockKind.TOTAL] == plain[ClockKind.TOTAL]


@pytest.mark.rule("AC-26")
def test_a_closed_journey_has_no_clock():
    start = shanghai(2026, 11, 2, 9)
    lost = event(fold.LOST, start + timedelta(days=3), outcome="lost")
    assert read(travel(started(start), lost)) == {}


@pytest.mark.rule("AC-27")
def test_bouncing_back_and_forth_resets_the_first_clock_and_never_the_second():
    bounced = travel(
        started(shanghai(2026, 11, 2, 9)),  # Monday
        moved(shanghai(2026, 11, 5, 9), "four", back=True),
        moved(shanghai(2026, 11, 6, 9), "five"),
    )
    found = read(bounced)
    assert found[ClockKind.VISIT].yellow_at == shanghai(2026, 11, 11, 18)
    assert found[ClockKind.STAGE].started_at == shanghai(2026, 11, 2, 9)
    # Three of three days and the rest of the fourth were used before it came back.
    assert found[ClockKind.STAGE].yellow_at == shanghai(2026, 11, 6, 18)
    assert found[ClockKind.STAGE].next_due_at == found[ClockKind.STAGE].yellow_at
    late = travel(
        started(shanghai(2026, 11, 2, 9)),
        moved(shanghai(2026, 11, 30, 9), "four", back=True),
        moved(shanghai(2026, 12, 1, 9), "five"),
    )
    assert read(late)[ClockKind.STAGE].red_at == shanghai(2026, 12, 1, 9)


@pytest.mark.rule("AC-27")
def test_in_a_first_visit_one_clock_speaks_for_both():
    found = read(travel(started(shanghai(2026, 11, 2, 9))))
    assert found[ClockKind.STAGE].red_at == found[ClockKind.VISIT].red_at
    assert found[ClockKind.STAGE].next_due_at is None


@pytest.mark.rule("SL-1")
@pytest.mark.parametrize(
    ("type_", "data", "cause"),
    [
        ("activity_done", {"kind": "visit", "outcome": "talked"}, ClockCause.MEETING),
        ("activity_done", {"kind": "email", "outcome": "answered"}, ClockCause.REPLY),
        ("contact_role_added", {"role": "EB"}, ClockCause.BUYING_ROLE),
        ("file_added", {}, ClockCause.EVIDENCE),
        ("attested", {"role": "FR"}, ClockCause.EVIDENCE),
        (fold.MIRRORED, {"amount": "5"}, ClockCause.AMOUNT),
        (fold.MIRRORED, {"close_date": "2026-12-01"}, ClockCause.CLOSE_DATE),
    ],
)
def test_a_meaningful_event_sets_the_third_clock_back_and_says_why(type_, data, cause):
    state = travel(started(shanghai(2026, 11, 2, 9)))
    assert read(state)[ClockKind.INACTIVITY].cause == ClockCause.STAGE
    at = shanghai(2026, 11, 9, 15)
    fold.apply(state, event(type_, at, **data))
    found = read(state)[ClockKind.INACTIVITY]
    assert (found.started_at, found.cause) == (at, cause)
    assert found.red_at == CHINA.add_working_days(at, 10)


@pytest.mark.rule("SL-1")
@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("commented", {}),
        ("edited", {"fields": ["description"]}),
        ("activity_done", {"kind": "email", "outcome": "sent"}),
        ("activity_done", {"kind": "call", "outcome": "no_answer"}),
        (fold.MIRRORED, {"owner_id": 7}),
    ],
)
def test_what_only_we_did_is_not_meaningful(type_, data):
    state = travel(started(shanghai(2026, 11, 2, 9)))
    fold.apply(state, event(type_, shanghai(2026, 11, 9, 15), **data))
    assert read(state)[ClockKind.INACTIVITY].started_at == shanghai(2026, 11, 2, 9)


@pytest.mark.rule("SL-1")
def test_what_counts_as_meaningful_is_the_policys_word_and_an_older_event_sets_nothing_back():
    state = travel(started(shanghai(2026, 11, 2, 9)))
    fold.apply(state, event("activity_done", shanghai(2026, 11, 9, 15), kind="call", outcome="no_answer"))
    fold.apply(state, event("activity_done", shanghai(2026, 10, 9, 15), kind="call", outcome="talked"))
    wide = ClockPolicy(meaningful=(ClockCause.STAGE, ClockCause.ATTEMPT))
    assert read(state)[ClockKind.INACTIVITY].started_at == shanghai(2026, 11, 2, 9)
    assert read(state, wide)[ClockKind.INACTIVITY].cause == ClockCause.ATTEMPT


@pytest.mark.rule("SL-3")
def test_a_relative_threshold_is_a_multiple_of_the_median_and_absolute_until_it_is_known():
    limit = Limit(10, 20, (1.5, 2.0))
    assert limit.days(None) == (10, 20)
    assert limit.days(8.0) == (12, 16)
    policy = ClockPolicy(visit={"five": limit})
    known = started(shanghai(2026, 11, 2, 9))
    known.data["norm"] = 4.0
    visit = read(travel(known), policy)[ClockKind.VISIT]
    assert visit.red_at == CHINA.add_working_days(shanghai(2026, 11, 2, 9), 8)


@pytest.mark.rule("SL-4")
def test_a_role_owes_an_answer_from_the_entry_until_it_gives_its_word():
    policy = ClockPolicy(responses={"five": {"SR": Limit(2, 3)}})
    start = shanghai(2026, 11, 2, 9)
    state = travel(started(start))
    waiting = readings(state, policy, 1, CHINA)[ClockKind.RESPONSE, "SR"]
    assert waiting.red_at == shanghai(2026, 11, 5, 18)
    fold.apply(state, event("attested", shanghai(2026, 11, 3, 9), role="FR"))
    assert readings(state, policy, 1, CHINA)[ClockKind.RESPONSE, "SR"].next_due_at is not None
    fold.apply(state, event("attested", shanghai(2026, 11, 3, 10), role="SR"))
    answered = readings(state, policy, 1, CHINA)[ClockKind.RESPONSE, "SR"]
    assert (answered.next_due_at, answered.level) == (None, "")
    assert (
        answered.spent_seconds == CHINA.working_time_between(start, shanghai(2026, 11, 3, 10)).total_seconds()
    )


LADDER = ClockPolicy(
    ladder=(Rung(EscalateTo.OWNER), Rung(EscalateTo.MANAGER, after_hours=8, repeat_hours=16)), quiet=(20, 8)
)


def mark(**values):
    return {"level": "red", "at": clocks.text_of(shanghai(2026, 11, 2, 18)), "step": 0, **values}


@pytest.mark.rule("AC-28", "SL-2")
def test_the_ladder_climbs_repeats_and_waits_for_an_acknowledgement_to_end():
    first = clocks.next_rung(mark(), LADDER, CHINA)
    assert first == (shanghai(2026, 11, 2, 18), 0)
    second = clocks.next_rung(mark(step=1, sent=clocks.text_of(first[0])), LADDER, CHINA)
    assert second == (shanghai(2026, 11, 4, 9, 30), 1)  # eight working hours after the closing on Monday
    sent = clocks.text_of(second[0])
    again = clocks.next_rung(mark(step=2, sent=sent), LADDER, CHINA)
    assert again == (CHINA.add_working_time(second[0], timedelta(hours=16)), 1)
    until = shanghai(2026, 11, 20, 12)
    assert clocks.next_rung(mark(step=2, sent=sent, ack=clocks.text_of(until)), LADDER, CHINA) == (until, 1)
    assert clocks.next_rung(mark(step=2), ClockPolicy(ladder=(Rung(EscalateTo.OWNER),) * 2), CHINA) is None


@pytest.mark.rule("AC-28")
@pytest.mark.parametrize(
    ("hour", "quiet", "ends"),
    [
        (21, (20, 8), (3, 8)),
        (7, (20, 8), (2, 8)),
        (12, (20, 8), None),
        (13, (12, 14), (2, 14)),
        (14, (12, 14), None),
    ],
)
def test_nobody_is_told_in_quiet_hours(hour, quiet, ends):
    at = shanghai(2026, 11, 2, hour)
    expected = at if ends is None else shanghai(2026, 11, *ends)
    assert clocks.out_of_quiet(at, quiet, CHINA) == expected


MINUTES = st.integers(0, 60 * 24 * 200)
BASE = shanghai(2026, 1, 1)


@pytest.mark.rule("CA-4", "AC-27")
@settings(max_examples=200, deadline=None)
@given(st.lists(MINUTES, min_size=1, max_size=7, unique=True), st.integers(1, 40))
def test_cutting_a_stay_into_pieces_never_buys_time(minutes, days):
    """However a stay is cut by holds that lasted no time, it is due when the whole one is."""
    ordered = sorted(BASE + timedelta(minutes=m) for m in minutes)
    pieces = [*pairwise(ordered), (ordered[-1], None)]
    whole = clocks.due(CHINA, [(ordered[0], None)], days)
    cut = clocks.due(CHINA, pieces, days)
    used = CHINA.working_time_between(ordered[0], ordered[-1])
    if used < clocks.allowance(CHINA, ordered[0], days):
        assert cut == whole
    else:
        assert cut == CHINA.opening_at(ordered[-1])


HOURS = st.integers(0, 24 * 30)


@pytest.mark.rule("AC-26")
@settings(max_examples=200, deadline=None)
@given(HOURS, st.lists(st.tuples(HOURS, st.integers(1, 300)), max_size=5))
def test_time_outside_of_pauses_is_the_whole_less_the_pauses(start, pauses):
    def hour(n: int) -> datetime:
        return BASE + timedelta(hours=n)

    last = start + 24 * 30
    runs = clocks.without([(hour(start), hour(last))], [(hour(m), hour(m + n)) for m, n in pauses])
    inside = [n for begin, end in runs for n in range(start, last) if begin <= hour(n) < end]
    paused = {n for m, length in pauses for n in range(m, m + length)}
    assert inside == [n for n in range(start, last) if n not in paused]


@st.composite
def histories(draw):
    at, events, held = BASE, [started(BASE)], False
    for _ in range(draw(st.integers(0, 10))):
        at += timedelta(minutes=draw(st.integers(1, 60 * 24 * 9)))
        kind = draw(st.sampled_from(["five", "four", "hold", "talk", "amount"]))
        if kind == "hold":
            events.append(event(fold.RESUMED, at) if held else event(fold.HELD, at, resume_date=None))
            held = not held
        elif kind == "talk":
            events.append(event("activity_done", at, kind="visit", outcome="talked"))
        elif kind == "amount":
            events.append(event(fold.MIRRORED, at, amount="7"))
        elif not held:
            events.append(moved(at, kind))
    return events, at


@pytest.mark.rule("AC-26", "AC-27", "SL-1")
@settings(max_examples=300, deadline=None)
@given(histories())
def test_whatever_happened_the_clocks_keep_their_order(history):
    events, _now = history
    state = travel(*events)
    found = read(state)
    visit, stage, total = (found[k] for k in (ClockKind.VISIT, ClockKind.STAGE, ClockKind.TOTAL))
    assert stage.started_at <= visit.started_at or visit.paused_at is not None
    assert stage.spent_seconds >= visit.spent_seconds
    for reading in found.values():
        is_running = state.state == JourneyState.OPEN or reading.kind == ClockKind.TOTAL
        assert (reading.running_since is not None) == is_running
        if is_running:
            assert reading.yellow_at <= reading.red_at
            assert reading.red_at >= reading.running_since
    if state.state == JourneyState.OPEN:
        assert stage.red_at <= visit.red_at
    assert total.red_at == CHINA.add_working_days(BASE, 60)


def test_events_of_the_clocks_are_known_to_the_fold():
    assert clock_events.CLOCK_EVENTS < fold.TOLD
