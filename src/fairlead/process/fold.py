"""The fold: from a journey's events to its state and visits. The services write what it answers; `rebuild`
feeds it the whole journal again and must come to the same rows (idea 6 of the design, EV-2, EV-3).

Pure: it reads header fields of events and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fairlead.work.enums import ActivityOutcome

from . import carrying, clock_events, marking
from .clocks import text_of
from .ending_aside import gone_on, left, merged
from .enums import ClockCause, ExitType, JourneyState, Outcome
from .marking import remember
from .restoring import restored
from .travel import Travel, VisitState

# Types of events that change a journey. `data` holds what each needs; see `events.py`.
STARTED = "journey_started"
PASSED = "stage_passed"  # history brought in by an import: a visit that is over
MOVED = "stage_moved"
HELD = "held"
RESUMED = "resumed"
WON = "won"
LOST = "lost"
CANCELLED = "cancelled"
REOPENED = "reopened"
MIRRORED = "journey_mirrored"  # owner, team, amount, close date of the subject changed
CATEGORY_SET = "category_set"
SUPERSEDED = "journey_superseded"
RESTORED = "journey_restored"  # an import was undone: the state before it, whole
MIGRATED = "migrated"  # carried over to another version of its process (VR-6)
UNMIGRATED = "migration_undone"  # and back, for it had not moved since (VR-9)
MERGED = "merged"  # it was a double of another record, which goes on for both (MV-8)
UNMERGED = "merge_undone"
LEFT = "process_left"  # taken out of its process by decision (VR-2)
UNLEFT = "leaving_undone"

JOURNEY_EVENTS = frozenset(
    {
        *(STARTED, PASSED, MOVED, HELD, RESUMED, WON, LOST, CANCELLED, REOPENED, MIRRORED, CATEGORY_SET),
        *(SUPERSEDED, RESTORED, MIGRATED, UNMIGRATED, MERGED, UNMERGED, LEFT, UNLEFT),
    }
)
#: What moves a journey: after any of these a migration is not undone (AC-15).
MOVING = frozenset(
    {
        *(STARTED, PASSED, MOVED, HELD, RESUMED, WON, LOST, CANCELLED, REOPENED, SUPERSEDED, RESTORED),
        *(MIGRATED, MERGED, LEFT),
    }
)
#: All that leaves a trace in a journey: also what the clocks hear of its subject and have said themselves.
TOLD = JOURNEY_EVENTS | clock_events.CLOCK_EVENTS | clock_events.EVIDENCE_EVENTS


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _date(value: Any) -> date | None:
    return None if value is None else date.fromisoformat(value)


def apply(state: Travel, event: Any) -> Travel:
    """Change `state` by one event (a `journal.Event` or a `NewEvent`) and give it back.

    `state.touched` then holds the visits that were added or changed, `state.removed` those that are no more. Events
    of other types change nothing.
    """
    state.touched, state.removed = [], []
    if event.type in _HANDLERS:
        _HANDLERS[event.type](state, event, event.data)
    elif event.type in clock_events.EVIDENCE_EVENTS:
        _heard(state, event)
    return state


def _saw(state: Travel, cause: str, at: datetime) -> None:
    """The last instant of each cause; which of them set a clock back is the policy's word, not the fold's."""
    before, now = state.clocks.get("seen", {}).get(str(cause), ""), text_of(at)
    if now > before:
        remember(state, "seen", {str(cause): now})


def _heard(state: Travel, event: Any) -> None:
    """Evidence about the subject of a running journey."""
    if state.state not in (JourneyState.OPEN, JourneyState.ON_HOLD) or state.superseded_at is not None:
        return
    cause = clock_events.cause_of(event)
    if cause is not None:
        _saw(state, cause, event.effective_at)
    _awaited(state, event, cause)
    _planned(state, event)
    if event.type == "attested" and event.data.get("role"):
        remember(state, "answers", {event.data["role"]: text_of(event.effective_at)})


_WAITS_KEPT, _PLANS_KEPT = 50, 20


def _awaited(state: Travel, event: Any, cause: ClockCause | None) -> None:
    """What was sent awaits the customer's answer until there is one, or the stage is left."""
    activity = event.data.get("activity")
    if event.type in ("activity_removed", "activity_reopened"):
        waits = [wait for wait in state.clocks.get("waits", ()) if wait[2] != activity]
        if len(waits) != len(state.clocks.get("waits", ())):
            state.clocks = {**state.clocks, "waits": waits}
    elif cause in (ClockCause.MEETING, ClockCause.REPLY):
        _wait_ends(state, event.effective_at)
    elif event.type == "activity_done" and event.data.get("outcome") == ActivityOutcome.SENT:
        waits, at = list(state.clocks.get("waits", ())), text_of(event.effective_at)
        seen = state.clocks.get("seen", {})
        answered = max(seen.get(str(c), "") for c in (ClockCause.MEETING, ClockCause.REPLY))
        entered = text_of(state.entered_at) if state.entered_at is not None else ""
        if at >= max(answered, entered) and not (waits and waits[-1][1] is None):
            state.clocks = {**state.clocks, "waits": [*waits, [at, None, activity]][-_WAITS_KEPT:]}


