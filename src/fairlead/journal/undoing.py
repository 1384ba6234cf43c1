"""Taking an act back: what its event tells is put back by a new act, which asks for rights and versions anew.

A room says for each type of event how it is taken back:

    undo_with("task_done", take_back_task, subjects=())

and a view calls `undo([event.pk], by=user, at=now, channel=Channel.UI)`. Everything that the way back writes
into the journal about the same record carries `undoes`, the id of the event that it takes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fairlead.common.refusals import NotFound, Refusal

from .models import Event
from .services import taking_back

#: How long an act can be taken back, where its room says nothing else.
WITHIN: Final = timedelta(days=7)
MOST: Final = 20  # acts of one press of a button

Undoer = Callable[[Event, dict[str, Any]], None]  # the event, and by, at, channel; raises Refusal


class CannotUndo(Refusal):
    """The act stands: it is too long ago, was taken back before, or something has changed since."""

    code = "undo-refused"
    status = 409
    default_message = _("This was changed since and stays as it is now.")


@dataclass(frozen=True, slots=True)
class Way:
    run: Undoer
    subjects: frozenset[str]
    within: timedelta
    fits: Callable[[Event], bool] | None


_ways: dict[str, list[Way]] = {}


def undo_with(
    type_: str,
    run: Undoer,
    *,
    subjects: Iterable[str] = (),
    within: timedelta = WITHIN,
    fits: Callable[[Event], bool] | None = None,
) -> None:
    """Called once, when a room starts. Without `subjects` for records of every kind; `fits` looks at the event."""
    _ways.setdefault(type_, []).append(Way(run, frozenset(subjects), within, fits))


def way_of(event: Event) -> Way | None:
    """How this event is taken back. Acts of an import, of many at once, and ways back themselves are not."""
    if event.batch_id is not None or "undoes" in event.data or "many" in event.data:
        return None
    for way in _ways.get(event.type, ()):
        if way.subjects and event.subject_type not in way.subjects:
            continue
        return way if way.fits is None or way.fits(event) else None
    return None


def may_undo(event: Event, *, by: Any, at: datetime) -> bool:
    """Whether a page offers it: one's own act, not too long ago. `undo` asks everything else."""
    way = way_of(event)
    return way is not None and event.actor_id == by.pk and at - event.recorded_at <= way.within


def acts_of(events: Sequence[Event], *, by: Any, at: datetime) -> list[int]:
    """The events among those of one request that its person can take back together."""
    return [event.pk for event in events if may_undo(event, by=by, at=at)][:MOST]


def undo_url(request: HttpRequest) -> str:
    """The address that takes back what this request did; blank when nothing of it can be."""
    acts = getattr(request, "acts", ())
    found = acts_of(acts, by=request.user, at=timezone.now()) if acts else []
    return undo_address(found)


def undo_address(event_ids: Sequence[int]) -> str:
    return reverse("web:undo", args=["-".join(map(str, event_ids))]) if event_ids else ""


@transaction.atomic
def undo(event_ids: Sequence[int], *, by: Any, at: datetime, channel: str) -> list[Event]:
    """Take back one's own acts, the last one first, all or none.

    Raises NotFound for what is not one's own, CannotUndo, and whatever the room's own verbs refuse.
    """
    wanted = sorted(set(event_ids), reverse=True)
    events = list(Event.objects.filter(pk__in=wanted[: MOST + 1], actor_id=by.pk).order_by("-pk"))
    if not wanted or len(wanted) > MOST or len(events) != len(wanted):
        raise NotFound
    for event in events:
        way = way_of(event)
        if way is None:
            raise CannotUndo(_("This cannot be taken back by one press. Change it where it stands."))
        if at - event.recorded_at > way.within:
            raise CannotUndo(_("This was too long ago to be taken back. Change it where it stands."))
        if is_undone(event):
            raise CannotUndo(_("This has been taken back already."))
        with taking_back(event):
            way.run(event, {"by": by, "at": at, "channel": channel})
    return events


def is_undone(event: Event) -> bool:
    later = Event.objects.filter(
        subject_type=event.subject_type, subject_id=event.subject_id, id__gt=event.pk, data__undoes=event.pk
    )
    return later.exists()
