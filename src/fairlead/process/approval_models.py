"""What is stored of approvals (§2.4): requests with their steps and votes, what was decided, on which conditions.

Rows change only through `services.approving` and `services.delegating`. A request, its steps and its votes are
history as soon as it has ended; what holds is said by `ApprovalGrant` alone.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from .approval_enums import (
    ApprovalMode,
    Because,
    Lever,
    PrecedentState,
    RequestState,
    SeatState,
    StepState,
    VoidReason,
)

USER = settings.AUTH_USER_MODEL


class ApprovalRequest(models.Model):
    """Somebody asks for a kind of approval. `about`: for which one move or item; blank for the record as it stands.

    `bounds` is what the values were when it was submitted, with their direction (see `envelopes`); `asked` names the
    row of each lever that fired, with its tier and why.
    """

    journey = models.ForeignKey("process.Journey", models.CASCADE, related_name="approval_requests")
    kind = models.CharField(max_length=60)
    about = models.CharField(max_length=120, blank=True, default="")
    number = models.PositiveSmallIntegerField(default=1)  # counts those of a kind in their journey
    process_version = models.PositiveIntegerField()
    stage_key = models.CharField(max_length=60)
    state = models.CharField(max_length=9, choices=RequestState, default=RequestState.PENDING)
    text = models.TextField(blank=True, default="")
    package = models.JSONField(default=dict)  # key of the item → what was brought
    bounds = models.JSONField(default=list)
    asked = models.JSONField(default=list)
    amount = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    submitted_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField()
    owner_id_then = models.BigIntegerField(null=True, blank=True)
    second_reader = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    is_auto = models.BooleanField(default=False)  # no row fired: approved by the rule, and noted
    previous = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    next_due_at = models.DateTimeField(null=True, blank=True)  # the earliest clock of its active steps
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-submitted_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["journey", "kind", "about", "number"], name="approval_request_number_once"
            ),
            models.UniqueConstraint(
                fields=["journey", "kind", "about"],
                condition=Q(state=RequestState.PENDING),
                name="approval_request_one_pending",
            ),
            models.CheckConstraint(
                name="approval_request_ended_iff_decided",
                condition=Q(state=RequestState.PENDING, ended_at=None)
                | (~Q(state=RequestState.PENDING) & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "next_due_at"], name="approval_request_due"),
            models.Index(fields=["submitted_by", "state"], name="approval_request_mine"),
            models.Index(fields=["kind", "ended_at"], name="approval_request_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class ApprovalStep(models.Model):
    """A step of one lane; the lanes of a request run beside each other. Both clocks count working hours (AP-11)."""

    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="steps")
    key = models.CharField(max_length=80)
    lane = models.CharField(max_length=80)
    lever = models.CharField(max_length=10, choices=Lever)
    row_key = models.CharField(max_length=60, blank=True, default="")  # blank: somebody was added
    tier = models.PositiveSmallIntegerField(default=0)
    order = models.PositiveSmallIntegerField()
    mode = models.CharField(max_length=10, choices=ApprovalMode)
    k = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=8, choices=StepState, default=StepState.WAITING)
    response_hours = models.PositiveSmallIntegerField(default=8)
    decision_hours = models.PositiveSmallIntegerField(default=24)
    started_at = models.DateTimeField(null=True, blank=True)
    response_due_at = models.DateTimeField(null=True, blank=True)
    decision_due_at = models.DateTimeField(null=True, blank=True)
    responded_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    told = models.PositiveSmallIntegerField(default=0)  # of 50, 80 and 100 % of the time for a decision

    class Meta:
        ordering = ["request", "lane", "order"]
        constraints = [
            models.UniqueConstraint(fields=["request", "key"], name="approval_step_key_once"),
        ]

    def __str__(self) -> str:
        return self.key


class ApprovalSeat(models.Model):
    """One person's vote. Several of one `number` stand in for each other; `for_person` is whose place it is."""

    step = models.ForeignKey(ApprovalStep, models.CASCADE, related_name="seats")
    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="seats")
    number = models.PositiveSmallIntegerField()
    person = models.ForeignKey(USER, models.PROTECT, related_name="+")
    for_person = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    because = models.CharField(max_length=12, choices=Because, blank=True, default="")
    required = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=SeatState, default=SeatState.WAITING)
    asked_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    comment = models.TextField(blank=True, default="")
    channel = models.CharField(max_length=10, blank=True, default="")
    added_by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["step", "number", "pk"]
        indexes = [
            models.Index(fields=["person", "state", "asked_at"], name="approval_seat_inbox"),
            models.Index(fields=["request"], name="approval_seat_request"),
        ]

    def __str__(self) -> str:
        return f"{self.step_id} {self.person_id} {self.state}"


