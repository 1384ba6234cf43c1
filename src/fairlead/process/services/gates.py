"""The gate summary that lists and boards show, kept on the journey: how the plain next move stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from fairlead.common import bulk
from fairlead.common.questions import Question

from ..engine import decide, forward_move, left_behind
from ..enums import CriterionState
from ..models import GateFlag, Journey
from ..selectors.gathering import Situation, situations
from ..verdicts import TrackResult, Verdict
from . import track_noting
from .approval_watch import void_outside

COLUMNS = [
    "gate_state",
    "gate_missing",
    "gate_waived",
    "gate_flags",
    "gate_next_expiry_at",
    "step_back_advised",
]

_standing = Question(
    lambda ids: GateFlag.objects.filter(journey__in=ids, cleared_at=None).order_by("pk"), lists=("ids",)
)


def summary(verdict: Verdict | None, *, soft: bool) -> dict[str, object]:
    """`gate_state`: ready, missing, waived (ready by waiver), unknown; blank for a journey that is not open."""
    if verdict is None:
        return {"gate_state": "", "gate_missing": 0, "gate_waived": 0, "gate_next_expiry_at": None}
    blocking = [r for r in verdict.results if r.blocks]
    waived = sum(1 for r in verdict.results if r.state == CriterionState.WAIVED)
    ends = [r.expires_at for r in verdict.results if r.expires_at and r.settled]
    state = "missing" if blocking else "waived" if waived else "ready"
    if blocking and all(r.state == CriterionState.UNKNOWN for r in blocking):
        state = "unknown"
    return {
        "gate_state": state,
        "gate_missing": len(blocking),
        "gate_waived": waived,
        "gate_next_expiry_at": min(ends) if ends else None,
    }


def standing_flags(journey_ids: Sequence[int]) -> dict[int, list[GateFlag]]:
    """The flags of each journey that have not been cleared."""
    found: dict[int, list[GateFlag]] = defaultdict(list)
    for flag in _standing(journey_ids) if journey_ids else ():
        found[flag.journey_id].append(flag)
    return found


def judge(
    journeys: Sequence[Journey],
    *,
    at: datetime,
    known: Mapping[int, Situation],
    flags: Mapping[int, Sequence[GateFlag]],
    tracks: dict[int, Sequence[TrackResult]] | None = None,
) -> list[GateFlag]:
    """Set the summary of each journey by its next move, and give back the flags that this clears. Stores nothing.

    Flags whose criterion has come to hold are cleared, wherever its stage lies; a required item of a stage already
    passed that no longer holds advises a step back, and moves nothing (GT-5, GT-8). `tracks`: is told how far each
    role is (IT-2).
    """
    cleared: list[GateFlag] = []
    for journey in journeys:
        situation = known.get(journey.pk)
        if situation is None:
            continue
        wish = forward_move(situation.definition, situation.facts)
        verdict = decide(situation.definition, situation.facts, wish) if wish else None
        if tracks is not None and verdict is not None and verdict.tracks:
            tracks[journey.pk] = verdict.tracks
        for name, value in summary(verdict, soft=situation.facts.journey.soft).items():
            setattr(journey, name, value)
        standing = flags.get(journey.pk, ())
        settled = _settled(situation, verdict, standing) if verdict else set()
        gone = [f for f in standing if f.criterion_key in settled]
        for flag in gone:
            flag.cleared_at = at
        cleared.extend(gone)
        journey.gate_flags = len(standing) - len(gone)
        journey.step_back_advised = verdict is not None and any(
            r.blocks and r.stage_key in situation.facts.journey.passed for r in verdict.results
        )
    return cleared


def _settled(situation: Situation, verdict: Verdict, standing: Sequence[GateFlag]) -> set[str]:
    """Keys of flagged items that hold by now: at the gate ahead, or judged by themselves where their stage is passed."""
    asked = {r.key: r.settled for r in verdict.results}
    behind = [f.criterion_key for f in standing if f.criterion_key not in asked]
    judged = left_behind(situation.definition, situation.facts, behind)
    return {key for key, holds in asked.items() if holds} | {key for key, r in judged if r.settled}


def refresh_gates(journeys: Sequence[Journey], *, at: datetime) -> None:
    """Judge the next move of each journey anew and keep the summary. In the caller's transaction."""
    if not journeys:
        return
    flags = standing_flags([j.pk for j in journeys])
    known = void_outside(situations(journeys, at=at), at=at)
    tracks: dict[int, Sequence[TrackResult]] = {}
    cleared = judge(journeys, at=at, known=known, flags=flags, tracks=tracks)
    bulk.update(journeys, COLUMNS)
    bulk.update(cleared, ["cleared_at"])
    track_noting.note(journeys, tracks, at=at)


@transaction.atomic
def refresh_due_gates(*, at: datetime, limit: int = 500) -> int:
    """Judge journeys anew whose evidence has run out since; a job calls this. Returns how many."""
    ids = list(
        Journey.objects.due_for_gates(at).order_by("gate_next_expiry_at").values_list("pk", flat=True)[:limit]
    )
    rows = (
        Journey.objects.select_for_update(of=("self",))
        .select_related("stage")
        .filter(pk__in=ids)
        .order_by("pk")
    )
    refresh_gates(list(rows), at=at)
    return len(ids)
