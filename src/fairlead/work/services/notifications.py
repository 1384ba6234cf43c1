"""Telling people: one line per person and record, never about what somebody may not see, never to the muted.

`notify` is called inside the transaction of an act; a job delivers after its commit, so that two hundred people
cost the act one row. What owners hear of comes from the journal (`tell_of_events`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.dateparse import parse_datetime
from django_tasks import task

from fairlead.common import bulk, records
from fairlead.common.refusals import Invalid, NotFound
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event, ReaderCursor
from fairlead.journal.services import NewEvent, advance, read_new, record
from fairlead.organisation.models import RoleAssignment, User

from .. import registry
from ..enums import Attention, Reason
from ..models import Follow, Notification, NotificationEntry
from ..notification_words import TOLD_EVENTS

READER: Final = "notifications"
KEPT: Final = timedelta(days=90)
QUIET_CHANNELS: Final = frozenset({Channel.IMPORT, Channel.SYSTEM})
_STRENGTH: Final = {reason: n for n, reason in enumerate(Reason.values)}


_is_untold: ContextVar[bool] = ContextVar("_is_untold", default=False)


@contextmanager
def untold() -> Iterator[None]:
    """Inside nobody is told anything: what a simulated company did weeks ago is news to nobody."""
    token = _is_untold.set(True)
    try:
        yield
    finally:
        _is_untold.reset(token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing that one person is told."""

    person: int
    reason: str
    subject_type: str
    subject_id: int
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    by: int | None
    at: datetime


def notify(
    *,
    recipients: Iterable[int],
    reason: str,
    subject_type: str,
    subject_id: int,
    text: tuple[str, Mapping[str, Any]],
    by: Any,
    at: datetime,
) -> None:
    """Tell `recipients` (ids) about a record, in the background. `text`: a code and its numbers, ids and codes.

    Left out are who did it, who may not see the record, who muted it and who works here no more. Raises
    ValueError for an unknown reason: that is a bug of the caller.
    """
    people = sorted({int(pk) for pk in recipients} - {by.pk if by is not None else 0})
    code, params = text
    if reason not in Reason.values:
        raise ValueError(f"“{reason}” is not a reason to tell anybody")
    if people and not _is_untold.get():
        deliver.enqueue(
            people, reason, subject_type, subject_id, code, dict(params),
            by.pk if by is not None else None, at.isoformat(),
        )  # fmt: skip


@task()
def deliver(
    people: list[int], reason: str, subject_type: str, subject_id: int, code: str, params: dict[str, Any],
    by: int | None, at: str,
) -> int:  # fmt: skip
    """Write what `notify` promised; how many were told."""
    when = parse_datetime(at)
    assert when is not None
    return tell(
        [
            Told(
                person=pk, reason=reason, subject_type=subject_type, subject_id=subject_id, code=code,
                params=params, by=by, at=when,
            )
            for pk in people
        ]
    )  # fmt: skip


@transaction.atomic
def tell(items: Sequence[Told]) -> int:
    """Write notifications in bulk, after the last word about who may know; how many stand."""
    allowed = [] if _is_untold.get() else _allowed(items)
    groups: dict[tuple[int, str, int], list[Told]] = defaultdict(list)
    for item in allowed:
        groups[item.person, item.subject_type, item.subject_id].append(item)
    if not groups:
        return 0
    rows = _rows(groups)
    for key, row in rows.items():
        _add(row, groups[key])
    bulk.update(list(rows.values()), ["reason", "unread", "last_at", "read_at"])
    bulk.insert(
        [
            NotificationEntry(
                notification=rows[key], reason=item.reason, code=item.code, params=dict(item.params),
                by_id=item.by, at=item.at,
            )
            for key, of_key in groups.items()
            for item in of_key
        ]
    )  # fmt: skip
    return len(allowed)


def _add(row: Notification, items: Sequence[Told]) -> None:
    strongest = min((i.reason for i in items), key=_STRENGTH.__getitem__)
    if row.unread == 0 or _STRENGTH[strongest] < _STRENGTH[row.reason]:
        row.reason = strongest
    row.unread += len(items)
    row.last_at = max([row.last_at, *(i.at for i in items)])
    row.read_at = None


def _rows(keys: Iterable[tuple[int, str, int]]) -> dict[tuple[int, str, int], Notification]:
    """The row of each person and record, made where there is none, locked."""
    wanted = set(keys)
    people, ids = {k[0] for k in wanted}, {k[2] for k in wanted}
    about = Notification.objects.filter(recipient__in=people, subject_id__in=ids)
    known = set(about.values_list("recipient_id", "subject_type", "subject_id"))
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    Notification.objects.bulk_create(
        [
            Notification(
                recipient_id=person,
                subject_type=kind,
                subject_id=pk,
                reason=Reason.FOLLOWING,
                last_at=long_ago,
            )
            for person, kind, pk in sorted(wanted - known)
        ],
        ignore_conflicts=True,  # another job may be telling the same person at this moment
    )
    rows = about.select_for_update(of=("self",)).order_by("pk")
    return {
        key: row for row in rows if (key := (row.recipient_id, row.subject_type, row.subject_id)) in wanted
    }


def _allowed(items: Sequence[Told]) -> list[Told]:
    """Those whose person works here, sees the record, and has not muted it."""
    seeing = people_who_see({i.person for i in items}, {(i.subject_type, i.subject_id) for i in items})
    ids = {i.subject_id for i in items}
    muted = set(
        Follow.objects.filter(subject_id__in=ids, attention=Attention.MUTED).values_list(
            "person_id", "subject_type", "subject_id"
        )
    )
    return [
        i
        for i in items
        if i.person != i.by
        and (i.subject_type, i.subject_id) in seeing.get(i.person, set())
        and (i.person, i.subject_type, i.subject_id) not in muted
    ]


