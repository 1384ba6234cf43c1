"""Chromium for the browser tests: the machine's own, never a downloaded one."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
AXE = Path(__file__).resolve().parent.parent / "vendor" / "axe.min.js"
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
#: Milliseconds: so long a machine with too much to do may take for one step. Nothing is proven by them.
PATIENCE = 60_000


#: Where each violation is takes long to find out, and is asked only where there is one. The preloading is for sounds.
RUN_AXE = """async ([tags, rules]) => {
  if (!("axe" in window)) return null;
  const asked = {
    resultTypes: ["violations"], preload: false,
    runOnly: tags.length ? {type: "tag", values: tags} : {type: "rule", values: rules},
    rules: Object.fromEntries(rules.map((rule) => [rule, {enabled: true}])),
  };
  if (!(await axe.run(document, {...asked, selectors: false})).violations.length) return [];
  const found = (await axe.run(document, asked)).violations;
  return found.flatMap((rule) => rule.nodes.map((node) => rule.id + ": " + node.target[0]));
}"""


@cache
def chromium_path() -> str | None:
    if given := os.environ.get("FAIRLEAD_TEST_CHROMIUM"):
        return given
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or (str(MAC) if MAC.exists() else None)


@contextmanager
def start_chromium() -> "Iterator[Browser]":
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)

    # Playwright runs an event loop in this thread, where Django would else refuse its own database calls.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


def wait_until(page: "Page", condition: str) -> None:
    """Until a condition holds in the page. Playwright's own wait compiles its words there; the policy forbids that."""
    page.evaluate(
        f"() => new Promise((go) => {{ const look = () => ({condition}) ? go() : setTimeout(look, 50); look(); }})"
    )


@contextmanager
def open_page(
    browser: "Browser",
    base_url: str,
    *,
    size: dict[str, int] | None = None,
    language: str = "zh-CN",
    theme: str = "light",
    **more: Any,
) -> "Iterator[Page]":
    """A page in a profile of its own; an error in its scripts or against its policy fails the test.

    `**more` goes to the profile: `java_script_enabled=False` for a browser without scripts.
    """
    context = browser.new_context(
        base_url=base_url, viewport=size or DESK, locale=language, color_scheme=theme,
        timezone_id="Asia/Shanghai", reduced_motion="reduce", **more,
    )  # fmt: skip
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on(
        "console",
        lambda message: broken.append(message.text) if "Content Security Policy" in message.text else None,
    )
    try:
        yield page
    finally:
        _leave(page)
        context.close()
    assert broken == []


def _leave(page: "Page") -> None:
    """End what is still loading: Chromium now and then never closes a profile in the middle of it."""
    from playwright.sync_api import Error

    with suppress(Error):  # a page that is gone already has nothing left to end
        page.goto("about:blank", timeout=5_000)


def axe_violations(
    page: "Page", *, tags: tuple[str, ...] = (*WCAG, "best-practice"), rules: tuple[str, ...] = ()
) -> list[str]:
    """What axe finds wrong on the page: one line for each rule and element. `rules` are asked beside those of `tags`."""
    only = [list(tags), list(rules)]
    found = page.evaluate(RUN_AXE, only)
    if found is None:
        page.evaluate(AXE.read_text(encoding="utf-8"))  # not a script tag: the policy forbids those
        found = page.evaluate(RUN_AXE, only)
    return [str(line) for line in found]


def bring_axe(page: "Page") -> None:
    """With every page from the next one on: for who looks at many."""
    page.context.add_init_script(path=AXE)
