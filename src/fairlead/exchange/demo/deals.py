"""A seller's work on one deal: what is done at each stage, how long it takes, how it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from fairlead.process.enums import Kind
from fairlead.process.services import MoveOutcome
from fairlead.process.verdicts import Wish

from . import truths
from .agent import Agent
from .approvals import Requests
from .evidence import DESK, FLAGS, NEEDED, PROVIDERS, WAIVABLE, Evidence
from .names import COMPETITORS, WAIVER_TEXTS

if TYPE_CHECKING:
    from .day import Day
    from .market import Customer
    from .people import Branch
    from .simulation import Simulation


@dataclass(frozen=True, slots=True)
class Course:
    """How a stage goes: median days, the chance to go on, and why it is lost otherwise (weights)."""

    days: float
    forward: float
    lost: tuple[tuple[str, float], ...]
    back: str = ""
    back_chance: float = 0.0


COURSES = {
    "customer_contact": Course(
        15,
        0.62,
        (
            ("need_cancelled", 5),
            ("budget_cancelled", 4),
            ("walked_away", 5),
            ("invalid", 5),
            ("duplicate", 2),
            ("relationship", 3),
            ("lock_in", 2),
        ),
    ),
    "needs_analysis": Course(
        22,
        0.70,
        (
            ("need_cancelled", 4),
            ("budget_cancelled", 4),
            ("walked_away", 3),
            ("relationship", 4),
            ("lock_in", 3),
            ("fit", 2),
            ("price", 2),
        ),
    ),
    "solution_design": Course(
        20,
        0.80,
        (
            ("fit", 5),
            ("slow_response", 3),
            ("lock_in", 2),
            ("delivery", 2),
            ("budget_cancelled", 3),
            ("price", 4),
        ),
        back="needs_analysis",
        back_chance=0.06,
    ),
    "quote_negotiation": Course(
        24,
        0.5,
        (
            ("price", 7),
            ("fit", 3),
            ("terms", 2),
            ("relationship", 2),
            ("budget_cancelled", 3),
            ("delivery", 1),
        ),
        back="solution_design",
        back_chance=0.05,
    ),
    "signing": Course(
        9, 0.96, (("budget_cancelled", 1), ("terms", 1)), back="quote_negotiation", back_chance=0.02
    ),
}
NEXT = dict(zip(list(COURSES), [*list(COURSES)[1:], ""], strict=True))
WEAK_FORWARD = 0.30  # of the weak branch before it was trained
LOST_TO_COMPETITOR = {"price", "fit", "relationship", "lock_in", "slow_response", "terms", "delivery"}
BACK_REASONS = ("need_changed", "decider_changed", "solution_rejected", "budget_changed", "moved_by_mistake")
HOLD_REASONS = ("project_paused", "budget_waiting", "decider_absent", "our_resources")
WIN_REASONS = ("fit", "value", "relationship", "delivery", "reference", "price", "incumbent")
FORGOTTEN, HELD, GAP, WAIVED, GIVE_UP = 0.035, 0.06, 0.07, 0.06, 4
WAIVED_LATE, NOTICE_WAIVED = 0.03, 0.25


class Deal(Evidence):
    """One opportunity with its people, its money, and what the simulator knows that nobody else does."""

    __slots__ = ("habits", "proven", "shaped", "told")

    def __init__(
        self, sim: Simulation, number: int, customer: Customer, branch: Branch, amount: Decimal, tender: bool
    ):
        Agent.__init__(self, sim, f"deal/{number}", "opportunity", 0, customer.owner)
        self.branch, self.customer, self.amount, self.tender = branch, customer, amount, tender
        self.proven = self.rng.random() < 0.5  # the customer will confirm the value case
        self.shaped = self.rng.random() < 0.5  # our differentiators stand in their criteria
        self.placed = {}
        self.score = 0
        self.contract = None
        self.second, self.requests = sim.has_second, Requests()
        self.discount: Decimal | None = None
        self.listed, self.credit, self.deadline = amount, None, None
        self.told: datetime | None = None  # when a talk was last written down
        self.habits = Random(f"{sim.seed}/habits/{number}")  # noqa: S311

    # --- at a stage ---

    def begin(self, journey_id: int, subject_id: int, opened_at: Any, stage: str, today: Day) -> None:
        self.journey_id, self.subject_id, self.last_at, self.stage = journey_id, subject_id, opened_at, stage
        self.enter(today.date)

    def enter(self, day: date) -> None:
        """Plan the stay at the stage that was reached."""
        self.plan += 1
        self.since = day
        course, rng = COURSES[self.stage], self.rng
        stay = self.lasts(course.days * self._slowness(day))
        if rng.random() < FORGOTTEN:
            self._work(day, stay, share=0.4)
            if rng.random() < 0.8:
                self.on(day + timedelta(days=self.lasts(150)), self.lose, "need_cancelled")
            return
        shock = self._shock_day(day, day + timedelta(days=stay))
        if shock is not None:
            self._work(day, stay, share=0.6)
            self.on(shock, self.lose, truths.SHOCK_REASON)
        elif course.back and rng.random() < course.back_chance:
            self._work(day, stay, share=0.5)
            self.on(day + timedelta(days=stay), self.step_back)
        elif rng.random() < self._forward():
            self._go_on(day, stay)
        else:
            self._work(day, stay, share=0.4 if self.stage == "customer_contact" else 0.9)
            reasons = course.lost
            reason = rng.choices([r for r, _w in reasons], [w for _r, w in reasons])[0]
            self.on(day + timedelta(days=max(2, round(stay * (0.6 + 0.6 * rng.random())))), self.lose, reason)

    def _slowness(self, day: date) -> float:
        slow = self.stage == truths.BOTTLENECK_STAGE and day >= self.sim.dates.bottleneck_from
        return truths.BOTTLENECK_FACTOR if slow else 1.0

    def _forward(self) -> float:
        if self.stage == "quote_negotiation":
            return truths.DECISIVE_ODDS[self.proven]
        weak = self.stage == truths.WEAK_STAGE and self.branch.key == truths.WEAK_BRANCH
        return (
            WEAK_FORWARD if weak and self.since < self.sim.dates.trained_on else COURSES[self.stage].forward
        )

    def _shock_day(self, first: date, last: date) -> date | None:
        """The day on which the price shock takes this deal, if it does."""
        if self.stage not in ("solution_design", "quote_negotiation"):
            return None
        days = [
            d
            for n in range((last - first).days + 1)
            if self.sim.dates.in_shock(d := first + timedelta(days=n))
        ]
        if not days or self.rng.random() >= truths.SHOCK_CHANCE:
            return None
        written = [d for d in days if self.sim.workdays.is_writing_day(d)]
        return self.rng.choice(written) if written else None

    def _go_on(self, day: date, stay: int) -> None:
        """Work towards the gate and ask it, sometimes with something missing, sometimes after a pause."""
        rng = self.rng
        if self.stage != "customer_contact" and self.stage != "signing" and rng.random() < HELD:
            self._work(day, stay, share=0.3)
            self.on(day + timedelta(days=max(2, stay // 2)), self.pause)
            return
        if self.stage == "customer_contact" and self.customer.is_known and rng.random() < 0.12:
            self.on(
                day + timedelta(days=max(2, stay // 3)), self.provide, ("problem_stated", "fr_deliverability")
            )
            self.on(day + timedelta(days=max(4, stay // 2)), self.skip)
            return
        self._work(day, stay, share=1.0)
        self.on(day + timedelta(days=stay), self.ask)

    def _work(self, day: date, stay: int, *, share: float) -> None:
        """Spread the evidence of the stage over three days of the stay; `share` of it is really brought."""
        rng = self.rng
        days = [day + timedelta(days=round(stay * part)) for part in (0.12, 0.45, 0.75)]
        plan: list[list[str]] = [[], [], []]
        desk = rng.choice((1, 2))
        for key in NEEDED[self.stage]:
            if rng.random() < share * (1 - GAP):
                if key in WAIVABLE and rng.random() < WAIVED:
                    self.on(days[1], self.waive, key)
                else:
                    plan[desk if key in DESK else rng.randrange(3)].append(key)
        for key, chance in FLAGS[self.stage].items():
            if key == truths.DECISIVE_CRITERION:
                chance = float(self.proven)
            elif key == truths.IDLE_CRITERION:
                chance = float(self.shaped)
            if rng.random() < share * chance:
                plan[desk if key in DESK else rng.choice((1, 2))].append(key)
            elif key in WAIVABLE and rng.random() < self._waived_late(key):
                self.on(days[2], self.waive, key)
        for when, keys in zip(days, plan, strict=True):
            if keys:
                self.on(when, self.provide, tuple(keys))

    def _waived_late(self, key: str) -> float:
        """How often a manager lets an advised item pass. A notice that never went on record is known to have been."""
        return NOTICE_WAIVED if key == "tender_published" and self.tender else WAIVED_LATE

    # --- acts ---

    def met(
        self, today: Day, kind: str, contacts: Sequence[int] = (), *, outcome: str = "", by: Any = None
    ) -> None:
        """Lately most talks were a planned next step first: agreed on when the last one was written down."""
        super().met(today, kind, contacts, outcome=outcome, by=by)
        row, told, self.told = today.activities[-1], self.told, today.at
        if told is None or row.done_at is None or self.habits.random() >= self.sim.dates.habit(today.date):
            return
        planned = max(told, row.done_at - timedelta(days=self.habits.randint(20, 45)))
        if planned < row.done_at:
            row.due_at = row.done_at.replace(minute=row.done_at.minute // 30 * 30, second=0)
            row.closed_recorded_at, row.recorded_at = row.recorded_at, planned

    def provide(self, today: Day, keys: tuple[str, ...]) -> None:
        for key in keys:
            PROVIDERS[key](self, today)

    def ask(self, today: Day) -> None:
        if self.requests.is_waiting:  # nobody asks the gate while an approval is under way
            self.on(today.date + timedelta(days=2), self.ask)
            return
        self.push_date(today, COURSES[self.stage].days)
        if self.stage in ("quote_negotiation", "signing"):
            self.finish_tasks(today)
        to = NEXT[self.stage]
        if to:
            self.wish(today, Kind.ADVANCE, to)
        else:
            self.wish(today, Kind.CLOSE_WON, reason=self.rng.choice(WIN_REASONS))

    def skip(self, today: Day) -> None:
        self.wish(
            today, Kind.SKIP, "quote_negotiation", reason=self.rng.choice(("repeat_order", "framework_order"))
        )

    def pause(self, today: Day) -> None:
        days = self.lasts(35, 0.5)
        resume = today.date + timedelta(days=days)
        self.wish(
            today, Kind.HOLD, reason=self.rng.choice(HOLD_REASONS), form={"resume_date": resume.isoformat()}
        )
        if self.rng.random() < 0.9:
            self.on(resume, self.resume)

    def resume(self, today: Day) -> None:
        self.wish(today, Kind.RESUME)

    def step_back(self, today: Day) -> None:
        """One stage back by the seller; further back, and behind what was approved, only the manager may."""
        to, by = COURSES[self.stage].back, self.owner
        if self.stage == "quote_negotiation" and {"terms", "atc"} & self.requests.granted.keys():
            by = self.branch.manager
        if self.stage in ("quote_negotiation", "signing") and self.rng.random() < 0.35:
            to, by = "needs_analysis", self.branch.manager
        self.wish(today, Kind.REGRESS, to, by=by, reason=self.rng.choice(BACK_REASONS))

    def lose(self, today: Day, reason: str) -> None:
        today.recalls.extend((pk, self.owner) for pk, _values in self.requests.pending.values())
        self.requests.pending.clear()
        rival = self.rng.choice(COMPETITORS) if reason in LOST_TO_COMPETITOR else ""
        self.wish(today, Kind.CLOSE_LOST, reason=reason, form={"competitor": rival} if rival else {})

    def reopen(self, today: Day) -> None:
        self.over = False
        self.wish(
            today, Kind.REOPEN, self.stage, reason=self.rng.choice(("customer_returned", "budget_restored"))
        )

    def waive(self, today: Day, key: str) -> None:
        reason = self.rng.choice(("equal_evidence", "time_first", "not_provided"))
        today.waive(
            self,
            key,
            reason,
            self.rng.choice(WAIVER_TEXTS),
            self.rng.choice((30, 60, 90)),
            self.branch.manager,
        )

    # --- answers ---

    def moved(self, wish: Wish, today: Day) -> None:
        match wish.kind:
            case Kind.HOLD:
                return
            case Kind.RESUME:
                self.plan += 1
                self.on(today.date + timedelta(days=3), self.provide, NEEDED[self.stage])
                self.on(today.date + timedelta(days=self.lasts(10)), self.ask)
            case Kind.CLOSE_WON:
                self.over = True
                self.sim.won.append(self)
            case Kind.CLOSE_LOST:
                self.over = True
                if wish.reason in ("budget_cancelled", "need_cancelled") and self.rng.random() < 0.07:
                    self.sim.on(today.date + timedelta(days=self.rng.randint(20, 80)), self.reopen)
            case Kind.REGRESS:
                self.enter(today.date)
            case _:
                self.enter(today.date)

    def refused(self, outcome: MoveOutcome, today: Day) -> None:
        """Mend what the gate named and ask again; a manager waives now and then, and some give up."""
        assert outcome.verdict is not None
        gaps = [r.key for r in outcome.verdict.gaps]
        if (
            self.refusals > GIVE_UP
            or not gaps
            or outcome.wish.kind not in (Kind.ADVANCE, Kind.SKIP, Kind.CLOSE_WON)
        ):
            self.on(today.date + timedelta(days=10), self.lose, "walked_away")
            return
        mending = today.date + timedelta(days=self.rng.randint(1, 6))
        waived = [g for g in gaps if g in WAIVABLE][: 1 if self.rng.random() < 0.2 else 0]
        for key in waived:
            self.on(mending, self.waive, key)
        self.on(mending, self.provide, tuple(g for g in gaps if g in PROVIDERS and g not in waived))
        self.on(
            mending + timedelta(days=self.rng.randint(1, 4)),
            self.skip if outcome.wish.kind == Kind.SKIP else self.ask,
        )
