"""A candidate document tried on moves that were made, and on those that come next. Pure: no clock, no database.

A passage is asked what `engine.decide` asks of a move forward (GT-3): the exit of the stage that is left, the entry of
the one that is entered, and what blocks at stages before. Stages that the candidate puts between the two are asked
too, for the record would have had to pass them. Where a stage of the earlier version is found in the candidate, its
key or else its axis key says (VR-7); where neither does, that is said, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .definition import Criterion, Definition, Stage
from .engine import evaluate, forward_move
from .enums import CriterionState, CriterionType, Kind, Level, Tried
from .facts import Facts
from .verdicts import CriterionResult

MISSED = frozenset({CriterionState.UNMET, CriterionState.EXPIRED})
ENDED = "ended"  # the kind of a passage that led out: its exit is read, and nothing is stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A move as it was made, or the next one: its facts then, in the words of the version that held then.

    `to` is blank where it was won, where it ended, and where the candidate is asked what comes next.
    """

    facts: Facts
    kind: str
    version: int
    to: str = ""
    is_next: bool = False
    from_attempt: bool = False  # its fields were stored with the attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the candidate says of one passage. `results` are those of its own gate, `earlier` those of gates before."""

    passage: Passage
    answer: Tried
    stage: str = ""  # of the candidate, where the record stood
    results: Sequence[CriterionResult] = ()
    earlier: Sequence[CriterionResult] = ()

    @property
    def stops(self) -> list[CriterionResult]:
        """What it would have been stopped by."""
        return [r for r in (*self.earlier, *self.results) if r.level == Level.BLOCK and r.state in MISSED]


class Lineage:
    """Where the stages of an earlier version are found in a candidate, and what nobody could give then."""

    def __init__(self, old: Definition, new: Definition) -> None:
        self.to: Mapping[str, str | None] = {stage.key: _found(stage, new) for stage in old.stages}
        self.unasked = _pieces(new) - _pieces(old)
        self._keeps = all(key == found for key, found in self.to.items())

    def facts(self, facts: Facts) -> Facts | None:
        """The facts in the candidate's words; None where it does not have the stage."""
        here = self.to.get(facts.journey.stage_key)
        if here is None:
            return None
        if self._keeps and not self.unasked:
            return facts
        journey = facts.journey
        if not self._keeps:
            journey = replace(
                journey,
                stage_key=here,
                passed=self._mapped(journey.passed),
                imported=self._mapped(journey.imported),
            )
        return replace(facts, journey=journey, unknown=facts.unknown | self.unasked)

    def _mapped(self, keys: Iterable[str]) -> frozenset[str]:
        return frozenset(found for key in keys if (found := self.to.get(key)) is not None)


def try_passage(candidate: Definition, lineage: Lineage, passage: Passage) -> Trial:
    """What `candidate` would have said of `passage`."""
    facts = lineage.facts(passage.facts)
    if facts is None:
        return Trial(passage=passage, answer=Tried.NO_PLACE)
    here = facts.journey.stage_key
    if passage.kind == ENDED:
        own = tuple(evaluate(candidate, facts, candidate.stage(here), "exit"))
        return Trial(passage=passage, answer=Tried.ENDED, stage=here, results=own)
    way = _way(candidate, lineage, facts, passage)
    if not isinstance(way, list):
        return Trial(passage=passage, answer=way, stage=here)
    own, earlier = (
        tuple(_own(candidate, facts, passage.kind, way)),
        tuple(_earlier(candidate, facts)),
    )
    blocking = [r for r in (*earlier, *own) if r.blocks]
    answer = Tried.PASSES
    if any(r.state in MISSED for r in blocking):
        answer = Tried.STOPPED
    elif blocking:
        answer = Tried.UNKNOWN
    return Trial(passage=passage, answer=answer, stage=here, results=own, earlier=earlier)


