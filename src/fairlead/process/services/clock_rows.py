"""Clock rows: what the fold and the policy make of a journey's clocks, written beside the journey itself.

`ledger` calls `settle` in the transaction of the move; `rebuilding` writes the same readings into empty tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from fairlead.common import bulk
from fairlead.journal.models import Event
from fairlead.journal.services import NewEvent
from fairlead.organisation.calendars import Calendar
from fairlead.organisation.selectors import Calendars

from .. import clock_events, fold
from ..clocks import BY_KEY, ClockPolicy, Reading, policy_of, readings
from ..criteria import ROLES
from ..definitions import clock_policy, clock_policy_of
from ..enums import ClockKind
from ..models import Clock, Journey
from ..team_reading import MOST_TRACKS

COLUMNS = tuple(f for f in Reading.__dataclass_fields__ if f not in ("is_echo", "place"))
_VALUES = attrgetter(*COLUMNS)
_NUMBERS: dict[ClockKind, int] = {
    kind: n for n, kind in enumerate((k for k in ClockKind if k not in BY_KEY), start=1)
}
_ROLES = {role: len(_NUMBERS) + n for n, role in enumerate(ROLES, start=1)}
_TRACKS = 1 + len(_NUMBERS) + len(_ROLES)
PER_JOURNEY = 32  # ids that one journey may use
assert _TRACKS + MOST_TRACKS <= PER_JOURNEY

Readings = Mapping[tuple[ClockKind, str], Reading]


def clock_id(journey_id: int, kind: str, key: str = "", *, place: int = 0) -> int:
    """`key`: the role that owes an answer; `place`: of a track among those of its stage."""
    if kind == ClockKind.TRACK:
        number = _TRACKS + place
    else:
        number = _ROLES[key] if kind == ClockKind.RESPONSE else _NUMBERS[ClockKind(kind)]
    return journey_id * PER_JOURNEY + number


def policy_for(journey: Journey, travel: fold.Travel) -> tuple[ClockPolicy, int]:
    """The policy of the version that the journey is pinned to, or of the one taken over since (SL-6)."""
    taken = policy_of(travel)
    if taken is not None:
        return clock_policy(journey.process_key, taken), taken
    return clock_policy_of(journey.process_version_id)


def readings_of(journey: Journey, travel: fold.Travel, calendar: Calendar) -> Readings:
    """`calendar`: that of the owner, by which all clocks of a journey run from their start, whoever had it before."""
    policy, number = policy_for(journey, travel)
    return readings(travel, policy, number, calendar)


def row_of(journey_id: int, reading: Reading) -> Clock:
    return bulk.new(
        Clock,
        id=clock_id(journey_id, reading.kind, reading.key, place=reading.place),
        journey_id=journey_id,
        **dict(zip(COLUMNS, _VALUES(reading), strict=True)),
    )


def write_rows(found: Mapping[int, Readings], *, gone: Iterable[int] = (), fresh: bool = False) -> None:
    """Write the clocks of journeys, one statement for all; those named in `gone` lose what they had before.
    `fresh`: none of them has a clock yet."""
    if ids := list(gone):
        Clock.objects.filter(journey__in=ids).delete()
    if fresh:
        # In the order of the model: id, journey, and the columns of a reading.
        bulk.insert_values(
            Clock,
            [
                (clock_id(pk, reading.kind, reading.key, place=reading.place), pk, *_VALUES(reading))
                for pk, own in found.items()
                for reading in own.values()
            ],
        )
    else:
        rows = [row_of(pk, reading) for pk, own in found.items() for reading in own.values()]
        bulk.upsert(rows, ["journey_id", *COLUMNS])


class Timing:
    """The clocks of a batch of journeys around the events that change them: made before the fold, settled after."""

    def __init__(
        self, rows: Sequence[Journey], travels: Mapping[int, fold.Travel], calendars: Calendars
    ) -> None:
        self.rows, self.travels, self.calendars = rows, travels, calendars
        version = {row.pk: row.process_version_id for row in rows}
        self._was_at = {pk: (t.stage_key, bool(t.visits), version[pk]) for pk, t in travels.items()}
        self._policies = {pk: policy_of(t) for pk, t in travels.items()}
        # Only a clock that is over can be resolved, and then it has left a mark.
        self._over = {
            row.pk: {key: r for key, r in self._readings(row).items() if r.level}
            for row in rows
            if row.clocks.get("marks")
        }

    def _readings(self, row: Journey) -> Readings:
        travel = self.travels[row.pk]
        return readings_of(row, travel, self.calendars.of(travel.owner_id))

    def settle(self, events: Sequence[Event], *, fresh: bool) -> list[NewEvent]:
        """Write the clocks as they stand now. Returns what was resolved by `events`, to be recorded."""
        found: dict[int, Readings] = {}
        gone = []
        # Journeys that set out together at one stage have one and the same clocks.
        alike: dict[tuple[Any, ...], Readings] = {}
        for row in self.rows:
            travel = self.travels[row.pk]
            policy, number = policy_for(row, travel)
            calendar = self.calendars.of(travel.owner_id)
            kind = None
            if fresh and travel.setting_out:
                kind = (id(policy), id(calendar), number, *travel.setting_out)
            told = alike.get(kind) if kind is not None else None
            if told is None:
                told = readings(travel, policy, number, calendar)
                if kind is not None:
                    alike[kind] = told
            found[row.pk] = told
            stage, ran, version = self._was_at[row.pk]
            owed = (
                version != row.process_version_id
                or self._policies[row.pk] != policy_of(travel)
                or (stage != travel.stage_key and policy.has_more(stage))
            )
            if not fresh and ran and (owed or not found[row.pk]):
                gone.append(row.pk)
        write_rows(found, gone=gone, fresh=fresh)
        return self._resolved(found, events) if any(self._over.values()) else []

    def _resolved(self, found: Mapping[int, Readings], events: Sequence[Event]) -> list[NewEvent]:
        """An event for every clock that was over and no longer is, with what ended it (SL-5)."""
        last: dict[int | tuple[str, int], Event] = {}
        for told in events:
            last[told.journey_id or (told.subject_type, told.subject_id)] = told
        resolved = []
        for row in self.rows:
            by = last.get(row.pk) or last.get((row.subject_type, row.subject_id))
            stage, _ran, version = self._was_at[row.pk]
            for key, old in self._over.get(row.pk, {}).items():
                # A migration calls the stage otherwise; the clock goes on.
                is_carried = old.key and old.key == stage and version != row.process_version_id
                new = found[row.pk].get((old.kind, self.travels[row.pk].stage_key) if is_carried else key)
                if by is None or (new is not None and new.level):
                    continue
                resolved.append(
                    event(
                        row, clock_events.RESOLVED, by_id=by.actor_id, at=by.effective_at,
                        recorded_at=by.recorded_at, channel=by.channel, clock=str(old.kind), key=old.key,
                        level=old.level, resolution=by.data.get("exit") or by.type,
                    )
                )  # fmt: skip
        return resolved


def event(
    journey: Journey, type_: str, *, by_id: int | None, at: datetime, channel: str,
    recorded_at: datetime | None = None, **data: Any,
) -> NewEvent:  # fmt: skip
    """An event about a clock of a journey."""
    return NewEvent(
        type=type_,
        subject_type=journey.subject_type,
        subject_id=journey.subject_id,
        journey_id=journey.pk,
        process_key=journey.process_key,
        episode_no=journey.episode_no,
        from_stage=journey.stage.key,
        actor_id=by_id,
        effective_at=at,
        recorded_at=recorded_at or at,
        channel=channel,
        data=data,
    )
