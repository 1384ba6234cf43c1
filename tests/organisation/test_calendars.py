from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fairlead.organisation.calendars import (
    OFFICE_WEEK,
    Calendar,
    Exceptional,
    mainland_china,
    parse_hours,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
CHINA = Calendar(notices=mainland_china())
ROUND_THE_CLOCK = {weekday: ((time(0), time(0)),) for weekday in range(1, 8)}
NIGHT_SHIFT = Calendar(time_zone="Europe/Berlin", weekly={7: ((time(1), time(6)),), 1: ((time(0), time(4)),)})
#: A day, a week over New Year, and two years at once.
LEAVE = (
    (date(2024, 5, 6), date(2024, 5, 6)),
    (date(2024, 12, 27), date(2025, 1, 3)),
    (date(2026, 2, 1), date(2028, 1, 31)),
)
CALENDARS = {
    "china": CHINA,
    "berlin": Calendar(time_zone="Europe/Berlin"),
    "night": NIGHT_SHIFT,
    "always": Calendar(time_zone="Europe/Berlin", weekly=ROUND_THE_CLOCK),
    "gulf": Calendar(time_zone="Asia/Dubai", weekly=dict.fromkeys((7, 1, 2, 3, 4), OFFICE_WEEK[1])),
    "away": CHINA.away(LEAVE),
    "berlin away": Calendar(time_zone="Europe/Berlin", weekly=ROUND_THE_CLOCK).away(LEAVE),
}


def shanghai(*args: int) -> datetime:
    return datetime(*args, tzinfo=SHANGHAI)  # type: ignore[arg-type,misc]


@pytest.mark.rule("AC-24", "CA-2")
def test_three_working_days_from_friday_before_national_day_end_on_the_eighth():
    due = CHINA.add_working_days(shanghai(2018, 9, 28, 10), 3)

    assert due == shanghai(2018, 10, 8, 18)
    assert CHINA.count_working_days(date(2018, 9, 28), date(2018, 10, 12)) == 8
    assert Calendar().add_working_days(shanghai(2018, 9, 28, 10), 3) == shanghai(2018, 10, 3, 18)


@pytest.mark.rule("CA-2")
@pytest.mark.parametrize(
    ("day", "works"),
    [
        ((2023, 1, 28), True), ((2023, 10, 6), False), ((2023, 12, 30), False), ((2024, 2, 9), True),
        ((2024, 2, 18), True), ((2024, 10, 12), True), ((2025, 1, 28), False), ((2025, 10, 8), False),
        ((2025, 9, 28), True), ((2026, 1, 4), True), ((2026, 2, 23), False), ((2026, 9, 20), True),
        ((2018, 12, 29), True), ((2018, 12, 31), False),
    ],
)  # fmt: skip
def test_official_notices_of_mainland_china(day, works):
    assert CHINA.is_workday(date(*day)) is works


@pytest.mark.rule("CA-2")
@pytest.mark.parametrize(("year", "days"), [(2018, 250), (2023, 249), (2024, 251), (2025, 248), (2026, 248)])
def test_number_of_working_days_of_each_published_year(year, days):
    assert CHINA.count_working_days(date(year, 1, 1), date(year, 12, 31)) == days
    assert not CHINA.is_provisional(year)


@pytest.mark.rule("CA-2", "AC-25")
def test_a_year_without_notice_is_provisional_and_keeps_the_dates_of_the_law():
    assert CHINA.is_provisional(2027)
    assert not Calendar().is_provisional(2027)
    assert [CHINA.is_workday(date(2027, 10, day)) for day in (1, 4)] == [False, True]
    assert not CHINA.is_workday(date(2027, 1, 1))
    assert CHINA.is_workday(date(2024, 12, 31))
    assert CHINA.exception_on(date(2027, 5, 1)) == Exceptional("holiday", "劳动节", "Labour Day")
    for year in (1, 1949, 2100, 9999):
        assert CHINA.count_working_days(date(year, 1, 1), date(year, 12, 31)) > 250


@pytest.mark.rule("CA-1")
def test_half_days_company_days_and_lunch():
    days = {
        date(2026, 12, 24): Exceptional("half_day"),
        date(2026, 12, 25): Exceptional("holiday"),
        date(2026, 10, 1): Exceptional("workday"),
        date(2026, 12, 26): Exceptional("workday", hours=((time(10), time(11)),)),
    }
    calendar = Calendar(days=days, notices=mainland_china())

    assert calendar.hours_on(date(2026, 12, 24)) == ((time(9), time(12)),)
    assert calendar.hours_on(date(2026, 12, 25)) == ()
    assert calendar.is_workday(date(2026, 10, 1))  # the company's word beats the notice
    spent = calendar.working_time_between(shanghai(2026, 12, 23, 11), shanghai(2026, 12, 28, 9))
    assert spent == timedelta(hours=1 + 4.5 + 3 + 1)
    assert calendar.working_time_between(shanghai(2026, 12, 23, 11), shanghai(2026, 12, 23, 14)) == timedelta(
        hours=1.5
    )


@pytest.mark.rule("CA-5")
def test_a_clock_started_at_night_begins_at_the_next_opening():
    friday_night = shanghai(2026, 3, 6, 22)

    assert CHINA.add_working_time(friday_night, timedelta(0)) == shanghai(2026, 3, 9, 9)
    assert CHINA.add_working_time(friday_night, timedelta(hours=1)) == shanghai(2026, 3, 9, 10)
    assert CHINA.add_working_days(friday_night, 1) == shanghai(2026, 3, 10, 18)
    assert CHINA.add_working_days(friday_night, 0) == shanghai(2026, 3, 9, 18)
    assert CHINA.opening_at(shanghai(2026, 3, 6, 12, 30)) == shanghai(2026, 3, 6, 13, 30)


@pytest.mark.rule("CA-5")
def test_due_at_closing_time_is_the_closing_not_the_next_opening():
    start = shanghai(2026, 3, 6, 17)

    assert CHINA.add_working_time(start, timedelta(hours=1)) == shanghai(2026, 3, 6, 18)
    assert CHINA.working_time_between(start, shanghai(2026, 3, 6, 18)) == timedelta(hours=1)
    later = CHINA.add_working_time(start, timedelta(hours=1, microseconds=1))
    assert later == shanghai(2026, 3, 9, 9) + timedelta(microseconds=1)


@pytest.mark.rule("CA-4")
def test_an_hour_is_an_hour_on_the_nights_when_clocks_change():
    spring = datetime(2026, 3, 29, 0, tzinfo=BERLIN)
    autumn = datetime(2026, 10, 25, 0, tzinfo=BERLIN)

    assert NIGHT_SHIFT.working_time_between(spring, spring + timedelta(days=1)) == timedelta(hours=4)
    assert NIGHT_SHIFT.working_time_between(autumn, autumn + timedelta(days=1)) == timedelta(hours=6)
    assert CALENDARS["always"].working_time_between(spring, spring + timedelta(days=1)) == timedelta(hours=23)


INSTANTS = st.integers(0, 5 * 366 * 24 * 60).map(
    lambda n: datetime(2023, 1, 1, tzinfo=UTC) + timedelta(minutes=n)
)


@pytest.mark.rule("CA-4")
@settings(deadline=None)  # the first question about a year sums it
@given(st.sampled_from(sorted(CALENDARS)), INSTANTS, INSTANTS)
def test_adding_the_time_between_arrives_where_it_was_measured(name, one, other):
    calendar = CALENDARS[name]
    start, end = sorted((one, other))
    end = calendar.opening_at(end)
    assume(calendar.working_time_between(start, end) > timedelta(0))
    opening = calendar.is_working(end) and not calendar.is_working(end - timedelta(microseconds=1))
    assume(not opening)  # the opening is the same working instant as the closing before it

    assert calendar.add_working_time(start, calendar.working_time_between(start, end)) == end


@pytest.mark.rule("CA-4")
@settings(deadline=None)  # the first question about a year sums it
@given(
    st.sampled_from(sorted(CALENDARS)), INSTANTS, INSTANTS,
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=40)),
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=40)),
)  # fmt: skip
def test_more_time_and_later_starts_never_end_earlier(name, one, other, little, much):
    calendar = CALENDARS[name]
    start, later = sorted((one, other))
    little, much = sorted((little, much))

    assert calendar.add_working_time(start, little) <= calendar.add_working_time(start, much)
    assert calendar.add_working_time(start, little) <= calendar.add_working_time(later, little)
    ended = calendar.add_working_time(start, much)
    assert calendar.working_time_between(start, ended) == much
    assert calendar.working_time_between(later, start) == -calendar.working_time_between(start, later)


