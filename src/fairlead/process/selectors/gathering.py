"""Facts of many journeys at once, now or as they were (idea 4 of the design)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from fairlead.common.questions import Question
from fairlead.journal.models import Event
from fairlead.organisation.calendars import Calendar
from fairlead.organisation.selectors import Calendars, calendars

from .. import fold, subjects
from ..carrying import exempt, grace, stage_now
from ..definition import Definition
from ..definitions import definitions_of
from ..engine import decide, forward_move
from ..enums import ExitType, JourneyState, Kind, VetoState
from ..facts import ApprovalFact, AttestationFact, ConditionFact, Facts, JourneyFact, VetoFact, WaiverFact
from ..landing import is_soft
from ..models import Attestation, Journey, Process, Veto, Visit, Waiver
from ..querysets import WaiverQuerySet
from ..subjects import Moment, SubjectFacts
from ..verdicts import Verdict
from .approvals import ApprovalsThen, approvals_of, conditions_of

LEFT_FORWARD = (ExitType.ADVANCE, ExitType.WON)
#: The id of a visit (none where the past is folded anew) and what the fold knows of it.
StoredVisit = tuple[int | None, fold.VisitState]

_mode = Question(lambda key: Process.objects.filter(key=key).values_list("mode", "enforced_from"))
_attestations_now = Question(lambda ids: attested(ids).filter(withdrawn_at=None), lists=("ids",))
_waivers_now = Question(
    lambda ids: waived(Waiver.objects.filter(journey_id__in=ids, revoked_at=None)), lists=("ids",)
)
_vetoes_now = Question(lambda ids: vetoed(ids).filter(state=VetoState.OPEN), lists=("ids",))
_visits_now = Question(
    lambda ids: (
        Visit.objects.filter(journey_id__in=ids)
        .in_order()
        .values_list("journey_id", "pk", *fold.VisitState.__slots__)
    ),
    lists=("ids",),
)


def attested(ids: Iterable[int]) -> QuerySet[Attestation, Any]:
    rows = Attestation.objects.filter(journey_id__in=ids).order_by("at", "pk")
    return rows.values_list("journey_id", "pk", "criterion_key", "role", "by_id", "at")


def vetoed(ids: Iterable[int]) -> QuerySet[Veto, Any]:
    rows = Veto.objects.filter(journey_id__in=ids).order_by("at", "pk")
    return rows.values_list("journey_id", "pk", "domain", "clause", "by_id", "at")


def waived(rows: WaiverQuerySet) -> QuerySet[Waiver, Any]:
    return rows.order_by("granted_at", "pk").values_list(
        "journey_id", "pk", "criterion_key", "reason_code", "granted_by_id", "granted_at", "expires_at"
    )


@dataclass(frozen=True, slots=True)
class Situation:
    """A journey with its definition and its facts, the visits that it has made, and the calendar that counts its days:
    its owner's, one of `calendars`."""

    journey: Journey
    definition: Definition
    facts: Facts
    visits: tuple[StoredVisit, ...]
    calendar: Calendar
    calendars: Calendars


