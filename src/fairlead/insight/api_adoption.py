"""Adoption by behaviour, and the settings of a soft landing."""

from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field

from fairlead.analytics.adoption import ELEMENTS, FEWEST_PEOPLE, Adoption, quartiles
from fairlead.analytics.burden import burden
from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.common.rest import Answer, Body, Day, IfMatch, etag, version_in
from fairlead.journal.enums import Channel
from fairlead.process.models import Process, Rollout
from fairlead.process.services import rollout

from .adoption.behaviour import ask
from .adoption.burden import read_burden
from .adoption.pulse import answer_pulse, latest_pulse
from .adoption.week import given_in, week_before

router = Router(tags=["insight"])
Weight = Annotated[float, Field(ge=0, le=rollout.MOST_WEIGHT)]


class AdoptionShareOut(Answer):
    """`hits` of `cases`; `weight` as set, scaled against the others when the index is computed."""

    hits: int
    cases: int
    value: float | None
    weight: float


class AdoptionPersonOut(Answer):
    person: int
    name: str
    index: float | None


class AdoptionOut(Answer):
    """`index` 0–100; `people` are those whom the asker leads, `quartiles` only of five people or more."""

    as_of: str
    index: float | None
    shares: dict[str, AdoptionShareOut]
    left_out: list[str]
    people_counted: int
    quartiles: list[float] | None
    people: list[AdoptionPersonOut]


class WeightsIn(Body):
    active: Weight = 1
    timely: Weight = 1
    planned: Weight = 1


class RolloutIn(Body):
    weights: WeightsIn | None = None
    amnesty_day: Annotated[int, Field(ge=0, le=28, description="Day of the month; 0: never")] | None = None
    amnesty_length: Annotated[int, Field(ge=1, le=10)] | None = None
    amnesty_idle_days: Annotated[int, Field(ge=14, le=730)] | None = None
    measures_forms: bool | None = None
    asks_pulse: bool | None = None


class RolloutOut(Answer):
    version: int
    weights: dict[str, float]
    amnesty_day: int
    amnesty_length: int
    amnesty_idle_days: int
    measures_forms: bool
    asks_pulse: bool


@router.get("/adoption", response=AdoptionOut, operation_id="adoption")
@access("funnel.view", api=True)
def adoption(request: HttpRequest, as_of: Day | None = None) -> dict[str, Any]:
    """How the new way of working is taken up on the deals that the asker may count (metrics 3.22)."""
    user: Any = request.user
    asked = ask(user, now=timezone.now(), day=as_of)
    whole = asked.whole()
    found: dict[int, Adoption] = {pk: asked.of(pk) for pk in asked.people}
    values = {pk: one.index for pk, one in found.items() if one.index is not None}
    shows_spread = len(values) >= FEWEST_PEOPLE or values.keys() <= asked.led
    middle = quartiles(list(values.values())) if shows_spread else None
    return {
        "as_of": asked.at.isoformat(), "index": whole.index, "left_out": list(whole.left_out),
        "shares": {
            key: {
                "hits": len(share.hits), "cases": len(share.all), "value": share.value,
                "weight": asked.weights.get(key, 0),
            }
            for key, share in whole.shares.items()
        },
        "people_counted": len(values), "quartiles": list(middle) if middle else None,
        "people": [
            {"person": pk, "name": asked.people[pk].name, "index": found[pk].index} for pk in sorted(asked.led)
        ],
    }  # fmt: skip


class BurdenFieldOut(Answer):
    field: str
    seconds: float | None
    n: int


class BurdenItemOut(Answer):
    """`stopped` of the `deals` that tried to leave the stage; `wait_hours`: median working time of those `waited`."""

    item: str
    name: str
    stage: str
    fields: list[BurdenFieldOut]
    stopped: int
    deals: int
    wait_hours: float | None
    waited: int


class BurdenOut(Answer):
    process: str
    seconds: float
    wait_hours: float
    items: list[BurdenItemOut]


