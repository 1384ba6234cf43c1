"""Small edits of a process document that is still being written: each takes the document and gives a changed one.

Pure: no database, no clock. An edit checks what it needs to find its place (stage, item, list) and raises Invalid
naming the field; what the document as a whole is worth is the matter of `examining`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid

from .editing_approvals import OPERATIONS as APPROVALS
from .editing_criteria import CRITERIA
from .editing_lists import OPERATIONS as STAGE_LISTS
from .editing_pieces import PIECES
from .editing_places import (
    MAX_ITEMS,
    Document,
    body_in,
    key_in,
    listed,
    place_of_key,
    set_in,
    stage_of,
    stages_of,
    target_in,
)
from .editing_scores import SCORES
from .enums import Kind
from .loading import MAX_STAGES, REASON_LISTS, STAGE_KEYS

#: What may be set of the whole process, and of a stage, by `process_set` and `stage_set`.
PROCESS_PARTS: Final = frozenset({"name", "goal", "mode", "reopen_days", "recurring_days", "linear"})
STAGE_PARTS: Final = STAGE_KEYS - {"key", "entry", "exit", "transitions"}


def edit(document: Mapping[str, Any], op: str, given: Mapping[str, Any]) -> tuple[Document, str]:
    """The document after one edit, and the path of the piece that was edited. Raises Invalid."""
    if op not in OPERATIONS:
        raise Invalid.field("op", _("There is no such edit."))
    changed = copy.deepcopy(dict(document))
    path = OPERATIONS[op](changed, given)
    return changed, path


# --- the process as a whole ---


def _process_set(document: Document, given: Mapping[str, Any]) -> str:
    set_in(document, given, PROCESS_PARTS)
    return ""


# --- stages ---


def _stage_add(document: Document, given: Mapping[str, Any]) -> str:
    stages = listed(document, "stages")
    if len(stages) >= MAX_STAGES:
        raise Invalid.field("stages", _("A process has one to %(most)s stages.") % {"most": MAX_STAGES})
    taken = {str(s.get("key")) for s in stages_of(document)} | {
        str(s.get("axis")) for s in stages_of(document)
    }
    key = key_in(given, taken, "stage")
    before = _order(document)
    stage = {"key": key, "name": copy.deepcopy(given.get("name")) or {}}
    after = given.get("after")
    place = stages.index(stage_of(document, after)) + 1 if after else len(stages)
    stages.insert(place, stage)
    _repair(document, before)
    return f"stages.{key}"


def _stage_set(document: Document, given: Mapping[str, Any]) -> str:
    stage = stage_of(document, given.get("stage"))
    set_in(stage, given, STAGE_PARTS)
    return f"stages.{stage['key']}"


def _stage_move(document: Document, given: Mapping[str, Any]) -> str:
    stage = stage_of(document, given.get("stage"))
    stages, before = document["stages"], _order(document)
    now = stages.index(stage)
    there = target_in(given, now, len(stages))
    stages.insert(there, stages.pop(now))
    if there == 0 and stage.get("start") is False:
        stage.pop("start")  # what comes first is where one begins
    _repair(document, before)
    return "stages"


def _stage_remove(document: Document, given: Mapping[str, Any]) -> str:
    stage = stage_of(document, given.get("stage"))
    before, gone = _order(document), stage["key"]
    document["stages"].remove(stage)
    follower = before[before.index(gone) + 1] if before.index(gone) + 1 < len(before) else None
    for other in stages_of(document):
        kept = []
        for t in _moves(other):
            if t.get("to") == gone:
                if t.get("type") != Kind.ADVANCE or follower is None:
                    continue
                t["to"] = follower
            kept.append(t)
        if "transitions" in other:
            other["transitions"] = kept
    for part in ("clocks", "playbooks"):
        _forget_stage(document.get(part), gone)
    _repair(document, [key for key in before if key != gone])
    return "stages"


def _forget_stage(part: Any, gone: str) -> None:
    """Limits of the stage go with it; what names it among others names the others."""
    if isinstance(part, dict) and isinstance(part.get("stages"), dict):
        part["stages"].pop(gone, None)
    acts = part.get("acts") if isinstance(part, dict) else part
    for act in acts if isinstance(acts, list) else ():
        if isinstance(act, dict) and isinstance(act.get("stages"), list):
            act["stages"] = [key for key in act["stages"] if key != gone]


def _order(document: Mapping[str, Any]) -> list[str]:
    return [str(stage.get("key")) for stage in stages_of(document)]


def _moves(stage: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = stage.get("transitions")
    return [t for t in found if isinstance(t, dict)] if isinstance(found, list) else []


def _repair(document: Document, before: list[str]) -> None:
    """A plain advance to the stage that came next leads to the one that comes next now; winning stays at the end.

    Only in a linear process: elsewhere each way is somebody's decision, and the checks say which lead nowhere.
    """
    if document.get("linear", True) is not True:
        return
    order = _order(document)
    follows_then = dict(pairwise(before))
    follows_now = dict(pairwise(order))
    for stage in stages_of(document):
        key, kept = str(stage.get("key")), []
        for t in _moves(stage):
            was_plain = t.get("to") == follows_then.get(key) or t.get("to") == follows_now.get(key)
            if t.get("type") == Kind.ADVANCE and was_plain:
                if key not in follows_now:
                    continue
                t["to"] = follows_now[key]
            if (
                t.get("type") == Kind.CLOSE_WON
                and key == (before[-1] if before else "")
                and key in follows_now
            ):
                continue
            kept.append(t)
        if "transitions" in stage:
            stage["transitions"] = kept


# --- moves ---


def _transition(stage: Mapping[str, Any], given: Mapping[str, Any]) -> int:
    number, moves = given.get("number"), stage.get("transitions")
    count = len(moves) if isinstance(moves, list) else 0
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < count:
        raise Invalid.field("number", _("There is no such move at this stage."))
    return number


def _transition_add(document: Document, given: Mapping[str, Any]) -> str:
    stage = stage_of(document, given.get("stage"))
    moves = listed(stage, "transitions")
    body = body_in(given, "transition")
    if body.get("type") == Kind.BRANCH:
        # Branches take the place of the plain way ahead, and the one without a condition stays the last of them.
        moves[:] = [t for t in moves if not (isinstance(t, dict) and t.get("type") == Kind.ADVANCE)]
        last = moves[-1] if moves else None
        if (
            body.get("when")
            and isinstance(last, dict)
            and last.get("type") == Kind.BRANCH
            and not last.get("when")
        ):
            moves.insert(len(moves) - 1, body)
            return f"stages.{stage['key']}.transitions.{len(moves) - 2}"
    moves.append(body)
    return f"stages.{stage['key']}.transitions.{len(moves) - 1}"


def _transition_set(document: Document, given: Mapping[str, Any]) -> str:
    stage = stage_of(document, given.get("stage"))
    number = _transition(stage, given)
    stage["transitions"][number] = body_in(given, "transition")
    return f"stages.{stage['key']}.transitions.{number}"


def _transition_move(document: Document, given: Mapping[str, Any]) -> str:
    stage = stage_of(document, given.get("stage"))
    number, moves = _transition(stage, given), stage["transitions"]
    moves.insert(target_in(given, number, len(moves)), moves.pop(number))
    return f"stages.{stage['key']}.transitions"


def _transition_remove(document: Document, given: Mapping[str, Any]) -> str:
    stage = stage_of(document, given.get("stage"))
    stage["transitions"].pop(_transition(stage, given))
    return f"stages.{stage['key']}.transitions"


# --- lists of reasons, fields ---


def _reasons(document: Document, given: Mapping[str, Any]) -> tuple[str, list[Any]]:
    name = given.get("list")
    if name not in REASON_LISTS:
        raise Invalid.field("list", _("There is no list of reasons “%(name)s”.") % {"name": str(name)[:40]})
    if not isinstance(document.get("lists"), dict):
        document["lists"] = {}
    return str(name), listed(document["lists"], str(name))


def _reason_add(document: Document, given: Mapping[str, Any]) -> str:
    name, entries = _reasons(document, given)
    if len(entries) >= MAX_ITEMS:
        raise Invalid.field("list", _("At most %(most)s reasons in one list.") % {"most": MAX_ITEMS})
    body = body_in(given, "reason")
    body["key"] = key_in(body, {str(e.get("key")) for e in entries if isinstance(e, dict)}, "reason")
    entries.append(body)
    return f"lists.{name}.{len(entries) - 1}"


def _reason_set(document: Document, given: Mapping[str, Any]) -> str:
    name, entries = _reasons(document, given)
    i = place_of_key(entries, given.get("reason_key"), "reason_key")
    entries[i] = {**body_in(given, "reason"), "key": entries[i]["key"]}
    return f"lists.{name}.{i}"


def _reason_move(document: Document, given: Mapping[str, Any]) -> str:
    name, entries = _reasons(document, given)
    i = place_of_key(entries, given.get("reason_key"), "reason_key")
    entries.insert(target_in(given, i, len(entries)), entries.pop(i))
    return f"lists.{name}"


def _reason_remove(document: Document, given: Mapping[str, Any]) -> str:
    name, entries = _reasons(document, given)
    entries.pop(place_of_key(entries, given.get("reason_key"), "reason_key"))
    return f"lists.{name}"


def _field_add(document: Document, given: Mapping[str, Any]) -> str:
    entries = listed(document, "fields")
    if len(entries) >= MAX_ITEMS:
        raise Invalid.field("fields", _("At most %(most)s fields.") % {"most": MAX_ITEMS})
    body = body_in(given, "field")
    body["key"] = key_in(body, {str(e.get("key")) for e in entries if isinstance(e, dict)}, "field")
    entries.append(body)
    return f"fields.{body['key']}"


def _field_set(document: Document, given: Mapping[str, Any]) -> str:
    entries = listed(document, "fields")
    i = place_of_key(entries, given.get("field_key"), "field_key")
    entries[i] = {**body_in(given, "field"), "key": entries[i]["key"]}
    return f"fields.{entries[i]['key']}"


def _field_remove(document: Document, given: Mapping[str, Any]) -> str:
    entries = listed(document, "fields")
    entries.pop(place_of_key(entries, given.get("field_key"), "field_key"))
    return "fields"


OPERATIONS: Final[Mapping[str, Callable[[Document, Mapping[str, Any]], str]]] = {
    "process_set": _process_set,
    "stage_add": _stage_add,
    "stage_set": _stage_set,
    "stage_move": _stage_move,
    "stage_remove": _stage_remove,
    **CRITERIA,
    **PIECES,
    **SCORES,
    "transition_add": _transition_add,
    "transition_set": _transition_set,
    "transition_move": _transition_move,
    "transition_remove": _transition_remove,
    "reason_add": _reason_add,
    "reason_set": _reason_set,
    "reason_move": _reason_move,
    "reason_remove": _reason_remove,
    "field_add": _field_add,
    "field_set": _field_set,
    "field_remove": _field_remove,
    **APPROVALS,
    **STAGE_LISTS,
}
