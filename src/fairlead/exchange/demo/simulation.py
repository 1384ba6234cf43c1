"""The loop over simulated days: what people write down, what they wish, what the engine answers."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from random import Random
from typing import TYPE_CHECKING, Any

from django.db import transaction

from fairlead.journal.services import gathered
from fairlead.organisation.selectors import default_calendar
from fairlead.process.models import ProcessVersion
from fairlead.process.services import MoveWish, move_many
from fairlead.process.services.evidence import judged_later
from fairlead.process.verdicts import Wish

from ..fairness import Pace
from .clock import EVENING, MORNING, Workdays, at, office_instant
from .day import CHANNEL, Day
from .people import Staff
from .truths import LATE_DAYS, LATE_SELLERS, LATE_SHARE, Dates

if TYPE_CHECKING:
    from .agent import Agent
    from .approvals import Desk
    from .deals import Deal

AT_ONCE = 250  # moves in one transaction
SHORT_DAY = 400  # acts of a day that is one transaction
Act = Callable[[Day], None]
TimedAct = Callable[[datetime], None]


class Simulation:
    """The agenda of a company: acts by day, and the wishes of today."""

    def __init__(self, *, seed: int, dates: Dates, staff: Staff, pace: Pace) -> None:
        self.seed, self.dates, self.staff, self.pace = seed, dates, staff, pace
        self.workdays = Workdays(default_calendar(), dates.start, dates.until)
        self.versions = {v.pk: v for v in ProcessVersion.objects.select_related("process").defer("document")}
        self.agenda: dict[date, list[Act]] = defaultdict(list)
        self.has_second = False  # whether the second version of the opportunity process is in force
        self.desk: Desk
        self._hours: list[tuple[datetime, int, TimedAct]] = []
        self._planned = 0
        self.late = {s.pk for s in staff.sellers if s.username in LATE_SELLERS}
        self.won: list[Deal] = []  # today
        self._contracts = 0
        self._is_writing = False
        self._wishes: dict[int, tuple[Agent, MoveWish]] = {}

    def on(self, day: date, act: Act, *, daily: bool = True) -> None:
        """Put `act` into the agenda of the first writing day from `day` on."""
        find = self.workdays.on_or_after if daily else self.workdays.other_on_or_after
        self.agenda[find(day)].append(act)

    def later(self, moment: datetime, act: TimedAct) -> None:
        """Do it at that moment: what people do by the hour, beside what they write down in the evening."""
        self._planned += 1
        heapq.heappush(self._hours, (moment, self._planned, act))

    def office_hour(self, day: date, rng: Random) -> datetime:
        """Some minute in office hours of the first worked day from `day` on."""
        return office_instant([self.workdays.worked_from(day)], rng)

    def run_hours(self, before: datetime) -> None:
        """What people did by the hour until then, in its order; an act may plan another one."""
        if not self._hours or self._hours[0][0] >= before:
            return
        with self.writing(), judged_later():
            while self._hours and self._hours[0][0] < before:
                moment, _number, act = heapq.heappop(self._hours)
                act(moment)

    def delay(self, person: Any, rng: Random) -> int:
        """Days until this person writes something down: none for most people."""
        if person.pk in self.late and rng.random() < LATE_SHARE:
            return rng.randint(*LATE_DAYS)
        return 0

    def opening(self, day: date) -> datetime:
        return at(day, MORNING)

    def wish(self, agent: Agent, wish: Wish, mover: Any, effective_at: datetime) -> None:
        """At most one wish a journey and day: the first stands."""
        self._wishes.setdefault(
            agent.journey_id,
            (
                agent,
                MoveWish(journey_id=agent.journey_id, wish=wish, acted_by=mover, effective_at=effective_at),
            ),
        )

    def today(self, day: date) -> Day:
        return Day(day, at(day, EVENING), self.workdays.since_last(day))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction in a turn of its own, its events written together; inside another one, a part of it."""
        if self._is_writing:
            yield
            return
        self._is_writing = True
        try:
            with self.pace.turn(), transaction.atomic(), gathered():
                yield
        finally:
            self._is_writing = False

    def is_short(self, day: date) -> bool:
        """Whether what is planned for `day` so far is little enough for a single transaction."""
        return len(self.agenda.get(day, ())) <= SHORT_DAY

    def run_day(self, day: date) -> None:
        """Everything that is written down on one day: evidence in one transaction, moves in the next."""
        today = self.today(day)
        acts = self.agenda.pop(day, [])
        done = 0
        while done < len(acts):  # an act may put another one into today
            acts[done](today)
            done += 1
            acts.extend(self.agenda.pop(day, []))
        with self.writing():
            today.write(self.versions)
        wishes, self._wishes = self._wishes, {}
        asked = [wish for _agent, wish in wishes.values()]
        for first in range(0, len(asked), AT_ONCE):
            with self.writing():
                outcomes = move_many(
                    asked[first : first + AT_ONCE],
                    by=None,
                    at=today.at,
                    channel=CHANNEL,
                    refresh=False,
                    gather_locked=True,
                )
            for outcome in outcomes:
                wishes[outcome.journey_id][0].answered(outcome, today)

    def contract_number(self, day: date) -> str:
        self._contracts += 1
        return f"LT-{day:%Y%m}-{self._contracts:05d}"
