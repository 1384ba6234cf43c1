"""The fold's answer to a record that turned out to be a double of another one, and to the way back (MV-8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from .enums import ExitType, ForecastCategory, JourneyState, Outcome
from .travel import Travel

#: What the way back needs to know of how it stood: kept in the event of the merge.
KEPT: Final = ("state", "reason_code", "forecast_category", "category_pinned", "probability")


def stood(state: Any, held_seconds: int) -> dict[str, Any]:
    """How a running journey (a row or a `Travel`) stands before it is merged, as JSON."""
    return {
        **{name: getattr(state, name) for name in KEPT},
        "hold_since": state.hold_since.isoformat() if state.hold_since is not None else None,
        "resume_date": state.resume_date.isoformat() if state.resume_date is not None else None,
        "held_seconds": held_seconds,
    }


def merged(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    """The open visit ends `merged`, and the journey with it: cancelled, counted neither way, in nobody's forecast."""
    at, visit = event.effective_at, state.open_visit
    if visit is not None:
        at = max(at, visit.entered_at)
        if state.hold_since is not None:
            visit.held_seconds += int((at - max(state.hold_since, visit.entered_at)).total_seconds())
        visit.left_at, visit.exit_type, visit.outcome = at, ExitType.MERGED, Outcome.MERGED
        state.touched.append(visit)
    state.hold_since, state.resume_date, state.reason_code = None, None, ""
    state.state, state.outcome, state.closed_at = JourneyState.CANCELLED, Outcome.MERGED, at
    state.probability, state.forecast_category, state.category_pinned = 0, ForecastCategory.OMITTED, False


def unmerged(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    """It stands as before, as if the stay had never ended; `data` says how that was."""
    visit = state.visits[-1]
    visit.left_at, visit.exit_type, visit.outcome = None, "", ""
    visit.held_seconds = data["held_seconds"]
    state.touched.append(visit)
    for name in KEPT:
        setattr(state, name, data[name])
    state.outcome, state.closed_at = "", None
    state.hold_since = datetime.fromisoformat(data["hold_since"]) if data["hold_since"] else None
    state.resume_date = date.fromisoformat(data["resume_date"]) if data["resume_date"] else None
