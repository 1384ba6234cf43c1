"""Everything the page of one deal knows, in a fixed and small number of queries.

The facts are the same as those of `process.selectors.gathering`; here they are gathered together with what
the page shows anyway, because asking twice would cost as much as the page itself. A test compares the two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, CharField, DateTimeField, F, Q, Value
from django.db.models.functions import Cast
from django.utils import timezone

from fairlead.common.questions import Question
from fairlead.common.refusals import NotFound
from fairlead.fields.catalogue import Catalogue, catalogue
from fairlead.journal.models import Event
from fairlead.organisation.calendars import Calendar
from fairlead.organisation.models import User
from fairlead.organisation.selectors import calendars
from fairlead.process.carrying import exempt, grace, stage_now
from fairlead.process.definition import Definition
from fairlead.process.definitions import definition_of
from fairlead.process.engine import decide, forward_move
from fairlead.process.enums import CriterionType, ExitType, JourneyState, VetoState
from fairlead.process.facts import (
    AttestationFact,
    ChildrenFact,
    DocumentFact,
    Facts,
    JourneyFact,
    RelationFact,
    VetoFact,
    WaiverFact,
)
from fairlead.process.landing import is_soft
from fairlead.process.models import Attestation, GateFlag, Journey, ProcessVersion, Veto, Visit, Waiver
from fairlead.process.selectors.approvals import approvals_of, conditions_of
from fairlead.process.selectors.assignment import has_rules
from fairlead.process.verdicts import Verdict
from fairlead.work.enums import ActivityState
from fairlead.work.models import Activity, Comment, CommentReaction, File, Task
from fairlead.work.selectors.comments import Remark

from .. import facts as crm_facts
from ..deal_team_facts import facts_of, hand_over_facts
from ..enums import HandOverState
from ..models import Contact, ContactRole, HandOver, Opportunity, PlanStep
from ..rules import reaches
from .deal_work import Done, activities_of, activity_facts
from .fields import values_of
from .lineage import double_id, has_merged

SUBJECT = "opportunity"
MAX_ID = 2**63 - 1
_DOCUMENTS_KEPT = 32
_documents: dict[tuple[int, str], ProcessVersion] = {}


@dataclass(slots=True)
class Names:
    """Words for the ids that a page names."""

    people: dict[int, str] = field(default_factory=dict)
    comments: dict[int, str] = field(default_factory=dict)
    remarks: dict[int, Remark] = field(default_factory=dict)  # what stands beside a comment
    contacts: dict[int, str] = field(default_factory=dict)  # of the account, if the reader may see them
    departments: dict[int, str] = field(default_factory=dict)
    options: list[tuple[int, str]] = field(default_factory=list)  # visible contacts of the account


@dataclass(slots=True, kw_only=True)
class Deal:
    """A deal as its page shows it. `verdict` judges the plain next move; None where there is none."""

    row: Opportunity
    journey: Journey
    definition: Definition
    catalogue: Catalogue
    calendar: Calendar
    facts: Facts
    verdict: Verdict | None
    visits: list[Visit]
    waivers: list[WaiverFact]
    flagged: dict[str, datetime]  # items left open behind, and since when
    activities: list[Activity]  # planned ones and the newest of those done
    files: list[File]
    roles: list[ContactRole]
    tasks: list[tuple[int, str, str, datetime | None]]  # id, list, title, done_at
    names: Names

    @property
    def team(self) -> list[tuple[str, int, str]]:
        """Who fills the slots of the triangle: role, person, name."""
        slots = (("AR", self.row.ar_id), ("SR", self.row.sr_id), ("FR", self.row.fr_id))
        return [(role, pk, self.names.people.get(pk, "")) for role, pk in slots if pk is not None]

    def activities_of(self, events: Sequence[Event]) -> list[Activity]:
        """Those that the events tell of: far down a long timeline they are not among the newest."""
        known = {a.pk for a in self.activities}
        told = {e.data["activity"] for e in events if "activity" in e.data}
        missing = sorted(told - known)
        return [*self.activities, *(Activity.objects.filter(pk__in=missing) if missing else ())]

    @property
    def planned(self) -> list[Activity]:
        """What is planned, the earliest first: the first is the next step."""
        rows = [a for a in self.activities if a.state == ActivityState.PLANNED]
        return sorted(rows, key=lambda a: (a.due_at, a.pk))


_deal: Question[Opportunity] = Question(
    lambda pk: (
        Opportunity.objects.filter(pk=pk)
        .select_related("account", "journey__stage", "journey__process_version__process")
        .defer("journey__process_version__document")
        .annotate(has_merged=has_merged(), double=double_id(), has_rules=has_rules(SUBJECT))
    )
)
_visits: Question[Visit] = Question(lambda journey: Visit.objects.filter(journey_id=journey).in_order())
_roles: Question[ContactRole] = Question(
    lambda deal: (
        ContactRole.objects.filter(opportunity_id=deal, removed_at=None)
        .select_related("contact")
        .defer("contact__search_key", "contact__custom", "contact__note")
        .order_by("pk")
    )
)
_files: Question[File] = Question(
    lambda deal: File.objects.filter(subject_type=SUBJECT, subject_id=deal).order_by("added_at", "pk")
)


def find_deal(user: Any, pk: int) -> Opportunity:
    """The deal with its account and journey; NotFound for a stranger.

    People are named by `Names`: joining four of them would read sixty columns for four words.
    """
    row = _deal.first(pk) if pk <= MAX_ID else None
    if row is None or row.journey is None or not reaches(user, "opportunity.view", row):
        raise NotFound
    return row


def definition_for(journey: Journey) -> Definition:
    """The journey's document. A published one never changes, so it is read from the database once."""
    version = journey.process_version
    key = (version.pk, version.checksum)
    known = _documents.get(key)
    if known is None:
        known = ProcessVersion.objects.select_related("process").get(pk=version.pk)
        while len(_documents) >= _DOCUMENTS_KEPT:
            _documents.pop(next(iter(_documents)))
        _documents[key] = known
    return definition_of(known)


