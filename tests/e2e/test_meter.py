"""The burden meter in a browser: active seconds between focus and save, sent once with the form (metrics 3.22)."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.signing import page_of
from tests.factories.crm import Company, company

from fairlead.process.models import FormTime

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.rule("3.22"),
    pytest.mark.one_engine("sqlite", "what a browser makes of a page says nothing about where it was stored"),
]
ENGLISH = "en-GB"


@pytest.fixture
def where() -> Company:
    return company(language="en")


def counted() -> dict[str, int]:
    """Field → class of seconds."""
    return dict(FormTime.objects.values_list("field_key", "bucket"))


def opened(page: Page, where: Company) -> Page:
    page.clock.install()
    page.goto("/accounts/new/")
    return page


def test_typing_counts_and_a_long_pause_does_not(chromium: Any, live_server: Any, where: Company) -> None:
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        opened(page, where)
        name, city = page.locator("#i-name"), page.locator("#i-city")
        name.press_sequentially("Acm")
        page.clock.fast_forward(10_000)
        name.press_sequentially("e")
        page.clock.fast_forward(600_000)  # a telephone call
        name.press_sequentially("!")
        city.focus()
        page.clock.fast_forward(5_000)
        city.press_sequentially("Wuxi")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Acme!")
    # 10 s and the 30 s of a pause that still count; 5 s
    assert counted() == {"name": 7, "city": 3}


def test_a_field_in_place_is_measured_where_htmx_sends_it(
    chromium: Any, live_server: Any, where: Company
) -> None:
    deal = where.deal("Depot")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.clock.install()
        page.goto(f"/opportunities/{deal.pk}/fields/description/?edit=1")
        box = page.locator("#i-description")
        box.focus()
        page.clock.fast_forward(3_000)
        box.press_sequentially("words")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("#f-description")).to_contain_text("words")
    assert counted() == {"description": 2}
