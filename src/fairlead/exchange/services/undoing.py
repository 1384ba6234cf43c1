"""An import is taken back: what it made goes, what it changed is put back. Rows that somebody has changed,
moved or built upon since are kept and listed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from fairlead.common import bulk
from fairlead.crm.services.undoing import MODELS, in_use, no_customers, put_back_records, remove_records
from fairlead.exchange.enums import ImportKind, RowAction, RowState, RunState
from fairlead.exchange.fairness import Pace
from fairlead.exchange.models import ImportRow, ImportRun
from fairlead.exchange.reading.problems import RowProblem
from fairlead.journal.models import Event
from fairlead.organisation.services.undoing import remove_people, remove_teams
from fairlead.process.services.undoing import links_from

from .staging import CannotChange, get_run, journal
from .working import ClaimLost, claim, clock, finish, still_mine

UNDO_DAYS: Final = 30
CHANNEL: Final = "import"
_TOUCHED: Final = Q(action=RowAction.CREATE) | ~Q(before={})


def may_be_undone(run: ImportRun, *, at: datetime) -> bool:
    since = run.finished_at or run.started_at
    return (
        run.state in (RunState.DONE, RunState.FAILED)
        and since is not None
        and at - since < timedelta(days=UNDO_DAYS)
    )


@transaction.atomic
def begin_undo(run_id: int, *, by: Any, at: datetime, channel: str) -> ImportRun:
    """Put the undo before the worker."""
    run = get_run(run_id, by=by)
    run = ImportRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    if not may_be_undone(run, at=at):
        raise CannotChange(
            _("An import can be undone for %(days)s days after it ended.") % {"days": UNDO_DAYS}
        )
    wanted = _left(run).count()
    run.state, run.alive_at, run.rows_done, run.rows_total = RunState.UNDOING, at, 0, wanted
    run.version += 1
    run.save()
    journal(
        run, "import_undo_started", by=by, at=at, channel=channel, data={"kind": run.kind, "rows": wanted}
    )
    return run


def _left(run: ImportRun) -> Any:
    """Rows whose records are still as the import left them, children before parents."""
    rows = run.rows.filter(_TOUCHED, state__in=(RowState.DONE, RowState.FAILED), target_id__isnull=False)
    return rows.order_by("-rank", "-number")


def undo(run_id: int) -> None:
    """The job. Bears a second run."""
    run = claim(run_id, state=RunState.UNDOING, at=clock())
    if run is None:
        return
    pace = Pace()
    try:
        while True:
            size = pace.rows
            with pace.turn():
                done = _batch(run, size)
            pace.wrote(done)
            if not done:
                break
        with transaction.atomic():
            _close(run)
    except ClaimLost:
        return


def _batch(run: ImportRun, size: int) -> int:
    at = clock()
    with transaction.atomic():
        still_mine(run, at=at)
        rows = list(_left(run)[:size])
        if not rows:
            return 0
        rows = [r for r in rows if r.rank == rows[0].rank]  # what refers to them has to be gone
        created = [r for r in rows if r.action == RowAction.CREATE]
        changed = [r for r in rows if r.action != RowAction.CREATE]
        if run.kind == ImportKind.PERSON:
            _people(run, created, at)
        else:
            touched = _touched(run, [r.target_id for r in rows if r.target_id is not None])
            _remove(run, created, touched, at)
            _restore(run, changed, touched, at)
        bulk.update(rows, ["state", "problems", "target_id"])
        ImportRun.objects.filter(pk=run.pk).update(rows_done=min(run.rows_total, run.rows_done + len(rows)))
        run.rows_done = min(run.rows_total, run.rows_done + len(rows))
    return len(rows)


def _touched(run: ImportRun, ids: Collection[int]) -> set[int]:
    """Records that somebody has done something with since the import's own last word about them."""
    events = Event.objects.about(run.kind, ids)
    own = dict(events.filter(batch_id=run.pk).order_by().values_list("subject_id").annotate(last=Max("id")))
    others = events.exclude(batch_id=run.pk).order_by().values_list("subject_id").annotate(last=Max("id"))
    return {pk for pk, last in others if last > own.get(pk, 0)}


def _keep(row: ImportRow, code: str) -> None:
    row.state = RowState.KEPT
    row.problems = [*row.problems, RowProblem(row.number, None, code).as_json()]