def deal_page(
    row: Opportunity,
    *,
    by: Any,
    at: datetime,
    event_people: Sequence[int] = (),
    comment_ids: Sequence[int] = (),
) -> Deal:
    """`event_people`, `comment_ids`: what the timeline beside it will name."""
    journey = row.journey
    assert journey is not None
    definition = definition_for(journey)
    fields = catalogue(SUBJECT)
    attestations, waivers, vetoes, tasks, flagged, handed = _evidence(journey.pk, row.pk)
    visits, roles = _visits(journey.pk), _roles(row.pk)
    activities, done = activities_of(row.pk)
    files = _files(row.pk)
    taking_part = {c for a in activities for c in a.contact_ids} | {c for d in done for c in d.contact_ids}
    people = {
        *event_people,
        *(a.by_id for a in attestations),
        *(w.granted_by_id for w in waivers),
        *(v.by_id for v in vetoes),
        *(f.added_by_id for f in files),
        *(a.owner_id for a in activities),
        row.owner_id,
        row.ar_id,
        row.sr_id,
        row.fr_id,
    }
    names = _names(people, comment_ids, taking_part, row, sees_contacts=sees_contacts(by, row))
    calendar = calendars().of(row.owner_id)
    facts = _facts(
        row,
        journey,
        definition,
        fields,
        calendar,
        at=at,
        visits=visits,
        done=done,
        files=files,
        roles=roles,
        attestations=attestations,
        waivers=waivers,
        vetoes=vetoes,
        tasks=tasks,
        handed=handed,
        departments=names.departments,
    )
    wish = forward_move(definition, facts)
    return Deal(
        row=row,
        journey=journey,
        definition=definition,
        catalogue=fields,
        calendar=calendar,
        facts=facts,
        verdict=decide(definition, facts, wish) if wish is not None else None,
        visits=visits,
        waivers=waivers,
        flagged=flagged,
        activities=activities,
        files=files,
        roles=roles,
        tasks=tasks,
        names=names,
    )


# --- parts ---


def _shaped(rows: Any, kind: str, key: str, more: str, by: str, at: str, until: str) -> Any:
    none_id, none_at = Cast(Value(None), BigIntegerField()), Cast(Value(None), DateTimeField())
    return (
        rows.order_by()
        .annotate(
            _kind=Value(kind, output_field=CharField()),
            _key=Cast(F(key), CharField(max_length=200)),
            _more=Cast(F(more), CharField(max_length=200)),
            _by=F(by) if by else none_id,
            _at=F(at),
            _until=F(until) if until else none_at,
        )
        .values_list("_kind", "pk", "_key", "_more", "_by", "_at", "_until")
    )


