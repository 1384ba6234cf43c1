"""Spans of a journey's clocks, read from what the fold remembers: stays, answers, tracks, and what pauses them. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from .carrying import begin_of_stay, stage_now

if TYPE_CHECKING:
    from fairlead.organisation.calendars import Calendar

    from .clocks import ClockPolicy
    from .travel import Travel, VisitState

Run = tuple[datetime, "datetime | None"]  # without an end: it goes on


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def stage_spans(travel: Travel, visit: VisitState) -> list[Run]:
    """All stays of this episode at the stage of `visit`; going back and forth adds up (C2, AC-27).

    Stages of earlier versions count where they were mapped to it, and one that a migration cut in two is one (VR-6).
    """
    spans: list[Run] = []
    for v in travel.visits:
        if v.episode_no != visit.episode_no or v.skipped:
            continue
        if stage_now(v, travel.carried) != visit.stage_key:
            continue
        if spans and spans[-1][1] == v.entered_at and travel.carried:
            spans[-1] = spans[-1][0], v.left_at
        else:
            spans.append((v.entered_at, v.left_at))
    return spans


def response_span(travel: Travel, visit: VisitState, role: str) -> Run:
    """From the entry into the stage until the role answered in it."""
    begun = begin_of_stay(travel.visits, visit)
    answered = _instant(travel.clocks.get("answers", {}).get(role))
    if answered is None or answered < begun:
        return begun, None
    return begun, answered


def through_at(travel: Travel, key: str) -> datetime | None:
    """Since when a track of the present stay is through, as far as that was noted (IT-2)."""
    return _instant(travel.clocks.get("tracks", {}).get(key))


def track_span(travel: Travel, begun: datetime, key: str) -> Run:
    """From the entry into the stage until the track is through; one that opens again counts from the entry."""
    ended = through_at(travel, key)
    return begun, None if ended is None else max(ended, begun)


def holds_of(travel: Travel) -> list[Run]:
    pauses: list[Run] = [
        (datetime.fromisoformat(b), datetime.fromisoformat(e)) for b, e in travel.clocks.get("holds", ())
    ]
    if travel.hold_since is not None:
        pauses.append((travel.hold_since, None))
    return pauses


def waits_of(travel: Travel, policy: ClockPolicy, calendar: Calendar) -> list[Run]:
    """Spans in which an answer of the customer was awaited, none longer than the policy grants."""
    if policy.waiting is None:
        return []
    found: list[Run] = []
    for begin, end, _activity in travel.clocks.get("waits", ()):
        since = datetime.fromisoformat(begin)
        last = calendar.add_working_days(since, policy.waiting)
        until = last if end is None else min(last, datetime.fromisoformat(end))
        if until > since:
            found.append((since, until))
    return found


def plans_of(travel: Travel, policy: ClockPolicy) -> list[Run]:
    """Spans in which a talk with the customer stood in the calendar: from its planning to its time or its end."""
    if not policy.planned:
        return []
    return [
        (datetime.fromisoformat(begin), datetime.fromisoformat(end))
        for begin, end, _activity, _is_open in travel.clocks.get("plans", ())
    ]
