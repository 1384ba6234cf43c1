"""Medians of a stage from its own history, for thresholds that are a multiple of them (SL-3)."""

from __future__ import annotations

from statistics import median

from django.utils import timezone

from fairlead.organisation.calendars import Calendar

from ..clocks import ENOUGH_VISITS
from ..definition import Definition
from ..models import Visit

LATEST = 500  # visits that a median is taken of: what was usual years ago is not usual now


def norm_of_stage(definition: Definition, stage_key: str, calendar: Calendar) -> float | None:
    """Working days in which half of the completed visits were over; None below twenty of them.

    One's own segment is the process and the place on its axis, whatever the version.
    """
    axis = definition.stage(stage_key).axis_key
    rows = (
        Visit.objects.filter(
            axis_key=axis,
            journey__process_key=definition.key,
            left_at__isnull=False,
            skipped=False,
            entered_at_known=True,
        )
        .order_by("-left_at", "-pk")
        .values_list("entered_at", "left_at")[:LATEST]
    )
    days = [
        calendar.working_days_between(timezone.localdate(entered), timezone.localdate(left))
        for entered, left in rows
        if left is not None
    ]
    return float(median(days)) if len(days) >= ENOUGH_VISITS else None
