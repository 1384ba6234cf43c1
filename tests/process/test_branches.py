"""Forks: judged in order when they are passed, logged, and never taken again by themselves (PD-6, MV-4, AC-10)."""

import copy

import pytest
from tests.factories.crm import Company, company

from fairlead.crm import services as crm
from fairlead.journal.models import Event
from fairlead.process import services
from fairlead.process.enums import JourneyState, Kind
from fairlead.process.models import Journey, Visit
from fairlead.process.refusals import MoveImpossible
from fairlead.process.services.shipping import shipped
from fairlead.process.verdicts import Wish

pytestmark = pytest.mark.django_db
TENDER = {"field": "is_tender", "op": "eq", "value": True}


@pytest.fixture
def where() -> Company:
    return company(language="en")


def forked(*when):
    """The plain process, its needs leading to the proposal when `when` holds, else straight to negotiation."""
    document = copy.deepcopy(shipped("plain_opportunity"))
    document["process"] = "forked"
    by_key = {s["key"]: s for s in document["stages"]}
    by_key["needs"]["transitions"] = [
        *({"type": "branch", "to": "proposal", "when": one} for one in when),
        {"type": "branch", "to": "negotiation"},
    ]
    return document


def at_needs(where, document, **values):
    services.publish(document, mode="soft", **where.how(where.admin))
    given = {
        "name": "园区网",
        "account": where.account("恒岳").pk,
        "amount": 100,
        "expected_close_date": "2099-01-01",
    }
    deal = crm.create("opportunity", given | values, process_key="forked", **where.how())
    go(where, deal, Kind.ADVANCE)
    return deal


def go(where, deal, kind, to="", **wish):
    deal.refresh_from_db()
    return services.move(deal.journey_id, Wish(kind=kind, to=to, **wish), **where.how())


def stage(deal):
    return Journey.objects.get(pk=deal.journey_id).stage.key


@pytest.mark.rule("PD-6")
def test_the_first_branch_that_holds_is_taken_and_what_was_looked_at_is_logged(where):
    deal = at_needs(where, forked({"field": "amount", "op": "gt", "value": 1000}, TENDER), is_tender=True)

    with pytest.raises(MoveImpossible):
        go(where, deal, Kind.BRANCH, "negotiation")
    go(where, deal, Kind.BRANCH)

    assert stage(deal) == "proposal"
    event = Event.objects.filter(type="stage_moved").latest("pk")
    assert event.data["branches"] == [["proposal", False], ["proposal", True]]
    assert event.evaluation_id is not None
    refused = Event.objects.filter(type="move_refused").latest("pk")
    assert refused.data["branches"] == [["proposal", False], ["proposal", True]]


@pytest.mark.rule("PD-6")
def test_a_branch_may_ask_for_an_earlier_criterion(where):
    asked = {"field": "criterion.problem_stated", "op": "eq", "value": True}
    deal = at_needs(where, forked(asked))
    go(where, deal, Kind.BRANCH)
    assert stage(deal) == "negotiation"

    other = crm.create(
        "opportunity",
        {"name": "二期", "account": where.account("恒岳二").pk, "customer_problem": "停机四小时", "amount": 5},
        process_key="forked", **where.how(),
    )  # fmt: skip
    go(where, other, Kind.ADVANCE)
    go(where, other, Kind.BRANCH)
    assert stage(other) == "proposal"


@pytest.mark.rule("PD-3")
def test_a_branch_asks_only_for_what_was_asked_before(where):
    from fairlead.process.examining import examine

    found = examine(forked({"field": "criterion.contract_signed", "op": "eq", "value": True}))
    assert "stages.needs.transitions.0.when.field" in [e.path for e in found.errors]


@pytest.mark.rule("AC-10", "MV-4")
def test_a_driver_changed_after_the_fork_warns_and_moves_nothing_by_itself(client, where):
    deal = at_needs(where, forked(TENDER), is_tender=True)
    go(where, deal, Kind.BRANCH)
    client.force_login(where.zhou)
    page = f"/opportunities/{deal.pk}/"
    assert "Take the other way" not in client.get(page).content.decode()
    before = Event.objects.filter(type="stage_moved").count()

    where.edit(deal, is_tender=False)

    assert stage(deal) == "proposal"
    assert Event.objects.filter(type="stage_moved").count() == before
    shown = client.get(page).content.decode()
    assert "it would lead to Negotiation now" in shown
    assert "Take the other way" in shown
    moves = client.get(f"/api/v1/journeys/{deal.journey_id}/moves").json()["moves"]
    assert ("branch", "negotiation") in [(m["kind"], m["to"]) for m in moves]


@pytest.mark.rule("AC-10", "MV-4")
def test_taking_the_other_way_is_an_act_with_a_reason_through_page_and_api(client, where):
    deal = at_needs(where, forked(TENDER), is_tender=True)
    go(where, deal, Kind.BRANCH)
    where.edit(deal, is_tender=False)
    client.force_login(where.zhou)
    address = f"/api/v1/journeys/{deal.journey_id}/move"

    without = client.post(address, {"kind": "branch", "to": "negotiation"}, content_type="application/json")
    assert (without.status_code, stage(deal)) == (422, "proposal")
    panel = client.get(f"/opportunities/{deal.pk}/panel/?kind=branch&to=negotiation")
    assert panel.status_code == 200
    assert 'name="reason"' in panel.content.decode()
    taken = client.post(
        address,
        {"kind": "branch", "to": "negotiation", "reason": "need_changed"},
        content_type="application/json",
    )

    assert taken.status_code == 200, taken.content
    assert stage(deal) == "negotiation"
    event = Event.objects.filter(type="stage_moved").latest("pk")
    assert (event.data["again"], event.data["branches"], event.reason_code) == (
        True, [["proposal", False], ["negotiation", True]], "need_changed",
    )  # fmt: skip
    left = Visit.objects.filter(journey_id=deal.journey_id, stage_key="proposal").get()
    assert left.exit_type == "regress"
    assert "Take the other way" not in client.get(f"/opportunities/{deal.pk}/").content.decode()


@pytest.mark.rule("PD-7", "MV-9")
def test_a_hold_ends_by_itself_when_its_day_has_passed(where):
    from datetime import timedelta

    from django.utils import timezone

    from fairlead.process.services.expiring import expire_holds

    deal = where.deal("园区网", stage="needs_analysis")
    day = timezone.localdate() + timedelta(days=3)
    reason = where.version.document["lists"]["hold"][0]["key"]
    where.move(deal, "hold", reason=reason, form={"resume_date": day.isoformat()})

    assert expire_holds(at=timezone.now() + timedelta(days=2)) == 0
    assert where.journey(deal).state == JourneyState.ON_HOLD
    assert expire_holds(at=timezone.now() + timedelta(days=4)) == 1

    row = where.journey(deal)
    assert (row.state, row.resume_date) == (JourneyState.OPEN, None)
    event = Event.objects.filter(type="resumed").get()
    assert (event.actor_id, event.channel) == (None, "automation")
    assert expire_holds(at=timezone.now() + timedelta(days=4)) == 0
