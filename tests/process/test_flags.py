"""What a move leaves open behind it: a flag with its own count of working days, until the item holds (GT-1, AC-3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import Company, company

from fairlead.crm import services as crm
from fairlead.crm.models import Account
from fairlead.organisation.selectors import default_calendar
from fairlead.process import services as process
from fairlead.process.models import GateFlag
from fairlead.process.selectors.flags import Flag, flags_of, raised_flags
from fairlead.process.selectors.gathering import situations

LEFT_OPEN = {"next_meeting", "coach_candidate", "meddpicc_contact"}


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


@pytest.fixture
def deal(where: Company) -> Any:
    row = where.fulfil(where.deal(account=where.account("Qichen")))
    where.move(row, to="needs_analysis")
    row.refresh_from_db()
    return row


def flags(where: Company, deal: Any, at: Any = None) -> dict[str, Flag]:
    found = situations([where.journey(deal)], at=at or timezone.now())[deal.journey_id]
    raised = raised_flags([deal.journey_id]).get(deal.journey_id, {})
    return {f.result.key: f for f in flags_of(found.definition, found.facts, found.calendar, raised)}


@pytest.mark.rule("AC-3", "GT-1")
def test_a_flag_counts_working_days_from_nought(where: Company, deal: Any) -> None:
    assert {key: f.days for key, f in flags(where, deal).items()} == dict.fromkeys(LEFT_OPEN, 0)
    raised = timezone.localdate(GateFlag.objects.filter(journey=deal.journey_id)[0].raised_at)
    friday = raised + timedelta(days=(4 - raised.weekday()) % 7 + 14)
    counts = []
    for days in range(4):  # Friday, the weekend, Monday
        day = friday + timedelta(days=days)
        at = timezone.now() + (day - timezone.localdate())
        found = flags(where, deal, at)
        assert {f.days for f in found.values()} == {default_calendar().working_days_between(raised, day)}
        counts.append(found["coach_candidate"].days)
    assert counts[0] >= 1 and counts == sorted(counts) and counts[3] <= counts[0] + 3


@pytest.mark.rule("AC-3", "GT-1")
def test_a_flag_of_a_stage_that_is_passed_ends_when_its_item_holds(where: Company, deal: Any) -> None:
    before = where.journey(deal).gate_flags
    contact = where.contact(deal.account, "Coach")
    crm.add_contact_role(deal.pk, contact_id=contact.pk, role="COACH", depth=2, **where.how(where.zhou))
    assert set(flags(where, deal)) == LEFT_OPEN - {"coach_candidate"}
    cleared = GateFlag.objects.get(journey=deal.journey_id, criterion_key="coach_candidate")
    assert cleared.cleared_at is not None
    assert where.journey(deal).gate_flags == before - 1
    where.edit(deal, next_meeting_on=timezone.localdate() + timedelta(days=3))
    assert set(flags(where, deal)) == {"meddpicc_contact"}
    assert where.journey(deal).gate_flags == before - 2


@pytest.mark.rule("AC-3", "GT-1")
def test_the_page_says_what_was_left_open_where_and_for_how_long_and_mends_it(
    where: Company, client: Client, deal: Any
) -> None:
    client.force_login(where.zhou)
    page = client.get(reverse("crm:opportunity", args=[deal.pk])).content.decode()
    assert "3 items left open behind" in page and page.count("open for 0 working days") == 3
    GateFlag.objects.filter(journey=deal.journey_id).update(raised_at=timezone.now() - timedelta(days=7))
    days = default_calendar().working_days_between(
        timezone.localdate() - timedelta(days=7), timezone.localdate()
    )
    panel = client.get(reverse("crm:panel", args=[deal.pk])).content.decode()
    assert panel.count(f"open for {days} working day") == 3 and "Belongs to Customer contact" in panel
    assert 'name="f.next_meeting_on"' in panel
    saved = client.post(
        reverse("crm:mend", args=[deal.pk]),
        {
            "deal_version": deal.version,
            "criterion": "next_meeting",
            "f.next_meeting_on": (timezone.localdate() + timedelta(days=3)).isoformat(),
        },
        headers={"HX-Request": "true", "HX-Target": "panel"},
    )
    assert saved.status_code == 200 and "2 items left open behind" in saved.content.decode()


@pytest.mark.rule("AC-3", "AC-2")
def test_the_api_says_the_same(where: Company, client: Client, deal: Any) -> None:
    client.force_login(where.zhou)
    told = client.get(f"/api/v1/opportunities/{deal.pk}/checklist").json()["left_behind"]
    assert {(f["key"], f["stage"], f["level"], f["state"], f["working_days"]) for f in told} == {
        (key, "customer_contact", "flag", "unmet", 0) for key in LEFT_OPEN
    }
    assert {f["mend"] for f in told} == {"field", "relation", "score"}


@pytest.mark.rule("GT-1")
def test_what_an_account_left_open_stands_on_the_page_of_its_process(where: Company, client: Client) -> None:
    from tests.factories.crm import document

    process.publish(document("account_development"), by=None, at=where.at, channel="system")
    account: Account = where.account("Qichen")
    client.force_login(where.zhou)
    started = client.post(reverse("crm:account_start", args=[account.pk]), {"process": "account_development"})
    assert started.status_code == 302
    journey = process_journey(account)
    process.move(journey.pk, advance("account_admission"), **where.how(where.zhou))
    page = client.get(reverse("crm:journey", args=[journey.pk])).content.decode()
    assert "left open behind" in page and "open for 0 working days" in page and "fl-ring--flagged" in page


def process_journey(account: Account) -> Any:
    from fairlead.process.models import Journey

    return Journey.objects.get(subject_type="account", subject_id=account.pk)


def advance(to: str) -> Any:
    from fairlead.process.enums import Kind
    from fairlead.process.verdicts import Wish

    return Wish(kind=Kind.ADVANCE, to=to)
