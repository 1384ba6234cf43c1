"""Handbooks, questions, playbooks and what raises a score, read from a process document and checked by path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from .criteria import ROLES
from .definition import (
    Act,
    Handbook,
    Name,
    Note,
    Playbook,
    PlayTask,
    Question,
    Stage,
    Trigger,
    Trouble,
)
from .document import Reader
from .enums import NoteKind, QuestionType, TriggerKind

MAX_TASKS: Final = 30
MAX_PLAYBOOKS: Final = 40
MAX_WORKING_DAYS: Final = 250
MAX_PUSHES: Final = 20
_NOTE = {"kind", "title", "text", "url", "criterion", "applies_if"}
_QUESTION = {"key", "type", "text", "applies_if"}
_PLAYBOOK = {"key", "name", "purpose", "stages", "applies_if", "trigger", "tasks"}
_TASK = {"key", "title", "due", "role", "template"}


def read_questions(reader: Reader, value: Any, path: str) -> tuple[Question, ...]:
    """Questions of a stage: plain words, or with a key and a type as part of the bank."""
    found = []
    for i, item in enumerate(reader.items(value, path)):
        here = f"{path}.{i}"
        if not isinstance(item, Mapping) or "text" not in item:
            found.append(Question(text=reader.name(item, here)))
            continue
        reader.unknown(item, _QUESTION, here)
        kind = item.get("type")
        if kind is not None and kind not in QuestionType.values:
            reader.bad(f"{here}.type", _("A question is situation, problem, implication or need_payoff."))
            kind = None
        found.append(
            Question(
                text=reader.name(item["text"], f"{here}.text"),
                key=reader.key(item.get("key"), f"{here}.key"),
                type=QuestionType(kind) if kind else None,
                applies_if=reader.condition(item.get("applies_if"), f"{here}.applies_if"),
            )
        )
    return tuple(found)


def read_handbook(reader: Reader, value: Any, path: str) -> Handbook:
    body = reader.mapping(value, path, {"why", "good", "notes"})
    notes = []
    for i, item in enumerate(reader.items(body.get("notes"), f"{path}.notes")):
        here = f"{path}.notes.{i}"
        if not reader.is_mapping(item, here):
            continue
        reader.unknown(item, _NOTE, here)
        if item.get("kind") not in NoteKind.values:
            reader.bad(f"{here}.kind", _("There is no such kind of note."))
            continue
        notes.append(
            Note(
                kind=NoteKind(item["kind"]),
                title=reader.name(item.get("title"), f"{here}.title"),
                text=reader.name(item.get("text"), f"{here}.text", needed=False),
                url=_address(reader, item.get("url"), f"{here}.url"),
                criterion=reader.text(item.get("criterion"), f"{here}.criterion"),
                applies_if=reader.condition(item.get("applies_if"), f"{here}.applies_if"),
            )
        )
    return Handbook(
        why=reader.name(body.get("why"), f"{path}.why", needed=False),
        good=reader.name(body.get("good"), f"{path}.good", needed=False),
        notes=tuple(notes),
    )


def _address(reader: Reader, value: Any, path: str) -> str:
    """A page of the house, or one of the world over https: nothing that a browser would run."""
    address = reader.text(value, path)
    if address and not (address.startswith("https://") or (address[0] == "/" and address[1:2] != "/")):
        reader.bad(path, _("An address begins with https:// or with /."))
        return ""
    return address


def read_playbooks(reader: Reader, value: Any, stages: Sequence[Stage]) -> dict[str, Playbook]:
    found: dict[str, Playbook] = {}
    items = reader.items(value, "playbooks")
    if len(items) > MAX_PLAYBOOKS:
        reader.bad("playbooks", _("A process has at most %(most)s playbooks.") % {"most": MAX_PLAYBOOKS})
        return found
    for i, item in enumerate(items):
        if not reader.is_mapping(item, f"playbooks.{i}"):
            continue
        named = item.get("key")
        path = f"playbooks.{named[:60] if isinstance(named, str) else i}"
        reader.unknown(item, _PLAYBOOK, path)
        key = reader.key(named, f"{path}.key")
        if key in found:
            reader.bad(f"{path}.key", _("The playbook stands twice."))
        known = [stage.key for stage in stages]
        found[key] = Playbook(
            key=key,
            name=reader.name(item.get("name"), f"{path}.name"),
            purpose=reader.name(item.get("purpose"), f"{path}.purpose"),
            stages=reader.keys(
                reader.items(item.get("stages"), f"{path}.stages"),
                f"{path}.stages",
                known,
                _("There is no stage “%(key)s”."),
            ),
            applies_if=reader.condition(item.get("applies_if"), f"{path}.applies_if"),
            trigger=_trigger(reader, item.get("trigger"), f"{path}.trigger", known),
            tasks=_tasks(reader, item.get("tasks"), f"{path}.tasks"),
        )
    return found


def _trigger(reader: Reader, value: Any, path: str, stages: Sequence[str]) -> Trigger | None:
    if value is None:
        return None
    body = reader.mapping(value, path, {"event", "stage", "count"})
    if body.get("event") not in TriggerKind.values:
        reader.bad(f"{path}.event", _("There is no such trigger."))
        return None
    kind = TriggerKind(body["event"])
    stage, count = "", 0
    if kind == TriggerKind.STAGE:
        named = reader.keys(body.get("stage"), f"{path}.stage", stages, _("There is no stage “%(key)s”."))
        stage = named[0] if named else ""
    elif "stage" in body:
        reader.bad(f"{path}.stage", _("Only the trigger “stage” names one."))
    if kind == TriggerKind.PUSHED:
        count = reader.number(body.get("count", 3), f"{path}.count", 1, MAX_PUSHES)
    elif "count" in body:
        reader.bad(f"{path}.count", _("Only the trigger “pushed” counts."))
    return Trigger(event=kind, stage=stage, count=count)


def _tasks(reader: Reader, value: Any, path: str) -> tuple[PlayTask, ...]:
    items = reader.items(value, path)
    if not 0 < len(items) <= MAX_TASKS:
        reader.bad(path, _("A playbook has one to %(most)s tasks.") % {"most": MAX_TASKS})
        return ()
    found: dict[str, PlayTask] = {}
    for i, item in enumerate(items):
        here = f"{path}.{i}"
        if not reader.is_mapping(item, here):
            continue
        reader.unknown(item, _TASK, here)
        key = reader.key(item.get("key"), f"{here}.key")
        if key in found:
            reader.bad(f"{here}.key", _("The task stands twice."))
        role = item.get("role")
        if role is not None:
            reader.keys([role], f"{here}.role", ROLES, _("There is no role “%(key)s”."))
        title = reader.name(item.get("title"), f"{here}.title")
        if any(len(words) > 200 for words in title.values()):
            reader.bad(f"{here}.title", _("Write 1 to 200 characters."))
        found[key] = PlayTask(
            key=key,
            title=title,
            due=reader.number(item.get("due", 0), f"{here}.due", 0, MAX_WORKING_DAYS),
            role=role if isinstance(role, str) else "",
            template=reader.name(item.get("template"), f"{here}.template", needed=False),
        )
    return tuple(found.values())


def read_acts(
    reader: Reader, value: Any, path: str, elements: Sequence[str], top: int
) -> dict[str, tuple[Act, ...]]:
    """Element → acts in the order of the step that they reach."""
    found = {}
    for element, items in reader.mapping(value, path).items():
        here = f"{path}.{str(element)[:60]}"
        if element not in elements:
            reader.bad(here, _("The score has no such element."))
            continue
        acts = []
        for i, item in enumerate(reader.items(items, here)):
            body = reader.mapping(item, f"{here}.{i}", {"to", "text", "minutes"})
            acts.append(
                Act(
                    to=reader.number(body.get("to"), f"{here}.{i}.to", 1, top),
                    text=reader.name(body.get("text"), f"{here}.{i}.text"),
                    minutes=reader.number(body.get("minutes", 60), f"{here}.{i}.minutes", 1, 10_000),
                )
            )
        found[str(element)] = tuple(sorted(acts, key=lambda act: (act.to, act.minutes)))
    return found


def read_points(reader: Reader, value: Any, path: str, top: int) -> dict[str, int]:
    """What the options of a choice are worth."""
    return {
        str(option): reader.number(points, f"{path}.{str(option)[:60]}", 0, top)
        for option, points in reader.mapping(value, path).items()
    }


def read_steps(reader: Reader, value: Any, path: str, top: int) -> tuple[Name, ...]:
    words = reader.names(value, path)
    if words and len(words) != top + 1:
        reader.bad(path, _("A word for each step from 0 to %(top)s is expected.") % {"top": top})
    return words


def guidance_problems(stages: Sequence[Stage]) -> list[Trouble]:
    """A key of a question names one question."""
    problems = []
    seen: set[str] = set()
    for stage in stages:
        for i, question in enumerate(stage.questions):
            if question.key and question.key in seen:
                problems.append(
                    Trouble(f"stages.{stage.key}.questions.{i}.key", _("The question stands twice."))
                )
            seen.add(question.key)
    return problems
