"""Adding, changing and retiring custom fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.common.refusals import Invalid, NotPermitted, Stale
from fairlead.journal.services import NewEvent, record

from . import catalogue, uses
from .catalogue import Catalogue, pick
from .enums import FieldType
from .models import CustomField

KEY = re.compile(r"^[a-z][a-z0-9_]{0,59}$")
MANAGE = "fields.manage"
_WORDS = ("label", "help", "unit", "options", "read_right", "write_right")
#: What may be asked of a reader or a writer beside the right over the record itself.
MASKS = ("", "margin.view", "fields.manage", "settings.manage")


def _checked(
    subject_type: str, key: str, type_: str, label: Mapping[str, str], options: Sequence[Any]
) -> None:
    errors = []
    if subject_type not in catalogue.subject_types():
        errors.append({"field": "subject_type", "message": _("There is no such kind of record.")})
    elif any(spec.key == key for spec in catalogue.built_in(subject_type)):
        errors.append({"field": "key", "message": _("A built-in field already has this key.")})
    if not KEY.match(key):
        errors.append({"field": "key", "message": _("Use small letters, digits and _; begin with a letter.")})
    if type_ not in FieldType.values:
        errors.append({"field": "type", "message": _("There is no such type of field.")})
    elif type_ == FieldType.RECORD:
        # A custom field names no kind of record that it would point to; only built-in ones do.
        message = _("A reference to a record cannot be added. Take a person, a team or a choice.")
        errors.append({"field": "type", "message": message})
    if not any(str(label.get(code, "")).strip() for code in ("zh", "en")):
        errors.append({"field": "label", "message": _("Name the field in Chinese or English.")})
    if type_ in (FieldType.CHOICE, FieldType.MULTI_CHOICE) and not options:
        errors.append({"field": "options", "message": _("A choice needs at least one option.")})
    if errors:
        raise Invalid(errors=errors)


@transaction.atomic
def add_field(
    *,
    subject_type: str,
    key: str,
    type: str,
    label: Mapping[str, str],
    by: Any,
    at: datetime,
    channel: str,
    options: Sequence[Mapping[str, Any]] = (),
    help: Mapping[str, str] | None = None,
    unit: str = "",
    read_right: str = "",
    write_right: str = "",
    zero_is_placeholder: bool = True,
    declared_by: str = "",
) -> CustomField:
    """Add a custom field to a kind of subject. Raises NotPermitted, Invalid.

    A process that is published declares its fields through this with `declared_by` its key; the right to
    publish then stands for the right over fields.
    """
    if not declared_by and not by.may(MANAGE):
        raise NotPermitted()
    _checked(subject_type, key, type, label, options)
    if CustomField.objects.filter(subject_type=subject_type, key=key).exists():
        raise Invalid(errors=[{"field": "key", "message": _("A field with this key exists.")}])
    position = CustomField.objects.filter(subject_type=subject_type).count()
    row = CustomField.objects.create(
        subject_type=subject_type,
        key=key,
        type=type,
        label=dict(label),
        help=dict(help or {}),
        unit=unit,
        options=[dict(o) for o in options],
        read_right=read_right,
        write_right=write_right,
        zero_is_placeholder=zero_is_placeholder,
        declared_by=declared_by,
        position=position,
    )
    record(
        [
            NewEvent(
                type="field_added",
                subject_type="custom_field",
                subject_id=row.pk,
                actor_id=by.pk if by is not None else None,
                effective_at=at,
                channel=channel,
                data={"on": subject_type, "key": key, "type": type},
                payload={"label": dict(label)},
            )
        ]
    )
    transaction.on_commit(lambda: catalogue.forget(subject_type))
    catalogue.forget(subject_type)
    return row


@transaction.atomic
def change_field(
    field_id: int,
    *,
    version: int,
    by: Any,
    at: datetime,
    channel: str,
    retired: bool | None = None,
    **words: Any,
) -> CustomField:
    """Rename, explain, re-list, mask or retire a custom field: `label`, `help`, `unit`, `options`, `read_right`,
    `write_right`, `retired`. Its key and type never change: stored values stay readable.

    Raises NotPermitted, Stale, and Invalid with the reason where something that is in use would break.
    """
    if not by.may(MANAGE):
        raise NotPermitted()
    if unknown := words.keys() - set(_WORDS):
        raise TypeError(f"not changed here: {sorted(unknown)}")
    row = CustomField.objects.select_for_update().get(pk=field_id)
    if row.version != version:
        raise Stale()
    before = _state(row)
    for name, value in words.items():
        if value is not None:
            setattr(row, name, [dict(o) for o in value] if name == "options" else value)
    if retired is not None and retired != (row.retired_at is not None):
        row.retired_at = at if retired else None
    _checked(row.subject_type, row.key, row.type, row.label, row.options)
    _check_masks(row)
    _check_uses(row, before)
    row.version += 1
    row.save()
    after = _state(row)
    _note(row, by, at, channel, {
        "before": {name: value for name, value in before.items() if value != after[name]},
        "after": {name: value for name, value in after.items() if value != before[name]},
    })  # fmt: skip
    return row


@transaction.atomic
def place_field(
    field_id: int, *, position: int, version: int, by: Any, at: datetime, channel: str
) -> CustomField:
    """Put a custom field at `position` (0 is the first) among those in use: the order of forms and columns.

    Raises NotPermitted, Stale.
    """
    if not by.may(MANAGE):
        raise NotPermitted()
    row = CustomField.objects.select_for_update().get(pk=field_id)
    if row.version != version:
        raise Stale()
    rows = list(
        CustomField.objects.select_for_update().filter(subject_type=row.subject_type)
        .order_by("position", "pk")
    )  # fmt: skip
    before = [one.key for one in rows]
    others = [one for one in rows if one.pk != row.pk]
    in_use = [n for n, one in enumerate(others) if one.retired_at is None]
    position = max(position, 0)
    others.insert(in_use[position] if position < len(in_use) else len(others), row)
    if before == [one.key for one in others]:
        return row
    for place, one in enumerate(others):
        if one.position != place:
            one.position = place
            one.version += one.pk == row.pk
            one.save(update_fields=["position", "version"])
    row.refresh_from_db()
    _note(row, by, at, channel, {"order": [one.key for one in others]})
    return row


def _state(row: CustomField) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _WORDS} | {"retired": row.retired_at is not None}


def _note(row: CustomField, by: Any, at: datetime, channel: str, payload: dict[str, Any]) -> None:
    record(
        [
            NewEvent(
                type="field_changed",
                subject_type="custom_field",
                subject_id=row.pk,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                data={"on": row.subject_type, "key": row.key},
                payload=payload,
            )
        ]
    )
    transaction.on_commit(lambda: catalogue.forget(row.subject_type))
    catalogue.forget(row.subject_type)


def _check_masks(row: CustomField) -> None:
    for name in ("read_right", "write_right"):
        if getattr(row, name) not in MASKS:
            raise Invalid.field(name, _("Choose one of the list."))


def _check_uses(row: CustomField, before: Mapping[str, Any]) -> None:
    """Refuse what would leave stored values without a name, or a process that cannot be read any more."""
    had = {o["value"]: o["label"] for o in before["options"]}
    gone = [value for value in had if value not in {o["value"] for o in row.options}]
    counts = uses.held(row.subject_type, row.key, row.type, gone)
    errors = [
        {
            "field": "options",
            "message": ngettext(
                "“%(name)s” stands in %(n)s record. Keep it, or take it out of use below a line of ---.",
                "“%(name)s” stands in %(n)s records. Keep it, or take it out of use below a line of ---.",
                n,
            )
            % {"name": pick(had[value]), "n": n},
        }
        for value, n in counts.items()
    ]
    retires = row.retired_at is not None and not before["retired"]
    if gone or retires:
        rows = CustomField.objects.filter(subject_type=row.subject_type, retired_at=None).exclude(pk=row.pk)
        specs = [*catalogue.built_in(row.subject_type), *(one.spec() for one in rows)]
        if row.retired_at is None:
            specs.append(row.spec())
        reasons = uses.objections(row.subject_type, Catalogue(row.subject_type, specs))
        known = uses.objections(row.subject_type, catalogue.catalogue(row.subject_type)) if reasons else []
        place = "retired" if retires else "options"
        errors += [{"field": place, "message": reason} for reason in reasons if reason not in known]
    if errors:
        raise Invalid(errors=errors)
