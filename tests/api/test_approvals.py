"""Approvals through the API, as the acceptance scenarios tell them (§2.4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from tests.factories.approvals import approving
from tests.factories.crm import Company

from fairlead.crm.services import changing_many
from fairlead.crm.services.many import Change, edit_many
from fairlead.journal.models import Event
from fairlead.offers import services as offers
from fairlead.organisation import services as organisation
from fairlead.organisation.selectors import default_calendar
from fairlead.process import services as process
from fairlead.process.models import ApprovalGrant, ApprovalRequest, ApprovalSeat, Journey
from fairlead.process.selectors.gathering import checklists
from fairlead.process.services.approval_handing import remind, reroute_absent
from fairlead.process.services.rebuilding import differences
from fairlead.process.services.shipping import shipped
from fairlead.work.models import NotificationEntry

WHY = {"reason": "客户比价，三年框架"}


@pytest.fixture
def sale(where: Company) -> Company:
    return approving(where)


class Desk:
    """One deal, and everybody's door to it."""

    def __init__(self, where: Company, key_of: Any, **values: Any) -> None:
        self.where, self.key_of = where, key_of
        terms = {"discount": 12, "margin": 25, "payment_days": 30, "payer": "启晨半导体", **values}
        owner = terms.pop("owner", None) or where.zhou
        stage = terms.pop("stage", "quote_negotiation")
        self.deal = where.deal(stage=stage, owner=owner, **terms)
        self.owner, self.doors = owner, {}
        self.request: int = 0

    def door(self, name: str) -> Any:
        if name not in self.doors:
            self.doors[name] = self.key_of(self.where.people[name])
        return self.doors[name]

    def submit(self, by: str = "zhou", kind: str = "discount", **more: Any) -> Any:
        body = {"kind": kind, "package": WHY if kind == "discount" else {}, **more}
        answer = self.door(by).post(f"/journeys/{self.deal.journey_id}/approvals", body)
        if answer.status_code == 201:
            self.request = answer.json()["id"]
        return answer

    def act(self, by: str, verb: str, **body: Any) -> Any:
        return self.door(by).post(f"/approvals/{self.request}/{verb}", body)

    def approve(self, by: str, **more: Any) -> Any:
        return self.act(by, "decide", decision="approve", **more)

    def reject(self, by: str, comment: str = "毛利太低") -> Any:
        return self.act(by, "decide", decision="reject", comment=comment)

    def edit(self, by: str = "zhou", **values: Any) -> Any:
        self.deal.refresh_from_db()
        fields = {key: values.pop(key) for key in list(values) if key in ("payment_days", "clauses", "payer")}
        values |= {"fields": fields} if fields else {}
        return self.door(by).patch(f"/opportunities/{self.deal.pk}", values, self.deal.version)

    def asked(self) -> list[str]:
        """Whose decision is asked now."""
        rows = ApprovalSeat.objects.filter(request=self.request, state="asked").order_by("person__username")
        return list(rows.values_list("person__username", flat=True))

    def steps(self) -> dict[str, str]:
        found = self.door("zhou").get(f"/approvals/{self.request}").json()
        return {step["key"]: step["state"] for step in found["steps"]}

    def gate(self) -> Any:
        (verdict,) = checklists([self.where.journey(self.deal)], at=timezone.now()).values()
        return next(r for r in verdict.results if r.key == "terms")


@pytest.fixture
def desk(sale: Company, key_of: Any) -> Any:
    return lambda **values: Desk(sale, key_of, **values)


@pytest.mark.rule("AC-16", "AP-3", "AP-1", "AP-4")
def test_inside_nothing_is_asked_and_outside_only_the_lever_that_moved(desk):
    at = desk(payment_days=45)
    assert at.submit().status_code == 201
    assert at.asked() == ["chen", "fang"]  # the price at the manager, the credit days at finance
    assert at.approve("fang").json()["state"] == "pending"
    assert at.approve("chen").json()["state"] == "pending"
    assert at.approve("fang").json()["state"] == "approved"
    assert at.gate().why == "approval_met"

    assert at.edit(discount="10").status_code == 200
    assert at.gate().state == "met" and at.submit().json()["code"] == "approval-stands"
    assert at.edit(discount="12.5").status_code == 200
    assert (at.gate().why, at.gate().why_params["levers"]) == ("approval_outside", ["price"])
    assert [s["lever"] for s in at.submit().json()["steps"]] == ["price", "price"]
    at.approve("chen")
    assert at.approve("fang").json()["state"] == "approved"

    assert at.edit(payment_days=75).status_code == 200
    assert at.gate().why_params["levers"] == ["payment"]
    assert [s["row"] for s in at.submit().json()["steps"]] == ["credit"]
    assert at.approve("fang").json()["state"] == "approved"
    assert at.gate().state == "met"


