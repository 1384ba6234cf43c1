"""The last weeks of the deal teams: a no to a clause, hand-overs, questions to a role, requests for a waiver.

A few of each are settled, and a few stand open on the last morning: most in the branch of those who can sign in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from fairlead.crm.models import Opportunity
from fairlead.crm.services import deal_team
from fairlead.organisation.enums import Role
from fairlead.process.enums import JourneyState, OverrideState, VetoState
from fairlead.process.models import OverrideRequest, Veto
from fairlead.process.packages import PACKAGES
from fairlead.process.services import (
    accept_alternative,
    decide_override,
    overrule_veto,
    raise_veto,
    request_override,
    withdraw_veto,
)
from fairlead.process.services.delegating import delegate

from . import words
from .day import CHANNEL

if TYPE_CHECKING:
    from .deals import Deal
    from .simulation import Simulation

LIVELY = 40  # days at a stage: nobody talks much about deals that lie longer
HOME = "east"  # the branch of those who can sign in
# Days back from the last morning: what has been settled since, and what stands open.
VETOES_SETTLED, VETOES_OPEN = (25, 21, 17, 12, 9), (2, 1, 1)
QUESTIONS_ANSWERED, QUESTIONS_OPEN = (25, 23, 20, 18, 15, 12, 9, 7), (6, 3, 2, 2, 1, 1)
HAND_OVERS_ANSWERED, HAND_OVERS_OPEN = (25, 23, 21, 18, 15, 11, 8), (3, 2, 1, 1)
WAIVERS_DECIDED, WAIVERS_OPEN = (24, 21, 17, 13, 9, 6), (3, 2, 1, 1)
AWAY = (8, 6)  # days before and after the last morning
AWAY_CAP = Decimal(2_000_000)
WAIVED = {
    "needs_analysis": "req_confirmed",
    "solution_design": "evaluator_endorses",
    "quote_negotiation": "customer_response",
}
STAGES = tuple(WAIVED)
Act = Callable[["Deal", datetime, bool], None]


class TeamLife:
    """Plans the acts; which deal each is about is chosen when its hour has come."""

    def __init__(self, sim: Simulation, deals: Sequence[Deal]) -> None:
        self.sim, self.deals = sim, deals
        self.rng = Random(f"{sim.seed}/team-life")  # noqa: S311
        self.used: set[int] = set()
        self.numbers: Counter[str] = Counter()  # how many there were of each kind: so that texts differ

    def plan(self) -> None:
        for settled, still_open, act in (
            (VETOES_SETTLED, VETOES_OPEN, self._veto),
            (QUESTIONS_ANSWERED, QUESTIONS_OPEN, self._question),
            (HAND_OVERS_ANSWERED, HAND_OVERS_OPEN, self._hand_over),
            (WAIVERS_DECIDED, WAIVERS_OPEN, self._waiver),
        ):
            for days in settled:
                self._on(days, partial(self._choose, act, True))
            for days in still_open:
                self._on(days, partial(self._choose, act, False))
        self._on(AWAY[0], self._stand_in)

    def _on(self, days: int, act: Callable[[datetime], None]) -> None:
        """That many days back; what would fall on the last morning was the last worked day before."""
        day = self.sim.dates.until - timedelta(days=days)
        while not self.sim.workdays.is_worked(day):
            day -= timedelta(days=1)
        self.sim.later(self.sim.office_hour(day, self.rng), act)

    def _choose(self, act: Act, is_settled: bool, now: datetime) -> None:
        """An open deal of the home branch with its whole team, that nothing of this was about yet."""
        wanted = [
            d for d in self.deals
            if not d.over and d.second and d.stage in STAGES
            and d.subject_id not in self.used
        ]  # fmt: skip
        whole = set(
            Opportunity.objects.filter(
                pk__in=[d.subject_id for d in wanted], journey__state=JourneyState.OPEN,
                sr__isnull=False, fr__isnull=False,
            ).values_list("pk", flat=True)
        )  # fmt: skip
        found = [d for d in wanted if d.subject_id in whole]
        found = [d for d in found if d.branch.key == HOME] or found
        found = [d for d in found if (now.date() - d.since).days <= LIVELY] or found
        if act == self._veto and self.numbers["veto"] % 2:
            found = [d for d in found if d.stage == "quote_negotiation"] or found
        if found:
            mine = [d for d in found if d.owner.username == "seller"]
            deal = self.rng.choice(mine if mine and self.rng.random() < 0.4 else found)
            self.used.add(deal.subject_id)
            act(deal, now, is_settled)

    def _next(self, kind: str) -> int:
        self.numbers[kind] += 1
        return self.numbers[kind] - 1

    def _how(self, by: Any, now: datetime) -> dict[str, Any]:
        """In the name of the person as the desk knows them: with all their teams, which were founded after them."""
        return {"by": self.sim.desk.people[by.pk], "at": now, "channel": CHANNEL}

    def _afterwards(self, now: datetime, act: Callable[[datetime], None], *, days: int = 1) -> None:
        self.sim.later(self.sim.office_hour(now.date() + timedelta(days=days), self.rng), act)

    # --- a no to a clause ---

    def _veto(self, deal: Deal, now: datetime, is_settled: bool) -> None:
        is_late = deal.stage == "quote_negotiation"
        own = [veto for veto in words.VETOES if (veto[0] in ("legal", "finance")) == is_late]
        domain, clause, alternative = own[self._next("veto") // 2 % len(own)]
        staff = self.sim.staff.by_role
        by = {"technical": deal.branch.solution, "legal": staff[Role.LEG], "finance": staff[Role.FIN]}.get(
            domain, deal.branch.delivery
        )
        row = raise_veto(
            deal.journey_id, domain=domain, clause=clause, alternative=alternative, **self._how(by, now)
        )
        if is_settled:
            self._afterwards(now, partial(self._settle, deal, row.pk, by))

    def _settle(self, deal: Deal, veto: int, by: Any, now: datetime) -> None:
        chance = self.rng.random()
        row = Veto.objects.get(pk=veto)
        if row.state != VetoState.OPEN:  # it ended with its deal
            return
        version = row.version  # of today: a deal that ended and came back has raised it again
        if chance < 0.6 and not deal.over:
            accept_alternative(veto, version=version, **self._how(deal.owner, now))
        elif chance < 0.8:
            withdraw_veto(veto, version=version, **self._how(by, now))
        else:
            how = self._how(deal.branch.manager, now)
            overrule_veto(veto, reason=words.OVERRULED, version=version, **how)

    # --- questions to a role ---

    def _question(self, deal: Deal, now: datetime, is_settled: bool) -> None:
        n = self._next("question")
        role, text = words.QUESTIONS[n % len(words.QUESTIONS)]
        row = deal_team.ask_role(
            deal.subject_id, role=role, question=text, days=3, **self._how(deal.owner, now)
        )
        if is_settled:
            by = deal.branch.solution if role == "SR" else deal.branch.delivery
            answer = words.REPLIES[n % len(words.REPLIES)]
            days = self.rng.choice((1, 1, 2, 5))
            self._afterwards(now, partial(self._reply, row.pk, row.version, answer, by), days=days)

    def _reply(self, question: int, version: int, answer: str, by: Any, now: datetime) -> None:
        deal_team.answer_role(question, answer=answer, version=version, **self._how(by, now))

    # --- hand-overs ---

    def _hand_over(self, deal: Deal, now: datetime, is_settled: bool) -> None:
        is_early = deal.stage == "needs_analysis"
        package = PACKAGES["ar_sr" if is_early else "sr_fr"]
        giver, taker = (
            (deal.owner, deal.branch.solution) if is_early else (deal.branch.solution, deal.branch.delivery)
        )
        row = deal_team.offer_hand_over(
            deal.subject_id,
            package=package.key,
            there=[item.key for item in package.items if item.required or self.rng.random() < 0.5],
            note=words.HANDED[(0 if is_early else 1 + self._next("hand-over") % 2)],
            **self._how(giver, now),
        )
        if is_settled:
            self._afterwards(now, partial(self._take, row.pk, row.version, taker), days=2)

    def _take(self, hand_over: int, version: int, by: Any, now: datetime) -> None:
        how = self._how(by, now)
        if self.rng.random() < 0.7:
            deal_team.accept_hand_over(hand_over, version=version, **how)
        else:
            deal_team.return_hand_over(
                hand_over,
                reason_code="incomplete",
                reason=self.rng.choice(words.BACK),
                version=version,
                **how,
            )

    # --- requests for a waiver ---

    def _waiver(self, deal: Deal, now: datetime, is_settled: bool) -> None:
        text, compensation = words.WAIVERS[deal.stage]
        request = request_override(
            deal.journey_id,
            criterion_key=WAIVED[deal.stage],
            reason_code=self.rng.choice(("not_provided", "time_first", "equal_evidence")),
            text=text,
            compensation=compensation,
            expires_at=now + timedelta(days=30),
            **self._how(deal.owner, now),
        )
        if is_settled:
            self._afterwards(now, partial(self._answer_waiver, request.pk, deal.branch.manager))

    def _answer_waiver(self, request: int, by: Any, now: datetime) -> None:
        granted = self.rng.random() < 0.75
        said = self.rng.choice(words.WAIVER_ANSWERS) if granted else words.WAIVER_REFUSED
        if (
            OverrideRequest.objects.get(pk=request).state != OverrideState.OPEN
        ):  # withdrawn with its deal's end
            return
        decide_override(request, granted=granted, text=said, **self._how(by, now))

    # --- standing in ---

    def _stand_in(self, now: datetime) -> None:
        """The manager of another branch is away these days; the one who can sign in decides for him."""
        away, manager = self.sim.staff.branches["south"].manager, self.sim.staff.branches[HOME].manager
        until: date = self.sim.dates.until + timedelta(days=AWAY[1])
        delegate(
            delegator=away, delegate_to=manager.pk, from_date=now.date(), to_date=until, amount_cap=AWAY_CAP,
            reason=words.AWAY, **self._how(away, now),
        )  # fmt: skip
