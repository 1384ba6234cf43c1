import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.analytics.survival import Share, aalen_johansen, kaplan_meier, log_rank, pool

DAYS = np.array([5, 8, 8, 12, 15, 20, 25, 30, 40, 60])
WAYS = np.array([1, 1, 2, 0, 1, 2, 1, 0, 1, 0])  # A A L C A L A C A C
CAUSES = ("advance", "lost")
samples = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2)), min_size=1, max_size=60)


def columns(rows):
    return np.array([r[0] for r in rows]), np.array([r[1] for r in rows])


@pytest.mark.rule("V-3.16")
@pytest.mark.parametrize("kind", [int, float], ids=["whole days", "parts of days"])
def test_the_vector_to_all_digits(kind):
    curve = aalen_johansen(DAYS.astype(kind), WAYS, CAUSES)

    assert curve.times.tolist() == [5, 8, 15, 20, 25, 40]
    assert curve.at_risk.tolist() == [10, 9, 6, 5, 4, 2]
    assert curve.events.tolist() == [[1, 1, 1, 0, 1, 1], [0, 1, 0, 1, 0, 0]]
    assert curve.survival.round(4).tolist() == [0.9, 0.7, 0.5833, 0.4667, 0.35, 0.175]
    assert curve.incidence[0].round(4).tolist() == [0.1, 0.2, 0.3167, 0.3167, 0.4333, 0.6083]
    assert curve.incidence[1].round(4).tolist() == [0, 0.1, 0.1, 0.2167, 0.2167, 0.2167]
    assert curve.exposure == 223
    assert round(curve.rate("advance"), 5) == 0.02242
    assert round(curve.rate("lost"), 5) == 0.00897
    assert round(curve.conditional_chance("advance", at=15, within=15), 3) == 0.200
    assert curve.median.value == 20
    assert (curve.n, curve.censored, curve.longest) == (10, 3, 60)


@pytest.mark.rule("V-3.16", "V-3.2")
def test_the_mean_of_what_ended_is_shorter_and_only_some_ever_advance():
    curve = aalen_johansen(DAYS, WAYS, CAUSES)

    assert DAYS[WAYS == 1].mean() == 18.6 < curve.median.value
    assert round(curve.incidence_at("advance", 60).value, 3) == 0.608


def test_quantiles_not_reached_are_none():
    curve = kaplan_meier(np.array([3, 9, 9, 9]), np.array([True, False, False, False]))

    assert curve.median.value is None
    assert curve.quantile(0.25).value == 3


def test_nothing_is_said_past_the_longest_observation():
    curve = kaplan_meier(DAYS, WAYS > 0)

    assert curve.survival_at(61) == Share(None, None, None)
    assert curve.survival_at(60).value == pytest.approx(0.175)
    assert curve.survival_at(0).value == 1


def test_an_empty_table_answers_none():
    curve = kaplan_meier(np.array([], int), np.array([], bool))

    assert (curve.n, curve.enough, curve.median.value, curve.rate("ended")) == (0, False, None, None)
    assert curve.survival_at(0).value is None
    assert curve.incidence_at("ended", 10).value is None
    assert curve.conditional_chance("ended", at=0, within=5) is None


def test_a_negative_duration_is_refused():
    with pytest.raises(ValueError, match="negative"):
        kaplan_meier(np.array([3, -1]), np.array([True, True]))


@given(samples)
def test_survival_and_the_ways_out_always_add_up_to_one(rows):
    curve = aalen_johansen(*columns(rows), CAUSES)

    assert curve.survival + curve.incidence.sum(axis=0) == pytest.approx(np.ones(len(curve.times)))
    assert (np.diff(curve.survival) <= 0).all()
    assert curve.exposure == sum(day for day, _ in rows)


@given(samples)
def test_without_censoring_the_curve_is_plain_counting(rows):
    days, _ = columns(rows)
    curve = kaplan_meier(days, np.ones(len(days), bool))

    assert curve.survival == pytest.approx([(days > t).mean() for t in curve.times])
    assert curve.median.value == np.sort(days)[(len(days) - 1) // 2]


@given(samples)
def test_one_minus_survival_of_a_single_cause_never_understates_its_incidence(rows):
    days, ways = columns(rows)
    both, alone = aalen_johansen(days, ways, CAUSES), kaplan_meier(days, ways == 1)

    for t in alone.times:
        assert 1 - alone.survival_at(t).value >= both.incidence_at("advance", t).value - 1e-12


@given(samples)
def test_intervals_hold_their_value(rows):
    curve = aalen_johansen(*columns(rows), CAUSES)

    for t in range(0, 41, 5):
        for share in (curve.survival_at(t), curve.incidence_at("lost", t)):
            assert (
                share.value is None or 0 <= share.low <= share.value + 1e-9 <= share.high + 2e-9 <= 1 + 3e-9
            )


@given(samples, samples)
def test_pooling_two_groups_is_the_curve_of_their_rows(one, other):
    pooled = pool([aalen_johansen(*columns(rows), CAUSES) for rows in (one, other)])
    direct = aalen_johansen(*columns(one + other), CAUSES)

    assert pooled.times.tolist() == direct.times.tolist()
    assert pooled.survival == pytest.approx(direct.survival)
    assert pooled.incidence == pytest.approx(direct.incidence)
    assert (pooled.n, pooled.exposure, pooled.longest) == (direct.n, direct.exposure, direct.longest)


def test_log_rank_by_hand():
    """Times 1, 3 against 2, 4: of the first group's events 1/2 + 1/3 + 1/2 were expected."""
    ended = np.ones(2, bool)
    found = log_rank(kaplan_meier(np.array([1, 3]), ended), kaplan_meier(np.array([2, 4]), ended))

    assert found.observed == 2
    assert found.expected == pytest.approx(1 / 2 + 1 / 3 + 1 / 2)
    assert found.z == pytest.approx((2 - 4 / 3) / (1 / 4 + 2 / 9 + 1 / 4) ** 0.5)


def test_log_rank_of_a_group_with_itself_finds_nothing():
    curve = aalen_johansen(DAYS, WAYS, CAUSES)

    assert (log_rank(curve, curve).z, log_rank(curve, curve).p) == (pytest.approx(0), pytest.approx(1))
