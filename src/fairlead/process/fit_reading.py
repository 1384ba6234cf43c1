"""“A better-fitting process exists” in words: by which rule, on which values, and what the change would bring (PD-4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse

from fairlead.common.names import localized
from fairlead.fields.catalogue import Catalogue, catalogue, pick
from fairlead.fields.conditions import fields_of, value_words
from fairlead.fields.conditions import words as condition_words

from .definition import Definition
from .models import Journey, Process, ProcessVersion
from .selectors.versions import said_of
from .services.assigning import Fit
from .services.migrating import outlook_as_json
from .services.switching import Trial, fit_for


def process_names(kind: str) -> dict[str, str]:
    """The published processes of a kind of record: key → name."""
    rows = ProcessVersion.objects.published().filter(process__subject_type=kind).order_by("process_id")
    return {key: localized(name) or key for key, name in rows.values_list("process__key", "process__name")}


def fit_words(
    fit: Fit, values: Mapping[str, Any], fields: Catalogue, reader: Any, name: str
) -> dict[str, Any]:
    """`values`: what the record says in the fields of the rule, without what the reader may not read."""
    return {
        "process": fit.process_key,
        "name": name,
        "number": fit.number,
        "rule": condition_words(fit.condition),
        "values": [
            (spec.name(), value_words(spec, values.get(spec.key)))
            for spec in fields
            if spec.key in fields_of(fit.condition) and spec.readable_by(reader)
        ],
    }


def fit_context(
    journey: Journey, values: Mapping[str, Any], fields: Catalogue, reader: Any, *, at: datetime
) -> dict[str, Any] | None:
    """For the banner on the page of a record; None where its process fits, or somebody has said to leave it."""
    fit = fit_for(journey, values, at=at)
    if fit is None:
        return None
    name = Process.objects.values_list("name", flat=True).get(key=fit.process_key)
    url = reverse("process:switch", args=[journey.pk])
    return fit_words(fit, values, fields, reader, localized(name) or fit.process_key) | {"url": url}


def trial_words(
    trial: Trial, fit: Fit, journey: Journey, new: Definition, *, reader: Any, at: datetime
) -> dict[str, Any]:
    """The dry run of one record: where it comes to, stage by stage, and what changes."""
    old, one = trial.situation.definition, trial.outlook
    facts = trial.situation.facts
    name = localized(trial.target.process.name) or trial.target.process.key
    asked = new.stage(one.to_stage) if one.to_stage else None
    return {
        **fit_words(fit, facts.fields, catalogue(journey.subject_type), reader, name),
        "number_to": trial.target.number,
        "from_name": pick(old.name),
        "from_stage": pick(old.stage(one.from_stage).name),
        "to_stage": pick(asked.name) if asked else "",
        "to_key": one.to_stage or "",
        "is_hole": one.to_stage is None,
        "options": [(s.key, pick(s.name)) for s in new.stages],
        "changes": said_of(outlook_as_json(one), new),
        "path": [
            (pick(stage.name), pick(new.stage(one.stages[stage.key]).name) if stage.key in one.stages else "")
            for stage in old.stages
        ],
    }
