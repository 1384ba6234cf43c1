"""Clocks of role tracks (IT-2): over their limit they are breaches like any other, told to the role and then the AR."""

from __future__ import annotations

import copy
import importlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import Company, company, document

from fairlead.crm.models import Opportunity
from fairlead.fields.catalogue import catalogue
from fairlead.journal.models import Event
from fairlead.organisation.selectors import calendars
from fairlead.process import services as process
from fairlead.process.definition import DefinitionError
from fairlead.process.loading import load
from fairlead.process.models import Clock
from fairlead.process.selectors.clocks import worst_clocks
from fairlead.process.services.rebuilding import differences, rebuild
from fairlead.process.services.sweeping import sweep
from fairlead.work.models import NotificationEntry

pytestmark = [pytest.mark.django_db, pytest.mark.rule("IT-2", "SL-5")]
DELIVERY = "fr_deliverability"


@pytest.fixture
def where() -> Company:
    return company(language="en")


def in_design(where: Company, *, days_ago: int, fr: bool = True, **more: Any) -> Opportunity:
    """A deal at the design of its solution: SR sun, FR he; the tracks are due after 12/18, 8/12 and 15/20 days."""
    team = {"sr": where.sun.pk} | ({"fr": where.he.pk} if fr else {})
    deal = where.deal(stage="solution_design", days_ago=days_ago, **team, **more)
    deal.refresh_from_db()
    return deal


def tracks(deal: Opportunity) -> dict[str, str]:
    return dict(Clock.objects.filter(journey=deal.journey_id, kind="track").values_list("key", "level"))


def said(deal: Opportunity, *types: str) -> list[tuple[str, str]]:
    rows = Event.objects.filter(journey_id=deal.journey_id, type__in=types).order_by("pk")
    return [
        (e.type, e.data.get("track") or e.data["key"])
        for e in rows
        if e.data.get("clock", "track") == "track"
    ]


def told(deal: Opportunity, person: Any) -> set[str]:
    rows = NotificationEntry.objects.filter(
        notification__subject_id=deal.pk, notification__recipient=person, code__endswith="_track"
    )
    return set(rows.values_list("code", flat=True))


def attest(where: Company, deal: Opportunity, at: datetime | None = None) -> None:
    process.attest(deal.journey_id, criterion_key=DELIVERY, statement="可以", **where.how(where.he, at))


def test_a_track_over_its_limit_is_a_breach_told_to_its_role_and_then_to_the_ar(where: Company) -> None:
    deal = in_design(where, days_ago=13)  # nine working days: the track of the FR is past its first threshold
    assert tracks(deal) == {"solution": "", "delivery": "", "customer": ""}
    sweep(at=timezone.now())
    assert tracks(deal) == {"solution": "", "delivery": "yellow", "customer": ""}
    breach = Event.objects.get(journey_id=deal.journey_id, type="clock_breached", data__clock="track")
    assert breach.effective_at == Clock.objects.get(journey=deal.journey_id, key="delivery").yellow_at
    assert told(deal, where.he) == {"clock_yellow_track"}
    assert told(deal, where.zhou) == told(deal, where.sun) == set()

    later = timezone.now() + timedelta(days=7)
    sweep(at=later)
    assert tracks(deal)["delivery"] == "red"
    assert told(deal, where.he) == {"clock_yellow_track", "clock_red_track"}
    assert "clock_red_track" in told(deal, where.zhou)  # the AR
    before = Event.objects.count()
    sweep(at=later)
    assert Event.objects.count() == before  # nobody is told twice
    assert not list(differences())


def test_without_anybody_in_the_role_the_ar_is_told_at_once(where: Company) -> None:
    deal = in_design(where, days_ago=13, fr=False)
    sweep(at=timezone.now())
    assert told(deal, where.zhou) == {"clock_yellow_track"}


def test_a_track_that_gets_through_ends_its_breach_and_opens_again_with_its_evidence_gone(
    where: Company,
) -> None:
    deal = in_design(where, days_ago=30)
    sweep(at=timezone.now())
    assert tracks(deal)["delivery"] == "red"
    attest(where, deal)
    assert tracks(deal)["delivery"] == ""
    assert said(deal, "track_through", "clock_resolved") == [
        ("track_through", "delivery"),
        ("clock_resolved", "delivery"),
    ]
    ended = Event.objects.get(journey_id=deal.journey_id, type="clock_resolved", data__clock="track")
    assert (ended.data["resolution"], ended.data["level"]) == ("track_through", "red")
    row = Clock.objects.get(journey=deal.journey_id, key="delivery")
    assert row.running_since is None and row.next_due_at is None and row.spent_seconds > 0

    attestation = where.journey(deal).attestations.get()
    process.withdraw_attestation(attestation.pk, **where.how(where.he))
    assert said(deal, "track_reopened") == [("track_reopened", "delivery")]
    assert tracks(deal)["delivery"] == "red"  # the days since the entry are not given back
    assert not list(differences())


