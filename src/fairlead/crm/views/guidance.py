"""The handbook tab of a deal: how each stage is done, what the customer answered, playbooks at work (PB-1, PB-2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.returned import NOTHING, Returned
from fairlead.fields.catalogue import pick
from fairlead.process.definition import Definition, Playbook
from fairlead.process.enums import CLOSED_STATES, Again, RunOutcome, RunState
from fairlead.process.handbook_words import handbook_words, playbook_words
from fairlead.process.handbooks import handbook_of, playbooks_for
from fairlead.process.models import QuestionAnswer
from fairlead.process.selectors.playbooks import RunView, runs_of
from fairlead.process.words import stage_name

from ..selectors.deal import Deal
from ..wording import words_on
from .opportunity import deal_context, piece_wanted


@access("opportunity.view")
@require_safe
def handbook(request: HttpRequest, pk: int) -> HttpResponse:
    """The stage that the deal is in, or with `?stage=` another one."""
    return handbook_page(request, pk)


def handbook_page(request: HttpRequest, pk: int, *, returned: Returned = NOTHING) -> HttpResponse:
    context = deal_context(request, pk, "handbook")
    deal: Deal = context["deal"]
    wanted, at = request.GET.get("stage", ""), timezone.now()
    if returned.form:  # the form comes back where its question stands
        asked = deal.definition.question(returned.form.removeprefix("answer-"))
        wanted = asked[0].key if asked is not None else ""
    key = wanted if wanted in deal.definition.by_key else deal.facts.journey.stage_key
    shown = handbook_of(deal.definition.stage(key), deal.facts.fields, now=at)
    answers = _answers(deal, key)
    context |= {
        "book": handbook_words(shown, deal.definition),
        "book_stages": _stages(deal, key),
        "book_here": key == deal.facts.journey.stage_key,
        "answers": answers,
        "own_answers": answers.get("", []),
        "may_answer": context["may_edit"],
        "returned": returned,
        **_playbooks(deal, at, may_launch=context["may_edit"] and deal.journey.state not in CLOSED_STATES),
    }
    return page(request, "crm/handbook.html", context, block=piece_wanted(request), status=returned.status)


def _stages(deal: Deal, chosen: str) -> list[dict[str, Any]]:
    url = reverse("crm:handbook", args=[deal.row.pk])
    return [
        {"text": pick(s.name), "url": f"{url}?stage={s.key}", "current": s.key == chosen}
        for s in deal.definition.stages
    ]


def _answers(deal: Deal, stage: str) -> dict[str, list[dict[str, Any]]]:
    """By key of the question, the newest first; own questions under the empty key."""
    rows = QuestionAnswer.objects.filter(
        subject_type="opportunity", subject_id=deal.row.pk, stage_key=stage, removed_at=None
    ).select_related("by")
    words = words_on(deal.facts.today)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.order_by("-at", "-pk")[:200]:
        contact = deal.names.contacts.get(row.contact_id or 0, "")
        found[row.question_key].append(
            {
                "pk": row.pk,
                "question": row.question,
                "text": row.answer,
                "said": " · ".join(
                    filter(None, [contact, row.by.name, words.short_date(timezone.localdate(row.at))])
                ),
            }
        )
    return dict(found)


# --- playbooks ---


def _playbooks(deal: Deal, at: datetime, *, may_launch: bool) -> dict[str, Any]:
    runs = runs_of(deal.journey)
    ran = {view.run.playbook_key for view in runs}
    at_work = {view.run.playbook_key for view in runs if view.run.state == RunState.OPEN}
    stage = deal.facts.journey.stage_key
    offered = playbooks_for(deal.definition, stage, deal.facts.fields, now=at)
    return {
        "runs": [_run(view, deal) for view in runs],
        "offered": [_offer(b, deal.definition, ran) for b in offered if b.key not in at_work],
        "may_launch": may_launch,
        "again_choices": Again.choices,
        "outcome_choices": RunOutcome.choices,
    }


def _offer(book: Playbook, definition: Definition, ran: set[str]) -> dict[str, Any]:
    count = ngettext("%(count)s task", "%(count)s tasks", len(book.tasks)) % {"count": len(book.tasks)}
    days = max(task.due for task in book.tasks)
    within = ngettext("%(days)s working day", "%(days)s working days", days) % {"days": days}
    return playbook_words(book, definition) | {"size": f"{count} · {within}", "ran": book.key in ran}


def _run(view: RunView, deal: Deal) -> dict[str, Any]:
    run = view.run
    book = deal.definition.playbooks.get(run.playbook_key)
    templates: Mapping[str, str] = (
        {task.key: pick(task.template) for task in book.tasks if task.template} if book else {}
    )
    words = words_on(deal.facts.today)
    who = run.launched_by.name if run.launched_by is not None and not run.trigger else _("Fairlead")
    return {
        "pk": run.pk,
        "key": run.playbook_key,
        "version": run.version,
        "name": pick(book.name) if book else run.playbook_key,
        "purpose": pick(book.purpose) if book else "",
        "is_open": run.state == RunState.OPEN,
        "outcome": str(RunOutcome(run.outcome).label) if run.outcome else _("No word on what came of it"),
        "good": run.outcome in (RunOutcome.SUCCESSFUL, RunOutcome.PARTIALLY),
        "percent": view.percent,
        "progress": _("%(done)s of %(total)s done") % {"done": view.done, "total": len(view.tasks)},
        "complete": view.is_complete,
        "asked": run.asked_at is not None,
        "since": " · ".join(
            [
                stage_name(deal.definition, run.stage_key),
                _("started by %(who)s on %(day)s")
                % {"who": who, "day": words.short_date(timezone.localdate(run.launched_at))},
                *([_("run %(number)s") % {"number": run.number}] if run.number > 1 else []),
            ]
        ),
        "tasks": [
            {
                "pk": task.pk,
                "version": task.version,
                "title": task.title,
                "done": task.done_at is not None,
                "late": task.done_at is None and _is_late(task.due_date, deal.facts.today),
                "due": words.short_date(task.due_date) if task.due_date else "",
                "who": task.assignee.name if task.assignee is not None else "",
                "template": templates.get(key, ""),
            }
            for key, task in view.tasks
        ],
    }


def _is_late(due: date | None, today: date) -> bool:
    return due is not None and due < today
