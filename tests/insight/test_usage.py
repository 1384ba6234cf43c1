"""Use of handbook and playbooks, joined to what the stays came to (PB-5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.factories.crm import PROCESS, Company, company

from fairlead.analytics.usage import Share, shares, verdict
from fairlead.insight.usage import usage_of
from fairlead.process import services as process

URL = f"/processes/{PROCESS}/usage/"


@pytest.mark.rule("PB-5")
def test_shares_carry_their_interval_and_few_are_said_to_be_few() -> None:
    stays = [("needs", True)] * 12 + [("needs", False)] * 28 + [("quote", True)] * 3
    found = shares(stays)

    assert found["needs"] == Share(12, 40) and found["quote"].is_few
    low, high = found["needs"].bounds or (0, 0)
    assert (round(low, 4), round(high, 4)) == (0.1807, 0.4543)
    assert Share(0, 0).bounds is None and Share(0, 0).rate is None
    assert Share(12, 40).minus(Share(2, 10)) == Share(10, 30)


@pytest.mark.rule("PB-5")
@pytest.mark.parametrize(
    ("with_help", "without", "said"),
    [
        (Share(45, 50), Share(20, 50), "more"),
        (Share(10, 50), Share(40, 50), "less"),
        (Share(25, 50), Share(28, 50), "even"),
        (Share(9, 9), Share(1, 50), "few"),
        (Share(0, 0), Share(20, 50), "few"),
    ],
)
def test_only_intervals_that_do_not_meet_tell_two_shares_apart(
    with_help: Share, without: Share, said: str
) -> None:
    assert verdict(with_help, without) == said


@pytest.fixture
def where(db: Any) -> Company:
    """Three stays at contact went forward, one with the handbook open and a playbook; one was lost with it open."""
    where = company()
    at = where.at - timedelta(hours=1)
    deals = [where.deal() for _ in range(4)]
    foreign = where.deal(owner=where.qi)
    for deal in (deals[0], deals[3]):
        process.note_guidance(deal.journey_id, stage_key="customer_contact", **where.how(at=at))
    process.note_guidance(
        deals[1].journey_id, stage_key="signing", **where.how(at=at)
    )  # another stage: no use
    process.launch_playbook(deals[0].journey_id, playbook="first_visit", **where.how(at=at))
    for deal in (*deals[:3], foreign):
        where.move(where.fulfil(deal))
    where.move(deals[3], "close_lost", reason="walked_away", form={})
    return where


@pytest.mark.rule("PB-5")
def test_a_stay_counts_as_helped_where_help_was_used_during_it(where: Company) -> None:
    found = usage_of(PROCESS, "opportunity", reader=where.zhou, now=timezone.now())

    assert found.every == {"customer_contact": Share(3, 4)}
    assert found.guided == {"customer_contact": Share(1, 2)}
    assert found.played == {"customer_contact": Share(1, 1)}
    assert found.books == {"first_visit": {"open": 1}} and found.people == 1


@pytest.mark.rule("PB-5", "T05")
def test_figures_are_made_of_the_readers_rows(where: Company, client: Client) -> None:
    assert usage_of(PROCESS, "opportunity", reader=where.qi, now=timezone.now()).every == {
        "customer_contact": Share(1, 1)
    }
    everything = usage_of(PROCESS, "opportunity", reader=where.admin, now=timezone.now())
    assert everything.every == {"customer_contact": Share(4, 5)}
    client.force_login(where.newcomer)
    assert client.get(URL).status_code == 403


@pytest.mark.rule("PB-5")
def test_the_page_of_the_process_takes_the_table(where: Company, client: Client) -> None:
    client.force_login(where.chen)

    page = client.get(f"/processes/{PROCESS}/").content.decode()
    assert f'hx-get="{URL}"' in page
    whole = client.get(URL).content.decode()
    piece = client.get(URL, headers={"HX-Request": "true"}).content.decode()
    assert "<html" in whole and "<html" not in piece and "n = 2" in piece
    assert client.get("/processes/nosuch/usage/").status_code == 404
