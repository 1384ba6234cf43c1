"""Acceptance scenarios told whole, each through the pages and through the API (AC-7, 9, 13 to 15)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation
from tests.factories.approvals import approving
from tests.factories.crm import PROCESS, Company, company
from tests.process.versions import publish_next

from fairlead.crm.models import Opportunity
from fairlead.process.models import ApprovalGrant, Clock, Journey, Migration, Visit
from fairlead.process.selectors.gathering import checklists
from fairlead.process.services import approving as approvals
from fairlead.process.services import carrying_over
from fairlead.process.services.rebuilding import differences

pytestmark = pytest.mark.django_db
BACK = "need_changed"


@pytest.fixture
def where() -> Iterator[Company]:
    with translation.override("en"):
        yield company(at=timezone.now() - timedelta(days=60), language="en")


class Page:
    """What somebody does on the pages, without JavaScript."""

    def __init__(self, where: Company, client: Client) -> None:
        self.where, self.client = where, client

    def move(self, who: str, deal: Opportunity, kind: str, **more: Any) -> int:
        """The answer's code, 302 as the 200 of a form."""
        self.client.force_login(self.where.people[who])
        deal.refresh_from_db()
        sent = {"kind": kind, "asked": "1", "version": self.where.journey(deal).version, **more}
        status = self.client.post(f"/opportunities/{deal.pk}/move/", sent).status_code
        return 200 if status == 302 else status

    def plan(self, who: str, do: str, **more: Any) -> int:
        self.client.force_login(self.where.people[who])
        plan = Migration.objects.order_by("-pk").first()
        groups = {f"group_{n}": "" for n in ("stage", "min", "max", "owner", "choice", "reason")}
        stages = {f"map.1.{old}": new for old, new in more.pop("mapping", {}).items()}
        groups["group_choice"] = more.pop("choice", "")
        sent = {
            "do": do,
            "version": plan.version if plan else 0,
            "grace_days": "5",
            **groups,
            **stages,
            **more,
        }
        status = self.client.post(f"/processes/{PROCESS}/migrate/", sent).status_code
        return 200 if status == 302 else status

    def saves(self, deal: Opportunity) -> int:
        return self.client.get(f"/opportunities/{deal.pk}/").status_code


class Api(Page):
    def move(self, who: str, deal: Opportunity, kind: str, **more: Any) -> int:
        self.client.force_login(self.where.people[who])
        path = f"/api/v1/journeys/{deal.journey_id}/move"
        return self.client.post(path, {"kind": kind, **more}, "application/json").status_code

    def plan(self, who: str, do: str, **more: Any) -> int:
        self.client.force_login(self.where.people[who])
        plan, path = Migration.objects.order_by("-pk").first(), f"/api/v1/processes/{PROCESS}/migration"
        if do == "plan":
            return 200 if self.client.post(path, {}, "application/json").status_code == 201 else 422
        assert plan is not None
        if do == "try":
            body: dict[str, Any] = {"grace_days": 5}
            if "mapping" in more:
                body["mapping"] = {"1": more["mapping"]}
            if choice := more.get("choice"):
                body["groups"] = [{"choice": choice}]
            changed = self.client.patch(path, body, "application/json", HTTP_IF_MATCH=f'"{plan.version}"')
            assert changed.status_code == 200, changed.content
            plan.refresh_from_db()
        told = f'"{plan.version}"'
        return self.client.post(f"{path}/do", {"do": do}, "application/json", HTTP_IF_MATCH=told).status_code


@pytest.fixture(params=[Page, Api], ids=["page", "api"])
def door(request: pytest.FixtureRequest, where: Company, client: Client) -> Page:
    return request.param(where, client)


def worker(at: Any = None) -> None:
    carrying_over.execute(Migration.objects.latest("pk").pk, clock=lambda: at or timezone.now())


def state_of(where: Company, deal: Opportunity, key: str) -> tuple[str, str]:
    (verdict,) = checklists([where.journey(deal)], at=timezone.now()).values()
    found = next(r for r in verdict.results if r.key == key)
    return str(found.state), found.why


