"""Undo by a hand and by keys, and two people in two browsers who change the same record."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.signing import page_of
from tests.factories.crm import Company, company

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ENGLISH = "en-GB"


@pytest.fixture
def where() -> Company:
    return company(language="en")


def change_amount(page: Page, value: str) -> None:
    page.locator("#f-amount .crm-edit").click()
    page.locator("#f-amount [name=amount]").fill(value)
    page.keyboard.press("Enter")
    expect(page.locator("#f-amount form")).to_have_count(0)


@pytest.mark.rule("U14")
def test_ctrl_z_takes_back_the_last_act_of_this_page_and_never_while_one_types(
    chromium: Any, live_server: Any, where: Company
) -> None:
    deal = where.deal("Cooling for line 4", amount=100)
    other = where.deal("Cooling for line 5", amount=7)
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto(f"/opportunities/{deal.pk}/?tab=fields")
        change_amount(page, "250")
        expect(page.locator("#toasts")).to_contain_text("Undo")
        change_amount(page, "300")
        page.goto(f"/opportunities/{other.pk}/?tab=fields")
        page.keyboard.press("Control+z")  # nothing of this page
        page.goto(f"/opportunities/{deal.pk}/?tab=fields")
        page.locator("#f-amount .crm-edit").click()
        box = page.locator("#f-amount [name=amount]")
        expect(box).to_be_focused()
        page.keyboard.press("Control+z")
        page.evaluate(
            """() => document.body.dispatchEvent(new KeyboardEvent("keydown",
            {key: "z", ctrlKey: true, isComposing: true, bubbles: true}))"""
        )
        page.evaluate(
            """() => document.body.dispatchEvent(new KeyboardEvent("keydown",
            {key: "z", ctrlKey: true, keyCode: 229, bubbles: true}))"""
        )
        page.keyboard.press("Escape")
        expect(page.locator("#f-amount")).to_contain_text("300")
        deal.refresh_from_db()
        assert deal.amount == 300
        page.locator("#f-amount .crm-edit").evaluate("e => e.blur()")
        for value in ("250", "100"):
            page.keyboard.press("Control+z")
            expect(page.locator("#toasts")).to_contain_text("Taken back")
            expect(page.locator("#f-amount")).to_contain_text(value)
        deal.refresh_from_db()
        assert deal.amount == 100
        page.keyboard.press("Control+z")  # nothing is left
        page.wait_for_timeout(300)
        deal.refresh_from_db()
        other.refresh_from_db()
        assert (deal.amount, other.amount) == (100, 7)


@pytest.mark.rule("U14")
def test_what_changed_since_is_said_and_stays(chromium: Any, live_server: Any, where: Company) -> None:
    deal = where.deal("Cooling for line 4", amount=100)
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto(f"/opportunities/{deal.pk}/?tab=fields")
        change_amount(page, "250")
        where.edit(deal, by=where.chen, amount=400)
        page.locator("#toasts [data-undo]").click()
        expect(page.locator("#toasts")).to_contain_text("陈立新 changed this on")
    deal.refresh_from_db()
    assert deal.amount == 400


@pytest.mark.rule("U34")
def test_two_tabs_meet_in_one_form_and_nothing_is_lost(
    chromium: Any, live_server: Any, where: Company
) -> None:
    deal = where.deal("Cooling for line 4", amount=100)
    url = f"/opportunities/{deal.pk}/edit/"
    with (
        page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as mine,
        page_of(chromium, live_server.url, where.chen, language=ENGLISH) as theirs,
    ):
        for page in (mine, theirs):
            page.goto(url)
        theirs.fill("#i-amount", "400")
        theirs.fill("#i-competitor", "Sanming")
        theirs.get_by_role("button", name="Save").click()
        theirs.wait_for_url(f"**/opportunities/{deal.pk}/")
        mine.fill("#i-amount", "250")
        mine.fill("#i-description", "Said on the phone")
        mine.get_by_role("button", name="Save").click()
        expect(mine.locator(".crm-conflict")).to_contain_text("陈立新 changed Amount just now.")
        expect(mine.locator("#i-description")).to_have_value("Said on the phone")
        expect(mine.locator("#i-amount")).to_have_value("250")
        expect(mine.locator("#i-competitor")).to_have_value("Sanming")
        mine.locator("[name=take-amount][value=theirs]").check()
        mine.get_by_role("button", name="Save").click()
        mine.wait_for_url(f"**/opportunities/{deal.pk}/")
    deal.refresh_from_db()
    assert (deal.amount, deal.description, deal.competitor) == (400, "Said on the phone", "Sanming")
