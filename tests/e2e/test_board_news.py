"""News of others on an open board: what changed is exchanged, what did not stays where it is."""

from typing import Any

import pytest
from playwright.sync_api import expect
from tests.e2e.screens import Board
from tests.e2e.signing import page_of
from tests.factories.crm import Company, company
from tests.kit.browser import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.rule("U03")]
ANALYSIS = "Needs analysis"
#: Every card gets a mark that only the same element still has later.
MARK = "document.querySelectorAll('.fl-card').forEach(card => { card.marked = true; })"
MARKED = """() => Object.fromEntries([...document.querySelectorAll('.fl-card')].map(card =>
  [card.querySelector('.fl-card__name').textContent.trim(), !!card.marked]))"""
ORDER = """() => Object.fromEntries([...document.querySelectorAll('.fl-col')].map(column =>
  [column.dataset.stage, [...column.querySelectorAll('.fl-card')].map(card => card.dataset.journey)]))"""


@pytest.fixture
def where() -> Company:
    return company(language="en")


def test_only_the_cards_that_changed_are_exchanged_and_their_order_is_that_of_the_server(
    chromium: Any, live_server: Any, where: Company
) -> None:
    deals = [where.fulfil(where.deal(f"Deal {n}", amount=1_000 * (9 - n))) for n in range(6)]
    with page_of(chromium, live_server.url, where.zhou, language="en-GB") as page:
        board = Board(page).open()
        board.link(deals[2].name).focus()
        page.evaluate(MARK)

        # Somebody moves the first, plans a step on the fifth, and a new one comes in between.
        where.move(deals[0])
        where.next_step(deals[4], days=3)
        fresh = where.deal("Fresh", amount=5_500)

        expect(board.card(deals[0].name, ANALYSIS)).to_be_visible()
        expect(board.card(fresh.name, "Customer contact")).to_be_visible()
        expect(board.card(deals[4].name, "Customer contact").locator(".is-planned")).to_be_visible()
        marked = page.evaluate(MARKED)
        assert {name for name, stayed in marked.items() if not stayed} == {
            deals[0].name, deals[4].name, fresh.name,
        }  # fmt: skip
        expect(board.link(deals[2].name)).to_be_focused()
        shown = page.evaluate(ORDER)
        board.open()
        assert page.evaluate(ORDER) == shown


def test_a_head_whose_figures_changed_says_so_and_a_card_that_left_is_gone(
    chromium: Any, live_server: Any, where: Company
) -> None:
    stays, leaves = where.deal("Stays", amount=2_000), where.deal("Leaves", amount=1_000)
    with page_of(chromium, live_server.url, where.zhou, language="en-GB") as page:
        board = Board(page).open()
        page.evaluate(MARK)
        where.move(leaves, "close_lost", reason="need_cancelled")
        expect(board.link(leaves.name)).to_have_count(0)
        expect(page.locator("#col-customer_contact .fl-col__title .n")).to_have_text("1")
        expect(page.locator("#board-sum b").first).to_have_text("1")
        assert page.evaluate(MARKED) == {stays.name: True}


def test_cards_below_the_fold_wait_and_are_there_for_keys(
    chromium: Any, live_server: Any, where: Company
) -> None:
    deals = [where.deal(f"Deal {n:02}", amount=1_000 * (40 - n)) for n in range(30)]
    first, last = deals[0], deals[-1]
    drawn = "card => card.firstElementChild.checkVisibility({contentVisibilityAuto: true})"
    with page_of(chromium, live_server.url, where.zhou, language="en-GB") as page:
        board = Board(page).open()
        assert board.card(first.name).evaluate(drawn)
        assert not board.card(last.name).evaluate(drawn)
        board.link(first.name).focus()
        page.keyboard.press("End")
        expect(board.link(last.name)).to_be_focused()
        expect(board.card(last.name)).to_be_in_viewport()
        wait_until(page, f"({drawn})(document.activeElement.closest('.fl-card'))")
