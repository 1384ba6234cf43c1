"""The value chain: eight stages with counts per kind of record, and one account on its way through them."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from fairlead.common.access import access
from fairlead.common.money import format_amount
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.crm.models import Account
from fairlead.organisation.models import Organisation
from fairlead.process.services.shipping import shipped
from fairlead.process.subjects import room_of

from ..chain import chain_stages, lineage, part_rows

PER_PAGE = 50
_NUMBERS = frozenset("12345678")


@access("process.view")
@require_safe
def chain(request: HttpRequest) -> HttpResponse:
    document = shipped("value_chain")
    context = {
        "nav_at": "chain",
        "name": localized(document["name"]),
        "goal": localized(document["goal"]),
        "stages": chain_stages(request.user),
    }
    return page(request, "insight/chain.html", context, block="content")


@access("process.view")
@require_safe
def chain_rows(request: HttpRequest) -> HttpResponse:
    """The records behind one number of the chain, each one visible to the reader."""
    number = request.GET.get("stage", "")
    found = part_rows(
        request.user, int(number) if number in _NUMBERS else 0, request.GET.get("process", "")[:60]
    )
    shown = Paginator(found.journeys, PER_PAGE).get_page(request.GET.get("page"))
    currency = Organisation.objects.current().currency
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "nav_at": "chain",
        "title": found.title,
        "stages": found.stages,
        "pages": shown,
        "rows": [
            {
                "journey": row,
                "url": room_of(row.subject_type).url(row.subject_id),
                "stage": localized(row.stage.name),
                "amount": format_amount(row.base_amount, currency) if row.base_amount is not None else "—",
                "entered": timezone.localdate(row.entered_at) if row.entered_at_known else None,
            }
            for row in shown
        ],
        "base_url": f"?{query.urlencode()}&page=",
    }
    return page(request, "insight/chain_rows.html", context, block="content")


@access("account.view")
@require_safe
def account_lineage(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    account = get_object_or_404(Account.objects.visible_to(user).select_related("segment"), pk=pk)
    context = {"nav_at": "chain", "account": account, "tree": lineage(user, account)}
    return page(request, "insight/lineage.html", context, block="content")
