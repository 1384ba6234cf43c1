"""Answers of the customer to the questions of a stage, and the use that guidance is put to (PB-1, PB-5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common import records
from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.common.text import clean_text
from fairlead.fields.catalogue import pick
from fairlead.journal.models import Event
from fairlead.journal.services import NewEvent, record

from ..definitions import definition_of
from ..models import Journey, QuestionAnswer

LONGEST = 2000
OPENED = "guidance_opened"
NOTE = "comment.add"  # whoever may leave a word may leave the trace of having read


@transaction.atomic
def answer_question(
    journey_id: int,
    *,
    answer: str,
    by: Any,
    at: datetime,
    channel: str,
    key: str = "",
    question: str = "",
    contact_id: int | None = None,
) -> QuestionAnswer:
    """Keep what the customer answered, to a question of the bank (`key`) or to one's own (`question`).

    The caller has made sure that `contact_id` is a contact whom `by` sees. Raises NotFound, NotPermitted, Invalid.
    """
    journey = Journey.objects.select_related("process_version", "stage").filter(pk=journey_id).first()
    if journey is None:
        raise NotFound
    kind = records.record_type(journey.subject_type)
    records.require(by, journey.subject_type, journey.subject_id, kind.edit_right)
    said = clean_text(answer, limit=100_000, field="answer").strip()
    errors = []
    if not 0 < len(said) <= LONGEST:
        errors.append(
            {"field": "answer", "message": _("Write 1 to %(most)s characters.") % {"most": LONGEST}}
        )
    stage_key, type_ = journey.stage.key, ""
    if key:
        found = definition_of(journey.process_version).question(key)
        if found is None:
            raise Invalid.field("question", _("This process has no such question."))
        stage, asked = found
        question, stage_key, type_ = pick(asked.text), stage.key, asked.type or ""
    question = clean_text(question, limit=100_000, field="question").strip()
    if not 0 < len(question) <= 300:
        errors.append({"field": "question", "message": _("Write 1 to %(most)s characters.") % {"most": 300}})
    if errors:
        raise Invalid(errors=errors)
    row = QuestionAnswer.objects.create(
        subject_type=journey.subject_type,
        subject_id=journey.subject_id,
        question_key=key,
        type=type_,
        stage_key=stage_key,
        question=question,
        answer=said,
        contact_id=contact_id,
        by=by,
        at=at,
    )
    _note(
        journey, "question_answered", by=by, at=at, channel=channel, answer=row.pk, question=key, kind=type_
    )
    return row


@transaction.atomic
def remove_answer(answer_id: int, *, by: Any, at: datetime, channel: str) -> QuestionAnswer:
    row = QuestionAnswer.objects.select_for_update(of=("self",)).filter(pk=answer_id, removed_at=None).first()
    if row is None:
        raise NotFound
    kind = records.record_type(row.subject_type)
    records.require(by, row.subject_type, row.subject_id, kind.edit_right)
    row.removed_at = at
    row.save(update_fields=["removed_at"])
    record(
        [
            NewEvent(
                type="answer_removed",
                subject_type=row.subject_type,
                subject_id=row.subject_id,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                data={"answer": row.pk, "question": row.question_key},
            )
        ]
    )
    return row


@transaction.atomic
def note_guidance(journey_id: int, *, stage_key: str, by: Any, at: datetime, channel: str) -> bool:
    """That a person opened the handbook of a stage: once a person, stage and visit. Whether it was noted now."""
    journey = Journey.objects.select_related("process_version").filter(pk=journey_id).first()
    if journey is None:
        raise NotFound
    kind = records.record_type(journey.subject_type)
    records.require(by, journey.subject_type, journey.subject_id, kind.view_right)
    if not by.may(NOTE):
        raise NotPermitted(details={"right": NOTE})
    if stage_key not in definition_of(journey.process_version).by_key:
        raise Invalid.field("stage", _("There is no stage “%(key)s”.") % {"key": stage_key[:40]})
    before = Event.objects.filter(
        subject_type=journey.subject_type,
        subject_id=journey.subject_id,
        type=OPENED,
        actor_id=by.pk,
        effective_at__gte=journey.entered_at,
        data__stage=stage_key,
    )
    if before.exists():
        return False
    _note(journey, OPENED, by=by, at=at, channel=channel, stage=stage_key)
    return True


def _note(journey: Journey, type_: str, *, by: Any, at: datetime, channel: str, **data: Any) -> None:
    record(
        [
            NewEvent(
                type=type_,
                subject_type=journey.subject_type,
                subject_id=journey.subject_id,
                journey_id=journey.pk,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                process_key=journey.process_key,
                data=data,
            )
        ]
    )
