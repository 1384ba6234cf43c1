"""The fold's answer to a journey that ends beside its process, and to the way back: its record turned out to be a double
of another one (MV-8), or was taken out of the process by decision (VR-2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from .enums import ExitType, ForecastCategory, JourneyState, Outcome
from .travel import Travel

#: What the way back needs to know of how it stood: kept in the event of the end.
KEPT: Final = ("state", "reason_code", "forecast_category", "category_pinned", "probability")


def stood(state: Any, held_seconds: int) -> dict[str, Any]:
    """How a running journey (a row or a `Travel`) stands before it ends so, as JSON."""
    return {
        **{name: getattr(state, name) for name in KEPT},
        "hold_since": state.hold_since.isoformat() if state.hold_since is not None else None,
        "resume_date": state.resume_date.isoformat() if state.resume_date is not None else None,
        "held_seconds": held_seconds,
    }


def merged(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    """The open visit ends `merged`, and the journey with it: cancelled, counted neither way, in nobody's forecast."""
    _ended(state, event.effective_at, JourneyState.CANCELLED, Outcome.MERGED, ExitType.MERGED)


def left(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    """The open visit ends `left`, and the journey with it: neither won nor lost, in nobody's forecast (VR-2 d)."""
    _ended(state, event.effective_at, JourneyState.LEFT, Outcome.LEFT, ExitType.LEFT)


def _ended(state: Travel, at: datetime, to: JourneyState, outcome: Outcome, exit_type: ExitType) -> None:
    visit = state.open_visit
    if visit is not None:
        at = max(at, visit.entered_at)
        if state.hold_since is not None:
            visit.held_seconds += int((at - max(state.hold_since, visit.entered_at)).total_seconds())
        visit.left_at, visit.exit_type, visit.outcome = at, exit_type, outcome
        state.touched.append(visit)
    state.hold_since, state.resume_date, state.reason_code = None, None, ""
    state.state, state.outcome, state.closed_at = to, outcome, at
    state.probability, state.forecast_category, state.category_pinned = 0, ForecastCategory.OMITTED, False


def gone_on(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    """The way back from either: it stands as before, as if the stay had never ended; `data` says how that was."""
    visit = state.visits[-1]
    visit.left_at, visit.exit_type, visit.outcome = None, "", ""
    visit.held_seconds = data["held_seconds"]
    state.touched.append(visit)
    for name in KEPT:
        setattr(state, name, data[name])
    state.outcome, state.closed_at = "", None
    state.hold_since = datetime.fromisoformat(data["hold_since"]) if data["hold_since"] else None
    state.resume_date = date.fromisoformat(data["resume_date"]) if data["resume_date"] else None
