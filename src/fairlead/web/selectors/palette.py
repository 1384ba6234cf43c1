"""The one box that goes, finds and does: what it offers for what was typed, where it was typed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.urls import Resolver404, ResolverMatch, get_script_prefix, resolve, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override, pgettext_lazy

from fairlead.common.money import format_amount
from fairlead.common.names import localized
from fairlead.common.text import matches, search_key
from fairlead.crm.models import Account, Contact, Opportunity
from fairlead.organisation.models import User
from fairlead.process.enums import JourneyState
from fairlead.work.forms import MAX_ID
from fairlead.work.selectors.agenda import tasks_of
from fairlead.work.selectors.keeping import Kept, favourites_of

from .. import navigation
from ..navigation import Door, Item
from .finding import Hits, Piece, find, pieces
from .settings import find_settings

EACH: Final = 5
#: A first character that asks for one kind alone.
PREFIXES: Final = {
    "@": "contact", "＠": "contact", "#": "account", "＃": "account", "$": "opportunity", "￥": "opportunity",
    "¥": "opportunity", "!": "task", "！": "task",
}  # fmt: skip
ICONS: Final = {"opportunity": "layout-kanban", "account": "building", "contact": "address-book"}
TITLES: Final = {
    "opportunity": gettext_lazy("Opportunities"),
    "account": gettext_lazy("Accounts"),
    "contact": gettext_lazy("Contacts"),
}
RUNNING: Final = (JourneyState.OPEN, JourneyState.ON_HOLD)
_LANGUAGES: Final = ("zh-hans", "en")
_GOES: Final = tuple(item for _label, group in navigation.GROUPS for item in group) + navigation.MORE_SETTINGS
#: Acts on an account or a contact whose page is open: what it is called, its icon, the route; all need to edit it.
_ON_OTHERS: Final = (
    (pgettext_lazy("palette", "Log activity"), "notes", "work:log"),
    (pgettext_lazy("palette", "Plan the next step"), "calendar-plus", "work:plan"),
    (pgettext_lazy("palette", "New task"), "clipboard-check", "work:task"),
    (pgettext_lazy("palette", "Edit"), "pencil", "crm:{kind}_edit"),
)
_OTHERS: Final[dict[str, Any]] = {"crm:account": Account, "crm:contact": Contact}
#: Acts on the open deal: what it is called, its icon, the route, the place on the page, and the right that it needs.
_ON_DEAL: Final = (
    (pgettext_lazy("palette", "Move on"), "arrow-right", "crm:panel", "", "opportunity.move"),
    (
        pgettext_lazy("palette", "Log activity"),
        "notes",
        "crm:opportunity",
        "#add-summary",
        "opportunity.edit",
    ),
    (pgettext_lazy("palette", "Merge with another"), "arrows-split", "crm:merge", "", "opportunity.move"),
    (pgettext_lazy("palette", "Fields"), "table", "crm:opportunity", "?tab=fields", ""),
    (pgettext_lazy("palette", "Decision chain"), "users", "crm:opportunity", "?tab=people", ""),
    (pgettext_lazy("palette", "Files"), "paperclip", "crm:opportunity", "?tab=files", ""),
    (pgettext_lazy("palette", "History"), "history", "crm:opportunity", "?tab=history", ""),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: where it leads, its name cut where it answers, and one line about it."""

    url: str
    icon: str
    pieces: Sequence[Piece]
    about: str = ""
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    key: str
    title: str
    entries: Sequence[Entry]


def offered(user: User, text: str, *, path: str = "") -> list[Section]:
    """Sections in the order of the box. Nothing that the person may not do is in there."""
    text = text.strip()
    kind = PREFIXES.get(text[:1], "")
    wanted = text[1:].strip() if kind else text
    sections = []
    if not text and (stars := favourites_of(user, most=EACH)):
        sections.append(Section("stars", _("Favourites"), [_star(one) for one in stars]))
    if kind == "task":
        return [section] if (section := _tasks(user, wanted)).entries else []
    if not kind and (at := _at(path)):
        sections += [part for part in (_open_one(user, wanted, at),) if part is not None]
    if wanted:
        found = find(user, wanted, kinds=(kind,) if kind else tuple(ICONS), most=EACH)
        sections += [
            Section(hits.kind, _title(hits), [_record(hits.kind, row, wanted) for row in hits.rows])
            for hits in found
        ]
    if not kind:
        sections.append(Section("do", _("Create"), _doors(navigation.CREATE, user, wanted, make=True)))
        going = _doors(_GOES, user, wanted)
        sections.append(Section("go", _("Go to"), going))
        sections.append(Section("settings", _("Settings"), _settings(user, wanted, going)))
    return [section for section in sections if section.entries]


def _title(hits: Hits) -> str:
    title = str(TITLES[hits.kind])
    return _("%(kind)s, spelt almost so") % {"kind": title} if hits.near else title


def _record(kind: str, row: Any, text: str) -> Entry:
    return Entry(
        record_url(kind, row), ICONS[kind], pieces(row.name, text),
        " · ".join(filter(None, about(kind, row))),
    )  # fmt: skip


def _star(one: Kept) -> Entry:
    return Entry(one.url, "star", [(one.title, False)], one.kind)


