"""Playbooks at work (PB-2): launched by hand or by what happens, never twice in silence, ended with a word on what
came of them. Their tasks are ordinary tasks of the record.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common import records
from fairlead.common.refusals import Invalid, NotFound, Stale
from fairlead.fields.catalogue import pick
from fairlead.journal.enums import Channel
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import User
from fairlead.organisation.selectors import calendars
from fairlead.work.services.plans import PlannedTask, remove_open, tasks_of_plan

from ..definition import Definition, Playbook, PlayTask
from ..definitions import definition_of, definitions_of
from ..enums import CLOSED_STATES, Again, Kind, RunOutcome, RunState, TriggerKind
from ..handbooks import applies
from ..models import Journey, PlaybookRun, PlaybookTask
from ..refusals import PlaybookRanBefore
from ..subjects import Moved, room_of
from .clock_notices import Managers

ENTERING = frozenset({Kind.ADVANCE, Kind.BRANCH, Kind.SKIP, Kind.REGRESS, Kind.REOPEN})


@transaction.atomic
def launch_playbook(
    journey_id: int, *, playbook: str, by: Any, at: datetime, channel: str, again: str = ""
) -> PlaybookRun:
    """Begin a playbook by hand. Raises NotFound, NotPermitted, Invalid.

    PlaybookRanBefore where it is or was at work in this journey and `again` does not say what then: restart (what
    is open of the earlier run is taken back), resume (what is left is dated anew) or skip (nothing changes).
    """
    journey = _journey(journey_id, by=by)
    definition = definition_of(journey.process_version)
    book = definition.playbooks.get(playbook)
    if book is None:
        raise NotFound
    if again and again not in Again.values:
        raise Invalid.field("again", _("Start afresh, go on, or leave it."))
    if journey.state in CLOSED_STATES:
        raise Invalid.field("playbook", _("The deal is closed."))
    return _begin(journey, definition, book, by=by, at=at, channel=channel, again=again, trigger="")


@transaction.atomic
def end_playbook(
    run_id: int, *, outcome: str, version: int, by: Any, at: datetime, channel: str
) -> PlaybookRun:
    """Say what came of a playbook; tasks that are still open are taken back. Raises NotFound, NotPermitted, Stale."""
    run = PlaybookRun.objects.select_for_update(of=("self",)).filter(pk=run_id).first()
    if run is None:
        raise NotFound
    journey = _journey(run.journey_id, by=by)
    if outcome not in RunOutcome.values:
        raise Invalid.field("outcome", _("Say what came of it."))
    if run.version != version:
        raise Stale(details={"version": run.version})
    with records.record_type(journey.subject_type).changing([journey.subject_id], at):
        _take_back(run, by=by, at=at, channel=channel)
    run.state, run.outcome, run.ended_at, run.asked_at = RunState.ENDED, outcome, run.ended_at or at, None
    run.version += 1
    run.save()
    _note(journey, run, "playbook_ended", by=by, at=at, channel=channel, outcome=outcome)
    return run


def follow_moves(moves: Sequence[Moved]) -> None:
    """After moves, in their transaction: what a stage or a hold starts, and the end of what a closed deal leaves."""
    for move in moves:
        if not move.refresh:
            continue  # a simulated past starts nothing
        journey, wish = move.journey, move.verdict.wish
        how: dict[str, Any] = {"by": move.by, "at": move.at, "channel": Channel.AUTOMATION}
        if journey.state in CLOSED_STATES:
            end_with_the_deal(journey, **how)
        elif wish.kind == Kind.HOLD:
            _happened(journey, TriggerKind.HOLD, **how)
        elif wish.kind in ENTERING:
            _happened(journey, TriggerKind.STAGE, stage=move.verdict.target, **how)


@transaction.atomic
def happened(
    subject_type: str,
    subject_ids: Sequence[int],
    trigger: TriggerKind,
    *,
    by: Any,
    at: datetime,
    count: int = 0,
) -> None:
    """Something that a playbook may wait for happened to these records; rooms above say so."""
    rows = Journey.objects.on(subject_type, subject_ids).current().open()
    for journey in rows.select_related("process_version", "stage").order_by("pk"):
        _happened(journey, trigger, by=by, at=at, channel=Channel.AUTOMATION, count=count)


@transaction.atomic
def take_back_launches(
    journey_id: int, *, launched_at: Collection[datetime], by: Any, at: datetime, channel: str
) -> None:
    """After a move was taken back: what it had started, where nothing of it is done yet, was not needed, and what
    the way back would ask for is not asked."""
    journey = Journey.objects.select_related("process_version", "stage").get(pk=journey_id)
    how: dict[str, Any] = {"by": by, "at": at, "channel": channel}
    for run in PlaybookRun.objects.select_for_update(of=("self",)).filter(journey=journey, asked_at=at):
        _skip(journey, run, **how)
    started = PlaybookRun.objects.select_for_update(of=("self",)).filter(
        journey=journey, launched_at__in=launched_at, state=RunState.OPEN
    )
    for run in started.exclude(trigger="").exclude(tasks__task__done_at__isnull=False):
        _take_back(run, **how)
        run.state, run.outcome, run.ended_at, run.version = (
            RunState.ENDED, RunOutcome.NOT_NEEDED, at, run.version + 1,
        )  # fmt: skip
        run.save()
        _note(journey, run, "playbook_ended", outcome=run.outcome, taken_back=True, **how)


# --- parts ---


def _journey(journey_id: int, *, by: Any) -> Journey:
    row = Journey.objects.select_related("process_version", "stage").filter(pk=journey_id).first()
    if row is None:
        raise NotFound
    kind = records.record_type(row.subject_type)
    records.require(by, row.subject_type, row.subject_id, kind.edit_right)
    return row


def _happened(
    journey: Journey,
    trigger: TriggerKind,
    *,
    by: Any,
    at: datetime,
    channel: str,
    stage: str = "",
    count: int = 0,
) -> None:
    definition = definitions_of({journey.process_version_id})[journey.process_version_id]
    waiting = [
        book
        for book in definition.playbooks.values()
        if (t := book.trigger) is not None and (t.event, t.stage, t.count) == (trigger, stage, count)
    ]
    if not waiting:
        return
    facts = room_of(journey.subject_type).facts([journey.subject_id])[journey.subject_id]
    for book in waiting:
        if not applies(book.applies_if, facts.fields, at):
            continue
        earlier = _latest(journey, book.key)
        if earlier is None:
            _begin(journey, definition, book, by=by, at=at, channel=channel, again="", trigger=trigger)
        elif earlier.asked_at is None:
            earlier.asked_at, earlier.version = at, earlier.version + 1
            earlier.save()
            _note(journey, earlier, "playbook_asked", by=by, at=at, channel=channel, trigger=trigger)


def _latest(journey: Journey, key: str) -> PlaybookRun | None:
    rows = PlaybookRun.objects.select_for_update(of=("self",)).filter(journey=journey, playbook_key=key)
    return rows.order_by("-number").first()


def _begin(
    journey: Journey,
    definition: Definition,
    book: Playbook,
    *,
    by: Any,
    at: datetime,
    channel: str,
    again: str,
    trigger: str,
) -> PlaybookRun:
    how: dict[str, Any] = {"by": by, "at": at, "channel": channel}
    locked = Journey.objects.select_for_update(of=("self",)).select_related("stage")
    journey = locked.get(pk=journey.pk)  # as it stands after a move; two launches at once make one run
    earlier = _latest(journey, book.key)
    if earlier is not None and not again:
        raise PlaybookRanBefore(
            details={"run": earlier.pk, "state": earlier.state, "again": list(Again.values)}
        )
    with records.record_type(journey.subject_type).changing([journey.subject_id], at):
        if earlier is not None and again == Again.SKIP:
            return _skip(journey, earlier, **how)
        if earlier is not None and again == Again.RESUME:
            return _resume(journey, earlier, book, **how)
        if earlier is not None and earlier.state == RunState.OPEN:
            _take_back(earlier, **how)
            earlier.state, earlier.ended_at, earlier.asked_at = RunState.ENDED, at, None
            earlier.version += 1
            earlier.save()
            _note(journey, earlier, "playbook_ended", outcome="", restarted=True, **how)
        run = PlaybookRun.objects.create(
            journey=journey,
            playbook_key=book.key,
            process_version=definition.version,
            stage_key=journey.stage.key,
            number=earlier.number + 1 if earlier is not None else 1,
            trigger=trigger,
            launched_by=by,
            launched_at=at,
        )
        _give_out(journey, run, book, book.tasks, **how)
        _note(journey, run, "playbook_launched", trigger=trigger, **how)
    return run


def _skip(journey: Journey, run: PlaybookRun, **how: Any) -> PlaybookRun:
    run.asked_at, run.version = None, run.version + 1
    run.save()
    _note(journey, run, "playbook_skipped", **how)
    return run


def _resume(journey: Journey, run: PlaybookRun, book: Playbook, **how: Any) -> PlaybookRun:
    """Open tasks are taken back and given out anew with the others that are left, dated from now."""
    _take_back(run, **how)
    done = set(run.tasks.filter(task__done_at__isnull=False).values_list("key", flat=True))
    run.state, run.outcome, run.ended_at, run.asked_at = RunState.OPEN, "", None, None
    run.version += 1
    run.save()
    _give_out(journey, run, book, [task for task in book.tasks if task.key not in done], **how)
    _note(journey, run, "playbook_resumed", left=len(book.tasks) - len(done), **how)
    return run


def _take_back(run: PlaybookRun, *, by: Any, at: datetime, channel: str) -> None:
    remove_open(list(run.tasks.values_list("task_id", flat=True)), by=by, at=at, channel=channel)


def _give_out(
    journey: Journey,
    run: PlaybookRun,
    book: Playbook,
    tasks: Sequence[PlayTask],
    *,
    by: Any,
    at: datetime,
    channel: str,
) -> None:
    people, today = calendars(), timezone.localdate(at)
    held = holders(journey, {task.role for task in tasks if task.role}, at)
    planned = [
        PlannedTask(
            title=pick(task.title),
            list_key=book.key,
            assignee_id=(assignee := held.get(task.role, journey.owner_id)),
            due_date=people.of(assignee).workday_after(today, task.due) if task.due else today,
        )
        for task in tasks
    ]
    rows = tasks_of_plan(journey.subject_type, journey.subject_id, planned, by=by, at=at, channel=channel)
    PlaybookTask.objects.bulk_create(
        [PlaybookTask(run=run, task=row, key=task.key) for row, task in zip(rows, tasks, strict=True)]
    )


def holders(journey: Journey, roles: Set[str], at: datetime) -> Mapping[str, int]:
    """Role → who holds it for this record, and sees it. What nobody holds falls to the owner."""
    team = room_of(journey.subject_type).facts([journey.subject_id])[journey.subject_id].team
    found = {role: min(held) for role in roles if (held := team.get(role))}
    if "MGR" in roles and (managers := Managers().of(journey.team_id) - {journey.owner_id or 0}):
        found["MGR"] = min(managers)
    people = list(User.objects.filter(pk__in=found.values(), is_active=True))
    seers = records.record_type(journey.subject_type).seers(people, journey.subject_id)
    return {role: person for role, person in found.items() if person in seers}


def end_with_the_deal(journey: Journey, *, by: Any, at: datetime, channel: str) -> None:
    """What came of it nobody has said; it is not said for them."""
    for run in PlaybookRun.objects.filter(journey=journey, state=RunState.OPEN):
        _take_back(run, by=by, at=at, channel=channel)
        run.state, run.ended_at, run.asked_at, run.version = RunState.ENDED, at, None, run.version + 1
        run.save()
        _note(journey, run, "playbook_ended", by=by, at=at, channel=channel, outcome="", closed=True)


def go_on_with(
    journey: Journey,
    runs: Collection[int],
    books: Mapping[str, Playbook],
    *,
    by: Any,
    at: datetime,
    channel: str,
) -> None:
    """Those of these runs that ended with their deal go on: it runs again."""
    ended = PlaybookRun.objects.select_for_update(of=("self",)).filter(pk__in=runs, journey=journey.pk)
    for run in ended.filter(state=RunState.ENDED, outcome=""):
        if run.playbook_key in books:
            _resume(journey, run, books[run.playbook_key], by=by, at=at, channel=channel)


def _note(
    journey: Journey, run: PlaybookRun, type_: str, *, by: Any, at: datetime, channel: str, **data: Any
) -> None:
    record(
        [
            NewEvent(
                type=type_,
                subject_type=journey.subject_type,
                subject_id=journey.subject_id,
                journey_id=journey.pk,
                actor_id=by.pk if by is not None else None,
                effective_at=at,
                channel=channel,
                process_key=journey.process_key,
                process_version=run.process_version,
                data={"playbook": run.playbook_key, "run": run.pk, "stage": run.stage_key, **data},
            )
        ]
    )
