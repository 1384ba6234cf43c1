"""That a role is through with its track of a stage, or is not any more, as events that the track's clock hears (IT-2).

What makes a track through are the facts of a gate, and those the fold does not know. So whoever judges a gate notes
it here, and only where the track has a limit and what is known of it has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from fairlead.journal.enums import Channel
from fairlead.journal.services import NewEvent
from fairlead.organisation.selectors import Calendars

from .. import clock_events
from ..clocks import ClockPolicy, TrackLimit
from ..definitions import clock_policy, clock_policy_of
from ..engine import decide, forward_move
from ..enums import JourneyState
from ..models import Journey
from ..selectors.gathering import situations
from ..verdicts import TrackResult
from . import clock_rows, ledger

Tracks = Mapping[int, Sequence[TrackResult]]


def limits_of(journey: Journey) -> Mapping[str, TrackLimit]:
    """The tracks with a limit in the stage where the journey stands, by its pinned policy or the one taken over."""
    taken = journey.clocks.get("policy")
    policy: ClockPolicy = (
        clock_policy(journey.process_key, taken)
        if taken is not None
        else clock_policy_of(journey.process_version_id)[0]
    )
    return policy.tracks.get(journey.stage.key, {})


def note(
    journeys: Iterable[Journey], tracks: Tracks, *, at: datetime, calendars: Calendars | None = None
) -> None:
    """Record what has changed. `tracks`: as the gates of these (locked, open) journeys were just judged."""
    changed: dict[int, Journey] = {}
    events: list[NewEvent] = []
    for journey in journeys:
        if journey.pk not in tracks or journey.state != JourneyState.OPEN:
            continue
        if own := list(_changes(journey, tracks[journey.pk], at)):
            changed[journey.pk] = journey
            events += own
    if events:
        ledger.write(changed, events, bump=False, calendars=calendars)


def _changes(journey: Journey, tracks: Sequence[TrackResult], at: datetime) -> Iterable[NewEvent]:
    limits = limits_of(journey)
    if not limits:
        return
    known = journey.clocks.get("tracks", {})
    for track in tracks:
        if (
            track.key in limits
            and track.stage_key == journey.stage.key
            and track.is_through != (track.key in known)
        ):
            yield event(journey, track.key, track.role, at, is_through=track.is_through)


def event(journey: Journey, key: str, role: str, at: datetime, *, is_through: bool = True) -> NewEvent:
    """The program notes it, whoever made it so: that person's own act stands in the journal beside it."""
    type_ = clock_events.TRACK_THROUGH if is_through else clock_events.TRACK_REOPENED
    return clock_rows.event(journey, type_, by_id=None, at=at, channel=Channel.SYSTEM, track=key, role=role)


def through_now(journeys: Sequence[Journey], *, at: datetime) -> dict[int, frozenset[str]]:
    """Which tracks of these journeys are through at `at`, by the facts: asked before anybody is told of a limit."""
    found = {}
    for pk, situation in situations(journeys, at=at).items() if journeys else ():
        wish = forward_move(situation.definition, situation.facts)
        tracks = decide(situation.definition, situation.facts, wish).tracks if wish is not None else ()
        found[pk] = frozenset(track.key for track in tracks if track.is_through)
    return found
