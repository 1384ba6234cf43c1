from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.exchange.reading.dates import DateOrder, infer_order, read_date, read_datetime
from fairlead.exchange.reading.numbers import NumberStyle, infer_style, read_number
from fairlead.exchange.reading.reading import Outcome
from fairlead.exchange.reading.values import ReadAs, read_cell, read_column, split_values
from fairlead.fields.enums import FieldType

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    "text",
    ["2017-03-04", "2017/3/4", "2017.3.4", "2017年3月4日", "2017 年 03 月 04 日", "２０１７-０３-０４",
    "20170304", "4 Mar 2017",
     "March 4, 2017", "4-Mar-2017", "2017-03-04 周六", "42798", "42798.0", "2017-03-04T00:00:00"],
)  # fmt: skip
def test_one_day_in_many_dresses(text):
    assert read_date(text).value == date(2017, 3, 4)


def test_day_and_month_are_asked_for_where_nothing_settles_them():
    reading = read_date("03/04/2017")
    assert reading.outcome is Outcome.AMBIGUOUS
    assert reading.options == (date(2017, 4, 3), date(2017, 3, 4))
    assert reading.code == "date-ambiguous"
    assert read_date("03/04/2017", order=DateOrder.MONTH_FIRST).value == date(2017, 3, 4)
    assert read_date("03/04/2017", order=DateOrder.DAY_FIRST).value == date(2017, 4, 3)
    assert read_date("05/05/2017").value == date(2017, 5, 5)
    assert read_date("25/04/2017").value == date(2017, 4, 25)
    assert read_date("25/04/2017", order=DateOrder.MONTH_FIRST).code == "date-impossible"
    assert read_date("04/03/17", order=DateOrder.MONTH_FIRST).value == date(2017, 4, 3)


def test_one_cell_settles_the_whole_column():
    readings, how = read_column(["03/04/2017", "", "25/04/2017", "n/a"], ReadAs(type=FieldType.DATE))
    assert how.order is DateOrder.DAY_FIRST
    assert [r.value for r in readings] == [date(2017, 4, 3), None, date(2017, 4, 25), None]
    assert [r.outcome for r in readings] == [
        Outcome.VALUE, Outcome.EMPTY, Outcome.VALUE, Outcome.PLACEHOLDER
    ]  # fmt: skip


def test_what_a_column_says_about_its_order():
    silent = infer_order(["2017-01-02", "05/05/2017"])
    assert (silent.order, silent.asks) == (None, False)
    open_ = infer_order(["01/02/2017", "03/04/2017"])
    assert (open_.order, open_.ambiguous, open_.asks, open_.example) == (None, 2, True, "01/02/2017")
    mixed = infer_order(["25/01/2017", "01/25/2017"])
    assert (mixed.conflict, mixed.asks) == (True, True)


@given(st.dates(date(1902, 1, 1), date(2098, 1, 1)), st.sampled_from(list(DateOrder)), st.sampled_from("-/."))
def test_every_day_comes_back_in_its_order(day, order, sign):
    parts = [day.day, day.month] if order is DateOrder.DAY_FIRST else [day.month, day.day]
    assert read_date(sign.join(map(str, [*parts, day.year])), order=order).value in (day, None)
    assert read_date(f"{day.year}年{day.month}月{day.day}日").value in (
        day,
        None,
    )  # None: 1970-01-01 stands for none


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2017-03-04 17:00", datetime(2017, 3, 4, 9, tzinfo=UTC)),
        ("2017-03-04T17:00:00Z", datetime(2017, 3, 4, 17, tzinfo=UTC)),
        ("2017-03-04T17:00:00+01:00", datetime(2017, 3, 4, 16, tzinfo=UTC)),
        ("2017年3月4日 下午5:30", datetime(2017, 3, 4, 9, 30, tzinfo=UTC)),
        ("2017年3月4日 17时30分", datetime(2017, 3, 4, 9, 30, tzinfo=UTC)),
        ("3/14/2017 5:00 PM", datetime(2017, 3, 14, 9, tzinfo=UTC)),
        ("26-02-2018 19:58", datetime(2018, 2, 26, 11, 58, tzinfo=UTC)),
        ("2017-03-04", datetime(2017, 3, 3, 16, tzinfo=UTC)),
        ("42798.75", datetime(2017, 3, 4, 10, tzinfo=UTC)),
    ],
)
def test_instants(text, instant):
    assert read_datetime(text, tz=SHANGHAI).value == instant


