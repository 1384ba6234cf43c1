"""How verdicts and facts stand in JSON: stored with each attempt, and sent by the API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from fairlead.fields.values import to_json

from .facts import Facts
from .verdicts import CriterionResult, Objection

_SCALARS = frozenset({str, int, bool, float, type(None)})


def result_as_json(result: CriterionResult) -> dict[str, Any]:
    found: dict[str, Any] = {
        "key": result.key,
        "stage": result.stage_key,
        "side": result.side,
        "type": str(result.type),
        "level": str(result.level),
        "state": str(result.state),
        "why": result.why,
    }
    for name, value in (
        ("params", plain(result.why_params)),
        ("role", result.role),
        ("evidence", result.evidence),
    ):
        if value:
            found[name] = value
    if result.expires_at is not None:
        found["expires_at"] = result.expires_at.isoformat()
    if result.children:
        found["children"] = [result_as_json(child) for child in result.children]
    return found


def results_as_json(results: Iterable[CriterionResult]) -> list[dict[str, Any]]:
    return [result_as_json(r) for r in results]


def objections_as_json(objections: Iterable[Objection]) -> list[dict[str, Any]]:
    return [{"code": o.code, **({"params": plain(o.params)} if o.params else {})} for o in objections]


def plain(value: Any) -> Any:
    """JSON's own types all the way down."""
    if type(value) in _SCALARS:
        return value
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, frozenset, set)):
        return [plain(v) for v in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    return to_json(value)


def facts_as_json(facts: Facts) -> dict[str, Any]:
    """All catalogue fields that could be read, and counts by kind of evidence, so that a criterion invented
    later can be tried on this attempt (idea 4 of the design)."""
    return {
        "fields": {key: plain(value) for key, value in facts.fields.items()},
        "activities": dict(sorted(Counter(a.kind for a in facts.activities).items())),
        "documents": dict(sorted(Counter(d.kind for d in facts.documents).items())),
        "relations": dict(sorted(Counter(r.role for r in facts.relations).items())),
        "externals": sorted(facts.externals),
        "attestations": sorted({a.criterion_key for a in facts.attestations}),
        "waivers": sorted({w.criterion_key for w in facts.waivers}),
        "vetoes": sorted(v.domain for v in facts.vetoes),
        "approvals": sorted(
            {f"{a.kind}.{a.lever}" for a in facts.approvals if a.lever and not a.was_outside}
        ),
        "days_in_stage": facts.working_days_in_stage,
        "unknown": sorted(facts.unknown),
    }
