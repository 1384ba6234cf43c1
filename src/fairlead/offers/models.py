"""What was signed, and the steps that follow."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from fairlead.crm.models import Opportunity
from fairlead.process.models import Journey

from .querysets import ContractQuerySet

USER = settings.AUTH_USER_MODEL


class MilestoneKind(models.TextChoices):
    HANDOVER = "handover", pgettext_lazy("milestone", "Hand-over accepted")
    KICKOFF = "kickoff", pgettext_lazy("milestone", "Kick-off")
    DELIVERY = "delivery", pgettext_lazy("milestone", "Delivery")
    ACCEPTANCE = "acceptance", pgettext_lazy("milestone", "Acceptance")
    PAYMENT = "payment", pgettext_lazy("milestone", "Payment")


class SatisfactionSource(models.TextChoices):
    SURVEY = "survey", pgettext_lazy("satisfaction", "Survey")
    VISIT = "visit", pgettext_lazy("satisfaction", "Return visit")
    ACCEPTANCE = "acceptance", pgettext_lazy("satisfaction", "Sheet of acceptance")
    REVIEW = "review", pgettext_lazy("satisfaction", "Review of the project")
    OTHER = "other", pgettext_lazy("satisfaction", "Other source")


class Contract(models.Model):
    """A contract of an opportunity. `countersigned_date`: both have signed; only then does it stand.

    `actual_cost` is in the currency of the contract. `satisfaction`: how the customer rates it, from 0 to 10, with the
    day and the source of that word; `satisfaction_target` empty: the usual one (IT-6).
    """

    number = models.CharField(max_length=60, unique=True)
    opportunity = models.ForeignKey(Opportunity, models.PROTECT, related_name="+")
    journey = models.OneToOneField(Journey, models.PROTECT, null=True, blank=True, related_name="+")
    signed_date = models.DateField(null=True, blank=True)
    countersigned_date = models.DateField(null=True, blank=True)
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    currency = models.CharField(max_length=3, default="CNY")
    actual_cost = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    satisfaction = models.DecimalField(max_digits=3, decimal_places=1, null=True, blank=True)
    satisfaction_date = models.DateField(null=True, blank=True)
    satisfaction_source = models.CharField(max_length=10, choices=SatisfactionSource, null=True, blank=True)
    satisfaction_target = models.DecimalField(max_digits=3, decimal_places=1, null=True, blank=True)
    owner = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    team = models.ForeignKey("organisation.Team", models.PROTECT, null=True, blank=True, related_name="+")
    custom = models.JSONField(default=dict, blank=True)
    external_id = models.CharField(max_length=100, blank=True, default="")
    is_sample = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects = ContractQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="contract_amount_not_negative", condition=Q(amount__gte=0)),
            models.CheckConstraint(
                name="contract_countersigned_after_signed",
                condition=Q(countersigned_date=None)
                | Q(signed_date__isnull=False, countersigned_date__gte=models.F("signed_date")),
            ),
            models.CheckConstraint(
                name="contract_cost_not_negative", condition=Q(actual_cost=None) | Q(actual_cost__gte=0)
            ),
            models.CheckConstraint(
                name="contract_satisfaction_from_0_to_10",
                condition=(Q(satisfaction=None) | Q(satisfaction__gte=0, satisfaction__lte=10))
                & (Q(satisfaction_target=None) | Q(satisfaction_target__gte=0, satisfaction_target__lte=10)),
            ),
            models.CheckConstraint(
                name="contract_satisfaction_says_when_and_whence",
                condition=Q(satisfaction=None)
                | Q(satisfaction_date__isnull=False, satisfaction_source__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["opportunity"], name="contract_opportunity")]

    def __str__(self) -> str:
        return self.number


class Milestone(models.Model):
    """A dated step of a contract; done when `done_date` is set."""

    contract = models.ForeignKey(Contract, models.CASCADE, related_name="milestones")
    kind = models.CharField(max_length=12, choices=MilestoneKind)
    name = models.CharField(max_length=100)
    due_date = models.DateField(null=True, blank=True)
    amount = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    done_date = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField(null=True, blank=True)  # when done was written

    class Meta:
        ordering = ["due_date", "pk"]
        constraints = [
            models.CheckConstraint(
                name="milestone_amount_not_negative", condition=Q(amount=None) | Q(amount__gte=0)
            )
        ]
