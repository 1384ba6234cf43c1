"""Approvals as the API and pages say them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from fairlead.common.refusals import NotFound
from fairlead.fields.catalogue import Catalogue, catalogue, pick
from fairlead.organisation.models import User

from .approval_policy import PackageItem
from .approval_words import bound_text, kind_name, row_name
from .definitions import definitions_of
from .envelopes import bounds_from_json
from .facts import Bound
from .models import (
    ApprovalCondition,
    ApprovalQuestion,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
    Delegation,
)
from .selectors.approvals import requests_seen_by
from .services.approval_asking import Preview


def find_request(user: Any, pk: int) -> ApprovalRequest:
    """Raises NotFound for a request that the person neither takes part in nor sees the record of."""
    row = requests_seen_by(user).select_related("journey__stage").filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row


def requests_out(rows: Sequence[ApprovalRequest], *, reader: Any) -> list[dict[str, Any]]:
    """A fixed number of queries, however many requests. Values that the reader may not read stay out."""
    ids = [row.pk for row in rows]
    seats, steps = defaultdict(list), defaultdict(list)
    for seat in ApprovalSeat.objects.filter(request__in=ids).select_related("person"):
        seats[seat.step_id].append(seat)
    for step in ApprovalStep.objects.filter(request__in=ids):
        steps[step.request_id].append(step)
    conditions = _by_request(ApprovalCondition.objects.filter(request__in=ids))
    questions = _by_request(ApprovalQuestion.objects.filter(request__in=ids))
    definitions = definitions_of({row.journey.process_version_id for row in rows})
    found = []
    for row in rows:
        fields = catalogue(row.journey.subject_type)
        found.append(
            {
                "id": row.pk, "journey": row.journey_id, "subject_type": row.journey.subject_type,
                "subject_id": row.journey.subject_id, "title": row.journey.title, "kind": row.kind,
                "kind_name": kind_name(definitions[row.journey.process_version_id], row.kind), "about": row.about,
                "number": row.number, "state": row.state, "text": row.text, "package": row.package,
                "bounds": bounds_out(bounds_from_json(row.bounds), fields, reader),
                "submitted_by": row.submitted_by_id, "submitted_at": row.submitted_at, "ended_at": row.ended_at,
                "next_due_at": row.next_due_at, "second_reader": row.second_reader_id, "auto": row.is_auto,
                "steps": [_step_out(step, seats[step.pk]) for step in steps[row.pk]],
                "conditions": [_condition_out(c) for c in conditions[row.pk]],
                "questions": [question_out(q) for q in questions[row.pk]], "version": row.version,
            }
        )  # fmt: skip
    return found


def _by_request(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found = defaultdict(list)
    for row in rows:
        found[row.request_id].append(row)
    return found


def request_out(row: ApprovalRequest, *, reader: Any) -> dict[str, Any]:
    fresh = ApprovalRequest.objects.select_related("journey").get(pk=row.pk)
    return requests_out([fresh], reader=reader)[0]


def bounds_out(bounds: Iterable[Bound], fields: Catalogue, reader: Any) -> list[dict[str, Any]]:
    return [
        {
            "lever": b.lever, "field": b.field, "direction": b.direction, "value": b.value, "text": bound_text(b, fields),
        }
        for b in bounds
        if (spec := fields.get(b.field)) is None or spec.readable_by(reader)
    ]  # fmt: skip


def _step_out(step: ApprovalStep, seats: Sequence[ApprovalSeat]) -> dict[str, Any]:
    return {
        "key": step.key, "lane": step.lane, "lever": step.lever, "row": step.row_key, "tier": step.tier,
        "mode": step.mode, "k": step.k, "state": step.state, "started_at": step.started_at,
        "response_due_at": step.response_due_at, "decision_due_at": step.decision_due_at,
        "responded_at": step.responded_at, "decided_at": step.decided_at,
        "seats": [
            {
                "id": s.pk, "person": s.person_id, "name": s.person.name, "for": s.for_person_id, "because": s.because,
                "required": s.required, "state": s.state, "asked_at": s.asked_at, "seen_at": s.seen_at,
                "decided_at": s.decided_at, "comment": s.comment,
            }
            for s in seats
        ],
    }  # fmt: skip


def _condition_out(row: ApprovalCondition) -> dict[str, Any]:
    return {
        "id": row.pk, "text": row.text, "subject_type": row.subject_type, "stage": row.stage_key, "kind": row.kind,
        "name": row.name, "role": row.role, "set_by": row.set_by_id, "holds_from": row.holds_from,
        "met_at": row.met_at,
    }  # fmt: skip


def question_out(row: ApprovalQuestion) -> dict[str, Any]:
    return {
        "id": row.pk, "by": row.by_id, "to": row.to_id, "text": row.text, "at": row.at, "answer": row.answer,
        "answered_at": row.answered_at,
    }  # fmt: skip


def preview_out(found: Preview, *, subject_type: str, reader: Any) -> dict[str, Any]:
    people = {seat.person_id for step in found.steps for seat in step.seats}
    names = dict(User.objects.filter(pk__in=people).values_list("pk", "name"))
    kind = found.kind
    return {
        "kind": kind.key, "kind_name": pick(kind.name), "cover": str(found.coverage.cover),
        "levers": list(found.coverage.open_levers),
        "prohibited": [pick(one.name) for one in found.coverage.asked.prohibited],
        "bounds": bounds_out(found.bounds, catalogue(subject_type), reader),
        "steps": [
            {
                "key": step.key, "lever": step.lever, "row": step.row_key,
                "row_name": row_name(row) if (row := kind.row(step.row_key)) else step.row_key, "tier": step.tier,
                "mode": step.mode, "k": step.k, "people": [s.person_id for s in step.seats],
                "names": [names.get(s.person_id, "") for s in step.seats], "response_hours": step.response_hours,
                "decision_hours": step.decision_hours,
            }
            for step in found.steps
        ],
        "package": [_item_out(item) for item in (*kind.package, *kind.opinions)],
    }  # fmt: skip


def _item_out(item: PackageItem) -> dict[str, Any]:
    return {"key": item.key, "name": pick(item.name), "needed": item.needed, "role": item.role}


def delegation_out(row: Delegation) -> dict[str, Any]:
    return {
        "id": row.pk, "delegator": row.delegator_id, "delegate": row.delegate_id, "from_date": row.from_date,
        "to_date": row.to_date, "kinds": row.kinds, "amount_cap": row.amount_cap, "reason": row.reason,
        "granted_by": row.granted_by_id, "granted_at": row.granted_at, "revoked_at": row.revoked_at,
    }  # fmt: skip
