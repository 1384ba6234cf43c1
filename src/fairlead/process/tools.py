"""Actions of `fairlead process` that rooms above bring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .definition import Definition

#: Told the name of the file, its document typed, whether JSON is wanted, and how to say a line of progress.
#: The lines to print.
Action = Callable[[str, Definition, bool, Callable[[str], Any]], str]

_actions: dict[str, Action] = {}


def add_action(name: str, action: Action) -> None:
    """Called once, when a room above starts."""
    _actions[name] = action


def actions() -> dict[str, Action]:
    return dict(_actions)
