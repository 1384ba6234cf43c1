import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.analytics.intervals import Rate, newcombe, rates_by_value, stratified, wilson


@pytest.mark.rule("V-3.1")
def test_wilson_vectors():
    low, high = wilson([12, 0], [40, 5])

    assert [round(float(x), 4) for x in low] == [0.1807, 0.0]
    assert [round(float(x), 4) for x in high] == [0.4543, 0.4345]
    assert 12 / 40 == Rate.of(12, 40).value == 0.3


def test_nothing_counted_is_no_share():
    assert Rate.of(0, 0) == Rate(0, 0, None, None, None, 0, False)
    assert np.isnan(wilson(0, 0)).all()


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_stays_within_zero_and_one(counts):
    rate = Rate.of(*counts)

    assert 0 <= rate.low <= rate.value <= rate.high <= 1
    assert rate.low < rate.high


def test_a_share_by_value_of_equal_amounts_is_the_share_by_count():
    hit = np.array([True] * 12 + [False] * 28)

    by_value, by_count = Rate.by_value(np.full(40, 250.0), hit), Rate.of(12, 40)

    assert (by_value.k, by_value.n, by_value.cases) == (3000, 10_000, 40)
    assert by_value.low == pytest.approx(by_count.low)
    assert by_value.high == pytest.approx(by_count.high)


def test_one_large_deal_counts_as_few_and_missing_amounts_make_too_few():
    amounts = np.array([1_000_000.0] + [1.0] * 19)
    one_large = Rate.by_value(amounts, np.array([True] + [False] * 19))
    mostly_missing = Rate.by_value(np.array([10.0] * 12 + [np.nan] * 8), np.ones(20, bool))

    assert one_large.low < 0.21 < 0.99 < one_large.value
    assert (mostly_missing.cases, mostly_missing.enough) == (12, False)


def test_shares_by_value_in_groups_are_those_of_each_group():
    amounts, hit = np.array([1.0, 2.0, np.nan, 4.0]), np.array([True, False, True, True])
    group = np.array([0, 0, 0, 2])

    found = rates_by_value(amounts, hit, group, 3)

    assert found[0].value == pytest.approx(1 / 3)
    assert found[1] == Rate.of(0, 0)
    assert found == [Rate.by_value(amounts[group == g], hit[group == g]) for g in range(3)]


def test_newcombe_reproduces_the_published_example():
    """56/70 against 48/80: 0.2000 (0.0524 to 0.3339), Newcombe 1998, table II."""
    found = newcombe(Rate.of(56, 70), Rate.of(48, 80))

    assert round(found.value, 4) == 0.2
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)
    assert not found.holds_zero


def test_a_difference_with_an_empty_side_says_nothing():
    found = newcombe(Rate.of(3, 9), Rate.of(0, 0))

    assert (found.value, found.holds_zero, found.enough, found.n) == (None, True, False, 9)


def test_strata_take_out_what_the_strata_explain():
    """In both strata met and unmet win alike; taken together they seem to differ (Simpson)."""
    easy, hard = (Rate.of(80, 100), Rate.of(16, 20)), (Rate.of(4, 20), Rate.of(20, 100))
    together = newcombe(Rate.of(84, 120), Rate.of(36, 120))

    within = stratified([easy, hard], Rate.of(84, 120), Rate.of(36, 120))

    assert not together.holds_zero
    assert within.value == pytest.approx(0)
    assert within.holds_zero
