from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analytics.builders import DAY0, KEYS, Case, history, on

from fairlead.analytics.days import Window
from fairlead.analytics.funnel import (
    cohort_conversion,
    cohort_path,
    period_exit_yield,
    recent_conversion,
    stage_curve,
    stock,
    time_in_stage,
)
from fairlead.analytics.tables import EVERYTHING

ALL = {"scope": EVERYTHING, "as_of": on(400)}


def days(since, before):
    return Window(DAY0 + timedelta(days=since), DAY0 + timedelta(days=before))


def shares(table):
    return [(row.count.k, row.count.n) for row in table.rows]


# stock


def test_stock_counts_what_lies_where_now():
    found = history(
        Case("a0", amount=10),
        Case("a? ", amount=float("nan")),
        Case("a0 b5", amount=7, state="on_hold"),
        "a0 won9",
    )

    table = stock(found, **ALL)

    a, b, c = table.rows
    assert (a.stage, a.count, a.amount, a.without_amount) == ("a", 2, 10.0, 1)
    assert (a.entry_known, a.entry_unknown) == (1, 1)
    assert (b.count, b.amount, b.on_hold) == (1, 7.0, 1)
    assert (c.count, c.ratio) == (0, None)
    assert (a.ratio, b.ratio) == (0.5, 0.0)
    assert (table.n, table.left_out) == (3, {"amount_unknown": 1})


def test_stock_of_an_earlier_day_knows_nothing_of_what_came_later():
    found = history("a0 b5 won9", "a7", "a2 lost3")

    assert [row.count for row in stock(found, scope=EVERYTHING, as_of=on(6)).rows] == [0, 1, 0]
    assert [row.count for row in stock(found, scope=EVERYTHING, as_of=on(2)).rows] == [2, 0, 0]


def test_stock_follows_the_scope():
    found = history("a0", "a0", "a0 b1")

    assert [row.count for row in stock(found, scope=np.array([True, False, True]), as_of=on(9)).rows] == [
        1,
        1,
        0,
    ]


@given(st.lists(st.sampled_from(["a0", "a0 b3", "a0 b3 a8", "a0 b4 c6", "a? b9", "a0 lost7", "a0 c5 won6"])))
def test_every_open_case_lies_in_exactly_one_stage_on_every_day(paths):
    found = history(*paths)

    for day in range(0, 12, 2):
        closed = int(found.closed(on(day)).sum())

        assert stock(found, scope=EVERYTHING, as_of=on(day)).n == len(paths) - closed


# period exit yield


def test_yield_counts_the_ends_of_the_period_by_how():
    found = history("a0 b5 c9 won12", "a0 c6 lost20", "a0 b5 a7 lost9", "a1 invalid9", "a2", "a0 b200")

    table = period_exit_yield(found, period=days(5, 100), **ALL)

    a, b, _ = table.rows
    assert {word: n for word, n in a.ends.items() if n} == {
        "advance": 2, "skip_forward": 1, "lost": 1, "cancelled": 1,
    }  # fmt: skip
    assert {word: n for word, n in b.ends.items() if n} == {"advance": 1, "regress": 1}
    assert shares(table) == [(2, 5), (1, 2), (1, 2)]
    assert table.n == 9
    assert a.value.value == 0.4


def test_yield_leaves_out_jumps_moved_records_and_unordered_history_and_says_so():
    found = history(
        "a0 b5* c5 won9", "a0 migrated4", "a0 b2 merged4", Case("c0 won3", fidelity="final_only"), "a? b3"
    )

    table = period_exit_yield(found, **ALL)

    assert shares(table) == [(2, 2), (0, 0), (1, 1)]
    assert table.left_out == {"final_only": 1, "skipped": 1, "moved": 1, "merged": 2, "left_process": 0}


@pytest.mark.rule("MV-8")
def test_yield_counts_no_step_of_a_double_from_the_day_of_its_merge_on():
    found = history("a0 b2 c6", "a0 b3 merged8")

    assert period_exit_yield(found, scope=EVERYTHING, as_of=on(5)).n == 2
    assert period_exit_yield(found, scope=EVERYTHING, as_of=on(9)).n == 2
    assert shares(period_exit_yield(found, scope=EVERYTHING, as_of=on(9))) == [(1, 1), (1, 1), (0, 0)]


# cohorts


def test_reach_counts_a_jump_as_passed_and_touch_does_not():
    found = history("a0 b5* c5 won9", "a0 b3 c6", "a0", "a0 lost4")

    reach = cohort_conversion(found, horizon_days=30, mode="reach", **ALL)
    touch = cohort_conversion(found, horizon_days=30, mode="touch", **ALL)

    assert shares(reach) == [(2, 4), (2, 2), (1, 2)]
    assert shares(touch) == [(1, 4), (1, 1), (1, 2)]
    assert touch.rows[1].left_out["skipped"] == 1
    assert [row.next_stage for row in reach.rows] == ["b", "c", "won"]


