"""The moves that journeys have made, each with the facts as they were, and the one that comes next: in bulk.

Fields come from the attempt that was stored with the move, and where there is none by undoing what the journal
recorded later; evidence comes by the instants at which it was recorded. The journal is read once, however many moves
a journey has made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from fairlead.fields.catalogue import Catalogue, catalogue
from fairlead.fields.values import from_json
from fairlead.journal.models import Event
from fairlead.organisation.calendars import Calendar
from fairlead.organisation.selectors import calendars

from .. import fold, stages, subjects
from ..definition import Definition
from ..definitions import definition_of
from ..enums import FORWARD, JourneyState, Kind, VersionStatus
from ..facts import AttestationFact, Facts, JourneyFact, WaiverFact
from ..models import Attestation, Evaluation, Journey, ProcessVersion, Waiver
from ..replaying import ENDED, Lineage, Passage, Trial, standing, try_passage
from ..subjects import Moment, SubjectFacts
from .approvals import ApprovalsThen
from .gathering import attested, journey_fact, situations, waived, working_days

AT_ONCE = 500  # journeys; bounds what is in memory
COLUMNS = (
    "journey_id",
    "id",
    "txid",
    "type",
    "data",
    "effective_at",
    "recorded_at",
    "from_stage",
    "to_stage",
    "process_key",
    "process_version",
    "episode_no",
    "fidelity",
    "reason_code",
    "evaluation_id",
)


@dataclass(frozen=True, slots=True)
class _Point:
    """A move as the journal tells it, with the journey just before it."""

    moment: Moment
    fact: JourneyFact
    visit: int  # the ordinal of the stay that it ended
    kind: str
    to: str
    version: int
    evaluation_id: int | None


@dataclass(slots=True)
class TriedJourney:
    """What a candidate says of one journey. `place`: the stage of the candidate where a running one would stand, had
    the candidate held from its beginning; `here`: where it stands now; None where the candidate has no such stage."""

    journey: Journey
    past: list[Trial] = field(default_factory=list)
    next: Trial | None = None
    imported: int = (
        0  # moves that came in as history: no gate was asked, and what was known then is not known
    )
    here: str | None = None
    place: str | None = None


def try_on_history(
    candidate: Definition, journey_ids: Sequence[int], *, at: datetime
) -> Iterator[TriedJourney]:
    """`candidate` tried on each of these journeys in their order; read some hundreds at a time. Writes nothing.

    Each is judged when it is asked for, so that what was judged before need not be kept.
    """
    versions = ProcessVersion.objects.filter(process__key=candidate.key).exclude(status=VersionStatus.DRAFT)
    lineages = {v.number: Lineage(definition_of(v), candidate) for v in versions}
    numbers = {v.pk: v.number for v in versions}
    for first in range(0, len(journey_ids), AT_ONCE):
        wanted = journey_ids[first : first + AT_ONCE]
        rows = Journey.objects.in_bulk(wanted)
        ordered = [rows[pk] for pk in wanted if pk in rows]
        stages.attach(ordered)
        yield from _tried(candidate, lineages, numbers, ordered, at)


def _tried(
    candidate: Definition,
    lineages: Mapping[int, Lineage],
    numbers: Mapping[int, int],
    journeys: Sequence[Journey],
    at: datetime,
) -> Iterator[TriedJourney]:
    made, imported = passages_of(journeys)
    coming = situations([j for j in journeys if j.state == JourneyState.OPEN], at=at)
    for journey in journeys:
        one = TriedJourney(journey, imported=imported.get(journey.pk, 0))
        one.past = [
            try_passage(candidate, lineages[passage.version], passage)
            for passage in made.get(journey.pk, ())
            if passage.version in lineages
        ]
        number = numbers[journey.process_version_id]
        situation = coming.get(journey.pk)
        if situation is not None:
            following = Passage(facts=situation.facts, kind=Kind.ADVANCE, version=number, is_next=True)
            one.next = try_passage(candidate, lineages[number], following)
        if journey.state == JourneyState.OPEN:
            one.here = lineages[number].to.get(journey.stage.key)
            if one.here is not None:
                one.place = standing(candidate, one.past, journey.episode_no, one.here)
        yield one


def passages_of(journeys: Sequence[Journey]) -> tuple[dict[int, list[Passage]], dict[int, int]]:
    """By journey id: the moves forward that were made and the ends that were met, in their order; and how many moves
    came in as history. A fixed number of queries."""
    points, imported = _points(journeys)
    attempts = _attempts(points)
    about = _about(journeys, points)
    evidence = _Evidence([j.pk for j in journeys])
    book = calendars()
    counted: dict[tuple[int, date], dict[date, int]] = {}
    fields = {j.subject_type: catalogue(j.subject_type) for j in journeys}
    found: dict[int, list[Passage]] = {}
    for journey in journeys:
        found[journey.pk] = [
            Passage(
                facts=_facts(
                    point,
                    subject,
                    attempts,
                    fields[journey.subject_type],
                    evidence,
                    book.of(journey.owner_id),
                    counted,
                ),
                kind=point.kind,
                version=point.version,
                to=point.to,
                from_attempt=point.evaluation_id in attempts,
            )
            for point in points[journey.pk]
            if (subject := about.get((journey.subject_type, point.moment))) is not None
        ]
    return found, imported


def _points(journeys: Sequence[Journey]) -> tuple[dict[int, list[_Point]], dict[int, int]]:
    by_id = {j.pk: j for j in journeys}
    points: dict[int, list[_Point]] = {pk: [] for pk in by_id}
    imported: dict[int, int] = defaultdict(int)
    travels = {pk: fold.Travel() for pk in by_id}
    events = Event.objects.of_journeys(by_id).filter(type__in=fold.JOURNEY_EVENTS).in_order()
    for event in events.values_list(*COLUMNS, named=True).iterator(chunk_size=2000):
        travel = travels[event.journey_id]
        kind = _kind(event)
        if event.process_key and event.process_key != by_id[event.journey_id].process_key:
            kind = ""  # it was on another process then; what that one asked says nothing about this one
        if event.type == fold.PASSED or (kind and event.fidelity):
            imported[event.journey_id] += 1
        elif kind and travel.visits:
            points[event.journey_id].append(_point(by_id[event.journey_id], travel, event, kind))
        fold.apply(travel, event)
        if event.type == fold.RESTORED:  # what came in with an import that was taken back was never made
            points[event.journey_id] = [
                p
                for p in points[event.journey_id]
                if p.visit <= len(travel.visits) and travel.visits[p.visit - 1].left_at is not None
            ]
    return points, imported


def _kind(event: Any) -> str:
    """The kind of passage that an event tells of; blank for one that leads nowhere ahead."""
    if event.type == fold.MOVED:
        kind = str(event.data.get("kind", ""))
        return kind if kind in FORWARD else ""
    if event.type == fold.WON:
        return Kind.CLOSE_WON
    return ENDED if event.type in (fold.LOST, fold.CANCELLED) else ""


def _point(journey: Journey, travel: fold.Travel, event: Any, kind: str) -> _Point:
    visits = [(None, visit) for visit in travel.visits]
    return _Point(
        moment=Moment(journey.subject_id, event.recorded_at, (event.txid, event.id)),
        fact=journey_fact(journey, travel, False, visits, False),
        visit=len(travel.visits),
        kind=kind,
        to=event.to_stage if kind not in (Kind.CLOSE_WON, ENDED) else "",
        version=event.process_version or travel.process_version,
        evaluation_id=event.evaluation_id,
    )


def _attempts(points: Mapping[int, Sequence[_Point]]) -> dict[int | None, Mapping[str, Any]]:
    ids = {p.evaluation_id for found in points.values() for p in found if p.evaluation_id is not None}
    rows = Evaluation.objects.filter(pk__in=ids).values_list("pk", "facts")
    return {pk: facts for pk, facts in rows.iterator(chunk_size=500) if facts.get("fields")}


def _about(
    journeys: Sequence[Journey], points: Mapping[int, Sequence[_Point]]
) -> dict[tuple[str, Moment], SubjectFacts]:
    moments: dict[str, list[Moment]] = defaultdict(list)
    for journey in journeys:
        moments[journey.subject_type] += [p.moment for p in points[journey.pk]]
    return {
        (subject_type, moment): facts
        for subject_type, wanted in moments.items()
        for moment, facts in subjects.room_of(subject_type).facts_then(wanted).items()
    }


class _Evidence:
    """What belongs to the journeys themselves, with the instants between which it stood."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._attestations: dict[int, list[tuple[datetime | None, AttestationFact]]] = defaultdict(list)
        self._waivers: dict[int, list[tuple[datetime | None, WaiverFact]]] = defaultdict(list)
        self.then = ApprovalsThen(ids)
        withdrawn = dict(
            Attestation.objects.filter(journey_id__in=ids, withdrawn_at__isnull=False).values_list(
                "pk", "withdrawn_at"
            )
        )
        for row in attested(ids):
            self._attestations[row[0]].append((withdrawn.get(row[1]), AttestationFact(*row[1:])))
        waivers = Waiver.objects.filter(journey_id__in=ids)
        revoked = dict(waivers.filter(revoked_at__isnull=False).values_list("pk", "revoked_at"))
        for row in waived(waivers):
            self._waivers[row[0]].append((revoked.get(row[1]), WaiverFact(*row[1:])))

    def attestations(self, journey_id: int, at: datetime) -> tuple[AttestationFact, ...]:
        rows = self._attestations.get(journey_id, ())
        return tuple(fact for end, fact in rows if fact.at <= at and (end is None or end > at))

    def waivers(self, journey_id: int, at: datetime) -> tuple[WaiverFact, ...]:
        rows = self._waivers.get(journey_id, ())
        return tuple(fact for end, fact in rows if fact.granted_at <= at and (end is None or end > at))