def _wait_ends(state: Travel, at: datetime) -> None:
    waits = state.clocks.get("waits", ())
    if waits and waits[-1][1] is None:
        begin, _end, activity = waits[-1]
        state.clocks = {**state.clocks, "waits": [*waits[:-1], [begin, max(begin, text_of(at)), activity]]}


def _planned(state: Travel, event: Any) -> None:
    """A talk with a named contact stands in the calendar from when it is planned until its time, or until it is
    held, called off or put off."""
    activity = event.data.get("activity")
    if activity is None or event.type == "activity_removed":
        return
    at = text_of(event.effective_at)
    plans = [
        [begin, max(begin, min(end, at)), own, False] if own == activity and is_open else plan
        for plan in state.clocks.get("plans", ())
        for begin, end, own, is_open in [plan]
    ]
    due = event.data.get("due")
    if event.data.get("customer") and due is not None and event.type != "activity_done":
        until = text_of(datetime.fromisoformat(due))
        if until > at:
            plans.append([at, until, activity, True])
    if plans:
        state.clocks = {**state.clocks, "plans": plans[-_PLANS_KEPT:]}


def _hold_ends(state: Travel, at: datetime) -> None:
    if state.hold_since is not None and at > state.hold_since:
        holds = [*state.clocks.get("holds", ()), [text_of(state.hold_since), text_of(at)]]
        state.clocks = {**state.clocks, "holds": holds}


def _mirror(state: Travel, data: Mapping[str, Any]) -> None:
    if "owner_id" in data:
        state.owner_id = data["owner_id"]
    if "team_id" in data:
        state.team_id = data["team_id"]
    if "amount" in data:
        state.base_amount = _decimal(data["amount"])
    if "close_date" in data:
        state.close_date = _date(data["close_date"])


def _category(state: Travel, data: Mapping[str, Any]) -> None:
    """A move sets category and probability of the target, but never over a category set by hand (MV-1)."""
    if "category" in data and not state.category_pinned:
        state.forecast_category = data["category"]
    if "probability" in data:
        state.probability = data["probability"]


def _enter(
    state: Travel, stage_key: str, axis_key: str, version: int, at: datetime, *, known: bool = True
) -> VisitState:
    visit = _open(state, stage_key, axis_key, version, at, known=known)
    state.entered_at, state.entered_at_known = at, known
    # Whoever works a stage anew is asked all that it asks.
    state.carried = carrying.entering(state.carried, stage_key)
    if "tracks" in state.clocks:
        state.clocks = {name: value for name, value in state.clocks.items() if name != "tracks"}
    _wait_ends(state, at)
    _saw(state, ClockCause.STAGE, at)
    return visit


def _open(
    state: Travel, stage_key: str, axis_key: str, version: int, at: datetime, *, known: bool
) -> VisitState:
    state.visit_total += 1
    state.stage_visits[stage_key] = state.stage_visits.get(stage_key, 0) + 1
    visit = VisitState(
        episode_no=state.episode_no,
        ordinal=state.visit_total,
        stage_key=stage_key,
        axis_key=axis_key,
        process_version=version,
        visit_no=state.stage_visits[stage_key],
        entered_at=at,
        entered_at_known=known,
        left_at=None,
        exit_type="",
        outcome="",
        skipped=False,
        imported=False,
        held_seconds=0,
        amount=state.base_amount,
        close_date=state.close_date,
        owner_id_then=state.owner_id,
        team_id_then=state.team_id,
        forecast_category=state.forecast_category,
    )
    state.visits.append(visit)
    state.touched.append(visit)
    state.stage_key = stage_key
    return visit


