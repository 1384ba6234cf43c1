"""How each type of criterion is judged on the facts (§2.2). Pure functions, one per type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from fairlead.fields.conditions import verdict as condition_verdict

from .definition import Criterion, Definition
from .enums import SETTLED, CriterionState, CriterionType, Level
from .envelopes import Cover, coverage
from .facts import ConditionFact, Facts
from .verdicts import CriterionResult

# state, why, why_params, mend, mend_params, evidence, expires_at
Judgement = tuple[CriterionState, str, Mapping[str, Any], str, Mapping[str, Any], str, "datetime | None"]

MET, UNMET, EXPIRED, UNKNOWN = (
    CriterionState.MET,
    CriterionState.UNMET,
    CriterionState.EXPIRED,
    CriterionState.UNKNOWN,
)
NONE: Mapping[str, Any] = {}


def end_of_day(day: date) -> datetime:
    """The instant at which `day` is over in the house's time zone; the last day there is has no morrow."""
    if day >= date.max - timedelta(days=1):
        return datetime.combine(date.max - timedelta(days=1), time.max, UTC)
    return datetime.combine(day + timedelta(days=1), time.min, timezone.get_default_timezone())


def expiry(criterion: Criterion, since: datetime, until: date | None = None) -> datetime | None:
    """When evidence given at `since` runs out: after `valid_days` calendar days, or at its own date."""
    ends = []
    if criterion.valid_days is not None:
        ends.append(
            end_of_day(
                timezone.localdate(since, timezone.get_default_timezone())
                + timedelta(days=criterion.valid_days)
            )
        )
    if until is not None:
        ends.append(end_of_day(until))
    return min(ends) if ends else None


def _field(criterion: Criterion, facts: Facts, definition: Definition, settled_stage: bool) -> Judgement:
    assert criterion.condition is not None
    keys = [spec.key for spec in criterion.fields]
    holds = condition_verdict(criterion.condition, facts.fields, now=facts.at)
    mend = {"fields": keys}
    if holds is None:
        return UNKNOWN, "field_unknown", {"fields": keys}, "field", mend, "", None
    if holds:
        return MET, "field_met", {"fields": keys}, "field", mend, f"field:{keys[0]}", None
    empty = [
        k for k, spec in zip(keys, criterion.fields, strict=True) if not spec.is_filled(facts.fields.get(k))
    ]
    placeholder = [k for k in empty if facts.fields.get(k) not in (None, "", [])]
    if placeholder:
        return UNMET, "field_placeholder", {"fields": placeholder}, "field", mend, "", None
    if empty:
        return UNMET, "field_empty", {"fields": empty}, "field", mend, "", None
    return UNMET, "field_value", {"fields": keys}, "field", mend, "", None


def _activity(criterion: Criterion, facts: Facts, definition: Definition, settled_stage: bool) -> Judgement:
    p = criterion.params
    kinds, outcomes = p.get("kinds"), p.get("outcomes")
    roles = frozenset(p.get("contact_roles", ()))
    needed = int(p.get("min", 1))
    departments_needed = int(p.get("departments_min", 0))
    mend = {"kinds": list(kinds or ()), "min": needed, "departments_min": departments_needed}
    if "activities" in facts.unknown:
        return UNKNOWN, "evidence_unknown", NONE, "activity", mend, "", None
    fitting = [
        a
        for a in facts.activities
        if (not kinds or a.kind in kinds)
        and (a.outcome in outcomes if outcomes else a.two_way)
        and (not roles or a.roles & roles)
    ]
    # How recent an activity must be is asked while the stage is being worked, not of stages long passed.
    within = None if settled_stage else p.get("within_days")
    recent = (
        fitting if within is None else [a for a in fitting if a.done_at >= facts.at - timedelta(days=within)]
    )
    departments = frozenset().union(*(a.departments for a in recent)) if recent else frozenset()
    count = {
        "count": len(recent),
        "min": needed,
        "departments": len(departments),
        "departments_min": departments_needed,
        "within_days": within or 0,
    }
    if len(recent) >= needed and len(departments) >= departments_needed:
        newest = max(recent, key=lambda a: (a.done_at, a.id), default=None)
        ends = None
        if within is not None and newest is not None:
            # The criterion holds until the activity that makes up the number grows too old.
            ends = sorted((a.done_at for a in recent), reverse=True)[needed - 1] + timedelta(days=within)
        return MET, "activity_met", count, "activity", mend, f"activity:{newest.id}" if newest else "", ends
    if within is not None and len(fitting) >= needed:
        return EXPIRED, "activity_too_old", count, "activity", mend, "", None
    return UNMET, "activity_missing", count, "activity", mend, "", None


