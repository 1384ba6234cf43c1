"""Tasks of every day as a script does them by keys: seconds from the first key to what the person waits for.

Chromium on the filled company, and 200 ms for the hand before each step; budgets in steps and seconds beside them. A
step is a key that acts or a phrase that is typed; walking to a field by Tab is none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.kit.browser import DESK, chromium_path, start_chromium

from .databases import Database
from .measures import Figure
from .pages import SELLER, signed_in
from .serve import served

NAMES: Final = ("tasks",)
HAND: Final = 200  # ms before each step
MOST_TABS: Final = 60


class NotDone(Exception):
    """The task did not come to its end; the text says where."""


@dataclass
class Hand:
    """Presses keys alone, and counts."""

    page: Any
    steps: int = 0
    begun: float = field(default_factory=time.monotonic)

    def _step(self) -> None:
        self.page.wait_for_timeout(HAND)
        self.steps += 1

    def press(self, key: str) -> None:
        self._step()
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self._step()
        self.page.keyboard.insert_text(text)

    def to(self, target: Any) -> None:
        target.wait_for(state="visible")
        for _tab in range(MOST_TABS):
            if target.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise NotDone(f"no Tab leads to {target}")

    def write(self, target: Any, text: str) -> None:
        self.to(target)
        self.type(text)

    def act(self, target: Any) -> None:
        self.to(target)
        self.press("Enter")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begun


@dataclass(frozen=True)
class Task:
    name: str
    steps: int
    seconds: float
    run: Callable[[Any, dict[str, Any]], Hand]


def measure(database: Database, facts: dict[str, Any], wanted: set[str]) -> list[Figure]:
    if not wanted & set(NAMES):
        return []
    if chromium_path() is None:
        return [Figure("tasks", task.name, database.engine, note="no Chromium here") for task in TASKS]
    from playwright.sync_api import Error

    found = []
    with served(database) as site, start_chromium() as browser:
        client = signed_in(site, SELLER)
        cookies = [{"name": k, "value": v, "url": site.address} for k, v in client.cookies.items()]
        client.close()
        context = browser.new_context(base_url=site.address, viewport=DESK, locale="en-GB")
        context.add_cookies(cookies)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.goto("/")
        page.evaluate(IN_ENGLISH)
        for task in TASKS:
            try:
                hand = task.run(page, facts)
            except (NotDone, Error) as error:
                found.append(
                    Figure("tasks", task.name, database.engine, note=str(error).split("\n")[0][:120])
                )
                continue
            found.append(
                Figure(
                    "tasks", task.name, database.engine, "seller", value=round(hand.seconds, 2), unit="s",
                    limit=task.seconds, more={"steps": hand.steps, "steps_allowed": task.steps},
                )
            )  # fmt: skip
        context.close()
    return found


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
        hand.write(dialog.get_by_label("What", exact=True), "Send the drawings")
        hand.press("Enter")
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
    Task("switch the language in a form", 2, 3, _switch),  # last: the others read English
)
