"""A page as a tree: enough of HTML to ask what a form holds and what stands beside a field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

VOID: Final = frozenset(
    [
        *(
            "area",
            "base",
            "br",
            "col",
            "embed",
            "hr",
            "img",
            "input",
            "link",
            "meta",
            "param",
            "source",
            "track",
        ),
        *("wbr", "path", "circle", "rect", "line", "use"),
    ]
)
#: What a person neither types nor chooses.
_MUTE: Final = frozenset({"hidden", "submit", "button", "reset", "image"})


@dataclass(eq=False)
class Element:
    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)
    parent: Element | None = None

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default)

    def all(self, *tags: str) -> Iterator[Element]:
        """Everything below, in the order of the page; of these tags where any are named."""
        for child in self.children:
            if isinstance(child, Element):
                if not tags or child.tag in tags:
                    yield child
                yield from child.all(*tags)

    def within(self, tag: str) -> Element | None:
        """The nearest one around it."""
        above = self.parent
        while above is not None and above.tag != tag:
            above = above.parent
        return above

    @property
    def text(self) -> str:
        parts = (child if isinstance(child, str) else child.text for child in self.children)
        return " ".join(" ".join(parts).split())

    @property
    def words(self) -> str:
        """As it stands, with its blanks: the content of a text area."""
        return "".join(child if isinstance(child, str) else child.words for child in self.children)


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.here = Element("")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs}, parent=self.here)
        self.here.children.append(made)
        if tag not in VOID:
            self.here = made

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.here.children.append(
            Element(tag, {name: value or "" for name, value in attrs}, parent=self.here)
        )

    def handle_endtag(self, tag: str) -> None:
        at: Element | None = self.here
        while at is not None and at.tag != tag:
            at = at.parent
        if at is not None and at.parent is not None:
            self.here = at.parent

    def handle_data(self, data: str) -> None:
        self.here.children.append(data)


def parsed(page: str) -> Element:
    builder = _Builder()
    builder.feed(page)
    builder.close()
    return builder.root


@dataclass
class Form:
    """What a person fills in, and where it goes."""

    action: str
    method: str
    fields: dict[str, list[Element]]
    hidden: dict[str, list[str]]
    buttons: list[tuple[str, str]]
    multipart: bool

    @property
    def values(self) -> dict[str, list[str]]:
        """As a browser would send it, untouched."""
        return self.hidden | {name: value_of(found) for name, found in self.fields.items()}


def forms(page: Element, address: str) -> list[Form]:
    """Every form of the page; a field outside that names its form belongs to it."""
    made = []
    for one in page.all("form"):
        own = [e for e in page.all("input", "select", "textarea", "button") if _belongs(e, one)]
        fields: dict[str, list[Element]] = {}
        hidden: dict[str, list[str]] = {}
        for element in own:
            name = element.get("name")
            if not name or element.tag == "button" or "disabled" in element.attributes:
                continue
            if element.tag == "input" and element.get("type", "text") in _MUTE:
                if element.get("type") == "hidden":
                    hidden.setdefault(name, []).append(element.get("value"))
            else:
                fields.setdefault(name, []).append(element)
        buttons = [(b.get("name"), b.get("value")) for b in own if b.tag == "button" and b.get("name")]
        hidden.pop("csrfmiddlewaretoken", None)
        action = one.get("action") or one.get("hx-post") or address
        made.append(
            Form(
                action, one.get("method", "get").lower(), fields, hidden, buttons,
                "multipart" in one.get("enctype"),
            )
        )  # fmt: skip
    return made


def _belongs(element: Element, form: Element) -> bool:
    return element.get("form") == form.get("id") if element.get("form") else element.within("form") is form


def value_of(elements: list[Element]) -> list[str]:
    """What the fields of one name would send."""
    found = []
    for element in elements:
        kind = element.get("type", "text")
        if element.tag == "select":
            options = list(element.all("option"))
            chosen = [o for o in options if "selected" in o.attributes] or options[:1]
            found += [o.attributes.get("value", o.text) for o in chosen]
        elif element.tag == "textarea":
            found.append(element.words.removeprefix("\n"))
        elif kind in {"checkbox", "radio"}:
            found += [element.get("value", "on")] if "checked" in element.attributes else []
        elif kind != "file":
            found.append(element.get("value"))
    return found
