"""One line of typing, understood: `电话 张工 明天10点 报价`, `call Zhang tomorrow 10am quote`. Pure, both languages.

A line says what happened or what is planned; after an arrow (`→`, `->`, 然后, then) it says what comes next.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Final

from fairlead.common.text import fold, search_key

from .enums import ActivityKind, ActivityOutcome
from .instants import WorkdayAfter, plain_workday_after, read_instant

MOST: Final = 500  # characters that are read; the rest is only kept
K = ActivityKind
KINDS: Final = {
    K.SITE_VISIT: ("参观", "考察", "样板点", "reference visit", "site visit"),
    K.WORKSHOP: ("研讨", "工作坊", "共创", "workshop"),
    K.MEETING: (
        "电话会议", "视频会议", "会议", "开会", "面谈", "会面", "见面", "碰面", "约见", "meeting", "meet", "met", "conference",
    ),
    K.CALL: (
        "打了电话", "打电话", "通了电话", "致电", "通话", "去电", "来电", "回电", "电话", "phone", "called", "call",
        "rang", "ring", "spoke", "talked",
    ),
    K.VISIT: ("拜访了", "拜访", "上门", "走访", "登门", "visited", "visit", "onsite", "on-site"),
    K.EMAIL: ("发了邮件", "发邮件", "邮件", "e-mailed", "e-mail", "emailed", "email", "mailed", "mail", "wrote"),
    K.CHAT: ("发微信", "微信", "企微", "短信", "钉钉", "飞书", "聊天", "wechat", "message", "messaged", "chatted",
        "chat", "text"),
    K.DEMO: ("演示", "demonstration", "demo"),
}  # fmt: skip
OUTCOMES: Final = {
    ActivityOutcome.NO_ANSWER: (
        "没接",
        "未接",
        "没人接",
        "无人接",
        "未接通",
        "没打通",
        "no answer",
        "voicemail",
    ),
    ActivityOutcome.DECLINED: ("拒绝", "婉拒", "不考虑", "declined", "refused", "not interested"),
    ActivityOutcome.AGREED: ("约定", "谈妥", "说定", "同意", "agreed", "accepted"),
    ActivityOutcome.ANSWERED: ("已回复", "回复了", "答复", "replied", "answered"),
    ActivityOutcome.SENT: ("已发", "发了", "发送了", "sent"),
}
_PAST: Final = re.compile(
    r"[打拜访见聊谈发开通]了|[访谈面]过|刚刚|刚才|已经?"
    r"|\b(?:called|met|visited|e-?mailed|mailed|spoke|talked|rang|chatted|messaged|wrote|sent|just now)\b",
    re.I,
)
_TITLES: Final = (
    "工程师|总工|总监|总裁|总|工|经理|主任|老师|先生|女士|小姐|处长|科长|部长|院长|局长|书记|博士|教授|主管"
    "|董事长|董|厂长|所长|处|科|老板"
)
_ARROW: Final = re.compile(
    r"\s*(?:→|⇒|-+>|=+>|[;；，,。]?\s*(?:然后|下一步[:：]?|接着)|[;,]?\s*\bthen\b)\s*", re.I
)
_AGAIN: Final = re.compile(r"再[打拨]|\btry again\b|\b(?:ring|phone) back\b", re.I)
_PLACE: Final = (
    re.compile(r"(?:^|(?<=\s))(?:地点[:：]?\s*|在)(?P<p>[^\s，,。;；]{2,40})"),
    re.compile(
        r"\bat (?P<p>(?:the |their |our )?(?:office|hq|site|plant|factory|headquarters|works|venue)\b"
        r"|[A-Z][\w'’&.-]*(?: (?:[A-Z0-9][\w'’&.-]*|of|de))*)"
    ),
)
_LEAD: Final = re.compile(
    r"^(?:(?:给|和|跟|与|约|找|同|向|去|到|请|打)(?=\s|$)|about\b|regarding\b|re:?\s|with\b|for\b|on\b|to\b|and\b|at\b|[，,。;；:：、·\-–—|]+)\s*",
    re.I,
)
_TAIL: Final = re.compile(r"\s*(?:[，,;；:：、·|]+|\b(?:with|at|on|by|about|to))$", re.I)
_JUST_NOW: Final = re.compile(r"刚刚|刚才|\bjust now\b", re.I)
_WIDE: Final = {ord(c): ord(c) - 0xFEE0 for c in "０１２３４５６７８９：／＠＃－"} | {0x3000: 0x20}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may have taken part, with the spellings by which a line can name them."""

    id: int
    name: str
    words: frozenset[str] = frozenset()

    @classmethod
    def named(cls, pk: int, name: str) -> Person:
        plain = name.partition(" · ")[0].strip()
        keys = search_key(plain).split(" ")
        words = {fold(w) for w in re.split(r"[\s,]+", plain) if w}
        if plain and not plain.isascii():
            words |= {k for k in keys[1:] if k.isascii() and len(k) > 1}
            words |= {k for k in search_key(plain[0]).split(" ") if k.isascii() and len(k) > 1}
        return cls(pk, plain, frozenset(words))


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """What was understood. `planned` lies ahead; `maybe` are people whom the same word could name."""

    kind: str
    summary: str
    planned: bool
    at: datetime | None  # due, or when it happened; None: just now
    outcome: str = ""
    people: tuple[int, ...] = ()
    maybe: tuple[int, ...] = ()
    place: str = ""
    kind_said: bool = False
    hour_said: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """`now`: what the line begins with; `then`: what comes after the arrow, always planned."""

    now: Phrase
    then: Phrase | None = None


