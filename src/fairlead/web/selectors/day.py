"""My day: what wants a hand, each with the reason why it is here and the act that helps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import (
    Count,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Sum,
)
from django.utils import timezone

from fairlead.common.questions import Question
from fairlead.crm.models import Opportunity
from fairlead.crm.selectors.visible import visible_parts
from fairlead.organisation.models import User
from fairlead.process.enums import ClockLevel
from fairlead.process.models import Clock, Journey
from fairlead.work.enums import ActivityState
from fairlead.work.models import Activity

MOST: Final = 20
BLOCKS: Final = ("due", "ready", "over", "none")


@dataclass(frozen=True, slots=True)
class Block:
    """`kind`: due (a next step is late or today's), ready (its gate is complete), over (a clock is red),
    none (no next step)."""

    kind: str
    count: int
    deals: Sequence[Opportunity]


@dataclass(frozen=True, slots=True)
class Month:
    """One's own month: won so far, and what is expected to close in it, weighted (metrics: weighted pipeline)."""

    won: int
    won_amount: Decimal
    closing: int
    weighted: Decimal


@dataclass(frozen=True, slots=True)
class Day:
    scope: str  # mine | all
    open_deals: int
    blocks: Sequence[Block]
    month: Month | None = None
    #: Deal → its next planned activity; journey → its red clock that began longest ago.
    steps: Mapping[int, Activity] = field(default_factory=dict)
    clocks: Mapping[int, Clock] = field(default_factory=dict)


#: Columns that no row of the day shows.
UNSEEN: Final = (
    "search_key",
    "custom",
    "description",
    "account__search_key",
    "account__custom",
    "journey__clocks",
)


# Asked on every opening of the day, with the same shape each time.
_deals: Question[Opportunity] = Question(
    lambda ids: (
        Opportunity.objects.select_related("account", "owner", "journey__stage")
        .defer(*UNSEEN)
        .filter(pk__in=ids)
    ),
    lists=("ids",),
)
_planned: Question[Activity] = Question(
    lambda ids: Activity.objects.filter(
        subject_type="opportunity", subject_id__in=ids, state=ActivityState.PLANNED, due_at__isnull=False
    ).order_by("-due_at", "-pk"),
    lists=("ids",),
)
_red: Question[Clock] = Question(
    lambda ids: Clock.objects.filter(journey__in=ids, level=ClockLevel.RED).order_by("-breached_at", "-pk"),
    lists=("ids",),
)


def load_day(user: User, *, at: datetime, scope: str = "", most: int = MOST) -> Day:
    """`scope` blank: one's own deals, or where somebody has none those that they may see; `most`: rows of all blocks."""
    chosen = scope or "mine"
    parts = _open(user, chosen)
    counts = _counts(parts, at)
    if not scope and not counts["open"]:
        chosen = "all"
        parts = _open(user, chosen)
        counts = _counts(parts, at)
    found: dict[str, list[int]] = {}
    for kind in BLOCKS:
        room = most - sum(map(len, found.values()))
        found[kind] = _ids(parts, kind, at, room) if counts[kind] and room else []
    deals = _read([pk for ids in found.values() for pk in ids])
    blocks = [
        Block(kind, counts[kind], [deals[pk] for pk in ids if pk in deals]) for kind, ids in found.items()
    ]
    if chosen != "mine":
        return Day(chosen, counts["open"], blocks, clocks=_clocks(blocks))
    return Day(
        chosen, counts["open"], blocks, month=_month(user, at), steps=_steps(blocks), clocks=_clocks(blocks),
    )  # fmt: skip


def _open(user: User, scope: str) -> list[QuerySet[Journey]]:
    """Open journeys of deals, asked by their mirrors of owner and team, in parts that have none in common."""
    if scope != "mine":
        return [part.filter(state="open") for part in visible_parts(user)]
    if not user.reach("opportunity.view"):
        return []
    others = Opportunity.objects.visible_to(user).filter(Q(ar=user) | Q(sr=user) | Q(fr=user))
    helped = list(others.exclude(owner=user).values_list("pk", flat=True))
    mine = Journey.objects.current().open().filter(subject_type="opportunity")
    return [mine.filter(Q(owner=user) | Q(subject_id__in=helped))]


def _conditions(at: datetime) -> dict[str, Q]:
    """Each deal stands in the first block that fits, so that nobody reads it twice."""
    due = Q(next_step_at__lt=_tomorrow(at))
    ready = Q(gate_state__in=["ready", "waived"])
    # Asked per deal and last: a list of all red clocks of the company would be made first, for one person's few deals.
    over = Q(Exists(Clock.objects.filter(journey=OuterRef("pk"), level=ClockLevel.RED)))
    later = Q(next_step_at=None) | ~due
    return {
        "due": due, "ready": ready & later, "over": later & ~ready & over,
        "none": Q(next_step_at=None) & ~ready & ~over,
    }  # fmt: skip


def _tomorrow(at: datetime) -> datetime:
    return timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _counts(parts: Iterable[QuerySet[Journey]], at: datetime) -> Counter[str]:
    wanted = {kind: Count("pk", filter=condition) for kind, condition in _conditions(at).items()}
    found: Counter[str] = Counter()
    for part in parts:
        found.update(part.aggregate(open=Count("pk"), **wanted))
    return found


def _ids(parts: Iterable[QuerySet[Journey]], kind: str, at: datetime, room: int) -> list[int]:
    """Which deals, and in which order; a database that sorts ten thousand whole rows for twenty of them is slow."""
    order = {"due": F("next_step_at"), "ready": -F("base_amount")}.get(kind, F("entered_at"))
    found: list[tuple[Any, int]] = []
    for part in parts:
        rows = part.filter(_conditions(at)[kind]).annotate(place=order)
        found += rows.order_by(F("place").asc(nulls_last=True), "subject_id").values_list(
            "place", "subject_id"
        )[:room]
    found.sort(key=lambda row: (row[0] is None, row))
    return [pk for _place, pk in found[:room]]


def _read(ids: Sequence[int]) -> dict[int, Opportunity]:
    """The deals of all blocks at once."""
    return {deal.pk: deal for deal in _deals(ids)} if ids else {}


def _steps(blocks: Sequence[Block]) -> dict[int, Activity]:
    """The next planned activity of each deal that is due, to be done or put off where it stands."""
    deals = [deal.pk for block in blocks if block.kind == "due" for deal in block.deals]
    if not deals:
        return {}
    return {activity.subject_id: activity for activity in _planned(deals)}  # the earliest wins


def _clocks(blocks: Sequence[Block]) -> dict[int, Clock]:
    over = [deal for block in blocks if block.kind == "over" for deal in block.deals]
    journeys = [deal.journey_id for deal in over if deal.journey_id is not None]
    if not journeys:
        return {}
    return {clock.journey_id: clock for clock in _red(journeys)}


def _month(user: User, at: datetime) -> Month:
    first = timezone.localtime(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    next_first = (first + timedelta(days=32)).replace(day=1)
    weighted = ExpressionWrapper(
        F("base_amount") * F("probability") / Decimal(100), DecimalField(max_digits=20, decimal_places=2)
    )
    mine = Journey.objects.current().filter(owner=user, subject_type="opportunity")
    won = Q(state="won", closed_at__gte=first, closed_at__lte=at)
    closing = Q(state="open", close_date__gte=first.date(), close_date__lt=next_first.date())
    found = mine.filter(won | closing).aggregate(
        won=Count("pk", filter=won), won_amount=Sum("base_amount", filter=won),
        closing=Count("pk", filter=closing), weighted=Sum(weighted, filter=closing),
    )  # fmt: skip
    zero = Decimal(0)
    return Month(found["won"], found["won_amount"] or zero, found["closing"], found["weighted"] or zero)
