"""How the acts of this room are taken back: fields by their values of before, moves by moves."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common.refusals import NotFound, NotPermitted
from fairlead.fields.catalogue import catalogue
from fairlead.fields.values import to_json
from fairlead.journal.models import Event
from fairlead.journal.undoing import CannotUndo, undo_with
from fairlead.organisation.models import User
from fairlead.process import fold, stages
from fairlead.process import services as process
from fairlead.process.enums import Kind
from fairlead.process.models import Journey
from fairlead.process.selectors.gathering import situations
from fairlead.process.verdicts import Wish
from fairlead.work.services.undoing import changed_since, told_of

from ..models import Contact, ContactRole, Opportunity, SavedView
from .deals import remove_contact_role, restore_contact_role
from .merge import TAKEN_BACK_WITHIN, take_back_merge
from .records import KINDS, edit, mark_contact_back, reassign
from .undoing import in_use, remove_records
from .values import value_of
from .views import restore_view

How = dict[str, Any]
MOVES: Final = (fold.MOVED, fold.WON, fold.LOST, fold.CANCELLED, fold.HELD, fold.RESUMED, fold.REOPENED)
MISTAKE: Final = ("moved_by_mistake", "mistake", "data_correction")
#: A move is taken back as a mistake; later the way back is a step back with its own reason (MV-3).
MOVED_WITHIN: Final = timedelta(minutes=10)


def mistake_of(definition: Any) -> str:
    """The reason of the process that a move taken back gives."""
    return next((key for key in MISTAKE if definition.reason("regress", key)), "")


def _edited(event: Event, how: How) -> None:
    """The fields get back what they held, if they still hold what this act put there."""
    kind, fields, told = event.subject_type, catalogue(event.subject_type), told_of(event)
    row = _row(kind, event, how)
    before, after = told.get("before", {}), told.get("after", {})
    if not before or any(
        key not in fields or to_json(value_of(row, fields[key])) != value for key, value in after.items()
    ):
        raise changed_since(event)
    edit(kind, row.pk, before, version=row.version, **how)


def _created(event: Event, how: How) -> None:
    """A record that was made by mistake goes again, while it is as it was made and nothing hangs on it."""
    kind = event.subject_type
    row = _row(kind, event, how)
    spec = KINDS[kind]
    if not spec.model.objects.visible_to(how["by"], spec.edit_right).filter(pk=row.pk).exists():
        raise NotPermitted
    since = Event.objects.about(kind, [row.pk]).filter(id__gt=event.pk, recorded_at__gt=event.recorded_at)
    if since.exists():
        raise changed_since(event)
    if in_use(kind, [row.pk], since=event.effective_at):
        raise CannotUndo(_("Other records hang on it by now. Take those away first."))
    remove_records(
        kind, [row.pk], by_id=how["by"].pk, at=how["at"], channel=how["channel"], batch_id=None,
        type_="creation_undone",
    )  # fmt: skip


def _owner_changed(event: Event, how: How) -> None:
    before, after = event.data.get("before", {}), event.data.get("after", {})
    row = _row(event.subject_type, event, how)
    if (row.owner_id, row.team_id) != (after.get("owner"), after.get("team")):
        raise changed_since(event)
    owner = User.objects.select_related("team").filter(pk=before.get("owner")).first()
    if owner is None:
        raise CannotUndo(_("Nobody owned it before. Choose an owner."))
    reassign(event.subject_type, row.pk, owner=owner, version=row.version, **how)


def _row(kind: str, event: Event, how: How) -> Any:
    """The row as the person sees it, locked; somebody who sees it no more hears nothing of it."""
    model = KINDS[kind].model
    row = model.objects.select_for_update(of=("self",)).filter(pk=event.subject_id).first()
    if row is None or not model.objects.visible_to(how["by"]).filter(pk=row.pk).exists():
        raise NotFound
    return row


def _contact_left(event: Event, how: How) -> None:
    row = Contact.objects.visible_to(how["by"]).filter(pk=event.subject_id).first()
    if row is None:
        raise NotFound
    if row.left_at != event.effective_at:
        raise changed_since(event)
    mark_contact_back(row.pk, version=row.version, **how)


def _role_added(event: Event, how: How) -> None:
    standing = _roles(event).filter(removed_at=None).first()
    if standing is None:
        raise changed_since(event, same="contact")
    remove_contact_role(standing.pk, **how)


def _role_removed(event: Event, how: How) -> None:
    gone = _roles(event).filter(removed_at=event.effective_at).first()
    if gone is None or _roles(event).filter(removed_at=None).exists():
        raise changed_since(event, same="contact")
    restore_contact_role(gone.pk, **how)


def _roles(event: Event) -> Any:
    contact, role = event.data.get("contact"), event.data.get("role")
    return ContactRole.objects.filter(opportunity=event.subject_id, contact=contact, role=role)


def _view_deleted(event: Event, how: How) -> None:
    row = SavedView.objects.filter(pk=event.subject_id).first()
    if row is None or row.deleted_at != event.effective_at:
        raise CannotUndo
    restore_view(row.pk, version=row.version, **how)


def _moved(event: Event, how: How) -> None:
    """Back by a normal move: with the reason “by mistake”, resumed from hold, or held as it was."""
    deal = Opportunity.objects.visible_to(how["by"]).filter(pk=event.subject_id).first()
    journey = Journey.objects.filter(pk=event.journey_id or 0).first()
    if deal is None or journey is None:
        raise NotFound
    last = Event.objects.of_journeys([journey.pk]).filter(type__in=MOVES).order_by("-id").first()
    if last is None or last.pk != event.pk:
        raise changed_since(event)
    stages.attach([journey])
    definition = situations([journey], at=how["at"])[journey.pk].definition
    process.move(journey.pk, _way_back(event, definition), version=journey.version, **how)
    process.take_back_launches(journey.pk, launched_at=(event.effective_at, event.recorded_at), **how)


def _way_back(event: Event, definition: Any) -> Wish:
    if event.type == fold.HELD:
        return Wish(kind=Kind.RESUME)
    if event.type == fold.RESUMED:
        return _held_again(event)
    if not (reason := mistake_of(definition)):
        raise CannotUndo(_("This process knows no step back by mistake. Choose a reason."))
    return Wish(kind=Kind.REGRESS, to=event.from_stage, reason=reason, comment=_("Taken back at once"))


def _merged(event: Event, how: How) -> None:
    take_back_merge(event, **how)


def _is_forward(event: Event) -> bool:
    return event.type != fold.MOVED or event.data.get("kind") in (Kind.ADVANCE, Kind.BRANCH, Kind.SKIP)


def _held_again(event: Event) -> Wish:
    """The hold that this act ended, with its reason and its day, while that day is still ahead."""
    held = Event.objects.of_journeys([event.journey_id or 0]).filter(type=fold.HELD, id__lt=event.pk)
    last = held.select_related("detail").order_by("-id").first()
    day = str(last.data.get("resume_date", ""))[:10] if last is not None else ""
    if last is None or not day or date.fromisoformat(day) <= timezone.localdate():
        raise CannotUndo(_("Its day to go on has come. Put the deal on hold anew."))
    detail = getattr(last, "detail", None)
    comment = detail.comment if detail is not None else ""
    return Wish(kind=Kind.HOLD, reason=last.reason_code, comment=comment, form={"resume_date": day})


def register_ways_back() -> None:
    """Called once, when the room starts."""
    undo_with("created", _created, subjects=KINDS)
    undo_with("edited", _edited, subjects=KINDS)
    undo_with("owner_changed", _owner_changed, subjects=KINDS)
    undo_with("contact_left", _contact_left)
    undo_with("contact_role_added", _role_added)
    undo_with("contact_role_removed", _role_removed)
    undo_with("view_deleted", _view_deleted)
    undo_with(fold.MERGED, _merged, subjects=("opportunity",), within=TAKEN_BACK_WITHIN)
    for type_ in (fold.MOVED, fold.HELD, fold.RESUMED):
        undo_with(type_, _moved, subjects=("opportunity",), within=MOVED_WITHIN, fits=_is_forward)
