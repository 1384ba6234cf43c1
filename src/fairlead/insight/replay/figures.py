"""What trying a candidate document on past and running journeys comes to (design idea 4; metrics 3.1, 3.10, 3.26)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from fairlead.analytics.intervals import Difference, Rate, newcombe
from fairlead.analytics.weighted import weighted_pipeline
from fairlead.process.definition import Criterion, Definition
from fairlead.process.enums import CriterionState, JourneyState, Outcome, Tried
from fairlead.process.models import Journey
from fairlead.process.replaying import MISSED, Trial
from fairlead.process.selectors.passages import AT_ONCE, TriedJourney, try_on_history

MOST_ROWS = 500  # that are listed; all are counted
#: How far it is: journeys tried, journeys to try.
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class CriterionFigures:
    """One criterion of the candidate at its own gate, over journeys: as it stood when the stage was last left."""

    criterion: Criterion
    stage: str
    states: Counter[CriterionState] = field(default_factory=Counter)
    stopped: int = 0  # journeys that it would have stopped, alone or with others
    closed: dict[bool, list[int]] = field(
        default_factory=lambda: {True: [0, 0], False: [0, 0]}
    )  # met → won, decided

    @property
    def asked(self) -> int:
        return sum(self.states.values())

    @property
    def met(self) -> int:
        return self.states[CriterionState.MET]

    @property
    def unmet(self) -> int:
        return sum(self.states[state] for state in MISSED)

    @property
    def unknown(self) -> int:
        return self.states[CriterionState.UNKNOWN]

    @property
    def difference(self) -> Difference:
        """Win rate (closed basis) of those that met it, less that of those that did not."""
        return newcombe(Rate.of(*self.closed[True]), Rate.of(*self.closed[False]))


@dataclass(frozen=True, slots=True)
class Stopped:
    """A journey that the candidate would have stopped: first where, and by which criteria there."""

    journey: Journey
    stage: str
    by: Sequence[str]
    at: datetime
    is_next: bool  # not in the past: its next move


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The weighted value of open deals: as it stands; by the candidate's chances; and standing where the candidate
    would have stopped them. `enough`: cases above the floor. `left_out`: no amount, or no such stage."""

    before: float
    by_chances: float
    after: float
    n: int
    held: int
    enough: bool
    left_out: int


@dataclass(frozen=True, slots=True)
class Replay:
    """`answers`: over moves forward that were made. `coming`: over the next moves of open journeys."""

    candidate: Definition
    journeys: int
    answers: Mapping[Tried, int]
    coming: Mapping[Tried, int]
    from_attempts: int
    imported: int
    by_stage: Mapping[str, int]  # stage → journeys first stopped there in the past
    criteria: Sequence[CriterionFigures]
    rows: Sequence[Stopped]
    stopped_past: int
    stopped_next: int
    pipeline: Pipeline

    @property
    def moves(self) -> int:
        return sum(self.answers.values())

    @property
    def untold(self) -> int:
        """Moves of which history cannot say what the candidate would have said, those that came in as history too."""
        lost = (Tried.UNKNOWN, Tried.NO_PLACE, Tried.OTHER_ORDER)
        return sum(self.answers.get(answer, 0) for answer in lost) + self.imported


def replay(
    candidate: Definition,
    journey_ids: Sequence[int],
    *,
    at: datetime,
    progress: Progress | None = None,
) -> Replay:
    """`candidate` over journeys of its process, which are those that the reader may see. Writes nothing."""
    counting = _Counting(candidate)
    for one in try_on_history(candidate, journey_ids, at=at):
        counting.add(one, at)
        if progress and (counting.journeys % AT_ONCE == 0 or counting.journeys == len(journey_ids)):
            progress(counting.journeys, len(journey_ids))
    return counting.replay()


