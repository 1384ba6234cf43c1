"""What is stored of the monthly pulse: sums, and who has answered; nothing that ties the one to the other."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class PulseSum(models.Model):
    """How many chose a score for an element in a round (a month). `shown` follows `count` at every fifth answer only,
    so that nobody reads one answer off the difference."""

    round = models.CharField(max_length=7)  # 2026-03
    element = models.CharField(max_length=20)
    score = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField(default=0)
    shown = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["round", "element", "score"], name="pulse_sum_once"),
            models.CheckConstraint(name="pulse_score_one_to_five", condition=Q(score__gte=1, score__lte=5)),
            models.CheckConstraint(name="pulse_shown_at_most_count", condition=Q(shown__lte=F("count"))),
        ]

    def __str__(self) -> str:
        return f"{self.round} {self.element} {self.score}"


class PulseTaken(models.Model):
    """Who has answered in a round, so that nobody answers twice; not when, and not what."""

    round = models.CharField(max_length=7)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "person"], name="pulse_taken_once")]

    def __str__(self) -> str:
        return f"{self.round} {self.person_id}"
