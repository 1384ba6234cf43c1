"""Steps of the mutual action plan: promised, moved, done, taken back (PB-3). Gates count those that are done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common import records
from fairlead.common.refusals import Invalid, NotFound, Stale
from fairlead.common.text import clean_text
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import User

from ..enums import Side
from ..models import Contact, Opportunity, PlanStep

KIND = "opportunity"
FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)


@transaction.atomic
def add_plan_step(
    deal_id: int,
    *,
    side: str,
    title: str,
    due: date,
    by: Any,
    at: datetime,
    channel: str,
    contact_id: int | None = None,
    owner: User | None = None,
) -> PlanStep:
    """A promise of either side. Raises NotFound, NotPermitted, Invalid.

    The customer's step names a contact of the deal's account; ours a colleague who sees the deal, by default `by`.
    """
    records.require(by, KIND, deal_id, "opportunity.edit")
    errors = _errors(title, due)
    if side not in Side.values:
        errors.append({"field": "side", "message": _("A step is the customer's or ours.")})
    if side == Side.CUSTOMER and not _is_contact_of(deal_id, contact_id, by):
        errors.append(
            {"field": "contact", "message": _("Name the contact at the customer who answers for it.")}
        )
    if side == Side.US:
        owner = owner or by
        if not records.record_type(KIND).sees(owner, deal_id):
            errors.append(
                {
                    "field": "owner",
                    "message": _("%(name)s may not see this record. Choose somebody else.")
                    % {"name": owner.name},
                }
            )
    if errors:
        raise Invalid(errors=errors)
    with records.record_type(KIND).changing([deal_id], at):
        row = PlanStep.objects.create(
            opportunity_id=deal_id,
            side=side,
            title=_title(title),
            contact_id=contact_id if side == Side.CUSTOMER else None,
            owner=owner if side == Side.US else None,
            due=due,
            first_due=due,
            created_by=by,
            created_at=at,
        )
        _note(row, "plan_step_added", by=by, at=at, channel=channel, due=due.isoformat())
    return row


@transaction.atomic
def change_plan_step(
    step_id: int,
    *,
    version: int,
    by: Any,
    at: datetime,
    channel: str,
    title: str | None = None,
    due: date | None = None,
) -> PlanStep:
    """Reword it, or move its day: the first promise stays on record, and a later day counts as a push."""
    with _changing(step_id, version, by, at) as row:
        errors = _errors(title if title is not None else row.title, due or row.due)
        if due is not None and due != row.due and row.done_at is not None:
            errors.append({"field": "due", "message": _("It is done; its day stands.")})
        if errors:
            raise Invalid(errors=errors)
        before = row.due
        row.title = _title(title) if title is not None else row.title
        if due is not None and due != before:
            row.due, row.pushes = due, row.pushes + (due > before)
            _note(
                row, "plan_step_moved", by=by, at=at, channel=channel,
                before=before.isoformat(), due=due.isoformat(),
            )  # fmt: skip
        elif title is not None:
            _note(row, "plan_step_changed", by=by, at=at, channel=channel)
    return row


@transaction.atomic
def complete_plan_step(step_id: int, *, version: int, by: Any, at: datetime, channel: str) -> PlanStep:
    with _changing(step_id, version, by, at) as row:
        row.done_at = row.done_at or at
        _note(row, "plan_step_done", by=by, at=at, channel=channel)
    return row


@transaction.atomic
def reopen_plan_step(step_id: int, *, version: int, by: Any, at: datetime, channel: str) -> PlanStep:
    with _changing(step_id, version, by, at) as row:
        row.done_at = None
        _note(row, "plan_step_reopened", by=by, at=at, channel=channel)
    return row


@transaction.atomic
def remove_plan_step(step_id: int, *, version: int, by: Any, at: datetime, channel: str) -> PlanStep:
    with _changing(step_id, version, by, at) as row:
        row.removed_at = at
        _note(row, "plan_step_removed", by=by, at=at, channel=channel)
    return row


# --- parts ---


@contextmanager
def _changing(step_id: int, version: int, by: Any, at: datetime) -> Iterator[PlanStep]:
    """The locked step, saved when the block ends; journeys first, as every write to evidence locks them."""
    found = PlanStep.objects.filter(pk=step_id, removed_at=None).first()
    if found is None:
        raise NotFound
    kind = records.require(by, KIND, found.opportunity_id, "opportunity.edit")
    with kind.changing([found.opportunity_id], at):
        row = PlanStep.objects.select_for_update(of=("self",)).get(pk=step_id)
        if row.version != version or row.removed_at is not None:
            raise Stale(details={"version": row.version})
        yield row
        row.version += 1
        row.save()


def _title(text: str) -> str:
    return clean_text(text, limit=100_000, field="title").strip()


def _errors(title: str, due: date) -> list[dict[str, str]]:
    errors = []
    if not 0 < len(_title(title)) <= 200:
        errors.append({"field": "title", "message": _("Write 1 to 200 characters.")})
    if not FIRST <= due <= LAST:
        errors.append({"field": "due", "message": _("A day from 2000 to 2100 is expected.")})
    return errors


def _is_contact_of(deal_id: int, contact_id: int | None, by: Any) -> bool:
    """A contact at the deal's account, whom `by` sees."""
    if contact_id is None:
        return False
    account = Opportunity.objects.filter(pk=deal_id).values_list("account_id", flat=True).first()
    return (
        account is not None
        and Contact.objects.filter(pk=contact_id, account_id=account, left_at=None).exists()
        and records.record_type("contact").sees(by, contact_id)
    )


def _note(row: PlanStep, type_: str, *, by: Any, at: datetime, channel: str, **data: Any) -> None:
    record(
        [
            NewEvent(
                type=type_,
                subject_type=KIND,
                subject_id=row.opportunity_id,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                data={"step": row.pk, "side": row.side, **data},
                payload={"title": row.title},
            )
        ]
    )
