"""How a change of a contract is taken back: its fields get back what they held."""

from __future__ import annotations

from typing import Any

from fairlead.common.refusals import NotFound
from fairlead.fields.catalogue import catalogue
from fairlead.fields.values import to_json
from fairlead.journal.models import Event
from fairlead.journal.undoing import undo_with
from fairlead.work.services.undoing import changed_since, told_of

from ..models import Contract, Milestone
from .contracts import edit_contract, remove_milestone, reopen_milestone


def _edited(event: Event, how: dict[str, Any]) -> None:
    told, fields = told_of(event), catalogue("contract")
    row = Contract.objects.visible_to(how["by"]).filter(pk=event.subject_id).first()
    if row is None:
        raise NotFound
    before, after = told.get("before", {}), told.get("after", {})
    if not before or any(
        key not in fields or _now(row, fields[key]) != value for key, value in after.items()
    ):
        raise changed_since(event)
    edit_contract(row.pk, before, version=row.version, **how)


def _milestone_added(event: Event, how: dict[str, Any]) -> None:
    if _milestone(event, how).done_date is not None:
        raise changed_since(event, same="milestone")
    remove_milestone(event.data["milestone"], **how)


def _milestone_done(event: Event, how: dict[str, Any]) -> None:
    row = _milestone(event, how)
    if row.done_date is None or row.done_date.isoformat() != event.data.get("on"):
        raise changed_since(event, same="milestone")
    reopen_milestone(row.pk, **how)


def _milestone(event: Event, how: dict[str, Any]) -> Milestone:
    """As the person sees it; nobody hears of a contract that is out of sight."""
    if not Contract.objects.visible_to(how["by"]).filter(pk=event.subject_id).exists():
        raise NotFound
    row = Milestone.objects.filter(pk=event.data.get("milestone", 0), contract=event.subject_id).first()
    if row is None:
        raise changed_since(event, same="milestone")
    return row


def _now(row: Contract, spec: Any) -> Any:
    return row.custom.get(spec.key) if spec.custom else to_json(getattr(row, spec.key))


def register_ways_back() -> None:
    """Called once, when the room starts."""
    undo_with("edited", _edited, subjects=("contract",))
    undo_with("milestone_added", _milestone_added)
    undo_with("milestone_done", _milestone_done)
