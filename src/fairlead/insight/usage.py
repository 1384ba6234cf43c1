"""How the handbook and the playbooks of a process are used, joined to what the stays came to (PB-5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet

from fairlead.analytics.usage import Share, shares
from fairlead.journal.models import Event
from fairlead.process import subjects
from fairlead.process.answers import visible_subjects
from fairlead.process.enums import ExitType
from fairlead.process.models import Journey, PlaybookRun, Visit
from fairlead.process.services.asking import OPENED

FUNNEL = "funnel.view"
PERIOD = timedelta(days=365)
FORWARD = (ExitType.ADVANCE, ExitType.SKIP_FORWARD, ExitType.WON)
NO_END = (ExitType.MIGRATED, ExitType.MERGED, ExitType.LEFT)
AT_ONCE = 800  # ids in one question

Used = Mapping[int, Sequence[tuple[str, datetime]]]  # journey → (stage, when)


@dataclass(frozen=True, slots=True)
class Usage:
    """By stage: all ended stays, those where guidance was opened, those where a playbook was started."""

    every: Mapping[str, Share]
    guided: Mapping[str, Share]
    played: Mapping[str, Share]
    books: Mapping[
        str, Mapping[str, int]
    ]  # playbook → outcome (blank: none said yet, "open": running) → runs
    people: int  # who opened guidance


def usage_of(process_key: str, subject_type: str, *, reader: Any, now: datetime) -> Usage:
    """Over stays that ended within the year, of records that the reader's figures are made of. Five questions."""
    journeys = journeys_of(process_key, subject_type, reader)
    since = now - PERIOD
    stays = Visit.objects.filter(
        journey__in=journeys.values("pk"), left_at__gt=since, imported=False, skipped=False
    ).exclude(exit_type__in=NO_END)
    every = {
        stage: Share(forward, n)
        for stage, forward, n in stays.order_by()
        .values("stage_key")
        .annotate(forward=Count("pk", filter=Q(exit_type__in=FORWARD)), n=Count("pk"))
        .values_list("stage_key", "forward", "n")
    }
    opened: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    people: set[int | None] = set()
    events = Event.objects.filter(
        type=OPENED,
        process_key=process_key,
        recorded_at__gt=since - PERIOD,
        journey_id__in=journeys.values("pk"),
    )
    for journey, data, actor, at in events.values_list("journey_id", "data", "actor_id", "effective_at"):
        opened[journey or 0].append((str(data.get("stage", "")), at))
        people.add(actor)
    runs = PlaybookRun.objects.filter(journey__in=journeys.values("pk"), launched_at__gt=since - PERIOD)
    launched: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    books: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for journey, stage, at, book, state, outcome in runs.values_list(
        "journey_id", "stage_key", "launched_at", "playbook_key", "state", "outcome"
    ):
        launched[journey].append((stage, at))
        books[book]["open" if state == "open" else outcome] += 1
    return Usage(
        every=every,
        guided=_with(stays, opened),
        played=_with(stays, launched),
        books={key: dict(counts) for key, counts in books.items()},
        people=len(people),
    )


def journeys_of(process_key: str, subject_type: str, reader: Any) -> QuerySet[Journey]:
    """Reached both by the right to see figures and by that to see rows."""
    rows = Journey.objects.of_process(process_key)
    for right in {FUNNEL, subjects.room_of(subject_type).view_right}:
        rows = rows.filter(subject_id__in=visible_subjects(reader, right)[subject_type])
    return rows


def _with(stays: QuerySet[Visit], used: Used) -> dict[str, Share]:
    """The stays during which it was used."""
    ids = sorted(used)
    found: list[tuple[str, bool]] = []
    for first in range(0, len(ids), AT_ONCE):
        rows = stays.filter(journey_id__in=ids[first : first + AT_ONCE]).order_by()
        for journey, stage, entered, left, exit_type in rows.values_list(
            "journey_id", "stage_key", "entered_at", "left_at", "exit_type"
        ):
            if left is not None and any(
                at_stage == stage and entered <= at <= left for at_stage, at in used[journey]
            ):
                found.append((stage, exit_type in FORWARD))
    return shares(found)
