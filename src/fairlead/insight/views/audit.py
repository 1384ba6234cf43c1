"""The audit page: who changed what, when and through which door."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, override, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import NotFound, NotPermitted
from fairlead.common.safe_cells import safe_value as safe
from fairlead.fields.catalogue import catalogue, subject_types
from fairlead.journal.enums import Channel
from fairlead.journal.models import SealCheck
from fairlead.journal.sealing import check, state
from fairlead.organisation.models import User
from fairlead.process.definitions import definition_of
from fairlead.process.enums import CriterionState
from fairlead.process.models import Evaluation
from fairlead.process.subjects import room_of
from fairlead.process.words import criterion_name, stage_name

from ..event_words import EVENTS
from ..trail import (
    HIDDEN,
    MOST_EXPORTED,
    RIGHT,
    TrailFilter,
    names_of,
    page_of,
    subject_choices,
    told,
    value_text,
    visible_events,
)


@access("audit.view")
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    return page(request, "insight/audit.html", _context(request), block="content")


@access("audit.view")
@require_POST
def audit_verify(request: HttpRequest) -> HttpResponse:
    """Read the whole chain of seals again. It covers everybody's events: for those who may see them all."""
    user: Any = request.user
    if not user.reach(RIGHT).all:
        raise NotPermitted
    verified = check(by=user, at=timezone.now(), channel=Channel.UI)
    return page(request, "insight/audit.html", _context(request) | {"verified": verified}, block="content")


def _context(request: HttpRequest) -> dict[str, Any]:
    user: Any = request.user
    wanted = TrailFilter.read(request.GET)
    rows, more = page_of(user, wanted)
    people = User.objects.visible_to(user).by_name().values_list("pk", "name")
    may_verify = user.reach(RIGHT).all
    sealed = state() if may_verify else None
    query = wanted.query(before=None)
    return {
        "nav_at": "audit",
        "wanted": wanted,
        "rows": rows,
        "verified": None,
        "may_verify": may_verify,
        "sealed": sealed,
        "checked_by": _checked_by(sealed.check) if sealed and sealed.check else "",
        "people": [("", _("Everybody")), *people],
        "kinds": [("", _("All kinds")), *subject_choices()],
        "types": [("", _("All events")), *((key, str(name)) for key, name in EVENTS.items())],
        "channels": [("", _("All doors")), *Channel.choices],
        "older": f"?{wanted.query(before=more)}" if more else "",
        "newest": f"?{query}" if wanted.before else "",
        "csv_url": f"{reverse('insight:audit_csv')}?{query}",
        "clear_url": reverse("insight:audit"),
        "is_filtered": bool(query),
    }


def _checked_by(found: SealCheck) -> str:
    if found.by_id_then is None:
        return _("the system")
    return names_of([found.by_id_then]).get(found.by_id_then, f"#{found.by_id_then}")


@access("audit.view")
@require_safe
def audit_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The headers of the filtered events as CSV, the newest first, at most 50,000."""
    user: Any = request.user
    wanted = TrailFilter.read(request.GET)
    found = wanted.apply(visible_events(user)).order_by("-id")[:MOST_EXPORTED]
    response = StreamingHttpResponse(
        _lines(user, found, get_language() or "en"), content_type="text/csv; charset=utf-8"
    )
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def _lines(user: Any, found: Any, language: str) -> Iterator[str]:
    """Streamed after the view has returned, when the language of the request is gone already."""
    with override(language):
        yield "\ufeff" + _line(
            [
                pgettext("event", "Number"),
                _("Recorded"),
                _("Happened"),
                _("Person"),
                _("On behalf of"),
                _("Event"),
                _("Code"),
                _("Kind of record"),
                _("Record"),
                _("Record number"),
                _("Door"),
                _("From"),
                _("To"),
                _("Reason"),
            ]
        )
    batch: list[Any] = []
    for event in found.iterator(chunk_size=1000):
        batch.append(event)
        if len(batch) == 500:
            with override(language):
                yield _batch(user, batch)
            batch = []
    with override(language):
        yield _batch(user, batch)


def _batch(user: Any, events: list[Any]) -> str:
    lines = []
    for row in told(user, events, details=False):
        e = row["event"]
        lines.append(
            _line(
                [
                    e.pk,
                    timezone.localtime(e.recorded_at).isoformat(" ", "seconds"),
                    timezone.localtime(e.effective_at).isoformat(" ", "seconds"),
                    row["actor"],
                    row["behalf"],
                    row["what"],
                    e.type,
                    row["kind"],
                    row["title"],
                    e.subject_id,
                    e.get_channel_display(),
                    e.from_stage,
                    e.to_stage,
                    e.reason_code,
                ]
            )
        )
    return "".join(lines)


def _line(values: list[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([safe(value) for value in values])
    return out.getvalue()


@access("audit.view")
@require_safe
def evaluation(request: HttpRequest, pk: int) -> HttpResponse:
    """What one attempt at a gate saw: how each item stood, and the fields as they were, masked by the rights."""
    user: Any = request.user
    found = Evaluation.objects.select_related("journey__process_version__process", "by").filter(pk=pk).first()
    if found is None:
        raise NotFound
    journey = found.journey
    room = room_of(journey.subject_type)
    reach = user.reach(RIGHT)
    if not reach.all and journey.subject_id not in room.visible_ids(user, [journey.subject_id], right=RIGHT):
        raise NotFound
    may_open = journey.subject_id in room.visible_ids(user, [journey.subject_id], right=room.view_right)
    definition = definition_of(journey.process_version)
    fields = catalogue(journey.subject_type) if journey.subject_type in subject_types() else ()
    facts = found.facts.get("fields", {})
    context = {
        "nav_at": "audit",
        "evaluation": found,
        "journey": journey,
        "may_open": may_open,
        "record_url": room.url(journey.subject_id) if may_open else "",
        "from_name": stage_name(definition, found.from_stage),
        "to_name": stage_name(definition, found.to_stage) if found.to_stage else "",
        "results": list(_results(found.results, definition)),
        "fields": [
            (spec.name(), value_text(spec, facts[spec.key]) if spec.readable_by(user) else HIDDEN)
            for spec in fields
            if spec.key in facts
        ],
        "counts": [(name, found.facts.get(name) or {}) for name in ("activities", "documents", "relations")],
        "people": names_of([found.by_id] if found.by_id else []),
    }
    return page(request, "insight/evaluation.html", context, block="content")


def _results(results: Any, definition: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    for result in results:
        state = result["state"]
        yield {
            "name": criterion_name(definition, result["key"]),
            "stage": stage_name(definition, result["stage"]),
            "state": state,
            "word": str(CriterionState(state).label),
            "required": result["level"] == "block",
            "depth": depth,
        }
        yield from _results(result.get("children", ()), definition, depth + 1)
