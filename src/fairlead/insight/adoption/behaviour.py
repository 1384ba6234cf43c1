"""What people did on the deals that a reader may count, read once for all the weeks of the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet

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
#: The events that set the clock of inactivity back (process-control 2.5, C3).
MEANINGFUL: Final = (
    Q(type__in=[fold.MOVED, fold.REOPENED, "contact_role_added", "contact_role_removed", "file_added", "attested"])
    | Q(type=fold.MIRRORED, data__has_any_keys=["amount", "close_date"])
    | Q(type="activity_done", data__outcome__in=sorted(TWO_WAY))
)  # fmt: skip


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
    deals = _deals(countable(user), start - UPDATES_OF, at)
    ids = [deal.id for deal in deals]
    owners = {deal.owner for deal in deals if deal.owner is not None}
    people = User.objects.in_bulk(owners)
    behaviour = Behaviour(
        deals,
        _touched(ids, start - ACTIVE_WITHIN, at),
        _steps(ids, start, at),
        _updates(ids, start - UPDATES_OF, at),
    )
    weights = rollout.current().weights or dict(EQUAL)
    return Asked(user, at, weights, behaviour, people, frozenset(_led(user, people)))


def countable(user: User) -> QuerySet[Opportunity]:
    """The deals reached both by the right to see figures and by the right to see rows."""
    rows = Opportunity.objects.visible_to(user, ROWS)
    if user.reach(FIGURES).all:
        return rows
    return rows.filter(pk__in=Opportunity.objects.visible_to(user, FIGURES).values("pk"))


def _led(user: User, people: Mapping[int, User]) -> set[int]:
    """Oneself, and those whose deals one may give to others: a manager's own tree."""
    reach = user.reach(LEADS)
    led = {pk for pk, person in people.items() if reach.all or person.team_id in reach.team_ids}
    return led | ({user.pk} & people.keys())


def _deals(seen: QuerySet[Opportunity], since: datetime, at: datetime) -> list[Deal]:
    rows = Journey.objects.current().filter(
        Q(closed_at=None) | Q(closed_at__gt=since), subject_type=KIND, opened_at__lte=at,
        subject_id__in=seen.values("pk"),
    )  # fmt: skip
    columns = ("subject_id", "owner_id", "opened_at", "closed_at", "hold_since")
    return [Deal(*row) for row in rows.values_list(*columns).order_by("subject_id")]


# Of events only the days are asked in SQL and the kind of subject is looked at here: said in SQL, SQLite walks
# all that was ever written about a deal instead of the last weeks.


def _touched(ids: Sequence[int], since: datetime, at: datetime) -> Mapping[int, list[datetime]]:
    events = Event.objects.filter(
        MEANINGFUL, recorded_at__gt=since, recorded_at__lte=at, effective_at__gt=since
    ).exclude(channel=Channel.IMPORT)
    wanted = set(ids)
    found: dict[int, list[datetime]] = defaultdict(list)
    columns = ("subject_type", "subject_id", "effective_at")
    for kind, pk, when in events.values_list(*columns).order_by("effective_at"):
        if kind == KIND and pk in wanted:
            found[pk].append(when)
    return found


def _steps(ids: Sequence[int], since: datetime, at: datetime) -> Mapping[int, list[Step]]:
    planned = Activity.objects.filter(
        Q(closed_recorded_at=None) | Q(closed_recorded_at__gt=since),
        subject_type=KIND, due_at__gt=since, recorded_at__lte=at,
    )  # fmt: skip
    wanted = set(ids)
    found: dict[int, list[Step]] = defaultdict(list)
    columns = ("subject_id", "recorded_at", "due_at", "closed_recorded_at")
    for pk, recorded_at, due_at, ended_at in planned.values_list(*columns):
        if pk in wanted and due_at is not None:
            found[pk].append(Step(recorded_at, due_at, ended_at))
    return found


def _updates(ids: Sequence[int], since: datetime, at: datetime) -> list[Update]:
    by_people = [Channel.UI, Channel.API, Channel.MOBILE]
    moves = Event.objects.filter(
        type__in=MOVES, channel__in=by_people, recorded_at__gt=since, recorded_at__lte=at
    )
    wanted = set(ids)
    columns = ("subject_type", "pk", "subject_id", "effective_at", "recorded_at")
    return [
        Update(*row)
        for kind, *row in moves.values_list(*columns).order_by("pk")
        if kind == KIND and row[1] in wanted
    ]
