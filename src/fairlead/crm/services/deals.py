"""The people of a deal: our triangle and the customer's buying roles; and a successor of a lost deal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import User
from fairlead.process.enums import CLOSED_STATES
from fairlead.process.models import ChainLink, Journey
from fairlead.process.services import facts_change, leaving
from fairlead.process.services.ledger import lock

from ..enums import BuyingRole, TeamRole
from ..models import Contact, ContactRole, Opportunity
from ..refusals import MergedAway
from .records import NewRecord, create_many, edit


def _deal(opportunity_id: int, *, by: User, right: str = "opportunity.edit") -> Opportunity:
    row = Opportunity.objects.visible_to(by).filter(pk=opportunity_id).first()
    if row is None:
        raise NotFound
    if row.merged_into_id is not None and not right.endswith(".view"):
        raise MergedAway(details={"into": row.merged_into_id})
    if not Opportunity.objects.visible_to(by, right).filter(pk=opportunity_id).exists():
        raise NotPermitted
    return row


def _event(deal: Opportunity, type_: str, *, by: User, at: datetime, channel: str, **data: Any) -> None:
    record(
        [
            NewEvent(
                type=type_,
                subject_type="opportunity",
                subject_id=deal.pk,
                journey_id=deal.journey_id,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                data=data,
            )
        ]
    )


def give_process(
    opportunity_id: int, *, process_key: str = "", version: int, by: User, at: datetime, channel: str
) -> Journey:
    """Set a deal that has left its process out on one again (VR-2).

    Raises NotFound, NotPermitted, Stale, Invalid."""
    with transaction.atomic():
        deal = _deal(opportunity_id, by=by, right="opportunity.move")
        left = lock([deal.journey_id])[deal.journey_id] if deal.journey_id is not None else None
        if left is None:
            raise NotFound
        deal = Opportunity.objects.select_for_update(of=("self",)).get(pk=deal.pk)
        if deal.version != version or deal.journey_id != left.pk:
            raise Stale(details={"version": deal.version})
        given = leaving.give_process(left, process_key=process_key, by=by, at=at, channel=channel)
        deal.journey, deal.updated_at, deal.version = given, at, deal.version + 1
        deal.save(update_fields=["journey", "updated_at", "version"])
    return given


def set_team_member(
    opportunity_id: int, *, role: str, person: User | None, version: int, by: User, at: datetime, channel: str
) -> Opportunity:
    """Fill or empty a slot of the triangle. The AR slot follows the owner: use `reassign` for it."""
    if role not in (TeamRole.SR, TeamRole.FR):
        raise Invalid(
            errors=[{"field": "role", "message": _("The AR is the owner; reassign the deal instead.")}]
        )
    deal: Opportunity = edit(
        "opportunity",
        opportunity_id,
        {role.lower(): person.pk if person else None},
        version=version,
        by=by,
        at=at,
        channel=channel,
    )
    return deal


@transaction.atomic
def add_contact_role(
    opportunity_id: int,
    *,
    contact_id: int,
    role: str,
    by: User,
    at: datetime,
    channel: str,
    stance: int = 0,
    influence: int = 3,
    depth: int = 1,
) -> ContactRole:
    """Place a contact of the account in the deal. Raises Invalid for a role taken twice or a stranger's contact."""
    deal = _deal(opportunity_id, by=by)
    contact = Contact.objects.visible_to(by).filter(pk=contact_id).first()
    errors = []
    if contact is None:
        errors.append({"field": "contact", "message": _("There is no such contact.")})
    if role not in BuyingRole.values:
        errors.append({"field": "role", "message": _("There is no such buying role.")})
    if not (-2 <= stance <= 2 and 1 <= influence <= 5 and 0 <= depth <= 4):
        errors.append(
            {"field": "stance", "message": _("Stance is −2 to 2, influence 1 to 5, contact depth 0 to 4.")}
        )
    standing = ContactRole.objects.filter(opportunity=deal, contact_id=contact_id, role=role, removed_at=None)
    if not errors and standing.exists():
        errors.append({"field": "role", "message": _("This contact already has this role here.")})
    if errors:
        raise Invalid(errors=errors)
    with facts_change("opportunity", [deal.pk], at=at):
        row = ContactRole.objects.create(
            opportunity=deal,
            contact_id=contact_id,
            role=role,
            stance=stance,
            influence=influence,
            depth=depth,
            recorded_at=at,
        )
        _event(
            deal,
            "contact_role_added",
            by=by,
            at=at,
            channel=channel,
            contact=contact_id,
            role=role,
            stance=stance,
            influence=influence,
            depth=depth,
        )
    return row


