"""The weekly summary, the rows behind its numbers, and the end of the day in three lines; all of it one's own."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.crm.selectors.amnesty import clean_up, dead_deals

from ..adoption import week_words as words
from ..adoption.week import KEYS, SHOWN, day_end, given_in, lines_of, week_before
from ..questions import BadQuestion

MOST_BACK = 52


def _back(request: HttpRequest) -> int:
    text = request.GET.get("back", "1")
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= MOST_BACK):
        raise BadQuestion("back", _("A number of weeks from 0 to 52."))
    return int(text)


@access("process.view")
@require_safe
def week(request: HttpRequest) -> HttpResponse:
    """What the system did for its reader in a week; with HTMX the sheet alone, for My day on Mondays."""
    user: Any = request.user
    at, back = timezone.now(), _back(request)
    found = week_before(user, at=at, back=back)
    given = given_in(user, found)
    dead = 0
    if user.may("opportunity.move"):
        days = clean_up(at=at)
        dead = dead_deals(user, days, at=at).count() if days.is_open else 0
    context = {
        "nav_at": "home", "span": words.span(found), "rows": words.rows_of(given, back),
        "saved": words.saved_words(given), "dead": dead,
        "earlier": f"?back={back + 1}" if back < MOST_BACK else "", "later": f"?back={back - 1}" if back else "",
    }  # fmt: skip
    return page(request, "insight/week.html", context, block="summary")


@access("process.view")
@require_safe
def week_rows(request: HttpRequest) -> HttpResponse:
    """The records behind one number; a record that the reader no longer sees is counted without its name."""
    user: Any = request.user
    key, back = request.GET.get("what", ""), _back(request)
    if key not in KEYS:
        raise BadQuestion("what", _("There is no such figure."))
    found = week_before(user, at=timezone.now(), back=back)
    lines = lines_of(user, found, key)
    titles: dict[tuple[str, int], tuple[str, str]] = {}
    kinds = {kind.subject_type: kind for kind in records.record_types()}
    for name in {line.subject_type for line in lines} & kinds.keys():
        kind = kinds[name]
        ids = sorted({line.subject_id for line in lines if line.subject_type == name})
        seen = kind.visible_ids(user, ids, kind.view_right) if user.may(kind.view_right) else set()
        named = kind.title(sorted(seen))
        titles |= {(name, pk): (named.get(pk, "—"), kind.url(pk)) for pk in seen}
    context = {
        "nav_at": "home",
        "title": words.name(key),
        "how": words.how(key),
        "span": words.span(found),
        "most": SHOWN if len(lines) == SHOWN else 0,
        "rows": [
            {
                "title": titles.get((line.subject_type, line.subject_id), ("—", ""))[0],
                "url": titles.get((line.subject_type, line.subject_id), ("", ""))[1],
                "at": date_format(timezone.localtime(line.at), "Y-m-d H:i"),
            }
            for line in lines
        ],
        "back": f"?back={back}",
    }
    return page(request, "insight/week_rows.html", context, block="content")


@access("process.view")
@require_safe
def day(request: HttpRequest) -> HttpResponse:
    """The end of the day in three lines; with HTMX the sheet alone."""
    user: Any = request.user
    lines = words.day_lines(day_end(user, at=timezone.now()), user)
    return page(request, "insight/day.html", {"nav_at": "home", "lines": lines}, block="summary")
