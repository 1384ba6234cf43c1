"""What AR, SR and FR of a deal share (IT-6): satisfaction, profit, collection; one that failed fails all three."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.crm import PROCESS, Company, company

from fairlead.common.refusals import Invalid
from fairlead.crm import services as crm
from fairlead.offers import services as offers
from fairlead.offers.models import Contract
from fairlead.offers.services.contracts import _clean as cleaned
from fairlead.offers.shared_figures import (
    Payment,
    Signed,
    all_met,
    collection,
    profit,
    satisfaction,
    shared_of,
)

pytestmark = pytest.mark.rule("IT-6")
TODAY = date(2026, 11, 20)
D = Decimal
BEGAN = datetime(2026, 6, 1, 9, tzinfo=ZoneInfo("Asia/Shanghai"))


def signed(**values: Any) -> Signed:
    return Signed(contract=1, amount=D(1000), **values)


def paid(due: int, on: int | None, amount: int | None = 100) -> Payment:
    """Days before TODAY; `on` None: not paid yet."""
    days = [None if n is None else TODAY - timedelta(days=n) for n in (due, on)]
    return Payment(days[0], None if amount is None else D(amount), days[1])


@pytest.mark.parametrize(
    ("score", "target", "met"),
    [
        (None, None, None),
        ("8.0", None, True),
        ("7.9", None, False),
        ("7.9", "7.5", True),
        ("9", "9.1", False),
    ],
)
def test_satisfaction_against_its_target(score: str | None, target: str | None, met: bool | None) -> None:
    found = satisfaction(
        signed(satisfaction=D(score) if score else None, satisfaction_target=D(target) if target else None)
    )
    assert (found.met, found.n, found.target) == (met, int(score is not None), D(target or 8))


@pytest.mark.parametrize(
    ("cost", "margin", "value", "met"),
    [
        (None, "30", None, None),  # nothing measured
        ("700", "30", "300", True),
        ("700.01", "30", "299.99", False),
        ("1200", "30", "-200", False),
        ("700", None, "300", None),  # measured, and no target was agreed
    ],
)
def test_profit_is_the_amount_less_the_cost(
    cost: str | None, margin: str | None, value: str | None, met: bool | None
) -> None:
    found = profit(signed(cost=D(cost) if cost else None, margin=D(margin) if margin else None))
    assert (found.value, found.met) == (D(value) if value else None, met)


@pytest.mark.parametrize(
    ("payments", "value", "met", "n"),
    [
        ([], None, None, 0),
        ([paid(-5, None)], None, None, 0),  # not due yet
        ([paid(0, None)], None, None, 0),  # the whole day of the due date is in time
        ([paid(10, 10), paid(5, 7)], "100.0", True, 2),
        ([paid(10, 9)], "0.0", False, 1),  # paid a day late is late for good
        ([paid(10, 10, 300), paid(5, None, 100)], "75.0", False, 2),
        ([paid(10, 10, None), paid(5, None, 900)], "50.0", False, 2),  # an amount is missing: by number
    ],
)
def test_collection_is_what_was_paid_by_its_due_date(
    payments: list[Payment], value: str | None, met: bool | None, n: int
) -> None:
    found = collection(signed(payments=tuple(payments)), today=TODAY)
    assert (found.value, found.met, found.n) == (D(value) if value else None, met, n)


@given(st.lists(st.sampled_from([True, False, None]), max_size=3))
def test_one_that_failed_fails_all(mets: list[bool | None]) -> None:
    figures = [satisfaction(signed(satisfaction=D(9 if m else 1) if m is not None else None)) for m in mets]
    expected = False if False in mets else (True if mets and None not in mets else None)
    assert all_met(figures) is expected


@pytest.fixture
def where(db: Any) -> Company:
    return company(at=BEGAN, language="en")


def contract_of(where: Company, number: str = "C-1", **values: Any) -> Contract:
    """A contract of zhou's deal, worked with sun and he; countersigned on 2026-07-01, planned margin 30 %."""
    deal = where.deal(at=BEGAN, amount=1000, sr=where.sun.pk, fr=where.he.pk, margin=30)
    day = date(2026, 7, 1)
    row = offers.create_contract(
        deal.pk, number=number, amount=D(1000), currency="CNY", signed_date=day, countersigned_date=day,
        **where.how(where.chen, BEGAN),
    )  # fmt: skip
    if values:
        row = offers.edit_contract(row.pk, values, version=row.version, **where.how(where.chen, BEGAN))
    return row


RATED = {"satisfaction": "9.5", "satisfaction_date": "2026-09-01", "satisfaction_source": "survey"}


