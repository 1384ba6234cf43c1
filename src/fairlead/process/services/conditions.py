"""What approvals are given on condition of: criteria of a gate, tracked until they hold (AP-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.questions import Question
from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.journal.services import NewEvent, record

from .. import subjects
from ..models import ApprovalCondition, Journey, Process, StageRow
from ..refusals import ApprovalRefused
from ..selectors.approvals import says_when_met
from . import ledger
from .approval_rows import Held, attach_conditions, mark
from .evidence import facts_change, journey_for

KINDS = ("external", "document", "word")
MAX_CONDITIONS = 10
MAX_TEXT = 300


def add(held: Held, given: Sequence[Mapping[str, Any]], *, by: Any) -> None:
    """Note conditions of an approver. Raises Invalid naming the field."""
    if len(given) > MAX_CONDITIONS:
        raise Invalid.field("conditions", _("At most %(count)s conditions.") % {"count": MAX_CONDITIONS})
    number = ApprovalCondition.objects.filter(request=held.request).count()
    for i, one in enumerate(given):
        text = str(one.get("text") or "").strip()
        kind, name = str(one.get("kind") or "word"), str(one.get("name") or "")
        subject_type = str(one.get("subject_type") or held.journey.subject_type)
        stage_key = str(one.get("stage") or "")
        here = f"conditions.{i}"
        if not text or len(text) > MAX_TEXT:
            raise Invalid.field(f"{here}.text", _("Say the condition, in at most 300 characters."))
        if kind not in KINDS:
            raise Invalid.field(f"{here}.kind", _("A condition is shown by a fact, a document or a word."))
        if subject_type not in subjects.registered():
            raise Invalid.field(f"{here}.subject_type", _("There is no such kind of record."))
        externals = subjects.room_of(subject_type).externals
        if kind == "external" and name not in externals:
            raise Invalid.field(f"{here}.name", _("Nobody reports this fact."))
        if kind == "document" and not name:
            raise Invalid.field(f"{here}.name", _("Say which kind of document."))
        if not _has_stage(held, subject_type, stage_key):
            raise Invalid.field(f"{here}.stage", _("There is no such stage."))
        is_here = subject_type == held.journey.subject_type
        ApprovalCondition.objects.create(
            request=held.request,
            journey=held.journey if is_here else None,
            subject_type=subject_type,
            stage_key=stage_key,
            key=f"c{number + i + 1}",
            text=text,
            kind=kind,
            name=name[:60],
            role=str(one.get("role") or "")[:10],
            set_by=by,
            set_at=held.at,
        )


def _has_stage(held: Held, subject_type: str, stage_key: str) -> bool:
    if subject_type == held.journey.subject_type:
        return stage_key in held.definition.by_key
    processes = Process.objects.filter(subject_type=subject_type)
    return StageRow.objects.filter(version__process__in=processes, key=stage_key).exists()


def take_effect(held: Held) -> None:
    attach_conditions(held)


def drop(held: Held) -> None:
    """The request was not approved: its conditions bind nobody."""
    ApprovalCondition.objects.filter(request=held.request, dropped_at=None).update(dropped_at=held.at)


_loose = Question(
    lambda ids: ApprovalCondition.objects.filter(
        request__journey__subject_id__in=ids, journey=None, holds_from__isnull=False, dropped_at=None
    ).select_related("request__journey"),
    lists=("ids",),
)


def take_along(came_of: Mapping[tuple[str, int], Journey]) -> list[Journey]:
    """Records came of others, such as the contract of a deal: conditions at their gate go with them.

    Returns the journeys that got some.
    """
    if not came_of:
        return []
    changed = {}
    for condition in _loose([subject_id for _type, subject_id in came_of]):
        source = condition.request.journey
        target = came_of.get((source.subject_type, source.subject_id))
        if target is not None and target.subject_type == condition.subject_type:
            ApprovalCondition.objects.filter(pk=condition.pk).update(journey=target)
            changed[target.pk] = target
    for journey in changed.values():
        mark(journey)
    return list(changed.values())


@transaction.atomic
def meet(condition_id: int, *, comment: str, by: Any, at: datetime, channel: str) -> ApprovalCondition:
    """Say that a condition is fulfilled which nothing else shows: by whoever set it, or a manager of the record (AP-12).

    Whoever set it may do so also where the record itself is not theirs to see: an approver who was added for one
    decision would otherwise leave a gate behind that opens for nobody.
    """
    row = (
        ApprovalCondition.objects.select_related("journey__process_version")
        .filter(pk=condition_id, journey__isnull=False)
        .first()
    )
    if row is None or row.journey is None:
        raise NotFound
    if row.set_by_id == by.pk:
        journey = ledger.lock([row.journey.pk])[row.journey.pk]
    else:
        journey = journey_for(row.journey.pk, by=by, right=subjects.room_of(row.subject_type).view_right)
    if row.kind != "word":
        raise ApprovalRefused(_("What fulfils this condition is a fact or a document, not a word."))
    if journey.owner_id == by.pk:
        raise NotPermitted(_("The owner's own word does not count here."))
    if not says_when_met(by, row):
        raise NotPermitted
    if row.met_at is not None:
        return row
    with facts_change(journey.subject_type, [journey.subject_id], at=at):
        row.met_at, row.met_by = at, by
        row.save(update_fields=["met_at", "met_by"])
        record(
            [
                NewEvent(
                    **ledger.event_base(
                        journey,
                        journey.process_version.number,
                        type="approval_condition_met",
                        actor_id=by.pk,
                        effective_at=at,
                        channel=channel,
                        data={"condition": row.pk, "request": row.request_id},
                        comment=comment.strip(),
                    )
                )
            ]
        )
    return row
