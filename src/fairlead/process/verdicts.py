"""What `decide` answers: plain values, no words, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .enums import SETTLED, CriterionState, Kind, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A move that somebody wants. `form` holds what closing asks for (competitor, amount, dates …)."""

    kind: Kind
    to: str = ""
    reason: str = ""
    comment: str = ""
    form: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionResult:
    """How one criterion stands: state, why (a code with parameters), who owes it, how to mend it."""

    key: str
    stage_key: str
    side: str
    type: str
    level: Level
    state: CriterionState
    why: str = ""
    why_params: Mapping[str, Any] = field(default_factory=dict)
    role: str = ""
    mend: str = ""
    mend_params: Mapping[str, Any] = field(default_factory=dict)
    evidence: str = ""  # "activity:12"
    expires_at: datetime | None = None
    children: tuple[CriterionResult, ...] = ()

    @property
    def settled(self) -> bool:
        return self.state in SETTLED

    @property
    def blocks(self) -> bool:
        return self.level == Level.BLOCK and not self.settled

    @property
    def open_flag(self) -> bool:
        return self.level == Level.FLAG and not self.settled


VETO = "veto"  # the type of a gap that a person made: no criterion of the document stands behind it


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackResult:
    """How far one role is with its part of a stage (IT-2). `missing`: required items of it that are open."""

    key: str
    stage_key: str
    role: str
    level: Level
    done: int
    total: int
    missing: tuple[str, ...]

    @property
    def is_through(self) -> bool:
        """A track that blocks needs its required items alone, one that only flags all of them."""
        return not self.missing if self.level == Level.BLOCK else self.done == self.total


# Objections that speak of one field of the wish: whoever asks can mend them and ask again.
ASKED_FIELDS: Mapping[str, str] = {
    "reason_missing": "reason",
    "reason_unknown": "reason",
    "competitor_missing": "competitor",
    "competitor_invalid": "competitor",
    "amount_missing": "amount",
    "amount_invalid": "amount",
    "resume_date_missing": "resume_date",
    "resume_date_invalid": "resume_date",
    "resume_date_past": "resume_date",
}


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a move is not possible at all, whatever the criteria: a code with parameters."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def asked_field(self) -> str:
        """The field of the wish that would mend it, if one would."""
        return ASKED_FIELDS.get(self.code, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The engine's answer to one wish. `allowed` is true also where soft mode lets gaps pass as flags."""

    wish: Wish
    allowed: bool
    objections: tuple[Objection, ...]
    results: tuple[CriterionResult, ...]
    skipped: tuple[str, ...] = ()
    target: str = ""
    needs_right: str = ""  # a right beyond that to move: regress.confirm, deal.reopen …
    soft_passed: tuple[str, ...] = ()  # blocking criteria that soft mode let pass
    tracks: tuple[TrackResult, ...] = ()  # of the stage that is to be left
    branches: tuple[
        tuple[str, bool | None], ...
    ] = ()  # at a fork: the ways in order, and what each condition said
    again: bool = False  # back to a fork that was passed, and on by its other way

    @property
    def gaps(self) -> tuple[CriterionResult, ...]:
        """Unsettled blocking criteria: all of them, at once."""
        return tuple(r for r in self.results if r.blocks)

    @property
    def waits_for(self) -> tuple[TrackResult, ...]:
        """The tracks that the join still waits for."""
        return tuple(t for t in self.tracks if t.level == Level.BLOCK and not t.is_through)

    @property
    def flags(self) -> tuple[CriterionResult, ...]:
        return tuple(r for r in self.results if r.open_flag)


@dataclass(frozen=True, slots=True)
class LegalMove:
    """A move that the process knows from here, with its target (blank where there is none)."""

    kind: Kind
    to: str
    reasons: str
    needs_right: str
    again: bool = False  # see `Verdict.again`