def _facts(
    point: _Point,
    subject: SubjectFacts,
    attempts: Mapping[int | None, Mapping[str, Any]],
    fields: Catalogue,
    evidence: _Evidence,
    calendar: Calendar,
    counted: dict[tuple[int, date], dict[date, int]],
) -> Facts:
    at = point.moment.at
    today = timezone.localdate(at)
    attempt = attempts.get(point.evaluation_id)
    known = counted.setdefault((id(calendar), today), {})
    return Facts(
        subject_id=point.moment.subject_id,
        at=at,
        today=today,
        fields=subject.fields if attempt is None else _stored(attempt["fields"], fields),
        journey=point.fact,
        activities=subject.activities,
        documents=subject.documents,
        relations=subject.relations,
        attestations=evidence.attestations(point.fact.id, at),
        waivers=evidence.waivers(point.fact.id, at),
        approvals=evidence.then.approvals(point.fact.id, at),
        conditions=evidence.then.conditions(point.fact.id, at),
        externals=subject.externals,
        children=subject.children,
        team=subject.team,
        working_days_in_stage=working_days(point.fact, calendar, today, known),
        unknown=subject.unknown,
    )


def _stored(values: Mapping[str, Any], fields: Catalogue) -> dict[str, Any]:
    """The fields of an attempt, typed. One that was not there then stays out, and so unknown."""
    return {key: from_json(spec, value) for key, value in values.items() if (spec := fields.get(key))}
