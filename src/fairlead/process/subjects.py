"""The registry that higher rooms fill: how `process` learns of a subject without importing its room."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from django.db.models import QuerySet

from .facts import ActivityFact, ChildrenFact, DocumentFact, ExternalFact, RelationFact

if TYPE_CHECKING:
    from .models import Journey
    from .verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectFacts:
    """The subject's half of `facts.Facts`."""

    fields: Mapping[str, Any]
    activities: tuple[ActivityFact, ...] = ()
    documents: tuple[DocumentFact, ...] = ()
    relations: tuple[RelationFact, ...] = ()
    externals: Mapping[str, ExternalFact] = field(default_factory=dict)
    children: Mapping[str, ChildrenFact] = field(default_factory=dict)
    team: Mapping[str, frozenset[int]] = field(default_factory=dict)
    issued: bool = False
    unknown: frozenset[str] = frozenset()


class Moment(NamedTuple):
    """A subject at an instant. `place`: only what stands before this event (txid, id) of the journal, where several
    were recorded at that very instant, as a move and what it changed."""

    subject_id: int
    at: datetime
    place: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """What a journey repeats of its subject, for lists and boards."""

    title: str
    owner_id: int | None
    team_id: int | None
    amount: Decimal | None
    close_date: date | None
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A move that was written: handed to the subject's room in the same transaction."""

    journey: Journey
    verdict: Verdict
    at: datetime
    by: Any
    channel: str
    refresh: bool = True  # whether gate summaries are kept now, or all at once later


class SubjectRoom(Protocol):
    """What a room tells about its kind of subject. All reads work in bulk and never one by one."""

    subject_type: str
    label: Mapping[str, str]
    externals: tuple[str, ...]
    view_right: str
    move_right: str
    ends_with_journey: bool  # whether it is over when its journey closes, and its open work with it

    def facts(self, subject_ids: Sequence[int]) -> Mapping[int, SubjectFacts]:
        """Facts by subject id, as they are now."""

    def facts_then(self, moments: Sequence[Moment]) -> Mapping[Moment, SubjectFacts]:
        """Facts as they were known at each moment. What is read is read once, however many moments a subject has."""

    def mirrors(self, subject_ids: Sequence[int]) -> Mapping[int, Mirror]: ...

    def visible_ids(self, user: Any, subject_ids: Sequence[int], *, right: str) -> set[int]:
        """Those of `subject_ids` that `user` reaches with `right`."""

    def after_moves(self, moves: Sequence[Moved]) -> None:
        """Follow up in the same transaction: lock commercial fields, open the next subject."""

    def url(self, subject_id: int) -> str: ...


@dataclass(frozen=True, slots=True)
class Circle:
    """What binds records together for whoever decides about one: its customer. `key` is the same for the same one."""

    key: str
    name: str
    url: str = ""


#: Subject ids and a reader → circle by subject id; only those that the reader may see.
Circles = Callable[[Sequence[int], Any], Mapping[int, Circle]]
_circles: dict[str, Circles] = {}


def tell_circles(subject_type: str, circles: Circles) -> None:
    """A room says which customer its subjects belong to."""
    _circles[subject_type] = circles


def circles_of(subject_type: str, subject_ids: Sequence[int], user: Any) -> Mapping[int, Circle]:
    found = _circles.get(subject_type)
    return found(subject_ids, user) if found is not None and subject_ids else {}


MovePage = Callable[[Any, str], str]  # journey, kind of move → where it is made
_move_pages: list[MovePage] = []


def move_on(page: MovePage) -> None:
    """Called once, when the room starts whose pages make moves."""
    _move_pages[:] = [page]


def move_page(journey: Any, kind: str) -> str:
    """Where a person makes such a move; blank where no room brings a page."""
    return _move_pages[0](journey, kind) if _move_pages else ""


#: The ids of the subjects that a person reaches with a right (blank: to view), as a query to filter by.
VisibleSubjects = Callable[[Any, str], QuerySet[Any]]

_rooms: dict[str, SubjectRoom] = {}
_visible: dict[str, VisibleSubjects] = {}


def register(room: SubjectRoom) -> None:
    _rooms[room.subject_type] = room


def room_of(subject_type: str) -> SubjectRoom:
    """Raises KeyError for a kind of subject that no room has registered."""
    return _rooms[subject_type]


def rights_over(user: Any, subject_type: str, subject_id: int, rights: Iterable[str]) -> set[str]:
    """Those of `rights` that the person has over the record; rights that reach alike are asked for together."""
    room, by_reach = room_of(subject_type), defaultdict(list)
    for right in rights:
        if reach := user.reach(right):
            by_reach[reach, right.endswith(".view")].append(right)  # some records are only to be read
    return {
        right
        for alike in by_reach.values()
        if room.visible_ids(user, [subject_id], right=alike[0])
        for right in alike
    }


def registered() -> tuple[str, ...]:
    return tuple(_rooms)


def see_subjects(subject_type: str, visible: VisibleSubjects) -> None:
    """A room says who sees its subjects as a query, so that lists of journeys need not ask one by one."""
    _visible[subject_type] = visible


def visible_subjects(
    user: Any, right: str = "", *, kinds: Collection[str] | None = None
) -> dict[str, QuerySet[Any]]:
    """By kind of record the ids of those that `user` sees, as queries. `kinds`: of these kinds alone."""
    return {
        name: visible(user, right) for name, visible in _visible.items() if kinds is None or name in kinds
    }
