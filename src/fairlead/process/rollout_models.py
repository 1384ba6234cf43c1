"""What is stored of how a new way of working is introduced."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Rollout(models.Model):
    """How a new way of working is introduced here; one row. See `services.rollout`.

    `weights`: element of adoption → weight (none: all alike). The window in which dead deals are closed without a
    mark against anybody begins on `amnesty_day` of each month (0: never) and lasts `amnesty_length` days.
    """

    weights = models.JSONField(default=dict, blank=True)
    amnesty_day = models.PositiveSmallIntegerField(default=25)
    amnesty_length = models.PositiveSmallIntegerField(default=3)
    amnesty_idle_days = models.PositiveSmallIntegerField(default=60)
    measures_forms = models.BooleanField(default=True)
    asks_pulse = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(name="rollout_only_one", condition=Q(pk=1))]


class FormTime(models.Model):
    """How often a field of a form took about so long: a class of seconds (see `burden`), never a person or a record."""

    subject_type = models.CharField(max_length=30)
    field_key = models.CharField(max_length=60)
    bucket = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject_type", "field_key", "bucket"], name="form_time_once")
        ]