class _Counting:
    def __init__(self, candidate: Definition) -> None:
        self.candidate = candidate
        self.journeys = self.from_attempts = self.imported = self.stopped_past = self.stopped_next = 0
        self.answers: Counter[Tried] = Counter()
        self.coming: Counter[Tried] = Counter()
        self.by_stage: Counter[str] = Counter()
        self.criteria = {
            criterion.key: CriterionFigures(criterion, stage.key)
            for stage, _side, criterion in candidate.criteria()
        }
        self.rows: list[Stopped] = []
        self.open: list[tuple[float, float, float, float]] = []  # amount; chances before, by chances, after
        self.held = self.unplaced = 0

    def add(self, one: TriedJourney, at: datetime) -> None:
        self.journeys += 1
        self.imported += one.imported
        for trial in one.past:
            if trial.answer != Tried.ENDED:
                self.answers[trial.answer] += 1
                self.from_attempts += trial.passage.from_attempt
        if one.next is not None:
            self.coming[one.next.answer] += 1
        self._stops(one, at)
        self._criteria(one)
        if one.journey.state == JourneyState.OPEN:
            self._weigh(one)

    def _stops(self, one: TriedJourney, at: datetime) -> None:
        past = [t for t in one.past if t.answer == Tried.STOPPED]
        coming = one.next if one.next is not None and one.next.answer == Tried.STOPPED else None
        by = {result.key for trial in past for result in trial.stops}
        for key in by | ({result.key for result in coming.stops} if coming else set()):
            self.criteria[key].stopped += 1
        self.stopped_past += bool(past)
        self.stopped_next += coming is not None
        if past:
            self.by_stage[past[0].stage] += 1
        first: Trial | None = past[0] if past else coming
        if first is not None and len(self.rows) < MOST_ROWS:
            keys = tuple(dict.fromkeys(result.key for result in first.stops))
            when = first.passage.facts.at if past else at
            self.rows.append(Stopped(one.journey, first.stage, keys, when, not past))

    def _criteria(self, one: TriedJourney) -> None:
        """Each criterion once a journey: as it stood the last time that its own gate was asked, an end counting too."""
        last: dict[str, tuple[CriterionState, int]] = {}
        trials = [*one.past, *([one.next] if one.next is not None else [])]
        for trial in trials:
            episode = trial.passage.facts.journey.episode_no
            last.update((result.key, (result.state, episode)) for result in trial.results)
        outcome = one.journey.outcome
        is_decided = outcome in (Outcome.WON, Outcome.LOST)
        for key, (state, episode) in last.items():
            figures = self.criteria[key]
            figures.states[state] += 1
            is_met = state == CriterionState.MET
            if is_decided and episode == one.journey.episode_no and (is_met or state in MISSED):
                figures.closed[is_met][0] += outcome == Outcome.WON
                figures.closed[is_met][1] += 1

    def _weigh(self, one: TriedJourney) -> None:
        journey = one.journey
        if one.here is None or one.place is None or not journey.base_amount:
            self.unplaced += 1
            return
        stage = self.candidate.stage
        self.held += one.place != one.here
        self.open.append(
            (
                float(journey.base_amount),
                journey.probability / 100,
                stage(one.here).probability[1] / 100,
                stage(one.place).probability[1] / 100,
            )
        )

    def replay(self) -> Replay:
        table = np.array(self.open, float).reshape(-1, 4)
        before, by_chances, after = (weighted_pipeline(table[:, 0], table[:, i]) for i in (1, 2, 3))
        pipeline = Pipeline(
            before.mean, by_chances.mean, after.mean, before.n, self.held, before.enough, self.unplaced
        )
        return Replay(
            candidate=self.candidate,
            journeys=self.journeys,
            answers=dict(self.answers),
            coming=dict(self.coming),
            from_attempts=self.from_attempts,
            imported=self.imported,
            by_stage=dict(self.by_stage),
            criteria=list(self.criteria.values()),
            rows=self.rows,
            stopped_past=self.stopped_past,
            stopped_next=self.stopped_next,
            pipeline=pipeline,
        )
