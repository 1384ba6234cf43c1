"""A deal that is nothing but a sandbox, clicked through a document that nobody has published. Pure: no clock, no database.

What it is stands in one JSON: the fields that were typed, the items that somebody supposes to be settled, where it stands,
what time it is there. `facts_of` makes of it what the engine reads, beside the facts of a real record where it is a copy
of one; `engine.decide` then says the same as it would say of a real record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone

from fairlead.fields.catalogue import Catalogue, FieldSpec
from fairlead.fields.conditions import Compiled, Leaf, fields_of
from fairlead.fields.enums import NUMERIC, REFERENCE, FieldType, Operator
from fairlead.fields.values import from_json, to_json
from fairlead.organisation.calendars import Calendar

from .approval_policy import asked_of
from .branching import CRITERION
from .definition import Criterion, Definition
from .enums import CANCELLING_OUTCOMES, CriterionType, JourneyState, Kind
from .facts import (
    ActivityFact,
    ApprovalFact,
    AttestationFact,
    ChildrenFact,
    DocumentFact,
    ExternalFact,
    Facts,
    JourneyFact,
    RelationFact,
)
from .verdicts import Verdict
from .version_plans import suggested

State = dict[str, Any]
NOBODY: Final = -1  # whoever attests, brings files and is met in a sandbox
LOG: Final = 200  # steps that are kept
TOP_TIER: Final = 1_000


def begin(
    definition: Definition, *, at: datetime, old: Definition | None = None, real: Facts | None = None
) -> State:
    """A new deal at the first stage; or, of a real record on `old`, one that stands where that one would stand."""
    stage = definition.start_stages[0].key
    passed: list[str] = []
    imported: list[str] = []
    if real is not None and old is not None:
        places = suggested(old, definition)
        stage = places.get(real.journey.stage_key, stage)
        passed = sorted({places[key] for key in real.journey.passed if key in places})
        imported = sorted({places[key] for key in real.journey.imported if key in places})
    return {
        "fields": {},
        "supposed": {},
        "stage": stage,
        "state": str(JourneyState.OPEN),
        "outcome": "",
        "episode": 1,
        "at": at.isoformat(),
        "opened": at.isoformat(),
        "entered": at.isoformat(),
        "closed": None,
        "passed": passed,
        "imported": imported,
        "exempt": sorted(real.journey.exempt) if real is not None else [],
        "log": [],
    }


def facts_of(
    definition: Definition,
    state: State,
    fields: Catalogue,
    calendar: Calendar,
    *,
    soft: bool,
    real: Facts | None = None,
) -> Facts:
    """What the engine may know of the sandbox. `real`: the facts of the record of which it is a copy."""
    at = datetime.fromisoformat(state["at"])
    today = timezone.localdate(at)
    entered = datetime.fromisoformat(state["entered"])
    values = {spec.key: _nothing(spec) for spec in fields} | dict(real.fields if real is not None else {})
    values |= {
        key: from_json(fields[key], stored) for key, stored in state["fields"].items() if key in fields
    }
    facts = Facts(
        subject_id=0,
        at=at,
        today=today,
        fields=values,
        journey=JourneyFact(
            id=0,
            stage_key=state["stage"],
            state=state["state"],
            outcome=state["outcome"],
            episode_no=state["episode"],
            opened_at=datetime.fromisoformat(state["opened"]),
            entered_at=entered,
            entered_at_known=True,
            closed_at=datetime.fromisoformat(state["closed"]) if state["closed"] else None,
            owner_id=None,
            soft=soft,
            passed=frozenset(state["passed"]),
            imported=frozenset(state["imported"]),
            exempt=frozenset(state["exempt"]),
        ),
        activities=real.activities if real is not None else (),
        documents=real.documents if real is not None else (),
        relations=real.relations if real is not None else (),
        attestations=real.attestations if real is not None else (),
        waivers=real.waivers if real is not None else (),
        approvals=real.approvals if real is not None else (),
        team=real.team if real is not None else {},
        externals=real.externals if real is not None else {},
        children=real.children if real is not None else {},
        working_days_in_stage=calendar.working_days_between(timezone.localdate(entered), today),
    )
    for number, (key, since) in enumerate(sorted(state["supposed"].items()), start=1):
        found = definition.criterion(key)
        if found is not None:
            facts = _with_evidence(found[2], facts, definition, datetime.fromisoformat(since), number * 100)
    return facts


def _nothing(spec: FieldSpec) -> Any:
    return False if spec.type == FieldType.BOOLEAN else [] if spec.type == FieldType.MULTI_CHOICE else None


# --- supposing that an item is settled ---


def suppose(definition: Definition, state: State, criterion: Criterion) -> State:
    """The state in which this item holds from now on: fields filled as it asks, evidence of any other kind at hand."""
    fields, supposed = dict(state["fields"]), dict(state["supposed"])
    at = datetime.fromisoformat(state["at"])
    for one in criterion.children or (criterion,):
        if one.type == CriterionType.FIELD and one.condition is not None:
            fields |= {key: to_json(value) for key, value in values_for(one.condition, at)}
        elif one.type == CriterionType.SCORE:
            score = definition.scores[one.params["score"]]
            best = max(score.points, key=lambda key: score.points[key], default=score.top)
            fields |= dict.fromkeys(score.elements, best)
        elif one.type == CriterionType.ELAPSED and one.params.get("before"):
            fields[one.params["before"]] = (timezone.localdate(at) + timedelta(days=30)).isoformat()
        else:
            supposed[one.key] = state["at"]
    return {**state, "fields": fields, "supposed": supposed}


def drop(state: State, criterion: Criterion) -> State:
    """What was supposed of this item is taken away; fields stay as they are typed."""
    gone = {criterion.key, *(child.key for child in criterion.children)}
    return {**state, "supposed": {k: v for k, v in state["supposed"].items() if k not in gone}}


def values_for(tree: Compiled, at: datetime) -> Iterator[tuple[str, Any]]:
    """Values under which a condition holds; of an alternative the first one."""
    if isinstance(tree, Leaf):
        yield tree.spec.key, _value_for(tree.spec, tree.op, tree.value, at)
    elif tree.mode != "not":
        for part in tree.parts[:1] if tree.mode == "any" else tree.parts:
            yield from values_for(part, at)


def _value_for(spec: FieldSpec, op: Operator, wanted: Any, at: datetime) -> Any:
    if op == Operator.ABSENT:
        return None
    if op in (Operator.EQ, Operator.GTE, Operator.LTE):
        return wanted
    if op == Operator.IN:
        return next(iter(wanted), None)
    if op == Operator.CONTAINS:
        return [wanted] if spec.type == FieldType.MULTI_CHOICE else wanted
    if op in (Operator.GT, Operator.LT):
        step = 1 if op == Operator.GT else -1
        return wanted + (timedelta(days=step) if isinstance(wanted, (date, datetime)) else step)
    if op == Operator.OLDER_THAN:
        return _moment(spec, at - timedelta(days=int(wanted) + 1))
    if op == Operator.WITHIN:
        return _moment(spec, at)
    refused = wanted if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]
    return sample(spec, at, refused)


def _moment(spec: FieldSpec, at: datetime) -> Any:
    return at if spec.type == FieldType.DATETIME else timezone.localdate(at)


def sample(spec: FieldSpec, at: datetime, refused: Iterable[Any] = ()) -> Any:
    """A value that counts as filled in, other than those refused."""
    no = list(refused)
    if spec.type == FieldType.BOOLEAN:
        return not no[0] if no and isinstance(no[0], bool) else True
    if spec.options:
        first = next((o.value for o in spec.options if o.value not in no), "")
        return [first] if spec.type == FieldType.MULTI_CHOICE else first
    if spec.type in NUMERIC:
        number = next(n for n in (1, 2, 3) if n not in no)
        return number if spec.type == FieldType.INTEGER else Decimal(number)
    if spec.type in (FieldType.DATE, FieldType.DATETIME):
        return _moment(spec, at)
    if spec.type in REFERENCE:
        return 1
    return (
        "name@company.com"
        if spec.type == FieldType.EMAIL
        else "13800000000"
        if spec.type == FieldType.PHONE
        else "✓"
    )


def _with_evidence(
    criterion: Criterion, facts: Facts, definition: Definition, at: datetime, number: int
) -> Facts:
    """Evidence of one item added, as the act of a person would have left it. `number`: ids of its own."""
    make = _MAKERS.get(criterion.type)
    return replace(facts, **make(criterion, facts, definition, at, number)) if make is not None else facts


Made = Mapping[str, Any]


def _activities(c: Criterion, facts: Facts, definition: Definition, at: datetime, number: int) -> Made:
    p = c.params
    count = max(int(p.get("min", 1)), int(p.get("departments_min", 0)), 1)
    made = tuple(
        ActivityFact(
            id=number + n,
            kind=next(iter(p.get("kinds") or ()), "meeting"),
            done_at=at,
            outcome=next(iter(p.get("outcomes") or ()), "talked"),
            two_way=True,
            departments=frozenset({f"department {n}"}),
            roles=frozenset(p.get("contact_roles") or ()),
        )
        for n in range(count)
    )
    return {"activities": (*facts.activities, *made)}


def _documents(c: Criterion, facts: Facts, definition: Definition, at: datetime, number: int) -> Made:
    p = c.params
    made = DocumentFact(
        id=number, kind=p["kind"], version=int(p.get("version_min", 1)), by_customer=True, signed=True, added_at=at,
        valid_until=None, added_by_id=None,
    )  # fmt: skip
    return {"documents": (*facts.documents, made)}


def _relations(c: Criterion, facts: Facts, definition: Definition, at: datetime, number: int) -> Made:
    p = c.params
    roles = p["roles"] if isinstance(p["roles"], list) else [p["roles"]]
    made = tuple(
        RelationFact(id=number + n, role=role, depth=4, stance=2, influence=2, department="")
        for n, role in enumerate(roles)
    )
    return {"relations": (*facts.relations, *made)}


def _words(c: Criterion, facts: Facts, definition: Definition, at: datetime, number: int) -> Made:
    made = AttestationFact(id=number, criterion_key=c.key, role=c.role, by_id=NOBODY, at=at)
    return {"attestations": (*facts.attestations, made)}


def _approvals(c: Criterion, facts: Facts, definition: Definition, at: datetime, number: int) -> Made:
    kind = definition.approvals.kinds.get(str(c.params["approval"]))
    if kind is None:
        return {}
    made = tuple(
        ApprovalFact(
            id=number + n, kind=kind.key, lever=lever, tier=TOP_TIER, bounds=(), granted_at=at,
            stage_key=facts.journey.stage_key,
            expires_at=at + timedelta(days=kind.valid_days) if kind.valid_days is not None else None,
        )
        for n, lever in enumerate(asked_of(kind, facts.fields, at=facts.at).lanes)
    )  # fmt: skip
    return {"approvals": (*facts.approvals, *made)}


def _externals(c: Criterion, facts: Facts, definition: Definition, at: datetime, number: int) -> Made:
    key = str(c.params["fact"])
    return {"externals": {**facts.externals, key: ExternalFact(key, at)}}


def _children(c: Criterion, facts: Facts, definition: Definition, at: datetime, number: int) -> Made:
    count = max(int(c.params.get("min", 1)), 1)
    return {"children": {**facts.children, str(c.params["tasks"]): ChildrenFact(count, count)}}


_MAKERS: Final[Mapping[CriterionType, Any]] = {
    CriterionType.ACTIVITY: _activities,
    CriterionType.DOCUMENT: _documents,
    CriterionType.RELATION: _relations,
    CriterionType.ATTESTATION: _words,
    CriterionType.APPROVAL: _approvals,
    CriterionType.EXTERNAL: _externals,
    CriterionType.CHILD: _children,
}


# --- moving on ---

_PASSES: Final = frozenset({Kind.ADVANCE, Kind.BRANCH})
_CHANGES_STAGE: Final = frozenset({Kind.ADVANCE, Kind.BRANCH, Kind.SKIP, Kind.REGRESS})


def moved(definition: Definition, state: State, verdict: Verdict) -> State:
    """The state after a move that the engine allowed."""
    kind, here = Kind(verdict.wish.kind), state["stage"]
    step = {"at": state["at"], "kind": str(kind), "from": here, "to": verdict.target}
    if verdict.soft_passed:
        step["soft"] = list(verdict.soft_passed)
    if verdict.needs_right:
        step["right"] = verdict.needs_right
    found = {**state, "log": [*state["log"], step][-LOG:]}
    if kind in _CHANGES_STAGE:
        passed = {*state["passed"], here} if kind in _PASSES else set(state["passed"])
        return {**found, "stage": verdict.target, "entered": state["at"], "passed": sorted(passed)}
    if kind == Kind.CLOSE_WON:
        return {**found, "state": str(JourneyState.WON), "outcome": "won", "closed": state["at"]}
    if kind == Kind.CLOSE_LOST:
        reason = definition.reason("lost", verdict.wish.reason)
        outcome = str(reason.outcome) if reason is not None and reason.outcome else "lost"
        ended = JourneyState.CANCELLED if outcome in CANCELLING_OUTCOMES else JourneyState.LOST
        return {**found, "state": str(ended), "outcome": outcome, "closed": state["at"]}
    if kind == Kind.HOLD:
        return {**found, "state": str(JourneyState.ON_HOLD)}
    if kind == Kind.RESUME:
        return {**found, "state": str(JourneyState.OPEN)}
    return {
        **found, "state": str(JourneyState.OPEN), "outcome": "", "closed": None, "episode": state["episode"] + 1,
        "stage": verdict.target or here, "entered": state["at"], "passed": [], "imported": [], "exempt": [],
    }  # fmt: skip


# --- which fields matter ---


def read_by(definition: Definition, fields: Catalogue) -> tuple[FieldSpec, ...]:
    """The fields that a document reads, in the order of the catalogue."""
    keys: set[str] = set()
    for stage, _side, criterion in definition.criteria():
        for one in (criterion, *criterion.children):
            keys |= {spec.key for spec in one.fields} | _of(one.condition) | _of(one.applies_if)
        for transition in stage.transitions:
            keys |= {key for key in _of(transition.when) if not key.startswith(CRITERION)}
    for kind in definition.approvals.kinds.values():
        for row in kind.rows:
            keys |= _of(row.when)
    return tuple(spec for spec in fields if spec.key in keys)


def _of(tree: Compiled | None) -> frozenset[str]:
    return fields_of(tree) if tree is not None else frozenset()
