"""Two-step sign-in in a browser: set up with the picture, asked for, recovered from, switched off; clean for axe."""

import re
from typing import Any

import pyotp
import pytest
from django.utils import timezone
from playwright.sync_api import expect
from tests.e2e.signing import page_of
from tests.e2e.words import foreign_words
from tests.factories.crm import PASSWORD, Company, company
from tests.kit.browser import axe_violations, open_page

from fairlead.organisation.models import SecondStep, User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.one_engine("sqlite", "what a browser makes of a page says nothing about where it was stored"),
]
ENGLISH = "en-GB"


@pytest.fixture
def where() -> Company:
    return company(language="en")


def code_of(secret: str, steps: int = 0) -> str:
    """The code of now, or of `steps` half minutes later: one that is not over while a slow browser types it."""
    return pyotp.TOTP(secret).at(timezone.now(), counter_offset=steps)


@pytest.mark.rule("T12", "U31", "U40")
def test_the_second_step_from_the_picture_to_the_end(chromium: Any, live_server: Any, where: Company) -> None:
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto("/profile")
        page.get_by_role("link", name="Two-step sign-in").click()
        page.get_by_role("button", name="Set up").click()
        expect(page.get_by_role("img", name="QR code")).to_be_visible()
        assert axe_violations(page) == []
        secret = page.locator("#secret").inner_text().replace(" ", "")
        page.get_by_role("textbox", name="Code").fill("000000")
        page.get_by_label("Current password").fill(PASSWORD)
        page.get_by_role("button", name="Switch on").click()
        expect(page.get_by_text("This code is not right").first).to_be_visible()
        page.get_by_role("textbox", name="Code").fill(code_of(secret))
        page.get_by_label("Current password").fill(PASSWORD)
        page.get_by_role("button", name="Switch on").click()
        codes = page.locator("#recovery code")
        expect(codes).to_have_count(10)
        assert axe_violations(page) == []
        spare = codes.first.inner_text()
        page.get_by_role("link", name="I have them").click()
        page.goto("/profile/second-step")
        expect(page.get_by_text("10 recovery codes are left")).to_be_visible()
        expect(codes).to_have_count(0)

    with open_page(chromium, live_server.url, language=ENGLISH) as page:
        page.goto("/opportunities/")
        page.get_by_label("User name").fill("zhou")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        field = page.get_by_role("textbox", name="Code")
        expect(field).to_be_focused()
        expect(field).to_have_attribute("autocomplete", "one-time-code")
        assert axe_violations(page) == []
        field.fill("000000")
        page.keyboard.press("Enter")
        expect(page.get_by_text("3 more tries").first).to_be_visible()
        assert axe_violations(page) == []
        page.get_by_role("textbox", name="Code").fill(code_of(secret, 1))
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/opportunities/$"))

        page.goto("/profile/second-step")
        page.locator("summary", has_text="Switch off").click()
        fold = page.locator("details[open]")
        fold.get_by_role("textbox", name="Code").fill(spare.upper())
        fold.get_by_label("Current password").fill(PASSWORD)
        assert axe_violations(page) == []
        fold.get_by_role("button", name="Switch off").click()
        expect(page.get_by_role("button", name="Set up")).to_be_visible()
    assert not SecondStep.objects.exists()


@pytest.mark.rule("U31", "U35")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("language", "locale"), [("zh-hans", "zh-CN"), ("en", "en-GB")])
def test_each_of_its_pages_in_each_language_and_theme(
    chromium: Any, live_server: Any, where: Company, language: str, locale: str, theme: str
) -> None:
    User.objects.filter(pk=where.zhou.pk).update(language=language, theme=theme)
    known = frozenset({"totp", "api", "zhou"})
    with page_of(chromium, live_server.url, where.zhou, language=locale, theme=theme) as page:
        for _state in ("off", "waiting"):
            page.goto("/profile/second-step")
            assert axe_violations(page) == []
            assert [t for t in foreign_words(page, language, known) if "@" not in t] == []
            if page.locator("button[value=begin]").count():
                page.locator("button[value=begin]").first.click()
