"""Processes as documents, journeys with their gates, and the evidence that belongs to a journey itself."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Status

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.refusals import NotFound
from fairlead.common.rest import (
    MOST,
    Code,
    Cut,
    IfMatch,
    PathId,
    Sort,
    cut,
    etag,
    listed,
    sort_named,
    version_in,
)
from fairlead.common.text import clean_text
from fairlead.journal.enums import Channel

from . import services
from .answers import (
    attestation_out,
    checklist_out,
    evaluations_out,
    find_journey,
    journey_out,
    legal_moves_out,
    make_move,
    visible_journeys,
    visits_out,
    waiver_out,
)
from .api_approval_inbox import router as approval_inbox
from .api_approvals import router as approvals
from .api_assignment import router as assignment
from .api_clocks import router as clocks
from .api_drafts import router as drafts
from .api_overrides import router as overrides
from .api_playbooks import router as playbooks
from .api_sandbox import router as sandbox
from .api_versions import router as versions
from .landing import mode_on
from .models import Attestation, Evaluation, Process, ProcessVersion, StageRow, Waiver
from .schemas import (
    AttestationIn,
    AttestationOut,
    AttestationsOut,
    CategoryIn,
    CheckedOut,
    ChecklistOut,
    DocumentIn,
    EvaluationOut,
    JourneyOut,
    Kinds,
    LandingOut,
    LegalMovesOut,
    ModeIn,
    MovedOut,
    MoveIn,
    ProcessOut,
    PublishIn,
    VersionOut,
    VisitsOut,
    WaiverIn,
    WaiverOut,
    WaiversOut,
)
from .selectors.landing import business_day, held_back
from .services.landing import set_mode
from .services.publishing import validate

router = Router(tags=["process"])
router.add_router("", approval_inbox)
router.add_router("", approvals)
router.add_router("", assignment)
router.add_router("", clocks)
router.add_router("", drafts)
router.add_router("", playbooks)
router.add_router("", overrides)
router.add_router("", sandbox)
router.add_router("", versions)

Limit = Annotated[int, Query(ge=1, le=MOST)]
KeyFilter = Annotated[str, Query(pattern=r"^[a-z0-9_]{0,60}$")]
Number = Annotated[int | None, Query(ge=1, le=10**15 - 1)]
JOURNEY_SORTS = {"id": "pk", "amount": "base_amount", "entered_at": "entered_at", "close_date": "close_date"}


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.API}


# --- documents ---


@router.get("/processes", response=Cut[ProcessOut], operation_id="processes_list")
@access("process.view", api=True)
def processes(request: HttpRequest, cursor: str = "", limit: Limit = 50) -> dict[str, Any]:
    rows, following = cut(Process.objects.prefetch_related("versions"), Sort("key", "key"), cursor, limit)
    return listed(map(_process_out, rows), following)


def _process_out(row: Process) -> dict[str, Any]:
    versions = list(row.versions.all())
    published = [v.number for v in versions if v.status == "published"]
    return {
        "key": row.key, "subject": row.subject_type, "name": row.name,
        "mode": mode_on(row.mode, row.enforced_from, business_day(timezone.now())), "enforced_from": row.enforced_from,
        "published_version": published[0] if published else None, "versions": sorted(v.number for v in versions),
    }  # fmt: skip


# Before the address of one process, which would take these names for keys.
@router.post("/processes/validate", response=CheckedOut, operation_id="processes_validate")
@access("process.publish", api=True)
def validate_document(request: HttpRequest, payload: DocumentIn) -> dict[str, Any]:
    """Whether a document may be published; 422 `cannot-publish` names every problem with its path."""
    definition, warnings = validate(payload.document)
    return {
        "process": definition.key, "version": definition.version,
        "warnings": [{"path": w.path, "message": str(w.message)} for w in warnings],
    }  # fmt: skip


@router.post("/processes/publish", response=VersionOut, operation_id="processes_publish")
@access("process.publish", api=True)
def publish(request: HttpRequest, payload: PublishIn) -> dict[str, Any]:
    """Publish a document as the next version. The one before is retired; running journeys stay on theirs."""
    row = services.publish(payload.document, mode=payload.mode, **_how(request))
    return _version_out(ProcessVersion.objects.select_related("process").get(pk=row.pk))


@router.get("/processes/{key}", response=VersionOut, operation_id="processes_get")
@access("process.view", api=True)
def process(
    request: HttpRequest, key: Code, version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
) -> dict[str, Any]:
    """The published document of a process, or another version by number. Everybody may read it."""
    rows = ProcessVersion.objects.filter(process__key=key).select_related("process")
    row = (
        rows.filter(number=version).first()
        if version
        else rows.published().first() or rows.order_by("-number").first()
    )
    if row is None:
        raise NotFound
    return _version_out(row)


def _version_out(row: ProcessVersion) -> dict[str, Any]:
    return {
        "process": row.process.key, "number": row.number, "status": row.status, "published_at": row.published_at,
        "checksum": row.checksum, "document": row.document,
        "stages": [
            {
                "key": s.key, "axis": s.axis_key, "name": localized(s.name), "order": s.order, "probability": s.probability,
                "forecast": s.forecast, "limit_yellow": s.limit_yellow, "limit_red": s.limit_red,
            }
            for s in StageRow.objects.filter(version=row).order_by("order", "pk")
        ],
    }  # fmt: skip


@router.post("/processes/{key}/mode", response=ProcessOut, operation_id="processes_set_mode")
@access("process.publish", api=True)
def mode(request: HttpRequest, key: Code, payload: ModeIn) -> dict[str, Any]:
    """Let gates flag (soft) or block (enforced); `enforced_from`: soft until that business day, then enforced."""
    if not Process.objects.filter(key=key).exists():
        raise NotFound
    how = _how(request)
    return _process_out(set_mode(key, mode=payload.mode, enforced_from=payload.enforced_from, **how))


@router.get("/processes/{key}/landing", response=LandingOut, operation_id="processes_landing")
@access("process.view", api=True)
def landing(request: HttpRequest, key: Code) -> dict[str, Any]:
    """What would be held if the gates were enforced now, stage by stage, of the open records that the asker sees."""
    row = Process.objects.filter(key=key).first()
    if row is None:
        raise NotFound
    found = held_back(visible_journeys(request.user), row, today=business_day(timezone.now()))
    return {
        "key": row.key, "mode": found.mode, "enforced_from": row.enforced_from, "open": found.open, "held": found.held,
        "stages": [{"stage": s.key, "name": s.name, "open": s.open, "held": s.held} for s in found.stages],
    }  # fmt: skip


# --- journeys ---


@router.get("/journeys", response=Cut[JourneyOut], operation_id="journeys_list")
@access("signed-in", api=True)
def journeys(
    request: HttpRequest, process: KeyFilter = "", stage: KeyFilter = "", state: KeyFilter = "open",
    subject_type: KeyFilter = "", subject_id: Number = None, owner: Number = None, team: Number = None,
    sort: str = "-id", cursor: str = "", limit: Limit = 50,
) -> dict[str, Any]:  # fmt: skip
    """The cards of a board: what travels, where it stands, its gate and next step. `state=any` takes closed ones too."""
    rows = visible_journeys(request.user).select_related("stage")
    given = {
        "process_key": process, "stage__axis_key": stage, "subject_type": subject_type, "subject_id": subject_id,
        "owner_id": owner, "team_id": team, "state": "" if state == "any" else state,
    }  # fmt: skip
    rows = rows.filter(**{name: value for name, value in given.items() if value})
    found, following = cut(rows, sort_named(sort, JOURNEY_SORTS), cursor, limit)
    return listed(map(journey_out, found), following)


@router.get("/journeys/{id:pk}", response=JourneyOut, operation_id="journeys_get")
@access("signed-in", api=True)
def journey(request: HttpRequest, response: HttpResponse, pk: PathId) -> dict[str, Any]:
    row = find_journey(request.user, pk)
    etag(response, row.version)
    return journey_out(row)


@router.get("/journeys/{id:pk}/checklist", response=ChecklistOut, operation_id="journeys_checklist")
@access("signed-in", api=True)
def checklist(
    request: HttpRequest, pk: PathId, kind: Kinds | None = None, to: KeyFilter = ""
) -> dict[str, Any]:
    """The verdict of the next move, or of another one, without making it and without a trace."""
    asked = MoveIn.model_construct(to=to, kind=kind, form=MoveIn().form) if kind or to else None
    return checklist_out(find_journey(request.user, pk), timezone.now(), asked)


@router.get("/journeys/{id:pk}/moves", response=LegalMovesOut, operation_id="journeys_moves")
@access("signed-in", api=True)
def moves(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """The moves that the process knows from here, with the reasons to choose from."""
    return legal_moves_out(find_journey(request.user, pk), timezone.now())


@router.post("/journeys/{id:pk}/move", response=MovedOut, operation_id="journeys_move")
@access("signed-in", api=True)
def move(request: HttpRequest, response: HttpResponse, pk: PathId, payload: MoveIn) -> dict[str, Any]:
    """Move it. 422 `gate-refused` names every gap; 409 `lost-race` when somebody else was quicker."""
    moved = make_move(find_journey(request.user, pk), payload, **_how(request))
    etag(response, moved["journey"]["version"])
    return moved


@router.get("/journeys/{id:pk}/visits", response=VisitsOut, operation_id="journeys_visits")
@access("signed-in", api=True)
def visits(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """Every stay in a stage, oldest first, with the values frozen when it began."""
    return visits_out(find_journey(request.user, pk))


@router.get("/journeys/{id:pk}/evaluations", response=Cut[EvaluationOut], operation_id="journeys_evaluations")
@access("signed-in", api=True)
def evaluations(request: HttpRequest, pk: PathId, cursor: str = "", limit: Limit = 20) -> dict[str, Any]:
    """Every real attempt, the newest first."""
    row = find_journey(request.user, pk)
    found, following = cut(Evaluation.objects.filter(journey=row), Sort("newest", "pk", True), cursor, limit)
    return listed(evaluations_out(found, row.subject_type, request.user), following)


@router.put("/journeys/{id:pk}/category", response=JourneyOut, operation_id="journeys_category")
@access("signed-in", api=True)
def category(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: CategoryIn, if_match: IfMatch = None
) -> dict[str, Any]:
    """Set the forecast category by hand, or let it follow the stage again."""
    version = version_in(if_match)
    find_journey(request.user, pk)
    services.pin_category(
        pk, category=payload.category, pinned=payload.pinned, version=version, **_how(request)
    )
    row = find_journey(request.user, pk)
    etag(response, row.version)
    return journey_out(row)


# --- evidence of a journey ---


@router.get("/journeys/{id:pk}/attestations", response=AttestationsOut, operation_id="attestations_list")
@access("signed-in", api=True)
def attestations(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    rows = Attestation.objects.filter(journey=find_journey(request.user, pk)).order_by("-at", "-pk")[:MOST]
    return {"items": [attestation_out(row) for row in rows]}


@router.post(
    "/journeys/{id:pk}/attestations", response={201: AttestationOut}, operation_id="attestations_create"
)
@access("deal.attest", api=True)
def attest(request: HttpRequest, pk: PathId, payload: AttestationIn) -> Status[dict[str, Any]]:
    """Confirm an item in one's role; never of one's own deal."""
    statement = clean_text(payload.statement, limit=5000, multiline=True, field="statement")
    row = services.attest(pk, criterion_key=payload.criterion, statement=statement, **_how(request))
    return Status(201, attestation_out(row))


@router.post("/attestations/{id:pk}/withdraw", response=AttestationOut, operation_id="attestations_withdraw")
@access("deal.attest", api=True)
def withdraw(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """Take back one's own word; the item is open again."""
    return attestation_out(services.withdraw_attestation(pk, **_how(request)))


@router.get("/journeys/{id:pk}/waivers", response=WaiversOut, operation_id="waivers_list")
@access("signed-in", api=True)
def waivers(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    rows = Waiver.objects.filter(journey=find_journey(request.user, pk)).order_by("-granted_at", "-pk")[:MOST]
    return {"items": [waiver_out(row) for row in rows]}


@router.post("/journeys/{id:pk}/waivers", response={201: WaiverOut}, operation_id="waivers_grant")
@access("waiver.grant", api=True)
def grant(request: HttpRequest, pk: PathId, payload: WaiverIn) -> Status[dict[str, Any]]:
    """Let an item pass for a while, with a listed reason and an end; never on one's own deal."""
    text = clean_text(payload.text, limit=5000, multiline=True, field="text")
    row = services.grant_waiver(
        pk, criterion_key=payload.criterion, reason_code=payload.reason, text=text, expires_at=payload.expires_at,
        **_how(request),
    )  # fmt: skip
    return Status(201, waiver_out(row))


@router.post("/waivers/{id:pk}/revoke", response=WaiverOut, operation_id="waivers_revoke")
@access("waiver.grant", api=True)
def revoke(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """End a waiver before its time."""
    return waiver_out(services.revoke_waiver(pk, **_how(request)))
