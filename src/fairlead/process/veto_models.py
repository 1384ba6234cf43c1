"""What somebody in a role said no to, and what they propose instead (IT-3)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .enums import VetoDomain, VetoState

USER = settings.AUTH_USER_MODEL


class Veto(models.Model):
    """A no in one's own field: which clause, and what would do instead. While it stands open nothing moves ahead.

    `escalated_at`: when it was brought before those who decide because nobody had settled it. `ended_at`, `again_at`:
    when its deal last ended with it, and when that ran on, from when on it waits anew.
    """

    journey = models.ForeignKey("process.Journey", models.CASCADE, related_name="vetoes")
    domain = models.CharField(max_length=20, choices=VetoDomain)
    role = models.CharField(max_length=4)
    clause = models.CharField(max_length=200)
    alternative = models.TextField()
    by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=VetoState, default=VetoState.OPEN)
    settled_by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    escalated_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    again_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="veto_with_an_alternative", condition=~Q(alternative="") & ~Q(clause="")
            ),
            models.CheckConstraint(
                name="veto_settled_with_its_state",
                condition=Q(state="open", settled_at=None) | ~Q(state="open") & Q(settled_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["journey", "state"], name="veto_journey"),
            models.Index(fields=["at"], name="veto_open", condition=Q(state="open", escalated_at=None)),
        ]

    def __str__(self) -> str:
        return self.clause
