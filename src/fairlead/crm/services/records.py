"""Creating and editing segments, accounts, contacts and opportunities: one way for all four.

Values are checked against the field catalogue, so that a custom field works here from the moment it exists.
Everything works in bulk; a single record is a batch of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common import bulk
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.fields.catalogue import catalogue
from fairlead.fields.values import to_json
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import Organisation, Team, User
from fairlead.process.enums import Outcome
from fairlead.process.models import Journey
from fairlead.process.services import NewJourney, facts_change, mirror_subjects, start_journeys

from ..enums import TeamRole
from ..models import Account, Contact, DealTeamMember, Opportunity, Segment
from ..refusals import MergedAway
from .following import follow_edit, follow_leaving
from .indexing import WATCHED, index_again, index_new
from .naming import make_findable
from .standing import standing_errors
from .values import assign, clean_values, conflicts, error_of, payload_of, taken_codes, unreachable, value_of


@dataclass(frozen=True, slots=True)
class Kind:
    model: Any
    create_right: str
    edit_right: str
    reassign_right: str


KINDS: Mapping[str, Kind] = {
    "segment": Kind(Segment, "segment.edit", "segment.edit", "segment.edit"),
    "account": Kind(Account, "account.create", "account.edit", "account.edit"),
    "contact": Kind(Contact, "contact.create", "contact.edit", "contact.edit"),
    "opportunity": Kind(Opportunity, "opportunity.create", "opportunity.edit", "opportunity.reassign"),
}
#: Fields of an account that gates of its deals read.
READ_BY_GATES = ("tier", "industry")
SLOTS: Mapping[str, str] = {TeamRole.AR: "ar_id", TeamRole.SR: "sr_id", TeamRole.FR: "fr_id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """A record to be created. `journey` begins its path (history of an import); None: the default start."""

    values: Mapping[str, Any]
    owner: User | None = None
    team: Team | None = None
    external_id: str = ""
    incomplete: bool = False
    is_sample: bool = False
    created_at: datetime | None = None
    journey: NewJourney | None = None
    acted_by: User | None = None  # in a batch of the installation itself: in whose name it is created


def create(
    kind: str,
    values: Mapping[str, Any],
    *,
    by: User,
    at: datetime,
    channel: str,
    owner: User | None = None,
    process_key: str = "",
) -> Any:
    """Create one record; an opportunity also sets out on its process. Raises NotPermitted, Invalid."""
    new = NewRecord(values=values, owner=owner)
    return create_many(kind, [new], by=by, at=at, channel=channel, process_key=process_key)[0]


@transaction.atomic
def create_many(
    kind: str,
    wanted: Sequence[NewRecord],
    *,
    by: User | None,
    at: datetime,
    channel: str,
    batch_id: int | None = None,
    process_key: str = "",
    refresh: bool = True,
    check_references: bool = True,
) -> list[Any]:
    """Create many records of one kind. `by` None is the installation itself (demo, a command).

    Raises NotPermitted, and Invalid naming row (`row 3`), field and mend; then nothing is written.
    """
    spec = KINDS[kind]
    if by is not None and not by.may(spec.create_right):
        raise NotPermitted
    fields = catalogue(kind)
    errors: list[dict[str, str]] = []
    rows, typed = [], []
    currency = Organisation.objects.current().currency if kind == "opportunity" else ""
    for number, new in enumerate(wanted, start=1):
        values = clean_values(
            fields, new.values, by=by, errors=errors, row=number if len(wanted) > 1 else None
        )
        for needed in fields:
            if needed.required and needed.key != "currency" and values.get(needed.key) is None:
                errors.append(error_of(needed, _("Fill this in."), number if len(wanted) > 1 else None))
        rows.append(_row(spec.model, fields, values, new, by=by, at=at, currency=currency))
        typed.append(values)
    if check_references and by is not None:
        errors.extend(unreachable(typed, fields, by))
    if kind == "account":
        errors.extend(taken_codes(fields, [row.uscc for row in rows]))
    if errors:
        raise Invalid(errors=errors)
    journey_ids: Sequence[int] = ()
    if kind == "opportunity":
        journey_ids = bulk.reserve(Journey, len(rows))
        for row, new, journey_id in zip(rows, wanted, journey_ids, strict=True):
            row.journey_id = journey_id
            row.commercial_locked = new.journey is not None and new.journey.outcome == Outcome.WON
    bulk.insert(rows)
    index_new(kind, rows)
    record(
        [
            NewEvent(
                type="created",
                subject_type=kind,
                subject_id=row.pk,
                actor_id=_actor_id(by or new.acted_by),
                effective_at=row.created_at,
                recorded_at=at,
                channel=channel,
                batch_id=batch_id,
                data={"owner_id": row.owner_id, "team_id": row.team_id},
                payload={"after": payload_of(new.values)},
            )
            for row, new in zip(rows, wanted, strict=True)
        ]
    )
    if kind == "opportunity":
        _open_deals(
            rows,
            wanted,
            journey_ids,
            by=by,
            at=at,
            channel=channel,
            batch_id=batch_id,
            process_key=process_key,
            refresh=refresh,
        )
    return rows


def _open_deals(
    rows: Sequence[Opportunity],
    wanted: Sequence[NewRecord],
    journey_ids: Sequence[int],
    *,
    by: User | None,
    at: datetime,
    channel: str,
    batch_id: int | None,
    process_key: str,
    refresh: bool,
) -> None:
    bulk.insert(
        [
            bulk.new(
                DealTeamMember,
                opportunity_id=row.pk,
                role=role,
                person_id=person,
                from_date=timezone.localdate(row.created_at),
            )
            for row in rows
            for role in TeamRole
            if (person := getattr(row, SLOTS[role])) is not None
        ]
    )
    journeys = start_journeys(
        [
            NewJourney(
                **{
                    **(_fields_of(new.journey) if new.journey else {"process_key": process_key}),
                    "subject_type": "opportunity",
                    "subject_id": row.pk,
                    "acted_by_id": _actor_id(new.acted_by),
                }
            )
            for row, new in zip(rows, wanted, strict=True)
        ],
        by_id=by.pk if by is not None else None,
        at=at,
        channel=channel,
        batch_id=batch_id,
        refresh=refresh,
        ids=journey_ids,
        are_new=True,
    )
    for row, journey in zip(rows, journeys, strict=True):
        row.journey = journey
    won = {
        row.account_id for row, j in zip(rows, journeys, strict=True) if j.state == "won" and row.account_id
    }
    if won:
        Account.objects.filter(pk__in=won).update(is_customer=True)


def _actor_id(person: User | None) -> int | None:
    return person.pk if person is not None else None


def _fields_of(journey: NewJourney) -> dict[str, Any]:
    return {name: getattr(journey, name) for name in NewJourney.__slots__}


@transaction.atomic
def edit(
    kind: str,
    record_id: int,
    changes: Mapping[str, Any],
    *,
    version: int,
    by: User,
    at: datetime,
    channel: str,
    batch_id: int | None = None,
) -> Any:
    """Change fields of one record. Saving partial data is always allowed, whatever the gates ask (GT-7).

    Raises NotFound (a stranger), NotPermitted, Stale (with the values of both sides), Invalid.
    """
    spec = KINDS[kind]
    fields = catalogue(kind)
    with facts_change(kind, [record_id], at=at) as journeys:
        row = _locked(spec, record_id, by=by, right=spec.edit_right)
        errors: list[dict[str, str]] = []
        values = clean_values(fields, changes, by=by, errors=errors)
        if row.version != version:
            raise Stale(details={"version": row.version, "conflicts": conflicts(row, fields, values)})
        errors.extend(standing_errors(kind, row, fields, values, journeys))
        for key, value in values.items():
            if fields[key].required and value is None:
                errors.append(error_of(fields[key], _("Fill this in.")))
        errors.extend(unreachable([values], fields, by))
        if kind == "account":
            errors.extend(taken_codes(fields, [values.get("uscc") or ""], but=row.pk))
            if values.get("parent") == row.pk:
                errors.append(error_of(fields["parent"], _("A company does not stand above itself.")))
        if errors:
            raise Invalid(errors=errors)
        before = {key: value_of(row, fields[key]) for key in values}
        changed = {key: value for key, value in values.items() if before[key] != value}
        if not changed:
            return row
        assign(row, fields, changed)
        if kind == "opportunity":
            refill_slots(row, changed, on=timezone.localdate(at))
        make_findable(row)
        row.updated_at, row.version = at, row.version + 1
        row.save()
        if WATCHED & set(changed):
            index_again(kind, [row.pk])
        record(
            [
                NewEvent(
                    type="edited",
                    subject_type=kind,
                    subject_id=row.pk,
                    actor_id=by.pk,
                    effective_at=at,
                    channel=channel,
                    batch_id=batch_id,
                    journey_id=getattr(row, "journey_id", None),
                    data={"fields": sorted(changed)},
                    payload={
                        "before": {k: to_json(before[k]) for k in changed},
                        "after": {k: to_json(v) for k, v in changed.items()},
                    },
                )
            ]
        )
        if kind in ("opportunity", "account", "segment"):
            mirror_subjects(kind, [row.pk], by_id=by.pk, at=at, channel=channel, batch_id=batch_id)
    if kind == "opportunity":
        follow_edit(row, before, changed, by=by, at=at)
    if kind == "account" and set(READ_BY_GATES) & set(changed):
        _rejudge_deals(row, at)
    return row


def _rejudge_deals(account: Account, at: datetime) -> None:
    """Gates of deals read the account's tier and industry."""
    deals = list(Opportunity.objects.filter(account=account).values_list("pk", flat=True))
    if deals:
        with facts_change("opportunity", deals, at=at):
            pass


