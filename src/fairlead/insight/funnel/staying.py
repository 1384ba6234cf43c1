"""How long deals stay in a stage and how they leave it: Kaplan and Meier, Aalen and Johansen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from fairlead.analytics import funnel
from fairlead.analytics.funnel import members
from fairlead.analytics.survival import Curve, Quantile, Share

from . import words
from .asked import Asked, Cell, Table, columns, interval, percent

POINTS = 60
CAUSES = ("won", "forward", "regress", "lost", "cancelled")
DAYS = (30, 60, 90, 180, 365)


def staying(asked: Asked) -> Mapping[str, Any]:
    """Spans of every stage, and the curve of one of them with the chances at chosen days."""
    q, history = asked.question, asked.loaded.history
    times = funnel.time_in_stage(history, entered=asked.window, at=(), **asked.given)
    working = funnel.time_in_stage(
        history, entered=asked.window, at=(), measure=asked.working_days, **asked.given
    )
    spans, rows = [], []
    in_working = {row.stage: row.curve for row in working.rows}
    for row in times.rows:
        stage = asked.stage(row.stage)
        if not stage.shown:
            continue
        spans.append(_span(asked, row, in_working[row.stage]))
        rows.append(_row(asked, row, in_working[row.stage]))
    table = Table(
        columns(
            _("Stage"),
            pgettext("in a stage", "Stays"),
            _("Still there"),
            _("Median"),
            _("95% interval"),
            "p80",
            "p90",
            _("p80 in working days"),
            _("Limit in working days"),
            _("Over the limit"),
            _("Not counted"),
        ),
        rows,
        _("How long each stage is stayed in"),
    )
    shown = [row for row in times.rows if asked.stage(row.stage).shown]
    chosen = next((r for r in shown if r.stage == q.stage), None) or max(shown, key=lambda r: r.n)
    return {
        "spans": spans,
        "stay_table": table,
        "curve": _curve(asked, chosen.stage, chosen.curve),
        "in_working": in_working,
        "curve_stages": [
            {"text": asked.names[row.stage], "url": asked.page_url(stage=row.stage), "current": row is chosen}
            for row in shown
            if row.n
        ],
    }


def over_limit(asked: Asked, stage: str) -> int:
    """How many stays were or are longer than the stage's limit."""
    limit = asked.stage(stage).limit_red
    if limit is None:
        return 0
    found = members.staying_visits(
        asked.loaded.history,
        stage,
        over=limit,
        measure=asked.working_days,
        entered=asked.window,
        **asked.given,
    )
    return len(found)


def _span(asked: Asked, row: funnel.StageTime, working: Curve) -> dict[str, Any]:
    curve, limit = row.curve, asked.stage(row.stage).limit_red
    name = asked.names[row.stage]
    p50, p80, p90 = (_at(curve, q) for q in (curve.median, curve.p80, curve.p90))
    slow = _at(working, working.p80)
    late = limit is not None and slow is not None and slow > limit
    said = f"{name}: {words.days(p50)}, p80 {words.days(p80)}, p90 {words.days(p90)}, n {curve.n:,}"
    return {
        "label": name,
        "url": asked.rows_url("time", row.stage, "all"),
        "p50": p50,
        "p80": p80,
        "p90": p90,
        "limit": asked.calendar_days(limit) if limit is not None else None,
        "late": late,
        "said": said if curve.enough else f"{name}: {words.too_few()}",
    }


def _row(asked: Asked, row: funnel.StageTime, working: Curve) -> list[Any]:
    curve, stage = row.curve, asked.stage(row.stage)
    median = curve.median
    slow = _at(working, working.p80)
    late = stage.limit_red is not None and slow is not None and slow > stage.limit_red
    return [
        asked.names[row.stage],
        asked.counted(row.n, "time", row.stage, "all"),
        asked.counted(curve.censored, "time", row.stage, "open"),
        _days(curve, median, "fl-b"),
        _spread(curve, median),
        _days(curve, curve.p80),
        _days(curve, curve.p90),
        {
            "text": ("↑ " if late else "") + (words.days(slow) if working.enough else words.too_few()),
            "class": "fl-c fl-b is-overdue" if late else "fl-2nd",
            "raw": "" if slow is None else f"{slow:g}",
        },
        {"text": words.days(stage.limit_red), "class": "fl-2nd", "raw": stage.limit_red or ""},
        asked.counted(over_limit(asked, row.stage), "time", row.stage, "over"),
        {"text": words.reasons(row.left_out) or "—", "class": "fl-2nd fl-12"},
    ]