def read_line(
    text: str, *, now: datetime, people: Iterable[Person] = (), opening: time = time(9),
    workday_after: WorkdayAfter | None = None,
) -> Line | None:  # fmt: skip
    """The whole line on the clock of `now` (aware, in the person's zone); None for a blank one."""
    text = " ".join(text.translate(_WIDE).split())[:MOST]
    first, *rest = [part for part in _ARROW.split(text, maxsplit=1) if part] or [""]
    if not first:
        return None
    known = list(people)
    how = {"now": now, "people": known, "opening": opening, "workday_after": workday_after}
    said = read_phrase(first, **how)  # type: ignore[arg-type]
    if not rest:
        return Line(said)
    following = read_phrase(rest[0], **how)  # type: ignore[arg-type]
    if not following.planned:
        day = (workday_after or plain_workday_after)(now.date(), 1)
        following = replace(
            following, planned=True, at=datetime.combine(day, opening, now.tzinfo), outcome=""
        )
    kind = str(K.CALL) if not following.kind_said and _AGAIN.search(following.summary) else following.kind
    return Line(said, replace(following, kind=kind, people=following.people or said.people))


def read_phrase(
    text: str, *, now: datetime, people: Sequence[Person], opening: time,
    workday_after: WorkdayAfter | None,
) -> Phrase:  # fmt: skip
    found = read_instant(text, now=now, opening=opening, workday_after=workday_after)
    rest = _without(text, found.spans) if found is not None else text
    outcome = _outcome(rest)
    past = bool(_PAST.search(rest))
    rest = _JUST_NOW.sub(" ", rest)
    people_said, maybe, rest = _people(rest, people)
    place, rest = _place(rest)
    kind, said, rest = _kind(rest)
    planned = found is not None and found.at > now and not (past and not found.has_time and not found.has_day)
    if found is not None and past and found.at.date() == now.date() and not found.has_time:
        planned = False  # “今天拜访了…” has happened
    at = None if found is None else found.at if planned or found.at <= now else None
    if not planned and not outcome:
        outcome = ActivityOutcome.SENT if kind in (K.EMAIL,) else ActivityOutcome.TALKED
    return Phrase(
        kind=kind,
        summary=_tidy(rest)[:200],
        planned=planned,
        at=at,
        outcome="" if planned else outcome,
        people=people_said,
        maybe=maybe,
        place=place[:120],
        kind_said=said,
        hour_said=found is not None and found.has_time,
    )


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]} {text[end:]}"
    return text


