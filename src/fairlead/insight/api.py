"""The funnel's readings, kept apart, over the rows that the asker sees; the figures; the journal for auditors.

NumPy loads with the first question.
"""

from typing import Annotated, Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router

from fairlead.common.access import access
from fairlead.common.refusals import NotFound, NotPermitted
from fairlead.common.rest import MAX_ID, MOST, Cut, Day, Sort, cut, listed
from fairlead.crm.api_deals import event_header
from fairlead.crm.schemas import EventOut
from fairlead.fields.catalogue import catalogue, subject_types
from fairlead.journal.models import Event
from fairlead.process.models import Process
from fairlead.process.subjects import visible_subjects

from .api_adoption import router as adoption
from .api_audit import router as audit
from .api_deciding import router as deciding
from .api_hand_overs import router as hand_overs
from .api_quality import router as quality
from .api_replay import router as replay
from .api_team_figures import router as team_figures
from .questions import Question
from .schemas import (
    CohortIn,
    CohortOut,
    FiguresOut,
    PathIn,
    PathOut,
    PeriodOut,
    QuestionIn,
    StaysOut,
    StockOut,
    TimeIn,
    WinRateIn,
    WinRateOut,
    counts,
    number,
    rate_out,
    share_out,
)

router = Router(tags=["insight"])
router.add_router("", adoption)
router.add_router("", replay)
router.add_router("", hand_overs)
router.add_router("", team_figures)
router.add_router("", audit)
router.add_router("", deciding)
router.add_router("", quality)
DAYS = (30, 60, 90)


def _ask(request: HttpRequest, reading: str) -> Any:
    from .funnel.asked import ask

    user: Any = request.user
    query = {name: request.GET[name] for name in request.GET} | {"reading": reading}
    return ask(user, Question.read(query), now=timezone.now())


def _head(asked: Any) -> dict[str, Any]:
    return {"process": asked.process.key, "as_of": asked.as_of}


@router.get("/funnel/stock", response=StockOut, operation_id="funnel_stock")
@access("funnel.view", api=True)
def stock(request: HttpRequest, question: Query[QuestionIn]) -> dict[str, Any]:
    """What stands in each stage as of a day, by count and amount."""
    from fairlead.analytics import funnel

    asked = _ask(request, "stock")
    found = funnel.stock(asked.loaded.history, **asked.given)
    rows = [
        {
            "stage": r.stage, "name": asked.names.get(r.stage, r.stage), "count": r.count, "amount": number(r.amount) or 0,
            "without_amount": r.without_amount, "on_hold": r.on_hold, "entry_known": r.entry_known,
            "entry_unknown": r.entry_unknown,
        }
        for r in found.rows
    ]  # fmt: skip
    return _head(asked) | {
        "rows": rows, "n": found.n, "amount": number(found.amount) or 0, "left_out": counts(found.left_out)}  # fmt: skip


@router.get("/funnel/period", response=PeriodOut, operation_id="funnel_period")
@access("funnel.view", api=True)
def period(request: HttpRequest, question: Query[QuestionIn]) -> dict[str, Any]:
    """How stays ended that were left from `from` to `to`."""
    from fairlead.analytics import funnel

    asked = _ask(request, "period")
    found = funnel.period_exit_yield(asked.loaded.history, period=asked.window, **asked.given)
    rows = [
        {
            "stage": r.stage, "name": asked.names.get(r.stage, r.stage), "ends": counts(r.ends), "count": rate_out(r.count),
            "value": rate_out(r.value),
        }
        for r in found.rows
    ]  # fmt: skip
    return _head(asked) | {"rows": rows, "n": found.n, "left_out": counts(found.left_out)}


@router.get("/funnel/cohort", response=CohortOut, operation_id="funnel_cohort")
@access("funnel.view", api=True)
def cohort(request: HttpRequest, question: Query[CohortIn]) -> dict[str, Any]:
    """Stage by stage: of those that entered from `from` to `to`, the share that got on within `days`."""
    from fairlead.analytics import funnel

    asked = _ask(request, "cohort")
    found = funnel.cohort_conversion(
        asked.loaded.history, horizon_days=question.days, mode=question.mode, entered=asked.window, **asked.given)  # fmt: skip
    rows = [
        {
            "stage": r.stage, "name": asked.names.get(r.stage, r.stage), "next_stage": r.next_stage,
            "count": rate_out(r.count), "value": rate_out(r.value), "left_out": counts(r.left_out),
        }
        for r in found.rows
    ]  # fmt: skip
    return _head(asked) | {"rows": rows, "horizon_days": found.horizon_days, "mode": found.mode}


