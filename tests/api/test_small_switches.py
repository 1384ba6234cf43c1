"""What pages could do and machines could not: the weekly summary's switch, and milestones that were not reached."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from tests.factories.crm import Company, company

from fairlead.journal.models import Event
from fairlead.offers import services as offers
from fairlead.offers.models import Milestone
from fairlead.work.models import NotificationPreference

SETTINGS = "/api/v1/notifications/settings"


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


@pytest.fixture
def door(where: Company, client: Client) -> Client:
    client.force_login(where.zhou)
    return client


def change(door: Client, version: int, **values: Any) -> Any:
    return door.patch(
        SETTINGS, json.dumps(values), content_type="application/json", headers={"If-Match": f'"{version}"'}
    )


@pytest.mark.rule("U39")
def test_the_weekly_summary_is_switched_off_and_the_rest_stays(where: Company, door: Client) -> None:
    told = door.get(SETTINGS)
    assert (told.status_code, told.headers["ETag"]) == (200, '"1"')
    assert told.json()["weekly"] is True and told.json()["digest"] == "none"

    assert (
        change(door, 1, digest="daily", daily_at="09:15", quiet_from="20:00", quiet_until="07:30").status_code
        == 200
    )
    off = change(door, 2, weekly=False)

    assert off.status_code == 200 and off.json()["version"] == 3
    row = NotificationPreference.objects.get(person=where.zhou)
    assert (row.weekly, row.digest, f"{row.daily_at:%H:%M}", f"{row.quiet_from:%H:%M}") == (
        False, "daily", "09:15", "20:00",
    )  # fmt: skip
    last = Event.objects.filter(type="notifications_set").latest("pk")
    assert (last.channel, last.data["weekly"], last.actor_id) == ("api", False, where.zhou.pk)
    assert not NotificationPreference.objects.exclude(person=where.zhou).exists()


@pytest.mark.rule("U39")
def test_what_cannot_be_changes_nothing(where: Company, door: Client) -> None:
    assert change(door, 1, quiet_from="20:00", quiet_until="20:00").status_code == 422  # it would never end
    assert change(door, 1, quiet_from="20:00").status_code == 422
    assert change(door, 1, daily_at="25:00").status_code == 400
    assert change(door, 1, weekly=None).status_code == 400
    assert change(door, 7, weekly=False).status_code == 412
    bare = door.patch(SETTINGS, "{}", content_type="application/json")
    assert bare.status_code == 428
    assert not NotificationPreference.objects.filter(weekly=False).exists()


def test_a_milestone_is_reopened_and_then_removed_as_on_the_page(where: Company, door: Client) -> None:
    deal = where.deal()
    contract = offers.create_contract(deal.pk, number="C-9", amount=1, currency="CNY", **where.how())
    row = offers.add_milestone(contract.pk, kind="payment", name="首付", **where.how())
    offers.complete_milestone(row.pk, on=where.at.date(), **where.how())
    address = f"/api/v1/milestones/{row.pk}"

    assert door.delete(address).status_code == 412  # what was reached stands
    answer = door.post(f"{address}/reopen")
    assert answer.status_code == 200 and answer.json()["done_date"] is None
    assert door.post(f"{address}/reopen").status_code == 412
    assert door.delete(address).status_code == 204
    assert not Milestone.objects.filter(pk=row.pk).exists()
    assert door.delete(address).status_code == 404
    told = Event.objects.filter(subject_type="contract", channel="api").order_by("pk")
    assert list(told.values_list("type", flat=True)) == ["milestone_reopened", "milestone_removed"]


@pytest.mark.rule("T01")
def test_a_stranger_finds_no_milestone(where: Company, client: Client) -> None:
    contract = offers.create_contract(where.deal().pk, number="C-9", amount=1, currency="CNY", **where.how())
    row = offers.add_milestone(contract.pk, kind="payment", name="首付", **where.how())
    client.force_login(where.qi)
    assert client.post(f"/api/v1/milestones/{row.pk}/reopen").status_code == 404
    assert client.delete(f"/api/v1/milestones/{row.pk}").status_code == 404
    client.force_login(where.shen)
    assert client.delete(f"/api/v1/milestones/{row.pk}").status_code in (403, 404)
    assert Milestone.objects.filter(pk=row.pk).exists()
