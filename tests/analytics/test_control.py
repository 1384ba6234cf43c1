import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.analytics.control import p_chart


def test_p_chart_vector():
    chart = p_chart([12, 10, 16, 12, 2], [40, 35, 50, 45, 30])

    last = chart.points[-1]
    assert chart.centre == 0.26
    assert (round(last.low, 4), round(last.high, 4)) == (0.0198, 0.5002)
    assert (round(last.value, 3), last.signal) == (0.067, None)
    assert (chart.n, chart.enough) == (200, False)


def test_a_frozen_baseline_keeps_the_signal():
    x, n = [20] * 6 + [45], [100] * 7

    assert p_chart(x, n, baseline=range(6)).points[-1].signal == "outside"
    assert p_chart(x, n, baseline=range(6)).centre == 0.2


def test_eight_on_one_side_are_a_run_and_an_empty_month_does_not_break_it():
    x, n = [22, 22, 22, 22, 0, 22, 22, 22, 22, 10], [100, 100, 100, 100, 0, 100, 100, 100, 100, 100]

    signals = [point.signal for point in p_chart(x, n).points]

    assert signals == [None] * 8 + ["run", None]


def test_three_of_four_near_a_limit():
    chart = p_chart([28, 28, 20, 28], [100] * 4, baseline=[2])

    assert [point.signal for point in chart.points] == [None, None, None, "near"]


def test_few_events_are_not_trusted():
    assert [point.trusted for point in p_chart([1, 30], [10, 300]).points] == [False, True]


@pytest.mark.parametrize(("x", "n"), [([], []), ([0, 0], [0, 0])])
def test_nothing_counted_makes_no_chart(x, n):
    chart = p_chart(x, n)

    assert (chart.centre, chart.enough, len(chart.points)) == (None, False, len(x))
    assert all(point.value is None and point.signal is None for point in chart.points)


@given(st.lists(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1))
def test_limits_hold_the_centre_and_more_cases_make_them_narrower(rows):
    chart = p_chart([x for x, _ in rows], [n for _, n in rows])

    for point in chart.points:
        assert 0 <= point.low <= chart.centre <= point.high <= 1
    by_size = sorted(chart.points, key=lambda point: point.n)
    assert by_size[0].high - by_size[0].low >= by_size[-1].high - by_size[-1].low - 1e-12