def record_url(kind: str, row: Any) -> str:
    before, after = _around_id(kind, get_script_prefix())
    return f"{before}{row.pk}{after}"


@lru_cache(maxsize=8)
def _around_id(kind: str, _prefix: str) -> tuple[str, str]:
    """What stands before and after the id in the address of a record: forty of them stand on a page."""
    before, _id, after = reverse(f"crm:{kind}", args=[0]).rpartition("0")
    return before, after


def about(kind: str, row: Any) -> list[str]:
    """What tells one record of `kind` from another of the same name."""
    if kind == "opportunity":
        stage = localized(row.journey.stage.name) if row.journey else ""
        return [row.account.name if row.account else "", stage, format_amount(row.amount, row.currency)]
    if kind == "account":
        return [row.industry, row.city, row.owner.name if row.owner else ""]
    return [row.account.name, row.department, row.title]


def _doors(items: Sequence[Item], user: User, text: str, *, make: bool = False) -> list[Entry]:
    return [
        _door(door, text, make) for door in navigation.doors(items, user) if _answers(door.item, text, make)
    ]


def _door(door: Door, text: str, make: bool) -> Entry:
    label = _("New %(what)s") % {"what": door.item.label} if make else str(door.item.label)
    return Entry(
        door.url,
        "plus" if make else door.item.icon,
        pieces(label, text),
        str(door.item.says),
        door.item.shortcut,
    )


def _settings(user: User, text: str, going: Sequence[Entry]) -> list[Entry]:
    """Single settings, fields and rules; the pages themselves stand under “go” already."""
    there = {entry.url for entry in going}
    return [
        Entry(hit.url, hit.icon, pieces(hit.label, text), hit.where)
        for group in find_settings(user, text, most=EACH)
        for hit in group.hits
        if hit.url not in there
    ][: 2 * EACH]


def _answers(item: Item, text: str, make: bool) -> bool:
    words = matches(text).split()
    return all(word in _key(item, make) for word in words)


@lru_cache(maxsize=256)
def _key(item: Item, make: bool) -> str:
    """The item's names in every language: an English keyboard finds 商机看板 by its pinyin or as “board”."""
    found = []
    for language in _LANGUAGES:
        with override(language):
            said = _("New %(what)s") % {"what": item.label} if make else f"{item.label} {item.says}"
            found.append(search_key(said))
    return " ".join(found)


def _tasks(user: User, text: str) -> Section:
    """One's own open tasks, the most urgent first: by their words or by the name of their record."""
    words, rows = (
        matches(text).split(),
        tasks_of(user, scope="mine", done=False, today=timezone.localdate())[0],
    )
    found = [
        row for row in rows if all(word in search_key(f"{row['title']} {row['record']}") for word in words)
    ]
    entries = [
        Entry(
            row["url"], "clipboard-check", pieces(row["title"], text),
            " · ".join(filter(None, [row["record"], row["due"]["text"]])),
        )
        for row in found[: 2 * EACH]
    ]  # fmt: skip
    return Section("task", _("Tasks"), entries)


def _open_one(user: User, text: str, at: ResolverMatch) -> Section | None:
    """What can be done with the record whose page is open."""
    if at.view_name == "crm:opportunity":
        deal = _open_deal(user, at.kwargs["pk"])
        return Section("here", deal.name, list(_here(user, text, deal))) if deal else None
    kind = at.view_name.partition(":")[2]
    rows = _OTHERS[at.view_name].objects.filter(pk=at.kwargs["pk"])
    row = rows.visible_to(user, f"{kind}.edit").first()
    if row is None:
        return None
    words = matches(text).split()
    entries = [
        Entry(
            reverse(route.format(kind=kind), args=[row.pk] if route.startswith("crm:") else [kind, row.pk]),
            icon, pieces(str(label), text),
        )
        for label, icon, route in _ON_OTHERS
        if all(word in search_key(str(label)) for word in words)
    ]  # fmt: skip
    return Section("here", row.name, entries)


def _here(user: User, text: str, deal: Opportunity) -> Iterator[Entry]:
    """Acts on the deal whose page is open, as far as this person may act on it."""
    words = matches(text).split()
    rows = Opportunity.objects.filter(pk=deal.pk)
    for label, icon, route, place, right in _ON_DEAL:
        if not all(word in search_key(str(label)) for word in words):
            continue
        if right == "opportunity.move" and (deal.journey is None or deal.journey.state not in RUNNING):
            continue
        if not right or rows.visible_to(user, right).exists():
            yield Entry(reverse(route, args=[deal.pk]) + place, icon, pieces(str(label), text))


def _at(path: str) -> ResolverMatch | None:
    """The page, if it is that of a record on which something can be done."""
    try:
        match = resolve(path.partition("?")[0]) if path.startswith("/") else None
    except Resolver404:
        return None
    if match is None or match.view_name not in ("crm:opportunity", *_OTHERS):
        return None
    return match if match.kwargs["pk"] <= MAX_ID else None


def _open_deal(user: User, pk: int) -> Opportunity | None:
    return Opportunity.objects.visible_to(user).select_related("journey").filter(pk=pk).first()
