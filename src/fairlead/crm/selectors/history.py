"""Who changed which field, when, from what to what: as far as the reader may read the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common.questions import Question
from fairlead.fields.catalogue import Catalogue
from fairlead.fields.values import from_json
from fairlead.journal.models import Event
from fairlead.journal.undoing import may_undo, undo_address
from fairlead.organisation.models import User

from .references import names_of, text_of

PAGE = 100


@dataclass(frozen=True, slots=True)
class Change:
    at: datetime
    who: str
    field: str
    before: str
    after: str
    channel: str
    undo_url: str = ""  # takes back one's own act, with whatever else it changed
    undone: bool = False
    is_undo: bool = False


@dataclass(frozen=True, slots=True)
class Edits:
    """The newest changes of a record as the journal has them, and the people whom they name."""

    events: Sequence[Event]

    @property
    def people(self) -> set[int]:
        found = {e.actor_id for e in self.events if e.actor_id is not None}
        for e in self.events:
            if e.type == "owner_changed":
                found |= {o for side in ("before", "after") if (o := e.data.get(side, {}).get("owner"))}
        return found


_edits: Question[Event] = Question(
    lambda subject_type, pk: (
        Event.objects.filter(subject_type=subject_type, subject_id=pk, type__in=("edited", "owner_changed"))
        .newest_first()
        .select_related("detail")[:PAGE]
    )
)


def edits_of(subject_type: str, pk: int) -> Edits:
    return Edits(_edits(subject_type, pk))


def changes_of(
    edits: Edits, *, reader: Any, fields: Catalogue, people: Mapping[int, str] | None = None
) -> list[Change]:
    """Changes of fields, newest first. Fields that the reader may not read are not there."""
    events, at = edits.events, timezone.now()
    undone = {e.data["undoes"] for e in events if "undoes" in e.data}
    mine = {e.pk for e in events if e.pk not in undone and may_undo(e, by=reader, at=at)}
    offered: set[int] = set()  # one button for an act of many fields
    found = []
    for event in events:
        detail = getattr(event, "detail", None)
        payload = detail.payload if detail is not None and detail.purged_at is None else None
        for key in event.data.get("fields", []):
            spec = fields.get(key)
            if spec is None or not spec.readable_by(reader):
                continue
            sides = (
                None
                if payload is None
                else tuple(from_json(spec, payload.get(side, {}).get(key)) for side in ("before", "after"))
            )
            found.append((event, spec, sides, event.pk in mine and event.pk not in offered))
            offered.add(event.pk)
    if people is None:
        people = dict(User.objects.filter(pk__in=edits.people).values_list("pk", "name"))
    names = names_of(
        ((spec, value) for _e, spec, sides, _mine in found if sides for value in sides),
        reader=reader,
        known={("user", pk): name for pk, name in people.items()},
    )
    gone = _("erased")
    return [
        Change(
            event.effective_at,
            people.get(event.actor_id or 0, _("Fairlead")),
            spec.name(),
            gone if sides is None else text_of(spec, sides[0], names),
            gone if sides is None else text_of(spec, sides[1], names),
            event.get_channel_display(),
            undo_url=undo_address([event.pk]) if is_mine else "",
            undone=event.pk in undone,
            is_undo="undoes" in event.data,
        )
        for event, spec, sides, is_mine in found
    ]
