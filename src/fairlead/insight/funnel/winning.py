"""The win rate with its definition beside it, and as a curve over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from fairlead.analytics import duration, outcomes

from . import words
from .asked import Asked, Table, columns, interval, percent
from .individual import win_given

OUTCOMES = ("won", "lost", "no_decision", "walked_away", "invalid", "duplicate", "merged", "left_process")


def winning(asked: Asked) -> Mapping[str, Any]:
    history, given = asked.loaded.history, win_given(asked)
    rates = {
        basis: outcomes.win_rate(history, basis=basis, closed=asked.window, **given)
        for basis in ("closed", "full")
    }
    curve = outcomes.win_curve(history, opened=asked.window, **asked.given)
    cycle = duration.cycle_length(history, closed=asked.window, **asked.given)
    tiles = [_rate_tile(asked, basis, found) for basis, found in rates.items()]
    for name, one in (
        (_("Days to win (won only)"), cycle.won),
        (_("Days to close (won and lost)"), cycle.decided),
    ):
        median = one.median
        high = "" if median.high is None else f"{median.high:g}"
        spread = "" if median.low is None else f"95% {median.low:g}–{high} · "
        tiles.append(
            {
                "name": name,
                "value": "" if median.value is None else f"{median.value:g}",
                "unit": _("d"),
                "words": f"{spread}n = {one.n:,}",
                "few": None if one.enough else words.too_few(),
            }
        )
    found = rates["closed"]
    ends = [[words.end(word), asked.counted(found.outcomes.get(word, 0), "win", word)] for word in OUTCOMES]
    points = [
        [words.days(day), percent(share.value), {"text": interval(share.low, share.high), "class": "fl-2nd"}]
        for day, share in curve.points.items()
        if share.value is not None and curve.enough
    ]
    return {
        "win_tiles": tiles,
        "rates": rates,
        "excluded": found.excluded,
        "left_process": found.outcomes["left_process"],
        "won_value": asked.money(found.won_value),
        "ends_table": Table(columns(_("Ended"), _("Deals")), ends, _("How deals ended")),
        "win_table": Table(
            columns(_("Within"), _("Won"), _("95% interval")), points, _("Won within so many days")
        ),
        "win_n": curve.n,
        "win_left_out": " · ".join(
            filter(None, [words.left_out(curve.left_out), words.cleaned_up() if asked.is_individual else ""])
        ),
    }


def _rate_tile(asked: Asked, basis: str, found: outcomes.WinRate) -> dict[str, Any]:
    rate = found.count
    shown = rate.enough and rate.value is not None
    return {
        "name": _("Win rate, closed basis") if basis == "closed" else _("Win rate, full basis"),
        "value": f"{rate.value * 100:.2f}" if shown and rate.value is not None else "",
        "unit": "%",
        "definition": words.definition(basis),
        "url": asked.rows_url("win", basis),
        "words": f"{interval(rate.low, rate.high, 1)} · n = {int(rate.n):,}",
        "few": None if shown else words.too_few(),
        "at": rate.value * 100 if shown and rate.value is not None else None,
        "low": rate.low * 100 if shown and rate.low is not None else None,
        "high": rate.high * 100 if shown and rate.high is not None else None,
    }
