"""One's own desk: appointments of the hour, what is due by today beside the next steps of deals, who waits for whom.

Whose deals the day shows changes nothing here: what a person has to do themselves stands on every day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import (
    BigIntegerField,
    CharField,
    DateTimeField,
    F,
    Max,
    Q,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.functions import Cast
from django.utils import timezone

from fairlead.common import records
from fairlead.common.questions import Question
from fairlead.crm.enums import AskState, HandOverState
from fairlead.crm.models import Account, Contact, HandOver, Opportunity, RoleQuestion, Segment
from fairlead.offers.models import Contract
from fairlead.organisation.models import User
from fairlead.process.approval_enums import RequestState
from fairlead.process.enums import GIVEN_UP
from fairlead.process.models import ApprovalRequest, OverrideRequest
from fairlead.process.packages import DEAL_TEAM
from fairlead.work.enums import ActivityState
from fairlead.work.models import Activity, Task

SOON: Final = timedelta(minutes=60)
JUST_BEGUN: Final = timedelta(minutes=15)
MOST_MEETINGS: Final = 3
MOST_READ: Final = 200  # planned activities and tasks; the latest appointments, the earliest days
MOST_DUE: Final = 8
MOST_WAITING: Final = 20
#: What names a record that is no deal.
_NAMES: Final[Mapping[str, tuple[Any, str]]] = {
    "account": (Account, "name"), "contact": (Contact, "name"), "segment": (Segment, "name"),
    "contract": (Contract, "number"),
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class About:
    """Something about a record of any kind. `record`, `url`: its name and address once they are read."""

    subject_type: str
    subject_id: int
    record: str = ""
    url: str = ""
    deal: Opportunity | None = None

    @property
    def key(self) -> tuple[str, int]:
        return self.subject_type, self.subject_id


@dataclass(slots=True, kw_only=True)
class Meeting(About):
    """An appointment that begins within the hour, with what one wants to know at the door."""

    activity: Activity
    last_contact_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Due(About):
    """A task or a planned activity of one's own, due by today. `kind`: of the activity, blank for a task."""

    pk: int
    version: int
    title: str
    kind: str
    due_at: datetime | None
    due_on: date


@dataclass(slots=True, kw_only=True)
class Wait(About):
    """Something that one person waits for from another.

    `what`: hand_over or question, which wait for the reader; my_hand_over, my_question, my_approval or my_letting, for
    which the reader waits. `who`: the other person; blank where several may decide.
    """

    what: str
    pk: int
    text: str
    way: str  # of a hand-over: "AR → SR"
    who: str
    since: datetime
    due_at: datetime | None

    @property
    def is_mine(self) -> bool:
        return self.what.startswith("my_")


@dataclass(frozen=True, slots=True)
class Desk:
    """`due_count`: how many are due, of which `due` are the first."""

    meetings: Sequence[Meeting] = ()
    due: Sequence[Due] = ()
    due_count: int = 0
    asked: Sequence[Wait] = ()
    waiting: Sequence[Wait] = ()


@dataclass(slots=True)
class Plate:
    """What is planned by the reader and given to the reader, before the records are named."""

    meetings: list[Meeting] = field(default_factory=list)
    due: list[Due] = field(default_factory=list)

    @property
    def beside_deals(self) -> int:
        """How many rows there will be at least: the next step of a deal may stand under its deal already."""
        return sum(not (row.kind and row.subject_type == "opportunity") for row in self.due)


def plate_of(user: User, *, at: datetime) -> Plate:
    """Two questions; the earliest first."""
    today = timezone.localdate(at)
    tomorrow = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    planned = Activity.objects.filter(
        owner=user, state=ActivityState.PLANNED, due_at__lt=max(tomorrow, at + SOON)
    )
    found = Plate()
    for row in reversed(planned.order_by("-due_at", "-pk")[:MOST_READ]):
        assert row.due_at is not None
        about: dict[str, Any] = {"subject_type": row.subject_type, "subject_id": row.subject_id}
        if at - JUST_BEGUN <= row.due_at <= at + SOON and len(found.meetings) < MOST_MEETINGS:
            found.meetings.append(Meeting(activity=row, **about))
        elif row.due_at < tomorrow:
            found.due.append(
                Due(
                    pk=row.pk, version=row.version, title=row.summary, kind=row.kind, due_at=row.due_at,
                    due_on=timezone.localdate(row.due_at), **about,
                )
            )  # fmt: skip
    for task in _tasks(user.pk):
        if task.due_date is not None and task.due_date <= today:
            found.due.append(
                Due(
                    pk=task.pk, version=task.version, title=task.title, kind="", due_at=None, due_on=task.due_date,
                    subject_type=task.subject_type, subject_id=task.subject_id,
                )
            )  # fmt: skip
    found.due.sort(key=lambda row: (row.due_on, row.due_at is None, row.due_at or at, row.pk))
    return found


def load_desk(user: User, plate: Plate, *, beside: Collection[int], room: int) -> Desk:
    """`beside`: activities that stand elsewhere on the day already; `room`: how many rows there may be."""
    due = [row for row in plate.due if not (row.kind and row.pk in beside)]
    shown = due[: max(min(MOST_DUE, room), 0)]
    waits = [_wait(row) for row in _waits(user.pk)]
    named = _named(user, [*plate.meetings, *shown, *waits])
    meetings = [row for row in plate.meetings if row.key in named]
    _last_contacts(meetings)
    unseen = sum(row.key not in named for row in shown)
    seen = [row for row in waits if row.key in named]
    return Desk(
        meetings, [row for row in shown if row.key in named], len(due) - unseen,
        [row for row in seen if not row.is_mine], [row for row in seen if row.is_mine],
    )  # fmt: skip


