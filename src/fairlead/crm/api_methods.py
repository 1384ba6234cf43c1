"""Scorecards and the mutual action plan of a deal, for machines."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Status

from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.common.rest import IfMatch, PathId, etag, version_in
from fairlead.fields.catalogue import catalogue, pick
from fairlead.journal.enums import Channel
from fairlead.process.answers import situation_of
from fairlead.process.scorecards import Scorecard
from fairlead.work.schemas import colleague

from .models import Opportunity, PlanStep
from .schemas_methods import AssessIn, PlanOut, PlanStepOut, ScorecardsOut, StepChange, StepIn
from .selectors.plan import credibility_of, steps_of
from .selectors.scorecards import scorecards_of
from .services import methods, plan

router = Router(tags=["crm"])


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.API}


def _deal(request: HttpRequest, pk: int) -> Opportunity:
    rows = Opportunity.objects.visible_to(request.user).select_related(
        "journey__stage", "journey__process_version__process"
    )
    row = rows.filter(pk=pk).first()
    if row is None or row.journey is None:
        raise NotFound
    return row


def _card_out(card: Scorecard) -> dict[str, Any]:
    return {
        "score": card.score.key, "total": card.total, "most": card.score.most, "needed": card.needed,
        "met": card.is_met, "enough": card.enough,
        "elements": [
            {
                "element": e.key, "points": e.points, "top": card.score.top, "floor": e.floor,
                "text": e.known.text if e.known else "", "source": e.known.source if e.known else "",
                "by": e.known.by if e.known else "", "at": e.known.at if e.known else None, "old": e.is_old,
            }
            for e in card.elements
        ],
        "raises": [
            {
                "element": r.element, "to": r.to, "points": r.points, "minutes": r.minutes, "total": r.total,
                "act": pick(r.act.text) if r.act is not None else "",
            }
            for r in card.raises
        ],
    }  # fmt: skip


@router.get("/opportunities/{id:pk}/scorecards", response=ScorecardsOut, operation_id="scorecards_list")
@access("opportunity.view", api=True)
def scorecards(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """Each qualification score: its elements with their evidence, and what would raise it, the cheapest first."""
    return {"items": _cards(request, _deal(request, pk))}


def _cards(request: HttpRequest, deal: Opportunity) -> list[dict[str, Any]]:
    at = timezone.now()
    assert deal.journey is not None
    situation = situation_of(deal.journey, at)
    cards = scorecards_of(
        deal.pk,
        situation.definition,
        deal.journey.stage.key,
        situation.facts.fields,
        fields=catalogue("opportunity"),
        reader=request.user,
        at=at,
    )
    return [_card_out(card) for card in cards]


@router.post("/opportunities/{id:pk}/scorecards", response=ScorecardsOut, operation_id="scorecards_assess")
@access("opportunity.edit", api=True)
def assess(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: AssessIn, if_match: IfMatch = None
) -> dict[str, Any]:
    """Set an element and say what shows it; the version is the opportunity's."""
    _deal(request, pk)
    methods.assess(
        pk, score=payload.score, element=payload.element, value=payload.value, text=payload.text,
        source=payload.source, file_id=payload.file, version=version_in(if_match), **_how(request),
    )  # fmt: skip
    deal = _deal(request, pk)
    etag(response, deal.version)
    return {"items": _cards(request, deal)}


# --- the mutual plan ---


def _step_out(row: PlanStep) -> dict[str, Any]:
    return {
        "id": row.pk, "side": row.side, "title": row.title, "contact": row.contact_id, "owner": row.owner_id,
        "due": row.due, "first_due": row.first_due, "pushes": row.pushes, "done_at": row.done_at,
        "version": row.version,
    }  # fmt: skip


@router.get("/opportunities/{id:pk}/plan", response=PlanOut, operation_id="plan_get")
@access("opportunity.view", api=True)
def get_plan(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """Both sides' steps by day, and how far the customer's record bears out the close date."""
    deal = _deal(request, pk)
    steps = steps_of(pk)
    said = credibility_of(steps, deal.expected_close_date, timezone.localdate())
    return {
        "credibility": said.level, "reasons": [code for code, _params in said.reasons], "kept": said.kept,
        "counted": said.counted, "likely": said.likely, "items": [_step_out(row) for row in steps],
    }  # fmt: skip


@router.post("/opportunities/{id:pk}/plan", response={201: PlanStepOut}, operation_id="plan_add")
@access("opportunity.edit", api=True)
def add_step(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: StepIn
) -> Status[dict[str, Any]]:
    """A promise of either side: the customer's names a contact, ours a colleague (default: the asker)."""
    _deal(request, pk)
    row = plan.add_plan_step(
        pk, side=payload.side, title=payload.title, due=payload.due, contact_id=payload.contact,
        owner=colleague(payload.owner, "owner"), **_how(request),
    )  # fmt: skip
    etag(response, row.version)
    return Status(201, _step_out(row))


@router.patch("/plan-steps/{id:pk}", response=PlanStepOut, operation_id="plan_change")
@access("opportunity.edit", api=True)
def change_step(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: StepChange, if_match: IfMatch = None
) -> dict[str, Any]:
    """Reword a step, move its day, or mark it done (or not)."""
    version, how = version_in(if_match), _how(request)
    if payload.title is not None or payload.due is not None or payload.done is None:
        row = plan.change_plan_step(pk, version=version, title=payload.title, due=payload.due, **how)
        version = row.version
    if payload.done is not None:
        act = plan.complete_plan_step if payload.done else plan.reopen_plan_step
        row = act(pk, version=version, **how)
    etag(response, row.version)
    return _step_out(row)


@router.delete("/plan-steps/{id:pk}", response={204: None}, operation_id="plan_remove")
@access("opportunity.edit", api=True)
def remove_step(request: HttpRequest, pk: PathId, if_match: IfMatch = None) -> Status[None]:
    plan.remove_plan_step(pk, version=version_in(if_match), **_how(request))
    return Status(204, None)
