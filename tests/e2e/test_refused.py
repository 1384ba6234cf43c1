"""A form that was refused, in a browser: the focus goes to what is wrong, wherever the form stands."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.screens import Board, DealPage, settled
from tests.e2e.signing import page_of
from tests.factories.crm import Company, company
from tests.kit.browser import axe_violations

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.rule("U32"),
    pytest.mark.one_engine("sqlite", "where the focus goes does not depend on the engine"),
]
ENGLISH = "en-GB"
WITHOUT_CHECKS = "form => { form.noValidate = true }"


@pytest.fixture
def where() -> Company:
    return company(language="en")


def send_wrongly(page: Page, form: Any, button: str) -> None:
    """As a browser that does not check by itself."""
    form.evaluate(WITHOUT_CHECKS)
    form.get_by_role("button", name=button, exact=True).click()


def test_the_focus_goes_to_what_is_wrong_and_a_link_leads_to_its_field(
    chromium: Any, live_server: Any, where: Company
) -> None:
    deal = where.deal("Cooling for line 4")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        summary = page.locator(".fl-errsum")
        # a page of its own
        page.goto(f"/about/opportunity/{deal.pk}/log/")
        page.get_by_label("Note").fill("He was in a hurry")
        send_wrongly(page, page.get_by_role("main").locator("form").first, "Log it")
        expect(summary).to_be_focused()
        expect(page.get_by_label("Note")).to_have_value("He was in a hurry")
        assert axe_violations(page) == []
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_label("What happened")).to_be_focused()
        # a small form at the end of a tab
        page.goto(f"/opportunities/{deal.pk}/plan/")
        page.get_by_label("What", exact=True).fill("Send samples")
        send_wrongly(page, page.get_by_role("form", name="Add a step"), "Add")
        expect(summary).to_be_focused()
        expect(page.get_by_label("What", exact=True)).to_have_value("Send samples")
        # the dialog, open already
        page.goto(f"/opportunities/{deal.pk}/")
        page.keyboard.press("n")
        dialog = page.locator("#dialog")
        dialog.get_by_label("Note").fill("Ask for the budget")
        send_wrongly(page, dialog.locator("form").first, "Plan it")
        expect(dialog.locator(".fl-errsum")).to_be_focused()
        expect(dialog.get_by_label("Note")).to_have_value("Ask for the budget")
        # one value in its place
        DealPage(page).open(deal.pk, "fields").edit("Amount").fill("a lot")
        page.keyboard.press("Enter")
        field = page.get_by_role("main").get_by_label("Amount", exact=True)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_be_focused()
        expect(field).to_have_value("a lot")


def test_in_the_panel_beside_the_board_too(chromium: Any, live_server: Any, where: Company) -> None:
    deal = where.deal("Cooling for line 4")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        Board(page).open()
        page.get_by_role("main").get_by_role("link", name=deal.name, exact=True).focus()
        page.evaluate(
            "url => htmx.ajax('GET', url, {target: '#panel', swap: 'innerHTML'})",
            f"/opportunities/{deal.pk}/panel/?as=hold",
        )
        panel = page.locator("#panel")
        panel.get_by_label("Comment").fill("They wait for their budget")
        panel.get_by_label("Comes back on").evaluate("field => { field.type = 'text'; field.value = 'soon' }")
        panel.get_by_role("button", name="Put on hold").click()
        settled(page)
        expect(panel.locator(".fl-errsum")).to_be_focused()
        expect(panel.get_by_label("Comment")).to_have_value("They wait for their budget")
        expect(panel.get_by_label("Comes back on")).to_have_attribute("aria-invalid", "true")
