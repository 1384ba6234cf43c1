"""A deal that ends leaves nothing waiting for anybody; where it runs on, what was vetoed stands again (IT-3, AP-6)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation
from django_tasks_db.models import DBTaskResult
from tests.factories.approvals import approving
from tests.factories.crm import Company, company
from tests.process.test_overrides import ask
from tests.process.versions import carried_out, planned, publish_next, undone

from fairlead.common.refusals import Stale
from fairlead.crm import services as crm
from fairlead.journal.models import Event
from fairlead.process import services as process
from fairlead.process.answers import situation_of
from fairlead.process.enums import Kind
from fairlead.process.models import ApprovalRequest, OverrideRequest, Veto
from fairlead.process.refusals import ApprovalDecided, GateRefused, VetoRefused
from fairlead.process.selectors.gathering import situations
from fairlead.process.services import approving as approvals
from fairlead.process.services.rebuilding import differences
from fairlead.process.verdicts import Wish
from fairlead.work.models import NotificationEntry
from fairlead.work.services.notifications import deliver

pytestmark = pytest.mark.django_db
LOST: dict[str, Any] = {"reason": "price", "form": {"competitor": "东方自控"}}


@pytest.fixture
def where() -> Iterator[Company]:
    with translation.override("en"):
        yield company(language="en")


def go(where: Company, deal: Any, kind: str, at: Any = None, channel: str = "ui", **wish: Any) -> None:
    how = where.how(at=at) | {"channel": channel}
    process.move(deal.journey_id, Wish(kind=Kind(kind), **wish), **how)


def vetoed(where: Company, **more: Any) -> tuple[Any, Veto]:
    deal = where.fulfil(where.deal(stage="solution_design", **more))
    deal.refresh_from_db()
    veto = process.raise_veto(
        deal.journey_id, domain="delivery_date", clause="6 weeks", alternative="9 weeks, or in two lots.",
        **where.how(where.he),
    )  # fmt: skip
    return deal, veto


@pytest.mark.rule("IT-3", "AP-6", "OV-1", "MV-6")
@pytest.mark.parametrize("by_importer", [False, True])
def test_what_is_lost_asks_nobody_any_more(where: Company, by_importer: bool) -> None:
    approving(where)
    deal = where.deal(stage="quote_negotiation", discount=8, margin=25, payment_days=30, payer="x")
    asked = approvals.submit(deal.journey_id, kind="discount", package={"reason": "why"}, **where.how())
    let_pass = ask(where, deal)
    where.edit(deal, fr=where.he.pk)
    veto = process.raise_veto(
        deal.journey_id, domain="delivery_cost", clause="free spares", alternative="Spares at cost price.",
        **where.how(where.he),
    )  # fmt: skip
    other = where.deal(stage="quote_negotiation", discount=8, margin=25, payment_days=30, payer="x")
    stays = approvals.submit(other.journey_id, kind="discount", package={"reason": "why"}, **where.how())

    go(where, deal, "close_lost", channel="import" if by_importer else "ui", **LOST)

    for row, state in ((asked, "recalled"), (let_pass, "withdrawn"), (veto, "ended"), (stays, "pending")):
        row.refresh_from_db()
        assert row.state == state
    assert where.journey(deal).approvals == 0
    assert veto.settled_by_id is None and veto.settled_at == where.journey(deal).closed_at
    told = Event.objects.filter(journey_id=deal.journey_id).order_by("pk").values_list("type", "actor_id")
    assert list(told)[-3:] == [
        (type_, where.zhou.pk) for type_ in ("approval_recalled", "override_withdrawn", "veto_ended")
    ]
    with pytest.raises(ApprovalDecided):
        approvals.decide(asked.pk, approves=True, **where.how(where.chen))
    assert NotificationEntry.objects.filter(
        code="approval_recalled", notification__recipient=where.chen
    ).exists()
    assert process.escalate_vetoes(at=timezone.now() + timedelta(days=30)) == 0
    assert list(differences()) == []


@pytest.mark.rule("IT-3", "MV-7")
def test_reopened_the_veto_stands_again_and_has_its_two_days_from_then(
    where: Company, django_capture_on_commit_callbacks: Any
) -> None:
    deal, veto = vetoed(where)
    began = timezone.now()
    where.move(deal, "close_lost", **LOST)
    between = timezone.now()
    again = timezone.now() + timedelta(days=30)

    with django_capture_on_commit_callbacks(execute=True):
        go(where, deal, "reopen", at=again, to="solution_design", comment="the budget is back")

    veto.refresh_from_db()
    assert (veto.state, veto.settled_at, veto.again_at) == ("open", None, again)
    assert where.journey(deal).gate_state == "missing"
    with pytest.raises(GateRefused) as refused:
        go(where, deal, "advance", at=again, to="quote_negotiation")
    assert f"veto_{veto.pk}" in [g.key for g in refused.value.verdict.gaps]
    for waiting in DBTaskResult.objects.filter(task_path__endswith=".deliver"):
        deliver.call(*waiting.args_kwargs["args"])
    told = NotificationEntry.objects.filter(code="veto_again")
    assert set(told.values_list("notification__recipient", flat=True)) >= {where.he.pk}
    due = situation_of(where.journey(deal), again).calendar.add_working_days(again, 2)
    assert process.escalate_vetoes(at=due) == 0
    assert process.escalate_vetoes(at=due + timedelta(minutes=1)) == 1
    journey = where.journey(deal)
    known = [
        len(situations([journey], at=t, as_of=t)[journey.pk].facts.vetoes)
        for t in (began, between, again + timedelta(days=1))
    ]
    assert known == [1, 0, 1]
    types = Event.objects.filter(journey_id=deal.journey_id, type__startswith="veto_").order_by("pk")
    assert list(types.values_list("type", flat=True)) == [
        "veto_raised", "veto_ended", "veto_again", "veto_escalated",
    ]  # fmt: skip
    assert list(differences()) == []


@pytest.mark.rule("IT-3", "VR-2", "VR-9")
def test_of_a_deal_that_leaves_its_process_it_ends_and_with_the_undo_it_stands_again(where: Company) -> None:
    deal, veto = vetoed(where)
    before = where.journey(deal).gate_state
    now = timezone.now()
    publish_next(where, at=now)
    plan = carried_out(planned(now, groups=[{"choice": "leave", "reason": "not sold any more"}]), now)
    veto.refresh_from_db()
    assert (veto.state, where.journey(deal).state) == ("ended", "left")
    told = Event.objects.get(type="process_left")
    assert told.data["called_off"]["veto"] == [veto.pk]
    undone(plan, now + timedelta(hours=1))
    veto.refresh_from_db()
    assert (veto.state, where.journey(deal).gate_state) == ("open", before) == ("open", "missing")
    assert list(differences()) == []


@pytest.mark.rule("IT-3")
def test_what_was_settled_before_the_end_stays_settled(where: Company) -> None:
    deal, veto = vetoed(where)
    process.withdraw_veto(veto.pk, version=1, **where.how(where.he))
    where.move(deal, "close_lost", **LOST)
    where.move(deal, "reopen", to="solution_design", comment="the budget is back")
    veto.refresh_from_db()
    assert veto.state == "withdrawn" and where.journey(deal).gate_state == "ready"
    assert not Event.objects.filter(type__in=["veto_ended", "veto_again"]).exists()


@pytest.mark.rule("IT-3", "IT-5", "SL-4")
def test_a_question_and_a_hand_over_of_a_lost_deal_wait_for_nobody_and_do_after_it_is_reopened(
    where: Company, client: Client
) -> None:
    deal = where.deal(stage="solution_design", sr=where.sun.pk, fr=where.he.pk)
    crm.ask_role(deal.pk, role="FR", question="When could you deliver?", **where.how())
    there = {"scope", "configuration", "promises", "dates", "cost"}
    crm.offer_hand_over(deal.pk, package="sr_fr", there=there, **where.how())
    late = timezone.now() + timedelta(days=60)

    client.force_login(where.he)

    def waiting() -> tuple[bool, bool]:
        day = client.get("/").content.decode()
        return "SR → FR" in day, "When could you deliver?" in day

    assert waiting() == (True, True)
    where.move(deal, "close_lost", **LOST)
    assert waiting() == (False, False)
    assert crm.escalate_overdue(at=late) == 0
    where.move(deal, "reopen", to="solution_design", comment="the budget is back")
    assert waiting() == (True, True)
    assert crm.escalate_overdue(at=late) == 2


@pytest.mark.rule("IT-3")
def test_the_tab_of_the_team_says_that_it_ended_and_offers_no_act(where: Company, client: Client) -> None:
    deal, veto = vetoed(where)
    client.force_login(where.zhou)
    page = f"/opportunities/{deal.pk}/?tab=team"
    assert "Accept the alternative" in client.get(page).content.decode()
    where.move(deal, "close_lost", **LOST)
    shown = client.get(page).content.decode()
    assert "Ended with its deal" in shown and "Accept the alternative" not in shown
    with pytest.raises(Stale):
        process.accept_alternative(veto.pk, version=2, **where.how())
    with pytest.raises(VetoRefused):
        process.raise_veto(
            deal.journey_id, domain="delivery_date", clause="6 weeks", alternative="9 weeks, or in two lots.",
            **where.how(where.he),
        )  # fmt: skip
    assert "A veto ended with the deal" in client.get(f"/opportunities/{deal.pk}/").content.decode()


@pytest.mark.rule("OV-1")
def test_of_a_batch_only_what_ended_is_called_off(where: Company) -> None:
    first, second = (vetoed(where) for _ in range(2))
    where.move(first[0], "close_lost", **LOST)
    states = dict(Veto.objects.values_list("pk", "state"))
    assert states == {first[1].pk: "ended", second[1].pk: "open"}
    assert not ApprovalRequest.objects.exists() and not OverrideRequest.objects.exists()
