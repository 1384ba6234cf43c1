"""Approvals in simulated time: sellers ask for them, those who are asked decide after a believable while.

Everything goes through the services that the pages use, each act in its office hour. What a deal knows of its own
requests is kept beside it (`Requests`), so that no service is asked in vain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from fairlead.organisation.enums import Role
from fairlead.organisation.models import User
from fairlead.organisation.selectors import default_calendar
from fairlead.process.approval_enums import RequestState, SeatState
from fairlead.process.enums import JourneyState
from fairlead.process.models import ApprovalCondition, ApprovalRequest, ApprovalSeat, Journey
from fairlead.process.services import approval_handing, approving, conditions

from . import words
from .day import CHANNEL

if TYPE_CHECKING:
    from .deals import Deal
    from .simulation import Simulation

BID_DAYS = 4  # at least, from the request to the deadline of the bid
FREE_DISCOUNT, FREE_CREDIT = 5, 30  # beyond these the terms of a deal need an approval
WAITS = {Role.MGR: 2.5, Role.FIN: 4.0, Role.LEG: 7.0}  # median hours of work until somebody answers
SLOW_DAYS, SLOW, SLOW_SHARE = (
    4,
    7.0,
    0.55,
)  # in the last days some are left lying, for this many times as long
# Shares of what those who are asked do; the rest agrees.
GIVEN_BACK, REJECTED, ASKED, ADDED, CONDITION = 0.09, 0.05, 0.05, 0.03, 0.08


@dataclass(slots=True)
class Requests:
    """What a deal has asked for: on the way to be asked, being decided, granted with the values it binds."""

    sought: set[str] = field(default_factory=set)
    pending: dict[str, tuple[int, Any]] = field(default_factory=dict)  # kind → request, values
    granted: dict[str, Any] = field(default_factory=dict)
    rounds: dict[str, int] = field(default_factory=dict)

    @property
    def is_waiting(self) -> bool:
        return bool(self.sought or self.pending)


def values_of(deal: Deal, kind: str) -> Any:
    """The values that a request of this kind binds, as the deal has them now."""
    if kind == "terms":
        return (deal.discount or Decimal(0), deal.credit or 0)
    return deal.deadline if kind == "atb" else deal.amount


def covers(kind: str, granted: Any, now: Any) -> bool:
    """Whether what was granted still covers the values of now (the envelope of the process)."""
    if kind == "terms":
        return bool(now[0] <= granted[0] and now[1] <= granted[1])
    return bool(granted == now if kind == "atb" else now >= granted)


def needs_terms(deal: Deal) -> bool:
    return (deal.discount or 0) > FREE_DISCOUNT or (deal.credit or 0) > FREE_CREDIT


class Desk:
    """Whoever is asked for an approval, and whoever asks."""

    def __init__(self, sim: Simulation) -> None:
        self.sim, self.rng = sim, Random(f"{sim.seed}/desk")  # noqa: S311
        self.people = {user.pk: user for user in User.objects.select_related("team").order_by("pk")}
        self.promised: set[int] = set()  # seats whose person will answer

    # --- asking ---

    def seek(self, deal: Deal, kind: str, day: date) -> None:
        """The seller asks for it on that day, unless that is done or under way."""
        own = deal.requests
        if kind in own.sought or kind in own.pending:
            return
        own.sought.add(kind)
        self.sim.later(self.sim.office_hour(day, deal.rng), partial(self._ask, deal, kind, deal.plan))

    def _ask(self, deal: Deal, kind: str, plan: int, now: datetime) -> None:
        own, day = deal.requests, now.date()
        own.sought.discard(kind)
        if plan != deal.plan or deal.over or kind in own.pending:
            return
        if kind in own.granted and covers(kind, own.granted[kind], values_of(deal, kind)):
            return
        if kind == "terms" and not needs_terms(deal):
            return
        if unknown := self._still_unknown(deal, kind, day):
            deal.on(day, deal.provide, unknown)
            self.seek(deal, kind, day + timedelta(days=3))
            return
        if kind == "atc" and needs_terms(deal) and not self._has_terms(deal):
            self.seek(deal, "terms", day)
            self.seek(deal, "atc", day + timedelta(days=2))
            return
        if Journey.objects.filter(pk=deal.journey_id, state=JourneyState.OPEN).exists():
            self._submit(deal, kind, now)

    def _still_unknown(self, deal: Deal, kind: str, day: date) -> tuple[str, ...]:
        """What has to be filled in before anybody could decide; a bid needs a deadline that can still be met."""
        if kind == "atb":
            is_late = deal.deadline is None or deal.deadline < day + timedelta(days=BID_DAYS)
            return ("bid_in_time",) if is_late else ()
        if kind in ("terms", "atc") and (deal.discount is None or deal.credit is None):
            return ("price_set", "payment_milestones")
        return ()

    def _has_terms(self, deal: Deal) -> bool:
        granted = deal.requests.granted.get("terms")
        return granted is not None and covers("terms", granted, values_of(deal, "terms"))

    def _submit(self, deal: Deal, kind: str, now: datetime) -> None:
        rng, own = deal.rng, deal.requests
        again = own.rounds.get(kind, 0)
        own.rounds[kind] = again + 1
        request = approving.submit(
            deal.journey_id,
            kind=kind,
            text=rng.choice(words.AGAIN if again else words.REASONS[kind]),
            package={key: rng.choice(texts) for key, texts in words.PACKAGES[kind].items()},
            by=deal.owner,
            at=now,
            channel=CHANNEL,
        )
        own.pending[kind] = request.pk, values_of(deal, kind)
        self._go_on(deal, kind, request, now)

    # --- deciding ---

    def _go_on(self, deal: Deal, kind: str, request: ApprovalRequest, now: datetime) -> None:
        """After each act: the request has ended, or somebody is asked who will answer."""
        if request.state != RequestState.PENDING:
            _pk, values = deal.requests.pending.pop(kind)
            self._ended(deal, kind, request.state, values, now)
            return
        seats = ApprovalSeat.objects.filter(request=request, state=SeatState.ASKED).order_by("pk")
        for seat, person in seats.values_list("pk", "person_id"):
            if seat not in self.promised:
                self.promised.add(seat)
                self._promise(deal, kind, request.pk, person, now)

    def _promise(self, deal: Deal, kind: str, request: int, person: int, now: datetime) -> None:
        roles = self.people[person].roles
        median = next((hours for role, hours in WAITS.items() if role in roles), 3.0)
        hours = min(40.0, median * self.rng.lognormvariate(0.0, 0.8))
        last_days = (self.sim.dates.until - now.date()).days <= SLOW_DAYS
        if last_days and self.rng.random() < SLOW_SHARE:
            hours *= SLOW
        when = default_calendar().add_working_time(now, timedelta(hours=max(0.2, hours)))
        self.sim.later(when, partial(self._decide, deal, kind, request, person))

    def _decide(self, deal: Deal, kind: str, pk: int, person: int, now: datetime) -> None:
        asked = ApprovalSeat.objects.filter(
            request=pk, person=person, state=SeatState.ASKED, request__state=RequestState.PENDING
        )
        if not asked.exists():  # somebody else has answered, or it was taken back
            self._forget_recalled(deal, kind, pk)
            return
        rng, by = self.rng, self.people[person]
        how: dict[str, Any] = {"by": by, "at": now, "channel": CHANNEL}
        chance = rng.random()
        for share, act in (
            (GIVEN_BACK, self._give_back),
            (REJECTED, self._reject),
            (ASKED, self._ask_back),
            (ADDED, self._add),
            (CONDITION, self._approve_if),
        ):
            if chance < share and (request := act(deal, kind, pk, how)) is not None:
                break
            chance -= share
        else:
            comment = rng.choice(words.APPROVED)
            request = approving.decide(pk, approves=True, comment=comment, **how)
        self._go_on(deal, kind, request, now)

    def _forget_recalled(self, deal: Deal, kind: str, pk: int) -> None:
        """What was recalled with the end of its deal waits no longer: should the deal come back, it is asked anew."""
        waiting = deal.requests.pending.get(kind)
        is_recalled = ApprovalRequest.objects.filter(pk=pk, state=RequestState.RECALLED).exists()
        if waiting is not None and waiting[0] == pk and is_recalled:
            del deal.requests.pending[kind]

    def _give_back(self, _deal: Deal, kind: str, pk: int, how: dict[str, Any]) -> ApprovalRequest:
        return approving.give_back(pk, comment=self.rng.choice(words.RETURNED[kind]), **how)

    def _reject(self, _deal: Deal, kind: str, pk: int, how: dict[str, Any]) -> ApprovalRequest:
        return approving.decide(pk, approves=False, comment=self.rng.choice(words.REJECTED[kind]), **how)

    def _ask_back(self, deal: Deal, kind: str, pk: int, how: dict[str, Any]) -> ApprovalRequest:
        """A question first; the seller answers in some hours, and then it is decided."""
        said = self.rng.randrange(len(words.ASKED))
        row = approval_handing.ask_question(pk, to=deal.owner.pk, text=words.ASKED[said], **how)
        calendar, now = default_calendar(), how["at"]
        answered = calendar.add_working_time(now, timedelta(hours=self.rng.uniform(0.5, 5)))
        self.sim.later(answered, partial(self._answer, row.pk, words.ANSWERED[said], deal.owner))
        decided = calendar.add_working_time(answered, timedelta(hours=self.rng.uniform(0.5, 4)))
        self.sim.later(decided, partial(self._decide, deal, kind, pk, how["by"].pk))
        return ApprovalRequest.objects.get(pk=pk)

    def _answer(self, question: int, text: str, by: Any, now: datetime) -> None:
        approval_handing.answer_question(question, text=text, by=by, at=now, channel=CHANNEL)

    def _add(self, deal: Deal, _kind: str, pk: int, how: dict[str, Any]) -> ApprovalRequest | None:
        """A manager has the solution or delivery looked at first."""
        by = how["by"]
        added = self.rng.choice((deal.branch.solution, deal.branch.delivery))
        taken = ApprovalSeat.objects.filter(request=pk, person=added).exists()
        if Role.MGR not in by.roles or taken:
            return None
        request = approval_handing.add_approver(
            pk, person=added.pk, place="before", comment=words.ADDED, **how
        )
        # The manager is asked anew once that has been said.
        own = ApprovalSeat.objects.filter(request=pk, person=by.pk).values_list("pk", flat=True)
        self.promised -= set(own)
        return request

    def _approve_if(self, deal: Deal, kind: str, pk: int, how: dict[str, Any]) -> ApprovalRequest | None:
        """On a condition that becomes an item of a gate; whoever set it looks after it some days later."""
        if kind not in ("terms", "atc"):
            return None
        subject_type, stage, shown_by, name, text = self.rng.choice(words.CONDITIONS)
        given = {"subject_type": subject_type, "stage": stage, "kind": shown_by, "name": name, "text": text}
        request = approving.decide(pk, approves=True, comment=words.APPROVED[0], conditions=[given], **how)
        if shown_by == "word":
            day = how["at"].date() + timedelta(days=self.rng.randint(3, 9))
            self.sim.later(self.sim.office_hour(day, self.rng), partial(self._meet, request.pk, how["by"]))
        return request

    def _meet(self, request: int, by: Any, now: datetime) -> None:
        open_ones = ApprovalCondition.objects.filter(
            request=request, set_by=by, met_at=None, dropped_at=None, holds_from__isnull=False, kind="word",
            journey__state=JourneyState.OPEN,
        ).order_by("pk")  # fmt: skip
        for pk in open_ones.values_list("pk", flat=True):
            conditions.meet(pk, comment=words.MET, by=by, at=now, channel=CHANNEL)

    # --- what follows ---

    def _ended(self, deal: Deal, kind: str, state: str, values: Any, now: datetime) -> None:
        own, day = deal.requests, now.date()
        if state == RequestState.APPROVED:
            own.granted[kind] = values
            return
        if deal.over:
            return
        again = day + timedelta(days=self.rng.randint(1, 3))
        if state == RequestState.REJECTED and kind == "ati" and self.rng.random() < 0.5:
            deal.on(day + timedelta(days=2), deal.lose, "walked_away")
        elif own.rounds[kind] > 3:
            deal.on(day + timedelta(days=4), deal.lose, "walked_away")
        elif state == RequestState.REJECTED and kind == "terms":
            deal.on(day + timedelta(days=2), deal.take_back_discount)
            self.seek(deal, kind, day + timedelta(days=5))
        else:
            self.seek(deal, kind, again + timedelta(days=3 if state == RequestState.REJECTED else 0))
