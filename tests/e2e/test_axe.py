"""Every page of a seller and an administrator: readable by everybody, in one language, within the screen."""

from typing import Any

import pytest
from tests.access.objects import Objects
from tests.e2e.pages import NO_PAGES, OWN_PAGES, PAGES, addresses, furnish, page_routes, path_of
from tests.e2e.signing import page_of
from tests.e2e.words import foreign_words
from tests.factories.crm import PEOPLE as STAFF
from tests.factories.crm import Company, company
from tests.kit.browser import DESK, PHONE, WCAG, axe_violations, bring_axe

from fairlead.organisation.models import User

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = ("zhou", "admin")
#: The administrator meets every page in both languages; what a seller alone has, a seller meets in both.
WALKS = (
    ("admin", "zh-hans", None),
    ("admin", "en", None),
    ("zhou", "zh-hans", None),
    ("zhou", "en", OWN_PAGES),
)
#: Who is looked at on a phone in which language; sideways nobody scrolls in any.
ON_THE_PHONE = {("zhou", "zh-hans"), ("admin", "en"), ("zhou", "en")}
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
    "sqlite", "a page looks the same on either engine; test_field_exits opens each on both"
)
@pytest.mark.parametrize(
    ("username", "language", "only"), WALKS, ids=[f"{who}-{how}" for who, how, _only in WALKS]
)
def test_every_page_is_for_everybody(
    chromium: Any, live_server: Any, where: Company, objects: Objects, username: str, language: str, only: Any
) -> None:
    """Light and dark, on a desk and on a phone."""
    User.objects.update(language=language)
    wrong = []
    for page, path in walk(chromium, live_server.url, where, objects, username, only or PAGES.keys()):
        found = looked_at(page, language) + on_the_phone(page, whole=(username, language) in ON_THE_PHONE)
        wrong += [f"{path} {line}" for line in found]
    assert not wrong, "\n".join(wrong)


def walk(chromium: Any, base_url: str, where: Company, objects: Objects, username: str, patterns: Any) -> Any:
    """Each page that this person may open; what the browser complained about on the way fails the walk."""
    complaints: list[str] = []
    opened = 0
    with page_of(chromium, base_url, where.people[username], size=DESK) as page:
        bring_axe(page)
        page.on(
            "console",
            lambda said: complaints.append(f"{page.url} {said.text}") if is_complaint(said) else None,
        )
        for pattern in (pattern for pattern in PAGES if pattern in patterns):
            if pattern in OWN_PAGES and username != "zhou":
                continue
            for path in addresses(pattern, objects):
                if pattern == "funnel/rows/":
                    page.goto("/funnel/")
                    path = page.locator(FIRST_NUMBER).first.get_attribute("href")
                answer = page.goto(path)
                if answer.status in {403, 404}:
                    assert username != "admin", f"{path} is shut: is it a page of its owner alone?"
                    continue
                assert answer.status == 200 and answer.request.redirected_from is None, (path, answer.status)
                opened += 1
                yield page, path
    assert complaints == []
    assert opened >= min(len(patterns), 60)


def is_complaint(said: Any) -> bool:
    return said.type in {"error", "warning"} and "status of 403" not in said.text  # a door that stays shut


def looked_at(page: Any, language: str) -> list[str]:
    """What is wrong with the page that is open, by day and by night."""
    found = [f"speaks another language: {text[:80]!r}" for text in foreign_words(page, language, OWN)]
    assert page.locator("h1").count() == 1, page.url
    found += axe_violations(page)
    page.emulate_media(color_scheme="dark")
    found += [f"dark {line}" for line in axe_violations(page, rules=CONTRAST)]
    page.emulate_media(color_scheme="light")
    return found


def on_the_phone(page: Any, *, whole: bool) -> list[str]:
    """What is wrong with it there; without `whole`, whether it fits."""
    page.set_viewport_size(PHONE)
    found = ["phone: scrolls sideways"] if page.evaluate(IS_TOO_WIDE) else []
    if whole:
        found += [f"phone {line}" for line in axe_violations(page, tags=WCAG)]
        page.emulate_media(color_scheme="dark")
        found += [f"dark, phone {line}" for line in axe_violations(page, rules=CONTRAST)]
        page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESK)
    return found
