"""How hand-overs go (IT-5): the attempts that were answered in a period, and the rounds that ended in it.

Only of deals that the reader sees. What was taken back before an answer counts as no attempt. NumPy loads with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.analytics.deciding import Usual, usual
from fairlead.analytics.hand_overs import Attempt, Round, rounds_of
from fairlead.analytics.intervals import Rate
from fairlead.crm.enums import HandOverState, TeamRole
from fairlead.crm.models import HandOver, Opportunity
from fairlead.organisation.calendars import Calendar
from fairlead.organisation.models import Team
from fairlead.organisation.selectors import default_calendar

from .questions import BadQuestion, Question

PERIOD: Final = timedelta(days=365)  # where no beginning is named
MOST: Final = 20_000  # newest attempts that are counted
PARTS: Final = ("attempts", "returned", "accepted", "at_once")
WAYS: Final = tuple(
    f"{one}_{other}".lower() for one in TeamRole.values for other in TeamRole.values if one != other
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The filter. `since` and `until` are days, both included; `way` is a pair of roles as in `ar_sr`."""

    process: str = ""
    since: date | None = None
    until: date | None = None
    team: int | None = None
    way: str = ""

    @classmethod
    def read(cls, query: Mapping[str, Any]) -> Asked:
        """Raises BadQuestion naming the parameter."""
        common = Question.read({name: query.get(name, "") for name in ("process", "from", "to", "team")})
        way = str(query.get("way") or "").strip()
        if way and way not in WAYS:
            raise BadQuestion("way", _("One of these is expected: %(words)s") % {"words": ", ".join(WAYS)})
        return cls(process=common.process, since=common.since, until=common.until, team=common.team, way=way)

    def query(self, **changes: Any) -> str:
        """As the query of an address; what is not asked is left out."""
        other = replace(self, **changes) if changes else self
        pairs = {"from": other.since, "to": other.until, "team": other.team, "way": other.way}
        return urlencode({name: str(value) for name, value in pairs.items() if value})


@dataclass(frozen=True, slots=True)
class Figures:
    """`back`: attempts that came back, of those answered; `time`: working hours from a first offer to acceptance."""

    back: Rate
    at_once: Rate
    time: Usual


@dataclass(frozen=True, slots=True)
class Found:
    """What was answered in the period. `is_all` false: only the newest of it."""

    attempts: Sequence[Attempt]
    rounds: Sequence[Round]
    team_of: Mapping[int, int]
    is_all: bool

    def figures(self, fits: Callable[[Attempt], bool] = lambda one: True) -> Figures:
        attempts = [one for one in self.attempts if fits(one)]
        rounds = [one for one in self.rounds if fits(one.last)]
        return Figures(
            Rate.of(sum(1 for one in attempts if not one.accepted), len(attempts)),
            Rate.of(sum(1 for one in rounds if not one.returned), len(rounds)),
            usual([one.hours for one in rounds]),
        )

    def reasons(self) -> list[tuple[str, int]]:
        """Why attempts came back, the most frequent first."""
        return Counter(one.reason for one in self.attempts if not one.accepted).most_common()

    def ways(self) -> list[str]:
        return sorted({one.way for one in self.attempts}, key=WAYS.index)

    def teams(self) -> list[Team]:
        return list(Team.objects.filter(pk__in=set(self.team_of.values())).as_tree())

    def of_part(self, part: str, reason: str = "") -> list[tuple[Attempt, float | None]]:
        """The attempts behind a figure, the newest first; with the working hours of the round that it ended."""
        hours = {one.last.ref: one.hours for one in self.rounds}
        at_once = {one.last.ref for one in self.rounds if not one.returned}
        chosen: Callable[[Attempt], bool] = {
            "attempts": lambda one: True,
            "returned": lambda one: not one.accepted and reason in ("", one.reason),
            "accepted": lambda one: one.accepted,
            "at_once": lambda one: one.ref in at_once,
        }[part]
        rows = sorted(filter(chosen, self.attempts), key=lambda one: (one.answered_at, one.ref), reverse=True)
        return [(one, hours.get(one.ref)) for one in rows]


def find(reader: Any, asked: Asked, *, at: datetime, calendar: Calendar | None = None) -> Found:
    """Raises BadQuestion for a team that does not exist."""
    deals = Opportunity.objects.visible_to(reader, "funnel.view")
    if asked.process:
        deals = deals.filter(journey__process_key=asked.process)
    if asked.team is not None:
        team = Team.objects.filter(pk=asked.team).first()
        if team is None:
            raise BadQuestion("team", _("There is no such team."))
        deals = deals.filter(team__in=[team.pk, *team.branch_ids])
    zone = timezone.get_current_timezone()
    begin = _instant(asked.since, zone) if asked.since else at - PERIOD
    end = _instant(asked.until + timedelta(days=1), zone) if asked.until else at
    # Earlier attempts too: a round that ended in the period may have begun before it.
    rows = HandOver.objects.filter(
        opportunity__in=deals.values("pk"),
        state__in=(HandOverState.ACCEPTED, HandOverState.RETURNED),
        answered_at__lt=end,
    )
    if asked.way:
        one, other = asked.way.upper().split("_")
        rows = rows.filter(from_role=one, to_role=other)
    read = list(
        rows.order_by("-answered_at", "-pk").values_list(
            "opportunity_id", "from_role", "to_role", "offered_at", "answered_at", "state", "reason_code", "pk",
            "opportunity__team_id",
        )[:MOST]
    )  # fmt: skip
    attempts = [
        Attempt(
            deal, f"{one}_{other}".lower(), offered, answered, state == HandOverState.ACCEPTED, reason, pk
        )
        for deal, one, other, offered, answered, state, reason, pk, _team in read
        if answered is not None
    ]
    clock = calendar or default_calendar()

    def between(start: datetime, stop: datetime) -> float:
        return clock.working_time_between(start, stop).total_seconds() / 3600 if stop > start else 0.0

    inside = [one for one in attempts if begin <= one.answered_at]
    deals_of = {one.deal for one in inside}
    return Found(
        inside,
        [one for one in rounds_of(attempts, between) if begin <= one.last.answered_at],
        {row[0]: row[-1] for row in read if row[0] in deals_of and row[-1] is not None},
        len(read) < MOST,
    )


def _instant(day: date, zone: tzinfo) -> datetime:
    try:
        return datetime.combine(day, time.min, zone).astimezone(UTC)
    except (OverflowError, ValueError):
        raise BadQuestion("from", _("A day is expected, such as 2026-03-31.")) from None
