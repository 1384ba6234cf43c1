"""Journeys and what else this room keeps of records that go for good. Their events stay in the journal."""

from __future__ import annotations

from collections.abc import Sequence

from fairlead.common import rows

from ..models import ApprovalRequest, ChainLink, DailySnapshot, Journey, OverrideRequest, PlaybookRun


def forget_journeys(ids: Sequence[int]) -> None:
    """Journeys with visits, clocks, attempts, approvals, waivers and all else that cascades from them."""
    # Rows that protect each other go first; a playbook holds its tasks, which the room of work takes away.
    PlaybookRun.objects.filter(journey__in=ids).delete()
    OverrideRequest.objects.filter(journey__in=ids).delete()
    ApprovalRequest.objects.filter(journey__in=ids).update(previous=None)
    DailySnapshot.objects.filter(journey_id__in=ids).delete()
    Journey.objects.filter(pk__in=ids).delete()


def forget_about(kind: str, ids: Sequence[int]) -> None:
    """Answers, findings, precedents and links of these records; their journeys are gone already."""
    rows.delete_about("process", kind, ids)
    for end in ("from", "to"):
        ChainLink.objects.filter(**{f"{end}_subject_type": kind, f"{end}_subject_id__in": ids}).delete()
