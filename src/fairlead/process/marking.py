"""The fold's answer to what the sweep and people say of clocks: marks on them, and tracks that are through. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .clocks import mark_name, text_of
from .enums import CALLS
from .travel import Travel


def remember(state: Travel, part: str, values: Mapping[str, Any]) -> None:
    """Add to one part of what the fold keeps for the clocks; the part before stays as it was for whoever holds it."""
    state.clocks = {**state.clocks, part: {**state.clocks.get(part, {}), **values}}


def _mark(state: Travel, event: Any, values: Mapping[str, Any]) -> None:
    name = mark_name(event.data["clock"], event.data.get("key", ""))
    before = state.clocks.get("marks", {}).get(name, {})
    remember(state, "marks", {name: {**before, **values}})


def breached(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    at = text_of(event.effective_at)
    before = state.clocks.get("marks", {}).get(mark_name(data["clock"], data.get("key", "")), {})
    stale: dict[str, Any] = (
        {"calls": []} if before.get("calls") and before.get("since") != data["since"] else {}
    )
    _mark(
        state,
        event,
        {
            "level": data["level"],
            "since": data["since"],
            "at": at,
            "told": text_of(event.recorded_at or event.effective_at),
            "step": 0,
            "sent": None,
            "ack": None,
            **stale,
        },
    )


def escalated(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    _mark(state, event, {"step": data["step"] + 1, "sent": text_of(event.effective_at)})


def acknowledged(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    _mark(state, event, {"ack": data["until"]})


def acted(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    """What a clock asks of people stands on its mark: it goes when the clock starts anew."""
    if data["do"] in CALLS:
        calls = [call for call in _calls(state, data) if call["act"] != data["act"]]
        call = {"act": data["act"], "do": data["do"], "at": text_of(event.effective_at)}
        _mark(state, event, {"calls": [*calls, call]})


def call_settled(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    _mark(state, event, {"calls": [call for call in _calls(state, data) if call["act"] != data["act"]]})


def _calls(state: Travel, data: Mapping[str, Any]) -> list[dict[str, Any]]:
    mark = state.clocks.get("marks", {}).get(mark_name(data["clock"], data.get("key", "")), {})
    return list(mark.get("calls", ()))


def track_through(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    remember(state, "tracks", {data["track"]: text_of(event.effective_at)})


def track_reopened(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    tracks = state.clocks.get("tracks", {})
    left = {key: at for key, at in tracks.items() if key != data["track"]}
    state.clocks = {**state.clocks, "tracks": left}
