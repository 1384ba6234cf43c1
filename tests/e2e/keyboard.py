"""Somebody who has no pointer: every step by keys, and at each one the focus can be seen."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Locator, Page, expect
from tests.e2e.screens import settled

#: Every event that a hand on a mouse, a pen or a screen makes; a key that presses a button makes none of them.
NO_POINTER: Final = """
window.pointed = 0;
for (const name of ["pointerdown", "mousedown", "touchstart", "dragstart", "wheel"])
  addEventListener(name, (event) => { if (event.isTrusted) window.pointed++; }, { capture: true, passive: true });
"""
#: What is wrong with the focus as it is seen; nothing where it stands on no element yet. A heading that reading
#: begins at is no control: it needs no mark, but it stands within the window and under nothing.
SEEN: Final = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return "";
  const name = at.outerHTML.slice(0, 120), box = at.getBoundingClientRect();
  const outlined = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  const marked = (style) => outlined(style) || style.boxShadow !== "none";
  const around = [at, at.parentElement, ...(at.labels || [])];
  const inParts = /^(date|time|datetime-local)$/.test(at.type);  // the browser marks the part that one types
  if (at.getAttribute("tabindex") !== "-1" && !inParts) {
    if (!at.matches(":focus-visible")) return "no visible focus: " + name;
    if (!around.some((element) => element && marked(getComputedStyle(element)))) return "no mark: " + name;
  }
  if (!box.width || !box.height) return at.closest(".fl-choices, label") ? "" : "nothing to see: " + name;
  if (box.bottom < 1 || box.top > innerHeight - 1 || box.right < 1 || box.left > innerWidth - 1) {
    return "outside: " + name;
  }
  const over = document.elementFromPoint(
    Math.min(Math.max((Math.max(box.left, 0) + Math.min(box.right, innerWidth)) / 2, 0), innerWidth - 1),
    Math.min(Math.max((Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2, 0), innerHeight - 1));
  const free = !over || at.contains(over) || over.contains(at) || [...(at.labels || [])].some((label) => label.contains(over));
  return free ? "" : "covered by " + over.outerHTML.slice(0, 60) + ": " + name;
}"""
IS_FOCUSED: Final = "element => element === document.activeElement"
MOST_TABS: Final = 140


class Hand:
    """Presses keys and nothing else. A step is what ux.md calls one: a key that acts, or a phrase that is typed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.steps = 0
        page.context.add_init_script(NO_POINTER)

    def look(self) -> None:
        """The focus is seen now."""
        fault = self.page.evaluate(SEEN)
        assert not fault, f"{fault} ({self.page.url})"

    def press(self, key: str) -> None:
        """A key that acts."""
        self.page.keyboard.press(key)
        self.steps += 1

    def type(self, text: str) -> None:
        self.page.keyboard.insert_text(text)
        self.steps += 1
        self.look()

    def say(self, text: str) -> None:
        """A phrase where the focus stands, ended by Enter: one step."""
        self.type(text)
        self.page.keyboard.press("Enter")
        settled(self.page)

    def to(self, target: Locator, *, back: bool = False) -> None:
        """Tab by Tab to an element; each stop on the way is seen too. Walking there is no step of its own."""
        expect(target).to_be_visible()
        for _stop in range(MOST_TABS):
            if target.evaluate(IS_FOCUSED):
                self.look()
                return
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
            self.look()
        raise AssertionError(f"{MOST_TABS} times Tab do not lead to {target} on {self.page.url}")

    def into_content(self) -> None:
        """By the skip link, the first stop of every page."""
        self.page.keyboard.press("Tab")
        expect(self.page.get_by_role("link", name="Skip to the content")).to_be_focused()
        self.look()
        self.page.keyboard.press("Enter")

    def act(self, target: Locator, key: str = "Enter", *, back: bool = False) -> None:
        """Go there and press it."""
        self.to(target, back=back)
        self.press(key)
        settled(self.page)

    def write(self, target: Locator, text: str) -> None:
        self.to(target)
        self.type(text)

    def choose(self, target: Locator, label: str) -> None:
        """In a list: by the first letters of what is wanted, as everybody does."""
        self.to(target)
        self.page.keyboard.type(label[:24])
        chosen = target.locator("option:checked")
        expect(chosen).to_have_text(label)
        settled(self.page)
        self.steps += 1

    def pick(self, target: Locator, value: str) -> None:
        """In a short list: by arrows."""
        self.to(target)
        for _option in range(target.locator("option").count()):
            if target.input_value() == value:
                break
            self.page.keyboard.press("ArrowDown")
        expect(target).to_have_value(value)
        self.steps += 1

    def done(self, most: int) -> None:
        """No pointer was used, and it took no more steps than it may."""
        assert self.page.evaluate("window.pointed") == 0
        assert self.steps <= most, (self.steps, most)
        self.steps = 0
