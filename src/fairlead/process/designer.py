"""What the page of the designer shows: the draft as a list and as a picture, both leading to the same edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.fields.catalogue import Catalogue, catalogue

from .definition import Definition, Stage
from .definitions import externals_of
from .describing import list_name, move_words
from .designer_approvals import approvals_part
from .designer_diagram import diagram
from .designer_forms import (
    field_inputs,
    new_stage_inputs,
    process_inputs,
    reason_inputs,
    stage_inputs,
    transition_inputs,
)
from .designer_gate import gate_part
from .designer_guidance import entries_of, guidance_part
from .designer_packages import packages_part
from .designer_playbooks import playbooks_part
from .designer_scores import scores_part
from .designer_sentences import Around, is_editable
from .designer_shapes import At, Form, name_words, other_language
from .designer_tracks import tracks_part
from .editing_approvals import kinds_of
from .editing_criteria import criteria_in
from .editing_places import items_of, stages_of
from .editing_scores import scores_of
from .enums import Kind, Level
from .examining import PARTS_OF_PROCESS, PARTS_OF_STAGE, Examination, Finding
from .loading import REASON_LISTS, declared_specs
from .models import ProcessDraft


def place(document: Mapping[str, Any], given: Mapping[str, str]) -> At:
    """Where the address leads; what is not there leads to the nearest that is."""
    keys = [str(s.get("key")) for s in stages_of(document)]
    stage, part = given.get("stage", ""), given.get("part", "")
    item, adding, inner = (given.get(n, "")[:60] for n in ("item", "add", "in"))
    if stage in keys:
        return At(part if part in PARTS_OF_STAGE else "exit", stage, item, adding, inner)
    if part in PARTS_OF_PROCESS:
        return At(part, "", item, adding, inner)
    return At("exit", keys[0]) if keys else At("stages")


def around(document: Mapping[str, Any], definition: Definition | None) -> Around:
    subject = str(document.get("subject", ""))
    base = catalogue(subject)
    declared = [s for s in declared_specs(definition.fields if definition else ()) if s.key not in base]
    return Around(Catalogue(subject, [*base, *declared]), tuple(externals_of(subject)), definition, document)


def page_context(
    draft: ProcessDraft, at: At, found: Examination, refused: Form | None = None
) -> dict[str, Any]:
    document, definition = draft.document, found.definition
    near = around(document, definition)
    known = definition.by_key if definition else {}
    stage = next((s for s in stages_of(document) if s.get("key") == at.stage), None)
    closed = {str(c.item.get("key")) for c in criteria_in(document) if not is_editable(c.item)}
    base = reverse("process:draft", args=[draft.process.key])
    context: dict[str, Any] = {
        "at": at,
        "base": base,
        "path_stages": [_bead(s, known, at, base) for s in stages_of(document)],
        "diagram": diagram(definition, at.stage, base)
        if definition is not None and definition.stages
        else None,
        "nav": _nav(document, stage, at, base, found),
        "stage_name": name_words(stage) if stage else "",
        "stage_key": at.stage,
        "findings": [_finding(f, base, closed) for f in found.findings],
        "errors_count": len(found.errors),
        "warnings_count": len(found.warnings),
        "refused": refused,
        "forms": [],
        "rows": [],
        **dict.fromkeys(_SHOWN, False),
    }
    if stage is not None:
        context |= _stage_part(stage, known.get(at.stage), at, near)
    elif at.part == "approvals":
        context |= approvals_part(document, at, near, found, base)
    else:
        context |= _process_part(document, at, near)
    if refused is not None:
        known_forms = context["forms"]
        shown = [f for f in known_forms if _same(refused, f)]
        if shown:
            first = shown[0]
            refused = replace(
                refused, title=first.title, submit=first.submit, icon=first.icon, when=first.when
            )
        context["forms"] = [refused, *(f for f in known_forms if f not in shown)]
    return context


_SHOWN: Final = (
    "is_gate",
    "is_moves",
    "is_stages",
    "is_approvals",
    "is_fields",
    "is_reasons",
    "is_more",
    "is_pieces",
)


def _same(one: Form, other: Form) -> bool:
    return one.op == other.op and one.said == other.said


def _bead(stage: Mapping[str, Any], known: Mapping[str, Stage], at: At, base: str) -> dict[str, Any]:
    items = items_of(stage, "exit")
    here = stage.get("key") == at.stage
    limit = stage.get("limit") if isinstance(stage.get("limit"), Mapping) else {}
    assert isinstance(limit, Mapping)
    count = ngettext("%(count)s item", "%(count)s items", len(items)) % {"count": len(items)}
    days = _("%(days)s d") % {"days": limit["red"]} if limit.get("red") else ""
    required = sum(1 for c in items if c.get("level", Level.BLOCK) == Level.BLOCK)
    return {
        "name": name_words(stage),
        "url": f"{base}?stage={stage.get('key')}",
        "state": "here" if here else "ahead",
        "ring": "ready" if here else "ahead",
        "figure": _("to leave %(count)s, required %(required)s") % {"count": len(items), "required": required}
        if here
        else "",
        "meta": " · ".join(filter(None, [days, "" if here else count])),
        "beads": [
            {
                "state": "met" if c.get("level", Level.BLOCK) == Level.BLOCK else "unmet",
                "label": _("Item: %(name)s") % {"name": name_words(c)},
                "url": f"{base}?stage={stage.get('key')}&part=exit&item={c.get('key')}#form",
            }
            for c in items
        ],
    }


def part_label(part: str) -> str:
    return {
        "process": _("Process"),
        "stages": _("Stages"),
        "approvals": _("Approvals"),
        "fields": _("Fields it brings"),
        "reasons": _("Lists of reasons"),
        "scores": _("Scores"),
        "playbooks": _("Playbooks"),
        "handovers": _("Hand-overs"),
        "more": _("File and more"),
        "goal": _("Goal and roles"),
        "entry": _("To enter"),
        "exit": _("To leave"),
        "tracks": _("Role tracks"),
        "moves": _("Ways out"),
        "limits": _("Time limits"),
        "guidance": _("Handbook"),
        "notes": _("Notes of the handbook"),
        "questions": _("Questions to ask"),
        "forecast": _("Chance and forecast"),
    }[part]


def _nav(
    document: Mapping[str, Any], stage: Mapping[str, Any] | None, at: At, base: str, found: Examination
) -> list[dict[str, Any]]:
    counts: dict[str, Any] = {
        "stages": len(stages_of(document)),
        "approvals": len(kinds_of(document)),
        "fields": len(items_of(document, "fields")),
        "scores": len(scores_of(document)),
        "playbooks": len(items_of(document, "playbooks")),
        "handovers": len(items_of(document, "handovers")),
        "reasons": sum(len(v) for v in (document.get("lists") or {}).values() if isinstance(v, list))
        if isinstance(document.get("lists"), Mapping)
        else 0,
    }
    if stage is not None:
        counts |= {side: len(items_of(stage, side)) for side in ("entry", "exit")}
        counts["tracks"] = len(items_of(stage, "tracks"))
        counts |= {part: len(entries_of(stage, part)) for part in ("notes", "questions")}
        counts["moves"] = len(items_of(stage, "transitions"))
    wrong = {(f.place.part, f.place.stage) for f in found.errors}
    groups: list[dict[str, Any]] = []
    for title, key, parts in ((name_words(stage), at.stage, PARTS_OF_STAGE),) if stage is not None else ():
        groups.append({"title": title, "items": [_nav_item(p, key, at, base, counts, wrong) for p in parts]})
    groups.append(
        {
            "title": _("Whole process"),
            "items": [_nav_item(p, "", at, base, counts, wrong) for p in PARTS_OF_PROCESS],
        }
    )
    return groups


def _nav_item(
    part: str, stage: str, at: At, base: str, counts: Mapping[str, Any], wrong: set[tuple[str, str]]
) -> dict[str, Any]:
    return {
        "text": part_label(part),
        "url": f"{base}?{At(part, stage).query}",
        "current": at.part == part and at.stage == stage,
        "count": counts.get(part),
        "wrong": (part, stage) in wrong,
    }


def _finding(one: Finding, base: str, closed: set[str]) -> dict[str, Any]:
    """`closed`: the items that have no form, because their condition is nested too deep for one: to their row then."""
    anchor = f"item-{one.place.item}" if one.place.item in closed else one.place.anchor
    anchor = f"#{anchor}" if anchor else ""
    return {
        "is_error": one.level == "error",
        "message": one.message,
        "path": one.path,
        "url": f"{base}?{one.place.query}{anchor}",
        "twin": one.twin,
        "item": one.place.item,
        "query": one.place.query,
    }


# --- the parts ---


def _stage_part(stage: Mapping[str, Any], read: Stage | None, at: At, near: Around) -> dict[str, Any]:
    if at.part in ("entry", "exit"):
        return gate_part(stage, read, at, near)
    if at.part == "tracks":
        return tracks_part(stage, read, at)
    if at.part in ("notes", "questions"):
        return guidance_part(stage, read, at, near)
    if at.part == "moves":
        return _ways(stage, read, at, near)
    form = Form(
        op="stage_set",
        inputs=stage_inputs(at.part, stage, near),
        said={"stage": at.stage, "part": at.part},
        submit=_("Save"),
    )
    return {"forms": [form]}


def _ways(stage: Mapping[str, Any], read: Stage | None, at: At, near: Around) -> dict[str, Any]:
    written = items_of(stage, "transitions")
    rows = [
        {
            "number": i,
            "text": _way(read, i, near) or str(t.get("type", "?")),
            "first": i == 0,
            "last": i == len(written) - 1,
        }
        for i, t in enumerate(written)
    ]
    by_itself = []
    if read is not None and near.definition is not None:
        by_itself = [move_words(t, near.definition) for t in read.transitions[len(written) :]]
    forms = []
    if at.item.isdigit() and int(at.item) < len(written):
        forms.append(
            Form(
                op="transition_set",
                inputs=transition_inputs(written[int(at.item)], near, at.stage),
                said={"stage": at.stage, "part": at.part, "number": at.item},
                submit=_("Save the way"),
                title=_way(read, int(at.item), near),
            )
        )
    if at.adding:
        forms.append(
            Form(
                op="transition_add",
                inputs=transition_inputs({"type": Kind.BRANCH}, near, at.stage),
                said={"stage": at.stage, "part": at.part},
                submit=_("Add the way"),
                title=_("New way out"),
                icon="plus",
            )
        )
    if not forms:
        forms.append(
            Form(
                op="stage_set",
                inputs=stage_inputs("moves", stage, near),
                said={"stage": at.stage, "part": at.part},
                submit=_("Save"),
            )
        )
    return {"rows": rows, "by_itself": by_itself, "forms": forms, "is_moves": True}


def _way(read: Stage | None, i: int, near: Around) -> str:
    if read is None or near.definition is None or i >= len(read.transitions):
        return ""
    return move_words(read.transitions[i], near.definition)


def _process_part(document: Mapping[str, Any], at: At, near: Around) -> dict[str, Any]:
    if at.part == "process":
        form = Form(
            op="process_set", inputs=process_inputs(document), said={"part": at.part}, submit=_("Save")
        )
        return {"forms": [form]}
    if at.part == "stages":
        stages = stages_of(document)
        rows = [
            {"key": s.get("key"), "name": name_words(s), "other": other_language(s.get("name")), "first": i == 0,
             "last": i == len(stages) - 1, "items": len(items_of(s, "entry")) + len(items_of(s, "exit"))}
            for i, s in enumerate(stages)
        ]  # fmt: skip
        last = str(stages[-1].get("key")) if stages else ""
        form = Form(
            op="stage_add", inputs=new_stage_inputs({}, near), said={"part": at.part}, submit=_("Add the stage"),
            title=_("New stage"), icon="plus",
        )  # fmt: skip
        return {"rows": rows, "forms": [form], "is_stages": True, "last_stage": last}
    if at.part == "fields":
        return _own_fields(document, at)
    if at.part == "scores":
        return scores_part(document, at, near)
    if at.part == "playbooks":
        return playbooks_part(document, at, near)
    if at.part == "handovers":
        return packages_part(document, at, near)
    if at.part == "reasons":
        return _reasons(document, at)
    return {"is_more": True}


def _own_fields(document: Mapping[str, Any], at: At) -> dict[str, Any]:
    fields = items_of(document, "fields")
    rows = [
        {
            "key": f.get("key"),
            "name": name_words(f, "label"),
            "other": other_language(f.get("label")),
            "type": f.get("type"),
        }
        for f in fields
    ]
    held = next((f for f in fields if f.get("key") == at.item and at.item), None)
    op = "field_set" if held is not None else "field_add"
    said = {"part": at.part} | ({"field_key": at.item} if held is not None else {})
    form = Form(
        op=op, inputs=field_inputs(held or {}), said=said, icon="check" if held else "plus",
        submit=_("Save the field") if held is not None else _("Add the field"),
        title=name_words(held, "label") if held is not None else _("New field"),
    )  # fmt: skip
    return {"rows": rows, "forms": [form], "is_fields": True}


def _reasons(document: Mapping[str, Any], at: At) -> dict[str, Any]:
    lists = document.get("lists") if isinstance(document.get("lists"), Mapping) else {}
    assert isinstance(lists, Mapping)
    shown = at.item if at.item in REASON_LISTS else "lost"
    entries = items_of(lists, shown)
    rows = [
        {"key": r.get("key"), "name": name_words(r), "other": other_language(r.get("name")), "first": i == 0,
         "last": i == len(entries) - 1}
        for i, r in enumerate(entries)
    ]  # fmt: skip
    form = Form(
        op="reason_add", inputs=reason_inputs(shown, {}), said={"part": at.part, "list": shown},
        submit=_("Add the reason"), title=_("New reason"), icon="plus",
    )  # fmt: skip
    tabs = [
        {"text": list_name(name), "url": f"?part=reasons&item={name}", "current": name == shown,
         "n": len(items_of(lists, name))}
        for name in REASON_LISTS
    ]  # fmt: skip
    return {"rows": rows, "forms": [form], "is_reasons": True, "list": shown, "list_tabs": tabs}
