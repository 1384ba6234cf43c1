"""Short words for cards and rows: a date, days in a stage, the next step, the gate.

`Words` looks its phrases up once and then serves hundreds of cards; make one for each answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.dates import MONTHS_3
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from fairlead.process.selectors.clocks import WorstClock
from fairlead.work.enums import ActivityKind

NEXT_ICONS: Mapping[str, str] = {
    ActivityKind.CALL: "phone",
    ActivityKind.MEETING: "users",
    ActivityKind.VISIT: "map-pin",
    ActivityKind.EMAIL: "mail",
    ActivityKind.CHAT: "notes",
    ActivityKind.DEMO: "video",
    ActivityKind.SITE_VISIT: "building",
    ActivityKind.WORKSHOP: "users",
    ActivityKind.OTHER: "calendar-event",
}


class Chip(NamedTuple):
    """State (of the colours and shapes), words, icon."""

    state: str
    text: str
    icon: str = ""


def is_chinese() -> bool:
    return (get_language() or "zh").startswith("zh")


class Words:
    """The phrases of the active language, for one reader on one day."""

    def __init__(self, today: date) -> None:
        self.today, self.chinese = today, is_chinese()
        self.zone = timezone.get_current_timezone()
        self.months = ["", *(str(MONTHS_3[n]).capitalize() for n in range(1, 13))]
        self.unknown_days = pgettext("days in stage", "unknown")
        self.in_limit, self.beyond = (
            pgettext("days in stage", "%(days)s d"),
            pgettext("days in stage", "%(days)s / %(limit)s d"),
        )
        self.clock_words = {
            "stage": pgettext("clock on a card", "in stage %(days)s d"),
            "inactivity": pgettext("clock on a card", "quiet %(days)s d"),
            "total": pgettext("clock on a card", "in all %(days)s d"),
            "response": pgettext("clock on a card", "answer %(days)s d"),
            "track": pgettext("clock on a card", "track %(days)s d"),
        }
        self.no_step = Chip("none", _("No next step"), "alert-triangle")
        self.due = _("Today %(time)s %(step)s")
        self.missing, self.waived = _("%(count)s left"), _("%(count)s waived")
        self.unknown = Chip("missing", pgettext("gate", "Unknown"))
        self.flagged, self.ready = (
            Chip("flagged", pgettext("gate", "Flagged")),
            Chip("ready", pgettext("gate", "Ready")),
        )

    def short_date(self, day: date | None) -> str:
        """`3月20日` or `20 Mar`; with the year where the day alone could be mistaken for another one."""
        if day is None:
            return ""
        is_near = day.year == self.today.year or -150 < (day - self.today).days < 300
        year = "" if is_near else str(day.year)
        if self.chinese:
            return f"{year}{'年' if year else ''}{day.month}月{day.day}日"
        return f"{day.day} {self.months[day.month]} {year}".rstrip()

    def days_in_stage(
        self, days: int | None, limit: int | None, clock: WorstClock | None = None
    ) -> tuple[str, str]:
        """The words and their state: plain while every clock is in time, else those of the worst clock, `due` at
        its first threshold and `overdue` after the second."""
        if clock is not None:
            state = "overdue" if clock.level == "red" else "due"
            if clock.kind in self.clock_words:
                return self.clock_words[clock.kind] % {"days": clock.days}, state
            if limit and days is not None:
                return self.beyond % {"days": days, "limit": limit}, state
            return (self.unknown_days if days is None else self.in_limit % {"days": days}), state
        return (self.unknown_days if days is None else self.in_limit % {"days": days}), ""

    def next_step(self, at: datetime | None, kind: str, text: str) -> Chip:
        if at is None:
            return self.no_step
        icon = NEXT_ICONS.get(kind, "calendar-event")
        local = at.astimezone(self.zone)
        day = local.date()
        if day < self.today:
            late = (self.today - day).days
            said = ngettext("%(days)s day late %(step)s", "%(days)s days late %(step)s", late)
            return Chip("overdue", said % {"days": late, "step": text}, icon)
        if day == self.today:
            return Chip("due", self.due % {"time": local.strftime("%H:%M"), "step": text}, icon)
        return Chip("planned", f"{self.short_date(day)} {text}", icon)

    def gate(self, state: str, missing: int, waived: int, flags: int) -> Chip:
        """What is missing first, then what was let pass, then ready."""
        if state == "missing":
            return Chip("missing", self.missing % {"count": missing})
        if state == "unknown":
            return self.unknown
        if state == "waived":
            return Chip("waived", self.waived % {"count": waived})
        return self.flagged if flags else self.ready

    def gate_of(self, journey: Any) -> Chip:
        return self.gate(journey.gate_state, journey.gate_missing, journey.gate_waived, journey.gate_flags)

    def next_of(self, journey: Any) -> Chip:
        return self.next_step(journey.next_step_at, journey.next_step_kind, journey.next_step_text)


def words_on(today: date) -> Words:
    """The phrases of the reader's language and zone on this day, looked up once in a process."""
    return _words_on(today, get_language() or "", timezone.get_current_timezone_name())


@lru_cache(maxsize=64)
def _words_on(today: date, language: str, zone: str) -> Words:
    return Words(today)


# --- one at a time, for lists and records ---


def short_date(day: date | None, today: date) -> str:
    return words_on(today).short_date(day)


def next_step(at: datetime | None, kind: str, text: str, today: date) -> dict[str, str]:
    return words_on(today).next_step(at, kind, text)._asdict()


def gate_of(journey: Any) -> dict[str, str]:
    return words_on(timezone.localdate()).gate_of(journey)._asdict()
