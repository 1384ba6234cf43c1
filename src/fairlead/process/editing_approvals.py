"""Edits of the approvals of a document that is still being written (§2.4): kinds, their lists, committees. Pure.

A list of a kind is edited by place: `rows` (who decides), `binds` (the envelope), `prohibited`, `package`, `opinions`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid
from fairlead.fields.catalogue import pick
from fairlead.fields.enums import Operator

from .approval_enums import Direction, Lever
from .editing_places import (
    MAX_ITEMS,
    SIDES,
    Document,
    body_in,
    items_of,
    key_in,
    listed,
    set_in,
    stage_of,
    stages_of,
    target_in,
)
from .enums import CriterionType, Level

#: The lists of a kind, and the word that a key is made of where the entry brings no English words.
LISTS: Final[Mapping[str, str]] = {
    "rows": "row",
    "binds": "",
    "prohibited": "never",
    "package": "item",
    "opinions": "opinion",
}
#: What may be set of a kind, by `approval_set`, and of all approvals, by `approvals_set`.
KIND_PARTS: Final = frozenset({"name", "help", "valid_days", "carry", "lapses_on_regress", *LISTS})
POLICY_PARTS: Final = frozenset({"distinct"})
_RISES: Final = frozenset({Operator.GT, Operator.GTE})
_FALLS: Final = frozenset({Operator.LT, Operator.LTE})


# --- finding places ---


def policy_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found = document.get("approvals")
    return found if isinstance(found, Mapping) else {}


def kinds_of(document: Mapping[str, Any]) -> list[Any]:
    """The kinds that are mappings; whatever else stands there is left to the checks."""
    return items_of(policy_of(document), "kinds")


def kind_of(document: Mapping[str, Any], key: Any) -> dict[str, Any]:
    for kind in kinds_of(document):
        if kind.get("key") == key:
            found: dict[str, Any] = kind
            return found
    raise Invalid.field("approval_key", _("There is no kind of approval “%(key)s”.") % {"key": str(key)[:40]})


def committees_of(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found = policy_of(document).get("committees")
    given = found.items() if isinstance(found, Mapping) else ()
    return {str(key): body for key, body in given if isinstance(body, Mapping)}


def asking(document: Mapping[str, Any], key: str) -> list[tuple[str, str, str]]:
    """Where an approval is asked for: stage, part (`entry`, `exit`, `moves`), and the key of the item or the number of
    the way out."""
    found = []
    for stage in stages_of(document):
        for side in SIDES:
            for item in items_of(stage, side):
                parts = [item, *items_of(item, "criteria")]
                if any(p.get("type") == CriterionType.APPROVAL and p.get("approval") == key for p in parts):
                    found.append((str(stage.get("key")), side, str(item.get("key"))))
        for i, way in enumerate(items_of(stage, "transitions")):
            if way.get("approval") == key:
                found.append((str(stage.get("key")), "moves", str(i)))
    return found


def _policy(document: Document) -> dict[str, Any]:
    """The section of the approvals, made where there is none."""
    if not isinstance(document.get("approvals"), dict):
        document["approvals"] = {}
    found: dict[str, Any] = document["approvals"]
    return found


def _entries(document: Document, given: Mapping[str, Any]) -> tuple[dict[str, Any], str, list[Any]]:
    kind, name = kind_of(document, given.get("approval_key")), given.get("list")
    if name not in LISTS:
        said = _("One of these is expected: %(known)s.") % {"known": ", ".join(LISTS)}
        raise Invalid.field("list", said)
    return kind, str(name), listed(kind, str(name))


def _number(entries: list[Any], given: Mapping[str, Any]) -> int:
    number = given.get("number")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(entries):
        raise Invalid.field("number", _("There is no such entry in this list."))
    return number


def _path(kind: Mapping[str, Any], name: str, i: int) -> str:
    entry = kind[name][i]
    key = entry.get("key") if isinstance(entry, Mapping) and LISTS[name] else None
    return f"approvals.kinds.{kind['key']}.{name}.{key if isinstance(key, str) else i}"


# --- kinds ---


def _approval_add(document: Document, given: Mapping[str, Any]) -> str:
    """A kind; with `stage`, leaving that stage asks for it at once."""
    stage = stage_of(document, given["stage"]) if given.get("stage") else None
    kinds = listed(_policy(document), "kinds")
    if len(kinds) >= MAX_ITEMS:
        raise Invalid.field("approval", _("At most %(most)s approvals.") % {"most": MAX_ITEMS})
    body = body_in(given, "approval")
    body["key"] = key_in(body, {str(k.get("key")) for k in kinds_of(document)}, "approval")
    kinds.append(body)
    if stage is not None:
        taken = {str(c.get("key")) for s in stages_of(document) for side in SIDES for c in items_of(s, side)}
        item = {"name": copy.deepcopy(body.get("name")), "type": str(CriterionType.APPROVAL)}
        item |= {"level": str(Level.BLOCK), "approval": body["key"]}
        listed(stage, "exit").append({"key": key_in(item, taken, "item"), **item})
    return f"approvals.kinds.{body['key']}"


def _approval_set(document: Document, given: Mapping[str, Any]) -> str:
    kind = kind_of(document, given.get("approval_key"))
    set_in(kind, given, KIND_PARTS)
    return f"approvals.kinds.{kind['key']}"


def _approval_move(document: Document, given: Mapping[str, Any]) -> str:
    kind, kinds = kind_of(document, given.get("approval_key")), document["approvals"]["kinds"]
    now = kinds.index(kind)
    there = target_in(given, now, len(kinds))
    kinds.insert(there, kinds.pop(now))
    return "approvals.kinds"


def _approval_remove(document: Document, given: Mapping[str, Any]) -> str:
    """Refused while something asks for it: without a kind its items could never be met."""
    kind = kind_of(document, given.get("approval_key"))
    for stage, _part, _item in asking(document, kind["key"]):
        name = stage_of(document, stage).get("name")
        said = _("The stage “%(stage)s” still asks for it. Take that out first.")
        said %= {"stage": pick(name) if isinstance(name, Mapping) and name else stage}
        raise Invalid.field("approval_key", said)
    document["approvals"]["kinds"].remove(kind)
    return "approvals.kinds"


# --- the lists of a kind ---


def _part_add(document: Document, given: Mapping[str, Any]) -> str:
    kind, name, entries = _entries(document, given)
    if len(entries) >= MAX_ITEMS:
        raise Invalid.field("list", _("At most %(most)s entries.") % {"most": MAX_ITEMS})
    entry = body_in(given, "entry")
    if LISTS[name]:
        entry["key"] = key_in(entry, {str(e.get("key")) for e in items_of(kind, name)}, LISTS[name])
    entries.append(entry)
    _bind(kind, name, entry, given)
    return _path(kind, name, len(entries) - 1)


def _part_set(document: Document, given: Mapping[str, Any]) -> str:
    kind, name, entries = _entries(document, given)
    i = _number(entries, given)
    entry, old = body_in(given, "entry"), entries[i]
    if LISTS[name] and isinstance(old, Mapping) and "key" in old:
        entry["key"] = old["key"]  # requests and versions know their rows by key
    entries[i] = entry
    _bind(kind, name, entry, given)
    return _path(kind, name, i)


def _part_move(document: Document, given: Mapping[str, Any]) -> str:
    kind, name, entries = _entries(document, given)
    i = _number(entries, given)
    entries.insert(target_in(given, i, len(entries)), entries.pop(i))
    return f"approvals.kinds.{kind['key']}.{name}"


def _part_remove(document: Document, given: Mapping[str, Any]) -> str:
    kind, name, entries = _entries(document, given)
    entries.pop(_number(entries, given))
    return f"approvals.kinds.{kind['key']}.{name}"


def _bind(kind: dict[str, Any], name: str, row: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """With `bind`: what the condition of a row reads and nothing binds yet joins the envelope, in the direction in which
    the row is left (AP-3): above a limit it may not rise, below one it may not fall, anything else stays as it is."""
    if name != "rows" or given.get("bind") is not True:
        return
    bound = {bind.get("field") for bind in items_of(kind, "binds")}
    lever = row.get("lever", str(Lever.DECISION))
    for field, direction in directions(row.get("when")).items():
        if field not in bound:
            listed(kind, "binds").append({"lever": lever, "field": field, "direction": str(direction)})


def directions(tree: Any) -> dict[str, Direction]:
    """Field → the direction in which its value has to stay. A band (above one limit, up to another) guards its rise."""
    ops: dict[str, set[str]] = {}
    for field, op in _leaves(tree):
        ops.setdefault(field, set()).add(op)
    found = {}
    for field, asked in ops.items():
        if asked <= _RISES | _FALLS:
            found[field] = Direction.AT_MOST if asked & _RISES else Direction.AT_LEAST
        else:
            found[field] = Direction.EQUAL
    return found


def _leaves(tree: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(tree, Mapping):
        return
    if isinstance(tree.get("field"), str):
        yield tree["field"], str(tree.get("op"))
    for mode in ("all", "any"):
        parts = tree.get(mode)
        for part in parts if isinstance(parts, list) else ():
            yield from _leaves(part)
    yield from _leaves(tree.get("not"))


# --- committees, and what holds for all ---


def _committees(document: Document) -> dict[str, Any]:
    policy = _policy(document)
    if not isinstance(policy.get("committees"), dict):
        policy["committees"] = {}
    found: dict[str, Any] = policy["committees"]
    return found


def _committee(document: Document, given: Mapping[str, Any]) -> str:
    key = given.get("committee_key")
    if key not in committees_of(document):
        raise Invalid.field("committee_key", _("There is no committee “%(key)s”.") % {"key": str(key)[:40]})
    return str(key)


def _committee_add(document: Document, given: Mapping[str, Any]) -> str:
    committees, body = _committees(document), body_in(given, "committee")
    if len(committees) >= MAX_ITEMS:
        raise Invalid.field("committee", _("At most %(most)s committees.") % {"most": MAX_ITEMS})
    key = key_in(body, committees, "committee")
    body.pop("key", None)
    committees[key] = body
    return f"approvals.committees.{key}"


def _committee_set(document: Document, given: Mapping[str, Any]) -> str:
    key = _committee(document, given)
    body = body_in(given, "committee")
    body.pop("key", None)
    document["approvals"]["committees"][key] = body
    return f"approvals.committees.{key}"


def _committee_remove(document: Document, given: Mapping[str, Any]) -> str:
    """The rows that name it are pointed out by the checks."""
    key = _committee(document, given)
    document["approvals"]["committees"].pop(key)
    return "approvals.committees"


def _approvals_set(document: Document, given: Mapping[str, Any]) -> str:
    set_in(_policy(document), given, POLICY_PARTS)
    return "approvals"


OPERATIONS: Final[Mapping[str, Callable[[Document, Mapping[str, Any]], str]]] = {
    "approvals_set": _approvals_set,
    "approval_add": _approval_add,
    "approval_set": _approval_set,
    "approval_move": _approval_move,
    "approval_remove": _approval_remove,
    "approval_part_add": _part_add,
    "approval_part_set": _part_set,
    "approval_part_move": _part_move,
    "approval_part_remove": _part_remove,
    "committee_add": _committee_add,
    "committee_set": _committee_set,
    "committee_remove": _committee_remove,
}
#: Edits that make a piece, and the argument that holds it; see `services.drafting`.
PIECES: Final[Mapping[str, str]] = {
    "approvals_set": "",
    "approval_add": "",
    "approval_set": "",
    "approval_part_add": "entry",
    "approval_part_set": "entry",
    "committee_add": "committee",
    "committee_set": "committee",
}
