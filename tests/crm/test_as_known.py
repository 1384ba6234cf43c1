"""A deal as it was known on a day: later corrections are left out, masks are those of today."""

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.factories.crm import company

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
