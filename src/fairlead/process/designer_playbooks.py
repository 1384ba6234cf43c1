"""Playbooks in the designer: what starts each, for which records, and its tasks with day, role and text (PB-2)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid
from fairlead.fields.conditions import words as condition_words

from .definition import Playbook
from .describing import joined
from .designer_inputs import MAX_WORDS, Input, Inputs, Post, condition, condition_of, name_of, names
from .designer_pieces import PieceRow, PieceWords, in_both
from .designer_sentences import Around, Values, choices, deal_roles, plain
from .designer_shapes import At, Form, name_words, other_language
from .editing_pieces import playbook_of
from .editing_places import items_of
from .enums import TriggerKind
from .guidance_reading import MAX_PUSHES, MAX_WORKING_DAYS
from .handbook_words import trigger_words
from .roles import role_name
from .words import stage_name

PART = "playbooks"
USUAL_PUSHES = 3


def playbook_inputs(body: Values, around: Around) -> Inputs:
    given = body.get("trigger")
    trigger: Values = given if isinstance(given, Mapping) else {}
    by_hand = ("", _("somebody launches it"))
    return (
        *names("name", _("Name in Chinese"), _("Name in English"), body.get("name"), most=100),
        *names("purpose", _("What it is for, in Chinese"), _("What it is for, in English"), body.get("purpose"), most=500),
        Input(name="stages", label=_("Offered in these stages; none: in all"), kind="checks", wide=True,
              options=around.stage_options, value=body.get("stages") or []),
        Input(name="trigger-event", label=_("Starts when"), kind="select",
              options=(by_hand, *choices(TriggerKind.choices)), value=str(trigger.get("event", ""))),
        Input(name="trigger-stage", label=_("Which stage"), kind="select", options=(("", "—"), *around.stage_options),
              value=str(trigger.get("stage", "")), hint=_("Only where entering a stage starts it.")),
        Input(name="trigger-count", label=_("Put off so often"), kind="number", low=1, high=MAX_PUSHES, unit=_("times"),
              value=plain(trigger.get("count")), hint=_("Only where putting off starts it.")),
        *condition("applies_if", body.get("applies_if"), around.field_options, first=_("Fits only if"),
                   kept=around.words(body.get("applies_if"))),
    )  # fmt: skip


def playbook_from(values: Values, old: Values, around: Around) -> dict[str, Any]:
    """The playbook that the form says; its tasks stay, they have forms of their own."""
    body: dict[str, Any] = {
        "name": name_of(values, "name"),
        "purpose": name_of(values, "purpose"),
        "tasks": old.get("tasks") or [],
    }
    only = condition_of(values, "applies_if", old.get("applies_if"), around.fields)
    said = {"stages": values["stages"], "trigger": _trigger(values), "applies_if": only}
    return body | {name: value for name, value in said.items() if value}


def _trigger(values: Values) -> dict[str, Any] | None:
    event = values["trigger-event"]
    if not event:
        return None
    if event == TriggerKind.STAGE:
        if not values["trigger-stage"]:
            raise Invalid.field("trigger-stage", _("Choose the stage."))
        return {"event": event, "stage": values["trigger-stage"]}
    if event == TriggerKind.PUSHED:
        return {"event": event, "count": values["trigger-count"] or USUAL_PUSHES}
    return {"event": event}


def task_inputs(body: Values) -> Inputs:
    return (
        *names("title", _("Task in Chinese"), _("Task in English"), body.get("title")),
        Input(name="due", label=_("Due after"), kind="number", high=MAX_WORKING_DAYS, unit=_("working days"),
              optional=False, value=plain(body.get("due", 1)), hint=_("Counted from the day the playbook starts.")),
        Input(name="role", label=_("For whoever is"), kind="select",
              options=(("", _("the owner")), *deal_roles()), value=str(body.get("role") or "")),
        *names("template", _("Text to work from, in Chinese"), _("Text to work from, in English"),
               body.get("template"), optional=True, kind="textarea", most=MAX_WORDS),
    )  # fmt: skip


def task_from(values: Values) -> dict[str, Any]:
    body = {"title": name_of(values, "title"), "due": values["due"]}
    said = {"role": values["role"], "template": name_of(values, "template")}
    return body | {name: value for name, value in said.items() if value}


def task_in(book: Values, said: str) -> dict[str, Any] | None:
    """The task with this key, or at this place counted from 0."""
    tasks = items_of(book, "tasks")
    if said.isdigit():
        return tasks[int(said)] if len(said) <= 3 and int(said) < len(tasks) else None
    return next((t for t in tasks if said and t.get("key") == said), None)


# --- the part of the page ---


def playbooks_part(document: Mapping[str, Any], at: At, near: Around) -> dict[str, Any]:
    books = items_of(document, PART)
    known = near.definition.playbooks if near.definition else {}
    held = next((b for b in books if at.item and b.get("key") == at.item), None)
    rows = [
        _row(book, known.get(str(book.get("key"))), i, len(books), at, near) for i, book in enumerate(books)
    ]
    words = PieceWords(
        op="playbook",
        inner_op="task",
        icon="notes",
        none=_("No playbook yet"),
        none_hint=_("Tasks that belong together, launched by hand or by what happens."),
        add=_("New playbook"),
        add_inner=_("Add a task"),
        none_inner=_("A playbook has at least one task. Add the first one."),
    )
    return {"pieces": words, "rows": rows, "forms": _forms(held, at, near), "is_pieces": True}


def _forms(held: Values | None, at: At, near: Around) -> list[Form]:
    if held is None:
        return [
            Form(
                op="playbook_add", inputs=playbook_inputs({}, near), said={"part": PART},
                submit=_("Add the playbook"), title=_("New playbook"), icon="plus",
            )
        ]  # fmt: skip
    said = {"part": PART, "playbook_key": at.item}
    task = task_in(held, at.inner)
    if task is not None:
        return [
            Form(
                op="task_set", inputs=task_inputs(task), said={**said, "task_key": str(task.get("key"))},
                submit=_("Save the task"), title=name_words(task, "title"),
            )
        ]  # fmt: skip
    if at.adding:
        return [
            Form(
                op="task_add", inputs=task_inputs({}), said={**said, "asks": "1"},
                submit=_("Add the task"), title=_("New task in “%(name)s”") % {"name": name_words(held)}, icon="plus",
            )
        ]  # fmt: skip
    return [
        Form(
            op="playbook_set", inputs=playbook_inputs(held, near), said=said,
            submit=_("Save the playbook"), title=name_words(held),
        )
    ]  # fmt: skip


def _row(book: Values, read: Playbook | None, i: int, count: int, at: At, near: Around) -> PieceRow:
    tasks = items_of(book, "tasks")
    said = {"playbook_key": str(book.get("key")), "part": PART}
    return PieceRow(
        key=str(book.get("key")),
        name=name_words(book),
        other=other_language(book.get("name")),
        says=in_both(partial(_book_words, read, near)) if read is not None else [],
        count=ngettext("%(count)s task", "%(count)s tasks", len(tasks)) % {"count": len(tasks)},
        said=said,
        is_open=book.get("key") == at.item,
        first=i == 0,
        last=i == count - 1,
        parts=[
            PieceRow(
                key=str(n),
                name=name_words(task, "title"),
                other=other_language(task.get("title")),
                says=in_both(partial(_task_words, task)),
                said={**said, "task_key": str(task.get("key"))},
                is_open=task_in(book, at.inner) is task,
                first=n == 0,
                last=n == len(tasks) - 1,
            )
            for n, task in enumerate(tasks)
        ],
    )


def _book_words(read: Playbook, near: Around) -> str:
    assert near.definition is not None
    found = [trigger_words(read, near.definition)]
    if read.stages:
        names_ = joined(stage_name(near.definition, key) for key in read.stages)
        found.append(_("Offered in %(stages)s.") % {"stages": names_})
    if read.applies_if is not None:
        found.append(_("Only if %(condition)s.") % {"condition": condition_words(read.applies_if)})
    return ("" if (get_language() or "").startswith("zh") else " ").join(found)


def _task_words(task: Values) -> str:
    due = task.get("due", 0)
    days = due if isinstance(due, int) else 0
    text = ngettext("after %(days)s working day", "after %(days)s working days", days) % {"days": days}
    role = str(task.get("role") or "")
    return " · ".join((text, role_name(role) if role else _("the owner")))


# --- what is sent ---


def read_playbook(post: Post, near: Around, row: Any) -> Any:
    key = post.one("playbook_key")
    old = playbook_of(row.document, key) if key else {}
    return playbook_inputs(old, near), lambda v: {"playbook": playbook_from(v, old, near)}


def read_task(post: Post, near: Around, row: Any) -> Any:
    old = task_in(playbook_of(row.document, post.one("playbook_key")), post.one("task_key")) or {}
    return task_inputs(old), lambda v: {"task": task_from(v)}
