"""What only a deal has: its moves, its team, the customer's buying roles, its timeline."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Status

from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.common.rest import MOST, Answer, Cut, Day, IfMatch, PathId, Sort, cut, etag, listed, version_in
from fairlead.fields.catalogue import catalogue
from fairlead.fields.values import to_json
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.process.answers import checklist_out, evaluations_out, legal_moves_out, make_move, visits_out
from fairlead.process.models import Evaluation, Journey
from fairlead.process.schemas import (
    ChecklistOut,
    EvaluationOut,
    Kinds,
    LegalMovesOut,
    MovedOut,
    MoveIn,
    VisitsOut,
)
from fairlead.work.models import Comment
from fairlead.work.schemas import colleague

from . import services
from .api_merge import router as merging
from .api_methods import router as methods
from .api_process import router as processes
from .api_team import router as team_work
from .models import ContactRole, DealTeamMember, Opportunity
from .schemas import (
    ContactRoleIn,
    ContactRoleOut,
    ContactRolesOut,
    EventOut,
    MemberIn,
    MembersOut,
    contact_role_out,
    member_out,
)
from .selectors.as_known import as_known, end_of_day

router = Router(tags=["crm"])
router.add_router("", methods)
router.add_router("", team_work)
router.add_router("", merging)
router.add_router("", processes)

Limit = Annotated[int, Query(ge=1, le=MOST)]
Target = Annotated[str, Query(pattern=r"^[a-z0-9_]{0,60}$")]


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.API}


def _deal(request: HttpRequest, pk: int) -> Opportunity:
    rows = Opportunity.objects.visible_to(request.user).select_related(
        "journey__stage", "journey__process_version__process"
    )
    row = rows.filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row


def _journey(request: HttpRequest, pk: int) -> Journey:
    journey = _deal(request, pk).journey
    if journey is None:
        raise NotFound
    return journey


@router.post("/opportunities/{id:pk}/move", response=MovedOut, operation_id="opportunities_move")
@access("opportunity.move", api=True)
def move(request: HttpRequest, response: HttpResponse, pk: PathId, payload: MoveIn) -> dict[str, Any]:
    """Move an opportunity. Blank `to`: the plain next move.

    422 `gate-refused` names every gap with its mend and the evaluation; `move-impossible` when the process knows no
    such move; 409 `lost-race` when `version` is not the journey's any more. Exactly one attempt is noted.
    """
    moved = make_move(_journey(request, pk), payload, **_how(request))
    etag(response, moved["journey"]["version"])
    return moved


@router.get("/opportunities/{id:pk}/checklist", response=ChecklistOut, operation_id="opportunities_checklist")
@access("opportunity.view", api=True)
def checklist(request: HttpRequest, pk: PathId, kind: Kinds | None = None, to: Target = "") -> dict[str, Any]:
    """The verdict of the next move, or of another one, without making it and without a trace."""
    asked = MoveIn.model_construct(to=to, kind=kind, form=MoveIn().form) if kind or to else None
    return checklist_out(_journey(request, pk), timezone.now(), asked)


@router.get("/opportunities/{id:pk}/moves", response=LegalMovesOut, operation_id="opportunities_moves")
@access("opportunity.view", api=True)
def moves(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """The moves that the process knows from here, with the reasons to choose from."""
    return legal_moves_out(_journey(request, pk), timezone.now())


@router.get("/opportunities/{id:pk}/visits", response=VisitsOut, operation_id="opportunities_visits")
@access("opportunity.view", api=True)
def visits(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """Every stay in a stage, oldest first."""
    return visits_out(_journey(request, pk))


@router.get(
    "/opportunities/{id:pk}/evaluations",
    response=Cut[EvaluationOut],
    operation_id="opportunities_evaluations",
)
@access("opportunity.view", api=True)
def evaluations(request: HttpRequest, pk: PathId, cursor: str = "", limit: Limit = 20) -> dict[str, Any]:
    """Every real attempt, the newest first."""
    rows = Evaluation.objects.filter(journey=_journey(request, pk))
    found, following = cut(rows, Sort("newest", "pk", True), cursor, limit)
    return listed(evaluations_out(found, "opportunity", request.user), following)


# --- the iron triangle ---


@router.get("/opportunities/{id:pk}/team", response=MembersOut, operation_id="opportunities_team")
@access("opportunity.view", api=True)
def team(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """Who fills the slots AR, SR and FR, and who did."""
    rows = DealTeamMember.objects.filter(opportunity=_deal(request, pk)).order_by("role", "-from_date", "-pk")
    return {"items": [member_out(row) for row in rows]}


@router.put("/opportunities/{id:pk}/team/{slot}", response=MembersOut, operation_id="opportunities_team_set")
@access("opportunity.edit", api=True)
def set_team(
    request: HttpRequest,
    response: HttpResponse,
    pk: PathId,
    slot: str,
    payload: MemberIn,
    if_match: IfMatch = None,
) -> dict[str, Any]:
    """Fill or empty the slot SR or FR. The AR is the owner: reassign the opportunity instead."""
    version = version_in(if_match)
    _deal(request, pk)
    row = services.set_team_member(
        pk, role=slot, person=colleague(payload.person, "person"), version=version, **_how(request))  # fmt: skip
    etag(response, row.version)
    members = DealTeamMember.objects.filter(opportunity=row).order_by("role", "-from_date", "-pk")
    return {"items": [member_out(member) for member in members]}


# --- the customer's side ---


@router.get(
    "/opportunities/{id:pk}/contact-roles", response=ContactRolesOut, operation_id="contact_roles_list"
)
@access("opportunity.view", api=True)
def contact_roles(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    rows = ContactRole.objects.filter(opportunity=_deal(request, pk), removed_at=None).order_by("pk")
    return {"items": [contact_role_out(row) for row in rows]}


@router.post(
    "/opportunities/{id:pk}/contact-roles", response={201: ContactRoleOut}, operation_id="contact_roles_add"
)
@access("opportunity.edit", api=True)
def add_contact_role(request: HttpRequest, pk: PathId, payload: ContactRoleIn) -> Status[dict[str, Any]]:
    """Place a contact in the deal: buying role, stance −2 to 2, influence 1 to 5, contact depth 0 to 4."""
    given = payload.model_dump(exclude={"contact"})
    row = services.add_contact_role(pk, contact_id=payload.contact, **given, **_how(request))
    return Status(201, contact_role_out(row))


@router.delete("/contact-roles/{id:pk}", response={204: None}, operation_id="contact_roles_remove")
@access("opportunity.edit", api=True)
def remove_contact_role(request: HttpRequest, pk: PathId) -> Status[None]:
    """It stays in the past, and no longer counts."""
    services.remove_contact_role(pk, **_how(request))
    return Status(204, None)


# --- what happened ---


class GateItemKnownOut(Answer):
    """An item of the gate as it stood by what was known: `unknown` where history cannot tell."""

    key: str
    stage: str
    side: str
    level: str
    state: str


class AsKnownOut(Answer):
    """As the journal knew it at `at`. `fields`: those that the asker may read today; purged values are left out.

    `gate`: the items that the next move asked for, by the version of the process and the evidence of that day; empty
    where there was no next move.
    """

    at: datetime
    stage: str
    process_version: int
    state: str
    outcome: str
    amount: Decimal | None
    close_date: date | None
    category: str
    probability: int
    owner: int | None
    team: int | None
    deal_team: dict[str, list[int]]
    fields: dict[str, Any]
    gate: list[GateItemKnownOut]


@router.get("/opportunities/{id:pk}/as-of", response=AsKnownOut, operation_id="opportunities_as_of")
@access("opportunity.view", api=True)
def as_of(request: HttpRequest, pk: PathId, date: Day) -> dict[str, Any]:
    """The deal as it was known at the end of a day: 404 where nothing had been written of it by then."""
    user: Any = request.user
    known = as_known(_deal(request, pk), end_of_day(date, timezone.now()))
    if known is None:
        raise NotFound
    travel = known.travel
    readable = {spec.key: spec for spec in catalogue("opportunity").readable_by(user)}
    return {
        "at": known.at, "stage": travel.stage_key, "process_version": travel.process_version, "state": travel.state,
        "outcome": travel.outcome, "amount": travel.base_amount if "amount" in readable else None,
        "close_date": travel.close_date, "category": travel.forecast_category, "probability": travel.probability,
        "owner": travel.owner_id, "team": travel.team_id,
        "deal_team": {role: sorted(people) for role, people in known.team.items()},
        "fields": {k: to_json(v) for k, v in known.fields.items() if k in readable},
        "gate": [
            {"key": r.key, "stage": r.stage_key, "side": r.side, "level": str(r.level), "state": str(r.state)}
            for r in (known.gate.verdict.results if known.gate and known.gate.verdict else ())
        ],
    }  # fmt: skip


@router.get(
    "/opportunities/{id:pk}/timeline",
    response=Cut[EventOut],
    operation_id="opportunities_timeline",
    exclude_unset=True,
)
@access("opportunity.view", api=True)
def timeline(request: HttpRequest, pk: PathId, cursor: str = "", limit: Limit = 30) -> dict[str, Any]:
    """Everything that happened to it, the newest first as it was written down."""
    row = _deal(request, pk)
    events = Event.objects.about("opportunity", [row.pk]).select_related("detail")
    found, following = cut(events, Sort("newest", "pk", True), cursor, limit)
    return listed(events_out(found, request.user), following)


def events_out(events: list[Event], reader: Any) -> list[dict[str, Any]]:
    """Events with what was said and changed, as far as the reader may read those fields."""
    ids = [e.data["comment"] for e in events if e.type == "commented" and "comment" in e.data]
    remarks = (
        dict(Comment.objects.filter(pk__in=ids, removed_at=None).values_list("pk", "text")) if ids else {}
    )
    readable = {spec.key for spec in catalogue("opportunity").readable_by(reader)}
    return [_event_out(event, readable, remarks) for event in events]


def event_header(event: Event, readable: set[str]) -> dict[str, Any]:
    """What stands in the header; names of fields that the reader may not read are left out."""
    data = event.data
    if isinstance(data.get("fields"), list):
        data = data | {"fields": [key for key in data["fields"] if key in readable]}
    return {
        "id": event.pk, "type": event.type, "subject_type": event.subject_type, "subject_id": event.subject_id,
        "journey": event.journey_id, "at": event.effective_at, "recorded_at": event.recorded_at, "actor": event.actor_id,
        "on_behalf_of": event.on_behalf_of_id, "channel": event.channel, "reason": event.reason_code,
        "from_stage": event.from_stage, "to_stage": event.to_stage, "evaluation_id": event.evaluation_id,
        "fidelity": event.fidelity, "batch_id": event.batch_id, "data": data,
    }  # fmt: skip


def _event_out(event: Event, readable: set[str], remarks: dict[int, str]) -> dict[str, Any]:
    found = event_header(event, readable)
    detail = getattr(event, "detail", None)
    found["text"] = remarks.get(event.data.get("comment", 0), "") or (
        detail.comment if detail is not None else ""
    )
    if detail is not None:
        before, after = detail.payload.get("before") or {}, detail.payload.get("after") or {}
        found["changes"] = {
            key: {"before": before.get(key), "after": after.get(key)}
            for key in {**before, **after}
            if key in readable
        }
    return found
