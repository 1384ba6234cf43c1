"""A handbook as a page shows it, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.fields.catalogue import pick
from fairlead.fields.conditions import words as condition_words

from .definition import Definition, Note, Playbook, Question
from .enums import NoteKind, TriggerKind
from .handbooks import Shown
from .roles import role_name
from .words import criterion_name, stage_name

_ICONS: Mapping[str, str] = {
    NoteKind.TALK: "phone",
    NoteKind.TEMPLATE: "file-text",
    NoteKind.OBJECTION: "arrow-loop-left",
    NoteKind.EVIDENCE: "file-certificate",
    NoteKind.CASE: "trophy",
    NoteKind.TRAINING: "school",
}


def handbook_words(shown: Shown, definition: Definition, *, conditions: bool = False) -> dict[str, Any]:
    """`conditions`: say of each piece for which records it is, as the page of a process does."""
    stage, book = shown.stage, shown.stage.handbook
    return {
        "key": stage.key,
        "stage": pick(stage.name),
        "why": pick(book.why) if book.why else "",
        "good": pick(book.good) if book.good else "",
        "how": [pick(line) for line in stage.guidance],
        "risks": [pick(line) for line in stage.risks],
        "notes": [
            (kind.value, str(kind.label), _ICONS[kind], [_note(n, definition, conditions) for n in notes])
            for kind, notes in shown.notes
        ],
        "questions": [
            (str(kind.label) if kind else "", [_question(q, conditions) for q in questions])
            for kind, questions in shown.questions
        ],
        "asked": sum(len(questions) for _kind, questions in shown.questions),
        "left_out": ngettext(
            "%(count)s more does not fit this deal.",
            "%(count)s more do not fit this deal.",
            shown.left_out,
        )
        % {"count": shown.left_out}
        if shown.left_out
        else "",
    }


def _note(note: Note, definition: Definition, conditions: bool) -> dict[str, Any]:
    return {
        "title": pick(note.title),
        "text": pick(note.text) if note.text else "",
        "url": note.url,
        "outside": note.url.startswith("https://"),
        "criterion": criterion_name(definition, note.criterion)
        if definition.criterion(note.criterion)
        else "",
        "only_if": condition_words(note.applies_if) if conditions and note.applies_if is not None else "",
    }


def _question(question: Question, conditions: bool) -> dict[str, Any]:
    return {
        "key": question.key,
        "text": pick(question.text),
        "only_if": condition_words(question.applies_if)
        if conditions and question.applies_if is not None
        else "",
    }


def playbook_words(book: Playbook, definition: Definition) -> dict[str, Any]:
    return {
        "key": book.key,
        "name": pick(book.name),
        "purpose": pick(book.purpose),
        "starts": trigger_words(book, definition),
        "stages": [stage_name(definition, key) for key in book.stages],
        "only_if": condition_words(book.applies_if) if book.applies_if is not None else "",
        "tasks": [
            {
                "title": pick(task.title),
                "due": ngettext("%(days)s working day", "%(days)s working days", task.due)
                % {"days": task.due},
                "role": role_name(task.role) if task.role else "",
                "template": pick(task.template) if task.template else "",
            }
            for task in book.tasks
        ],
    }


def trigger_words(book: Playbook, definition: Definition) -> str:
    trigger = book.trigger
    if trigger is None:
        return _("Started by hand.")
    if trigger.event == TriggerKind.STAGE:
        return _("Starts when %(stage)s is entered.") % {"stage": stage_name(definition, trigger.stage)}
    if trigger.event == TriggerKind.PUSHED:
        return _("Starts when the close date has been put off %(count)s times.") % {"count": trigger.count}
    return _("Starts when %(event)s.") % {"event": trigger.event.label}