@router.get("/funnel/path", response=PathOut, operation_id="funnel_path")
@access("funnel.view", api=True)
def path(request: HttpRequest, question: Query[PathIn]) -> dict[str, Any]:
    """One cohort followed from `start` to the end."""
    from fairlead.analytics import funnel

    asked = _ask(request, "cohort")
    stages = [stage.axis_key for stage in asked.stages]
    if not stages:
        raise NotFound
    found = funnel.cohort_path(
        asked.loaded.history, horizon_days=question.days, mode=question.mode, start=question.start or stages[0],
        entered=asked.window, **asked.given,
    )  # fmt: skip
    steps = [
        {
            "stage": s.stage, "name": asked.names.get(s.stage, s.stage), "of_start": rate_out(s.of_start),
            "of_previous": rate_out(s.of_previous),
        }
        for s in found.steps
    ]  # fmt: skip
    return _head(asked) | {
        "start": found.start, "steps": steps, "overall": rate_out(found.overall), "horizon_days": found.horizon_days,
        "mode": found.mode, "left_out": counts(found.left_out),
    }  # fmt: skip


@router.get("/funnel/time-in-stage", response=StaysOut, operation_id="funnel_time_in_stage")
@access("funnel.view", api=True)
def time_in_stage(request: HttpRequest, question: Query[TimeIn]) -> dict[str, Any]:
    """Calendar days in each stage; stays that go on count as long as they have lasted."""
    from fairlead.analytics import funnel

    asked = _ask(request, "cohort")
    days = tuple(sorted({*DAYS, question.at}))
    found = funnel.time_in_stage(asked.loaded.history, entered=asked.window, at=days, **asked.given)
    return _head(asked) | {"rows": [_stay(asked, row) for row in found.rows]}


def _stay(asked: Any, row: Any) -> dict[str, Any]:
    curve = row.curve
    return {
        "stage": row.stage, "name": asked.names.get(row.stage, row.stage), "n": row.n, "enough": row.enough,
        "events": {cause: curve.total(cause) for cause in curve.causes}, "censored": curve.censored,
        "median": share_out(curve.median, shown=row.enough),
        "chances": {
            str(day): {cause: share_out(share, shown=row.enough) for cause, share in chances.items()}
            for day, chances in row.chances.items()
        },
        "left_out": counts(row.left_out),
    }  # fmt: skip


@router.get("/funnel/win-rate", response=WinRateOut, operation_id="funnel_win_rate")
@access("funnel.view", api=True)
def win_rate(request: HttpRequest, question: Query[WinRateIn]) -> dict[str, Any]:
    """Won of those decided from `from` to `to`. `closed`: against lost to a competitor; `full`: against every loss.

    Of one person (`owner`, or who counts the own deals alone) without what was closed on clean-up days.
    """
    from fairlead.analytics import outcomes

    from .funnel.individual import win_given

    asked = _ask(request, "period")
    given = win_given(asked)
    found = outcomes.win_rate(asked.loaded.history, basis=question.basis, closed=asked.window, **given)
    return _head(asked) | {
        "basis": found.basis, "count": rate_out(found.count), "value": rate_out(found.value),
        "outcomes": counts(found.outcomes), "won_value": number(found.won_value) or 0, "left_out": counts(found.left_out),
    }  # fmt: skip


@router.get("/figures", response=FiguresOut, operation_id="figures")
@access("funnel.view", api=True)
def figures(
    request: HttpRequest,
    process: Annotated[str, Query(pattern=r"^[a-z0-9_]{0,60}$")] = "",
    as_of: Day | None = None,
) -> dict[str, Any]:
    """The few figures by which one checks that a pipeline came in whole; for those who see every row."""
    from .figures import figures as tell

    user: Any = request.user
    if not all(user.reach(right).all for right in ("funnel.view", "opportunity.view", "account.view")):
        raise NotPermitted(details={"right": "funnel.view", "scope": "all"})
    if process and not Process.objects.filter(key=process).exists():
        raise NotFound
    question = Question(as_of=as_of)
    return tell(as_of=question.instant(timezone.get_current_timezone(), timezone.now()), process_key=process)


@router.get("/events", response=Cut[EventOut], operation_id="events_list", exclude_unset=True)
@access("audit.view", api=True)
def events(
    request: HttpRequest,
    type: Annotated[str, Query(pattern=r"^[a-z_]{0,40}$")] = "",
    subject_type: Annotated[str, Query(pattern=r"^[a-z_]{0,30}$")] = "",
    subject_id: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
    actor: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
    batch: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> dict[str, Any]:
    """The journal, the newest first as it was written; who audits a branch sees the events of its records."""
    user: Any = request.user
    rows = Event.objects.all()
    if not user.reach("audit.view").all:
        seen = Q(pk__in=[])
        for kind, ids in visible_subjects(user, "audit.view").items():
            seen |= Q(subject_type=kind, subject_id__in=ids)
        rows = rows.filter(seen)
    given = {
        "type": type,
        "subject_type": subject_type,
        "subject_id": subject_id,
        "actor_id": actor,
        "batch_id": batch,
    }
    rows = rows.filter(**{name: value for name, value in given.items() if value})
    found, following = cut(rows, Sort("newest", "pk", True), cursor, limit)
    readable = {kind: {s.key for s in catalogue(kind).readable_by(user)} for kind in subject_types()}
    return listed(
        [event_header(event, readable.get(event.subject_type, set())) for event in found], following
    )
