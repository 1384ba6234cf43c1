"""Acts of the handbook tab: launch and end a playbook, keep an answer, tell that guidance was opened."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from fairlead.common.access import access
from fairlead.common.refusals import Invalid, NotFound
from fairlead.common.returned import Returned
from fairlead.process.models import PlaybookRun, QuestionAnswer
from fairlead.process.services import (
    answer_question,
    end_playbook,
    launch_playbook,
    note_guidance,
    remove_answer,
)

from ..forms.records import reference_in, version_of
from ..models import Opportunity
from .editing import act
from .guidance import handbook_page
from .shared import MAX_ID, find_deal, go


@access("opportunity.edit")
@require_POST
def launch(request: HttpRequest, pk: int) -> HttpResponse:
    deal = find_deal(request, pk)
    again = request.POST.get("again", "")
    launch_playbook(
        _journey(deal), playbook=request.POST.get("playbook", "")[:60], again=again, **act(request)
    )
    return go(
        request, _tab(pk, "playbooks"), _("Left as it is") if again == "skip" else _("Tasks are given out")
    )


@access("opportunity.edit")
@require_POST
def end(request: HttpRequest, pk: int, run_id: int) -> HttpResponse:
    deal = find_deal(request, pk)
    if not PlaybookRun.objects.filter(pk=min(run_id, MAX_ID), journey=_journey(deal)).exists():
        raise NotFound
    end_playbook(
        run_id, outcome=request.POST.get("outcome", ""), version=version_of(request.POST), **act(request)
    )
    return go(request, _tab(pk, "playbooks"), _("Noted"))


@access("opportunity.edit")
@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    deal = find_deal(request, pk)
    key = request.POST.get("key", "")[:60]
    try:
        row = answer_question(
            _journey(deal),
            key=key,
            question=request.POST.get("question", ""),
            answer=request.POST.get("answer", ""),
            contact_id=reference_in(request.POST, "contact", "contact", user),
            **act(request),
        )
    except Invalid as refusal:
        form = f"answer-{key or 'own'}"
        return handbook_page(request, pk, returned=Returned.of(form, request.POST, refusal))
    return go(request, _tab(pk, f"answer-{row.pk}", row.stage_key), _("Answer kept"))


@access("opportunity.edit")
@require_POST
def unanswer(request: HttpRequest, pk: int, answer_id: int) -> HttpResponse:
    find_deal(request, pk)
    rows = QuestionAnswer.objects.filter(pk=min(answer_id, MAX_ID), subject_type="opportunity", subject_id=pk)
    if not rows.exists():
        raise NotFound
    row = remove_answer(answer_id, **act(request))
    return go(request, _tab(pk, "questions", row.stage_key), _("Removed"))


@access("comment.add")
@require_POST
def used(request: HttpRequest, pk: int) -> HttpResponse:
    """Told by the page when a part of the handbook is unfolded (PB-5)."""
    note_guidance(
        _journey(find_deal(request, pk)), stage_key=request.POST.get("stage", "")[:60], **act(request)
    )
    return HttpResponse(status=204)


def _journey(deal: Opportunity) -> int:
    assert deal.journey_id is not None
    return deal.journey_id


def _tab(pk: int, place: str, stage: str = "") -> str:
    return f"{reverse('crm:handbook', args=[pk])}{f'?stage={stage}' if stage else ''}#{place}"
