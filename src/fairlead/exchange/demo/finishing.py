"""The last morning: next steps of open deals, and one look at every gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import time, timedelta
from random import Random

from django.db import transaction

from fairlead.crm.rooms import sync_next_steps
from fairlead.journal.enums import Channel
from fairlead.process.enums import JourneyState
from fairlead.process.models import Journey
from fairlead.process.services import facts_change, refresh_gates
from fairlead.process.services.rebuilding import folded, store_clocks
from fairlead.work.enums import ActivityState
from fairlead.work.models import Activity, Task
from fairlead.work.services.many import log_many
from fairlead.work.services.tasks import remove_task

from .clock import at as instant
from .deals import Deal
from .names import NEXT_STEPS
from .simulation import Simulation

AT_ONCE = 250
FORGOTTEN = timedelta(days=120)
PLANNED, OVERDUE, LATER = 0.46, 0.19, 0.12  # shares of open deals; the rest has no next step


def plan_next_steps(sim: Simulation, deals: Sequence[Deal]) -> None:
    """Sellers' calendars as they stand: most have something ahead, some are late, some have nothing."""
    until, rng = sim.dates.until, Random(f"{sim.seed}/next-steps")  # noqa: S311
    open_deals = [d for d in deals if not d.over]
    for first in range(0, len(open_deals), AT_ONCE):
        chunk, rows = open_deals[first : first + AT_ONCE], []
        for deal in chunk:
            chance = rng.random()
            kind, summary = rng.choice(NEXT_STEPS)
            if chance < PLANNED:
                due = sim.workdays.worked_from(until + timedelta(days=rng.randint(0, 12)))
            elif chance < PLANNED + OVERDUE:
                due = until - timedelta(days=rng.randint(1, 15))
                while not sim.workdays.is_worked(due):
                    due -= timedelta(days=1)
            elif chance < PLANNED + OVERDUE + LATER:
                due = sim.workdays.worked_from(until + timedelta(days=rng.randint(13, 45)))
            else:
                continue
            written = min(due, until) - timedelta(days=rng.randint(1, 9))
            recorded = max(
                instant(written, time(17, rng.randrange(60))), deal.last_at or instant(written, time(17))
            )
            if deal.told is not None and sim.dates.habit(deal.told.date()):
                recorded = min(recorded, deal.told)  # agreed on at the last talk
            rows.append(
                Activity(
                    subject_type="opportunity",
                    subject_id=deal.subject_id,
                    kind=kind,
                    state=ActivityState.PLANNED,
                    summary=summary,
                    due_at=instant(due, time(9 + rng.randrange(8), rng.choice((0, 30)))),
                    contact_ids=[deal.customer.contacts[0][0]],
                    owner=deal.owner,
                    recorded_at=recorded,
                )
            )
        now = instant(until, time(7, 30))
        with (
            sim.pace.turn(),
            transaction.atomic(),
            facts_change("opportunity", [d.subject_id for d in chunk], at=now, refresh=False),
        ):
            log_many(rows, channel=Channel.UI)
            sync_next_steps("opportunity", [d.subject_id for d in chunk])


def clear_forgotten_tasks(sim: Simulation, deals: Sequence[Deal]) -> None:
    """What a plan owed more than a season ago is taken off: nobody waits for it any more."""
    until = sim.dates.until
    owners = {d.subject_id: d.owner for d in deals if not d.over}
    forgotten = Task.objects.filter(
        subject_type="opportunity", done_at=None, removed_at=None, due_date__lt=until - FORGOTTEN
    )
    now = instant(until, time(7, 30))
    for task in forgotten.order_by("pk"):
        if (owner := owners.get(task.subject_id)) is not None:
            with sim.pace.turn():
                remove_task(task.pk, version=task.version, by=owner, at=now, channel=Channel.UI)


def look_at_gates(sim: Simulation, progress: Callable[[int, int], None]) -> None:
    """Judge the next move of every open journey once, as a worker would have done all along."""
    ids = list(
        Journey.objects.current().filter(state=JourneyState.OPEN).order_by("pk").values_list("pk", flat=True)
    )
    now = instant(sim.dates.until, time(8))
    for first in range(0, len(ids), AT_ONCE):
        with sim.pace.turn(), transaction.atomic():
            rows = (
                Journey.objects.select_for_update(of=("self",))
                .select_related("stage")
                .filter(pk__in=ids[first : first + AT_ONCE])
                .order_by("pk")
            )
            refresh_gates(list(rows), at=now)
        progress(min(first + AT_ONCE, len(ids)), len(ids))


def wind_clocks(sim: Simulation, progress: Callable[[int, int], None]) -> None:
    """Let every clock hear what the simulation wrote in bulk, as it would have heard it all along."""
    travels = folded()
    ids = sorted(travels)
    for first in range(0, len(ids), AT_ONCE):
        with sim.pace.turn():
            store_clocks(set(ids[first : first + AT_ONCE]), travels)
        progress(min(first + AT_ONCE, len(ids)), len(ids))
