"""A new company in a browser: sample data come by one click, the board shows cards, and one click clears them again."""

from typing import Any

import pytest
from playwright.sync_api import expect
from tests.e2e.signing import page_of
from tests.exchange.test_sample_data import new_company
from tests.kit.browser import DESK, PHONE, axe_violations, open_page

from fairlead.crm.models import Opportunity
from fairlead.exchange import tasks

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.one_engine("sqlite", "what a browser makes of a page says nothing about where it was stored"),
]


@pytest.mark.rule("U16", "U15")
def test_from_the_first_visit_to_a_board_with_cards_and_back(chromium: Any, live_server: Any) -> None:
    with open_page(chromium, live_server.url, language="en-GB") as page:
        page.goto("/")
        page.get_by_label("Company").fill("Star Works")
        page.get_by_label("Sample data to try things with").check()
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Name", exact=True).fill("Ada Founder")
        page.get_by_label("User name").fill("ada")
        page.get_by_label("Password", exact=True).fill("correct-horse-battery-9")
        page.get_by_role("button", name="Finish").click()
        expect(page.get_by_role("heading", level=1, name="Sample data")).to_be_visible()

        page.get_by_role("button", name="Load sample data").click()
        expect(page.get_by_role("heading", name="Loading the sample data")).to_be_visible()
        tasks.work_on_sample_data.call()
        expect(
            page.get_by_role("button", name="Clear sample data")
        ).to_be_visible()  # the page looks by itself

        page.get_by_role("link", name="Pipeline board").last.click()
        expect(page.get_by_role("heading", level=1, name="Pipeline board")).to_be_visible()
        assert page.locator("[data-card], .fl-card").count() >= 15
        page.locator(".fl-side__foot").get_by_role("link", name="Sample data").click()
        page.get_by_role("button", name="Clear sample data").click()
        expect(page.get_by_role("heading", name="Clearing the sample data")).to_be_visible()
        tasks.work_on_sample_data.call()
        expect(page.get_by_role("heading", name="Cleared")).to_be_visible()
        assert not Opportunity.objects.exists()

        page.goto("/board/")
        expect(page.get_by_role("button", name="Load sample data")).to_be_visible()
        assert page.locator("[data-card], .fl-card").count() == 0


@pytest.mark.rule("U31", "U15")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_its_pages_are_clean(chromium: Any, live_server: Any, language: str, size: Any, theme: str) -> None:
    admin = new_company(language="zh-hans" if language == "zh-CN" else "en")
    with page_of(chromium, live_server.url, admin, size=size, language=language, theme=theme) as page:

        def look(address: str) -> None:
            page.goto(address)
            assert axe_violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address

        for address in ("/", "/board/", "/accounts/", "/sample-data/"):
            look(address)
        page.locator("form[action='/sample-data/load/'] button").click()
        look("/sample-data/")  # on the way
        tasks.work_on_sample_data.call()
        look("/sample-data/")
        look(f"/opportunities/{Opportunity.objects.order_by('pk').values_list('pk', flat=True)[0]}/")
        look("/board/")
