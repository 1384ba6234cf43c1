"""What this room tells the rooms below: contracts as subjects and records, and what follows a won deal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from fairlead.common import bulk, records
from fairlead.common.questions import Question
from fairlead.crm import facts as crm_facts
from fairlead.crm import rooms as crm_rooms
from fairlead.crm.models import HandOver
from fairlead.crm.services.deal_team import add_hand_over_hook
from fairlead.crm.services.merge import add_merge_guard
from fairlead.process import subjects
from fairlead.process.services import NewJourney, facts_change, published_keys, start_journeys
from fairlead.process.subjects import Mirror, Moment, Moved, SubjectFacts

from . import facts
from .models import Contract

_mirrors = Question(
    lambda ids: Contract.objects.filter(pk__in=ids).values_list(
        "pk", "number", "opportunity__name", "owner_id", "team_id", "amount"
    ),
    lists=("ids",),
)
_to_fulfil = Question(
    lambda deals: Contract.objects.filter(
        opportunity__in=deals, journey=None, countersigned_date__isnull=False
    ).order_by("pk"),
    lists=("deals",),
)


class ContractRoom:
    subject_type = "contract"
    label: Mapping[str, str] = {"zh": "合同", "en": "Contract"}
    externals: tuple[str, ...] = facts.CONTRACT_FACTS
    view_right, move_right = "contract.view", "contract.edit"
    ends_with_journey = True

    def facts(self, subject_ids: Sequence[int]) -> Mapping[int, SubjectFacts]:
        return facts.contract_facts(subject_ids)

    def facts_then(self, moments: Sequence[Moment]) -> Mapping[Moment, SubjectFacts]:
        return facts.contracts_then(moments)

    def mirrors(self, subject_ids: Sequence[int]) -> Mapping[int, Mirror]:
        return {
            pk: Mirror(title=f"{number} {name}", owner_id=owner, team_id=team, amount=amount, close_date=None)
            for pk, number, name, owner, team, amount in _mirrors(subject_ids)
        }

    def visible_ids(self, user: Any, subject_ids: Sequence[int], *, right: str) -> set[int]:
        return set(
            Contract.objects.visible_to(user, right).filter(pk__in=subject_ids).values_list("pk", flat=True)
        )

    def after_moves(self, moves: Sequence[Moved]) -> None:
        """Nothing follows a contract's move yet."""

    def url(self, subject_id: int) -> str:
        return reverse("offers:contract", args=[subject_id])


def open_fulfilment(moves: Sequence[Moved]) -> None:
    """A won deal's contract sets out on the contract process, where one is published (the value chain's 7 b)."""
    won = [m for m in moves if m.journey.subject_type == "opportunity" and m.journey.state == "won"]
    if not won or not published_keys("contract"):
        return
    contracts = _to_fulfil([m.journey.subject_id for m in won])
    first = won[0]
    journeys = start_journeys(
        [
            NewJourney(
                subject_type="contract",
                subject_id=c.pk,
                from_subject=("opportunity", c.opportunity_id, "won"),
            )
            for c in contracts
        ],
        by_id=first.by.pk if first.by is not None else None,
        at=first.at,
        channel=first.channel,
        refresh=first.refresh,
    )
    for contract, journey in zip(contracts, journeys, strict=True):
        contract.journey = journey
    bulk.update(contracts, ["journey_id"])


def follow_hand_over(handed: HandOver, at: datetime) -> None:
    """The gate of a contract may wait for the hand-over of its deal: it is judged anew."""
    ids = list(Contract.objects.filter(opportunity=handed.opportunity_id).values_list("pk", flat=True))
    with facts_change("contract", ids, at=at):
        pass


def _contract_stays(deal_id: int) -> str:
    """A contract names its deal; it does not change it."""
    if not Contract.objects.filter(opportunity=deal_id).exists():
        return ""
    return _("A contract hangs on the deal that would end. Let that deal stay instead.")


def register_rooms() -> None:
    subjects.register(ContractRoom())
    subjects.see_subjects(
        "contract",
        lambda user, right: Contract.objects.visible_to(user, right or "contract.view").values("pk"),
    )
    crm_facts.add_external_source("opportunity", facts.opportunity_externals)
    crm_facts.add_external_source("contract", facts.contract_externals)
    crm_rooms.add_move_hook(open_fulfilment)
    add_hand_over_hook(follow_hand_over)
    add_merge_guard(_contract_stays)
    records.register(
        records.RecordType(
            subject_type="contract",
            label={"zh": "合同", "en": "Contract"},
            plural={"zh": "合同", "en": "Contracts"},
            view_right="contract.view",
            edit_right="contract.edit",
            visible_ids=lambda user, ids, right: set(
                Contract.objects.visible_to(user, right).filter(pk__in=ids).values_list("pk", flat=True)
            ),
            title=lambda ids: dict(Contract.objects.filter(pk__in=ids).values_list("pk", "number")),
            url=lambda pk: reverse("offers:contract", args=[pk]),
            changing=lambda ids, at: crm_rooms.changing("contract", ids, at),
        )
    )