def people_who_see(
    people: Iterable[int], about: Iterable[tuple[str, int]]
) -> dict[int, set[tuple[str, int]]]:
    """What of `about` each of `people` may see: rights read at once, then one question a person and kind."""
    by_kind: dict[str, list[int]] = defaultdict(list)
    for kind, pk in about:
        by_kind[kind].append(pk)
    found: dict[int, set[tuple[str, int]]] = {}
    for user in with_rights(people):
        seen: set[tuple[str, int]] = set()
        for kind, ids in by_kind.items():
            record = records.record_type(kind)
            seen |= {(kind, pk) for pk in record.visible_ids(user, sorted(ids), record.view_right)}
        found[user.pk] = seen
    return found


def with_rights(people: Iterable[int]) -> list[User]:
    """Active people with their roles, in two questions whatever their number."""
    users = list(User.objects.active().select_related("team").filter(pk__in=set(people)))
    held: dict[int, list[RoleAssignment]] = defaultdict(list)
    for row in RoleAssignment.objects.select_related("team").filter(user__in=[u.pk for u in users]):
        held[row.user_id].append(row)
    for user in users:
        user.__dict__["_grants"] = tuple(row.grant(user.team) for row in held[user.pk])
    return users


# --- what owners hear of ---


def tell_of_events(*, limit: int = 1000) -> int:
    """Read the journal on and tell those responsible and those who follow. Run by one job; how many events it read."""
    if not ReaderCursor.objects.filter(name=READER).exists():
        last = Event.objects.settled().order_by("-txid", "-id").first()
        ReaderCursor.objects.get_or_create(
            name=READER,
            defaults={"txid": last.txid if last else 0, "event_id": last.pk if last else 0},
        )
        return 0  # what was before anybody could be told stays untold
    events = read_new(READER, limit=limit)
    if not events:
        return 0
    with transaction.atomic():
        tell(_of_events([e for e in events if e.type in TOLD_EVENTS and e.channel not in QUIET_CHANNELS]))
        advance(READER, events[-1])
    return len(events)


def _of_events(events: Sequence[Event]) -> list[Told]:
    kinds = {kind.subject_type for kind in records.record_types()}
    by_kind: dict[str, set[int]] = defaultdict(set)
    for event in events:
        if event.subject_type in kinds:
            by_kind[event.subject_type].add(event.subject_id)
    listeners: dict[tuple[str, int], dict[int, str]] = {}
    for kind, ids in by_kind.items():
        for source in registry.responsible_sources:
            for pk, people in source(kind, sorted(ids)).items():
                listeners.setdefault((kind, pk), {}).update(people)
        followers = Follow.objects.filter(
            subject_type=kind, subject_id__in=ids, attention=Attention.FOLLOWED
        ).values_list("subject_id", "person_id")
        for pk, person in followers:
            listeners.setdefault((kind, pk), {}).setdefault(person, str(Reason.FOLLOWING))
    return [
        Told(
            person=person, reason=reason, subject_type=e.subject_type, subject_id=e.subject_id, code=e.type,
            params={"comment": e.data["comment"]} if e.type == "commented" else {}, by=e.actor_id, at=e.recorded_at,
        )
        for e in events
        for person, reason in listeners.get((e.subject_type, e.subject_id), {}).items()
        if person not in e.data.get("mentions", ())  # told already, and more closely
    ]  # fmt: skip


# --- what a person does with them ---


def mark_read(*, by: Any, at: datetime, ids: Iterable[int] | None = None) -> int:
    """One's own, or all of one's own. Raises NotFound for an id that is not one's own."""
    mine = Notification.objects.filter(recipient=by)
    if ids is not None:
        wanted = set(ids)
        mine = mine.filter(pk__in=wanted)
        if mine.count() != len(wanted):
            raise NotFound
    return mine.filter(unread__gt=0).update(unread=0, read_at=at)


@transaction.atomic
@transaction.atomic
def set_attention(
    subject_type: str,
    subject_id: int,
    attention: str,
    *,
    by: Any,
    at: datetime,
    channel: str,
    unread: int = 0,
) -> None:
    """Follow a record, mute it, or neither (blank); `unread`: so much is news again after a mute by mistake.

    Raises NotFound, Invalid.
    """
    kind = records.record_type(subject_type)
    records.require(by, subject_type, subject_id, kind.view_right)
    if attention and attention not in Attention.values:
        raise Invalid.field("attention", "unknown")
    about = {"subject_type": subject_type, "subject_id": subject_id, "person_id": by.pk}
    standing = Follow.objects.select_for_update(of=("self",)).filter(**about).first()
    before = standing.attention if standing is not None else ""
    if before == attention:
        return
    if not attention:
        Follow.objects.filter(**about).delete()
    else:
        Follow.objects.update_or_create(**about, defaults={"attention": attention, "at": at})
    told = Notification.objects.filter(recipient=by, subject_type=subject_type, subject_id=subject_id)
    read = 0
    if attention == Attention.MUTED:
        read = told.filter(unread__gt=0).values_list("unread", flat=True).first() or 0
        told.filter(unread__gt=0).update(unread=0, read_at=at)
    elif unread:
        told.filter(unread=0).update(unread=unread, read_at=None)
    data = {"before": before, "after": attention, **({"unread": read} if read else {})}
    event = NewEvent(
        type="attention_set", subject_type=subject_type, subject_id=subject_id, actor_id=by.pk,
        effective_at=at, channel=channel, data=data,
    )  # fmt: skip
    record([event])


def prune(*, at: datetime) -> int:
    """Drop what was read long ago."""
    gone, _by_model = Notification.objects.filter(unread=0, last_at__lt=at - KEPT).delete()
    return gone
