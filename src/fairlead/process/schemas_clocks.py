"""Shapes of clocks, breaches and compliance in the API."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from fairlead.common.rest import Answer, Body

ClockName = Literal["visit", "stage", "inactivity", "total", "response", "track"]


class ClockOut(Answer):
    """One clock now. `key`: the stage, the role that owes an answer, or the track of a role.

    `level` is how it stands; `noted` that the breach is in the journal and can be acknowledged.

    `days`, `yellow` and `red` are working days. `cause` says what set the clock of inactivity back last. `stop`: why
    it stands still where the process lets it: an answer of the customer is awaited, or a talk is planned;
    `stop_until` is when it goes on at the latest.
    """

    clock: ClockName
    key: str
    days: int
    yellow: int | None
    red: int | None
    level: Literal["", "yellow", "red"]
    noted: bool
    paused: bool
    stop: Literal["", "waiting", "planned"]
    stop_until: datetime | None
    started_at: datetime
    cause: str
    yellow_at: datetime | None
    red_at: datetime | None
    breached_at: datetime | None
    acknowledged_until: datetime | None
    told: int
    calls: list["CallOut"]


class CallOut(Answer):
    """A flag or a proposal that stands until it is settled or the clock is in time again."""

    act: str
    do: Literal["flag", "propose_hold", "propose_lost"]
    at: datetime
    name: str


class ClocksOut(Answer):
    items: list[ClockOut]


class AcknowledgeIn(Body):
    """`hours`: working hours for which reminders rest; without it, those of the process."""

    clock: ClockName
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{0,60}$")] = ""
    hours: Annotated[int, Field(strict=True, ge=1, le=400)] | None = None


class SettleIn(Body):
    """`act`: the key under which the process names what the clock did."""

    clock: ClockName
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{0,60}$")] = ""
    act: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


class BreachOut(Answer):
    """What a clock said, or what ended it: `type` is clock_breached, clock_escalated, clock_acknowledged,
    clock_acted, clock_call_settled, clock_resolved, clock_policy_taken, track_through or track_reopened."""

    id: int
    type: str
    at: datetime
    recorded_at: datetime
    stage: str
    by: int | None
    data: dict[str, Any]


class BreachesOut(Answer):
    items: list[BreachOut]


class StageComplianceOut(Answer):
    """`percent` is null where no visit was completed. `open_over`: visits that are over their limit now."""

    stage: str
    name: str
    completed: int
    in_time: int
    percent: float | None
    open_over: int


class ComplianceOut(Answer):
    process: str
    left_from: date
    left_before: date
    items: list[StageComplianceOut]


class TakenOut(Answer):
    """How many running journeys keep time by an earlier version and will follow the published one."""

    running: int
