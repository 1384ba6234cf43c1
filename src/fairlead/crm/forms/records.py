"""Inputs made from the field catalogue: how a value stands in a form, and what a person typed for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common import records
from fairlead.common.refusals import Invalid
from fairlead.common.returned import errors_of
from fairlead.common.text import matches
from fairlead.fields.catalogue import FieldSpec, pick
from fairlead.fields.enums import REFERENCE, FieldType
from fairlead.organisation.models import Team, User

from ..models import Account, Contact, Opportunity, Product, Segment
from ..selectors.references import target_of

MODELS: Mapping[str, Any] = {
    "account": Account,
    "contact": Contact,
    "segment": Segment,
    "opportunity": Opportunity,
}
MOST_OPTIONS = 300  # above this a list is searched instead of unrolled
MAX_ID = 2**63 - 1
_TAIL = re.compile(r"#([0-9]{1,19})\s*$")
_INPUTS: Mapping[str, str] = {
    FieldType.LONG_TEXT: "textarea",
    FieldType.DATE: "date",
    FieldType.DATETIME: "datetime-local",
    FieldType.EMAIL: "email",
    FieldType.PHONE: "tel",
}


@dataclass(slots=True, kw_only=True)
class Input:
    """One field of a form. `value` is what stands in it: the stored value, or what was typed and refused."""

    spec: FieldSpec
    value: Any
    type: str
    options: Sequence[tuple[str, str]] = ()
    chosen: frozenset[str] = frozenset()
    pick: str = ""  # kind of record that is searched while typing
    was: str = ""  # what stood there when the form was made
    error: str = ""
    attrs: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.spec.key

    @property
    def label(self) -> str:
        return self.spec.name()

    @property
    def hint(self) -> str:
        return pick(self.spec.help) if self.spec.help else ""


def settable(fields: Iterable[FieldSpec], user: Any) -> list[FieldSpec]:
    return [spec for spec in fields if spec.writable_by(user)]


def as_text(spec: FieldSpec, value: Any) -> str:
    """A stored value as an input shows it, and as it comes back unchanged."""
    if value is None or value == "":
        return ""
    if spec.type == FieldType.BOOLEAN:
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def make_inputs(
    specs: Iterable[FieldSpec],
    values: Mapping[str, Any],
    user: Any,
    *,
    typed: QueryDict | None = None,
    errors: Mapping[str, str] | None = None,
    names: Mapping[tuple[str, int], str] | None = None,
) -> list[Input]:
    """`typed` wins over `values`: nothing that a person wrote is lost by a refusal."""
    people: list[tuple[str, str]] | None = None
    found = []
    for spec in specs:
        stored = values.get(spec.key)
        was = as_text(spec, stored)
        text = was if typed is None or spec.key not in typed else ",".join(typed.getlist(spec.key))
        one = Input(
            spec=spec,
            value=text,
            type=_INPUTS.get(spec.type, "text"),
            was=was,
            error=(errors or {}).get(spec.key, ""),
        )
        if spec.required:
            one.attrs["required"] = True
        if spec.type in (FieldType.CHOICE, FieldType.MULTI_CHOICE):
            one.type = "select" if spec.type == FieldType.CHOICE else "choices"
            one.options = [(o.value, pick(o.label)) for o in spec.offered({*text.split(","), was})]
            one.chosen = frozenset(p for p in text.split(",") if p)
        elif spec.type == FieldType.BOOLEAN:
            one.type, one.options = "select", [("true", _("yes")), ("false", _("no"))]
        elif spec.type in REFERENCE:
            target = target_of(spec)
            if target == "user":
                people = people if people is not None else people_options()
                one.type, one.options = "select", people
            elif target == "team":
                one.type, one.options = (
                    "select",
                    [
                        (str(pk), name)
                        for pk, name in Team.objects.active()
                        .as_tree()
                        .values_list("pk", "name")[:MOST_OPTIONS]
                    ],
                )
            elif target == "product":
                one.type, one.options = (
                    "select",
                    [
                        (str(pk), name)
                        for pk, name in Product.objects.values_list("pk", "name")[:MOST_OPTIONS]
                    ],
                )
            else:
                one.type, one.pick = "pick", target
                if typed is None or spec.key not in typed:
                    one.value = _named(target, stored, names)
                one.was = _named(target, stored, names)
        elif spec.type in (FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.PERCENT):
            one.attrs["inputmode"] = "decimal"
        if one.type == "select" and was and was not in {key for key, _text in one.options}:
            known = (names or {}).get((target_of(spec), int(was))) if was.isdigit() else None
            one.options = [*one.options, (was, known or was)]
        if one.type in ("text", "textarea", "email", "tel"):
            one.attrs["maxlength"] = spec.max_length
        found.append(one)
    return found


def people_options() -> list[tuple[str, str]]:
    rows = User.objects.active().by_name().values_list("pk", "name", "team__name")[:MOST_OPTIONS]
    return [(str(pk), f"{name} · {team}" if team else name) for pk, name, team in rows]


def _named(target: str, pk: Any, names: Mapping[tuple[str, int], str] | None) -> str:
    if pk is None:
        return ""
    name = (names or {}).get((target, pk))
    return f"{name} #{pk}" if name else f"#{pk}"


def read(
    specs: Iterable[FieldSpec], data: QueryDict, user: Any, *, changed_only: bool = False
) -> dict[str, Any]:
    """What was typed, by field: only of `specs`, whatever else was sent.

    Raises Invalid for what names no record.

    With `changed_only`, fields that still hold what stood there when the form was made are left alone: a form
    never writes back an old value over somebody else's new one.
    """
    found: dict[str, Any] = {}
    errors = []
    for spec in specs:
        multiple = spec.type == FieldType.MULTI_CHOICE
        if spec.key not in data and not (multiple and f"has-{spec.key}" in data):
            continue
        raw: Any = [v for v in data.getlist(spec.key) if v] if multiple else data.get(spec.key, "")
        same = ",".join(raw) if multiple else plain_text(raw)
        if changed_only and f"was-{spec.key}" in data and same == plain_text(data[f"was-{spec.key}"]):
            continue
        if spec.type in REFERENCE and not multiple:
            try:
                raw = find_reference(target_of(spec), str(raw), user)
            except Invalid as error:
                errors.append({"field": spec.key, "message": str(error.message)})
                continue
        found[spec.key] = None if raw == [] else raw
    if errors:
        raise Invalid(errors=errors)
    return found


def plain_text(text: Any) -> str:
    return str(text).replace("\r\n", "\n").strip()


def find_reference(target: str, text: str, user: Any) -> int | None:
    """The record that was meant: "名称 #12", a bare number, or a name that fits exactly one."""
    text = text.strip()
    if not text:
        return None
    tail = _TAIL.search(text)
    digits = tail.group(1) if tail else text if text.isascii() and text.isdigit() else ""
    missing = Invalid(_("There is no such record. Choose one from the list."))
    if digits:
        pk = int(digits[:20])
        if pk > MAX_ID or not _seen(target, pk, user):
            raise missing
        return pk
    if target not in MODELS:
        raise missing
    rows = MODELS[target].objects.visible_to(user)
    exact = list(
        rows.filter(name=text[:200].replace("\x00", "").encode("utf-8", "ignore").decode()).values_list(
            "pk", flat=True
        )[:2]
    )
    if len(exact) == 1:
        return int(exact[0])
    key = matches(text[:200])
    close = (
        list(rows.filter(search_key__contains=key).order_by("name", "pk").values_list("pk", "name")[:6])
        if key
        else []
    )
    if len(close) == 1:
        return int(close[0][0])
    if close:
        raise Invalid(
            _("Several fit: %(names)s. Choose one from the list.")
            % {"names": _(", ").join(f"{name} #{pk}" for pk, name in close[:5])}
        )
    raise missing


def _seen(target: str, pk: int, user: Any) -> bool:
    if target == "user":
        return User.objects.active().filter(pk=pk).exists()
    if target == "team":
        return Team.objects.active().filter(pk=pk).exists()
    if target == "product":
        return Product.objects.filter(pk=pk).exists()
    if target in MODELS:
        return bool(MODELS[target].objects.visible_to(user).filter(pk=pk).exists())
    kinds = {kind.subject_type: kind for kind in records.record_types()}
    return target in kinds and kinds[target].sees(user, pk)


def reference_in(data: QueryDict, name: str, target: str, user: Any) -> int | None:
    """`find_reference` for an input of a small form: what is wrong stands beside it."""
    try:
        return find_reference(target, data.get(name, ""), user)
    except Invalid as refusal:
        raise Invalid.field(name, refusal.message) from refusal


def errors_by_field(refusal: Invalid) -> dict[str, str]:
    return errors_of(refusal)


def version_of(data: QueryDict) -> int:
    """The version that a form was made from; a form that has none is refused, not trusted."""
    text = data.get("version", "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid(
            _("This form says not which version it changes. Reload the page."), code="version-missing"
        )
    return int(text)
