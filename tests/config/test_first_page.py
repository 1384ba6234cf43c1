"""The first page in a real browser: drawn, readable by everybody, and obedient to its own policy."""

import pytest
from tests.kit.browser import DESK, PHONE, axe_violations, open_page


@pytest.mark.browser
@pytest.mark.rule("T31")
@pytest.mark.one_engine("sqlite", "what a browser makes of a page says nothing about where it was stored")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_first_page_is_clean(chromium, live_server, language, theme, size):
    with open_page(chromium, live_server.url, size=size, language=language, theme=theme) as page:
        answer = page.goto("/sign-in")
        assert answer is not None
        assert answer.status == 200
        assert page.locator("html").get_attribute("lang") == ("zh-Hans" if language == "zh-CN" else "en")
        assert page.locator("h1").count() == 1
        assert axe_violations(page) == []
