"""`fairlead process migrate KEY`: a plan for running records tried, carried out, or undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.utils import timezone

from fairlead.common.refusals import Invalid, NotFound
from fairlead.journal.enums import Channel

from .enums import MigrationState
from .models import Migration, Process
from .selectors.versions import current_plan
from .services import migrating
from .services.carrying_over import execute

_PARTS = {"mapping": dict, "groups": list, "keep_after": str, "grace_days": int}


def run_migration(
    key: str, plan: Any, *, by: Any, confirm: bool, undo: bool, say: Callable[[str], Any]
) -> Iterator[str]:
    """Lines to print. A run that was killed goes on where it stopped, whatever else is asked for."""
    how: dict[str, Any] = {"by": by, "at": timezone.now(), "channel": Channel.SYSTEM}
    process = Process.objects.filter(key=key).first()
    if process is None:
        raise NotFound
    row = current_plan(process)
    if row is not None and row.state in (MigrationState.RUNNING, MigrationState.UNDOING):
        yield from _carried_out(row)
        return
    if undo:
        if row is None:
            raise NotFound
        migrating.begin_undo(row.pk, **how)
        yield from _carried_out(row)
        return
    row = migrating.plan_migration(key, **how)
    if plan:
        row = migrating.edit_plan(row.pk, version=row.version, **_read(plan), **how)
    if plan or row.state != MigrationState.CHECKED:
        row = migrating.check(row.pk, by=by, at=how["at"], progress=lambda n, of: say(f"{key}: {n}/{of}"))
    totals = row.totals
    yield f"{key}: → v{row.target.number}: {totals['movable']} can move, {totals['manual']} by hand, {totals['kept']} keep,"
    yield f"{key}: {totals['leaving']} leave the process"
    yield (
        f"{key}: weighted {totals['weighted_before']} → {totals['weighted_after']}"
        f" ({totals['weighted_change'] or '—'} %), {totals['with_new_gaps']} with new gaps"
    )
    if confirm:
        migrating.confirm(row.pk, version=row.version, **how)
        yield from _carried_out(row)


def _read(plan: Any) -> dict[str, Any]:
    if not isinstance(plan, dict) or any(
        name not in _PARTS or not isinstance(value, _PARTS[name]) for name, value in plan.items()
    ):
        raise Invalid.field("plan", "mapping, groups, keep_after, grace_days")
    return plan


def _carried_out(row: Migration) -> Iterator[str]:
    execute(row.pk, clock=timezone.now)
    row.refresh_from_db()
    yield f"{row.process.key}: {row.get_state_display()}, {row.rows_done} of {row.rows_total} records"
