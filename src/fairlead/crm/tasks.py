"""Jobs of this room: changes of more records than a request waits for."""

from __future__ import annotations

from django.utils import timezone
from django_tasks import task

from fairlead.journal.enums import Channel

from .services import changing_many


@task()
def change_many(run_id: int) -> None:
    """Do a change of many records. Bears a second run."""
    changing_many.work_on(run_id, at=timezone.now, channel=Channel.UI)


@task()
def undo_many(run_id: int) -> None:
    changing_many.undo(run_id, at=timezone.now, channel=Channel.UI)
