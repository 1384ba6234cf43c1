"""The box at the top, by keys alone, with an input method, and for somebody who only hears it."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.signing import page_of
from tests.factories.crm import Company, company
from tests.kit.browser import PHONE, axe_violations

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.one_engine("sqlite", "what a browser makes of a page says nothing about where it was stored"),
]
ENGLISH = "en-GB"


@pytest.fixture
def where() -> Company:
    return company(language="en")


def box(page: Page) -> Any:
    return page.get_by_role("combobox", name="Search")


@pytest.mark.rule("U01", "U13", "U31")
def test_it_opens_by_keys_finds_by_initials_and_goes_there(
    chromium: Any, live_server: Any, where: Company
) -> None:
    deal = where.deal("园区网改造", account=where.account("华为技术"))
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto("/board/")
        page.keyboard.press("Control+k")
        expect(page.get_by_role("option", name="My day")).to_be_visible()
        assert axe_violations(page) == []
        page.keyboard.type("hwjs")
        first = page.get_by_role("option").first
        expect(first).to_contain_text("园区网改造")
        expect(first).to_have_attribute("aria-selected", "true")
        expect(box(page)).to_have_attribute("aria-activedescendant", first.get_attribute("id") or "")
        assert axe_violations(page) == []
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/opportunities/{deal.pk}/")

        page.keyboard.press("/")
        expect(
            page.get_by_role("group", name="园区网改造").get_by_role("option", name="Move on")
        ).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("listbox", name="Find, go, do")).to_be_hidden()
        expect(box(page)).to_be_focused()

        page.goto("/accounts/")
        page.keyboard.press("Control+k")
        recent = page.get_by_role("group", name="Recent").get_by_role("option")
        expect(recent).to_have_text("园区网改造")
        page.keyboard.type("loudou")
        page.keyboard.press("Enter")  # before any answer: the first one is meant
        page.wait_for_url("**/funnel/")


@pytest.mark.rule("U13")
def test_while_an_input_method_composes_no_key_is_a_command(
    chromium: Any, live_server: Any, where: Company
) -> None:
    where.deal("园区网改造")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH, size=PHONE) as page:
        page.goto("/board/")
        box(page).click()
        expect(page.get_by_role("option", name="My day")).to_be_visible()
        cdp = page.context.new_cdp_session(page)
        cdp.send("Input.imeSetComposition", {"text": "yuan", "selectionStart": 4, "selectionEnd": 4})
        for key in ("Enter", "ArrowDown", "Escape"):
            cdp.send(
                "Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": key, "windowsVirtualKeyCode": 229}
            )
        assert page.url.endswith("/board/")
        expect(page.get_by_role("option", name="My day")).to_be_visible()
        cdp.send("Input.insertText", {"text": "园区"})
        expect(page.get_by_role("option").first).to_contain_text("园区网改造")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert axe_violations(page) == []