def _small_tables(journey: int, deal: int) -> Any:
    """Attestations, vetoes, waivers, tasks, flags, hand-overs: small tables of one shape, asked at once."""
    attestations = Attestation.objects.filter(journey_id=journey, withdrawn_at=None)
    waivers = Waiver.objects.filter(journey_id=journey, revoked_at=None)
    flags = GateFlag.objects.filter(journey_id=journey, cleared_at=None)
    tasks = Task.objects.filter(subject_type=SUBJECT, subject_id=deal, removed_at=None)
    steps = PlanStep.objects.filter(opportunity_id=deal, removed_at=None).annotate(
        plan=Value(crm_facts.PLAN, output_field=CharField())
    )
    vetoes = Veto.objects.filter(journey_id=journey, state=VetoState.OPEN)
    handed = HandOver.objects.filter(opportunity_id=deal, state=HandOverState.ACCEPTED)
    return _shaped(attestations, "attestation", "criterion_key", "role", "by_id", "at", "").union(
        _shaped(vetoes, "veto", "domain", "clause", "by_id", "at", ""),
        _shaped(
            waivers, "waiver", "criterion_key", "reason_code", "granted_by_id", "granted_at", "expires_at"
        ),
        _shaped(tasks, "task", "list_key", "title", "assignee_id", "created_at", "done_at"),
        _shaped(steps, "task", "plan", "title", "owner_id", "created_at", "done_at"),
        _shaped(flags, "flag", "criterion_key", "stage_key", "", "raised_at", ""),
        _shaped(handed, "handed", "from_role", "to_role", "", "answered_at", ""),
        all=True,
    )


_evidence_rows: Question[tuple[Any, ...]] = Question(_small_tables)


def _evidence(
    journey_id: int, deal_id: int
) -> tuple[
    list[AttestationFact],
    list[WaiverFact],
    list[VetoFact],
    list[tuple[int, str, str, datetime | None]],
    dict[str, datetime],
    list[tuple[str, str, datetime, int]],
]:
    attestations, waivers, vetoes, tasks, handed = [], [], [], [], []
    flagged: dict[str, datetime] = {}
    for kind, pk, key, more, by, when, until in sorted(
        _evidence_rows(journey_id, deal_id), key=lambda r: (r[5], r[1])
    ):
        if kind == "attestation":
            attestations.append(AttestationFact(pk, key, more, by, when))
        elif kind == "waiver":
            waivers.append(WaiverFact(pk, key, more, by, when, until))
        elif kind == "veto":
            vetoes.append(VetoFact(pk, key, more, by, when))
        elif kind == "task":
            tasks.append((pk, key, more, until))
        elif kind == "handed":
            handed.append((key, more, when, pk))
        else:
            flagged[key] = when
    return attestations, waivers, vetoes, tasks, flagged, handed


def sees_contacts(by: Any, row: Opportunity) -> bool:
    """Whether the reader sees the contacts of the deal's account: who works on a deal meets its account."""
    reach, account = by.reach("contact.view"), row.account
    if reach.all or account is None:
        return bool(reach.all)
    mine = (row.owner_id, row.sr_id, row.fr_id, account.owner_id)
    return (reach.own and by.pk in mine) or account.team_id in reach.team_ids


def _words_of(people: list[int], account: int, contacts: list[int], comments: list[int]) -> Any:
    text: CharField[str, str] = CharField()
    nobody = Cast(Value(None), BigIntegerField())

    def shaped(rows: Any, kind: str, name: str, more: Any, of: Any, key: str = "pk") -> Any:
        return (
            rows.order_by()
            .annotate(_kind=Value(kind, output_field=text), _text=Cast(F(name), text), _more=more, _of=of)
            .values_list("_kind", key, "_text", "_more", "_of")
        )

    none = Value("", output_field=text)
    return shaped(User.objects.filter(pk__in=people), "u", "name", none, nobody).union(
        shaped(
            Contact.objects.filter(Q(account_id=account) | Q(pk__in=contacts)),
            "c",
            "name",
            Cast(F("department"), text),
            F("account_id"),
        ),
        shaped(
            Comment.objects.filter(pk__in=comments, removed_at=None),
            "t",
            "text",
            Cast(F("version"), text),
            F("by_id"),
        ),
        shaped(
            CommentReaction.objects.filter(comment__in=comments), "r", "kind", none, F("by_id"), "comment_id"
        ),
        all=True,
    )


_named: Question[tuple[Any, ...]] = Question(_words_of, lists=("people", "contacts", "comments"))


def _names(
    people: set[int | None],
    comments: Sequence[int],
    contacts: set[int],
    row: Opportunity,
    *,
    sees_contacts: bool,
) -> Names:
    """People, comments and contacts of the page in one question."""
    names = Names()
    nods: list[tuple[int, str, int]] = []
    known = {p for p in people if p is not None}
    for kind, pk, name, more, of in _named(known, row.account_id or -1, contacts, comments):
        if kind == "u":
            names.people[pk] = name
        elif kind == "t":
            names.comments[pk] = name
            names.remarks[pk] = Remark(of, more != "1")
        elif kind == "r":
            nods.append((pk, name, of))
        else:
            names.departments[pk] = more
            if sees_contacts and of == row.account_id:
                names.contacts[pk] = name
                names.options.append((pk, f"{name} · {more}" if more else name))
    for pk, name, of in nods:
        if pk in names.remarks:
            names.remarks[pk].reactions.append((name, of))
    return names


