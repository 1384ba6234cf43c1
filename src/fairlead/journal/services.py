"""Writing to the journal, reading it with a cursor, purging a detail. How it is sealed: see `sealing`."""

from __future__ import annotations

import hashlib
import json
import random
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone

from fairlead.common import bulk

from .models import Event, EventDetail, ReaderCursor
from .querysets import current_transaction_id

_listening: ContextVar[tuple[list[Event], ...]] = ContextVar("journal_listening", default=())
_salts: ContextVar[random.Random | None] = ContextVar("journal_salts", default=None)
_gathered: ContextVar[_Gathered | None] = ContextVar("journal_gathered", default=None)
_undone: ContextVar[Event | None] = ContextVar("journal_undone", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event to be written. `data`: codes, numbers, ids. `payload`, `comment`: the erasable detail."""

    type: str
    subject_type: str
    subject_id: int
    actor_id: int | None
    effective_at: datetime
    channel: str
    recorded_at: datetime | None = None
    business_date: date | None = None
    journey_id: int | None = None
    on_behalf_of_id: int | None = None
    reason_code: str = ""
    process_key: str = ""
    process_version: int | None = None
    episode_no: int | None = None
    from_stage: str = ""
    to_stage: str = ""
    evaluation_id: int | None = None
    fidelity: str = ""
    batch_id: int | None = None
    data: dict[str, Any] = field(default_factory=dict)
    payload: dict[str, Any] = field(default_factory=dict)
    comment: str = ""


_CANONICAL = DjangoJSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(value: Any) -> str:
    """One spelling per value, so that equal contents have equal hashes."""
    return _CANONICAL.encode(value)


def detail_digest(salt: str, payload: dict[str, Any], comment: str) -> str:
    return _digest(salt, canonical(payload), comment)


@contextmanager
def salts_from(seed: int) -> Iterator[None]:
    """Inside, salts come from a seeded generator, so that a simulated company is equal for equal seeds."""
    token = _salts.set(random.Random(seed))  # noqa: S311 - equal seeds, equal salts
    try:
        yield
    finally:
        _salts.reset(token)


@contextmanager
def listening() -> Iterator[list[Event]]:
    """Inside, every event that this thread records is also put into the list that is given."""
    heard: list[Event] = []
    token = _listening.set((*_listening.get(), heard))
    try:
        yield heard
    finally:
        _listening.reset(token)


@contextmanager
def taking_back(event: Event) -> Iterator[None]:
    """Inside, what is recorded about the same record says that it takes this event back (`undoes`)."""
    token = _undone.set(event)
    try:
        yield
    finally:
        _undone.reset(token)


_Detail = tuple[Event, str, str, str]  # of a header: payload as JSON, comment, salt


class _Gathered:
    """Events that have their ids and are not stored yet, with their details."""

    def __init__(self) -> None:
        self.headers = bulk.Later(Event, using_defaults=("txid",))
        self.details: list[_Detail] = []


@contextmanager
def gathered() -> Iterator[None]:
    """Inside, events have their ids at once and are stored together at the end, in their order.

    For work in bulk, within one transaction, that reads no event of its own before the end.
    """
    held = _Gathered()
    token = _gathered.set(held)
    try:
        yield
    finally:
        _gathered.reset(token)
    _complete(held.headers.write(), held.details)


def _salt() -> str:
    generator = _salts.get()
    return secrets.token_hex(16) if generator is None else f"{generator.getrandbits(128):032x}"


def record(events: Sequence[NewEvent]) -> list[Event]:
    """Write `events` in their order, inside the caller's transaction. Returns the stored headers."""
    if not events:
        return []
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an event is written in the transaction of what it tells")
    headers: list[Event] = []
    details: list[_Detail] = []
    names = bulk.attributes(Event)
    zone = timezone.get_current_timezone()
    undone = _undone.get()
    for event in events:
        digest = payload = salt = ""
        data = event.data if undone is None else _with_undone(event, undone)
        if event.payload or event.comment:
            payload, salt = canonical(event.payload), _salt()
            digest = _digest(salt, payload, event.comment)
        # In the order of the model. What is stored and given back is JSON, not Python objects.
        values = (
            None,
            0,
            event.type,
            event.subject_type,
            event.subject_id,
            event.journey_id,
            event.actor_id,
            event.on_behalf_of_id,
            event.effective_at,
            event.recorded_at or event.effective_at,
            event.business_date or _local_day(event.effective_at, zone),
            event.channel,
            event.reason_code,
            event.process_key,
            event.process_version,
            event.episode_no,
            event.from_stage,
            event.to_stage,
            event.evaluation_id,
            event.fidelity,
            event.batch_id,
            data if is_plain(data) else json.loads(canonical(data)),
            digest,
        )
        header = bulk.of_values(Event, names, values)
        headers.append(header)
        if digest:
            details.append((header, bulk.Encoded(payload), event.comment, salt))
    held = _gathered.get()
    if held is None:
        _complete(bulk.insert(headers, using_defaults=("txid",)), details)
    else:
        held.headers.add(headers)
        held.details.extend(details)
    for heard in _listening.get():
        heard.extend(headers)
    return headers


def _complete(headers: Sequence[Event], details: Sequence[_Detail]) -> None:
    """What follows headers that were just inserted: their details, and the number of the transaction."""
    # In the order of the model: event, payload, comment, salt, purged_at.
    bulk.insert_values(
        EventDetail, [(h.id, payload, comment, salt, None) for h, payload, comment, salt in details]
    )
    if headers and not headers[0].txid and transaction.get_connection().vendor == "postgresql":
        txid = current_transaction_id()
        for header in headers:
            header.txid = txid


def _with_undone(event: NewEvent, undone: Event) -> dict[str, Any]:
    is_same = (event.subject_type, event.subject_id) == (undone.subject_type, undone.subject_id)
    return {**event.data, "undoes": undone.pk} if is_same else event.data


def _digest(salt: str, payload: str, comment: str) -> str:
    return hashlib.sha256(f"{salt}\n{payload}\n{comment}".encode()).hexdigest()


@lru_cache(maxsize=4096)
def _local_day(at: datetime, zone: tzinfo) -> date:
    return timezone.localdate(at, zone)


_PLAIN = (str, int, float, bool, type(None))


def is_plain(value: Any) -> bool:
    """Whether `value` is JSON already: it would come back from a JSON text as it is."""
    kind = type(value)
    if kind is dict:
        return all(type(k) is str and (type(v) in _PLAIN or is_plain(v)) for k, v in value.items())
    if kind is list:
        return all(type(v) in _PLAIN or is_plain(v) for v in value)
    return kind in _PLAIN


def read_new(name: str, *, limit: int = 1000) -> list[Event]:
    """Settled events after the cursor of reader `name`, oldest first; `advance` moves the cursor.

    The order is (transaction id, id) and the page ends before the oldest running transaction: with a plain
    id cursor an event that commits late would be passed over for ever.
    """
    cursor, _ = ReaderCursor.objects.get_or_create(name=name)
    return list(Event.objects.settled().after(cursor.txid, cursor.event_id).in_order()[:limit])


def advance(name: str, to: Event) -> None:
    """Remember that reader `name` has dealt with everything up to `to`; call it in the effect's transaction."""
    ReaderCursor.objects.filter(name=name).update(txid=to.txid, event_id=to.pk)


@transaction.atomic
def purge_detail(*, event_id: int, by_id: int | None, at: datetime, channel: str, reason_code: str) -> None:
    """Erase the personal half of an event; the header, its hash and a tombstone stay. Journaled itself."""
    changed = EventDetail.objects.filter(event_id=event_id, purged_at=None).update(
        payload={}, comment="", salt="", purged_at=at
    )
    if changed:
        record(
            [
                NewEvent(
                    type="detail_purged",
                    subject_type="event",
                    subject_id=event_id,
                    actor_id=by_id,
                    effective_at=at,
                    channel=channel,
                    reason_code=reason_code,
                )
            ]
        )