@transaction.atomic
def reassign(
    kind: str,
    record_id: int,
    *,
    owner: User,
    version: int,
    by: User,
    at: datetime,
    channel: str,
    reason: str = "",
    batch_id: int | None = None,
) -> Any:
    """Give a record to another owner, and with it to that person's team; its stage is unaffected (MV-12)."""
    spec = KINDS[kind]
    with facts_change(kind, [record_id], at=at):
        row = _locked(spec, record_id, by=by, right=spec.reassign_right)
        if row.version != version:
            raise Stale(details={"version": row.version})
        if not owner.is_active:
            raise Invalid(
                errors=[{"field": "owner", "message": _("This person no longer signs in. Choose another.")}]
            )
        before = {"owner": row.owner_id, "team": row.team_id}
        if kind == "opportunity":
            before["ar"] = row.ar_id
        row.owner, row.team = owner, owner.team
        if kind == "opportunity":
            row.ar = owner
            refill_slots(row, {"ar": owner.pk}, on=timezone.localdate(at))
        row.updated_at, row.version = at, row.version + 1
        row.save()
        index_again(kind, [row.pk])
        record(
            [
                NewEvent(
                    type="owner_changed",
                    subject_type=kind,
                    subject_id=row.pk,
                    actor_id=by.pk,
                    effective_at=at,
                    channel=channel,
                    journey_id=getattr(row, "journey_id", None),
                    reason_code=reason[:60],
                    batch_id=batch_id,
                    data={
                        "fields": sorted(before),
                        "before": before,
                        "after": {"owner": owner.pk, "team": owner.team_id},
                    },
                    payload={"before": before, "after": {"owner": owner.pk, "team": owner.team_id}},
                )
            ]
        )
        if kind != "contact":
            mirror_subjects(kind, [row.pk], by_id=by.pk, at=at, channel=channel, batch_id=batch_id)
    return row


