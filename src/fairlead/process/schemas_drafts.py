"""Shapes of drafts, their edits and their publishing in the API."""

import builtins
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from fairlead.common.rest import Answer, Body, Flag

from .schemas import Document, Key

Ops = Literal[
    "process_set",
    "stage_add",
    "stage_set",
    "stage_move",
    "stage_remove",
    "criterion_add",
    "criterion_set",
    "criterion_move",
    "criterion_remove",
    "criterion_group",
    "criterion_ungroup",
    "transition_add",
    "transition_set",
    "transition_move",
    "transition_remove",
    "reason_add",
    "reason_set",
    "reason_move",
    "reason_remove",
    "field_add",
    "field_set",
    "field_remove",
    "playbook_add",
    "playbook_set",
    "playbook_move",
    "playbook_remove",
    "task_add",
    "task_set",
    "task_move",
    "task_remove",
    "score_add",
    "score_set",
    "score_remove",
    "element_add",
    "element_set",
    "element_move",
    "element_remove",
    "track_add",
    "track_set",
    "track_move",
    "track_remove",
    "note_add",
    "note_set",
    "note_move",
    "note_remove",
    "question_add",
    "question_set",
    "question_move",
    "question_remove",
    "package_add",
    "package_set",
    "package_move",
    "package_remove",
    "approvals_set",
    "approval_add",
    "approval_set",
    "approval_move",
    "approval_remove",
    "approval_part_add",
    "approval_part_set",
    "approval_part_move",
    "approval_part_remove",
    "committee_add",
    "committee_set",
    "committee_remove",
]
Piece = Annotated[dict[str, JsonValue], Field(max_length=60)]
Small = Annotated[str, Field(max_length=60)]
Number = Annotated[int, Field(strict=True, ge=0, le=500)]
Steps = Annotated[int, Field(strict=True, ge=-500, le=500)]


class DraftBegin(Body):
    """Nothing: as the published version. `version`: as that one. `document` or `template`: as that content, with
    `key` and `name` as a process of its own."""

    version: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = None
    document: Document | None = None
    template: Key | None = None
    name: (
        Annotated[dict[Literal["zh", "en"], Annotated[str, Field(max_length=100)]], Field(max_length=2)]
        | None
    ) = None


class DraftEdit(Body):
    """One edit. `set` goes with process_set and stage_set; a piece (`criterion`, `transition`, `reason`, `field`,
    `playbook`, `task`, `score`) is given whole; `by` moves so many places, `to` to a place counted from 0.

    `group`: the key of a group of criteria that criterion_add adds to and criterion_group puts an item into;
    criterion_ungroup takes a member out of its group, or dissolves a group. `element`: a field that a score sums up,
    with the `acts` that raise it. A group, a playbook or a score may begin empty (`criteria`, `tasks` or `elements`
    an empty list): `findings` name it until something is in it.

    Of a stage: `track` (found by `track_key`), and `note` and `question`, which stand at `number`, counted from 0; of the
    process likewise `package`, a hand-over from role to role.

    Approvals: approval_add takes `approval` (with `stage`: leaving that stage asks for it at once), approval_set `set`;
    the approval_part_… edit one `list` of a kind (rows, binds, prohibited, package, opinions) with `entry` at `number`;
    `bind` lets what the condition of a row reads join the envelope."""

    op: Ops
    stage: Small | None = None
    after: Small | None = None
    side: Literal["entry", "exit"] | None = None
    key: Small | None = None
    name: Annotated[dict[str, JsonValue], Field(max_length=2)] | None = None
    set: Piece | None = None
    criterion_key: Small | None = None
    group: Small | None = None
    criterion: Piece | None = None
    number: Number | None = None
    transition: Piece | None = None
    list: Small | None = None
    reason_key: Small | None = None
    reason: Piece | None = None
    field_key: Small | None = None
    field: Piece | None = None
    playbook_key: Small | None = None
    playbook: Piece | None = None
    task_key: Small | None = None
    task: Piece | None = None
    score_key: Small | None = None
    score: Piece | None = None
    element: Small | None = None
    acts: Annotated[builtins.list[dict[str, JsonValue]], Field(max_length=100)] | None = None
    track_key: Small | None = None
    track: Piece | None = None
    note: Piece | None = None
    question: Piece | None = None
    package: Piece | None = None
    approval_key: Small | None = None
    approval: Piece | None = None
    entry: Piece | None = None
    bind: Flag | None = None
    committee_key: Small | None = None
    committee: Piece | None = None
    by: Steps | None = None
    to: Number | None = None


class DraftReplace(Body):
    document: Document


class FindingOut(Answer):
    """`part`, `stage`, `item`: the place in the designer where it is mended. `twin`: words that would mend it."""

    level: str
    path: str
    message: str
    part: str
    stage: str
    item: str
    twin: dict[str, str] | None


class DraftChangeOut(Answer):
    sign: str
    text: str


class PublishRequestOut(Answer):
    state: str
    asked_by: int
    asked_at: datetime
    comment: str
    decided_by: int | None
    decided_at: datetime | None
    answer: str


class DraftOut(Answer):
    """`findings`: errors first; none of level `error`: it may be published. `changes`: against `base`, in words."""

    process: str
    subject: str
    number: int
    base: int | None
    version: int
    begun_by: int | None
    begun_at: datetime
    changed_by: int | None
    changed_at: datetime
    document: dict[str, Any]
    findings: list[FindingOut]
    changes: list[DraftChangeOut]
    request: PublishRequestOut | None


class DraftListItem(Answer):
    process: str
    subject: str
    number: int
    base: int | None
    version: int
    changed_by: int | None
    changed_at: datetime


class DraftsOut(Answer):
    items: list[DraftListItem]


class PublishAskIn(Body):
    comment: Annotated[str, Field(max_length=2000)] = ""


class PublishDecisionIn(Body):
    grant: Flag
    answer: Annotated[str, Field(max_length=2000)] = ""
