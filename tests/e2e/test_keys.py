"""Keys: every listed one works, none fires while one types, in a dialog, or while an input method composes."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.signing import page_of
from tests.factories.crm import Company, company

from fairlead.crm.models import Opportunity
from fairlead.work.models import Activity

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.one_engine("sqlite", "what a browser makes of a page says nothing about where it was stored"),
]
ENGLISH = "en-GB"
#: What an input method sends: keys while it composes, and the one after its end that Safari marks with 229. The keys
#: are those of the key map: of every shortcut on the page and of the help that lists them all.
COMPOSE = """() => {
  let fired = 0, sent = 0, tried = 0;
  const heard = (event) => { if (event.target.closest?.("[data-keys]")) fired++; };
  document.addEventListener("click", heard, true);
  document.addEventListener("submit", (event) => { sent++; event.preventDefault(); }, true);
  const open = window.fetch; window.fetch = (...more) => { sent++; return open(...more); };
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function () { sent++; this.abort(); };
  const mute = "[type=hidden], [type=checkbox], [type=radio], [type=file]";
  const fields = [...document.querySelectorAll(`input:not(${mute}), textarea, select`)];
  const before = document.querySelectorAll("dialog[open]").length, here = location.href;
  const walked = document.querySelectorAll(".fl-card__name, .crm-list tbody th a, [data-rows] a, .fl-menu > summary");
  const places = [...fields, document.body, ...[...walked].slice(0, 3)];
  const arrows = { "↑": "ArrowUp", "↓": "ArrowDown", "←": "ArrowLeft", "→": "ArrowRight", "Esc": "Escape" };
  const named = [...document.querySelectorAll(".fl-allkeys kbd")].map((k) => arrows[k.textContent] || k.textContent);
  const chords = [...document.querySelectorAll("[data-keys]")].flatMap((e) => e.dataset.keys.trim().split(" "));
  const all = new Set([...named, ...chords, "Enter", "Escape", "Tab"]);
  const keys = [...all].filter((key) => key !== "Ctrl" && !key.includes("+"));
  const menus = () => document.querySelectorAll("[role=menu], details.fl-menu[open]").length;
  const menusBefore = menus();
  for (const place of places) {
    place.focus?.();
    const was = place.value, at = document.activeElement;
    place.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
    for (const key of keys) {
      for (const how of [{ isComposing: true }, { keyCode: 229 }]) {
        tried++;
        place.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...how }));
      }
    }
    for (const key of ["z", "k"]) {
      const how = { ctrlKey: true, isComposing: true, bubbles: true, cancelable: true };
      place.dispatchEvent(new KeyboardEvent("keydown", { key, ...how }));
    }
    place.dispatchEvent(new InputEvent("input", { data: "ni", isComposing: true, bubbles: true }));
    if (place.value !== was || document.activeElement !== at || menus() !== menusBefore) fired++;
  }
  XMLHttpRequest.prototype.send = send; window.fetch = open;
  document.removeEventListener("click", heard, true);
  return { fired, sent, tried, keys, fields: fields.length, moved: here !== location.href,
           opened: document.querySelectorAll("dialog[open]").length - before };
}"""


@pytest.fixture
def where() -> Company:
    return company(language="en")


def listed(page: Page) -> list[str]:
    """The chords that the help of keys shows for this page."""
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("[data-keys-list] > div")].map((row) =>
        [...row.querySelectorAll("kbd")].map((k) => k.textContent).join(" "))"""
    )
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    return found


@pytest.mark.rule("U13")
def test_the_keys_that_go_open_every_page_that_has_one(
    chromium: Any, live_server: Any, where: Company
) -> None:
    where.deal("Cooling for line 4")
    with page_of(chromium, live_server.url, where.chen, language=ENGLISH) as page:
        page.goto("/")
        goals: list[list[str]] = page.evaluate(
            """() => [...document.querySelectorAll(".fl-side a[data-keys]")].map((a) => [a.dataset.keys, a.pathname])"""
        )
        assert {
            "g d",
            "g i",
            "g e",
            "g u",
            "g b",
            "g o",
            "g c",
            "g p",
            "g n",
            "g f",
            "g v",
            "g w",
            "g ,",
        } <= {chord for chord, _path in goals}
        assert len({chord for chord, _path in goals}) == len(goals)
        for chord, path in goals:
            page.goto("/help/")
            for key in chord.split(" "):
                page.keyboard.press(key)
            page.wait_for_url(live_server.url + path)


