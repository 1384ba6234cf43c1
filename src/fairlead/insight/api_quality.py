"""Criterion quality for machines (OV-4). NumPy loads with the question."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.common.rest import MAX_ID, Answer, Code
from fairlead.process.models import Process

from .schemas import RateOut, number, rate_out

router = Router(tags=["process"])


class DifferenceOut(Answer):
    """One share less another, 0.1 being ten points; null where one side is too small."""

    a: RateOut
    b: RateOut
    value: float | None
    low: float | None
    high: float | None
    enough: bool


class CriterionQualityOut(Answer):
    """`lift`: won when met (a) less won when not met, expired or waived (b), within bands of amount. `overridden`: won
    having gone through by waiver (a) less with the item met (b). `says`: the same in sentences."""

    criterion: str
    name: str
    attempts: int
    records: int
    first_pass: RateOut
    override: RateOut
    lift: DifferenceOut
    overridden: DifferenceOut
    review: bool
    says: list[str]


class OverrideShareOut(Answer):
    key: str
    name: str
    override: RateOut


class GrantorOut(Answer):
    """Numbers are null for fewer than five records."""

    person: int
    name: str
    waivers: int | None
    records: int | None
    granted: RateOut | None


class CriteriaQualityOut(Answer):
    """`attempts` were read: all within a year, or the newest (`all` false). Above `review_above` an item is for review."""

    process: str
    attempts: int
    all: bool
    review_above: float
    items: list[CriterionQualityOut]
    stages: list[OverrideShareOut]
    teams: list[OverrideShareOut]
    people: list[GrantorOut]
    overridden: DifferenceOut


class QualityRowsIn(Schema):
    """Which figure: with `criterion` that of an item; else over all items, of a stage, a team or a grantor."""

    part: Literal[
        "asked", "at_once", "through", "waived", "met_ended", "unmet_ended", "waived_ended", "clean_ended",
        "overridden_ended", "granted",
    ]  # fmt: skip
    criterion: Annotated[str, Field(max_length=60)] = ""
    stage: Annotated[str, Field(max_length=60)] = ""
    team: Annotated[int, Field(ge=1, le=MAX_ID)] | None = None
    person: Annotated[int, Field(ge=1, le=MAX_ID)] | None = None


class QualityRowsOut(Answer):
    """Journeys, the newest first; over several gates one stands there once for each."""

    journeys: list[int]


def difference_out(one: Any) -> dict[str, Any]:
    return {
        "a": rate_out(one.a), "b": rate_out(one.b), "enough": bool(one.enough),
        **{name: number(getattr(one, name)) if one.enough else None for name in ("value", "low", "high")},
    }  # fmt: skip


def _process(key: str) -> Process:
    process = Process.objects.filter(key=key).first()
    if process is None:
        raise NotFound
    return process


@router.get(
    "/processes/{key}/criteria", response=CriteriaQualityOut, operation_id="processes_criterion_quality"
)
@access("funnel.view", api=True)
def criteria(request: HttpRequest, key: Code) -> dict[str, Any]:
    """By item of a process, over the newest 5,000 attempts of a year on records that you see: met at once, let pass,
    and won with or without it, each with its interval."""
    from .quality import words
    from .quality.figures import figures

    found = figures(_process(key), reader=request.user, at=timezone.now())
    if found is None:
        raise NotFound
    review = {one.key for one in found.for_review}
    return {
        "process": key, "attempts": found.read, "all": found.is_all, "review_above": found.review,
        "items": [
            {
                "criterion": one.key, "name": one.name, "attempts": one.quality.attempts,
                "records": one.quality.records, "first_pass": rate_out(one.quality.first_pass),
                "override": rate_out(one.quality.override), "lift": difference_out(one.quality.lift),
                "overridden": difference_out(one.quality.overridden), "review": one.key in review,
                "says": words.sentences(one.quality, found.review),
            }
            for one in found.items
        ],
        "stages": [{"key": k, "name": name, "override": rate_out(rate)} for k, name, rate in found.stages],
        "teams": [{"key": str(k), "name": name, "override": rate_out(rate)} for k, name, rate in found.teams],
        "people": [
            {
                "person": one.person.pk, "name": one.person.name,
                "waivers": None if one.is_hidden else one.waivers,
                "records": None if one.is_hidden else one.records,
                "granted": None if one.is_hidden else rate_out(one.granted),
            }
            for one in found.grantors
        ],
        "overridden": difference_out(found.overridden),
    }  # fmt: skip


@router.get(
    "/processes/{key}/criteria/rows", response=QualityRowsOut, operation_id="processes_criterion_rows"
)
@access("funnel.view", api=True)
def rows(request: HttpRequest, key: Code, asked: Annotated[QualityRowsIn, Query()]) -> dict[str, Any]:
    """The journeys behind one figure of criterion quality."""
    from .quality.rows import Asked, records

    question = Asked.read(
        {
            "part": asked.part, "item": asked.criterion, "stage": asked.stage,
            "team": asked.team or "", "person": asked.person or "",
        }
    )  # fmt: skip
    return {"journeys": records(_process(key), question, reader=request.user, at=timezone.now())}
