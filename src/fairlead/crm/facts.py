"""Facts about segments, accounts and opportunities for the engine: in bulk, now or as they were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import CharField, Model, Q, QuerySet, Value
from django.utils import timezone

from fairlead.common.questions import Question
from fairlead.fields.catalogue import Catalogue, FieldSpec, catalogue
from fairlead.fields.values import from_json
from fairlead.journal.models import Event
from fairlead.process.facts import ActivityFact, ChildrenFact, DocumentFact, ExternalFact, RelationFact
from fairlead.process.subjects import SubjectFacts
from fairlead.work.enums import TWO_WAY, ActivityState
from fairlead.work.models import Activity, File, Task

from .enums import TeamRole
from .models import Account, Contact, ContactRole, DealTeamMember, Opportunity, PlanStep, Segment


def _activities(subject_type: str, ids: Sequence[int]) -> QuerySet[Activity, Any]:
    rows = Activity.objects.filter(subject_type=subject_type, subject_id__in=ids).order_by("done_at", "pk")
    return rows.values_list("pk", "subject_id", "kind", "done_at", "outcome", "contact_ids")


def _documents(subject_type: str, ids: Sequence[int]) -> QuerySet[File, Any]:
    rows = File.objects.filter(subject_type=subject_type, subject_id__in=ids).order_by("added_at", "pk")
    return rows.values_list(
        "subject_id",
        "pk",
        "kind",
        "number",
        "by_customer",
        "signed",
        "added_at",
        "valid_until",
        "added_by_id",
    )


PLAN = "mutual_plan"  # steps of the mutual plan count as a list of tasks of this name


def _tasks(subject_type: str, ids: Sequence[int], **when: Any) -> QuerySet[Task, Any]:
    """Tasks that gates count, and the steps of a deal's mutual plan; `when` narrows both."""
    rows = Task.objects.filter(subject_type=subject_type, subject_id__in=ids, **when).exclude(list_key="")
    found = rows.values_list("subject_id", "list_key", "done_at")
    if subject_type != "opportunity":
        return found
    steps = PlanStep.objects.filter(opportunity__in=ids, **when).annotate(
        plan=Value(PLAN, output_field=CharField(max_length=60))
    )
    return found.union(steps.values_list("opportunity_id", "plan", "done_at"), all=True)


def _roles(ids: Sequence[int]) -> QuerySet[ContactRole, Any]:
    return (
        ContactRole.objects.filter(opportunity__in=ids)
        .order_by("pk")
        .values_list(
            "opportunity_id",
            "contact_id",
            "pk",
            "role",
            "depth",
            "stance",
            "influence",
            "contact__department",
        )
    )


# What stands today, asked at every move.
_activities_now = Question(
    lambda kind, ids: _activities(kind, ids).filter(state=ActivityState.DONE), lists=("ids",)
)
_documents_now = Question(lambda kind, ids: _documents(kind, ids).filter(withdrawn_at=None), lists=("ids",))
_deal_tasks_now = Question(lambda ids: _tasks("opportunity", ids, removed_at=None), lists=("ids",))
_other_tasks_now = Question(lambda kind, ids: _tasks(kind, ids, removed_at=None), lists=("ids",))
_relations_now = Question(
    lambda ids: _roles(ids).filter(removed_at=None, contact__left_at=None), lists=("ids",)
)
_departments = Question(
    lambda ids: Contact.objects.filter(pk__in=ids).values_list("pk", "department"), lists=("ids",)
)

Externals = Mapping[int, Mapping[str, ExternalFact]]
Documents = Mapping[int, Sequence[DocumentFact]]
ExternalSource = Callable[[Sequence[int], "datetime | None", Documents], Externals]

# Rooms above (offers) tell what the customer did: subject type → functions of (ids, as_of, documents).
_external_sources: dict[str, list[ExternalSource]] = defaultdict(list)


def add_external_source(subject_type: str, source: ExternalSource) -> None:
    _external_sources[subject_type].append(source)


@lru_cache(maxsize=16)
def _reading(model: type[Model], fields: Catalogue) -> tuple[Question[Any], tuple[str, ...], list[FieldSpec]]:
    """How all fields of a catalogue are read, the keys of the built-in ones in that order, the custom ones."""
    columns = [(spec.key, spec.path or spec.key) for spec in fields if not spec.custom]
    paths = ["pk", "custom", *(path for _key, path in columns)]
    rows: Any = model._default_manager
    return (
        Question(lambda ids: rows.filter(pk__in=ids).values_list(*paths), lists=("ids",)),
        tuple(key for key, _path in columns),
        fields.custom(),
    )


