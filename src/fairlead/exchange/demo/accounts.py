"""The chain before and after the deals: research of segments, development of accounts, care in cycles."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fairlead.organisation.enums import Role
from fairlead.process.enums import Kind
from fairlead.process.services import NewJourney
from fairlead.process.verdicts import Wish

from .agent import Agent
from .names import PLANS

if TYPE_CHECKING:
    from fairlead.process.models import Journey

    from .day import Day
    from .market import Customer
    from .simulation import Simulation

CARE_EVERY = 90  # days, as the process says


class Development(Agent):
    """A new account: profile, tier, a way in."""

    __slots__ = ("customer",)
    DAILY = False

    def __init__(self, sim: Simulation, customer: Customer) -> None:
        super().__init__(sim, f"development/{customer.id}", "account", customer.id, customer.owner)
        self.customer = customer

    def start(self, today: Day) -> None:
        today.starts.append(
            (
                NewJourney(
                    subject_type="account",
                    subject_id=self.subject_id,
                    process_key="account_development",
                    from_subject=("segment", self.customer.segment, "target"),
                    acted_by_id=self.owner.pk,
                ),
                self.begun,
            )
        )

    def begun(self, journey: Journey, today: Day) -> None:
        self.journey_id, self.last_at, self.stage = journey.pk, journey.entered_at, journey.stage.key
        self.enter(today)

    def enter(self, today: Day) -> None:
        self.plan += 1
        self.since = today.date
        stay, rng = self.lasts(9 if self.stage == "customer_identification" else 6), self.rng
        self.on(today.date + timedelta(days=max(1, stay // 2)), self.work)
        if rng.random() < 0.12:
            reason = rng.choice(("off_profile", "no_access", "bound", "bad_credit", "duplicate"))
            self.on(today.date + timedelta(days=stay), self.leave, reason)
        elif rng.random() < 0.96:
            self.on(today.date + timedelta(days=stay), self.go_on)

    def work(self, today: Day) -> None:
        rng = self.rng
        if self.stage == "customer_identification":
            today.edit(
                "account",
                self.subject_id,
                self.owner,
                source_checked=rng.random() < 0.85,
                org_departments=rng.randint(1, 5),
                potential_amount=rng.randint(2, 60) * 100_000,
                credit_check=rng.choice(("clear", "clear", "with_care", "open")),
            )
            return
        if rng.random() < 0.7:
            today.edit("account", self.subject_id, self.owner, way_in=rng.choice(PLANS))
        if rng.random() < 0.75:
            self.met(today, "call", [self.customer.contacts[0][0]])
        if self.customer.tier == "key" and rng.random() < 0.8:
            today.attest(
                self,
                "admission_review",
                "MGR",
                "看过潜力和风险，同意列为大客户。",
                self.customer.branch.manager,
            )

    def go_on(self, today: Day) -> None:
        if self.stage == "customer_identification":
            self.wish(today, Kind.ADVANCE, "account_admission")
        else:
            self.wish(today, Kind.CLOSE_WON)

    def leave(self, today: Day, reason: str) -> None:
        self.wish(
            today,
            Kind.CLOSE_LOST,
            reason=reason,
            form={"competitor": "同城设备厂"} if reason == "bound" else {},
        )

    def moved(self, wish: Wish, today: Day) -> None:
        if wish.kind == Kind.ADVANCE:
            self.enter(today)
        else:
            self.over = True


class Care(Agent):
    """Ninety days with a customer: prepare the review, hold it, follow up; then again."""

    __slots__ = ("begun_on", "customer")
    DAILY = False

    STAGES = ("review_preparation", "business_review", "follow_up")

    def __init__(self, sim: Simulation, customer: Customer) -> None:
        super().__init__(sim, f"care/{customer.id}", "account", customer.id, customer.owner)
        self.customer, self.begun_on = customer, sim.dates.start

    def start(self, today: Day) -> None:
        self.plan += 1
        today.starts.append(
            (
                NewJourney(
                    subject_type="account",
                    subject_id=self.subject_id,
                    process_key="care_cycle",
                    acted_by_id=self.owner.pk,
                ),
                self.begun,
            )
        )

    def begun(self, journey: Journey, today: Day) -> None:
        self.journey_id, self.last_at, self.stage = journey.pk, journey.entered_at, journey.stage.key
        self.begun_on, self.over = today.date, False
        self.enter(today)

    def enter(self, today: Day) -> None:
        self.plan += 1
        self.since = today.date
        stay = self.lasts((17, 16, 24)[self.STAGES.index(self.stage)], 0.3)
        self.on(today.date + timedelta(days=max(1, stay // 2)), self.work)
        if self.rng.random() < 0.012:
            self.on(
                today.date + timedelta(days=stay),
                self.leave,
                self.rng.choice(("left_us", "need_gone", "cycle_dropped")),
            )
        else:
            self.on(today.date + timedelta(days=stay), self.go_on)

    def work(self, today: Day) -> None:
        rng, day = self.rng, today.date
        if self.stage == "review_preparation":
            health = rng.choice(("green", "green", "amber", "red"))
            today.edit(
                "account",
                self.subject_id,
                self.owner,
                health=health,
                supporters=rng.randint(0, 4),
                **({"map_updated_on": day} if rng.random() < 0.8 else {}),
            )
            for contact, _department in self.customer.contacts[: rng.choice((1, 2, 2))]:
                self.met(today, rng.choice(("call", "visit", "meeting")), [contact])
        elif self.stage == "business_review":
            values: dict[str, Any] = {
                "nps": rng.randint(3, 10),
                "white_space": "质量部还没用视觉检测，下季先试一条线。",
            }
            if rng.random() < 0.6:
                values["executive_met_on"] = day - timedelta(days=rng.randint(0, 20))
            today.edit("account", self.subject_id, self.owner, **values)
            if rng.random() < 0.8:
                self.filed(today, "review_minutes", "经营评审纪要", by_customer=rng.random() < 0.85)
            self.tasks(
                today,
                "review_actions",
                ("回复备件交期", "安排夜班培训", "提交能耗对比"),
                done=rng.choice((1, 3, 3)),
            )
        else:
            today.edit(
                "account",
                self.subject_id,
                self.owner,
                health_plan="每周回访，月底前关闭三条投诉。",
                referrals=rng.randint(0, 2),
            )
            if rng.random() < 0.5:
                self.filed(today, "account_plan", "客户经营计划")

    def go_on(self, today: Day) -> None:
        place = self.STAGES.index(self.stage)
        if place + 1 < len(self.STAGES):
            self.wish(today, Kind.ADVANCE, self.STAGES[place + 1])
        else:
            self.finish_tasks(today)
            self.wish(today, Kind.CLOSE_WON)

    def leave(self, today: Day, reason: str) -> None:
        self.finish_tasks(today)
        self.wish(
            today,
            Kind.CLOSE_LOST,
            reason=reason,
            form={"competitor": "本地集成商"} if reason == "left_us" else {},
        )

    def moved(self, wish: Wish, today: Day) -> None:
        if wish.kind == Kind.ADVANCE:
            self.enter(today)
        elif wish.kind == Kind.CLOSE_WON:
            next_time = max(self.begun_on + timedelta(days=CARE_EVERY), today.date + timedelta(days=1))
            self.on(next_time, self.start)
        else:
            self.over = True


class Research(Agent):
    """A segment is studied and ends in a list of target accounts."""

    __slots__ = ("manager",)
    DAILY = False

    def __init__(self, sim: Simulation, segment_id: int, manager: Any) -> None:
        super().__init__(sim, f"segment/{segment_id}", "segment", segment_id, sim.staff.by_role[Role.MKT])
        self.manager = manager

    def start(self, today: Day) -> None:
        today.edit(
            "segment", self.subject_id, self.owner, market_goal="两年内进入前三，年新增 30 家目标客户。"
        )
        today.starts.append(
            (
                NewJourney(
                    subject_type="segment",
                    subject_id=self.subject_id,
                    process_key="market_research",
                    acted_by_id=self.owner.pk,
                ),
                self.begun,
            )
        )

    def begun(self, journey: Journey, today: Day) -> None:
        self.journey_id, self.last_at, self.stage = journey.pk, journey.entered_at, journey.stage.key
        self.on(today.date + timedelta(days=8), self.study)
        self.on(today.date + timedelta(days=self.lasts(16)), self.select)

    def study(self, today: Day) -> None:
        today.edit(
            "segment",
            self.subject_id,
            self.owner,
            icp_criteria="年用量 20 台以上，设备年限超过 8 年，员工 200 人以上。",
            main_competitors="某德系品牌、本地集成商",
            sources_dated_on=today.date - timedelta(days=self.rng.randint(20, 500)),
        )
        self.filed(today, "segment_profile", "市场报告")
        for _n in range(self.rng.randint(1, 4)):
            self.met(today, "call")

    def select(self, today: Day) -> None:
        self.wish(today, Kind.ADVANCE, "target_selection")

    def finish(self, today: Day) -> None:
        today.edit(
            "segment",
            self.subject_id,
            self.owner,
            target_count=self.rng.randint(15, 60),
            duplicates_checked=True,
        )
        self.filed(today, "target_list", "目标客户清单")
        today.attest(self, "segment_review", "MGR", "清单符合目标，人手排得开。", self.manager)

    def moved(self, wish: Wish, today: Day) -> None:
        if wish.kind != Kind.ADVANCE:
            self.over = True
            return
        self.plan += 1
        if self.rng.random() < 0.2:
            return  # lies there to this day
        self.on(today.date + timedelta(days=6), self.finish)
        self.on(today.date + timedelta(days=12), self.end)

    def end(self, today: Day) -> None:
        self.wish(today, Kind.CLOSE_WON)
