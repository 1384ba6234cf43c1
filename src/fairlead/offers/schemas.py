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
    fields: Annotated[dict[Key, Any], Field(max_length=100, description="Custom fields by key")] = Field(
        default_factory=dict
    )


class MilestoneIn(Body):
    kind: Literal["handover", "kickoff", "delivery", "acceptance", "payment"]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    due_date: Day | None = None
    amount: Amount | None = None


class DoneIn(Body):
    on: Day


def milestone_out(row: Milestone) -> dict[str, Any]:
    return {
        "id": row.pk, "contract": row.contract_id, "kind": row.kind, "name": row.name, "due_date": row.due_date,
        "amount": row.amount, "done_date": row.done_date,
    }  # fmt: skip