def situations(
    journeys: Sequence[Journey],
    *,
    at: datetime,
    as_of: datetime | None = None,
    begun: Mapping[int, Sequence[StoredVisit]] | None = None,
) -> dict[int, Situation]:
    """By journey id. A fixed number of queries, whatever the number of journeys.

    With `as_of` everything is taken as it was known at that instant: the journey by the fold over its events,
    evidence by its dates, fields by undoing later changes. What history cannot tell is named in `unknown`.
    `begun`: the visits of journeys that are only just being made, so that nobody has vouched for them yet.
    """
    if not journeys:
        return {}
    ids = [j.pk for j in journeys]
    definitions = definitions_of({j.process_version_id for j in journeys})
    attestations = _attestations(ids, as_of) if begun is None else {}
    waivers = _waivers(ids, at, as_of) if begun is None else {}
    vetoes = _vetoes(ids, as_of) if begun is None else {}
    approvals, conditions = _approvals(journeys, as_of) if begun is None else ({}, {})
    travels = _travels(journeys, as_of) if as_of is not None else {}
    stays = _visits_then(travels) if as_of is not None else visits_of(ids) if begun is None else begun
    about = _subject_facts(journeys, as_of)
    book = calendars()
    soft = soft_processes({j.process_key for j in journeys}, at.astimezone(book.default.zone).date())
    today = timezone.localdate(at)
    days_since: dict[int, dict[date, int]] = defaultdict(dict)  # by calendar
    found: dict[int, Situation] = {}
    for journey in journeys:
        subject = about.get((journey.subject_type, journey.subject_id))
        if subject is None:
            continue
        travel = travels.get(journey.pk) if as_of is not None else None
        visits = stays.get(journey.pk, ())
        fact = journey_fact(journey, travel, soft[journey.process_key], visits, subject.issued)
        calendar = book.of(fact.owner_id)
        found[journey.pk] = Situation(
            journey,
            definitions[journey.process_version_id],
            Facts(
                subject_id=journey.subject_id,
                at=at,
                today=today,
                fields=subject.fields,
                journey=fact,
                activities=subject.activities,
                documents=subject.documents,
                relations=subject.relations,
                attestations=tuple(attestations.get(journey.pk, ())),
                waivers=tuple(waivers.get(journey.pk, ())),
                vetoes=tuple(vetoes.get(journey.pk, ())),
                approvals=tuple(approvals.get(journey.pk, ())),
                conditions=tuple(conditions.get(journey.pk, ())),
                externals=subject.externals,
                children=subject.children,
                team=subject.team,
                working_days_in_stage=working_days(fact, calendar, today, days_since[id(calendar)]),
                unknown=subject.unknown,
            ),
            tuple(visits),
            calendar,
            book,
        )
    return found


def after_move(situation: Situation, row: Journey, verdict: Verdict) -> Situation:
    """The situation once `verdict`'s move stands on `row`: only the journey's own facts have changed."""
    before = situation.facts.journey
    is_reopened = row.episode_no != before.episode_no
    passed = frozenset() if is_reopened else before.passed
    if verdict.wish.kind in (Kind.ADVANCE, Kind.BRANCH, Kind.CLOSE_WON):
        passed |= {before.stage_key}
    fact = replace(
        before,
        stage_key=row.stage.key,
        state=row.state,
        outcome=row.outcome,
        episode_no=row.episode_no,
        opened_at=row.opened_at,
        entered_at=row.entered_at,
        entered_at_known=row.entered_at_known,
        closed_at=row.closed_at,
        owner_id=row.owner_id,
        passed=passed,
        imported=frozenset() if is_reopened else before.imported,
        exempt=exempt(row.carried),
        grace=grace(row.carried),
    )
    days = working_days(fact, situation.calendar, situation.facts.today, {})
    return replace(
        situation, journey=row, facts=replace(situation.facts, journey=fact, working_days_in_stage=days)
    )


def checklists(journeys: Sequence[Journey], *, at: datetime) -> dict[int, Verdict]:
    """How the plain next move of each open journey stands; a preview by the same code, without side effects."""
    verdicts = {}
    for pk, situation in situations(journeys, at=at).items():
        wish = forward_move(situation.definition, situation.facts)
        if wish is not None:
            verdicts[pk] = decide(situation.definition, situation.facts, wish)
    return verdicts


def soft_processes(keys: Iterable[str], today: date) -> dict[str, bool]:
    """Whether the gates of each process only flag on the business day `today`."""
    found = {}
    for key in set(keys):
        mode, enforced_from = _mode(key)[0]
        found[key] = is_soft(mode, enforced_from, today)
    return found


def visits_of(ids: Sequence[int]) -> dict[int, list[StoredVisit]]:
    """The visits of each journey in their order."""
    found: dict[int, list[StoredVisit]] = defaultdict(list)
    for journey_id, pk, *values in _visits_now(ids):
        found[journey_id].append((pk, fold.VisitState(*values)))
    return found


