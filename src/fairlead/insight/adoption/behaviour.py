"""What people did on the deals that a reader may count, read once for all the weeks of the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import Func, Q, QuerySet, TextField

from fairlead.analytics.adoption import (
    ACTIVE_WITHIN,
    EQUAL,
    UPDATES_OF,
    Adoption,
    Behaviour,
    Deal,
    Step,
    Update,
    adoption,
)
from fairlead.crm.models import Opportunity
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.organisation.models import User
from fairlead.organisation.selectors import default_calendar
from fairlead.process import fold
from fairlead.process.models import Journey
from fairlead.process.services import rollout
from fairlead.work.enums import TWO_WAY
from fairlead.work.models import Activity

FIGURES, ROWS, LEADS = "funnel.view", "opportunity.view", "opportunity.reassign"
WEEKS: Final = 8
KIND: Final = "opportunity"

#: Steps of the deal itself. What an import or an automatic act writes is nobody's promptness.
MOVES: Final = (fold.MOVED, fold.WON, fold.LOST, fold.CANCELLED, fold.REOPENED)
CHUNK: Final = 5_000
BY_PEOPLE: Final = (Channel.UI, Channel.API, Channel.MOBILE)
#: The events that set the clock of inactivity back (process-control 2.5, C3): some by what they are, some by what they say.
ALWAYS: Final = (
    fold.MOVED,
    fold.REOPENED,
    "contact_role_added",
    "contact_role_removed",
    "file_added",
    "attested",
)
MEANINGFUL: Final = (
    Q(type__in=ALWAYS)
    | Q(type=fold.MIRRORED, data__has_any_keys=["amount", "close_date"])
    | Q(type="activity_done", data__outcome__in=sorted(TWO_WAY))
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose deals a reader counts, at which instant. `names_people`: the reader leads them, or is the only one."""

    user: Any
    at: datetime
    weights: Mapping[str, float]
    behaviour: Behaviour
    people: Mapping[int, User]
    led: frozenset[int]  # those whose own results the reader may see

    def whole(self, at: datetime | None = None) -> Adoption:
        return adoption(self.behaviour, at=at or self.at, weights=self.weights)

    def of(self, person: int) -> Adoption:
        return adoption(self.behaviour.of(person), at=self.at, weights=self.weights)

    def week_ends(self) -> list[datetime]:
        """The last instants of eight weeks, the present one last."""
        return [self.at - timedelta(weeks=n) for n in reversed(range(WEEKS))]


def ask(user: User, *, now: datetime, day: date | None = None) -> Asked:
    """The behaviour on every deal that `user` may count, as of the end of `day` (default: now)."""
    at = now
    if day is not None:
        at = min(now, datetime.combine(day + timedelta(days=1), time(), default_calendar().zone))
    start = at - timedelta(weeks=WEEKS - 1)
    journeys = _journeys(countable(user), start - UPDATES_OF, at)
    deals = _deals(journeys)
    people = User.objects.in_bulk({deal.owner for deal in deals if deal.owner is not None})
    touched, updates = _events(journeys, start, at)
    behaviour = Behaviour(deals, touched, _steps(journeys, start, at), updates)
    weights = rollout.current().weights or dict(EQUAL)
    return Asked(user, at, weights, behaviour, people, frozenset(_led(user, people)))


def countable(user: User) -> QuerySet[Opportunity]:
    """The deals reached both by the right to see figures and by the right to see rows."""
    rows = Opportunity.objects.visible_to(user, ROWS)
    figures = user.reach(FIGURES)
    if figures.all or figures == user.reach(ROWS):
        return rows
    return rows.filter(pk__in=Opportunity.objects.visible_to(user, FIGURES).values("pk"))


def _led(user: User, people: Mapping[int, User]) -> set[int]:
    """Oneself, and those whose deals one may give to others: a manager's own tree."""
    reach = user.reach(LEADS)
    led = {pk for pk, person in people.items() if reach.all or person.team_id in reach.team_ids}
    return led | ({user.pk} & people.keys())


def _journeys(seen: QuerySet[Opportunity], since: datetime, at: datetime) -> QuerySet[Journey]:
    return Journey.objects.current().filter(
        Q(closed_at=None) | Q(closed_at__gt=since), subject_type=KIND, opened_at__lte=at,
        subject_id__in=seen.values("pk"),
    )  # fmt: skip


class _Said(Func):
    """An instant as the text that `datetime.fromisoformat` reads: SQLite keeps UTC and does not say so."""

    template = "(%(expressions)s || '+00:00')"
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, template="(%(expressions)s)::text", **extra)


_instant: Final = datetime.fromisoformat


# What a branch did in twelve weeks are some hundred thousand rows. Which of them are its own is said in SQL, deal by
# deal (a seller's few hundred deals are found in no time), and instants come as the database writes them.


def _deals(journeys: QuerySet[Journey]) -> list[Deal]:
    rows = journeys.annotate(
        opened=_Said("opened_at"),
        closed=_Said("closed_at"),
        held=_Said("hold_since"),
    ).order_by("subject_id")
    return [
        Deal(
            pk,
            owner,
            _instant(opened),
            _instant(closed) if closed else None,
            _instant(held) if held else None,
        )
        for pk, owner, opened, closed, held in rows.values_list(
            "subject_id", "owner_id", "opened", "closed", "held"
        )
    ]


def _events(
    journeys: QuerySet[Journey], start: datetime, at: datetime
) -> tuple[Mapping[int, list[datetime]], list[Update]]:
    """Meaningful events of each deal in their order (3.22 *active*), and the moves of people (*timely*)."""
    since = start - ACTIVE_WITHIN
    touches = Q(MEANINGFUL, ~Q(channel=Channel.IMPORT), recorded_at__gt=since, effective_at__gt=since)
    rows = Event.objects.filter(
        touches | Q(type__in=MOVES, channel__in=BY_PEOPLE),
        subject_type=KIND, subject_id__in=journeys.values("subject_id"),
        recorded_at__gt=start - UPDATES_OF, recorded_at__lte=at,
    ).annotate(happened=_Said("effective_at"), written=_Said("recorded_at"))  # fmt: skip
    touched: dict[int, list[datetime]] = defaultdict(list)
    updates: list[Update] = []
    columns = ("pk", "subject_id", "type", "channel", "happened", "written")
    for pk, deal, kind, channel, happened, written in rows.values_list(*columns).iterator(CHUNK):
        effective_at = _instant(happened)
        if kind not in MOVES:  # it is here because it touches
            touched[deal].append(effective_at)
            continue
        recorded_at = _instant(written)
        if channel in BY_PEOPLE:
            updates.append(Update(pk, deal, effective_at, recorded_at))
        if kind in ALWAYS and channel != Channel.IMPORT and effective_at > since and recorded_at > since:
            touched[deal].append(effective_at)
    for instants in touched.values():
        instants.sort()
    return touched, updates


def _steps(journeys: QuerySet[Journey], start: datetime, at: datetime) -> Mapping[int, list[Step]]:
    planned = Activity.objects.filter(
        Q(closed_recorded_at=None) | Q(closed_recorded_at__gt=start),
        subject_type=KIND, subject_id__in=journeys.values("subject_id"), due_at__gt=start, recorded_at__lte=at,
    ).annotate(
        written=_Said("recorded_at"), due=_Said("due_at"),
        ended=_Said("closed_recorded_at"),
    )  # fmt: skip
    found: dict[int, list[Step]] = defaultdict(list)
    for deal, written, due, ended in planned.values_list("subject_id", "written", "due", "ended"):
        found[deal].append(Step(_instant(written), _instant(due), _instant(ended) if ended else None))
    return found
