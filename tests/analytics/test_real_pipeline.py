"""The figures of the real pipeline, computed from its CSV alone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from tests.analytics.builders import real_pipeline

from fairlead.analytics import duration, funnel, outcomes
from fairlead.analytics.days import Window
from fairlead.analytics.tables import EVERYTHING

ZONES = [UTC, ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")]


@pytest.fixture(scope="module", params=ZONES, ids=str)
def pipeline(request):
    """The same figures wherever the organisation is: a day is a local day."""
    as_of = datetime(2017, 12, 31, 18, tzinfo=request.param)
    return real_pipeline(request.param), {"scope": EVERYTHING, "as_of": as_of}


def test_stock(pipeline):
    history, given = pipeline

    table = funnel.stock(history, **given)

    assert [(row.stage, row.count) for row in table.rows] == [("prospecting", 500), ("engaging", 1_589)]
    assert [row.entry_unknown for row in table.rows] == [500, 0]
    assert table.n == 2_089


def test_how_engaging_was_left(pipeline):
    history, given = pipeline

    row = funnel.period_exit_yield(history, **given).rows[1]

    assert (row.n, row.ends["won"], row.ends["lost"]) == (6_711, 4_238, 2_473)


@pytest.mark.rule("V-3.16")
def test_time_in_engaging(pipeline):
    history, given = pipeline

    prospecting, engaging = funnel.time_in_stage(history, at=(138,), **given).rows

    assert (engaging.n, engaging.curve.median.value) == (8_300, 69)
    assert round(engaging.chances[138]["won"].value, 4) == 0.5194
    assert round(engaging.chances[138]["lost"].value, 4) == 0.3017
    assert (prospecting.n, prospecting.left_out["entry_unknown"]) == (0, 500)


@pytest.mark.rule("V-3.1")
@pytest.mark.parametrize("mode", ["reach", "touch"])
def test_engaged_in_the_first_quarter_and_won_within_ninety_days(pipeline, mode):
    history, given = pipeline
    quarter = Window(date(2017, 1, 1), date(2017, 4, 1))

    row = funnel.cohort_conversion(history, horizon_days=90, mode=mode, entered=quarter, **given).rows[1]

    assert (row.n, row.count.k) == (1_619, 606)
    assert (round(row.count.value, 4), round(row.count.low, 4), round(row.count.high, 4)) == (
        0.3743,
        0.3511,
        0.3981,
    )


@pytest.mark.rule("V-3.9")
def test_win_rate_and_won_value(pipeline):
    history, given = pipeline

    found = outcomes.win_rate(history, basis="closed", **given)

    assert (found.outcomes["won"], found.outcomes["lost"]) == (4_238, 2_473)
    assert round(found.count.value, 5) == 0.63150
    assert found.won_value == 10_005_534
    assert not found.value.enough  # a lost one has no amount here, so a share by value would mean nothing


def test_days_to_close(pipeline):
    history, given = pipeline

    found = duration.cycle_length(history, **given)

    assert (found.decided.n, found.decided.median.value) == (6_711, 45)
    assert (found.everyone.n, found.everyone.median.value) == (8_300, 69)
    assert found.left_out["opened_unknown"] == 500
