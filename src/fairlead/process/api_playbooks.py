"""Playbooks of a journey and the customer's answers, for machines."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Status

from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.common.rest import IfMatch, PathId, etag, version_in
from fairlead.fields.catalogue import pick
from fairlead.journal.enums import Channel

from . import services
from .answers import find_journey, situation_of
from .handbooks import playbooks_for
from .models import PlaybookRun, QuestionAnswer
from .schemas_playbooks import AnswerIn, AnswerOut, AnswersOut, EndIn, LaunchIn, PlaybooksOut, RunOut
from .selectors.playbooks import RunView, runs_of

router = Router(tags=["process"])


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.API}


def _run_out(view: RunView) -> dict[str, Any]:
    run = view.run
    return {
        "id": run.pk, "playbook": run.playbook_key, "number": run.number, "stage": run.stage_key,
        "trigger": run.trigger, "state": run.state, "outcome": run.outcome, "progress": view.percent,
        "asked_again": run.asked_at is not None, "launched_at": run.launched_at, "ended_at": run.ended_at,
        "version": run.version,
        "tasks": [
            {"key": key, "task": t.pk, "title": t.title, "assignee": t.assignee_id, "due": t.due_date,
             "done_at": t.done_at}
            for key, t in view.tasks
        ],
    }  # fmt: skip


def _one(run: PlaybookRun) -> dict[str, Any]:
    return next(_run_out(view) for view in runs_of(run.journey) if view.run.pk == run.pk)


@router.get("/journeys/{id:pk}/playbooks", response=PlaybooksOut, operation_id="playbooks_list")
@access("signed-in", api=True)
def playbooks(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """What can be launched at this stage for this record, and what is or was at work, open ones first."""
    at = timezone.now()
    journey = find_journey(request.user, pk)
    situation = situation_of(journey, at)
    offered = playbooks_for(situation.definition, journey.stage.key, situation.facts.fields, now=at)
    return {
        "offered": [
            {"key": b.key, "name": pick(b.name), "purpose": pick(b.purpose), "tasks": len(b.tasks)}
            for b in offered
        ],
        "runs": [_run_out(view) for view in runs_of(journey)],
    }


@router.post("/journeys/{id:pk}/playbooks", response={201: RunOut}, operation_id="playbooks_launch")
@access("signed-in", api=True)
def launch(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: LaunchIn
) -> Status[dict[str, Any]]:
    """Give out the tasks of a playbook. 409 `playbook-ran-before` until `again` says what then."""
    find_journey(request.user, pk)
    run = services.launch_playbook(pk, playbook=payload.playbook, again=payload.again or "", **_how(request))
    etag(response, run.version)
    return Status(201, _one(run))


@router.post("/playbook-runs/{id:pk}/end", response=RunOut, operation_id="playbooks_end")
@access("signed-in", api=True)
def end(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: EndIn, if_match: IfMatch = None
) -> dict[str, Any]:
    """Say what came of a playbook; open tasks are taken back."""
    row = PlaybookRun.objects.filter(pk=pk).first()
    if row is None:
        raise NotFound
    find_journey(request.user, row.journey_id)
    run = services.end_playbook(pk, outcome=payload.outcome, version=version_in(if_match), **_how(request))
    etag(response, run.version)
    return _one(run)


def _answer_out(row: QuestionAnswer) -> dict[str, Any]:
    return {
        "id": row.pk, "key": row.question_key, "type": row.type, "stage": row.stage_key,
        "question": row.question, "answer": row.answer, "by": row.by_id, "at": row.at,
    }  # fmt: skip


@router.get("/journeys/{id:pk}/answers", response=AnswersOut, operation_id="answers_list")
@access("signed-in", api=True)
def answers(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """What the customer answered, the newest first, at most 200."""
    journey = find_journey(request.user, pk)
    rows = QuestionAnswer.objects.filter(
        subject_type=journey.subject_type, subject_id=journey.subject_id, removed_at=None
    )
    return {"items": [_answer_out(row) for row in rows.order_by("-at", "-pk")[:200]]}


@router.post("/journeys/{id:pk}/answers", response={201: AnswerOut}, operation_id="answers_keep")
@access("signed-in", api=True)
def keep(request: HttpRequest, pk: PathId, payload: AnswerIn) -> Status[dict[str, Any]]:
    """Keep an answer in the customer's words."""
    find_journey(request.user, pk)
    row = services.answer_question(
        pk, key=payload.key or "", question=payload.question, answer=payload.answer, **_how(request)
    )
    return Status(201, _answer_out(row))


@router.delete("/answers/{id:pk}", response={204: None}, operation_id="answers_remove")
@access("signed-in", api=True)
def remove(request: HttpRequest, pk: PathId) -> Status[None]:
    services.remove_answer(pk, **_how(request))
    return Status(204, None)
