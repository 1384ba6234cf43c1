"""After the signature: the contract's own journey, its milestones and payments."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fairlead.offers.models import Milestone, MilestoneKind
from fairlead.organisation.enums import Role
from fairlead.process.enums import Kind
from fairlead.process.verdicts import Wish

from .agent import Agent
from .names import PAYMENTS

if TYPE_CHECKING:
    from .day import Day
    from .deals import Deal
    from .simulation import Simulation

STAGES = {"handover": 5, "delivery": 48, "acceptance": 16, "collection": 45}
NEXT = dict(zip(list(STAGES), [*list(STAGES)[1:], ""], strict=True))
SHARES = (("首付款", 30), ("到货款", 40), ("验收款", 30))


class Fulfilment(Agent):
    """Delivery works on one contract from hand-over to the last payment."""

    __slots__ = ("deal", "milestones")
    DAILY = False

    def __init__(self, sim: Simulation, deal: Deal, contract_id: int, journey_id: int) -> None:
        super().__init__(sim, f"contract/{deal.subject_id}", "contract", contract_id, deal.branch.delivery)
        self.deal, self.journey_id = deal, journey_id
        self.milestones: dict[str, list[Milestone]] = {}
        self.last_at = deal.last_at

    def begin(self, today: Day) -> None:
        """The list of steps and payments is set up the next morning."""
        self.stage = "handover"
        self.on(today.date + timedelta(days=1), self.set_up)
        self.enter(today.date)

    def set_up(self, today: Day) -> None:
        first = today.date
        steps = (
            (MilestoneKind.HANDOVER, "交接", 5),
            (MilestoneKind.KICKOFF, "开工会", 10),
            (MilestoneKind.DELIVERY, "到货", 50),
            (MilestoneKind.ACCEPTANCE, "验收", 75),
        )
        for kind, name, days in steps:
            self._milestone(today, kind, name, first + timedelta(days=days), None)
        for (name, share), days in zip(SHARES, (42, 75, 115), strict=True):
            amount = (self.deal.amount * share / 100).quantize(Decimal("0.01"))
            self._milestone(today, MilestoneKind.PAYMENT, name, first + timedelta(days=days), amount)
        self._edit(
            today,
            delivery_manager=self.owner.name,
            open_disputes=0,
            planned_acceptance_date=first + timedelta(days=80),
            **({"payment_schedule": self.rng.choice(PAYMENTS)} if self.rng.random() < 0.8 else {}),
            **({"customer_lead": "客户项目经理"} if self.rng.random() < 0.8 else {}),
        )
        self.tasks(
            today, "handover", ("技术协议归档", "现场条件确认", "备料清单"), done=self.rng.choice((2, 3, 3))
        )

    def _milestone(self, today: Day, kind: str, name: str, due: date, amount: Decimal | None) -> None:
        row = Milestone(contract_id=self.subject_id, kind=kind, name=name, due_date=due, amount=amount)
        self.milestones.setdefault(kind, []).append(row)
        today.milestones.append((row, self.owner))

    def _edit(self, today: Day, **values: Any) -> None:
        today.contract_edits[self.subject_id] = (values, self.owner)

    def enter(self, day: date) -> None:
        self.plan += 1 if self.stage != "handover" else 0
        self.since = day
        stay = max(3, self.lasts(STAGES[self.stage], 0.35))
        self.on(day + timedelta(days=max(2, round(stay * 0.6))), self.work)
        if self.stage == "acceptance" and self.rng.random() < 0.06:
            self.on(day + timedelta(days=stay), self.return_to_delivery)
        elif self.rng.random() < 0.005:
            self.on(day + timedelta(days=stay), self.cancel)
        else:
            self.on(day + timedelta(days=stay), self.go_on)

    def done(self, today: Day, kind: str, count: int = 1) -> None:
        for row in [m for m in self.milestones.get(kind, ()) if m.done_date is None][:count]:
            row.done_date = today.date
            today.done_milestones.append((row, self.owner))

    def work(self, today: Day) -> None:
        rng = self.rng
        people = [pk for pk, _d in self.deal.customer.contacts]
        if self.stage == "handover":
            self.done(today, MilestoneKind.HANDOVER)
        elif self.stage == "delivery":
            self.finish_tasks(today)
            self.done(today, MilestoneKind.KICKOFF)
            if rng.random() < 0.75:
                self.done(today, MilestoneKind.PAYMENT)
            if rng.random() < 0.7:
                self.filed(today, "project_plan", "项目计划", by_customer=rng.random() < 0.8)
            self.met(today, "call", people[:1])
            if rng.random() < 0.1:
                self._edit(today, contract_amended=True)
                if rng.random() < 0.7:
                    today.attest(self, "atac", "MGR", "看过变更的影响，同意变更。", self.deal.branch.manager)
        elif self.stage == "acceptance":
            self.done(today, MilestoneKind.DELIVERY)
            self.done(today, MilestoneKind.PAYMENT)
            if rng.random() < 0.85:
                self.done(today, MilestoneKind.ACCEPTANCE)
                self.filed(
                    today, "acceptance_report", "验收报告", by_customer=True, signed=rng.random() < 0.9
                )
        else:
            self.done(today, MilestoneKind.PAYMENT, 4 if rng.random() < 0.75 else 1)
            if rng.random() < 0.6:
                self.filed(today, "project_review", "项目复盘")
            if rng.random() < 0.7:
                today.attest(
                    self, "atcc", "FIN", "款清、无争议、资料齐，同意关闭。", self.sim.staff.by_role[Role.FIN]
                )
            self.rated(today)

    def rated(self, today: Day) -> None:
        """Most customers say how satisfied they are, and finance knows what the work has cost."""
        rng = self.rng
        found: dict[str, Any] = {}
        if rng.random() < 0.85:
            score = Decimal(min(max(round(rng.gauss(84, 9)), 40), 100)) / 10
            found |= {"satisfaction": score, "satisfaction_date": today.date, "satisfaction_source": "visit"}
        if rng.random() < 0.8:
            share = Decimal(str(round(rng.gauss(0.68, 0.06), 4)))
            found["actual_cost"] = (self.deal.amount * share).quantize(Decimal("0.01"))
        if found:
            self._edit(today, **found)

    def go_on(self, today: Day) -> None:
        to = NEXT[self.stage]
        self.wish(today, Kind.ADVANCE if to else Kind.CLOSE_WON, to)

    def return_to_delivery(self, today: Day) -> None:
        self.wish(today, Kind.REGRESS, "delivery", reason="acceptance_refused")

    def cancel(self, today: Day) -> None:
        self.wish(today, Kind.CLOSE_LOST, reason="customer_cancelled")

    def moved(self, wish: Wish, today: Day) -> None:
        if wish.kind in (Kind.ADVANCE, Kind.REGRESS):
            self.enter(today.date)
        else:
            self.over = True
