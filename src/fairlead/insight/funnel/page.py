"""What the funnel page shows, put together."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from fairlead.common.names import localized
from fairlead.common.safe_cells import safe_value as safe
from fairlead.process.selectors.versions import break_words, series_breaks

from ..questions import READINGS as ORDER
from ..scopes import choices
from . import usual, words
from .asked import Asked, Table
from .findings import findings
from .memory import remembered
from .readings import READINGS
from .staying import staying
from .winning import winning


def figures(asked: Asked) -> dict[str, Any]:
    """All numbers of the page."""
    read, stay = READINGS[asked.question.reading](asked), staying(asked)
    return {
        **read,
        **stay,
        **winning(asked),
        "bars_data": read["bars"],
        "figures": read["table"],
        "spans_data": stay["spans"],
        "findings": findings(asked, stay["in_working"]),
    }


def context(asked: Asked) -> dict[str, Any]:
    q = asked.question
    teams, people = choices(asked.loaded, asked.whole)
    return {
        **remembered(asked, figures),
        "nav_at": "funnel",
        "q": q,
        "asked": asked,
        "process_name": localized(asked.process.name),
        "explanation": words.explanation(q.reading, q.mode),
        "horizon": usual.said(asked),
        "too_few": words.too_few(),
        "readings": [
            {"text": words.reading(r), "url": asked.page_url(reading=r), "current": r == q.reading}
            for r in ORDER
        ],
        "processes": [(p.key, localized(p.name)) for p in asked.processes],
        "teams": [("", _("All teams")), *((t.pk, "\u2003" * t.depth + t.name) for t in teams)],
        "people": [("", _("Everybody")), *((p.pk, p.name) for p in people)],
        "stage_choices": [
            ("", _("First stage entered")),
            *((s.axis_key, asked.names[s.axis_key]) for s in asked.stages),
        ],
        "chips": _chips(asked, {t.pk: t.name for t in teams}, {p.pk: p.name for p in people}),
        "csv_url": f"{reverse('insight:funnel_csv')}?{q.query()}",
        "clear_url": reverse("insight:funnel"),
        "here": asked.page_url(),
        "as_of_day": asked.as_of.astimezone(asked.zone).date(),
        "breaks": [
            (one.at.astimezone(asked.zone).date(), break_words(one))
            for one in series_breaks(asked.process.key)
            if one.at <= asked.as_of
        ],
        "is_empty": len(asked.loaded.history.journeys) == 0,
    }


def _chips(asked: Asked, teams: Mapping[int, str], people: Mapping[int, str]) -> list[tuple[str, str, str]]:
    """The filter as sentences, each with its way to be taken away."""
    q = asked.question
    found: list[tuple[str, str, str]] = []
    if q.since or q.until:
        heads = {"cohort": _("First entered"), "period": _("Ended"), "stock": _("Entered")}
        span = f"{q.since.isoformat() if q.since else '…'} – {q.until.isoformat() if q.until else '…'}"
        found.append((heads[q.reading], span, asked.page_url(since=None, until=None)))
    if q.team is not None:
        found.append((_("Team"), teams.get(q.team, str(q.team)), asked.page_url(team=None)))
    if q.owner is not None:
        found.append((_("Owner"), people.get(q.owner, "—"), asked.page_url(owner=None)))
    if q.as_of is not None:
        found.append((_("As of"), q.as_of.isoformat(), asked.page_url(as_of=None)))
    if q.reading == "cohort" and q.mode == "touch":
        found.append((_("Counting"), _("real stays alone"), asked.page_url(mode="reach")))
    return found


def table_csv(tables: list[Table], head: list[list[Any]]) -> str:
    """Several tables under each other, each with its caption; what a spreadsheet might run is made text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([safe(value) for value in row] for row in head)
    for table in tables:
        writer.writerow([])
        writer.writerow([safe(table.caption)])
        writer.writerow([safe(column["label"]) for column in table.columns])
        for row in table.rows:
            writer.writerow([safe(_plain(cell)) for cell in row])
    return "\ufeff" + out.getvalue()


def _plain(cell: Any) -> Any:
    return cell.get("raw", cell["text"]) if isinstance(cell, Mapping) else cell
