"""What is stored of processes that are being written, of who asks to publish them, and of which record takes which."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .enums import RequestState

USER = settings.AUTH_USER_MODEL


class ProcessDraft(models.Model):
    """The next version of a process while it is written; one a process. It may be unfinished: see `examining`.

    `base` is the version it was begun from (none for a new process). `version` counts edits. `editors`: ids of all
    who changed it, none of whom decides on its publishing where a second person is asked for (OV-5).
    """

    process = models.OneToOneField("process.Process", models.PROTECT, related_name="draft")
    document = models.JSONField()
    base = models.ForeignKey("process.ProcessVersion", models.PROTECT, null=True, related_name="+")
    begun_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    begun_at = models.DateTimeField()
    changed_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField()
    editors = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["process"]

    def __str__(self) -> str:
        return f"{self.process.key} (draft)"


class PublishRequest(models.Model):
    """Somebody asks that a draft be published; another person decides (OV-5). Bound to the very document asked for."""

    process = models.ForeignKey("process.Process", models.CASCADE, related_name="publish_requests")
    checksum = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.OPEN)
    asked_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    comment = models.CharField(max_length=2000, blank=True, default="")
    decided_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=2000, blank=True, default="")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["process"],
                condition=models.Q(state=RequestState.OPEN),
                name="publish_request_one_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.process.key} {self.state}"


class AssignmentRule(models.Model):
    """Which process a new record takes: the first rule whose condition holds, in the order of `position` (PD-4)."""

    subject_type = models.CharField(max_length=30)
    position = models.PositiveSmallIntegerField()
    condition = models.JSONField()
    process_key = models.CharField(max_length=60)

    class Meta:
        ordering = ["subject_type", "position", "pk"]
        indexes = [models.Index(fields=["subject_type", "position"], name="assignment_order")]

    def __str__(self) -> str:
        return f"{self.subject_type} {self.position} → {self.process_key}"


class FitDismissal(models.Model):
    """Somebody looked at “a better-fitting process exists” and left the record where it is (PD-4).

    `values`: the governing fields as they were then; the banner comes back when one of them changes.
    """

    journey = models.OneToOneField("process.Journey", models.CASCADE, related_name="fit_dismissal")
    process_key = models.CharField(max_length=60)  # the process that was offered
    values = models.JSONField()
    by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.journey_id} {self.process_key}"


class Sandbox(models.Model):
    """A deal that is nothing but a sandbox, by which somebody clicks through a draft; see `playground`. It is no
    journey: nothing lists, counts or journals it, and it goes with the draft. `source`: of which record it is a copy.
    """

    draft = models.ForeignKey(ProcessDraft, models.CASCADE, related_name="sandboxes")
    user = models.ForeignKey(USER, models.CASCADE, related_name="+")
    source = models.ForeignKey("process.Journey", models.CASCADE, null=True, blank=True, related_name="+")
    state = models.JSONField()
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draft", "user"], name="sandbox_once")]

    def __str__(self) -> str:
        return f"{self.draft_id}/{self.user_id}"
