"""What moves left open behind them: each flag with how its item stands and its own count of working days (GT-1, AC-3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import DateTimeField, F, Value
from django.db.models.functions import Cast
from django.utils import timezone

from fairlead.organisation.calendars import Calendar

from ..definition import Definition
from ..engine import left_behind
from ..facts import Facts
from ..models import GateFlag, Waiver
from ..verdicts import CriterionResult


@dataclass(frozen=True, slots=True)
class Flag:
    """`days`: working days since it was raised, by the calendar of the record's owner; 0 on the day itself."""

    result: CriterionResult
    raised_at: datetime
    days: int


def raised_flags(journey_ids: Sequence[int]) -> dict[int, dict[str, datetime]]:
    """When each standing flag of each journey was raised, by the key of its item."""
    found: dict[int, dict[str, datetime]] = defaultdict(dict)
    rows = GateFlag.objects.filter(journey__in=journey_ids, cleared_at=None)
    for journey_id, key, raised_at in rows.values_list("journey_id", "criterion_key", "raised_at"):
        found[journey_id][key] = raised_at
    return found


def waived_and_flagged(
    journey_ids: Sequence[int],
) -> tuple[dict[int, set[str]], dict[int, dict[str, datetime]]]:
    """Items that a waiver ever let pass, and standing flags, of each journey; asked at once."""
    waived: dict[int, set[str]] = defaultdict(set)
    raised: dict[int, dict[str, datetime]] = defaultdict(dict)
    never = Cast(Value(None), DateTimeField())
    waivers = Waiver.objects.filter(journey__in=journey_ids).order_by().annotate(since=never)
    flags = GateFlag.objects.filter(journey__in=journey_ids, cleared_at=None).order_by()
    rows = waivers.values_list("journey_id", "criterion_key", "since").union(
        flags.annotate(since=F("raised_at")).values_list("journey_id", "criterion_key", "since"), all=True
    )
    for journey_id, key, since in rows:
        if since is None:
            waived[journey_id].add(key)
        else:
            raised[journey_id][key] = since
    return waived, raised


def flags_of(
    definition: Definition, facts: Facts, calendar: Calendar, raised: Mapping[str, datetime]
) -> list[Flag]:
    """Those whose item is still open, the oldest first."""
    found = [
        Flag(result, raised[key], _days(calendar, raised[key], facts.at))
        for key, result in left_behind(definition, facts, raised)
        if not result.settled
    ]
    return sorted(found, key=lambda flag: (flag.raised_at, flag.result.key))


def _days(calendar: Calendar, since: datetime, at: datetime) -> int:
    return calendar.working_days_between(timezone.localdate(since), timezone.localdate(at))
