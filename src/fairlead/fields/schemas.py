"""Shapes of fields in the API, and of records whose fields the catalogue describes.

The models of records are made from their `FieldSpec`s: one description per field, here as everywhere.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import BeforeValidator, Field, JsonValue, create_model

from fairlead.common.refusals import Invalid
from fairlead.common.rest import Amount, Answer, Body, Day, Flag, Id, Instant, Whole, Words, no_bool

from .catalogue import Catalogue, FieldSpec
from .enums import FieldType
from .models import CustomField
from .values import to_json

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


Mask = Literal["", "margin.view", "fields.manage", "settings.manage"]


class OptionOut(Answer):
    value: str
    label: dict[str, str]
    retired: bool = Field(description="Read, and offered no more")


class FieldOut(Answer):
    """A field as the asker may see it: those that they may not read are not listed."""

    key: str
    type: str
    label: dict[str, str]
    help: dict[str, str]
    unit: str
    options: list[OptionOut]
    personal: str
    custom: bool
    required: bool
    writable: bool
    read_right: str = Field(description="The right that a reader needs beside the one over the record")
    write_right: str
    sortable: bool
    target: str
    id: int | None = Field(description="Of a custom field: where it is changed")
    version: int | None
    retired: bool


class FieldsOut(Answer):
    items: list[FieldOut]


class OptionIn(Body):
    value: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$")]
    label: Words
    retired: Flag = False


class FieldIn(Body):
    subject: Key
    key: Key
    type: Literal[
        "text", "long_text", "integer", "decimal", "money", "percent", "date", "datetime", "boolean", "choice",
        "multi_choice", "person", "team", "email", "phone",
    ]  # fmt: skip
    label: Words
    help: Words = Field(default_factory=dict)
    unit: Annotated[str, Field(max_length=20)] = ""
    options: Annotated[list[OptionIn], Field(max_length=200)] = []
    read_right: Mask = ""
    write_right: Mask = ""
    zero_is_placeholder: Flag = True


class FieldChange(Body):
    label: Words | None = None
    help: Words | None = None
    unit: Annotated[str, Field(max_length=20)] | None = None
    options: Annotated[list[OptionIn], Field(max_length=200)] | None = None
    read_right: Mask | None = None
    write_right: Mask | None = None
    retired: Flag | None = None
    position: (
        Annotated[int, Field(ge=0, le=1000, description="Its place among custom fields; 0 is first")] | None
    ) = None


class UseOut(Answer):
    kind: str = Field(description="gate, score, move, view or import")
    label: str
    url: str


class UsesOut(Answer):
    """Where a field is used, as far as the asker may know of it."""

    items: list[UseOut]
    filled: int | None = Field(
        description="Of a custom field, for whoever manages fields: how many records hold a value"
    )


def field_out(spec: FieldSpec, row: CustomField | None, actor: Any) -> dict[str, Any]:
    return {
        "key": spec.key, "type": spec.type, "label": spec.label, "help": spec.help, "unit": spec.unit,
        "options": [{"value": o.value, "label": o.label, "retired": o.retired} for o in spec.options], "personal": spec.personal,
        "custom": spec.custom, "required": spec.required, "sortable": bool(spec.sort), "target": spec.target,
        "writable": spec.writable_by(actor), "read_right": spec.read_right or "",
        "write_right": spec.write_right or "", "id": row.pk if row else None, "version": row.version if row else None,
        "retired": row is not None and row.retired_at is not None,
    }  # fmt: skip


# --- records from their specs ---

Percent = Annotated[
    Decimal,
    BeforeValidator(no_bool),
    Field(gt=-(10**4), lt=10**4, decimal_places=2, allow_inf_nan=False),
]
_IN: Mapping[FieldType, Any] = {
    FieldType.INTEGER: Annotated[Whole, Field(ge=-(2**31), le=2**31 - 1)],
    FieldType.DECIMAL: Annotated[Amount, Field()],
    FieldType.MONEY: Amount,
    FieldType.PERCENT: Percent,
    FieldType.DATE: Day,
    FieldType.DATETIME: Instant,
    FieldType.BOOLEAN: Flag,
    FieldType.PERSON: Id,
    FieldType.TEAM: Id,
    FieldType.RECORD: Id,
}
_OUT: Mapping[FieldType, Any] = {
    FieldType.INTEGER: int, FieldType.DECIMAL: Decimal, FieldType.MONEY: Decimal, FieldType.PERCENT: Decimal,
    FieldType.DATE: date, FieldType.DATETIME: datetime, FieldType.BOOLEAN: bool, FieldType.PERSON: int,
    FieldType.TEAM: int, FieldType.RECORD: int,
}  # fmt: skip


def _type_in(spec: FieldSpec) -> Any:
    if spec.type == FieldType.CHOICE:
        return Literal[tuple(option.value for option in spec.options)]
    return _IN.get(spec.type) or Annotated[str, Field(max_length=spec.max_length)]


def _custom_in(default: Any) -> tuple[Any, Any]:
    return (
        Annotated[dict[Key, JsonValue], Field(max_length=100, description="Custom fields by key")],
        default,
    )


def body_model(name: str, specs: Iterable[FieldSpec], *, partial: bool, doc: str, **more: Any) -> Any:
    """A body with the settable fields. `partial`: all optional, and only those given are changed."""
    members: dict[str, Any] = {}
    for spec in specs:
        if spec.settable and not spec.custom:
            needed = spec.required and spec.key != "currency" and not partial
            kind = _type_in(spec)
            members[spec.key] = (kind, ...) if needed else (kind | None, None)
    members["fields"] = _custom_in(Field(default_factory=dict))
    return create_model(name, __base__=Body, __module__=__name__, __doc__=doc, **members, **more)


def answer_model(name: str, specs: Iterable[FieldSpec], *, doc: str, **more: Any) -> Any:
    """An answer with every field; those that the asker may not read are absent."""
    members: dict[str, Any] = {
        spec.key: (_OUT.get(spec.type, str) | None, None) for spec in specs if not spec.custom
    }
    members["fields"] = (Annotated[dict[str, Any], Field(description="Custom fields by key")], ...)
    base: dict[str, Any] = {
        "id": (int, ...),
        "version": (int, ...),
        "created_at": (datetime, ...),
        "updated_at": (datetime, ...),
    }
    return create_model(name, __base__=Answer, __module__=__name__, __doc__=doc, **base, **members, **more)


def record_out(
    row: Any, fields: Catalogue, reader: Any, value_of: Callable[[Any, FieldSpec], Any]
) -> dict[str, Any]:
    """A record as `reader` may see it."""
    found: dict[str, Any] = {
        "id": row.pk, "version": row.version, "created_at": row.created_at, "updated_at": row.updated_at, "fields": {},
    }  # fmt: skip
    for spec in fields:
        if not spec.readable_by(reader):
            continue
        value = value_of(row, spec)
        if spec.custom:
            found["fields"][spec.key] = to_json(value)
        else:
            found[spec.key] = value
    return found


def values_in(payload: Body, fields: Catalogue) -> dict[str, Any]:
    """The values of a body by key. Raises Invalid for a key in `fields` that is no custom field."""
    given = payload.model_dump(exclude_unset=True)
    custom = given.pop("fields", {})
    unknown = [key for key in custom if (spec := fields.get(key)) is None or not spec.custom]
    if unknown:
        raise Invalid(
            errors=[
                {"field": f"fields.{key}", "message": _("There is no such custom field.")} for key in unknown
            ]
        )
    return {**given, **custom}
