"""`decide`: one wish on one journey, judged on its facts. Pure: no clock, no database, no words (idea 4).

Leaving forward evaluates the exit of the current stage, the entry of the target, and what blocked at stages
before on the same path; a skip also evaluates what may not be skipped of the stages left out; a move back
asks for a reason and, far back, for a manager; losing asks for its form alone (GT-3, MV-1 to MV-9).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from fairlead.fields.conditions import verdict as condition_verdict

from .branching import Choice, OtherWay, Settled, choose, other_way
from .checks import CHECKS, condition_result, group_state
from .definition import Criterion, Definition, Stage, Transition
from .enums import (
    CLOSED_STATES,
    FINAL_OUTCOMES,
    FORWARD,
    SETTLED,
    CriterionState,
    CriterionType,
    JourneyState,
    Kind,
    Level,
)  # fmt: skip
from .facts import ConditionFact, Facts
from .verdicts import VETO, CriterionResult, LegalMove, Objection, TrackResult, Verdict, Wish
from .vetoes import role_of
from .wishes import default_reasons, reason_objections

#: Back to a fork and on by its other way: an act with a reason, never by itself (MV-4).
AGAIN = Transition(kind=Kind.BRANCH, reasons="regress")
FAR_REGRESS = 1  # more stages than this back asks for confirmation (MV-3)


def legal_moves(definition: Definition, facts: Facts) -> tuple[LegalMove, ...]:
    """The moves that the process knows from here, in the order in which they are offered."""
    journey = facts.journey
    if journey.outcome in FINAL_OUTCOMES:
        return ()  # the record that it was merged into goes on for both (MV-8); or it left its process (VR-2)
    if journey.state in CLOSED_STATES:
        return (LegalMove(Kind.REOPEN, journey.stage_key, "reopen", _reopen_right(journey.state)),)
    if journey.state == JourneyState.ON_HOLD:
        lost = definition.stage(journey.stage_key).transition(Kind.CLOSE_LOST)
        moves = [LegalMove(Kind.RESUME, journey.stage_key, "", "")]
        if lost:
            moves.append(LegalMove(Kind.CLOSE_LOST, "", "lost", ""))
        return tuple(moves)
    stage = definition.stage(journey.stage_key)
    found = []
    for t in stage.transitions:
        if t.kind == Kind.BRANCH and t is not branch_choice(definition, facts).transition:
            continue
        right = t.needs_right
        if t.kind == Kind.REGRESS and _is_far(definition, facts, t.to):
            right = right or "regress.confirm"
        found.append(LegalMove(t.kind, t.to, t.reasons or default_reasons(t.kind), right))
    since = branch_since(definition, facts)
    if since is not None and not any(m.kind == Kind.BRANCH and m.to == since.to for m in found):
        found.append(LegalMove(Kind.BRANCH, since.to, AGAIN.reasons, "", again=True))
    return tuple(found)


def forward_move(definition: Definition, facts: Facts) -> Wish | None:
    """The plain next move of an open journey: advance, the branch that fits, or winning; None when there is none."""
    if facts.journey.state != JourneyState.OPEN:
        return None
    for move in legal_moves(definition, facts):
        if move.kind in (Kind.ADVANCE, Kind.BRANCH, Kind.CLOSE_WON) and not move.again:
            return Wish(kind=move.kind, to=move.to)
    return None


def decide(definition: Definition, facts: Facts, wish: Wish) -> Verdict:
    """Judge `wish`. Never raises for a wish that cannot be: its verdict holds the objections."""
    objections, transition = _objections(definition, facts, wish)
    results: tuple[CriterionResult, ...] = ()
    tracks: tuple[TrackResult, ...] = ()
    skipped: tuple[str, ...] = ()
    target, fork = wish.to, ""
    if transition is not None and wish.kind in FORWARD:
        # Whoever only says “ahead” meets the entry of the stage ahead like anybody who names it.
        target = transition.to
        meant = replace(wish, to=target)
        fork = (
            ""
            if transition in definition.stage(facts.journey.stage_key).transitions
            else _fork(definition, facts)
        )
        results = (*_vetoes(facts), *_evaluate_forward(definition, facts, meant, fork=fork))
        tracks = tracks_of(definition.stage(facts.journey.stage_key), results)
        if wish.kind == Kind.SKIP:
            skipped = tuple(s.key for s in definition.between(facts.journey.stage_key, transition.to))
    elif wish.kind == Kind.REOPEN and not objections:
        target = wish.to or facts.journey.stage_key
        results = tuple(evaluate(definition, facts, definition.stage(target), "entry"))
    gaps = [r for r in results if r.blocks]
    soft_passed: tuple[str, ...] = ()
    allowed = not objections
    if allowed and gaps:
        # A veto is a person's word and no item of a gate: it holds where gates only flag.
        if any(r.type == VETO for r in gaps):
            allowed = False
        elif facts.journey.soft or wish.kind == Kind.REOPEN:
            soft_passed = tuple(r.key for r in gaps)
        else:
            allowed = False
    return Verdict(
        wish=wish,
        allowed=allowed,
        objections=tuple(objections),
        results=results,
        skipped=skipped,
        target=target,
        needs_right=_needs_right(definition, facts, wish, transition),
        soft_passed=soft_passed,
        tracks=tracks,
        branches=_looked_at(definition, facts, wish, fork),
        again=bool(fork),
    )


def _fork(definition: Definition, facts: Facts) -> str:
    since = branch_since(definition, facts)
    return since.fork if since is not None else ""


def _looked_at(
    definition: Definition, facts: Facts, wish: Wish, fork: str
) -> tuple[tuple[str, bool | None], ...]:
    if wish.kind != Kind.BRANCH or facts.journey.state != JourneyState.OPEN:
        return ()
    stage = definition.stage(fork or facts.journey.stage_key)
    return choose(stage, facts, _settled(definition, facts)).seen


def tracks_of(stage: Stage, results: Iterable[CriterionResult]) -> tuple[TrackResult, ...]:
    """How far each role is with its part of a stage. An item that was not judged, as at a skip, is not waited for."""
    if not stage.tracks:
        return ()
    known = {r.key: r for r in results if r.stage_key == stage.key and r.side == "exit"}
    found = []
    for track in stage.tracks:
        own = [known[key] for key in track.criteria if key in known]
        found.append(
            TrackResult(
                key=track.key,
                stage_key=stage.key,
                role=track.role,
                level=track.level,
                done=sum(1 for r in own if r.settled),
                total=len(own),
                missing=tuple(r.key for r in own if r.blocks),
            )
        )
    return tuple(found)


def _vetoes(facts: Facts) -> Iterator[CriterionResult]:
    """Each open veto stands before the move as a gap of its own, named by its clause (IT-3)."""
    for veto in facts.vetoes:
        yield CriterionResult(
            key=f"veto_{veto.id}",
            stage_key=facts.journey.stage_key,
            side="exit",
            type=VETO,
            level=Level.BLOCK,
            state=CriterionState.UNMET,
            why="veto_open",
            why_params={
                "by_id": veto.by_id,
                "domain": veto.domain,
                "clause": veto.clause,
                "at": veto.at.isoformat(),
            },
            role=role_of(veto.domain),
            mend="veto",
            mend_params={"veto": veto.id},
        )


def evaluate(
    definition: Definition,
    facts: Facts,
    stage: Stage,
    side: str,
    *,
    only_blocking: bool = False,
    only_unskippable: bool = False,
    settled_stage: bool = False,
) -> Iterator[CriterionResult]:
    """The criteria of one side (entry, exit) of a stage, judged. A slot that is filled is not worth a line."""
    for criterion in stage.entry if side == "entry" else stage.exit:
        if only_blocking and criterion.level != Level.BLOCK:
            continue
        if only_unskippable and criterion.skippable:
            continue
        result = judge(definition, facts, stage, side, criterion, settled_stage=settled_stage)
        if not (criterion.slot and result.state in (CriterionState.MET, CriterionState.NA)):
            yield result


def judge(
    definition: Definition,
    facts: Facts,
    stage: Stage,
    side: str,
    criterion: Criterion,
    *,
    settled_stage: bool = False,
) -> CriterionResult:
    """One criterion. Imported passes and conditions that do not apply make it not applicable, visibly (GT-9)."""
    if stage.key in facts.journey.imported:
        return _result(criterion, stage, side, CriterionState.NA, "imported")
    if criterion.key in facts.journey.exempt:
        return _result(criterion, stage, side, CriterionState.NA, "grandfathered")
    until = facts.journey.grace.get(criterion.key)
    if until is not None and until > facts.at:
        return _result(criterion, stage, side, CriterionState.NA, "grace", until=until)
    if criterion.applies_if is not None:
        applies = condition_verdict(criterion.applies_if, facts.fields, now=facts.at)
        if applies is False:
            return _result(criterion, stage, side, CriterionState.NA, "does_not_apply")
        if applies is None:
            return _waived(definition, facts, stage, side, criterion) or _result(
                criterion, stage, side, CriterionState.UNKNOWN, "applies_unknown"
            )
    if criterion.type == CriterionType.GROUP:
        parts = tuple(
            judge(definition, facts, stage, side, child, settled_stage=settled_stage)
            for child in criterion.children
        )
        state = group_state(criterion.mode, criterion.k, [p.state for p in parts])
        done = sum(1 for p in parts if p.settled)
        params = {"done": done, "total": len(parts), "mode": criterion.mode, "k": criterion.k}
        ends = [p.expires_at for p in parts if p.expires_at and p.state == CriterionState.MET]
        if state not in (CriterionState.MET, CriterionState.NA) and (
            waived := _waived(definition, facts, stage, side, criterion)
        ):
            return waived
        return CriterionResult(
            key=criterion.key,
            stage_key=stage.key,
            side=side,
            type=criterion.type,
            level=criterion.level,
            state=state,
            why="group",
            why_params=params,
            role=criterion.role,
            mend="group",
            expires_at=min(ends) if ends and state == CriterionState.MET else None,
            children=parts,
        )
    state, why, why_params, mend, mend_params, evidence, ends_at = CHECKS[criterion.type](
        criterion, facts, definition, settled_stage
    )
    if state != CriterionState.MET and (waived := _waived(definition, facts, stage, side, criterion)):
        return waived
    return CriterionResult(
        key=criterion.key,
        stage_key=stage.key,
        side=side,
        type=criterion.type,
        level=criterion.level,
        state=state,
        why=why,
        why_params=why_params,
        role=criterion.role,
        mend=mend,
        mend_params=mend_params,
        evidence=evidence,
        expires_at=ends_at,
    )


def _result(
    criterion: Criterion,
    stage: Stage,
    side: str,
    state: CriterionState,
    why: str,
    *,
    until: datetime | None = None,
) -> CriterionResult:
    return CriterionResult(
        key=criterion.key,
        stage_key=stage.key,
        side=side,
        type=criterion.type,
        level=criterion.level,
        state=state,
        why=why,
        why_params={} if until is None else {"until": until.isoformat()},
        role=criterion.role,
        expires_at=until,
    )


def _waived(
    definition: Definition, facts: Facts, stage: Stage, side: str, criterion: Criterion
) -> CriterionResult | None:
    """A waiver that still runs settles its criterion; one that has run out does nothing (OV-1)."""
    live = [w for w in facts.waivers if w.criterion_key == criterion.key and w.expires_at > facts.at]
    if not live or not criterion.waivable:
        return None
    waiver = max(live, key=lambda w: w.expires_at)
    return CriterionResult(
        key=criterion.key,
        stage_key=stage.key,
        side=side,
        type=criterion.type,
        level=criterion.level,
        state=CriterionState.WAIVED,
        why="waived",
        why_params={
            "by_id": waiver.granted_by_id,
            "reason": waiver.reason_code,
            "until": waiver.expires_at.isoformat(),
        },
        role=criterion.role,
        evidence=f"waiver:{waiver.id}",
        expires_at=waiver.expires_at,
    )


def _evaluate_forward(
    definition: Definition, facts: Facts, wish: Wish, *, fork: str = ""
) -> Iterator[CriterionResult]:
    """`fork`: back to that stage and on by its other way: what lies behind the fork is left, not finished."""
    here = definition.stage(facts.journey.stage_key)
    last = definition.position(fork) if fork else len(definition.stages)
    for earlier in definition.before(here.key):
        if earlier.key in facts.journey.passed and definition.position(earlier.key) <= last:
            yield from evaluate(definition, facts, earlier, "exit", only_blocking=True, settled_stage=True)
    if wish.kind == Kind.SKIP:
        # A skip leaves this stage unfinished and others untouched: only what may never be skipped counts.
        for stage in (here, *definition.between(here.key, wish.to)):
            yield from evaluate(definition, facts, stage, "exit", only_unskippable=True)
    elif not fork:
        yield from evaluate(definition, facts, here, "exit")
    if wish.to:
        yield from evaluate(definition, facts, definition.stage(wish.to), "entry")
    for condition in facts.conditions:
        if _is_due(definition, condition, wish):
            yield condition_result(condition, facts)


def _is_due(definition: Definition, condition: ConditionFact, wish: Wish) -> bool:
    """A condition stands at the exit of its stage; one of a stage that this version does not have stands at once."""
    if not wish.to or condition.stage_key not in definition.by_key:
        return True
    return definition.position(condition.stage_key) < definition.position(wish.to)


def left_behind(
    definition: Definition, facts: Facts, keys: Iterable[str]
) -> Iterator[tuple[str, CriterionResult]]:
    """Items that a move left open, as they stand now. What the process no longer asks for is left out (GT-1)."""
    for key in keys:
        found = definition.criterion(key)
        if found is not None:
            stage, side, criterion = found
            passed = stage.key in facts.journey.passed
            yield key, judge(definition, facts, stage, side, criterion, settled_stage=passed)


def _settled(definition: Definition, facts: Facts) -> Settled:
    """Whether a criterion of the process holds, for a branch that asks."""

    def settled(key: str) -> bool | None:
        found = definition.criterion(key)
        if found is None:
            return None
        stage, side, criterion = found
        state = judge(definition, facts, stage, side, criterion, settled_stage=True).state
        return None if state == CriterionState.UNKNOWN else state in SETTLED

    return settled


def branch_choice(definition: Definition, facts: Facts) -> Choice:
    """What the fork at the stage where the journey is comes to now."""
    return choose(definition.stage(facts.journey.stage_key), facts, _settled(definition, facts))


def branch_since(definition: Definition, facts: Facts) -> OtherWay | None:
    """A fork already passed that would lead elsewhere now, of an open journey (MV-4)."""
    if facts.journey.state != JourneyState.OPEN or not definition.has_branches:
        return None
    return other_way(definition, facts, _settled(definition, facts))


def _is_far(definition: Definition, facts: Facts, to: str) -> bool:
    """More than one stage back, or behind what was decided or has gone out to the customer (MV-3)."""
    if facts.journey.issued:
        return True
    target = definition.position(to)
    if definition.position(facts.journey.stage_key) - target > FAR_REGRESS:
        return True
    return any(
        definition.positions.get(fact.stage_key, target) > target
        for fact in facts.approvals
        if not fact.is_pending and not fact.about
    )


def _reopen_right(state: str) -> str:
    return "deal.reopen_won" if state == JourneyState.WON else "deal.reopen"


def _needs_right(definition: Definition, facts: Facts, wish: Wish, transition: Transition | None) -> str:
    if wish.kind == Kind.REOPEN:
        return _reopen_right(facts.journey.state)
    if transition is None:
        return ""
    if wish.kind == Kind.REGRESS and _is_far(definition, facts, transition.to):
        return transition.needs_right or "regress.confirm"
    return transition.needs_right


def _objections(
    definition: Definition, facts: Facts, wish: Wish
) -> tuple[list[Objection], Transition | None]:
    journey = facts.journey
    if journey.outcome in FINAL_OUTCOMES:
        return [Objection(journey.outcome)], None
    if wish.kind == Kind.REOPEN:
        return _reopen_objections(definition, facts, wish), None
    if wish.kind == Kind.RESUME:
        if journey.state != JourneyState.ON_HOLD:
            return [Objection("not_on_hold")], None
        return [], None
    if journey.state in CLOSED_STATES:
        return [Objection("closed", {"state": journey.state})], None
    if journey.state == JourneyState.ON_HOLD and wish.kind != Kind.CLOSE_LOST:
        return [Objection("on_hold")], None
    stage = definition.stage(journey.stage_key)
    if wish.kind == Kind.BRANCH:
        choice = branch_choice(definition, facts)
        transition = choice.transition
        if wish.to and (transition is None or transition.to != wish.to):
            since = branch_since(definition, facts)
            if since is not None and since.to == wish.to:
                again = replace(AGAIN, to=since.to)
                return list(reason_objections(definition, facts, wish, again)), again
        if transition is None and choice.seen:
            return [Objection("branch_unknown", {"to": choice.seen[-1][0]})], None
        if transition is not None and wish.to and transition.to != wish.to:
            return [Objection("other_branch", {"to": transition.to})], None
    else:
        transition = stage.transition(wish.kind, wish.to)
    if transition is None:
        return [Objection("no_such_move", {"kind": wish.kind, "to": wish.to, "from": stage.key})], None
    return list(reason_objections(definition, facts, wish, transition)), transition


def _reopen_objections(definition: Definition, facts: Facts, wish: Wish) -> list[Objection]:
    """Reopening in place: within the days the process allows, to a stage not after that of the loss (MV-7)."""
    journey = facts.journey
    if journey.state not in CLOSED_STATES:
        return [Objection("not_closed")]
    found = []
    if not wish.comment and not wish.reason:
        found.append(Objection("reason_missing", {"list": "reopen"}))
    if journey.closed_at and facts.at - journey.closed_at > timedelta(days=definition.reopen_days):
        found.append(Objection("too_late_to_reopen", {"days": definition.reopen_days}))
    to = wish.to or journey.stage_key
    if to not in definition.by_key or definition.position(to) > definition.position(journey.stage_key):
        found.append(Objection("reopen_too_far", {"to": to}))
    return found
