"""Shapes of figures in the API: every share with its interval and its n, and what was left out."""

import math
from datetime import date, datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

from fairlead.common.rest import MAX_ID, Answer, Body


class QuestionIn(Schema):
    """What every reading of the funnel may be asked; days from `from` to `to`, both included."""

    process: Annotated[str, Field(max_length=60, description="Key of a process; blank: the one in use")] = ""
    team: Annotated[int, Field(ge=1, le=MAX_ID, description="With every team below it")] | None = None
    owner: Annotated[int, Field(ge=1, le=MAX_ID)] | None = None
    since: Annotated[date | None, Field(alias="from")] = None
    until: Annotated[date | None, Field(alias="to")] = None
    as_of: date | None = None


class CohortIn(QuestionIn):
    days: Annotated[
        int,
        Field(
            ge=1,
            le=3650,
            description="The horizon. The page takes 180 or 365 by itself where half of what was won took longer",
        ),
    ] = 90
    mode: Literal["reach", "touch"] = "reach"


class PathIn(CohortIn):
    start: Annotated[
        str,
        Field(max_length=60, description="The stage (axis key) where the cohort begins; blank: the first"),
    ] = ""


class TimeIn(QuestionIn):
    at: Annotated[
        int, Field(ge=1, le=3650, description="A day at which the chances are told beside 30, 60 and 90")
    ] = 90


class WinRateIn(QuestionIn):
    basis: Literal["closed", "full"] = "closed"


class RateOut(Answer):
    """`value` and its 95 % interval are null where the cases are too few."""

    k: float
    n: float
    cases: int
    value: float | None
    low: float | None
    high: float | None
    enough: bool


class KindDecidedOut(Answer):
    """One kind of approval: hours are working hours; `left_out` were withdrawn or returned and are not counted."""

    kind: str
    n: int
    enough: bool
    median_hours: float | None
    p90_hours: float | None
    by_rule: RateOut
    came_again: RateOut
    approved: RateOut
    unread: RateOut
    left_out: int


class DecidingOut(Answer):
    process: str
    items: list[KindDecidedOut]


class ShareOut(Answer):
    value: float | None
    low: float | None
    high: float | None


class Reading(Answer):
    process: str
    as_of: datetime


class StockRowOut(Answer):
    stage: str
    name: str
    count: int
    amount: float
    without_amount: int
    on_hold: int
    entry_known: int
    entry_unknown: int


class StockOut(Reading):
    """What stands in each stage now: a stock, no conversion."""

    rows: list[StockRowOut]
    n: int
    amount: float
    left_out: dict[str, int]


class ExitRowOut(Answer):
    stage: str
    name: str
    ends: dict[str, int]
    count: RateOut
    value: RateOut


class PeriodOut(Reading):
    """How the stays ended that were left within the period."""

    rows: list[ExitRowOut]
    n: int
    left_out: dict[str, int]


class CohortRowOut(Answer):
    stage: str
    name: str
    next_stage: str
    count: RateOut
    value: RateOut
    left_out: dict[str, int]


class CohortOut(Reading):
    """Of those that entered a stage within the period: the share that got on within the horizon."""

    rows: list[CohortRowOut]
    horizon_days: int
    mode: str


class PathStepOut(Answer):
    stage: str
    name: str
    of_start: RateOut
    of_previous: RateOut


class PathOut(Reading):
    start: str
    steps: list[PathStepOut]
    overall: RateOut
    horizon_days: int
    mode: str
    left_out: dict[str, int]


class StayOut(Answer):
    stage: str
    name: str
    n: int
    enough: bool
    events: dict[str, int]
    censored: int
    median: ShareOut
    chances: dict[str, dict[str, ShareOut]]
    left_out: dict[str, int]


class StaysOut(Reading):
    """Days in a stage by Kaplan and Meier; `chances[day][cause]` is the cumulative incidence."""

    rows: list[StayOut]


class WinRateOut(Reading):
    basis: str
    count: RateOut
    value: RateOut
    outcomes: dict[str, int]
    won_value: float
    left_out: dict[str, int]


class FiguresOut(Answer):
    opportunities: int
    accounts: int
    people: int
    won: int
    lost: int
    open: int
    win_rate_closed: float | None
    won_value: float
    median_days_to_close: float | None


def number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


class ReplayIn(Body):
    """A document to try, or the number of a stored version, a draft too."""

    document: dict[str, Any] | None = None
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    most: Annotated[int, Field(ge=1, le=10_000, description="The newest so many records")] = 2_000


class TriedOut(Answer):
    """Moves by what the document says of them; `unknown`: nobody was asked for that then."""

    passes: int
    stopped: int
    unknown: int
    inside: int
    no_place: int
    other_order: int


class TriedStageOut(Answer):
    stage: str
    stopped: int


class TriedCriterionOut(Answer):
    """Over records, as it stood when the stage was last left; `stopped`: those that it would have stopped."""

    criterion: str
    stage: str
    level: str
    asked: int
    met: int
    unmet: int
    unknown: int
    stopped: int
    win_rate_met: RateOut
    win_rate_unmet: RateOut


class TriedPipelineOut(Answer):
    """Weighted value of open records: as it stands, by the document's chances, and standing where it would have
    stopped them; null below the floor of cases."""

    n: int
    held: int
    left_out: int
    enough: bool
    before: float | None
    by_chances: float | None
    after: float | None


class StoppedOut(Answer):
    journey: int
    subject_type: str
    subject_id: int
    title: str
    stage: str
    criteria: list[str]
    at: datetime
    next: bool


class ReplayOut(Answer):
    """What a document would have done to the records that the asker sees; the first 500 that it stops are listed."""

    process: str
    version: int
    journeys: int
    moves: int
    imported: int
    unanswered: int
    from_attempts: int
    answers: TriedOut
    coming: TriedOut
    stopped: int
    stopped_next: int
    stages: list[TriedStageOut]
    criteria: list[TriedCriterionOut]
    pipeline: TriedPipelineOut
    rows: list[StoppedOut]


def rate_out(rate: Any) -> dict[str, Any]:
    shown = rate.enough
    return {
        "k": number(rate.k) or 0, "n": number(rate.n) or 0, "cases": int(rate.cases), "enough": bool(shown),
        "value": number(rate.value) if shown else None, "low": number(rate.low) if shown else None,
        "high": number(rate.high) if shown else None,
    }  # fmt: skip


def share_out(share: Any, *, shown: bool = True) -> dict[str, Any]:
    return {name: number(getattr(share, name)) if shown else None for name in ("value", "low", "high")}


def counts(left_out: Any) -> dict[str, int]:
    return {str(key): int(value) for key, value in left_out.items()}
