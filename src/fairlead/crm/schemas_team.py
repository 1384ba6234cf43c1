"""What the API says and takes of a deal team at work."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Field

from fairlead.common.rest import Answer, Body

from .models import BonusSplit, HandOver, RoleQuestion

Share = Annotated[int, Field(strict=True, ge=0, le=100)]


class SplitIn(Body):
    """Shares in percent; they make 100 together."""

    ar: Share
    sr: Share
    fr: Share


class SplitOut(Answer):
    ar: int
    sr: int
    fr: int
    agreed_by: int | None
    agreed_at: datetime | None
    agreed: bool


class VetoIn(Body):
    domain: Literal[
        "technical", "delivery_date", "delivery_scope", "delivery_cost", "customer", "finance", "legal"
    ]
    clause: str
    alternative: str = ""


class VetoSettleIn(Body):
    """`how`: withdrawn by whoever said no, accepted by somebody who works on the deal, overruled with a reason."""

    how: Literal["withdrawn", "accepted", "overruled"]
    reason: str = ""


class VetoOut(Answer):
    id: int
    domain: str
    role: str
    clause: str
    alternative: str
    by: int
    at: datetime
    state: str
    settled_by: int | None
    settled_at: datetime | None
    reason: str
    escalated_at: datetime | None
    version: int


class VetoesOut(Answer):
    items: list[VetoOut]


class HandOverIn(Body):
    """`package`: from and to, such as `ar_sr`; `there`: keys of the items that are brought along."""

    package: Annotated[str, Field(pattern=r"^[a-z_]{1,20}$")]
    there: list[Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$")]] = []
    note: str = ""


class RoleAnswerIn(Body):
    """Returning names a reason of the process's list and what has to be mended."""

    accept: bool
    reason_code: str = ""
    reason: str = ""


class HandOverOut(Answer):
    id: int
    package: str
    from_role: str
    to_role: str
    stage: str
    attempt: int
    items: list[dict[str, Any]]
    note: str
    by: int
    to: int
    offered_at: datetime
    due_at: datetime
    state: str
    answered_by: int | None
    answered_at: datetime | None
    reason_code: str
    reason: str
    escalated_at: datetime | None
    version: int


class HandOversOut(Answer):
    items: list[HandOverOut]


class RoleQuestionIn(Body):
    role: Literal["AR", "SR", "FR"]
    question: str
    days: Annotated[int, Field(strict=True, ge=1, le=30)] = 3


class ReplyIn(Body):
    answer: str


class RoleQuestionOut(Answer):
    id: int
    role: str
    to: int
    question: str
    by: int
    asked_at: datetime
    days: int
    due_at: datetime
    stage: str
    state: str
    answer: str
    settled_by: int | None
    settled_at: datetime | None
    in_time: bool | None
    escalated_at: datetime | None
    version: int


class QuestionsOut(Answer):
    items: list[RoleQuestionOut]


def split_out(row: BonusSplit | None, usual: dict[str, int]) -> dict[str, Any]:
    if row is None:
        return {**usual, "agreed_by": None, "agreed_at": None, "agreed": False}
    return {
        "ar": row.ar, "sr": row.sr, "fr": row.fr, "agreed_by": row.agreed_by_id, "agreed_at": row.agreed_at,
        "agreed": True,
    }  # fmt: skip


def veto_out(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk, "domain": row.domain, "role": row.role, "clause": row.clause, "alternative": row.alternative,
        "by": row.by_id, "at": row.at, "state": row.state, "settled_by": row.settled_by_id,
        "settled_at": row.settled_at, "reason": row.reason, "escalated_at": row.escalated_at, "version": row.version,
    }  # fmt: skip


def hand_over_out(row: HandOver) -> dict[str, Any]:
    return {
        "id": row.pk, "package": row.key, "from_role": row.from_role, "to_role": row.to_role, "stage": row.stage_key,
        "attempt": row.attempt, "items": row.package, "note": row.note, "by": row.by_id, "to": row.to_id,
        "offered_at": row.offered_at, "due_at": row.due_at, "state": row.state, "answered_by": row.answered_by_id,
        "answered_at": row.answered_at, "reason_code": row.reason_code, "reason": row.reason,
        "escalated_at": row.escalated_at, "version": row.version,
    }  # fmt: skip


def question_out(row: RoleQuestion) -> dict[str, Any]:
    answered = row.state == "answered" and row.settled_at is not None
    return {
        "id": row.pk, "role": row.role, "to": row.to_id, "question": row.question, "by": row.by_id,
        "asked_at": row.asked_at, "days": row.days, "due_at": row.due_at, "stage": row.stage_key, "state": row.state,
        "answer": row.answer, "settled_by": row.settled_by_id, "settled_at": row.settled_at,
        "in_time": row.settled_at <= row.due_at if answered and row.settled_at is not None else None,
        "escalated_at": row.escalated_at, "version": row.version,
    }  # fmt: skip
