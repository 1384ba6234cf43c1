"""What stands around the records of one person: the first steps."""

from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Router
from pydantic import Field

from fairlead.common.access import access
from fairlead.common.refusals import Invalid, NotPermitted
from fairlead.common.rest import Answer, Body, Flag
from fairlead.journal.enums import Channel
from fairlead.organisation import services

from .selectors.first_steps import STEPS, Offered
from .selectors.first_steps import first_steps as steps_of

router = Router(tags=["me"])
StepKey = Annotated[str, Field(pattern="^[a-z_]{1,30}$")]


class StepOut(Answer):
    key: str
    label: str
    done: bool = Field(description="Read from what there is")
    passed: bool = Field(description="The person has passed it over")
    url: str


class StepsOut(Answer):
    items: list[StepOut]


class StepsIn(Body):
    passed: StepKey | None = Field(default=None, description="A step to pass over")
    closed: Flag = Field(default=False, description="Close the list for good")


def _out(steps: list[Offered]) -> dict[str, Any]:
    return {
        "items": [
            {"key": one.step.key, "label": str(one.step.label), "done": one.done, "passed": one.passed,
             "url": one.url}
            for one in steps
        ]
    }  # fmt: skip


@router.get("/first-steps", response=StepsOut, operation_id="first_steps_list")
@access("signed-in", api=True)
def first_steps(request: HttpRequest) -> dict[str, Any]:
    """One's own first steps; none when they are all settled, closed, or one is new here no more."""
    user: Any = request.user
    if user.api_key is not None and not user.may("process.view"):
        raise NotPermitted  # a key that only writes reads nothing
    return _out(steps_of(user, at=timezone.now()))


@router.post("/first-steps", response=StepsOut, operation_id="first_steps_set")
@access("signed-in", api=True)
def set_first_steps(request: HttpRequest, payload: StepsIn) -> dict[str, Any]:
    """Pass over one step, or close the list for good."""
    user: Any = request.user
    at = timezone.now()
    if payload.passed is not None and payload.passed not in STEPS:
        raise Invalid.field("passed", _("There is no such step."))
    services.set_first_steps(
        by=user, at=at, channel=Channel.API, passed=payload.passed or "", closed=payload.closed
    )
    return _out(steps_of(user, at=at))
