"""Shapes of approvals and delegations in the API."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from fairlead.common.rest import Answer, Body

KeyText = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
About = Annotated[str, Field(pattern=r"^([a-z_]{1,30}:[a-z0-9_]{0,60})?$")]
Words = Annotated[str, Field(max_length=5000)]
PersonId = Annotated[int, Field(strict=True, ge=1, le=10**15 - 1)]
Version = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]


class BoundOut(Answer):
    """A value that an approval binds: `field` may go in `direction` of `value`."""

    lever: str
    field: str
    direction: Literal["at_most", "at_least", "subset", "equal"]
    value: Any
    text: str


class SeatOut(Answer):
    """`because`: why this person is asked in place of the one whom the matrix names; `for` is that one."""

    id: int
    person: int
    name: str
    for_: Annotated[int | None, Field(alias="for")]
    because: str
    required: bool
    state: str
    asked_at: datetime | None
    seen_at: datetime | None
    decided_at: datetime | None
    comment: str


class ApprovalStepOut(Answer):
    key: str
    lane: str
    lever: str
    row: str
    tier: int
    mode: str
    k: int
    state: str
    started_at: datetime | None
    response_due_at: datetime | None
    decision_due_at: datetime | None
    responded_at: datetime | None
    decided_at: datetime | None
    seats: list[SeatOut]


class ConditionOut(Answer):
    id: int
    text: str
    subject_type: str
    stage: str
    kind: Literal["external", "document", "word"]
    name: str
    role: str
    set_by: int
    holds_from: datetime | None
    met_at: datetime | None


class ApprovalQuestionOut(Answer):
    id: int
    by: int
    to: int
    text: str
    at: datetime
    answer: str
    answered_at: datetime | None


class ApprovalOut(Answer):
    id: int
    journey: int
    subject_type: str
    subject_id: int
    title: str
    kind: str
    kind_name: str
    about: str
    number: int
    state: Literal["pending", "approved", "rejected", "returned", "recalled"]
    text: str
    package: dict[str, Any]
    bounds: list[BoundOut]
    submitted_by: int
    submitted_at: datetime
    ended_at: datetime | None
    next_due_at: datetime | None
    second_reader: int | None
    auto: bool
    steps: list[ApprovalStepOut]
    conditions: list[ConditionOut]
    questions: list[ApprovalQuestionOut]
    version: int


class RequestsOut(Answer):
    items: list[ApprovalOut]


class SubmitIn(Body):
    """`about`: for which one move, such as `skip:quote_negotiation`; blank for the record as it stands."""

    kind: KeyText
    text: Words = ""
    package: Annotated[dict[KeyText, Words], Field(max_length=30)] = {}
    about: About = ""
    second_reader: PersonId | None = None
    copies: Annotated[list[PersonId], Field(max_length=20)] = []


class PreviewStepOut(Answer):
    key: str
    lever: str
    row: str
    row_name: str
    tier: int
    mode: str
    k: int
    people: list[int]
    names: list[str]
    response_hours: int
    decision_hours: int


class PreviewOut(Answer):
    """`cover`: how far approvals in force cover the values: not_needed, covered, pending, missing, outside, expired,
    prohibited or unknown."""

    kind: str
    kind_name: str
    cover: str
    levers: list[str]
    prohibited: list[str]
    bounds: list[BoundOut]
    steps: list[PreviewStepOut]
    package: list["PackageOut"]


class PackageOut(Answer):
    key: str
    name: str
    needed: bool
    role: str


class ConditionIn(Body):
    """`stage`: at whose exit it stands, of the record's own process or, with `subject_type`, of one that follows."""

    text: Annotated[str, Field(min_length=1, max_length=300)]
    stage: KeyText
    kind: Literal["external", "document", "word"] = "word"
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{0,60}$")] = ""
    subject_type: Annotated[str, Field(pattern=r"^[a-z_]{0,30}$")] = ""
    role: Annotated[str, Field(pattern=r"^[A-Z_]{0,10}$")] = ""


class ApprovalDecisionIn(Body):
    decision: Literal["approve", "reject"]
    comment: Words = ""
    conditions: Annotated[list[ConditionIn], Field(max_length=10)] = []
    version: Version | None = None


class RecallIn(Body):
    comment: Words = ""
    version: Version | None = None


class ReturnIn(Body):
    """`to`: blank to whoever submitted it, `previous`, or the key of an earlier step."""

    to: Annotated[str, Field(pattern=r"^[a-z0-9_.]{0,80}$")] = ""
    comment: Words
    version: Version | None = None


class TransferIn(Body):
    to: PersonId
    comment: Words
    version: Version | None = None


class AddIn(Body):
    person: PersonId
    place: Literal["before", "after", "parallel"]
    comment: Words = ""
    version: Version | None = None


class CopyIn(Body):
    people: Annotated[list[PersonId], Field(min_length=1, max_length=20)]


class ApprovalQuestionIn(Body):
    to: PersonId
    text: Annotated[str, Field(min_length=1, max_length=5000)]


class ApprovalAnswerIn(Body):
    text: Annotated[str, Field(min_length=1, max_length=5000)]


class MeetIn(Body):
    comment: Words = ""


class DelegationIn(Body):
    """`delegator` blank: oneself; somebody else's is made with the right to do so."""

    delegate: PersonId
    delegator: PersonId | None = None
    from_date: date
    to_date: date
    kinds: Annotated[list[KeyText], Field(max_length=20)] = []
    amount_cap: Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=2)] | None = None
    reason: Annotated[str, Field(max_length=200)] = ""


class DelegationOut(Answer):
    id: int
    delegator: int
    delegate: int
    from_date: date
    to_date: date
    kinds: list[str]
    amount_cap: Decimal | None
    reason: str
    granted_by: int
    granted_at: datetime
    revoked_at: datetime | None


class DelegationsOut(Answer):
    items: list[DelegationOut]