def mark_contact_left(contact_id: int, *, version: int, by: User, at: datetime, channel: str) -> Contact:
    """The person has left the company: relations with them no longer count at gates (GT-8)."""
    return _set_left(contact_id, "contact_left", at, version=version, by=by, at=at, channel=channel)


def mark_contact_back(contact_id: int, *, version: int, by: User, at: datetime, channel: str) -> Contact:
    """The person has not left after all."""
    return _set_left(contact_id, "contact_back", None, version=version, by=by, at=at, channel=channel)


@transaction.atomic
def _set_left(
    contact_id: int,
    type_: str,
    left_at: datetime | None,
    *,
    version: int,
    by: User,
    at: datetime,
    channel: str,
) -> Contact:
    row = _locked(KINDS["contact"], contact_id, by=by, right="contact.edit")
    if row.version != version:
        raise Stale(details={"version": row.version})
    deals = list(row.deal_roles.filter(removed_at=None).values_list("opportunity_id", flat=True))
    with facts_change("opportunity", deals, at=at):
        row.left_at, row.updated_at, row.version = left_at, at, row.version + 1
        row.save(update_fields=["left_at", "updated_at", "version"])
        record(
            [
                NewEvent(
                    type=type_,
                    subject_type="contact",
                    subject_id=row.pk,
                    actor_id=by.pk,
                    effective_at=at,
                    channel=channel,
                )
            ]
        )
    follow_leaving(row, by=by, at=at)
    return row  # type: ignore[no-any-return]


