"""Figures of hand-overs (IT-5): return rate with interval and n, why, and working hours; each number opens its rows."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import PROCESS, Company, company

from fairlead.crm import services as crm
from fairlead.crm.models import HandOver, Opportunity

pytestmark = [pytest.mark.django_db, pytest.mark.rule("IT-5")]
AR_SR = {"problem", "people", "dates", "budget"}
SR_FR = {"scope", "configuration", "promises", "dates", "cost"}
MONDAY = datetime(2026, 11, 2, 9, tzinfo=ZoneInfo("Asia/Shanghai"))  # an hour after the opening


@pytest.fixture
def where() -> Company:
    return company(at=MONDAY - timedelta(days=200), language="en")


def deal_of(where: Company) -> Opportunity:
    deal = where.deal(
        stage="solution_design", at=MONDAY - timedelta(days=3), days_ago=1, sr=where.sun.pk, fr=where.he.pk
    )
    deal.refresh_from_db()
    return deal


def handed(
    where: Company, deal: Opportunity, begin: datetime, hours: float, *, back: str = "", way: str = "ar_sr"
) -> HandOver:
    """Offered at `begin` and answered `hours` later: accepted, or returned for the reason `back`."""
    giver, taker, there = {
        "ar_sr": (where.zhou, where.sun, AR_SR),
        "sr_fr": (where.sun, where.he, SR_FR),
    }[way]
    row = crm.offer_hand_over(deal.pk, package=way, there=there, **where.how(giver, begin))
    answer = where.how(taker, begin + timedelta(hours=hours))
    if back:
        return crm.return_hand_over(row.pk, version=1, reason_code=back, reason="补齐客户时间表", **answer)
    return crm.accept_hand_over(row.pk, version=1, **answer)


def eleven(where: Company) -> Opportunity:
    """Ten attempts AR → SR on one deal, four of them returned; one SR → FR accepted at once."""
    deal = deal_of(where)
    for day, back in enumerate(["incomplete", "incomplete", "", "unclear", "", "incomplete", "", "", "", ""]):
        handed(where, deal, MONDAY + timedelta(hours=24 * day), 1, back=back)
    handed(where, deal, MONDAY, 2, way="sr_fr")
    return deal


def api(client: Client, **query: Any) -> dict[str, Any]:
    answer = client.get("/api/v1/figures/hand-overs", query)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


PERIOD = {"answered_from": "2026-11-01", "answered_until": "2026-11-30"}


def test_the_rate_has_its_interval_and_n_and_time_is_working_time(where: Company, client: Client) -> None:
    eleven(where)
    client.force_login(where.chen)
    found = api(client, **PERIOD, way="ar_sr")
    assert (found["attempts"], found["returned"], found["return_rate"]) == (10, 4, 0.4)
    rate = found["returned_rate"]
    assert (round(rate["low"], 4), round(rate["high"], 4), rate["enough"]) == (0.1682, 0.6873, True)  # Wilson
    assert found["reasons"] == [{"reason": "incomplete", "returned": 3}, {"reason": "unclear", "returned": 1}]
    assert (found["accepted"], found["accepted_at_once"]) == (6, 3)
    whole = api(client, **PERIOD)
    assert [(w["way"], w["attempts"], w["n"]) for w in whole["ways"]] == [("ar_sr", 10, 6), ("sr_fr", 1, 1)]
    assert whole["ways"][1]["hours"] == 2.0

    # Friday's last hour to Monday's first one is two working hours, not 64.
    other = deal_of(where)
    friday = datetime(2026, 11, 27, 17, tzinfo=ZoneInfo("Asia/Shanghai"))
    handed(where, other, friday, 64, way="sr_fr")
    late = api(client, answered_from="2026-11-28", answered_until="2026-12-05")
    assert late["accepted"] == 1 and late["hours"] < 3


def test_a_round_that_began_before_the_period_counts_whole_where_it_ended(
    where: Company, client: Client
) -> None:
    deal = deal_of(where)
    handed(where, deal, MONDAY, 1, back="incomplete")
    handed(where, deal, MONDAY + timedelta(days=1), 1)
    client.force_login(where.chen)
    found = api(client, answered_from="2026-11-03", answered_until="2026-11-03")
    assert (found["attempts"], found["returned"], found["accepted"], found["accepted_at_once"]) == (
        1,
        0,
        1,
        0,
    )
    assert found["hours"] > 8  # a working day and an hour


def test_every_bar_and_number_of_the_page_opens_as_many_rows(where: Company, client: Client) -> None:
    eleven(where)
    client.force_login(where.chen)
    page = client.get(
        reverse("insight:hand_overs", args=[PROCESS]), {"from": "2026-11-01", "to": "2026-11-30"}
    )
    html = page.content.decode()
    assert page.status_code == 200 and "AR → SR" in html and "40%" in html and "4 / 10" in html
    counts = {}
    for address in set(re.findall(r'href="(/processes/[^"]+/hand-overs/rows/[^"]+)"', html)):
        rows = client.get(address.replace("&amp;", "&")).content.decode()
        counts[address.split("?")[1].replace("&amp;", "&")] = int(re.search(r'data-count="(\d+)"', rows)[1])  # type: ignore[index]
    of = {part: n for part, n in counts.items() if "way" not in part and "team" not in part}
    base = "from=2026-11-01&to=2026-11-30"
    assert of == {
        f"{base}&part=returned": 4,
        f"{base}&part=at_once": 4,
        f"{base}&part=accepted": 7,
        f"{base}&part=returned&reason=incomplete": 3,
        f"{base}&part=returned&reason=unclear": 1,
    }
    assert counts[f"{base}&way=ar_sr&part=returned"] == 4 and counts[f"{base}&way=sr_fr&part=attempts"] == 1


def test_only_deals_that_one_sees_are_counted_and_a_wrong_filter_is_named(
    where: Company, client: Client
) -> None:
    eleven(where)
    address = reverse("insight:hand_overs", args=[PROCESS])
    client.force_login(where.luo)  # leads another branch
    assert api(client, **PERIOD)["attempts"] == 0
    assert "No hand-over was answered" in client.get(address).content.decode()
    client.force_login(where.chen)
    for query, name in (
        ("way=ar_ar", "way"),
        ("team=999999", "team"),
        ("from=2026-02-30", "from"),
        ("part=x", "part"),
    ):
        answer = client.get(
            (reverse("insight:hand_over_rows", args=[PROCESS]) if name == "part" else address) + f"?{query}"
        )
        assert answer.status_code == 400 and name in answer.content.decode()
    assert client.get("/api/v1/figures/hand-overs?way=moon").status_code == 400
    team = where.teams["east_one"].pk if "east_one" in where.teams else next(iter(where.teams.values())).pk
    assert api(client, **PERIOD, team=team)["attempts"] in (0, 11)
    assert client.get("/processes/no_such_process/hand-overs/").status_code == 404
    assert "Hand-overs" in client.get(reverse("process:process", args=[PROCESS])).content.decode()


def test_without_named_days_the_last_year_counts(where: Company, client: Client) -> None:
    deal = deal_of(where)
    handed(where, deal, timezone.now() - timedelta(hours=30), 1)
    client.force_login(where.chen)
    assert api(client)["attempts"] == 1
