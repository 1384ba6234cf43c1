"""What the forms of the designer send, read into what an edit is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid

from .designer import around
from .designer_approval_forms import READINGS as APPROVALS
from .designer_forms import (
    field_from,
    field_inputs,
    new_stage_inputs,
    process_from,
    process_inputs,
    reason_from,
    reason_inputs,
    stage_from,
    stage_inputs,
    transition_from,
    transition_inputs,
)
from .designer_guidance import READINGS as GUIDANCE
from .designer_inputs import Inputs, Post, errors_of, name_of, read, typed
from .designer_packages import READINGS as PACKAGES
from .designer_playbooks import read_playbook, read_task
from .designer_scores import read_element, read_score
from .designer_sentences import Around, criterion_from, criterion_inputs
from .designer_shapes import Form
from .designer_tracks import READINGS as TRACKS
from .editing_criteria import find_criterion
from .editing_places import items_of, stage_of
from .enums import CriterionType
from .examining import examine
from .loading import REASON_LISTS
from .models import ProcessDraft

Reading = Callable[[Post, Around, ProcessDraft], tuple[Inputs, Callable[[Mapping[str, Any]], dict[str, Any]]]]


def given_by(post: Post, row: ProcessDraft) -> tuple[dict[str, Any], Form | None]:
    """What the edit is given, and the form that said it; a form that cannot be read comes back with its errors."""
    op = post.one("op")
    said = {n: post.one(n)[:60] for n in _SAID if post.one(n)}
    plain: dict[str, Any] = {n: v for n, v in said.items() if n not in ("part", "asks")}
    for name in ("number", "by", "to"):
        value = post.one(name)
        if value.lstrip("-").isdigit() and len(value) <= 4:
            plain[name] = int(value)
    if op not in _READINGS:
        return plain, None
    near = around(row.document, examine(row.document).definition)
    inputs, made = _READINGS[op](post, near, row)
    said = {name: value for name, value in said.items() if name not in {one.name for one in inputs}}
    form = Form(op=op, inputs=typed(inputs, post), said=said, submit=_("Save"))
    try:
        return {**plain, **made(read(inputs, post))}, form
    except Invalid as refusal:
        return plain, Form(
            op=op, inputs=form.inputs, said=said, submit=form.submit, errors=errors_of(refusal, inputs)
        )


#: What a form says beside its inputs.
_SAID = (
    "stage",
    "part",
    "side",
    "asks",
    "criterion_key",
    "group",
    "number",
    "list",
    "reason_key",
    "field_key",
    "playbook_key",
    "task_key",
    "score_key",
    "element",
    "approval_key",
    "track_key",
    "committee_key",
)


def _type(post: Post) -> str:
    given = post.one("asks")
    if given not in CriterionType.values or (given == CriterionType.GROUP and post.one("group")):
        raise Invalid.field("type", _("There is no such type of criterion."))
    return given


def _criterion(post: Post, near: Around, row: ProcessDraft) -> Any:
    type_, old = _type(post), {}
    if post.one("criterion_key"):
        old = find_criterion(row.document, post.one("criterion_key")).item
    return criterion_inputs(type_, old, near), lambda v: {"criterion": criterion_from(type_, v, old, near)}


def _stage(post: Post, near: Around, row: ProcessDraft) -> Any:
    stage, part = stage_of(row.document, post.one("stage")), post.one("part")
    inputs = stage_inputs(part, stage, near)
    if not inputs:
        raise Invalid.field("part", _("There is no such part."))
    return inputs, lambda v: {"set": stage_from(part, v, stage, near)}


def _transition(post: Post, near: Around, row: ProcessDraft) -> Any:
    moves = items_of(stage_of(row.document, post.one("stage")), "transitions")
    number = post.one("number")
    old = moves[int(number)] if number.isdigit() and len(number) <= 3 and int(number) < len(moves) else {}
    return transition_inputs(old, near, post.one("stage")), lambda v: {
        "transition": transition_from(v, old, near)
    }


def _new_stage(post: Post, near: Around, row: ProcessDraft) -> Any:
    return new_stage_inputs({}, near), lambda v: {"name": name_of(v, "name"), "after": v["after"] or None}


def _process(post: Post, near: Around, row: ProcessDraft) -> Any:
    return process_inputs(row.document), lambda v: {"set": process_from(v)}


def _reason(post: Post, near: Around, row: ProcessDraft) -> Any:
    name = post.one("list")
    if name not in REASON_LISTS:
        raise Invalid.field("list", _("Choose one of the list."))
    return reason_inputs(name, {}), lambda v: {"reason": reason_from(name, v)}


def _field(post: Post, near: Around, row: ProcessDraft) -> Any:
    held = [f for f in items_of(row.document, "fields") if f.get("key") == post.one("field_key")]
    old = held[0] if held else {}
    return field_inputs(old), lambda v: {"field": field_from(v, old)}


_READINGS: Mapping[str, Reading] = {
    "criterion_add": _criterion,
    "criterion_set": _criterion,
    "stage_set": _stage,
    "stage_add": _new_stage,
    "transition_add": _transition,
    "transition_set": _transition,
    "process_set": _process,
    "reason_add": _reason,
    "reason_set": _reason,
    "field_add": _field,
    "field_set": _field,
    "score_add": read_score,
    "score_set": read_score,
    "element_add": read_element,
    "element_set": read_element,
    "playbook_add": read_playbook,
    "playbook_set": read_playbook,
    "task_add": read_task,
    "task_set": read_task,
    **APPROVALS,
    **TRACKS,
    **GUIDANCE,
    **PACKAGES,
}
