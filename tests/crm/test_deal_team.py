"""The iron triangle (§2.8, SL-4): slots, tracks and their join, vetoes, hand-overs, questions; page and API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import Company, company

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.crm import services as crm
from fairlead.crm.models import BonusSplit, DealTeamMember, HandOver, Opportunity
from fairlead.crm.refusals import NotYours
from fairlead.crm.selectors.deal import deal_page, find_deal
from fairlead.journal.models import Event
from fairlead.offers import services as offers
from fairlead.process import services as process
from fairlead.process.answers import situation_of
from fairlead.process.models import Veto
from fairlead.process.refusals import AttestationRefused, GateRefused, VetoRefused
from fairlead.work.models import Notification, Task

pytestmark = pytest.mark.django_db
ALTERNATIVE = "9 周交货，或先交一期、二期四周后到。"
AR_SR = {"problem", "people", "dates", "budget"}
SR_FR = {"scope", "configuration", "promises", "dates", "cost"}


@pytest.fixture
def where(db: Any) -> Company:
    return company()


@pytest.fixture
def deal(where: Company) -> Opportunity:
    """A deal at the design of its solution with a full triangle: zhou, sun, he."""
    row = where.deal(stage="solution_design")
    where.edit(row, sr=where.sun.pk, fr=where.he.pk)
    row.refresh_from_db()
    return row


def no(where: Company, deal: Opportunity, **more: Any) -> Veto:
    wanted = {"domain": "delivery_date", "clause": "6 周交货", "alternative": ALTERNATIVE}
    by = more.pop("by", where.he)
    return process.raise_veto(deal.journey_id, **(wanted | more), **where.how(by))


def tab(deal: Opportunity) -> str:
    return f"{reverse('crm:opportunity', args=[deal.pk])}?tab=team"


# --- slots and shares (IT-1) ---


@pytest.mark.rule("IT-1", "AC-29")
@pytest.mark.parametrize("door", ["service", "page", "api"])
def test_a_stage_is_not_entered_without_a_role_that_it_requires(
    where: Company, client: Client, door: str
) -> None:
    deal = where.fulfil(where.deal(stage="needs_analysis"), but=("slots",))
    where.edit(deal, sr=where.sun.pk)
    deal.refresh_from_db()
    client.force_login(where.zhou)

    if door == "service":
        with pytest.raises(GateRefused) as caught:
            where.move(deal, to="solution_design")
        assert [g.key for g in caught.value.verdict.gaps] == ["fr_for_solution_design"]
    elif door == "page":
        answer = client.post(
            reverse("crm:move", args=[deal.pk]),
            {"kind": "advance", "to": "solution_design", "version": where.journey(deal).version},
        )
        said = answer.content.decode()
        assert answer.status_code == 422 and "FR 已指派" in said and "立即指派" in said
    else:
        answer = client.post(
            f"/api/v1/opportunities/{deal.pk}/move", {"to": "solution_design"}, "application/json"
        )
        assert answer.status_code == 422
        assert [g["key"] for g in answer.json()["gaps"]] == ["fr_for_solution_design"]

    assert where.journey(deal).stage.key == "needs_analysis"
    where.edit(deal, fr=where.he.pk)  # the mend
    where.move(deal, to="solution_design")
    assert where.journey(deal).stage.key == "solution_design"


@pytest.mark.rule("IT-1")
def test_slots_are_added_handed_on_and_ended_with_their_dates(where: Company) -> None:
    deal, long_ago = where.deal(), timezone.now() - timedelta(days=20)
    for person, days in ((where.sun, 20), (where.he, 12), (None, 3)):
        deal.refresh_from_db()
        crm.set_team_member(
            deal.pk, role="SR", person=person, version=deal.version,
            **where.how(at=timezone.now() - timedelta(days=days)),
        )  # fmt: skip

    rows = DealTeamMember.objects.filter(opportunity=deal, role="SR").order_by("from_date")
    on = timezone.localdate(long_ago)
    assert [(r.person, r.from_date, r.to_date) for r in rows] == [
        (where.sun, on, on + timedelta(days=8)),
        (where.he, on + timedelta(days=8), on + timedelta(days=17)),
    ]


@pytest.mark.rule("IT-1", "IT-6")
def test_shares_make_a_hundred_for_service_and_database(where: Company, deal: Opportunity) -> None:
    for wrong in ((40, 30, 20), (101, 0, -1), (0, 0, 0)):
        with pytest.raises(Invalid):
            crm.agree_split(deal.pk, ar=wrong[0], sr=wrong[1], fr=wrong[2], **where.how())
    with pytest.raises(IntegrityError), transaction.atomic():
        BonusSplit.objects.create(
            opportunity=deal, ar=50, sr=30, fr=30, agreed_by=where.zhou, agreed_at=timezone.now()
        )
    assert not BonusSplit.objects.exists()

    crm.agree_split(deal.pk, ar=40, sr=30, fr=30, **where.how())
    crm.agree_split(deal.pk, ar=40, sr=30, fr=30, **where.how())  # the same again changes nothing
    crm.agree_split(deal.pk, ar=30, sr=40, fr=30, **where.how())

    assert [(s.ar, s.ended_at is None) for s in BonusSplit.objects.order_by("pk")] == [
        (40, False),
        (30, True),
    ]
    said = Event.objects.filter(type="bonus_split_agreed").order_by("pk")
    assert [e.data["after"]["sr"] for e in said] == [30, 40]


@pytest.mark.rule("IT-1")
def test_one_person_holds_several_roles_but_does_not_confirm_the_own_work(where: Company) -> None:
    """SR answers for the solution: as FR too, the same person may not sign that it can be delivered."""
    deal = where.deal(stage="solution_design")
    where.edit(deal, sr=where.he.pk, fr=where.he.pk)
    deal.refresh_from_db()
    word = {"criterion_key": "fr_deliverability", "statement": "可以"}

    with pytest.raises(AttestationRefused) as caught:
        process.attest(deal.journey_id, **word, **where.how(where.he))
    assert "SR" in str(caught.value.message)

    where.edit(deal, sr=where.sun.pk)
    process.attest(deal.journey_id, **word, **where.how(where.he))
    assert "fr_deliverability" not in open_items(where, deal)
    where.edit(deal, sr=where.he.pk)  # and a word given before counts no more
    assert "fr_deliverability" in open_items(where, deal)


def open_items(where: Company, deal: Opportunity) -> list[str]:
    deal.refresh_from_db()
    page = deal_page(find_deal(where.zhou, deal.pk), by=where.zhou, at=timezone.now())
    assert page.verdict is not None
    return [g.key for g in page.verdict.gaps]


# --- tracks and their join (IT-2) ---


@pytest.mark.rule("IT-2", "AC-29")
def test_the_join_waits_for_the_track_of_the_fr(where: Company, client: Client) -> None:
    deal = where.fulfil(where.deal(stage="solution_design"), but=("fr_deliverability",))
    with pytest.raises(GateRefused) as caught:
        where.move(deal, to="quote_negotiation")
    assert caught.value.details["waits_for"] == ["FR"]
    tracks = {t.key: (t.done, t.total, t.is_through) for t in caught.value.verdict.tracks}
    assert tracks["delivery"] == (0, 1, False) and tracks["solution"][2]

    client.force_login(where.zhou)
    checklist = client.get(f"/api/v1/opportunities/{deal.pk}/checklist").json()
    assert [(t["role"], t["through"]) for t in checklist["tracks"]] == [
        ("SR", True),
        ("FR", False),
        ("AR", False),
    ]
    answer = client.post(
        f"/api/v1/opportunities/{deal.pk}/move", {"to": "quote_negotiation"}, "application/json"
    )
    assert answer.status_code == 422 and answer.json()["waits_for"] == ["FR"]
    where.zhou.language = "en"
    where.zhou.save()
    page = client.get(reverse("crm:opportunity", args=[deal.pk])).content.decode()
    assert "Waits for Delivery (FR)" in page and 'class="crm-lanes"' in page

    process.attest(
        deal.journey_id, criterion_key="fr_deliverability", statement="可以", **where.how(where.he)
    )
    where.move(deal, to="quote_negotiation")  # the track of the AR only flags, and may lag behind
    assert where.journey(deal).stage.key == "quote_negotiation"


# --- vetoes (IT-3) ---


@pytest.mark.rule("IT-3", "AC-30")
@pytest.mark.parametrize("door", ["service", "page", "api"])
def test_a_veto_without_an_alternative_is_refused(
    where: Company, deal: Opportunity, client: Client, door: str
) -> None:
    client.force_login(where.he)
    body = {"domain": "delivery_date", "clause": "6 周交货", "alternative": " "}
    if door == "service":
        with pytest.raises(Invalid) as caught:
            no(where, deal, alternative=" ")
        assert [e["field"] for e in caught.value.details["errors"]] == ["alternative"]
    elif door == "page":
        answer = client.post(reverse("crm:veto", args=[deal.pk]), body)
        assert answer.status_code == 422 and "6 周交货" in answer.content.decode()
    else:
        answer = client.post(f"/api/v1/opportunities/{deal.pk}/vetoes", body, "application/json")
        assert answer.status_code == 422
        assert [e["field"] for e in answer.json()["errors"]] == ["alternative"]
    assert not Veto.objects.exists() and not Event.objects.filter(type="veto_raised").exists()


@pytest.mark.rule("IT-3")
@pytest.mark.parametrize(
    ("who", "domain", "may"),
    [
        ("sun", "technical", True),
        ("sun", "delivery_cost", False),
        ("he", "delivery_scope", True),
        ("he", "legal", False),
        ("zhou", "customer", True),
        ("zhou", "finance", False),
        ("fang", "finance", True),
        ("lu", "legal", True),
    ],
)
def test_each_role_says_no_in_its_own_field_alone(
    where: Company, deal: Opportunity, who: str, domain: str, may: bool
) -> None:
    by = where.people[who]
    if may:
        assert no(where, deal, domain=domain, by=by).by == by
    else:
        with pytest.raises(VetoRefused):
            no(where, deal, domain=domain, by=by)
        assert not Veto.objects.exists()


@pytest.mark.rule("IT-3")
@pytest.mark.parametrize("mode", ["enforced", "soft"])
def test_an_open_veto_stops_every_move_ahead_and_leaves_the_other_ways(mode: str) -> None:
    where = company(mode=mode)
    deal = where.fulfil(where.deal(stage="solution_design"))
    veto = no(where, deal)
    with pytest.raises(GateRefused) as caught:
        where.move(deal, to="quote_negotiation")
    assert [g.key for g in caught.value.verdict.gaps] == [f"veto_{veto.pk}"]
    assert where.journey(deal).gate_state == "missing"

    reason = where.version.document["lists"]["hold"][0]["key"]
    where.move(deal, "hold", reason=reason, form={"resume_date": "2099-01-01"})
    where.move(deal, "resume")
    process.accept_alternative(veto.pk, version=1, **where.how())
    where.move(deal, to="quote_negotiation")
    assert where.journey(deal).stage.key == "quote_negotiation"


@pytest.mark.rule("IT-3")
def test_a_veto_is_taken_back_accepted_or_overruled_by_the_right_people(
    where: Company, deal: Opportunity
) -> None:
    veto = no(where, deal)
    why = "客户已书面接受 6 周并放弃罚则。"
    with pytest.raises(VetoRefused):  # who said no does not accept it for the others
        process.accept_alternative(veto.pk, version=1, **where.how(where.he))
    with pytest.raises(NotPermitted):  # who saw no right to it
        process.overrule_veto(veto.pk, version=1, reason=why, **where.how(where.zhou))
    with pytest.raises(NotFound):
        process.overrule_veto(veto.pk, version=1, reason=why, **where.how(where.luo))
    with pytest.raises(VetoRefused):
        process.withdraw_veto(veto.pk, version=1, **where.how(where.zhou))
    with pytest.raises(Invalid):
        process.overrule_veto(veto.pk, version=1, reason="太短", **where.how(where.chen))
    with pytest.raises(Stale):
        process.overrule_veto(veto.pk, version=2, reason=why, **where.how(where.chen))
    veto.refresh_from_db()
    assert (veto.state, veto.version) == ("open", 1)

    process.overrule_veto(veto.pk, version=1, reason=why, **where.how(where.chen))
    veto.refresh_from_db()
    assert (veto.state, veto.settled_by, veto.reason) == ("overruled", where.chen, why)
    with pytest.raises(Stale):
        process.withdraw_veto(veto.pk, version=2, **where.how(where.he))


@pytest.mark.rule("IT-3", "OV-5")
def test_a_manager_who_owns_the_deal_does_not_overrule_a_veto_on_it(where: Company) -> None:
    deal = where.deal(owner=where.chen, stage="solution_design")
    crm.edit("opportunity", deal.pk, {"fr": where.he.pk}, version=deal.version, **where.how(where.chen))
    veto = no(where, deal)
    with pytest.raises(VetoRefused):
        process.overrule_veto(veto.pk, version=1, reason="客户已书面接受这一条。", **where.how(where.chen))


@pytest.mark.rule("IT-3", "AC-30")
def test_a_veto_that_nobody_settles_goes_to_those_who_decide_after_two_working_days(
    where: Company, deal: Opportunity
) -> None:
    veto = no(where, deal)
    calendar = situation_of(where.journey(deal), timezone.now()).calendar
    due = calendar.add_working_days(veto.at, 2)

    assert process.escalate_vetoes(at=due) == 0  # due this very instant is in time
    assert process.escalate_vetoes(at=due + timedelta(minutes=1)) == 1
    assert process.escalate_vetoes(at=due + timedelta(minutes=6)) == 0  # once

    task = Task.objects.get(subject_type="opportunity", subject_id=deal.pk, assignee=where.chen)
    assert "6 周交货" in task.title
    told = Notification.objects.get(recipient=where.chen, subject_id=deal.pk, subject_type="opportunity")
    assert told.reason == "escalated"
    assert Event.objects.get(type="veto_escalated").data["veto"] == veto.pk
    settled = no(where, deal, clause="两班倒")
    process.withdraw_veto(settled.pk, version=1, **where.how(where.he))
    assert process.escalate_vetoes(at=due + timedelta(days=30)) == 0


@pytest.mark.rule("IT-3")
def test_facts_of_the_past_know_the_vetoes_of_that_day(where: Company, deal: Opportunity) -> None:
    from fairlead.process.selectors.gathering import situations

    before = timezone.now()
    veto = no(where, deal)
    between = timezone.now()
    process.withdraw_veto(veto.pk, version=1, **where.how(where.he))
    journey = where.journey(deal)
    known = [
        len(situations([journey], at=t, as_of=t)[journey.pk].facts.vetoes)
        for t in (before, between, timezone.now())
    ]
    assert known == [0, 1, 0]


# --- hand-overs (IT-5) ---


@pytest.mark.rule("IT-5", "AC-31")
def test_returned_twice_then_accepted_is_two_of_three(
    where: Company, deal: Opportunity, client: Client
) -> None:
    for attempt in (1, 2):
        row = crm.offer_hand_over(deal.pk, package="ar_sr", there=AR_SR, **where.how())
        assert row.attempt == attempt
        crm.return_hand_over(
            row.pk, version=1, reason_code="incomplete", reason="缺客户时间表", **where.how(where.sun)
        )
    last = crm.offer_hand_over(deal.pk, package="ar_sr", there=AR_SR, **where.how())
    crm.accept_hand_over(last.pk, version=1, **where.how(where.sun))

    assert [h.state for h in HandOver.objects.order_by("pk")] == ["returned", "returned", "accepted"]
    assert HandOver.objects.get(pk=last.pk).attempt == 3
    again = crm.offer_hand_over(deal.pk, package="ar_sr", there=AR_SR, **where.how())
    assert again.attempt == 1  # a new round

    for who, rate, attempts in (("chen", 2 / 3, 3), ("luo", None, 0)):  # luo leads another branch
        client.force_login(where.people[who])
        figures = client.get("/api/v1/figures/hand-overs").json()
        assert (figures["return_rate"], figures["attempts"]) == (rate, attempts)


@pytest.mark.rule("IT-5")
def test_a_hand_over_is_offered_whole_to_somebody_else_and_once(where: Company, deal: Opportunity) -> None:
    for wanted, field in (
        ({"package": "ar_sr", "there": AR_SR - {"budget"}}, "there"),
        ({"package": "ar_sr", "there": AR_SR | {"cake"}}, "there"),
        ({"package": "sr_ar", "there": AR_SR}, "package"),
    ):
        with pytest.raises(Invalid) as caught:
            crm.offer_hand_over(deal.pk, **wanted, **where.how())
        assert [e["field"] for e in caught.value.details["errors"]] == [field]
    with pytest.raises(NotYours):
        crm.offer_hand_over(deal.pk, package="ar_sr", there=AR_SR, **where.how(where.he))
    row = crm.offer_hand_over(deal.pk, package="ar_sr", there=AR_SR, **where.how())
    with pytest.raises(Invalid):
        crm.offer_hand_over(deal.pk, package="ar_sr", there=AR_SR, **where.how())
    for nobody in (where.zhou, where.he, where.chen):
        with pytest.raises(NotYours):
            crm.accept_hand_over(row.pk, version=1, **where.how(nobody))
    with pytest.raises(Invalid):
        crm.return_hand_over(row.pk, version=1, reason_code="because", reason=" ", **where.how(where.sun))
    assert HandOver.objects.get().state == "offered"
    where.edit(deal, sr=where.he.pk)  # whoever holds the role now answers
    crm.accept_hand_over(row.pk, version=1, **where.how(where.he))
    assert HandOver.objects.get().answered_by == where.he


@pytest.mark.rule("IT-5")
def test_an_accepted_hand_over_is_a_fact_for_the_gate_of_the_contract(
    where: Company, deal: Opportunity
) -> None:
    from fairlead.offers.facts import contract_facts

    contract = offers.create_contract(
        deal.pk, number="HT-1", amount=deal.amount, currency="CNY", **where.how()
    )
    row = crm.offer_hand_over(deal.pk, package="sr_fr", there=SR_FR, **where.how(where.sun))
    assert "handover_accepted" not in contract_facts([contract.pk])[contract.pk].externals

    crm.accept_hand_over(row.pk, version=1, **where.how(where.he))

    assert (
        contract_facts([contract.pk])[contract.pk].externals["handover_accepted"].ref == f"handover:{row.pk}"
    )
    facts = situation_of(where.journey(deal), timezone.now()).facts
    assert facts.externals["handover_sr_fr"].ref == f"handover:{row.pk}"


# --- questions to a role (SL-4) ---


@pytest.mark.rule("SL-4")
def test_a_question_has_its_own_clock_and_its_answer_says_whether_it_came_in_time(
    where: Company, deal: Opportunity
) -> None:
    asked = timezone.now() - timedelta(days=15)
    row = crm.ask_role(deal.pk, role="SR", question="能接旧的 PLC 吗？", **where.how(at=asked))
    calendar = situation_of(where.journey(deal), asked).calendar
    assert row.due_at == calendar.add_working_days(asked, 3)

    assert crm.escalate_overdue(at=row.due_at) == 0
    assert crm.escalate_overdue(at=row.due_at + timedelta(minutes=1)) == 1
    assert crm.escalate_overdue(at=row.due_at + timedelta(minutes=2)) == 0
    told = set(Notification.objects.filter(reason="escalated").values_list("recipient__username", flat=True))
    assert told == {"sun", "zhou", "chen"}

    with pytest.raises(NotYours):
        crm.answer_role(row.pk, answer="可以", version=2, **where.how(where.he))
    crm.answer_role(row.pk, answer="可以，加一块网关", version=2, **where.how(where.sun))
    assert Event.objects.get(type="role_answered").data["in_time"] is False
    with pytest.raises(Stale):
        crm.answer_role(row.pk, answer="再答一次", version=3, **where.how(where.sun))


@pytest.mark.rule("SL-4")
def test_questions_and_hand_overs_stand_on_the_day_of_whom_they_wait_for(
    where: Company, deal: Opportunity, client: Client
) -> None:
    crm.ask_role(deal.pk, role="FR", question="二期能提前两周吗？", **where.how())
    crm.offer_hand_over(deal.pk, package="sr_fr", there=SR_FR, **where.how(where.sun))
    for name, sees in (("he", True), ("sun", False)):
        client.force_login(where.people[name])
        page = client.get(reverse("web:home")).content.decode()
        asked = page.partition('id="b-asked"')[2].partition("</section>")[0]
        assert ("二期能提前两周吗" in asked) is sees
        assert ("?tab=team#handover-" in asked) is sees
    assert "?tab=team#handover-" in page.partition('id="b-waiting"')[2]  # 孙启航 waits for an answer


# --- visibility (IT-7) and the page ---


@pytest.mark.rule("IT-7")
def test_who_holds_a_role_sees_and_moves_the_deal_whoever_owns_it(where: Company, client: Client) -> None:
    deal = where.fulfil(where.deal(stage="solution_design"))
    where.edit(deal, sr=where.sun.pk, fr=where.he.pk)
    client.force_login(where.he)
    assert client.get(tab(deal)).status_code == 200
    where.move(deal, to="quote_negotiation", by=where.he)
    where.edit(deal, fr=None)
    assert client.get(tab(deal)).status_code == 404


@pytest.mark.rule("IT-1", "IT-3", "IT-5", "SL-4")
def test_the_whole_task_by_the_page(where: Company, deal: Opportunity, client: Client) -> None:
    def send(who: str, name: str, ids: tuple[int, ...] = (), **data: Any) -> Any:
        client.force_login(where.people[who])
        answer = client.post(reverse(f"crm:{name}", args=[deal.pk, *ids]), data)
        assert answer.status_code == 302, answer.content.decode()
        return client.get(tab(deal)).content.decode()

    send("zhou", "team_split", ar="40", sr="30", fr="30")
    send("zhou", "hand_over_offer", package="ar_sr", there=sorted(AR_SR), note="周四前")
    row = HandOver.objects.get()
    send("sun", "hand_over", (row.pk,), act="return", reason_code="unclear", reason="范围不清", version=1)
    send("he", "veto", domain="delivery_date", clause="6 周交货", alternative=ALTERNATIVE)
    veto = Veto.objects.get()
    send("zhou", "veto_accept", (veto.pk,), version=1)
    send("zhou", "role_ask", role="FR", question="几周能到？", days="2")
    question = deal.role_questions.get()
    page = send("he", "role_question", (question.pk,), answer="五周", version=1)

    assert all(words in page for words in ("40%", "周四前", "范围不清", "6 周交货", ALTERNATIVE, "五周"))
    client.force_login(where.zhou)
    client.get(tab(deal))
    with CaptureQueriesContext(connection) as asked:
        client.get(tab(deal))
    assert len(asked) <= 15  # whatever the team has said
    refused = client.post(reverse("crm:team_split", args=[deal.pk]), {"ar": "50", "sr": "30", "fr": "30"})
    assert refused.status_code == 422 and 'value="50"' in refused.content.decode()
