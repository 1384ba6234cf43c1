"""The mutual action plan of a deal: a tab to work on, and a page to print and hand over (PB-3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound
from fairlead.common.returned import NOTHING, Returned

from ..credibility import HIGH, LOW, MEDIUM, Credibility
from ..enums import Side
from ..forms.mends import day_of
from ..forms.records import reference_in, version_of
from ..models import Opportunity, PlanStep
from ..selectors.deal import sees_contacts
from ..selectors.plan import credibility_of, steps_of
from ..services import plan as services
from ..wording import words_on
from .editing import act
from .opportunity import deal_context, piece_wanted
from .shared import MAX_ID, find_deal, go

ACTS: Mapping[str, Callable[..., PlanStep]] = {
    "done": services.complete_plan_step,
    "reopen": services.reopen_plan_step,
    "remove": services.remove_plan_step,
}


@access("opportunity.view")
@require_safe
def plan(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, pk)


@access("opportunity.edit")
@require_POST
def add_step(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    find_deal(request, pk)
    data = request.POST
    try:
        due = day_of(data, "due")
        if due is None:
            raise Invalid.field("due", _("Say until which day."))
        services.add_plan_step(
            pk,
            side=data.get("side", ""),
            title=data.get("title", ""),
            due=due,
            contact_id=reference_in(data, "contact", "contact", user),
            **act(request),
        )
    except Invalid as refusal:
        return _page(request, pk, returned=Returned.of("step", data, refusal))
    return go(request, f"{reverse('crm:plan', args=[pk])}#plan", _("Added"))


@access("opportunity.edit")
@require_POST
def change_step(request: HttpRequest, pk: int, step_id: int) -> HttpResponse:
    """`act`: done, reopen or remove; without it another day or another wording."""
    find_deal(request, pk)
    if not PlanStep.objects.filter(pk=min(step_id, MAX_ID), opportunity=pk, removed_at=None).exists():
        raise NotFound
    data, how = request.POST, {"version": version_of(request.POST), **act(request)}
    wanted = data.get("act", "")
    if wanted in ACTS:
        ACTS[wanted](step_id, **how)
    else:
        try:
            services.change_plan_step(
                step_id, title=data.get("title") or None, due=day_of(data, "due"), **how
            )
        except Invalid as refusal:
            return _page(request, pk, returned=Returned.of(f"step-{step_id}", data, refusal))
    return go(request, f"{reverse('crm:plan', args=[pk])}#plan", _("Saved"))


@access("opportunity.view")
@require_safe
def print_plan(request: HttpRequest, pk: int) -> HttpResponse:
    """The plan alone, for both sides: nothing that is only ours stands on it."""
    deal = find_deal(request, pk)
    steps = steps_of(pk)
    today = timezone.localdate()
    context = {
        "row": deal,
        "account": deal.account,
        "close": words_on(today).short_date(deal.expected_close_date),
        "close_date": deal.expected_close_date,
        "steps": [_row(step, today, _sees_contacts(request, deal)) for step in steps],
        "today": today,
        "nav_at": "opportunities",
    }
    return page(request, "crm/plan_print.html", context)


def _sees_contacts(request: HttpRequest, deal: Opportunity) -> bool:
    return sees_contacts(request.user, deal)


def _page(request: HttpRequest, pk: int, *, returned: Returned = NOTHING) -> HttpResponse:
    context = deal_context(request, pk, "plan")
    deal = context["deal"]
    today, steps = deal.facts.today, steps_of(pk)
    said = credibility_of(steps, deal.row.expected_close_date, today)
    context |= {
        "steps": [_row(step, today, bool(deal.names.contacts) or not step.contact_id) for step in steps],
        "done": sum(step.done_at is not None for step in steps),
        "credibility": _credibility(said, today),
        "sides": Side.choices,
        "returned": returned,
    }
    return page(request, "crm/plan.html", context, block=piece_wanted(request), status=returned.status)


def _row(step: PlanStep, today: date, sees_contacts: bool) -> dict[str, Any]:
    words = words_on(today)
    slip = (step.due - step.first_due).days
    late = step.done_at is None and step.due < today
    who = step.owner.name if step.owner is not None else ""
    if step.contact is not None:
        who = step.contact.name if sees_contacts else _("the customer")
    return {
        "pk": step.pk,
        "version": step.version,
        "title": step.title,
        "side": step.side,
        "side_name": str(Side(step.side).label),
        "who": who,
        "due": words.short_date(step.due),
        "due_iso": step.due.isoformat(),
        "done": words.short_date(timezone.localdate(step.done_at)) if step.done_at is not None else "",
        "late": ngettext("%(days)s day late", "%(days)s days late", (today - step.due).days)
        % {"days": (today - step.due).days}
        if late
        else "",
        "moved": ngettext(
            "moved %(count)s time, %(days)s days in all",
            "moved %(count)s times, %(days)s days in all",
            step.pushes,
        )
        % {"count": step.pushes, "days": slip}
        if step.pushes
        else "",
    }


# --- credibility in words ---


def _credibility(said: Credibility, today: date) -> dict[str, Any]:
    levels = {
        HIGH: (_("The date is borne out"), "won"),
        MEDIUM: (_("The date is shaky"), "due"),
        LOW: (_("The date is not borne out"), "overdue"),
    }
    title, state = levels.get(said.level, (_("Too early to say"), "hold"))
    words = words_on(today)
    return {
        "level": said.level,
        "title": title,
        "state": state,
        "reasons": [_reason(code, params, words) for code, params in said.reasons],
        "likely": words.short_date(said.likely) if said.likely is not None else "",
    }


def _reason(code: str, params: Mapping[str, Any], words: Any) -> str:
    count = int(params.get("count", params.get("days", 0)))
    said = dict(params)
    if "day" in said:
        said["day"] = words.short_date(said["day"])
    texts = {
        "no_date": lambda: _("The deal has no close date."),
        "date_past": lambda: _("The close date, %(day)s, has passed."),
        "no_customer_step": lambda: _("No step is the customer's: the date is ours alone."),
        "steps_after_date": lambda: ngettext(
            "%(count)s open step lies behind the close date, the last on %(day)s.",
            "%(count)s open steps lie behind the close date, the last on %(day)s.",
            count,
        ),
        "late_now": lambda: ngettext(
            "%(count)s step of the customer's is late now.",
            "%(count)s steps of the customer's are late now.",
            count,
        ),
        "record": lambda: ngettext(
            "The customer kept %(kept)s of %(count)s promise.",
            "The customer kept %(kept)s of %(count)s promises.",
            count,
        ),
        "usual_slip": lambda: ngettext(
            "Half of them came %(days)s day late or more.",
            "Half of them came %(days)s days late or more.",
            count,
        ),
    }
    return texts[code]() % said