DATES = st.dates(min_value=date(1995, 1, 1), max_value=date(2031, 12, 31))


@pytest.mark.rule("CA-4")
@settings(deadline=None)  # the first question about a year sums it
@given(DATES, DATES, st.integers(1, 400))
def test_working_days_agree_with_counting_by_hand(one, other, n):
    start, end = sorted((one, min(other, one + timedelta(days=900))))
    by_hand = sum(CHINA.is_workday(start + timedelta(days=k)) for k in range(1, (end - start).days + 1))

    assert CHINA.working_days_between(start, end) == by_hand
    assert CHINA.working_days_between(end, start) == -by_hand
    assert CHINA.working_days_between_many(
        [start.toordinal(), end.toordinal()], [end.toordinal(), start.toordinal()]
    ) == [by_hand, -by_hand]
    after = CHINA.workday_after(start, n)
    assert CHINA.is_workday(after)
    assert CHINA.working_days_between(start, after) == n


@pytest.mark.rule("CA-1", "CA-4")
@settings(deadline=None)  # the first question about a year sums it
@given(
    st.sampled_from(["china", "berlin", "night", "gulf"]),
    DATES,
    st.integers(0, 800),
    DATES,
    st.integers(1, 60),
)
def test_leave_takes_its_days_out_of_a_calendar_and_no_others(name, first, length, day, n):
    calendar, last = CALENDARS[name], min(first + timedelta(days=length), date(2033, 12, 31))
    away = calendar.away([(first, last)])
    assert away.is_workday(day) == (calendar.is_workday(day) and not first <= day <= last)
    assert away.hours_on(day) == (() if first <= day <= last else calendar.hours_on(day))
    late = day + timedelta(days=400)
    lost = calendar.count_working_days(max(first, day + timedelta(days=1)), min(last, late))
    assert away.working_days_between(day, late) == calendar.working_days_between(day, late) - lost
    assert away.working_days_between_many([day.toordinal()], [late.toordinal()]) == [
        away.working_days_between(day, late)
    ]
    after = away.workday_after(day, n)
    assert away.is_workday(after)
    assert away.working_days_between(day, after) == n
    assert after >= calendar.workday_after(day, n)


