"""One runner at a time: who works on a run claims it; every transaction looks if the claim still holds."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from fairlead.exchange.enums import RunState
from fairlead.exchange.models import ImportRun


class ClaimLost(Exception):
    """Another worker has taken over, or somebody stopped the run: leave everything as it is."""


def clock() -> datetime:
    """Jobs run for minutes: each of their transactions reads the clock."""
    return timezone.now()


@transaction.atomic
def claim(run_id: int, *, state: str, at: datetime) -> ImportRun | None:
    """The run, if it is in `state`; a worker before us loses its claim with its next transaction."""
    run = (
        ImportRun.objects.select_for_update(of=("self",))
        .select_related("created_by")
        .filter(pk=run_id, state=state)
        .first()
    )
    if run is None:
        return None
    run.runner, run.alive_at = secrets.token_hex(16), at
    run.save(update_fields=["runner", "alive_at"])
    return run


def still_mine(run: ImportRun, *, at: datetime, **fields: object) -> None:
    """In the transaction of a batch; `fields` are set with it. Raises ClaimLost."""
    fresh = ImportRun.objects.filter(pk=run.pk, runner=run.runner, state=run.state)
    if not fresh.update(alive_at=at, **fields):
        raise ClaimLost


def finish(run: ImportRun, state: str, *, at: datetime, **fields: object) -> None:
    """Set the last state, in the caller's transaction. Raises ClaimLost."""
    if not ImportRun.objects.filter(pk=run.pk, runner=run.runner, state=run.state).update(
        state=state, runner="", alive_at=at, **fields
    ):
        raise ClaimLost
    run.state = state
    for name, value in fields.items():
        setattr(run, name, value)


def fail(run: ImportRun, message: str, *, at: datetime) -> None:
    ImportRun.objects.filter(pk=run.pk, runner=run.runner).update(
        state=RunState.FAILED, runner="", failure=message[:500], finished_at=at
    )
