"""Nothing typed is lost: drafts in the browser, and a session that ends in the middle of a sentence (U33)."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect
from tests.e2e.signing import page_of, sign_in
from tests.factories.crm import PASSWORD, Company, company
from tests.kit.browser import axe_violations, wait_until

from fairlead.work.models import Activity, Comment

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.rule("U33"),
    pytest.mark.one_engine("sqlite", "what a browser makes of a page says nothing about where it was stored"),
]
ENGLISH = "en-GB"
LONG = ("The customer wants the offer before the end of the month. " * 9)[:499] + "."


@pytest.fixture
def where() -> Company:
    return company(language="en")


def end_session(page: Page) -> None:
    Session.objects.all().delete()
    assert page.evaluate("fetch('/session').then(a => a.status)") == 401


def sign_in_again(page: Page, name: str, password: str = PASSWORD) -> None:
    overlay = page.locator("#again")
    expect(overlay.get_by_role("heading")).to_have_text("Sign in again")
    overlay.get_by_label("User name").fill(name)
    overlay.get_by_label("Password", exact=True).fill(password)
    overlay.get_by_role("button", name="Sign in").click()


def test_five_hundred_characters_outlive_the_session(chromium: Any, live_server: Any, where: Company) -> None:
    deal = where.deal("Cooling for line 4")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto(f"/opportunities/{deal.pk}/?add=comment")
        page.locator("#add-text").fill(LONG)
        end_session(page)
        page.get_by_role("button", name="Comment", exact=True).click()
        sign_in_again(page, "zhou", "wrong")
        expect(page.locator("#again [role=alert]")).to_have_text("Wrong password.")
        assert axe_violations(page) == []
        sign_in_again(page, "zhou")
        expect(page.locator("#timeline")).to_contain_text(LONG)
        page.goto(f"/opportunities/{deal.pk}/?add=comment")
        expect(page.locator("#add-text")).to_have_value("")
        assert [key for key in page.evaluate("Object.keys(localStorage)") if "draft" in key] == []
    assert [c.text for c in Comment.objects.all()] == [LONG]


def test_what_htmx_sends_goes_on_too(chromium: Any, live_server: Any, where: Company) -> None:
    deal = where.deal("Cooling for line 4")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto(f"/opportunities/{deal.pk}/")
        page.locator("#line-text").fill("call about the budget tomorrow 10am")
        expect(page.locator("#line-preview")).to_contain_text("Planned")
        end_session(page)
        page.keyboard.press("Enter")
        sign_in_again(page, "zhou")
        expect(page.locator("#line .work-line__saved")).to_contain_text("Planned")
    assert Activity.objects.get().summary == "the budget"


def test_a_draft_comes_back_with_the_page_and_only_to_its_owner(
    chromium: Any, live_server: Any, where: Company
) -> None:
    deal = where.deal("Cooling for line 4")
    address = f"/opportunities/{deal.pk}/?add=comment"
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto(address)
        page.locator("#add-text").fill("Hold the price")
        wait_until(page, "JSON.stringify(localStorage).includes('Hold the price')")  # kept after a moment
        page.reload()
        expect(page.locator("#add-text")).to_have_value("Hold the price")
        sign_in(page, live_server.url, where.chen)
        page.goto(address)
        expect(page.locator("#add-text")).to_have_value("")
        sign_in(page, live_server.url, where.zhou)
        page.goto(address)
        page.get_by_role("button", name="Discard").click()
        expect(page.locator("#add-text")).to_have_value("")
        page.reload()
        expect(page.locator("#add-text")).to_have_value("")


def test_somebody_else_does_not_send_it(chromium: Any, live_server: Any, where: Company) -> None:
    deal = where.deal("Cooling for line 4")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto(f"/opportunities/{deal.pk}/?add=comment")
        page.locator("#add-text").fill("Hold the price")
        end_session(page)
        page.get_by_role("button", name="Comment", exact=True).click()
        sign_in_again(page, "chen")
        expect(page).to_have_url(live_server.url + "/")
        sign_in(page, live_server.url, where.zhou)
        page.goto(f"/opportunities/{deal.pk}/?add=comment")
        expect(page.locator("#add-text")).to_have_value("Hold the price")
        page.evaluate("document.querySelector('form[action=\"/sign-out\"]').requestSubmit()")
        page.wait_for_url("**/sign-in*")
        assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('fl-draft:'))") == []
    assert not Comment.objects.exists()


def test_no_password_is_ever_kept(chromium: Any, live_server: Any, where: Company) -> None:
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto("/profile/password")
        for field in page.locator("input[type=password]").all():
            field.fill("a-secret-of-mine")
        page.wait_for_timeout(400)
        assert "a-secret-of-mine" not in page.evaluate("JSON.stringify(localStorage)")
