"""Which events the clocks hear, and what each of them is to a journey (SL-1). Pure."""

from __future__ import annotations

from typing import Any, Final

from fairlead.work.enums import TWO_WAY

from .enums import ClockCause

BREACHED: Final = "clock_breached"  # data: clock, key, level, since; effective when it was due
ESCALATED: Final = "clock_escalated"  # data: clock, key, step, to, repeated
ACKNOWLEDGED: Final = "clock_acknowledged"  # data: clock, key, until
RESOLVED: Final = "clock_resolved"  # data: clock, key, level, resolution
REPOLICIED: Final = "clock_policy_taken"  # data: policy, the version whose thresholds hold from here on
ACTED: Final = "clock_acted"  # data: clock, key, level, do, act (its key), what became of it
CALL_SETTLED: Final = "clock_call_settled"  # data: clock, key, act
TRACK_THROUGH: Final = "track_through"  # data: track, role; its stage is the event's
TRACK_REOPENED: Final = "track_reopened"  # data: track, role
RECOMPUTED: Final = "calendar_recomputed"  # about the calendar: clocks looked at, due instants moved

#: Those that the fold keeps in a journey's memory.
CLOCK_EVENTS: Final = frozenset(
    {
        *(BREACHED, ESCALATED, ACKNOWLEDGED, REPOLICIED, ACTED, CALL_SETTLED),
        *(TRACK_THROUGH, TRACK_REOPENED),
    }
)

_WRITTEN: Final = frozenset({"email", "chat", "other"})
_BY_TYPE: Final = {
    "contact_role_added": ClockCause.BUYING_ROLE,
    "contact_role_removed": ClockCause.BUYING_ROLE,
    "file_added": ClockCause.EVIDENCE,
    "attested": ClockCause.EVIDENCE,
    "owner_changed": ClockCause.OWNER,
    "activity_planned": ClockCause.PLANNED,
}
#: What becomes of a planned activity, for the clocks that stand still until its time.
_OF_PLANS: Final = frozenset(
    {"activity_rescheduled", "activity_cancelled", "activity_reopened", "activity_removed"}
)
EVIDENCE_EVENTS: Final = frozenset({*_BY_TYPE, "activity_done", *_OF_PLANS})


def cause_of(event: Any) -> ClockCause | None:
    """What an event about a subject is to the clock of inactivity; None for one that it does not hear."""
    if event.type == "activity_done":
        if event.data.get("outcome") not in TWO_WAY:
            return ClockCause.ATTEMPT
        return ClockCause.REPLY if event.data.get("kind") in _WRITTEN else ClockCause.MEETING
    return _BY_TYPE.get(event.type)
