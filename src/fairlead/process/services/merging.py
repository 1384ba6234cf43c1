"""A journey whose subject turned out to be a double: its visits end `merged`, its methods go on with the other (MV-8).

The rooms of the subjects decide which records may be one, and what else of them goes over.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db.models import Max

from fairlead.journal.models import Event
from fairlead.journal.services import NewEvent

from .. import fold
from ..approval_enums import RequestState
from ..ending_aside import stood
from ..enums import CLOSED_STATES, OverrideState, RunState, VetoState
from ..models import (
    ApprovalRequest,
    Finding,
    Journey,
    OverrideRequest,
    PlaybookRun,
    QuestionAnswer,
    Veto,
    Visit,
)
from . import ledger

_ABOUT: Final[Mapping[str, Any]] = {"answer": QuestionAnswer, "finding": Finding}


def undecided(journey: Journey) -> list[str]:
    """What somebody is still to decide about a journey, which stops it from going: approval, override, veto."""
    open_ones = {
        "approval": ApprovalRequest.objects.filter(journey=journey.pk, state=RequestState.PENDING),
        "override": OverrideRequest.objects.filter(journey=journey.pk, state=OverrideState.OPEN),
        "veto": Veto.objects.filter(journey=journey.pk, state=VetoState.OPEN),
    }
    return [name for name, rows in open_ones.items() if rows.exists()]


def merge_journey(
    journey: Journey,
    into: Journey,
    *,
    moved: Mapping[str, Any],
    by: Any,
    at: datetime,
    channel: str,
) -> Event:
    """End a running journey as a double of `into`; both locked. `moved`: what of its subject goes over, by kind."""
    if journey.state in CLOSED_STATES or into.state in CLOSED_STATES or journey.pk == into.pk:
        raise ValueError("only a running journey is merged, into another running one")
    open_visit = Visit.objects.filter(journey=journey.pk, left_at=None).first()
    data = {
        "into": into.subject_id,
        "into_journey": into.pk,
        "stood": stood(journey, open_visit.held_seconds if open_visit is not None else 0),
        "moved": {name: found for name, found in {**moved, **_hand_over(journey, into, at)}.items() if found},
    }
    event = _write(journey, fold.MERGED, data, by=by, at=at, channel=channel)
    Journey.objects.filter(pk=journey.pk).update(
        gate_state="", gate_missing=0, gate_waived=0, gate_flags=0, gate_next_expiry_at=None,
        step_back_advised=False,
    )  # fmt: skip
    return event


def unmerge_journey(journey: Journey, told: Event, *, by: Any, at: datetime, channel: str) -> Event:
    """Let a merged journey run on as if nothing had been; `told` is the event of its merge. Both are locked."""
    _hand_back(journey, told.data["into_journey"], told.data["moved"], told.effective_at)
    data = {**told.data["stood"], "merge": told.pk}
    return _write(journey, fold.UNMERGED, data, by=by, at=at, channel=channel)


def _write(
    journey: Journey, type_: str, data: dict[str, Any], *, by: Any, at: datetime, channel: str
) -> Event:
    return ledger.write(
        {journey.pk: journey},
        [
            NewEvent(
                **ledger.event_base(
                    journey,
                    journey.process_version.number,
                    type=type_,
                    actor_id=by.pk,
                    effective_at=at,
                    channel=channel,
                    from_stage=journey.stage.key,
                    data=data,
                )
            )
        ],
    )[0]


def _hand_over(journey: Journey, into: Journey, at: datetime) -> dict[str, list[Any]]:
    """Playbooks, answers and findings. A playbook that runs in both goes on in the one that stays."""
    moved: dict[str, list[Any]] = {"run": [], "ended_run": []}
    runs = PlaybookRun.objects.select_for_update(of=("self",)).filter(journey=journey.pk)
    for run in runs.order_by("playbook_key", "number"):
        there = PlaybookRun.objects.filter(journey=into.pk, playbook_key=run.playbook_key)
        if run.state == RunState.OPEN and there.filter(state=RunState.OPEN).exists():
            moved["ended_run"].append([run.pk, run.asked_at.isoformat() if run.asked_at else None])
            run.state, run.ended_at, run.asked_at = RunState.ENDED, at, None
        else:
            moved["run"].append([run.pk, run.number])
            run.number = (there.aggregate(last=Max("number"))["last"] or 0) + 1
            run.journey_id = into.pk
        run.version += 1
        run.save()
    for name, model in _ABOUT.items():
        rows = model.objects.filter(subject_type=journey.subject_type, subject_id=journey.subject_id)
        moved[name] = sorted(rows.values_list("pk", flat=True))
        rows.update(subject_id=into.subject_id)
    return moved


def _hand_back(journey: Journey, into_id: int, moved: Mapping[str, Any], merged_at: datetime) -> None:
    for pk, number in moved.get("run", ()):
        PlaybookRun.objects.filter(pk=pk, journey=into_id).update(journey=journey.pk, number=number)
        PlaybookRun.objects.filter(pk=pk, asked_at=merged_at).update(asked_at=None)  # the merge itself asked
    for pk, asked_at in moved.get("ended_run", ()):
        PlaybookRun.objects.filter(pk=pk, journey=journey.pk, state=RunState.ENDED).update(
            state=RunState.OPEN,
            ended_at=None,
            asked_at=datetime.fromisoformat(asked_at) if asked_at else None,
        )
    for name, model in _ABOUT.items():
        model.objects.filter(pk__in=moved.get(name, ())).update(subject_id=journey.subject_id)
