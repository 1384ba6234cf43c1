"""What this room does by the clock."""

from __future__ import annotations

import logging
from datetime import datetime

from django.utils import timezone
from django_tasks import task

from fairlead.common.schedule import every
from fairlead.journal.enums import Channel
from fairlead.organisation.models import User

from .services.approval_handing import remind, reroute_absent
from .services.carrying_over import abandoned, execute
from .services.clocking import take_over_thresholds
from .services.expiring import expire_holds
from .services.gates import refresh_due_gates
from .services.lapsing import lapse_due
from .services.migrating import check
from .services.recalculating import recompute_clocks
from .services.sweeping import sweep
from .services.vetoing import escalate_vetoes

logger = logging.getLogger(__name__)


@every(minutes=1, name="process.sweep_clocks")
def sweep_clocks(at: datetime) -> None:
    """Breaches and rungs that are due; clocks first follow a calendar that changed."""
    recompute_clocks(at=at)
    swept = sweep(at=at)
    if swept.journeys:
        logger.info(
            "process.clocks_swept",
            extra={"journeys": swept.journeys, "breaches": swept.breaches, "escalations": swept.escalations},
        )


@every(minutes=5, name="process.escalate_vetoes")
def bring_up_vetoes(at: datetime) -> None:
    """What nobody has settled for two working days goes to those who decide (IT-3)."""
    escalate_vetoes(at=at)


@every(minutes=1, name="process.sweep_approvals")
def sweep_approvals(at: datetime) -> None:
    """Votes of people who have left go on to others; whoever is asked hears of the time that is left."""
    moved = reroute_absent(at=at, channel=Channel.SYSTEM)
    told = remind(at=at)
    if moved or told:
        logger.info("process.approvals_swept", extra={"rerouted": moved, "reminded": told})


@every(minutes=5, name="process.overrides")
def settle_overrides(at: datetime) -> None:
    """Requests that nobody decided lapse, waivers that ran out are told, and gates learn that their evidence has."""
    refresh_due_gates(at=at)
    lapse_due(at=at)


@every(minutes=10, name="process.expire_holds")
def end_holds(at: datetime) -> None:
    """What was put on hold until a day is open again when the day has come."""
    resumed = expire_holds(at=at)
    if resumed:
        logger.info("process.holds_ended", extra={"journeys": resumed})


@task()
def take_over(process_key: str, by: int) -> int:
    """Let running journeys keep time by the published thresholds. A second run goes on where the first one ended."""
    person = User.objects.get(pk=by)
    return take_over_thresholds(process_key, by=person, at=timezone.now(), channel=Channel.UI)


@task()
def follow_calendar() -> int:
    """Compute due instants by the calendar that just changed; how many moved. The sweep would do it within a minute."""
    return recompute_clocks(at=timezone.now()).moved


@task()
def try_plan(migration_id: int, by: int) -> None:
    """Try a plan for running records that are many. A second run begins anew."""
    check(migration_id, by=User.objects.get(pk=by), at=timezone.now())


@task()
def carry_over(migration_id: int) -> None:
    """Do what was confirmed, or undo it. A second run goes on where the first one ended."""
    execute(migration_id, clock=timezone.now)


@every(minutes=1, name="process.take_up_migrations")
def take_up_migrations(at: datetime) -> None:
    """Migrations whose worker was killed go on where they stopped."""
    for pk in abandoned(at=at):
        carry_over.enqueue(pk)
