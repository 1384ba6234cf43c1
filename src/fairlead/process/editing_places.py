"""Finding places in a process document that is still being written, and what every edit of it is given. Pure."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid

from .document import KEY

Document = dict[str, Any]
MAX_ITEMS: Final = 200
SIDES: Final = ("entry", "exit")


def stages_of(document: Mapping[str, Any]) -> list[Any]:
    """The stages that are mappings with a key; whatever else stands there is left to the checks."""
    found = document.get("stages")
    return [s for s in found if isinstance(s, dict)] if isinstance(found, list) else []


def stage_of(document: Mapping[str, Any], key: Any) -> dict[str, Any]:
    for stage in stages_of(document):
        if stage.get("key") == key:
            found: dict[str, Any] = stage
            return found
    raise Invalid.field("stage", _("There is no stage “%(stage)s”.") % {"stage": str(key)[:60]})


def items_of(stage: Mapping[str, Any], side: str) -> list[Any]:
    found = stage.get(side)
    return [c for c in found if isinstance(c, dict)] if isinstance(found, list) else []


def side_in(given: Mapping[str, Any]) -> str:
    side = given.get("side", "exit")
    if side not in SIDES:
        raise Invalid.field("side", _("To enter or to leave: entry or exit."))
    return str(side)


def listed(holder: dict[str, Any], name: str) -> list[Any]:
    """The list under `name`, made where there is none."""
    if not isinstance(holder.get(name), list):
        holder[name] = []
    found: list[Any] = holder[name]
    return found


def keys_in_use(document: Mapping[str, Any]) -> set[str]:
    found = set()
    for stage in stages_of(document):
        for side in SIDES:
            for item in items_of(stage, side):
                found.add(str(item.get("key")))
                found |= {str(part.get("key")) for part in items_of(item, "criteria")}
    return found


def key_from(name: Any, taken: Iterable[str], otherwise: str) -> str:
    """A key out of the English words, else `otherwise` with a number; never one that is taken."""
    words = name.get("en", "") if isinstance(name, Mapping) else ""
    stem = re.sub(r"[^a-z0-9]+", "_", str(words).lower()).strip("_")[:50]
    if not stem or not KEY.fullmatch(stem):
        stem = otherwise
    used, found, number = set(taken), stem, 2
    while found in used:
        found, number = f"{stem}_{number}", number + 1
    return found


def key_in(given: Mapping[str, Any], taken: Iterable[str], otherwise: str) -> str:
    key = given.get("key")
    if not key:
        return key_from(given.get("name") or given.get("label"), taken, otherwise)
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise Invalid.field("key", _("A key of small letters, digits and _ is expected."))
    if key in set(taken):
        raise Invalid.field("key", _("This key is taken. Choose another one."))
    return key


def target_in(given: Mapping[str, Any], now: int, count: int) -> int:
    """Where something goes: `by` steps from here, or `to` a place counted from 0."""
    if given.get("to") is not None:
        wanted = given["to"]
    else:
        by = given.get("by", 0)
        wanted = now + by if isinstance(by, int) and not isinstance(by, bool) else None
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        raise Invalid.field("to", _("A place in the list is expected."))
    return max(0, min(wanted, count - 1))


def body_in(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    body = given.get(name)
    if not isinstance(body, Mapping):
        raise Invalid.field(name, _("A mapping is expected."))
    return copy.deepcopy(dict(body))


def place_of_key(entries: list[Any], key: Any, field: str) -> int:
    for i, entry in enumerate(entries):
        if isinstance(entry, dict) and entry.get("key") == key:
            return i
    raise Invalid.field(field, _("There is nothing with the key “%(key)s”.") % {"key": str(key)[:60]})


def set_in(holder: dict[str, Any], given: Mapping[str, Any], known: frozenset[str] | set[str]) -> None:
    """The parts that `set` names; nothing where it says nothing."""
    values = given.get("set")
    if not isinstance(values, Mapping) or not values:
        raise Invalid.field("set", _("Say what shall be set."))
    for name, value in values.items():
        if name not in known:
            raise Invalid.field(str(name)[:60], _("This cannot be set here."))
        if value is None or value == "" or value == [] or value == {}:
            holder.pop(name, None)
        else:
            holder[name] = copy.deepcopy(value)
