"""The items of a gate on the page of the designer, with the groups among them and their members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from fairlead.fields.conditions import words as condition_words

from .definition import Criterion, Stage
from .describing import asks
from .designer_sentences import OFFERED, OFFERED_INSIDE, Around, criterion_inputs, is_editable
from .designer_shapes import At, Form, name_words, other_language
from .editing_places import items_of
from .enums import CriterionType, Level


def gate_part(stage: Mapping[str, Any], read: Stage | None, at: At, near: Around) -> dict[str, Any]:
    items = items_of(stage, at.part)
    known = {c.key: c for c in getattr(read, at.part)} if read is not None else {}
    rows = _rows(items, known, near)
    groups = [row for row in rows if row["is_group"]]
    forms = [*_changing(items, at, near), *_adding(groups, at, near)]
    return {
        "rows": rows,
        "forms": forms,
        "types": [(t, str(t.label)) for t in OFFERED],
        "types_inside": [(t, str(t.label)) for t in OFFERED_INSIDE],
        "groups": [(row["key"], row["name"]) for row in groups],
        "is_gate": True,
    }


def _changing(items: list[Any], at: At, near: Around) -> list[Form]:
    """The form of the item or member that is open, if the sentence can show it."""
    everything = [one for item in items for one in (item, *items_of(item, "criteria"))]
    held = next((one for one in everything if str(one.get("key")) == at.item), None)
    if held is None or not is_editable(held):
        return []
    return [
        Form(
            op="criterion_set",
            inputs=criterion_inputs(str(held["type"]), held, near),
            said={
                "stage": at.stage,
                "part": at.part,
                "criterion_key": at.item,
                "asks": str(held["type"]),
            },
            submit=_("Save the group") if held["type"] == CriterionType.GROUP else _("Save the item"),
            title=name_words(held),
        )
    ]


def _adding(groups: list[dict[str, Any]], at: At, near: Around) -> list[Form]:
    """The form of a new item: of the gate, or of the group that the address names."""
    group = next((row for row in groups if row["key"] == at.inner), None)
    if at.adding not in (OFFERED if group is None else OFFERED_INSIDE):
        return []
    said = {"stage": at.stage, "part": at.part, "side": at.part, "asks": at.adding}
    title, submit = _("New item: %(type)s") % {"type": CriterionType(at.adding).label}, _("Add the item")
    if group is not None:
        said["group"] = group["key"]
        title = _("New in “%(group)s”: %(type)s") % {
            "group": group["name"],
            "type": CriterionType(at.adding).label,
        }
    elif at.adding == CriterionType.GROUP:
        title, submit = _("New group of items"), _("Add the group")
    return [
        Form(
            op="criterion_add",
            inputs=criterion_inputs(at.adding, {"level": Level.FLAG}, near),
            said=said,
            submit=submit,
            title=title,
            icon="plus",
        )
    ]


def _rows(items: list[Any], known: Mapping[str, Criterion], near: Around) -> list[dict[str, Any]]:
    return [
        _criterion(item, known.get(str(item.get("key"))), i, len(items), near) for i, item in enumerate(items)
    ]


def _criterion(
    item: Mapping[str, Any], read: Criterion | None, i: int, count: int, near: Around
) -> dict[str, Any]:
    level = item.get("level", Level.BLOCK)
    children = {c.key: c for c in read.children} if read is not None else {}
    is_group = item.get("type") == CriterionType.GROUP
    return {
        "key": item.get("key"),
        "name": name_words(item),
        "other": other_language(item.get("name")),
        "level": str(Level(level).label) if level in Level.values else str(level),
        "required": level == Level.BLOCK,
        "says": _said(read, near),
        "editable": is_editable(item),
        "first": i == 0,
        "last": i == count - 1,
        "type": str(CriterionType(item["type"]).label) if item.get("type") in CriterionType.values else "?",
        "is_group": is_group,
        "members": _rows(items_of(item, "criteria"), children, near) if is_group else [],
    }


def _said(read: Criterion | None, near: Around) -> list[tuple[str, str]]:
    """What it asks for as a sentence in the reader's language, then in the other one."""
    if read is None or near.definition is None:
        return []
    mine = "zh-hans" if (get_language() or "zh").startswith("zh") else "en"
    found = []
    for language in (mine, "en" if mine == "zh-hans" else "zh-hans"):
        with translation.override(language):
            text = asks(read, near.definition, near.fields)
            if read.applies_if is not None:
                only = condition_words(read.applies_if)
                text = _("If %(condition)s: %(asks)s") % {"condition": only, "asks": text}
            found.append((language, text))
    return found
