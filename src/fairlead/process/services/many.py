"""Words and waivers for many journeys at once, each with the event that the single verb writes.

For the product itself (a simulated company): the caller keeps the rules of `attest` and `grant_waiver`
(another person than the owner, in the role; a reason, an end) and calls `touch_facts` first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection

from fairlead.common import bulk
from fairlead.journal.services import NewEvent, record

from ..models import Attestation, Waiver
from . import ledger

# Django would compile this anew each time, with a place for each id.
_TOUCH = {
    vendor: "UPDATE process_journey SET facts_rev = facts_rev + 1"  # noqa: S608
    f" WHERE subject_type = %s AND superseded_at IS NULL AND subject_id {among}"
    for vendor, among in (
        ("sqlite", "IN (SELECT value FROM json_each(%s))"),
        ("postgresql", "= ANY(%s::bigint[])"),
    )
}


def touch_facts(subject_type: str, subject_ids: Sequence[int]) -> None:
    """What `facts_change` does before a write, judging nothing: the rows are held, their facts newer."""
    among: Any = list(subject_ids) if connection.vendor == "postgresql" else json.dumps(list(subject_ids))
    with connection.cursor() as cursor:
        cursor.execute(_TOUCH[connection.vendor], [subject_type, among])


def attest_many(rows: Sequence[Attestation], *, channel: str) -> Sequence[Attestation]:
    """Write attestations. Raises ValueError where the owner attests the own work (IT-1)."""
    if any(row.by_id == row.journey.owner_id for row in rows):
        raise ValueError("nobody attests the own work")
    bulk.insert(rows)
    record(
        [
            NewEvent(
                **ledger.event_base(
                    row.journey,
                    row.journey.process_version.number,
                    type="attested",
                    actor_id=row.by_id,
                    effective_at=row.at,
                    channel=channel,
                    data={"criterion": row.criterion_key, "role": row.role, "attestation": row.pk},
                    comment=row.statement,
                )
            )
            for row in rows
        ]
    )
    return rows


def waive_many(rows: Sequence[Waiver], *, channel: str) -> Sequence[Waiver]:
    """Write waivers. Raises ValueError where the owner waives for the own record (OV-1)."""
    if any(row.granted_by_id == row.journey.owner_id for row in rows):
        raise ValueError("nobody waives for the own record")
    bulk.insert(rows)
    record(
        [
            NewEvent(
                **ledger.event_base(
                    row.journey,
                    row.journey.process_version.number,
                    type="waiver_granted",
                    actor_id=row.granted_by_id,
                    effective_at=row.granted_at,
                    channel=channel,
                    reason_code=row.reason_code,
                    data={
                        "criterion": row.criterion_key,
                        "waiver": row.pk,
                        "until": row.expires_at.isoformat(),
                    },
                    comment=row.text,
                )
            )
            for row in rows
        ]
    )
    return rows