def _document(criterion: Criterion, facts: Facts, definition: Definition, settled_stage: bool) -> Judgement:
    p = criterion.params
    mend = {"kind": p["kind"], "by": p.get("by", ""), "signed": bool(p.get("signed"))}
    if "documents" in facts.unknown:
        return UNKNOWN, "evidence_unknown", NONE, "document", mend, "", None
    fitting = [
        d
        for d in facts.documents
        if d.kind == p["kind"]
        and d.version >= int(p.get("version_min", 1))
        and (p.get("by") != "customer" or d.by_customer)
        and (not p.get("signed") or d.signed)
    ]
    if not fitting:
        other = any(d.kind == p["kind"] for d in facts.documents)
        if not other and f"document:{p['kind']}" in facts.unknown:
            return UNKNOWN, "evidence_unknown", NONE, "document", mend, "", None
        return (
            UNMET,
            "document_not_customer" if other else "document_missing",
            mend,
            "document",
            mend,
            "",
            None,
        )
    newest = max(fitting, key=lambda d: (d.added_at, d.id))
    ends = expiry(criterion, newest.added_at, newest.valid_until)
    said = {"version": newest.version, "at": newest.added_at.isoformat(), "by_id": newest.added_by_id}
    evidence = f"document:{newest.id}"
    if ends is not None and ends <= facts.at:
        return (
            EXPIRED,
            "document_expired",
            {**said, "ended_at": ends.isoformat()},
            "document",
            mend,
            evidence,
            ends,
        )
    return MET, "document_met", said, "document", mend, evidence, ends


def _relation(criterion: Criterion, facts: Facts, definition: Definition, settled_stage: bool) -> Judgement:
    p = criterion.params
    roles = p["roles"] if isinstance(p["roles"], list) else [p["roles"]]
    mend = {"roles": roles, "depth_min": int(p.get("depth_min", 0)), "stance_min": p.get("stance_min")}
    if "relations" in facts.unknown:
        return UNKNOWN, "evidence_unknown", NONE, "relation", mend, "", None
    fitting = [
        r
        for r in facts.relations
        if r.role in roles
        and r.depth >= int(p.get("depth_min", 0))
        and (p.get("stance_min") is None or r.stance >= int(p["stance_min"]))
    ]
    covered = {r.role for r in fitting}
    needed = int(p.get("min", len(roles)))
    said = {
        "roles": roles,
        "missing": [r for r in roles if r not in covered],
        "count": len(covered),
        "min": needed,
    }
    if len(covered) >= needed:
        return MET, "relation_met", said, "relation", mend, f"relation:{fitting[0].id}", None
    weak = any(r.role in roles for r in facts.relations)
    return UNMET, "relation_weak" if weak else "relation_missing", said, "relation", mend, "", None


def _score(criterion: Criterion, facts: Facts, definition: Definition, settled_stage: bool) -> Judgement:
    p = criterion.params
    score = definition.scores[p["score"]]
    mend = {"score": score.key, "fields": list(score.elements)}
    if any(e not in facts.fields for e in score.elements):
        return UNKNOWN, "evidence_unknown", NONE, "score", mend, "", None
    values = {e: score.worth(facts.fields[e]) for e in score.elements}
    total, floor = sum(values.values()), p.get("floor") or {}
    below = [e for e, low in floor.items() if values[e] < int(low)]
    said = {"total": total, "min": int(p["min"]), "top": score.most, "below": below}
    if total >= int(p["min"]) and not below:
        return MET, "score_met", said, "score", mend, f"score:{score.key}", None
    return UNMET, "score_floor" if total >= int(p["min"]) else "score_low", said, "score", mend, "", None


def own_workers(criterion: Criterion, team: Mapping[str, frozenset[int]]) -> frozenset[int | None]:
    """People whose own work a criterion confirms, by the roles that they hold: their word is none for it."""
    return frozenset(person for role in criterion.own_work_of for person in team.get(role, ()))


