"""Running journeys on earlier versions, moved over by a plan (§2.7)."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Status

from fairlead.common.access import access
from fairlead.common.refusals import Invalid, NotFound, Stale
from fairlead.common.rest import MOST, Code, Cut, IfMatch, Sort, cut, etag, listed, version_in
from fairlead.journal.enums import Channel

from .models import Migration, MigrationRow, Process
from .schemas_versions import MigrationPlanOut, PlanDo, PlanIn, PlanRowOut
from .selectors.versions import current_plan, rows_of
from .services import migrating
from .tasks import carry_over, try_plan

router = Router(tags=["process"])
Limit = Annotated[int, Query(ge=1, le=MOST)]


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.API}


def _plan(key: str) -> Migration:
    process = Process.objects.filter(key=key).first()
    found = current_plan(process) if process is not None else None
    if found is None:
        raise NotFound
    return found


def _out(row: Migration, response: HttpResponse) -> dict[str, Any]:
    etag(response, row.version)
    may = migrating.may_be_undone(row, at=timezone.now())
    return {
        "id": row.pk, "process": row.process.key, "target": row.target.number, "state": row.state,
        "version": row.version, "mapping": row.mapping, "groups": row.groups, "keep_after": row.keep_after,
        "grace_days": row.grace_days, "totals": row.totals, "rows_total": row.rows_total, "rows_done": row.rows_done,
        "checked_total": row.checked_total, "checked_done": row.checked_done, "checked_at": row.checked_at,
        "confirmed_by": row.confirmed_by_id, "confirmed_at": row.confirmed_at, "finished_at": row.finished_at,
        "undo_until": row.finished_at + migrating.UNDO_FOR if may and row.finished_at else None,
        "undone_at": row.undone_at,
    }  # fmt: skip


@router.get("/processes/{key}/migration", response=MigrationPlanOut, operation_id="migrations_get")
@access("process.publish", api=True, reads=True)
def migration(request: HttpRequest, response: HttpResponse, key: Code) -> dict[str, Any]:
    """The plan that is open or at work, else the last one."""
    return _out(_plan(key), response)


@router.post("/processes/{key}/migration", response={201: MigrationPlanOut}, operation_id="migrations_plan")
@access("process.publish", api=True)
def plan(request: HttpRequest, response: HttpResponse, key: Code) -> Status[dict[str, Any]]:
    """A plan for those who travel on earlier versions, with the mapping that suggests itself. Nothing moves yet."""
    return Status(201, _out(migrating.plan_migration(key, **_how(request)), response))


@router.patch("/processes/{key}/migration", response=MigrationPlanOut, operation_id="migrations_edit")
@access("process.publish", api=True)
def edit(
    request: HttpRequest, response: HttpResponse, key: Code, payload: PlanIn, if_match: IfMatch = None
) -> dict[str, Any]:
    """Change the plan; it has to be tried again."""
    version = version_in(if_match)
    given = payload.model_dump(exclude_unset=True)
    if given.get("groups") is not None:
        given["groups"] = [g.model_dump(exclude_none=True) for g in payload.groups or ()]
    changed = migrating.edit_plan(_plan(key).pk, version=version, **given, **_how(request))
    return _out(changed, response)


@router.post("/processes/{key}/migration/do", response=MigrationPlanOut, operation_id="migrations_do")
@access("process.publish", api=True)
def do(
    request: HttpRequest, response: HttpResponse, key: Code, payload: PlanDo, if_match: IfMatch = None
) -> dict[str, Any]:
    """Try the plan, choose by hand, confirm it, give it up, or undo it. 422 `migration-refused` names every hole.

    `confirm` and `undo` are done by the worker: ask again how far it is.
    """
    version = version_in(if_match)
    row, how = _plan(key), _how(request)
    if row.version != version:
        raise Stale
    if payload.do == "try":
        if migrating.in_flight(key, row.target).count() > 2 * migrating.AT_ONCE:
            migrating.require_whole(row)
            try_plan.enqueue(row.pk, request.user.pk)  # type: ignore[arg-type]
        else:
            migrating.check(row.pk, by=how["by"], at=how["at"])
    elif payload.do == "pick":
        if payload.journey is None or payload.stage is None:
            raise Invalid.field("stage", "journey, stage")
        migrating.pick_stage(row.pk, payload.journey, payload.stage, **how)
    elif payload.do == "drop":
        migrating.drop_plan(row.pk, version=version, **how)
        return _out(Migration.objects.select_related("process", "target").get(pk=row.pk), response)
    else:
        if payload.do == "confirm":
            migrating.confirm(row.pk, version=version, **how)
        else:
            migrating.begin_undo(row.pk, **how)
        carry_over.enqueue(row.pk)
    return _out(Migration.objects.select_related("process", "target").get(pk=row.pk), response)


@router.get("/processes/{key}/migration/rows", response=Cut[PlanRowOut], operation_id="migrations_rows")
@access("process.publish", api=True, reads=True)
def rows(
    request: HttpRequest, key: Code, state: Annotated[str, Query(pattern=r"^[a-z]{0,10}$")] = "", cursor: str = "",
    limit: Limit = 50,
) -> dict[str, Any]:  # fmt: skip
    """Journey by journey: what the trial says, and what became of it."""
    found, following = cut(rows_of(_plan(key), state=state), Sort("id", "pk"), cursor, limit)
    return listed(map(_row_out, found), following)


def _row_out(row: MigrationRow) -> dict[str, Any]:
    return {
        "journey": row.journey_id, "choice": row.choice, "state": row.state, "from_version": row.from_version,
        "from_stage": row.from_stage, "to_stage": row.to_stage, "outlook": row.outlook, "done_at": row.done_at,
    }  # fmt: skip
