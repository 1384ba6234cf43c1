"""Merging two deals that are one: which one, side by side, and what goes over (MV-8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from fairlead.common.access import access
from fairlead.common.money import format_amount
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.journal.enums import Channel
from fairlead.journal.undoing import undo, undo_address
from fairlead.process.enums import CLOSED_STATES

from .. import services
from ..models import Opportunity
from ..refusals import MergeRefused
from ..selectors.merge import compare, doubles_of
from ..services.merge import may_merge, merge_told
from .editing import act
from .shared import MAX_ID, deal_url, find_deal, go, notes

VERSIONS = ("version", "journey_version", "other_version", "other_journey_version")


@access("opportunity.edit")
@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """GET: which deal it is the same as; with `other` both side by side. POST: the other one ends in this one."""
    deal = find_deal(request, pk)
    if not may_merge(request.user, deal):
        raise NotPermitted
    given = request.POST if request.method == "POST" else request.GET
    typed = str(given.get("other") or "").strip().rpartition("#")[2].strip()
    if not typed:
        return _choose(request, deal)
    if not (typed.isascii() and typed.isdigit() and len(typed) < 19):
        return _choose(request, deal, error=_("Choose a deal from the list."), status=422)
    if int(typed) == deal.pk:
        return _choose(
            request, deal, error=_("A deal is not merged into itself. Choose another one."), status=422
        )
    try:
        other = find_deal(request, min(int(typed), MAX_ID))
    except NotFound:
        return _choose(request, deal, error=_("There is no such deal here."), status=422)
    if not may_merge(request.user, other):
        return _choose(request, deal, error=_("You may not edit and move that deal."), status=422)
    if request.method == "GET":
        return _side_by_side(request, deal, other)
    return _merged(request, deal, other)


@access("opportunity.edit")
@require_POST
def unmerge(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own merge of this deal back, within a day and while nothing has happened to either since."""
    deal = find_deal(request, pk)
    told = merge_told(deal.pk) if deal.merged_into_id is not None else None
    if told is None:
        raise NotFound
    undo([told.pk], by=request.user, at=act(request)["at"], channel=Channel.UI)
    return go(request, deal_url(deal.pk), _("%(name)s stands for itself again") % {"name": deal.name})


def _merged(request: HttpRequest, deal: Opportunity, other: Opportunity) -> HttpResponse:
    said = {key: request.POST.get(f"take-{key}", "kept") for key in request.POST.getlist("field")}
    take = {key for key, side in said.items() if side == "other"}
    is_meant = request.POST.get("other_account") == "1"
    try:
        versions = [_number(request, name) for name in VERSIONS]
        if strange := [key for key, side in said.items() if side not in ("kept", "other")]:
            text = _("Choose the value of one of the two.")
            raise Invalid(errors=[{"field": key, "message": text} for key in strange])
        told = services.merge(
            deal.pk,
            other_id=other.pk,
            seen=services.Seen(versions[0], versions[1]),
            other_seen=services.Seen(versions[2], versions[3]),
            take=take,
            other_account=is_meant,
            **act(request),
        )
    except (MergeRefused, Invalid, Stale) as refusal:
        deal, other = find_deal(request, deal.pk), find_deal(request, other.pk)
        return _side_by_side(request, deal, other, take=take, is_meant=is_meant, refusal=refusal)
    text = _("%(other)s is merged into %(name)s") % {"other": other.name, "name": deal.name}
    return go(request, deal_url(deal.pk), text, undo_address([told.pk]))


def _number(request: HttpRequest, name: str) -> int:
    text = str(request.POST.get(name) or "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid.field(name, _("A whole number is expected."))
    return int(text)


def _choose(request: HttpRequest, deal: Opportunity, *, error: str = "", status: int = 200) -> HttpResponse:
    q = str(request.GET.get("q") or "")[:100]
    here = reverse("crm:merge", args=[deal.pk])
    found = [
        {
            "url": f"{here}?other={one.deal.pk}",
            "name": one.deal.name,
            "about": " · ".join(filter(None, _about(one.deal))),
            "why": one.why,
        }
        for one in doubles_of(deal, request.user, q=q)
    ]
    context = {"q": q, "found": found, "error": error, "compared": None, "ended": _ended(deal)}
    return _page(request, deal, context, status=status)


def _ended(deal: Opportunity) -> bool:
    return deal.journey is not None and deal.journey.state in CLOSED_STATES


def _about(row: Opportunity) -> list[str]:
    stage = localized(row.journey.stage.name) if row.journey is not None else ""
    return [
        row.account.name if row.account is not None else "",
        stage,
        format_amount(row.amount, row.currency),
        row.owner.name if row.owner is not None else "",
    ]


def _side_by_side(
    request: HttpRequest,
    deal: Opportunity,
    other: Opportunity,
    *,
    take: set[str] | None = None,
    is_meant: bool = False,
    refusal: MergeRefused | Invalid | Stale | None = None,
) -> HttpResponse:
    compared = compare(deal, other, request.user, take=take, other_account=True)
    errors = _errors(refusal, {side.key: side.label for side in compared.fields})
    context = {
        "compared": compared,
        "is_meant": is_meant,
        "errors": errors,
        "about": [" · ".join(filter(None, _about(row))) for row in (deal, other)],
        "swap_url": f"{reverse('crm:merge', args=[other.pk])}?other={deal.pk}",
    }
    return _page(request, deal, context, status=refusal.status if refusal is not None else 200)


def _errors(
    refusal: MergeRefused | Invalid | Stale | None, labels: Mapping[str, str]
) -> list[dict[str, str]]:
    """Everything that stands against it, each beside where it is mended."""
    if refusal is None:
        return []
    if isinstance(refusal, Stale):
        return [{"field": "", "label": "", "message": _("One of them was changed meanwhile. Compare again.")}]
    if isinstance(refusal, Invalid):
        return [
            {
                "field": f"f-{e['field']}" if e["field"] in labels else "",
                "label": labels.get(e["field"], ""),
                "message": e["message"],
            }
            for e in refusal.details["errors"]
        ]
    return [
        {"field": "f-other_account" if o["code"] == "account" else "", "label": "", "message": o["message"]}
        for o in refusal.details["obstacles"]
    ]


def _page(request: HttpRequest, deal: Opportunity, context: dict[str, Any], *, status: int) -> HttpResponse:
    return page(
        request,
        "crm/merge.html",
        {
            "nav_at": "opportunities",
            "deal": deal,
            "here": reverse("crm:merge", args=[deal.pk]),
            "back_url": deal_url(deal.pk),
            "notes": notes(request),
            "errors": [],
            **context,
        },
        status=status,
    )
