"""Shapes of versions in flight in the API."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from fairlead.common.rest import Answer, Body

from .schemas import Key

Choice = Literal["keep", "next", "now", "leave"]
Number = Annotated[int, Field(ge=0, le=10**15 - 1)]
Wanted = str | dict[str, JsonValue]


class GroupIn(Body):
    """Records that all of these fit. `stage`: a key of the earlier version. `reason`: why they are to `leave`; the
    others need none."""

    choice: Choice
    reason: Annotated[str | None, Field(max_length=300)] = None
    stage: Key | None = None
    min: Number | None = None
    max: Number | None = None
    owner: Number | None = None


class PlanIn(Body):
    """`mapping`: earlier version → stage → stage of the target, or `{"split": [{"when": …, "to": …}, {"to": …}]}`, or
    `{"pick": [stages]}` for a choice by hand; what is left out stays as it is. `keep_after`: place on the axis."""

    mapping: Annotated[dict[str, dict[str, Wanted]] | None, Field(max_length=50)] = None
    groups: Annotated[list[GroupIn] | None, Field(max_length=50)] = None
    keep_after: Annotated[str | None, Field(max_length=60)] = None
    grace_days: Annotated[int | None, Field(ge=0, le=250)] = None


class PlanDo(Body):
    """`pick` says of which journey and which stage."""

    do: Literal["try", "confirm", "drop", "undo", "pick"]
    journey: Number | None = None
    stage: Key | None = None


class MigrationPlanOut(Answer):
    """`totals`: what the trial came to; empty before it. `undo_until`: none where nothing can be undone."""

    id: int
    process: str
    target: int
    state: str
    version: int
    mapping: dict[str, Any]
    groups: list[dict[str, Any]]
    keep_after: str
    grace_days: int
    totals: dict[str, Any]
    rows_total: int
    rows_done: int
    checked_total: int
    checked_done: int
    checked_at: datetime | None
    confirmed_by: int | None
    confirmed_at: datetime | None
    finished_at: datetime | None
    undo_until: datetime | None
    undone_at: datetime | None


class PlanRowOut(Answer):
    journey: int
    choice: str
    state: str
    from_version: int
    from_stage: str
    to_stage: str
    outlook: dict[str, Any]
    done_at: datetime | None