@router.get("/adoption/burden", response=BurdenOut, operation_id="adoption_burden")
@access("funnel.view", api=True)
def burden_meter(
    request: HttpRequest, process: Annotated[str, Query(pattern=r"^[a-z0-9_]{1,60}$")]
) -> dict[str, Any]:
    """What each required item of a process costs in filling in and in waiting, over 90 days."""
    row = Process.objects.filter(key=process, subject_type="opportunity").first()
    found = read_burden(request.user, row, at=timezone.now()) if row is not None else None
    if row is None or found is None:
        raise NotFound
    seconds, wait = burden([item.cost for item in found.items])
    return {
        "process": row.key, "seconds": seconds, "wait_hours": wait,
        "items": [
            {
                "item": item.key, "name": item.name, "stage": item.stage, "stopped": len(item.stops),
                "deals": item.cost.deals, "wait_hours": item.cost.wait, "waited": item.cost.waited,
                "fields": [{"field": key, "seconds": s, "n": n} for key, _name, s, n in item.fields],
            }
            for item in found.items
        ],
    }  # fmt: skip


class PulseOut(Answer):
    """Means 1–5 of a round of five answers or more; `barrier`: the first element at 3 or less."""

    round: str | None
    n: int
    means: dict[str, float]
    barrier: str | None


Score = Annotated[int, Field(ge=1, le=5)]


class PulseIn(Body):
    awareness: Score
    desire: Score
    knowledge: Score
    ability: Score
    reinforcement: Score


@router.get("/adoption/pulse", response=PulseOut, operation_id="pulse_get")
@access("funnel.view", api=True)
def pulse(request: HttpRequest) -> dict[str, Any]:
    """The newest round that may be shown."""
    return _pulse_out()


@router.post("/adoption/pulse", response=PulseOut, operation_id="pulse_answer")
@access("comment.add", api=True)
def answer(request: HttpRequest, payload: PulseIn) -> dict[str, Any]:
    """Answer the five questions of the month, once. 409 `already-answered`."""
    answer_pulse(payload.model_dump(), by=request.user, at=timezone.now())
    return _pulse_out()


def _pulse_out() -> dict[str, Any]:
    found = latest_pulse()
    if found is None:
        return {"round": None, "n": 0, "means": {}, "barrier": None}
    return {"round": found.round, "n": found.n, "means": dict(found.means), "barrier": found.barrier}


class WeekOut(Answer):
    """`counts`: imported, changed, mended, reminded, told, undone; `seconds`: saved by changing many, as measured."""

    first: date
    last: date
    counts: dict[str, int]
    seconds: float


@router.get("/week", response=WeekOut, operation_id="week")
@access("process.view", api=True)
def week(request: HttpRequest, back: Annotated[int, Query(ge=0, le=52)] = 1) -> dict[str, Any]:
    """What the system did for the asker in the week so many weeks ago."""
    user: Any = request.user
    found = week_before(user, at=timezone.now(), back=back)
    given = given_in(user, found)
    return {"first": found.first, "last": found.last, "counts": dict(given.counts), "seconds": given.seconds}


@router.get("/rollout", response=RolloutOut, operation_id="rollout_get")
@access("process.view", api=True)
def settings(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """Weights, clean-up days, what is measured and asked."""
    row = rollout.current()
    etag(response, row.version)
    return _out(row)


@router.put("/rollout", response=RolloutOut, operation_id="rollout_change")
@access("settings.manage", api=True)
def change_settings(
    request: HttpRequest, response: HttpResponse, payload: RolloutIn, if_match: IfMatch = None
) -> dict[str, Any]:
    """Change what is given."""
    version = version_in(if_match)
    user: Any = request.user
    changes = payload.model_dump(exclude_none=True)
    how = {"by": user, "at": timezone.now(), "channel": Channel.API}
    row = rollout.change_rollout(version=version, **how, **changes)
    etag(response, row.version)
    return _out(row)


def _out(row: Rollout) -> dict[str, Any]:
    names = ("version", *rollout.NUMBERS, *rollout.SWITCHES)
    weights = row.weights or dict.fromkeys(ELEMENTS, 1.0)
    return {"weights": weights, **{name: getattr(row, name) for name in names}}
