"""Requests to let something pass in the inbox of approvals: one queue, one screen, the next item opens (OV-1, U22)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.factories.approvals import approving
from tests.factories.crm import Company, company, document

from fairlead.crm import services as crm
from fairlead.crm.models import Opportunity
from fairlead.process import services as process
from fairlead.process.models import OverrideRequest, Waiver
from fairlead.process.selectors import approval_inbox
from fairlead.process.selectors.waiting import APPROVAL, OVERRIDE, count_waiting, places, queue
from fairlead.process.services import approving as services
from fairlead.process.services import overrides

pytestmark = [pytest.mark.django_db, pytest.mark.rule("OV-1", "U22")]
INBOX = "/approvals/"
REASON = document()["lists"]["waiver"][0]["key"]
BACK = document()["lists"]["regress"][0]["key"]


@pytest.fixture
def where() -> Company:
    return approving(company(language="en"))


def ask(where: Company, deal: Any = None, *, by: Any = None, days: int = 9, **values: Any) -> OverrideRequest:
    deal = deal or where.deal()
    at = timezone.now()
    given = {
        "criterion_key": "bant", "reason_code": REASON, "text": "The customer can only meet next week.",
        "compensation": "Filled in by Friday.", "expires_at": at + timedelta(days=days),
    } | values  # fmt: skip
    return process.request_override(deal.journey_id, **given, **where.how(by or deal.owner, at))


def an_approval(where: Company) -> Any:
    deal = where.deal(stage="quote_negotiation", discount=8, margin=25, payment_days=30, prepay=20)
    return services.submit(
        where.journey(deal).pk, kind="discount", text="A rival.", package={"reason": "Two years"},
        **where.how(deal.owner),
    )  # fmt: skip


def opened(client: Client, person: Any, url: str = INBOX, status: int = 200) -> str:
    client.force_login(person)
    answer = client.get(url)
    assert answer.status_code == status
    return answer.content.decode()


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def decide(client: Client, request: OverrideRequest, act: str = "approve", **data: Any) -> Any:
    return client.post(f"/overrides/{request.pk}/decide", {"act": act, **data})


def test_both_wait_in_one_queue_the_most_urgent_first(where: Company, client: Client) -> None:
    approval, late, soon = an_approval(where), ask(where, days=30), ask(where, days=1)
    order = places(where.chen, most=10)
    assert set(order) == {(APPROVAL, approval.pk), (OVERRIDE, soon.pk), (OVERRIDE, late.pk)}
    assert order.index((OVERRIDE, soon.pk)) < order.index((OVERRIDE, late.pk)) == 2
    assert count_waiting(where.chen) == 3
    html = opened(client, where.chen)
    assert '<span class="fl-count">' in html or "To decide 3" in html
    assert "To decide 3" in html and "BANT" in html
    assert "3 approvals wait for you" in opened(client, where.chen, "/")
    client.force_login(where.chen)
    body = client.get("/api/v1/approvals").json()
    assert body["waiting"] == 3 and [(o["kind"], o["id"]) for o in body["order"]] == order
    assert [o["id"] for o in body["overrides"]] == [soon.pk, late.pk]
    # Who asked, who owns the record, and whoever does not see it decide nothing of it.
    assert places(where.zhou, most=10) == places(where.qi, most=10) == []


def test_the_screen_has_all_that_a_decision_needs(where: Company, client: Client) -> None:
    before = ask(where)
    overrides.decide_override(before.pk, granted=True, **where.how(where.chen))
    request = ask(where)
    html = opened(client, where.chen, f"{INBOX}?ask={request.pk}")
    for said in (
        "Waiver: BANT", "The customer can only meet next week.", "Filled in by Friday.", "Cases alike", "out of 1 past decision",
        "Missing at the gate", "1 / 5", 'data-keys="y"', 'data-keys="n"', f"/overrides/{request.pk}/decide",
    ):  # fmt: skip
        assert said in html, said
    assert 'data-keys="y"' not in opened(client, where.zhou, f"{INBOX}?ask={request.pk}")
    opened(client, where.qi, f"{INBOX}?ask={request.pk}", 404)
    opened(client, where.chen, f"{INBOX}?ask=999999", 404)


def test_after_a_decision_the_next_item_opens(where: Company, client: Client) -> None:
    first, second, approval = ask(where, days=1), ask(where, days=2), an_approval(where)
    client.force_login(where.chen)
    order = places(where.chen, most=10)
    answer = decide(client, first, comment="Until Friday")
    following = order[order.index((OVERRIDE, first.pk)) + 1 :] or order[:1]
    kind, pk = following[0]
    assert answer.url == f"{INBOX}?{'ask' if kind == OVERRIDE else 'item'}={pk}"
    first.refresh_from_db()
    assert (first.state, first.decision, first.waiver is not None) == ("granted", "Until Friday", True)
    decide(client, second, "reject", comment="Talk to them first")
    second.refresh_from_db()
    assert (second.state, second.decision) == ("refused", "Talk to them first")
    approval.refresh_from_db()
    done = client.post(f"/approvals/{approval.pk}/act", {"act": "approve", "version": approval.version})
    assert done.headers["Location"] == INBOX


def test_a_double_tap_has_one_effect(where: Company, client: Client) -> None:
    request = ask(where)
    client.force_login(where.chen)
    assert decide(client, request).status_code == 302
    again = decide(client, request)
    assert again.status_code == 409 and Waiver.objects.filter(journey=request.journey).count() == 1


def test_a_refusal_without_a_word_comes_back_with_what_is_missing(where: Company, client: Client) -> None:
    request = ask(where)
    client.force_login(where.chen)
    answer = decide(client, request, "reject")
    assert answer.status_code == 422 and 'id="ap-comment-err"' in answer.content.decode()
    assert decide(client, request, "nosuch").status_code == 422
    overrides.set_rules(
        budget=0, review_percent=30, version=1, by=where.tang, at=timezone.now(), channel="ui"
    )
    spent = decide(client, request, comment="kept here")
    assert spent.status_code == 422 and "kept here" in spent.content.decode()
    request.refresh_from_db()
    assert request.state == "open"


def test_a_stranger_and_the_asker_decide_nothing(where: Company, client: Client) -> None:
    request = ask(where)
    client.force_login(where.qi)
    assert decide(client, request).status_code == 404
    client.force_login(where.zhou)
    assert decide(client, request).status_code in (403, 422)
    request.refresh_from_db()
    assert request.state == "open"


@pytest.mark.rule("MV-3")
def test_a_far_step_back_is_an_item_of_the_same_queue(where: Company, client: Client) -> None:
    deal = where.deal(stage="quote_negotiation")
    request = ask(where, deal, criterion_key="", move_kind="regress", to="customer_contact", reason_code=BACK)
    assert (OVERRIDE, request.pk) in places(where.chen, most=10)
    html = opened(client, where.chen, f"{INBOX}?ask={request.pk}")
    assert "Step back:" in html
    assert decide(client, request).status_code == 302
    where.move(deal, "regress", "customer_contact", reason=BACK, comment="The customer begins anew.")
    request.refresh_from_db()
    assert request.used_at is not None


def test_one_item_of_several_records_is_let_pass_together_each_with_its_result(
    where: Company, client: Client
) -> None:
    overrides.set_rules(
        budget=2, review_percent=30, version=1, by=where.tang, at=timezone.now(), channel="ui"
    )
    asked = [ask(where) for _number in range(3)]
    other = ask(where, criterion_key="problem_stated")
    html = opened(client, where.chen)
    assert "3 requests to let the same item pass" in html
    url = "/approvals/together/?kind=~let-pass&rule=bant"
    assert opened(client, where.chen, url).count('name="item"') == 3
    answer = client.post(
        "/approvals/together/",
        {"kind": "~let-pass", "rule": "bant", "item": [*(one.pk for one in asked), other.pk]},
    )
    said = answer.content.decode()
    assert said.count("is-won") == 2 and "You have 2 running" in said
    states = dict(OverrideRequest.objects.values_list("pk", "state"))
    assert sorted(states[one.pk] for one in asked) == ["granted", "granted", "open"]
    assert states[other.pk] == "open"


def test_together_by_the_api_says_what_came_of_each(where: Company, client: Client) -> None:
    first, approval = ask(where), an_approval(where)
    client.force_login(where.chen)
    answer = client.post(
        "/api/v1/approvals/together",
        {"requests": [approval.pk], "overrides": [first.pk, 987_654]},
        content_type="application/json",
    )
    found = {(r["request"], r["override"]): (r["done"], r["code"]) for r in answer.json()["items"]}
    assert found == {
        (approval.pk, None): (True, ""),
        (None, first.pk): (True, ""),
        (None, 987_654): (False, "not-together"),
    }
    assert client.post("/api/v1/approvals/together", {}, content_type="application/json").status_code == 422


def test_pages_of_the_queue_follow_each_other(where: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairlead.process.selectors.waiting.PAGE", 2)
    assert approval_inbox.PAGE == 50
    asked = [ask(where, days=day) for day in (3, 1, 2)]
    an_approval(where)
    seen, start = [], 0
    while True:
        lines, following = queue(where.chen, start=start)
        seen += [(line.kind, line.pk) for line in lines]
        if not following:
            break
        start = following
    assert seen == places(where.chen, most=10) and len(seen) == len(asked) + 1


@pytest.mark.rule("OV-1")
def test_what_was_decided_and_asked_stands_with_the_approvals_the_newest_first(
    where: Company, client: Client
) -> None:
    approval, waiver, open_one = an_approval(where), ask(where), ask(where, days=3)
    decide(client_of(where.chen), waiver, comment="The tender closes on Friday.")
    for tab, who, expected in (
        ("done", where.chen, [(OVERRIDE, waiver.pk)]),
        ("mine", where.zhou, [(OVERRIDE, open_one.pk), (OVERRIDE, waiver.pk), (APPROVAL, approval.pk)]),
        ("mine", where.chen, []),
        ("done", where.zhou, []),
    ):
        client.force_login(who)
        body = client.get("/api/v1/approvals", {"tab": tab}).json()
        assert [(o["kind"], o["id"]) for o in body["order"]] == expected, (tab, who)
        assert [o["id"] for o in body["overrides"]] == [pk for kind, pk in expected if kind == OVERRIDE]
        html = opened(client, who, f"{INBOX}?tab={tab}")
        for kind, pk in expected:
            word = "ask" if kind == OVERRIDE else "item"
            assert f"{word}={pk}" in html
    html = opened(client, where.chen, f"{INBOX}?tab=done&ask={waiver.pk}")
    assert "granted" in html and 'aria-current="true"' in html
    # A record that is out of sight by now is no line any more.
    deal = Opportunity.objects.get(pk=waiver.journey.subject_id)
    crm.reassign("opportunity", deal.pk, owner=where.qi, version=deal.version, **where.how(where.boss))
    deal.refresh_from_db()
    client.force_login(where.zhou)
    left = client.get("/api/v1/approvals", {"tab": "mine"}).json()["order"]
    assert (OVERRIDE, waiver.pk) not in [(o["kind"], o["id"]) for o in left]