def test_the_last_day_of_the_horizon_counts_and_the_next_does_not():
    assert shares(cohort_conversion(history("a0 b10"), horizon_days=10, mode="reach", **ALL))[0] == (1, 1)
    assert shares(cohort_conversion(history("a0 b11"), horizon_days=10, mode="reach", **ALL))[0] == (0, 1)


def test_who_was_not_followed_long_enough_is_left_out_even_if_already_there():
    table = cohort_conversion(
        history("a0 b3", "a1 b3"), horizon_days=30, mode="reach", scope=EVERYTHING, as_of=on(30)
    )

    assert shares(table)[0] == (1, 1)
    assert table.rows[0].left_out["follow_up_short"] == 1


def test_coming_back_counts_once_from_the_first_entry():
    found = history("a0 b5 a6 b40 c90")

    assert shares(cohort_conversion(found, horizon_days=50, mode="reach", **ALL))[:2] == [(1, 1), (0, 1)]
    assert shares(cohort_conversion(found, horizon_days=50, mode="touch", **ALL))[:2] == [(1, 1), (0, 1)]


def test_winning_from_an_early_stage_passes_the_later_ones_in_reach_only():
    found = history("a0 won5")

    assert shares(cohort_conversion(found, horizon_days=50, mode="reach", **ALL)) == [(1, 1), (0, 0), (0, 0)]
    assert shares(cohort_conversion(found, horizon_days=50, mode="touch", **ALL)) == [(0, 1), (0, 0), (0, 0)]


def test_undated_entries_merged_and_unordered_cases_are_left_out_and_counted():
    found = history(
        "a? b5 c9", "a0 merged3", Case("a0 won9", fidelity="final_only"), "b0 c3", "a0 b? c90", "a0 b? c9"
    )

    first = cohort_conversion(found, horizon_days=30, mode="reach", **ALL).rows[0]

    assert (first.count.k, first.count.n) == (
        1,
        1,
    )  # of the last two only the dated c9 proves that b was in time
    assert first.left_out == {
        "final_only": 1, "merged": 1, "entry_unknown": 1, "started_later": 1, "follow_up_short": 0,
        "arrival_unknown": 1, "left_process": 0,
    }  # fmt: skip


def test_value_uses_the_amount_frozen_at_first_entry():
    found = history(Case("a0 b5", amount=30), Case("a0", amount=70))

    assert cohort_conversion(found, horizon_days=30, mode="reach", **ALL).rows[0].value.value == 0.3


def test_only_cases_of_the_window_and_scope_count():
    found = history("a0 b5", "a10 b12", "a10", "a20")

    table = cohort_conversion(
        found,
        horizon_days=30,
        mode="reach",
        entered=days(10, 20),
        scope=np.array([1, 1, 1, 1], bool),
        as_of=on(99),
    )

    assert shares(table)[0] == (1, 2)


def test_few_are_too_few():
    row = cohort_conversion(history("a0 b5"), horizon_days=30, mode="reach", **ALL).rows[0]

    assert (row.n, row.enough) == (1, False)
    assert cohort_conversion(history("a0 b5"), horizon_days=30, mode="reach", floor=1, **ALL).rows[0].enough


paths = st.lists(
    st.tuples(
        st.lists(st.sampled_from([*KEYS, "b*", "c*"]), min_size=1, max_size=5),
        st.sampled_from(["", "won", "lost"]),
        st.lists(st.integers(0, 30), min_size=6, max_size=6),
    ).map(
        lambda parts: " ".join(
            f"{word.rstrip('*')}{day}{'*' if '*' in word else ''}"
            for word, day in zip(
                [*parts[0], *([parts[1]] if parts[1] else [])], np.cumsum(parts[2]), strict=False
            )
        )
    ),
    max_size=25,
)


@given(paths)
def test_in_one_cohort_in_reach_mode_the_steps_multiply_to_the_whole(found):
    path = cohort_path(history(*found), horizon_days=60, mode="reach", start="a", **ALL)

    reached = [step.of_start.k for step in path.steps]
    assert reached == sorted(reached, reverse=True)
    if all(step.of_previous.n for step in path.steps):
        product = np.prod([step.of_previous.value for step in path.steps])
        assert path.overall.value == pytest.approx(product)


def test_in_touch_mode_they_do_not():
    found = history("a0 b5* c5 won9", "a0 b5 c6 lost9", "a0 b3")

    path = cohort_path(found, horizon_days=60, mode="touch", start="a", **ALL)

    assert path.overall.value == 1 / 3
    assert np.prod([step.of_previous.value for step in path.steps]) == pytest.approx(2 / 3 * 1 / 2 * 1 / 2)


