"""Shapes of processes, journeys, verdicts and evidence in the API."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from fairlead.common.rest import Answer, Body, Day, Flag, Instant

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Kinds = Literal["advance", "branch", "skip", "regress", "close_won", "close_lost", "hold", "resume", "reopen"]
Document = Annotated[dict[str, JsonValue], Field(max_length=50)]


class ProcessOut(Answer):
    key: str
    subject: str
    name: dict[str, str]
    mode: str  # of today
    enforced_from: date | None
    published_version: int | None
    versions: list[int]


class StageOut(Answer):
    key: str
    axis: str
    name: str
    order: int
    probability: int
    forecast: str
    limit_yellow: int | None
    limit_red: int | None


class VersionOut(Answer):
    process: str
    number: int
    status: str
    published_at: datetime | None
    checksum: str
    stages: list[StageOut]
    document: dict[str, Any]


class DocumentIn(Body):
    document: Document


class PublishIn(Body):
    document: Document
    mode: Literal["soft", "enforced"] | None = None


class TroubleOut(Answer):
    path: str
    message: str


class CheckedOut(Answer):
    """The document may be published; `warnings` are worth a second look."""

    process: str
    version: int
    warnings: list[TroubleOut]


class ModeIn(Body):
    mode: Literal["soft", "enforced"]
    enforced_from: Annotated[
        date | None, Field(description="With soft mode: the business day from which gates are enforced")
    ] = None


class LandingStageOut(Answer):
    stage: str
    name: str
    open: int
    held: int


class LandingOut(Answer):
    """`held`: open records that the gate of their next move would stop if it were enforced now."""

    key: str
    mode: str
    enforced_from: date | None
    open: int
    held: int
    stages: list[LandingStageOut]


class CriterionOut(Answer):
    """How one item of a gate stands: `why` is a code, `text` its sentence; `mend` says what would settle it."""

    key: str
    name: str
    stage: str
    stage_name: str
    side: str
    type: str
    level: str
    state: str
    why: str
    text: str
    role: str
    mend: str
    mend_params: dict[str, Any]
    evidence: str
    expires_at: datetime | None
    parts: list[dict[str, Any]]


class TrackOut(Answer):
    """How far a role is with its part of the stage; the stage is left when each `block` track is through."""

    key: str
    role: str
    level: str
    done: int
    total: int
    through: bool
    missing: list[str]


class ObjectionOut(Answer):
    code: str
    text: str


class FlagOut(Answer):
    """An item that a move left open behind. `working_days` counts since `raised_at`: 0 on the day itself."""

    key: str
    name: str
    stage: str
    stage_name: str
    level: str
    state: str
    text: str
    role: str
    mend: str
    mend_params: dict[str, Any]
    raised_at: datetime
    working_days: int


class ChecklistOut(Answer):
    """The verdict of a move without making it. Without a next move (`kind` null) nothing was judged."""

    journey: int
    version: int
    kind: str | None
    to: str
    headline: str
    allowed: bool
    soft: bool
    needs_right: str
    gaps: list[str]
    objections: list[ObjectionOut]
    criteria: list[CriterionOut]
    tracks: list[TrackOut]
    left_behind: list[FlagOut]


class ReasonOut(Answer):
    key: str
    name: str


class LegalMoveOut(Answer):
    kind: str
    to: str
    to_name: str
    needs_right: str
    reasons: list[ReasonOut]


class LegalMovesOut(Answer):
    journey: int
    version: int
    moves: list[LegalMoveOut]


class MoveForm(Body):
    """What closing and holding ask for. A closed opportunity or contract takes its open tasks and planned activities
    off the lists, unless `keep_work` is true."""

    amount: (
        Annotated[Decimal, Field(ge=0, lt=10**16, max_digits=18, decimal_places=2, allow_inf_nan=False)]
        | None
    ) = None
    competitor: Annotated[str, Field(max_length=200)] | None = None
    resume_date: Day | None = None
    keep_work: bool | None = None


class MoveIn(Body):
    """`version`: the journey's version that you saw; another one is a lost race (409). `kind` follows from `to`."""

    to: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,59})?$")] = ""
    kind: Kinds | None = None
    reason: Annotated[str, Field(max_length=60)] = ""
    comment: Annotated[str, Field(max_length=5000)] = ""
    form: MoveForm = Field(default_factory=MoveForm)
    version: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = None


class JourneyOut(Answer):
    id: int
    subject_type: str
    subject_id: int
    title: str
    process: str
    stage: str
    stage_name: str
    axis: str
    state: str
    outcome: str
    reason: str
    episode: int
    opened_at: datetime
    entered_at: datetime
    entered_at_known: bool
    closed_at: datetime | None
    resume_date: date | None
    forecast_category: str
    category_pinned: bool
    probability: int
    owner: int | None
    team: int | None
    amount: Decimal | None
    close_date: date | None
    gate_state: str
    gate_missing: int
    gate_waived: int
    gate_flags: int
    next_step_at: datetime | None
    next_step: str
    step_back_advised: bool
    fidelity: str
    version: int


class MovedOut(Answer):
    """What a move did. `soft_passed`: required items that soft mode let pass, kept as flags."""

    journey: JourneyOut
    evaluation_id: int
    soft_passed: list[str]
    flags: list[str]


class VisitOut(Answer):
    episode: int
    ordinal: int
    stage: str
    axis: str
    visit_no: int
    entered_at: datetime
    entered_at_known: bool
    left_at: datetime | None
    exit: str
    outcome: str
    skipped: bool
    imported: bool
    held_seconds: int
    amount: Decimal | None
    close_date: date | None
    owner: int | None
    team: int | None
    forecast_category: str


class VisitsOut(Answer):
    items: list[VisitOut]


class EvaluationOut(Answer):
    """One real attempt. `facts.fields` holds what the asker may read of what the gate read."""

    id: int
    kind: str
    from_stage: str
    to_stage: str
    allowed: bool
    at: datetime
    by: int | None
    channel: str
    gaps: int
    process_version: int
    results: list[dict[str, Any]]
    objections: list[dict[str, Any]]
    facts: dict[str, Any]


class AttestationIn(Body):
    criterion: Key
    statement: Annotated[str, Field(max_length=5000)] = ""


class AttestationOut(Answer):
    id: int
    criterion: str
    role: str
    statement: str
    by: int
    at: datetime
    withdrawn_at: datetime | None


class AttestationsOut(Answer):
    items: list[AttestationOut]


class WaiverIn(Body):
    criterion: Key
    reason: Annotated[str, Field(max_length=60)] = ""
    text: Annotated[str, Field(max_length=5000)]
    expires_at: Instant


class WaiverOut(Answer):
    id: int
    criterion: str
    reason: str
    text: str
    granted_by: int
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class WaiversOut(Answer):
    items: list[WaiverOut]


class CategoryIn(Body):
    """`pinned` false: the category follows the stage again."""

    category: Literal["omitted", "pipeline", "best_case", "commit", "closed"]
    pinned: Flag = True


class StartIn(Body):
    """The process to set out on: one that is published for this kind of record."""

    process: Key


class OverrideOut(Answer):
    id: int
    journey: int
    subject_type: str
    subject_id: int
    state: str
    criterion: str
    move: str
    to: str
    needs_right: str
    reason: str
    text: str
    compensation: str
    expires_at: datetime
    requested_by: int
    requested_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decision: str
    used_at: datetime | None
    waiver: int | None
