"""What contracts and milestones tell: facts from outside, for the deal and for the contract's own process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, TypeGuard

from django.utils import timezone

from fairlead.common.questions import Question
from fairlead.crm import facts as crm_facts
from fairlead.crm.deal_team_facts import hand_over_facts
from fairlead.crm.past import past_facts
from fairlead.process.facts import ExternalFact
from fairlead.process.packages import fact_of
from fairlead.process.subjects import Moment, SubjectFacts

from .models import Contract, Milestone, MilestoneKind

CONTRACT_FACTS = (
    "contract_countersigned",
    "contract_equals_approved",
    "handover_accepted",
    "kickoff_held",
    "acceptance_signed",
    "first_payment_received",
    "all_payments_received",
)
_MILESTONE_FACTS = {
    MilestoneKind.HANDOVER: "handover_accepted",
    MilestoneKind.KICKOFF: "kickoff_held",
    MilestoneKind.ACCEPTANCE: "acceptance_signed",
}


def _instant(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_default_timezone())


def _known(day: date | None, as_of: datetime | None) -> TypeGuard[date]:
    return day is not None and (as_of is None or _instant(day) <= as_of)


_SIGNED = (
    "pk",
    "opportunity_id",
    "countersigned_date",
    "amount",
    "currency",
    "opportunity__amount",
    "opportunity__currency",
    "created_at",
)
_signed_of: Question[tuple[Any, ...]] = Question(
    lambda deals: Contract.objects.filter(opportunity__in=deals).order_by("pk").values_list(*_SIGNED),
    lists=("deals",),
)


_signed_ones: Question[tuple[Any, ...]] = Question(
    lambda ids: Contract.objects.filter(pk__in=ids).values_list(*_SIGNED), lists=("ids",)
)
_milestones_of = Question(
    lambda ids: Milestone.objects.filter(contract__in=ids).order_by("done_date", "pk"), lists=("ids",)
)


def opportunity_externals(ids: Sequence[int]) -> crm_facts.ExternalReader:
    """Of a deal: its contract stands, and equals in amount and currency what the deal says."""
    contracts: dict[int, list[_Signed]] = defaultdict(list)
    for signed in _signed(_signed_of(ids)):
        contracts[signed.deal].append(signed)

    def read(pk: int, as_of: datetime | None, documents: crm_facts.Documents) -> Mapping[str, ExternalFact]:
        facts: dict[str, ExternalFact] = {}
        for signed in contracts.get(pk, ()):
            if as_of is None or signed.created_at <= as_of:
                _say_signed(facts, signed, as_of, f"contract:{signed.pk}")
        for document in documents:
            if document.kind in ("tender_published", "award_notice"):
                facts[document.kind] = ExternalFact(
                    document.kind, document.added_at, f"document:{document.id}"
                )
        return facts

    return read


@dataclass(frozen=True, slots=True)
class _Signed:
    """A contract with its deal, the day both had signed, and whether it equals what the deal says."""

    pk: int
    deal: int
    day: date | None
    equal: bool
    created_at: datetime


def _signed(contracts: Iterable[tuple[Any, ...]]) -> Iterator[_Signed]:
    for pk, deal, day, amount, currency, deal_amount, deal_currency, created_at in contracts:
        yield _Signed(pk, deal, day, amount == deal_amount and currency == deal_currency, created_at)


def _say_signed(facts: dict[str, ExternalFact], signed: _Signed, as_of: datetime | None, ref: str) -> None:
    if not _known(signed.day, as_of):
        return
    at = _instant(signed.day)
    facts["contract_countersigned"] = ExternalFact("contract_countersigned", at, ref)
    if signed.equal:
        facts["contract_equals_approved"] = ExternalFact("contract_equals_approved", at, ref)


def contract_externals(ids: Sequence[int]) -> crm_facts.ExternalReader:
    """What is known of a contract; its hand-over to delivery is that of its deal, or a milestone of that name."""
    signed = {s.pk: s for s in _signed(_signed_ones(ids))}
    handed = hand_over_facts([s.deal for s in signed.values()])
    milestones: dict[int, list[Milestone]] = defaultdict(list)
    for milestone in _milestones_of(ids):
        milestones[milestone.contract_id].append(milestone)

    def read(pk: int, as_of: datetime | None, documents: crm_facts.Documents) -> Mapping[str, ExternalFact]:
        facts: dict[str, ExternalFact] = {}
        if pk in signed:
            _say_signed(facts, signed[pk], as_of, "")
            given = handed(signed[pk].deal, as_of, documents).get(fact_of("sr_fr"))
            if given is not None:
                facts["handover_accepted"] = ExternalFact("handover_accepted", given.at, given.ref)
        payments = []
        for milestone in milestones.get(pk, ()):
            fact = _MILESTONE_FACTS.get(MilestoneKind(milestone.kind))
            if fact and _known(milestone.done_date, as_of):
                facts.setdefault(
                    fact, ExternalFact(fact, _instant(milestone.done_date), f"milestone:{milestone.pk}")
                )
            if milestone.kind == MilestoneKind.PAYMENT:
                payments.append(milestone.done_date)
        done = [day for day in payments if _known(day, as_of)]
        if done:
            first, last = min(done), max(done)
            facts["first_payment_received"] = ExternalFact("first_payment_received", _instant(first))
            if len(done) == len(payments):
                facts["all_payments_received"] = ExternalFact("all_payments_received", _instant(last))
        return facts

    return read


def contract_facts(ids: Sequence[int]) -> dict[int, SubjectFacts]:
    return crm_facts.assemble(crm_facts.field_values(Contract, ids, "contract"), "contract")


def contracts_then(moments: Sequence[Moment]) -> dict[Moment, SubjectFacts]:
    return past_facts(Contract, "contract", moments)
