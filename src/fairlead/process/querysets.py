"""Words for asking about journeys and what hangs on them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q

from .enums import JourneyState, OverrideState, VersionStatus

if TYPE_CHECKING:
    from .models import Clock, Journey, OverrideRequest, ProcessVersion, Visit, Waiver  # noqa: F401


class ProcessVersionQuerySet(models.QuerySet["ProcessVersion"]):
    def published(self) -> Self:
        return self.filter(status=VersionStatus.PUBLISHED)


class JourneyQuerySet(models.QuerySet["Journey"]):
    def current(self) -> Self:
        """Not superseded by a later journey of the same subject in the same process."""
        return self.filter(superseded_at=None)

    def on(self, subject_type: str, subject_ids: Iterable[int]) -> Self:
        return self.filter(subject_type=subject_type, subject_id__in=list(subject_ids))

    def running(self) -> Self:
        return self.filter(state__in=[JourneyState.OPEN, JourneyState.ON_HOLD])

    def open(self) -> Self:
        return self.filter(state=JourneyState.OPEN)

    def of_process(self, process_key: str) -> Self:
        return self.filter(process_key=process_key)

    def due_for_gates(self, at: datetime) -> Self:
        """Open journeys whose gate summary is stale: a piece of evidence has run out since."""
        return self.open().filter(gate_next_expiry_at__lte=at)


class VisitQuerySet(models.QuerySet["Visit"]):
    def in_order(self) -> Self:
        return self.order_by("journey_id", "episode_no", "ordinal")


class ClockQuerySet(models.QuerySet["Clock"]):
    def due(self, at: datetime) -> Self:
        """Those that the sweep has something to say of at `at`; what is due this very instant is in time (CA-5)."""
        return self.filter(next_due_at__lt=at)

    def over(self) -> Self:
        return self.exclude(level="")


class WaiverQuerySet(models.QuerySet["Waiver"]):
    def live(self, at: datetime) -> Self:
        return self.filter(expires_at__gt=at).filter(Q(revoked_at=None) | Q(revoked_at__gt=at))

    def of_budget(self, person: Any, at: datetime) -> Self:
        """Those of a person that still run, on journeys that still run: what the budget counts (OV-1)."""
        running = [JourneyState.OPEN, JourneyState.ON_HOLD]
        return self.live(at).filter(granted_by=person, journey__state__in=running, forced=False)

    def known_on(self, at: datetime) -> Any:
        return self.filter(granted_at__lte=at).filter(Q(revoked_at=None) | Q(revoked_at__gt=at))


class OverrideRequestQuerySet(models.QuerySet["OverrideRequest"]):
    def open(self) -> Self:
        return self.filter(state=OverrideState.OPEN)

    def permits(self, at: datetime) -> Self:
        """Moves that were let pass, not made yet and still in time."""
        return self.filter(state=OverrideState.GRANTED, kind="move", used_at=None, expires_at__gt=at)
