"""What a confirmed plan says is done: journey by journey in short transactions that take turns with people, each leaving
the plan ready to go on where it stopped; with the next move where that was chosen; and undone within a day (VR-9).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from fairlead.common import bulk, turns
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.journal.services import NewEvent
from fairlead.organisation.calendars import Calendar

from .. import fold, stages, version_plans
from ..carrying import entering, exempt, grace
from ..clocks import text_of
from ..definition import Definition
from ..definitions import definition_of
from ..enums import JourneyState, Kind, MigrationChoice, MigrationRowState, MigrationState
from ..facts import Facts
from ..models import GateFlag, Journey, Migration, MigrationRow
from ..selectors.gathering import Situation, situations
from ..verdicts import Verdict
from ..version_plans import Outlook, StageMap
from . import gates, leaving, ledger
from .migrating import _journal, grace_end, maps_of
from .norms import norm_of_stage

SILENCE = timedelta(minutes=3)
AT_MOST = 20  # journeys of one transaction
_CHANGES_STAGE = frozenset({Kind.ADVANCE, Kind.BRANCH, Kind.SKIP, Kind.REGRESS})
_PASSES = frozenset({Kind.ADVANCE, Kind.BRANCH})
_RUNNING = (JourneyState.OPEN, JourneyState.ON_HOLD)
_SETTLED = ["state", "to_stage", "event_id", "done_at"]
Clock = Callable[[], datetime]


class ClaimLost(Exception):
    """Somebody else works on it now, or it was stopped: leave everything as it is."""


def abandoned(*, at: datetime) -> list[int]:
    """Plans at work that nobody has been heard of for a while: their worker was killed, or never came."""
    rows = Migration.objects.filter(state__in=[MigrationState.RUNNING, MigrationState.UNDOING])
    return list(rows.exclude(alive_at__gt=at - SILENCE).values_list("pk", flat=True))


def execute(migration_id: int, *, clock: Clock) -> None:
    """The job: carry over, or undo. Bears a second run: what is done is marked in the transaction that did it."""
    migration = _claim(migration_id, clock())
    if migration is None:
        return
    batch, close = (_carry, _close) if migration.state == MigrationState.RUNNING else (_put_back, _close_undo)
    maps, pace = maps_of(migration), turns.pace()
    try:
        while True:
            size = min(pace.rows, AT_MOST)
            done = batch(migration, maps, pace, size, clock())
            pace.wrote(done)
            if not done:
                break
        with pace.turn(), transaction.atomic():
            close(migration, clock())
    except ClaimLost:
        return


@transaction.atomic
def _claim(migration_id: int, at: datetime) -> Migration | None:
    row = (
        Migration.objects.select_for_update(of=("self",))
        .select_related("process", "target", "confirmed_by", "undone_by")
        .filter(pk=migration_id, state__in=[MigrationState.RUNNING, MigrationState.UNDOING])
        .first()
    )
    if row is not None:
        row.runner, row.alive_at = secrets.token_hex(16), at
        row.save(update_fields=["runner", "alive_at"])
    return row


def _still_mine(migration: Migration, done: int, at: datetime) -> None:
    mine = Migration.objects.filter(pk=migration.pk, runner=migration.runner, state=migration.state)
    if not mine.update(rows_done=F("rows_done") + done, alive_at=at):
        raise ClaimLost


def _gathered(ids: Sequence[int], at: datetime) -> dict[int, Situation]:
    rows = list(Journey.objects.filter(pk__in=ids))
    stages.attach(rows)
    return situations(rows, at=at)


def _carry(
    migration: Migration, maps: Mapping[int, StageMap], pace: turns.Pace, size: int, at: datetime
) -> int:
    """The next journeys, all of them or none. Facts are gathered before anybody has to wait."""
    rows = list(migration.rows.filter(state=MigrationRowState.PLANNED).order_by("pk")[:size])
    before = _gathered([r.journey_id for r in rows if r.choice == MigrationChoice.NOW], at)
    with pace.turn(), transaction.atomic():
        _still_mine(migration, len(rows), at)
        if not rows:
            return 0
        locked = ledger.lock([r.journey_id for r in rows])
        current = {
            pk: s
            for pk, s in before.items()
            if pk in locked
            and (s.journey.facts_rev, s.journey.version) == (locked[pk].facts_rev, locked[pk].version)
        }
        now = [r.journey_id for r in rows if r.choice == MigrationChoice.NOW and r.journey_id in locked]
        current.update(situations([locked[pk] for pk in now if pk not in current], at=at))
        waiting, going = list[Journey](), list[tuple[MigrationRow, Journey]]()
        carried: list[tuple[MigrationRow, Journey, Situation, Outlook]] = []
        for row in rows:
            journey = locked.get(row.journey_id)
            if journey is None or not _is_in_flight(journey, migration):
                row.state = MigrationRowState.GONE
            elif row.choice == MigrationChoice.NEXT:
                row.state, journey.waits_for_id = MigrationRowState.WAITING, migration.pk
                waiting.append(journey)
            elif row.choice == MigrationChoice.LEAVE:
                going.append((row, journey))
            else:
                one = _outlook(maps[journey.process_version_id], current[journey.pk].facts, journey, row.picked,
                               grace_end(migration, at))  # fmt: skip
                row.to_stage = one.to_stage or ""
                if one.to_stage is None:  # it has come to a stage meanwhile that is split by hand
                    row.state = MigrationRowState.MANUAL
                else:
                    carried.append((row, journey, current[journey.pk], one))
        bulk.update(waiting, ["waits_for_id"])
        _write(migration, locked, carried, at)
        leaving.leave(migration, going, at=at)
        bulk.update(rows, _SETTLED)
    return len(rows)


def _is_in_flight(journey: Journey, migration: Migration) -> bool:
    return (
        journey.state in _RUNNING
        and journey.superseded_at is None
        and journey.process_version_id != migration.target_id
    )


def _outlook(
    stage_map: StageMap, facts: Facts, journey: Journey, picked: str, until: datetime | None
) -> Outlook:
    return version_plans.outlook(
        stage_map,
        facts,
        category=journey.forecast_category,
        probability=journey.probability,
        pinned=journey.category_pinned,
        picked=picked,
        grace_until=until,
    )


def _write(
    migration: Migration,
    locked: Mapping[int, Journey],
    carried: Sequence[tuple[MigrationRow, Journey, Situation, Outlook]],
    at: datetime,
) -> None:
    if not carried:
        return
    new = definition_of(migration.target)
    until = grace_end(migration, at)
    events = [
        migrated_event(
            migration, new, journey, situation.definition, one, at=at, until=until,
            calendar=situation.calendars.default, actor_id=migration.confirmed_by_id, channel=Channel.SYSTEM,
        )
        for _row, journey, situation, one in carried
    ]  # fmt: skip
    flags = gates.standing_flags([journey.pk for _row, journey, _s, _one in carried])
    cleared: list[GateFlag] = []

    def settle(_rows: Sequence[Journey], _visits: ledger.Visits) -> Sequence[str]:
        known = {j.pk: after_migration(s, j, new, one.stages) for _row, j, s, one in carried}
        cleared.extend(judged_anew([j for _row, j, _s, _one in carried], at, known, flags, new))
        for _row, journey, _s, _one in carried:
            journey.waits_for_id = None
        return [*gates.COLUMNS, "waits_for_id"]

    stored = ledger.write(
        {j.pk: j for _row, j, _s, _one in carried},
        events,
        calendars=carried[0][2].calendars,
        visits={j.pk: s.visits for _row, j, s, _one in carried},
        settle=settle,
    )
    bulk.update([flag for flag in cleared if flag.pk is not None], ["cleared_at"])
    for (row, _journey, _s, _one), event in zip(carried, stored, strict=True):
        row.state, row.event_id, row.done_at = MigrationRowState.DONE, event.pk, at


def judged_anew(
    journeys: Sequence[Journey],
    at: datetime,
    known: Mapping[int, Situation],
    flags: Mapping[int, Sequence[GateFlag]],
    new: Definition,
) -> list[GateFlag]:
    """The summaries of the gates ahead; flags of criteria that are no more are cleared with those that hold."""
    gone = [f for own in flags.values() for f in own if new.criterion(f.criterion_key) is None]
    for flag in gone:
        flag.cleared_at = at
    left = {pk: [f for f in own if f.cleared_at is None] for pk, own in flags.items()}
    return [*gone, *gates.judge(journeys, at=at, known=known, flags=left)]


def migrated_event(
    migration: Migration | None,
    new: Definition,
    journey: Journey,
    old: Definition,
    one: Outlook,
    *,
    at: datetime,
    until: datetime | None,
    calendar: Calendar,
    actor_id: int | None,
    channel: str,
    from_stage: str = "",
) -> NewEvent:
    """All that the fold needs stands in `data`, and what the undo needs as well. Without a plan: one record alone."""
    assert one.to_stage is not None
    stage = new.stage(one.to_stage)
    data: dict[str, Any] = {
        "migration": migration.pk if migration is not None else None,
        "from_version": old.version,
        "stages": dict(one.stages),
        "axis": stage.axis_key,
        "probability": stage.probability[1],
        "category": str(stage.forecast),
        "before": {
            "probability": one.probability[0],
            "category": one.category[0],
            "carried": journey.carried,
            "policy": journey.clocks.get("policy"),
        },
    }
    if one.exempt:
        data["exempt"] = dict(one.exempt)
    if one.grace and until is not None and until > at:
        data["grace"] = {key: text_of(until) for key in one.grace}
    if journey.clocks.get("policy") is not None:
        data["policy_dropped"] = True
    if new.key != old.key:
        data["from_process"] = old.key
    if new.clocks.needs_norm(one.to_stage):
        data["norm"] = norm_of_stage(new, one.to_stage, calendar)
    return NewEvent(
        **ledger.event_base(
            journey,
            new.version,
            type=fold.MIGRATED,
            process_key=new.key,
            actor_id=actor_id,
            effective_at=at,
            recorded_at=at,
            channel=channel,
            from_stage=from_stage or journey.stage.key,
            to_stage=one.to_stage,
            data=data,
        )
    )


def after_migration(
    situation: Situation, row: Journey, new: Definition, mapped: Mapping[str, str]
) -> Situation:
    """The situation once the migration stands on `row`."""
    facts = version_plans.carried_facts(new, situation.facts, mapped, row.stage.key)
    fact = replace(facts.journey, exempt=exempt(row.carried), grace=grace(row.carried))
    return replace(situation, journey=row, definition=new, facts=replace(facts, journey=fact))


# --- with the next move (VR-2 b) ---


class WithMoves:
    """Journeys of a batch of moves that come to another version in the same transaction.

    The gate that they leave by is the one they were shown, that of their own version; from the stage they enter on
    the new one holds.
    """

    def __init__(self, *, at: datetime, channel: str) -> None:
        self.at, self.channel = at, channel
        self.events: list[NewEvent] = []
        self.joined: dict[int, tuple[Migration, Outlook, Definition]] = {}
        self._maps: dict[int, tuple[Migration, dict[int, StageMap]]] = {}

    def join(self, row: Journey, situation: Situation, verdict: Verdict, *, actor_id: int | None) -> None:
        """Told of each allowed move before it is written."""
        if row.waits_for_id is None or verdict.wish.kind not in _CHANGES_STAGE:
            return
        if row.waits_for_id not in self._maps:
            migration = Migration.objects.select_related("process", "target").get(pk=row.waits_for_id)
            self._maps[row.waits_for_id] = migration, maps_of(migration)
        migration, maps = self._maps[row.waits_for_id]
        stage_map = maps.get(row.process_version_id)
        if stage_map is None or stage_map.troubles:
            return
        journey = situation.facts.journey
        passed = journey.passed
        if verdict.wish.kind in _PASSES:
            passed |= {journey.stage_key}
        carried = entering(row.carried, verdict.target)
        fact = replace(
            journey, stage_key=verdict.target, passed=passed, exempt=exempt(carried), grace=grace(carried)
        )
        category, probability = _entered(situation.definition, row, verdict.target)
        one = version_plans.outlook(
            stage_map,
            replace(situation.facts, journey=fact),
            category=category,
            probability=probability,
            pinned=row.category_pinned,
            grace_until=None,
        )
        if one.to_stage is None:  # somebody has to choose: it goes on waiting
            return
        self.joined[row.pk] = migration, one, stage_map.new
        self.events.append(
            migrated_event(
                migration, stage_map.new, row, situation.definition, one, at=self.at, until=None,
                calendar=situation.calendars.default, actor_id=actor_id, channel=self.channel,
                from_stage=verdict.target,
            )
        )  # fmt: skip

    def after(self, situation: Situation, row: Journey) -> Situation:
        """The situation after the move, and after the migration where one joined it."""
        found = self.joined.get(row.pk)
        if found is None:
            return situation
        row.waits_for_id = None
        return after_migration(situation, row, found[2], found[1].stages)

    def settle(self, stored: Sequence[Event], locked: Mapping[int, Journey]) -> None:
        """After the write: the plans learn what became of their rows."""
        by_journey = {e.journey_id: e for e in stored if e.type == fold.MIGRATED}
        for pk, (migration, one, _new) in self.joined.items():
            locked[pk].waits_for_id = None
            migration.rows.filter(journey=pk).update(
                state=MigrationRowState.DONE,
                to_stage=one.to_stage,
                event_id=by_journey[pk].pk,
                done_at=self.at,
            )
        bulk.update([locked[pk] for pk in self.joined], ["waits_for_id"])


def _entered(definition: Definition, row: Journey, stage_key: str) -> tuple[str, int]:
    stage = definition.stage(stage_key)
    return (row.forecast_category if row.category_pinned else str(stage.forecast)), stage.probability[1]


# --- the undo ---


def _put_back(
    migration: Migration, maps: Mapping[int, StageMap], pace: turns.Pace, size: int, at: datetime
) -> int:
    """The next journeys back on the version before; those that have moved since are kept and named (AC-15)."""
    wanted = [MigrationRowState.DONE, MigrationRowState.LEFT, MigrationRowState.WAITING]
    rows = list(migration.rows.filter(state__in=wanted).order_by("pk")[:size])
    with pace.turn(), transaction.atomic():
        _still_mine(migration, len(rows), at)
        if not rows:
            return 0
        locked = ledger.lock([r.journey_id for r in rows])
        moved = _moved_since(rows)
        waiting: list[Journey] = []
        back, returning = list[tuple[MigrationRow, Journey]](), list[tuple[MigrationRow, Journey]]()
        for row in rows:
            journey = locked.get(row.journey_id)
            if row.state == MigrationRowState.WAITING:
                row.state = MigrationRowState.UNDONE
                if journey is not None and journey.waits_for_id == migration.pk:
                    journey.waits_for_id = None
                    waiting.append(journey)
            elif journey is None or row.journey_id in moved:
                row.state = MigrationRowState.REFUSED
            else:
                (returning if row.state == MigrationRowState.LEFT else back).append((row, journey))
        bulk.update(waiting, ["waits_for_id"])
        _write_back(migration, back, at)
        leaving.come_back(migration, returning, at=at)
        bulk.update(rows, ["state"])
    return len(rows)


def _moved_since(rows: Sequence[MigrationRow]) -> set[int]:
    """Journeys with a move, a hold, an end … after what was done to them."""
    ours = {r.journey_id: r.event_id for r in rows if r.event_id is not None}
    later = Event.objects.of_journeys(ours).filter(type__in=fold.MOVING, pk__gt=min(ours.values(), default=0))
    return {
        journey
        for journey, pk in later.values_list("journey_id", "pk")
        if journey is not None and pk > (ours[journey] or 0)
    }


def _write_back(migration: Migration, back: Sequence[tuple[MigrationRow, Journey]], at: datetime) -> None:
    if not back:
        return
    told = Event.objects.in_bulk([row.event_id for row, _journey in back])
    events = []
    for row, journey in back:
        event = told[row.event_id]
        before = event.data["before"]
        events.append(
            NewEvent(
                **ledger.event_base(
                    journey,
                    row.from_version,
                    type=fold.UNMIGRATED,
                    actor_id=migration.undone_by_id,
                    effective_at=at,
                    recorded_at=at,
                    channel=Channel.SYSTEM,
                    from_stage=journey.stage.key,
                    to_stage=event.from_stage,
                    data={
                        "migration": migration.pk,
                        "probability": before["probability"],
                        "category": before["category"],
                        "carried": before["carried"],
                        "policy": before["policy"],
                    },
                )
            )
        )
    _raise_flags(back)
    journeys = {journey.pk: journey for _row, journey in back}
    ledger.write(journeys, events)
    gates.refresh_gates(list(journeys.values()), at=at)
    for row, _journey in back:
        row.state = MigrationRowState.UNDONE


def _raise_flags(back: Sequence[tuple[MigrationRow, Journey]]) -> None:
    """Flags that the migration itself cleared stand again."""
    done = {row.journey_id: row.done_at for row, _journey in back}
    flags = [
        flag
        for flag in GateFlag.objects.filter(journey__in=list(done), cleared_at__in=set(done.values()))
        if flag.cleared_at == done[flag.journey_id]
    ]
    standing = {
        (flag.journey_id, flag.criterion_key)
        for flag in GateFlag.objects.filter(journey__in=list(done), cleared_at=None)
    }
    again = [flag for flag in flags if (flag.journey_id, flag.criterion_key) not in standing]
    for flag in again:
        flag.cleared_at = None
    bulk.update(again, ["cleared_at"])


def _close(migration: Migration, at: datetime) -> None:
    _end(migration, MigrationState.DONE, finished_at=at)
    _journal(
        migration, "migration_done", by=migration.confirmed_by, at=at, channel=Channel.SYSTEM, **_counts(migration)
    )  # fmt: skip


def _close_undo(migration: Migration, at: datetime) -> None:
    _end(migration, MigrationState.UNDONE, undone_at=at)
    _journal(
        migration, "migration_taken_back", by=migration.undone_by, at=at, channel=Channel.SYSTEM,
        **_counts(migration),
    )  # fmt: skip


def _end(migration: Migration, state: str, **fields: Any) -> None:
    mine = Migration.objects.filter(pk=migration.pk, runner=migration.runner, state=migration.state)
    if not mine.update(state=state, runner="", version=F("version") + 1, **fields):
        raise ClaimLost


def _counts(migration: Migration) -> dict[str, Any]:
    found: dict[str, int] = {}
    for state in migration.rows.order_by().values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found
