"""One queue of what waits for somebody's decision: approvals, and requests to let an item or a move pass (OV-1).

The most urgent first: an approval by when it is due, a request by the day on which it lapses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db.models import Q

from ..enums import OverrideKind, OverrideState
from ..models import OverrideRequest
from ..subjects import visible_subjects
from .approval_inbox import (
    PAGE,
    Item,
    decided_requests,
    due_requests,
    inbox,
    items_of,
    submitted_requests,
    waiting_count,
)
from .overrides import requests, seen_by, to_decide

APPROVAL: Final = "approval"
OVERRIDE: Final = "override"
AHEAD: Final = 500  # how far the next item is looked for
CASES: Final = 5
COMPARED: Final = 100  # newest decisions that are counted as alike
_NEVER: Final = datetime.max.replace(tzinfo=UTC)

#: What waits: which of the two, and its id.
Place = tuple[str, int]


@dataclass(slots=True)
class Waiting:
    """A line of the queue: an approval's item, or a request to let something pass."""

    kind: str
    pk: int
    item: Item | None = None
    asked: OverrideRequest | None = None


def places(user: Any, *, most: int) -> list[Place]:
    """The first `most` of the queue. Three statements at most."""
    found = [(due or _NEVER, APPROVAL, pk) for pk, due in due_requests(user)[:most]]
    found += [
        (until, OVERRIDE, pk)
        for pk, until in to_decide(user).order_by("expires_at", "pk").values_list("pk", "expires_at")[:most]
    ]
    return [(kind, pk) for _due, kind, pk in sorted(found)[:most]]


def queue(user: Any, *, start: int = 0) -> tuple[list[Waiting], int]:
    """A page of it, and where the next one begins (0: nowhere)."""
    found = places(user, most=start + PAGE + 1)[start:]
    return _lines(found[:PAGE], user), start + PAGE if len(found) > PAGE else 0


def _lines(shown: Sequence[Place], user: Any, *, decided: bool = False) -> list[Waiting]:
    approvals = [pk for kind, pk in shown if kind == APPROVAL]
    items = {i.request.pk: i for i in items_of(approvals, user, decided=decided)}
    asked = of_ids([pk for kind, pk in shown if kind == OVERRIDE])
    lines = [
        Waiting(
            kind, pk, items.get(pk) if kind == APPROVAL else None, asked.get(pk) if kind == OVERRIDE else None
        )
        for kind, pk in shown
    ]
    return [line for line in lines if line.item or line.asked]


def tab_of(user: Any, tab: str, *, start: int = 0) -> tuple[list[Waiting], int]:
    """A page of one tab of the inbox, and where the next one begins (0: nowhere)."""
    if tab == "todo":
        return queue(user, start=start)
    if tab in ("done", "mine"):
        return past(user, tab, start=start)
    items, following = inbox(user, tab, start=start)
    return [Waiting(APPROVAL, item.request.pk, item) for item in items], following


def past(user: Any, tab: str, *, start: int = 0) -> tuple[list[Waiting], int]:
    """A page of what somebody decided (`done`) or asked for (`mine`), the newest first, and where the next begins."""
    most = start + PAGE + 1
    asked = seen_by(user)  # one whose record is out of sight by now leads nowhere
    if tab == "done":
        approvals = decided_requests(user)
        lettings = asked.filter(decided_by=user, decided_at__isnull=False).values_list("decided_at", "pk")
        lettings = lettings.order_by("-decided_at", "-pk")
    else:
        approvals = submitted_requests(user)
        lettings = asked.filter(requested_by=user).values_list("requested_at", "pk")
        lettings = lettings.order_by("-requested_at", "-pk")
    found = [(at, APPROVAL, pk) for at, pk in approvals[:most]]
    found += [(at, OVERRIDE, pk) for at, pk in lettings[:most]]
    shown = [(kind, pk) for _at, kind, pk in sorted(found, reverse=True)[start:most]]
    return _lines(shown[:PAGE], user, decided=tab == "done"), start + PAGE if len(shown) > PAGE else 0


def of_ids(ids: Sequence[int]) -> dict[int, OverrideRequest]:
    if not ids:
        return {}
    rows = (
        requests()
        .select_related("journey__stage", "journey__owner", "requested_by__team")
        .defer("journey__clocks")
        .filter(pk__in=ids)
    )
    return {row.pk: row for row in rows}


def next_after(user: Any, place: Place) -> Place | None:
    """What opens after this one: the next that waits, or the first."""
    found = places(user, most=AHEAD)
    later = found[found.index(place) + 1 :] if place in found else []
    return next(iter([*later, *(one for one in found if one != place)]), None)


def count_waiting(user: Any) -> int:
    return waiting_count(user) + to_decide(user).count()


def cases_alike(asked: OverrideRequest, user: Any) -> tuple[list[OverrideRequest], int]:
    """The newest decisions about the same item, or the same move from the same process, that the reader may see; and out
    of how many."""
    seen = Q(pk__in=[])
    for kind, ids in visible_subjects(user).items():
        seen |= Q(journey__subject_type=kind, journey__subject_id__in=ids)
    rows = requests().filter(
        seen,
        state__in=[OverrideState.GRANTED, OverrideState.REFUSED],
        kind=asked.kind,
        journey__process_key=asked.journey.process_key,
    )
    if asked.kind == OverrideKind.CRITERION:
        rows = rows.filter(criterion_key=asked.criterion_key)
    else:
        rows = rows.filter(move_kind=asked.move_kind)
    found = list(rows.exclude(pk=asked.pk).order_by("-decided_at", "-pk")[:COMPARED])
    return found[:CASES], len(found)


def before_on(asked: OverrideRequest) -> list[OverrideRequest]:
    """Earlier requests on the same record, the newest first."""
    return list(requests().filter(journey=asked.journey_id).exclude(pk=asked.pk).order_by("-pk")[:10])