@pytest.mark.rule("AC-17", "AP-4", "AP-3")
def test_ten_cuts_of_one_percent_breach_at_the_first_that_leaves_the_envelope(desk):
    at = desk(discount=3, margin=25)
    at.where.edit(at.deal, discount="12", margin="20")
    at.submit()
    at.approve("chen")
    at.approve("fang")
    at.where.edit(at.deal, margin="25")
    states = []
    for cut in range(1, 11):
        at.where.edit(at.deal, margin=str(25 - cut))
        states.append(at.gate().state)
    assert states == ["met"] * 5 + ["unmet"] * 5
    assert Event.objects.filter(type="approval_voided").count() == 1
    at.where.edit(at.deal, margin="25")  # what has left does not come back with the value
    assert at.gate().why == "approval_outside"


@pytest.mark.rule("AC-18", "AP-6", "AP-5")
def test_recalled_it_is_free_again_and_resubmitted_unchanged_the_first_step_is_carried(desk):
    at = desk()
    at.submit()
    at.approve("chen")
    assert at.steps() == {"price.1": "approved", "price.2": "active"}
    frozen = at.edit(discount="11")
    assert frozen.status_code == 422 and frozen.json()["errors"][0]["field"] == "discount"
    assert at.edit(competitor="同行一家").status_code == 200  # all else goes on
    assert at.act("lin", "recall").status_code == 404
    assert at.act("fang", "recall").status_code == 403
    assert at.act("zhou", "recall").json()["state"] == "recalled"
    assert at.edit(discount="11").status_code == 200
    first = at.request
    at.submit()
    assert at.request != first and at.steps() == {"price.1": "approved", "price.2": "active"}
    assert at.asked() == ["fang"]
    assert at.approve("fang").json()["state"] == "approved"


@pytest.mark.rule("AP-6", "AC-18")
def test_resubmitted_with_a_value_outside_nothing_is_carried(desk):
    at = desk()
    at.submit()
    at.approve("chen")
    at.act("zhou", "recall")
    at.edit(discount="13")
    at.submit()
    assert at.asked() == ["chen"]


@pytest.mark.rule("AC-19", "AP-7")
@pytest.mark.parametrize(("carry", "asked"), [(False, ["chen"]), (True, ["fang"])])
def test_returned_to_a_named_step_and_rejected_with_and_without_carry(where, key_of, carry, asked):
    at = Desk(approving(where, carry=carry), key_of)
    at.submit()
    at.approve("chen")
    assert at.act("fang", "return", to="price.9", comment="没有这一步").json()["code"] == "approval-no-step"
    back = at.act("fang", "return", to="price.1", comment="请经理说明三年框架")
    assert back.status_code == 200 and at.asked() == ["chen"]
    at.approve("chen")
    assert at.act("fang", "return", to="previous", comment="还差一句").status_code == 200
    assert at.asked() == ["chen"]
    at.approve("chen")
    assert at.act("fang", "decide", decision="reject").status_code == 422  # a reason is needed
    assert at.reject("fang").json()["state"] == "rejected"
    at.submit()
    assert at.asked() == asked


@pytest.mark.rule("AP-7")
def test_returned_to_whoever_submitted_it_is_mended_and_submitted_again(desk):
    at = desk()
    at.submit()
    assert at.act("chen", "return", comment="补充客户报价截图").json()["state"] == "returned"
    assert at.edit(discount="11.5").status_code == 200
    assert at.submit().status_code == 201


