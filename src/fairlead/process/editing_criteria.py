"""Edits of the items of a gate and of the groups among them: all of these, one of these, k of these (GT-1). Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid

from .editing_places import (
    MAX_ITEMS,
    SIDES,
    Document,
    body_in,
    items_of,
    key_in,
    keys_in_use,
    listed,
    side_in,
    stage_of,
    stages_of,
    target_in,
)
from .enums import CriterionType


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a criterion stands: directly at the gate, or in a group there. `beside`: the list that holds it."""

    stage: dict[str, Any]
    side: str
    item: dict[str, Any]
    beside: list[Any]
    group: dict[str, Any] | None = None

    @property
    def gate(self) -> str:
        return f"stages.{self.stage['key']}.{self.side}"

    @property
    def holder(self) -> str:
        return self.gate if self.group is None else f"{self.gate}.{self.group.get('key')}.criteria"

    @property
    def path(self) -> str:
        return f"{self.holder}.{self.item.get('key')}"


def criteria_in(document: Mapping[str, Any]) -> Iterator[Standing]:
    """Every criterion, each group before its members."""
    for stage in stages_of(document):
        for side in SIDES:
            for item in items_of(stage, side):
                yield Standing(stage, side, item, stage[side])
                for member in items_of(item, "criteria"):
                    yield Standing(stage, side, member, item["criteria"], item)


def find_criterion(document: Mapping[str, Any], key: Any) -> Standing:
    """The criterion with this key, wherever it stands. Raises Invalid."""
    for found in criteria_in(document):
        if found.item.get("key") == key:
            return found
    raise Invalid.field("criterion", _("There is no criterion “%(key)s”.") % {"key": str(key)[:40]})


def _group(document: Mapping[str, Any], key: Any) -> Standing:
    found = find_criterion(document, key)
    if found.item.get("type") != CriterionType.GROUP:
        raise Invalid.field("group", _("“%(key)s” is not a group.") % {"key": str(key)[:40]})
    return found


def _require_room(holder: list[Any]) -> None:
    if len(holder) >= MAX_ITEMS:
        raise Invalid.field("side", _("At most %(most)s items at one gate.") % {"most": MAX_ITEMS})


def _require_plain(body: Mapping[str, Any]) -> None:
    if body.get("type") == CriterionType.GROUP:
        raise Invalid.field("type", _("A group holds no group."))


def _add(document: Document, given: Mapping[str, Any]) -> str:
    body = body_in(given, "criterion")
    if given.get("group"):
        group = _group(document, given["group"])
        _require_plain(body)
        holder, path = listed(group.item, "criteria"), f"{group.path}.criteria"
    else:
        stage, side = stage_of(document, given.get("stage")), side_in(given)
        holder, path = listed(stage, side), f"stages.{stage['key']}.{side}"
    _require_room(holder)
    body["key"] = key_in(body, keys_in_use(document), "item")
    holder.append(body)
    return f"{path}.{body['key']}"


def _set(document: Document, given: Mapping[str, Any]) -> str:
    found, body = find_criterion(document, given.get("criterion_key")), body_in(given, "criterion")
    if found.group is not None:
        _require_plain(body)
    body["key"] = found.item["key"]  # keys are how versions know their criteria: they never change
    found.beside[found.beside.index(found.item)] = body
    return found.path


def _move(document: Document, given: Mapping[str, Any]) -> str:
    found = find_criterion(document, given.get("criterion_key"))
    now = found.beside.index(found.item)
    there = target_in(given, now, len(found.beside))
    found.beside.insert(there, found.beside.pop(now))
    return found.holder


def _remove(document: Document, given: Mapping[str, Any]) -> str:
    found = find_criterion(document, given.get("criterion_key"))
    found.beside.remove(found.item)
    return found.holder


def _into_group(document: Document, given: Mapping[str, Any]) -> str:
    """An item of the gate becomes the last one of a group at the same gate."""
    found, group = find_criterion(document, given.get("criterion_key")), _group(document, given.get("group"))
    _require_plain(found.item)
    if found.gate != group.gate:
        raise Invalid.field("group", _("An item goes into a group of its own gate."))
    holder = listed(group.item, "criteria")
    if found.beside is not holder:
        _require_room(holder)
        found.beside.remove(found.item)
        holder.append(found.item)
    return f"{group.path}.criteria"


def _out_of_group(document: Document, given: Mapping[str, Any]) -> str:
    """A member stands beside its group from now on; of a group itself: its members take its place."""
    found = find_criterion(document, given.get("criterion_key"))
    if found.item.get("type") == CriterionType.GROUP:
        at = found.beside.index(found.item)
        found.beside[at : at + 1] = items_of(found.item, "criteria")
    elif found.group is not None:
        found.beside.remove(found.item)
        gate = found.stage[found.side]
        gate.insert(gate.index(found.group) + 1, found.item)
    else:
        raise Invalid.field("criterion_key", _("This item stands in no group."))
    return found.gate


CRITERIA: Final[Mapping[str, Callable[[Document, Mapping[str, Any]], str]]] = {
    "criterion_add": _add,
    "criterion_set": _set,
    "criterion_move": _move,
    "criterion_remove": _remove,
    "criterion_group": _into_group,
    "criterion_ungroup": _out_of_group,
}
