"""How hand-overs of a process go: how many came back and why, how long they take, and the rows behind each bar (IT-5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import NotFound
from fairlead.crm.models import HandOver
from fairlead.process.definitions import definition_of
from fairlead.process.models import Process, ProcessVersion
from fairlead.process.team_reading import return_reasons

from ..questions import BadQuestion

PER_PAGE = 50


def way_name(way: str) -> str:
    one, other = way.upper().split("_")
    return f"{one} → {other}"


def _process(key: str) -> tuple[Process, dict[str, str]]:
    """The process of opportunities, and its reasons for a return in words. Raises NotFound."""
    process = get_object_or_404(Process, key=key, subject_type="opportunity")
    version = ProcessVersion.objects.published().filter(process=process).first()
    if version is None:
        raise NotFound
    return process, {r.key: localized(r.name) for r in return_reasons(definition_of(version).lists)}


@access("funnel.view")
@require_safe
def hand_overs(request: HttpRequest, key: str) -> HttpResponse:
    from ..hand_overs import PERIOD, Asked, find  # NumPy loads with the question

    process, reasons = _process(key)
    now = timezone.now()
    asked = Asked.read({**request.GET.dict(), "process": key})
    found = find(request.user, asked, at=now)
    everything = (
        found
        if not (asked.team or asked.way)
        else find(request.user, replace(asked, team=None, way=""), at=now)
    )
    every = found.figures()
    rows_at = reverse("insight:hand_over_rows", args=[key])

    def link(part: str, reason: str = "", **changes: Any) -> str:
        more = f"&reason={reason}" if reason else ""
        return f"{rows_at}?{asked.query(**changes)}&part={part}{more}"

    back = sum(count for _reason, count in found.reasons())
    context = {
        "nav_at": "processes",
        "process": process,
        "name": localized(process.name),
        "asked": asked,
        "is_filtered": bool(asked.query()),
        "since": asked.since or timezone.localdate(now - PERIOD),
        "is_all": found.is_all,
        "read": len(found.attempts),
        "back": _rate(every.back) | {"url": link("returned")},
        "at_once": _rate(every.at_once) | {"url": link("at_once")},
        "time": _time(every.time) | {"url": link("accepted")},
        "ways": [
            _row(found, way_name(way), lambda one, way=way: one.way == way, lambda part, way=way: link(part, way=way))
            for way in found.ways()
        ],
        "teams": [
            _row(
                found,
                team.name,
                lambda one, pk=team.pk: found.team_of.get(one.deal) == pk,
                lambda part, pk=team.pk: link(part, team=pk),
            )
            for team in found.teams()
        ],
        "way_bars": [_bar(found, way, link("returned", way=way)) for way in found.ways()],
        "reasons": [
            {
                "label": reasons.get(reason, reason),
                "value": count,
                "text": str(count),
                "more": f"{100 * count / back:.0f}%",
                "url": link("returned", reason),
            }
            for reason, count in found.reasons()
        ],
        "team_choices": [("", _("All teams")), *((team.pk, team.name) for team in everything.teams())],
        "way_choices": [
            ("", _("All pairs")),
            *((way, way_name(way)) for way in everything.ways()),
        ],
        "clear_url": reverse("insight:hand_overs", args=[key]),
    }  # fmt: skip
    return page(request, "insight/hand_overs.html", context, block="content")


def _rate(rate: Any) -> dict[str, str]:
    n = f"{rate.k:.0f} / {rate.n:.0f}" if rate.n else ""
    if rate.value is None or not rate.enough:
        return {"value": "—" if rate.value is None else _("too few"), "span": "", "n": n}
    return {
        "value": f"{100 * rate.value:.0f}%",
        "span": f"{100 * rate.low:.0f}–{100 * rate.high:.0f}",
        "n": n,
    }


def _time(time: Any) -> dict[str, str]:
    return {
        "value": "—" if time.median is None else f"{time.median:.1f}",
        "span": "",
        "p90": "—" if time.p90 is None else f"{time.p90:.1f}",
        "n": f"n = {time.n}" + ("" if time.enough or not time.n else " · " + _("few")),
    }


def _row(found: Any, name: str, fits: Any, link: Any) -> dict[str, Any]:
    own = found.figures(fits)
    return {
        "name": name,
        "attempts": own.back.cases,
        "attempts_url": link("attempts"),
        "back": _rate(own.back) | {"url": link("returned")},
        "at_once": _rate(own.at_once) | {"url": link("at_once")},
        "time": _time(own.time) | {"url": link("accepted")},
    }


def _bar(found: Any, way: str, url: str) -> dict[str, Any]:
    rate = found.figures(lambda one: one.way == way).back
    return {
        "label": way_name(way),
        "value": 100 * (rate.value or 0) if rate.enough else 0,
        "low": 100 * rate.low if rate.enough else None,
        "high": 100 * rate.high if rate.enough else None,
        "text": f"{100 * rate.value:.0f}%" if rate.enough else _("too few"),
        "more": f"{rate.k:.0f} / {rate.n:.0f}",
        "url": url,
    }


@access("funnel.view")
@require_safe
def hand_over_rows(request: HttpRequest, key: str) -> HttpResponse:
    """The attempts behind one figure, each with its deal."""
    from ..hand_overs import PARTS, Asked, find

    process, reasons = _process(key)
    asked = Asked.read({**request.GET.dict(), "process": key})
    part, reason = request.GET.get("part", "attempts"), request.GET.get("reason", "")[:60]
    if part not in PARTS:
        raise BadQuestion("part", _("There is no such figure."))
    rows = find(request.user, asked, at=timezone.now()).of_part(part, reason)
    number = request.GET.get("page", "1")
    pages = Paginator(rows, PER_PAGE).get_page(number if number.isascii() else 1)
    wanted = HandOver.objects.select_related("opportunity", "by", "to", "answered_by").in_bulk(
        [one.ref for one, _hours in pages.object_list]
    )
    title = part_name(part)
    if reason:
        title = f"{title} · {reasons.get(reason, reason)}"
    query = asked.query()
    context = {
        "nav_at": "processes",
        "process": process,
        "name": localized(process.name),
        "title": title,
        "pair": way_name(asked.way) if asked.way else "",
        "count": len(rows),
        "rows": [
            {
                "title": row.opportunity.name,
                "url": f"{reverse('crm:opportunity', args=[row.opportunity_id])}?tab=team",
                "way": way_name(one.way),
                "who": f"{row.by.name} → {(row.answered_by or row.to).name}",
                "offered": date_format(timezone.localtime(one.offered_at), "Y-m-d"),
                "answered": date_format(timezone.localtime(one.answered_at), "Y-m-d"),
                "said": _("accepted") if one.accepted else reasons.get(one.reason, one.reason),
                "text": "" if one.accepted else row.reason,
                "attempt": _("attempt %(n)s") % {"n": row.attempt},
                "hours": f"{hours:.1f}" if hours is not None else "—",
            }
            for one, hours in pages.object_list
            if (row := wanted.get(one.ref)) is not None
        ],
        "pages": pages,
        "page_url": f"?{query}&part={part}&reason={reason}&page=",
        "back": f"{reverse('insight:hand_overs', args=[key])}{f'?{query}' if query else ''}",
    }  # fmt: skip
    return page(request, "insight/hand_over_rows.html", context, block="content")


def part_name(part: str) -> str:
    return {
        "attempts": _("Answered hand-overs"),
        "returned": _("Returned hand-overs"),
        "accepted": _("Accepted hand-overs"),
        "at_once": _("Accepted at the first attempt"),
    }[part]
