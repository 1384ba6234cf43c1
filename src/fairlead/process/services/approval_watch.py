"""What ends an approval: a value outside its envelope, a move back (AP-3, AP-14, MV-3). In the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from fairlead.journal.enums import Channel
from fairlead.journal.services import NewEvent, record
from fairlead.work.enums import Reason

from ..approval_enums import VoidReason
from ..enums import Kind
from ..envelopes import moved
from ..models import ApprovalGrant, Journey
from ..selectors.approvals import Has
from ..selectors.gathering import Situation
from ..verdicts import Verdict
from . import ledger
from .clock_notices import Notice, tell


def void_outside(known: Mapping[int, Situation], *, at: datetime) -> dict[int, Situation]:
    """End the decisions of which a value has left the envelope, lever by lever; what else was decided stays.

    Gives back the situations with what has ended. One that has ended does not come back with the value.
    """
    gone: dict[int, tuple[Situation, list[Any]]] = {}
    found = dict(known)
    for pk, situation in known.items():
        facts = situation.facts
        ended = {}
        for fact in facts.approvals:
            if fact.is_pending or fact.was_outside:
                continue
            if out := moved(fact.bounds, facts.fields):
                ended[fact.id] = out
                gone[fact.id] = (situation, [fact, out])
        if ended:
            approvals = tuple(
                replace(fact, was_outside=True) if fact.id in ended and not fact.is_pending else fact
                for fact in facts.approvals
            )
            found[pk] = replace(situation, facts=replace(facts, approvals=approvals))
    if gone:
        _void(gone, VoidReason.OUTSIDE, at=at)
    return found


def void_on_regress(moves: Iterable[tuple[Verdict, Journey, Situation]], *, at: datetime) -> None:
    """End what was decided at a later stage, where the kind says so; what is covered else stays (MV-3)."""
    gone: dict[int, tuple[Situation, list[Any]]] = {}
    for verdict, row, situation in moves:
        if verdict.wish.kind != Kind.REGRESS or not row.approvals & Has.GRANTS:
            continue
        definition = situation.definition
        kinds = {k.key for k in definition.approvals.kinds.values() if k.lapses_on_regress}
        if not kinds:
            continue
        target = definition.position(verdict.target)
        live = ApprovalGrant.objects.filter(journey=row, kind__in=kinds, voided_at=None)
        later = {
            g.pk
            for g in live
            if g.stage_key in definition.by_key and definition.position(g.stage_key) > target
        }
        for fact in situation.facts.approvals:
            if fact.id in later and not fact.is_pending:
                gone[fact.id] = (situation, [fact, ()])
    if gone:
        _void(gone, VoidReason.REGRESS, at=at)


def _void(gone: Mapping[int, tuple[Situation, Sequence[Any]]], reason: VoidReason, *, at: datetime) -> None:
    ApprovalGrant.objects.filter(pk__in=gone, voided_at=None).update(voided_at=at, void_reason=reason)
    record(
        [
            NewEvent(
                **ledger.event_base(
                    situation.journey,
                    situation.definition.version,
                    type="approval_voided",
                    actor_id=None,
                    effective_at=at,
                    channel=Channel.SYSTEM,
                    reason_code=reason,
                    data={
                        "grant": grant_id,
                        "kind": fact.kind,
                        "lever": fact.lever,
                        "fields": sorted({b.field for b in out}),
                    },
                )
            )
            for grant_id, (situation, (fact, out)) in gone.items()
        ]
    )
    tell(
        [
            Notice(
                recipient_ids=(situation.journey.owner_id,) if situation.journey.owner_id else (),
                subject_type=situation.journey.subject_type,
                subject_id=situation.journey.subject_id,
                code="approval_voided",
                params={"lever": fact.lever},
                at=at,
                reason=Reason.OWNER,
            )
            for situation, (fact, _out) in gone.values()
        ]
    )
