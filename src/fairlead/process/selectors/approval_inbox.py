"""The inbox of approvals: what waits for somebody, what they decided, asked for or were shown; one request in full.

A list is read in a fixed number of statements, however much waits; a page of it is `PAGE` rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, Max, Min, Q, QuerySet

from ..approval_alike import Case, alike
from ..approval_enums import RequestState, SeatState
from ..approval_policy import ApprovalKind
from ..definition import Definition
from ..definitions import definitions_of
from ..envelopes import bounds_from_json, moved
from ..facts import Bound
from ..models import (
    ApprovalCondition,
    ApprovalCopy,
    ApprovalGrant,
    ApprovalQuestion,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
    Journey,
    Precedent,
)
from ..subjects import Circle, circles_of, visible_subjects
from .gathering import Situation, situations

TABS: Final = ("todo", "done", "mine", "copies")
PAGE: Final = 50
CASES: Final = 300  # newest precedents among which similar ones are looked for
NOT_OPEN: Final = (SeatState.APPROVED, SeatState.REJECTED)


@dataclass(slots=True)
class Item:
    """A request as a line of the inbox. `seats`: those of the reader that are asked now, or were decided."""

    request: ApprovalRequest
    definition: Definition
    seats: list[ApprovalSeat]

    @property
    def kind(self) -> ApprovalKind | None:
        return self.definition.approvals.kinds.get(self.request.kind)

    @property
    def journey(self) -> Journey:
        return self.request.journey

    @property
    def asked_at(self) -> datetime | None:
        return min((s.asked_at for s in self.seats if s.asked_at), default=None)

    @property
    def due_at(self) -> datetime | None:
        dues = [s.step.decision_due_at for s in self.seats if s.step.decision_due_at]
        return min(dues, default=None)

    @property
    def rows_asked(self) -> frozenset[str]:
        return frozenset(s.step.row_key for s in self.seats if s.step.row_key)


def waiting_count_of(person_id: Any) -> Any:
    """How many requests wait for somebody, as a question inside another one: the frame has no query to spare."""
    mine = ApprovalSeat.objects.filter(person=person_id, state=SeatState.ASKED).order_by()
    return mine.values("person").annotate(n=Count("request", distinct=True)).values("n")


def waiting_count(user: Any) -> int:
    return (
        ApprovalSeat.objects.filter(person=user, state=SeatState.ASKED).aggregate(
            n=Count("request", distinct=True)
        )["n"]
        or 0
    )


def due_requests(user: Any) -> Any:
    """Requests that ask the person, each once with when the decision is due, the most urgent first."""
    seats = ApprovalSeat.objects.filter(person=user, state=SeatState.ASKED).order_by()
    found = seats.values("request").annotate(due=Min("step__decision_due_at"))
    return found.order_by(F("due").asc(nulls_last=True), "request").values_list("request", "due")


def decided_requests(user: Any) -> Any:
    """When the person voted last, and on which request; the newest first."""
    seats = ApprovalSeat.objects.filter(person=user, state__in=NOT_OPEN).order_by()
    found = seats.values("request").annotate(last=Max("decided_at"))
    return found.order_by("-last", "-request").values_list("last", "request")


def submitted_requests(user: Any) -> Any:
    """When the person submitted what; the newest first."""
    mine = ApprovalRequest.objects.filter(submitted_by=user).order_by("-submitted_at", "-pk")
    return mine.values_list("submitted_at", "pk")


def _ids(user: Any, tab: str) -> QuerySet[Any, int]:
    """Requests of a tab in their order, each once."""
    found: Any
    if tab == "todo":
        found = due_requests(user).values_list("request", flat=True)
    elif tab == "done":
        found = decided_requests(user).values_list("request", flat=True)
    elif tab == "copies":
        found = (
            ApprovalCopy.objects.filter(person=user).order_by("-at", "-pk").values_list("request", flat=True)
        )
    else:
        found = submitted_requests(user).values_list("pk", flat=True)
    rows: QuerySet[Any, int] = found
    return rows


def inbox(user: Any, tab: str, *, start: int = 0) -> tuple[list[Item], int]:
    """A page of a tab, and where the next one begins (0: nowhere)."""
    ids = list(_ids(user, tab)[start : start + PAGE + 1])
    following = start + PAGE if len(ids) > PAGE else 0
    return items_of(ids[:PAGE], user, decided=tab == "done"), following


def items_of(ids: Sequence[int], user: Any, *, decided: bool = False) -> list[Item]:
    """Requests in the order of `ids`, with the reader's seats: three statements."""
    rows = (
        ApprovalRequest.objects.select_related("journey__stage", "submitted_by")
        .defer("journey__clocks")
        .in_bulk(list(ids))
    )
    states = NOT_OPEN if decided else (SeatState.ASKED,)
    seats = defaultdict(list)
    for seat in ApprovalSeat.objects.filter(
        request__in=list(ids), person=user, state__in=states
    ).select_related("step", "for_person"):
        seats[seat.request_id].append(seat)
    definitions = definitions_of({row.journey.process_version_id for row in rows.values()})
    return [
        Item(row, definitions[row.journey.process_version_id], seats[pk])
        for pk in ids
        if (row := rows.get(pk)) is not None
    ]


# --- one request ---


