"""Journeys and visits again from the journal alone: the proof that the journal is the memory (idea 6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q

from fairlead.common import bulk
from fairlead.journal.models import Event
from fairlead.organisation.selectors import Calendars, calendars

from .. import clock_events, fold
from ..models import Clock, Journey, Visit
from . import clock_rows, ledger


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that the journal tells otherwise than the row: `what` is a field of a journey or of a visit."""

    journey_id: int
    what: str
    stored: object
    told: object


class _Told(NamedTuple):
    """What the fold reads of an event: hundreds of thousands of rows would be slow as records."""

    type: str
    subject_type: str
    subject_id: int
    journey_id: int | None
    effective_at: datetime
    recorded_at: datetime
    reason_code: str
    process_key: str
    process_version: int | None
    episode_no: int | None
    to_stage: str
    fidelity: str
    data: dict[str, Any]


def folded(journey_ids: set[int] | None = None) -> dict[int, fold.Travel]:
    """Every journey (or those named) as the whole journal tells it, with what was noted about its subject."""
    travels: dict[int, fold.Travel] = defaultdict(fold.Travel)
    on: dict[tuple[str, int], list[int]] = defaultdict(list)  # journeys by subject, as they begin
    events = Event.objects.filter(type__in=fold.TOLD).in_order()
    if journey_ids is not None:
        events = events.filter(Q(journey_id__in=journey_ids) | _about(journey_ids))
    for row in events.values_list(*_Told._fields).iterator(chunk_size=5000):
        event = _Told(*row)
        if event.type in clock_events.EVIDENCE_EVENTS:
            for pk in on[event.subject_type, event.subject_id]:
                fold.apply(travels[pk], event)
        elif event.journey_id is not None:
            if event.type == fold.STARTED:
                on[event.subject_type, event.subject_id].append(event.journey_id)
            fold.apply(travels[event.journey_id], event)
    if journey_ids is not None:
        return {pk: travel for pk, travel in travels.items() if pk in journey_ids}
    return dict(travels)


def _about(journey_ids: set[int]) -> Q:
    """Evidence about the subjects of these journeys."""
    found = Q(pk__in=[])
    subjects: dict[str, list[int]] = defaultdict(list)
    for kind, pk in Journey.objects.filter(pk__in=journey_ids).values_list("subject_type", "subject_id"):
        subjects[kind].append(pk)
    for kind, ids in subjects.items():
        found |= Q(type__in=clock_events.EVIDENCE_EVENTS, subject_type=kind, subject_id__in=ids)
    return found


def differences() -> Iterator[Difference]:
    """Where stored journeys and visits differ from the journal; nothing in a sound database."""
    travels = folded()
    for journey in Journey.objects.select_related("stage").iterator(chunk_size=2000):
        travel = travels.get(journey.pk)
        if travel is None:
            yield Difference(journey.pk, "journey", "stored", "unknown to the journal")
            continue
        if journey.stage.key != travel.stage_key:
            yield Difference(journey.pk, "stage", journey.stage.key, travel.stage_key)
        if journey.process_version_id != (told := ledger.version_id_of(journey, travel)):
            yield Difference(journey.pk, "process_version", journey.process_version_id, told)
        for name in ("process_key", *ledger.TRAVEL_FIELDS):
            if getattr(journey, name) != getattr(travel, name):
                yield Difference(journey.pk, name, getattr(journey, name), getattr(travel, name))
    yield from _visit_differences(travels)
    yield from _clock_differences(travels)


def _clock_differences(travels: dict[int, fold.Travel]) -> Iterator[Difference]:
    book = calendars()
    stored = {row.pk: row for row in Clock.objects.iterator(chunk_size=5000)}
    for journey in Journey.objects.iterator(chunk_size=2000):
        if journey.pk not in travels:
            continue
        for reading in _readings(journey, travels[journey.pk], book).values():
            told = clock_rows.row_of(journey.pk, reading)
            row = stored.pop(told.pk, None)
            if row is None:
                yield Difference(journey.pk, f"clock {told.kind}", "missing", "told by the journal")
                continue
            for name in clock_rows.COLUMNS:
                if getattr(row, name) != getattr(told, name):
                    yield Difference(
                        journey.pk, f"clock {told.kind}.{name}", getattr(row, name), getattr(told, name)
                    )
    for row in stored.values():
        yield Difference(row.journey_id, f"clock {row.kind}", "stored", "unknown to the journal")


def _readings(journey: Journey, travel: fold.Travel, book: Calendars) -> clock_rows.Readings:
    return clock_rows.readings_of(journey, travel, book.of(travel.owner_id))


def _visit_differences(travels: dict[int, fold.Travel]) -> Iterator[Difference]:
    known = set(Journey.objects.values_list("pk", flat=True))
    told = {(pk, v.ordinal): v for pk, t in travels.items() if pk in known for v in t.visits}
    for visit in Visit.objects.iterator(chunk_size=5000):
        state = told.pop((visit.journey_id, visit.ordinal), None)
        if state is None:
            yield Difference(visit.journey_id, f"visit {visit.ordinal}", "stored", "unknown to the journal")
            continue
        for name in ledger.VISIT_FIELDS:
            if getattr(visit, name) != getattr(state, name):
                yield Difference(
                    visit.journey_id,
                    f"visit {visit.ordinal}.{name}",
                    getattr(visit, name),
                    getattr(state, name),
                )
    for pk, ordinal in told:
        yield Difference(pk, f"visit {ordinal}", "missing", "told by the journal")


@transaction.atomic
def rebuild() -> tuple[int, int]:
    """Write what the fold keeps of every journey, all visits and all clocks, anew. Counts (journeys, visits)."""
    travels = folded()
    rows = list(Journey.objects.select_for_update().filter(pk__in=travels).order_by("pk"))
    Visit.objects.filter(journey__in=[r.pk for r in rows]).delete()
    stages = ledger.stage_rows(
        {(ledger.version_id_of(r, travels[r.pk]), travels[r.pk].stage_key) for r in rows}
    )
    for row in rows:
        ledger.copy_travel(row, travels[row.pk], stages)
    bulk.update(rows, ["process_key", "process_version_id", "stage_id", *ledger.TRAVEL_FIELDS])
    visits = [ledger.new_visit(row.pk, v) for row in rows for v in travels[row.pk].visits]
    bulk.insert(visits)
    Clock.objects.all().delete()
    book = calendars()
    clock_rows.write_rows({r.pk: _readings(r, travels[r.pk], book) for r in rows})
    return len(rows), len(visits)


@transaction.atomic
def refold_clocks(journey_ids: set[int]) -> None:
    """Let the clocks of these journeys hear the whole journal again: after work that wrote evidence in bulk."""
    store_clocks(journey_ids, folded(journey_ids))


@transaction.atomic
def store_clocks(journey_ids: set[int], travels: Mapping[int, fold.Travel]) -> None:
    """Write what `travels` remember of the clocks of these journeys, whatever stood there."""
    rows = [row for row in ledger.lock(journey_ids).values() if row.pk in travels]
    book = calendars()
    for row in rows:
        row.clocks = travels[row.pk].clocks
    bulk.update(rows, ["clocks"])
    clock_rows.write_rows(
        {row.pk: _readings(row, travels[row.pk], book) for row in rows},
        gone=[row.pk for row in rows],
    )
