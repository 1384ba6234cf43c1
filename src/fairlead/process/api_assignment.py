"""Which process a new record takes: the rules of a kind of record, in their order."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Status
from pydantic import Field, JsonValue

from fairlead.common.access import access
from fairlead.common.refusals import NotFound, Refusal
from fairlead.common.rest import Answer, Body, Code, IfMatch, PathId, etag, version_in
from fairlead.fields.catalogue import catalogue
from fairlead.journal.enums import Channel

from .answers import find_journey, journey_out, situation_of
from .fit_reading import fit_words, process_names
from .models import AssignmentRule, Journey
from .schemas import JourneyOut, Key
from .services import switching
from .services.assigning import MOST_RULES, set_rules
from .services.migrating import outlook_as_json
from .services.starting import default_process
from .subjects import registered

router = Router(tags=["process"])
Stage = Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,59})?$")]


class RuleIn(Body):
    condition: Annotated[dict[str, JsonValue], Field(max_length=3)]
    process: Key


class RulesIn(Body):
    """The first rule whose condition holds decides; what no rule takes goes the default way."""

    rules: Annotated[list[RuleIn], Field(max_length=MOST_RULES)]


class RuleOut(Answer):
    condition: dict[str, Any]
    process: str


class RulesOut(Answer):
    kind: str
    rules: list[RuleOut]
    default: str


@router.get("/assignment/{key}", response=RulesOut, operation_id="assignment_get")
@access("process.view", api=True)
def rules(request: HttpRequest, key: Code) -> dict[str, Any]:
    """The rules of a kind of record, such as opportunity, and its default process."""
    if key not in registered():
        raise NotFound
    rows = AssignmentRule.objects.filter(subject_type=key).order_by("position", "pk")
    found = [{"condition": r.condition, "process": r.process_key} for r in rows]
    return {"kind": key, "rules": found, "default": default_process(key)}


@router.put("/assignment/{key}", response=RulesOut, operation_id="assignment_set")
@access("process.publish", api=True)
def change(request: HttpRequest, key: Code, payload: RulesIn) -> dict[str, Any]:
    """Replace the rules of a kind of record. Running records stay on their process."""
    given = [rule.model_dump() for rule in payload.rules]
    set_rules(key, given, by=request.user, at=timezone.now(), channel=Channel.API)
    return rules(request, key)


# --- one record that another process fits better ---


class ValueOut(Answer):
    field: str
    value: str


class BetterFitOut(Answer):
    """`process` is blank where none fits better. `outlook`: what the change would bring; `stage` blank: say where it
    goes on. `cannot`: why it cannot leave now. `left`: somebody has looked and left it, and nothing has changed since."""

    process: str
    rule: int | None = None
    sentence: str = ""
    values: list[ValueOut] = []
    left: bool = False
    stage: str = ""
    outlook: dict[str, Any] = {}
    cannot: str = ""


class SwitchIn(Body):
    """`stage`: where it goes on, for a record whose stage has no counterpart there."""

    process: Key
    stage: Stage = ""


@router.get("/journeys/{id:pk}/better-process", response=BetterFitOut, operation_id="journeys_better_process")
@access("process.view", api=True)
def better_process(request: HttpRequest, pk: PathId, stage: Stage = "") -> dict[str, Any]:
    """Whether the rules would send this record to another process now, why, and what that would change for it."""
    journey, at = find_journey(request.user, pk), timezone.now()
    values = situation_of(journey, at).facts.fields
    fit = switching.suggested_for(journey, values, at=at)
    if fit is None:
        return {"process": ""}
    name = process_names(journey.subject_type)[fit.process_key]
    said = fit_words(fit, values, catalogue(journey.subject_type), request.user, name)
    found: dict[str, Any] = {
        "process": fit.process_key, "rule": fit.number, "sentence": said["rule"],
        "values": [{"field": field, "value": value} for field, value in said["values"]],
        "left": switching.fit_for(journey, values, at=at) is None,
    }  # fmt: skip
    try:
        trial = switching.try_switch(journey, fit.process_key, at=at, stage=stage)
    except Refusal as refusal:
        return found | {"cannot": str(refusal)}
    return found | {"stage": trial.outlook.to_stage or "", "outlook": outlook_as_json(trial.outlook)}


@router.post("/journeys/{id:pk}/process", response=JourneyOut, operation_id="journeys_switch")
@access("signed-in", api=True)
def switch(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: SwitchIn, if_match: IfMatch = None
) -> dict[str, Any]:
    """Carry one running record over to the process that the rules would choose now. 422 `switch-refused`."""
    find_journey(request.user, pk)
    switching.switch_process(
        pk, process_key=payload.process, stage=payload.stage, version=version_in(if_match),
        by=request.user, at=timezone.now(), channel=Channel.API,
    )  # fmt: skip
    row = Journey.objects.select_related("stage").get(pk=pk)
    etag(response, row.version)
    return journey_out(row)


@router.post(
    "/journeys/{id:pk}/better-process/leave", response={204: None}, operation_id="journeys_leave_fit"
)
@access("signed-in", api=True)
def leave(request: HttpRequest, pk: PathId) -> Status[None]:
    """Leave it where it is: nobody is told again until a governing value changes."""
    find_journey(request.user, pk)
    switching.leave_where_it_is(pk, by=request.user, at=timezone.now(), channel=Channel.API)
    return Status(204, None)