@pytest.mark.rule("AC-20", "AP-8")
def test_a_deputy_decides_up_to_the_cap_above_it_goes_on_and_never_the_own(desk, sale):
    today = timezone.localdate()
    days = {"from_date": str(today), "to_date": str(today + timedelta(days=7))}
    small, large = desk(amount=800_000, discount=8), desk(amount=2_000_000, discount=8)
    made = small.door("chen").post(
        "/delegations", {"delegate": sale.luo.pk, "amount_cap": "1000000", "kinds": ["discount"], **days}
    )
    assert made.status_code == 201
    small.submit()
    large.submit()
    assert (small.asked(), large.asked()) == (["luo"], ["boss"])
    assert small.approve("luo").json()["state"] == "approved"
    voted = Event.objects.get(type="approval_voted")
    assert (voted.actor_id, voted.on_behalf_of_id) == (sale.luo.pk, sale.chen.pk)
    # A seller is no deputy of a manager by the manager's own hand …
    refused = small.door("chen").post("/delegations", {"delegate": sale.zhou.pk, **days})
    assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == "delegate"
    # … the process owner may grant it, and still nobody decides the own request.
    small.door("chen").post(f"/delegations/{made.json()['id']}/revoke")
    granted = small.door("tang").post(
        "/delegations", {"delegator": sale.chen.pk, "delegate": sale.zhou.pk, **days}
    )
    assert granted.status_code == 201
    own = desk(discount=8)
    own.submit()
    assert own.asked() == ["chen"]
    assert own.approve("zhou").status_code == 403


@pytest.mark.rule("AP-8")
def test_delegations_in_a_circle_are_refused_and_change_nothing(desk, sale):
    at = desk()
    today = timezone.localdate()
    days = {"from_date": str(today), "to_date": str(today + timedelta(days=7))}
    assert at.door("chen").post("/delegations", {"delegate": sale.luo.pk, **days}).status_code == 201
    assert at.door("luo").post("/delegations", {"delegate": sale.boss.pk, **days}).status_code == 201
    circle = at.door("boss").post("/delegations", {"delegate": sale.chen.pk, **days})
    assert (circle.status_code, circle.json()["code"]) == (422, "delegation-circle")
    assert len(at.door("tang").get("/delegations").json()["items"]) == 2
    assert at.door("zhou").get("/delegations").json()["items"] == []


@pytest.mark.rule("AC-21", "AP-8")
def test_a_disabled_account_gives_way_to_line_and_process_owner_and_nothing_is_approved(desk, sale):
    at = desk(discount=8)
    at.submit()
    assert at.asked() == ["chen"]
    how = {"by": sale.admin, "at": timezone.now(), "channel": "ui"}

    def leaves(person: Any) -> None:
        person.refresh_from_db()
        organisation.deactivate(person, **how)

    leaves(sale.chen)
    assert reroute_absent(at=timezone.now(), channel="system") == 1
    assert at.asked() == ["boss"]
    leaves(sale.boss)
    assert reroute_absent(at=timezone.now(), channel="system") == 1
    assert at.asked() == ["tang"]
    leaves(sale.tang)
    reroute_absent(at=timezone.now(), channel="system")
    assert at.asked() == ["admin"]
    assert ApprovalRequest.objects.get().state == "pending"
    assert not ApprovalGrant.objects.exists()
    assert at.approve("admin").json()["state"] == "approved"


@pytest.mark.rule("AC-22", "AP-10")
def test_the_same_person_is_asked_once_and_the_own_request_goes_one_level_up(where, key_of):
    twice = [
        {
            "key": "price",
            "lever": "price",
            "tier": 1,
            "approvers": [{"line": 1}, {"line": 1}, {"role": "FIN"}],
        }
    ]
    at = Desk(approving(where, rows=twice, binds=[]), key_of)
    at.submit()
    assert at.asked() == ["chen"]
    at.approve("chen")
    assert at.asked() == ["fang"]

    own = Desk(where, key_of, owner=where.chen)
    own.submit(by="chen")
    assert own.asked() == ["boss"]
    assert own.approve("chen").status_code == 403


@pytest.mark.rule("AP-10")
def test_the_top_of_the_line_decides_with_a_named_second_reader(where, key_of):
    once = [{"key": "price", "lever": "price", "tier": 1, "approvers": [{"line": 1}]}]
    at = Desk(approving(where, rows=once, binds=[]), key_of, owner=where.boss)
    assert at.submit(by="boss", second_reader=where.boss.pk).status_code == 422
    assert at.submit(by="boss", second_reader=where.fang.pk).status_code == 201
    assert at.asked() == ["boss", "fang"]
    assert at.approve("boss").json()["state"] == "pending"
    assert at.approve("fang").json()["state"] == "approved"


