"""The burden meter: which fields and which gates cost how much, and what would be saved."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from fairlead.analytics.burden import FEWEST, burden
from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import NotFound
from fairlead.organisation.models import Organisation
from fairlead.process.models import Process

from ..adoption.behaviour import countable
from ..adoption.burden import Burden, Item, read_burden
from ..questions import BadQuestion

PER_PAGE = 50


def _asked(request: HttpRequest) -> tuple[Process, list[Process], Burden]:
    """The process asked for, else the one in use. Raises NotFound."""
    offered = list(
        Process.objects.filter(subject_type="opportunity", versions__status="published").distinct()
    )
    wanted = request.GET.get("process", "") or Organisation.objects.current().default_processes.get(
        "opportunity", ""
    )
    process = next((one for one in offered if one.key == wanted), None)
    if process is None and not request.GET.get("process") and offered:
        process = offered[0]
    found = read_burden(request.user, process, at=timezone.now()) if process is not None else None
    if process is None or found is None:
        raise NotFound
    return process, offered, found


@access("funnel.view")
@require_safe
def meter(request: HttpRequest) -> HttpResponse:
    process, offered, found = _asked(request)
    seconds, wait = burden([item.cost for item in found.items])
    context = {
        "nav_at": "adoption",
        "process": process,
        "name": localized(process.name),
        "choices": [
            {"text": localized(one.name), "url": f"?process={one.key}", "current": one.key == process.key}
            for one in offered
        ],
        # A sum of nothing measured is not zero.
        "seconds": duration(seconds) if any(i.cost.seconds is not None for i in found.items) else "—",
        "wait": hours(wait) if any(i.cost.wait is not None for i in found.items) else "—",
        "fewest": FEWEST,
        "rows": [_row(process, item) for item in found.items],
    }
    return page(request, "insight/burden.html", context, block="content")


def _row(process: Process, item: Item) -> dict[str, Any]:
    cost = item.cost
    saved = []
    if cost.seconds is not None:
        saved.append(_("%(time)s a deal") % {"time": duration(cost.seconds)})
    if cost.wait_per_deal:
        saved.append(_("%(time)s waiting a deal") % {"time": hours(cost.wait_per_deal)})
    return {
        "name": item.name,
        "stage": item.stage,
        "fields": [
            {"name": name, "seconds": duration(seconds) if seconds is not None else "", "n": n}
            for _key, name, seconds, n in item.fields
        ],
        "stopped": len(item.stops),
        "deals": cost.deals,
        "url": f"{reverse('insight:burden_rows')}?process={process.key}&item={item.key}",
        "wait": hours(cost.wait) if cost.wait is not None else "",
        "waited": cost.waited,
        "saved": saved,
    }


@access("funnel.view")
@require_safe
def meter_rows(request: HttpRequest) -> HttpResponse:
    """The deals that one item stopped, each with how long the word of others took."""
    process, _offered, found = _asked(request)
    item = next((one for one in found.items if one.key == request.GET.get("item", "")), None)
    if item is None:
        raise BadQuestion("item", _("There is no such item in this process."))
    number = request.GET.get("page", "1")
    pages = Paginator(list(item.stops), PER_PAGE).get_page(number if number.isascii() else 1)
    user: Any = request.user
    shown = [stop.deal for stop in pages.object_list]
    deals: dict[int, Any] = countable(user).select_related("account", "owner").in_bulk(shown)
    context = {
        "nav_at": "adoption",
        "title": item.name,
        "stage": item.stage,
        "count": len(item.stops),
        "rows": [
            {
                "title": deals[stop.deal].name,
                "url": reverse("crm:opportunity", args=[stop.deal]),
                "account": deals[stop.deal].account.name if deals[stop.deal].account else "—",
                "owner": deals[stop.deal].owner.name if deals[stop.deal].owner else "—",
                "at": date_format(timezone.localtime(stop.at), "Y-m-d"),
                "wait": hours(stop.wait.total_seconds() / 3600) if stop.wait is not None else "—",
            }
            for stop in pages.object_list
            if stop.deal in deals
        ],
        "pages": pages,
        "page_url": f"?process={process.key}&item={item.key}&page=",
        "back": f"{reverse('insight:burden')}?process={process.key}",
    }
    return page(request, "insight/burden_rows.html", context, block="content")


def duration(seconds: float) -> str:
    if seconds < 90:
        return _("%(n)s s") % {"n": round(seconds)}
    return _("%(n)s min") % {"n": f"{seconds / 60:.1f}"}


def hours(value: float) -> str:
    if 0 < value < 1:
        return _("%(n)s min") % {"n": max(round(value * 60), 1)}
    return _("%(n)s h") % {"n": f"{value:.1f}"}
