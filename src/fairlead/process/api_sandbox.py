"""Clicking through a draft, for machines: the same sandbox as on the page, one a person and draft."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Status
from pydantic import Field, JsonValue

from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.common.rest import Answer, Body, Code, IfMatch, Instant, etag, version_in

from .engine import legal_moves
from .sandbox_reading import refused_words
from .services import sandboxing
from .services.drafting import read_draft
from .services.sandboxing import Scene

router = Router(tags=["process"])
Short = Annotated[str, Field(max_length=60)]
Number = Annotated[int, Field(ge=1, le=10**15)]


class SandboxBegin(Body):
    """`source`: a journey that one sees, of which it shall be a copy."""

    source: Number | None = None


class SandboxAct(Body):
    """`fields` takes `values`; `suppose` and `drop` take `item`; `wait` takes working `days`; `until` takes `at`; `move`
    takes `kind`, `to`, `reason`. What the form of a move asks for beside its reason is filled in by itself."""

    do: Literal["fields", "suppose", "drop", "wait", "until", "move"]
    values: dict[str, JsonValue] = {}
    item: Short = ""
    days: Annotated[int, Field(ge=1, le=1000)] | None = None
    at: Instant | None = None
    kind: Short = ""
    to: Short = ""
    reason: Short = ""


class SandboxItemOut(Answer):
    key: str
    stage: str
    side: str
    level: str
    state: str
    supposed: bool


class SandboxMoveOut(Answer):
    kind: str
    to: str
    needs_right: str


class SandboxOut(Answer):
    """`items`: what the plain way ahead asks for. `allowed` and `lacking`: of a move that was just tried."""

    process: str
    version: int
    source: int | None
    at: datetime
    stage: str
    state: str
    outcome: str
    passed: list[str]
    days_in_stage: int | None
    items: list[SandboxItemOut]
    gaps: int
    moves: list[SandboxMoveOut]
    log: list[dict[str, Any]]
    allowed: bool | None = None
    lacking: list[str] = []


def _out(key: str, found: Scene, response: HttpResponse) -> dict[str, Any]:
    etag(response, found.row.version)
    facts, results = found.facts, found.verdict.results if found.verdict is not None else ()
    return {
        "process": key, "version": found.row.version, "source": found.row.source_id, "at": facts.at,
        "stage": facts.journey.stage_key, "state": facts.journey.state, "outcome": facts.journey.outcome,
        "passed": sorted(facts.journey.passed), "days_in_stage": facts.working_days_in_stage,
        "items": [
            {"key": r.key, "stage": r.stage_key, "side": r.side, "level": r.level, "state": r.state,
             "supposed": r.key in found.row.state["supposed"]}
            for r in results
        ],
        "gaps": len(found.verdict.gaps) if found.verdict is not None else 0,
        "moves": [
            {"kind": m.kind, "to": m.to, "needs_right": m.needs_right} for m in legal_moves(found.definition, facts)
        ],
        "log": found.row.state["log"],
    }  # fmt: skip


@router.get("/processes/{key}/draft/sandbox", response=SandboxOut, operation_id="sandbox_get")
@access("process.publish", api=True, reads=True)
def sandbox(request: HttpRequest, response: HttpResponse, key: Code) -> dict[str, Any]:
    """One's own sandbox of this draft. 404 where none was begun."""
    row = sandboxing.sandbox_of(key, by=request.user)
    if row is None:
        raise NotFound
    found = sandboxing.scene(row, read_draft(key), by=request.user, now=timezone.now())
    return _out(key, found, response)


@router.put("/processes/{key}/draft/sandbox", response=SandboxOut, operation_id="sandbox_begin")
@access("process.publish", api=True)
def begin(request: HttpRequest, response: HttpResponse, key: Code, payload: SandboxBegin) -> dict[str, Any]:
    """Begin it, or begin anew. Nothing of it is written but its own row; it counts in no figure, list or journal."""
    now = timezone.now()
    row = sandboxing.begin_sandbox(key, source=payload.source, by=request.user, at=now)
    return _out(key, sandboxing.scene(row, read_draft(key), by=request.user, now=now), response)


@router.post("/processes/{key}/draft/sandbox", response=SandboxOut, operation_id="sandbox_act")
@access("process.publish", api=True)
def act(
    request: HttpRequest, response: HttpResponse, key: Code, payload: SandboxAct, if_match: IfMatch = None
) -> dict[str, Any]:
    """One act in it. A move that the gate does not allow changes nothing: `allowed` is false and `lacking` says why."""
    given = payload.model_dump(exclude={"do"})
    found, verdict = sandboxing.play(
        key, payload.do, given, version=version_in(if_match), by=request.user, at=timezone.now()
    )
    tried: dict[str, Any] = {}
    if verdict is not None:
        tried = {
            "allowed": verdict.allowed,
            "lacking": [] if verdict.allowed else refused_words(verdict, found),
        }
    return _out(key, found, response) | tried


@router.delete("/processes/{key}/draft/sandbox", response={204: None}, operation_id="sandbox_end")
@access("process.publish", api=True)
def end(request: HttpRequest, key: Code) -> Status[None]:
    """Throw it away."""
    sandboxing.end_sandbox(key, by=request.user)
    return Status(204, None)
