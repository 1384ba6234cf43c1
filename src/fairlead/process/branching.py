"""Branches: which way a deal takes at a fork, and whether it would take another one now (PD-6, MV-4).

A fork is judged when it is passed and not again by itself. What decided it may change later: then the other way is
named, and taking it is an act of its own with a reason. Pure, like the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fairlead.fields.conditions import fields_of
from fairlead.fields.conditions import verdict as condition_verdict

from .definition import Definition, Stage, Transition
from .enums import Kind
from .facts import Facts

#: In a condition of a branch the state of an earlier criterion is a field by this name: “criterion.<key>”.
CRITERION: Final = "criterion."
Settled = Callable[[str], bool | None]  # key of a criterion → whether it holds; None: cannot be known


@dataclass(frozen=True, slots=True)
class Choice:
    """What a fork comes to. `seen`: the ways in their order with what each condition said, up to the one taken.

    `transition` is None where a condition cannot be known: nobody is sent on by what is not known.
    """

    transition: Transition | None
    seen: tuple[tuple[str, bool | None], ...]


@dataclass(frozen=True, slots=True)
class OtherWay:
    """A fork that was passed and would lead to `to` now; `taken` is the way that was taken."""

    fork: str
    taken: str
    to: str


def choose(stage: Stage, facts: Facts, settled: Settled) -> Choice:
    """The first branch whose condition holds; the last has none and takes what is left."""
    seen: list[tuple[str, bool | None]] = []
    for t in stage.transitions:
        if t.kind != Kind.BRANCH:
            continue
        if t.when is None:
            return Choice(t, (*seen, (t.to, True)))
        holds = condition_verdict(t.when, _values(t, facts, settled), now=facts.at)
        seen.append((t.to, holds))
        if holds is None:
            return Choice(None, tuple(seen))
        if holds:
            return Choice(t, tuple(seen))
    return Choice(None, tuple(seen))


def _values(transition: Transition, facts: Facts, settled: Settled) -> Mapping[str, Any]:
    assert transition.when is not None
    asked = [key for key in fields_of(transition.when) if key.startswith(CRITERION)]
    if not asked:
        return facts.fields
    known = {key: settled(key.removeprefix(CRITERION)) for key in asked}
    return {**facts.fields, **{key: value for key, value in known.items() if value is not None}}


def other_way(definition: Definition, facts: Facts, settled: Settled) -> OtherWay | None:
    """The last fork passed that would lead elsewhere now; None where each still leads the way that was taken."""
    journey = facts.journey
    visited = journey.passed | {journey.stage_key}
    for stage in reversed(definition.stages):
        if stage.key not in journey.passed or stage.key == journey.stage_key:
            continue
        ways = [t.to for t in stage.transitions if t.kind == Kind.BRANCH]
        taken = [to for to in ways if to in visited]
        if not taken:
            continue
        now = choose(stage, facts, settled).transition
        if now is not None and now.to not in visited:
            return OtherWay(stage.key, taken[0], now.to)
    return None
