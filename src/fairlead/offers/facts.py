"""What contracts and milestones tell: facts from outside, for the deal and for the contract's own process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any, TypeGuard

from django.utils import timezone

from fairlead.common.questions import Question
from fairlead.crm import facts as crm_facts
from fairlead.process.facts import ExternalFact
from fairlead.process.subjects import SubjectFacts

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
)
_signed_of: Question[tuple[Any, ...]] = Question(
    lambda deals: Contract.objects.filter(opportunity__in=deals).order_by("pk").values_list(*_SIGNED),
    lists=("deals",),
)


def opportunity_externals(
    ids: Sequence[int], as_of: datetime | None, documents: crm_facts.Documents
) -> dict[int, dict[str, ExternalFact]]:
    """Of a deal: its contract stands, and equals in amount and currency what the deal says."""
    found: dict[int, dict[str, ExternalFact]] = defaultdict(dict)
    if as_of is None:
        contracts = _signed_of(ids)
    else:
        rows = Contract.objects.filter(opportunity__in=ids, created_at__lte=as_of).order_by("pk")
        contracts = list(rows.values_list(*_SIGNED))
    for pk, deal, countersigned, equal in _signed(contracts):
        facts = found[deal]
        if _known(countersigned, as_of):
            at, ref = _instant(countersigned), f"contract:{pk}"
            facts["contract_countersigned"] = ExternalFact("contract_countersigned", at, ref)
            if equal:
                facts["contract_equals_approved"] = ExternalFact("contract_equals_approved", at, ref)
    for pk, filed in documents.items():
        for document in filed:
            if document.kind in ("tender_published", "award_notice"):
                found[pk][document.kind] = ExternalFact(
                    document.kind, document.added_at, f"document:{document.id}"
                )
    return found


def _signed(contracts: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, int, date | None, bool]]:
    """Contracts by id with their deal, the day both had signed, and whether they equal what the deal says."""
    for pk, deal, day, amount, currency, deal_amount, deal_currency in contracts:
        yield pk, deal, day, amount == deal_amount and currency == deal_currency


def contract_externals(
    ids: Sequence[int], as_of: datetime | None, documents: crm_facts.Documents
) -> dict[int, dict[str, ExternalFact]]:
    found: dict[int, dict[str, ExternalFact]] = defaultdict(dict)
    for pk, _deal, countersigned, equal in _signed(Contract.objects.filter(pk__in=ids).values_list(*_SIGNED)):
        if _known(countersigned, as_of):
            at = _instant(countersigned)
            found[pk]["contract_countersigned"] = ExternalFact("contract_countersigned", at)
            if equal:
                found[pk]["contract_equals_approved"] = ExternalFact("contract_equals_approved", at)
    payments: dict[int, list[Milestone]] = defaultdict(list)
    for milestone in Milestone.objects.filter(contract__in=ids).order_by("done_date", "pk"):
        fact = _MILESTONE_FACTS.get(MilestoneKind(milestone.kind))
        if fact and _known(milestone.done_date, as_of):
            found[milestone.contract_id].setdefault(
                fact, ExternalFact(fact, _instant(milestone.done_date), f"milestone:{milestone.pk}")
            )
        if milestone.kind == MilestoneKind.PAYMENT:
            payments[milestone.contract_id].append(milestone)
    for pk, rows in payments.items():
        done = [m.done_date for m in rows if _known(m.done_date, as_of)]
        if done:
            first, last = min(done), max(done)
            found[pk]["first_payment_received"] = ExternalFact("first_payment_received", _instant(first))
            if len(done) == len(rows):
                found[pk]["all_payments_received"] = ExternalFact("all_payments_received", _instant(last))
    return found


def contract_facts(ids: Sequence[int], as_of: datetime | None) -> dict[int, SubjectFacts]:
    return crm_facts.assemble(crm_facts.field_values(Contract, ids, "contract"), "contract", as_of)
