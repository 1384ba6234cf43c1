"""What the handbook of a stage says for one record (PB-1, PB-4). Pure: a document and the fields of the record.

Guidance is no gate: where it cannot be decided whether a piece applies, it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.fields.conditions import Compiled, verdict

from .definition import Definition, Note, Playbook, Question, Stage
from .enums import NoteKind, QuestionType


@dataclass(frozen=True, slots=True)
class Shown:
    """The notes by kind and the questions by type of SPIN, in their order; how many pieces do not apply."""

    stage: Stage
    notes: tuple[tuple[NoteKind, tuple[Note, ...]], ...]
    questions: tuple[tuple[QuestionType | None, tuple[Question, ...]], ...]
    left_out: int


def applies(condition: Compiled | None, values: Mapping[str, Any], now: datetime) -> bool:
    return condition is None or verdict(condition, values, now=now) is not False


def handbook_of(stage: Stage, values: Mapping[str, Any], *, now: datetime) -> Shown:
    """`values`: the catalogue fields of the record."""
    notes = [n for n in stage.handbook.notes if applies(n.applies_if, values, now)]
    questions = [q for q in stage.questions if applies(q.applies_if, values, now)]
    by_kind = [(kind, tuple(n for n in notes if n.kind == kind)) for kind in NoteKind]
    by_type = [(kind, tuple(q for q in questions if q.type == kind)) for kind in (*QuestionType, None)]
    return Shown(
        stage=stage,
        notes=tuple(pair for pair in by_kind if pair[1]),
        questions=tuple(pair for pair in by_type if pair[1]),
        left_out=len(stage.handbook.notes) + len(stage.questions) - len(notes) - len(questions),
    )


def whole_handbook(stage: Stage) -> Shown:
    """Everything, whatever it applies to: for the page that describes a process."""
    return Shown(
        stage=stage,
        notes=tuple(
            (kind, notes)
            for kind in NoteKind
            if (notes := tuple(n for n in stage.handbook.notes if n.kind == kind))
        ),
        questions=tuple(
            (kind, questions)
            for kind in (*QuestionType, None)
            if (questions := tuple(q for q in stage.questions if q.type == kind))
        ),
        left_out=0,
    )


def playbooks_for(
    definition: Definition, stage_key: str, values: Mapping[str, Any], *, now: datetime
) -> tuple[Playbook, ...]:
    """Those that can be launched by hand at a stage: named for it or for none, and fitting the record."""
    return tuple(
        book
        for book in definition.playbooks.values()
        if (not book.stages or stage_key in book.stages) and applies(book.applies_if, values, now)
    )
