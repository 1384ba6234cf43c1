"""What is stored of methods at work: playbooks launched, answers to questions, evidence for elements of a score.

Rows about a record (`subject_type`, `subject_id`) or its journey; they change only through services.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from fairlead.work.models import Task

from .enums import QuestionType, RunOutcome, RunState

USER = settings.AUTH_USER_MODEL


class PlaybookRun(models.Model):
    """A playbook at work in one journey. `asked_at`: a trigger came again, and somebody is to say what then.

    `number` counts the runs of a playbook in its journey; at most one of them is open.
    """

    journey = models.ForeignKey("process.Journey", models.CASCADE, related_name="playbook_runs")
    playbook_key = models.CharField(max_length=60)
    process_version = models.PositiveIntegerField()
    stage_key = models.CharField(max_length=60)
    number = models.PositiveSmallIntegerField(default=1)
    trigger = models.CharField(max_length=12, blank=True, default="")  # blank: by hand
    state = models.CharField(max_length=6, choices=RunState, default=RunState.OPEN)
    outcome = models.CharField(max_length=10, choices=RunOutcome, blank=True, default="")
    launched_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    launched_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["journey", "playbook_key", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["journey", "playbook_key", "number"], name="playbook_run_number_once"
            ),
            models.UniqueConstraint(
                fields=["journey", "playbook_key"], condition=Q(state="open"), name="playbook_open_once"
            ),
            models.CheckConstraint(
                name="playbook_ended_iff_ended_at",
                condition=Q(state="open", ended_at=None, outcome="")
                | Q(state="ended", ended_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.playbook_key} {self.number}"


class PlaybookTask(models.Model):
    """Which task of the playbook a task is."""

    run = models.ForeignKey(PlaybookRun, models.CASCADE, related_name="tasks")
    task = models.OneToOneField(Task, models.PROTECT, related_name="+")
    key = models.CharField(max_length=60)

    class Meta:
        ordering = ["run", "pk"]


class QuestionAnswer(models.Model):
    """What the customer answered to a question of the bank: `question` as it was put, `answer` in their words."""

    subject_type = models.CharField(max_length=30)
    subject_id = models.BigIntegerField()
    question_key = models.CharField(max_length=60, blank=True, default="")  # blank: one's own question
    type = models.CharField(max_length=12, choices=QuestionType, blank=True, default="")
    stage_key = models.CharField(max_length=60)
    question = models.CharField(max_length=300)
    answer = models.TextField()
    contact_id = models.BigIntegerField(null=True, blank=True)
    by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["subject_type", "subject_id", "at"], name="answer_subject")]


class Finding(models.Model):
    """Why an element of a score stands where it does: who says so, what shows it, since when. The newest counts."""

    subject_type = models.CharField(max_length=30)
    subject_id = models.BigIntegerField()
    element = models.CharField(max_length=60)
    value = models.CharField(max_length=100)
    source = models.CharField(max_length=200, blank=True, default="")
    text = models.TextField()
    file_id = models.BigIntegerField(null=True, blank=True)
    by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject_type", "subject_id", "element"], name="finding_subject")]
