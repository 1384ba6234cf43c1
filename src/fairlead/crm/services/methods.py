"""Where an element of a score stands, with its evidence: the field and the reason for it in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound
from fairlead.common.text import clean_text
from fairlead.fields.catalogue import catalogue
from fairlead.journal.services import NewEvent, record
from fairlead.process.definitions import definition_of
from fairlead.process.models import Finding
from fairlead.work.models import File

from ..models import Opportunity
from .records import edit
from .values import value_of

LONGEST = 2000
KIND = "opportunity"


@transaction.atomic
def assess(
    deal_id: int,
    *,
    score: str,
    element: str,
    value: Any,
    text: str,
    version: int,
    by: Any,
    at: datetime,
    channel: str,
    source: str = "",
    file_id: int | None = None,
) -> Finding:
    """Set an element of a method and say what shows it. The same value again renews its evidence.

    Points need evidence; nothing known needs none. Raises NotFound, NotPermitted, Stale, Invalid.
    """
    edited = edit(
        KIND, deal_id, {element: value}, version=version, by=by, at=at, channel=channel
    )  # rights, version and type of the value are its
    row = Opportunity.objects.select_related("journey__process_version").get(pk=edited.pk)
    if row.journey is None:
        raise NotFound
    found = definition_of(row.journey.process_version).scores.get(score)
    spec = catalogue(KIND).get(element)
    if found is None or spec is None or element not in found.elements:
        raise Invalid.field("element", _("The score has no such element."))
    stands = value_of(row, spec)
    said = clean_text(text, limit=100_000, field="text").strip()
    whence = clean_text(source, limit=100_000, field="source").strip()
    errors = []
    if isinstance(stands, int) and not 0 <= stands <= found.top:
        errors.append({"field": "value", "message": _("0 to %(top)s is expected.") % {"top": found.top}})
    if found.worth(stands) and not said:
        errors.append({"field": "text", "message": _("Say what shows it: who said or did what, and when.")})
    for name, given, most in (("text", said, LONGEST), ("source", whence, 200)):
        if len(given) > most:
            errors.append({"field": name, "message": _("Write 1 to %(most)s characters.") % {"most": most}})
    if file_id is not None and not _is_file_of(deal_id, file_id):
        errors.append({"field": "file", "message": _("This file is not one of the deal.")})
    if errors:
        raise Invalid(errors=errors)
    finding = Finding.objects.create(
        subject_type=KIND,
        subject_id=deal_id,
        element=element,
        value="" if stands is None else str(stands),
        source=whence,
        text=said,
        file_id=file_id,
        by=by,
        at=at,
    )
    record(
        [
            NewEvent(
                type="finding_added",
                subject_type=KIND,
                subject_id=deal_id,
                journey_id=row.journey_id,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                process_key=row.journey.process_key,
                data={
                    "finding": finding.pk,
                    "score": score,
                    "element": element,
                    "points": found.worth(stands),
                },
                payload={"text": said, "source": whence},
            )
        ]
    )
    return finding


def _is_file_of(deal_id: int, file_id: int) -> bool:
    return File.objects.filter(pk=file_id, subject_type=KIND, subject_id=deal_id, withdrawn_at=None).exists()
