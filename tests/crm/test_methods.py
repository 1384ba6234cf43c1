"""Methods with evidence (PD-8) and the mutual action plan (PB-3): services, gates and pages of a deal."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import Company, company

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.crm.models import Opportunity, PlanStep
from fairlead.crm.selectors.deal import deal_page, find_deal
from fairlead.crm.selectors.scorecards import findings_of
from fairlead.crm.services import plan
from fairlead.crm.services.methods import assess
from fairlead.journal.models import Event
from fairlead.process.answers import situation_of
from fairlead.process.models import Finding
from fairlead.work import services as work

pytestmark = pytest.mark.django_db


@pytest.fixture
def where(db: Any) -> Company:
    return company()


@pytest.fixture
def deal(where: Company) -> Opportunity:
    return where.deal(stage="needs_analysis")


def say(
    where: Company, deal: Opportunity, element: str, value: Any, text: str = "李工当面说", **more: Any
) -> Finding:
    deal.refresh_from_db()
    score = "bant" if element.startswith("bant") else "meddpicc"
    wanted = {"version": deal.version, "score": score, **where.how(), **more}
    return assess(deal.pk, element=element, value=value, text=text, **wanted)


def checked(where: Company, deal: Opportunity, key: str) -> str:
    page = deal_page(find_deal(where.zhou, deal.pk), by=where.zhou, at=timezone.now())
    assert page.verdict is not None
    return next(r.state.value for r in page.verdict.results if r.key == key)


@pytest.mark.rule("PD-8")
def test_an_element_and_its_evidence_are_written_together(where: Company, deal: Opportunity) -> None:
    file = work.add_file("opportunity", deal.pk, kind="minutes", name="a.txt", content=b"text", **where.how())

    say(where, deal, "meddpicc_pain", 1, source="李工", file_id=file.pk)
    say(where, deal, "meddpicc_pain", "2", "设备部算出一年三百万")

    deal.refresh_from_db()
    assert deal.custom["meddpicc_pain"] == 2
    newest = findings_of(deal.pk)["meddpicc_pain"]
    assert (newest.value, newest.text) == ("2", "设备部算出一年三百万")
    events = Event.objects.filter(subject_type="opportunity", subject_id=deal.pk, type="finding_added")
    assert [e.data["points"] for e in events.order_by("pk")] == [1, 2]


@pytest.mark.rule("PD-8")
def test_the_same_value_again_renews_its_evidence(where: Company, deal: Opportunity) -> None:
    say(where, deal, "bant_need", "claimed")
    say(where, deal, "bant_need", "claimed", "采购部也这么说")

    assert Finding.objects.count() == 2 and findings_of(deal.pk)["bant_need"].text == "采购部也这么说"


@pytest.mark.rule("PD-8")
@pytest.mark.parametrize(
    ("element", "value", "text", "more"),
    [
        ("meddpicc_pain", 1, " ", {}),  # points need evidence
        ("meddpicc_pain", 3, "很痛", {}),
        ("meddpicc_pain", -1, "很痛", {}),
        ("bant_need", "sure", "很痛", {}),
        ("amount", 5, "很痛", {}),  # no element of a score
        ("meddpicc_pain", 1, "很痛", {"file_id": 999}),
        ("meddpicc_pain", 1, "很痛", {"score": "nosuch"}),
        ("meddpicc_pain", 1, "痛" * 2001, {}),
    ],
)
def test_what_does_not_do_changes_nothing(
    where: Company, deal: Opportunity, element: str, value: Any, text: str, more: dict[str, Any]
) -> None:
    before = dict(deal.custom)

    with pytest.raises(Invalid):
        say(where, deal, element, value, text, **more)

    deal.refresh_from_db()
    assert deal.custom == before and deal.version == 1 and not Finding.objects.exists()


@pytest.mark.rule("PD-8", "T05")
def test_only_who_works_on_the_deal_assesses_it_and_not_over_somebody_elses_change(
    where: Company, deal: Opportunity
) -> None:
    for person, refusal in ((where.qi, NotFound), (where.shen, NotPermitted)):
        with pytest.raises(refusal):
            say(where, deal, "meddpicc_pain", 1, by=person)
    with pytest.raises(Stale):
        say(where, deal, "meddpicc_pain", 1, version=7)


@pytest.mark.rule("PD-8", "GT-1")
def test_the_gate_reads_the_score_and_its_floors(where: Company, deal: Opportunity) -> None:
    for name in ("metrics", "economic_buyer", "decision_criteria", "champion"):
        say(where, deal, f"meddpicc_{name}", 2)
    assert checked(where, deal, "meddpicc_needs") == "unmet"  # 8 points, and two elements below their floor

    say(where, deal, "meddpicc_pain", 1)
    say(where, deal, "meddpicc_decision_process", 1)

    assert checked(where, deal, "meddpicc_needs") == "met"


@pytest.mark.rule("PD-8")
def test_the_page_shows_what_is_known_and_what_would_raise_it(
    where: Company, deal: Opportunity, client: Client
) -> None:
    say(where, deal, "meddpicc_pain", 1, "停机一次二十万")
    client.force_login(where.zhou)
    url = f"/opportunities/{deal.pk}/scorecard/"

    page = client.get(url).content.decode()
    assert "停机一次二十万" in page and "/ 16" in page and "+1" in page

    deal.refresh_from_db()
    sent = {"score": "meddpicc", "element": "meddpicc_champion", "value": "1", "version": deal.version}
    wrong = client.post(f"{url}assess/", sent | {"text": "", "source": "王工"})
    assert wrong.status_code == 422 and "王工" in wrong.content.decode()
    right = client.post(f"{url}assess/", sent | {"text": "王工约了厂长"})
    assert right.status_code == 302 and findings_of(deal.pk)["meddpicc_champion"].text == "王工约了厂长"


# --- the mutual plan ---


def customer_step(where: Company, deal: Opportunity, days: int, title: str = "法务看合同") -> PlanStep:
    contact = where.contact(deal.account, "赵法务", department="法务")
    due = timezone.localdate() + timedelta(days=days)
    return plan.add_plan_step(
        deal.pk, side="customer", title=title, due=due, contact_id=contact.pk, **where.how()
    )


@pytest.mark.rule("PB-3")
def test_the_first_promise_stays_on_record_and_a_later_day_is_a_push(
    where: Company, deal: Opportunity
) -> None:
    step = customer_step(where, deal, 5)
    first = step.due

    for days, pushes in ((3, 1), (-1, 1), (4, 2)):
        step = plan.change_plan_step(
            step.pk, due=step.due + timedelta(days=days), version=step.version, **where.how()
        )
        assert step.pushes == pushes
    assert step.first_due == first and step.due == first + timedelta(days=6)
    done = plan.complete_plan_step(step.pk, version=step.version, **where.how())
    with pytest.raises(Invalid):
        plan.change_plan_step(step.pk, due=date(2027, 1, 1), version=done.version, **where.how())
    with pytest.raises(Stale):
        plan.remove_plan_step(step.pk, version=1, **where.how())
    types = Event.objects.filter(type__startswith="plan_step").order_by("pk").values_list("type", flat=True)
    assert list(types) == ["plan_step_added", *["plan_step_moved"] * 3, "plan_step_done"]


@pytest.mark.rule("PB-3")
def test_each_side_answers_for_its_own_steps(where: Company, deal: Opportunity) -> None:
    stranger = where.contact(where.account(), "外人")
    due = timezone.localdate()
    for side, who in (
        ("customer", {}),
        ("customer", {"contact_id": stranger.pk}),
        ("us", {"owner": where.qi}),
        ("x", {}),
    ):
        with pytest.raises(Invalid):
            plan.add_plan_step(deal.pk, side=side, title="一步", due=due, **who, **where.how())
    ours = plan.add_plan_step(deal.pk, side="us", title="寄样品", due=due, **where.how())

    assert (ours.owner, ours.contact) == (where.zhou, None)
    with pytest.raises(NotPermitted):
        plan.complete_plan_step(ours.pk, version=1, **where.how(where.shen))


@pytest.mark.rule("PB-3", "GT-1")
def test_the_gate_counts_steps_that_are_done_on_the_page_and_in_the_engine(where: Company) -> None:
    deal = where.deal(stage="solution_design")
    steps = [customer_step(where, deal, n, f"第 {n} 步") for n in range(1, 4)]
    assert checked(where, deal, "mutual_plan") == "unmet"

    for step in steps:
        plan.complete_plan_step(step.pk, version=1, **where.how())

    assert checked(where, deal, "mutual_plan") == "met"
    facts = situation_of(where.journey(deal), timezone.now()).facts
    assert (facts.children["mutual_plan"].done, facts.children["mutual_plan"].total) == (3, 3)


@pytest.mark.rule("PB-3")
def test_the_plan_can_be_worked_on_and_printed_without_what_is_only_ours(
    where: Company, deal: Opportunity, client: Client
) -> None:
    where.edit(deal, description="内部底价 88 万")
    step = customer_step(where, deal, -3)
    client.force_login(where.zhou)
    url = f"/opportunities/{deal.pk}/plan/"

    page = client.get(url).content.decode()
    assert "赵法务" in page and "法务看合同" in page and "is-overdue" in page
    printed = client.get(f"{url}print/").content.decode()
    assert "赵法务" in printed and "88 万" not in printed and "¥" not in printed
    assert client.post(f"{url}steps/{step.pk}/", {"act": "done", "version": "1"}).status_code == 302
    wrong = client.post(f"{url}steps/", {"side": "us", "title": "", "due": "2027-01-05"})
    assert wrong.status_code == 422
    assert client.post(f"{url}steps/", {"side": "us", "title": "寄样品", "due": "x"}).status_code == 422
    assert PlanStep.objects.filter(done_at__isnull=False).count() == 1


@pytest.mark.rule("PB-3", "GT-3")
def test_what_the_gate_misses_in_the_plan_is_mended_in_the_plan(where: Company, client: Client) -> None:
    deal = where.deal(stage="solution_design")
    customer_step(where, deal, 1, "第 1 步")
    client.force_login(where.zhou)
    html = client.get(reverse("crm:panel", args=[deal.pk])).content.decode()
    assert f'href="{reverse("crm:plan", args=[deal.pk])}"' in html
    assert 'name="list" value="mutual_plan"' not in html
