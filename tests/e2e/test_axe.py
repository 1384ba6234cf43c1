"""Every page of a seller and an administrator: readable by everybody, in one language, within the screen."""

from typing import Any

import pytest
from tests.access.objects import Objects
from tests.e2e.pages import NO_PAGES, OWN_PAGES, PAGES, addresses, furnish, page_routes, path_of
from tests.e2e.signing import page_of
from tests.e2e.words import foreign_words
from tests.factories.crm import PEOPLE as STAFF
from tests.factories.crm import Company, company
from tests.kit.browser import DESK, PHONE, WCAG, axe_violations

from fairlead.organisation.models import User

pytestmark = pytest.mark.django_db(transaction=True)
LANGUAGES = ("zh-hans", "en")
PEOPLE = ("zhou", "admin")
#: Latin words of the company's own: sign-in names, numbers of contracts, names of files.
OWN = frozenset({"ht", "csv", *STAFF})
CONTRAST = ("color-contrast",)
IS_TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"
FIRST_NUMBER = "a[href*='/funnel/rows/']"


@pytest.fixture
def where() -> Company:
    return company()


@pytest.fixture
def objects(where: Company) -> Objects:
    return furnish(where)


@pytest.mark.rule("U31")
def test_every_page_has_its_line(where: Company, objects: Objects, client: Any) -> None:
    wrong = []
    for pattern in page_routes():
        if pattern in PAGES or pattern in NO_PAGES:
            continue
        for name in PEOPLE:
            client.force_login(where.people[name])
            answer = client.get(path_of(pattern, objects))
            if answer.status_code not in {403, 404, 405} and not (
                answer.status_code == 302 and name == "zhou"
            ):
                wrong.append(
                    f"/{pattern} answers {answer.status_code}: say in tests/e2e/pages.py how it is looked at"
                )
                break
    assert not wrong, "\n".join(wrong)
    assert sorted({*PAGES, *NO_PAGES} - set(page_routes())) == []
    assert PAGES.keys() & NO_PAGES.keys() == set()


@pytest.mark.browser
@pytest.mark.rule("U28", "U31", "U19")
@pytest.mark.one_engine(
    "sqlite", "a page looks the same on either engine; the other one is walked in one language below"
)
@pytest.mark.parametrize("username", PEOPLE)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_for_everybody(
    chromium: Any, live_server: Any, where: Company, objects: Objects, language: str, username: str
) -> None:
    """Light and dark, on a desk and on a phone."""
    User.objects.update(language=language)
    wrong = []
    for page, path in walk(chromium, live_server.url, where, objects, username):
        wrong += [f"{path} {found}" for found in looked_at(page, language)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.browser
@pytest.mark.rule("U31")
@pytest.mark.one_engine("postgresql", "the whole matrix runs on SQLite")
def test_every_page_is_for_everybody_here_too(
    chromium: Any, live_server: Any, where: Company, objects: Objects
) -> None:
    wrong = []
    for page, path in walk(chromium, live_server.url, where, objects, "admin"):
        wrong += [f"{path} {found}" for found in axe_violations(page)]
    assert not wrong, "\n".join(wrong)


def walk(chromium: Any, base_url: str, where: Company, objects: Objects, username: str) -> Any:
    """Each page that this person may open; what the browser complained about on the way fails the walk."""
    complaints: list[str] = []
    opened = 0
    with page_of(chromium, base_url, where.people[username], size=DESK) as page:
        page.on(
            "console",
            lambda said: complaints.append(f"{page.url} {said.text}") if is_complaint(said) else None,
        )
        for pattern in PAGES:
            if pattern in OWN_PAGES and username != "zhou":
                continue
            for path in addresses(pattern, objects):
                if pattern == "funnel/rows/":
                    page.goto("/funnel/")
                    path = page.locator(FIRST_NUMBER).first.get_attribute("href")
                answer = page.goto(path)
                if answer.status in {403, 404}:
                    continue
                assert answer.status == 200 and answer.request.redirected_from is None, (path, answer.status)
                opened += 1
                yield page, path
    assert complaints == []
    assert opened > 60


def is_complaint(said: Any) -> bool:
    return said.type in {"error", "warning"} and "status of 403" not in said.text  # a door that stays shut


def looked_at(page: Any, language: str) -> list[str]:
    """What is wrong with the page that is open, in all its shapes."""
    found = [f"speaks another language: {text[:80]!r}" for text in foreign_words(page, language, OWN)]
    assert page.locator("h1").count() == 1, page.url
    found += axe_violations(page)
    page.emulate_media(color_scheme="dark")
    found += [f"dark {line}" for line in axe_violations(page, rules=CONTRAST)]
    page.set_viewport_size(PHONE)
    found += [f"dark, phone {line}" for line in axe_violations(page, rules=CONTRAST)]
    page.emulate_media(color_scheme="light")
    found += [f"phone {line}" for line in axe_violations(page, tags=WCAG)]
    if page.evaluate(IS_TOO_WIDE):
        found.append("phone: scrolls sideways")
    page.set_viewport_size(DESK)
    return found
