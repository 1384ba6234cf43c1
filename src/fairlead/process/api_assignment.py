"""Which process a new record takes: the rules of a kind of record, in their order."""

from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from pydantic import Field, JsonValue

from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.common.rest import Answer, Body, Code
from fairlead.journal.enums import Channel

from .models import AssignmentRule
from .schemas import Key
from .services.assigning import MOST_RULES, set_rules
from .services.starting import default_process
from .subjects import registered

router = Router(tags=["process"])


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
