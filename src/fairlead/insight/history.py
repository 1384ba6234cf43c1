"""Journeys and visits as the arrays that every metric reads, kept in memory per process.

A cold load reads whole columns as one text each, which both databases hand over far quicker than rows. Later
calls ask the journal which journeys changed since, and read only those again: what a page shows is never older
than its request.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Exists, OuterRef

from fairlead.journal.models import Event
from fairlead.journal.querysets import oldest_running_transaction
from fairlead.organisation.models import Organisation
from fairlead.process.models import Journey, Process, ProcessVersion, StageRow

from .columns import DUPLICATE, MIGRATED, Raw, read_columns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fairlead.analytics.tables import History

KEPT = 6
RELOAD_ABOVE = 500
"""Changed journeys above which everything is read again instead."""
MOST_EVENTS = 20_000
"""Events that are asked for at once."""
SAYS_NOTHING = ("clock_breached", "clock_escalated", "clock_acknowledged")
"""Events that change no column read here. One sweep writes thousands of them, each about another journey."""


@dataclass(frozen=True, slots=True)
class FunnelStage:
    """A stage of the axis as the newest version that has it describes it."""

    axis_key: str
    name: dict[str, str]
    limit_yellow: int | None
    limit_red: int | None
    shown: bool


@dataclass(frozen=True, eq=False)
class Loaded:
    """The history of one process. Arrays are per case, in the order of `history.journeys`.

    `subject`: id of the record; `reason`: a code into `reasons` ("" is code 0), of the episode of today alone.
    """

    process_key: str
    subject_type: str
    stages: tuple[FunnelStage, ...]
    history: History
    subject: NDArray[np.int64]
    reason: NDArray[np.int32]
    reasons: tuple[str, ...]
    answers: OrderedDict[Any, Any] = field(default_factory=OrderedDict)
    """What has been worked out on this state of the data; see `funnel.memory`."""

    @property
    def axis_keys(self) -> tuple[str, ...]:
        return self.history.visits.axis_keys


@dataclass(slots=True)
class _Kept:
    """What is in memory, and up to where in the journal it is right."""

    loaded: Loaded
    raw: Raw
    stamp: tuple[Any, ...]
    settled: tuple[int, int]
    tail: tuple[int, int]
    seen: frozenset[int]


_kept: OrderedDict[str, _Kept] = OrderedDict()
_locks: dict[str, threading.Lock] = {}
_lock = threading.Lock()


def forget() -> None:
    """Drop everything; for tests, where rows vanish without a word in the journal."""
    with _lock:
        _kept.clear()


def load(process_key: str) -> Loaded:
    """The history of a process as it is now. Raises Process.DoesNotExist for a stranger."""
    with _lock:
        lock = _locks.setdefault(process_key, threading.Lock())
    with lock:  # two first visitors at once: one loads, the other one waits
        kept = _current(process_key)
        with _lock:
            _kept[process_key] = kept
            _kept.move_to_end(process_key)
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
        return kept.loaded


def _current(process_key: str) -> _Kept:
    process = Process.objects.get(key=process_key)
    stages = lineage(process_key)
    zone = Organisation.objects.current().time_zone
    stamp = (process.pk, stages, zone)
    kept = _kept.get(process_key)
    if kept is None or kept.stamp != stamp:
        return _cold(process, stages, zone, stamp)
    # The horizon is taken before the events: an event that commits in between stays beyond it and is seen next time.
    horizon = oldest_running_transaction()
    if _tail(kept.settled) == kept.tail:
        return kept
    changed: list[tuple[int, int, int | None]] = []
    ids: set[int] = set()
    for batch in _batches_after(kept.settled):
        changed += batch
        ids |= {j for _txid, pk, j in batch if j is not None and pk not in kept.seen}
        if len(ids) > RELOAD_ABOVE:
            return _cold(process, stages, zone, stamp)
    loaded, raw = kept.loaded, kept.raw
    if ids:
        named = sorted(ids)
        fresh = read_columns(process_key, [s.axis_key for s in stages], named)
        if len(fresh.journeys["journey"]) or raw.holds(named):  # else they are journeys of other processes
            raw = raw.without(named).joined(fresh)
            loaded = _assemble(process, stages, zone, raw)
    below = [(txid, pk) for txid, pk, _journey in changed if horizon is None or txid < horizon]
    settled = max(below, default=kept.settled)
    return _Kept(loaded, raw, stamp, settled, *_beyond(changed, settled))


def _cold(process: Process, stages: tuple[FunnelStage, ...], zone: str, stamp: tuple[Any, ...]) -> _Kept:
    # The position is taken before the rows: what comes in between is read twice, never missed.
    horizon = oldest_running_transaction()
    events = Event.objects.all() if horizon is None else Event.objects.filter(txid__lt=horizon)
    newest = events.order_by("-txid", "-id").values_list("txid", "id").first()
    settled = newest or (0, 0)
    tail, seen = (
        _tail(settled),
        frozenset(pk for rows in _batches_after(settled) for _txid, pk, _journey in rows),
    )
    raw = read_columns(process.key, [s.axis_key for s in stages], None)
    return _Kept(_assemble(process, stages, zone, raw), raw, stamp, settled, tail, seen)


def _beyond(
    changed: Sequence[tuple[int, int, int | None]], settled: tuple[int, int]
) -> tuple[tuple[int, int], frozenset[int]]:
    """Count and newest of the events beyond `settled` that have been dealt with, and their ids."""
    seen = frozenset(pk for txid, pk, _journey in changed if (txid, pk) > settled)
    return (len(seen), max(seen, default=0)), seen


def _behind() -> str:
    """After a position: (transaction, id).

    PostgreSQL walks the index by the pair. SQLite would read a million entries for it, but its writers come one
    after the other: there the id alone is the order.
    """
    return "(txid, id) > (%s, %s)" if connection.vendor == "postgresql" else "+txid >= %s AND id > %s"


def _tail(position: tuple[int, int]) -> tuple[int, int]:
    """How many events there are after a position, and the greatest id: events are never deleted or changed."""
    statement = "SELECT count(*), COALESCE(max(id), 0) FROM " + Event._meta.db_table + " WHERE " + _behind()  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, position)
        count, newest = cursor.fetchone()
    return count, newest


def _batches_after(position: tuple[int, int]) -> Iterator[list[tuple[int, int, int | None]]]:
    """(transaction, id, journey) of all events after a position, at most MOST_EVENTS at once; no journey where
    the event says nothing that is kept here."""
    quiet = "CASE WHEN type IN (" + ", ".join(["%s"] * len(SAYS_NOTHING)) + ") THEN NULL ELSE journey_id END"
    statement = (
        "SELECT txid, id, " + quiet + " FROM " + Event._meta.db_table + " WHERE " + _behind()  # noqa: S608
        + (" ORDER BY txid, id" if connection.vendor == "postgresql" else " ORDER BY id") + " LIMIT %s"
    )  # fmt: skip
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [*SAYS_NOTHING, *position, MOST_EVENTS])
            found = list(cursor.fetchall())
        yield found
        if len(found) < MOST_EVENTS:
            return
        position = found[-1][:2]


def lineage(process_key: str) -> tuple[FunnelStage, ...]:
    """The axis of a process over all its published versions: the newest one's order, older stages where they stood."""
    rows = list(
        StageRow.objects.filter(process_key=process_key)
        .order_by("-version__number", "order")
        .values_list("version__number", "axis_key", "name", "limit_yellow", "limit_red", "show_in_funnel")
    )
    order: list[str] = []
    stages: dict[str, FunnelStage] = {}
    for _number, key, name, yellow, red, shown in rows:
        stages.setdefault(key, FunnelStage(key, name, yellow, red, shown))
    for version in sorted({row[0] for row in rows}, reverse=True):
        before = ""
        for key in [row[1] for row in rows if row[0] == version]:
            if key not in order:
                order.insert(order.index(before) + 1 if before in order else 0, key)
            before = key
    return tuple(stages[key] for key in order)


