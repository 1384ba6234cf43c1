"""A deal as it was known on a day: later corrections are left out, masks are those of today."""

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.factories.crm import company
from tests.process.versions import carried_out, planned, publish_next

from fairlead.process import services as process
from fairlead.process.enums import Kind
from fairlead.process.verdicts import Wish

pytestmark = [pytest.mark.django_db, pytest.mark.rule("EV-4", "AC-39")]


def test_a_later_correction_is_not_known_earlier(client):
    where = company(language="en")
    now = timezone.now()
    deal = where.deal(amount=1_200_000, at=now - timedelta(days=9))
    where.edit(deal, amount="1500000")
    before, today = (timezone.localdate() - timedelta(days=n) for n in (3, 0))
    path = f"/opportunities/{deal.pk}/as-of/"
    client.force_login(where.zhou)

    then = client.get(path, {"date": before.isoformat()}).content.decode()
    assert "1,200,000" in then and "1,500,000" not in then
    assert "1,500,000" in client.get(path, {"date": today.isoformat()}).content.decode()
    api = client.get(f"/api/v1/opportunities/{deal.pk}/as-of", {"date": before.isoformat()}).json()
    assert (api["amount"], api["stage"], api["owner"]) == ("1200000.00", "customer_contact", where.zhou.pk)
    assert client.get(f"/api/v1/opportunities/{deal.pk}/as-of", {"date": "2000-01-01"}).status_code == 404
    assert "Nobody knew of it then" in client.get(path, {"date": "2000-01-01"}).content.decode()
    assert client.get(path, {"date": "2026-02-30"}).status_code == 400
    client.force_login(where.qi)
    assert client.get(path).status_code == 404
    client.force_login(where.mo)  # marketing reads no margin, then or now
    told = client.get(f"/api/v1/opportunities/{deal.pk}/as-of", {"date": today.isoformat()}).json()
    assert "margin" not in told["fields"]


@pytest.mark.rule("GT-4")
def test_the_gate_stands_as_it_was_known_that_day(client):
    """Met today by evidence of today, unmet then; and judged by the version that held then."""
    where = company(language="en")
    now = timezone.now()
    deal = where.deal(
        stage="solution_design", at=now - timedelta(days=20), days_ago=5, sr=where.sun.pk, fr=where.he.pk
    )
    process.attest(
        deal.journey_id,
        criterion_key="fr_deliverability",
        statement="可以",
        **where.how(where.he, now - timedelta(days=4)),
    )
    client.force_login(where.zhou)

    def states(days):
        day = (timezone.localdate() - timedelta(days=days)).isoformat()
        told = client.get(f"/api/v1/opportunities/{deal.pk}/as-of", {"date": day}).json()
        return {item["key"]: item["state"] for item in told["gate"]}, day

    then, day = states(8)
    assert then["fr_deliverability"] == "unmet"
    page = client.get(f"/opportunities/{deal.pk}/as-of/", {"date": day}).content.decode()
    assert "The gate, by what was known" in page and "FR signs deliverability and time" in page
    assert states(2)[0]["fr_deliverability"] == "met"

    word = where.journey(deal).attestations.get()
    process.withdraw_attestation(word.pk, **where.how(where.he, now - timedelta(days=1)))
    assert states(2)[0]["fr_deliverability"] == "met"  # it was withdrawn later
    assert states(0)[0]["fr_deliverability"] == "unmet"


def test_a_day_on_hold_or_after_the_end_has_no_gate(client):
    where = company(language="en")
    now = timezone.now()
    deal = where.deal(at=now - timedelta(days=9))
    held = where.how(at=now - timedelta(days=3))
    resume = (timezone.localdate() + timedelta(days=9)).isoformat()
    process.move(
        deal.journey_id, Wish(kind=Kind.HOLD, reason="project_paused", form={"resume_date": resume}), **held
    )
    client.force_login(where.zhou)
    for days, has in ((5, True), (1, False)):
        day = (timezone.localdate() - timedelta(days=days)).isoformat()
        told = client.get(f"/api/v1/opportunities/{deal.pk}/as-of", {"date": day}).json()
        assert bool(told["gate"]) is has
        assert (
            "by what was known"
            in client.get(f"/opportunities/{deal.pk}/as-of/", {"date": day}).content.decode()
        ) is has


def test_the_version_of_that_day_judges(client):
    where = company(language="en")
    now = timezone.now()
    deal = where.deal(at=now - timedelta(days=9))
    publish_next(where, at=now - timedelta(days=2))
    carried_out(planned(now - timedelta(days=2)), now - timedelta(days=1, hours=1))
    assert where.journey(deal).process_version.number == 2
    client.force_login(where.zhou)
    day = (timezone.localdate() - timedelta(days=5)).isoformat()
    told = client.get(f"/api/v1/opportunities/{deal.pk}/as-of", {"date": day}).json()
    assert told["process_version"] == 1 and told["gate"]