def test_a_time_with_a_zone_counts_on_the_day_where_it_is():
    assert read_date("2017-03-04T23:30:00Z", tz=SHANGHAI).value == date(2017, 3, 5)
    assert read_date("2017-03-04 23:30", tz=SHANGHAI).value == date(2017, 3, 4)


@pytest.mark.parametrize("text", ["2017-13-01", "2017-02-30", "31/02/2017", "99/99/2017", "2017年2月30日"])
def test_days_that_do_not_exist(text):
    assert read_date(text).code == "date-impossible"


@pytest.mark.parametrize(
    "text", ["soon", "2017", "12", "1.5", "2017-03-04 foo", "2017-03-04 25:00", "x" * 100]
)
def test_what_is_no_date(text):
    assert read_date(text).code == "not-a-date"


@pytest.mark.parametrize(
    "text", ["1900-01-01", "0000-00-00", "1970-01-01", "9999-12-31", "n/a", "待定", "-", "无", "—"]
)
def test_placeholders_are_named_not_dropped(text):
    reading = read_cell(text, ReadAs(type=FieldType.DATE))
    assert (reading.outcome, reading.value, reading.code) == (Outcome.PLACEHOLDER, None, "placeholder")
    assert reading.problem(5, 2).params == {"value": text}


def test_placeholders_can_be_kept():
    assert read_cell("无", ReadAs(type=FieldType.TEXT, keep_placeholders=True)).value == "无"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234.56", "1234.56"), ("1.234,56", "1234.56"), ("1'234.56", "1234.56"), ("1 234,56", "1234.56"),
        ("1,234", "1234"),
        ("1,234,567", "1234567"), ("1.234.567", "1234567"), ("-5", "-5"), ("−5", "-5"), ("5-", "-5"),
        ("(300)", "-300"),
        ("（1,300.50）", "-1300.50"), ("¥180万", "1800000"), ("1.5亿元", "150000000"), ("￥ 1,200.00 元",
        "1200"),
        ("US$ 20k", "20000"), ("€1.234,50", "1234.5"), ("12.5%", "0.125"), ("5‰", "0.005"), ("０.５",
        "0.5"), (".5", "0.5"),
        ("1.2E+05", "120000"), ("0", "0"), ("007", "7"), ("2,5", "2.5"), ("RMB 3.2m", "3200000"),
        ("人民币3万", "30000"),
    ],
)  # fmt: skip
def test_numbers(text, number):
    reading = read_number(text)
    assert reading.value == Decimal(number), reading


def test_numbers_say_what_they_met():
    assert read_number("¥180万").hints == ("currency:CNY", "factor:10000")
    assert read_number("¥180万").currency == "CNY"
    assert read_number("US$5").currency == "USD"
    assert read_number("(3%)").hints == ("percent", "negative-in-parentheses")


def test_point_or_comma_is_settled_by_the_column_or_asked_for():
    assert read_number("1.234").outcome is Outcome.AMBIGUOUS
    assert read_number("1.234").options == (Decimal(1234), Decimal("1.234"))
    assert read_number("1.234", style=NumberStyle.COMMA).value == 1234
    assert read_number("1,234", style=NumberStyle.COMMA).value == Decimal("1.234")
    assert read_number("1.234", style=NumberStyle.POINT).value == Decimal("1.234")
    readings, how = read_column(["1.234", "2.500,75"], ReadAs(type=FieldType.MONEY))
    assert (how.style, [r.value for r in readings]) == (NumberStyle.COMMA, [1234, Decimal("2500.75")])
    assert infer_style(["1,5", "1.5"]).conflict
    assert read_number("1,5", style=NumberStyle.POINT).code == "not-a-number"


