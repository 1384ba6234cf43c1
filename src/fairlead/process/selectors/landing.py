"""What the end of soft mode would mean today: the open records that the gate of their next move would stop.

Counted by the gate summary on each journey, which `gates.judge` keeps by the very `decide` that a move asks: soft
or not, it says what blocks. The rows are judged once more, so that each names its gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import Count, Q, QuerySet

from fairlead.common.names import localized
from fairlead.fields.catalogue import pick
from fairlead.organisation.selectors import default_calendar

from ..engine import decide, forward_move
from ..landing import mode_on
from ..models import Journey, Process, StageRow
from .gathering import situations

HELD: Final = Q(gate_state__in=["missing", "unknown"])


@dataclass(frozen=True, slots=True)
class HeldStage:
    key: str  # on the common axis
    name: str
    open: int
    held: int


@dataclass(frozen=True, slots=True)
class HeldBack:
    mode: str  # of today
    open: int
    held: int
    stages: Sequence[HeldStage]


@dataclass(frozen=True, slots=True)
class HeldRow:
    journey: Journey
    gaps: Sequence[str]  # names of what is missing


def business_day(at: datetime) -> date:
    return at.astimezone(default_calendar().zone).date()


def held_back(seen: QuerySet[Journey], process: Process, *, today: date) -> HeldBack:
    """Of the open journeys of `process` among those `seen`, the ones that enforced gates would stop `today`."""
    counted = (
        _open(seen, process)
        .values_list("stage__axis_key")
        .annotate(n=Count("pk"), held=Count("pk", filter=HELD))
        .order_by()
    )
    per_stage = {key: (n, held) for key, n, held in counted}
    names: dict[str, str] = {}
    for row in StageRow.objects.filter(version__process=process).order_by("-version__number", "order", "pk"):
        names.setdefault(row.axis_key, localized(row.name))
    stages = [HeldStage(key, name, *per_stage[key]) for key, name in names.items() if key in per_stage]
    mode = mode_on(process.mode, process.enforced_from, today)
    return HeldBack(mode, sum(s.open for s in stages), sum(s.held for s in stages), stages)


def held_journeys(seen: QuerySet[Journey], process: Process, *, stage: str = "") -> QuerySet[Journey]:
    """The rows behind the numbers of `held_back`, the largest amounts first."""
    rows = _open(seen, process).filter(HELD).select_related("stage", "owner")
    return (rows.filter(stage__axis_key=stage) if stage else rows).order_by("-base_amount", "pk")


def with_gaps(journeys: Sequence[Journey], *, at: datetime) -> list[HeldRow]:
    """Each journey with what its next move lacks, by name."""
    known = situations(journeys, at=at)
    rows = []
    for journey in journeys:
        situation = known.get(journey.pk)
        wish = forward_move(situation.definition, situation.facts) if situation is not None else None
        if situation is None or wish is None:
            continue
        gaps = decide(situation.definition, situation.facts, wish).gaps
        found = [situation.definition.criterion(gap.key) for gap in gaps]
        rows.append(HeldRow(journey, [pick(one[2].name) for one in found if one is not None]))
    return rows


def _open(seen: QuerySet[Journey], process: Process) -> QuerySet[Journey]:
    return seen.filter(process_key=process.key, state="open")
