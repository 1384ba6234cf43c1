"""Every page of a seller and an administrator: readable by everybody, in one language, within the screen.

A run meets each page in both languages, and each language in both themes and at both widths, so that every pair of
language, theme and width is looked at; all eight together are looked at with --nightly.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

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
CONTRAST = ("color-contrast",)


@dataclass(frozen=True)
class Look:
    """At a page that is open: its width, its theme, and by which tags or rules of axe."""

    size: dict[str, int]
    theme: str
    tags: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.theme}, {self.size['width']} px:"


BEST_PRACTICE: Final = "best-practice"
#: By language: what depends on neither colour nor width is asked once in each.
LOOKS: Final[dict[str, tuple[Look, ...]]] = {
    "zh-hans": (Look(DESK, "light", (*WCAG, BEST_PRACTICE)), Look(PHONE, "dark", rules=CONTRAST)),
    "en": (Look(DESK, "dark", (BEST_PRACTICE,), CONTRAST), Look(PHONE, "light", WCAG)),
}
EVERY_LOOK: Final = tuple(
    Look(size, theme, (*WCAG, BEST_PRACTICE) if size is DESK else WCAG)
    for size in (DESK, PHONE)
    for theme in ("light", "dark")
)
#: The administrator meets every page in both languages; what a seller alone has, a seller meets in both.
WALKS: Final[tuple[tuple[str, str, Collection[str]], ...]] = (
    ("admin", "zh-hans", PAGES.keys()),
    ("admin", "en", PAGES.keys()),
    ("zhou", "zh-hans", PAGES.keys()),
    ("zhou", "en", OWN_PAGES),
)
#: Latin words of the company's own: sign-in names, numbers of contracts, names of files.
OWN = frozenset({"ht", "csv", *STAFF})
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


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.rule("U28", "U31", "U19")
@pytest.mark.one_engine(
    "sqlite", "a page looks the same on either engine; test_field_exits opens each on both"
)
@pytest.mark.parametrize(
    ("username", "language", "patterns"), WALKS, ids=[f"{who}-{how}" for who, how, _patterns in WALKS]
)
def test_every_page_is_for_everybody(
    chromium: Any,
    live_server: Any,
    where: Company,
    objects: Objects,
    username: str,
    language: str,
    patterns: Collection[str],
) -> None:
    """Light and dark, on a desk and on a phone."""
    User.objects.update(language=language)
    wrong = []
    for page, path in walk(chromium, live_server.url, where, objects, username, patterns):
        wrong += [f"{path} {line}" for line in found_on(page, language, LOOKS[language])]
    assert not wrong, "\n".join(wrong)


@pytest.mark.nightly
@pytest.mark.browser
@pytest.mark.timeout(0)
@pytest.mark.rule("U28", "U31", "U19")
@pytest.mark.one_engine("sqlite", "a page looks the same on either engine")
@pytest.mark.parametrize("language", LOOKS)
@pytest.mark.parametrize("username", PEOPLE)
def test_every_page_in_each_language_theme_and_width_together(
    chromium: Any, live_server: Any, where: Company, objects: Objects, username: str, language: str
) -> None:
    User.objects.update(language=language)
    wrong = []
    for page, path in walk(chromium, live_server.url, where, objects, username, PAGES.keys()):
        wrong += [f"{path} {line}" for line in found_on(page, language, EVERY_LOOK)]
    assert not wrong, "\n".join(wrong)


def test_every_pair_of_language_theme_and_width_is_looked_at() -> None:
    seen = {(language, look.theme, look.size["width"]) for language, looks in LOOKS.items() for look in looks}
    assert len({(language, theme) for language, theme, _width in seen}) == 4
    assert len({(language, width) for language, _theme, width in seen}) == 4
    assert len({(theme, width) for _language, theme, width in seen}) == 4
    for patterns in (PAGES.keys() - OWN_PAGES, OWN_PAGES):
        walked = [language for _who, language, pages in WALKS if set(patterns) <= set(pages)]
        assert {*walked} == LOOKS.keys()


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


def found_on(page: Any, language: str, looks: tuple[Look, ...]) -> list[str]:
    """What is wrong with the page that is open, which stands on a desk by day and is left so."""
    found = [f"speaks another language: {text[:80]!r}" for text in foreign_words(page, language, OWN)]
    assert page.locator("h1").count() == 1, page.url
    shown = DESK
    for look in sorted(looks, key=lambda look: look.size is PHONE):
        if look.size != shown:
            page.set_viewport_size(look.size)
            shown = look.size
            found += ["scrolls sideways on a phone"] if page.evaluate(IS_TOO_WIDE) else []
        page.emulate_media(color_scheme=look.theme)
        found += [f"{look} {line}" for line in axe_violations(page, tags=look.tags, rules=look.rules)]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESK)
    return found
