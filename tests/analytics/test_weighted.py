import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.analytics.weighted import shrunken, weighted_pipeline


def test_small_groups_lean_on_their_parent():
    assert shrunken([0, 3, 300], [0, 5, 1_000], prior=0.25).round(4).tolist() == [0.25, 0.3667, 0.2995]


def test_two_deals_by_hand():
    found = weighted_pipeline(np.array([100.0, 50.0, np.nan]), np.array([0.5, 0.2, 0.9]))

    assert (found.mean, found.total, found.n) == (60, 150, 2)
    assert found.sd == pytest.approx((100**2 * 0.25 + 50**2 * 0.16) ** 0.5)
    assert found.left_out == {"amount_missing": 1}
    assert not found.enough


def test_one_large_deal_is_shown_both_ways():
    found = weighted_pipeline(np.array([900.0] + [10.0] * 20), np.full(21, 0.5))

    assert found.two_points == (100, 1_000)
    assert found.p10 < 200 < 800 < found.p90


def test_many_deals_go_by_the_normal_curve():
    found = weighted_pipeline(np.full(500, 10.0), np.full(500, 0.3))

    assert found.mean == found.p50 == pytest.approx(1_500)
    assert found.p90 - found.mean == pytest.approx(1.2815515655446004 * found.sd)


def test_an_empty_pipeline_is_worth_nothing():
    found = weighted_pipeline(np.array([]), np.array([]))

    assert (found.mean, found.p90, found.largest_share, found.two_points, found.enough) == (
        0,
        0,
        0,
        None,
        False,
    )


@given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(0, 1)), min_size=1, max_size=30))
def test_what_comes_lies_between_nothing_and_everything(deals):
    found = weighted_pipeline(np.array([a for a, _ in deals]), np.array([p for _, p in deals]))

    assert 0 <= found.mean <= found.total * (1 + 1e-12)
    assert 0 <= found.p10 <= found.p50 <= found.p90 <= found.total * (1 + 1e-12)
