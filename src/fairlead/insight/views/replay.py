"""A candidate document tried on history, for whoever may publish: a file, or a version that is stored. Reads only."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound
from fairlead.fields.catalogue import pick
from fairlead.organisation.models import Organisation
from fairlead.process.definition import Definition
from fairlead.process.models import Journey, Process, ProcessDraft
from fairlead.process.refusals import CannotPublish
from fairlead.process.subjects import room_of


@access("process.publish")
@require_http_methods(["GET", "HEAD", "POST"])
def replay(request: HttpRequest, key: str) -> HttpResponse:
    """The form, and below it what the last document that was tried came to."""
    process = get_object_or_404(Process, key=key)
    versions = list(process.versions.all())
    context: dict[str, Any] = {
        "nav_at": "processes",
        "process": process,
        "name": localized(process.name),
        "versions": [("", _("The chosen file"))]
        + ([("draft", _("The draft"))] if ProcessDraft.objects.filter(process=process).exists() else [])
        + [(str(v.number), f"v{v.number} · {v.get_status_display()}") for v in versions],
        "version": request.POST.get("version", ""),
        "most": request.POST.get("most", ""),
        "problems": [],
        "errors": {},
    }
    status = 200
    if request.method == "POST":
        try:
            candidate = _candidate(request, process)
            context |= _result(request, process, candidate)
        except CannotPublish as refusal:
            context["problems"], status = refusal.details["problems"], 422
        except Invalid as refusal:
            errors = {e["field"]: str(e["message"]) for e in refusal.details["errors"]}
            context["errors"], status = errors, 422
    from ..replay.asked import SIZES

    context["sizes"] = [(str(n), _("the newest %(n)s") % {"n": f"{n:,}"}) for n in SIZES]
    return page(request, "insight/replay.html", context, block="content", status=status)


def _candidate(request: HttpRequest, process: Process) -> Definition:
    from fairlead.process.files import MAX_BYTES, UnreadableFile, read_yaml

    from ..replay.asked import candidate_for, stored

    number, given = request.POST.get("version", ""), request.FILES.get("file")
    if number:
        try:
            return candidate_for(process, stored(process, number))
        except NotFound:
            raise Invalid.field("version", _("Choose one of the list.")) from None
    if given is None:
        raise Invalid.field("file", _("Choose a version, or a file."))
    try:
        document = read_yaml(given.read(MAX_BYTES + 1))
    except UnreadableFile as error:
        raise Invalid.field("file", str(error)) from None
    return candidate_for(process, document)


def _result(request: HttpRequest, process: Process, candidate: Definition) -> dict[str, Any]:
    from ..replay import asked, figures, words

    sizes = {"": asked.SIZES[0]} | {str(n): n for n in asked.SIZES}
    most = sizes.get(request.POST.get("most", ""))
    if most is None:
        raise Invalid.field("most", _("Choose one of the list."))
    ids = asked.journey_ids(process, request.user, most=most)
    found = figures.replay(candidate, ids, at=timezone.now())
    total = Journey.objects.current().filter(process_key=process.key).count()
    room = room_of(process.subject_type)
    names = {one.criterion.key: pick(one.criterion.name) for one in found.criteria}
    return {
        "found": found,
        "candidate_name": f"{pick(candidate.name)} v{candidate.version}",
        "whose": words.whose(found.journeys, total),
        "untold": words.untold(found),
        "answers": words.answers(found),
        "criteria": words.criteria(found),
        "stages": [
            (pick(stage.name), found.by_stage[stage.key])
            for stage in candidate.stages
            if found.by_stage.get(stage.key)
        ],
        "pipeline": words.pipeline(found, Organisation.objects.current().currency),
        "rows": [
            {
                "title": row.journey.title or "—",
                "url": room.url(row.journey.subject_id),
                "stage": pick(candidate.stage(row.stage).name),
                "by": [names[key] for key in row.by],
                "day": row.at.astimezone(timezone.get_default_timezone()).date(),
                "is_next": row.is_next,
                "state": row.journey.get_outcome_display() or row.journey.get_state_display(),
            }
            for row in found.rows
        ],
        "listed": len(found.rows),
    }
