"""Standing delegations of approvals (AP-8): from day to day, for kinds, up to an amount. No circles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Refusal
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import User

from ..approver_resolution import Standing, closes_a_circle
from ..models import Delegation

FOR_OTHERS = "approval.delegate"
MAX_DAYS = 366
MAX_KINDS = 20


class CircularDelegation(Refusal):
    code = "delegation-circle"

    def __init__(self) -> None:
        super().__init__(
            _("This would lead in a circle: the person, or their deputy, delegates back to you.")
        )


@transaction.atomic
def delegate(
    *,
    delegator: Any,
    delegate_to: int,
    from_date: date,
    to_date: date,
    kinds: Sequence[str] = (),
    amount_cap: Decimal | None = None,
    reason: str = "",
    by: Any,
    at: datetime,
    channel: str,
) -> Delegation:
    """Let somebody stand in. One's own for a person of the same role; else the process owner grants it.

    Raises NotPermitted, Invalid, CircularDelegation.
    """
    may_grant = by.may(FOR_OTHERS)
    if by.pk != delegator.pk and not may_grant:
        raise NotPermitted
    # One at a time: two delegations that would close a circle together do not both pass.
    people = {
        p.pk: p
        for p in User.objects.select_for_update()
        .filter(pk__in=sorted({delegator.pk, delegate_to}))
        .order_by("pk")
    }
    person = people.get(delegate_to)
    if person is None or not person.is_active:
        raise Invalid.field("delegate", _("There is no such person."))
    if person.pk == delegator.pk:
        raise Invalid.field("delegate", _("Choose somebody else."))
    if not (may_grant or (set(person.roles) & set(delegator.roles))) or not person.may("approval.decide"):
        raise Invalid.field(
            "delegate", _("A deputy holds the same role; for anybody else the process owner grants it.")
        )
    today = timezone.localdate(at, timezone.get_default_timezone())
    if to_date < from_date or to_date < today:
        raise Invalid.field("to_date", _("The last day is not before the first, nor past."))
    if to_date - from_date > timedelta(days=MAX_DAYS):
        raise Invalid.field("to_date", _("At most %(days)s days.") % {"days": MAX_DAYS})
    if amount_cap is not None and amount_cap <= 0:
        raise Invalid.field("amount_cap", _("An amount above zero is expected."))
    if len(kinds) > MAX_KINDS or any(len(k) > 60 for k in kinds):
        raise Invalid.field("kinds", _("Choose from the kinds of approval."))
    wanted = Standing(
        delegator_id=delegator.pk,
        delegate_id=person.pk,
        since=from_date,
        until=to_date,
        kinds=frozenset(kinds),
    )
    others = [
        Standing(
            delegator_id=d.delegator_id,
            delegate_id=d.delegate_id,
            since=d.from_date,
            until=d.to_date,
            kinds=frozenset(d.kinds),
        )
        for d in Delegation.objects.filter(revoked_at=None, to_date__gte=today)
    ]
    if closes_a_circle(wanted, others):
        raise CircularDelegation
    row = Delegation.objects.create(
        delegator=delegator,
        delegate=person,
        from_date=from_date,
        to_date=to_date,
        kinds=sorted(set(kinds)),
        amount_cap=amount_cap,
        reason=reason.strip()[:200],
        granted_by=by,
        granted_at=at,
    )
    _event("delegation_made", row, by=by, at=at, channel=channel)
    return row


@transaction.atomic
def revoke_delegation(delegation_id: int, *, by: Any, at: datetime, channel: str) -> Delegation:
    """End it; what was decided by it stands."""
    row = Delegation.objects.select_for_update(of=("self",)).filter(pk=delegation_id).first()
    if row is None or (by.pk not in (row.delegator_id, row.delegate_id) and not by.may(FOR_OTHERS)):
        raise NotFound
    if by.pk == row.delegate_id and by.pk != row.delegator_id and not by.may(FOR_OTHERS):
        raise NotPermitted
    if row.revoked_at is None:
        row.revoked_at, row.version = at, row.version + 1
        row.save(update_fields=["revoked_at", "version"])
        _event("delegation_revoked", row, by=by, at=at, channel=channel)
    return row


def _event(type_: str, row: Delegation, *, by: Any, at: datetime, channel: str) -> None:
    record(
        [
            NewEvent(
                type=type_,
                subject_type="delegation",
                subject_id=row.pk,
                actor_id=by.pk,
                on_behalf_of_id=row.delegator_id if by.pk != row.delegator_id else None,
                effective_at=at,
                channel=channel,
                data={
                    "delegator": row.delegator_id,
                    "delegate": row.delegate_id,
                    "from": row.from_date.isoformat(),
                    "to": row.to_date.isoformat(),
                    "kinds": row.kinds,
                    "cap": str(row.amount_cap) if row.amount_cap is not None else None,
                },
                comment=row.reason,
            )
        ]
    )