@transaction.atomic
def change_contact_role(
    role_id: int, *, by: User, at: datetime, channel: str, stance: int, influence: int, depth: int
) -> ContactRole:
    """A changed judgement is a new row: the old one keeps what was thought before."""
    old = _standing(role_id)
    remove_contact_role(role_id, by=by, at=at, channel=channel)
    return add_contact_role(
        old.opportunity_id,
        contact_id=old.contact_id,
        role=old.role,
        by=by,
        at=at,
        channel=channel,
        stance=stance,
        influence=influence,
        depth=depth,
    )


@transaction.atomic
def remove_contact_role(role_id: int, *, by: User, at: datetime, channel: str) -> ContactRole:
    row = _standing(role_id)
    deal = _deal(row.opportunity_id, by=by)
    with facts_change("opportunity", [deal.pk], at=at):
        row.removed_at = at
        row.save(update_fields=["removed_at"])
        _event(
            deal, "contact_role_removed", by=by, at=at, channel=channel, contact=row.contact_id, role=row.role
        )
    return row


@transaction.atomic
def restore_contact_role(role_id: int, *, by: User, at: datetime, channel: str) -> ContactRole:
    """A contact that was taken out stands in the deal again as before. Raises NotFound, NotPermitted."""
    row = ContactRole.objects.select_for_update(of=("self",)).filter(pk=role_id).first()
    if row is None or row.removed_at is None:
        raise NotFound
    deal = _deal(row.opportunity_id, by=by)
    if not Contact.objects.visible_to(by).filter(pk=row.contact_id).exists():
        raise NotFound
    with facts_change("opportunity", [deal.pk], at=at):
        row.removed_at = None
        row.save(update_fields=["removed_at"])
        _event(
            deal,
            "contact_role_added",
            by=by,
            at=at,
            channel=channel,
            contact=row.contact_id,
            role=row.role,
            stance=row.stance,
            influence=row.influence,
            depth=row.depth,
        )
    return row


def _standing(role_id: int) -> ContactRole:
    row = ContactRole.objects.select_for_update(of=("self",)).filter(pk=role_id, removed_at=None).first()
    if row is None:
        raise NotFound
    return row


@transaction.atomic
def create_successor(opportunity_id: int, *, by: User, at: datetime, channel: str) -> Opportunity:
    """A new deal linked to one that ended too long ago to be reopened (MV-7, AC-9). Raises NotFound, Invalid.

    There is one at a time: of two clicks the second finds the first one's deal.
    """
    old = _deal(opportunity_id, by=by, right="opportunity.view")
    lock([old.journey_id] if old.journey_id is not None else [])
    running = Opportunity.objects.filter(predecessor=old.pk).exclude(journey__state__in=CLOSED_STATES)
    if running.exists():
        raise Invalid.field("opportunity", _("It goes on in another deal already."))
    values = {
        "name": old.name,
        "account": old.account_id,
        "product": old.product_id,
        "amount": old.amount,
        "currency": old.currency,
        "deal_type": old.deal_type,
        "is_tender": old.is_tender,
        "source": old.source or None,
        "description": old.description or None,
    }
    row: Opportunity = create_many("opportunity", [NewRecord(values=values)], by=by, at=at, channel=channel)[
        0
    ]
    row.predecessor = old
    row.save(update_fields=["predecessor"])
    ChainLink.objects.create(
        from_subject_type="opportunity",
        from_subject_id=old.pk,
        kind="successor",
        to_subject_type="opportunity",
        to_subject_id=row.pk,
        linked_at=at,
    )
    return row