@pytest.mark.rule("AC-23", "AP-12")
def test_a_condition_blocks_the_delivery_of_the_contract_until_the_payment(desk, sale):
    at = desk(discount=8, sr=sale.sun.pk, fr=sale.he.pk)
    at.submit()
    long_ago = sale.at - timedelta(days=700)
    process.publish(shipped("contract_fulfilment"), by=None, at=long_ago, channel="system")
    condition = {
        "text": "预付 30 % 到账后发货", "subject_type": "contract", "stage": "delivery", "kind": "external",
        "name": "first_payment_received",
    }  # fmt: skip
    wrong = at.approve("chen", conditions=[{**condition, "name": "moon_landing"}])
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["field"] == "conditions.0.name"
    given = at.approve("chen", conditions=[condition])
    assert given.status_code == 200, given.json()
    assert given.json()["conditions"][0]["holds_from"]

    sale.move(at.deal)
    contract = contract_of(sale, at.deal)
    win = str(shipped("key_account_opportunity")["lists"]["win"][0]["key"])
    sale.move(at.deal, "close_won", reason=win)
    journey = Journey.objects.get(subject_type="contract", subject_id=contract.pk)
    key = at.door("admin")
    assert (
        key.post(f"/journeys/{journey.pk}/move", {"kind": "advance"}).status_code == 200
    )  # hand-over → delivery
    refused = key.post(f"/journeys/{journey.pk}/move", {"kind": "advance"})
    assert refused.status_code == 422
    (gap,) = [g for g in refused.json()["gaps"] if g["key"].startswith("condition_")]
    assert (gap["name"], gap["state"], gap["mend"]) == ("预付 30 % 到账后发货", "unmet", "external")
    paid = offers.add_milestone(
        contract.pk,
        kind="payment",
        name="首付款",
        due_date=timezone.localdate(),
        amount=None,
        **sale.how(sale.admin),
    )
    assert key.post(f"/journeys/{journey.pk}/move", {"kind": "advance"}).status_code == 422
    offers.complete_milestone(paid.pk, on=timezone.localdate(), **sale.how(sale.admin))
    assert key.post(f"/journeys/{journey.pk}/move", {"kind": "advance"}).status_code == 200


def contract_of(where: Company, deal: Any) -> Any:
    contract = offers.create_contract(
        deal.pk, number="HT-2026-001", amount=deal.amount, currency="CNY", **where.how(where.zhou)
    )
    return offers.countersign(
        contract.pk, on=timezone.localdate(), version=contract.version, **where.how(where.zhou)
    )


@pytest.mark.rule("AP-11")
def test_an_incomplete_request_bounces_and_starts_no_clock(desk):
    at = desk()
    bounced = at.submit(package={})
    assert (bounced.status_code, bounced.json()["code"]) == (422, "approval-incomplete")
    assert bounced.json()["missing"] == ["reason"]
    assert not ApprovalRequest.objects.exists() and at.edit(discount="11").status_code == 200
    at.submit()
    step = ApprovalRequest.objects.get().steps.get(key="price.1")
    assert step.started_at < step.response_due_at < step.decision_due_at


@pytest.mark.rule("AP-11")
def test_approvers_hear_at_half_four_fifths_and_the_end_of_their_time_and_then_their_managers(desk, sale):
    at = desk(discount=8)
    at.submit()
    step = ApprovalRequest.objects.get().steps.get()
    assert remind(at=step.started_at) == 0
    whole, book = timedelta(hours=step.decision_hours), default_calendar()
    told = []
    for percent in (50, 80, 100):
        due = book.add_working_time(step.started_at, whole * percent / 100)
        assert remind(at=due - timedelta(minutes=1)) == 0
        assert [remind(at=due), remind(at=due)] == [1, 0]
        step.refresh_from_db()
        told.append(step.told)
    assert told == [50, 80, 100] and due == step.decision_due_at
    codes = NotificationEntry.objects.filter(notification__recipient=sale.chen).values_list("code", flat=True)
    assert set(codes) >= {"approval_due_half", "approval_due_soon", "approval_overdue"}
    above = NotificationEntry.objects.filter(notification__recipient=sale.people["boss"])
    assert list(above.values_list("code", flat=True)) == ["approval_overdue"]


