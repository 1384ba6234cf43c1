"""A replay in words: for the page, and for a terminal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.analytics.intervals import Rate
from fairlead.common.money import format_amount
from fairlead.fields.catalogue import pick
from fairlead.process.enums import Tried

from .figures import CriterionFigures, Replay


def share(k: int, n: int) -> str:
    return f"{100 * k / n:.0f}%" if n else "—"


def whose(tried: int, total: int) -> str:
    """Whose rows the figures are made of."""
    if tried == total:
        return ngettext(
            "Tried on the one record of this process.", "Tried on all %(n)s records of this process.", total
        ) % {"n": f"{total:,}"}
    return _("Tried on the newest %(n)s of those that you see; the process has %(total)s records.") % {
        "n": f"{tried:,}",
        "total": f"{total:,}",
    }


def untold(found: Replay) -> str:
    """The share that history cannot answer, and why."""
    every = found.moves + found.imported
    why = [
        text % {"n": f"{n:,}"}
        for n, text in (
            (found.imported, _("%(n)s came in as history, without their facts")),
            (found.answers.get(Tried.UNKNOWN, 0), _("%(n)s ask for what nobody was asked then")),
            (found.answers.get(Tried.NO_PLACE, 0), _("%(n)s are of a stage that the document does not have")),
            (found.answers.get(Tried.OTHER_ORDER, 0), _("%(n)s run against its order of stages")),
        )
        if n
    ]
    if not why:
        return _("History can answer for every move.")
    return _("History cannot answer for %(n)s of %(total)s moves (%(share)s): %(why)s.") % {
        "n": f"{found.untold:,}",
        "total": f"{every:,}",
        "share": share(found.untold, every),
        "why": _("; ").join(why),
    }


def answers(found: Replay) -> list[tuple[str, int, int]]:
    """What the document says, of how many moves that were made and of how many that come next."""
    return [
        (str(answer.label), found.answers.get(answer, 0), found.coming.get(answer, 0))
        for answer in Tried
        if found.answers.get(answer) or found.coming.get(answer)
    ]


def rate(one: Rate) -> dict[str, str]:
    """A win rate with its interval and n; below the floor no number."""
    if not one.n:
        return {"rate": "—", "span": "", "n": ""}
    if not one.enough or one.value is None or one.low is None or one.high is None:
        return {"rate": _("too few"), "span": "", "n": f"n = {one.cases}"}
    return {
        "rate": f"{100 * one.value:.0f}%",
        "span": f"{100 * one.low:.0f}–{100 * one.high:.0f}",
        "n": f"n = {one.cases}",
    }


def verdict(figures: CriterionFigures) -> str:
    """What the two win rates say of a criterion, as far as they say anything."""
    difference = figures.difference
    if not difference.enough or difference.value is None:
        return ""
    if difference.holds_zero:
        return _("no difference shown")
    return _("won more often when met") if difference.value > 0 else _("won less often when met")


def criteria(found: Replay) -> list[dict[str, Any]]:
    """Those that would have stopped most first, then in the order of the document."""
    ordered = sorted(enumerate(found.criteria), key=lambda pair: (-pair[1].stopped, pair[0]))
    return [
        {
            "key": one.criterion.key,
            "name": pick(one.criterion.name),
            "stage": pick(found.candidate.stage(one.stage).name),
            "level": str(one.criterion.level.label),
            "asked": one.asked,
            "met": one.met,
            "unmet": one.unmet,
            "unknown": one.unknown,
            "unknown_share": share(one.unknown, one.asked) if one.unknown else "",
            "stopped": one.stopped,
            "with": rate(one.difference.a),
            "without": rate(one.difference.b),
            "says": verdict(one),
        }
        for _place, one in ordered
    ]


def pipeline(found: Replay, currency: str) -> dict[str, Any] | None:
    """Weighted pipeline before and after; None below the floor of cases."""
    line = found.pipeline
    if not line.enough:
        return None
    change = (line.after - line.before) / line.before if line.before else 0.0
    return {
        "before": _money(line.before, currency),
        "by_chances": _money(line.by_chances, currency),
        "after": _money(line.after, currency),
        "change": f"{change * 100:+.1f}%".replace("-", "−"),
        "n": line.n,
        "held": line.held,
        "left_out": line.left_out,
    }


def _money(amount: float, currency: str) -> str:
    return format_amount(Decimal(str(round(amount, 2))), currency)


def as_json(found: Replay) -> dict[str, Any]:
    """The figures for machines; what is below the floor is null."""
    from ..schemas import number, rate_out

    line = found.pipeline
    return {
        "process": found.candidate.key,
        "version": found.candidate.version,
        "journeys": found.journeys,
        "moves": found.moves,
        "imported": found.imported,
        "unanswered": found.untold,
        "from_attempts": found.from_attempts,
        "answers": {str(answer): found.answers.get(answer, 0) for answer in Tried if answer != Tried.ENDED},
        "coming": {str(answer): found.coming.get(answer, 0) for answer in Tried if answer != Tried.ENDED},
        "stopped": found.stopped_past,
        "stopped_next": found.stopped_next,
        "stages": [
            {"stage": stage.key, "stopped": found.by_stage.get(stage.key, 0)}
            for stage in found.candidate.stages
        ],
        "criteria": [
            {
                "criterion": one.criterion.key,
                "stage": one.stage,
                "level": str(one.criterion.level),
                "asked": one.asked,
                "met": one.met,
                "unmet": one.unmet,
                "unknown": one.unknown,
                "stopped": one.stopped,
                "win_rate_met": rate_out(one.difference.a),
                "win_rate_unmet": rate_out(one.difference.b),
            }
            for one in found.criteria
        ],
        "pipeline": {
            "n": line.n,
            "held": line.held,
            "left_out": line.left_out,
            "enough": line.enough,
            "before": number(round(line.before, 2)) if line.enough else None,
            "by_chances": number(round(line.by_chances, 2)) if line.enough else None,
            "after": number(round(line.after, 2)) if line.enough else None,
        },
        "rows": [
            {
                "journey": row.journey.pk,
                "subject_type": row.journey.subject_type,
                "subject_id": row.journey.subject_id,
                "title": row.journey.title,
                "stage": row.stage,
                "criteria": list(row.by),
                "at": row.at,
                "next": row.is_next,
            }
            for row in found.rows
        ],
    }
