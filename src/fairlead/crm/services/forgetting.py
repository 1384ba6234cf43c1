"""Records that go for good with all that hangs on them; their events stay in the journal.

For what was never real (sample data). Whoever calls has made sure that no other record needs them: Django refuses to
delete a row that something else protects, and then nothing is deleted at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F

from fairlead.journal.services import NewEvent, record
from fairlead.process.models import Journey
from fairlead.process.services.forgetting import forget_about as forget_of_process
from fairlead.process.services.forgetting import forget_journeys
from fairlead.work.services.forgetting import forget_about as forget_work

from ..models import (
    BonusSplit,
    ContactRole,
    DealTeamMember,
    HandOver,
    ManyChangeRow,
    Opportunity,
    PlanStep,
    RoleQuestion,
)
from .indexing import index_again
from .records import KINDS

#: What goes with a deal.
PARTS_OF_DEAL: Final = (BonusSplit, ContactRole, DealTeamMember, HandOver, PlanStep, RoleQuestion)


@transaction.atomic
def forget_records(kind: str, ids: Sequence[int], *, by_id: int | None, at: datetime, channel: str) -> None:
    """Take away records of one kind with their journeys, work, parts and index entries. Raises ProtectedError."""
    journeys = list(Journey.objects.on(kind, ids).values_list("pk", flat=True))
    KINDS[kind].model.objects.filter(pk__in=ids).delete()
    ManyChangeRow.objects.filter(change__kind=kind, record_id__in=ids).delete()
    forget_journeys(journeys)
    forget_of_process(kind, ids)
    forget_work(kind, ids)
    index_again(kind, ids)
    record(
        [
            NewEvent(
                type="sample_removed", subject_type=kind, subject_id=pk, actor_id=by_id, effective_at=at,
                channel=channel, data={"removed": True},
            )
            for pk in ids
        ]
    )  # fmt: skip


def release_deals(ids: Sequence[int]) -> None:
    """Deals that are about to go no longer hold each other: which one came of which, or was merged into which."""
    about = Opportunity.objects.filter(is_sample=True)
    about.filter(predecessor__in=ids).update(predecessor=None)
    about.filter(merged_into__in=ids).update(merged_into=None)


@transaction.atomic
def keep_as_real(kind: str, ids: Sequence[int], *, by_id: int | None, at: datetime, channel: str) -> None:
    """Sample records that real ones need are no samples any more."""
    KINDS[kind].model.objects.filter(pk__in=ids).update(
        is_sample=False, version=F("version") + 1, updated_at=at
    )
    record(
        [
            NewEvent(
                type="sample_kept", subject_type=kind, subject_id=pk, actor_id=by_id, effective_at=at,
                channel=channel,
            )
            for pk in ids
        ]
    )  # fmt: skip
