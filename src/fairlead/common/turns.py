"""How long work takes turns with people at the database's one writer; a higher room brings the queue.

pace = turns.pace()
for chunk in chunks:
    with pace.turn(), transaction.atomic():
        ...
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Pace(Protocol):
    def turn(self) -> AbstractContextManager[None]:
        """Around each short transaction: whoever waits goes first."""

    @property
    def rows(self) -> int:
        """How many records the next transaction may write: few while people write beside it."""

    def wrote(self, rows: int) -> None:
        """Told after each turn, so that transactions stay short on a slow machine too."""


class _NoQueue:
    def turn(self) -> AbstractContextManager[None]:
        return nullcontext()

    @property
    def rows(self) -> int:
        return 40

    def wrote(self, rows: int) -> None:
        pass


_makers: list[Callable[[], Pace]] = [_NoQueue]


def use(maker: Callable[[], Pace]) -> None:
    """Called once, when the room that owns the queue starts."""
    _makers[:] = [maker]


def pace() -> Pace:
    return _makers[0]()
