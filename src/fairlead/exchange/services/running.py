"""A checked import is written: short transactions that take turns with people, each leaving the run ready to
go on where it stopped. A killed worker loses at most the transaction it was in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q
from django.utils.translation import gettext as _

from fairlead.common import bulk
from fairlead.common.refusals import Refusal
from fairlead.exchange.enums import RowAction, RowState, RunState
from fairlead.exchange.fairness import Pace
from fairlead.exchange.models import ImportRow, ImportRun

from .staging import CannotChange, get_run, journal, keep_preset
from .working import ClaimLost, claim, clock, finish, still_mine
from .writing_rows import Writer, problem_of

CHANNEL = "import"
OUTCOME = ["state", "target_type", "target_id"]


@transaction.atomic
def begin_run(run_id: int, *, by: Any, at: datetime, channel: str) -> ImportRun:
    """Put a checked run before the worker. Rows with errors stay out and are reported."""
    run = get_run(run_id, by=by)
    run = ImportRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    if run.state != RunState.CHECKED:
        raise CannotChange(_("Check the file first."))
    wanted = run.rows.waiting().count()
    if not wanted:
        raise CannotChange(_("No row of this file has anything to bring in."))
    run.state, run.started_at, run.alive_at, run.rows_done, run.rows_total = (
        RunState.RUNNING,
        at,
        at,
        0,
        wanted,
    )
    run.version += 1
    run.save()
    _learn(run, at=at)
    journal(run, "import_started", by=by, at=at, channel=channel, data={"kind": run.kind, "rows": wanted})
    return run


def _learn(run: ImportRun, *, at: datetime) -> None:
    """The saved mapping keeps what was said of words and columns in the check as well."""
    name = run.options.get("preset")
    if name and run.created_by_id:
        keep_preset(run, name, at=at)


def execute(run_id: int) -> None:
    """The job. Bears a second run: what is done is marked in the transaction that did it."""
    run = claim(run_id, state=RunState.RUNNING, at=clock())
    if run is None:
        return
    pace = Pace()
    writer = Writer(run)
    try:
        while True:
            size = pace.rows
            with pace.turn():
                wrote = _batch(run, writer, size)
            pace.wrote(wrote)
            if not wrote:
                break
        with transaction.atomic():
            _close(run)
    except ClaimLost:
        return


def _batch(run: ImportRun, writer: Writer, size: int) -> int:
    """The next rows, all written or none. Returns how many were dealt with."""
    with transaction.atomic():
        rows = list(run.rows.waiting().defer("cells")[:size])
        # Rows of one rank and action only: a child looks for its parent, a move decides one by one.
        first = rows[0] if rows else None
        rows = [
            r
            for r in rows
            if first is not None
            and (r.rank, r.action == RowAction.CREATE) == (first.rank, first.action == RowAction.CREATE)
        ]
        if rows and rows[0].action != RowAction.CREATE:
            rows = rows[:20]
        still_mine(run, at=clock(), rows_done=F("rows_done") + len(rows))
        if not rows:
            return 0
        if rows[0].action == RowAction.CREATE:
            _create(writer, rows)
        else:
            writer.change(rows)
        plain = [r for r in rows if r.state == RowState.DONE and not r.before]
        bulk.update(plain, OUTCOME)
        bulk.update(
            [r for r in rows if r.before or r.state != RowState.DONE], [*OUTCOME, "problems", "before"]
        )
    return len(rows)


def _create(writer: Writer, rows: Sequence[ImportRow]) -> None:
    """All at once; where something is refused, one by one, so that one bad row stops no other."""
    fresh = writer.still_new(rows)
    if not fresh:
        return
    try:
        with transaction.atomic():
            writer.create(fresh)
    except Refusal:
        for row in fresh:
            try:
                with transaction.atomic():
                    writer.create([row])
            except Refusal as refusal:
                row.state, row.target_id, row.before = RowState.FAILED, None, {}
                row.problems = [*row.problems, problem_of(refusal, row.number)]


def _close(run: ImportRun) -> None:
    done = run.rows.aggregate(
        created=Count("pk", filter=Q(state=RowState.DONE, action=RowAction.CREATE)),
        updated=Count("pk", filter=Q(state=RowState.DONE, action=RowAction.UPDATE)),
        moved=Count("pk", filter=Q(state=RowState.DONE, action=RowAction.MOVE)),
        refused=Count("pk", filter=Q(state=RowState.FAILED)),
    )
    at = clock()
    counts = {**run.counts, "done": done}
    finish(run, RunState.DONE, at=at, finished_at=at, counts=counts)
    journal(
        run,
        "import_done",
        by=run.created_by,
        at=at,
        channel=CHANNEL,
        data={"kind": run.kind, **done, "errors": run.counts.get("error", 0)},
    )
