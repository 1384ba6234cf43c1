"""A process version as a typed, immutable document (idea 1 of the design). No database, no I/O.

YAML outside, JSON in the row, these frozen objects in memory. `load` checks everything it can without a
database and names the path of each problem: unknown keys, a stage that cannot be left, a criterion on a
missing field, a condition nested too deep (PD-1, PD-2, PD-3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fairlead.fields.catalogue import FieldSpec
from fairlead.fields.conditions import Compiled
from fairlead.fields.enums import Operator

from .approval_policy import ApprovalPolicy
from .clocks import ClockPolicy
from .enums import (
    CriterionType,
    ForecastCategory,
    Kind,
    Level,
    Mode,
    NoteKind,
    Outcome,
    QuestionType,
    StageKind,
    TriggerKind,
)

Name = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reason:
    """An entry of a list of reasons; a losing reason names its outcome (MV-6)."""

    key: str
    name: Name
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """What would lift one element to `to`, and how many minutes of one person it takes, about."""

    to: int
    text: Name
    minutes: int = 60


@dataclass(frozen=True, slots=True)
class Score:
    """A qualification score: the sum of element fields, each 0 to `top` (PD-8: never a stage).

    An element is a number, or a choice whose options are worth `points`. `words` name the steps from 0 to `top`.
    Evidence older than `fresh_days` is shown as old. `acts`: element → what raises it.
    """

    key: str
    name: Name
    elements: tuple[str, ...]
    top: int = 2
    points: Mapping[str, int] = field(default_factory=dict)
    words: tuple[Name, ...] = ()
    fresh_days: int = 60
    acts: Mapping[str, tuple[Act, ...]] = field(default_factory=dict)

    def worth(self, value: Any) -> int:
        """Points of one element: one never makes up for another beyond its top."""
        number = self.points.get(value, 0) if isinstance(value, str) else int(value or 0)
        return min(max(number, 0), self.top)

    @property
    def most(self) -> int:
        return self.top * len(self.elements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question to the customer. With a key its answers are kept; `type` is its place in SPIN, blank for none."""

    text: Name
    key: str = ""
    type: QuestionType | None = None
    applies_if: Compiled | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A piece of guidance beside the checklist (PB-1), for the records that `applies_if` lets through (PB-4)."""

    kind: NoteKind
    title: Name
    text: Name = field(default_factory=dict)
    url: str = ""
    criterion: str = ""  # of EVIDENCE: the criterion that it shows
    applies_if: Compiled | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handbook:
    """How a stage is done: why there is one, what good looks like, and notes (PB-1)."""

    why: Name = field(default_factory=dict)
    good: Name = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayTask:
    """A task of a playbook: due `due` working days after the start, by whoever holds `role` in the deal."""

    key: str
    title: Name
    due: int
    role: str = ""
    template: Name = field(default_factory=dict)  # a text to work from


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What starts a playbook by itself: STAGE at `stage`; PUSHED when the close date is put off `count` times."""

    event: TriggerKind
    stage: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """Tasks that belong together, launched by hand in its `stages` (none named: in all) or by a trigger (PB-2)."""

    key: str
    name: Name
    purpose: Name
    tasks: tuple[PlayTask, ...]
    stages: tuple[str, ...] = ()
    applies_if: Compiled | None = None
    trigger: Trigger | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What one role works on within a stage, beside the other roles: items of its exit, with a limit of its own (IT-2).

    The stage is left when every BLOCK track is through; a FLAG track may lag behind. Limits are working days since
    the stage was entered.
    """

    key: str
    role: str
    name: Name
    criteria: tuple[str, ...]
    level: Level
    limit_yellow: int | None = None
    limit_red: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageItem:
    """Something that a hand-over brings along; one that is `required` has to be there before it is offered."""

    key: str
    name: Name
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What one role hands to another, at which stages (none: at any), to be answered within `days` (IT-5)."""

    from_role: str
    to_role: str
    name: Name
    items: tuple[PackageItem, ...]
    stages: tuple[str, ...] = ()
    days: int = 2

    @property
    def key(self) -> str:
        return f"{self.from_role}_{self.to_role}".lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One entry or exit criterion of a stage (GT-1, GT-9). `params` depend on `type`; see `checks`."""

    key: str
    name: Name
    type: CriterionType
    level: Level
    params: Mapping[str, Any] = field(default_factory=dict)
    applies_if: Compiled | None = None
    condition: Compiled | None = None  # FIELD: the condition to hold
    fields: tuple[FieldSpec, ...] = ()  # FIELD, SCORE: what it reads
    operator: Operator | None = None
    valid_days: int | None = None
    skippable: bool = True
    waivable: bool = True
    role: str = ""
    help: Name = field(default_factory=dict)
    children: tuple[Criterion, ...] = ()
    mode: str = ""  # GROUP: all, any, k_of
    k: int = 0
    slot: str = (
        ""  # made of the roles that a stage requires: the slot of the deal team that has to be filled (IT-1)
    )
    own_work_of: tuple[
        str, ...
    ] = ()  # ATTESTATION: roles whose own work it is; their word does not count (IT-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    kind: Kind
    to: str = ""
    label: Name = field(default_factory=dict)
    reasons: str = ""
    when: Compiled | None = None
    needs_right: str = ""
    approval: str = ""  # a kind of approval that must cover this very move


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    key: str
    axis_key: str
    order: int
    kind: StageKind
    name: Name
    goal: Name = field(default_factory=dict)
    guidance: tuple[Name, ...] = ()
    questions: tuple[Question, ...] = ()
    activities: tuple[Name, ...] = ()
    deliverables: tuple[Name, ...] = ()
    risks: tuple[Name, ...] = ()
    gate_name: Name = field(default_factory=dict)
    roles: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # accountable, responsible, consulted, required
    probability: tuple[int, int, int] = (0, 50, 100)
    forecast: ForecastCategory = ForecastCategory.PIPELINE
    limit_yellow: int | None = None  # working days
    limit_red: int | None = None
    wip_limit: int | None = None
    show_in_funnel: bool = True
    start: bool = False
    no_return: Name = field(default_factory=dict)
    entry: tuple[Criterion, ...] = ()
    exit: tuple[Criterion, ...] = ()
    transitions: tuple[Transition, ...] = ()
    next_steps: tuple[str, ...] = ()
    handbook: Handbook = field(default_factory=Handbook)
    tracks: tuple[Track, ...] = ()

    def transition(self, kind: Kind, to: str = "") -> Transition | None:
        return next((t for t in self.transitions if t.kind == kind and (t.to == to or not to)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDeclaration:
    """A custom field that publishing the process creates on its subject."""

    key: str
    type: str
    label: Name
    options: tuple[Mapping[str, Any], ...] = ()
    help: Name = field(default_factory=dict)
    unit: str = ""
    zero_is_placeholder: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A whole process version. `source` is the JSON document it was read from."""

    key: str
    version: int
    subject: str
    name: Name
    goal: Name
    mode: Mode
    stages: tuple[Stage, ...]
    fields: tuple[FieldDeclaration, ...]
    scores: Mapping[str, Score]
    lists: Mapping[str, tuple[Reason, ...]]
    reopen_days: int
    recurring_days: int | None
    source: Mapping[str, Any]
    clocks: ClockPolicy = field(default_factory=ClockPolicy)
    approvals: ApprovalPolicy = field(default_factory=ApprovalPolicy)
    playbooks: Mapping[str, Playbook] = field(default_factory=dict)
    packages: Mapping[str, Package] = field(default_factory=dict)
    by_key: Mapping[str, Stage] = field(default_factory=dict)
    positions: Mapping[str, int] = field(default_factory=dict)

    def stage(self, key: str) -> Stage:
        """Raises KeyError for a stage that this version does not have."""
        return self.by_key[key]

    def position(self, key: str) -> int:
        return self.positions[key]

    @property
    def has_branches(self) -> bool:
        return any(t.kind == Kind.BRANCH for stage in self.stages for t in stage.transitions)

    @property
    def start_stages(self) -> tuple[Stage, ...]:
        return tuple(s for s in self.stages if s.start)

    def next_stage(self, key: str) -> Stage | None:
        """Where a plain advance leads, or None at the last stage."""
        stage = self.by_key[key]
        for transition in stage.transitions:
            if transition.kind == Kind.ADVANCE:
                return self.by_key[transition.to]
        return None

    def between(self, key: str, to: str) -> tuple[Stage, ...]:
        """Stages strictly between two, in order: those that a skip leaves out."""
        low, high = self.positions[key], self.positions[to]
        return self.stages[low + 1 : high]

    def before(self, key: str) -> tuple[Stage, ...]:
        return self.stages[: self.positions[key]]

    def reason(self, list_name: str, key: str) -> Reason | None:
        return next((r for r in self.lists.get(list_name, ()) if r.key == key), None)

    def question(self, key: str) -> tuple[Stage, Question] | None:
        """A question of the bank, and the stage where it belongs."""
        return next(((s, q) for s in self.stages for q in s.questions if q.key == key and key), None)

    def criteria(self) -> Iterator[tuple[Stage, str, Criterion]]:
        """Every top-level criterion with its stage and side (entry, exit)."""
        for stage in self.stages:
            for criterion in stage.entry:
                yield stage, "entry", criterion
            for criterion in stage.exit:
                yield stage, "exit", criterion

    def criterion(self, key: str) -> tuple[Stage, str, Criterion] | None:
        """A criterion by key, also inside groups."""
        for stage, side, criterion in self.criteria():
            if criterion.key == key:
                return stage, side, criterion
            for child in criterion.children:
                if child.key == key:
                    return stage, side, child
        return None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem in a document: where (`stages.needs_analysis.exit.ati.type`) and what, in zh and en.

    `whole`: it lies between several pieces, none of which is wrong by itself.
    """

    path: str
    message: str
    whole: bool = False


class DefinitionError(ValueError):
    """The document cannot be used; `problems` names every place."""

    def __init__(self, problems: list[Trouble]) -> None:
        super().__init__("\n".join(f"{p.path}: {p.message}" for p in problems))
        self.problems = problems