def _remove(run: ImportRun, rows: Sequence[ImportRow], touched: set[int], at: datetime) -> None:
    ids = [r.target_id for r in rows if r.target_id is not None and r.target_id not in touched]
    used = in_use(run.kind, ids, since=run.started_at or run.created_at) if ids else set()
    for row in rows:
        if row.target_id in touched:
            _keep(row, "kept-changed")
        elif row.target_id in used:
            _keep(row, "kept-in-use")
        else:
            row.state = RowState.UNDONE
    how: dict[str, Any] = {"by_id": run.created_by_id, "at": at, "channel": CHANNEL, "batch_id": run.pk}
    remove_records(run.kind, [pk for pk in ids if pk not in used], **how)
    made = [pk for r in rows if r.state == RowState.UNDONE for pk in r.before.get("made", ())]
    if made:
        run.options.setdefault("made_accounts", []).extend(made)
        ImportRun.objects.filter(pk=run.pk).update(options=run.options)
    prospects = [pk for r in rows for pk in r.before.get("prospects", ())]
    if prospects:
        run.options.setdefault("prospects", []).extend(prospects)
        ImportRun.objects.filter(pk=run.pk).update(options=run.options)


def _restore(run: ImportRun, rows: Sequence[ImportRow], touched: set[int], at: datetime) -> None:
    ids = [r.target_id for r in rows if r.target_id is not None]
    used = in_use_since(run, ids)
    put_back = {}
    for row in rows:
        if row.target_id in touched:
            _keep(row, "kept-changed")
        elif row.target_id in used:
            _keep(row, "kept-in-use")
        elif row.target_id is not None:
            row.state = RowState.UNDONE
            put_back[row.target_id] = row.before
    put_back_records(run.kind, put_back, by_id=run.created_by_id, at=at, channel=CHANNEL, batch_id=run.pk)


def in_use_since(run: ImportRun, ids: Collection[int]) -> set[int]:
    """Moved records from which something else set out with or after the move."""
    return links_from(run.kind, ids, since=run.started_at or run.created_at) if run.kind in MODELS else set()


def _people(run: ImportRun, rows: Sequence[ImportRow], at: datetime) -> None:
    how: dict[str, Any] = {"by": run.created_by, "at": at, "channel": CHANNEL}
    ids = {r.target_id for r in rows if r.target_id is not None}
    managers = {pk for r in rows for pk in r.before.get("users", ())}
    gone = remove_people(ids | managers, **how)
    for row in rows:
        if row.target_id in gone:
            row.state = RowState.UNDONE
        else:
            _keep(row, "kept-in-use")
    remove_teams({pk for r in rows for pk in r.before.get("teams", ())}, **how)


def _close(run: ImportRun) -> None:
    at = clock()
    how: dict[str, Any] = {"by_id": run.created_by_id, "at": at, "channel": CHANNEL, "batch_id": run.pk}
    made = list(run.options.get("made_accounts", ()))
    if made:
        stay = _touched_accounts(run, made) | in_use("account", made, since=at)
        remove_records("account", [pk for pk in made if pk not in stay], **how)
    no_customers(run.options.get("prospects", ()))
    if run.kind == ImportKind.PERSON:  # teams that were waiting for the last of their people
        teams = {
            pk
            for before in run.rows.filter(~Q(before={})).values_list("before", flat=True)
            for pk in before.get("teams", ())
        }
        teams |= set(run.options.get("made_teams", ()))
        remove_teams(teams, by=run.created_by, at=at, channel=CHANNEL)
    kept = run.rows.filter(state=RowState.KEPT).count()
    counts = {**run.counts, "undone": run.rows.filter(state=RowState.UNDONE).count(), "kept": kept}
    finish(run, RunState.UNDONE, at=at, undone_at=at, counts=counts)
    journal(
        run,
        "import_undone",
        by=run.created_by,
        at=at,
        channel=CHANNEL,
        data={"kind": run.kind, "undone": counts["undone"], "kept": kept},
    )


def _touched_accounts(run: ImportRun, ids: Collection[int]) -> set[int]:
    events = Event.objects.about("account", ids).exclude(batch_id=run.pk)
    return set(events.values_list("subject_id", flat=True))
