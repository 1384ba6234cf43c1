"""Journeys as they were before an import: kept beforehand, put back through the journal and the fold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from fairlead.common import rows
from fairlead.journal.models import Event
from fairlead.journal.services import NewEvent, record

from .. import fold
from ..enums import MigrationRowState
from ..models import (
    Attestation,
    ChainLink,
    Clock,
    DailySnapshot,
    Evaluation,
    GateFlag,
    Journey,
    MigrationRow,
    ProcessVersion,
    Visit,
    Waiver,
)
from . import ledger, rebuilding


def keep_journeys(ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Each journey with its visits and flags, every column, as JSON."""
    chosen = list(ids)
    kept: dict[int, dict[str, Any]] = {
        j.pk: {"journey": rows.as_json(j), "visits": [], "flags": []}
        for j in Journey.objects.filter(pk__in=chosen)
    }
    for visit in Visit.objects.filter(journey__in=chosen).in_order():
        kept[visit.journey_id]["visits"].append(rows.as_json(visit))
    for flag in GateFlag.objects.filter(journey__in=chosen).order_by("pk"):
        kept[flag.journey_id]["flags"].append(rows.as_json(flag))
    return kept


def put_back_journeys(
    kept: Mapping[int, Mapping[str, Any]], *, by_id: int | None, at: datetime, channel: str, batch_id: int
) -> None:
    """Restore journeys that nobody has touched since (the caller knows). In the caller's transaction.

    The journal gets one event a journey that carries the state put back, so that a rebuild comes to the same
    rows. Attempts that only this batch made go with it.
    """
    journeys = ledger.lock(kept)
    numbers = dict(
        ProcessVersion.objects.filter(
            process__key__in={j.process_key for j in journeys.values()}
        ).values_list("pk", "number")
    )
    record(
        [
            NewEvent(
                **ledger.event_base(
                    journey,
                    0,
                    type=fold.RESTORED,
                    actor_id=by_id,
                    effective_at=at,
                    channel=channel,
                    batch_id=batch_id,
                    data={
                        "travel": _travel(kept[pk]["journey"]),
                        "stage": _stage_key(kept[pk]),
                        "process_version": numbers[kept[pk]["journey"]["process_version_id"]],
                        "visits": [
                            {name: visit[name] for name in ledger.VISIT_FIELDS}
                            for visit in kept[pk]["visits"]
                        ],
                    },
                )
                | {"process_version": None, "episode_no": kept[pk]["journey"]["episode_no"]}
            )
            for pk, journey in journeys.items()
        ]
    )
    ids = list(journeys)
    rows.put_back(Visit, _all(kept, ids, "visits"), Visit.objects.filter(journey__in=ids))
    rows.put_back(GateFlag, _all(kept, ids, "flags"), GateFlag.objects.filter(journey__in=ids))
    rows.put_back(Journey, [kept[pk]["journey"] for pk in ids], Journey.objects.none())
    for pk in ids:  # who came to another version with a move of this import waits for that again
        if waits_for := kept[pk]["journey"].get("waits_for_id"):
            MigrationRow.objects.filter(migration=waits_for, journey=pk, state=MigrationRowState.DONE).update(
                state=MigrationRowState.WAITING, event_id=None, done_at=None
            )
    attempts = Event.objects.filter(batch_id=batch_id, journey_id__in=ids, evaluation_id__isnull=False)
    rows.delete(Evaluation.objects.filter(pk__in=list(attempts.values_list("evaluation_id", flat=True))))
    rebuilding.refold_clocks(set(ids))


def _travel(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ledger.TRAVEL_FIELDS}


def _stage_key(kept: Mapping[str, Any]) -> str:
    """The last visit is where it is, or where it ended."""
    return str(kept["visits"][-1]["stage_key"]) if kept["visits"] else ""


def _all(kept: Mapping[int, Mapping[str, Any]], ids: Iterable[int], name: str) -> list[Mapping[str, Any]]:
    return [row for pk in ids for row in kept[pk][name]]


def hanging_on(journey_ids: Iterable[int]) -> dict[int, list[str]]:
    """What people have added to journeys since: attestations and waivers, by journey."""
    found: dict[int, list[str]] = defaultdict(list)
    for model in (Attestation, Waiver):
        evidence: QuerySet[Any] = model.objects.filter(journey__in=list(journey_ids))
        for pk in evidence.values_list("journey_id", flat=True):
            found[pk].append(model.__name__)
    return dict(found)


def remove_journeys(journey_ids: Iterable[int]) -> None:
    """Take away journeys whose subjects go, with all that hangs on them. In the caller's transaction, which
    journals the removal of the subjects."""
    ids = list(journey_ids)
    subjects = list(Journey.objects.filter(pk__in=ids).values_list("subject_type", "subject_id"))
    for model in (Clock, Visit, GateFlag, Evaluation, Attestation, Waiver, MigrationRow):
        rows.delete(model._base_manager.filter(journey__in=ids))
    rows.delete(DailySnapshot.objects.filter(journey_id__in=ids))
    for kind in {kind for kind, _pk in subjects}:
        links = ChainLink.objects.filter(
            to_subject_type=kind, to_subject_id__in=[pk for k, pk in subjects if k == kind]
        )
        rows.delete(links)
    rows.delete(Journey.objects.filter(pk__in=ids))


def links_from(subject_type: str, subject_ids: Iterable[int], *, since: datetime) -> set[int]:
    """Subjects from which something else has set out since: a contract, a successor."""
    return set(
        ChainLink.objects.filter(
            from_subject_type=subject_type,
            from_subject_id__in=list(subject_ids),
            linked_at__gte=since,
        ).values_list("from_subject_id", flat=True)
    )
