"""What every test gets: rule ids, a browser where there is one, no network but this machine."""

import gc
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as settings_of_examples
from tests.kit.browser import chromium_path, start_chromium

from fairlead.config import messages

# A machine with other work draws examples slowly; under CI every run draws the same ones.
settings_of_examples.register_profile(
    "house",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings_of_examples.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fairlead")
    group.addoption("--rule", action="append", default=[], metavar="ID", help="run the tests of this rule")
    group.addoption("--rule-counts", metavar="FILE", help="write how many tests each rule has, and run none")
    group.addoption("--nightly", action="store_true", help="run the long tests too")


def pytest_configure(config: pytest.Config) -> None:
    # Seldom, for a collection walks over all that was imported; a tenth of the tests' time went there.
    gc.set_threshold(50_000, 20, 50)
    if not hasattr(config, "workerinput"):
        messages.compile_all()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    from tests.kit import emptying  # models are loaded only now

    emptying.instead_of_flushing()


def rules_of(item: pytest.Item) -> set[str]:
    return {str(rule) for marker in item.iter_markers("rule") for rule in marker.args}


def uses_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(
        item.get_closest_marker("django_db")
        or fixtures & {"db", "transactional_db", "django_db_setup", "live_server"}
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if file := config.getoption("--rule-counts"):
        counts = Counter(rule for item in items for rule in rules_of(item))
        Path(file).write_text(json.dumps(counts), encoding="utf-8")
        items.clear()
        return
    if wanted := {rule for given in config.getoption("--rule") for rule in given.split(",")}:
        chosen = [item for item in items if rules_of(item) & wanted]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen
    # The longest begin: whichever process ends first has nothing to wait for.
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    has_browser = chromium_path() is not None
    engine = settings.DATABASES["default"]["ENGINE"].rpartition(".")[2].removesuffix("3")
    if engine == "postgresql" and not wanted:
        # What never touches a database has run with SQLite; what it says cannot depend on the engine.
        chosen = [item for item in items if uses_database(item)]
        config.hook.pytest_deselected(items=[item for item in items if not uses_database(item)])
        items[:] = chosen
    for item in items:
        if (only := item.get_closest_marker("one_engine")) and only.args[0] != engine:
            item.add_marker(pytest.mark.skip(reason=f"{only.args[0]} only: {only.args[1]}"))
        if item.get_closest_marker("browser") and not has_browser:
            item.add_marker(pytest.mark.skip(reason="needs Chromium: `apt install chromium`"))
        if item.get_closest_marker("nightly") and not config.getoption("--nightly"):
            item.add_marker(pytest.mark.skip(reason="nightly"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is here now stays to the end: the collector leaves it alone, as in the product's own processes."""
    gc.freeze()


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """One Chromium for the process; `tests.kit.browser` says how a page is opened in it."""
    with start_chromium() as browser:
        yield browser


@pytest.fixture(autouse=True)
def forgotten_caches() -> Iterator[None]:
    """What a process remembers of one test's database is wrong in the next one's; so is the language of a page."""
    yield
    translation.deactivate()
    from fairlead.fields import catalogue
    from fairlead.process import definitions

    catalogue.forget()
    definitions.forget()
    if history := sys.modules.get("fairlead.insight.history"):
        history.forget()


@pytest.fixture(autouse=True)
def answers_that_are_whole(request: pytest.FixtureRequest) -> Iterator[None]:
    """A browser that is closed leaves requests behind, which would meet the emptying of the tables."""
    if "live_server" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("transactional_db")  # so that its end comes after what stands below
    from tests.kit import answers

    answers.forget()
    answers.count()
    yield
    assert answers.wait_for_all(), "A request of the browser had no answer after its page was closed."
