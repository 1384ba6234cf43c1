"""Parts of a process's page that rooms above bring: each has an address of its own and is fetched when it is looked at;
and pages of theirs to which it leads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """`url_name` takes the key of the process; `right` is needed to see it; `subject`: of these processes alone."""

    label: Mapping[str, str]
    url_name: str
    right: str
    subject: str = ""


_parts: list[Part] = []


def add_part(part: Part) -> None:
    """Called once, when a room above starts."""
    if part not in _parts:
        _parts.append(part)


def parts() -> tuple[Part, ...]:
    return tuple(_parts)


_ways: list[Part] = []


def add_way(part: Part) -> None:
    """A page of a room above that is about a process, linked from its page for those who may open it."""
    if part not in _ways:
        _ways.append(part)


def ways() -> tuple[Part, ...]:
    return tuple(_ways)
