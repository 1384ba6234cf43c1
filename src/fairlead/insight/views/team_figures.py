"""What the three roles of a deal share, over contracts signed in a period: by person, and contract by contract (IT-6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.crm.enums import TeamRole
from fairlead.offers.shared_reading import figure_name, figure_words, value_words
from fairlead.organisation.models import Team, User
from fairlead.process.models import Process

from ..questions import BadQuestion

PER_PAGE = 50


def _process(key: str) -> Process:
    return get_object_or_404(Process, key=key, subject_type="opportunity")


@access("funnel.view")
@require_safe
def team_figures(request: HttpRequest, key: str) -> HttpResponse:
    from ..team_figures import PERIOD, Asked, find  # NumPy loads with the question

    process, now = _process(key), timezone.now()
    asked = Asked.read({**request.GET.dict(), "process": key})
    found = find(request.user, asked, at=now)
    rows_at = reverse("insight:team_figure_rows", args=[key])

    def link(part: str, **changes: Any) -> str:
        return f"{rows_at}?{asked.query(**changes)}&part={part}"

    teams: list[Team] = list(
        Team.objects.filter(pk__in={line.contract.team_id for line in found.lines}).as_tree()
    )
    if asked.team is not None and asked.team not in {team.pk for team in teams}:
        teams = [*teams, *Team.objects.filter(pk=asked.team)]
    context = {
        "nav_at": "processes",
        "process": process,
        "name": localized(process.name),
        "asked": asked,
        "is_filtered": bool(asked.query()),
        "since": asked.since or timezone.localdate(now - PERIOD),
        "is_all": found.is_all,
        "read": len(found.lines),
        "hides_profit": "profit" not in found.kinds,
        "together": _rate(found.together) | {"url": link("met"), "missed_url": link("missed")},
        "kinds": [figure_name(kind) for kind in found.kinds],
        "tiles": [_tile(found, kind) for kind in found.kinds],
        "people": [
            _row(
                found.held_by(role, person.pk),
                f"{role} · {person.name}",
                link("all", role=role, person=person.pk),
            )
            for role, person in found.people()
            if (not asked.role or role == asked.role) and (asked.person is None or person.pk == asked.person)
        ],
        "team_choices": [("", _("All teams")), *((team.pk, team.name) for team in teams)],
        "role_choices": [("", _("All roles")), *((role, role) for role in TeamRole.values)],
        "clear_url": reverse("insight:team_figures", args=[key]),
    }
    return page(request, "insight/team_figures.html", context, block="content")


def _rate(rate: Any) -> dict[str, Any]:
    """A share of contracts; below ten the count alone is said."""
    if not rate.n:
        return {"value": "—", "span": "", "n": ""}
    said = {"value": f"{rate.k:.0f} / {rate.n:.0f}", "span": "", "n": _("too few for a share")}
    if rate.enough:
        said |= {
            "value": f"{100 * rate.value:.0f}%",
            "span": f"{100 * rate.low:.0f}–{100 * rate.high:.0f}",
            "n": f"{rate.k:.0f} / {rate.n:.0f}",
        }
    return said


def _tile(found: Any, kind: str) -> dict[str, Any]:
    one = found.summary(kind)
    return {
        "name": figure_name(kind),
        "value": value_words(kind, one.value, found.currency) if one.n else _("not measured"),
        "target": value_words(kind, one.target, found.currency) if one.target is not None else "",
        "met": _rate(one.met),
        "n": one.n,
        "elsewhere": one.elsewhere,
    }


def _row(found: Any, name: str, url: str) -> dict[str, Any]:
    return {
        "name": name,
        "url": url,
        "count": len(found.lines),
        "together": _rate(found.together),
        "figures": [_tile(found, kind) for kind in found.kinds],
    }


@access("funnel.view")
@require_safe
def team_figure_rows(request: HttpRequest, key: str) -> HttpResponse:
    """The contracts behind one figure, each with its three."""
    from ..team_figures import PARTS, Asked, find

    process = _process(key)
    asked = Asked.read({**request.GET.dict(), "process": key})
    part = request.GET.get("part", "all")
    if part not in PARTS:
        raise BadQuestion("part", _("There is no such figure."))
    found = find(request.user, asked, at=timezone.now())
    lines = found.of_part(part)
    number = request.GET.get("page", "1")
    pages = Paginator(lines, PER_PAGE).get_page(number if number.isascii() else 1)
    person = User.objects.filter(pk=asked.person).first() if asked.person is not None else None
    query, cleared = asked.query(), replace(asked, person=None, role="").query()
    context = {
        "nav_at": "processes",
        "process": process,
        "name": localized(process.name),
        "title": part_name(part),
        "who": " · ".join(filter(None, [asked.role, person.name if person else ""])),
        "count": len(lines),
        "kinds": [figure_name(kind) for kind in found.kinds],
        "rows": [
            {
                "number": line.contract.number,
                "url": reverse("offers:contract", args=[line.contract.pk]),
                "deal": line.contract.opportunity.name,
                "signed": line.contract.countersigned_date,
                "figures": [figure_words(one, line.contract.currency) for one in line.figures],
                "all_met": line.all_met,
                "split": ":".join(str(line.split[role]) for role in TeamRole.values),
                "is_agreed": line.is_agreed,
            }
            for line in pages.object_list
        ],
        "pages": pages,
        "page_url": f"?{query}&part={part}&page=",
        "back": f"{reverse('insight:team_figures', args=[key])}{f'?{cleared}' if cleared else ''}",
    }
    return page(request, "insight/team_figure_rows.html", context, block="content")


def part_name(part: str) -> str:
    return {
        "all": _("Signed contracts"),
        "met": _("All figures met"),
        "missed": _("At least one missed"),
        "open": _("Not all measured yet"),
    }[part]
