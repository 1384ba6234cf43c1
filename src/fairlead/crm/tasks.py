"""What this room does in the background: changes of more records than a request waits for, and overdue answers."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django_tasks import task

from fairlead.common.schedule import every
from fairlead.journal.enums import Channel

from .services import changing_many
from .services.deal_team import escalate_overdue


@task()
def change_many(run_id: int) -> None:
    """Do a change of many records. Bears a second run."""
    changing_many.work_on(run_id, at=timezone.now, channel=Channel.UI)


@task()
def undo_many(run_id: int) -> None:
    changing_many.undo(run_id, at=timezone.now, channel=Channel.UI)


@every(minutes=5, name="crm.escalate_overdue_answers")
def bring_up_overdue_answers(at: datetime) -> None:
    """Hand-overs and questions to a role that nobody answered in time go to the manager (SL-4, IT-5)."""
    escalate_overdue(at=at)
