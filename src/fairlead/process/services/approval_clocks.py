"""The time of an approver is counted by that person's calendar (AP-11, CA-1): leave lets it rest.

A step that several people decide runs by the one on whom it depends: the first to be due where one of them is enough,
the last where all have to. So somebody's leave delays a step only where nobody else can decide it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from fairlead.common import bulk, turns
from fairlead.organisation.calendars import Calendar
from fairlead.organisation.selectors import Calendars

from ..approval_enums import ApprovalMode, RequestState, SeatState, StepState
from ..models import ApprovalRequest, ApprovalSeat, ApprovalStep

AT_ONCE = 50  # requests a transaction
Asked = Mapping[int, Sequence[int]]  # people by place; those of one place stand in for each other


def calendar_of_step(step: ApprovalStep, asked: Asked, started: datetime, book: Calendars) -> Calendar:
    """The calendar of whoever the step depends on; the company's where nobody is asked."""
    if book.is_plain or not asked:
        return book.default
    whole = timedelta(hours=step.decision_hours)

    def due(calendar: Calendar) -> datetime:
        return calendar.add_working_time(started, whole)

    places = [min((book.of(person) for person in people), key=due) for people in asked.values()]
    places.sort(key=due)
    if step.mode == ApprovalMode.ANY:
        return places[0]
    if step.mode == ApprovalMode.K_OF_N and 0 < step.k <= len(places):
        return places[step.k - 1]
    return places[-1]


def set_due(step: Any, asked: Asked, book: Calendars) -> bool:
    """Let the due instants of a step that has begun follow the calendars; whether one is another now."""
    calendar = calendar_of_step(step, asked, step.started_at, book)
    before = step.response_due_at, step.decision_due_at
    step.response_due_at = calendar.add_working_time(step.started_at, timedelta(hours=step.response_hours))
    step.decision_due_at = calendar.add_working_time(step.started_at, timedelta(hours=step.decision_hours))
    return before != (step.response_due_at, step.decision_due_at)


def asked_in(seats: Iterable[Any]) -> dict[int, list[int]]:
    """By place the people of these seats who are asked and have not decided."""
    found: dict[int, list[int]] = defaultdict(list)
    for seat in seats:
        if seat.state == SeatState.ASKED:
            found[seat.number].append(seat.person_id)
    return found


def asked_of(steps: Collection[int]) -> dict[int, dict[int, list[int]]]:
    """By step, whom it asks."""
    found: dict[int, list[ApprovalSeat]] = defaultdict(list)
    for seat in ApprovalSeat.objects.filter(step__in=steps, state=SeatState.ASKED).order_by("pk"):
        found[seat.step_id].append(seat)
    return {pk: asked_in(seats) for pk, seats in found.items()}


def recompute_approvals(book: Calendars, *, people: Collection[int] | None) -> int:
    """Compute open steps anew after a change of calendars, of those that ask one of `people` (None: of all); how many
    are due at another time. In short transactions."""
    steps = ApprovalStep.objects.filter(
        state=StepState.ACTIVE, started_at__isnull=False, request__state=RequestState.PENDING
    )
    if people is not None:
        if not people:
            return 0
        asking = ApprovalSeat.objects.filter(state=SeatState.ASKED, person__in=people)
        steps = steps.filter(pk__in=asking.values("step"))
    requests = sorted(set(steps.values_list("request_id", flat=True)))
    pace, moved = turns.pace(), 0
    for first in range(0, len(requests), AT_ONCE):
        with pace.turn(), transaction.atomic():
            moved += _recompute(requests[first : first + AT_ONCE], book)
    return moved


def _recompute(ids: Sequence[int], book: Calendars) -> int:
    held = {
        row.pk: row
        for row in ApprovalRequest.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")
        if row.state == RequestState.PENDING
    }
    steps = list(
        ApprovalStep.objects.filter(
            request__in=held, state=StepState.ACTIVE, started_at__isnull=False
        ).order_by("pk")
    )
    asked = asked_of([step.pk for step in steps])
    changed = [step for step in steps if set_due(step, asked.get(step.pk, {}), book)]
    bulk.update(changed, ["response_due_at", "decision_due_at"])
    dues: dict[int, list[datetime]] = defaultdict(list)
    for step in steps:
        if step.decision_due_at is not None:
            dues[step.request_id].append(step.decision_due_at)
    late = []
    for pk, row in held.items():
        due = min(dues.get(pk, ()), default=None)
        if due != row.next_due_at:
            row.next_due_at = due
            late.append(row)
    bulk.update(late, ["next_due_at"])
    return len(changed)
