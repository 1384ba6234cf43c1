"""Facts about segments, accounts and opportunities for the engine: in bulk, as they are now; `past` tells how they were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import CharField, Model, QuerySet, Value

from fairlead.common.questions import Question
from fairlead.fields.catalogue import Catalogue, FieldSpec, catalogue
from fairlead.fields.values import from_json
from fairlead.process.facts import ActivityFact, ChildrenFact, DocumentFact, ExternalFact, RelationFact
from fairlead.process.subjects import SubjectFacts
from fairlead.work.enums import TWO_WAY, ActivityState
from fairlead.work.models import Activity, File, Task

from .enums import TeamRole
from .models import Account, Contact, ContactRole, Opportunity, PlanStep, Segment


def activities(subject_type: str, ids: Sequence[int]) -> QuerySet[Activity, Any]:
    rows = Activity.objects.filter(subject_type=subject_type, subject_id__in=ids).order_by("done_at", "pk")
    return rows.values_list("pk", "subject_id", "kind", "done_at", "outcome", "contact_ids")


#: The subject, and the columns of a `DocumentFact`.
DOCUMENT = (
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


def documents(subject_type: str, ids: Sequence[int]) -> QuerySet[File, Any]:
    rows = File.objects.filter(subject_type=subject_type, subject_id__in=ids).order_by("added_at", "pk")
    return rows.values_list(*DOCUMENT)


_NOBODY: frozenset[str] = frozenset()
PLAN = "mutual_plan"  # steps of the mutual plan count as a list of tasks of this name


def tasks(subject_type: str, ids: Sequence[int], *further: str, **when: Any) -> QuerySet[Task, Any]:
    """Tasks that gates count, and the steps of a deal's mutual plan: subject, list, when done and `further` columns;
    `when` narrows both."""
    rows = Task.objects.filter(subject_type=subject_type, subject_id__in=ids, **when).exclude(list_key="")
    found = rows.values_list("subject_id", "list_key", "done_at", *further)
    if subject_type != "opportunity":
        return found
    steps = PlanStep.objects.filter(opportunity__in=ids, **when).annotate(
        plan=Value(PLAN, output_field=CharField(max_length=60))
    )
    return found.union(steps.values_list("opportunity_id", "plan", "done_at", *further), all=True)


#: The deal, the contact, and the columns of a `RelationFact`.
RELATION = (
    "opportunity_id",
    "contact_id",
    "pk",
    "role",
    "depth",
    "stance",
    "influence",
    "contact__department",
)


def roles(ids: Sequence[int]) -> QuerySet[ContactRole, Any]:
    return ContactRole.objects.filter(opportunity__in=ids).order_by("pk").values_list(*RELATION)


# What stands today, asked at every move.
_activities_now = Question(
    lambda kind, ids: activities(kind, ids).filter(state=ActivityState.DONE), lists=("ids",)
)
_documents_now = Question(lambda kind, ids: documents(kind, ids).filter(withdrawn_at=None), lists=("ids",))
_deal_tasks_now = Question(lambda ids: tasks("opportunity", ids, removed_at=None), lists=("ids",))
_other_tasks_now = Question(lambda kind, ids: tasks(kind, ids, removed_at=None), lists=("ids",))
_relations_now = Question(
    lambda ids: roles(ids).filter(removed_at=None, contact__left_at=None), lists=("ids",)
)
_departments = Question(
    lambda ids: Contact.objects.filter(pk__in=ids).values_list("pk", "department"), lists=("ids",)
)

Documents = Sequence[DocumentFact]
#: What the customer had done about one subject, now or at an instant: of (id, instant, its documents then).
ExternalReader = Callable[[int, "datetime | None", Documents], Mapping[str, ExternalFact]]
ExternalSource = Callable[[Sequence[int]], ExternalReader]

# Rooms above (offers) tell what the customer did: subject type → functions of ids, which read once for all instants.
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


#: An activity: id, kind, when, outcome, contacts.
Done = tuple[int, str, datetime, str, Sequence[int]]


def activities_of(subject_type: str, ids: Sequence[int]) -> dict[int, list[Done]]:
    """Done activities with the contacts who took part: all that `activity_fact` wants first."""
    found: dict[int, list[Done]] = defaultdict(list)
    for pk, subject, kind, done_at, outcome, contacts in _activities_now(subject_type, ids):
        assert done_at is not None
        found[subject].append((pk, kind, done_at, outcome, contacts))
    return found


def activity_fact(
    pk: int,
    kind: str,
    done_at: datetime,
    outcome: str,
    contacts: Sequence[int],
    departments: Mapping[int, str],
    roles: Mapping[int, set[str]],
) -> ActivityFact:
    """An activity with the departments and the buying roles of those who took part."""
    if not contacts:
        return ActivityFact(pk, kind, done_at, outcome, outcome in TWO_WAY, _NOBODY, _NOBODY)
    return ActivityFact(
        pk,
        kind,
        done_at,
        outcome,
        outcome in TWO_WAY,
        frozenset(d for c in contacts if (d := departments.get(c, ""))),
        _NOBODY.union(*(roles.get(c, ()) for c in contacts)),
    )


def documents_of(subject_type: str, ids: Sequence[int]) -> dict[int, list[DocumentFact]]:
    found: dict[int, list[DocumentFact]] = defaultdict(list)
    for row in _documents_now(subject_type, ids):
        found[row[0]].append(DocumentFact(*row[1:]))
    return found


def tasks_of(subject_type: str, ids: Sequence[int]) -> dict[int, dict[str, ChildrenFact]]:
    rows = _deal_tasks_now(ids) if subject_type == "opportunity" else _other_tasks_now(subject_type, ids)
    counts: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for subject, key, done_at in rows:
        counts[subject][key][0] += done_at is not None
        counts[subject][key][1] += 1
    return {s: {k: ChildrenFact(*c) for k, c in keys.items()} for s, keys in counts.items()}


def external_readers(
    subject_type: str, ids: Sequence[int], *, but: ExternalSource | None = None
) -> list[ExternalReader]:
    """`but`: a source whose answer is known already."""
    return [source(ids) for source in _external_sources[subject_type] if source is not but]


def externals_of(
    readers: Sequence[ExternalReader], pk: int, as_of: datetime | None, documents: Documents
) -> dict[str, ExternalFact]:
    found: dict[str, ExternalFact] = {}
    for read in readers:
        found.update(read(pk, as_of, documents))
    return found


def assemble(
    values: Mapping[int, dict[str, Any]], subject_type: str, **parts: Mapping[int, Any]
) -> dict[int, SubjectFacts]:
    """The facts of each subject of `values`: fields, and the evidence that hangs on any kind of record."""
    ids = list(values)
    activities = activities_of(subject_type, ids)
    departments = departments_of(c for rows in activities.values() for row in rows for c in row[4])
    relations: Mapping[int, list[tuple[int, RelationFact]]] = parts.get("relations", {})
    documents, tasks = documents_of(subject_type, ids), tasks_of(subject_type, ids)
    readers, team = external_readers(subject_type, ids), parts.get("team", {})
    found = {}
    for pk, fields in values.items():
        filed, roles = tuple(documents.get(pk, ())), roles_of(relations.get(pk, ()))
        found[pk] = SubjectFacts(
            fields=fields,
            documents=filed,
            externals=externals_of(readers, pk, None, filed),
            children=tasks.get(pk, {}),
            relations=tuple(r for _c, r in relations.get(pk, ())),
            team=team.get(pk, {}),
            activities=tuple(activity_fact(*row, departments, roles) for row in activities.get(pk, ())),
        )
    return found


def departments_of(contacts: Iterable[int]) -> dict[int, str]:
    """The departments of people, by contact."""
    asked = set(contacts)
    return dict(_departments(asked)) if asked else {}


def roles_of(relations: Iterable[tuple[int, RelationFact]]) -> dict[int, set[str]]:
    """Buying roles by contact."""
    roles: dict[int, set[str]] = defaultdict(set)
    for contact_id, relation in relations:
        roles[contact_id].add(relation.role)
    return roles


def opportunity_facts(ids: Sequence[int]) -> dict[int, SubjectFacts]:
    values = field_values(Opportunity, ids, "opportunity")
    team = {
        pk: {role: frozenset({fields[role.lower()]}) for role in TeamRole if fields[role.lower()] is not None}
        for pk, fields in values.items()
    }
    return assemble(values, "opportunity", relations=_relations(ids), team=team)


def account_facts(ids: Sequence[int]) -> dict[int, SubjectFacts]:
    return assemble(field_values(Account, ids, "account"), "account")


def segment_facts(ids: Sequence[int]) -> dict[int, SubjectFacts]:
    return assemble(field_values(Segment, ids, "segment"), "segment")


def _relations(ids: Sequence[int]) -> dict[int, list[tuple[int, RelationFact]]]:
    found: dict[int, list[tuple[int, RelationFact]]] = defaultdict(list)
    for row in _relations_now(ids):
        found[row[0]].append((row[1], RelationFact(*row[2:])))
    return found
