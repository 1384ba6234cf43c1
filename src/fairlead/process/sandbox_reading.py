"""A sandbox in words: its path, its gate, its ways, the fields that count, and what was done in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.fields.catalogue import FieldSpec, pick
from fairlead.fields.conditions import value_words
from fairlead.fields.enums import REFERENCE, FieldType

from . import words
from .definition import Criterion
from .engine import legal_moves
from .enums import CLOSED_STATES, CriterionState, CriterionType, JourneyState, Kind, Level, Outcome
from .playground import read_by
from .services.sandboxing import Scene
from .verdicts import CriterionResult, Verdict

#: Of these no value can be typed here; what asks for them is supposed.
UNTYPED: Final = REFERENCE | {FieldType.MULTI_CHOICE, FieldType.DATETIME}
ICONS: Final = {
    Kind.SKIP: "arrow-right", Kind.REGRESS: "corner-up-left", Kind.CLOSE_LOST: "x", Kind.HOLD: "player-pause",
    Kind.RESUME: "player-play", Kind.REOPEN: "refresh", Kind.CLOSE_WON: "trophy", Kind.BRANCH: "git-branch",
}  # fmt: skip


def scene_words(found: Scene, *, reader: Any) -> dict[str, Any]:
    definition, facts, state = found.definition, found.facts, found.row.state
    closed = facts.journey.state in CLOSED_STATES
    verdict = found.verdict
    gaps = len(verdict.gaps) if verdict is not None else 0
    plain = verdict.wish if verdict is not None else None
    asked = _asked(found)
    return {
        "path": _path(found, closed),
        "position": definition.position(facts.journey.stage_key) + 1,
        "count": len(definition.stages),
        "stage": pick(definition.stage(facts.journey.stage_key).name),
        "state": str(JourneyState(facts.journey.state).label),
        "outcome": str(Outcome(facts.journey.outcome).label) if facts.journey.outcome else "",
        "closed": closed,
        "headline": words.headline(definition, verdict) if verdict is not None else "",
        "gate": "missing" if gaps else "ready",
        "items": [_item(r, found) for r in verdict.results] if verdict is not None else [],
        "said": [words.objection_text(o) for o in verdict.objections] if verdict is not None else [],
        "gaps": gaps,
        "forward": {"kind": str(plain.kind), "to": plain.to, "text": words.move_name(definition, plain.kind, plain.to)}
        if plain is not None
        else None,
        "moves": [
            {
                "kind": str(m.kind), "to": m.to, "text": words.move_name(definition, m.kind, m.to),
                "icon": ICONS.get(m.kind, "arrow-right"), "right": bool(m.needs_right),
                "reasons": [(r.key, pick(r.name)) for r in definition.lists.get(m.reasons, ())] if m.reasons else [],
            }
            for m in legal_moves(definition, facts)
            if plain is None or (m.kind, m.to) != (plain.kind, plain.to)
        ],
        "soft": facts.journey.soft,
        "at": facts.at,
        "days": facts.working_days_in_stage,
        "limits": _limits(found),
        "fields": [
            _field(spec, found) | {"here": spec.key in asked}
            for spec in read_by(definition, found.fields)
            if _shown(spec, reader)
        ],
        "log": [_step(one, found) for one in reversed(state["log"])],
    }  # fmt: skip


def _asked(found: Scene) -> set[str]:
    """The fields that the way ahead asks about."""
    keys: set[str] = set()
    for result in found.verdict.results if found.verdict is not None else ():
        criterion = found.definition.criterion(result.key)
        for one in (criterion[2], *criterion[2].children) if criterion is not None else ():
            keys |= {spec.key for spec in one.fields}
    return keys


def _shown(spec: FieldSpec, reader: Any) -> bool:
    return spec.type not in UNTYPED and spec.readable_by(reader)


def _limits(found: Scene) -> dict[str, Any]:
    stage = found.definition.stage(found.facts.journey.stage_key)
    days = found.facts.working_days_in_stage or 0
    level = ""
    if stage.limit_red is not None and days > stage.limit_red:
        level = "overdue"
    elif stage.limit_yellow is not None and days > stage.limit_yellow:
        level = "due"
    return {"yellow": stage.limit_yellow, "red": stage.limit_red, "level": level}


def _path(found: Scene, closed: bool) -> list[dict[str, Any]]:
    here = found.definition.position(found.facts.journey.stage_key)
    verdict = found.verdict
    gaps = len(verdict.gaps) if verdict is not None else 0
    stages = []
    for i, stage in enumerate(found.definition.stages):
        is_here = i == here and not closed
        own = (
            [r for r in verdict.results if r.stage_key == stage.key]
            if verdict is not None and is_here
            else []
        )
        passed = stage.key in found.facts.journey.passed
        stages.append(
            {
                "name": pick(stage.name),
                "state": "here" if is_here else "done" if passed or i < here else "ahead",
                "ring": ("missing" if gaps else "ready") if is_here else "passed" if passed else "ahead",
                "figure": _("day %(days)s") % {"days": found.facts.working_days_in_stage} if is_here else "",
                "meta": ngettext("%(count)s item", "%(count)s items", len(stage.exit))
                % {"count": len(stage.exit)},
                "beads": [
                    {
                        "state": _bead(r),
                        "label": words.item_name(found.definition, r),
                        "url": f"#item-{r.key}",
                    }
                    for r in own
                ],
            }
        )
    return stages


def _bead(result: CriterionResult) -> str:
    return {CriterionState.MET: "met", CriterionState.NA: "na", CriterionState.WAIVED: "waived"}.get(
        result.state, "unmet"
    )


def _item(result: CriterionResult, found: Scene) -> dict[str, Any]:
    criterion = found.definition.criterion(result.key)
    supposed = found.row.state["supposed"]
    keys = _keys(criterion[2]) if criterion else set()
    waits = (
        criterion is not None
        and criterion[2].type == CriterionType.ELAPSED
        and "min_days" in criterion[2].params
    )
    return {
        "key": result.key,
        "name": words.item_name(found.definition, result),
        "state": str(result.state),
        "required": result.level == Level.BLOCK,
        "how": words.why_text(result, found.definition, found.fields, {-1: _("Somebody else")}),
        "stage": pick(found.definition.stage(result.stage_key).name)
        if result.stage_key != found.facts.journey.stage_key
        else "",
        "may_suppose": criterion is not None and not result.settled and not waits,
        "may_drop": bool(keys & supposed.keys()),
        "waits": int(criterion[2].params["min_days"])
        if criterion is not None and waits and not result.settled
        else 0,
    }


def _keys(criterion: Criterion) -> set[str]:
    return {criterion.key, *(child.key for child in criterion.children)}


def _field(spec: FieldSpec, found: Scene) -> dict[str, Any]:
    value = found.facts.fields.get(spec.key)
    options: list[tuple[str, str]] = []
    kind, shown = "text", "" if value is None else str(value)
    if spec.type == FieldType.BOOLEAN:
        kind, options, shown = (
            "select",
            [("false", _("no")), ("true", _("yes"))],
            "true" if value else "false",
        )
    elif spec.options:
        kind, options = "select", [("", "—"), *((o.value, pick(o.label)) for o in spec.offered([shown]))]
    elif spec.type == FieldType.DATE:
        kind = "date"
    return {"name": f"field.{spec.key}", "label": spec.name(), "kind": kind, "value": shown, "options": options,
            "words": value_words(spec, value)}  # fmt: skip


def _step(one: dict[str, Any], found: Scene) -> dict[str, Any]:
    definition = found.definition
    at = datetime.fromisoformat(one["at"])
    return {
        "at": timezone.localtime(at),
        "text": words.move_name(definition, one["kind"], one["to"] if one["kind"] in _GOES else ""),
        "soft": [words.criterion_name(definition, key) for key in one.get("soft", ())],
        "right": one.get("right", ""),
    }


_GOES: Final = frozenset({Kind.ADVANCE, Kind.BRANCH, Kind.SKIP, Kind.REGRESS, Kind.REOPEN})


def refused_words(verdict: Verdict, found: Scene) -> list[str]:
    """Why a move was not allowed: what the move itself lacks, and each required item that is open."""
    lacking: Iterable[str] = (words.item_name(found.definition, r) for r in verdict.gaps)
    return [*map(words.objection_text, verdict.objections), *lacking]
