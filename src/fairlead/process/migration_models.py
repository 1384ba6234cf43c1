"""What is stored of versions in flight: the plan for running journeys, and what became of each (§2.7)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .enums import MigrationChoice, MigrationRowState, MigrationState

USER = settings.AUTH_USER_MODEL


class Migration(models.Model):
    """How the running journeys of a process come to `target`, a draft or a published version.

    `mapping`: earlier version → stage → stage of the target, or `{"split": […]}`, or `{"pick": […]}`; see
    `version_plans`. `groups`: filters in order, each with a choice, and a reason to leave; what none of them
    takes falls to VR-2's default. `runner` says who works on it, so that two never do.
    """

    process = models.ForeignKey("process.Process", models.PROTECT, related_name="migrations")
    target = models.ForeignKey("process.ProcessVersion", models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=MigrationState, default=MigrationState.PLANNED)
    mapping = models.JSONField(default=dict)
    groups = models.JSONField(default=list)
    keep_after = models.CharField(max_length=60, blank=True, default="")  # axis key; beyond it: keep
    grace_days = models.PositiveSmallIntegerField(default=10)  # working days
    totals = models.JSONField(default=dict)
    checked_total = models.PositiveIntegerField(default=0)
    checked_done = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    alive_at = models.DateTimeField(null=True, blank=True)
    runner = models.CharField(max_length=32, blank=True, default="")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["process"],
                condition=Q(state__in=["planned", "checked", "running", "undoing"]),
                name="migration_one_at_work",
            ),
            models.CheckConstraint(
                name="migration_done_within_total", condition=Q(rows_done__lte=models.F("rows_total"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.process_id}: {self.pk}"


class MigrationRow(models.Model):
    """One running journey in a plan. `outlook`: what the dry run says of it; `picked`: a stage chosen by hand."""

    migration = models.ForeignKey(Migration, models.CASCADE, related_name="rows")
    journey = models.ForeignKey("process.Journey", models.CASCADE, related_name="migration_rows")
    choice = models.CharField(max_length=5, choices=MigrationChoice)
    state = models.CharField(max_length=8, choices=MigrationRowState, default=MigrationRowState.PLANNED)
    from_version = models.PositiveIntegerField()
    from_stage = models.CharField(max_length=60)
    to_stage = models.CharField(max_length=60, blank=True, default="")
    picked = models.CharField(max_length=60, blank=True, default="")
    outlook = models.JSONField(default=dict)
    event_id = models.BigIntegerField(null=True, blank=True)  # of its `migrated` or `process_left`
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["migration", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["migration", "journey"], name="migration_journey_once"),
            models.CheckConstraint(
                name="migration_done_iff_event",
                condition=~Q(state__in=["done", "left"]) | Q(event_id__isnull=False, done_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["migration", "state", "id"], name="migration_rows_open")]

    def __str__(self) -> str:
        return f"{self.migration_id}/{self.journey_id}"
