"""What every simulated journey has: a subject, an owner, luck of its own, a plan that events may end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from math import exp
from random import Random
from typing import TYPE_CHECKING, Any

from fairlead.process.enums import Kind
from fairlead.process.services import MoveOutcome
from fairlead.process.verdicts import Wish
from fairlead.work.enums import ActivityOutcome
from fairlead.work.models import Activity, File, Task

from .clock import office_instant
from .names import SUMMARIES

if TYPE_CHECKING:
    from .day import Day
    from .simulation import Simulation

ANSWERED = (ActivityOutcome.AGREED, ActivityOutcome.TALKED, ActivityOutcome.ANSWERED)


class Agent:
    """A person's work on one journey. `plan` counts the plans: what belongs to an old one is off."""

    __slots__ = (
        "journey_id",
        "last_at",
        "numbers",
        "open_tasks",
        "over",
        "owner",
        "plan",
        "refusals",
        "rng",
        "sim",
        "since",
        "stage",
        "subject_id",
        "subject_type",
    )

    DAILY = True  # False: what is done is booked at the end of the week

    def __init__(self, sim: Simulation, seed: str, subject_type: str, subject_id: int, owner: Any) -> None:
        self.sim, self.rng = sim, Random(f"{sim.seed}/{seed}")  # noqa: S311
        self.subject_type, self.subject_id, self.owner = subject_type, subject_id, owner
        self.journey_id, self.stage, self.plan, self.refusals = 0, "", 0, 0
        self.since: date = sim.dates.start
        self.last_at: datetime | None = None
        self.numbers: dict[str, int] = {}
        self.open_tasks: list[Task] = []
        self.over = False

    # --- time ---

    def lasts(self, median: float, spread: float = 0.45) -> int:
        """A number of days, at least one, around `median`; long ones are rarer than they are in a bell."""
        return max(1, round(median * exp(spread * self.rng.gauss(0.0, 1.0))))

    def on(self, day: date, act: Callable[..., None], *args: Any) -> None:
        """Do it on that day, unless another plan has begun by then."""
        self.sim.on(day, partial(self._if_current, self.plan, act, args), daily=self.DAILY)

    def _if_current(self, plan: int, act: Callable[..., None], args: Sequence[Any], today: Day) -> None:
        if plan == self.plan and not self.over:
            act(today, *args)

    # --- work ---

    def met(
        self, today: Day, kind: str, contacts: Sequence[int] = (), *, outcome: str = "", by: Any = None
    ) -> None:
        """Something was talked over with the customer; a late writer books it days after."""
        writer = by or self.owner
        happened = office_instant(today.worked, self.rng)
        delay = self.sim.delay(writer, self.rng)
        if delay:
            happened -= timedelta(days=delay)
        happened = max(happened, self.sim.opening(self.since))
        today.activities.append(
            Activity(
                subject_type=self.subject_type,
                subject_id=self.subject_id,
                kind=kind,
                summary=self.rng.choice(SUMMARIES[kind]),
                done_at=happened,
                outcome=outcome or self.rng.choice(ANSWERED),
                contact_ids=sorted(contacts),
                owner=writer,
                recorded_at=max(today.at, happened),
            )
        )

    def filed(
        self,
        today: Day,
        kind: str,
        name: str,
        *,
        by: Any = None,
        by_customer: bool = False,
        signed: bool = False,
    ) -> None:
        number = self.numbers[kind] = self.numbers.get(kind, 0) + 1
        today.files.append(
            File(
                subject_type=self.subject_type,
                subject_id=self.subject_id,
                kind=kind,
                name=f"{name} v{number}.pdf",
                reference=f"文件柜/{self.subject_type}/{self.subject_id}/{kind}-{number}",
                number=number,
                by_customer=by_customer,
                signed=signed,
                added_by=by or self.owner,
                added_at=today.at,
                recorded_at=today.at,
            )
        )

    def tasks(self, today: Day, list_key: str, titles: Sequence[str], *, done: int) -> None:
        rows = [
            Task(
                subject_type=self.subject_type,
                subject_id=self.subject_id,
                title=title,
                list_key=list_key,
                assignee=self.owner,
                due_date=today.date + timedelta(days=7 + 5 * i),
                created_by=self.owner,
                created_at=today.at,
            )
            for i, title in enumerate(titles)
        ]
        today.tasks.extend(rows)
        today.done_tasks.extend((row, self.owner) for row in rows[:done])
        self.open_tasks.extend(rows[done:])

    def finish_tasks(self, today: Day) -> None:
        """What was left to do is done. With a closed record the product takes it off the lists by itself."""
        if not self.over:
            today.done_tasks.extend((row, self.owner) for row in self.open_tasks)
        self.open_tasks = []

    # --- moves ---

    def wish(
        self,
        today: Day,
        kind: Kind,
        to: str = "",
        *,
        by: Any = None,
        reason: str = "",
        comment: str = "",
        form: dict[str, Any] | None = None,
    ) -> None:
        """Ask for a move this evening; `moved` or `refused` tells the answer."""
        mover = by or self.owner
        happened = office_instant(today.worked, self.rng)
        delay = self.sim.delay(mover, self.rng)
        if delay:
            happened -= timedelta(days=delay)
        if self.last_at is not None:
            happened = max(happened, self.last_at + timedelta(hours=1))
        self.sim.wish(
            self,
            Wish(kind=kind, to=to, reason=reason, comment=comment, form=form or {}),
            mover,
            min(happened, today.at),
        )

    def answered(self, outcome: MoveOutcome, today: Day) -> None:
        """Called with the engine's answer; goes on with what follows from it."""
        if outcome.allowed and outcome.event is not None and outcome.journey is not None:
            self.last_at = outcome.event.effective_at
            self.stage, self.refusals = outcome.journey.stage.key, 0
            self.moved(outcome.wish, today)
        elif outcome.verdict is not None:
            self.refusals += 1
            self.refused(outcome, today)

    def moved(self, wish: Wish, today: Day) -> None:
        raise NotImplementedError

    def refused(self, outcome: MoveOutcome, today: Day) -> None:
        """By default nothing: the plan ends here, and the journey lies where it is."""
