"""Edits and buying roles for many records at once, each with the event that the single verb writes.

For the product itself (an import run, a simulated company): the caller has the right over the records and
calls `touch_facts` first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.utils import timezone

from fairlead.common import bulk
from fairlead.common.questions import Question
from fairlead.common.refusals import Invalid
from fairlead.fields.catalogue import catalogue
from fairlead.fields.enums import REFERENCE
from fairlead.fields.values import to_json
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import User
from fairlead.process.services import mirror_subjects

from ..enums import TeamRole
from ..models import ContactRole, DealTeamMember, Opportunity
from .indexing import WATCHED, index_again
from .naming import NAMES, make_findable
from .records import KINDS
from .standing import COMMERCIAL, frozen_among
from .values import assign, clean_values, value_of

MIRRORED = frozenset({"name", "amount", "expected_close_date"})


@lru_cache(maxsize=8)
def _standing(kind: str) -> Question[Any]:
    rows: Any = KINDS[kind].model.objects
    return Question(lambda ids: rows.filter(pk__in=ids), lists=("ids",))


_slots_of = Question(
    lambda deals: DealTeamMember.objects.filter(opportunity__in=deals, to_date=None), lists=("deals",)
)
_journeys_of = Question(
    lambda deals: Opportunity.objects.filter(pk__in=deals).values_list("pk", "journey_id"), lists=("deals",)
)


@dataclass(frozen=True, slots=True)
class Change:
    """New values of one record, and who set them."""

    record_id: int
    values: Mapping[str, Any]
    by: Any


def edit_many(
    kind: str,
    changes: Sequence[Change],
    *,
    at: datetime,
    channel: str,
    data: Mapping[str, Any] | None = None,
    clocks: bool = True,
) -> int:
    """Change fields of many records, at most one change a record; values that stand still stay (see `standing`).
    `data` joins the data of each event. `clocks` as in `mirror_subjects`.

    Raises Invalid for a value that its field cannot hold. Returns how many records changed.
    """
    fields = catalogue(kind)
    rows = {row.pk: row for row in _standing(kind)([c.record_id for c in changes])}
    errors: list[dict[str, str]] = []
    events, changed_rows, mirrored, found_anew = [], [], [], []
    columns = {"custom", "updated_at", "version"}
    slots: list[tuple[int, str, int | None]] = []
    frozen = frozen_among(kind, list(rows), {key for change in changes for key in change.values})
    for change in changes:
        row = rows[change.record_id]
        values = clean_values(fields, change.values, by=None, errors=errors)
        before = {key: value_of(row, fields[key]) for key in values}
        changed = {
            key: value
            for key, value in values.items()
            if before[key] != value
            and not (kind == "opportunity" and row.commercial_locked and key in COMMERCIAL)
            and key not in frozen.get(row.pk, ())
        }
        if not changed or errors:
            continue
        assign(row, fields, changed)
        if kind == "opportunity":
            slots.extend(
                (row.pk, role, changed[role.lower()]) for role in TeamRole if role.lower() in changed
            )
        columns.update(_columns(fields, changed))
        if NAMES & set(changed):
            columns |= make_findable(row)
        if WATCHED & set(changed):
            found_anew.append(row.pk)
        row.updated_at, row.version = at, row.version + 1
        changed_rows.append(row)
        if MIRRORED & set(changed):
            mirrored.append(row.pk)
        events.append(
            NewEvent(
                type="edited",
                subject_type=kind,
                subject_id=row.pk,
                actor_id=change.by.pk,
                effective_at=at,
                channel=channel,
                journey_id=getattr(row, "journey_id", None),
                data={"fields": sorted(changed), **(data or {})},
                payload={
                    "before": {k: to_json(before[k]) for k in changed},
                    "after": {k: to_json(v) for k, v in changed.items()},
                },
            )
        )
    if errors:
        raise Invalid(errors=errors)
    bulk.update(changed_rows, sorted(columns))
    index_again(kind, found_anew)
    _refill_slots(slots, on=timezone.localdate(at))
    record(events)
    if mirrored and kind != "contact":
        mirror_subjects(kind, mirrored, by_id=None, at=at, channel=channel, clocks=clocks)
    return len(changed_rows)


@transaction.atomic
def give_many(
    kind: str,
    owners: Mapping[int, User],
    *,
    by: User,
    at: datetime,
    channel: str,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Give each record to its new owner, and with it to that person's team (MV-12)."""
    rows = list(KINDS[kind].model.objects.filter(pk__in=owners).order_by("pk"))
    events, slots = [], []
    for row in rows:
        owner = owners[row.pk]
        before = {"owner": row.owner_id, "team": row.team_id}
        if kind == "opportunity":
            before["ar"] = row.ar_id
            row.ar = owner
            slots.append((row.pk, "AR", owner.pk))
        row.owner, row.team, row.updated_at, row.version = owner, owner.team, at, row.version + 1
        after = {"owner": owner.pk, "team": owner.team_id}
        events.append(
            NewEvent(
                type="owner_changed",
                subject_type=kind,
                subject_id=row.pk,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                journey_id=getattr(row, "journey_id", None),
                data={"fields": sorted(before), "before": before, "after": after, **(data or {})},
                payload={"before": before, "after": after},
            )
        )
    columns = ["owner_id", "team_id", "updated_at", "version"]
    bulk.update(rows, [*columns, "ar_id"] if kind == "opportunity" else columns)
    index_again(kind, [row.pk for row in rows])
    _refill_slots(slots, on=timezone.localdate(at))
    record(events)
    if kind != "contact":
        mirror_subjects(kind, [row.pk for row in rows], by_id=by.pk, at=at, channel=channel)


def _refill_slots(slots: Sequence[tuple[int, str, int | None]], *, on: date) -> None:
    """The dated rows of the deal teams, as `records.refill_slots` keeps them for one deal."""
    if not slots:
        return
    wanted = {(deal, str(role)): person for deal, role, person in slots}
    standing = _slots_of({deal for deal, _role, _p in slots})
    ending = [row for row in standing if (row.opportunity_id, row.role) in wanted]
    for row in ending:
        row.to_date = on
    bulk.update(ending, ["to_date"])
    bulk.insert(
        [
            DealTeamMember(opportunity_id=deal, role=role, person_id=person, from_date=on)
            for (deal, role), person in wanted.items()
            if person is not None
        ]
    )


def _columns(fields: Any, changed: Mapping[str, Any]) -> set[str]:
    """The columns of the row that hold these fields."""
    found = set()
    for key in changed:
        spec = fields[key]
        if not spec.custom:
            found.add(spec.path if spec.type in REFERENCE else spec.path or key)
    return found


def place_contacts(
    rows: Sequence[ContactRole], *, by: Mapping[int, Any], channel: str
) -> Sequence[ContactRole]:
    """Place contacts in deals; `by` names the person for each opportunity."""
    bulk.insert(rows)
    journeys = dict(_journeys_of({r.opportunity_id for r in rows}))
    record(
        [
            NewEvent(
                type="contact_role_added",
                subject_type="opportunity",
                subject_id=row.opportunity_id,
                journey_id=journeys[row.opportunity_id],
                actor_id=by[row.opportunity_id].pk,
                effective_at=row.recorded_at,
                channel=channel,
                data={
                    "contact": row.contact_id,
                    "role": str(row.role),
                    "stance": row.stance,
                    "influence": row.influence,
                    "depth": row.depth,
                },
            )
            for row in rows
        ]
    )
    return rows
