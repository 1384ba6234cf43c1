"""A deal that jumps over stages, moved on its page: the two ways of counting differ by exactly this deal (AC-6)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import Company, company

from fairlead.process import services as process


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def counted(client: Client, mode: str) -> dict[str, tuple[int, int]]:
    """Stage → how many of those that entered it got further within thirty days."""
    asked = {"process": "key_account_opportunity", "mode": mode, "days": "30"}
    rows = json.loads(client.get("/api/v1/funnel/cohort", asked).content)["rows"]
    return {row["stage"]: (row["count"]["k"], row["count"]["n"]) for row in rows}


@pytest.mark.rule("AC-6", "MV-2", "V-3.1")
def test_reach_and_touch_differ_by_the_one_deal_that_was_skipped(
    where: Company, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(where.chen)
    began = timezone.now() - timedelta(days=40)
    now = {"at": began}
    monkeypatch.setattr(timezone, "now", lambda: now["at"])
    stepped = where.fulfil(where.deal("Step by step", days_ago=0, at=began), at=began)
    jumper = where.deal("Framework order", days_ago=0, at=began)
    where.edit(jumper, customer_problem="Two lines stop every week", sr=where.sun.pk, fr=where.he.pk)
    process.attest(
        jumper.journey_id, criterion_key="fr_deliverability", statement="ok", **where.how(where.he)
    )

    now["at"] = began + timedelta(days=3)
    where.move(stepped, to="needs_analysis")
    version = where.journey(jumper).version
    asked: dict[str, Any] = {"kind": "skip", "to": "quote_negotiation", "version": version, "asked": "1"}
    bare = client.post(reverse("crm:move", args=[jumper.pk]), asked)
    assert bare.status_code == 422 and where.journey(jumper).stage.key == "customer_contact"
    there = client.post(reverse("crm:move", args=[jumper.pk]), asked | {"reason": "framework_order"})

    assert there.status_code == 302 and where.journey(jumper).stage.key == "quote_negotiation"

    now["at"] = began + timedelta(days=40)
    reach, touch = counted(client, "reach"), counted(client, "touch")
    assert reach == {
        "customer_contact": (2, 2), "needs_analysis": (1, 2), "solution_design": (1, 1),
        "quote_negotiation": (0, 1), "signing": (0, 0),
    }  # fmt: skip
    assert touch == {
        "customer_contact": (1, 2), "needs_analysis": (0, 1), "solution_design": (0, 0),
        "quote_negotiation": (0, 1), "signing": (0, 0),
    }  # fmt: skip
