"""What is stored: event headers without personal data, their erasable details, seals, readers' cursors."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from .enums import Channel, Fault, Fidelity
from .querysets import EventQuerySet


class CurrentTransactionId(models.Func):
    """The writing transaction's id on PostgreSQL; 0 on SQLite, whose writers come one after the other."""

    function = "pg_current_xact_id"
    output_field = models.BigIntegerField()
    arity = 0

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        return "(pg_current_xact_id()::text::bigint)", []

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        return "0", []


class Event(models.Model):
    """One thing that happened (EV-1). Holds codes, numbers and ids only; never a name or free text.

    `effective_at` is when it happened in the world, `recorded_at` when it was written down (EV-4).
    `data` carries what the fold needs to rebuild journeys and visits. Rows are never changed or deleted.
    """

    txid = models.BigIntegerField(db_default=CurrentTransactionId(), editable=False)
    type = models.CharField(max_length=40)
    subject_type = models.CharField(max_length=30)
    subject_id = models.BigIntegerField()
    journey_id = models.BigIntegerField(null=True, blank=True)
    actor_id = models.BigIntegerField(null=True, blank=True)
    on_behalf_of_id = models.BigIntegerField(null=True, blank=True)
    effective_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    business_date = models.DateField()
    channel = models.CharField(max_length=10, choices=Channel)
    reason_code = models.CharField(max_length=60, blank=True, default="")
    process_key = models.CharField(max_length=60, blank=True, default="")
    process_version = models.PositiveIntegerField(null=True, blank=True)
    episode_no = models.PositiveSmallIntegerField(null=True, blank=True)
    from_stage = models.CharField(max_length=60, blank=True, default="")
    to_stage = models.CharField(max_length=60, blank=True, default="")
    evaluation_id = models.BigIntegerField(null=True, blank=True)
    fidelity = models.CharField(max_length=20, choices=Fidelity, blank=True, default="")
    batch_id = models.BigIntegerField(null=True, blank=True)
    data = models.JSONField(default=dict)
    detail_hash = models.CharField(max_length=64, blank=True, default="")

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "id"], name="event_subject"),
            models.Index(fields=["journey_id", "id"], name="event_journey"),
            models.Index(fields=["txid", "id"], name="event_cursor"),
            models.Index(fields=["recorded_at"], name="event_recorded"),
            # How guidance is used is counted over few events among very many.
            models.Index(
                fields=["process_key", "recorded_at"],
                name="event_guidance",
                condition=Q(type="guidance_opened"),
            ),
            models.Index(fields=["batch_id"], name="event_batch", condition=Q(batch_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject_type}:{self.subject_id}"


class EventDetail(models.Model):
    """The erasable half of an event: values before and after, free text. Purged, it leaves a tombstone."""

    event = models.OneToOneField(Event, models.PROTECT, related_name="detail", primary_key=True)
    payload = models.JSONField(default=dict)
    comment = models.TextField(blank=True, default="")
    salt = models.CharField(max_length=32, blank=True)
    purged_at = models.DateTimeField(null=True, blank=True)


class Seal(models.Model):
    """A link of the chain over settled events: digest over the previous digest and the headers it covers.

    `leaves` holds the id and the digest of each header, by which an altered, missing or added row is named.
    """

    first_txid = models.BigIntegerField()
    first_event_id = models.BigIntegerField()
    last_txid = models.BigIntegerField()
    last_event_id = models.BigIntegerField()
    count = models.PositiveIntegerField()
    previous_digest = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()
    leaves = models.BinaryField(default=bytes)

    class Meta:
        # Two sealers at once: the later one finds its place in the chain taken.
        constraints = [models.UniqueConstraint(fields=["previous_digest"], name="seal_one_chain")]


class SealCheck(models.Model):
    """One reading of the whole chain again: what was read, and the first thing that did not hold."""

    at = models.DateTimeField()
    by_id_then = models.BigIntegerField(null=True, blank=True)
    channel = models.CharField(max_length=10, choices=Channel)
    events = models.PositiveBigIntegerField()
    seals = models.PositiveIntegerField()
    unsealed = models.PositiveBigIntegerField()
    head = models.CharField(max_length=64, blank=True)
    fault = models.CharField(max_length=20, choices=Fault, blank=True, default="")
    seal_id = models.BigIntegerField(null=True, blank=True)
    event_id = models.BigIntegerField(null=True, blank=True)

    @property
    def sound(self) -> bool:
        return not self.fault


class ReaderCursor(models.Model):
    """How far a reader (notifications, snapshots, analytics) has come: (transaction id, event id)."""

    name = models.CharField(max_length=60, unique=True)
    txid = models.BigIntegerField(default=0)
    event_id = models.BigIntegerField(default=0)
