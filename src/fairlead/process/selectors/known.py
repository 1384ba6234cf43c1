"""A journey as it was known on an instant (EV-4): what was recorded by then, whatever it was about."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from fairlead.journal.models import Event

from .. import clock_events, fold
from ..models import Journey


def known_on(journeys: Iterable[Journey], at: datetime) -> dict[int, fold.Travel]:
    """Stage, state, amount, owner and stays by journey id, folded from what the journal held at `at`; a journey that
    nobody knew of yet is left out. Two queries at most, however many journeys."""
    on: dict[tuple[str, int], list[int]] = {}
    ids = set()
    for journey in journeys:
        ids.add(journey.pk)
        on.setdefault((journey.subject_type, journey.subject_id), []).append(journey.pk)
    about = Q(pk__in=[])
    for subject_type in {kind for kind, _pk in on}:
        subjects = [pk for kind, pk in on if kind == subject_type]
        about |= Q(type__in=clock_events.EVIDENCE_EVENTS, subject_type=subject_type, subject_id__in=subjects)
    events = Event.objects.known_on(at).filter(type__in=fold.TOLD).filter(Q(journey_id__in=ids) | about)
    travels: dict[int, fold.Travel] = {}
    for event in events.in_order().iterator(chunk_size=2000):
        if event.type in clock_events.EVIDENCE_EVENTS:
            for pk in on.get((event.subject_type, event.subject_id), ()):
                if pk in travels:
                    fold.apply(travels[pk], event)
        elif event.journey_id in ids:
            fold.apply(travels.setdefault(event.journey_id, fold.Travel()), event)
    return travels
