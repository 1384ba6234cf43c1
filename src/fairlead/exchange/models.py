"""Imports: the file, what its columns mean, every row on its way in, and mappings kept for the next time."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .enums import ImportKind, RowAction, RowState, RunState, SampleState
from .querysets import ImportRowQuerySet, ImportRunQuerySet, MappingPresetQuerySet

USER = settings.AUTH_USER_MODEL


class ImportRun(models.Model):
    """One file on its way in.

    `mapping`: column key → {target, order, style, mends}; `value_maps`: target → the cell's words → what they
    mean; `options`: process, row mends, what to do with records that are here, how a name is put together.
    `runner` and `alive_at` say who works on it: a run that nobody has been heard of is taken up again.
    """

    kind = models.CharField(max_length=12, choices=ImportKind)
    state = models.CharField(max_length=10, choices=RunState, default=RunState.UPLOADED)
    file_name = models.CharField(max_length=200)
    stored_as = models.CharField(max_length=100)  # below MEDIA_ROOT; a name that nobody can guess
    file_bytes = models.PositiveBigIntegerField(default=0)
    source_format = models.JSONField(default=dict)
    profile = models.JSONField(default=dict)
    mapping = models.JSONField(default=dict)
    value_maps = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    edits = models.JSONField(default=dict)  # row → column → the text typed in the wizard
    counts = models.JSONField(default=dict)
    findings = models.JSONField(default=dict)  # problems of the whole file, values that wait for a meaning
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    as_of = models.DateTimeField(null=True, blank=True)  # the instant that counts as now; blank: now
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="parts")
    created_by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    runner = models.CharField(max_length=32, blank=True, default="")
    alive_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=500, blank=True, default="")
    version = models.PositiveIntegerField(default=1)

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="import_run_done_within_total", condition=Q(rows_done__lte=models.F("rows_total"))
            ),
            models.CheckConstraint(name="import_run_kind_known", condition=Q(kind__in=ImportKind.values)),
        ]
        indexes = [
            models.Index(fields=["created_by", "-id"], name="import_run_mine"),
            models.Index(fields=["state", "alive_at"], name="import_run_orphans"),
        ]

    def __str__(self) -> str:
        return self.file_name


class ImportRow(models.Model):
    """One row of the file: as it stands there, what was read, and what became of it.

    `values` is what the row wants (see `services.reading_rows`); `before` is what undo puts back.
    """

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()  # as a spreadsheet counts
    rank = models.PositiveSmallIntegerField(default=0)  # parents before children
    cells = models.JSONField()
    values = models.JSONField(default=dict)
    action = models.CharField(max_length=6, choices=RowAction)
    problems = models.JSONField(default=list)
    state = models.CharField(max_length=8, choices=RowState, default=RowState.PENDING)
    target_type = models.CharField(max_length=30, blank=True, default="")
    target_id = models.BigIntegerField(null=True, blank=True)
    before = models.JSONField(default=dict)

    objects = ImportRowQuerySet.as_manager()

    class Meta:
        ordering = ["run", "number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="import_row_once")]
        indexes = [
            models.Index(fields=["run", "state", "action", "rank", "number"], name="import_row_queue"),
            models.Index(
                fields=["target_type", "target_id"],
                name="import_row_target",
                condition=Q(target_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.number}"


class MappingPreset(models.Model):
    """A mapping kept for files with the same column titles, in whatever order."""

    owner = models.ForeignKey(USER, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=ImportKind)
    fingerprint = models.CharField(max_length=32)
    name = models.CharField(max_length=100)
    mapping = models.JSONField(default=dict)
    value_maps = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    saved_at = models.DateTimeField()

    objects = MappingPresetQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "kind", "fingerprint", "name"], name="mapping_preset_once"
            ),
            models.CheckConstraint(name="mapping_preset_named", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name


class SampleData(models.Model):
    """Where loading or clearing the sample data stands: one row (pk 1), which is the lock too.

    `basis`: what the records are drawn up from (process, people, language), so that a job that is taken up again goes
    on with the same plan; `made`: kind → ids in the order of the plan; `steps_done` counts its transactions. `removed`:
    kind → how many went; `kept`: kind → ids of records that real ones need, which are no samples any more.
    """

    state = models.CharField(max_length=10, choices=SampleState, default=SampleState.NONE)
    number = models.PositiveIntegerField(default=0)  # of the load, and the seed of what it makes
    basis = models.JSONField(default=dict)
    made = models.JSONField(default=dict)
    removed = models.JSONField(default=dict)
    kept = models.JSONField(default=dict)
    steps_done = models.PositiveIntegerField(default=0)
    steps_total = models.PositiveIntegerField(default=0)
    begun_by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    begun_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    runner = models.CharField(max_length=32, blank=True, default="")
    alive_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(name="sample_data_one_row", condition=Q(pk=1)),
            models.CheckConstraint(
                name="sample_data_steps_within_total", condition=Q(steps_done__lte=models.F("steps_total"))
            ),
        ]

    def __str__(self) -> str:
        return self.state
