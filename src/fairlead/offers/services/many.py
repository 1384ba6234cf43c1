"""Contracts and milestones for many deals at once, each with the event that the single verb writes.

For the product itself (an import run, a simulated company): the caller has the right over the records and
calls `touch_facts` first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from fairlead.common import bulk
from fairlead.common.questions import Question
from fairlead.fields.catalogue import catalogue
from fairlead.fields.values import to_json
from fairlead.journal.services import NewEvent, record
from fairlead.process.services import mirror_subjects

from ..models import Contract, Milestone
from .contracts import _clean

_contracts = Question(lambda ids: Contract.objects.filter(pk__in=ids), lists=("ids",))


def _by_id(ids: Iterable[int]) -> dict[int, Contract]:
    return {row.pk: row for row in _contracts(ids)}


CREATED = ("number", "amount", "currency", "signed_date", "countersigned_date")


def _event(contract: Contract, type_: str, *, by: Any, at: datetime, channel: str, **more: Any) -> NewEvent:
    return NewEvent(
        type=type_,
        subject_type="contract",
        subject_id=contract.pk,
        journey_id=contract.journey_id,
        actor_id=by.pk,
        effective_at=at,
        channel=channel,
        **more,
    )


def create_contracts(rows: Sequence[Contract], *, channel: str) -> Sequence[Contract]:
    """File contracts; their owners are who files them."""
    bulk.insert(rows)
    record(
        [
            _event(
                row,
                "created",
                by=row.owner,
                at=row.created_at,
                channel=channel,
                payload={"after": {name: to_json(getattr(row, name)) for name in CREATED}},
            )
            for row in rows
        ]
    )
    return rows


def edit_contracts(
    changes: Mapping[int, Mapping[str, Any]],
    *,
    by: Mapping[int, Any],
    at: datetime,
    channel: str,
    clocks: bool = True,
) -> None:
    """Change fields of contracts; `by` names the person for each id. `clocks` as in `mirror_subjects`.
    Raises Invalid."""
    fields = catalogue("contract")
    rows = _by_id(changes)
    events, columns = [], {"custom", "updated_at", "version"}
    for pk, raw in changes.items():
        row, before = rows[pk], {}
        values = _clean(dict(raw))
        for key, value in values.items():
            if fields[key].custom:
                before[key] = row.custom.get(key)
                row.custom = {**row.custom, key: to_json(value)}
            else:
                before[key] = to_json(getattr(row, key))
                setattr(row, key, value)
                columns.add(key)
        row.updated_at, row.version = at, row.version + 1
        events.append(
            _event(
                row,
                "edited",
                by=by[pk],
                at=at,
                channel=channel,
                data={"fields": sorted(values)},
                payload={"before": before, "after": {k: to_json(v) for k, v in values.items()}},
            )
        )
    bulk.update([rows[pk] for pk in changes], sorted(columns))
    record(events)
    if "amount" in columns or "number" in columns:
        mirror_subjects("contract", list(changes), by_id=None, at=at, channel=channel, clocks=clocks)


def add_milestones(
    rows: Sequence[Milestone], *, by: Mapping[int, Any], at: datetime, channel: str
) -> Sequence[Milestone]:
    """Add milestones; `by` names the person for each contract id."""
    bulk.insert(rows)
    contracts = _by_id(r.contract_id for r in rows if r.contract_id)
    record(
        [
            _event(
                contracts[row.contract_id],
                "milestone_added",
                by=by[row.contract_id],
                at=at,
                channel=channel,
                data={"milestone": row.pk, "kind": str(row.kind)},
            )
            for row in rows
        ]
    )
    return rows


def complete_milestones(
    rows: Sequence[Milestone], *, by: Mapping[int, Any], at: datetime, channel: str
) -> None:
    """Write down milestones whose `done_date` was set; `by` names the person for each contract id."""
    for row in rows:
        row.recorded_at = at
    bulk.update(rows, ["done_date", "recorded_at"])
    contracts = _by_id(r.contract_id for r in rows if r.contract_id)
    record(
        [
            _event(
                contracts[row.contract_id],
                "milestone_done",
                by=by[row.contract_id],
                at=at,
                channel=channel,
                data={"milestone": row.pk, "kind": str(row.kind), "on": row.done_date.isoformat()},
            )
            for row in rows
            if row.done_date is not None
        ]
    )
