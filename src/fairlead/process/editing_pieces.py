"""Edits of playbooks and their tasks (PB-2). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid

from .editing_places import Document, body_in, items_of, key_in, listed, place_of_key, target_in
from .guidance_reading import MAX_PLAYBOOKS, MAX_TASKS

Edit = Callable[[Document, Mapping[str, Any]], str]


def _keys(entries: list[Any]) -> set[str]:
    return {str(e.get("key")) for e in entries if isinstance(e, dict)}


def _playbook_add(document: Document, given: Mapping[str, Any]) -> str:
    entries = listed(document, "playbooks")
    if len(entries) >= MAX_PLAYBOOKS:
        raise Invalid.field(
            "playbook", _("A process has at most %(most)s playbooks.") % {"most": MAX_PLAYBOOKS}
        )
    body = body_in(given, "playbook")
    body["key"] = key_in(body, _keys(entries), "playbook")
    entries.append(body)
    return f"playbooks.{body['key']}"


def _playbook_set(document: Document, given: Mapping[str, Any]) -> str:
    entries = listed(document, "playbooks")
    i = place_of_key(entries, given.get("playbook_key"), "playbook_key")
    entries[i] = {**body_in(given, "playbook"), "key": entries[i]["key"]}  # runs of it are known by its key
    return f"playbooks.{entries[i]['key']}"


def _playbook_move(document: Document, given: Mapping[str, Any]) -> str:
    entries = listed(document, "playbooks")
    i = place_of_key(entries, given.get("playbook_key"), "playbook_key")
    entries.insert(target_in(given, i, len(entries)), entries.pop(i))
    return "playbooks"


def _playbook_remove(document: Document, given: Mapping[str, Any]) -> str:
    entries = listed(document, "playbooks")
    entries.pop(place_of_key(entries, given.get("playbook_key"), "playbook_key"))
    return "playbooks"


def playbook_of(document: Mapping[str, Any], key: Any) -> dict[str, Any]:
    entries = items_of(document, "playbooks")
    found: dict[str, Any] = entries[place_of_key(entries, key, "playbook_key")]
    return found


def _tasks(document: Document, given: Mapping[str, Any]) -> tuple[list[Any], str]:
    book = playbook_of(document, given.get("playbook_key"))
    return listed(book, "tasks"), f"playbooks.{book['key']}.tasks"


def _task_add(document: Document, given: Mapping[str, Any]) -> str:
    entries, path = _tasks(document, given)
    if len(entries) >= MAX_TASKS:
        raise Invalid.field("task", _("A playbook has one to %(most)s tasks.") % {"most": MAX_TASKS})
    body = body_in(given, "task")
    body["key"] = key_in({"name": body.get("title"), **body}, _keys(entries), "task")
    entries.append(body)
    return f"{path}.{len(entries) - 1}"


def _task_set(document: Document, given: Mapping[str, Any]) -> str:
    entries, path = _tasks(document, given)
    i = place_of_key(entries, given.get("task_key"), "task_key")
    entries[i] = {**body_in(given, "task"), "key": entries[i]["key"]}
    return f"{path}.{i}"


def _task_move(document: Document, given: Mapping[str, Any]) -> str:
    entries, path = _tasks(document, given)
    i = place_of_key(entries, given.get("task_key"), "task_key")
    entries.insert(target_in(given, i, len(entries)), entries.pop(i))
    return path


def _task_remove(document: Document, given: Mapping[str, Any]) -> str:
    entries, path = _tasks(document, given)
    entries.pop(place_of_key(entries, given.get("task_key"), "task_key"))
    return path


PIECES: Final[Mapping[str, Edit]] = {
    "playbook_add": _playbook_add,
    "playbook_set": _playbook_set,
    "playbook_move": _playbook_move,
    "playbook_remove": _playbook_remove,
    "task_add": _task_add,
    "task_set": _task_set,
    "task_move": _task_move,
    "task_remove": _task_remove,
}