@pytest.mark.parametrize(
    "text", ["", "abc", "1.2.3", "1,23,4", "--5", "(5", "5)", "NaN", "inf", "1 2 3", "12abc", "=1+1"]
)
def test_what_is_no_number(text):
    assert read_number(text).code == "not-a-number"


@pytest.mark.parametrize("text", ["1e400", "9" * 40, "1" + "0" * 15, "1e20"])
def test_numbers_beyond_all_measure(text):
    assert read_number(text).code in ("number-too-large", "not-a-number")


@given(st.decimals(-(10**12), 10**12, places=2, allow_nan=False))
def test_every_amount_comes_back(number):
    assert read_number(f"{number:,.2f}").value == number
    european = f"{number:,.2f}".translate(str.maketrans(",.", ".,"))
    assert read_number(european, style=NumberStyle.COMMA).value == number


def test_whole_numbers_have_no_fraction():
    assert read_cell("12", ReadAs(type=FieldType.INTEGER)).value == 12
    assert type(read_cell("1,200.0", ReadAs(type=FieldType.INTEGER)).value) is int
    assert read_cell("1.5", ReadAs(type=FieldType.INTEGER)).code == "not-a-number"


@pytest.mark.parametrize(
    ("text", "value"),
    [("是", True), ("Yes", True), ("1", True), ("TRUE", True), ("√", True), ("有", True), ("否", False),
    ("no", False),
     ("0", False), ("×", False), ("无", False)],
)  # fmt: skip
def test_yes_and_no(text, value):
    assert read_cell(text, ReadAs(type=FieldType.BOOLEAN)).value is value


def test_choices_one_and_several():
    choices = {"hot": ("Hot", "热"), "cold": ("Cold", "冷")}
    assert read_cell(" HOT ", ReadAs(type=FieldType.CHOICE, choices=choices)).value == "hot"
    assert read_cell("warm", ReadAs(type=FieldType.CHOICE, choices=choices)).code == "not-a-choice"
    chosen = ReadAs(type=FieldType.CHOICE, choices=choices, value_map={"warm": "hot", "none yet": ""})
    assert read_cell("Warm", chosen).value == "hot"
    assert read_cell("none yet", chosen).outcome is Outcome.PLACEHOLDER
    several = ReadAs(type=FieldType.MULTI_CHOICE, choices=choices)
    assert read_cell("冷、Hot;hot", several).value == ("cold", "hot")
    assert read_cell("冷、x", several).params == {"value": "x"}
    assert split_values("a; b；c|d\ne") == ["a", "b", "c", "d", "e"]


def test_addresses_and_phones():
    mail, phone = ReadAs(type=FieldType.EMAIL), ReadAs(type=FieldType.PHONE)
    assert read_cell("Tony <Tony@Moveer.COM>", mail).value == "Tony@moveer.com"
    assert read_cell("a@b.cn; c@d.com", mail).options == ("a@b.cn", "c@d.com")
    assert read_cell("a＠b.cn", mail).value == "a@b.cn"
    assert read_cell("tony at moveer", mail).code == "not-an-email"
    assert read_cell("+86 138 1234 5678", phone).value == "+86 138 1234 5678"
    assert read_cell("010-8888 转 12", phone).value == "010-8888 转 12"
    assert read_cell("13812345678.0", phone).value == "13812345678"
    assert read_cell("1.38123E+10", phone).code == "phone-rounded"


def test_text_is_kept_as_it_is():
    assert read_cell(" =1+1 ", ReadAs(type=FieldType.TEXT)).value == " =1+1 "
    assert read_cell("x" * 11, ReadAs(type=FieldType.TEXT, max_length=10)).code == "text-too-long"
