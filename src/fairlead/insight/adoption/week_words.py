"""The weekly summary and the end of the day in words."""

from __future__ import annotations

from typing import Any, Final

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.organisation.models import User

from .week import KEYS, DayEnd, Given, Week, given_in, week_before

ICONS: Final = {
    "imported": "upload", "changed": "layout-list", "mended": "check", "reminded": "hourglass", "told": "users",
    "undone": "corner-up-left",
}  # fmt: skip


def name(key: str) -> str:
    return {
        "imported": _("Records that came in by import"),
        "changed": _("Records changed with others in one go"),
        "mended": _("Stops at a gate mended within a day"),
        "reminded": _("Reminders of time limits"),
        "told": _("Acts of colleagues told without asking"),
        "undone": _("Slips taken back by one press"),
    }[key]


def how(key: str) -> str:
    """How it is counted."""
    return {
        "imported": _("accounts and deals of yours that an import created"),
        "changed": _("rows of your changes of many that were changed"),
        "mended": _("deals you could not move at first and moved within 24 hours"),
        "reminded": _("reminders that clocks sent you"),
        "told": _("entries of your inbox that came from a colleague's act"),
        "undone": _("events of yours that take another one back"),
    }[key]


def span(week: Week) -> str:
    return f"{date_format(week.first, 'MONTH_DAY_FORMAT')} – {date_format(week.last, 'MONTH_DAY_FORMAT')}"


def rows_of(given: Given, back: int) -> list[dict[str, Any]]:
    """The numbers above zero, each with its rows."""
    return [
        {
            "name": name(key), "how": how(key), "n": given.counts[key], "icon": ICONS[key],
            "url": f"{reverse('insight:week_rows')}?what={key}&back={back}",
        }
        for key in KEYS
        if given.counts[key]
    ]  # fmt: skip


def saved_words(given: Given) -> str:
    if given.seconds < 30:
        return ""
    minutes = max(round(given.seconds / 60), 1)
    said = ngettext(
        "Changing many in one go saved about %(n)s minute, by the measured time of those fields.",
        "Changing many in one go saved about %(n)s minutes, by the measured time of those fields.",
        minutes,
    )
    return said % {"n": minutes}


def day_lines(end: DayEnd, user: User) -> list[str]:
    """Three lines: done, left, what comes first."""
    done = _("Done today: %(contacts)s contacts, %(moves)s moves, %(planned)s next steps planned.")
    left = (
        ngettext("Left of today: %(n)s step.", "Left of today: %(n)s steps.", end.left) % {"n": end.left}
        if end.left
        else _("Nothing of today is left.")
    )
    day = date_format(end.next_day, "MONTH_DAY_FORMAT")
    if end.first is None or end.first.due_at is None:
        following = _("Nothing is planned for %(day)s yet.") % {"day": day}
    else:
        at = timezone.localtime(end.first.due_at, user.tz).strftime("%H:%M")
        said = ngettext(
            "On %(day)s: %(n)s step, at %(time)s %(what)s.",
            "On %(day)s: %(n)s steps, the first at %(time)s %(what)s.",
            end.next_count,
        )
        following = said % {"day": day, "n": end.next_count, "time": at, "what": end.first.summary}
    return [
        done % {"contacts": end.contacts, "moves": end.moves, "planned": end.planned},
        left,
        following,
    ]


def digest_lines(user: User, at: Any) -> list[str]:
    """For the first mail of a week: what last week gave back; nothing where there is nothing to say."""
    week = week_before(user, at=at)
    given = given_in(user, week)
    if not given.total:
        return []
    lines = [_("Last week (%(span)s) Fairlead did for you:") % {"span": span(week)}]
    lines += [f"  {row['n']} · {row['name']}" for row in rows_of(given, 1)]
    said = saved_words(given)
    return [*lines, f"  {said}"] if said else lines