def field_values(model: type[Model], ids: Sequence[int], subject_type: str) -> dict[int, dict[str, Any]]:
    """All catalogue fields of the rows, typed, in one query."""
    reading, keys, custom = _reading(model, catalogue(subject_type))
    found = {}
    for row in reading(ids):
        # Empty text is nothing said: the same None that an empty custom field gives.
        values = {key: None if value == "" else value for key, value in zip(keys, row[2:], strict=True)}
        stored = row[1] or {}
        for spec in custom:
            raw = stored.get(spec.key)
            values[spec.key] = None if raw is None else from_json(spec, raw)
        found[row[0]] = values
    return found


def undo_changes(
    values: Mapping[int, dict[str, Any]], subject_type: str, fields: Catalogue, as_of: datetime
) -> None:
    """Take back, newest first, what was recorded after `as_of`; fields whose past is purged become unknown."""
    events = (
        Event.objects.about(subject_type, values)
        .filter(type__in=("edited", "owner_changed", "created"), recorded_at__gt=as_of)
        .select_related("detail")
        .order_by("-txid", "-id")
    )
    for event in events.iterator(chunk_size=2000):
        current = values[event.subject_id]
        detail = getattr(event, "detail", None)
        if event.type == "created":
            for key in current:
                current[key] = None
            continue
        keys = event.data.get("fields", [])
        if detail is None or detail.purged_at is not None:
            for key in keys:
                current.pop(key, None)
            continue
        for key, before in detail.payload.get("before", {}).items():
            spec = fields.get(key)
            if spec is not None:
                current[key] = from_json(spec, before)


def activities_of(
    subject_type: str, ids: Sequence[int], as_of: datetime | None
) -> dict[int, list[tuple[ActivityFact, list[int]]]]:
    """Done activities with the contacts who took part."""
    rows: Iterable[Any]
    if as_of is None:
        rows = _activities_now(subject_type, ids)
    else:
        rows = _activities(subject_type, ids).filter(done_at__isnull=False, closed_recorded_at__lte=as_of)
    found: dict[int, list[tuple[ActivityFact, list[int]]]] = defaultdict(list)
    for pk, subject, kind, done_at, outcome, contacts in rows:
        assert done_at is not None
        fact = ActivityFact(pk, kind, done_at, outcome, outcome in TWO_WAY, frozenset(), frozenset())
        found[subject].append((fact, contacts))
    return found


