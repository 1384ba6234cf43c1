"""Contracts and milestones. What they tell is read by gates of the deal and of the contract's own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.crm.models import Opportunity
from fairlead.fields.catalogue import catalogue
from fairlead.fields.values import BadValue, clean, to_json
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import User
from fairlead.process.selectors.approvals import frozen_of
from fairlead.process.services import facts_change, mirror_subjects

from ..models import Contract, Milestone, MilestoneKind

RATED = ("satisfaction", "satisfaction_date", "satisfaction_source")
LARGEST = Decimal(10) ** 16


@contextmanager
def _changing(contract: Contract, at: datetime) -> Iterator[None]:
    """A contract is read by two journeys: the deal's and its own."""
    with facts_change("opportunity", [contract.opportunity_id], at=at):
        if contract.pk is None:
            yield
        else:
            with facts_change("contract", [contract.pk], at=at):
                yield


def _event(contract: Contract, type_: str, *, by: User, at: datetime, channel: str, **more: Any) -> None:
    record(
        [
            NewEvent(
                type=type_,
                subject_type="contract",
                subject_id=contract.pk,
                journey_id=contract.journey_id,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                **more,
            )
        ]
    )


def _locked(contract_id: int, *, by: User, version: int | None = None) -> Contract:
    row = Contract.objects.select_for_update(of=("self",)).filter(pk=contract_id).first()
    if row is None or not Contract.objects.visible_to(by).filter(pk=contract_id).exists():
        raise NotFound
    if not Contract.objects.visible_to(by, "contract.edit").filter(pk=contract_id).exists():
        raise NotPermitted
    if version is not None and row.version != version:
        raise Stale(details={"version": row.version})
    return row


@transaction.atomic
def create_contract(
    opportunity_id: int,
    *,
    number: str,
    amount: Decimal,
    currency: str,
    by: User,
    at: datetime,
    channel: str,
    signed_date: date | None = None,
    countersigned_date: date | None = None,
    owner: User | None = None,
) -> Contract:
    """File the contract of a deal. Raises NotFound, NotPermitted, Invalid."""
    deal = Opportunity.objects.visible_to(by).filter(pk=opportunity_id).first()
    if deal is None:
        raise NotFound
    if not Opportunity.objects.visible_to(by, "contract.edit").filter(pk=opportunity_id).exists():
        raise NotPermitted
    values = _clean(
        {
            "number": number,
            "amount": amount,
            "currency": currency,
            "signed_date": signed_date,
            "countersigned_date": countersigned_date,
        }
    )
    if values["number"] is None:
        raise Invalid.field("number", _("Fill this in."))
    if values["amount"] is None:
        raise Invalid.field("amount", _too_small())
    _check_dates(values.get("signed_date"), values.get("countersigned_date"))
    if Contract.objects.filter(number=values["number"]).exists():
        raise Invalid.field("number", _("A contract with this number exists."))
    contract = Contract(
        opportunity=deal,
        owner=owner or deal.owner,
        team=deal.team,
        created_at=at,
        updated_at=at,
        **{k: v for k, v in values.items() if v is not None},
    )
    with _changing(contract, at):
        contract.save()
        _event(
            contract,
            "created",
            by=by,
            at=at,
            channel=channel,
            payload={"after": {k: to_json(v) for k, v in values.items()}},
        )
    return contract


@transaction.atomic
def edit_contract(
    contract_id: int, changes: dict[str, Any], *, version: int, by: User, at: datetime, channel: str
) -> Contract:
    """Change number, dates, amount or custom fields. Raises NotFound, NotPermitted, Stale, Invalid."""
    row = _locked(contract_id, by=by, version=version)
    fields = catalogue("contract")
    values = _clean(changes, by=by)
    _check_dates(
        values.get("signed_date", row.signed_date), values.get("countersigned_date", row.countersigned_date)
    )
    _check_satisfaction({key: values.get(key, getattr(row, key)) for key in RATED})
    if values.get("number") and Contract.objects.filter(number=values["number"]).exclude(pk=row.pk).exists():
        raise Invalid.field("number", _("A contract with this number exists."))
    frozen = frozen_of("contract", [row.pk]).get(row.pk, frozenset()) & set(values)
    if frozen:
        text = _("It is being decided: what was submitted stands still. Withdraw the request to change it.")
        raise Invalid(errors=[{"field": key, "message": text} for key in sorted(frozen)])
    with _changing(row, at):
        before: dict[str, Any] = {}
        for key, value in values.items():
            if fields[key].custom:
                before[key] = row.custom.get(key)
                row.custom = {**row.custom, key: to_json(value)}
            else:
                before[key] = to_json(getattr(row, key))
                if value is None and fields[key].required:
                    raise Invalid.field(key, _("Fill this in."))
                setattr(row, key, value)
        row.updated_at, row.version = at, row.version + 1
        row.save()
        _event(
            row,
            "edited",
            by=by,
            at=at,
            channel=channel,
            data={"fields": sorted(values)},
            payload={"before": before, "after": {k: to_json(v) for k, v in values.items()}},
        )
        mirror_subjects("contract", [row.pk], by_id=by.pk, at=at, channel=channel)
    return row


