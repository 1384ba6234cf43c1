"""Handbook and playbooks of a process: used how often, and what the stays came to (PB-5)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from fairlead.analytics.usage import Share, verdict
from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import NotFound
from fairlead.fields.catalogue import pick
from fairlead.process.definitions import definition_of
from fairlead.process.enums import RunOutcome
from fairlead.process.models import Process, ProcessVersion

from ..usage import Usage, usage_of


@access("funnel.view")
@require_safe
def usage(request: HttpRequest, key: str) -> HttpResponse:
    """A page of its own; the page of the process takes its table."""
    process = get_object_or_404(Process, key=key)
    version = ProcessVersion.objects.published().filter(process=process).first()
    if version is None:
        raise NotFound
    definition = definition_of(version)
    found = usage_of(key, process.subject_type, reader=request.user, now=timezone.now())
    context = {
        "nav_at": "processes",
        "process": process,
        "name": localized(process.name),
        "stages": [
            {
                "name": pick(stage.name),
                "cells": _cells(stage.key, found),
                "says": _says(stage.key, found),
            }
            for stage in definition.stages
            if stage.key in found.every
        ],
        "books": [
            {
                "name": pick(definition.playbooks[book].name) if book in definition.playbooks else book,
                "started": sum(counts.values()),
                "running": counts.get("open", 0),
                "outcomes": [counts.get(outcome, 0) for outcome in RunOutcome.values],
                "unsaid": counts.get("", 0),
            }
            for book, counts in sorted(found.books.items())
        ],
        "outcomes": [str(outcome.label) for outcome in RunOutcome],
        "people": found.people,
    }
    htmx: Any = getattr(request, "htmx", None)
    return page(request, "insight/usage.html", context, block="usage" if htmx else None)


def _cells(stage: str, found: Usage) -> list[dict[str, str]]:
    none = Share(0, 0)
    every = found.every[stage]
    guided, played = found.guided.get(stage, none), found.played.get(stage, none)
    return [_cell(share) for share in (guided, every.minus(guided), played, every.minus(played))]


def _cell(share: Share) -> dict[str, str]:
    bounds = share.bounds
    if bounds is None:
        return {"rate": "—", "span": "", "n": ""}
    if share.is_few:
        return {"rate": _("too few"), "span": "", "n": f"n = {share.n}"}
    return {
        "rate": f"{100 * share.forward / share.n:.0f}%",
        "span": f"{100 * bounds[0]:.0f}–{100 * bounds[1]:.0f}",
        "n": f"n = {share.n}",
    }


def _says(stage: str, found: Usage) -> str:
    none = Share(0, 0)
    every, guided = found.every[stage], found.guided.get(stage, none)
    return {
        "more": _("With the handbook open, more went forward; this tells of a link, not of a cause."),
        "less": _("With the handbook open, fewer went forward; it may be opened where a deal is hard."),
        "even": _("No difference yet: the intervals overlap."),
        "few": _("Too few on one side to compare."),
    }[verdict(guided, every.minus(guided))]
