"""The journal as an auditor reads it: filtered, within one's rows, with details masked by the rights to read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common import records
from fairlead.common.names import localized
from fairlead.fields.catalogue import FieldSpec, catalogue, subject_types
from fairlead.fields.conditions import value_words
from fairlead.fields.enums import REFERENCE, FieldType
from fairlead.fields.values import from_json
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event, EventDetail
from fairlead.journal.querysets import EventQuerySet
from fairlead.organisation.models import User
from fairlead.process.subjects import visible_subjects

from .event_words import SUBJECTS, event_name
from .questions import BadQuestion

RIGHT = "audit.view"
PAGE = 50
MOST_EXPORTED = 50_000
HIDDEN = "•••"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailFilter:
    """What is asked for. `before`: the id from which an older page begins. `since` and `until` are included."""

    person: int | None = None
    kind: str = ""
    record: int | None = None
    type: str = ""
    channel: str = ""
    since: date | None = None
    until: date | None = None
    before: int | None = None

    @classmethod
    def read(cls, query: Mapping[str, Any]) -> TrailFilter:
        """Raises BadQuestion."""
        return cls(
            person=_id(query, "person"),
            kind=_code(query, "kind"),
            record=_id(query, "record"),
            type=_code(query, "type"),
            channel=_channel(query),
            since=_day(query, "from"),
            until=_day(query, "to"),
            before=_id(query, "before"),
        )

    def query(self, **changes: Any) -> str:
        names = {"since": "from", "until": "to"}
        values = {name: changes.get(name, getattr(self, name)) for name in self.__slots__}
        return urlencode(
            [
                (names.get(name, name), v.isoformat() if isinstance(v, date) else v)
                for name, v in values.items()
                if v
            ]
        )

    def apply(self, events: EventQuerySet) -> EventQuerySet:
        given = {
            "actor_id": self.person,
            "subject_type": self.kind,
            "subject_id": self.record,
            "type": self.type,
            "channel": self.channel,
            "id__lt": self.before,
            "recorded_at__gte": _midnight(self.since) if self.since else None,
            "recorded_at__lt": _midnight(self.until + timedelta(days=1)) if self.until else None,
        }
        return events.filter(**{name: value for name, value in given.items() if value})


def visible_events(user: Any) -> EventQuerySet:
    """Everything for whoever audits the house; for whoever audits a branch the events of its records alone."""
    events = Event.objects.all()
    if user.reach(RIGHT).all:
        return events
    seen = Q(pk__in=[])
    for kind, ids in visible_subjects(user, RIGHT).items():
        seen |= Q(subject_type=kind, subject_id__in=ids)
    return events.filter(seen)


def page_of(user: Any, wanted: TrailFilter) -> tuple[list[dict[str, Any]], int | None]:
    """One page, the newest first, and the id from which the next one begins."""
    found = list(wanted.apply(visible_events(user)).order_by("-id")[: PAGE + 1])
    more = found[PAGE - 1].pk if len(found) > PAGE else None
    return told(user, found[:PAGE], details=True), more


def told(user: Any, events: Sequence[Event], *, details: bool) -> list[dict[str, Any]]:
    """Events with names of people and records that `user` may know."""
    people = names_of({i for e in events for i in (e.actor_id, e.on_behalf_of_id) if i is not None})
    known = _records(user, events)
    kept = {}
    if details:
        kept = {d.event_id: d for d in EventDetail.objects.filter(event__in=[e.pk for e in events])}
    rows = []
    for event in events:
        title, url = known.get((event.subject_type, event.subject_id), ("", ""))
        rows.append(
            {
                "event": event,
                "what": event_name(event.type),
                "kind": subject_name(event.subject_type),
                "actor": people.get(event.actor_id or 0, "")
                or (f"#{event.actor_id}" if event.actor_id else _("the system")),
                "behalf": people.get(event.on_behalf_of_id or 0, ""),
                "title": title or f"#{event.subject_id}",
                "url": url,
                "detail": detail_of(user, event, kept.get(event.pk)) if details else None,
            }
        )
    return rows


def names_of(ids: Iterable[int]) -> dict[int, str]:
    return dict(User.objects.filter(pk__in=set(ids)).values_list("pk", "name"))


def subject_name(subject_type: str) -> str:
    found = next((t for t in records.record_types() if t.subject_type == subject_type), None)
    return localized(found.label) if found else str(SUBJECTS.get(subject_type, subject_type))


def subject_choices() -> list[tuple[str, str]]:
    kinds = {t.subject_type: localized(t.label) for t in records.record_types()}
    return list(({key: str(name) for key, name in SUBJECTS.items()} | kinds).items())


def _records(user: Any, events: Sequence[Event]) -> dict[tuple[str, int], tuple[str, str]]:
    """Title and address of each record among `events` that the person may open."""
    found = {}
    for kind in records.record_types():
        ids = sorted({e.subject_id for e in events if e.subject_type == kind.subject_type})
        if not ids:
            continue
        seen = kind.visible_ids(user, ids, kind.view_right)
        titles = kind.title(sorted(seen))
        for pk in seen:
            found[kind.subject_type, pk] = (titles.get(pk, ""), kind.url(pk))
    return found


def detail_of(user: Any, event: Event, detail: EventDetail | None) -> dict[str, Any]:
    """The codes of the header and, where it was not erased, the detail."""
    shown: dict[str, Any] = {"codes": [], "changes": [], "comment": "", "purged_at": None, "texts": []}
    for name in (
        "from_stage",
        "to_stage",
        "reason_code",
        "process_key",
        "fidelity",
        "batch_id",
        "episode_no",
    ):
        if value := getattr(event, name):
            shown["codes"].append((name, value))
    if detail is None:
        return shown
    if detail.purged_at is not None:
        return shown | {"purged_at": detail.purged_at}
    before, after = (_part(detail.payload, side) for side in ("before", "after"))
    for key in sorted({*before, *after}):
        label, masked, spec = _field(user, event.subject_type, key)
        shown["changes"].append(
            (label, *(HIDDEN if masked else value_text(spec, side.get(key)) for side in (before, after)))
        )
    others = {k: v for k, v in detail.payload.items() if k not in ("before", "after")}
    for key, value in sorted(others.items()):
        label, masked, _spec = _field(user, event.subject_type, key)
        shown["texts"].append((label, HIDDEN if masked else value_text(None, value)))
    return shown | {"comment": detail.comment}


def _part(payload: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    found = payload.get(side)
    return found if isinstance(found, Mapping) else {}


def _field(user: Any, subject_type: str, key: str) -> tuple[str, bool, FieldSpec | None]:
    """The words of a field, whether it is hidden from the reader, and its specification where it has one."""
    spec = catalogue(subject_type).get(key) if subject_type in subject_types() else None
    if spec is not None:
        return spec.name(), not spec.readable_by(user), spec
    return key, False, None


def value_text(spec: FieldSpec | None, value: Any) -> str:
    if value is None or value == "":
        return "—"
    if spec is not None:
        if spec.type in REFERENCE:
            return f"#{value}"
        return (
            value_words(spec, from_json(spec, value))
            if spec.type != FieldType.BOOLEAN
            else value_words(spec, value)
        )
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {value_text(None, v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(value_text(None, v) for v in value)
    return str(value)


# --- reading the address ---


def _id(query: Mapping[str, Any], name: str) -> int | None:
    value = str(query.get(name) or "").strip()
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise BadQuestion(name, _("A number is expected."))
    return int(value)


def _code(query: Mapping[str, Any], name: str) -> str:
    value = str(query.get(name) or "").strip()
    if len(value) > 40 or not all(c.isascii() and (c.isalnum() or c == "_") for c in value):
        raise BadQuestion(name, _("A code of small letters is expected."))
    return value


def _channel(query: Mapping[str, Any]) -> str:
    value = str(query.get("channel") or "").strip()
    if value and value not in Channel.values:
        raise BadQuestion(
            "channel", _("One of these is expected: %(words)s") % {"words": ", ".join(Channel.values)}
        )
    return value


def _day(query: Mapping[str, Any], name: str) -> date | None:
    value = str(query.get(name) or "").strip()
    if not value:
        return None
    try:
        if len(value) != 10:
            raise ValueError(value)
        day = date.fromisoformat(value)
    except ValueError:
        raise BadQuestion(name, _("A day is expected, such as 2026-03-31.")) from None
    if not date(1970, 1, 1) <= day <= date(9998, 12, 30):
        raise BadQuestion(name, _("A day is expected, such as 2026-03-31."))
    return day


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
