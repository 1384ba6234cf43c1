"""The fold's answer to a journey that was put back as it was before an import: its state comes whole with the event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from .travel import Travel, VisitState

_INSTANTS = frozenset({"opened_at", "entered_at", "closed_at", "hold_since", "superseded_at", "left_at"})
_DATES = frozenset({"resume_date", "close_date"})
_AMOUNTS = frozenset({"base_amount", "amount"})


def _typed(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _INSTANTS:
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if name in _DATES else Decimal(str(value)) if name in _AMOUNTS else value


def restored(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    """What came since is forgotten: state and visits are those that the event carries."""
    for name, value in data["travel"].items():
        setattr(state, name, _typed(name, value))
    state.stage_key = data["stage"]
    state.process_version = data.get("process_version", state.process_version)
    state.visits = [
        VisitState(**{name: _typed(name, value) for name, value in visit.items()}) for visit in data["visits"]
    ]
    state.visit_total = len(state.visits)
    state.stage_visits = {}
    for visit in state.visits:
        if visit.episode_no == state.episode_no:
            state.stage_visits[visit.stage_key] = max(
                state.stage_visits.get(visit.stage_key, 0), visit.visit_no
            )