class ApprovalGrant(models.Model):
    """What one lever was decided to, and until when: holds while its values are inside `bounds` (AP-3, AP-14)."""

    journey = models.ForeignKey("process.Journey", models.CASCADE, related_name="approval_grants")
    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="grants")
    kind = models.CharField(max_length=60)
    about = models.CharField(max_length=120, blank=True, default="")
    lever = models.CharField(max_length=10, choices=Lever)
    row_key = models.CharField(max_length=60)
    tier = models.PositiveSmallIntegerField()
    bounds = models.JSONField(default=list)
    stage_key = models.CharField(max_length=60)
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(max_length=8, choices=VoidReason, blank=True, default="")

    class Meta:
        ordering = ["journey", "kind", "lever", "granted_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["journey", "kind", "about", "lever"],
                condition=Q(voided_at=None),
                name="approval_grant_one_live",
            ),
            models.CheckConstraint(
                name="approval_grant_void_iff_reason",
                condition=Q(voided_at=None, void_reason="")
                | (Q(voided_at__isnull=False) & ~Q(void_reason="")),
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="approval_grant_expiry")]

    def __str__(self) -> str:
        return f"{self.kind} {self.lever}"


class ApprovalCondition(models.Model):
    """What an approval was given on condition of: a criterion of the gate that it names (AP-12).

    `subject_type`: the kind of record at whose gate it stands; `journey` none until there is one, such as a contract
    that is not signed yet.
    """

    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="conditions")
    journey = models.ForeignKey(
        "process.Journey", models.CASCADE, null=True, blank=True, related_name="approval_conditions"
    )
    subject_type = models.CharField(max_length=30)
    stage_key = models.CharField(max_length=60)
    key = models.CharField(max_length=60)
    text = models.CharField(max_length=300)
    kind = models.CharField(max_length=10)  # external, document, word
    name = models.CharField(max_length=60, blank=True, default="")
    role = models.CharField(max_length=10, blank=True, default="")
    set_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    holds_from = models.DateTimeField(null=True, blank=True)  # when the approval was given
    met_at = models.DateTimeField(
        null=True, blank=True
    )  # a word that it is done, where nothing else shows it
    met_by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    dropped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["request", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["request", "key"], name="approval_condition_key_once"),
        ]
        indexes = [models.Index(fields=["journey"], name="approval_condition_journey")]

    def __str__(self) -> str:
        return self.key


class ApprovalCopy(models.Model):
    """Somebody who is told of a request, without a vote (AP-9)."""

    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="copies")
    person = models.ForeignKey(USER, models.PROTECT, related_name="+")
    by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "person"], name="approval_copy_once"),
        ]
        indexes = [models.Index(fields=["person", "at"], name="approval_copy_inbox")]


class ApprovalQuestion(models.Model):
    """A question of an approver, and its answer."""

    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="questions")
    by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    to = models.ForeignKey(USER, models.PROTECT, related_name="+")
    text = models.TextField()
    at = models.DateTimeField()
    answer = models.TextField(blank=True, default="")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["request", "pk"]
        indexes = [models.Index(fields=["to", "answered_at"], name="approval_question_inbox")]


class Precedent(models.Model):
    """The register of exceptions that were granted (AP-13): each has an end and is looked at again."""

    grant = models.OneToOneField(ApprovalGrant, models.CASCADE, related_name="precedent")
    subject_type = models.CharField(max_length=30)
    subject_id = models.BigIntegerField()
    kind = models.CharField(max_length=60)
    lever = models.CharField(max_length=10, choices=Lever)
    row_key = models.CharField(max_length=60)
    tier = models.PositiveSmallIntegerField()
    values = models.JSONField(default=dict)
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=PrecedentState, default=PrecedentState.OPEN)
    settled_by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-granted_at", "-pk"]
        indexes = [
            models.Index(fields=["kind", "lever", "granted_at"], name="precedent_alike"),
            models.Index(fields=["subject_type", "subject_id"], name="precedent_subject"),
            models.Index(fields=["state", "expires_at"], name="precedent_due"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.lever}"


class Delegation(models.Model):
    """Somebody stands in for another from day to day, both included (AP-8). `kinds` empty is all; `cap` is an amount
    in the currency of the house, none is without limit."""

    delegator = models.ForeignKey(USER, models.PROTECT, related_name="+")
    delegate = models.ForeignKey(USER, models.PROTECT, related_name="+")
    from_date = models.DateField()
    to_date = models.DateField()
    kinds = models.JSONField(default=list, blank=True)
    amount_cap = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True, default="")
    granted_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["from_date", "pk"]
        constraints = [
            models.CheckConstraint(name="delegation_not_to_oneself", condition=~Q(delegate=F("delegator"))),
            models.CheckConstraint(
                name="delegation_ends_after_start", condition=Q(to_date__gte=F("from_date"))
            ),
            models.CheckConstraint(
                name="delegation_cap_positive", condition=Q(amount_cap=None) | Q(amount_cap__gt=0)
            ),
        ]
        indexes = [models.Index(fields=["delegator", "to_date"], name="delegation_delegator")]

    def __str__(self) -> str:
        return f"{self.delegator_id}→{self.delegate_id}"
