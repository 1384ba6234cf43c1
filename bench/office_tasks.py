"""Tasks of managers and administrators, and of sellers at a gate, by keys alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

import pyotp

from .client import PASSWORD
from .hands import Hand, Task
from .pages import MANAGER, SELLER

CODED, CLERK, ADMIN = "m1", "m2", "admin0"
ROWS, WRONG = 5_000, 60
ITEM: Final = ("客户确认范围", "Customer confirmed the scope")


def _signed_in_by_code(page: Any, facts: dict[str, Any]) -> Hand:
    page.goto("/profile/second-step")
    page.locator("button[value=begin]").first.click()
    totp = pyotp.TOTP(page.locator("#secret").inner_text().replace(" ", ""))
    page.get_by_role("textbox", name="Code").fill(totp.now())
    current = page.get_by_label("Current password")
    if current.count():
        current.first.fill(PASSWORD)
    page.get_by_role("button", name="Switch on").click()
    page.locator("#recovery code").first.wait_for()
    page.context.clear_cookies()
    page.goto("/board/")
    hand = Hand(page)
    hand.write(page.get_by_label("User name"), CODED)
    hand.write(page.get_by_label("Password", exact=True), PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Code").wait_for(state="visible")
    hand.to(page.get_by_role("textbox", name="Code"))
    hand.type(totp.at(_now(), counter_offset=1))  # each code opens once
    hand.press("Enter")
    page.wait_for_url("**/board/")
    return hand


def _now() -> int:
    import time

    return int(time.time())


def _moved(page: Any, facts: dict[str, Any]) -> Hand:
    page.goto(f"/opportunities/{facts['ready'][SELLER][-1]}/")
    hand = Hand(page)
    hand.act(page.locator(".fl-head").get_by_role("button", name="Move on", exact=True))
    page.locator("#toasts").get_by_text("moved to").wait_for(state="visible")
    return hand


def _moved_with_gaps(page: Any, facts: dict[str, Any]) -> Hand:
    """A sentence of the customer is missing, and the last word about the need."""
    deal = facts["ready"][SELLER][-2]
    for key, value in (("customer_problem", ""), ("bant_need", "unknown")):
        page.goto(f"/opportunities/{deal}/fields/{key}/?edit=1")
        field = page.locator(f"main [name={key}]").first
        field.select_option(value) if value else field.fill(value)
        page.get_by_role("main").get_by_role("button", name="Save").first.click()
        page.wait_for_url(f"**/opportunities/{deal}/**")
    page.goto(f"/opportunities/{deal}/")
    panel = page.locator("#panel")
    hand = Hand(page)
    hand.press(".")
    panel.get_by_text("2 more items").wait_for(state="visible")
    stated, bant = (
        panel.get_by_role("listitem").filter(has_text=name).first
        for name in ("Customer states a problem", "BANT: none unknown")
    )
    hand.write(stated.get_by_role("textbox"), "A stop of the line costs 200,000")
    hand.act(stated.get_by_role("button", name="Save"))
    panel.get_by_text("1 more item").first.wait_for(state="visible")
    hand.pick(bant.get_by_role("combobox").first, "verified")
    hand.act(bant.get_by_role("button", name="Save"))
    panel.get_by_text("Ready to move").first.wait_for(state="visible")
    hand.act(panel.get_by_role("button", name="Complete and move"))
    page.locator("#toasts").get_by_text("moved to").wait_for(state="visible")
    return hand


def _deals(page: Any, names: list[str]) -> None:
    """Deals of whoever is signed in, without a next step, all of one account."""
    page.goto("/accounts/")
    account = page.locator("main tbody th a").first.inner_text().strip()
    for name in names:
        page.goto("/opportunities/new/")
        page.get_by_label("Name").first.fill(name)
        page.get_by_label("Account").first.fill(account)
        page.locator("[name=amount]").fill("250000")
        page.keyboard.press("Enter")
        page.locator("h1").filter(has_text=name).wait_for(state="visible")


def _next_steps(page: Any, facts: dict[str, Any]) -> Hand:
    _deals(page, [f"Bare deal {number}" for number in range(10)])
    page.goto("/?scope=mine")
    hand = Hand(page)
    dialog = page.locator("#dialog")
    for _deal in range(10):
        page.keyboard.press("j")
        address = page.locator(":focus").get_attribute("href")
        page.keyboard.press("Tab")
        hand.press("Enter")
        dialog.locator("form").first.wait_for(state="visible")
        hand.to(dialog.get_by_label("What", exact=True))
        hand.say("Send the drawings")
        page.locator(f"main ul[data-rows] a.t[href='{address}']").wait_for(state="detached")
        dialog.locator("form").first.wait_for(state="detached")
    return hand


def _merged(page: Any, facts: dict[str, Any]) -> Hand:
    _deals(page, ["Twin of the hall", "Twin of the hall"])
    hand = Hand(page)
    hand.press("/")
    hand.type("merge")
    page.get_by_role("option", name="Merge with another").wait_for(state="visible")
    hand.press("Enter")
    hand.act(page.get_by_role("main").get_by_role("link", name="Twin of the hall").last)
    page.get_by_text("Both side by side").first.wait_for(state="visible")
    hand.act(page.get_by_role("button", name="Merge", exact=True))
    page.locator("#toasts").get_by_text("erged").wait_for(state="visible")
    return hand


def _viewed(page: Any, facts: dict[str, Any]) -> Hand:
    page.goto("/opportunities/")
    main = page.get_by_role("main")
    hand = Hand(page)
    hand.press("f")
    hand.choose(page.get_by_label("Field", exact=True), "Amount")
    page.locator("#add-op").wait_for(state="visible")
    hand.pick(page.get_by_label("Is", exact=True), "gte")
    hand.write(page.get_by_label("Value", exact=True), "8000000")
    hand.press("Enter")
    main.locator(".fl-filter").first.wait_for(state="visible")
    hand.into_content()
    hand.act(main.locator("summary").filter(has_text="Save as new view"))
    hand.write(page.get_by_label("Name of the view"), "Large deals")
    hand.act(page.get_by_label("Share with everybody"), "Space")
    page.keyboard.press("Enter")
    main.locator("summary").filter(has_text="Large deals").wait_for(state="visible")
    return hand


def _hired(page: Any, facts: dict[str, Any]) -> Hand:
    page.goto("/people/new")
    hand = Hand(page)
    hand.into_content()
    hand.write(page.get_by_label("Name", exact=True), "Ada Worth")
    hand.write(page.get_by_label("User name"), "ada")
    team = page.get_by_role("combobox", name="Team")
    hand.pick(team, str(team.locator("option").nth(2).get_attribute("value")))
    hand.act(page.get_by_role("checkbox", name="Account manager (AR)"), "Space")
    hand.write(page.get_by_role("textbox", name="Password"), PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("main").get_by_text("Ada Worth").first.wait_for(state="visible")
    return hand


def _rows() -> str:
    """Accounts of which sixty say how many people work there in words."""
    lines = ["客户名称,员工数,城市"]
    lines += [f"新客户{n},{'许多' if n % (ROWS // WRONG) == 0 else n},无锡" for n in range(1, ROWS + 1)]
    return "\n".join(lines) + "\n"


def _imported(page: Any, facts: dict[str, Any]) -> Hand:
    page.set_default_timeout(180_000)
    page.goto("/imports/")
    hand = Hand(page)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "accounts.csv"
        file.write_text(_rows(), encoding="utf-8")
        page.locator("main input[type=file]").set_input_files(file)
        hand.steps += 1  # the window of the system is no page
        hand.act(page.get_by_role("button", name="Look at it"))
        hand.act(page.get_by_role("link", name="Map columns"))
        hand.act(page.get_by_role("button", name="Check file"))
        page.get_by_role("region", name="Counts").wait_for(state="visible")
        hand.act(page.get_by_role("link", name="See preview"))
        hand.act(page.get_by_role("button", name="Bring in"))
        page.get_by_role("button", name="Undo import").wait_for(state="visible")
    return hand


def _taken_back(page: Any, facts: dict[str, Any]) -> Hand:
    """The import of the task before; until the page says that it is going back: closing it stops nothing."""
    page.goto("/imports/")
    hand = Hand(page)
    hand.act(page.get_by_role("main").get_by_role("link", name="accounts.csv").first)
    hand.act(page.get_by_role("button", name="Undo import"))
    page.get_by_role("button", name="Undo import").wait_for(state="detached")
    return hand


def _published(page: Any, facts: dict[str, Any]) -> Hand:
    """A required item of a gate, and the version that asks for it."""
    page.goto("/processes/key_account_opportunity/")
    hand = Hand(page)
    hand.act(page.get_by_role("button", name="Change it"))
    page.wait_for_url("**/draft/**")
    hand.act(page.get_by_role("main").get_by_role("link", name="Needs analysis").first)
    exits = page.locator("main summary").filter(has_text="Add an item")
    if not exits.count():
        hand.act(page.locator("main a[href*='stage=needs_analysis'][href*='part=exit']").first)
    hand.act(exits.first)
    hand.act(page.locator("main .fl-menu__box a[href*='add=field']").first)
    form = page.locator("main form")
    hand.write(form.locator("[name=name-zh]").last, ITEM[0])
    hand.write(form.locator("[name=name-en]").last, ITEM[1])
    hand.pick(form.locator("[name=condition-1-field]").last, "description")
    hand.act(page.get_by_role("button", name="Add the item", exact=True))
    page.get_by_role("main").get_by_text(ITEM[1]).first.wait_for(state="visible")
    hand.act(page.get_by_role("button", name="Publish v2", exact=True))
    page.get_by_role("heading", level=1, name="Running records").wait_for(state="visible", timeout=60_000)
    return hand


#: The last one publishes: whoever comes after it meets another gate.
TASKS: Final = (
    Task("sign in with a code", 4, 15, _signed_in_by_code, CODED),
    Task("move on, gate complete", 1, 2, _moved),
    Task("move on, two items missing", 7, 30, _moved_with_gaps),
    Task("ten deals get a next step", 20, 60, _next_steps, CLERK),
    Task("merge two deals", 6, 20, _merged, CLERK),
    Task("build a view and share it", 9, 30, _viewed, MANAGER),
    Task("add a colleague with a role", 7, 30, _hired, ADMIN),
    Task("import 5,000 rows, 60 of them wrong", 15, 300, _imported, ADMIN),
    Task("take the import back", 3, 10, _taken_back, ADMIN),
    Task("a required item of a gate, published", 12, 60, _published, ADMIN),
)