def standing(candidate: Definition, trials: Sequence[Trial], episode: int, here: str) -> str:
    """Where a running record that is `here` would stand, had the candidate held: at the first gate that it missed."""
    places = [
        t.stage
        for t in trials
        if t.answer == Tried.STOPPED
        and not t.passage.is_next
        and t.passage.facts.journey.episode_no == episode
    ]
    return min((here, *places), key=candidate.position)


def _way(
    candidate: Definition, lineage: Lineage, facts: Facts, passage: Passage
) -> list[tuple[Stage, bool]] | Tried:
    """The stages ahead that are entered, each with whether it is left again; or why no gate is asked."""
    here = candidate.stage(facts.journey.stage_key)
    if passage.is_next:
        wish = forward_move(candidate, facts)
        if wish is None:
            return Tried.INSIDE
        return [(candidate.stage(wish.to), False)] if wish.to else []
    if not passage.to:
        return [(stage, True) for stage in _until_won(candidate, here)]
    to = lineage.to.get(passage.to)
    if to is None:
        return Tried.NO_PLACE
    if to == here.key:
        return Tried.INSIDE
    if candidate.position(to) < candidate.position(here.key):
        return Tried.OTHER_ORDER
    return [*((stage, True) for stage in _between(candidate, here, to)), (candidate.stage(to), False)]


def _between(candidate: Definition, here: Stage, to: str) -> tuple[Stage, ...]:
    """Stages that lie between; none where the process leads there at once, as a branch does."""
    if any(t.to == to and t.kind in (Kind.ADVANCE, Kind.BRANCH) for t in here.transitions):
        return ()
    return candidate.between(here.key, to)


def _until_won(candidate: Definition, here: Stage) -> Iterator[Stage]:
    """Stages that the candidate still has between `here` and the one where it is won."""
    stage: Stage | None = here
    for _step in candidate.stages:
        if stage is None or stage.transition(Kind.CLOSE_WON) is not None:
            return
        stage = candidate.next_stage(stage.key)
        if stage is not None:
            yield stage


def _own(
    candidate: Definition, facts: Facts, kind: str, way: Sequence[tuple[Stage, bool]]
) -> Iterator[CriterionResult]:
    here = candidate.stage(facts.journey.stage_key)
    is_skip = kind == Kind.SKIP
    yield from evaluate(candidate, facts, here, "exit", only_unskippable=is_skip)
    # Nobody stayed in a stage that was not there: how many days it took cannot be told.
    never = replace(facts, working_days_in_stage=None) if any(is_left for _stage, is_left in way) else facts
    for stage, is_left in way:
        if not (is_skip and is_left):
            yield from evaluate(candidate, facts, stage, "entry")
        if is_left:
            yield from evaluate(candidate, never, stage, "exit", only_unskippable=is_skip)


def _earlier(candidate: Definition, facts: Facts) -> Iterator[CriterionResult]:
    for stage in candidate.before(facts.journey.stage_key):
        if stage.key in facts.journey.passed:
            yield from evaluate(candidate, facts, stage, "exit", only_blocking=True, settled_stage=True)


def _found(stage: Stage, new: Definition) -> str | None:
    if stage.key in new.by_key:
        return stage.key
    same = [s.key for s in new.stages if s.axis_key == stage.axis_key]
    return same[0] if len(same) == 1 else None


def _pieces(definition: Definition) -> frozenset[str]:
    """Evidence that is only given where a process asks for it by name."""
    found: set[str] = set()
    for _stage, _side, criterion in definition.criteria():
        for one in (criterion, *criterion.children):
            found |= _piece(one)
    return frozenset(found)


def _piece(criterion: Criterion) -> set[str]:
    if criterion.type == CriterionType.ATTESTATION:
        return {f"attestation:{criterion.key}"}
    if criterion.type == CriterionType.DOCUMENT:
        return {f"document:{criterion.params['kind']}"}
    if criterion.type == CriterionType.APPROVAL:
        return {f"approval:{criterion.params['approval']}"}
    if criterion.type == CriterionType.CHILD:
        return {f"child:{criterion.params['tasks']}"}
    return set()
