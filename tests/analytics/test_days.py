from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.analytics.days import NEVER, Window, date_of, day_of, instant, local_day, local_days, months
from fairlead.analytics.tables import instants

ZONES = [UTC, ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")]


@pytest.mark.parametrize("zone", ZONES, ids=str)
@given(seconds=st.lists(st.integers(788_918_400, 2_051_222_400)))  # 1995 to 2035
def test_the_local_day_is_the_one_python_says(zone, seconds):
    aware = [datetime.fromtimestamp(second, UTC) for second in seconds]

    found = local_days(instants(aware), zone)

    assert found.tolist() == [local_day(moment, zone) for moment in aware]


def test_the_day_turns_at_local_midnight_also_when_the_clocks_change():
    zone = ZoneInfo("America/New_York")
    midnight = datetime(2024, 3, 10, 5, tzinfo=UTC)  # 00:00 in New York, two hours before the change
    after = datetime(2024, 3, 11, 4, tzinfo=UTC)  # 00:00 of a day that was 23 hours short

    days = local_days(instants([midnight - timedelta(microseconds=1), midnight, after]), zone)

    assert [date_of(int(day)) for day in days] == [date(2024, 3, 9), date(2024, 3, 10), date(2024, 3, 11)]


def test_no_instant_is_never_and_lies_in_no_window():
    days = local_days(instants([None, datetime(2024, 1, 1, tzinfo=UTC)]), UTC)

    assert days.tolist() == [NEVER, day_of(date(2024, 1, 1))]
    assert Window().holds(days).tolist() == [False, True]


def test_a_window_is_half_open():
    days = np.array([day_of(date(2024, 1, d)) for d in (1, 2, 3)])

    assert Window(date(2024, 1, 1), date(2024, 1, 3)).holds(days).tolist() == [True, True, False]


def test_months_cover_the_window_without_gap_or_overlap():
    found = months(date(2023, 11, 15), date(2024, 2, 10))

    assert [w.since for w in found] == [
        date(2023, 11, 15),
        date(2023, 12, 1),
        date(2024, 1, 1),
        date(2024, 2, 1),
    ]
    assert [w.before for w in found[:-1]] == [w.since for w in found[1:]]
    assert found[-1].before == date(2024, 2, 10)


def test_an_instant_without_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        instant(datetime(2024, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        instants([datetime(2024, 1, 1)])  # noqa: DTZ001
