"""One line of typing: what is understood, in both languages, on the clock of the person."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.work.enums import ActivityKind, ActivityOutcome
from fairlead.work.phrases import Person, Phrase, read_line

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 14, 20, tzinfo=SHANGHAI)  # a Tuesday
PEOPLE = [
    Person.named(1, "张工 · 设备部"),
    Person.named(2, "王建国"),
    Person.named(3, "李梅"),
    Person.named(4, "李强"),
    Person.named(5, "Anna Berg"),
]


def one(text: str, now: datetime = NOW) -> Phrase:
    line = read_line(text, now=now, people=PEOPLE)
    assert line is not None and line.then is None
    return line.now


#: What is typed → kind, planned, day and hour (none: just now), people, what remains.
LINES = [
    ("电话 张工 明天10点 报价", "call", True, "11-25 10:00", (1,), "报价"),
    ("call Zhang tomorrow 10am quote", "call", True, "11-25 10:00", (1,), "quote"),
    ("#电话 @张工 报价", "call", False, "", (1,), "报价"),
    ("给张工打电话谈报价", "call", False, "", (1,), "谈报价"),
    ("微信 王总 下周一", "chat", True, "11-30 09:00", (2,), ""),
    ("拜访了王总 昨天下午3点 确认需求", "visit", False, "11-23 15:00", (2,), "确认需求"),
    ("email wjg 2个工作日后 发合同", "email", True, "11-26 09:00", (2,), "发合同"),
    ("email wangjianguo in 2 working days contract", "email", True, "11-26 09:00", (2,), "contract"),
    ("周三 10点 演示 李强", "demo", True, "11-25 10:00", (4,), ""),
    ("周二 9点 电话 李梅", "call", True, "12-01 09:00", (3,), ""),
    ("周二 电话会议 16:30 李梅", "meeting", True, "11-24 16:30", (3,), ""),
    ("上周五 拜访 王建国 走访产线", "visit", False, "11-20 09:00", (2,), "走访产线"),
    ("last Friday visited Anna, line walk", "visit", False, "11-20 09:00", (5,), "line walk"),
    ("meet Anna next Friday at 3 about pricing", "meeting", True, "12-04 15:00", (5,), "pricing"),
    ("call Anna on Nov 30, 9:30", "call", True, "11-30 09:30", (5,), ""),
    ("call Anna 30th of November 3:15pm", "call", True, "11-30 15:15", (5,), ""),
    ("十一月三十日 上门 张工", "visit", True, "11-30 09:00", (1,), ""),
    ("11月30日 下午3点半 面谈 张工", "meeting", True, "11-30 15:30", (1,), ""),
    ("2026-12-03 9:30 研讨", "workshop", True, "12-03 09:30", (), ""),
    ("12/3 参观 标杆工厂", "site_visit", True, "12-03 09:00", (), "标杆工厂"),
    ("后天上午 电话 李梅", "call", True, "11-26 09:00", (3,), ""),
    ("明早 电话 李梅", "call", True, "11-25 09:00", (3,), ""),
    ("今晚8点 电话 李梅", "call", True, "11-24 20:00", (3,), ""),
    ("tonight call Anna", "call", True, "11-24 19:00", (5,), ""),
    ("半小时后 回电 张工", "call", True, "11-24 14:50", (1,), ""),
    ("in 2 hours call Anna", "call", True, "11-24 16:20", (5,), ""),
    ("三点一刻 见面 张工", "meeting", True, "11-24 15:15", (1,), ""),
    ("今天 电话 张工", "call", True, "11-24 18:00", (1,), ""),
    ("今天拜访了张工", "visit", False, "", (1,), ""),
    ("刚才和李梅聊天", "chat", False, "", (3,), ""),
    ("下周 跟进报价", "other", True, "11-30 09:00", (), "跟进报价"),
    ("月底 催款", "other", True, "11-30 09:00", (), "催款"),
    ("5号 回访 张工", "other", True, "12-05 09:00", (1,), "回访"),
    ("拜访 张工 在二号厂房 谈预算", "visit", False, "", (1,), "谈预算"),
    ("下月5号 回访 张工", "other", True, "12-05 09:00", (1,), "回访"),
    ("电话　张工　明天１０点　报价", "call", True, "11-25 10:00", (1,), "报价"),
]  # fmt: skip


@pytest.mark.rule("U06")
@pytest.mark.parametrize("text,kind,planned,at,people,rest", LINES, ids=[line[0] for line in LINES])
def test_a_line_is_understood(
    text: str, kind: str, planned: bool, at: str, people: tuple[int, ...], rest: str
) -> None:
    phrase = one(text)
    said = phrase.at.strftime("%m-%d %H:%M") if phrase.at is not None else ""
    assert (phrase.kind, phrase.planned, said, phrase.people, phrase.summary) == (
        *(kind, planned, at, people),
        rest,
    )
    assert bool(phrase.outcome) is not planned


@pytest.mark.rule("U06")
def test_after_the_arrow_comes_the_next_step_with_the_same_person() -> None:
    line = read_line("电话 张工 没接 → 明天9点 再打", now=NOW, people=PEOPLE)
    assert line is not None and line.then is not None
    assert (line.now.planned, line.now.outcome, line.now.people) == (False, "no_answer", (1,))
    then = line.then
    assert (then.kind, then.planned, then.people, then.summary) == ("call", True, (1,), "再打")
    english = read_line("met Anna, agreed then send the contract", now=NOW, people=PEOPLE)
    assert english is not None and english.then is not None
    assert english.now.outcome == ActivityOutcome.AGREED
    assert english.then.planned and english.then.at is not None and english.then.at > NOW


@pytest.mark.rule("U06")
def test_a_name_that_two_people_bear_is_asked_not_guessed() -> None:
    phrase = one("电话 李工 明天9点")
    assert phrase.people == () and set(phrase.maybe) == {3, 4}
    assert one("电话 李梅 明天9点").people == (3,)


@pytest.mark.rule("U06")
@pytest.mark.parametrize(
    "text,place,rest",
    [
        ("拜访 张工 明天10点 在客户现场 谈方案", "客户现场", "谈方案"),
        ("会议 明天10点 地点:上海总部 评审", "上海总部", "评审"),
        ("meet Anna tomorrow 10am at Shanghai Plant about scope", "Shanghai Plant", "scope"),
        ("meet Anna tomorrow 10am at their office", "their office", ""),
    ],
)
def test_where_is_understood(text: str, place: str, rest: str) -> None:
    phrase = one(text)
    assert (phrase.place, phrase.summary) == (place, rest)


@pytest.mark.rule("U06", "U36")
def test_the_hour_is_that_of_the_person_wherever_they_are() -> None:
    berlin = NOW.astimezone(ZoneInfo("Europe/Berlin"))
    phrase = one("call Anna tomorrow 10am", berlin)
    assert phrase.at is not None and phrase.at.utcoffset() == timedelta(hours=1)
    assert phrase.at.isoformat() == "2026-11-25T10:00:00+01:00"


@pytest.mark.rule("U06")
def test_the_house_says_which_days_are_worked() -> None:
    line = read_line(
        "2个工作日后 电话 张工", now=NOW, people=PEOPLE, workday_after=lambda day, n: day + timedelta(days=9)
    )
    assert line is not None and line.now.at is not None and line.now.at.day == 3


@pytest.mark.rule("T07", "T21")
@pytest.mark.parametrize(
    "text",
    ["99点 电话", "13月45日 电话", "2月30日 电话", "25:99 call", "0点 电话", "十十十月 电话", "in 999 months call",
     "999个月后 电话", "call " * 200, "<script>alert(1)</script>", "（）！？", "→", "→ →", "@", "在", "9999-12-31 call",
     "星期 周 下周八", "Feb 31 call"],
)  # fmt: skip
def test_odd_lines_never_break_it(text: str) -> None:
    line = read_line(text, now=NOW, people=PEOPLE)
    assert line is None or line.now.kind in ActivityKind.values


@pytest.mark.rule("T21")
@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80))
def test_whatever_is_typed_is_answered(text: str) -> None:
    line = read_line(text, now=NOW, people=PEOPLE)
    for phrase in (line.now, line.then) if line is not None else ():
        if phrase is not None:
            assert phrase.kind in ActivityKind.values and len(phrase.summary) <= 200
            assert not phrase.planned or (phrase.at is not None and phrase.at > NOW)