def _at(curve: Curve, quantile: Quantile) -> float | None:
    if not curve.enough or quantile.value is None:
        return None
    return int(quantile.value) if quantile.value == int(quantile.value) else quantile.value


def _days(curve: Curve, quantile: Quantile, look: str = "") -> Cell:
    if not curve.enough:
        return {"text": words.too_few(), "class": "fl-3rd", "raw": ""}
    raw = "" if quantile.value is None else f"{quantile.value:g}"
    return {"text": words.days(quantile.value), "class": look, "raw": raw}


def _spread(curve: Curve, quantile: Quantile) -> Cell:
    if not curve.enough or quantile.low is None:
        return {"text": "—", "class": "fl-3rd", "raw": ""}
    high = "" if quantile.high is None else f"{quantile.high:g}"
    return {"text": f"{quantile.low:g}–{high}", "class": "fl-2nd"}


def _curve(asked: Asked, stage: str, curve: Curve) -> Mapping[str, Any]:
    """One stage: the share still there with its band, and what had become of the others by certain days."""
    if not curve.enough:
        return {"stage": stage, "name": asked.names[stage], "enough": False, "n": curve.n}
    end = max(int(min(curve.longest, curve.p90.value * 2 if curve.p90.value else curve.longest)), 10)
    every = max(end / POINTS, 1)
    days = sorted({round(every * i) for i in range(int(end / every) + 1)})
    points = []
    for day in days:
        here = curve.survival_at(day)
        if here.value is not None:
            low, high = (here.low, here.high) if day else (here.value, here.value)
            points.append({"t": day, "s": here.value, "low": low, "high": high})
    curves = [
        {
            "label": _("Still in %(stage)s") % {"stage": asked.names[stage]},
            "url": asked.rows_url("time", stage, "all"),
            "points": points,
        }
    ]
    for cause in ("won", "forward", "lost"):
        if curve.total(cause):
            share = [(day, curve.incidence_at(cause, day).value) for day in days]
            curves.append(
                {
                    "label": words.way_out(cause),
                    "url": asked.rows_url("time", stage, cause),
                    "points": [{"t": day, "s": value} for day, value in share if value is not None],
                }
            )
    median = curve.median.value
    return {
        "stage": stage,
        "name": asked.names[stage],
        "enough": True,
        "n": curve.n,
        "end": end,
        "curves": curves,
        "median": median if median is not None and median <= end else None,
        "median_text": _("median %(days)s") % {"days": words.days(median)},
        "table": _chances(asked, stage, curve),
    }


def _chances(asked: Asked, stage: str, curve: Curve) -> Table:
    shown = [cause for cause in CAUSES if curve.total(cause)]
    rows = []
    for day in sorted({*DAYS, asked.question.at}):
        left = curve.survival_at(day)
        if left.value is None:
            continue
        cells: list[Any] = [words.days(day), *_share(left, asked.rows_url("time", stage, "all"))]
        for cause in shown:
            cells += _share(curve.incidence_at(cause, day), asked.rows_url("time", stage, cause, day))
        rows.append(cells)
    heads = [(words.end("open"), _("95% interval")), *((words.way_out(c), _("95% interval")) for c in shown)]
    return Table(
        columns(_("Within"), *(h for pair in heads for h in pair)),
        rows,
        _("What had become of them within so many days"),
    )


def _share(share: Share, url: str) -> list[Cell]:
    raw = "" if share.low is None else f"{share.low:.4f}–{share.high:.4f}"
    return [
        {
            "text": percent(share.value),
            "url": url,
            "class": "fl-b",
            "raw": "" if share.value is None else f"{share.value:.4f}",
        },
        {"text": interval(share.low, share.high), "class": "fl-2nd", "raw": raw},
    ]