def _named(user: User, rows: Sequence[About]) -> set[tuple[str, int]]:
    """Give the rows the names of their records; which records the reader sees."""
    ids: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        ids[row.subject_type].add(row.subject_id)
    deals: dict[int, Opportunity] = {}
    if wanted := ids.pop("opportunity", None):
        seen = Opportunity.objects.visible_to(user).select_related("account", "journey__stage")
        deals = seen.defer("search_key", "account__search_key", "journey__clocks").in_bulk(wanted)
    names = {("opportunity", pk): deal.name for pk, deal in deals.items()} | _other_names(user, ids)
    for row in rows:
        if row.key in names:
            row.record, row.deal = (
                names[row.key],
                deals.get(row.subject_id) if row.subject_type == "opportunity" else None,
            )
            row.url = records.record_type(row.subject_type).url(row.subject_id)
    return set(names)


def _other_names(user: User, ids: Mapping[str, Iterable[int]]) -> dict[tuple[str, int], str]:
    """Of all kinds but deals, in one question."""
    parts = [
        model.objects.visible_to(user)
        .filter(pk__in=sorted(ids[kind]))
        .order_by()
        .annotate(_kind=Value(kind, output_field=CharField()), _name=F(name))
        .values_list("_kind", "pk", "_name")
        for kind, (model, name) in _NAMES.items()
        if kind in ids
    ]
    if not parts:
        return {}
    return {(kind, pk): name for kind, pk, name in parts[0].union(*parts[1:], all=True)}


def _last_contacts(meetings: Sequence[Meeting]) -> None:
    if not meetings:
        return
    about = Q(pk__in=[])
    for row in meetings:
        about |= Q(subject_type=row.subject_type, subject_id=row.subject_id)
    done = Activity.objects.filter(about, state=ActivityState.DONE).order_by()
    last = {
        (kind, pk): at
        for kind, pk, at in done.values_list("subject_type", "subject_id").annotate(last=Max("done_at"))
    }
    for row in meetings:
        row.last_contact_at = last.get(row.key)


_tasks: Question[Task] = Question(
    lambda person: Task.objects.filter(
        Q(assignee=person) | Q(assignee=None, created_by=person), done_at=None, removed_at=None
    ).order_by(F("due_date").asc(nulls_last=True), "pk")[:MOST_READ]
)


# --- who waits for whom ---

_SHAPE: Final[dict[str, Any]] = {
    "_kind": TextField(), "_id": BigIntegerField(), "_text": TextField(), "_from": TextField(), "_to": TextField(),
    "_who": TextField(), "_since": DateTimeField(), "_due": DateTimeField(),
}  # fmt: skip


def _shaped(what: str, rows: QuerySet[Any], **places: str) -> QuerySet[Any, Any]:
    columns: dict[str, Any] = {
        column: F(places[column]) if column in places else Cast(Value(None), kind)
        for column, kind in _SHAPE.items()
    }
    if "_kind" not in places:
        columns["_kind"] = Value("opportunity", output_field=CharField())
    called = Value(what, output_field=CharField())
    return rows.order_by().annotate(_what=called, **columns).values_list("_what", "pk", *_SHAPE)


def _fills(column: str, person: int) -> Q:
    found = Q(pk__in=[])
    for role in DEAL_TEAM:
        found |= Q(**{column: role, f"opportunity__{role.lower()}": person})
    return found


def _all_waits(person: int) -> QuerySet[Any, Any]:
    """Hand-overs to answer and questions to one's role; and one's own that nobody has answered or decided yet."""
    given_up = {"opportunity__journey__state__in": GIVEN_UP}
    offered = HandOver.objects.filter(state=HandOverState.OFFERED).exclude(**given_up)
    open_questions = RoleQuestion.objects.filter(state=AskState.OPEN).exclude(**given_up)
    of_deal = {"_id": "opportunity_id", "_due": "due_at"}
    hand_over = {**of_deal, "_from": "from_role", "_to": "to_role", "_since": "offered_at"}
    question = {**of_deal, "_text": "question", "_since": "asked_at"}
    of_journey = {"_kind": "journey__subject_type", "_id": "journey__subject_id"}
    parts = [
        _shaped("hand_over", offered.filter(_fills("to_role", person)), _who="by__name", **hand_over),
        _shaped("question", open_questions.filter(_fills("role", person)), _who="by__name", **question),
        _shaped("my_hand_over", offered.filter(by=person), _who="to__name", **hand_over),
        _shaped("my_question", open_questions.filter(by=person), _who="to__name", **question),
        _shaped(
            "my_approval", ApprovalRequest.objects.filter(state=RequestState.PENDING, submitted_by=person),
            _since="submitted_at", _due="next_due_at", **of_journey,
        ),
        _shaped(
            "my_letting", OverrideRequest.objects.open().filter(requested_by=person),
            _since="requested_at", _text="text", **of_journey,
        ),
    ]  # fmt: skip
    return parts[0].union(*parts[1:], all=True).order_by("_since", "pk")[: 2 * MOST_WAITING]


_waits: Question[tuple[Any, ...]] = Question(_all_waits)


def _wait(row: tuple[Any, ...]) -> Wait:
    what, pk, *values = row
    of = dict(zip(_SHAPE, values, strict=True))
    return Wait(
        what=what, pk=pk, text=of["_text"] or "", way=f"{of['_from']} → {of['_to']}" if of["_from"] else "",
        who=of["_who"] or "", since=of["_since"], due_at=of["_due"], subject_type=of["_kind"],
        subject_id=of["_id"],
    )  # fmt: skip
