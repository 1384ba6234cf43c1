"""The documents of the product as pages: read from the package, nothing is fetched.

The texts are our own, yet they are drawn as if they were not: no HTML of theirs is taken over, addresses lead to other
guides or are left out, pictures are left out, and nothing carries a style of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse
from markupsafe import Markup

import fairlead

if TYPE_CHECKING:
    from markdown_it.token import Token

PACKAGE: Final = Path(fairlead.__file__).resolve().parent
#: Where a page stands → the guide that fits it; the first beginning of the route's name that fits.
FITTING: Final = (
    ("crm:board", "how-a-move-is-decided"), ("crm:panel", "how-a-move-is-decided"),
    ("crm:move", "how-a-move-is-decided"), ("crm:journey", "clocks"), ("crm:opportunity", "how-a-move-is-decided"),
    ("crm:handbook", "playbooks"), ("crm:scorecards", "playbooks"), ("crm:plan", "playbooks"),
    ("insight:usage", "playbooks"), ("insight:replay", "processes"), ("crm:", "lists"),
    ("offers:", "lists"), ("work:", "work"), ("process:approval", "approvals"),
    ("process:delegations", "approvals"), ("process:precedents", "approvals"), ("process:", "processes"),
    ("insight:adoption", "adoption"), ("insight:", "metrics"), ("exchange:", "lists"), ("web:home", "work"),
    ("web:calendar", "clocks"), ("web:", "settings"), ("organisation:users", "settings"),
    ("organisation:edit_user", "settings"), ("organisation:leave", "clocks"), ("organisation:", "sign-in"),
)  # fmt: skip
#: In the order of the list; what is written for developers alone (figures of speed, decisions) is left to the files.
ORDER: Final = (
    "settings", "how-a-move-is-decided", "work", "lists", "processes", "approvals", "playbooks", "clocks", "metrics",
    "adoption", "sign-in",
    "demo", "api", "glossary",
)  # fmt: skip
LEFT_OUT: Final = frozenset({"benchmarks"})
_FOLDERS: Final = ("", "concepts")
_HEADING: Final = re.compile(r"^# +(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Guide:
    """`language` is that of the text: zh where there is one, else en."""

    key: str
    title: str
    path: Path
    language: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """`parts`: id and words of each heading below the first, for the list at the side."""

    html: Markup
    parts: Sequence[tuple[str, str]]


def folder() -> Path:
    """Beside the code in a checkout, inside the package once installed."""
    inside = PACKAGE / "docs"
    return inside if inside.is_dir() else PACKAGE.parent.parent / "docs"


@lru_cache(maxsize=2)
def guides(language: str) -> dict[str, Guide]:
    """Key → guide in `language` (zh or en), in the order of the list."""
    found: dict[str, Guide] = {}
    root = folder()
    for place in _FOLDERS:
        for path in sorted((root / place).glob("*.md")):
            twin = root / "zh" / place / path.name
            chosen = twin if language == "zh" and twin.exists() else path
            title = _HEADING.search(chosen.read_text(encoding="utf-8"))
            if title is not None and path.stem not in LEFT_OUT:
                said = "zh" if chosen == twin else "en"
                found[path.stem] = Guide(path.stem, title.group(1).strip(), chosen, said)
    rank = {key: n for n, key in enumerate(ORDER)}
    return dict(sorted(found.items(), key=lambda item: (rank.get(item[0], len(rank)), item[0])))


def fitting(view_name: str, language: str) -> Guide | None:
    """The guide of the page that a route names."""
    key = next((guide for start, guide in FITTING if view_name.startswith(start)), "")
    return guides(language).get(key)


@lru_cache(maxsize=64)
def drawn(guide: Guide) -> Drawn:
    """The text as HTML without its first heading, which the page has of its own."""
    known = dict.fromkeys(guides(guide.language), "")
    known[guide.key] = "?in=" + (
        "en" if guide.language == "zh" else "zh"
    )  # a text that names itself means its twin
    return draw(guide.path.read_text(encoding="utf-8"), known=known)


def draw(text: str, *, known: Mapping[str, str] | None = None) -> Drawn:
    """`known`: key of a guide → what its address has behind it."""
    from markdown_it import MarkdownIt  # loaded when the first guide is opened

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(text)
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        tokens = tokens[3:]
    parts: list[tuple[str, str]] = []
    for place, token in enumerate(tokens):
        token.attrs.pop("style", None)
        if token.type == "heading_open":
            words = _words(tokens[place + 1])
            token.attrs["id"] = f"p-{len(parts) + 1}"
            parts.append((f"p-{len(parts) + 1}", words))
        elif token.type in ("fence", "code_block"):
            token.info = ""
        elif token.type == "inline":
            token.children = list(_safe(token.children or [], known or {}))
    html = reader.renderer.render(tokens, reader.options, {})
    html = html.replace("<table>", '<div class="fl-scroll" tabindex="0"><table class="fl-table">')
    html = html.replace("</table>", "</table></div>").replace("<pre>", '<pre tabindex="0">')
    return Drawn(Markup(html), parts)  # noqa: S704 - drawn here from tokens, every text of them escaped


def _words(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [] if child.type in ("text", "code_inline"))


def _safe(children: Sequence[Token], known: Mapping[str, str]) -> Any:
    """Links to other guides and to https stay; of other links and of pictures only the words."""
    kept: list[bool] = []
    for child in children:
        if child.type == "link_open":
            address = _address(str(child.attrs.get("href", "")), known)
            kept.append(bool(address))
            if address:
                child.attrs = {"href": address}
                if address.startswith("https:"):
                    child.attrs["rel"] = "noreferrer"
                yield child
        elif child.type == "link_close":
            if kept.pop():
                yield child
        elif child.type == "image":
            child.type, child.tag = "text", ""
            yield child
        else:
            yield child


def _address(href: str, known: Mapping[str, str]) -> str:
    path, _hash, anchor = href.partition("#")
    if href.startswith("https://"):
        return href
    if not path and anchor:
        return ""  # headings have ids of their own here
    stem = PurePosixPath(path)
    if stem.suffix == ".md" and stem.stem in known:
        return reverse("web:guide", args=[stem.stem]) + known[stem.stem]
    return ""