@pytest.mark.rule("U13")
def test_the_keys_of_a_list_and_of_a_record(chromium: Any, live_server: Any, where: Company) -> None:
    deals = [where.deal(f"Cooling {n}") for n in range(3)]
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto("/opportunities/?sort=name")
        assert {"j", "k", "x", "f", "c", "/ Ctrl K", "?"} <= set(listed(page))
        page.keyboard.press("j")
        expect(page.locator(":focus")).to_have_text("Cooling 0")
        page.keyboard.press("j")
        expect(page.locator(":focus")).to_have_text("Cooling 1")
        page.keyboard.press("k")
        page.keyboard.press("j")
        page.keyboard.press("x")
        expect(page.locator(".crm-pick input:checked")).to_have_count(1)
        page.keyboard.press("f")
        expect(page.locator("details.crm-adding")).to_have_attribute("open", "")
        page.keyboard.press("Escape")
        page.get_by_role("link", name="Cooling 1", exact=True).focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/opportunities/{deals[1].pk}/")
        assert {"[", "]", "e", "m", "n", ".", "a", "c", "?"} <= set(listed(page))
        page.keyboard.press("]")
        page.wait_for_url(f"**/opportunities/{deals[2].pk}/")
        assert "]" not in listed(page)
        page.keyboard.press("[")
        page.wait_for_url(f"**/opportunities/{deals[1].pk}/")
        page.keyboard.press("a")
        expect(page.locator("#line-text")).to_be_focused()
        page.locator("#line-text").evaluate("e => e.blur()")
        page.keyboard.press("n")
        expect(page.locator("#dialog")).to_be_visible()
        page.locator("#dialog h1, #dialog h2").first.wait_for()
        page.keyboard.press("Escape")
        expect(page.locator("#dialog")).to_be_hidden()
        page.keyboard.press("m")
        expect(page.locator("details.fl-menu[open] .fl-menu__box").first).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press(".")
        expect(page.locator("#panel")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#panel")).to_be_hidden()
        page.keyboard.press("c")
        expect(page.get_by_role("link", name="Opportunity", exact=True)).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("e")
        page.wait_for_url("**/edit/")
        page.goto(f"/accounts/{deals[0].account_id}/")
        page.keyboard.press("n")
        page.locator("#dialog h1, #dialog h2").first.wait_for()
        page.keyboard.press("Escape")
        expect(page.locator("#dialog")).to_be_hidden()
        page.keyboard.press("e")
        page.wait_for_url("**/edit/")
    assert Opportunity.objects.count() == 3


@pytest.mark.rule("U13", "U06")
def test_on_the_board_a_call_is_logged_from_the_card(chromium: Any, live_server: Any, where: Company) -> None:
    deal = where.deal("Cooling for line 4")
    where.deal("Cooling for line 5")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto("/board/")
        page.get_by_role("link", name=deal.name, exact=True).focus()
        page.keyboard.press("a")
        dialog = page.locator("#dialog")
        expect(dialog).to_contain_text(deal.name)
        dialog.get_by_label("What happened").fill("Rang about the hall")
        page.keyboard.press("Enter")
        expect(page.locator("#toasts")).to_contain_text("Logged")
        assert page.url.startswith(f"{live_server.url}/board/")
        page.keyboard.press("a")  # the focus is on no card: nothing happens
        expect(dialog).to_be_hidden()
    done = Activity.objects.get()
    assert (done.summary, done.subject_type, done.subject_id, done.state) == (
        "Rang about the hall", "opportunity", deal.pk, "done",
    )  # fmt: skip


@pytest.mark.rule("U13")
def test_no_key_fires_while_one_types_or_in_a_dialog(chromium: Any, live_server: Any, where: Company) -> None:
    deal = where.deal("Cooling for line 4")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto(f"/opportunities/{deal.pk}/")
        page.locator("#line-text").focus()
        page.keyboard.type("gbcemn.?/[]xjk")
        expect(page.locator("#line-text")).to_have_value("gbcemn.?/[]xjk")
        assert page.url.endswith(f"/opportunities/{deal.pk}/")
        expect(page.locator("dialog[open]")).to_have_count(0)
        page.locator("#line-text").fill("")
        page.locator("#line-text").evaluate("e => e.blur()")
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()
        expect(page.locator("#keys")).to_contain_text("All keys")
        page.locator("#keys button[data-close]").focus()
        for key in ("c", "e", "n", ".", "m", "a", "g", "b"):
            page.keyboard.press(key)
        expect(page.locator("#keys")).to_be_visible()
        expect(page.locator("#panel")).to_be_hidden()
        assert page.url.endswith(f"/opportunities/{deal.pk}/")
        page.locator("[data-keys-switch]").uncheck()
        page.keyboard.press("Escape")
        page.keyboard.press("c")
        expect(page.get_by_role("link", name="Opportunity", exact=True)).to_be_hidden()


@pytest.mark.rule("U13")
def test_an_input_method_fires_nothing_in_any_field(chromium: Any, live_server: Any, where: Company) -> None:
    deal = where.deal("Cooling for line 4")
    contact = where.contact(deal.account)
    addresses = (
        "/", "/board/", "/opportunities/", "/opportunities/new/", f"/opportunities/{deal.pk}/",
        f"/opportunities/{deal.pk}/edit/", f"/opportunities/{deal.pk}/fields/amount/?edit=1",
        "/accounts/new/", f"/accounts/{deal.account_id}/", "/contacts/new/", f"/contacts/{contact.pk}/edit/",
        f"/about/opportunity/{deal.pk}/log/", f"/about/opportunity/{deal.pk}/comment/", f"/about/opportunity/{deal.pk}/task/",
        f"/about/opportunity/{deal.pk}/plan/", "/search/?q=a", "/settings/", "/profile", "/inbox/settings/", "/funnel/",
    )  # fmt: skip
    fields, tried = 0, set()
    with page_of(chromium, live_server.url, where.chen, language=ENGLISH) as page:
        for address in addresses:
            page.goto(address)
            found = page.evaluate(COMPOSE)
            assert (found["fired"], found["sent"], found["opened"], found["moved"]) == (0, 0, 0, False), (
                address,
                found,
            )
            fields += found["fields"]
            tried |= set(found["keys"])
    assert fields >= 100
    assert {*"abcdefgijkmnoptuvwx.,?/[]", "Enter", "Escape", "ArrowDown"} - tried == set()
    assert not Activity.objects.exists()


@pytest.mark.rule("U31")
def test_the_first_tab_begins_at_the_beginning_or_where_the_reader_is(
    chromium: Any, live_server: Any, where: Company
) -> None:
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto("/accounts/")
        children = page.locator("body > *").count()
        page.keyboard.press("Tab")
        expect(page.locator(".fl-skip")).to_be_focused()
        expect(page.locator("body > *")).to_have_count(children)
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        expect(page.locator("body > *")).to_have_count(children)

        page.goto("/accounts/")
        page.get_by_role("heading", level=1).click()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main') !== null")

        page.goto("/accounts/#main")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main') !== null")
