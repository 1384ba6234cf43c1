"""Sixty ways in which an approval might be got round (T34), read through the envelope: inside it nothing voids; outside
only the levers that moved; what is bound exactly voids on any change."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from tests.factories.approvals import ATI, approving, document
from tests.factories.crm import Company, company
from tests.process.subjects import EXTERNALS, subject_catalogue

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Refusal, Stale
from fairlead.journal.models import Event
from fairlead.organisation import services as organisation
from fairlead.process.envelopes import bounds_as_json, bounds_from_json, envelope, left
from fairlead.process.examining import examine
from fairlead.process.loading import load
from fairlead.process.models import ApprovalGrant, ApprovalRequest
from fairlead.process.refusals import ApprovalDecided, ApprovalRefused
from fairlead.process.services import approval_handing, delegating
from fairlead.process.services import approving as acts
from fairlead.process.services.approval_handing import reroute_absent

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
D = Decimal
APPROVED: dict[str, Any] = {
    "discount": D("12.00"), "margin": D("20.00"), "amount": D("900000.00"), "currency": "CNY", "payment_days": 60,
    "prepay": D("30"), "clauses": ["penalty", "retention"], "payer": "启晨半导体",
}  # fmt: skip

# What is changed after the approval, and the levers that are void by it.
CHANGES: list[tuple[str, dict[str, Any], set[str]]] = [
    ("nothing", {}, set()),
    ("the same discount written otherwise", {"discount": D("12")}, set()),
    ("a smaller discount", {"discount": D("10")}, set()),
    ("no discount at all", {"discount": D(0)}, set()),
    ("a discount just inside", {"discount": D("11.99")}, set()),
    ("a discount crossed by 0.01", {"discount": D("12.01")}, {"price"}),
    ("a discount far outside", {"discount": D("40")}, {"price"}),
    ("the discount taken out of sight", {"discount": None}, {"price"}),
    ("a better margin", {"margin": D("31")}, set()),
    ("a margin crossed by 0.01", {"margin": D("19.99")}, {"price"}),
    ("the margin emptied", {"margin": None}, {"price"}),
    ("a higher amount", {"amount": D("2000000")}, set()),
    ("an amount lower by 0.01", {"amount": D("899999.99")}, {"price"}),
    ("an amount of zero", {"amount": D(0)}, {"price"}),
    ("the amount emptied", {"amount": None}, {"price"}),
    ("another currency", {"currency": "USD"}, {"price"}),
    ("another currency and a higher amount", {"currency": "JPY", "amount": D("99000000")}, {"price"}),
    ("a shorter credit", {"payment_days": 30}, set()),
    ("a credit of one day more", {"payment_days": 61}, {"payment"}),
    ("the credit emptied", {"payment_days": None}, {"payment"}),
    ("a higher prepayment", {"prepay": D("50")}, set()),
    ("a prepayment lower by 0.01", {"prepay": D("29.99")}, {"payment"}),
    ("shorter credit with less prepayment", {"payment_days": 10, "prepay": D(0)}, {"payment"}),
    ("one clause less", {"clauses": ["penalty"]}, set()),
    ("the clauses in another order", {"clauses": ["retention", "penalty"]}, set()),
    ("no clause", {"clauses": []}, set()),
    ("one clause more", {"clauses": ["penalty", "retention", "uncapped"]}, {"legal"}),
    ("one clause exchanged", {"clauses": ["penalty", "uncapped"]}, {"legal"}),
    ("another payer", {"payer": "启晨贸易"}, {"legal"}),
    ("a payer with a space", {"payer": "启晨半导体 "}, {"legal"}),
    ("the payer emptied", {"payer": ""}, {"legal"}),
    ("the payer gone", {"payer": None}, {"legal"}),
    ("two levers at once", {"discount": D("13"), "payment_days": 75}, {"price", "payment"}),
    ("all levers at once", {"discount": D("13"), "payment_days": 75, "payer": "x"}, {"price", "payment", "legal"}),
    ("better here, worse there", {"discount": D("5"), "payment_days": 90}, {"payment"}),
    ("a field that nothing binds", {"competitor": "同行"}, set()),
]  # fmt: skip


@pytest.mark.rule("T34", "AP-3", "AP-4")
@pytest.mark.parametrize(("change", "void"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_a_change_after_the_approval_voids_the_levers_that_moved_and_no_other(change, void):
    kind = load(
        document(), subject_catalogue("opportunity"), externals=EXTERNALS["opportunity"]
    ).approvals.kinds["discount"]
    stored = bounds_from_json(bounds_as_json(envelope(kind, APPROVED)))
    assert left(stored, APPROVED | change) == void


TRIMMED = "a payer with a space"  # a field loses it before anybody compares


@pytest.mark.rule("T34", "AP-3", "AP-4")
@pytest.mark.parametrize(
    ("change", "void"),
    [(change, set() if what == TRIMMED else void) for what, change, void in CHANGES],
    ids=[c[0] for c in CHANGES],
)
def test_the_same_by_an_edit_of_the_deal_ends_those_approvals_and_no_other(
    db: None, change: dict[str, Any], void: set[str]
) -> None:
    """The same change as an edit of a deal of which all three levers were approved, and what it leaves standing."""
    where = approving(company(), prohibited=[])
    values = {**APPROVED, "discount": D(12), "amount": D(900000)}
    deal = where.deal(stage="quote_negotiation", **values)
    request = acts.submit(
        deal.journey_id, kind="discount", package={"reason": "三年框架"}, by=where.zhou, at=timezone.now(),
        channel="ui",
    )  # fmt: skip
    for name in ("lu", "chen", "fang", "fang"):
        with suppress(NotPermitted, ApprovalDecided):
            acts.decide(
                request.pk, approves=True, comment="", by=where.people[name], at=timezone.now(), channel="ui"
            )
    request.refresh_from_db()
    assert request.state == "approved"
    granted = ApprovalGrant.objects.filter(journey=deal.journey_id)
    assert set(granted.values_list("lever", flat=True)) == {"price", "payment", "legal"}

    where.edit(deal, **change)

    ended = set(granted.filter(void_reason="outside").values_list("lever", flat=True))
    assert ended == void
    told = Event.objects.filter(journey_id=deal.journey_id, type="approval_voided")
    assert {event.data["lever"] for event in told} == void
    where.edit(deal, **{key: value for key, value in APPROVED.items() if key in change})
    again = set(granted.filter(void_reason="outside").values_list("lever", flat=True))
    assert again == void  # what has ended does not come back with the value


# --- at the door of the services ---


class Case:
    """A deal of zhou with a request that chen, then fang are asked about."""

    def __init__(self, where: Company) -> None:
        self.where = where
        self.deal = where.deal(
            stage="quote_negotiation", discount=12, margin=25, payment_days=30, payer="启晨"
        )
        self.request = self.submit()

    def how(self, name: str) -> dict[str, Any]:
        return {"by": self.where.people[name], "at": timezone.now(), "channel": "ui"}

    def submit(self, name: str = "zhou", kind: str = "discount", **more: Any) -> ApprovalRequest:
        return acts.submit(
            self.deal.journey_id, kind=kind, package={"reason": "三年框架"}, **more, **self.how(name)
        )

    def vote(self, name: str, approves: bool = True, **more: Any) -> ApprovalRequest:
        comment = more.pop("comment", "同意" if approves else "不行")
        return acts.decide(self.request.pk, approves=approves, comment=comment, **more, **self.how(name))

    def leave(self, name: str) -> None:
        organisation.deactivate(self.where.people[name], **self.how("admin"))
        self.where.people[name].refresh_from_db()


def edit(c: Case, **values: Any) -> Any:
    return c.where.edit(c.deal, **values)


def edited_by_admin(c: Case) -> Any:
    return c.where.edit(c.deal, by=c.where.admin, discount=1)


def old_version(c: Case) -> Any:
    seen = c.request.version
    c.vote("chen")
    return c.vote("fang", version=seen)


def twice(c: Case) -> Any:
    c.vote("chen")
    return c.vote("chen")


def after_recall(c: Case) -> Any:
    acts.recall(c.request.pk, **c.how("zhou"))
    return c.vote("chen")


def after_return(c: Case) -> Any:
    acts.give_back(c.request.pk, comment="补充", **c.how("chen"))
    return c.vote("chen")


def after_rejection(c: Case) -> Any:
    c.vote("chen", approves=False)
    return c.vote("fang")


def recalled_when_approved(c: Case) -> Any:
    c.vote("chen")
    c.vote("fang")
    return acts.recall(c.request.pk, **c.how("zhou"))


def handed_to_the_submitter(c: Case) -> Any:
    return approval_handing.transfer(c.request.pk, to=c.where.zhou.pk, comment="你自己看", **c.how("chen"))


def handed_twice(c: Case) -> Any:
    approval_handing.transfer(c.request.pk, to=c.where.luo.pk, comment="我出差", **c.how("chen"))
    return approval_handing.transfer(c.request.pk, to=c.where.boss.pk, comment="我也出差", **c.how("luo"))


def voted_after_handing_on(c: Case) -> Any:
    approval_handing.transfer(c.request.pk, to=c.where.luo.pk, comment="我出差", **c.how("chen"))
    return c.vote("chen")


def submitter_added(c: Case) -> Any:
    return approval_handing.add_approver(c.request.pk, person=c.where.zhou.pk, place="after", **c.how("chen"))


def delegated_to_the_submitter(c: Case) -> Any:
    day = timezone.localdate()
    delegating.delegate(
        delegator=c.where.fang, delegate_to=c.where.zhou.pk, from_date=day, to_date=day, **c.how("tang")
    )
    acts.recall(c.request.pk, **c.how("zhou"))
    c.request = c.submit()
    c.vote("chen")
    return c.vote("zhou")


def values_moved_meanwhile(c: Case) -> Any:
    type(c.deal).objects.filter(pk=c.deal.pk).update(discount=D("12.01"))  # past every door
    return c.vote("chen")


def submitted_twice(c: Case) -> Any:
    return c.submit()


def prohibited(c: Case) -> Any:
    acts.recall(c.request.pk, **c.how("zhou"))
    edit(c, clauses=["uncapped"])
    return c.submit()


#: What somebody tries, and how it is refused.
TRIED: list[tuple[str, Callable[[Case], Any], type[Refusal]]] = [
    ("the discount edited after submitting", lambda c: edit(c, discount=1), Invalid),
    ("the payer edited after submitting", lambda c: edit(c, payer="另一家"), Invalid),
    ("the amount lowered after submitting", lambda c: edit(c, amount=1), Invalid),
    ("edited by an administrator", edited_by_admin, Invalid),
    ("decided by whoever submitted it", lambda c: c.vote("zhou"), NotPermitted),
    ("decided by an administrator who is not asked", lambda c: c.vote("admin"), NotPermitted),
    ("decided by the process owner who is not asked", lambda c: c.vote("tang"), NotPermitted),
    ("decided by the link of another user", lambda c: c.vote("qi"), NotFound),
    ("decided by an auditor", lambda c: c.vote("shen"), NotPermitted),
    ("decided before one's turn", lambda c: c.vote("fang"), NotPermitted),
    ("decided twice", twice, ApprovalDecided),
    ("a replayed post on the old version", old_version, Stale),
    ("approved after the recall", after_recall, ApprovalDecided),
    ("approved after the return", after_return, ApprovalDecided),
    ("approved after the rejection", after_rejection, ApprovalDecided),
    ("recalled when it was approved", recalled_when_approved, ApprovalDecided),
    ("handed to whoever submitted it", handed_to_the_submitter, ApprovalRefused),
    ("handed on a second time", handed_twice, ApprovalRefused),
    ("voted after handing it on", voted_after_handing_on, NotPermitted),
    ("whoever submitted it added as approver", submitter_added, ApprovalRefused),
    ("delegated to whoever submitted it", delegated_to_the_submitter, NotPermitted),
    ("approved though a value moved by 0.01", values_moved_meanwhile, ApprovalRefused),
    ("submitted a second time", submitted_twice, ApprovalDecided),
    ("what is prohibited submitted", prohibited, ApprovalRefused),
]


@pytest.fixture
def case(db: None) -> Case:
    return Case(approving(company()))


@pytest.mark.rule("T34")
@pytest.mark.parametrize(("attempt", "refused"), [c[1:] for c in TRIED], ids=[c[0] for c in TRIED])
def test_what_is_tried_is_refused_and_nothing_is_approved_by_it(case, attempt, refused):
    before = ApprovalGrant.objects.count()
    with pytest.raises(refused):
        attempt(case)
    if attempt is not recalled_when_approved:
        assert ApprovalGrant.objects.count() == before
        assert not ApprovalRequest.objects.filter(state="approved").exists()


def test_there_are_sixty_cases():
    assert len(CHANGES) + len(TRIED) == 60


@pytest.mark.rule("T34", "AP-8")
def test_nobody_left_to_decide_leaves_it_open(case):
    for name in ("chen", "boss", "tang"):
        case.leave(name)
    reroute_absent(at=timezone.now(), channel="system")
    assert ApprovalRequest.objects.get().state == "pending"
    assert not ApprovalGrant.objects.exists()


@pytest.mark.rule("AP-14")
def test_a_grant_that_is_older_than_its_days_covers_nothing(case):
    case.vote("chen")
    case.vote("fang")
    grant = ApprovalGrant.objects.get()
    assert grant.expires_at - grant.granted_at == timedelta(days=60)


@pytest.mark.rule("PD-3", "AC-12")
def test_a_matrix_that_names_somebody_who_is_not_here_is_not_published(case):
    found = document()
    found["approvals"]["kinds"].append(
        {
            **ATI,
            "key": "atb",
            "rows": [{"key": "r", "approvers": [{"person": "nobody.here"}, {"role": "SR"}]}],
        }
    )
    errors = [f.path for f in examine(found).errors]
    assert errors == ["approvals.kinds.atb.rows.r.approvers.0"]
