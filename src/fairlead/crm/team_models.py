"""How the iron triangle works together on a deal: the agreed split, what is handed over, what is asked (§2.8, SL-4)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from .enums import AskState, HandOverState, TeamRole

USER = settings.AUTH_USER_MODEL


class BonusSplit(models.Model):
    """How the bonus of a deal is shared between its roles, in percent (IT-1, IT-6). The one without an end holds."""

    opportunity = models.ForeignKey("crm.Opportunity", models.CASCADE, related_name="bonus_splits")
    ar = models.PositiveSmallIntegerField()
    sr = models.PositiveSmallIntegerField()
    fr = models.PositiveSmallIntegerField()
    agreed_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    agreed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="bonus_split_makes_100",
                condition=Q(fr=100 - F("ar") - F("sr"), ar__lte=100, sr__lte=100),
            ),
            models.UniqueConstraint(
                fields=["opportunity"], condition=Q(ended_at=None), name="bonus_split_once_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ar}:{self.sr}:{self.fr}"


class HandOver(models.Model):
    """One attempt to hand work over: offered with its package, then accepted or returned with a reason (IT-5).

    `attempt` counts the attempts of one round, which ends when one is accepted. `package`: what was brought along,
    as the process worded it on that day.
    """

    opportunity = models.ForeignKey("crm.Opportunity", models.CASCADE, related_name="hand_overs")
    from_role = models.CharField(max_length=2, choices=TeamRole)
    to_role = models.CharField(max_length=2, choices=TeamRole)
    stage_key = models.CharField(max_length=60, blank=True, default="")
    attempt = models.PositiveSmallIntegerField(default=1)
    package = models.JSONField(default=list)  # [{key, name, required, there}]
    note = models.TextField(blank=True, default="")
    by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    to = models.ForeignKey(USER, models.PROTECT, related_name="+")
    offered_at = models.DateTimeField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=HandOverState, default=HandOverState.OFFERED)
    answered_by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    reason_code = models.CharField(max_length=60, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    escalated_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(name="hand_over_to_another_role", condition=~Q(from_role=F("to_role"))),
            models.CheckConstraint(
                name="hand_over_returned_with_a_reason", condition=~Q(state="returned") | ~Q(reason_code="")
            ),
            models.CheckConstraint(
                name="hand_over_answered_with_its_state",
                condition=Q(state="offered", answered_at=None)
                | ~Q(state="offered") & Q(answered_at__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["opportunity", "from_role", "to_role"],
                condition=Q(state="offered"),
                name="hand_over_offered_once",
            ),
        ]
        indexes = [
            models.Index(fields=["opportunity", "offered_at"], name="hand_over_deal"),
            models.Index(fields=["to", "due_at"], name="hand_over_waiting", condition=Q(state="offered")),
            models.Index(fields=["answered_at"], name="hand_over_answered"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        return f"{self.from_role}_{self.to_role}".lower()


class RoleQuestion(models.Model):
    """A question to whoever fills a slot, with the instant by which an answer is owed (SL-4)."""

    opportunity = models.ForeignKey("crm.Opportunity", models.CASCADE, related_name="role_questions")
    role = models.CharField(max_length=2, choices=TeamRole)
    to = models.ForeignKey(USER, models.PROTECT, related_name="+")
    question = models.TextField()
    by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    days = models.PositiveSmallIntegerField()
    due_at = models.DateTimeField()
    stage_key = models.CharField(max_length=60, blank=True, default="")
    state = models.CharField(max_length=10, choices=AskState, default=AskState.OPEN)
    answer = models.TextField(blank=True, default="")
    settled_by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="role_question_settled_with_its_state",
                condition=Q(state="open", settled_at=None) | ~Q(state="open") & Q(settled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="role_question_answered_in_words", condition=~Q(state="answered") | ~Q(answer="")
            ),
        ]
        indexes = [
            models.Index(fields=["opportunity", "asked_at"], name="role_question_deal"),
            models.Index(fields=["to", "due_at"], name="role_question_waiting", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return self.question[:60]
