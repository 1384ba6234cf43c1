"""Parts of a record's page that rooms above bring: a tab with its own address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab on the page of a record. `url_name` takes the record's id; `right` is needed to see it."""

    key: str
    label: Mapping[str, str]
    url_name: str
    right: str


_tabs: dict[str, list[Tab]] = {}


def add_tab(kind: str, tab: Tab) -> None:
    """Called once, when a room above starts."""
    _tabs.setdefault(kind, []).append(tab)


def tabs_of(kind: str) -> tuple[Tab, ...]:
    return tuple(_tabs.get(kind, ()))
