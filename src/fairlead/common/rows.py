"""Whole rows kept as JSON and put back exactly, and who refers to a row: what an undo needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.apps import apps
from django.db import models

from fairlead.common import bulk

Row = TypeVar("Row", bound=models.Model)


def as_json(row: models.Model) -> dict[str, Any]:
    """Every column of a row."""
    return {f.attname: _plain(getattr(row, f.attname)) for f in row._meta.concrete_fields}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def from_json(model: type[Row], data: Mapping[str, Any]) -> Row:
    values = {}
    for field in model._meta.concrete_fields:
        if field.attname in data:
            raw = data[field.attname]
            keep = raw is None or isinstance(field, models.JSONField)
            # A relation's `to_python` is that of the key it points to.
            values[field.attname] = raw if keep else field.to_python(raw)
    return model(**values)


def put_back(model: type[Row], kept: Iterable[Mapping[str, Any]], now: models.QuerySet[Row]) -> None:
    """Make the rows of `now` equal to `kept`: what came since goes, the others get every column back."""
    rows = [from_json(model, data) for data in kept]
    pk = model._meta.pk
    assert pk is not None
    delete(now.exclude(pk__in=[r.pk for r in rows]))
    bulk.update(rows, [f.attname for f in model._meta.concrete_fields if f is not pk])


def delete(rows: models.QuerySet[Any]) -> None:
    """Without asking Python for what hangs on them: the caller has seen to that."""
    chosen = rows.model._base_manager.filter(pk__in=list(rows.order_by().values_list("pk", flat=True)))
    chosen._raw_delete(chosen.db)


def delete_about(app_label: str, kind: str, ids: Collection[int]) -> None:
    """Rows of a room that are about records (`subject_type`, `subject_id`), with what cascades from them."""
    for model in apps.get_app_config(app_label).get_models():
        names = {field.name for field in model._meta.concrete_fields}
        if {"subject_type", "subject_id"} <= names:
            model._base_manager.filter(subject_type=kind, subject_id__in=ids).delete()


def referred_to(
    model: type[models.Model], ids: Collection[int], *, but: Collection[type[models.Model]] = ()
) -> set[int]:
    """Those of `ids` that rows of other models point to; `but` names models that go with them."""
    found: set[int] = set()
    for field in model._meta.get_fields(include_hidden=True):
        if not (field.auto_created and not field.concrete and (field.one_to_many or field.one_to_one)):
            continue
        relation: Any = field
        if relation.related_model in but or not relation.related_model._meta.managed:
            continue
        name = relation.field.attname
        found.update(
            relation.related_model._base_manager.filter(**{f"{name}__in": ids}).values_list(name, flat=True)
        )
    return found
