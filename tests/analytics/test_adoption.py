"""Adoption by behaviour, on cases small enough to check by hand (metrics 3.22)."""

from datetime import UTC, datetime, timedelta

import pytest

from fairlead.analytics.adoption import (
    ACTIVE,
    PLANNED,
    TIMELY,
    Behaviour,
    Deal,
    Step,
    Update,
    adoption,
    bands,
    barrier_point,
    geometric,
    quartiles,
)

pytestmark = pytest.mark.rule("3.22")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=90)


def days(n: float) -> datetime:
    return NOW + timedelta(days=n)


@pytest.mark.parametrize(
    ("shares", "weights", "index"),
    [
        ({"a": 0.25, "b": 1.0}, {"a": 1, "b": 1}, 50.0),
        ({"a": 0.64, "b": 0.81, "c": 1.0}, {"a": 1, "b": 1, "c": 1}, 80.33),
        ({"a": 0.5, "b": 0.9}, {"a": 3, "b": 1}, 57.915),
        ({"a": 0.0, "b": 1.0}, {"a": 0.1, "b": 9.9}, 0.0),
        ({"a": 0.0, "b": 0.49}, {"a": 0, "b": 1}, 49.0),
        ({"a": 0.5}, {"a": 0}, None),
        ({}, {"a": 1}, None),
    ],
)
def test_the_index_is_a_weighted_geometric_mean_and_one_zero_is_visible(shares, weights, index):
    found = geometric(shares, weights)
    assert found is None if index is None else found == pytest.approx(index, abs=0.005)


def test_weights_only_count_against_each_other():
    shares = {"a": 0.3, "b": 0.8}
    assert geometric(shares, {"a": 1, "b": 2}) == pytest.approx(geometric(shares, {"a": 10, "b": 20}))


def four_deals() -> Behaviour:
    deals = [
        Deal(1, 7, LONG_AGO),
        Deal(2, 7, LONG_AGO),
        Deal(3, 8, LONG_AGO),
        Deal(4, 8, days(-2)),
        Deal(5, 8, LONG_AGO, closed_at=days(-3)),
        Deal(6, 8, LONG_AGO, held_since=days(-10)),
    ]
    touched = {1: [days(-30), days(-6.9)], 2: [days(-7)], 3: [days(1)], 4: [days(-1)], 5: [days(-4)]}
    steps = {
        1: [Step(days(-5), days(3))],
        2: [Step(days(-5), days(-1))],  # overdue: no step ahead
        3: [Step(days(-5), days(3), ended_at=days(-1))],  # dropped
        4: [Step(days(1), days(3))],  # planned only tomorrow
    }
    updates = [
        Update(11, 1, days(-5), days(-3)),  # 48 h to the second
        Update(12, 2, days(-5), days(-2.9)),
        Update(13, 3, days(-40), days(-29)),  # older than four weeks
        Update(14, 5, days(-3), days(-3)),
    ]
    return Behaviour(deals, touched, steps, updates)


def test_each_share_counts_what_was_known_and_open_at_the_instant():
    found = adoption(four_deals(), at=NOW)
    assert {name: (sorted(s.hits), sorted(s.all)) for name, s in found.shares.items()} == {
        ACTIVE: ([1, 4], [1, 2, 3, 4]),
        PLANNED: ([1], [1, 2, 3, 4]),
        TIMELY: ([11, 14], [11, 12, 14]),
    }
    assert found.index == pytest.approx(100 * (0.5 * 0.25 * 2 / 3) ** (1 / 3))
    assert sorted(found.shares[PLANNED].missed) == [2, 3, 4]


def test_the_past_is_read_with_what_was_known_then():
    found = adoption(four_deals(), at=days(-4))
    assert sorted(found.shares[ACTIVE].all) == [1, 2, 3, 5]  # 4 was not there yet, 5 still open
    assert sorted(found.shares[ACTIVE].hits) == [1, 2, 5]
    assert sorted(found.shares[PLANNED].hits) == [1, 2, 3]
    assert sorted(found.shares[TIMELY].all) == [13]


def test_a_person_is_measured_on_the_own_deals():
    found = adoption(four_deals().of(7), at=NOW)
    assert sorted(found.shares[ACTIVE].all) == [1, 2]
    assert sorted(found.shares[TIMELY].all) == [11, 12]


def test_who_moved_nothing_in_four_weeks_is_not_scored_on_moves():
    quiet = Behaviour([Deal(1, 7, LONG_AGO)], {1: [days(-1)]}, {1: [Step(days(-5), days(3))]})
    found = adoption(quiet, at=NOW)
    assert found.left_out == (TIMELY,)
    assert found.index == pytest.approx(100)


def test_without_a_deal_nothing_is_said():
    found = adoption(Behaviour([]), at=NOW)
    assert (found.index, found.left_out) == (None, (ACTIVE, TIMELY, PLANNED))


def test_the_spread_in_five_bands():
    assert bands([0, 19.9, 20, 55, 80, 100]) == (2, 1, 1, 0, 2)
    assert bands([]) == (0, 0, 0, 0, 0)


def test_quartiles_by_interpolation():
    assert quartiles([10, 20, 30, 40, 50]) == (20, 30, 40)
    assert quartiles([100, 0]) == (25, 50, 75)
    assert quartiles([]) is None


@pytest.mark.parametrize(
    ("means", "barrier"),
    [
        ((4, 2.8, 1.5, 4, 4), "desire"),
        ((4, 4, 3.0, 2, 1), "knowledge"),
        ((1, 1, 1, 1, 1), "awareness"),
        ((3.1, 3.1, 3.1, 3.1, 3.1), None),
    ],
)
def test_the_barrier_is_the_first_element_at_three_or_less(means, barrier):
    names = ("awareness", "desire", "knowledge", "ability", "reinforcement")
    assert barrier_point(dict(zip(names, means, strict=True))) == barrier
