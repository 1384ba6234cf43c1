"""Which fields the processes read, and whether they could be read with another catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from fairlead.common.names import localized
from fairlead.fields import uses
from fairlead.fields.catalogue import Catalogue, pick
from fairlead.fields.conditions import Compiled, fields_of
from fairlead.fields.uses import Use

from .definition import Criterion, Definition, DefinitionError, Stage
from .definitions import definitions_of, externals_of
from .loading import load
from .models import Journey, ProcessVersion


def register_field_uses() -> None:
    uses.read_with(read)
    uses.object_with(object_to)


def read(subject_type: str, asker: Any) -> Iterator[tuple[str, Use]]:
    """Gates, scores and moves of the published processes; everybody who works here may read them."""
    if not asker.may("process.view"):
        return
    ids = ProcessVersion.objects.published().filter(process__subject_type=subject_type)
    for definition in definitions_of(set(ids.values_list("pk", flat=True))).values():
        yield from _gates(definition)
        yield from _moves(definition)
        for score in definition.scores.values():
            use = Use("score", f"{localized(definition.name)} · {pick(score.name)}", _url(definition))
            yield from ((key, use) for key in score.elements)


def _url(definition: Definition, stage: Stage | None = None) -> str:
    return reverse("process:process", args=[definition.key]) + (f"#stage-{stage.key}" if stage else "")


def _gates(definition: Definition) -> Iterator[tuple[str, Use]]:
    for stage, _side, criterion in definition.criteria():
        for one in (criterion, *criterion.children):
            label = f"{localized(definition.name)} · {pick(stage.name)} · {pick(one.name)}"
            use = Use("gate", label, _url(definition, stage))
            yield from ((key, use) for key in sorted(_reads(one)))


def _reads(criterion: Criterion) -> set[str]:
    return {spec.key for spec in criterion.fields} | _of(criterion.condition) | _of(criterion.applies_if)


def _of(tree: Compiled | None) -> frozenset[str]:
    return fields_of(tree) if tree is not None else frozenset()


def _moves(definition: Definition) -> Iterator[tuple[str, Use]]:
    for stage in definition.stages:
        for transition in stage.transitions:
            label = f"{localized(definition.name)} · {pick(stage.name)}"
            use = Use("move", label, _url(definition, stage))
            yield from ((key, use) for key in sorted(_of(transition.when)))


def object_to(subject_type: str, fields: Catalogue) -> list[str]:
    """One sentence for each version in use that could not be read with `fields`, or that declares one of them."""
    running = Journey.objects.current().filter(process_version=OuterRef("pk"))
    versions = ProcessVersion.objects.filter(process__subject_type=subject_type).select_related("process")
    in_use = versions.filter(Q(pk__in=ProcessVersion.objects.published()) | Exists(running))
    found = []
    for version in in_use.order_by("process__key", "number"):
        name = {"process": localized(version.process.name), "number": version.number}
        declared = [
            pick(one["label"])
            for one in version.document.get("fields", ())
            if one["key"] not in fields and isinstance(one.get("label"), dict)
        ]
        if declared:
            said = _(
                "“%(process)s” version %(number)s brings this field along. Publish a version without it first."
            )
            found.append(said % name)
            continue
        try:
            load(version.document, fields, externals=externals_of(subject_type))
        except DefinitionError as error:
            said = _("“%(process)s” version %(number)s reads it: %(where)s")
            found.append(said % {**name, "where": error.problems[0].message})
    return found
