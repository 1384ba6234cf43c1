"""Shapes of the inbox of approvals in the API."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from fairlead.common.rest import Answer, Body

from .schemas import OverrideOut
from .schemas_approvals import ApprovalOut, KeyText, PersonId, Version, Words

Tab = Literal["todo", "done", "mine", "copies"]


class PlaceOut(Answer):
    kind: Literal["approval", "override"]
    id: int


class InboxOut(Answer):
    """`waiting`: how many requests wait for your decision, approvals and requests to let pass. `order`: of both on this
    page, the most urgent first. `next`: where the next page begins."""

    waiting: int
    items: list[ApprovalOut]
    overrides: list[OverrideOut]
    order: list[PlaceOut]
    next: int | None


class TermOut(Answer):
    """A bound value in words: of now, how far the rule reaches, as last approved, and in the cases alike."""

    name: str
    now: str
    limit: str
    before: str
    changed: bool
    near: str
    fired: bool


class CaseOut(Answer):
    title: str
    shown: str
    when: str
    same: bool


class ScreenOut(Answer):
    """`compared`: past decisions among which the cases alike were found. `has_moved`: values changed since."""

    request: int
    reasons: list[str]
    may_decide: bool
    has_moved: bool
    terms: list[TermOut]
    compared: int
    cases: list[CaseOut]


class EaseIn(Body):
    """`values`: numbers to try in place of those of now."""

    kind: KeyText
    values: Annotated[
        dict[KeyText, Annotated[Decimal, Field(max_digits=18, decimal_places=4)]], Field(max_length=20)
    ] = {}


class EaseChangeOut(Answer):
    field: str
    direction: Literal["at_most", "at_least", "subset", "equal"]
    value: Any


class UsuallyOut(Answer):
    """Working hours from submission to the end over `n` past decisions; `enough` is false where n is small."""

    n: int
    enough: bool
    median_hours: float | None
    p90_hours: float | None


class EaseOut(Answer):
    kind: str
    text: str
    changes: list[EaseChangeOut]
    usually: UsuallyOut
    usually_text: str


class TogetherIn(Body):
    """`versions`: what you saw of each request, by its id; a request that changed since is left as it is."""

    requests: Annotated[list[PersonId], Field(max_length=50)] = []
    overrides: Annotated[list[PersonId], Field(max_length=50)] = []
    versions: Annotated[dict[PersonId, Version], Field(max_length=50)] = {}
    comment: Words = ""


class ResultOut(Answer):
    request: int | None
    override: int | None
    done: bool
    code: str
    text: str


class TogetherOut(Answer):
    items: list[ResultOut]


class PrecedentOut(Answer):
    id: int
    subject_type: str
    subject_id: int
    kind: str
    lever: str
    row: str
    tier: int
    granted_at: datetime
    expires_at: datetime
    state: Literal["open", "promoted", "refused"]
    note: str
    values: dict[str, Any]


class PrecedentsOut(Answer):
    items: list[PrecedentOut]
    next: int | None


class PrecedentSettleIn(Body):
    """`note`: why, in at least ten characters."""

    state: Literal["promoted", "refused"]
    note: Annotated[str, Field(max_length=2000)]
