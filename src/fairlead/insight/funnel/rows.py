"""The rows behind one figure: `cell` names it, and their number is the figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairlead.analytics.funnel import members
from fairlead.analytics.funnel.flow import ENDS
from fairlead.analytics.tables import EXIT, OUTCOME
from fairlead.process.models import Journey
from fairlead.process.subjects import room_of

from ..questions import MAX_DAYS, BadQuestion
from . import words
from .asked import Asked
from .individual import win_given

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Found:
    """Cases, and for figures that count stays the visit of each (-1: none); newest first."""

    case: NDArray[np.int64]
    visit: NDArray[np.int64]
    title: str

    def __len__(self) -> int:
        return len(self.case)


def find(asked: Asked, cell: str) -> Found:
    """Raises BadQuestion for a figure that does not exist."""
    kind, *parts = cell.split(".") if len(cell) <= 200 else [""]
    if kind not in _KINDS or len(parts) < 1:
        raise BadQuestion("cell", words.no_such_rows())
    return _KINDS[kind](asked, parts)


def _visits(asked: Asked, rows: Any, title: str) -> Found:
    history = asked.loaded.history
    order = np.argsort(-history.visits.entered[rows].view(np.int64), kind="stable")
    rows = rows[order]
    return Found(history.case[rows].astype(np.int64), rows.astype(np.int64), title)


def _cases(asked: Asked, rows: Any, title: str) -> Found:
    opened = asked.loaded.history.journeys.opened[rows]
    order = np.argsort(-np.where(np.isnat(opened), 0, opened.view(np.int64)), kind="stable")
    return Found(rows[order].astype(np.int64), np.full(len(rows), -1, np.int64), title)


def _stage(asked: Asked, parts: list[str], choices: tuple[str, ...], *, more: int = 0) -> tuple[str, str]:
    key, part = (parts[0], parts[1]) if len(parts) > 1 else ("", "")
    if key not in asked.loaded.axis_keys or part not in choices or len(parts) > 2 + more:
        raise BadQuestion("cell", words.no_such_rows())
    return key, part


def _stock(asked: Asked, parts: list[str]) -> Found:
    key, part = _stage(asked, parts, members.STOCK_PARTS)
    rows = members.stock_visits(asked.loaded.history, key, part, **asked.given)
    return _visits(asked, rows, f"{asked.names[key]} · {words.reading('stock')}")


def _period(asked: Asked, parts: list[str]) -> Found:
    key, part = _stage(asked, parts, ("all", "forward", "losing", *ENDS))
    rows = members.exit_visits(asked.loaded.history, key, part, period=asked.window, **asked.given)
    return _visits(asked, rows, f"{asked.names[key]} · {words.end(part)}")


def _how(asked: Asked) -> dict[str, Any]:
    return {
        "horizon_days": asked.question.days,
        "mode": asked.question.mode,
        "entered": asked.window,
        **asked.given,
    }


def _cohort(asked: Asked, parts: list[str]) -> Found:
    key, part = _stage(asked, parts, members.COHORT_PARTS)
    rows = members.cohort_cases(asked.loaded.history, key, part, **_how(asked))
    return _cases(asked, rows, f"{asked.names[key]} · {words.reading('cohort')}")


def _path(asked: Asked, parts: list[str]) -> Found:
    from .readings import start_of

    if (
        len(parts) != 2
        or parts[0] not in (*asked.loaded.axis_keys, "won")
        or parts[1] not in members.COHORT_PARTS
    ):
        raise BadQuestion("cell", words.no_such_rows())
    rows = members.path_cases(asked.loaded.history, parts[0], parts[1], start=start_of(asked), **_how(asked))
    return _cases(asked, rows, f"{asked.names[parts[0]]} · {words.reading('cohort')}")


def _time(asked: Asked, parts: list[str]) -> Found:
    key, part = _stage(asked, parts, (*members.TIME_PARTS, "over"), more=1)
    history = asked.loaded.history
    how: dict[str, Any] = {"entered": asked.window, **asked.given}
    if part == "over":
        limit = asked.stage(key).limit_red
        if limit is None or len(parts) > 2:
            raise BadQuestion("cell", words.no_such_rows())
        rows = members.staying_visits(history, key, over=limit, measure=asked.working_days, **how)
    else:
        if len(parts) > 2:
            day = parts[2]
            if not (day.isascii() and day.isdigit() and len(day) <= 4 and int(day) <= MAX_DAYS):
                raise BadQuestion("cell", words.no_such_rows())
            how["within"] = int(day)
        rows = members.staying_visits(history, key, part, **how)
    return _visits(asked, rows, f"{asked.names[key]} · {words.way_out(part if part != 'all' else 'stays')}")


def _win(asked: Asked, parts: list[str]) -> Found:
    history, how = asked.loaded.history, {"closed": asked.window, **win_given(asked)}
    if len(parts) != 1 or parts[0] not in ("closed", "full", *OUTCOME[1:]):
        raise BadQuestion("cell", words.no_such_rows())
    if parts[0] == "closed" or parts[0] == "full":
        rows = members.closed_cases(history, "all", basis="closed" if parts[0] == "closed" else "full", **how)
        return _cases(asked, rows, words.definition(parts[0]))
    return _cases(asked, members.closed_cases(history, parts[0], **how), words.end(parts[0]))


_KINDS: Mapping[str, Callable[[Asked, list[str]], Found]] = {
    "stock": _stock,
    "period": _period,
    "cohort": _cohort,
    "path": _path,
    "time": _time,
    "win": _win,
}


def listed(asked: Asked, found: Found, page: int) -> list[dict[str, Any]]:
    """One page of the rows, ready to be shown."""
    part = slice((page - 1) * PER_PAGE, page * PER_PAGE)
    cases, visits = found.case[part], found.visit[part]
    history, room = asked.loaded.history, room_of(asked.loaded.subject_type)
    ids = history.journeys.journey[cases].tolist()
    journeys = Journey.objects.filter(pk__in=ids).select_related("stage", "owner").in_bulk()
    rows = []
    for case, visit, pk in zip(cases.tolist(), visits.tolist(), ids, strict=True):
        journey = journeys.get(pk)
        if journey is None:
            continue
        row: dict[str, Any] = {
            "journey": journey,
            "url": room.url(journey.subject_id),
            "visit": None,
            "opened": _day(history.opened_day[case]),
            "closed": _day(history.closed_day[case]),
        }
        if visit >= 0:
            v = history.visits
            row["visit"] = {
                "entered": _day(history.entry_day[visit]) if v.entered_known[visit] else None,
                "left": _day(history.exit_day[visit]),
                "exit": EXIT[v.exit[visit]],
                "stage": asked.names[v.axis_keys[v.axis[visit]]],
            }
        rows.append(row)
    return rows


def _day(number: Any) -> Any:
    from fairlead.analytics.days import NEVER, date_of

    return None if number == NEVER else date_of(int(number))
