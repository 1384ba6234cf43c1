"""An exception of the register is settled: made a policy, or not to come again (AP-13)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.factories.approvals import approving
from tests.factories.crm import Company, company

from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.journal.models import Event, EventDetail
from fairlead.process.models import Precedent
from fairlead.process.refusals import AlreadyDecided
from fairlead.process.services import approving as services
from fairlead.process.services.precedents import settle_precedent

pytestmark = [pytest.mark.django_db, pytest.mark.rule("AP-13")]
URL = "/approvals/precedents/"
WHY = "Every customer of this size asks for it: the matrix allows it from now on."


@pytest.fixture
def where() -> Company:
    return approving(company(language="en"))


@pytest.fixture
def precedent(where: Company) -> Precedent:
    deal = where.deal(stage="quote_negotiation", discount=9, margin=25, payment_days=30, prepay=20)
    request = services.submit(
        where.journey(deal).pk, kind="discount", text="A rival.", package={"reason": "Two years"},
        **where.how(deal.owner),
    )  # fmt: skip
    services.decide(request.pk, approves=True, **where.how(where.chen))
    return Precedent.objects.get()


def settle(where: Company, row: Precedent, by: Any, state: str = "promoted", note: str = WHY) -> Precedent:
    return settle_precedent(row.pk, state=state, note=note, **where.how(by))


def test_it_is_settled_once_with_a_reason_and_stands_in_the_journal(
    where: Company, precedent: Precedent
) -> None:
    row = settle(where, precedent, where.tang)
    assert (row.state, row.note, row.settled_by) == ("promoted", WHY, where.tang)
    event = Event.objects.get(type="precedent_settled")
    assert (event.actor_id, event.data["precedent"], event.data["state"]) == (
        where.tang.pk, row.pk, "promoted",
    )  # fmt: skip
    assert EventDetail.objects.get(event=event).comment == WHY
    with pytest.raises(AlreadyDecided):
        settle(where, precedent, where.tang, "refused")


def test_by_whoever_keeps_the_process_and_nobody_else(where: Company, precedent: Precedent) -> None:
    with pytest.raises(NotPermitted):
        settle(where, precedent, where.chen)
    with pytest.raises(NotFound):
        settle(where, precedent, where.qi)
    with pytest.raises(NotFound):
        settle_precedent(987_654, state="refused", note=WHY, **where.how(where.tang))
    with pytest.raises(Invalid) as caught:
        settle(where, precedent, where.tang, "open", "short")
    assert {e["field"] for e in caught.value.details["errors"]} == {"state", "note"}
    precedent.refresh_from_db()
    assert precedent.state == "open"


def test_on_the_page_and_by_the_api(where: Company, precedent: Precedent, client: Client) -> None:
    Precedent.objects.update(expires_at=timezone.now() - timedelta(days=1))
    client.force_login(where.chen)
    assert "Settle it" not in client.get(URL).content.decode()
    client.force_login(where.tang)
    assert "to be looked at again" in client.get(f"{URL}?due=1").content.decode()
    refused = client.post(f"{URL}{precedent.pk}/settle", {"state": "refused", "note": "no"})
    assert refused.status_code == 422 and ">no</textarea>" in refused.content.decode()
    assert client.post(f"{URL}{precedent.pk}/settle", {"state": "refused", "note": WHY}).status_code == 302
    assert WHY in client.get(URL).content.decode()
    assert "No exception yet" in client.get(f"{URL}?due=1").content.decode()
    again = client.post(
        f"/api/v1/precedents/{precedent.pk}/settle",
        {"state": "promoted", "note": WHY},
        content_type="application/json",
    )
    assert (again.status_code, again.json()["code"]) == (409, "already-decided")
