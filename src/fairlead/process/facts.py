"""What the engine may know about a subject when it decides. Plain values, gathered in bulk by the subject's room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ActivityFact:
    id: int
    kind: str
    done_at: datetime
    outcome: str
    two_way: bool
    departments: frozenset[str]
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class DocumentFact:
    id: int
    kind: str
    version: int
    by_customer: bool
    signed: bool
    added_at: datetime
    valid_until: date | None
    added_by_id: int | None


@dataclass(frozen=True, slots=True)
class RelationFact:
    id: int
    role: str
    depth: int
    stance: int
    influence: int
    department: str


@dataclass(frozen=True, slots=True)
class AttestationFact:
    id: int
    criterion_key: str
    role: str
    by_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class WaiverFact:
    id: int
    criterion_key: str
    reason_code: str
    granted_by_id: int
    granted_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Bound:
    """A value that an approval binds, and which way it may move: see `envelopes`. `value` as it stands in JSON."""

    lever: str
    field: str
    direction: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalFact:
    """A decision on one lever of a kind of approval, or (`is_pending`) a request that is being decided.

    `about`: what a one-time permission is for, such as one skip; blank for the record itself.
    `was_outside`: a value left it once, so that it holds no more. `stage_key`: where it was asked for.
    """

    id: int
    kind: str
    lever: str
    tier: int
    bounds: tuple[Bound, ...]
    granted_at: datetime
    expires_at: datetime | None = None
    about: str = ""
    is_pending: bool = False
    was_outside: bool = False
    stage_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionFact:
    """What an approval was given on condition of (AP-12): blocks at the gate of `stage_key` until it holds."""

    id: int
    key: str
    stage_key: str
    kind: str  # external, document, word
    name: str  # the fact, the kind of document
    text: str
    role: str = ""
    met_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VetoFact:
    """An objection of a role to something in its own field, which nobody has settled yet (IT-3)."""

    id: int
    domain: str
    clause: str
    by_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class ExternalFact:
    key: str
    at: datetime
    ref: str = ""


@dataclass(frozen=True, slots=True)
class ChildrenFact:
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyFact:
    """The journey as the engine sees it."""

    id: int
    stage_key: str
    state: str
    outcome: str
    episode_no: int
    opened_at: datetime
    entered_at: datetime
    entered_at_known: bool
    closed_at: datetime | None
    owner_id: int | None
    soft: bool
    passed: frozenset[str]  # stages really left forward in this episode
    imported: frozenset[str]  # stages whose pass came in as history: their criteria are not applicable
    exempt: frozenset[str] = frozenset()  # criteria that were added to stages already passed (VR-5)
    grace: Mapping[str, datetime] = field(default_factory=dict)  # criteria that count only from then on
    issued: bool = False  # a quote or a tender has gone out: moving back then asks for a manager


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a criterion may look at. `unknown` names kinds of evidence that could not be gathered, or one piece
    that nobody could have given: `attestation:<criterion>`, `document:<kind>`, `child:<list>`."""

    subject_id: int
    at: datetime
    today: date
    fields: Mapping[str, Any]
    journey: JourneyFact
    activities: tuple[ActivityFact, ...] = ()
    documents: tuple[DocumentFact, ...] = ()
    relations: tuple[RelationFact, ...] = ()
    attestations: tuple[AttestationFact, ...] = ()
    waivers: tuple[WaiverFact, ...] = ()
    approvals: tuple[ApprovalFact, ...] = ()
    conditions: tuple[ConditionFact, ...] = ()
    vetoes: tuple[VetoFact, ...] = ()  # those that stand open
    externals: Mapping[str, ExternalFact] = field(default_factory=dict)
    children: Mapping[str, ChildrenFact] = field(default_factory=dict)
    team: Mapping[str, frozenset[int]] = field(default_factory=dict)  # role in the deal → people
    working_days_in_stage: int | None = None
    unknown: frozenset[str] = frozenset()
