"""A hand that presses keys and counts its steps, and what a task is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from .pages import SELLER

HAND: Final = 200  # ms before each step
MOST_TABS: Final = 140


class NotDone(Exception):
    """The task did not come to its end; the text says where."""


@dataclass
class Hand:
    """Presses keys alone, and counts."""

    page: Any
    steps: int = 0
    begun: float = field(default_factory=time.monotonic)

    def _step(self) -> None:
        self.page.wait_for_timeout(HAND)
        self.steps += 1

    def press(self, key: str) -> None:
        self._step()
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self._step()
        self.page.keyboard.insert_text(text)

    def say(self, text: str) -> None:
        """A phrase where the focus stands, ended by Enter: one step."""
        self.type(text)
        self.page.keyboard.press("Enter")

    def to(self, target: Any) -> None:
        target.wait_for(state="visible")
        for _tab in range(MOST_TABS):
            if target.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise NotDone(f"no Tab leads to {target}")

    def write(self, target: Any, text: str) -> None:
        self.to(target)
        self.type(text)

    def act(self, target: Any, key: str = "Enter") -> None:
        self.to(target)
        self.press(key)

    def choose(self, target: Any, label: str) -> None:
        """In a list, by the first letters of what is wanted."""
        self.to(target)
        self._step()
        self.page.keyboard.type(label[:24])
        if target.locator("option:checked").inner_text() != label:
            raise NotDone(f"no letters lead to {label}")

    def pick(self, target: Any, value: str) -> None:
        """In a short list, by arrows."""
        self.to(target)
        self._step()
        for _option in range(target.locator("option").count()):
            if target.input_value() == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise NotDone(f"no arrow leads to {value}")

    def into_content(self) -> None:
        """By the skip link, the first stop of every page."""
        self.page.keyboard.press("Tab")
        self.page.keyboard.press("Enter")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begun


@dataclass(frozen=True)
class Task:
    name: str
    steps: int
    seconds: float
    run: Callable[[Any, dict[str, Any]], Hand]
    who: str = SELLER