@pytest.mark.rule("CA-1")
def test_a_clock_stands_still_while_its_owner_is_away():
    friday = shanghai(2026, 3, 6, 17)
    away = CHINA.away([(date(2026, 3, 9), date(2026, 3, 13))])
    assert CHINA.add_working_time(friday, timedelta(hours=2)) == shanghai(2026, 3, 9, 10)
    assert away.add_working_time(friday, timedelta(hours=2)) == shanghai(2026, 3, 16, 10)
    assert away.add_working_days(friday, 1) == shanghai(2026, 3, 16, 18)
    assert away.opening_at(shanghai(2026, 3, 10, 10)) == shanghai(2026, 3, 16, 9)
    assert away.usual_day == CHINA.usual_day
    assert CHINA.away([]) is CHINA


def test_hours_that_overlap_or_end_too_early_are_refused():
    for pairs in ([["12:00", "09:00"]], [["09:00", "12:00"], ["11:00", "13:00"]], [["x", "y"]]):
        with pytest.raises(ValueError):
            parse_hours(pairs)
    with pytest.raises(ValueError, match="at least one"):
        Calendar(weekly={})
    with pytest.raises(ValueError, match="time zone"):
        CHINA.is_working(datetime(2026, 3, 2, 10))  # noqa: DTZ001
    assert parse_hours([["13:30", "24:00"]]) == ((time(13, 30), time(0)),)
    assert OFFICE_WEEK[1] == parse_hours([["09:00", "12:00"], ["13:30", "18:00"]])