def _tidy(text: str) -> str:
    text, before = " ".join(text.split()), None
    while text != before:
        before = text
        text = _TAIL.sub("", _LEAD.sub("", text).strip()).strip()
    return text


def _outcome(text: str) -> str:
    low = text.lower()
    for outcome, words in OUTCOMES.items():
        if any(_stands(word, low) for word in words):
            return str(outcome)
    return ""


def _stands(word: str, text: str) -> re.Match[str] | None:
    """Latin words only whole; Han words anywhere."""
    return re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])" if word.isascii() else re.escape(word), text)


def _kind(text: str) -> tuple[str, bool, str]:
    """The earliest word for a kind, the longest of those at one place. It leaves the text where it stands alone."""
    low = text.lower()
    best: tuple[int, int, str] | None = None
    for kind, words in KINDS.items():
        for word in words:
            match = _stands(word, low)
            if match and (best is None or (match.start(), -len(word)) < (best[0], -best[1])):
                best = (match.start(), len(word), str(kind))
    if best is None:
        return str(K.OTHER), False, text
    start, length, found = best
    before, after = text[:start].rstrip("#").strip(), text[start + length :]
    alone = not before or text[start - 1 : start] in (" ", "#", "打", "发", "")
    if alone and (not after or after[0] in " ，,。:：;；、" or not text[start].isascii() or before == ""):
        return found, True, f"{before.removesuffix('打').removesuffix('发')} {after.lstrip('，,:：、 ')}"
    return found, True, text


def _place(text: str) -> tuple[str, str]:
    for pattern in _PLACE:
        if match := pattern.search(text):
            return match["p"].strip(), _without(text, [match.span()])
    return "", text


def _people(text: str, people: Sequence[Person]) -> tuple[tuple[int, ...], tuple[int, ...], str]:
    found: list[int] = []
    maybe: list[int] = []
    for person in sorted(people, key=lambda p: -len(p.name)):
        if len(person.name) > 1 and person.name in text:
            found.append(person.id)
            text = _named_away(text, text.index(person.name), len(person.name))
    if not people:
        return (), (), text
    for start, end, fitting in _mentions(text, people):
        ids = [pk for pk in fitting if pk not in found]
        if len(ids) == 1:
            found.append(ids[0])
            return tuple(found), tuple(maybe), _named_away(text, start, end - start)
        maybe += ids
    return tuple(found), tuple(dict.fromkeys(maybe)), text


def _named_away(text: str, start: int, length: int) -> str:
    """The name leaves, with the small words that held it."""
    before = re.sub(r"(?:给|和|跟|与|约|找|同|向|去|@|\bwith|\bto)\s*$", "", text[:start], flags=re.I)
    after = re.sub(rf"^(?:{_TITLES})(?=\s|打|谈|聊|发|，|,|$)", "", text[start + length :])
    return f"{before} {after}"


_SURNAME: Final = re.compile(
    rf"(?:[老小](?P<a>[\u4e00-\u9fff])(?![\u4e00-\u9fff]{{3}})|(?P<b>[\u4e00-\u9fff])(?:{_TITLES}))"
)
_TOKEN: Final = re.compile(r"@?[A-Za-z][A-Za-z'’.-]+|@[\u4e00-\u9fff]{1,4}")


def _mentions(text: str, people: Sequence[Person]) -> Iterable[tuple[int, int, list[int]]]:
    """Places that may name somebody: a surname with a title, a word in letters."""
    for match in _SURNAME.finditer(text):
        surname = match["a"] or match["b"]
        if fitting := [p.id for p in people if p.name.startswith(surname)]:
            yield match.start(), match.end(), fitting
    for match in _TOKEN.finditer(text):
        word = fold(match[0].lstrip("@").rstrip("."))
        if fitting := [p.id for p in people if word in p.words or (match[0][0] == "@" and word in p.name)]:
            yield match.start(), match.end(), fitting
