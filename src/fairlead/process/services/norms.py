"""Medians of a stage from its own history, for thresholds that are a multiple of them (SL-3)."""

from __future__ import annotations

from statistics import median

from django.utils import timezone

from fairlead.organisation.calendars import Calendar

from ..clocks import ENOUGH_VISITS
from ..definition import Definition
from ..enums import ExitType
from ..models import Visit
from ..selectors.stays import cut_stays

LATEST = 500  # visits that a median is taken of: what was usual years ago is not usual now


def norm_of_stage(definition: Definition, stage_key: str, calendar: Calendar) -> float | None:
    """Working days in which half of the completed visits were over; None below twenty of them.

    One's own segment is the process and the place on its axis, whatever the version.
    """
    axis = definition.stage(stage_key).axis_key
    rows = list(
        Visit.objects.exclude(exit_type=ExitType.MIGRATED)
        .filter(
            axis_key=axis,
            journey__process_key=definition.key,
            left_at__isnull=False,
            skipped=False,
            entered_at_known=True,
        )
        .order_by("-left_at", "-pk")
        .values_list("journey_id", "entered_at", "left_at")[:LATEST]
    )
    stays = cut_stays(definition.key, journeys={pk for pk, *_rest in rows})
    days = []
    for pk, entered, left in rows:
        begun, is_known, _names = stays.begin(pk, entered)
        if left is not None and is_known:
            days.append(calendar.working_days_between(timezone.localdate(begun), timezone.localdate(left)))
    return float(median(days)) if len(days) >= ENOUGH_VISITS else None