def _leave(state: Travel, at: datetime, exit_type: str, outcome: str = "", *, imported: bool = False) -> None:
    """`imported`: the pass came in as history, so nobody asked its gate and nobody asks it later."""
    visit = state.open_visit
    if visit is None:
        return
    if state.hold_since is not None:
        visit.held_seconds += int((at - max(state.hold_since, visit.entered_at)).total_seconds())
        _hold_ends(state, at)
        state.hold_since, state.resume_date = None, None
    # History may hold an end before its beginning; a stay is never shorter than nothing.
    visit.left_at, visit.exit_type, visit.outcome = max(at, visit.entered_at), exit_type, outcome
    visit.imported = imported
    if visit not in state.touched:
        state.touched.append(visit)


def _started(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    state.process_key, state.process_version = event.process_key, event.process_version
    state.episode_no = event.episode_no or 1
    state.fidelity = event.fidelity
    state.opened_at = datetime.fromisoformat(data["opened_at"]) if "opened_at" in data else event.effective_at
    _mirror(state, data)
    state.forecast_category, state.probability = data["category"], data["probability"]
    _enter(
        state,
        event.to_stage,
        data["axis"],
        event.process_version,
        event.effective_at,
        known=data.get("known", True),
    )
    _norm(state, event.to_stage, data)


def _passed(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    """A dated step of imported history: the open visit is left, the next one entered, no gate asked."""
    _leave(state, event.effective_at, data["exit"], imported=True)
    _mirror(state, data)
    _category(state, data)
    _enter(
        state,
        event.to_stage,
        data["axis"],
        event.process_version,
        event.effective_at,
        known=data.get("known", True),
    )
    if data["exit"] == ExitType.REGRESS:
        state.regress_count += 1


def _moved(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    at = event.effective_at
    _leave(state, at, data["exit"])
    for key, axis in data.get("skipped", []):
        visit = _enter(state, key, axis, event.process_version, at)
        visit.skipped, visit.left_at, visit.exit_type = True, at, ExitType.SKIP_FORWARD
    if data["exit"] == ExitType.REGRESS:
        state.regress_count += 1
    _category(state, data)
    _enter(state, event.to_stage, data["axis"], event.process_version, at)
    _norm(state, event.to_stage, data)


def _held(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    state.state, state.hold_since = JourneyState.ON_HOLD, event.effective_at
    state.resume_date, state.reason_code = _date(data.get("resume_date")), event.reason_code


def _resumed(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    visit = state.open_visit
    if visit is not None and state.hold_since is not None:
        visit.held_seconds += int(
            (event.effective_at - max(state.hold_since, visit.entered_at)).total_seconds()
        )
        state.touched.append(visit)
    _hold_ends(state, event.effective_at)
    state.state, state.hold_since, state.resume_date, state.reason_code = JourneyState.OPEN, None, None, ""


def _close(
    state: Travel, event: Any, data: Mapping[str, Any], to: JourneyState, outcome: str, exit_type: str
) -> None:
    _mirror(state, data)
    _leave(state, event.effective_at, exit_type, outcome, imported=bool(event.fidelity))
    state.state, state.outcome, state.closed_at = to, outcome, event.effective_at
    state.reason_code = event.reason_code
    if "probability" in data:
        state.probability = data["probability"]
    if "category" in data:
        state.forecast_category, state.category_pinned = data["category"], False


def _won(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    _close(state, event, data, JourneyState.WON, Outcome.WON, ExitType.WON)


def _lost(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    _close(state, event, data, JourneyState.LOST, data["outcome"], ExitType.LOST)


def _cancelled(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    _close(state, event, data, JourneyState.CANCELLED, data["outcome"], ExitType.CANCELLED)


def _reopened(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    state.episode_no += 1
    state.stage_visits = {}
    state.carried = carrying.of_new_episode(state.carried)
    state.clocks = {"policy": state.clocks["policy"]} if "policy" in state.clocks else {}
    state.state, state.outcome, state.reason_code, state.closed_at = JourneyState.OPEN, "", "", None
    state.opened_at = event.effective_at
    _category(state, data)
    _enter(state, event.to_stage, data["axis"], event.process_version, event.effective_at)
    _norm(state, event.to_stage, data)


def _mirrored(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    _mirror(state, data)
    for name in (ClockCause.AMOUNT, ClockCause.CLOSE_DATE):
        if name in data:
            _saw(state, name, event.effective_at)


def _norm(state: Travel, stage_key: str, data: Mapping[str, Any]) -> None:
    """A median that sets this stage's limits stands in the event of the entry, and stays as it was then (SL-3)."""
    if data.get("norm") is not None:
        remember(state, "norms", {stage_key: data["norm"]})


def _policy_taken(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    state.clocks = {**state.clocks, "policy": data["policy"]}


def _category_set(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    state.forecast_category, state.category_pinned = data["category"], data["pinned"]


def _superseded(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    state.superseded_at = event.effective_at


def _migrated(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    """The stay goes on in another version: its visit ends `migrated`, the next one continues it (VR-6).

    It is no doing of the seller's, so neither the stay nor inactivity begins anew; a pause goes on.
    """
    at, visit, version = event.effective_at, state.open_visit, event.process_version
    if visit is not None:
        at = max(at, visit.entered_at)
        if state.hold_since is not None:
            visit.held_seconds += int((at - max(state.hold_since, visit.entered_at)).total_seconds())
        visit.left_at, visit.exit_type = at, ExitType.MIGRATED
        state.touched.append(visit)
    number = visit.visit_no if visit is not None and visit.stage_key == event.to_stage else None
    if number is not None:  # one stay at one stage keeps its number
        state.stage_visits[event.to_stage] = number - 1
    following = _open(state, event.to_stage, data["axis"], version, at, known=state.entered_at_known)
    if visit is not None:  # what was frozen at the entry stays so (EV-3)
        for name in ("amount", "close_date", "owner_id_then", "team_id_then", "forecast_category"):
            setattr(following, name, getattr(visit, name))
    state.carried = carrying.migrated(state.carried, data, last=following.ordinal - 1)
    # Another version may ask other things of its tracks.
    state.clocks = {name: value for name, value in state.clocks.items() if name != "tracks"}
    state.process_key, state.process_version = event.process_key or state.process_key, version
    _category(state, data)
    if data.get("policy_dropped") is not None:
        state.clocks = {name: value for name, value in state.clocks.items() if name != "policy"}
    if event.to_stage not in state.clocks.get("norms", {}):
        _norm(state, event.to_stage, data)


def _unmigrated(state: Travel, event: Any, data: Mapping[str, Any]) -> None:
    """Back in the version before, as if the stay had not been cut in two; what was heard since stays heard."""
    gone, visit = state.visits.pop(), state.visits[-1]
    state.visit_total -= 1
    state.stage_visits[gone.stage_key] = max(
        (
            v.visit_no
            for v in state.visits
            if v.episode_no == state.episode_no and v.stage_key == gone.stage_key
        ),
        default=0,
    )
    if state.hold_since is not None and state.hold_since < gone.entered_at:
        begun = max(state.hold_since, visit.entered_at)
        visit.held_seconds -= int((gone.entered_at - begun).total_seconds())
    visit.held_seconds += gone.held_seconds
    visit.left_at, visit.exit_type = None, ""
    state.touched.append(visit)
    state.removed.append(gone)
    state.stage_key, state.process_version = visit.stage_key, event.process_version
    state.carried = data["carried"]
    _category(state, data)
    if data.get("policy") is not None:
        state.clocks = {**state.clocks, "policy": data["policy"]}


_HANDLERS = {
    STARTED: _started,
    PASSED: _passed,
    MOVED: _moved,
    HELD: _held,
    RESUMED: _resumed,
    WON: _won,
    LOST: _lost,
    CANCELLED: _cancelled,
    REOPENED: _reopened,
    MIRRORED: _mirrored,
    CATEGORY_SET: _category_set,
    SUPERSEDED: _superseded,
    RESTORED: restored,
    MIGRATED: _migrated,
    UNMIGRATED: _unmigrated,
    MERGED: merged,
    UNMERGED: gone_on,
    LEFT: left,
    UNLEFT: gone_on,
    clock_events.BREACHED: marking.breached,
    clock_events.ESCALATED: marking.escalated,
    clock_events.ACKNOWLEDGED: marking.acknowledged,
    clock_events.REPOLICIED: _policy_taken,
    clock_events.ACTED: marking.acted,
    clock_events.CALL_SETTLED: marking.call_settled,
    clock_events.TRACK_THROUGH: marking.track_through,
    clock_events.TRACK_REOPENED: marking.track_reopened,
}