def _attestation(
    criterion: Criterion, facts: Facts, definition: Definition, settled_stage: bool
) -> Judgement:
    mend = {"role": criterion.role, "criterion": criterion.key}
    if "attestations" in facts.unknown:
        return UNKNOWN, "evidence_unknown", NONE, "attest", mend, "", None
    given = [a for a in facts.attestations if a.criterion_key == criterion.key]
    # Nobody attests their own work (IT-1): neither the owner nor whoever answers for the stage in another role.
    own = own_workers(criterion, facts.team) | {facts.journey.owner_id}
    counting = [a for a in given if a.by_id not in own]
    if not given and f"attestation:{criterion.key}" in facts.unknown:
        return UNKNOWN, "evidence_unknown", NONE, "attest", mend, "", None
    if not counting:
        return UNMET, "attestation_own" if given else "attestation_missing", mend, "attest", mend, "", None
    newest = max(counting, key=lambda a: (a.at, a.id))
    ends = expiry(criterion, newest.at)
    said = {"by_id": newest.by_id, "at": newest.at.isoformat(), "role": newest.role}
    if ends is not None and ends <= facts.at:
        return EXPIRED, "attestation_expired", said, "attest", mend, f"attestation:{newest.id}", ends
    return MET, "attestation_met", said, "attest", mend, f"attestation:{newest.id}", ends


def _approval(criterion: Criterion, facts: Facts, definition: Definition, settled_stage: bool) -> Judgement:
    name = str(criterion.params["approval"])
    mend = {"approval": name}
    kind = definition.approvals.kinds.get(name)
    if kind is None:
        return UNKNOWN, "approval_unknown", mend, "none", NONE, "", None
    if "approvals" in facts.unknown or f"approval:{name}" in facts.unknown:
        return UNKNOWN, "evidence_unknown", NONE, "approval", mend, "", None
    found = coverage(kind, facts.fields, [a for a in facts.approvals if not a.about], at=facts.at)
    said = {
        **mend,
        "levers": list(found.open_levers),
        "rows": [row.key for row in found.asked.lanes.values()],
    }
    match found.cover:
        case Cover.COVERED:
            newest = max(found.by, key=lambda a: (a.granted_at, a.id))
            said["at"] = newest.granted_at.isoformat()
            return MET, "approval_met", said, "approval", mend, f"approval:{newest.id}", found.ends_at
        case Cover.NOT_NEEDED:
            return MET, "approval_not_needed", said, "approval", mend, "", None
        case Cover.UNKNOWN:
            return UNKNOWN, "evidence_unknown", NONE, "approval", mend, "", None
        case Cover.EXPIRED:
            return EXPIRED, "approval_expired", said, "approval", mend, "", None
        case Cover.PROHIBITED:
            said["prohibited"] = [one.key for one in found.asked.prohibited]
    return UNMET, f"approval_{found.cover}", said, "approval", mend, "", None


def _external(criterion: Criterion, facts: Facts, definition: Definition, settled_stage: bool) -> Judgement:
    key = str(criterion.params["fact"])
    mend = {"fact": key}
    if "externals" in facts.unknown:
        return UNKNOWN, "evidence_unknown", NONE, "external", mend, "", None
    fact = facts.externals.get(key)
    if fact is None:
        return UNMET, "external_missing", mend, "external", mend, "", None
    ends = expiry(criterion, fact.at)
    if ends is not None and ends <= facts.at:
        return EXPIRED, "external_expired", mend, "external", mend, fact.ref, ends
    return MET, "external_met", {**mend, "at": fact.at.isoformat()}, "external", mend, fact.ref, ends


def _child(criterion: Criterion, facts: Facts, definition: Definition, settled_stage: bool) -> Judgement:
    name = str(criterion.params["tasks"])
    mend = {"tasks": name}
    if "children" in facts.unknown:
        return UNKNOWN, "evidence_unknown", NONE, "task", mend, "", None
    children = facts.children.get(name)
    if children is None and f"child:{name}" in facts.unknown:
        return UNKNOWN, "evidence_unknown", NONE, "task", mend, "", None
    done, total = (children.done, children.total) if children else (0, 0)
    needed = int(criterion.params.get("min", max(total, 1)))
    said = {"done": done, "total": total, "min": needed}
    if done >= needed:
        return MET, "child_met", said, "task", mend, f"tasks:{name}", None
    return UNMET, "child_open", said, "task", mend, "", None


