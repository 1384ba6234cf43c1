"""The sealed journal (OV-3): settled events are chained in batches, outside of the transactions that write them.

A seal holds a digest for each header that it covers and one over these and the seal before it. Of a detail the header
keeps the salted hash, so that a purge breaks no chain. `verify` reads everything again and names the first row that was
altered, taken out or slipped in. Whoever notes the head of the chain elsewhere also finds a chain that was cut short.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import zip_longest
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Sum

from .enums import Fault
from .models import Event, EventDetail, Seal, SealCheck
from .querysets import EventQuerySet
from .services import canonical, detail_digest

BATCH = 2000
"""Events a seal covers at most: bounds what is in memory, and what a later seal has to be read for."""
#: Told of a reading that found a fault; filled by rooms that know people.
when_broken: list[Callable[[SealCheck], None]] = []
_LEAF = struct.Struct(">q32s")  # the id of an event, the digest of its header
_NAMES = tuple(f.attname for f in Event._meta.concrete_fields)
_KEYS = tuple(json.dumps(name) for name in _NAMES)


def header_digest(values: Sequence[Any]) -> bytes:
    """Digest of a header as stored, its columns in the order of the model."""
    text = ",".join(f"{key}:{_spelled(value)}" for key, value in zip(_KEYS, values, strict=True))
    return hashlib.sha256(text.encode()).digest()


def _spelled(value: Any) -> str:
    """One spelling per value; an instant to the last microsecond."""
    kind = type(value)
    if kind is int:
        return str(value)
    if kind is str:
        return json.dumps(value)
    if kind is datetime:
        return str(value.timestamp())
    if kind is date:
        return str(value)
    return canonical(value)


def _headers(events: EventQuerySet) -> Iterator[tuple[Any, ...]]:
    return events.in_order().values_list(*_NAMES).iterator(chunk_size=BATCH)


def _chain(previous: str, leaves: bytes) -> str:
    return hashlib.sha256(previous.encode() + leaves).hexdigest()


def seal(*, at: datetime, limit: int = BATCH) -> Seal | None:
    """Chain the next settled batch to the seals before it; None when there is nothing new, or another was faster."""
    last = Seal.objects.order_by("-id").first()
    after = (last.last_txid, last.last_event_id) if last else (0, 0)
    rows = list(Event.objects.settled().after(*after).in_order().values_list(*_NAMES)[:limit])
    if not rows:
        return None
    txid, pk = _NAMES.index("txid"), _NAMES.index("id")
    leaves = b"".join(_LEAF.pack(row[pk], header_digest(row)) for row in rows)
    previous = last.digest if last else ""
    digest = _chain(previous, leaves)
    try:
        with transaction.atomic():
            return Seal.objects.create(
                first_txid=rows[0][txid],
                first_event_id=rows[0][pk],
                last_txid=rows[-1][txid],
                last_event_id=rows[-1][pk],
                count=len(rows),
                previous_digest=previous,
                digest=digest,
                sealed_at=at,
                leaves=leaves,
            )
    except IntegrityError:  # the place in the chain is taken
        return None


def seal_all(*, at: datetime, most: int | None = None) -> int:
    """Seal what is settled, at most `most` batches; how many events."""
    count = turns = 0
    while (most is None or turns < most) and (made := seal(at=at)) is not None:
        count, turns = count + made.count, turns + 1
    return count


@dataclass(frozen=True, slots=True)
class Verification:
    """What was read, the head of the chain, and the first thing that does not hold: `fault` with its row or seal."""

    events: int
    seals: int
    unsealed: int
    head: str
    fault: str = ""
    seal_id: int | None = None
    event_id: int | None = None

    @property
    def sound(self) -> bool:
        return not self.fault


class _Found(Exception):
    def __init__(self, fault: Fault, *, seal_id: int | None = None, event_id: int | None = None) -> None:
        super().__init__(fault)
        self.fault, self.seal_id, self.event_id = fault, seal_id, event_id


class _Reading:
    def __init__(self) -> None:
        self.events = self.seals = self.unsealed = 0
        self.head = ""
        self.place = (0, 0)
        self._hash, self._pk = _NAMES.index("detail_hash"), _NAMES.index("id")

    def read(self, expected: str) -> None:
        met = not expected
        for link in Seal.objects.order_by("id").iterator(chunk_size=20):
            self._seal(link)
            met = met or link.digest == expected
        rest = Event.objects.after(*self.place)
        for batch in _batches(_headers(rest)):
            self._details(batch)
            self.unsealed += len(batch)
        if not met:
            raise _Found(Fault.OTHER_HEAD)

    def _seal(self, link: Seal) -> None:
        leaves = bytes(link.leaves)
        if (
            link.previous_digest != self.head
            or len(leaves) != link.count * _LEAF.size
            or _chain(self.head, leaves) != link.digest
        ):
            raise _Found(Fault.SEAL_ALTERED, seal_id=link.pk)
        # From the end of the seal before: what was slipped in between two seals belongs to neither.
        inside = Event.objects.after(*self.place).up_to(link.last_txid, link.last_event_id)
        rows = list(_headers(inside))
        _compare(list(_LEAF.iter_unpack(leaves)), rows, self._pk, link.pk)
        self._details(rows, link.pk)
        self.place = (link.last_txid, link.last_event_id)
        self.head, self.seals, self.events = link.digest, self.seals + 1, self.events + len(rows)

    def _details(self, rows: Sequence[tuple[Any, ...]], seal_id: int | None = None) -> None:
        wanted = {row[self._pk]: row[self._hash] for row in rows}
        if not wanted:
            return
        near = EventDetail.objects.filter(event_id__gte=min(wanted), event_id__lte=max(wanted))
        details = {d.event_id: d for d in near}
        purged = [pk for pk in wanted if pk in details and details[pk].purged_at is not None]
        told = set(
            Event.objects.about("event", purged)
            .filter(type="detail_purged")
            .values_list("subject_id", flat=True)
        )
        for pk, digest in wanted.items():
            detail = details.get(pk)
            fault = None
            if detail is None:
                fault = Fault.DETAIL_MISSING if digest else None
            elif detail.purged_at is not None:
                fault = None if pk in told else Fault.ERASED_UNTOLD
            elif not digest:
                fault = Fault.DETAIL_ADDED
            elif detail_digest(detail.salt, detail.payload, detail.comment) != digest:
                fault = Fault.DETAIL_ALTERED
            if fault is not None:
                raise _Found(fault, seal_id=seal_id, event_id=pk)


def _batches(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _compare(
    leaves: Sequence[tuple[int, bytes]], rows: Sequence[tuple[Any, ...]], pk: int, seal_id: int
) -> None:
    """The sealed headers beside the stored ones, in their order. Raises on the first that differ."""
    sealed, stored = {leaf[0] for leaf in leaves}, {row[pk] for row in rows}
    for leaf, row in zip_longest(leaves, rows):
        if row is not None and row[pk] not in sealed:
            raise _Found(Fault.ADDED, seal_id=seal_id, event_id=row[pk])
        if leaf is not None and leaf[0] not in stored:
            raise _Found(Fault.MISSING, seal_id=seal_id, event_id=leaf[0])
        if leaf[0] != row[pk] or header_digest(row) != leaf[1]:  # another place in the order is a change too
            raise _Found(Fault.ALTERED, seal_id=seal_id, event_id=leaf[0])


def verify(*, expected: str = "") -> Verification:
    """Read the whole chain and every detail again. `expected`: a head noted before, which the chain must contain."""
    reading = _Reading()
    fault, seal_id, event_id = "", None, None
    try:
        reading.read(expected)
    except _Found as found:
        fault, seal_id, event_id = str(found.fault), found.seal_id, found.event_id
    return Verification(
        reading.events, reading.seals, reading.unsealed, reading.head, fault, seal_id, event_id
    )


def check(*, by: Any, at: datetime, channel: str, expected: str = "") -> SealCheck:
    """`verify`, and a row that says who asked and what came out."""
    found = verify(expected=expected)
    return SealCheck.objects.create(
        at=at,
        by_id_then=by.pk if by is not None else None,
        channel=channel,
        events=found.events,
        seals=found.seals,
        unsealed=found.unsealed,
        head=found.head,
        fault=found.fault,
        seal_id=found.seal_id,
        event_id=found.event_id,
    )


@dataclass(frozen=True, slots=True)
class SealState:
    """How far the chain reaches, and what its last reading found."""

    seals: int
    events: int
    unsealed: int
    head: str
    sealed_at: datetime | None
    check: SealCheck | None


def state() -> SealState:
    last = Seal.objects.defer("leaves").order_by("-id").first()
    covered = Seal.objects.aggregate(seals=Count("pk"), events=Sum("count"))
    place = (last.last_txid, last.last_event_id) if last else (0, 0)
    return SealState(
        seals=covered["seals"],
        events=covered["events"] or 0,
        unsealed=Event.objects.after(*place).count(),
        head=last.digest if last else "",
        sealed_at=last.sealed_at if last else None,
        check=SealCheck.objects.order_by("-id").first(),
    )
