"""Words and inputs have the room they need: nothing that somebody must read is cut off."""

from typing import Any

import pytest
from tests.e2e.screens import Board, Panel
from tests.e2e.signing import page_of
from tests.factories.crm import Company, company

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.one_engine("sqlite", "what a browser makes of a page says nothing about where it was stored"),
]
ENGLISH = "en-GB"
WIDTHS = (1440, 1180, 1024, 800, 390)
#: A day, an hour and the button of the picker, in the widest way that a browser writes them.
DATE_TIME = 186
CLIPPED = """elements => elements.filter(e => e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)
    .map(e => e.textContent)"""


@pytest.fixture
def where() -> Company:
    return company(language="en")


@pytest.mark.rule("U02", "U31")
def test_names_of_stages_are_whole_with_the_panel_open_and_without(
    chromium: Any, live_server: Any, where: Company
) -> None:
    deal = where.deal("Cooling for line 4", amount=12_345_678)
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        board = Board(page).open()
        heads = page.locator(".fl-col__title h2")
        assert heads.count() >= 5
        assert heads.evaluate_all(CLIPPED) == []
        board.drag(deal.name, "Needs analysis")
        Panel(page).title.wait_for()
        assert heads.evaluate_all(CLIPPED) == []
        sums = page.locator(".fl-col__title .sum").evaluate_all(
            "all => all.filter(e => e.getBoundingClientRect().right > e.closest('.fl-col').getBoundingClientRect().right)"
        )
        assert sums == []


@pytest.mark.rule("U19", "U31")
def test_a_day_with_its_hour_is_whole_at_every_width(chromium: Any, live_server: Any, where: Company) -> None:
    deal = where.deal("Cooling for line 4")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        for address in (f"/opportunities/{deal.pk}/", f"/opportunities/{deal.pk}/?add=plan"):
            page.goto(address)
            for fold in page.locator(".crm-add details").all():
                fold.evaluate("fold => { fold.open = true }")
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                fields = page.locator(".crm-add input[type=datetime-local]")
                assert fields.count() >= 1
                widths = fields.evaluate_all("all => all.map(e => e.getBoundingClientRect().width)")
                assert min(widths) >= DATE_TIME, (address, width, widths)