def funnel_processes() -> list[Process]:
    """Processes with a stage that is shown in a funnel, those with journeys first."""
    versions = ProcessVersion.objects.exclude(published_at=None)
    keys = set(
        StageRow.objects.filter(show_in_funnel=True)
        .values_list("process_key", flat=True)
        .order_by()
        .distinct()
    )
    used = Exists(
        Journey.objects.filter(process_key=OuterRef("key"))
    )  # one look a process, not one a journey
    shown = Process.objects.filter(key__in=keys, versions__in=versions).distinct()
    return list(shown.annotate(is_used=used).order_by("-is_used", "pk"))


# --- from columns to cases ---


def _assemble(process: Process, stages: tuple[FunnelStage, ...], zone: str, raw: Raw) -> Loaded:
    import numpy as np

    from fairlead.analytics.tables import EXIT, History, Journeys, Visits

    v, j = raw.visits, raw.journeys
    known_axis = v["axis"] >= 0
    if not known_axis.all():  # a stage of no published version: cannot be placed on the axis
        v = {name: column[known_axis] for name, column in v.items()}
    v = _whole_stays(v)
    codes = v["exit"]
    visits = Visits(
        axis_keys=tuple(s.axis_key for s in stages),
        journey=v["journey"],
        episode=v["episode"],
        axis=v["axis"],
        entered=v["entered"],
        entered_known=v["flags"] & 1 > 0,
        left=v["left"],
        exit=np.where(codes == DUPLICATE, EXIT.index("cancelled"), codes),
        skipped=v["flags"] & 2 > 0,
        imported=v["flags"] & 4 > 0,
        amount=v["amount"],
        owner=v["owner"],
        team=v["team"],
    )
    key_v, key_j = v["journey"] * 65_536 + v["episode"], j["journey"] * 65_536 + j["episode"]
    cases = np.union1d(key_v, key_j)
    journey = cases // 65_536
    row = np.searchsorted(j["journey"], journey)
    now = cases == key_j[row]
    first, last = np.searchsorted(key_v, cases, "left"), np.searchsorted(key_v, cases, "right") - 1
    paid = last >= first
    opened = _opened(v, j, row, now, first, paid)
    state, outcome, closed, amount = (
        j[name][row].copy() for name in ("state", "outcome", "closed", "amount")
    )
    _past_episodes(v, ~now & paid, last, state, outcome, closed, amount)
    names, reason = (
        np.unique(j["reason"], return_inverse=True) if len(j["reason"]) else (np.array(["."]), j["state"])
    )
    journeys = Journeys(
        journey=journey,
        episode=cases % 65_536,
        state=state,
        outcome=outcome,
        opened=opened,
        closed=closed,
        amount=amount,
        owner=j["owner"][row],
        team=j["team"][row],
        fidelity=j["fidelity"][row],
    )
    return Loaded(
        process.key,
        process.subject_type,
        stages,
        History(visits, journeys, ZoneInfo(zone)),
        j["subject"][row],
        np.where(now, reason[row], -1).astype(np.int32),
        tuple(str(name)[1:] for name in names),
    )


