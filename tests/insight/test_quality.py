"""Criterion quality: what attempts at gates come to, read in the database, on the page, by the API (OV-4)."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation
from tests.factories.crm import PROCESS, STAGES, Company, company, document

from fairlead.analytics.intervals import FLOOR
from fairlead.insight.quality import reading
from fairlead.insight.quality.figures import figures
from fairlead.process import services as process
from fairlead.process.models import Evaluation, Journey, Process
from fairlead.process.refusals import GateRefused
from fairlead.process.services import overrides

pytestmark = [pytest.mark.django_db, pytest.mark.rule("OV-4")]
URL = f"/processes/{PROCESS}/criteria/"
API = f"/api/v1/processes/{PROCESS}/criteria"
REASON = document()["lists"]["waiver"][0]["key"]


@pytest.fixture
def where() -> Iterator[Company]:
    with translation.override("en"):
        yield company(language="en")


def let_pass(where: Company, deal: Any, item: str = "bant") -> None:
    """Refused at first, then let pass by a waiver that 陈立新 granted."""
    where.fulfil(deal, but=(item,))
    with pytest.raises(GateRefused):
        where.move(deal, to=STAGES[1])
    at = timezone.now()
    asked = process.request_override(
        deal.journey_id, criterion_key=item, reason_code=REASON, text="客户下周才能见面，先推进",
        compensation="周五前补齐", expires_at=at + timedelta(days=9), **where.how(at=at),
    )  # fmt: skip
    process.decide_override(asked.pk, granted=True, **where.how(where.chen))
    where.move(deal, to=STAGES[1])


def end(deal: Any, outcome: str) -> None:
    """As it ended, without the ways through all gates."""
    state = outcome if outcome in ("won", "lost") else "cancelled"
    Journey.objects.filter(pk=deal.journey_id).update(state=state, outcome=outcome, closed_at=timezone.now())


def met(where: Company) -> Any:
    deal = where.deal()
    where.move(where.fulfil(deal), to=STAGES[1])
    return deal


def found_by(reader: Any) -> Any:
    found = figures(Process.objects.get(key=PROCESS), reader=reader, at=timezone.now())
    assert found is not None
    return found


def item(found: Any, key: str = "bant") -> Any:
    return next(one for one in found.items if one.key == key)


def test_a_record_counts_once_as_it_stood_first_and_when_it_went_through(where: Company) -> None:
    let_pass(where, where.deal())
    met(where)
    refused = where.deal()
    with pytest.raises(GateRefused):
        where.move(refused, to=STAGES[1])
    where.deal(stage=STAGES[1])  # history that came in asks no gate
    found = found_by(where.chen)
    one = item(found).quality
    assert (one.records, one.attempts) == (3, 4)
    assert (one.first_pass.k, one.first_pass.n) == (1, 3)
    assert (one.override.k, one.override.n) == (1, 2)
    assert [(key, rate.k, rate.n) for key, _name, rate in found.stages] == [(STAGES[0], 1, 2)]
    assert (found.read, found.is_all) == (4, True)


def test_the_readers_rows_alone_are_counted(where: Company, client: Client) -> None:
    met(where)
    foreign = where.deal(owner=where.qi)
    where.move(where.fulfil(foreign), to=STAGES[1])
    assert item(found_by(where.zhou)).quality.records == 1
    assert item(found_by(where.admin)).quality.records == 2
    client.force_login(where.newcomer)
    assert client.get(URL).status_code == 403
    client.force_login(where.qi)
    rows = client.get(f"{API}/rows?part=asked&criterion=bant").json()["journeys"]
    assert rows == [foreign.journey_id]


def test_an_item_that_is_let_pass_too_often_comes_up_for_review(where: Company, client: Client) -> None:
    overrides.set_rules(
        budget=50, review_percent=30, version=1, by=where.tang, at=timezone.now(), channel="ui"
    )
    for _number in range(6):
        let_pass(where, where.deal())
    for _number in range(5):
        met(where)
    client.force_login(where.chen)
    body = client.get(API).json()
    bant = next(one for one in body["items"] if one["criterion"] == "bant")
    assert bant["review"] and body["review_above"] == 0.3
    assert (bant["override"]["k"], bant["override"]["n"], bant["override"]["enough"]) == (6, 11, True)
    assert bant["says"][0].startswith("Let pass in 6 of 11 records (55%), more than 30%")
    page = client.get(URL).content.decode()
    assert "For review" in page and "Let pass in 6 of 11 records (55%), more than 30%" in page
    assert body["people"] == [
        {
            "person": where.chen.pk, "name": "陈立新", "waivers": 6, "records": 6,
            "granted": body["people"][0]["granted"],
        }
    ]  # fmt: skip
    # Above another share it is an exception.
    overrides.set_rules(
        budget=50, review_percent=60, version=2, by=where.tang, at=timezone.now(), channel="ui"
    )
    bant = next(one for one in client.get(API).json()["items"] if one["criterion"] == "bant")
    assert not bant["review"] and "up to 60% is an exception" in bant["says"][0]


def test_lift_has_interval_and_n_from_the_floor_on(where: Company) -> None:
    overrides.set_rules(
        budget=50, review_percent=30, version=1, by=where.tang, at=timezone.now(), channel="ui"
    )
    for number in range(FLOOR):
        end(met(where), "won" if number < 9 else "lost")
    few = item(found_by(where.chen)).quality
    assert (few.lift.a.n, few.lift.b.n, few.lift.enough) == (10, 0, False)
    for number in range(FLOOR):
        deal = where.deal()
        let_pass(where, deal)
        end(deal, "won" if number < 2 else "no_decision")
    found = found_by(where.chen)
    lift = item(found).quality.lift
    assert (lift.a.k, lift.a.n, lift.b.k, lift.b.n) == (9, 10, 2, 10)
    assert lift.enough and not lift.holds_zero and lift.value is not None and lift.low is not None
    overridden = found.overridden
    assert (overridden.a.k, overridden.a.n, overridden.b.k, overridden.b.n) == (2, 10, 9, 10)
    # What was cancelled counts neither way.
    end(met(where), "duplicate")
    assert item(found_by(where.chen)).quality.lift.n == 20


def test_every_number_opens_as_many_rows_as_it_says(where: Company, client: Client) -> None:
    for _number in range(5):
        let_pass(where, where.deal())
    for number in range(6):
        end(met(where), "won" if number % 2 else "lost")
    client.force_login(where.chen)
    page = client.get(URL).content.decode()
    links = re.findall(r'href="(/processes/[^"]+/criteria/rows/\?[^"]+)"', page)
    assert len(links) > 20
    body = client.get(API).json()
    bant = next(one for one in body["items"] if one["criterion"] == "bant")
    team = next(one for one in body["teams"])
    expected = {
        "part=asked&criterion=bant": bant["records"],
        "part=at_once&criterion=bant": bant["first_pass"]["k"],
        "part=through&criterion=bant": bant["override"]["n"],
        "part=waived&criterion=bant": bant["override"]["k"],
        "part=met_ended&criterion=bant": bant["lift"]["a"]["n"],
        "part=unmet_ended&criterion=bant": bant["lift"]["b"]["n"],
        "part=clean_ended": body["overridden"]["b"]["n"],
        "part=overridden_ended": body["overridden"]["a"]["n"],
        f"part=through&stage={STAGES[0]}": body["stages"][0]["override"]["n"],
        f"part=waived&team={team['key']}": team["override"]["k"],
        f"part=granted&person={where.chen.pk}": 5,
    }
    for query, number in expected.items():
        assert len(client.get(f"{API}/rows?{query}").json()["journeys"]) == number, query
    for link in links:
        opened = client.get(link.replace("&amp;", "&"))
        assert opened.status_code == 200, link
    rows = client.get(f"{URL}rows/?part=waived&item=bant").content.decode()
    assert 'data-count="5"' in rows and "Let pass by waiver" in rows


def test_about_fewer_than_five_records_of_a_person_nothing_is_said(where: Company, client: Client) -> None:
    for _number in range(4):
        let_pass(where, where.deal())
    met(where)
    client.force_login(where.chen)
    body = client.get(API).json()
    assert body["people"] == [
        {"person": where.chen.pk, "name": "陈立新", "waivers": None, "records": None, "granted": None}
    ]
    assert client.get(f"{API}/rows?part=granted&person={where.chen.pk}").json()["journeys"] == []
    # Whoever leads nobody reads of nobody else.
    client.force_login(where.zhou)
    assert client.get(API).json()["people"] == []
    client.force_login(where.luo)
    assert client.get(f"{API}/rows?part=granted&person={where.chen.pk}").json()["journeys"] == []


@pytest.mark.parametrize(
    "query", ["part=nosuch", "part=nosuch&item=bant", "part=granted&person=x", "part=through&team=-1", ""]
)
def test_a_figure_that_does_not_exist_is_refused(where: Company, client: Client, query: str) -> None:
    client.force_login(where.chen)
    assert client.get(f"{URL}rows/?{query}").status_code == 400
    assert client.get("/processes/nosuch/criteria/").status_code == 404
    assert client.get("/api/v1/processes/nosuch/criteria").status_code == 404


def test_the_newest_attempts_are_read_and_that_is_said(
    where: Company, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _number in range(4):
        met(where)
    Evaluation.objects.filter(pk=Evaluation.objects.order_by("pk").first().pk).update(  # type: ignore[union-attr]
        at=timezone.now() - timedelta(days=366)
    )
    monkeypatch.setattr(reading, "MOST", 2)
    client.force_login(where.chen)
    body = client.get(API).json()
    assert (body["attempts"], body["all"]) == (2, False)
    assert next(one for one in body["items"] if one["criterion"] == "bant")["records"] == 2
    assert "the newest 2 attempts" in client.get(URL).content.decode()


def test_without_an_attempt_the_page_says_so_and_the_process_leads_to_it(
    where: Company, client: Client
) -> None:
    client.force_login(where.chen)
    assert "Nobody has tried a gate yet" in client.get(URL).content.decode()
    assert f'href="{URL}"' in client.get(f"/processes/{PROCESS}/").content.decode()