def _attestations(ids: list[int], as_of: datetime | None) -> dict[int, list[AttestationFact]]:
    rows: Iterable[Any]
    if as_of is None:
        rows = _attestations_now(ids)
    else:
        rows = attested(ids).filter(at__lte=as_of).filter(Q(withdrawn_at=None) | Q(withdrawn_at__gt=as_of))
    found: dict[int, list[AttestationFact]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(AttestationFact(*row[1:]))
    return found


def _waivers(ids: list[int], at: datetime, as_of: datetime | None) -> dict[int, list[WaiverFact]]:
    all_of_them = Waiver.objects.filter(journey_id__in=ids)
    rows: Iterable[Any] = _waivers_now(ids) if as_of is None else waived(all_of_them.known_on(as_of))
    found: dict[int, list[WaiverFact]] = defaultdict(list)
    for row in rows:
        waiver = WaiverFact(*row[1:])
        if as_of is not None or waiver.expires_at > at:
            found[row[0]].append(waiver)
    return found


def _vetoes(ids: list[int], as_of: datetime | None) -> dict[int, list[VetoFact]]:
    rows: Iterable[Any]
    if as_of is None:
        rows = _vetoes_now(ids)
    else:
        stood = Q(settled_at=None) | Q(settled_at__gt=as_of)
        rested = Q(again_at=None) | Q(again_at__lte=as_of) | Q(ended_at__gt=as_of)
        rows = vetoed(ids).filter(stood, rested, at__lte=as_of)
    found: dict[int, list[VetoFact]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(VetoFact(*row[1:]))
    return found


def _approvals(
    journeys: Sequence[Journey], as_of: datetime | None
) -> tuple[Mapping[int, Iterable[ApprovalFact]], Mapping[int, Iterable[ConditionFact]]]:
    if as_of is None:
        return approvals_of(journeys), conditions_of(journeys)
    marked = [j.pk for j in journeys if j.approvals]
    if not marked:
        return {}, {}
    then = ApprovalsThen(marked)
    return {pk: then.approvals(pk, as_of) for pk in marked}, {pk: then.conditions(pk, as_of) for pk in marked}


def _travels(journeys: Sequence[Journey], as_of: datetime) -> dict[int, fold.Travel]:
    travels: dict[int, fold.Travel] = {j.pk: fold.Travel() for j in journeys}
    events = (
        Event.objects.of_journeys(travels).filter(type__in=fold.JOURNEY_EVENTS).known_on(as_of).in_order()
    )
    for event in events.iterator(chunk_size=2000):
        fold.apply(travels[event.journey_id], event)  # type: ignore[index]
    return travels


def _visits_then(travels: Mapping[int, fold.Travel]) -> dict[int, list[StoredVisit]]:
    return {pk: [(None, visit) for visit in travel.visits] for pk, travel in travels.items()}


def _subject_facts(
    journeys: Sequence[Journey], as_of: datetime | None
) -> dict[tuple[str, int], SubjectFacts]:
    by_type: dict[str, list[int]] = defaultdict(list)
    for journey in journeys:
        by_type[journey.subject_type].append(journey.subject_id)
    found: dict[tuple[str, int], SubjectFacts] = {}
    for subject_type, ids in by_type.items():
        room = subjects.room_of(subject_type)
        if as_of is None:
            found.update(((subject_type, pk), facts) for pk, facts in room.facts(ids).items())
        else:
            then = room.facts_then([Moment(pk, as_of) for pk in ids])
            found.update(((subject_type, moment.subject_id), facts) for moment, facts in then.items())
    return found


def journey_fact(
    journey: Journey,
    travel: fold.Travel | None,
    soft: bool,
    visits: Iterable[StoredVisit],
    issued: bool,
) -> JourneyFact:
    source: Any = travel if travel is not None else journey
    stage_key = travel.stage_key if travel is not None else journey.stage.key
    of_episode = [visit for _pk, visit in visits if visit.episode_no == source.episode_no]
    return JourneyFact(
        id=journey.pk,
        stage_key=stage_key,
        state=source.state,
        outcome=source.outcome,
        episode_no=source.episode_no,
        opened_at=source.opened_at,
        entered_at=source.entered_at,
        entered_at_known=source.entered_at_known,
        closed_at=source.closed_at,
        owner_id=source.owner_id,
        soft=soft,
        passed=frozenset(stage_now(v, source.carried) for v in of_episode if v.exit_type in LEFT_FORWARD),
        # The stage an import put a record into is worked here: its own criteria apply from now on.
        imported=frozenset(stage_now(v, source.carried) for v in of_episode if v.imported),
        exempt=exempt(source.carried),
        grace=grace(source.carried),
        issued=issued,
    )


def working_days(fact: JourneyFact, calendar: Calendar, today: date, known: dict[date, int]) -> int | None:
    """`known`: by day of entry, what has been counted up to `today` before."""
    if not fact.entered_at_known or fact.state != JourneyState.OPEN:
        return None
    day = timezone.localdate(fact.entered_at)
    if day not in known:
        known[day] = calendar.working_days_between(day, today)
    return known[day]