def countersign(
    contract_id: int, *, on: date, version: int, by: User, at: datetime, channel: str
) -> Contract:
    """Both sides have signed: the fact that the signing gate waits for."""
    row = Contract.objects.filter(pk=contract_id).first()
    signed = {} if row is None or row.signed_date else {"signed_date": on}
    return edit_contract(
        contract_id, {**signed, "countersigned_date": on}, version=version, by=by, at=at, channel=channel
    )


@transaction.atomic
def add_milestone(
    contract_id: int,
    *,
    kind: str,
    name: str,
    by: User,
    at: datetime,
    channel: str,
    due_date: date | None = None,
    amount: Decimal | None = None,
) -> Milestone:
    row = _locked(contract_id, by=by)
    if amount is not None and amount < 0:
        raise Invalid.field("amount", _too_small())
    if kind not in MilestoneKind.values:
        raise Invalid.field("kind", _("There is no such kind of milestone."))
    if not name.strip():
        raise Invalid.field("name", _("Fill this in."))
    with _changing(row, at):
        milestone = Milestone.objects.create(
            contract=row, kind=kind, name=name.strip()[:100], due_date=due_date, amount=amount
        )
        _event(
            row,
            "milestone_added",
            by=by,
            at=at,
            channel=channel,
            data={"milestone": milestone.pk, "kind": kind},
        )
    return milestone


@transaction.atomic
def complete_milestone(milestone_id: int, *, on: date, by: User, at: datetime, channel: str) -> Milestone:
    milestone = Milestone.objects.select_for_update(of=("self",)).filter(pk=milestone_id).first()
    if milestone is None:
        raise NotFound
    row = _locked(milestone.contract_id, by=by)
    if on > timezone.localdate(at):
        raise Invalid.field("on", _("This lies in the future."))
    with _changing(row, at):
        milestone.done_date, milestone.recorded_at = on, at
        milestone.save(update_fields=["done_date", "recorded_at"])
        _event(
            row,
            "milestone_done",
            by=by,
            at=at,
            channel=channel,
            data={"milestone": milestone.pk, "kind": milestone.kind, "on": on.isoformat()},
        )
    return milestone


def _too_small() -> str:
    return _("An amount of zero or more is expected.")


def _outside(key: str, value: Any) -> str:
    """Why a column does not hold the value; blank where it does."""
    if value is None:
        return ""
    if key in ("amount", "actual_cost"):
        if value < 0:
            return _too_small()
        return "" if value < LARGEST else _("The number is too large.")
    if key in ("satisfaction", "satisfaction_target") and (not 0 <= value <= 10 or value != round(value, 1)):
        return _("A score from 0 to 10 is expected, with one decimal at most.")
    return ""


def _clean(raw: dict[str, Any], *, by: Any = None) -> dict[str, Any]:
    """`by`: who sets them, where it is a person and not the product itself."""
    fields, values, errors = catalogue("contract"), {}, []
    for key, value in raw.items():
        spec = fields.get(key)
        if spec is None or not spec.settable or (by is not None and not spec.writable_by(by)):
            errors.append({"field": key, "message": _("This field is not here to be set.")})
            continue
        try:
            values[key] = clean(spec, value)
        except BadValue as error:
            errors.append({"field": key, "message": str(error)})
            continue
        if message := _outside(key, values[key]):
            errors.append({"field": key, "message": message})
    if errors:
        raise Invalid(errors=errors)
    return values


def _check_dates(signed: date | None, countersigned: date | None) -> None:
    if countersigned is not None and (signed is None or countersigned < signed):
        raise Invalid.field("countersigned_date", _("It is countersigned on or after the day of signing."))


def _check_satisfaction(said: dict[str, Any]) -> None:
    """A score says when it was given and where it comes from; neither is set without a score."""
    if said["satisfaction"] is None:
        return
    missing = [key for key in RATED[1:] if said[key] in (None, "")]
    if missing:
        text = _("A score needs its day and its source: enter all three together.")
        raise Invalid(errors=[{"field": key, "message": text} for key in missing])


@transaction.atomic
def remove_milestone(milestone_id: int, *, by: User, at: datetime, channel: str) -> Contract:
    """A milestone that was added by mistake goes; one that was reached stands. Raises NotFound, Stale."""
    milestone, row = _milestone(milestone_id, by=by)
    if milestone.done_date is not None:
        raise Stale
    with _changing(row, at):
        data = {"milestone": milestone.pk, "kind": milestone.kind}
        milestone.delete()
        _event(row, "milestone_removed", by=by, at=at, channel=channel, data=data)
    return row


@transaction.atomic
def reopen_milestone(milestone_id: int, *, by: User, at: datetime, channel: str) -> Milestone:
    """A milestone was not reached after all. Raises NotFound, Stale."""
    milestone, row = _milestone(milestone_id, by=by)
    if milestone.done_date is None:
        raise Stale
    with _changing(row, at):
        milestone.done_date, milestone.recorded_at = None, None
        milestone.save(update_fields=["done_date", "recorded_at"])
        data = {"milestone": milestone.pk, "kind": milestone.kind}
        _event(row, "milestone_reopened", by=by, at=at, channel=channel, data=data)
    return milestone


def _milestone(milestone_id: int, *, by: User) -> tuple[Milestone, Contract]:
    milestone = Milestone.objects.select_for_update(of=("self",)).filter(pk=milestone_id).first()
    if milestone is None:
        raise NotFound
    return milestone, _locked(milestone.contract_id, by=by)
