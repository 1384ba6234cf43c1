"""What is stored of overrides (§2.9): waivers, requests for a waiver or a move, and the settings of waiving."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from .enums import Kind, OverrideKind, OverrideState
from .querysets import OverrideRequestQuerySet, WaiverQuerySet

USER = settings.AUTH_USER_MODEL


class Waiver(models.Model):
    """A criterion let pass for a while, by name and for a reason (OV-1). `forced`: the glass was broken (OV-2)."""

    journey = models.ForeignKey("process.Journey", models.CASCADE, related_name="waivers")
    criterion_key = models.CharField(max_length=60)
    reason_code = models.CharField(max_length=60)
    text = models.TextField()
    granted_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    compensation = models.TextField(blank=True, default="")
    forced = models.BooleanField(default=False)
    ended_told_at = models.DateTimeField(null=True, blank=True)  # its people were told that it has run out

    objects = WaiverQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="waiver_expires_later", condition=Q(expires_at__gt=F("granted_at"))),
        ]
        indexes = [
            models.Index(fields=["journey", "criterion_key"], name="waiver_journey"),
            models.Index(fields=["granted_by", "expires_at"], name="waiver_budget"),
        ]


class OverrideRequest(models.Model):
    """Asked: that an item be waived, or that a move which needs somebody else's right be let pass (OV-1).

    Granted, an item gets a waiver (`waiver`); a move may be made once by whoever asked, until `expires_at`.
    """

    journey = models.ForeignKey("process.Journey", models.CASCADE, related_name="override_requests")
    kind = models.CharField(max_length=10, choices=OverrideKind)
    criterion_key = models.CharField(max_length=60, blank=True, default="")
    move_kind = models.CharField(max_length=12, choices=Kind, blank=True, default="")
    to_stage = models.CharField(max_length=60, blank=True, default="")
    needs_right = models.CharField(max_length=40)  # over the record, of whoever decides
    reason_code = models.CharField(max_length=60, blank=True, default="")
    text = models.TextField()
    compensation = models.TextField()  # what makes good for it meanwhile
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=OverrideState, default=OverrideState.OPEN)
    requested_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    decided_by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.TextField(blank=True, default="")
    used_at = models.DateTimeField(null=True, blank=True)  # a granted move that was made
    waiver = models.OneToOneField(Waiver, models.PROTECT, null=True, blank=True, related_name="request")
    version = models.PositiveIntegerField(default=1)

    objects = OverrideRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="override_ends_later", condition=Q(expires_at__gt=F("requested_at"))),
            models.CheckConstraint(
                name="override_names_one",
                condition=(Q(kind="criterion", move_kind="") & ~Q(criterion_key=""))
                | (Q(kind="move", criterion_key="") & ~Q(move_kind="")),
            ),
            models.CheckConstraint(
                name="override_not_decided_by_asker",
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
            ),
            # Asked once at a time: a second click, or a second tab, finds the first.
            models.UniqueConstraint(
                fields=["journey", "criterion_key", "move_kind", "to_stage"],
                condition=Q(state="open"),
                name="override_asked_once",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "expires_at"], name="override_state"),
            models.Index(fields=["journey", "state"], name="override_journey"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.criterion_key or self.move_kind}"


class OverrideRules(models.Model):
    """How waiving is kept small here; one row. `budget`: waivers that one person may have running at a time;
    `review_percent`: an item overridden more often than that comes up for review (OV-4)."""

    budget = models.PositiveSmallIntegerField(default=5)
    review_percent = models.PositiveSmallIntegerField(default=30)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(name="override_rules_only_one", condition=Q(pk=1))]