@dataclass(slots=True, kw_only=True)
class Detail:
    """Everything that is on the screen of a decision."""

    item: Item
    steps: list[tuple[ApprovalStep, list[ApprovalSeat]]]
    bounds: tuple[Bound, ...]
    before: dict[str, Any]  # field → what was approved last
    before_at: datetime | None
    moved: tuple[Bound, ...]
    cases: list[Case]
    precedents: dict[int, Precedent]
    compared: int
    circle: Circle | None
    history: list[ApprovalRequest]
    questions: list[ApprovalQuestion]
    conditions: list[ApprovalCondition]
    copies: list[ApprovalCopy]
    situation: Situation | None = None
    mine: list[ApprovalSeat] = field(default_factory=list)


def detail(row: ApprovalRequest, user: Any, *, at: datetime) -> Detail:
    item = items_of([row.pk], user)[0]
    request, journey = item.request, item.journey
    steps = list(ApprovalStep.objects.filter(request=request).order_by("lane", "order"))
    seats = defaultdict(list)
    for seat in ApprovalSeat.objects.filter(request=request).select_related(
        "person", "for_person", "added_by"
    ):
        seats[seat.step_id].append(seat)
    bounds = bounds_from_json(request.bounds)
    pending = request.state == RequestState.PENDING
    situation = situations([journey], at=at).get(journey.pk) if pending else None
    before, before_at = _before(request)
    circle = circles_of(journey.subject_type, [journey.subject_id], user).get(journey.subject_id)
    cases, found, compared = _alike(request, bounds, user, circle)
    return Detail(
        item=item,
        steps=[(step, seats[step.pk]) for step in steps],
        bounds=bounds,
        before=before,
        before_at=before_at,
        moved=moved(bounds, situation.facts.fields) if situation is not None else (),
        cases=cases,
        precedents=found,
        compared=compared,
        circle=circle,
        history=list(
            ApprovalRequest.objects.filter(journey=journey, kind=request.kind)
            .exclude(pk=request.pk)
            .select_related("submitted_by")[:10]
        ),
        questions=list(ApprovalQuestion.objects.filter(request=request).select_related("by", "to")),
        conditions=list(
            ApprovalCondition.objects.filter(request=request, dropped_at=None).select_related(
                "journey", "set_by", "met_by"
            )
        ),
        copies=list(
            ApprovalCopy.objects.filter(request=request).select_related("person").order_by("at", "pk")
        ),
        situation=situation,
        mine=[s for s in item.seats if s.state == SeatState.ASKED],
    )


def _before(request: ApprovalRequest) -> tuple[dict[str, Any], datetime | None]:
    """What was approved last of the same kind, by field, and when."""
    values: dict[str, Any] = {}
    last = None
    rows = ApprovalGrant.objects.filter(
        journey=request.journey, kind=request.kind, about=request.about, granted_at__lte=request.submitted_at
    ).exclude(request=request)
    for grant in rows.order_by("granted_at", "pk"):
        values |= {b["field"]: b["value"] for b in grant.bounds}
        last = grant.granted_at
    return values, last


def _alike(
    request: ApprovalRequest, bounds: Sequence[Bound], user: Any, circle: Circle | None
) -> tuple[list[Case], dict[int, Precedent], int]:
    """The five most similar decisions that the reader may see, out of the newest of the kind (AP-13)."""
    levers = {asked["lever"] for asked in request.asked}
    values = {b.field: b.value for b in bounds if b.lever in levers}
    seen = Q(pk__in=[])
    for subject_type, ids in visible_subjects(user).items():
        seen |= Q(subject_type=subject_type, subject_id__in=ids)
    rows = list(
        Precedent.objects.filter(seen, kind=request.kind, lever__in=levers)
        .exclude(grant__request=request)
        .select_related("grant__request__journey", "grant__request__submitted_by")
        .defer("grant__request__journey__clocks")[:CASES]
    )
    circles: dict[tuple[str, int], str] = {}
    for subject_type in {row.subject_type for row in rows}:
        about = [row.subject_id for row in rows if row.subject_type == subject_type]
        circles |= {(subject_type, pk): c.key for pk, c in circles_of(subject_type, about, user).items()}
    cases: dict[int, Case] = {}
    first: dict[int, Precedent] = {}
    for row in rows:  # one case a request, whatever its levers
        key = row.grant.request_id
        held = dict(cases[key].values) if key in cases else {}
        first.setdefault(key, row)
        circle_key = circles.get((row.subject_type, row.subject_id), "")
        cases[key] = Case(id=key, values=held | row.values, at=row.granted_at, circle=circle_key)
    found = alike(values, list(cases.values()), circle=circle.key if circle else "")
    return found, {case.id: first[case.id] for case in found}, len(cases)


# --- how long it usually takes ---


def ended_requests(
    kind: str = "", *, since: datetime | None = None, limit: int = 2000
) -> QuerySet[ApprovalRequest]:
    """Requests that people decided, the newest first."""
    rows = ApprovalRequest.objects.filter(state__in=[RequestState.APPROVED, RequestState.REJECTED])
    if kind:
        rows = rows.filter(kind=kind)
    if since is not None:
        rows = rows.filter(ended_at__gte=since)
    return rows.order_by("-ended_at", "-pk")[:limit]


YEAR: Final = timedelta(days=365)
