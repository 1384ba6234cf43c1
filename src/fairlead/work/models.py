"""What is done and filed about any record (`subject_type`, `subject_id`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from django.conf import settings
from django.db import models
from django.db.models import Q

from .enums import ActivityKind, ActivityOutcome, ActivityState, Attention, Digest, Reaction, Reason

USER = settings.AUTH_USER_MODEL


class AboutRecord(models.Model):
    """Something about a record of any kind."""

    subject_type = models.CharField(max_length=30)
    subject_id = models.BigIntegerField()

    class Meta:
        abstract = True


class Activity(AboutRecord):
    """A contact with the customer, planned or done. `done_at` is when it happened, `recorded_at` when written."""

    kind = models.CharField(max_length=12, choices=ActivityKind)
    state = models.CharField(max_length=10, choices=ActivityState)
    summary = models.CharField(max_length=200)
    note = models.TextField(blank=True, default="")
    due_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=ActivityOutcome, blank=True, default="")
    contact_ids = models.JSONField(default=list)
    place = models.CharField(max_length=120, blank=True, default="")
    owner = models.ForeignKey(USER, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    closed_recorded_at = models.DateTimeField(null=True, blank=True)  # when done or cancelled was written
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="activity_done_iff_done_at",
                condition=Q(state="done", done_at__isnull=False)
                | (~Q(state="done") & Q(done_at=None, outcome="")),
            ),
            models.CheckConstraint(
                name="activity_planned_has_due", condition=~Q(state="planned") | Q(due_at__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "state", "due_at"], name="activity_subject"),
            models.Index(fields=["owner", "state", "due_at"], name="activity_owner"),
        ]

    def __str__(self) -> str:
        return self.summary


class File(AboutRecord):
    """A document about a record. `kind` is what gates ask for; versions of a kind count up.

    `content` is stored under a random name outside the web root; a file may also only say where it is filed
    (`reference`). A withdrawn file stays, and no longer counts.
    """

    kind = models.CharField(max_length=60)
    name = models.CharField(max_length=255)
    content = models.FileField(upload_to="records/%Y/%m", blank=True, max_length=200)
    reference = models.CharField(max_length=500, blank=True, default="")
    media_type = models.CharField(max_length=100, blank=True, default="")
    size = models.PositiveBigIntegerField(default=0)  # bytes
    sha256 = models.CharField(max_length=64, blank=True, default="")
    number = models.PositiveIntegerField(default=1)  # version among files of this kind of this record
    edition = models.PositiveIntegerField(default=1)  # version among files of this name of this record
    image = models.CharField(
        max_length=4, blank=True, default=""
    )  # png, jpeg, gif, webp: looked at and clean
    by_customer = models.BooleanField(default=False)
    signed = models.BooleanField(default=False)
    valid_until = models.DateField(null=True, blank=True)
    added_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_type", "subject_id", "kind", "number"], name="file_number_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Comment(AboutRecord):
    """A remark among colleagues. `mentions`: the people whom it calls and who see the record."""

    text = models.TextField()
    mentions = models.JSONField(default=list)
    by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    #: Names that were called and are not told, on what a service has just written.
    untold: Sequence[str] = ()

    class Meta:
        indexes = [models.Index(fields=["subject_type", "subject_id", "at"], name="comment_subject")]


class CommentReaction(models.Model):
    """A nod to a comment instead of one more comment."""

    comment = models.ForeignKey(Comment, models.CASCADE, related_name="reactions")
    kind = models.CharField(max_length=8, choices=Reaction)
    by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comment", "by", "kind"], name="reaction_once")]


class Task(AboutRecord):
    """Something to be done inside the house. `list_key` groups tasks that a criterion counts (CHILD)."""

    title = models.CharField(max_length=200)
    list_key = models.CharField(max_length=60, blank=True, default="")
    assignee = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    due_date = models.DateField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="task_subject"),
            models.Index(fields=["assignee", "done_at"], name="task_assignee"),
        ]

    def __str__(self) -> str:
        return self.title


class Notification(AboutRecord):
    """What one person is told about one record: one row however much happens there.

    `reason` is the strongest of why they are told, `unread` how much came since they looked.
    """

    recipient = models.ForeignKey(USER, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=12, choices=Reason)
    unread = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "subject_type", "subject_id"], name="notification_one_per_record"
            ),
        ]
        indexes = [
            models.Index(
                fields=["recipient", "-last_at"], name="notification_unread", condition=Q(unread__gt=0)
            ),
            models.Index(fields=["recipient", "-last_at", "-id"], name="notification_recipient"),
        ]


class NotificationEntry(models.Model):
    """One thing that a notification tells of: a code with its numbers and ids, worded when it is read."""

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="entries")
    reason = models.CharField(max_length=12, choices=Reason)
    code = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["notification", "-at", "-id"], name="notification_entry")]


class Follow(AboutRecord):
    """That a person wants to hear of a record, or no more."""

    person = models.ForeignKey(USER, models.PROTECT, related_name="+")
    attention = models.CharField(max_length=8, choices=Attention)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject_type", "subject_id", "person"], name="follow_once"),
        ]


class NotificationPreference(models.Model):
    """How a person is told: by mail or not, at once or once a day, and when not at all."""

    person = models.OneToOneField(USER, models.PROTECT, primary_key=True, related_name="+")
    digest = models.CharField(max_length=8, choices=Digest, default=Digest.NONE)
    daily_at = models.TimeField(default=time(8, 30))
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    weekly = models.BooleanField(default=True)  # the first mail of a week says what the last one gave back
    quiet_days_off = models.BooleanField(default=True)  # no mail on days off of the working calendar
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="quiet_time_ends",
                condition=Q(quiet_from=None, quiet_until=None)
                | (
                    Q(quiet_from__isnull=False, quiet_until__isnull=False)
                    & ~Q(quiet_from=models.F("quiet_until"))
                ),
            ),
        ]


class Favourite(AboutRecord):
    """A record that a person has starred."""

    person = models.ForeignKey(USER, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "subject_type", "subject_id"], name="favourite_once"),
        ]


class Seen(AboutRecord):
    """When a person last opened the page of a record; of each person the latest few."""

    person = models.ForeignKey(USER, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "subject_type", "subject_id"], name="seen_once"),
        ]
        indexes = [models.Index(fields=["person", "-at"], name="seen_latest")]
