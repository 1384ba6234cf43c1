"""A journey as it was known on an instant (EV-4): what was recorded by then, whatever it was about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from fairlead.journal.models import Event

from .. import clock_events, fold
from ..definition import Definition
from ..definitions import definition_of
from ..engine import decide, forward_move
from ..enums import JourneyState
from ..facts import Facts
from ..models import Journey, ProcessVersion
from ..verdicts import Verdict
from .gathering import situations


@dataclass(frozen=True, slots=True)
class GateKnown:
    """How the plain next move stood by what was known: judged by the version that held then. `verdict` is None where
    there was none to make (closed or on hold)."""

    definition: Definition
    facts: Facts
    verdict: Verdict | None


def gate_known(journey: Journey, travel: fold.Travel, at: datetime) -> GateKnown | None:
    """`travel`: the journey as `known_on` gives it for `at`. None where the version of then is no more.

    What history cannot tell makes an item unknown, never met or unmet.
    """
    version = ProcessVersion.objects.filter(
        process__key=travel.process_key, number=travel.process_version
    ).first()
    situation = situations([journey], at=at, as_of=at).get(journey.pk)
    if version is None or situation is None:
        return None
    definition, facts = definition_of(version), situation.facts
    wish = forward_move(definition, facts) if facts.journey.state == JourneyState.OPEN else None
    return GateKnown(definition, facts, decide(definition, facts, wish) if wish is not None else None)


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
