"""Criterion quality of a process (OV-4): what its items come to, and the records behind each number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_safe

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import NotFound
from fairlead.process import words as process_words
from fairlead.process.definitions import definition_of
from fairlead.process.models import Process, ProcessVersion
from fairlead.process.subjects import room_of

PER_PAGE = 50
MOST_TOLD = 6  # items that tell won from lost, above all tables
Link = Callable[..., str]


@access("funnel.view")
@require_safe
def quality(request: HttpRequest, key: str) -> HttpResponse:
    from ..quality import words  # NumPy loads with the question
    from ..quality.figures import figures

    process = get_object_or_404(Process, key=key)
    found = figures(process, reader=request.user, at=timezone.now())
    if found is None:
        raise NotFound
    user: Any = request.user
    rows_at = reverse("insight:quality_rows", args=[key])

    def link(part: str, **more: Any) -> str:
        return f"{rows_at}?{urlencode({'part': part, **more})}"

    items = [_item(one, found.review, link) for one in found.items]
    context = {
        "nav_at": "processes",
        "process": process,
        "name": localized(process.name),
        "read": found.read,
        "is_all": found.is_all,
        "review_percent": f"{100 * found.review:.0f}",
        "rules_url": reverse("process:override_rules") if user.may("process.publish") else "",
        "groups": _groups(items),
        "tells": [one for one in items if one["tells"]][:MOST_TOLD],
        "review": [one for wanted in found.for_review for one in items if one["key"] == wanted.key],
        "overridden": words.difference(found.overridden),
        "overridden_says": words.overall(found.overridden),
        "with_waiver": words.rate(found.overridden.a) | {"url": link("overridden_ended")},
        "without": words.rate(found.overridden.b) | {"url": link("clean_ended")},
        "stages": [
            {"name": name, "rate": words.rate(rate), **_links(link, stage=stage)}
            for stage, name, rate in found.stages
        ],
        "teams": [
            {"name": name, "rate": words.rate(rate), **_links(link, team=pk)}
            for pk, name, rate in found.teams
        ],
        "people": [
            {
                "name": one.person.name,
                "hidden": one.is_hidden,
                "waivers": one.waivers,
                "records": one.records,
                "url": link("granted", person=one.person.pk),
                "granted": words.rate(one.granted),
            }
            for one in found.grantors
        ],
    }  # fmt: skip
    return page(request, "insight/quality.html", context, block="content")


def _groups(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items of each stage in their order, folded; those of earlier versions come last."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in items:
        groups.setdefault(one["stage"], []).append(one)
    found = []
    for stage, rows in groups.items():
        told = sum(1 for one in rows if one["tells"])
        notes = [ngettext("%(n)s item", "%(n)s items", len(rows)) % {"n": len(rows)}]
        if told:
            notes.append(
                ngettext("%(n)s tells won from lost", "%(n)s tell won from lost", told) % {"n": told}
            )
        name = stage or _("only in earlier versions")
        found.append({"name": name, "note": " · ".join(notes), "items": rows})
    return found


def _links(link: Link, **where: Any) -> dict[str, str]:
    return {part: link(part, **where) for part in ("through", "waived")}


def _item(one: Any, review: float, link: Link) -> dict[str, Any]:
    from ..quality import words

    found = one.quality

    def cell(rate: Any, part: str) -> dict[str, str]:
        return words.rate(rate) | {"url": link(part, item=one.key)}

    return {
        "key": one.key,
        "name": one.name,
        "stage": one.stage,
        "level": one.level,
        "attempts": found.attempts,
        "records": found.records,
        "records_url": link("asked", item=one.key),
        "first": cell(found.first_pass, "at_once"),
        "override": cell(found.override, "waived"),
        "through_url": link("through", item=one.key),
        "met": cell(found.lift.a, "met_ended"),
        "unmet": cell(found.lift.b, "unmet_ended"),
        "lift": words.difference(found.lift),
        "says": words.sentences(found, review),
        "lift_says": words.lift(found),
        "tells": found.lift.enough and not found.lift.holds_zero,
    }


@access("funnel.view")
@require_safe
def quality_rows(request: HttpRequest, key: str) -> HttpResponse:
    """The records behind one number."""
    from ..quality.rows import Asked, listed, records

    process = get_object_or_404(Process, key=key)
    version = ProcessVersion.objects.published().filter(process=process).first()
    if version is None:
        raise NotFound
    asked = Asked.read(request.GET)
    ids = records(process, asked, reader=request.user, at=timezone.now())
    number = request.GET.get("page", "1")
    pages = Paginator(ids, PER_PAGE).get_page(number if number.isascii() else 1)
    definition = definition_of(version)
    title = part_name(asked.part)
    if asked.item:
        title = f"{process_words.criterion_name(definition, asked.item)} · {title}"
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "nav_at": "processes",
        "process": process,
        "name": localized(process.name),
        "title": title,
        "count": len(ids),
        "pages": pages,
        "rows": [
            {"journey": row, "url": room_of(row.subject_type).url(row.subject_id), "stage": localized(row.stage.name)}
            for row in listed(list(pages.object_list))
        ],
        "back": reverse("insight:quality", args=[key]),
        "base_url": f"?{query.urlencode()}&page=",
    }  # fmt: skip
    return page(request, "insight/quality_rows.html", context, block="content")


def part_name(part: str) -> str:
    return {
        "asked": pgettext("at a gate", "Asked"),
        "at_once": _("Met at once"),
        "through": _("Went through"),
        "waived": _("Let pass by waiver"),
        "met_ended": _("Ended, met when last asked"),
        "unmet_ended": _("Ended, not met when last asked"),
        "waived_ended": _("Ended, went through by waiver"),
        "clean_ended": _("Ended, went through without a waiver"),
        "overridden_ended": _("Ended, went through with a waiver"),
        "granted": _("Waivers granted"),
    }.get(part, "")
