"""The mutual action plan of a deal: dated steps of both sides (PB-3)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .enums import Side

USER = settings.AUTH_USER_MODEL


class PlanStep(models.Model):
    """A step that one side has promised for a day. `first_due` stays as it was promised at first; `pushes` counts moves.

    A step of the customer's is owned by a contact, one of ours by a colleague.
    """

    opportunity = models.ForeignKey("crm.Opportunity", models.CASCADE, related_name="plan_steps")
    side = models.CharField(max_length=8, choices=Side)
    title = models.CharField(max_length=200)
    contact = models.ForeignKey("crm.Contact", models.PROTECT, null=True, blank=True, related_name="+")
    owner = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    due = models.DateField()
    first_due = models.DateField()
    pushes = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="plan_step_owned_by_its_side",
                condition=Q(side="customer", contact__isnull=False, owner=None)
                | Q(side="us", owner__isnull=False, contact=None),
            ),
        ]
        indexes = [models.Index(fields=["opportunity", "due"], name="plan_step_deal")]

    def __str__(self) -> str:
        return self.title
