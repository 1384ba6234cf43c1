"""A move that wants an approval of its own: the keys `approval` of a transition and `about` of a request (AP-1, MV-3)."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.factories.approvals import DOCUMENT, approving
from tests.factories.crm import Company, company

from fairlead.crm.models import Opportunity
from fairlead.fields.catalogue import catalogue
from fairlead.journal.models import Event
from fairlead.process import services as process
from fairlead.process.definition import DefinitionError
from fairlead.process.enums import Kind
from fairlead.process.loading import load
from fairlead.process.models import ApprovalRequest, Evaluation
from fairlead.process.refusals import MoveImpossible
from fairlead.process.selectors.gathering import checklists
from fairlead.process.services import approving as acts

pytestmark = [pytest.mark.django_db, pytest.mark.rule("AP-1", "MV-3")]
SKIP = "skip:quote_negotiation"


def problems(document: dict[str, Any]) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        load(document, catalogue("opportunity"))
    return [p.path for p in caught.value.problems]


# --- the document ---


def test_a_transition_names_a_kind_that_the_document_has() -> None:
    loaded = load(DOCUMENT, catalogue("opportunity"))
    found = loaded.stage("first").transition(Kind.SKIP, "third")
    assert found is not None and found.approval == "ati"
    wrong = copy.deepcopy(DOCUMENT)
    wrong["stages"][0]["transitions"][0]["approval"] = "moon"
    assert problems(wrong) == ["stages.first.transitions.skip.approval"]
    wrong["stages"][0]["transitions"][0]["approval"] = {"kind": "ati"}
    assert "stages.first.transitions.0.approval" in problems(wrong)


def test_a_move_that_nobody_could_ever_make_is_refused_at_loading() -> None:
    """Without the section there is nobody to ask, though its criteria may wait for an approval from elsewhere."""
    without = copy.deepcopy(DOCUMENT)
    del without["approvals"]
    assert problems(without) == ["stages.first.transitions.skip.approval"]


# --- the move ---


@pytest.fixture
def where(db: Any) -> Company:
    """Version 3 of the process: going straight to the quotation wants the word of the line."""
    found = approving(company(language="en"))
    document = copy.deepcopy(found.version.document)
    document["version"] = 3
    skip = next(t for t in document["stages"][0]["transitions"] if t["type"] == "skip")
    skip["approval"] = "ati"
    found.version = process.publish(document, by=None, at=found.at, channel="system", mode="enforced")
    return found


@pytest.fixture
def deal(where: Company) -> Opportunity:
    """At the first stage, with what cannot be skipped."""
    row = where.deal(sr=where.sun.pk, fr=where.he.pk)
    where.fulfil(row)
    process.attest(row.journey_id, criterion_key="fr_deliverability", statement="可以", **where.how(where.he))
    row.refresh_from_db()
    return row


def skip(where: Company, deal: Opportunity) -> Any:
    reason = where.version.document["lists"]["skip"][0]["key"]
    # chen may skip: the one thing that is missing is the approval.
    return where.move(
        deal, "skip", "quote_negotiation", by=where.chen, reason=reason, comment="老客户框架订单"
    )


def ask(where: Company, deal: Opportunity, about: str = SKIP) -> ApprovalRequest:
    return acts.submit(deal.journey_id, kind="ati", about=about, **where.how())


def vote(where: Company, request: ApprovalRequest, approves: bool = True) -> None:
    acts.decide(request.pk, approves=approves, comment="说明", **where.how(where.chen))


def test_without_the_approval_the_move_is_refused_and_changes_nothing(
    where: Company, deal: Opportunity
) -> None:
    before = where.journey(deal)
    with pytest.raises(MoveImpossible) as caught:
        skip(where, deal)
    assert "approval_missing" in [o["code"] for o in caught.value.details["objections"]]
    after = where.journey(deal)
    assert (after.stage.key, after.version) == (before.stage.key, before.version)
    assert Evaluation.objects.filter(journey=after, allowed=True, kind="skip").count() == 0
    assert Event.objects.of_journeys([after.pk]).filter(type="stage_moved").exists() is False


def test_the_approval_of_this_very_move_lets_it_pass(where: Company, deal: Opportunity) -> None:
    request = ask(where, deal)
    with pytest.raises(MoveImpossible):
        skip(where, deal)  # it is only asked for
    vote(where, request)
    skip(where, deal)
    assert where.journey(deal).stage.key == "quote_negotiation"


@pytest.mark.parametrize(
    "about", ["", "skip:signing", "advance:quote_negotiation", "skip:quote_negotiation "]
)
def test_an_approval_about_anything_else_does_not(where: Company, deal: Opportunity, about: str) -> None:
    vote(where, ask(where, deal, about))
    with pytest.raises(MoveImpossible):
        skip(where, deal)
    vote(where, ask(where, deal))  # and the right one can still be asked for beside it
    skip(where, deal)


def test_a_rejected_or_recalled_one_does_not(where: Company, deal: Opportunity) -> None:
    vote(where, ask(where, deal), approves=False)
    with pytest.raises(MoveImpossible):
        skip(where, deal)
    acts.recall(ask(where, deal).pk, **where.how())
    with pytest.raises(MoveImpossible):
        skip(where, deal)


def test_an_approval_of_a_move_settles_no_item_of_the_gate(where: Company) -> None:
    """What was granted for one move is not the decision on the record as it stands."""
    deal = where.deal(stage="needs_analysis", sr=where.sun.pk, fr=where.he.pk)
    vote(where, ask(where, deal))
    journey = where.journey(deal)
    verdict = checklists([journey], at=timezone.now())[journey.pk]
    assert {r.key: r.state for r in verdict.results}["ati"] == "unmet"


@pytest.mark.rule("GT-2")
def test_the_same_by_the_api(where: Company, deal: Opportunity, client: Client) -> None:
    client.force_login(where.chen)
    wish = {"kind": "skip", "to": "quote_negotiation", "reason": where.version.document["lists"]["skip"][0]["key"],
            "comment": "老客户框架订单"}  # fmt: skip
    path = f"/api/v1/opportunities/{deal.pk}/move"
    refused = client.post(path, wish, "application/json")
    assert refused.status_code == 422 and "approval_missing" in refused.content.decode()
    client.force_login(where.zhou)
    asked = client.post(
        f"/api/v1/journeys/{deal.journey_id}/approvals", {"kind": "ati", "about": SKIP}, "application/json"
    )
    assert asked.status_code == 201 and asked.json()["about"] == SKIP
    client.force_login(where.chen)
    vote(where, ApprovalRequest.objects.get(about=SKIP))
    assert client.post(path, wish, "application/json").status_code == 200
