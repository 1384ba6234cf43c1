"""Shapes of contracts and milestones in the API."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from fairlead.common.rest import Amount, Answer, Body, Day, Id
from fairlead.fields.schemas import Key, answer_model
from fairlead.process.schemas import JourneyOut

from .catalogue import CONTRACT
from .models import Milestone

Number = Annotated[str, Field(min_length=1, max_length=60)]
Score = Annotated[Decimal, Field(ge=0, le=10, max_digits=3, decimal_places=1, allow_inf_nan=False)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")]


class MilestoneOut(Answer):
    id: int
    contract: int
    kind: str
    name: str
    due_date: date | None
    amount: Decimal | None
    done_date: date | None


ContractOut = answer_model(
    "ContractOut", CONTRACT, doc="A contract as the asker may see it.", journey=(JourneyOut | None, None),
    milestones=(list[MilestoneOut], []),
)  # fmt: skip


class ContractIn(Body):
    opportunity: Id
    number: Number
    amount: Amount
    currency: Currency
    signed_date: Day | None = None
    countersigned_date: Day | None = None


class ContractChange(Body):
    number: Number | None = None
    amount: Amount | None = None
    currency: Currency | None = None
    signed_date: Day | None = None
    countersigned_date: Day | None = None
    actual_cost: Amount | None = None
    satisfaction: Score | None = None
    satisfaction_date: Day | None = None
    satisfaction_source: Literal["survey", "visit", "acceptance", "review", "other"] | None = None
    satisfaction_target: Score | None = None
    fields: Annotated[dict[Key, Any], Field(max_length=100, description="Custom fields by key")] = Field(
        default_factory=dict
    )


class MilestoneIn(Body):
    kind: Literal["handover", "kickoff", "delivery", "acceptance", "payment"]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    due_date: Day | None = None
    amount: Amount | None = None


class SharedFigureOfOut(Answer):
    """`value`: a score of 10, an amount in `currency`, or the percent that was paid by its due date. `n` 0: nothing was
    measured; `met` null: neither that, or no target was agreed."""

    kind: Literal["satisfaction", "profit", "collection"]
    value: Decimal | None
    target: Decimal | None
    n: int
    met: bool | None


class SharedFiguresOut(Answer):
    """Of one contract. `all_met`: one figure that failed fails all three roles; null while not all are measured. Without
    the right to see margins, profit is left out."""

    contract: int
    number: str
    currency: str
    figures: list[SharedFigureOfOut]
    all_met: bool | None


class SharedFiguresListOut(Answer):
    items: list[SharedFiguresOut]


class DoneIn(Body):
    on: Day


def milestone_out(row: Milestone) -> dict[str, Any]:
    return {
        "id": row.pk, "contract": row.contract_id, "kind": row.kind, "name": row.name, "due_date": row.due_date,
        "amount": row.amount, "done_date": row.done_date,
    }  # fmt: skip
