"""When somebody means: “明天下午3点”, “下周一”, “Nov 30”, “in 2 days”. Pure; both languages; the person's own clock."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

#: Hours of the day that words alone name.
PARTS: Final = {
    "凌晨": time(5), "清晨": time(8), "早上": time(9), "早晨": time(9), "上午": time(9), "中午": time(12),
    "下午": time(14), "傍晚": time(18), "晚上": time(19), "早": time(9), "晚": time(19),
    "morning": time(9), "noon": time(12), "midday": time(12), "afternoon": time(14), "evening": time(18),
    "tonight": time(19),
}  # fmt: skip
_NUMBERS: Final = "零一二三四五六七八九"
_N: Final = r"(?:\d{1,3}|[零一二两三四五六七八九十]{1,3})"
_DAYS: Final = {
    "大前天": -3, "大后天": 3, "前天": -2, "后天": 2, "昨天": -1, "昨日": -1, "昨晚": -1, "明天": 1, "明日": 1,
    "明早": 1, "明晚": 1, "今天": 0, "今日": 0, "今早": 0, "今晚": 0, "当天": 0,
    "day after tomorrow": 2, "day before yesterday": -2, "tomorrow": 1, "tmrw": 1, "tmr": 1, "yesterday": -1,
    "today": 0, "tonight": 0, "this morning": 0, "this afternoon": 0,
}  # fmt: skip
_WEEKDAYS: Final = {
    "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6, "sun": 7,
    "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "日": 7, "天": 7,
}  # fmt: skip
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY: Final = (
    r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?"
    r"|sun(?:day)?)"
)
_UNITS: Final = {
    "天": "d", "日": "d", "周": "w", "星期": "w", "礼拜": "w", "个星期": "w", "个月": "mo", "小时": "h", "个小时": "h",
    "钟头": "h", "个钟头": "h", "分钟": "m", "个工作日": "wd", "工作日": "wd",
    "day": "d", "week": "w", "month": "mo", "hour": "h", "hr": "h", "minute": "m", "min": "m",
    "working day": "wd", "business day": "wd", "workday": "wd",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """An instant, where its words stood in the text, and whether they named an hour and a day."""

    at: datetime
    spans: tuple[tuple[int, int], ...]
    has_time: bool
    has_day: bool


WorkdayAfter = Callable[[date, int], date]


def number(text: str) -> int:
    """一 … 九十九, or digits."""
    if text.isascii():
        return int(text)
    text = text.replace("两", "二")
    tens, ten, ones = text.partition("十")
    if not ten:
        return _NUMBERS.index(text[-1])
    return (_NUMBERS.index(tens) if tens else 1) * 10 + (_NUMBERS.index(ones) if ones else 0)


def read_instant(
    text: str, *, now: datetime, opening: time = time(9), workday_after: WorkdayAfter | None = None
) -> Found | None:
    """The first day and the first hour that `text` names, on the clock of `now` (aware). None where it names none."""
    relative = _span_from_now(text, now, opening, workday_after)
    if relative is not None and relative.has_time:
        return relative
    day = None if relative is not None else _day(text, now)
    spans = list(relative.spans) if relative is not None else [day[1]] if day is not None else []
    hour = _hour(_blank(text, spans), day[2] if day is not None else "")
    if relative is None and day is None and hour is None:
        return None
    if hour is not None and hour[1] is not None:
        spans.append(hour[1])
    on = relative.at.date() if relative is not None else day[0] if day is not None else now.date()
    clock = hour[0] if hour is not None else opening
    at = datetime.combine(on, clock, now.tzinfo)
    if day is not None and day[3] and at <= now and hour is not None:
        at += timedelta(days=7)  # “周三 10点” on a Wednesday at noon is the next one
    has_day = day is not None or relative is not None
    if hour is None and on == now.date():
        at = _later_today(now, opening)
    return Found(at, tuple(sorted(spans)), hour is not None, has_day)


def _later_today(now: datetime, opening: time) -> datetime:
    """“Today” without an hour: by its close, or now where that is past."""
    close = now.replace(hour=18, minute=0, second=0, microsecond=0)
    return close if now < close else now


def _blank(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + "\x00" * (end - start) + text[end:]
    return text


_FROM_NOW: Final = re.compile(
    rf"(?P<half>半)(?:个)?(?P<hu>小时|钟头)(?:之?后|以后)|(?P<n>{_N})\s*(?P<u>个工作日|工作日|个星期|个小时|个钟头|个月|星期|礼拜|小时|钟头|分钟|天|日|周)(?P<ago>之?后|以后|内|之?前|以前)"
    rf"|\bin\s+(?P<en>\d{{1,3}}|an?|half an)\s*(?P<eu>working day|business day|workday|day|week|month|hour|hr|minute|min)s?\b"
    rf"|\b(?P<an>\d{{1,3}}|an?)\s*(?P<au>working day|business day|workday|day|week|month|hour|hr|minute|min)s?\s+ago\b",
    re.I,
)


def _span_from_now(
    text: str, now: datetime, opening: time, workday_after: WorkdayAfter | None
) -> Found | None:
    match = _FROM_NOW.search(text)
    if match is None:
        return None
    if match["half"] or (match["en"] or "").lower() == "half an":
        return Found(_minute(now + timedelta(minutes=30)), (match.span(),), True, True)
    word = match["n"] or match["en"] or match["an"]
    n = 1 if word.lower() in ("a", "an") else number(word)
    unit = _UNITS[(match["u"] or match["eu"] or match["au"]).lower()]
    back = bool(match["an"]) or "前" in (match["ago"] or "")
    n = -n if back else n
    if unit in ("h", "m"):
        at = now + (timedelta(hours=n) if unit == "h" else timedelta(minutes=n))
        return Found(_minute(at), (match.span(),), True, True)
    day = _shifted(now.date(), n, unit, workday_after)
    return Found(datetime.combine(day, opening, now.tzinfo), (match.span(),), False, True)


def _shifted(day: date, n: int, unit: str, workday_after: WorkdayAfter | None) -> date:
    if unit == "wd" and n > 0:
        return workday_after(day, n) if workday_after is not None else plain_workday_after(day, n)
    if unit == "mo":
        month = day.month - 1 + n
        year, month = day.year + month // 12, month % 12 + 1
        return date(year, month, min(day.day, monthrange(year, month)[1]))
    return day + timedelta(days=n * (7 if unit == "w" else 1))


def plain_workday_after(day: date, n: int) -> date:
    while n:
        day += timedelta(days=1)
        n -= day.isoweekday() < 6
    return day


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


# --- days ---

_WORD_DAY: Final = re.compile(
    "|".join(rf"\b{w}\b" if w.isascii() else w for w in sorted(_DAYS, key=len, reverse=True)), re.I
)
_ZH_WEEK: Final = re.compile(
    r"(?P<w>下下|下|上|这|本)?个?(?:周|星期|礼拜)(?P<d>[一二三四五六日天](?![个件份次点])|[1-7](?!\d|月|点|:))"
)
_ZH_NEXT_WEEK: Final = re.compile(r"下个?(?:周|星期|礼拜)(?![一二三四五六日天末\d])")
_EN_WEEK: Final = re.compile(rf"\b(?:on\s+)?(?:(?P<w>next|last|this)\s+)?(?P<d>{_WEEKDAY})\b", re.I)
_EN_NEXT_WEEK: Final = re.compile(r"\bnext week\b", re.I)
_ISO: Final = re.compile(r"(?<!\d)(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})[日号]?(?!\d)")
_ZH_DATE: Final = re.compile(rf"(?:(?P<rel>下个?|这个?|本)月|(?P<m>{_N})月(?:份)?)(?P<d>{_N})[日号]?")
_ZH_DAY: Final = re.compile(
    rf"(?<![\d月])(?P<d>{_N})号(?=\s|$|[，,。;；、:]|上午|下午|早上|中午|晚上|\d|之?前|之?后)"
)
_MONTH_END: Final = re.compile(r"(?P<rel>下个?)?月底|\bend of (?:the |next )?month\b", re.I)
_SLASH: Final = re.compile(r"(?<![\d/])(?P<m>\d{1,2})/(?P<d>\d{1,2})(?![\d/])")
_EN_DATE: Final = re.compile(
    rf"\b(?:on\s+)?(?:(?P<m1>{_MONTH})\s*(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?|(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\s*(?:of\s+)?(?P<m2>{_MONTH}))(?:,?\s+(?P<y>\d{{4}}))?\b",
    re.I,
)

Day = tuple[date, tuple[int, int], str, bool]  # the day, where it stood, its words, a weekday without a week


def _day(text: str, now: datetime) -> Day | None:
    today = now.date()
    for find in (_iso_day, _english_date, _chinese_date, _word_day, _weekday, _next_week, _month_end, _short):
        found = find(text, today)
        if found is not None:
            return found
    return None


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _near(month: int, day: int, today: date) -> date | None:
    """This year's, or the next one's where this year's is long past."""
    found = _made(today.year, month, day)
    if found is not None and (today - found).days > 60:
        return _made(today.year + 1, month, day)
    return found


