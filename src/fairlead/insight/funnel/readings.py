"""The three readings, kept apart: stock, period, cohort. Each gives the thread, the bars and the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from fairlead.analytics import funnel
from fairlead.analytics.intervals import Rate

from . import words
from .asked import Asked, Cell, Table, columns, in_brackets, percent, rate_cells, short

ENDS = ("advance", "won", "skip_forward", "regress", "lost", "no_decision", "walked_away", "cancelled")


def stock(asked: Asked) -> Mapping[str, Any]:
    """F1: what lies where, entries with and without a known date told apart."""
    found = funnel.stock(asked.loaded.history, **asked.given)
    shown = [row for row in found.rows if asked.stage(row.stage).shown]
    thread, bars, rows = [], [], []
    for row in shown:
        name = asked.names[row.stage]
        amount = asked.money(row.amount) if row.amount else ""
        undated = _("undated %(number)s") % {"number": f"{row.entry_unknown:,}"} if row.entry_unknown else ""
        thread.append(
            _bead(asked, row.stage, f"{row.count:,}", asked.rows_url("stock", row.stage, "all"), meta=undated)
        )
        bars.append(
            {
                "label": name,
                "value": row.count,
                "text": f"{row.count:,}",
                "more": amount,
                "tone": asked.tone(row.stage),
                "url": asked.rows_url("stock", row.stage, "all"),
                "said": f"{name} {row.count:,} · {amount}",
            }
        )
        ratio: Cell = {"text": "—" if row.ratio is None else f"{row.ratio:.2f}", "class": "fl-2nd"}
        rows.append(
            [
                name,
                asked.counted(row.count, "stock", row.stage, "all"),
                {"text": amount or "—", "raw": f"{row.amount:.2f}"},
                asked.counted(row.on_hold, "stock", row.stage, "on_hold"),
                asked.counted(row.entry_known, "stock", row.stage, "dated"),
                asked.counted(row.entry_unknown, "stock", row.stage, "undated"),
                ratio,
            ]
        )
    table = Table(
        columns(
            _("Stage"),
            _("Open now"),
            _("Amount"),
            _("On hold"),
            _("Entry known"),
            _("Entry unknown"),
            _("Next ÷ this"),
        ),
        rows,
        _("Stock, stage by stage"),
    )
    return {
        "thread": thread,
        "bars": bars,
        "table": table,
        "n": found.n,
        "title": _("Open deals in each stage"),
        "legend": _("bar = deals open now"),
        "left_out": words.left_out(found.left_out),
    }


def period(asked: Asked) -> Mapping[str, Any]:
    """F2: how the visits that ended in the period ended."""
    history = asked.loaded.history
    found = funnel.period_exit_yield(history, period=asked.window, **asked.given)
    before = {}
    if asked.window_before is not None:
        earlier = funnel.period_exit_yield(history, period=asked.window_before, **asked.given)
        before = {row.stage: row for row in earlier.rows}
    thread, bars, rows = [], [], []
    for row in found.rows:
        if not asked.stage(row.stage).shown:
            continue
        name, rate = asked.names[row.stage], row.count
        share, spread = short(rate)
        last = before.get(row.stage)
        thread.append(
            _bead(asked, row.stage, f"{row.n:,}", asked.rows_url("period", row.stage, "all"), share, spread)
        )
        bars.append(
            {
                "label": name,
                "value": int(rate.k),
                "text": f"{int(rate.k):,}",
                "more": share,
                "tone": asked.tone(row.stage),
                "low": rate.low * rate.n if rate.enough and rate.low is not None else None,
                "high": rate.high * rate.n if rate.enough and rate.high is not None else None,
                "prev": last.count.value * rate.n
                if last and last.enough and last.count.value is not None
                else None,
                "url": asked.rows_url("period", row.stage, "forward"),
                "said": f"{name} {int(rate.k):,} · {in_brackets(share, spread)}, n = {row.n:,}",
            }
        )
        rows.append(
            [
                name,
                asked.counted(row.n, "period", row.stage, "all"),
                asked.counted(int(rate.k), "period", row.stage, "forward"),
                *rate_cells(rate),
                _before(last.count if last else None),
                *(asked.counted(row.ends[word], "period", row.stage, word) for word in ENDS),
            ]
        )
    heads = [words.end(word) for word in ENDS]
    table = Table(
        columns(
            _("Stage"),
            _("Left"),
            words.end("forward"),
            _("Yield"),
            _("95% interval"),
            _("Period before"),
            *heads,
        ),
        rows,
        _("How stays ended"),
    )
    return {
        "thread": thread,
        "bars": bars,
        "table": table,
        "n": found.n,
        "title": _("Stays that ended by getting further"),
        "legend": _("bar = this period · line = the one before · whisker = 95% interval"),
        "left_out": words.left_out(found.left_out),
        "found": found,
    }


def cohort(asked: Asked) -> Mapping[str, Any]:
    """F3: how far those got who entered together, followed from one stage to the end."""
    q, history = asked.question, asked.loaded.history
    how: dict[str, Any] = {"horizon_days": q.days, "mode": q.mode, "entered": asked.window, **asked.given}
    found = funnel.cohort_conversion(history, **how)
    before: dict[str, funnel.CohortRow] = {}
    path_before = None
    start = start_of(asked, found)
    path = funnel.cohort_path(history, start=start, **how)
    if asked.window_before is not None:
        how["entered"] = asked.window_before
        before = {row.stage: row for row in funnel.cohort_conversion(history, **how).rows}
        path_before = funnel.cohort_path(history, start=start, **how)
    rows = []
    for row in found.rows:
        if not asked.stage(row.stage).shown:
            continue
        last = before.get(row.stage)
        rows.append(
            [
                asked.names[row.stage],
                asked.counted(row.n, "cohort", row.stage, "all"),
                asked.counted(int(row.count.k), "cohort", row.stage, "hit"),
                *rate_cells(row.count),
                _before(last.count if last else None),
                {
                    "text": percent(row.value.value) if row.value.enough else words.too_few(),
                    "class": "fl-2nd",
                    "raw": f"{row.value.value:.4f}"
                    if row.value.enough and row.value.value is not None
                    else "",
                },
                {"text": words.reasons(row.left_out) or "—", "class": "fl-2nd fl-12"},
            ]
        )
    table = Table(
        columns(
            _("Stage"),
            _("Entered"),
            _("Got further"),
            _("Conversion"),
            _("95% interval"),
            _("Period before"),
            _("By value"),
            _("Not counted"),
        ),
        rows,
        _("Conversion of those who entered together"),
    )
    return {
        "thread": _cohort_thread(asked, path),
        "bars": _cohort_bars(asked, path, path_before),
        "table": table,
        "n": path.n,
        "title": _("Deals that reached each stage within %(days)s days") % {"days": q.days},
        "legend": _("bar = this cohort · line = the one before · whisker = 95% interval"),
        "left_out": words.left_out(path.left_out),
        "path": path,
        "path_before": path_before,
        "start": start,
    }


def start_of(asked: Asked, found: funnel.CohortTable | None = None) -> str:
    """From which stage the cohort is followed: the one asked for, else the first that anybody is known to have entered."""
    if asked.question.start:
        return asked.question.start
    if found is None:
        q = asked.question
        found = funnel.cohort_conversion(
            asked.loaded.history, horizon_days=q.days, mode=q.mode, entered=asked.window, **asked.given
        )
    return next(
        (row.stage for row in found.rows if row.n and asked.stage(row.stage).shown), found.rows[0].stage
    )


def _cohort_thread(asked: Asked, path: funnel.Path) -> list[dict[str, Any]]:
    """Each stage with those who got there; under its ring the share that went on from it."""
    reached = [(path.start, path.n, asked.rows_url("path", path.start, "all"))]
    reached += [(s.stage, int(s.of_start.k), asked.rows_url("path", s.stage, "hit")) for s in path.steps]
    steps = [s.of_previous for s in path.steps]
    weakest = min((r.value for r in steps if r.enough and r.value is not None), default=None)
    thread = []
    for (stage, number, url), step in zip(reached[:-1], steps, strict=True):
        if asked.stage(stage).shown:
            ring = "missing" if step.enough and step.value == weakest and len(steps) > 1 else "ready"
            thread.append(_bead(asked, stage, f"{number:,}", url, *short(step), ring=ring))
    return thread


def _cohort_bars(asked: Asked, path: funnel.Path, before: funnel.Path | None) -> list[dict[str, Any]]:
    earlier: dict[str, Rate] = {s.stage: s.of_start for s in before.steps} if before and before.enough else {}
    name = asked.names[path.start]
    url = asked.rows_url("path", path.start, "all")
    bars: list[dict[str, Any]] = [
        {
            "label": name,
            "value": path.n,
            "text": f"{path.n:,}",
            "url": url,
            "tone": asked.tone(path.start) if asked.stage(path.start).shown else "none",
        }
    ]
    for step in path.steps:
        if step.stage != "won" and not asked.stage(step.stage).shown:
            continue
        rate, last = step.of_start, earlier.get(step.stage)
        share, spread = short(rate)
        bars.append(
            {
                "label": asked.names[step.stage],
                "value": int(rate.k),
                "text": f"{int(rate.k):,}",
                "more": share,
                "low": rate.low * path.n if rate.enough and rate.low is not None else None,
                "high": rate.high * path.n if rate.enough and rate.high is not None else None,
                "prev": last.value * path.n if last and last.value is not None else None,
                "url": asked.rows_url("path", step.stage, "hit"),
                "tone": "won" if step.stage == "won" else asked.tone(step.stage),
                "said": f"{asked.names[step.stage]} {int(rate.k):,} · {in_brackets(share, spread)}, n = {path.n:,}",
            }
        )
    return bars


def _bead(
    asked: Asked,
    stage: str,
    figure: str,
    url: str,
    under: str = "",
    under_more: str = "",
    *,
    meta: str = "",
    ring: str = "ready",
) -> dict[str, Any]:
    return {
        "name": asked.names[stage],
        "url": url,
        "state": "done",
        "ring": ring,
        "figure": figure,
        "under": under,
        "under_more": under_more,
        "meta": meta,
    }


def _before(rate: Rate | None) -> Cell:
    if rate is None:
        return {"text": "—", "class": "fl-3rd", "raw": ""}
    if not rate.enough or rate.value is None:
        return {"text": words.too_few(), "class": "fl-3rd", "raw": ""}
    return {"text": percent(rate.value), "class": "fl-2nd", "raw": f"{rate.value:.4f}"}


READINGS = {"stock": stock, "period": period, "cohort": cohort}
