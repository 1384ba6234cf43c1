"""Shapes of scorecards and of the mutual plan in the API."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from fairlead.common.rest import Answer, Body, Day, Flag, Id

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


class ElementOut(Answer):
    element: str
    points: int
    top: int
    floor: int
    text: str
    source: str
    by: str
    at: datetime | None
    old: bool = Field(description="The evidence is older than the process wants it.")


class RaiseOut(Answer):
    element: str
    to: int
    points: int
    minutes: int
    act: str
    total: int = Field(description="The whole score once this and the acts before it are done.")


class ScorecardOut(Answer):
    score: str
    total: int
    most: int
    needed: int | None = Field(description="What the gate ahead asks for.")
    met: bool
    enough: int = Field(description="How many of `raises`, in their order, reach the gate.")
    elements: list[ElementOut]
    raises: list[RaiseOut]


class ScorecardsOut(Answer):
    items: list[ScorecardOut]


class AssessIn(Body):
    score: Key
    element: Key
    value: Annotated[str, Field(max_length=100)] | Annotated[int, Field(strict=True, ge=0, le=100)] | None
    text: Annotated[str, Field(max_length=2000)] = ""
    source: Annotated[str, Field(max_length=200)] = ""
    file: Id | None = None


class PlanStepOut(Answer):
    id: int
    side: str
    title: str
    contact: int | None
    owner: int | None
    due: date
    first_due: date
    pushes: int
    done_at: datetime | None
    version: int


class PlanOut(Answer):
    credibility: str = Field(description="high, medium, low or unknown")
    reasons: list[str]
    kept: int
    counted: int
    likely: date | None
    items: list[PlanStepOut]


class StepIn(Body):
    side: Literal["customer", "us"]
    title: Annotated[str, Field(max_length=200)]
    due: Day
    contact: Id | None = None
    owner: Id | None = None


class StepChange(Body):
    title: Annotated[str, Field(max_length=200)] | None = None
    due: Day | None = None
    done: Flag | None = None
