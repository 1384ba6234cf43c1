"""Decisions on vectors made by hand (metrics 3.27)."""

import pytest

from fairlead.analytics.deciding import Decided, Vote, deciding, quantile, usual


@pytest.mark.rule("AP-15")
def test_median_and_p90_are_said_with_their_n_and_a_forgotten_request_moves_no_median():
    assert (quantile([1, 2, 3, 10], 0.9), quantile([], 0.5)) == (pytest.approx(7.9), None)
    few = usual([1, 2, 3, 4])
    assert (few.n, few.median, few.p90, few.enough) == (4, 2.5, pytest.approx(3.7), False)
    many = usual([4.0] * 9 + [4000.0])
    assert (many.median, many.enough) == (4.0, True)
    assert (usual([]).median, usual([]).enough) == (None, False)


@pytest.mark.rule("AP-15")
def test_rules_rounds_and_stamps_are_counted_apart():
    requests = [
        Decided(is_auto=True, hours=None, round=1, is_approved=True),
        Decided(is_auto=False, hours=4, round=1, is_approved=False),
        Decided(is_auto=False, hours=8, round=2, is_approved=True),
    ]
    votes = [Vote(59.9, False), Vote(60.0, False), Vote(5, True), Vote(3600, False)]
    found = deciding(requests, votes)
    assert (found.auto.k, found.auto.n, found.auto.enough) == (1, 3, False)
    assert (found.time.n, found.time.median) == (2, 6.0)
    assert (found.again.k, found.again.n) == (1, 2)
    assert (found.approved.k, found.approved.n) == (1, 2)
    assert (found.stamped.k, found.stamped.n) == (1, 4)
    nothing = deciding([], [])
    assert (nothing.auto.value, nothing.stamped.value, nothing.time.median) == (None, None, None)