def _elapsed(criterion: Criterion, facts: Facts, definition: Definition, settled_stage: bool) -> Judgement:
    before = criterion.params.get("before")
    if before:
        limit = facts.fields.get(before)
        if before not in facts.fields:
            return UNKNOWN, "evidence_unknown", NONE, "field", {"fields": [before]}, "", None
        if limit is None:
            return UNMET, "field_empty", {"fields": [before]}, "field", {"fields": [before]}, "", None
        day = timezone.localdate(limit) if isinstance(limit, datetime) else limit
        said = {"fields": [before], "date": day.isoformat()}
        ok = facts.today <= day
        return (
            MET if ok else UNMET,
            "elapsed_in_time" if ok else "elapsed_late",
            said,
            "field",
            {"fields": [before]},
            f"field:{before}" if ok else "",
            end_of_day(day) if ok else None,
        )
    needed = int(criterion.params["min_days"])
    if settled_stage:
        return MET, "elapsed_met", {"days": needed, "min": needed}, "wait", NONE, "", None
    days = facts.working_days_in_stage
    if days is None:
        return UNKNOWN, "evidence_unknown", NONE, "wait", {"min": needed}, "", None
    state = MET if days >= needed else UNMET
    return (
        state,
        "elapsed_met" if state is MET else "elapsed_early",
        {"days": days, "min": needed},
        "wait",
        {"min": needed},
        "",
        None,
    )


CHECKS: Mapping[CriterionType, Callable[[Criterion, Facts, Definition, bool], Judgement]] = {
    CriterionType.FIELD: _field,
    CriterionType.ACTIVITY: _activity,
    CriterionType.DOCUMENT: _document,
    CriterionType.RELATION: _relation,
    CriterionType.SCORE: _score,
    CriterionType.ATTESTATION: _attestation,
    CriterionType.APPROVAL: _approval,
    CriterionType.EXTERNAL: _external,
    CriterionType.CHILD: _child,
    CriterionType.ELAPSED: _elapsed,
}


def condition_state(condition: ConditionFact, facts: Facts) -> tuple[CriterionState, str]:
    """Whether what an approval was given on condition of has come about, and what shows it (AP-12)."""
    if condition.met_at is not None:
        return MET, f"condition:{condition.id}"
    if condition.kind == "external":
        if "externals" in facts.unknown:
            return UNKNOWN, ""
        fact = facts.externals.get(condition.name)
        return (MET, fact.ref) if fact is not None else (UNMET, "")
    if condition.kind == "document":
        if "documents" in facts.unknown:
            return UNKNOWN, ""
        found = [d for d in facts.documents if d.kind == condition.name]
        return (MET, f"document:{found[-1].id}") if found else (UNMET, "")
    return UNMET, ""


def condition_result(condition: ConditionFact, facts: Facts) -> CriterionResult:
    """What an approval was given on condition of is a required item like any other, and is not waived (AP-12)."""
    state, evidence = condition_state(condition, facts)
    is_met = state == CriterionState.MET
    mend = {"external": "external", "document": "document"}.get(condition.kind, "condition")
    params = {"condition": condition.id, "fact": condition.name, "kind": condition.name}
    return CriterionResult(
        key=condition.key,
        stage_key=condition.stage_key,
        side="exit",
        type={"external": CriterionType.EXTERNAL, "document": CriterionType.DOCUMENT}.get(
            condition.kind, CriterionType.ATTESTATION
        ),
        level=Level.BLOCK,
        state=state,
        why="condition_met" if is_met else "condition_open",
        why_params={"text": condition.text},
        role=condition.role,
        mend=mend,
        mend_params=params,
        evidence=evidence,
    )


def group_state(mode: str, k: int, states: list[CriterionState]) -> CriterionState:
    """All, any, or k of n. A part that is not applicable leaves the count; unknown never opens."""
    counting = [s for s in states if s != CriterionState.NA]
    if not counting:
        return CriterionState.NA
    needed = {"all": len(counting), "any": 1}.get(mode, min(k, len(counting)))
    good = sum(1 for s in counting if s in SETTLED)
    if good >= needed:
        return MET
    if good + sum(1 for s in counting if s == UNKNOWN) >= needed:
        return UNKNOWN
    if good + sum(1 for s in counting if s in (EXPIRED, UNKNOWN)) >= needed:
        return EXPIRED
    return UNMET