def documents_of(
    subject_type: str, ids: Sequence[int], as_of: datetime | None
) -> dict[int, list[DocumentFact]]:
    rows: Iterable[Any]
    if as_of is None:
        rows = _documents_now(subject_type, ids)
    else:
        known = _documents(subject_type, ids).filter(recorded_at__lte=as_of)
        rows = known.filter(Q(withdrawn_at=None) | Q(withdrawn_at__gt=as_of))
    found: dict[int, list[DocumentFact]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(DocumentFact(*row[1:]))
    return found


def tasks_of(
    subject_type: str, ids: Sequence[int], as_of: datetime | None
) -> dict[int, dict[str, ChildrenFact]]:
    rows: Iterable[Any]
    if as_of is None:
        rows = _deal_tasks_now(ids) if subject_type == "opportunity" else _other_tasks_now(subject_type, ids)
    else:
        standing = _tasks(subject_type, ids, created_at__lte=as_of, removed_at=None)
        rows = [*standing, *_tasks(subject_type, ids, created_at__lte=as_of, removed_at__gt=as_of)]
    counts: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for subject, key, done_at in rows:
        done = done_at is not None and (as_of is None or done_at <= as_of)
        counts[subject][key][0] += done
        counts[subject][key][1] += 1
    return {s: {k: ChildrenFact(*c) for k, c in keys.items()} for s, keys in counts.items()}


def externals_of(
    subject_type: str, ids: Sequence[int], as_of: datetime | None, documents: Documents
) -> dict[int, dict[str, ExternalFact]]:
    found: dict[int, dict[str, ExternalFact]] = defaultdict(dict)
    for source in _external_sources[subject_type]:
        for pk, facts in source(ids, as_of, documents).items():
            found[pk].update(facts)
    return found


def assemble(
    values: Mapping[int, dict[str, Any]],
    subject_type: str,
    as_of: datetime | None,
    **parts: Mapping[int, Any],
) -> dict[int, SubjectFacts]:
    """The facts of each subject of `values`: fields, and the evidence that hangs on any kind of record."""
    ids = list(values)
    if as_of is not None:
        undo_changes(values, subject_type, catalogue(subject_type), as_of)
    activities = activities_of(subject_type, ids, as_of)
    contacts = {c for rows in activities.values() for _a, cs in rows for c in cs}
    departments: dict[int, str] = dict(_departments(contacts)) if contacts else {}
    relations: Mapping[int, list[tuple[int, RelationFact]]] = parts.get("relations", {})
    documents, tasks = documents_of(subject_type, ids, as_of), tasks_of(subject_type, ids, as_of)
    externals, team = externals_of(subject_type, ids, as_of, documents), parts.get("team", {})
    found = {}
    for pk, fields in values.items():
        roles: dict[int, set[str]] = defaultdict(set)
        for contact_id, relation in relations.get(pk, ()):
            roles[contact_id].add(relation.role)
        found[pk] = SubjectFacts(
            fields=fields,
            documents=tuple(documents.get(pk, ())),
            externals=externals.get(pk, {}),
            children=tasks.get(pk, {}),
            relations=tuple(r for _c, r in relations.get(pk, ())),
            team=team.get(pk, {}),
            activities=tuple(_with_people(activities.get(pk, ()), departments, roles)),
        )
    return found


def _with_people(
    rows: Iterable[tuple[ActivityFact, list[int]]],
    departments: Mapping[int, str],
    roles: Mapping[int, set[str]],
) -> Iterable[ActivityFact]:
    for fact, contacts in rows:
        if not contacts:
            yield fact
            continue
        yield ActivityFact(
            fact.id,
            fact.kind,
            fact.done_at,
            fact.outcome,
            fact.two_way,
            frozenset(d for c in contacts if (d := departments.get(c, ""))),
            frozenset().union(*(roles.get(c, ()) for c in contacts)),
        )


def opportunity_facts(ids: Sequence[int], as_of: datetime | None) -> dict[int, SubjectFacts]:
    values = field_values(Opportunity, ids, "opportunity")
    team = (
        _teams(ids, as_of)
        if as_of is not None
        else {
            pk: {
                role: frozenset({fields[role.lower()]})
                for role in TeamRole
                if fields[role.lower()] is not None
            }
            for pk, fields in values.items()
        }
    )
    return assemble(values, "opportunity", as_of, relations=_relations(ids, as_of), team=team)


def account_facts(ids: Sequence[int], as_of: datetime | None) -> dict[int, SubjectFacts]:
    return assemble(field_values(Account, ids, "account"), "account", as_of)


def segment_facts(ids: Sequence[int], as_of: datetime | None) -> dict[int, SubjectFacts]:
    return assemble(field_values(Segment, ids, "segment"), "segment", as_of)


def _relations(ids: Sequence[int], as_of: datetime | None) -> dict[int, list[tuple[int, RelationFact]]]:
    rows: Iterable[Any]
    if as_of is None:
        rows = _relations_now(ids)
    else:
        rows = (
            _roles(ids)
            .filter(recorded_at__lte=as_of)
            .filter(Q(removed_at=None) | Q(removed_at__gt=as_of))
            .filter(Q(contact__left_at=None) | Q(contact__left_at__gt=as_of))
        )
    found: dict[int, list[tuple[int, RelationFact]]] = defaultdict(list)
    for row in rows:
        found[row[0]].append((row[1], RelationFact(*row[2:])))
    return found


def _teams(ids: Sequence[int], as_of: datetime) -> dict[int, dict[str, frozenset[int]]]:
    """Who filled the slots on a past day; today's stand on the deal itself."""
    day = timezone.localdate(as_of)
    rows = DealTeamMember.objects.filter(opportunity__in=ids, from_date__lte=day).filter(
        Q(to_date=None) | Q(to_date__gt=day)
    )
    found: dict[int, dict[str, frozenset[int]]] = defaultdict(dict)
    for pk, role, person in rows.values_list("opportunity_id", "role", "person_id"):
        found[pk][role] = found[pk].get(role, frozenset()) | {person}
    return found
