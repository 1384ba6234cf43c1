"""Names of the people, teams and records that fields point to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from fairlead.common import records
from fairlead.fields.catalogue import FieldSpec
from fairlead.fields.conditions import value_words
from fairlead.fields.enums import REFERENCE, FieldType
from fairlead.organisation.models import Team, User

from ..models import Product

Names = Mapping[tuple[str, int], str]


def target_of(spec: FieldSpec) -> str:
    """The kind of record a field points to; a custom field of a person or a team says so by its type."""
    if spec.target:
        return spec.target
    return {FieldType.PERSON: "user", FieldType.TEAM: "team"}.get(spec.type, "")


def names_of(
    pairs: Iterable[tuple[FieldSpec, Any]], *, reader: Any, known: Names | None = None
) -> dict[tuple[str, int], str]:
    """By (target, id); one query a target. A record that the reader does not see has no name here."""
    found = dict(known or {})
    wanted: dict[str, set[int]] = defaultdict(set)
    for spec, value in pairs:
        if spec.type in REFERENCE and value is not None and str(value).isdigit():
            target = target_of(spec)
            if (target, int(value)) not in found:
                wanted[target].add(int(value))
    for target, ids in wanted.items():
        for pk, name in _titles(target, ids, reader).items():
            found[target, pk] = name
    return found


def _titles(target: str, ids: set[int], reader: Any) -> Mapping[int, str]:
    if target == "user":
        return dict(User.objects.filter(pk__in=ids).values_list("pk", "name"))
    if target == "team":
        return dict(Team.objects.filter(pk__in=ids).values_list("pk", "name"))
    if target == "product":
        return dict(Product.objects.filter(pk__in=ids).values_list("pk", "name"))
    kinds = {kind.subject_type: kind for kind in records.record_types()}
    if target not in kinds:
        return {}
    seen = kinds[target].visible_ids(reader, sorted(ids), kinds[target].view_right)
    return kinds[target].title(sorted(seen)) if seen else {}


def text_of(spec: FieldSpec, value: Any, names: Names) -> str:
    """A value as a person reads it; blank where there is none."""
    if value is None or value == "" or value == []:
        return ""
    if spec.type in REFERENCE:
        return names.get((target_of(spec), int(value)), "—") if str(value).isdigit() else ""
    text = value_words(spec, value)
    return f"{text} {spec.unit_name}".strip() if spec.unit else text
