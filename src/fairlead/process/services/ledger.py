"""Writing journeys and visits: journal first, then what the fold makes of each event, all in bulk.

The one place that saves a Journey's path and a Visit. Moves, starts, imports and mirrors all go through it,
and `rebuilding` uses the same fold, so that the rows are always what the journal says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from operator import attrgetter
from typing import Any

from fairlead.common import bulk
from fairlead.common.questions import Question
from fairlead.journal.models import Event
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.selectors import Calendars
from fairlead.organisation.selectors import calendars as calendars_now

from .. import clock_events, fold, stages
from ..models import Journey, StageRow, Visit
from ..selectors.gathering import StoredVisit, visits_of
from . import clock_rows

TRAVEL_FIELDS = (
    "state",
    "outcome",
    "reason_code",
    "episode_no",
    "opened_at",
    "entered_at",
    "entered_at_known",
    "closed_at",
    "hold_since",
    "resume_date",
    "forecast_category",
    "category_pinned",
    "probability",
    "owner_id",
    "team_id",
    "base_amount",
    "close_date",
    "regress_count",
    "fidelity",
    "superseded_at",
    "carried",
    "clocks",
)
_TRAVEL_VALUES = attrgetter(*TRAVEL_FIELDS)
VISIT_FIELDS = tuple(fold.VisitState.__slots__)
_VISIT_VALUES = attrgetter(*VISIT_FIELDS)
VISIT_CHANGES = ["left_at", "exit_type", "outcome", "imported", "held_seconds"]

Visits = Mapping[int, Sequence[StoredVisit]]
#: Told of rows that hold their new path and are about to be stored, and of the visits that have changed; names
#: further columns to store with it.
Settle = Callable[[Sequence[Journey], Visits], Sequence[str]]

_locked = Question(
    lambda ids: Journey.objects.select_for_update().filter(pk__in=ids).order_by("pk"), lists=("ids",)
)


def lock(journey_ids: Iterable[int]) -> dict[int, Journey]:
    """The journeys, locked in the order of their ids, so that two batches never wait for each other in a ring."""
    wanted = list(journey_ids)
    found = {row.pk: row for row in _locked(wanted)} if wanted else {}
    stages.attach(found.values())
    return found


def travels_of(
    journeys: Sequence[Journey],
    *,
    fresh: bool = False,
    visits: Mapping[int, Sequence[StoredVisit]] | None = None,
) -> tuple[dict[int, fold.Travel], dict[tuple[int, int], int]]:
    """The fold's state of stored journeys, read from their rows instead of from the whole journal; and the ids of
    these visits by (journey, ordinal). `fresh`: none of them has a visit yet. `visits`: where they are at hand."""
    if visits is None:
        visits = {} if fresh else visits_of([j.pk for j in journeys])
    stored = {
        (pk, state.ordinal): visit_id
        for pk, made in visits.items()
        for visit_id, state in made
        if visit_id is not None
    }
    found = {}
    for journey in journeys:
        travel = fold.Travel(stage_key=journey.stage.key, process_key=journey.process_key)
        for name, value in zip(TRAVEL_FIELDS, _TRAVEL_VALUES(journey), strict=True):
            setattr(travel, name, value)
        travel.visits = [copy(state) for _id, state in visits.get(journey.pk, ())]  # the fold changes them
        travel.visit_total = len(travel.visits)
        for visit in travel.visits:
            if visit.episode_no == travel.episode_no:
                travel.stage_visits[visit.stage_key] = max(
                    travel.stage_visits.get(visit.stage_key, 0), visit.visit_no
                )
        found[journey.pk] = travel
    return found, stored


def write(
    journeys: Mapping[int, Journey],
    events: Sequence[NewEvent],
    *,
    bump: bool = True,
    fresh: bool = False,
    calendars: Calendars | None = None,
    clocks: bool = True,
    visits: Visits | None = None,
    settle: Settle | None = None,
) -> list[Event]:
    """Record `events` and store what they make of their (locked) journeys, visits and clocks. In the caller's
    transaction.

    `bump` raises each journey's version: a move in another window then finds that it was late. `fresh`: the
    journeys have their ids and are inserted here, as their events leave them. `calendars`: those of the people,
    if the caller has them at hand. `clocks` false: their rows are left to a later `rebuilding.refold_clocks` (a
    simulation does so at its end). `visits`: theirs, where the caller has read them and nothing has changed since.
    """
    stored = record(events)
    touched = journeys.keys() & {e.journey_id for e in stored if e.type in fold.TOLD}
    if not touched:
        return stored
    rows = [journeys[pk] for pk in sorted(touched)]
    travels, visit_ids = travels_of(rows, fresh=fresh, visits=visits)
    timing = clock_rows.Timing(rows, travels, calendars or calendars_now()) if clocks else None
    changed_visits: dict[int, dict[int, fold.VisitState]] = defaultdict(dict)
    gone: list[int] = []
    for event in stored:
        if event.journey_id in travels:
            travel = fold.apply(travels[event.journey_id], event)
            for visit in travel.removed:
                changed_visits[event.journey_id].pop(visit.ordinal, None)
                if (stored_as := visit_ids.pop((event.journey_id, visit.ordinal), None)) is not None:
                    gone.append(stored_as)
            for visit in travel.touched:
                changed_visits[event.journey_id][visit.ordinal] = visit
    if gone:
        Visit.objects.filter(pk__in=gone).delete()
    store(rows, travels, changed_visits, visit_ids, bump=bump, settle=settle, fresh=fresh)
    if timing is not None:
        record(timing.settle(stored, fresh=fresh))
    return stored


def hear(rows: Sequence[Journey], events: Sequence[Event], *, calendars: Calendars | None = None) -> None:
    """Let the clocks of (locked) running journeys hear evidence that was just recorded about their subjects."""
    about: dict[tuple[str, int], list[Event]] = defaultdict(list)
    for event in events:
        if event.type in clock_events.EVIDENCE_EVENTS:
            about[event.subject_type, event.subject_id].append(event)
    hearing = [row for row in rows if (row.subject_type, row.subject_id) in about]
    if not hearing:
        return
    travels, _visits = travels_of(hearing)
    timing = clock_rows.Timing(hearing, travels, calendars or calendars_now())
    for row in hearing:
        for event in about[row.subject_type, row.subject_id]:
            fold.apply(travels[row.pk], event)
        row.clocks = travels[row.pk].clocks
    bulk.update(hearing, ["clocks"])
    record(timing.settle([e for found in about.values() for e in found], fresh=False))


def store(
    rows: Sequence[Journey],
    travels: Mapping[int, fold.Travel],
    changed_visits: Mapping[int, Mapping[int, fold.VisitState]],
    existing: Mapping[tuple[int, int], int],
    *,
    bump: bool,
    settle: Settle | None = None,
    fresh: bool = False,
) -> None:
    by_key = stage_rows({(version_id_of(r, travels[r.pk]), travels[r.pk].stage_key) for r in rows})
    alike: dict[frozenset[str], list[Journey]] = defaultdict(list)
    for row in rows:
        changed = copy_travel(row, travels[row.pk], by_key)
        if bump:
            row.version += 1
            changed.add("version")
        alike[frozenset(changed)].append(row)
    further: Sequence[str] = ()
    if settle is not None:
        further = settle(rows, {pk: [(None, v) for v in own.values()] for pk, own in changed_visits.items()})
    if fresh:
        bulk.insert(rows, reserved=True)
    _store_visits(changed_visits, existing)
    # A journey stands in a dozen indexes: only what has changed is written, together where it is the same.
    for attributes, some in () if fresh else alike.items():
        if attributes or further:
            bulk.update(some, [*sorted(attributes), *further])


def copy_travel(row: Journey, travel: fold.Travel, by_key: Mapping[tuple[int, str], StageRow]) -> set[str]:
    """Let the row say what the fold says. Returns the attributes that said something else."""
    changed = set()
    version_id = version_id_of(row, travel)
    if travel.process_key and travel.process_key != row.process_key:
        row.process_key = travel.process_key
        changed.add("process_key")
    if version_id != row.process_version_id:
        row.process_version_id = version_id
        row._state.fields_cache.pop("process_version", None)
        changed.add("process_version_id")
    stage = by_key[version_id, travel.stage_key]
    if stage.pk != row.stage_id:
        changed.add("stage_id")
    row.stage = stage
    held = row.__dict__
    for name, value in zip(TRAVEL_FIELDS, _TRAVEL_VALUES(travel), strict=True):
        if held.get(name) != value:
            setattr(row, name, value)
            changed.add(name)
    return changed


def version_id_of(row: Journey, travel: fold.Travel) -> int:
    """The version that the fold says; a travel read from its row says none while nothing has migrated it."""
    if not travel.process_version:
        return row.process_version_id
    return stages.version_id(travel.process_key or row.process_key, travel.process_version)


def stage_rows(keys: set[tuple[int, str]]) -> dict[tuple[int, str], StageRow]:
    return stages.by_key({version for version, _key in keys})


def new_visit(journey_id: int, state: fold.VisitState) -> Visit:
    return bulk.new(
        Visit, journey_id=journey_id, **dict(zip(VISIT_FIELDS, _VISIT_VALUES(state), strict=True))
    )


def _store_visits(
    changed: Mapping[int, Mapping[int, fold.VisitState]], existing: Mapping[tuple[int, int], int]
) -> None:
    to_update: list[Visit] = []
    to_create: list[Visit] = []
    for journey_id, visits in changed.items():
        for ordinal, state in visits.items():
            row = new_visit(journey_id, state)
            row.pk = existing.get((journey_id, ordinal))
            (to_create if row.pk is None else to_update).append(row)
    # What is left is closed before the next is opened: the database allows one open visit a journey.
    bulk.update(to_update, VISIT_CHANGES)
    bulk.insert(to_create)


def event_base(journey: Journey, definition_version: int, **values: Any) -> dict[str, Any]:
    """The header fields that every event of a journey shares."""
    return {
        "subject_type": journey.subject_type,
        "subject_id": journey.subject_id,
        "journey_id": journey.pk,
        "process_key": journey.process_key,
        "process_version": definition_version,
        "episode_no": journey.episode_no,
        **values,
    }
