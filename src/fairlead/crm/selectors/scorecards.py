"""The scorecards of a deal, with the newest evidence for each element, as far as the reader may know the fields."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fairlead.fields.catalogue import Catalogue
from fairlead.process.definition import Definition
from fairlead.process.models import Finding
from fairlead.process.scorecards import Known, Scorecard, needs_of, scorecard


def findings_of(deal_id: int) -> dict[str, Known]:
    """Element → its newest evidence, in one query."""
    rows = Finding.objects.filter(subject_type="opportunity", subject_id=deal_id).select_related("by")
    return {
        row.element: Known(row.value, row.text, row.source, row.by.name, row.at, row.file_id)
        for row in rows.order_by("at", "pk")
    }


def scorecards_of(
    deal_id: int,
    definition: Definition,
    stage_key: str,
    values: Mapping[str, Any],
    *,
    fields: Catalogue,
    reader: Any,
    at: datetime,
) -> list[Scorecard]:
    """A score with an element that the reader may not read is left out: its total would tell."""
    known = findings_of(deal_id) if definition.scores else {}
    found = []
    for score in definition.scores.values():
        specs = [fields.get(element) for element in score.elements]
        if any(spec is None or not spec.readable_by(reader) for spec in specs):
            continue
        needed, floors = needs_of(definition, stage_key, score.key)
        found.append(scorecard(score, values, known, needed=needed, floors=floors, now=at))
    return found