@given(paths)
def test_recent_conversion_is_the_plain_share_when_everybody_was_followed(found):
    found = history(*found)

    recent = recent_conversion(found, horizon_days=60, **ALL)
    plain = cohort_conversion(found, horizon_days=60, mode="reach", **ALL)

    for aj, row in zip(recent, plain.rows, strict=True):
        assert aj.n == row.n
        if row.n:
            assert aj.share.value is None or aj.share.value == pytest.approx(row.count.value)


# time in stage


@pytest.mark.rule("V-3.16")
def test_time_in_stage_gives_the_vector():
    found = history(
        "a0 b5", "a0 b8", "a0 lost8", "a388", "a0 b15", "a0 lost20", "a0 b25", "a370", "a0 b40", "a340"
    )

    first = time_in_stage(found, at=(60,), **ALL).rows[0]

    assert (first.n, first.curve.exposure, first.curve.median.value) == (10, 223, 20)
    assert round(first.chances[60]["forward"].value, 4) == 0.6083
    assert round(first.chances[60]["lost"].value, 4) == 0.2167


def test_days_are_those_of_the_calendar_or_as_measured():
    found = history("a0 b7", "a0 b9")

    working = time_in_stage(found, measure=_weekdays, **ALL).rows[0].curve
    assert time_in_stage(found, **ALL).rows[0].curve.times.tolist() == [7, 9]
    assert working.times.tolist() == [5, 7]


def _weekdays(entered, left):
    return np.busday_count(entered.astype("datetime64[D]"), left.astype("datetime64[D]"))


def test_per_case_adds_the_visits_up_and_the_last_one_ends_it():
    found = history("a0 b5 a9 b12", "a0 b4 a6")

    visits, cases = (
        time_in_stage(found, per=per, scope=EVERYTHING, as_of=on(20)).rows[0].curve
        for per in ("visit", "case")
    )

    assert (visits.n, visits.times.tolist(), visits.censored) == (4, [3, 4, 5], 1)
    assert (cases.n, cases.times.tolist(), cases.censored) == (2, [8], 1)
    assert cases.exposure == 8 + 18


def test_time_in_stage_leaves_out_undated_jumped_and_unordered_and_says_so():
    found = history("a? b5", "a0 b3* c3", Case("b0 won3", fidelity="final_only"), "a? b9 a12 b15")

    a, b, _ = time_in_stage(found, **ALL).rows
    per_case = time_in_stage(found, per="case", **ALL).rows[0]

    assert (a.n, a.left_out) == (2, {"final_only": 0, "skipped": 0, "entry_unknown": 2})
    assert (b.n, b.left_out) == (3, {"final_only": 1, "skipped": 1, "entry_unknown": 0})
    assert per_case.n == 1  # the case with an undated visit has no sum


def test_a_migrated_visit_is_censored():
    curve = stage_curve(history("a0 migrated9", "a0 b5"), "a", **ALL)

    assert (curve.n, curve.censored, curve.exposure) == (2, 1, 14)


# empty


def test_an_empty_period_and_an_empty_company_give_no_number():
    nothing = days(300, 310)
    for found in (history(), history("a0 b5 won9")):
        assert stock(found, scope=EVERYTHING, as_of=on(100)).n == 0
        assert period_exit_yield(found, period=nothing, **ALL).rows[0].count.value is None
        for mode in ("reach", "touch"):
            row = cohort_conversion(found, horizon_days=30, mode=mode, entered=nothing, **ALL).rows[0]
            assert (row.count.value, row.value.value, row.enough) == (None, None, False)
            path = cohort_path(found, horizon_days=30, mode=mode, start="a", entered=nothing, **ALL)
            assert (path.overall.value, path.n) == (None, 0)
        assert recent_conversion(found, horizon_days=30, entered=nothing, **ALL)[0].share.value is None
        times = time_in_stage(found, entered=nothing, **ALL).rows[0]
        assert (times.n, times.enough, times.curve.median.value) == (0, False, None)


@pytest.mark.rule("VR-2")
def test_what_left_its_process_counts_as_neither_way_and_is_said():
    found = history("a0 b5 won9", "a0 lost9", "a0 left_process5", "a0 b3 left_process50", "a0")

    table = period_exit_yield(found, **ALL)
    assert shares(table)[:2] == [(2, 3), (1, 1)] and table.left_out["left_process"] == 2
    cohort = cohort_conversion(found, horizon_days=30, mode="reach", **ALL)
    assert shares(cohort)[0] == (2, 4) and cohort.rows[0].left_out["left_process"] == 1
    recent = recent_conversion(found, horizon_days=30, **ALL)
    assert recent[0].curve.n == 5
    times = time_in_stage(found, **ALL)
    assert times.rows[0].n == 5 and "left_process" not in times.rows[0].chances[30]
