"""Single settings and the pages they stand on: what the list of settings and the palette find by a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .navigation import MORE_SETTINGS, SETTINGS, Door, Item, Words, doors

_PAGES: Final = {item.key: item for item in (*SETTINGS, *MORE_SETTINGS)}
_PAGES["processes"] = Item(
    "processes", _("Processes"), "process:processes", "route",
    says=_("Stages, gates, time limits, reasons: what each process asks."),
)  # fmt: skip
_PAGES["notifications"] = Item(
    "notifications", _("Notifications"), "work:inbox_settings", "mail",
    says=_("When mail may come: at once, in a digest, not in quiet hours."),
)  # fmt: skip
_PAGES["help"] = Item("help", _("Help"), "web:help", "help", says=_("First steps, guides, shortcuts, words."))

#: The groups of the list, in their order. A page that is not there, or not for this person, is left out.
GROUPS: Final[Sequence[tuple[Words, tuple[str, ...]]]] = (
    (_("Process"), ("processes", "fields", "lists")),
    (_("People"), ("users", "rights")),
    (_("Company"), ("organisation", "calendar")),
    (pgettext_lazy("settings", "Data"), ("imports", "sample_data", "audit")),
    (pgettext_lazy("settings", "Mine"), ("profile", "leave", "notifications")),
    (pgettext_lazy("settings", "Product"), ("help", "about", "styleguide")),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set: on which page (its key), at which place of it, and further words for it."""

    page: str
    label: Words
    place: str
    words: Words = ""


SINGLE: Final[Sequence[Setting]] = (
    Setting("organisation", _("Company"), "#id_name"),
    Setting("organisation", _("Currency"), "#id_currency"),
    Setting("organisation", _("Time zone"), "#id_time_zone"),
    Setting("organisation", _("Soft mode of new processes"), "#id_soft_mode", _("gates flag, block")),
    Setting("organisation", _("Process of new records"), "#id_process_opportunity", _("default process")),
    Setting("organisation", _("Roles that must use two-step sign-in"), "#id_second_step_roles",
            _("second factor, TOTP, security")),
    Setting("calendar", _("Working hours of the week"), "#h-week", _("opening hours, weekend")),
    Setting("calendar", _("Own days off and make-up workdays"), "#own", _("holiday, public holidays")),
    Setting("users", _("Add a person"), "new", _("invite, user, colleague, account")),
    Setting("users", _("Roles of a person"), "", _("permissions, manager, administrator")),
    Setting("users", _("Password of a person"), "", _("reset, sign-in, locked")),
    Setting("users", _("Teams"), "#teams", _("department, branch, tree")),
    Setting("users", _("View as a person"), "", _("impersonate, look, read-only")),
    Setting("rights", _("What each role may do"), "#matrix-title", _("permissions, matrix, scope")),
    Setting("rights", _("Why can somebody see or move this?"), "#why-title", _("explain, access")),
    Setting("fields", _("New field"), "new/", _("custom field, column, form")),
    Setting("leave", _("Enter leave"), "#h-enter", _("holiday, vacation, sick, absence, away")),
    Setting("profile", _("Language"), "#id_language", _("Chinese, English")),
    Setting("profile", _("Theme"), "#id_theme", _("dark, light, appearance")),
    Setting("profile", _("My time zone"), "#id_time_zone"),
    Setting("profile", _("Change password"), "/password", _("sign-in")),
    Setting("profile", _("Two-step sign-in"), "/second-step", _("TOTP, recovery codes, security")),
    Setting("profile", _("API keys"), "#keys-own", _("token, integration")),
    Setting("notifications", _("Quiet hours"), "#f-quiet_from", _("do not disturb")),
    Setting("notifications", _("Digest of mail"), "#f-digest", _("e-mail, daily summary")),
    Setting("sample_data", _("Clear sample data"), "", _("demo, example, try, remove, reset")),
    Setting("imports", _("Import a file"), "", _("Excel, CSV, undo an import, migrate")),
)  # fmt: skip


def pages_for(user: Any) -> dict[str, Door]:
    """Key → page of settings that `user` may open, in the order of the groups."""
    wanted = [_PAGES[key] for _label, keys in GROUPS for key in keys if key in _PAGES]
    return {door.item.key: door for door in doors(wanted, user)}


def groups_for(user: Any) -> list[tuple[str, list[Door]]]:
    found = pages_for(user)
    groups = [(str(label), [found[key] for key in keys if key in found]) for label, keys in GROUPS]
    return [(label, listed) for label, listed in groups if listed]
