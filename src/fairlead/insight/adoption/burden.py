"""The burden meter: what each required item of a process costs in filling in and in waiting (metrics 3.22)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from fairlead.analytics.burden import FEWEST, Cost, class_median, median
from fairlead.fields.catalogue import pick
from fairlead.journal.models import Event
from fairlead.organisation.selectors import default_calendar
from fairlead.process import fold
from fairlead.process.burden import BOUNDS
from fairlead.process.definition import Criterion, Definition
from fairlead.process.definitions import definition_of
from fairlead.process.enums import Level
from fairlead.process.models import FormTime, Process

from .behaviour import countable

WINDOW: Final = timedelta(days=90)
WORDS: Final = ("attested", "waiver_granted")


@dataclass(frozen=True, slots=True)
class Stop:
    """A deal that an item stopped, and the working time until somebody gave their word or a waiver."""

    deal: int
    at: datetime
    wait: timedelta | None


@dataclass(frozen=True, slots=True)
class Item:
    """A required item with its fields (key, name, median seconds, measurements), its stops and its cost."""

    key: str
    name: str
    stage: str
    fields: Sequence[tuple[str, str, float | None, int]]
    stops: Sequence[Stop]
    cost: Cost


@dataclass(frozen=True, slots=True)
class Burden:
    definition: Definition
    items: Sequence[Item]


def read_burden(user: Any, process: Process, *, at: datetime) -> Burden | None:
    """The items of the published version, over the attempts of the last 90 days on deals that `user` may count."""
    version = process.versions.published().first()
    if version is None:
        return None
    definition = definition_of(version)
    times = _times(definition.subject)
    stops, tried = _stops(user, process, at)
    items = []
    for stage, _side, criterion in definition.criteria():
        if criterion.level != Level.BLOCK:
            continue
        fields = []
        for key, name in _fields(criterion):
            counts = times.get(key, {})
            n = sum(counts.values())
            fields.append((key, name, class_median(counts, BOUNDS) if n >= FEWEST else None, n))
        found = stops.get(criterion.key, [])
        waits = [stop.wait.total_seconds() / 3600 for stop in found if stop.wait is not None]
        known = [seconds for _key, _name, seconds, _n in fields if seconds is not None]
        cost = Cost(
            seconds=sum(known) if known else None,
            wait=median(waits),
            waited=len(waits),
            deals=len(tried.get(stage.key, ())),
        )
        items.append(Item(criterion.key, pick(criterion.name), pick(stage.name), fields, found, cost))
    return Burden(definition, items)


def _fields(criterion: Criterion) -> Iterator[tuple[str, str]]:
    """The fields that an item asks for, its parts included, each once."""
    seen: dict[str, str] = {}
    for one in (criterion, *criterion.children):
        for spec in one.fields:
            seen.setdefault(spec.key, spec.name())
    yield from seen.items()


def _times(subject_type: str) -> Mapping[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = defaultdict(dict)
    rows = FormTime.objects.filter(subject_type=subject_type).values_list("field_key", "bucket", "count")
    for key, bucket, count in rows:
        found[key][bucket] = count
    return found


def _stops(user: Any, process: Process, at: datetime) -> tuple[dict[str, list[Stop]], dict[str, set[int]]]:
    """Item → the deals it stopped, the newest first; stage → the deals that tried to leave it."""
    seen = set(countable(user).values_list("pk", flat=True))
    events = Event.objects.filter(
        type__in=["move_refused", fold.MOVED, fold.WON, *WORDS], subject_type="opportunity",
        process_key=process.key, recorded_at__gt=at - WINDOW, recorded_at__lte=at,
    )  # fmt: skip
    columns = ("subject_id", "type", "recorded_at", "from_stage", "data")
    first: dict[tuple[int, str], datetime] = {}
    word: dict[tuple[int, str], datetime] = {}
    tried: dict[str, set[int]] = defaultdict(set)
    for deal, kind, when, stage, data in events.values_list(*columns).order_by("pk"):
        if deal not in seen:
            continue
        if kind in WORDS:
            about = (deal, data.get("criterion", ""))
            if about in first:
                word.setdefault(about, when)
            continue
        tried[stage].add(deal)
        for key in data.get("gaps", ()) if kind == "move_refused" else ():
            first.setdefault((deal, key), when)
    calendar = default_calendar()
    found: dict[str, list[Stop]] = defaultdict(list)
    for (deal, key), when in sorted(first.items(), key=lambda one: one[1], reverse=True):
        given = word.get((deal, key))
        found[key].append(Stop(deal, when, calendar.working_time_between(when, given) if given else None))
    return found, tried
