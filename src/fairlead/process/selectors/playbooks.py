"""Playbooks at work in a journey: their tasks, how far they are, what was asked again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from fairlead.work.models import Task

from ..enums import RunState
from ..models import Journey, PlaybookRun, PlaybookTask


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with the tasks that count: those taken back do not."""

    run: PlaybookRun
    tasks: tuple[tuple[str, Task], ...]  # key of the playbook's task, the task

    @property
    def done(self) -> int:
        return sum(1 for _key, task in self.tasks if task.done_at is not None)

    @property
    def percent(self) -> int:
        """Whole per cent of what counts; 0 where nothing does."""
        return 100 * self.done // len(self.tasks) if self.tasks else 0

    @property
    def is_complete(self) -> bool:
        """Everything is done, and nobody has said yet what came of it."""
        return self.run.state == RunState.OPEN and bool(self.tasks) and self.done == len(self.tasks)


def runs_of(journey: Journey) -> list[RunView]:
    """Open ones first, then the newest. Two queries."""
    runs = list(
        PlaybookRun.objects.filter(journey=journey)
        .select_related("launched_by")
        .order_by("-launched_at", "-pk")
    )
    by_run: dict[int, list[tuple[str, Task]]] = defaultdict(list)
    for row in (
        PlaybookTask.objects.filter(run__in=runs, task__removed_at=None)
        .select_related("task__assignee")
        .order_by("pk")
    ):
        by_run[row.run_id].append((row.key, row.task))
    views = [RunView(run, tuple(by_run[run.pk])) for run in runs]
    return sorted(views, key=lambda view: view.run.state != RunState.OPEN)