def _iso_day(text: str, today: date) -> Day | None:
    match = _ISO.search(text)
    day = _made(int(match["y"]), int(match["m"]), int(match["d"])) if match else None
    return (day, match.span(), match[0], False) if match and day else None


def _english_date(text: str, today: date) -> Day | None:
    match = _EN_DATE.search(text)
    if match is None:
        return None
    month = _MONTHS.index((match["m1"] or match["m2"])[:3].lower()) + 1
    number_of_day = int(match["d1"] or match["d2"])
    day = _made(int(match["y"]), month, number_of_day) if match["y"] else _near(month, number_of_day, today)
    return (day, match.span(), match[0], False) if day else None


def _chinese_date(text: str, today: date) -> Day | None:
    match = _ZH_DATE.search(text)
    if match is None:
        return None
    if match["m"]:
        day = _near(number(match["m"]), number(match["d"]), today)
    else:
        first = _shifted(today.replace(day=1), 1 if match["rel"].startswith("下") else 0, "mo", None)
        day = _made(first.year, first.month, number(match["d"]))
    return (day, match.span(), match[0], False) if day else None


def _word_day(text: str, today: date) -> Day | None:
    match = _WORD_DAY.search(text)
    if match is None:
        return None
    word = re.sub(r"\s+", " ", match[0].lower())
    start, end = match.span()
    # The hour that the same word names stays in the text: 明早, tonight, this morning.
    return today + timedelta(days=_DAYS[word]), (start, end), word, False