def test_a_score_says_when_and_whence_and_lies_from_0_to_10(where: Company) -> None:
    row = contract_of(where)
    how = {"version": row.version, **where.how(where.chen)}
    for wrong, fields in (
        ({"satisfaction": "9"}, {"satisfaction_date", "satisfaction_source"}),
        (RATED | {"satisfaction": "10.1"}, {"satisfaction"}),
        (RATED | {"satisfaction": "-1"}, {"satisfaction"}),
        (RATED | {"satisfaction": "8.55"}, {"satisfaction"}),
        (RATED | {"satisfaction_source": "rumour"}, {"satisfaction_source"}),
        ({"actual_cost": "-1"}, {"actual_cost"}),
        ({"satisfaction_target": "11"}, {"satisfaction_target"}),
    ):
        with pytest.raises(Invalid) as refused:
            offers.edit_contract(row.pk, dict(wrong), **how)
        assert {e["field"] for e in refused.value.details["errors"]} == fields
    row.refresh_from_db()
    assert (row.satisfaction, row.actual_cost, row.version) == (None, None, how["version"])
    row = offers.edit_contract(row.pk, dict(RATED), **how)
    assert (row.satisfaction, row.satisfaction_source) == (D("9.5"), "survey")
    with pytest.raises(Invalid):  # neither goes away without the score
        offers.edit_contract(
            row.pk, {"satisfaction_date": None}, version=row.version, **where.how(where.chen)
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Contract.objects.filter(pk=row.pk).update(satisfaction_source=None)


def test_cost_and_profit_are_kept_from_whoever_may_not_see_margins(where: Company, client: Client) -> None:
    row = contract_of(where, **RATED, actual_cost="612.34")
    assert where.chen.may("margin.view") and not where.lu.may("margin.view")
    with pytest.raises(Invalid):
        cleaned({"actual_cost": "1"}, by=where.lu)
    for person, sees in ((where.chen, True), (where.lu, False)):
        client.force_login(person)
        for url in (
            reverse("offers:contract", args=[row.pk]) + "?tab=fields",
            reverse("offers:contract", args=[row.pk]) + "?tab=history",
            reverse("offers:of_opportunity", args=[row.opportunity_id]),
            f"/api/v1/contracts/{row.pk}",
            f"/api/v1/opportunities/{row.opportunity_id}/shared-figures",
            reverse("insight:team_figures", args=[PROCESS]) + "?from=2026-01-01",
        ):
            answer = client.get(url)
            said = answer.content.decode()
            assert answer.status_code == 200, url
            if not sees:
                assert not [w for w in ("612.34", "387.66", "actual_cost", "Contract profit") if w in said], (
                    url
                )
    client.force_login(where.chen)
    own = client.get(f"/api/v1/opportunities/{row.opportunity_id}/shared-figures").json()["items"][0]
    assert [(f["kind"], f["met"]) for f in own["figures"]] == [
        ("satisfaction", True),
        ("profit", True),
        ("collection", None),
    ]
    assert own["figures"][1]["value"] == "387.66" and own["all_met"] is None


def test_over_the_deals_of_a_process_by_whoever_holds_a_role(where: Company, client: Client) -> None:
    good = contract_of(where, "C-good", **RATED, actual_cost="600")
    payment = offers.add_milestone(
        good.pk,
        kind="payment",
        name="30 %",
        due_date=date(2026, 8, 1),
        amount=D(300),
        **where.how(where.chen, BEGAN),
    )
    offers.complete_milestone(payment.pk, on=date(2026, 7, 30), **where.how(where.chen))
    contract_of(where, "C-bad", **(RATED | {"satisfaction": "6"}), actual_cost="600")
    contract_of(where, "C-open")
    crm.agree_split(good.opportunity_id, ar=50, sr=30, fr=20, **where.how(where.chen))
    client.force_login(where.chen)

    found = client.get("/api/v1/figures/deal-team?signed_from=2026-01-01").json()
    assert found["contracts"] == 3
    assert (found["together"]["k"], found["together"]["n"]) == (1, 2)  # the open one counts neither way
    by_kind = {f["kind"]: f for f in found["figures"]}
    assert (by_kind["satisfaction"]["value"], by_kind["satisfaction"]["n"]) == ("7.8", 2)
    assert (by_kind["profit"]["value"], by_kind["profit"]["target"]) == ("800.00", "600.00")
    assert (by_kind["collection"]["value"], by_kind["collection"]["n"]) == ("100.0", 1)
    assert [(p["role"], p["person"]) for p in found["people"]] == [
        ("AR", where.zhou.pk),
        ("SR", where.sun.pk),
        ("FR", where.he.pk),
    ]
    assert all(p["together"]["n"] == 2 for p in found["people"])  # what failed, failed all three
    assert client.get("/api/v1/figures/deal-team?signed_until=2026-06-30").json()["contracts"] == 0
    assert (
        client.get(f"/api/v1/figures/deal-team?person={where.qi.pk}&signed_from=2026-01-01").json()["people"]
        == []
    )

    page = reverse("insight:team_figures", args=[PROCESS])
    shown = client.get(page + "?from=2026-01-01").content.decode()
    assert "1 / 2" in shown and "SR · " in shown and "7.8 / 10" in shown
    rows = reverse("insight:team_figure_rows", args=[PROCESS]) + "?from=2026-01-01&part="
    for part, numbers in (
        ("all", {"C-good", "C-bad", "C-open"}),
        ("met", {"C-good"}),
        ("missed", {"C-bad"}),
        ("open", {"C-open"}),
    ):
        shown = client.get(rows + part).content.decode()
        assert {n for n in ("C-good", "C-bad", "C-open") if n in shown} == numbers, part
    assert "50:30:20" in client.get(rows + "met").content.decode()
    assert "40:30:30" in client.get(rows + "open").content.decode()
    assert client.get(rows + "none").status_code == 400
    assert client.get(page + "?role=XX").status_code == 400
    client.force_login(where.luo)  # of another branch
    assert client.get("/api/v1/figures/deal-team?signed_from=2026-01-01").json()["contracts"] == 0


def test_nothing_measured_says_so(where: Company, client: Client) -> None:
    row = contract_of(where)
    client.force_login(where.chen)
    shown = client.get(reverse("offers:of_opportunity", args=[row.opportunity_id])).content.decode()
    assert shown.count("not measured") == 3
    shown = client.get(reverse("insight:team_figures", args=[PROCESS]) + "?from=2026-01-01").content.decode()
    assert shown.count("not measured") >= 3
    empty = reverse("insight:team_figures", args=[PROCESS]) + "?to=2026-01-01"
    assert "No contract was signed by both sides" in client.get(empty).content.decode()
    found = [one for one in shared_of(signed(), today=timezone.localdate()) if one.n]
    assert found == []
