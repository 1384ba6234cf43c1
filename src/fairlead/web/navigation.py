"""The pages of the navigation in their order. A page that is not there, or not for this person, is left out.

The right of an item is the one that its route declares: the list of doors and the doors cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.urls import NoReverseMatch, get_urlconf, reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from fairlead.common.access import PUBLIC, SIGNED_IN, routes

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Item:
    """`name` is the name of a route; pages say which item they are under with `nav_at = key`."""

    key: str
    label: Words
    name: str
    icon: str
    shortcut: str = ""
    says: Words = ""  # one line for the list of settings


@dataclass(frozen=True, slots=True)
class Door:
    """An item that is there, with its address and what it needs."""

    item: Item
    url: str
    needs: str


WORKSPACE: Final = (
    Item("home", _("My day"), "web:home", "home", "g d"),
    Item("approvals", _("Approvals"), "process:approvals", "rubber-stamp", "g a"),
    Item("inbox", _("Inbox"), "work:inbox", "inbox", "g i"),
    Item("kept", _("Recent & favourites"), "work:kept", "star", "g r"),
    Item("activities", _("Calendar"), "work:calendar", "calendar-event", "g e"),
    Item("tasks", _("Tasks"), "work:tasks", "clipboard-check", "g u"),
)  # fmt: skip
SALES: Final = (
    Item("board", _("Pipeline board"), "crm:board", "layout-kanban", "g b"),
    Item("opportunities", _("Opportunities"), "crm:opportunities", "layout-list", "g o"),
    Item("accounts", _("Accounts"), "crm:accounts", "building", "g c"),
    Item("contacts", _("Contacts"), "crm:contacts", "address-book", "g p"),
    Item("segments", _("Market segments"), "crm:segments", "target-arrow", "g n"),
)
MANAGE: Final = (
    Item("funnel", _("Funnel"), "insight:funnel", "chart-funnel", "g f"),
    Item("chain", _("Value chain"), "insight:chain", "sitemap", "g v"),
    Item("adoption", _("Adoption"), "insight:adoption", "gauge"),
    Item("processes", _("Processes"), "process:processes", "route", "g w"),
    Item("overrides", _("Waiver requests"), "process:overrides", "shield-off"),
)
SETTINGS: Final = (
    Item("imports", _("Import"), "exchange:imports", "upload",
        says=_("Bring records from a file, and take an import back.")),
    Item("users", _("People & roles"), "organisation:users", "users",
         says=_("Who works here, in which team, with which roles.")),
    Item("fields", _("Fields & forms"), "web:fields", "table",
        says=_("Every field: who reads it, what uses it. Add your own, usable at once.")),
    Item("audit", _("Audit log"), "insight:audit", "history", says=_("Who changed what, and when.")),
    Item("settings", _("Settings"), "web:settings", "settings", "g ,"),
)  # fmt: skip
GROUPS: Final[Sequence[tuple[Words, Sequence[Item]]]] = (
    (_("Workspace"), WORKSPACE),
    (pgettext_lazy("navigation", "Sales"), SALES),
    (pgettext_lazy("navigation", "Manage"), MANAGE),
    (_("Settings"), SETTINGS),
)
CREATE: Final = (
    Item("new_deal", _("Opportunity"), "crm:new_deal", "layout-kanban"),
    Item("new_account", _("Account"), "crm:account_new", "building"),
    Item("new_contact", _("Contact"), "crm:contact_new", "address-book"),
)
#: Under the thumb of a phone, with a shorter word where one line asks for it.
PHONE: Final[dict[str, Words]] = {
    "home": "", "board": pgettext_lazy("phone", "Board"),
    "opportunities": pgettext_lazy("phone", "Deals"), "accounts": "", "approvals": "",
}  # fmt: skip
#: Further pages that the list of settings names.
MORE_SETTINGS: Final = (
    Item("organisation", _("Company"), "web:organisation", "building",
         says=_("Name, currency, time zone, default processes, soft mode.")),
    Item("lists", _("Lists & reasons"), "web:lists", "layout-list",
         says=_("Reasons of losing, going back, waiting and waiving; choices of fields.")),
    Item("rights", _("Roles & rights"), "web:rights", "lock",
         says=_("What each role may do, and why somebody sees or moves a record.")),
    Item("assignment", _("Assignment of processes"), "process:assignment", "git-branch",
         says=_("Which process a new record takes: ordered rules, and the default.")),
    Item("delegations", _("Who stands in"), "process:delegations", "user-check",
         says=_("Who decides approvals for whom, from when to when, up to which amount.")),
    Item("calendar", _("Working calendar"), "web:calendar", "calendar",
         says=_("Working days, days off and make-up workdays of a year.")),
    Item("soft_landing", _("Soft landing"), "insight:soft_landing", "adjustments-horizontal",
         says=_("Weights of adoption, clean-up days, what is measured and asked.")),
    Item("sample_data", _("Sample data"), "exchange:sample_data", "rocket",
         says=_("Fill an empty company to look around, and clear it again.")),
    Item("profile", _("My account"), "organisation:profile", "user",
         says=_("Language, theme, time zone, password, API keys.")),
    Item("leave", _("Leave"), "organisation:leave", "calendar-event",
         says=_("One's own days off and those of the team: time limits rest.")),
    Item("styleguide", _("Components"), "web:styleguide", "adjustments-horizontal",
         says=_("Every part of a page in every state.")),
    Item("about", _("About"), "web:about", "book", says=_("Version and licences.")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Around:
    """What the frame of every page offers to whoever has the same rights and reads the same language.

    `nav`: (word, entries) of each group that has some; `create`: (address, icon, word); `shortcuts`: (keys, word).
    """

    nav: tuple[tuple[str, tuple[Entry, ...]], ...]
    phone: tuple[Entry, ...]
    create: tuple[tuple[str, str, str], ...]
    shortcuts: tuple[tuple[str, str], ...]


class Entry(NamedTuple):
    """A door in words; `name` is the name of its route."""

    key: str
    label: str
    url: str
    icon: str
    shortcut: str
    name: str


def around(user: Any) -> Around:
    urlconf = get_urlconf() or settings.ROOT_URLCONF
    needed = _needed(urlconf)
    return _around(urlconf, get_language(), frozenset(need for need in needed if _is_met(need, user)))


@lru_cache(maxsize=128)
def _around(urlconf: str, _language: str | None, met: frozenset[str]) -> Around:
    groups = [
        (str(word), tuple(_entry(d) for d in _there(g, urlconf) if d.needs in met)) for word, g in GROUPS
    ]
    nav = tuple((word, entries) for word, entries in groups if entries)
    known = {entry.key: entry for _word, entries in nav for entry in entries}
    create = [_entry(door) for door in _there(CREATE, urlconf) if door.needs in met]
    return Around(
        nav=nav,
        phone=tuple(
            known[key]._replace(label=str(word) or known[key].label)
            for key, word in PHONE.items()
            if key in known
        ),
        create=tuple((entry.url, entry.icon, entry.label) for entry in create),
        shortcuts=tuple((entry.shortcut, entry.label) for entry in known.values() if entry.shortcut),
    )


@lru_cache(maxsize=4)
def _needed(urlconf: str) -> tuple[str, ...]:
    """What the doors around a page ask for, each once."""
    items = [item for _word, group in GROUPS for item in group]
    return tuple(dict.fromkeys(door.needs for door in _there([*items, *CREATE], urlconf)))


def _entry(door: Door) -> Entry:
    item = door.item
    return Entry(item.key, str(item.label), door.url, item.icon, item.shortcut, item.name)


def doors(items: Iterable[Item], user: Any) -> list[Door]:
    """Those of `items` that are there and that `user` may open."""
    there = _there(items, get_urlconf() or settings.ROOT_URLCONF)
    return [door for door in there if _is_met(door.needs, user)]


def _is_met(needs: str, user: Any) -> bool:
    return needs in (PUBLIC, SIGNED_IN) or bool(user.may(needs))


def _there(items: Iterable[Item], urlconf: str) -> list[Door]:
    known = _doors(urlconf)
    return [Door(item, *known[item.name]) for item in items if item.name in known]


@lru_cache(maxsize=4)
def _doors(urlconf: str) -> dict[str, tuple[str, str]]:
    """Name → address and need of each route without arguments, worked out once."""
    found = {}
    for route in routes(deferred=False):
        if route.name and route.access and not route.methods and route.name not in found:
            try:
                found[route.name] = (reverse(route.name), route.access.needs)
            except NoReverseMatch:
                continue  # an address with an id is no place of the navigation
    return found
