"""The fields of a record as a page shows them: in groups, in words, only what the reader may read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import pgettext

from fairlead.common.money import format_amount
from fairlead.fields.catalogue import Catalogue, FieldSpec, pick
from fairlead.fields.enums import FieldType
from fairlead.fields.values import from_json
from fairlead.process.definition import Criterion, Definition

from .references import Names, names_of, text_of


def value_of(row: Any, spec: FieldSpec) -> Any:
    """The typed value of a field of `row`; None for empty text as well."""
    if spec.custom:
        stored = (row.custom or {}).get(spec.key)
        return None if stored is None else from_json(spec, stored)
    value: Any = row
    for part in (spec.path or spec.key).split("__"):
        value = getattr(value, part, None) if value is not None else None
    return None if value == "" else value


def values_of(row: Any, fields: Catalogue) -> dict[str, Any]:
    return {spec.key: value_of(row, spec) for spec in fields}


def in_words(row: Any, spec: FieldSpec, value: Any, names: Names) -> str:
    """The value as a person reads it: an amount with the currency of the record."""
    if spec.type == FieldType.MONEY and isinstance(value, Decimal):
        return format_amount(value, getattr(row, "currency", "") or "CNY", short=False)
    return text_of(spec, value, names)


def shown_field(
    kind: str, row: Any, spec: FieldSpec, value: Any, names: Names, *, editable: bool, url_name: str = ""
) -> dict[str, Any]:
    return {
        "key": spec.key,
        "label": spec.name(),
        "text": in_words(row, spec, value, names),
        "help": pick(spec.help) if spec.help else "",
        "long": spec.type == FieldType.LONG_TEXT,
        "edit_url": reverse(url_name or f"crm:{kind}_field", args=[row.pk, spec.key]) if editable else "",
    }


def groups_of(
    kind: str,
    row: Any,
    fields: Catalogue,
    reader: Any,
    *,
    may_edit: bool,
    definition: Definition | None = None,
    known: Names | None = None,
    url_name: str = "",
) -> list[dict[str, Any]]:
    """Built-in fields first, then those that the gates of each stage ask for, then the rest."""
    readable = fields.readable_by(reader)
    values = {spec.key: value_of(row, spec) for spec in readable}
    names = names_of(((spec, values[spec.key]) for spec in readable), reader=reader, known=known)
    placed: dict[str, str] = {}
    titles: dict[str, str] = {"": pgettext("group of fields", "Facts")}
    if definition is not None:
        for stage in definition.stages:
            for criterion in (*stage.entry, *stage.exit):
                for key in _keys_of(criterion):
                    if key in fields and fields[key].custom:
                        placed.setdefault(key, stage.key)
            titles[stage.key] = pick(stage.name)
    titles["*"] = pgettext("group of fields", "More")
    groups: dict[str, list[dict[str, Any]]] = {key: [] for key in titles}
    for spec in readable:
        group = placed.get(spec.key, "*" if spec.custom else "")
        groups[group].append(
            shown_field(
                kind,
                row,
                spec,
                values[spec.key],
                names,
                editable=may_edit and spec.writable_by(reader),
                url_name=url_name,
            )
        )
    return [
        {"key": key or "facts", "title": titles[key], "fields": rows} for key, rows in groups.items() if rows
    ]


def _keys_of(criterion: Criterion) -> list[str]:
    return [s.key for s in criterion.fields] + [k for child in criterion.children for k in _keys_of(child)]
