"""What is brought to the gates of a deal: one provider for each criterion of the chain's process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fairlead.crm.models import ContactRole
from fairlead.offers.models import Contract
from fairlead.organisation.enums import Role

from .agent import Agent
from .approvals import Requests
from .names import COMPETITORS, CONCESSIONS, DIFFERENTIATORS, PAYMENTS, PLANS, PROBLEMS, PROCESS_STEPS

if TYPE_CHECKING:
    from .day import Day
    from .market import Customer
    from .people import Branch

# What blocks at each gate, and how often the other items are brought of one's own accord.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "customer_contact": ("contact_two_way", "problem_stated", "bant", "sr_assigned"),
    "needs_analysis": ("req_confirmed", "eb_identified", "ati", "triangle_complete"),
    "solution_design": ("internal_review", "fr_deliverability", "evaluator_endorses"),
    "quote_negotiation": ("customer_response", "payment_milestones", "atc"),
    "signing": ("contract_equals_approved",),
}
FLAGS: Mapping[str, Mapping[str, float]] = {
    "customer_contact": {
        "next_meeting": 0.6,
        "coach_candidate": 0.3,
        "meddpicc_contact": 0.55,
    },
    "needs_analysis": {
        "pain_metric": 0.55,
        "decision_map": 0.5,
        "process_dates": 0.6,
        "competition_known": 0.55,
        "meddpicc_needs": 0.5,
        "budget_band": 0.6,
    },
    "solution_design": {
        "evaluator_supports": 0.5,
        "cost_and_margin": 0.6,
        "value_case": 0.5,
        "criteria_shaped": 0.5,
        "poc_met": 0.6,
        "mutual_plan": 0.3,
        "executive_access": 0.5,
        "meddpicc_solution": 0.5,
        "atb": 0.7,
        "tender_published": 0.75,
        "bid_in_time": 0.8,
    },
    "quote_negotiation": {
        "price_set": 0.6,
        "eb_confirms": 0.5,
        "contract_risk": 0.5,
        "finance_review": 0.6,
        "concessions_traded": 0.5,
        "close_date_ahead": 0.6,
        "meddpicc_quote": 0.45,
        "final_contract": 0.7,
    },
    "signing": {"contract_filed": 0.75, "competitor_recorded": 0.6},
}
# What is typed into fields is typed on one day: people sit down to it.
DESK = frozenset(
    {
        "problem_stated", "bant", "next_meeting", "sr_assigned", "meddpicc_contact", "pain_metric",
        "process_dates", "competition_known", "meddpicc_needs", "budget_band", "triangle_complete",
        "cost_and_margin", "criteria_shaped", "meddpicc_solution", "bid_in_time", "payment_milestones",
        "price_set", "concessions_traded", "close_date_ahead", "meddpicc_quote", "competitor_recorded",
    }
)  # fmt: skip
WAIVABLE = frozenset(
    {
        "req_confirmed",
        "eb_identified",
        "internal_review",
        "evaluator_endorses",
        "customer_response",
        "atc",
        "pain_metric",
        "budget_band",
        "evaluator_supports",
        "mutual_plan",
        "eb_confirms",
        "contract_risk",
        "close_date_ahead",
        "meddpicc_quote",
        "meddpicc_needs",
        "contract_countersigned",
        "tender_published",
    }
)
BOUND = frozenset({"amount", "discount", "credit_days", "tender_deadline"})
CUT_AGAIN = 0.35  # of the times that a price is talked about again
ELEMENTS = (
    "pain",
    "metrics",
    "decision_process",
    "economic_buyer",
    "paper_process",
    "decision_criteria",
    "champion",
    "competition",
)
KINDS = ("call", "meeting", "visit", "chat", "demo", "workshop", "site_visit", "email")


class Evidence(Agent):
    """The acts behind the criteria; mixed into `Deal`, which has the state they use."""

    __slots__ = (
        "amount",
        "branch",
        "contract",
        "credit",
        "customer",
        "deadline",
        "discount",
        "listed",
        "placed",
        "requests",
        "score",
        "second",
        "tender",
    )

    branch: Branch
    customer: Customer
    amount: Decimal
    tender: bool
    placed: dict[str, int]
    score: int
    contract: Contract | None
    second: bool  # on the second version of the process: decisions are approvals
    requests: Requests
    discount: Decimal | None
    listed: Decimal  # the amount before any discount
    credit: int | None
    deadline: date | None

    def edit(self, today: Day, **values: Any) -> None:
        if self.requests.granted and not BOUND.isdisjoint(values):
            today.bound.add(self.subject_id)
        today.edit("opportunity", self.subject_id, self.owner, **values)

    def push_date(self, today: Day, days: float) -> None:
        """The date of signing is put off as the seller learns more."""
        if self.rng.random() < 0.3:
            self.edit(today, expected_close_date=today.date + timedelta(days=self.lasts(days * 2.2, 0.35)))

    def talk(self, today: Day, *, contacts: int = 1) -> None:
        people = self.customer.contacts
        chosen = self.rng.sample(people, min(contacts, len(people)))
        self.met(today, self.rng.choices(KINDS, (30, 22, 24, 10, 4, 3, 3, 12))[0], [pk for pk, _d in chosen])

    # --- contact ---

    def contact_two_way(self, today: Day) -> None:
        first, second = self.rng.sample(self.customer.contacts, 2)
        self.met(today, self.rng.choice(("call", "visit", "meeting")), [first[0]])
        self.met(today, self.rng.choice(("call", "visit", "chat")), [second[0]])

    def problem_stated(self, today: Day) -> None:
        self.edit(
            today,
            customer_problem=f"{self.rng.choice(PROBLEMS)}（{today.date.isoformat()}）",
            contact_plan=self.rng.choice(PLANS),
        )

    def bant(self, today: Day) -> None:
        known = ("claimed", "claimed", "verified")
        self.edit(
            today,
            **{f"bant_{part}": self.rng.choice(known) for part in ("budget", "authority", "need", "timing")},
        )

    def next_meeting(self, today: Day) -> None:
        self.talk(today)
        self.edit(today, next_meeting_on=today.date + timedelta(days=self.rng.randint(6, 28)))

    def coach_candidate(self, today: Day) -> None:
        self.place(today, "COACH", depth=1, stance=1)

    def place(self, today: Day, role: str, *, depth: int, stance: int) -> None:
        """Put a contact into the role: the one whose department fits, another one the next time."""
        if self.placed.get(role, -1) >= len(self.customer.contacts) - 1:
            return
        wanted = {"EB": "总经办", "UB": "生产部", "TB": "技术中心", "PUR": "采购部", "COACH": "设备部"}[role]
        order = sorted(self.customer.contacts, key=lambda c: c[1] != wanted)
        n = self.placed[role] = self.placed.get(role, -1) + 1
        today.roles.append(
            (
                ContactRole(
                    opportunity_id=self.subject_id,
                    contact_id=order[n][0],
                    role=role,
                    stance=stance,
                    depth=depth,
                    influence=5 if role == "EB" else self.rng.randint(2, 4),
                    recorded_at=today.at,
                ),
                self.owner,
            )
        )

    def sr_assigned(self, today: Day) -> None:
        self.edit(today, sr=self.branch.solution.pk)

    def triangle_complete(self, today: Day) -> None:
        self.edit(today, sr=self.branch.solution.pk, fr=self.branch.delivery.pk)

    # --- scores ---

    def scored(self, today: Day, total: int) -> None:
        """Raise the score to `total`: the elements that gates insist on come first."""
        if total <= self.score:
            return
        self.score = total
        values = {f"meddpicc_{name}": 0 for name in ELEMENTS}
        for round_ in range(2):
            for name in ELEMENTS:
                if total > 0:
                    values[f"meddpicc_{name}"] = round_ + 1
                    total -= 1
        self.edit(today, **values)

    # --- needs ---

    def req_confirmed(self, today: Day) -> None:
        self.filed(today, "requirement_confirmation", "需求确认书", by=self.branch.solution, by_customer=True)
        self.met(today, self.rng.choice(("workshop", "meeting")), [c for c, _d in self.customer.contacts[:2]])

    def eb_identified(self, today: Day) -> None:
        self.place(
            today, "EB", depth=2 if self.customer.tier == "key" and self.rng.random() < 0.5 else 1, stance=0
        )

    def seek(self, today: Day, kind: str) -> None:
        """Ask for an approval on one of the next mornings, once what it binds is written down."""
        self.sim.desk.seek(self, kind, today.date + timedelta(days=1))  # type: ignore[arg-type]

    def ati(self, today: Day) -> None:
        if self.second:
            self.seek(today, "ati")
            return
        today.attest(self, "ati", "MGR", "看过投入、毛利、赢率和人手，同意立项。", self.branch.manager)

    def pain_metric(self, today: Day) -> None:
        self.edit(
            today, pain_value=(self.amount * Decimal(self.rng.randint(20, 90)) / 100).quantize(Decimal(1))
        )

    def decision_map(self, today: Day) -> None:
        self.place(today, "UB", depth=1, stance=self.rng.randint(0, 1))
        self.place(today, self.rng.choice(("TB", "PUR")), depth=1, stance=0)

    def process_dates(self, today: Day) -> None:
        method = (
            "open_tender" if self.tender else self.rng.choice(("comparison", "single_source", "framework"))
        )
        self.edit(
            today,
            decision_process=PROCESS_STEPS,
            purchase_method=method,
            decision_date=today.date + timedelta(days=self.rng.randint(40, 110)),
        )

    def competition_known(self, today: Day) -> None:
        self.edit(
            today,
            competitor=self.rng.choice(COMPETITORS),
            our_position=self.rng.choice(("ahead", "level", "level", "behind")),
        )

    def budget_band(self, today: Day) -> None:
        self.edit(
            today,
            budget_low=(self.amount * Decimal("0.8")).quantize(Decimal(1)),
            budget_high=(self.amount * Decimal("1.2")).quantize(Decimal(1)),
        )

    # --- solution ---

    def internal_review(self, today: Day) -> None:
        today.attest(
            self, "internal_review", "MGR", "技术、交付、成本三方已看，可以给客户。", self.branch.manager
        )

    def fr_deliverability(self, today: Day) -> None:
        self.edit(today, fr=self.branch.delivery.pk)
        today.attest(self, "fr_deliverability", "FR", "范围、工期和人手可以交付。", self.branch.delivery)

    def evaluator_endorses(self, today: Day) -> None:
        self.filed(today, "solution_endorsement", "方案评价表", by=self.branch.solution, by_customer=True)
        self.talk(today, contacts=2)

    def evaluator_supports(self, today: Day) -> None:
        self.place(today, "TB", depth=2, stance=self.rng.randint(1, 2))

    def cost_and_margin(self, today: Day) -> None:
        margin = Decimal(self.rng.randint(18, 38))
        self.edit(
            today,
            target_margin=margin,
            margin=margin,
            cost_baseline=(self.amount * (100 - margin) / 100).quantize(Decimal(1)),
        )

    def value_case(self, today: Day) -> None:
        self.filed(today, "value_case", "价值测算", by=self.branch.solution, by_customer=True)

    def criteria_shaped(self, today: Day) -> None:
        self.edit(today, differentiators=self.rng.choice(DIFFERENTIATORS))

    def poc_met(self, today: Day) -> None:
        self.edit(today, poc_needed=True)
        if self.rng.random() < 0.6:
            self.filed(today, "poc_report", "试用报告", by=self.branch.solution, by_customer=True)

    def mutual_plan(self, today: Day) -> None:
        self.tasks(
            today,
            "mutual_plan",
            ("客户确认测试工位", "我方提交布局图", "双方过安全条款", "客户安排评审会"),
            done=3 if self.rng.random() < 0.6 else 1,
        )

    def executive_access(self, today: Day) -> None:
        if self.customer.tier == "key":
            self.place(today, "EB", depth=2, stance=1)

    def atb(self, today: Day) -> None:
        if self.tender and self.second:
            self.seek(today, "atb")
        elif self.tender:
            today.attest(self, "atb", "MGR", "看过标书条件、胜算和费用，同意投标。", self.branch.manager)

    def tender_published(self, today: Day) -> None:
        if self.tender:
            self.filed(today, "tender_published", "招标公告", by_customer=True)

    def bid_in_time(self, today: Day) -> None:
        if self.tender and "atb" not in self.requests.pending:
            days = self.rng.randint(1, 40)
            self.deadline = today.date + timedelta(days=max(days, 10) if self.second else days)
            self.edit(today, tender_deadline=self.deadline)

    # --- quotation ---

    def customer_response(self, today: Day) -> None:
        self.filed(
            today, "customer_response", "中标通知" if self.tender else "客户书面答复", by_customer=True
        )

    def payment_milestones(self, today: Day) -> None:
        plan, credit = self.rng.choice(PAYMENTS), self.rng.choice((0, 30, 45, 60))
        if self.second and (self.requests.pending or self.credit is not None):  # settled, or being decided
            return
        self.credit = credit
        self.edit(today, payment_plan=plan, credit_days=credit)

    def terms_approved(self, today: Day) -> None:
        if self.second:
            self.seek(today, "terms")

    def atc(self, today: Day) -> None:
        if self.second:
            self.seek(today, "atc")
            return
        today.attest(self, "atc", "MGR", "价格、账期、交期、条款在授权内，同意签约。", self.branch.manager)

    def price_set(self, today: Day) -> None:
        """The quote: a discount, and the amount that is left."""
        discount = Decimal(self.rng.choice((0, 3, 5, 8, 10, 12, 15, 22)))
        if self.second and self.discount is not None:
            self._price_cut(today)
            return
        if self.discount is None:
            self.listed = self.amount
        self.discount = discount
        self.amount = (self.amount * (100 - discount) / 100).quantize(Decimal(100))
        self.edit(today, discount=discount, amount=self.amount)
        self.talk(today)

    def _price_cut(self, today: Day) -> None:
        """The customer presses once more, now and then: what was approved before does not cover it."""
        if not self.requests.pending and self.rng.random() < CUT_AGAIN:
            self._priced(today, (self.discount or Decimal(0)) + self.rng.choice((3, 5, 7)))

    def take_back_discount(self, today: Day) -> None:
        """What was not granted is not offered."""
        if not self.requests.pending and self.discount:
            self._priced(today, Decimal(10 if self.discount > 10 else 5))

    def _priced(self, today: Day, discount: Decimal) -> None:
        self.discount = discount
        self.amount = (self.listed * (100 - discount) / 100).quantize(Decimal(100))
        self.edit(today, discount=discount, amount=self.amount)
        self.talk(today)

    def eb_confirms(self, today: Day) -> None:
        self.place(today, "EB", depth=2, stance=1)
        boss = [pk for pk, department in self.customer.contacts if department == "总经办"]
        self.met(today, self.rng.choice(("meeting", "visit", "call")), boss[:1])

    def contract_risk(self, today: Day) -> None:
        today.attest(self, "contract_risk", "LEG", "条款风险已关闭。", self.sim.staff.by_role[Role.LEG])

    def finance_review(self, today: Day) -> None:
        today.attest(
            self, "finance_review", "FIN", "账期、税和回款安排可以接受。", self.sim.staff.by_role[Role.FIN]
        )

    def concessions_traded(self, today: Day) -> None:
        self.edit(today, concessions=self.rng.choice(CONCESSIONS))

    def close_date_ahead(self, today: Day) -> None:
        self.edit(today, expected_close_date=today.date + timedelta(days=self.rng.randint(8, 35)))

    def final_contract(self, today: Day) -> None:
        self.filed(today, "contract_final", "合同终稿")

    # --- signing ---

    def contract_equals_approved(self, today: Day) -> None:
        """The contract comes in, now and then with another amount than was approved: then it is changed."""
        if self.contract is not None:
            today.contract_edits[self.contract.pk] = ({"amount": self.amount}, self.owner)
            return
        differs = self.rng.random() < 0.07
        signed = today.date - timedelta(days=self.rng.randint(0, 2))
        number = self.sim.contract_number(today.date)
        self.contract = Contract(
            number=number,
            opportunity_id=self.subject_id,
            signed_date=signed,
            countersigned_date=today.date,
            amount=(self.amount * Decimal("0.98")).quantize(Decimal(100)) if differs else self.amount,
            owner=self.owner,
            team=self.owner.team,
            created_at=today.at,
            updated_at=today.at,
            is_sample=True,
        )
        today.contracts.append(self.contract)

    def contract_filed(self, today: Day) -> None:
        self.filed(today, "contract", "双方签章合同", by_customer=True, signed=True)

    def competitor_recorded(self, today: Day) -> None:
        self.edit(today, competitor=self.rng.choice(COMPETITORS))


def _raises_score(total: int) -> Callable[[Any, Any], None]:
    return lambda deal, today: deal.scored(today, total)


_OWN = {key for stage in NEEDED.values() for key in stage} | {
    key for stage in FLAGS.values() for key in stage
}
PROVIDERS: Mapping[str, Callable[[Any, Any], None]] = {
    "meddpicc_contact": _raises_score(5),
    "meddpicc_needs": _raises_score(9),
    "meddpicc_solution": _raises_score(12),
    "meddpicc_quote": _raises_score(15),
    "terms_approved": Evidence.terms_approved,
} | {key: getattr(Evidence, key) for key in sorted(_OWN) if hasattr(Evidence, key)}