def _weekday(text: str, today: date) -> Day | None:
    match = _ZH_WEEK.search(text) or _EN_WEEK.search(text)
    if match is None:
        return None
    raw, week = match["d"], (match["w"] or "").lower()
    weekday = int(raw) if raw.isdigit() else _WEEKDAYS[raw if not raw.isascii() else raw[:3].lower()]
    monday = today - timedelta(days=today.isoweekday() - 1)
    weeks = {"下下": 2, "下": 1, "next": 1, "上": -1, "last": -1}.get(week, 0)
    day = monday + timedelta(days=weekday - 1, weeks=weeks)
    if not week and day < today:
        day += timedelta(days=7)
    return day, match.span(), match[0], not week and day == today


def _next_week(text: str, today: date) -> Day | None:
    match = _ZH_NEXT_WEEK.search(text) or _EN_NEXT_WEEK.search(text)
    monday = today + timedelta(days=8 - today.isoweekday())
    return (monday, match.span(), match[0], False) if match else None


def _month_end(text: str, today: date) -> Day | None:
    match = _MONTH_END.search(text)
    if match is None:
        return None
    first = _shifted(today.replace(day=1), 1 if match["rel"] or "next" in match[0].lower() else 0, "mo", None)
    return first.replace(day=monthrange(first.year, first.month)[1]), match.span(), match[0], False


def _short(text: str, today: date) -> Day | None:
    if match := _SLASH.search(text):
        day = _near(int(match["m"]), int(match["d"]), today)
        return (day, match.span(), match[0], False) if day else None
    if match := _ZH_DAY.search(text):
        day = _made(today.year, today.month, number(match["d"]))
        if day is not None and day < today:
            first = _shifted(today.replace(day=1), 1, "mo", None)
            day = _made(first.year, first.month, number(match["d"]))
        return (day, match.span(), match[0], False) if day else None
    return None


# --- hours ---

_PART: Final = r"(?P<p>凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上)"
_ZH_TIME: Final = re.compile(
    rf"{_PART}?\s*(?P<h>{_N})\s*[点时](?!候|间)(?:(?P<half>半)|(?P<q>[一三])刻|(?P<m>\d{{1,2}}|[零一二三四五六七八九十]{{1,3}})分?)?(?:钟|整)?"
)
_COLON: Final = re.compile(
    rf"{_PART}?\s*(?:\bat\s+)?(?<!\d)(?P<h>\d{{1,2}}):(?P<m>\d{{2}})(?!\d)\s*(?P<ap>[ap]\.?m\b\.?)?", re.I
)
_AMPM: Final = re.compile(r"(?:\bat\s+)?(?<![\d:])(?P<h>\d{1,2})\s*(?P<ap>[ap]\.?m\b\.?)", re.I)
_AT: Final = re.compile(r"\bat\s+(?P<h>\d{1,2})(?:\s*o'?clock)?\b(?![:/.\d])", re.I)
_PART_ALONE: Final = re.compile(
    _PART + r"|\b(?:in the |at )?(?P<e>morning|noon|midday|afternoon|evening|tonight)\b", re.I
)

Hour = tuple[time, tuple[int, int] | None]


def _hour(text: str, day_words: str) -> Hour | None:
    for pattern in (_COLON, _AMPM, _ZH_TIME, _AT):
        match = pattern.search(text)
        clock = _clock(match, day_words) if match else None
        if match and clock:
            return clock, match.span()
    if match := _PART_ALONE.search(text):
        return PARTS[(match["p"] or match["e"]).lower()], match.span()
    for word in ("早", "晚", "tonight", "morning", "afternoon"):
        if day_words.endswith(word):
            return PARTS[word], None
    return None


def _clock(match: re.Match[str], day_words: str) -> time | None:
    """Without a word for the half of the day 1 to 6 are of the afternoon: office hours."""
    given = match.groupdict()
    hour = number(given["h"])
    minute = 30 if given.get("half") else 15 * number(given["q"]) if given.get("q") else 0
    if given.get("m"):
        minute = number(given["m"])
    half = (given.get("ap") or "")[:1].lower()
    part = given.get("p") or (day_words[-1] if day_words[-1:] in ("早", "晚") else "")
    if half == "p" or part in ("下午", "傍晚", "晚上", "晚"):
        hour += 12 if hour < 12 else 0
    elif half == "a" or part in ("凌晨", "清晨", "早上", "早晨", "上午", "早"):
        hour = 0 if hour == 12 else hour
    elif (part == "中午" and hour < 4) or (not half and not part and 1 <= hour <= 6):
        hour += 12
    return time(hour, minute) if hour < 24 and minute < 60 else None