def _facts(
    row: Opportunity,
    journey: Journey,
    definition: Definition,
    fields: Catalogue,
    calendar: Calendar,
    *,
    at: datetime,
    visits: Sequence[Visit],
    done: Sequence[Done],
    files: Sequence[File],
    roles: Sequence[ContactRole],
    attestations: Sequence[AttestationFact],
    waivers: Sequence[WaiverFact],
    vetoes: Sequence[VetoFact],
    tasks: Sequence[tuple[int, str, str, datetime | None]],
    handed: Sequence[tuple[str, str, datetime, int]],
    departments: Mapping[int, str],
) -> Facts:
    today = timezone.localdate(at)
    standing = [r for r in roles if r.contact.left_at is None]
    days = None
    if journey.entered_at_known and journey.state == JourneyState.OPEN:
        days = calendar.working_days_between(timezone.localdate(journey.entered_at), today)
    documents = tuple(
        DocumentFact(
            f.pk, f.kind, f.number, f.by_customer, f.signed, f.added_at, f.valid_until, f.added_by_id
        )
        for f in files
        if f.withdrawn_at is None
    )
    return Facts(
        subject_id=row.pk,
        at=at,
        today=today,
        fields=values_of(row, fields),
        journey=_journey_fact(journey, visits, at.astimezone(calendar.zone).date()),
        working_days_in_stage=days,
        activities=tuple(activity_facts(done, standing, departments)),
        documents=documents,
        relations=tuple(
            RelationFact(r.pk, r.role, r.depth, r.stance, r.influence, r.contact.department) for r in standing
        ),
        attestations=tuple(attestations),
        waivers=tuple(w for w in waivers if w.expires_at > at),
        vetoes=tuple(vetoes),
        approvals=tuple(approvals_of([journey]).get(journey.pk, ())),
        conditions=tuple(conditions_of([journey]).get(journey.pk, ())),
        externals=_externals(row.pk, definition, journey.stage.key, documents, handed),
        children=_children(tasks),
        team={
            role: frozenset({person})
            for role, person in (("AR", row.ar_id), ("SR", row.sr_id), ("FR", row.fr_id))
            if person is not None
        },
    )


def _journey_fact(journey: Journey, visits: Sequence[Visit], today: Any) -> JourneyFact:
    process = journey.process_version.process
    here = [v for v in visits if v.episode_no == journey.episode_no]
    return JourneyFact(
        id=journey.pk,
        stage_key=journey.stage.key,
        state=journey.state,
        outcome=journey.outcome,
        episode_no=journey.episode_no,
        opened_at=journey.opened_at,
        entered_at=journey.entered_at,
        entered_at_known=journey.entered_at_known,
        closed_at=journey.closed_at,
        owner_id=journey.owner_id,
        soft=is_soft(process.mode, process.enforced_from, today),
        passed=frozenset(
            stage_now(v, journey.carried) for v in here if v.exit_type in (ExitType.ADVANCE, ExitType.WON)
        ),
        imported=frozenset(stage_now(v, journey.carried) for v in here if v.imported and v.exit_type),
        exempt=exempt(journey.carried),
        grace=grace(journey.carried),
    )


def _children(tasks: Sequence[tuple[int, str, str, datetime | None]]) -> dict[str, ChildrenFact]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for _pk, key, _title, done_at in tasks:
        if key:
            counts[key][0] += done_at is not None
            counts[key][1] += 1
    return {key: ChildrenFact(*count) for key, count in counts.items()}


def _externals(
    deal_id: int,
    definition: Definition,
    stage_key: str,
    documents: Sequence[DocumentFact],
    handed: Sequence[tuple[str, str, datetime, int]],
) -> Mapping[str, Any]:
    """What the customer did and what was handed over; asked only where a gate up to the next stage looks at it."""
    here = definition.stage(stage_key)
    near = {here.key, *(s.key for s in definition.before(stage_key)), *(t.to for t in here.transitions)}
    if not any(
        stage.key in near and CriterionType.EXTERNAL in (c.type, *(x.type for x in c.children))
        for stage, _side, c in definition.criteria()
    ):
        return {}
    readers = crm_facts.external_readers(SUBJECT, [deal_id], but=hand_over_facts)
    return {**crm_facts.externals_of(readers, deal_id, None, documents), **facts_of(handed)}
