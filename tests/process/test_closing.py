"""What a closed record leaves behind comes off the lists with it, unless whoever closes it keeps it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import Company, company

from fairlead.crm.models import Opportunity
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.process import services as process
from fairlead.process.enums import Kind
from fairlead.process.verdicts import Wish
from fairlead.work import services as work
from fairlead.work.models import Activity, Task
from fairlead.work.selectors.agenda import open_work


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def busy(where: Company) -> Opportunity:
    """A deal with two open tasks, one done, and a planned step."""
    deal = where.deal(stage="needs_analysis")
    rows = [
        work.add_task("opportunity", deal.pk, title=title, assignee=where.zhou, **where.how())
        for title in ("寄样品", "约副总", "改方案")
    ]
    work.complete_task(rows[2].pk, version=1, **where.how())
    where.next_step(deal)
    deal.refresh_from_db()
    return deal


def close(where: Company, deal: Opportunity, **form: Any) -> None:
    where.move(deal, "close_lost", reason="walked_away", form=form)


@pytest.mark.rule("MV-6")
def test_closing_takes_open_tasks_and_planned_steps_off_the_lists(where: Company) -> None:
    deal, other = busy(where), busy(where)

    close(where, deal)

    assert open_work("opportunity", deal.pk) == (0, 0) and open_work("opportunity", other.pk) == (2, 1)
    assert Task.objects.filter(subject_id=deal.pk, done_at__isnull=False, removed_at=None).count() == 1
    journey = where.journey(deal)
    assert (journey.next_step_at, journey.next_step_text) == (None, "")
    told = Event.objects.filter(subject_type="opportunity", subject_id=deal.pk, data__closed=True)
    assert sorted(told.values_list("type", flat=True)) == [
        "activity_cancelled",
        "task_removed",
        "task_removed",
    ]
    assert {event.actor_id for event in told} == {where.zhou.pk}


@pytest.mark.rule("MV-6")
def test_whoever_closes_it_may_keep_them(where: Company) -> None:
    deal = busy(where)
    close(where, deal, keep_work="1")
    assert where.journey(deal).state == "lost" and open_work("opportunity", deal.pk) == (2, 1)


@pytest.mark.rule("MV-6")
def test_a_hold_and_a_refused_close_leave_them_and_so_does_an_import(where: Company) -> None:
    deal = busy(where)
    where.move(deal, "hold", reason="budget_waiting", form={"resume_date": "2099-01-01"})
    assert open_work("opportunity", deal.pk) == (5, 1)  # and the three that a playbook gives out at a hold

    brought = busy(where)
    process.move(
        brought.journey_id or 0,
        Wish(kind=Kind.CLOSE_LOST, reason="walked_away"),
        by=where.zhou,
        at=timezone.now(),
        channel=Channel.IMPORT,
    )
    assert where.journey(brought).state == "lost" and open_work("opportunity", brought.pk) == (2, 1)


@pytest.mark.rule("MV-6")
def test_an_account_goes_on_when_one_of_its_journeys_ends(where: Company) -> None:
    from tests.factories.crm import document

    process.publish(
        document("account_development"), by=None, at=where.at, channel=Channel.SYSTEM, mode="soft"
    )
    account = where.account()
    work.add_task("account", account.pk, title="回访", assignee=where.zhou, **where.how())
    journey = process.start_journeys(
        [
            process.NewJourney(
                subject_type="account", subject_id=account.pk, process_key="account_development"
            )
        ],
        by_id=None,
        at=where.at,
        channel=Channel.SYSTEM,
    )[0]

    process.move(journey.pk, Wish(kind=Kind.CLOSE_LOST, reason="no_access"), **where.how())

    journey.refresh_from_db()
    assert journey.state == "lost" and open_work("account", account.pk) == (1, 0)


@pytest.mark.rule("MV-6", "U07")
def test_the_panel_says_what_closing_takes_off_and_lets_it_be_kept(where: Company, client: Client) -> None:
    client.force_login(where.zhou)
    quiet = where.deal()
    panel = client.get(reverse("crm:panel", args=[quiet.pk]), {"as": "lost"}).content.decode()
    assert "keep_work" not in panel

    for keep, left in (({}, (0, 0)), ({"keep_work": "1"}, (2, 1))):
        deal = busy(where)
        panel = client.get(reverse("crm:panel", args=[deal.pk]), {"as": "lost"}).content.decode()
        assert "Open tasks (2) and planned activities (1) are taken off" in panel and "keep_work" in panel
        body = {
            "kind": "close_lost",
            "version": where.journey(deal).version,
            "asked": 1,
            "reason": "walked_away",
            **keep,
        }
        assert client.post(reverse("crm:move", args=[deal.pk]), body).status_code == 302
        assert open_work("opportunity", deal.pk) == left


@pytest.mark.rule("MV-6")
@pytest.mark.parametrize("keep,left", [(None, (0, 0)), (False, (0, 0)), (True, (2, 1))])
def test_the_interface_asks_the_same(
    where: Company, client: Client, keep: bool | None, left: tuple[int, int]
) -> None:
    deal = busy(where)
    client.force_login(where.zhou)
    body = {
        "kind": "close_lost",
        "reason": "walked_away",
        "version": where.journey(deal).version,
        "form": {} if keep is None else {"keep_work": keep},
    }
    answer = client.post(
        f"/api/v1/opportunities/{deal.pk}/move", json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == 200, answer.content
    assert open_work("opportunity", deal.pk) == left


@pytest.mark.rule("MV-6")
def test_many_deals_are_closed_with_as_many_questions_as_one(
    where: Company, django_assert_max_num_queries: Any
) -> None:
    deals = [busy(where) for _n in range(6)]
    with django_assert_max_num_queries(60):
        process.move_many(
            [
                process.MoveWish(
                    journey_id=d.journey_id or 0, wish=Wish(kind=Kind.CLOSE_LOST, reason="walked_away")
                )
                for d in deals
            ],
            **where.how(),
        )
    assert not Activity.objects.filter(state="planned").exists()
    assert not Task.objects.filter(done_at=None, removed_at=None).exists()
