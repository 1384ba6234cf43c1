"""A published process, readable by everybody who works here; its mode, for whoever publishes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import NotFound
from fairlead.fields.catalogue import catalogue, pick

from .clock_words import policy_words, stage_policy_words
from .definition import Definition
from .definitions import definition_of, definitions_of
from .describing import criterion_words, list_name, part_name, stage_moves
from .differences import differences, is_same
from .enums import ClockKind, Level, RequestState, VersionStatus
from .handbook_words import handbook_words, playbook_words
from .handbooks import whole_handbook
from .landing import coming, mode_on
from .models import Process, ProcessDraft, ProcessVersion, PublishRequest
from .parts import parts, ways
from .roles import role_name
from .selectors.clocks import keeps_old_time
from .selectors.landing import business_day
from .selectors.versions import behind
from .services.publishing import PUBLISH
from .subjects import registered, room_of
from .views_landing import banner_context

NAV = "processes"


@access("process.view")
@require_safe
def processes(request: HttpRequest) -> HttpResponse:
    """Every process with a published version, and in one line how far it goes."""
    versions = (
        ProcessVersion.objects.published().select_related("process", "published_by").order_by("process__pk")
    )
    known = definitions_of({version.pk for version in versions})
    today = business_day(timezone.now())
    rows = [
        {
            "version": version,
            "process": version.process,
            "name": localized(version.process.name),
            "goal": pick(known[version.pk].goal),
            "kind": _kind(version.process.subject_type),
            "mode": mode_on(version.process.mode, version.process.enforced_from, today).label,
            "from_day": coming(version.process.mode, version.process.enforced_from, today),
            "stages": [pick(stage.name) for stage in known[version.pk].stages],
            "items": sum(1 for _each in known[version.pk].criteria()),
        }
        for version in versions
    ]
    user: Any = request.user
    context = {"nav_at": NAV, "rows": rows, "may_publish": user.may(PUBLISH), "drafts": _drafts(user)}
    return page(request, "process/processes.html", context, block="content")


def _drafts(user: Any) -> list[dict[str, Any]]:
    """What is being written, for those who may publish."""
    if not user.may(PUBLISH):
        return []
    asked = set(PublishRequest.objects.filter(state=RequestState.OPEN).values_list("process_id", flat=True))
    rows = ProcessDraft.objects.select_related("process", "changed_by").order_by("process__key")
    return [
        {
            "key": row.process.key,
            "name": localized(row.process.name) or row.process.key,
            "number": row.document.get("version"),
            "who": row.changed_by.name if row.changed_by else "—",
            "at": row.changed_at,
            "asked": row.process_id in asked,
        }
        for row in rows
    ]


@access("process.view")
@require_safe
def process(request: HttpRequest, key: str) -> HttpResponse:
    """One version: the published one, or with `?version=` another that was. Drafts are for publishers alone."""
    user: Any = request.user
    found = get_object_or_404(Process, key=key)
    versions = [
        v
        for v in found.versions.select_related("published_by")
        if v.status != VersionStatus.DRAFT or user.may(PUBLISH)
    ]
    shown = _chosen(versions, request.GET.get("version", ""))
    definition = definition_of(shown)
    fields = catalogue(found.subject_type)
    before = next((v for v in versions if v.number < shown.number), None)
    context = {
        "nav_at": NAV,
        "process": found,
        "name": localized(found.name),
        "kind": _kind(found.subject_type),
        "version": shown,
        "versions": versions,
        "definition": definition,
        "goal": pick(definition.goal),
        "stages": [_stage(stage, definition, fields) for stage in definition.stages],
        "path_stages": [_bead(stage) for stage in definition.stages],
        "lists": [
            (list_name(n), [pick(r.name) for r in reasons])
            for n, reasons in definition.lists.items()
            if reasons
        ],
        "scores": [
            (pick(s.name), [fields[e].name() for e in s.elements if e in fields], s.top)
            for s in definition.scores.values()
        ],
        "changes": differences(definition_of(before), definition) if before is not None else None,
        "is_same": before is not None and is_same(definition_of(before), definition),
        "before": before,
        "playbooks": [playbook_words(book, definition) for book in definition.playbooks.values()],
        "parts": [
            (pick(part.label), reverse(part.url_name, args=[found.key]))
            for part in parts()
            if user.may(part.right)
        ],
        "ways": [
            (pick(way.label), reverse(way.url_name, args=[found.key]))
            for way in ways()
            if user.may(way.right) and way.subject in ("", found.subject_type)
        ],
        "behind": behind(found) if user.may(PUBLISH) else 0,
        "may_publish": user.may(PUBLISH),
        "has_draft": ProcessDraft.objects.filter(process=found).exists(),
        "clocks": policy_words(definition),
        "keeps_old_time": keeps_old_time(found.key) if user.may(PUBLISH) else 0,
        "published": VersionStatus.PUBLISHED,
        **banner_context(found, user, today=business_day(timezone.now())),
    }
    return page(request, "process/process.html", context, block="content")


@access("process.view")
@require_safe
def document(request: HttpRequest, key: str) -> HttpResponse:
    """The document as a file, as `fairlead process publish` reads it."""
    user: Any = request.user
    found = get_object_or_404(Process, key=key)
    versions = [v for v in found.versions.all() if v.status != VersionStatus.DRAFT or user.may(PUBLISH)]
    shown = _chosen(versions, request.GET.get("version", ""))
    from .files import write_yaml  # reads YAML's library, which no other page needs

    response = HttpResponse(write_yaml(shown.document), content_type="application/yaml; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.key}-v{shown.number}.yaml"'
    return response


def _chosen(versions: list[ProcessVersion], wanted: str) -> ProcessVersion:
    """The version asked for, else the published one, else the newest. Raises NotFound."""
    if wanted:
        number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) <= 6 else 0
        versions = [v for v in versions if v.number == number]
    published = [v for v in versions if v.status == VersionStatus.PUBLISHED]
    found = next(iter(published or versions), None)
    if found is None:
        raise NotFound
    return found


def _kind(subject_type: str) -> str:
    return pick(room_of(subject_type).label) if subject_type in registered() else subject_type


def _bead(stage: Any) -> dict[str, Any]:
    criteria = (*stage.entry, *stage.exit)
    required = sum(1 for c in criteria if c.level == Level.BLOCK)
    limit = _("%(days)s d") % {"days": stage.limit_red} if stage.limit_red else ""
    return {
        "name": pick(stage.name),
        "url": f"#stage-{stage.key}",
        "state": "done",
        "ring": "ready",
        "figure": _("%(count)s items") % {"count": len(criteria)},
        "meta": " · ".join(
            filter(None, [_("required %(count)s") % {"count": required} if required else "", limit])
        ),
    }


def _stage(stage: Any, definition: Definition, fields: Any) -> dict[str, Any]:
    sides = {
        side: [criterion_words(c, definition, fields) for c in getattr(stage, side)]
        for side in ("entry", "exit")
    }
    return {
        "key": stage.key,
        "name": pick(stage.name),
        "goal": pick(stage.goal),
        "gate": pick(stage.gate_name),
        **sides,
        "roles": [
            (part_name(p), " · ".join(role_name(r) for r in roles)) for p, roles in stage.roles.items()
        ],
        "probability": stage.probability,
        "forecast": stage.forecast.label,
        "limits": definition.clocks.limit(ClockKind.VISIT, stage.key),
        "clocks": stage_policy_words(definition.clocks, stage.key),
        "lines": [
            (label, [pick(line) for line in lines])
            for label, lines in (
                (_("What is done here"), stage.activities),
                (_("What comes out"), stage.deliverables),
            )
            if lines
        ],
        "moves": stage_moves(stage, definition),
        "handbook": handbook_words(whole_handbook(stage), definition, conditions=True),
        "no_return": pick(stage.no_return) if stage.no_return else "",
    }
