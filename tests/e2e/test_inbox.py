"""Twenty decisions by keyboard, approvals and requests to let something pass in one queue; by thumb, a double tap (6.8, U22)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from tests.e2e.keyboard import Hand
from tests.e2e.signing import page_of
from tests.factories.approvals import approving
from tests.factories.crm import Company, company, document
from tests.kit.browser import PHONE

from fairlead.process import services as process
from fairlead.process.models import ApprovalRequest, OverrideRequest, Waiver
from fairlead.process.services import approving as approvals
from fairlead.process.services import overrides

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.one_engine("sqlite", "what a browser makes of a page says nothing about where it was stored"),
    pytest.mark.rule("U22", "OV-1"),
]
ENGLISH = "en-GB"
REASON = document()["lists"]["waiver"][0]["key"]
TWENTY, LETTING = 20, 6
A_STEP = 3.0  # seconds: to read one screen and press a key
THREE_MINUTES = 180.0


@pytest.fixture
def where() -> Company:
    where = approving(company(language="en"))
    overrides.set_rules(
        budget=50, review_percent=30, version=1, by=where.tang, at=timezone.now(), channel="ui"
    )
    return where


def an_approval(where: Company) -> ApprovalRequest:
    deal = where.deal(stage="quote_negotiation", discount=8, margin=25, payment_days=30, prepay=20)
    return approvals.submit(
        where.journey(deal).pk, kind="discount", text="A rival is cheaper.", package={"reason": "Two years"},
        **where.how(deal.owner),
    )  # fmt: skip


def a_waiver(where: Company) -> OverrideRequest:
    at = timezone.now()
    return process.request_override(
        where.deal().journey_id, criterion_key="bant", reason_code=REASON, text="They can only meet next week.",
        compensation="Filled in by Friday.", expires_at=at + timedelta(days=9), **where.how(at=at),
    )  # fmt: skip


def test_twenty_are_decided_by_keyboard_in_three_minutes(
    chromium: Any, live_server: Any, where: Company
) -> None:
    for _number in range(TWENTY - LETTING):
        an_approval(where)
    for _number in range(LETTING):
        a_waiver(where)
    with page_of(chromium, live_server.url, where.chen, language=ENGLISH) as page:
        hand = Hand(page)
        page.goto("/approvals/")
        for left in range(TWENTY, 0, -1):
            expect(page.get_by_role("link", name=f"To decide {left}")).to_be_visible()
            expect(page.locator("#ap-title")).to_be_visible()
            if left == TWENTY // 2:  # one of them with a reason, for a no
                hand.write(page.locator("#ap-comment"), "Not without a plan.")
                hand.act(page.locator("button[data-keys=n]"))
            else:
                hand.press("y")
            expect(page.get_by_role("link", name=f"To decide {left}", exact=True)).to_have_count(0)
        expect(page.get_by_text("Nothing waits for you")).to_be_visible()
        assert page.evaluate("window.pointed") == 0
    assert hand.steps * A_STEP <= THREE_MINUTES, hand.steps
    states = [*ApprovalRequest.objects.values_list("state", flat=True)]
    asked = [*OverrideRequest.objects.values_list("state", flat=True)]
    assert len(states) + len(asked) == TWENTY and not {"pending", "open"} & {*states, *asked}
    assert sum(state in ("rejected", "refused") for state in (*states, *asked)) == 1


def test_by_thumb_a_double_tap_has_one_effect_and_the_next_item_stays_as_it_was(
    chromium: Any, live_server: Any, where: Company
) -> None:
    first, second = a_waiver(where), a_waiver(where)
    with page_of(chromium, live_server.url, where.chen, language=ENGLISH, size=PHONE, has_touch=True) as page:
        page.goto(f"/approvals/?ask={first.pk}")
        button = page.locator("button[data-keys=y]")
        expect(button).to_be_visible()
        assert button.bounding_box()["height"] >= 44  # type: ignore[index]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.evaluate("() => { const b = document.querySelector('[data-keys=y]'); b.click(); b.click(); }")
        page.wait_for_load_state("networkidle")
        expect(page.locator("#ap-title")).to_be_visible()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("granted", "open")
    assert Waiver.objects.count() == 1
