"""Contracts: filed from a deal, read by its gate, edited with a version, with milestones of their own."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from tests.factories.crm import Company, company, document

from fairlead.common.refusals import Invalid
from fairlead.journal.enums import Channel
from fairlead.offers import services as offers
from fairlead.offers.models import Contract, Milestone
from fairlead.process import services as process


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def text_of(response: Any) -> str:
    return str(response.content.decode())


def file_contract(where: Company, deal: Any, **values: Any) -> Contract:
    given = {"number": "C-1", "amount": 1_200_000, "currency": "CNY"} | values
    return offers.create_contract(deal.pk, **given, **where.how(where.zhou))


@pytest.mark.rule("AC-1")
def test_a_contract_is_filed_from_its_deal_and_its_gate_reads_it(where: Company, client: Client) -> None:
    deal = where.deal(stage="signing")
    before = where.journey(deal).gate_missing
    client.force_login(where.zhou)
    address = reverse("offers:contract_new") + f"?opportunity={deal.pk}"
    assert 'value="1200000"' in text_of(client.get(address))
    response = client.post(
        address,
        {
            "number": "HT-9",
            "amount": "1200000",
            "currency": "CNY",
            "signed_date": "2026-01-05",
            "countersigned_date": "2026-01-06",
        },
    )
    assert response.status_code == 302
    contract = Contract.objects.get()
    assert contract.opportunity_id == deal.pk
    assert where.journey(deal).gate_missing < before
    tab = text_of(client.get(reverse("offers:of_opportunity", args=[deal.pk])))
    assert "HT-9" in tab and 'aria-current="page">Contracts' in tab and "differs from the deal" not in tab


@pytest.mark.rule("U32")
def test_a_refused_contract_keeps_what_was_typed(where: Company, client: Client) -> None:
    deal = where.deal()
    file_contract(where, deal)
    client.force_login(where.zhou)
    address = reverse("offers:contract_new") + f"?opportunity={deal.pk}"
    for wrong in (
        {"number": ""},
        {"amount": "-1"},
        {"amount": "lots"},
        {"amount": ""},
        {"currency": "RENMINBI"},
        {"number": "C-1"},
        {"signed_date": "2026-02-31"},
        {"countersigned_date": "2020-01-01"},
        {"amount": "9" * 40},
        {"number": "a\x00b"},
    ):
        typed = {"number": "C-2", "amount": "5", "currency": "CNY", "signed_date": "2026-01-05"} | wrong
        response = client.post(address, typed)
        page = text_of(response)
        assert response.status_code == 422, wrong
        assert 'class="fl-errsum"' in page and 'value="2026-0' in page
    assert Contract.objects.count() == 1


@pytest.mark.rule("T01", "T05")
def test_strangers_and_forged_fields(where: Company, client: Client) -> None:
    deal = where.deal()
    contract = file_contract(where, deal)
    client.force_login(where.qi)
    for address in (
        reverse("offers:contract", args=[contract.pk]),
        reverse("offers:contract_edit", args=[contract.pk]),
        reverse("offers:contract_new") + f"?opportunity={deal.pk}",
        reverse("offers:of_opportunity", args=[deal.pk]),
        reverse("offers:contract_field", args=[contract.pk, "amount"]),
    ):
        assert client.get(address).status_code == 404
    assert (
        client.post(
            reverse("offers:milestone_add", args=[contract.pk]), {"kind": "payment", "name": "x"}
        ).status_code
        == 404
    )
    client.force_login(where.zhou)
    other = where.deal(owner=where.wu)
    client.post(
        reverse("offers:contract_edit", args=[contract.pk]),
        {
            "number": "C-7",
            "version": 1,
            "opportunity": other.pk,
            "owner": where.wu.pk,
            "is_sample": "true",
            "id": 99,
        },
    )
    contract.refresh_from_db()
    assert (contract.number, contract.opportunity_id, contract.owner_id, contract.is_sample) == (
        "C-7",
        deal.pk,
        where.zhou.pk,
        False,
    )
    for key in ("owner", "team", "opportunity"):
        address = reverse("offers:contract_field", args=[contract.pk, key])
        assert client.post(address, {key: "1", "version": 2}).status_code == 403


@pytest.mark.rule("U34", "T14")
def test_two_people_at_once_see_both_values(where: Company, client: Client) -> None:
    contract = file_contract(where, where.deal())
    offers.edit_contract(contract.pk, {"amount": "5"}, version=1, **where.how(where.chen))
    client.force_login(where.zhou)
    late = client.post(reverse("offers:contract_edit", args=[contract.pk]), {"amount": "9", "version": 1})
    page = text_of(late)
    assert late.status_code == 409 and re.search(r"陈立新 changed .*Amount", page) and 'value="9"' in page
    contract.refresh_from_db()
    assert str(contract.amount) == "5.00"


def test_milestones_are_added_and_done_once_they_are(where: Company, client: Client) -> None:
    contract = file_contract(where, where.deal())
    client.force_login(where.zhou)
    add = reverse("offers:milestone_add", args=[contract.pk])
    assert (
        client.post(
            add, {"kind": "payment", "name": "Down payment", "amount": "300000", "due_date": "2026-01-01"}
        ).status_code
        == 302
    )
    for wrong in ({"kind": "nope"}, {"name": ""}, {"amount": "-1"}, {"amount": "x"}, {"due_date": "x"}):
        assert client.post(add, {"kind": "payment", "name": "x", **wrong}).status_code == 422
    milestone = Milestone.objects.get()
    done = reverse("offers:milestone_done", args=[contract.pk, milestone.pk])
    future = (timezone.localdate() + timedelta(days=3)).isoformat()
    assert client.post(done, {"on": future}).status_code == 422
    assert client.post(done, {"on": "2026-01-04"}).status_code == 302
    milestone.refresh_from_db()
    assert milestone.done_date is not None and milestone.done_date.isoformat() == "2026-01-04"
    other = file_contract(where, where.deal(), number="C-2")
    assert client.post(reverse("offers:milestone_done", args=[other.pk, milestone.pk]), {}).status_code == 404
    assert "Down payment" in text_of(client.get(reverse("offers:contract", args=[contract.pk])))


@pytest.mark.rule("PD-7")
def test_a_won_deals_contract_shows_its_own_process(where: Company, client: Client) -> None:
    process.publish(
        document("contract_fulfilment"), by=None, at=where.at - timedelta(days=300), channel=Channel.SYSTEM
    )
    deal = where.deal(stage="signing")
    contract = file_contract(
        where, deal, signed_date=timezone.localdate(), countersigned_date=timezone.localdate()
    )
    process.start_journeys(
        [process.NewJourney(subject_type="contract", subject_id=contract.pk)],
        by_id=where.zhou.pk,
        at=timezone.now(),
        channel=Channel.UI,
    )
    client.force_login(where.zhou)
    page = text_of(client.get(reverse("offers:contract", args=[contract.pk])))
    assert "Process path: step 1 of" in page
    for tab in ("milestones", "timeline", "fields", "files", "history"):
        assert client.get(reverse("offers:contract", args=[contract.pk]) + f"?tab={tab}").status_code == 200
    assert (
        client.get(
            reverse("offers:contracts") + '?filter={"field":"amount","op":"gte","value":1}'
        ).status_code
        == 200
    )


@pytest.mark.rule("T05", "T35")
def test_a_negative_amount_is_refused_in_words_and_by_the_database(where: Company, client: Client) -> None:
    deal = where.deal()
    contract = file_contract(where, deal)
    client.force_login(where.zhou)
    how = where.how(where.zhou)
    with override("en"), pytest.raises(Invalid) as caught:
        offers.edit_contract(contract.pk, {"amount": "-0.01"}, version=1, **how)
    assert caught.value.details["errors"] == [
        {"field": "amount", "message": "An amount of zero or more is expected."}
    ]
    address = reverse("offers:contract_edit", args=[contract.pk])
    typed = {"number": "C-1", "amount": "-5", "currency": "CNY", "version": "1"}
    response = client.post(address, typed)
    assert response.status_code == 422
    assert "An amount of zero or more is expected." in text_of(response)
    answer = client.patch(
        f"/api/v1/contracts/{contract.pk}",
        {"amount": "-5"},
        content_type="application/json",
        headers={"If-Match": '"1"'},
    )
    assert answer.status_code == 400 and answer.json()["errors"][0]["field"].endswith("amount")
    with pytest.raises(Invalid):
        offers.add_milestone(contract.pk, kind="payment", name="First", amount=Decimal(-1), **how)
    contract.refresh_from_db()
    assert (contract.amount, contract.version) == (1_200_000, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Contract.objects.filter(pk=contract.pk).update(amount=-1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Milestone.objects.create(contract=contract, kind="payment", name="First", amount=-1)