@pytest.mark.rule("AC-7", "MV-3", "AP-14")
@pytest.mark.parametrize("lapses", [False, True])
def test_far_back_asks_for_a_reason_and_a_manager_and_what_was_approved_is_asked_again(
    where: Company, client: Client, lapses: bool
) -> None:
    approving(where, lapses_on_regress=lapses, ati_if={"field": "amount", "op": "gt", "value": 10**9})
    for door in (Page(where, client), Api(where, client)):
        deal = where.deal(
            stage="quote_negotiation", days_ago=20, discount=8, margin=25, payment_days=30, payer="启晨",
            sr=where.sun.pk, fr=where.he.pk,
        )  # fmt: skip
        asked = approvals.submit(
            deal.journey_id, kind="discount", package={"reason": "why"}, **where.how(where.zhou)
        )
        approvals.decide(asked.pk, approves=True, comment="", **where.how(where.chen))
        assert state_of(where, deal, "terms")[0] == "met"
        before = where.journey(deal)
        category = before.forecast_category

        assert door.move("chen", deal, "regress", to="needs_analysis") == 422  # no reason
        assert door.move("zhou", deal, "regress", to="needs_analysis", reason=BACK) == 403  # far
        # One stage alone is far too, for it lies behind what was approved.
        assert door.move("zhou", deal, "regress", to="solution_design", reason=BACK) == 403
        assert where.journey(deal).version == before.version
        assert door.move("chen", deal, "regress", to="needs_analysis", reason=BACK) == 200

        journey = where.journey(deal)
        *earlier, first, second = Visit.objects.filter(journey=journey).in_order()
        stays = 1 + sum(v.stage_key == "needs_analysis" for v in earlier)
        assert (first.exit_type, second.stage_key, second.visit_no) == ("regress", "needs_analysis", stays)
        assert (journey.forecast_category, category) == ("pipeline", "best_case")
        assert journey.regress_count == 1
        grant = ApprovalGrant.objects.get(journey=journey)
        assert (grant.void_reason, grant.voided_at is not None) == (
            ("regress", True) if lapses else ("", False)
        )
        where.edit(deal, by=where.zhou, discount=11)  # outside of what was approved
        assert door.move("zhou", deal, "advance", to="solution_design") == 200
        assert door.move("zhou", deal, "advance", to="quote_negotiation") == 200
        again = Visit.objects.get(journey=journey, left_at=None)
        assert (again.stage_key, again.visit_no) == ("quote_negotiation", 2)
        assert state_of(where, deal, "terms")[0] == "unmet"  # to be decided anew
        # C2 goes on with the sum of both stays, C1 begins anew.
        clocks = {c.kind: c.spent_seconds for c in Clock.objects.filter(journey=journey)}
        assert clocks["visit"] == 0 < clocks["stage"]
    assert list(differences()) == []


