"""What happens by the clock. A room registers its task; the worker runs it.

    @every(minutes=15, name="process.close_due_clocks")
    def close_due_clocks(at: datetime) -> None: ...

A task can run twice for the same minute, or late after a night when the machine was off: it looks at the
rows, not at the clock, to know what is left to do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

Run = Callable[[datetime], None]


@dataclass(slots=True)
class Task:
    name: str
    period: timedelta
    run: Run
    next_at: datetime | None = field(default=None)


_tasks: dict[str, Task] = {}


def every(*, minutes: int, name: str) -> Callable[[Run], Run]:
    """Register a function that the worker calls with the instant, at its start and then once per period."""

    def register(run: Run) -> Run:
        _tasks[name] = Task(name, timedelta(minutes=minutes), run)
        return run

    return register


def due(at: datetime) -> list[Task]:
    """The tasks whose time has come at `at`; each is taken as run."""
    ready = [task for task in _tasks.values() if task.next_at is None or task.next_at <= at]
    for task in ready:
        task.next_at = at + task.period
    return ready
