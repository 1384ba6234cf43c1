"""How segments, accounts, opportunities and contracts were: their facts at many instants, each piece read once.

Fields by undoing what the journal recorded later, evidence by the instants at which it was recorded and taken back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import Model
from django.utils import timezone

from fairlead.fields.catalogue import Catalogue, catalogue
from fairlead.fields.models import CustomField
from fairlead.fields.values import from_json
from fairlead.journal.models import Event
from fairlead.process.facts import ActivityFact, ChildrenFact, DocumentFact, RelationFact
from fairlead.process.subjects import Moment, SubjectFacts

from . import facts
from .models import DealTeamMember
from .past_owners import Owners

#: A change of fields: when, where in the journal, and the values before it; None where it made the record.
_Change = tuple[datetime, tuple[int, int], "Mapping[str, Any] | None"]
_GONE = object()  # a value that was purged: nobody can tell any more


def past_facts(
    model: type[Model], subject_type: str, moments: Sequence[Moment]
) -> dict[Moment, SubjectFacts]:
    """The facts of each moment; a subject that is not there has none."""
    ids = sorted({m.subject_id for m in moments})
    values = facts.field_values(model, ids, subject_type)
    moments = [m for m in moments if m.subject_id in values]
    fields = _Fields(subject_type, values, moments)
    is_deal = subject_type == "opportunity"
    owners = Owners(ids) if is_deal else Owners(())
    done = _Done(subject_type, ids, owners)
    documents, tasks = _documents(subject_type, ids, owners), _tasks(subject_type, ids, owners)
    relations = _relations(ids) if is_deal else {}
    teams = _teams(ids) if is_deal else {}
    readers = facts.external_readers(subject_type, ids)
    found = {}
    for moment in moments:
        pk, at = moment.subject_id, moment.at
        standing = [row[2:] for row in relations.get(pk, ()) if _stands(row, at)]
        filed = tuple(row[2] for row in documents.get(pk, ()) if _stands(row, at))
        found[moment] = SubjectFacts(
            fields=fields.at(moment),
            activities=done.then(pk, at, standing),
            documents=filed,
            relations=tuple(relation for _contact, relation in standing),
            externals=facts.externals_of(readers, pk, at, filed) if readers else {},
            children=_children(tasks.get(pk, ()), at),
            team=_team(teams.get(pk, ()), timezone.localdate(at)) if pk in teams else {},
        )
    return found


class _Fields:
    """The values of today, and what the journal says of how they came about."""

    def __init__(
        self, subject_type: str, values: Mapping[int, dict[str, Any]], moments: Sequence[Moment]
    ) -> None:
        self.values = values
        self.changes = _changes(
            subject_type, list(values), catalogue(subject_type), min((m.at for m in moments), default=None)
        )
        self.begun = _declared(subject_type)

    def at(self, moment: Moment) -> dict[str, Any]:
        """Later changes taken back, newest first; what cannot be told any more is left out, and so unknown."""
        found = dict(self.values[moment.subject_id])
        for recorded_at, place, before in self.changes.get(moment.subject_id, ()):
            is_later = recorded_at > moment.at or (
                moment.place is not None and recorded_at == moment.at and place > moment.place
            )
            if not is_later:
                continue
            found.update(dict.fromkeys(found) if before is None else before)
        for key, since in self.begun.items():
            if since > moment.at:
                found.pop(key, None)
        gone = [key for key, value in found.items() if value is _GONE]
        for key in gone:
            del found[key]
        return found


def _changes(
    subject_type: str, ids: Sequence[int], fields: Catalogue, since: datetime | None
) -> dict[int, list[_Change]]:
    """Changes of fields from `since` on, newest first."""
    found: dict[int, list[_Change]] = defaultdict(list)
    if since is None:
        return found
    rows = (
        Event.objects.about(subject_type, ids)
        .filter(type__in=("edited", "owner_changed", "created"), recorded_at__gte=since)
        .order_by("-txid", "-id")
        .values_list(
            "subject_id", "type", "recorded_at", "txid", "id", "data", "detail__payload", "detail__purged_at"
        )
    )
    for pk, type_, recorded_at, txid, event_id, data, payload, purged_at in rows.iterator(chunk_size=2000):
        before: dict[str, Any] | None = None
        if type_ != "created" and (payload is None or purged_at is not None):
            before = dict.fromkeys(data.get("fields", ()), _GONE)
        elif type_ != "created":
            raw = payload.get("before", {})
            before = {
                key: from_json(spec, value)
                for key, value in raw.items()
                if (spec := fields.get(key)) is not None
            }
        found[pk].append((recorded_at, (txid, event_id), before))
    return found


def _declared(subject_type: str) -> dict[str, datetime]:
    """Since when there is each custom field that the journal saw come: before that nobody could fill it in."""
    keys = dict(CustomField.objects.filter(subject_type=subject_type).values_list("pk", "key"))
    added = Event.objects.about("custom_field", keys).filter(type="field_added")
    return {keys[pk]: at for pk, at in added.values_list("subject_id", "recorded_at")}


def _stands(row: tuple[Any, ...], at: datetime) -> bool:
    """Recorded by then and not yet taken back: the first two of a row say when."""
    return bool(row[0] <= at and (row[1] is None or row[1] > at))


def _within(
    since: datetime, until: datetime | None, begin: datetime | None, end: datetime | None
) -> tuple[datetime, datetime | None]:
    """When something stood at one owner: recorded and taken back, and not before it came there or after it left."""
    ends = [at for at in (until, end) if at is not None]
    return (since if begin is None else max(since, begin)), min(ends, default=None)


class _Done:
    """Done activities, each with the roles that its people had at the moment asked for. Made once for as long as these
    stay the same."""

    def __init__(self, subject_type: str, ids: Sequence[int], owners: Owners) -> None:
        self._rows: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        rows = facts.activities(subject_type, owners.with_heirs(ids)).filter(
            done_at__isnull=False, closed_recorded_at__isnull=False
        )
        for pk, subject, *values in rows.values_list(
            "pk", "subject_id", "kind", "done_at", "outcome", "contact_ids", "closed_recorded_at"
        ):
            for owner, begin, until in owners.of("activity", pk, subject):
                known_at = values[-1] if begin is None else max(values[-1], begin)
                self._rows[owner].append((pk, *values[:-1], known_at, until))
        contacts = {c for found in self._rows.values() for row in found for c in row[4]}
        self._departments = facts.departments_of(contacts)
        self._made: dict[int, tuple[list[Any], list[tuple[datetime, datetime | None, ActivityFact]]]] = {}

    def then(
        self, subject_id: int, at: datetime, standing: list[tuple[int, RelationFact]]
    ) -> tuple[ActivityFact, ...]:
        held = self._made.get(subject_id)
        if held is None or held[0] != standing:
            held = self._made[subject_id] = (standing, self._make(subject_id, standing))
        return tuple(row[2] for row in held[1] if _stands(row, at))

    def _make(
        self, subject_id: int, standing: list[tuple[int, RelationFact]]
    ) -> list[tuple[datetime, datetime | None, ActivityFact]]:
        roles = facts.roles_of(standing)
        return [
            (
                known_at,
                until,
                facts.activity_fact(pk, kind, done_at, outcome, contacts, self._departments, roles),
            )
            for pk, kind, done_at, outcome, contacts, known_at, until in self._rows.get(subject_id, ())
        ]


def _documents(
    subject_type: str, ids: Sequence[int], owners: Owners
) -> dict[int, list[tuple[datetime, datetime | None, DocumentFact]]]:
    found: dict[int, list[tuple[datetime, datetime | None, DocumentFact]]] = defaultdict(list)
    rows = facts.documents(subject_type, owners.with_heirs(ids))
    for known_at, withdrawn_at, subject, *values in rows.values_list(
        "recorded_at", "withdrawn_at", *facts.DOCUMENT
    ):
        fact = DocumentFact(*values)
        for owner, begin, until in owners.of("file", fact.id, subject):
            found[owner].append((*_within(known_at, withdrawn_at, begin, until), fact))
    return found


def _relations(ids: Sequence[int]) -> dict[int, list[tuple[Any, ...]]]:
    """Recorded and ended, the contact, the role: a contact who has left the company ends it too."""
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    rows = facts.roles(ids).values_list("recorded_at", "removed_at", "contact__left_at", *facts.RELATION)
    for known_at, removed_at, left_at, subject, contact, *values in rows:
        ends = [at for at in (removed_at, left_at) if at is not None]
        found[subject].append((known_at, min(ends, default=None), contact, RelationFact(*values)))
    return found


def _tasks(subject_type: str, ids: Sequence[int], owners: Owners) -> dict[int, list[tuple[Any, ...]]]:
    """Made and removed, the list, done."""
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for subject, key, done_at, created_at, removed_at, pk in facts.tasks(
        subject_type, owners.with_heirs(ids), "created_at", "removed_at", "pk"
    ):
        for owner, begin, until in owners.of("plan_step" if key == facts.PLAN else "task", pk, subject):
            found[owner].append((*_within(created_at, removed_at, begin, until), key, done_at))
    return found


def _children(rows: Iterable[tuple[Any, ...]], at: datetime) -> dict[str, ChildrenFact]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        if _stands(row, at):
            counts[row[2]][0] += row[3] is not None and row[3] <= at
            counts[row[2]][1] += 1
    return {key: ChildrenFact(*count) for key, count in counts.items()}


def _teams(ids: Sequence[int]) -> dict[int, list[tuple[date, date | None, str, int]]]:
    """Who filled the slots of a deal, and when."""
    found: dict[int, list[tuple[date, date | None, str, int]]] = defaultdict(list)
    rows = DealTeamMember.objects.filter(opportunity__in=ids)
    for pk, role, person, since, until in rows.values_list(
        "opportunity_id", "role", "person_id", "from_date", "to_date"
    ):
        found[pk].append((since, until, role, person))
    return found


def _team(rows: Iterable[tuple[date, date | None, str, int]], day: date) -> dict[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for since, until, role, person in rows:
        if since <= day and (until is None or until > day):
            found[role] = found.get(role, frozenset()) | {person}
    return found