@pytest.mark.rule("AP-1", "AP-15")
def test_within_the_rule_it_is_approved_and_noted_and_what_is_prohibited_by_nobody(desk):
    at = desk(discount=3)
    assert at.gate().why == "approval_not_needed"
    auto = at.submit().json()
    assert (auto["state"], auto["auto"], auto["steps"]) == ("approved", True, [])
    at.edit(clauses=["uncapped"])
    assert at.gate().why == "approval_prohibited"
    assert at.submit().json()["code"] == "approval-prohibited"


@pytest.mark.rule("AP-9", "AP-8")
def test_handed_on_once_added_before_after_and_beside(desk, sale):
    at = desk(discount=8)
    at.submit()
    assert at.act("chen", "approvers", person=sale.zhou.pk, place="before").json()["code"] == "approval-own"
    assert at.act("chen", "approvers", person=sale.lu.pk, place="before").status_code == 200
    assert at.asked() == ["lu"]
    at.approve("lu")
    assert at.asked() == ["chen"]
    assert at.act("chen", "approvers", person=sale.fang.pk, place="parallel").status_code == 200
    assert at.act("chen", "approvers", person=sale.he.pk, place="after").status_code == 200
    assert at.act("chen", "transfer", to=sale.luo.pk, comment="我出差").status_code == 200
    assert at.asked() == ["fang", "luo"]
    again = at.act("luo", "transfer", to=sale.boss.pk, comment="我也出差")
    assert (again.status_code, again.json()["code"]) == (422, "approval-chain")
    at.approve("luo")
    assert at.approve("fang").json()["state"] == "pending"
    assert at.asked() == ["he"]
    assert at.approve("he").json()["state"] == "approved"


@pytest.mark.rule("AP-9")
def test_copies_and_questions_reach_people_without_a_vote(desk, sale):
    at = desk(discount=8)
    at.submit(copies=[sale.lin.pk])
    assert at.door("lin").get(f"/approvals/{at.request}").status_code == 200
    assert at.approve("lin").status_code == 403
    assert at.door("wu").get(f"/approvals/{at.request}").status_code == 404
    asked = at.act("chen", "questions", to=sale.zhou.pk, text="客户的底线是多少？").json()
    assert (
        at.door("lin").post(f"/approval-questions/{asked['id']}/answer", {"text": "不知道"}).status_code
        == 404
    )
    answered = at.door("zhou").post(f"/approval-questions/{asked['id']}/answer", {"text": "九折"}).json()
    assert answered["answer"] == "九折"


@pytest.mark.rule("AP-14", "GT-5")
def test_an_approval_runs_out_and_blocks_the_next_move_alone(desk):
    at = desk()
    at.submit()
    at.approve("chen")
    at.approve("fang")
    ApprovalGrant.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert (at.gate().state, at.gate().why) == ("expired", "approval_expired")
    assert at.where.journey(at.deal).stage.key == "quote_negotiation"
    assert at.submit().status_code == 201


@pytest.mark.rule("AP-5")
def test_what_is_submitted_is_frozen_on_every_door(desk, sale):
    at = desk()
    at.submit()
    assert at.edit(by="admin", discount="1").status_code == 422  # API, and whoever it is
    run = changing_many.begin(
        "opportunity", [at.deal.pk], what="margin", raw="30", by=sale.zhou, at=timezone.now()
    )
    changing_many.work_on(run.pk, at=timezone.now, channel="ui")
    assert run.rows.get().why == "frozen"
    edit_many(
        "opportunity", [Change(at.deal.pk, {"discount": "1"}, sale.zhou)], at=timezone.now(), channel="import"
    )
    at.deal.refresh_from_db()
    assert (at.deal.discount, at.deal.margin) == (12, 25)


@pytest.mark.rule("EV-1", "AP-8")
def test_acts_of_approval_are_events_and_the_rebuilt_journey_is_the_same(desk):
    at = desk()
    at.submit()
    at.approve("chen", comment="可以")
    at.approve("fang")
    types = list(
        Event.objects.filter(type__startswith="approval_").order_by("pk").values_list("type", flat=True)
    )
    assert types == ["approval_submitted", "approval_voted", "approval_voted", "approval_granted"]
    assert list(differences()) == []
