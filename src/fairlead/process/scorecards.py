"""The scorecard of a record: where each element stands, why, how old that is, and what would raise it. Pure.

A score is kept beside the stages and never is one (PD-8). What raises it is ordered by what the next gate asks:
elements below their floor first, then the most points for the least time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .definition import Act, Definition, Score
from .enums import CriterionType

MINUTES = 60  # of an element that the process says nothing about
MOST_RAISES = 16


@dataclass(frozen=True, slots=True)
class Known:
    """The newest evidence for an element."""

    value: str
    text: str
    source: str
    by: str
    at: datetime
    file_id: int | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """`points` out of the score's top. `age`: calendar days since the evidence; `holds`: it speaks of this value."""

    key: str
    value: Any
    points: int
    known: Known | None
    age: int | None
    is_old: bool
    holds: bool
    floor: int


@dataclass(frozen=True, slots=True)
class Raise:
    """One act: it lifts `element` to `to` by `points`, after which the whole stands at `total`."""

    element: str
    act: Act | None
    to: int
    points: int
    minutes: int
    total: int
    is_floor: bool


@dataclass(frozen=True, slots=True)
class Scorecard:
    """`needed`: what the next gate asks for, or None. `enough`: how many of `raises`, in their order, reach it."""

    score: Score
    elements: tuple[Element, ...]
    total: int
    needed: int | None
    raises: tuple[Raise, ...]
    enough: int

    @property
    def below(self) -> tuple[Element, ...]:
        return tuple(e for e in self.elements if e.points < e.floor)

    @property
    def is_met(self) -> bool:
        return self.needed is None or (self.total >= self.needed and not self.below)


def needs_of(definition: Definition, stage_key: str, score_key: str) -> tuple[int | None, Mapping[str, int]]:
    """The threshold and floors that the gate out of a stage sets for a score, and entries of the stage after it."""
    stage, after = definition.stage(stage_key), definition.next_stage(stage_key)
    criteria = [*stage.exit, *(after.entry if after is not None else ())]
    for criterion in criteria:
        for one in (criterion, *criterion.children):
            if one.type == CriterionType.SCORE and one.params["score"] == score_key:
                floors = one.params.get("floor") or {}
                return int(one.params["min"]), {key: int(low) for key, low in floors.items()}
    return None, {}


def scorecard(
    score: Score,
    values: Mapping[str, Any],
    known: Mapping[str, Known],
    *,
    needed: int | None = None,
    floors: Mapping[str, int] | None = None,
    now: datetime,
) -> Scorecard:
    floors = floors or {}
    elements = tuple(
        _element(score, key, values.get(key), known.get(key), floors.get(key, 0), now)
        for key in score.elements
    )
    total = sum(e.points for e in elements)
    raises = _raises(score, elements, total)
    return Scorecard(score, elements, total, needed, raises, _enough(raises, elements, total, needed))


def _element(score: Score, key: str, value: Any, known: Known | None, floor: int, now: datetime) -> Element:
    age = max((now - known.at).days, 0) if known is not None else None
    return Element(
        key=key,
        value=value,
        points=score.worth(value),
        known=known,
        age=age,
        is_old=age is not None and age > score.fresh_days,
        holds=known is not None and known.value == ("" if value is None else str(value)),
        floor=floor,
    )


def _raises(score: Score, elements: tuple[Element, ...], total: int) -> tuple[Raise, ...]:
    """One act after another: below a floor first, then the dearest point last."""
    stand = {e.key: e.points for e in elements}
    floors = {e.key: e.floor for e in elements}
    order = {e.key: i for i, e in enumerate(elements)}
    found: list[Raise] = []
    while len(found) < MOST_RAISES:
        steps = [_step(score, key, points) for key, points in stand.items() if points < score.top]
        if not steps:
            break
        key, act, to, minutes = min(
            steps,
            key=lambda s: (stand[s[0]] >= floors[s[0]], s[3] / (s[2] - stand[s[0]]), order[s[0]]),
        )
        total += to - stand[key]
        found.append(Raise(key, act, to, to - stand[key], minutes, total, is_floor=stand[key] < floors[key]))
        stand[key] = to
    return tuple(found)


def _step(score: Score, key: str, points: int) -> tuple[str, Act | None, int, int]:
    """The next act for an element: the nearest step that the process names, the cheapest of its acts."""
    ahead = [act for act in score.acts.get(key, ()) if act.to > points]
    if not ahead:
        return key, None, points + 1, MINUTES
    act = min(ahead, key=lambda a: (a.to, a.minutes))
    return key, act, act.to, act.minutes


def _enough(raises: tuple[Raise, ...], elements: tuple[Element, ...], total: int, needed: int | None) -> int:
    """How many acts reach the threshold with every floor; 0 where nothing is asked or nothing lacks."""
    if needed is None:
        return 0
    stand = {e.key: e.points for e in elements}
    floors = {e.key: e.floor for e in elements}
    for count in range(len(raises) + 1):
        if count:
            stand[raises[count - 1].element] = raises[count - 1].to
            total = raises[count - 1].total
        if total >= needed and all(stand[key] >= low for key, low in floors.items()):
            return count
    return len(raises)