@pytest.mark.rule("AC-9", "MV-7")
def test_reopened_in_time_it_begins_an_episode_and_later_a_successor(where: Company, door: Page) -> None:
    deal = where.deal(stage="solution_design", at=where.at)
    sent: dict[str, Any] = {"reason": "price", "competitor": "东方自控"}
    if type(door) is Api:
        sent = {"reason": "price", "form": {"competitor": "东方自控"}}
    assert door.move("zhou", deal, "close_lost", **sent) == 200
    assert door.move("zhou", deal, "reopen", to="signing", comment="later than it was lost") == 422
    assert door.move("zhou", deal, "reopen", to="solution_design") == 422  # without a word on why
    assert door.move("zhou", deal, "reopen", to="needs_analysis", comment="the budget is back") == 200
    journey = where.journey(deal)
    assert (journey.episode_no, journey.stage.key, journey.state) == (2, "needs_analysis", "open")
    lost = Visit.objects.get(journey=journey, episode_no=1, exit_type="lost")
    assert lost.outcome == "lost"
    assert door.move("zhou", deal, "close_lost", **sent) == 200
    Journey.objects.filter(pk=journey.pk).update(closed_at=timezone.now() - timedelta(days=200))
    assert door.move("zhou", deal, "reopen", to="needs_analysis", comment="the budget is back") == 422
    is_page = type(door) is Page
    if is_page:
        shown = door.client.get(f"/opportunities/{deal.pk}/").content.decode()
        assert "It ended more than 90 days ago" in shown and "Begin a linked deal" in shown
    path = f"/opportunities/{deal.pk}/successor/" if is_page else f"/api/v1/opportunities/{deal.pk}/successor"
    how: dict[str, Any] = {} if is_page else {"content_type": "application/json"}
    answers = [door.client.post(path, {}, **how).status_code for _click in range(2)]
    assert answers == [302 if is_page else 201, 422]  # of two clicks one begins a deal
    later = Opportunity.objects.get(predecessor=deal)
    assert (later.journey.episode_no, later.account_id, later.name) == (1, deal.account_id, deal.name)
    if is_page:
        before, after = (
            door.client.get(f"/opportunities/{pk}/").content.decode() for pk in (deal.pk, later.pk)
        )
        assert "Begin a linked deal" not in before and f"/opportunities/{later.pk}/" in before
        assert "It goes on from an earlier deal:" in after and f"/opportunities/{deal.pk}/" in after


@pytest.mark.rule("AC-13", "VR-5")
def test_an_item_that_is_new_is_asked_by_where_the_record_stands(where: Company, door: Page) -> None:
    deal = where.deal(at=where.at)
    where.fulfil(deal)
    where.move(deal, to="needs_analysis")
    added = {"customer_contact": "new_passed", "needs_analysis": "new_here", "solution_design": "new_later"}
    publish_next(where, at=timezone.now(), added=added)
    assert [door.plan("tang", "plan"), door.plan("tang", "try", choice="now")] == [200, 200]
    assert door.plan("tang", "confirm") == 200
    worker()
    assert where.journey(deal).process_version.number == 2
    assert state_of(where, deal, "new_passed") == ("na", "grandfathered")
    assert state_of(where, deal, "new_here") == ("na", "grace")
    where.fulfil(deal)
    assert door.move("zhou", deal, "advance", to="solution_design") == 200
    where.fulfil(deal)
    assert door.move("zhou", deal, "advance", to="quote_negotiation") == 422
    assert state_of(where, deal, "new_later")[0] == "unmet"


@pytest.mark.rule("AC-14", "AC-15", "VR-3", "VR-6", "VR-9")
def test_without_a_place_nothing_moves_with_one_it_goes_on_and_a_day_long_it_is_undone(
    where: Company, door: Page
) -> None:
    still, moved = (where.deal(stage="needs_analysis", at=where.at, days_ago=9) for _n in range(2))
    entered = where.journey(still).entered_at
    publish_next(where, at=timezone.now(), rename=("needs_analysis", "discovery"))
    assert door.plan("tang", "plan") == 200
    assert door.plan("tang", "try", choice="now") == 422  # the stage has no place
    assert door.plan("tang", "confirm") == 422
    assert where.journey(still).process_version.number == 1
    assert door.plan("tang", "try", choice="now", mapping={"needs_analysis": "discovery"}) == 200
    assert door.plan("zhou", "confirm") == 403
    assert door.plan("tang", "confirm") == 200
    worker()
    journey = where.journey(still)
    assert (journey.stage.key, journey.entered_at) == ("discovery", entered)
    last = Visit.objects.filter(journey=journey, exit_type="migrated").get()
    assert last.stage_key == "needs_analysis"
    assert door.move("chen", moved, "regress", to="customer_contact", reason=BACK) == 200

    assert door.plan("tang", "undo") == 200
    worker()

    assert (where.journey(still).process_version.number, where.journey(moved).process_version.number) == (
        1,
        2,
    )
    states = dict(Migration.objects.latest("pk").rows.values_list("journey", "state"))
    assert states == {still.journey_id: "undone", moved.journey_id: "refused"}
    assert list(differences()) == []
