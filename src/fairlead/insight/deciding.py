"""How approvals are decided (metrics 3.27): reads the requests and votes, counts nothing itself. NumPy loads with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from fairlead.analytics.deciding import Decided, Deciding, Vote, deciding, usual
from fairlead.organisation.calendars import Calendar
from fairlead.organisation.selectors import default_calendar
from fairlead.process.approval_enums import RequestState, SeatState
from fairlead.process.approval_times import Usually
from fairlead.process.models import ApprovalCondition, ApprovalRequest, ApprovalSeat
from fairlead.process.subjects import visible_subjects

WINDOW: Final = timedelta(days=365)
MOST: Final = 5000  # newest requests that are counted
ENDED: Final = (RequestState.APPROVED, RequestState.REJECTED)


@dataclass(frozen=True, slots=True)
class KindFigures:
    """`left_out`: requests that nobody decided in the end, because they were withdrawn or returned."""

    kind: str
    figures: Deciding
    left_out: int


def hours_between(begin: datetime, end: datetime, calendar: Calendar) -> float:
    return calendar.working_time_between(begin, end).total_seconds() / 3600 if end > begin else 0.0


def usual_of(kind: str) -> Usually:
    """Of the newest 200 that people decided, whoever's they were: a time says nothing about a record."""
    rows = ApprovalRequest.objects.filter(kind=kind, state__in=ENDED, is_auto=False).order_by(
        "-ended_at", "-pk"
    )
    calendar = default_calendar()
    pairs = rows.values_list("submitted_at", "ended_at")[:200]
    found = usual([hours_between(begin, end, calendar) for begin, end in pairs if end is not None])
    return Usually(found.n, found.median, found.p90, found.enough)


def figures_of(process_key: str, *, reader: Any, at: datetime) -> list[KindFigures]:
    """By kind, over the requests of a year on records that the reader sees."""
    rows = ApprovalRequest.objects.filter(
        journey__process_key=process_key, ended_at__gte=at - WINDOW, ended_at__lte=at
    ).order_by("-ended_at", "-pk")
    seen = visible_subjects(reader)
    condition = rows.none()
    for subject_type, ids in seen.items():
        condition = condition | rows.filter(journey__subject_type=subject_type, journey__subject_id__in=ids)
    requests = list(
        condition.values_list("pk", "kind", "state", "is_auto", "number", "submitted_at", "ended_at")[:MOST]
    )
    calendar = default_calendar()
    decided: dict[str, list[Decided]] = {}
    left_out: dict[str, int] = {}
    kind_of = {}
    for pk, kind, state, is_auto, number, begin, end in requests:
        if state not in ENDED or end is None:
            left_out[kind] = left_out.get(kind, 0) + 1
            continue
        kind_of[pk] = kind
        hours = None if is_auto else hours_between(begin, end, calendar)
        decided.setdefault(kind, []).append(
            Decided(is_auto=is_auto, hours=hours, round=number, is_approved=state == RequestState.APPROVED)
        )
    votes = _votes(kind_of)
    return [
        KindFigures(kind, deciding(decided.get(kind, ()), votes.get(kind, ())), left_out.get(kind, 0))
        for kind in sorted(decided.keys() | left_out.keys())
    ]


def _votes(kind_of: dict[int, str]) -> dict[str, list[Vote]]:
    found: dict[str, list[Vote]] = {}
    with_conditions = _sets(
        ApprovalCondition.objects.filter(request__in=list(kind_of)).values_list("request", "set_by")
    )
    rows = ApprovalSeat.objects.filter(
        request__in=list(kind_of), state=SeatState.APPROVED, decided_at__isnull=False
    )
    for request, person, asked, seen, decided, comment in rows.values_list(
        "request", "person", "asked_at", "seen_at", "decided_at", "comment"
    ):
        begin = seen or asked
        if begin is None or decided is None:
            continue
        changed = bool(comment) or (request, person) in with_conditions
        seconds = (decided - begin).total_seconds()
        found.setdefault(kind_of[request], []).append(Vote(seconds, changed))
    return found


def _sets(pairs: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    return set(pairs)
