"""Guidance of a stage in the designer: the notes of its handbook (PB-1) and the questions of its bank (SPIN)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from django.utils.translation import gettext as _

from fairlead.fields.conditions import Compiled
from fairlead.fields.conditions import words as condition_words

from .definition import Stage
from .designer_inputs import MAX_WORDS, Input, Inputs, Post, condition, condition_of, name_of, names
from .designer_pieces import PieceRow, PieceWords, in_both
from .designer_sentences import Around, Values, choices
from .designer_shapes import At, Form, name_words, other_language
from .editing_lists import NOTES, QUESTIONS, Entries
from .editing_places import items_of, stage_of
from .enums import NoteKind, QuestionType

MAX_QUESTION: Final = 300


def entries_of(stage: Mapping[str, Any], part: str) -> list[Any]:
    """What stands in the list of a part, as it is; its place in it is how an edit names it."""
    holder = stage.get("handbook") if part == NOTES.name else stage
    found = holder.get(part) if isinstance(holder, Mapping) else None
    return found if isinstance(found, list) else []


def _body(entry: Any) -> Values:
    """A question that is nothing but words reads like one with `text`."""
    if not isinstance(entry, Mapping):
        return {}
    return {"text": entry} if set(entry) <= {"zh", "en"} else entry


def _applies(body: Values, around: Around) -> Inputs:
    return condition(
        "applies_if", body.get("applies_if"), around.field_options, first=_("Shown only if"),
        kept=around.words(body.get("applies_if")),
    )  # fmt: skip


def note_inputs(body: Values, stage: Values, around: Around) -> Inputs:
    items = tuple(
        (str(c.get("key")), name_words(c)) for side in ("entry", "exit") for c in items_of(stage, side)
    )
    return (
        Input(name="kind", label=_("What kind of note"), kind="select", options=choices(NoteKind.choices),
              value=body.get("kind", NoteKind.TALK)),
        *names("title", _("Title in Chinese"), _("Title in English"), body.get("title")),
        *names("text", _("Text in Chinese"), _("Text in English"), body.get("text"), optional=True, kind="textarea",
               most=MAX_WORDS),
        Input(name="url", label=_("Leads to"), value=str(body.get("url") or ""), most=500,
              hint=_("An address that begins with https:// or with /.")),
        Input(name="criterion", label=_("Shows this item"), kind="select", options=(("", "—"), *items),
              value=str(body.get("criterion") or ""), hint=_("For what counts as evidence, and for templates.")),
        *_applies(body, around),
    )  # fmt: skip


def note_from(values: Values, old: Values, around: Around) -> dict[str, Any]:
    only = condition_of(values, "applies_if", old.get("applies_if"), around.fields)
    said = {
        "text": name_of(values, "text"), "url": values["url"], "criterion": values["criterion"], "applies_if": only,
    }  # fmt: skip
    body = {"kind": values["kind"], "title": name_of(values, "title")}
    return body | {name: value for name, value in said.items() if value}


def question_inputs(body: Values, around: Around) -> Inputs:
    return (
        *names("text", _("Question in Chinese"), _("Question in English"), body.get("text"), most=MAX_QUESTION),
        Input(name="type", label=_("Its place in SPIN"), kind="select", options=(("", "—"), *choices(QuestionType.choices)),
              value=str(body.get("type") or "")),
        *_applies(body, around),
    )  # fmt: skip


def question_from(values: Values, old: Values, around: Around) -> dict[str, Any]:
    only = condition_of(values, "applies_if", old.get("applies_if"), around.fields)
    said = {"type": values["type"], "applies_if": only}
    return {"text": name_of(values, "text")} | {name: value for name, value in said.items() if value}


# --- the parts of the page ---


def _words_of(part: str) -> PieceWords:
    if part == NOTES.name:
        return PieceWords(
            op=NOTES.op, inner_op="", icon="notes", none=_("No note in the handbook of this stage"),
            none_hint=_("Talk tracks, templates, objections, what counts as evidence, cases, training."),
            add=_("New note"), add_inner="", none_inner="",
        )  # fmt: skip
    return PieceWords(
        op=QUESTIONS.op, inner_op="", icon="help", none=_("No question at this stage"),
        none_hint=_("Questions to the customer by SPIN; the answers are kept with the deal."),
        add=_("New question"), add_inner="", none_inner="",
    )  # fmt: skip


def guidance_part(stage: Values, read: Stage | None, at: At, near: Around) -> dict[str, Any]:
    """Rows and the form of `notes` or `questions`."""
    entries, kinds = entries_of(stage, at.part), _read_ones(read, at.part)
    said = {"stage": at.stage, "part": at.part}
    is_note = at.part == NOTES.name
    rows = []
    for i, entry in enumerate(entries):
        body = _body(entry)
        shown = kinds[i] if len(kinds) == len(entries) else None
        rows.append(
            PieceRow(
                key=str(i), name=name_words(body, "title" if is_note else "text"),
                other=other_language(body.get("title" if is_note else "text")),
                says=in_both(partial(_condition_words, shown[1])) if shown is not None and shown[1] is not None else [],
                count=str(shown[0]) if shown is not None else "", said={**said, "number": str(i)},
                is_open=at.item == str(i), first=i == 0, last=i == len(entries) - 1,
            )
        )  # fmt: skip
    number = int(at.item) if at.item.isdigit() and len(at.item) <= 3 else -1
    held = _body(entries[number]) if 0 <= number < len(entries) else None
    inputs = note_inputs(held or {}, stage, near) if is_note else question_inputs(held or {}, near)
    op = NOTES.op if is_note else QUESTIONS.op
    add, save = (
        (_("Add the note"), _("Save the note"))
        if is_note
        else (_("Add the question"), _("Save the question"))
    )
    words = _words_of(at.part)
    form = Form(
        op=f"{op}_add" if held is None else f"{op}_set", inputs=inputs,
        said=said if held is None else {**said, "number": at.item},
        submit=add if held is None else save,
        title=words.add if held is None else name_words(held, "title" if is_note else "text"),
        icon="plus" if held is None else "check",
    )  # fmt: skip
    return {"pieces": words, "rows": rows, "forms": [form], "is_pieces": True}


def _read_ones(read: Stage | None, part: str) -> list[tuple[Any, Compiled | None]]:
    """Kind in words and condition of each, where the document can be read."""
    if read is None:
        return []
    if part == NOTES.name:
        return [(one.kind.label, one.applies_if) for one in read.handbook.notes]
    return [(one.type.label if one.type else "", one.applies_if) for one in read.questions]


def _condition_words(only: Compiled) -> str:
    return _("Only if %(condition)s.") % {"condition": condition_words(only)}


# --- what is sent ---


def _old(post: Post, row: Any, one: Entries) -> tuple[Values, Values]:
    stage = stage_of(row.document, post.one("stage"))
    entries, number = entries_of(stage, one.name), post.one("number")
    is_there = number.isdigit() and len(number) <= 3 and int(number) < len(entries)
    return stage, _body(entries[int(number)]) if is_there else {}


def _note(post: Post, near: Around, row: Any) -> tuple[Inputs, Callable[[Values], dict[str, Any]]]:
    stage, old = _old(post, row, NOTES)
    return note_inputs(old, stage, near), lambda v: {"note": note_from(v, old, near)}


def _question(post: Post, near: Around, row: Any) -> tuple[Inputs, Callable[[Values], dict[str, Any]]]:
    _stage, old = _old(post, row, QUESTIONS)
    return question_inputs(old, near), lambda v: {"question": question_from(v, old, near)}


READINGS: Final = {"note_add": _note, "note_set": _note, "question_add": _question, "question_set": _question}
