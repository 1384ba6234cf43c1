from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.analytics.builders import DAY0, Case, history, on

from fairlead.analytics.days import Window
from fairlead.analytics.duration import (
    compare_curves,
    cycle_length,
    lateness,
    stage_by_group,
    stage_by_period,
)
from fairlead.analytics.survival import kaplan_meier
from fairlead.analytics.tables import EVERYTHING, instants

ALL = {"scope": EVERYTHING, "as_of": on(900)}


def days(since, before):
    return Window(DAY0 + timedelta(days=since), DAY0 + timedelta(days=before))


def test_cycle_of_the_won_is_shorter_than_that_of_everyone():
    found = history("a0 won10", "a0 won20", "a0 lost40", "a0", "a0 invalid3", "a? won9")

    cycle = cycle_length(found, scope=EVERYTHING, as_of=on(50))

    assert (cycle.won.n, cycle.won.median.value) == (2, 10)
    assert (cycle.decided.n, cycle.decided.median.value) == (3, 20)
    assert (cycle.everyone.n, cycle.everyone.median.value, cycle.everyone.exposure) == (4, 20, 120)
    assert cycle.left_out == {"opened_unknown": 1, "excluded": 1}


def test_cycle_in_working_days_and_of_a_window():
    found = history("a0 won7", "a0 won70")

    cycle = cycle_length(found, closed=days(0, 30), measure=_weekdays, **ALL)

    assert (cycle.won.n, cycle.won.median.value) == (1, 5)


def _weekdays(entered, left):
    return np.busday_count(entered.astype("datetime64[D]"), left.astype("datetime64[D]"))


def test_a_bottleneck_of_the_second_year_is_found():
    chance = np.random.default_rng(3)
    slow = [f"a{d} b{d + int(chance.exponential(30 if d < 365 else 45)) + 1}" for d in range(0, 700, 2)]
    found = history(*slow)

    rows = stage_by_period(found, "a", periods=[days(0, 365), days(365, 731)], **ALL)
    same = stage_by_period(found, "a", periods=[days(0, 180), days(180, 365)], **ALL)

    assert rows[0].curve.median.value < rows[1].curve.median.value
    assert [row.signal for row in rows] == [True, True]
    assert (rows[0].versus_rest.z > 0, rows[1].versus_rest.z < 0) == (True, True)
    assert [row.signal for row in same] == [False, False]


def test_a_slow_branch_is_found_among_the_others():
    chance = np.random.default_rng(4)
    cases = [
        Case(f"a0 b{int(chance.exponential(40 if number % 4 == 2 else 20)) + 1}", team=number % 4)
        for number in range(600)
    ]
    found = history(*cases)

    rows = stage_by_group(found, "a", group=found.journeys.team, **ALL)

    slower = [row.key for row in rows if row.signal and row.versus_rest.z < 0]
    assert (slower, [row.n for row in rows]) == ([2], [150] * 4)


def test_one_group_alone_is_compared_with_nothing():
    (row,) = compare_curves({"only": kaplan_meier(np.arange(20), np.ones(20, bool))})

    assert (row.signal, row.versus_rest.p, row.enough) == (False, 1.0, True)


def test_lateness_by_hand():
    effective = instants([on(0)] * 5)
    recorded = instants([on(0), on(1), on(9), on(2), on(3)])

    late, prompt = lateness(recorded, effective, np.array([7, 7, 8, 7, 8]), scope=np.ones(5, bool))

    assert (late.person, late.median_days, late.late.k, late.late.n) == (8, 6, 2, 2)
    assert (prompt.person, prompt.median_days, prompt.late.k, prompt.late.n) == (7, 1, 0, 3)
    assert not late.enough


def test_three_who_log_late_stand_out_of_forty():
    chance = np.random.default_rng(5)
    person = np.repeat(np.arange(40), 60)
    delay = chance.exponential(np.where(person < 3, 4.0, 0.6))
    effective = instants([on(0)] * len(person))
    recorded = effective + (delay * 86_400_000_000).astype("timedelta64[us]")

    rows = lateness(recorded, effective, person, scope=np.ones(len(person), bool))

    assert {row.person for row in rows if row.signal} == {0, 1, 2}
    assert [row.person for row in rows[:3]] != [37, 38, 39]


@given(st.lists(st.tuples(st.integers(-3, 9), st.integers(0, 3)), max_size=40))
def test_every_event_is_somebodys(events):
    effective, person = instants([on(5)] * len(events)), np.array([who for _, who in events], int)
    recorded = instants(on(5 + delay) for delay, _ in events)

    rows = lateness(recorded, effective, person, scope=np.ones(len(events), bool))

    assert sum(row.n for row in rows) == len(events)
    assert sum(row.late.k for row in rows) == sum(delay > 2 for delay, _ in events)
    assert all(row.median_days >= 0 for row in rows)


def test_an_empty_period_gives_no_number():
    found = history("a0 b5 won9")

    assert cycle_length(found, opened=days(50, 60), **ALL).everyone.median.value is None
    (row,) = stage_by_period(found, "a", periods=[days(50, 60)], **ALL)
    assert (row.n, row.enough, row.signal) == (0, False, False)
    assert stage_by_group(history(), "a", group=np.array([], int), **ALL) == ()
    nothing = instants([])
    assert lateness(nothing, nothing, np.array([], int), scope=np.array([], bool)) == ()