def start_process(
    kind: str,
    record_id: int,
    *,
    process_key: str,
    by: User,
    at: datetime,
    channel: str,
    from_subject: tuple[str, int, str] | None = None,
) -> Journey:
    """Set a segment or an account out on a process (research, development, a care cycle)."""
    spec = KINDS[kind]
    with transaction.atomic():
        row = _locked(spec, record_id, by=by, right=spec.edit_right)
        return start_journeys(
            [
                NewJourney(
                    subject_type=kind, subject_id=row.pk, process_key=process_key, from_subject=from_subject
                )
            ],
            by_id=by.pk,
            at=at,
            channel=channel,
        )[0]


def refill_slots(deal: Opportunity, changed: Mapping[str, Any], *, on: date) -> None:
    """Keep the dated rows of the deal team in step with the slots that changed (IT-1).

    Whoever comes back on the day of leaving never left, and whoever leaves on the day of coming was never there.
    """
    for role in TeamRole:
        if role.lower() not in changed:
            continue
        person, slot = changed[role.lower()], DealTeamMember.objects.filter(opportunity=deal, role=role)
        slot.filter(to_date=None, from_date=on).delete()
        slot.filter(to_date=None).update(to_date=on)
        if person is None:
            continue
        left_today = slot.filter(to_date=on, person_id=person).order_by("-pk").first()
        if left_today is not None:
            left_today.to_date = None
            left_today.save(update_fields=["to_date"])
        else:
            DealTeamMember.objects.create(opportunity=deal, role=role, person_id=person, from_date=on)


# --- parts ---


def _locked(spec: Kind, record_id: int, *, by: User, right: str) -> Any:
    row = spec.model.objects.select_for_update(of=("self",)).filter(pk=record_id).first()
    if row is None or not spec.model.objects.visible_to(by).filter(pk=record_id).exists():
        raise NotFound
    if (into := getattr(row, "merged_into_id", None)) is not None:
        raise MergedAway(details={"into": into})
    if not spec.model.objects.visible_to(by, right).filter(pk=record_id).exists():
        raise NotPermitted
    return row


def _row(
    model: Any,
    fields: Any,
    values: Mapping[str, Any],
    new: NewRecord,
    *,
    by: User | None,
    at: datetime,
    currency: str,
) -> Any:
    owner = new.owner or by
    row = bulk.new(
        model,
        owner_id=owner.pk if owner is not None else None,
        team_id=new.team.pk if new.team is not None else owner.team_id if owner is not None else None,
        external_id=new.external_id[:100],
        is_sample=new.is_sample,
        created_at=new.created_at or at,
        updated_at=at,
    )
    if currency:
        row.currency, row.incomplete, row.ar_id = currency, new.incomplete, row.owner_id
    assign(row, fields, {k: v for k, v in values.items() if not (k == "currency" and v is None)})
    make_findable(row)
    return row
