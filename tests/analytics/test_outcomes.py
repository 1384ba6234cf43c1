from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analytics.builders import DAY0, Case, history, on

from fairlead.analytics.days import Window
from fairlead.analytics.intervals import Rate
from fairlead.analytics.outcomes import (
    CRITERION,
    compare_groups,
    criterion_lift,
    loss_reason_chart,
    win_curve,
    win_rate,
)
from fairlead.analytics.tables import EVERYTHING, codes

ALL = {"scope": EVERYTHING, "as_of": on(900)}


def days(since, before):
    return Window(DAY0 + timedelta(days=since), DAY0 + timedelta(days=before))


def ended(**counts):
    return history(*(Case(f"a0 {word}9", amount=10) for word, n in counts.items() for _ in range(n)), "a0")


@pytest.mark.rule("V-3.9")
def test_the_vector():
    found = ended(won=12, lost=18, nodecision=6, walked=4, invalid=3, duplicate=2)

    closed, full = (win_rate(found, basis=basis, **ALL) for basis in ("closed", "full"))

    assert (closed.count.k, closed.count.n, closed.count.value) == (12, 30, 0.4)
    assert (round(closed.count.low, 4), round(closed.count.high, 4)) == (0.2459, 0.5768)
    assert (full.count.k, full.count.n, full.count.value) == (12, 40, 0.3)
    assert (round(full.count.low, 4), round(full.count.high, 4)) == (0.1807, 0.4543)
    assert closed.excluded == full.excluded == 5
    assert closed.left_out == {
        "invalid": 3,
        "duplicate": 2,
        "merged": 0,
        "left_process": 0,
        "no_decision": 6,
        "walked_away": 4,
    }
    assert full.left_out == {"invalid": 3, "duplicate": 2, "merged": 0, "left_process": 0}


def test_win_rate_by_value_and_in_a_window():
    found = history(Case("a0 won5", amount=30), Case("a0 lost6", amount=90), Case("a0 won50", amount=1))

    table = win_rate(found, basis="closed", closed=days(0, 40), **ALL)

    assert (table.value.value, table.won_value, table.n) == (0.25, 30, 2)


def test_win_rate_as_known_then():
    found = history("a0 won5", "a0 lost60", "a0 lost5")

    assert win_rate(found, basis="closed", scope=EVERYTHING, as_of=on(30)).count.value == 0.5


@given(st.lists(st.sampled_from(["won", "lost", "nodecision", "walked", "invalid", "merged"]), max_size=40))
def test_the_full_basis_is_never_kinder_than_the_closed_one(words):
    found = history(*(f"a0 {word}9" for word in words))

    closed, full = (win_rate(found, basis=basis, **ALL) for basis in ("closed", "full"))

    assert full.n >= closed.n
    assert full.n + full.excluded == len(words)
    if closed.n:
        assert full.count.value <= closed.count.value


def test_the_win_curve_counts_open_cases_as_still_to_come():
    found = history("a0 won30", "a0 won31", "a0 lost20", "a60", "a? won9", "a0 duplicate5")

    curve = win_curve(found, scope=EVERYTHING, as_of=on(70), at=(30, 90))

    assert curve.n == 4
    assert curve.points[30].value == pytest.approx(2 / 3 * 1 / 2)  # the open one left after ten days
    assert curve.points[90].value == pytest.approx(curve.curve.incidence_at("won", 31).value)
    assert curve.left_out == {"opened_unknown": 1, "excluded": 1}


def test_nothing_closed_gives_no_number():
    for found in (history(), history("a0")):
        assert win_rate(found, basis="full", **ALL).count.value is None
        lift = criterion_lift(found, criterion=np.ones(len(found.journeys), np.int8), **ALL)
        assert (lift.value, lift.enough) == (None, False)
        chart = loss_reason_chart(found, reason=np.zeros(len(found.journeys), int), code=0, periods=[], **ALL)
        assert (chart.centre, chart.enough) == (None, False)
    assert win_curve(history(), **ALL).points[30].value is None
    assert compare_groups({}) == ()


def standings(*words):
    return codes(words, CRITERION).astype(np.int8)


