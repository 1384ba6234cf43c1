"""Approvals through their pages and the API: the inbox, its acts, asking with a preview, the panel, who stands in."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from tests.factories.approvals import approving
from tests.factories.crm import Company, company

from fairlead.journal.models import Event
from fairlead.process.models import (
    ApprovalCondition,
    ApprovalQuestion,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
    Delegation,
)
from fairlead.process.selectors.approval_inbox import PAGE, inbox
from fairlead.process.services import approving as services
from fairlead.work.models import NotificationEntry

pytestmark = pytest.mark.django_db
INBOX = "/approvals/"


@pytest.fixture
def where() -> Company:
    return approving(company(language="en"))


def terms(where: Company, *, owner: Any = None, discount: Any = 8, **more: Any) -> Any:
    values = {
        "discount": Decimal(discount),
        "margin": Decimal(25),
        "payment_days": 30,
        "prepay": Decimal(20),
    } | more
    return where.deal(owner=owner, stage="quote_negotiation", **values)


def asked(where: Company, deal: Any = None, *, at: Any = None, by: Any = None) -> ApprovalRequest:
    deal = deal or terms(where)
    return services.submit(
        where.journey(deal).pk, kind="discount", text="A rival is at 5 M.", package={"reason": "Two years of service"},
        **where.how(by or deal.owner, at),
    )  # fmt: skip


def opened(client: Client, person: Any, url: str = INBOX, status: int = 200) -> str:
    client.force_login(person)
    answer = client.get(url)
    assert answer.status_code == status
    return answer.content.decode()


def act(client: Client, request: ApprovalRequest, name: str, **data: Any) -> Any:
    request.refresh_from_db()
    url = reverse("process:approval_act", args=[request.pk])
    return client.post(url, {"act": name, "version": request.version, **data})


# --- the inbox ---


@pytest.mark.rule("AP-1", "U22")
def test_the_inbox_says_who_what_why_and_by_when_and_a_stranger_finds_nothing(where, client):
    request = asked(where, terms(where, discount=12))
    html = opened(client, where.chen)
    assert "Discount 12\u00a0% &gt;\u00a010\u00a0%" in html
    assert "waits" in html
    assert "A rival is at 5 M." in html
    assert "Two years of service" in html
    assert 'data-keys="y"' in html
    assert '<span class="fl-count">1</span>' in html
    assert "Nothing waits for you" in opened(client, where.qi)
    assert opened(client, where.qi, f"{INBOX}?item={request.pk}", 404)
    assert "1 approval waits for you" in opened(client, where.chen, "/")
    mine = opened(client, where.zhou, f"{INBOX}?tab=mine")
    assert "Being decided" in mine
    assert 'data-keys="y"' not in mine


@pytest.mark.rule("U22")
def test_after_an_act_the_next_item_opens(where, client):
    first, second = asked(where), asked(where)
    client.force_login(where.chen)
    answer = act(client, first, "approve")
    assert (answer.status_code, answer.url) == (302, f"{INBOX}?item={second.pk}")
    first.refresh_from_db()
    assert first.state == "approved"
    assert act(client, second, "reject", comment="Too thin").url == INBOX
    assert "Too thin" in opened(client, where.chen, f"{INBOX}?tab=done&item={second.pk}")


@pytest.mark.rule("AP-7", "U32")
@pytest.mark.parametrize("name", ["reject", "return"])
def test_rejecting_and_returning_need_a_word_and_what_was_typed_stays(where, client, name):
    request = asked(where)
    client.force_login(where.chen)
    answer = act(client, request, name, condition="kept here")
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Say why, so that it can be mended." in html
    assert 'value="kept here"' in html
    assert "data-focus" in html
    request.refresh_from_db()
    assert request.state == "pending"


@pytest.mark.rule("T34")
def test_another_version_is_not_decided_and_says_so(where, client):
    request = asked(where)
    client.force_login(where.chen)
    url = reverse("process:approval_act", args=[request.pk])
    answer = client.post(url, {"act": "approve", "version": request.version + 1, "comment": "fine"})
    assert answer.status_code == 409
    assert "The content has changed since you opened it." in answer.content.decode()
    assert ">fine</textarea>" in answer.content.decode()
    request.refresh_from_db()
    assert request.state == "pending"


@pytest.mark.rule("T34", "AP-3")
def test_the_same_post_again_is_one_effect(where, client):
    request = asked(where)
    client.force_login(where.chen)
    url, body = (
        reverse("process:approval_act", args=[request.pk]),
        {"act": "approve", "version": request.version},
    )
    assert client.post(url, body).status_code == 302
    again = client.post(url, body)
    assert again.status_code == 409
    assert Event.objects.filter(type="approval_granted").count() == 1


@pytest.mark.rule("T34")
def test_the_link_of_another_person_decides_nothing(where, client):
    request = asked(where)
    url = reverse("process:approval_act", args=[request.pk])
    body = {"act": "approve", "version": request.version}
    assert client.post(url, body).status_code == 302  # to sign in
    assert client.get(f"{INBOX}?item={request.pk}").url.startswith("/sign-in")
    for person, status in ((where.zhou, 403), (where.fang, 403), (where.shen, 403), (where.qi, 404)):
        client.force_login(person)
        assert client.post(url, body).status_code == status, person
    assert "ap-form" not in opened(client, where.fang, f"{INBOX}?item={request.pk}")
    request.refresh_from_db()
    assert request.state == "pending"


@pytest.mark.rule("AP-7", "AP-8", "AP-9")
def test_return_hand_on_add_and_ask_from_the_same_screen(where, client):
    request = asked(where, terms(where, discount=12))
    client.force_login(where.chen)
    assert "Choose a person." in act(client, request, "transfer").content.decode()
    assert act(client, request, "ask", person=where.zhou.pk, comment="Why so low?").status_code == 302
    question = ApprovalQuestion.objects.get()
    client.force_login(where.zhou)
    answer_url = reverse("process:approval_answer", args=[question.pk])
    assert client.post(answer_url, {"text": ""}).status_code == 422
    assert client.post(answer_url, {"text": "The last price of theirs."}).status_code == 302
    client.force_login(where.chen)
    assert "The last price of theirs." in opened(client, where.chen, f"{INBOX}?item={request.pk}")
    assert act(client, request, "add", person=where.lu.pk, place="parallel").status_code == 302
    assert ApprovalSeat.objects.filter(request=request, person=where.lu, state="asked").exists()
    assert act(client, request, "transfer", person=where.boss.pk, comment="I am away").status_code == 302
    client.force_login(where.boss)
    assert act(client, request, "return", to="", comment="Bring the cost sheet").status_code == 302
    request.refresh_from_db()
    assert request.state == "returned"


@pytest.mark.rule("AP-12", "AC-23")
def test_a_condition_stands_at_the_gate_that_was_named(where, client):
    request = asked(where)
    client.force_login(where.chen)
    act(client, request, "approve", condition="Half is paid before", condition_stage="signing")
    found = ApprovalCondition.objects.get(request=request)
    assert (found.text, found.stage_key, found.holds_from is not None) == (
        "Half is paid before",
        "signing",
        True,
    )


def held_by(where: Company, client: Client, setter: Any) -> tuple[Any, ApprovalCondition]:
    """A deal with an open condition at its gate, set by an approver."""
    deal = terms(where)
    request = asked(where, deal)
    if setter.pk != where.chen.pk:
        client.force_login(where.chen)
        act(client, request, "transfer", person=setter.pk, comment="Yours")
    client.force_login(setter)
    act(client, request, "approve", condition="Half is paid before", condition_stage="quote_negotiation")
    return deal, ApprovalCondition.objects.get(request=request)


@pytest.mark.rule("AP-12", "GT-2")
def test_whoever_set_a_condition_says_on_the_panel_that_it_is_fulfilled(where, client):
    deal, condition = held_by(where, client, where.chen)
    panel = f"/opportunities/{deal.pk}/panel/?kind=advance"
    seller = opened(client, where.zhou, panel)
    assert "Half is paid before" in seller
    assert f"condition_{condition.pk}</" not in seller
    assert f"{where.chen.name} says when it is fulfilled" in seller
    assert "meet-condition" not in seller
    door = reverse("crm:meet_condition", args=[deal.pk])
    before = Event.objects.count()
    assert client.post(door, {"condition": condition.pk}).status_code == 403
    assert Event.objects.count() == before
    assert "meet-condition" in opened(client, where.chen, panel)
    assert client.post(door, {"condition": 0}).status_code == 404
    answer = client.post(
        door, {"condition": condition.pk, "comment": "Seen on the account", "kind": "advance", "to": ""}
    )
    assert answer.status_code == 302
    condition.refresh_from_db()
    assert (condition.met_by, condition.met_at is not None) == (where.chen, True)
    assert Event.objects.get(type="approval_condition_met").actor_id == where.chen.pk
    assert "Condition of the approval, still open" not in opened(client, where.zhou, panel)


@pytest.mark.rule("AP-12")
def test_an_approver_who_does_not_see_the_deal_fulfils_a_condition_among_the_approvals(where, client):
    deal, condition = held_by(where, client, where.he)
    assert opened(client, where.he, f"/opportunities/{deal.pk}/", 404)
    screen = f"{INBOX}?tab=done&item={condition.request_id}"
    assert reverse("process:condition_meet", args=[condition.pk]) in opened(client, where.he, screen)
    door = reverse("process:condition_meet", args=[condition.pk])
    client.force_login(where.qi)
    assert client.post(door, {}).status_code in (403, 404)
    condition.refresh_from_db()
    assert condition.met_at is None
    client.force_login(where.he)
    assert client.post(door, {"comment": "x" * 2001}).status_code == 422
    assert client.post(door, {"comment": "Paid"}).url == f"{INBOX}?item={condition.request_id}"
    condition.refresh_from_db()
    assert condition.met_by == where.he
    assert f"fulfilled, says {where.he.name}" in opened(client, where.he, screen)


@pytest.mark.rule("AP-3")
def test_the_screen_shows_what_was_approved_last_and_cases_alike(where, client):
    deal = terms(where, discount=9)
    services.decide(asked(where, deal).pk, approves=True, **where.how(where.chen))
    where.edit(deal, discount=Decimal(12))
    second = asked(where, deal)
    html = opened(client, where.chen, f"{INBOX}?item={second.pk}")
    assert re.search(r"Discount</th>.*?12\u00a0%.*?≤ ?18\u00a0%.*?<b>9\u00a0%</b>", html, re.DOTALL)
    assert "out of 1 past decision that you may see" in html
    assert "same customer" in html
    assert "no. 1" in html


@pytest.mark.rule("AC-40")
def test_a_value_that_one_may_not_read_stays_hidden(where, client):
    request = asked(where, terms(where, discount=12, margin=Decimal("23.45")))
    assert "23.45" in opened(client, where.chen, f"{INBOX}?item={request.pk}")
    legal = opened(client, where.lu, f"{INBOX}?item={request.pk}")
    assert "23.45" not in legal
    assert "Gross margin" not in legal
    client.force_login(where.lu)
    assert "23.45" not in client.get(f"/api/v1/approvals/{request.pk}/screen").content.decode()


@pytest.mark.rule("T07")
def test_hostile_words_are_shown_as_words(where, client):
    nasty = "<img src=x onerror=alert(1)>{{7*7}}\"'</textarea><script>alert(2)</script>"
    deal = terms(where)
    request = services.submit(
        where.journey(deal).pk,
        kind="discount",
        text=nasty,
        package={"reason": nasty},
        **where.how(deal.owner),
    )
    client.force_login(where.chen)
    act(client, request, "ask", person=where.zhou.pk, comment=nasty)
    pages = [
        opened(client, where.chen, f"{INBOX}?item={request.pk}"),
        act(client, request, "reject", condition=nasty).content.decode(),
    ]
    for html in pages:
        assert "<img src=x" not in html
        assert "<script>alert" not in html
        assert "{{7*7}}" in html


# --- together ---


@pytest.mark.rule("T34")
def test_together_by_one_rule_of_the_lowest_tier_with_a_result_each(where, client):
    plain = [asked(where, terms(where, discount=n)) for n in (6, 7, 8)]
    higher = asked(where, terms(where, discount=12))
    moved = ApprovalRequest.objects.get(pk=plain[2].pk)
    moved.bounds = [b | {"value": "1"} if b["field"] == "discount" else b for b in moved.bounds]
    moved.save()  # as if the deal had changed behind it
    html = opened(client, where.chen)
    assert "3 requests by the same rule" in html
    url = reverse("process:approvals_together")
    listed = opened(client, where.chen, f"{url}?kind=discount&rule=price_1")
    assert listed.count('name="item"') == 3
    wanted = [r.pk for r in (*plain, higher)]
    answer = client.post(
        url, {"kind": "discount", "rule": "price_1", "item": wanted, "of": [f"{pk}:1" for pk in wanted]}
    )
    html = answer.content.decode()
    states = dict(ApprovalRequest.objects.filter(pk__in=wanted).values_list("pk", "state"))
    assert [states[pk] for pk in wanted][3] == "pending"
    client.force_login(where.chen)
    versions = dict(ApprovalRequest.objects.values_list("pk", "version"))
    client.post(
        url,
        {
            "kind": "discount",
            "rule": "price_1",
            "item": wanted,
            "of": [f"{pk}:{versions[pk]}" for pk in wanted],
        },
    )
    states = dict(ApprovalRequest.objects.filter(pk__in=wanted).values_list("pk", "state"))
    assert [states[pk] for pk in wanted] == ["approved", "approved", "pending", "pending"]


@pytest.mark.rule("T34")
def test_together_by_the_api_says_why_not(where, client):
    first, higher = asked(where), asked(where, terms(where, discount=12))
    client.force_login(where.chen)
    answer = client.post(
        "/api/v1/approvals/together", {"requests": [first.pk, higher.pk]}, content_type="application/json"
    )
    found = {row["request"]: (row["done"], row["code"]) for row in answer.json()["items"]}
    assert found == {first.pk: (True, ""), higher.pk: (False, "not-together")}


# --- asking ---


@pytest.mark.rule("AP-1")
def test_before_submitting_one_sees_who_why_and_what_would_need_nobody(where, client):
    deal = terms(where, discount=12, payment_days=45)
    url = reverse("process:approval_ask", args=[where.journey(deal).pk, "discount"])
    html = opened(client, where.zhou, url)
    assert where.chen.name in html
    assert where.fang.name in html
    assert "Credit days 45 &gt;\u00a030" in html
    assert "Discount down to 5 %, Credit days down to 30: no approval needed" in html
    assert "nobody knows how long it takes" in html
    piece = client.get(
        f"{url}?v_discount=5&v_payment_days=30", headers={"HX-Request": "true"}
    ).content.decode()
    assert "<html" not in piece
    assert "No approval is needed with these values." in piece
    assert ApprovalRequest.objects.count() == 0
    assert "A number is expected." in opened(client, where.zhou, f"{url}?v_discount=1e9x")
    for text in ("NaN", "1e400", "-Infinity", "９", "'"):
        assert client.get(url, {"v_discount": text}).status_code == 200
    assert (
        client.get(reverse("process:approval_ask", args=[where.journey(deal).pk, "moon"])).status_code == 404
    )
    client.force_login(where.fang)
    assert client.get(url).status_code == 403
    client.force_login(where.qi)
    assert client.get(url).status_code == 404


@pytest.mark.rule("AP-11", "U32")
def test_an_incomplete_request_bounces_with_its_words_kept(where, client):
    deal = terms(where)
    url = reverse("process:approval_ask", args=[where.journey(deal).pk, "discount"])
    client.force_login(where.zhou)
    answer = client.post(url, {"text": "Kept words", "p_reason": " "})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Kept words</textarea>" in html
    assert 'href="#ask-p_reason"' in html
    assert ApprovalRequest.objects.count() == 0
    assert client.post(url, {"p_reason": "Two years"}).status_code == 302
    assert ApprovalRequest.objects.get().state == "pending"


@pytest.mark.rule("AP-5", "AP-6")
def test_the_panel_of_a_deal_shows_the_path_explains_the_freeze_reminds_and_withdraws(where, client):
    deal = terms(where)
    page = reverse("crm:opportunity", args=[deal.pk])
    html = opened(client, where.zhou, page)
    assert "An approval is needed." in html
    assert reverse("process:approval_ask", args=[where.journey(deal).pk, "discount"]) in html
    request = asked(where, deal, at=timezone.now() - timedelta(days=4))
    html = opened(client, where.zhou, page)
    assert "These stand still until it is decided or withdrawn: Discount" in html
    assert "Submitted; being decided" in html
    nudge = reverse("process:approval_nudge", args=[request.pk])
    assert nudge in html
    before = NotificationEntry.objects.filter(code="approval_nudged").count()
    assert client.post(nudge).status_code == 302
    assert NotificationEntry.objects.filter(code="approval_nudged").count() == before + 1
    assert client.post(nudge).status_code == 422  # once in half a working day
    assert "Can be called to mind from" in opened(client, where.zhou, page)
    client.force_login(where.lin)
    assert client.post(nudge).status_code in (403, 404)
    client.force_login(where.zhou)
    recall = reverse("process:approval_recall", args=[request.pk])
    assert client.post(recall, {"version": 1}).status_code == 409
    request.refresh_from_db()
    assert client.post(recall, {"version": request.version}).status_code == 302
    request.refresh_from_db()
    assert request.state == "recalled"
    assert "These stand still" not in opened(client, where.zhou, page)


@pytest.mark.rule("GT-9")
def test_the_panel_asks_for_no_approval_that_does_not_concern_the_deal(client):
    where = approving(company(language="en"), ati_if={"field": "is_tender", "op": "eq", "value": True})
    for is_tender in (True, False):
        deal = where.deal(stage="needs_analysis", is_tender=is_tender)
        html = opened(client, where.zhou, reverse("crm:opportunity", args=[deal.pk]))
        ask = reverse("process:approval_ask", args=[where.journey(deal).pk, "ati"])
        assert (ask in html) is is_tender


@pytest.mark.rule("AP-15")
def test_how_long_it_usually_takes_is_said_with_its_number(where, client):
    start = timezone.now() - timedelta(days=30)
    for n in range(3):
        request = asked(where, at=start)
        services.decide(request.pk, approves=True, **where.how(where.chen, start + timedelta(days=1 + n)))
    deal = terms(where)
    html = opened(
        client, where.zhou, reverse("process:approval_ask", args=[where.journey(deal).pk, "discount"])
    )
    assert "(3 decisions)" in html
    assert "Few cases" in html
    stats = opened(client, where.chen, "/processes/key_account_opportunity/decisions/")
    assert "n = 3" in stats
    found = client.get("/api/v1/processes/key_account_opportunity/decisions").json()["items"]
    assert [(row["kind"], row["n"], row["enough"]) for row in found] == [("discount", 3, False)]
    assert found[0]["median_hours"] > 0
    assert found[0]["p90_hours"] >= found[0]["median_hours"]
    client.force_login(where.qi)
    assert client.get("/api/v1/processes/key_account_opportunity/decisions").json()["items"] == []


# --- who stands in, and the register ---


@pytest.mark.rule("AP-8", "AC-20")
def test_somebody_stands_in_from_day_to_day_and_it_ends(where, client):
    today = timezone.localdate()
    url = reverse("process:delegations")
    client.force_login(where.chen)
    wrong = client.post(
        url, {"delegate": where.luo.pk, "from_date": "soon", "to_date": "", "reason": "Holidays"}
    )
    assert wrong.status_code == 422
    assert 'value="Holidays"' in wrong.content.decode()
    body = {"delegate": where.luo.pk, "from_date": today.isoformat(), "to_date": (today + timedelta(days=7)).isoformat(),
            "kinds": ["discount"], "amount_cap": "1000000", "reason": "Holidays"}  # fmt: skip
    assert client.post(url, body | {"amount_cap": "NaN"}).status_code == 422
    assert client.post(url, body).status_code == 302
    html = opened(client, where.chen, url)
    assert "In force" in html
    assert "up to" in html
    request = asked(where, terms(where, amount=900_000))
    assert "for " + where.chen.name in opened(client, where.luo)
    client.force_login(where.luo)
    assert act(client, request, "approve").status_code == 302
    event = Event.objects.get(type="approval_voted")
    assert (event.actor_id, event.on_behalf_of_id) == (where.luo.pk, where.chen.pk)
    row = Delegation.objects.get()
    end = reverse("process:delegation_end", args=[row.pk])
    client.force_login(where.zhou)
    assert client.post(end).status_code == 404
    client.force_login(where.chen)
    assert client.post(end).status_code == 302
    row.refresh_from_db()
    assert row.revoked_at is not None


@pytest.mark.rule("AP-13")
def test_a_granted_exception_is_in_the_register_of_those_who_see_the_record(where, client):
    deal = terms(where, discount=9)
    services.decide(asked(where, deal).pk, approves=True, **where.how(where.chen))
    assert deal.name in opened(client, where.zhou, reverse("process:precedents"))
    assert deal.name not in opened(client, where.qi, reverse("process:precedents"))
    client.force_login(where.zhou)
    assert [r["kind"] for r in client.get("/api/v1/precedents").json()["items"]] == ["discount"]


# --- how much it costs ---


def many(where: Company, n: int) -> None:
    """So many pending requests that ask chen."""
    base = asked(where)
    seat = ApprovalSeat.objects.get(request=base)
    step = ApprovalStep.objects.get(request=base)
    for k in range(n - 1):
        base.pk, base.about = None, f"x:{k}"
        base.save()
        step.pk, step.request = None, base
        step.save()
        seat.pk, seat.request, seat.step = None, base, step
        seat.save()


@pytest.mark.rule("T21")
def test_five_hundred_waiting_items_cost_as_many_statements_as_one(where, client):
    client.force_login(where.chen)

    def cost() -> int:
        """The least of three: now and then a process looks whether fields and calendars are still the newest."""
        found = []
        for _time in range(3):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(INBOX).status_code == 200
            found.append(len(queries))
        return min(found)

    many(where, 1)
    few = cost()
    many_more = [asked(where, terms(where, discount=7)) for _n in range(2)]
    assert many_more
    ApprovalRequest.objects.filter(pk__in=[r.pk for r in many_more])
    many(where, 497)
    assert cost() <= few + 2 <= 45  # what no page shows whole is counted
    items, following = inbox(where.chen, "todo")
    assert (len(items), following) == (PAGE, PAGE)
    with CaptureQueriesContext(connection) as queries:
        inbox(where.chen, "todo", start=following)
    assert len(queries) <= 5
