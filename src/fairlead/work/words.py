"""Days and hours as people say them, in the reader's language and zone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.dates import MONTHS_3, WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

ICONS = {
    "call": "phone", "meeting": "users", "visit": "map-pin", "email": "mail", "chat": "notes", "demo": "video",
    "site_visit": "building", "workshop": "users", "other": "calendar-event",
}  # fmt: skip


def is_chinese() -> bool:
    return (get_language() or "zh").startswith("zh")


def day_words(day: date, today: date) -> str:
    """Today, tomorrow, or the date with its weekday; the year where it is another one."""
    named = {-1: _("yesterday"), 0: _("today"), 1: _("tomorrow")}.get((day - today).days)
    if named is not None:
        return named
    year = day.year if day.year != today.year else None
    if is_chinese():
        return f"{f'{year}年' if year else ''}{day.month}月{day.day}日 {WEEKDAYS[day.weekday()]}"
    return f"{WEEKDAYS_ABBR[day.weekday()]} {day.day} {str(MONTHS_3[day.month]).capitalize()}{f' {year}' if year else ''}"


def when_words(at: datetime | None, now: datetime) -> str:
    """`明天 10:00`, `Mon 30 Nov 09:00`; “just now” for nothing."""
    if at is None:
        return pgettext("when something happened", "just now")
    local = timezone.localtime(at)
    return f"{day_words(local.date(), timezone.localdate(now))} {local:%H:%M}"


def ago(at: datetime, now: datetime) -> str:
    """How long ago, in one unit."""
    minutes = max(int((now - at).total_seconds() // 60), 0)
    if minutes < 1:
        return pgettext("when something happened", "just now")
    if minutes < 60:
        return _("%(n)s min ago") % {"n": minutes}
    if minutes < 60 * 12:
        return _("%(n)s h ago") % {"n": minutes // 60}
    return when_words(at, now)


def due_words(due: date | None, today: date) -> dict[str, Any]:
    """A day by which something is due: its state and its words."""
    if due is None:
        return {"state": "planned", "text": ""}
    late = (today - due).days
    if late > 0:
        return {"state": "overdue", "text": _("%(n)s d late") % {"n": late}}
    return {"state": "due" if late == 0 else "planned", "text": day_words(due, today)}