def _whole_stays(v: dict[str, Any]) -> dict[str, Any]:
    """A stay that a migration cut in two at one place of the axis is one again (VR-6, VR-7)."""
    import numpy as np

    if not (v["exit"] == MIGRATED).any():
        return v
    goes_on = np.zeros(len(v["exit"]), bool)
    goes_on[1:] = (
        (v["exit"][:-1] == MIGRATED)
        & (v["journey"][1:] == v["journey"][:-1])
        & (v["episode"][1:] == v["episode"][:-1])
        & (v["axis"][1:] == v["axis"][:-1])
        & (v["entered"][1:] == v["left"][:-1])
    )
    first = np.flatnonzero(~goes_on)
    last = np.append(first[1:], len(goes_on)) - 1
    whole = {name: column[first] for name, column in v.items()}
    whole["left"], whole["exit"] = v["left"][last], v["exit"][last]
    whole["flags"] = (v["flags"][first] & 1) | (v["flags"][last] & ~1)
    return whole


def _opened(v: dict[str, Any], j: dict[str, Any], row: Any, now: Any, first: Any, paid: Any) -> Any:
    """When each case began.

    Where the first step is undated, its date is only that of the import: then the beginning is what the record
    says otherwise, for dated steps alone the first of them, and else unknown.
    """
    import numpy as np

    opened = j["opened"][row].copy()
    if not len(v["journey"]):
        return opened
    at = np.minimum(first, len(v["journey"]) - 1)
    entered, dated = v["entered"][at], (v["flags"][at] & 1 > 0) | ~paid
    opened[~now & paid] = entered[~now & paid]
    vague = ~dated & (~now | (opened == entered))
    opened[vague] = np.datetime64("NaT")
    partly = np.flatnonzero(vague & (j["fidelity"][row] == 2))
    if len(partly):
        dated_rows = np.flatnonzero(v["flags"] & 1 > 0)
        keys = (v["journey"] * 65_536 + v["episode"])[dated_rows]
        mine = (v["journey"] * 65_536 + v["episode"])[at[partly]]
        place = np.minimum(np.searchsorted(keys, mine), max(len(keys) - 1, 0))
        if len(keys):
            hit = keys[place] == mine
            opened[partly[hit]] = v["entered"][dated_rows[place[hit]]]
    return opened


def _past_episodes(
    v: dict[str, Any], past: Any, last: Any, state: Any, outcome: Any, closed: Any, amount: Any
) -> None:
    """An episode that was reopened since ended as its last visit did."""
    import numpy as np

    rows = np.flatnonzero(past)
    if not len(rows):
        return
    visit = last[rows]
    ends = np.clip(v["exit"][visit], 0, DUPLICATE)
    #                     open adv skip regr won lost none walk canc migr merg left dupl
    outcome[rows] = np.array([7, 7, 7, 7, 1, 2, 3, 4, 5, 7, 7, 8, 6])[ends]
    state[rows] = np.array([4, 4, 4, 4, 2, 3, 3, 3, 4, 4, 4, 5, 4])[ends]
    closed[rows], amount[rows] = v["left"][visit], v["amount"][visit]
