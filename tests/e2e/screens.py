"""The screens of a journey as a person knows them: by what stands there, not by how it is built."""

from collections.abc import Iterator
from contextlib import contextmanager
from re import compile as pattern
from typing import Any

from playwright.sync_api import Locator, Page, expect

STEPS = 12  # of the pointer on its way, as from a hand


class Board:
    """The pipeline board. A column and a card are named as they are read."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, query: str = "") -> "Board":
        self.page.goto("/board/" + query)
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Pipeline board")
        return self

    def column(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=name, exact=True)

    def card(self, deal: str, column: str = "") -> Locator:
        where = self.column(column) if column else self.page.get_by_role("main")
        return where.get_by_role("article").filter(has=self.page.get_by_role("link", name=deal, exact=True))

    def link(self, deal: str) -> Locator:
        return self.page.get_by_role("main").get_by_role("link", name=deal, exact=True)

    def drag(self, deal: str, column: str) -> None:
        """Take the card by its upper edge, let it go in the middle of the column."""
        self.card(deal).hover(position={"x": 20, "y": 10})
        self.page.mouse.down()
        target = self.column(column).bounding_box()
        assert target is not None
        self.page.mouse.move(target["x"] + target["width"] / 2, target["y"] + 160, steps=STEPS)
        self.page.mouse.up()

    def note(self, text: str) -> Locator:
        """The short note at the edge of the page."""
        return self.page.locator("#toasts").get_by_text(text)


class Panel:
    """What stands between a deal and its move: beside the board, or as a page of its own without a script."""

    def __init__(self, page: Page, *, whole_page: bool = False) -> None:
        self.page = page
        self.box = page.get_by_role("main") if whole_page else page.locator("#panel")

    @property
    def title(self) -> Locator:
        return self.box.get_by_role("heading", level=2).first

    def item(self, title: str) -> Locator:
        return self.box.get_by_role("listitem").filter(has_text=title).first

    def open_items(self) -> list[str]:
        """Titles of the required items that are still open."""
        found = (
            self.box.locator(".fl-gate")
            .first.locator(":scope > li:not(.is-mild) .fl-item__t")
            .all_inner_texts()
        )
        return [text.removesuffix("required").strip() for text in found]

    @contextmanager
    def mending(self, title: str) -> Iterator[Locator]:
        """The open item; at the end what was sent has been answered and the answer stands on the page."""
        item = self.item(title)
        with self.page.expect_response(lambda answer: answer.request.method == "POST"):
            yield item
        settled(self.page)

    def write(self, title: str, text: str) -> None:
        with self.mending(title) as item:
            item.get_by_role("textbox").fill(text)
            item.get_by_role("button", name="Save").click()

    def choose_all(self, title: str, value: str) -> None:
        with self.mending(title) as item:
            for choice in item.get_by_role("combobox").all():
                choice.select_option(value)
            item.get_by_role("button", name="Save").click()

    def log(self, title: str, *, summary: str, person: str, department: str) -> None:
        with self.mending(title) as item:
            reveal(item.get_by_text("Log an activity"), item.get_by_label("What it was about"))
            item.get_by_label("Kind").select_option("visit")
            item.get_by_label("What it was about").fill(summary)
            reveal(item.get_by_text("Somebody new"), item.get_by_label("Name", exact=True))
            item.get_by_label("Name", exact=True).fill(person)
            item.get_by_label("Department").fill(department)
            item.get_by_role("button", name="Log", exact=True).click()

    def file(self, title: str, *, reference: str) -> None:
        with self.mending(title) as item:
            reveal(item.get_by_text("Upload or say where"), item.get_by_label("or where it is filed"))
            item.get_by_label("or where it is filed").fill(reference)
            item.get_by_label("From the customer").check()
            item.get_by_role("button", name="File it").click()

    def place(self, title: str, *, person: str) -> None:
        with self.mending(title) as item:
            reveal(item.get_by_text("Name the person"), item.get_by_label("Contact depth"))
            item.get_by_label("Contact depth").select_option("2")
            reveal(item.get_by_text("Somebody new"), item.get_by_label("Name", exact=True))
            item.get_by_label("Name", exact=True).fill(person)
            item.get_by_role("button", name="Place in the deal").click()

    def confirm(self, title: str) -> None:
        with self.mending(title) as item:
            item.get_by_role("button", name="Confirm").click()

    def move_on(self) -> None:
        self.box.get_by_role("button", name="Complete and move").click()


def settled(page: Page) -> None:
    """Nothing is on its way any more: an answer that has come is not yet an answer that stands on the page."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


def reveal(summary: Locator, inside: Locator) -> None:
    """Open a fold unless it is open already."""
    if not inside.is_visible():
        summary.click()
        expect(inside).to_be_visible()


class DealPage:
    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, pk: int, tab: str = "") -> "DealPage":
        self.page.goto(f"/opportunities/{pk}/" + (f"?tab={tab}" if tab else ""))
        return self

    def value(self, label: str) -> Locator:
        """The value that a click opens for change."""
        return self.page.get_by_role("link", name=f"Edit {label}:")

    def edit(self, label: str) -> Locator:
        self.value(label).click()
        field = self.page.get_by_role("main").get_by_label(label, exact=True)
        expect(field).to_be_focused()
        return field

    def save(self) -> None:
        # The line at the top has a button of that name too.
        self.page.get_by_role("main").get_by_role("button", name="Save", exact=True).last.click()


class Wizard:
    """The five steps of an import."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def upload(self, name: str, content: bytes) -> None:
        self.page.goto("/imports/")
        self.page.get_by_label(pattern("^File")).set_input_files(
            {"name": name, "mimeType": "text/csv", "buffer": content}
        )
        self.page.get_by_role("button", name="Look at it").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(name)

    def map_columns(self, **choices: Any) -> None:
        """Column title → label of its field; others stay as they were taken for."""
        self.page.get_by_role("link", name="Map columns").click()
        for title, field in choices.items():
            self.page.get_by_label(title, exact=True).select_option(label=field)

    def check(self) -> None:
        self.page.get_by_role("button", name="Check file").click()

    def count(self, label: str) -> str:
        tile = self.page.get_by_role("region", name="Counts").locator(".fl-tile").filter(has_text=label)
        return tile.locator(".fl-tile__v").inner_text().strip()