def test_what_is_through_when_the_sweep_comes_is_no_breach_though_nobody_noted_it(where: Company) -> None:
    deal = in_design(where, days_ago=5)
    attest(where, deal)
    assert tracks(deal)["delivery"] == ""
    # As after an import or a migration: the facts are there, the note is not.
    journey = where.journey(deal)
    journey.clocks = {k: v for k, v in journey.clocks.items() if k != "tracks"}
    journey.save()
    due = Clock.objects.filter(journey=deal.journey_id, key="delivery")
    due.update(next_due_at=timezone.now() - timedelta(days=1))
    sweep(at=timezone.now() + timedelta(days=30))
    assert not [key for type_, key in said(deal, "clock_breached") if key == "delivery"]
    assert said(deal, "track_through") == [("track_through", "delivery")] * 2


def test_the_clock_of_a_track_ends_with_its_stage_and_starts_anew_with_the_next_stay(where: Company) -> None:
    deal = where.fulfil(in_design(where, days_ago=13))
    assert "delivery" in where.journey(deal).clocks["tracks"]
    where.move(deal, to="quote_negotiation")
    assert tracks(deal) == {} and "tracks" not in where.journey(deal).clocks
    where.move(deal, "regress", to="solution_design", reason="need_changed")
    # What was confirmed is still good: the track is through from the first moment on.
    assert (
        said(deal, "track_through")[-1][0] == "track_through"
        and "delivery" in where.journey(deal).clocks["tracks"]
    )
    assert not list(differences())


def test_a_hold_stops_the_clock_of_a_track(where: Company) -> None:
    deal = in_design(where, days_ago=5)
    where.move(
        deal,
        "hold",
        reason="project_paused",
        form={"resume_date": (timezone.localdate() + timedelta(days=60)).isoformat()},
    )
    sweep(at=timezone.now() + timedelta(days=40))
    assert said(deal, "clock_breached") == []
    assert Clock.objects.get(journey=deal.journey_id, key="delivery").paused_at is not None


def test_rebuilding_gives_the_same_clocks(where: Company) -> None:
    late, through = in_design(where, days_ago=30), in_design(where, days_ago=30)
    attest(where, through)
    sweep(at=timezone.now())
    before = list(Clock.objects.order_by("pk").values())
    rebuild()
    assert list(Clock.objects.order_by("pk").values()) == before
    assert tracks(late)["delivery"] == "red" and tracks(through)["delivery"] == ""


@pytest.mark.rule("SL-2")
def test_deal_board_and_my_day_show_it_and_i_know_rests_it(where: Company, client: Client) -> None:
    deal = in_design(
        where, days_ago=18
    )  # twelve to thirteen working days: within the limit of the stage itself
    at = timezone.now() + timedelta(days=1)
    sweep(at=at)
    assert tracks(deal)["delivery"] == "red"
    Clock.objects.filter(journey=deal.journey_id).exclude(kind="track").update(
        level="", yellow_at=None, red_at=None
    )
    assert (
        worst_clocks({deal.journey_id: deal.owner_id}, at=at, book=calendars())[deal.journey_id].kind
        == "track"
    )

    client.force_login(where.he)
    page = client.get(reverse("crm:opportunity", args=[deal.pk])).content.decode()
    assert "Delivery (FR)" in page
    assert "Delivery (FR): over for" in client.get("/").content.decode()
    assert client.get(reverse("crm:board")).status_code == 200

    url = reverse("process:acknowledge", args=[deal.journey_id])
    client.force_login(where.zhou)
    client.post(url, {"kind": "track", "key": "delivery"})
    assert Clock.objects.get(journey=deal.journey_id, key="delivery").acknowledged_until is not None
    clocks = client.get(f"/api/v1/journeys/{deal.journey_id}/clocks").json()["items"]
    own = next(c for c in clocks if c["key"] == "delivery")
    assert (own["clock"], own["level"], own["yellow"], own["red"]) == ("track", "red", 8, 12)


def test_more_tracks_than_a_stage_has_clocks_for_are_refused() -> None:
    wanted = copy.deepcopy(document())
    stage = next(s for s in wanted["stages"] if s["key"] == "solution_design")
    one = stage["tracks"][2]
    stage["tracks"] = [{**one, "key": f"t{n}", "criteria": []} for n in range(13)]
    with pytest.raises(DefinitionError) as caught:
        load(wanted, catalogue("opportunity"))
    assert any(p.path == "stages.solution_design.tracks" for p in caught.value.problems)


def test_the_migration_spreads_the_ids_of_clocks_and_narrows_them_again(where: Company) -> None:
    deal = in_design(where, days_ago=1)
    moving = importlib.import_module("fairlead.process.migrations.0017_track_clocks")
    after = sorted(Clock.objects.exclude(kind="track").values_list("pk", "kind"))
    moving.narrow(apps, None)
    assert min(Clock.objects.values_list("pk", flat=True)) > 0
    assert set(Clock.objects.filter(journey=deal.journey_id).values_list("pk", flat=True)) == {
        deal.journey_id * 16 + n for n in range(1, 5)
    }
    moving.widen(apps, None)
    assert sorted(Clock.objects.values_list("pk", "kind")) == after