def test_lift_by_hand():
    ends = ("won9", "won9", "lost9", "won9", "lost9", "lost9", "nodecision9", "", "won9")
    found = history(*(f"a0 {end}" for end in ends))
    criterion = standings("met", "met", "met", "unmet", "waived", "expired", "unmet", "met", "not_applicable")

    lift = criterion_lift(found, criterion=criterion, **ALL)

    assert (lift.a.k, lift.a.n, lift.b.k, lift.b.n) == (2, 3, 1, 4)
    assert lift.value == pytest.approx(2 / 3 - 1 / 4)
    assert lift.holds_zero
    assert lift.left_out == {"never_asked": 0, "not_applicable": 1, "still_open": 1, "outside_basis": 0}


def test_lift_within_strata_does_not_credit_the_criterion_with_the_size():
    """Small deals win more and meet it more; within a size it makes no difference."""
    rows = [("won", "met", 0)] * 80 + [("lost", "met", 0)] * 20 + [("won", "unmet", 0)] * 16
    rows += [("lost", "unmet", 0)] * 4 + [("won", "met", 1)] * 4 + [("lost", "met", 1)] * 16
    rows += [("won", "unmet", 1)] * 20 + [("lost", "unmet", 1)] * 80
    found = history(*(f"a0 {word}9" for word, _, _ in rows))
    criterion, size = standings(*(met for _, met, _ in rows)), np.array([band for _, _, band in rows])

    assert not criterion_lift(found, criterion=criterion, **ALL).holds_zero
    within = criterion_lift(found, criterion=criterion, strata=size, **ALL)
    assert within.value == pytest.approx(0)
    assert within.holds_zero


def test_an_idle_criterion_holds_zero_and_one_that_matters_does_not():
    chance = np.random.default_rng(7)
    met, idle = chance.random(2_000) < 0.6, chance.random(2_000) < 0.5
    won = chance.random(2_000) < np.where(met, 0.5, 0.3)
    found = history(*("a0 won9" if w else "a0 lost9" for w in won))

    def lift(held):
        return criterion_lift(found, criterion=standings(*np.where(held, "met", "unmet")), **ALL)

    assert lift(met).low > 0.1
    assert lift(idle).holds_zero


def test_groups_are_compared_with_all_others_and_only_the_odd_one_stands_out():
    rates = {
        "north": Rate.of(120, 400),
        "south": Rate.of(118, 400),
        "east": Rate.of(60, 400),
        "new": Rate.of(0, 3),
    }

    rows = compare_groups(rates)

    assert [row.group for row in rows] == ["new", "east", "south", "north"]
    assert [row.group for row in rows if row.signal and row.versus_rest.value < 0] == ["east"]
    assert rows[1].versus_rest.b == Rate.of(238, 803)


def test_a_month_of_price_losses_stands_out():
    months = [days(30 * m, 30 * m + 30) for m in range(12)]
    rows = []
    for m in range(12):
        price = 25 if m == 7 else 10
        rows += [(f"a0 lost{30 * m + 3}", 1)] * price + [(f"a0 lost{30 * m + 4}", 2)] * 20
        rows += [(f"a0 won{30 * m + 5}", -1)] * (50 - price) + [(f"a0 invalid{30 * m + 5}", -1)]
    found = history(*(path for path, _ in rows))

    chart = loss_reason_chart(found, reason=np.array([r for _, r in rows]), code=1, periods=months, **ALL)

    assert [m for m, point in enumerate(chart.points) if point.signal == "outside"] == [7]
    assert [(point.x, point.n) for point in chart.points][6:8] == [(10, 70), (25, 70)]
    assert (chart.n, chart.left_out, chart.provisional) == (840, {"excluded": 12}, False)


@pytest.mark.rule("VR-2")
def test_what_left_its_process_is_in_no_win_rate_and_censored_in_every_curve():
    found = history("a0 won9", "a0 lost9", "a0 left_process5", "a0")

    rate = win_rate(found, basis="closed", **ALL)
    assert (rate.count.k, rate.count.n, rate.left_out["left_process"], rate.excluded) == (1, 2, 1, 0)
    curve = win_curve(found, at=(30,), **ALL)
    assert curve.n == 4 and curve.left_out.get("excluded", 0) == 0
    same = win_curve(history("a0 won9", "a0 lost9", "a0"), at=(9,), **ALL)
    # Whoever left on day 5 counts among those followed until then, and no more.
    assert win_curve(found, at=(9,), **ALL).points[9].value == same.points[9].value
