"""Tasks of every day as a script does them by keys: seconds from the first key to what the person waits for.

Chromium on the filled company, and 200 ms for the hand before each step; budgets in steps and seconds beside them. A
step is a key that acts or a phrase that is typed; walking to a field by Tab is none. What is needed for a task before it
begins is not timed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.kit.browser import DESK, chromium_path, start_chromium

from . import office_tasks
from .databases import Database
from .hands import Hand, NotDone, Task
from .measures import Figure
from .pages import signed_in
from .serve import Site, served

NAMES: Final = ("tasks",)


def measure(database: Database, facts: dict[str, Any], wanted: set[str]) -> list[Figure]:
    if not wanted & set(NAMES):
        return []
    if chromium_path() is None:
        return [Figure("tasks", task.name, database.engine, note="no Chromium here") for task in TASKS]
    with served(database) as site, start_chromium() as browser:
        return [_measured(task, site, browser, facts, database.engine) for task in TASKS]


def _measured(task: Task, site: Site, browser: Any, facts: dict[str, Any], engine: str) -> Figure:
    from playwright.sync_api import Error

    with _page_of(task.who, site, browser) as page:
        try:
            hand = task.run(page, facts)
        except (NotDone, Error) as error:
            return Figure("tasks", task.name, engine, task.who, note=str(error).split("\n")[0][:120])
    return Figure(
        "tasks", task.name, engine, task.who, value=round(hand.seconds, 2), unit="s",
        limit=task.seconds, more={"steps": hand.steps, "steps_allowed": task.steps},
    )  # fmt: skip


@contextmanager
def _page_of(username: str, site: Site, browser: Any) -> Iterator[Any]:
    """A page of somebody who is signed in and reads English."""
    client = signed_in(site, username)
    cookies = [{"name": k, "value": v, "url": site.address} for k, v in client.cookies.items()]
    client.close()
    context = browser.new_context(base_url=site.address, viewport=DESK, locale="en-GB")
    context.add_cookies(cookies)
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto("/")
    page.evaluate(IN_ENGLISH)
    try:
        yield page
    finally:
        context.close()


IN_ENGLISH: Final = """async () => {
  const form = new FormData(), token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  form.append("language", "en");
  await fetch("/language", {method: "POST", body: form, headers: {"X-CSRFToken": token}});
}"""


def _find(page: Any, facts: dict[str, Any]) -> Hand:
    deal = facts["rich"][0]
    page.goto(f"/opportunities/{deal}/")
    name = page.locator("h1").first.inner_text().strip()
    page.goto("/")
    hand = Hand(page)
    hand.press("/")
    hand.type(name)
    page.get_by_role("option").filter(has_text=name).first.wait_for(state="visible")
    hand.press("Enter")
    page.wait_for_url("**/opportunities/*/")
    return hand


def _log(page: Any, facts: dict[str, Any]) -> Hand:
    page.goto(f"/opportunities/{facts['rich'][0]}/")
    hand = Hand(page)
    hand.press("a")
    hand.type("called about the budget -> visit tomorrow 10am")
    page.locator("#line-preview").filter(has_text="Planned").wait_for(state="visible")
    hand.press("Enter")
    page.locator("#line .work-line__saved").wait_for(state="visible")
    return hand


def _create(page: Any, facts: dict[str, Any]) -> Hand:
    page.goto(f"/opportunities/{facts['rich'][0]}/")
    account = page.locator("main a[href^='/accounts/']").first.inner_text().strip()
    page.goto("/board/")
    hand = Hand(page)
    hand.press("c")
    hand.act(page.get_by_role("link", name="Opportunity", exact=True))
    hand.write(page.get_by_label("Name").first, "Cooling for line 9")
    hand.write(page.get_by_label("Account").first, account)
    hand.write(page.locator("[name=amount]"), "250000")
    hand.press("Enter")
    page.locator("h1").filter(has_text="Cooling for line 9").wait_for(state="visible")
    return hand


def _clear(page: Any, facts: dict[str, Any]) -> Hand:
    """Ten rows of the day: what is done is followed by another step, what has none gets one."""
    page.goto("/")
    hand = Hand(page)
    dialog = page.locator("#dialog")
    for _item in range(10):
        page.keyboard.press("j")  # wherever the focus was before: the first row that is left
        address = page.locator(":focus").get_attribute("href")
        page.keyboard.press("Tab")
        hand.press("Enter")
        dialog.locator("form").first.wait_for(state="visible")
        done = dialog.get_by_role("button", name="Done", exact=True)
        if done.count():
            hand.act(done)
            done.wait_for(state="detached")
        hand.to(dialog.get_by_label("What", exact=True))
        hand.say("Send the drawings")
        page.locator(f"main ul[data-rows] a.t[href='{address}']").wait_for(state="detached")
        dialog.locator("form").first.wait_for(state="detached")
    return hand


def _switch(page: Any, facts: dict[str, Any]) -> Hand:
    page.goto("/accounts/new/")
    page.locator("#i-name").fill("Heng Yue Rail")
    hand = Hand(page)
    me = page.locator(".fl-top summary").last
    me.focus()
    hand.press("Enter")
    hand.act(page.locator(".fl-top button[name=language][value=zh-hans]"))
    page.locator("html[lang=zh-Hans]").wait_for(state="attached")
    if page.locator("#i-name").input_value() != "Heng Yue Rail":
        raise NotDone("what was typed is gone")
    return hand


TASKS: Final = (
    Task("find a record and open it", 3, 4, _find),
    Task("log a call with its next step", 3, 8, _log),
    Task("new opportunity from the board", 6, 20, _create),
    Task("clear ten items of the day", 30, 60, _clear),
    Task("switch the language in a form", 2, 3, _switch),
    *office_tasks.TASKS,
)
