"""What is stored of processes and journeys. Journeys, visits and evaluations change only through services."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from fairlead.common.indexes import EmptyLast
from fairlead.journal.enums import Channel, Fidelity

from .enums import (
    ClockKind,
    ClockLevel,
    ExitType,
    ForecastCategory,
    JourneyState,
    Mode,
    Outcome,
    StageKind,
    VersionStatus,
)
from .querysets import ClockQuerySet, JourneyQuerySet, ProcessVersionQuerySet, VisitQuerySet

USER = settings.AUTH_USER_MODEL


class Process(models.Model):
    """One road for one kind of subject; its versions are documents."""

    key = models.SlugField(max_length=60, unique=True)
    subject_type = models.CharField(max_length=30)
    name = models.JSONField(default=dict)
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.SOFT)
    enforced_from = models.DateField(null=True, blank=True)  # soft until the day before; see `landing`

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key


class ProcessVersion(models.Model):
    """A version of a process. A published document is never changed (VR-1)."""

    process = models.ForeignKey(Process, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=VersionStatus, default=VersionStatus.DRAFT)
    document = models.JSONField()
    checksum = models.CharField(max_length=64)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(USER, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ProcessVersionQuerySet.as_manager()

    class Meta:
        ordering = ["process", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["process", "number"], name="process_version_once"),
            models.UniqueConstraint(
                fields=["process"], condition=Q(status=VersionStatus.PUBLISHED), name="process_one_published"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.process.key} v{self.number}"


class StageRow(models.Model):
    """A stage of a published version, projected so that lists, boards and filters can use it. Read-only."""

    version = models.ForeignKey(ProcessVersion, models.PROTECT, related_name="stage_rows")
    process_key = models.CharField(max_length=60)
    key = models.CharField(max_length=60)
    axis_key = models.CharField(max_length=60)
    order = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10, choices=StageKind)
    name = models.JSONField()
    probability = models.PositiveSmallIntegerField()
    forecast = models.CharField(max_length=10, choices=ForecastCategory)
    limit_yellow = models.PositiveSmallIntegerField(null=True, blank=True)
    limit_red = models.PositiveSmallIntegerField(null=True, blank=True)
    show_in_funnel = models.BooleanField(default=True)

    class Meta:
        ordering = ["version", "order"]
        constraints = [models.UniqueConstraint(fields=["version", "key"], name="stage_row_once")]
        indexes = [models.Index(fields=["process_key", "axis_key"], name="stage_axis")]

    def __str__(self) -> str:
        return f"{self.process_key}.{self.key}"


class Journey(models.Model):
    """What travels: one subject on one process. Mirrors of the subject (title, owner, amount) are kept by services.

    `entered_at` begins the open visit; with `entered_at_known` false it is only the instant of recording.
    `facts_rev` counts writes to anything a gate reads; `version` counts moves.
    """

    subject_type = models.CharField(max_length=30)
    subject_id = models.BigIntegerField()
    process_version = models.ForeignKey(ProcessVersion, models.PROTECT, related_name="+")
    process_key = models.CharField(max_length=60)
    stage = models.ForeignKey(StageRow, models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=JourneyState, default=JourneyState.OPEN)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True, default="")
    reason_code = models.CharField(max_length=60, blank=True, default="")
    episode_no = models.PositiveSmallIntegerField(default=1)
    opened_at = models.DateTimeField()
    entered_at = models.DateTimeField()
    entered_at_known = models.BooleanField(default=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    hold_since = models.DateTimeField(null=True, blank=True)
    resume_date = models.DateField(null=True, blank=True)
    forecast_category = models.CharField(max_length=10, choices=ForecastCategory)
    category_pinned = models.BooleanField(default=False)
    probability = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=300, blank=True)
    owner = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    team = models.ForeignKey("organisation.Team", models.PROTECT, null=True, related_name="+")
    base_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    close_date = models.DateField(null=True, blank=True)
    regress_count = models.PositiveSmallIntegerField(default=0)
    fidelity = models.CharField(max_length=20, choices=Fidelity, blank=True, default="")
    incomplete = models.BooleanField(default=False)
    gate_state = models.CharField(max_length=10, blank=True, default="")
    gate_missing = models.PositiveSmallIntegerField(default=0)
    gate_waived = models.PositiveSmallIntegerField(default=0)
    gate_flags = models.PositiveSmallIntegerField(default=0)
    gate_next_expiry_at = models.DateTimeField(null=True, blank=True)
    next_step_at = models.DateTimeField(null=True, blank=True)
    next_step_kind = models.CharField(max_length=20, blank=True, default="")
    next_step_text = models.CharField(max_length=200, blank=True, default="")
    step_back_advised = models.BooleanField(default=False)
    superseded_at = models.DateTimeField(null=True, blank=True)
    # The plan by which it comes to another version with its next change of stage, if one waits for that.
    waits_for = models.ForeignKey(
        "process.Migration", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    carried = models.JSONField(default=dict)  # what a migration brought along; see `carrying`
    clocks = models.JSONField(default=dict)  # what the fold remembers for them; see `fold.Travel`
    facts_rev = models.PositiveIntegerField(default=0)
    # What there is to read about approvals (see `selectors.approvals.Has`): with nothing, nothing is asked.
    approvals = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)

    objects = JourneyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_type", "subject_id", "process_key"],
                condition=Q(superseded_at=None),
                name="journey_once_at_a_time",
            ),
            models.CheckConstraint(
                name="journey_closed_at_iff_closed",
                condition=Q(state__in=["open", "on_hold"], closed_at=None)
                | Q(state__in=["won", "lost", "cancelled", "left"], closed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="journey_outcome_iff_closed",
                condition=Q(state__in=["open", "on_hold"], outcome="")
                | (Q(state__in=["won", "lost", "cancelled", "left"]) & ~Q(outcome="")),
            ),
        ]
        indexes = [
            # The cards of a board in their order, with what decides who sees them.
            EmptyLast(
                fields=[
                    "process_key",
                    "state",
                    "stage",
                    "-base_amount",
                    "id",
                    "owner",
                    "team",
                    "subject_id",
                    "subject_type",
                    "superseded_at",
                ],
                name="journey_board",
            ),
            # The totals of a board are answered from this one alone, team by team.
            models.Index(
                fields=[
                    "process_key",
                    "state",
                    "team",
                    "owner",
                    "stage",
                    "subject_type",
                    "superseded_at",
                    "base_amount",
                    "probability",
                    "gate_state",
                    "next_step_at",
                ],
                name="journey_totals",
            ),
            models.Index(fields=["subject_type", "subject_id"], name="journey_subject"),
            models.Index(fields=["owner", "state", "subject_type", "superseded_at"], name="journey_owner"),
            # What a day of a whole branch counts, and in which order, is answered from this one alone.
            models.Index(
                fields=[
                    "team",
                    "state",
                    "superseded_at",
                    "subject_type",
                    "next_step_at",
                    "gate_state",
                    "owner",
                    "entered_at",
                    "base_amount",
                    "subject_id",
                ],
                name="journey_team",
            ),
            models.Index(
                fields=[
                    "process_key",
                    "state",
                    "closed_at",
                    "team",
                    "owner",
                    "subject_type",
                    "superseded_at",
                ],
                name="journey_closed",
                condition=Q(closed_at__isnull=False),
            ),
            models.Index(
                fields=["gate_next_expiry_at"],
                name="journey_gate_expiry",
                condition=Q(gate_next_expiry_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.subject_type}:{self.subject_id}"


class Visit(models.Model):
    """A stay at a stage (EV-2), with the values frozen when it began (EV-3). Written by the fold alone."""

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="visits")
    episode_no = models.PositiveSmallIntegerField()
    ordinal = models.PositiveSmallIntegerField()  # place within the journey, from 1
    stage_key = models.CharField(max_length=60)
    axis_key = models.CharField(max_length=60)
    process_version = models.PositiveIntegerField()
    visit_no = models.PositiveSmallIntegerField()  # of this stage in this episode
    entered_at = models.DateTimeField()
    entered_at_known = models.BooleanField(default=True)
    left_at = models.DateTimeField(null=True, blank=True)
    exit_type = models.CharField(max_length=12, choices=ExitType, blank=True, default="")
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True, default="")
    skipped = models.BooleanField(default=False)
    imported = models.BooleanField(default=False)
    held_seconds = models.BigIntegerField(default=0)
    amount = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    close_date = models.DateField(null=True, blank=True)
    owner_id_then = models.BigIntegerField(null=True, blank=True)
    team_id_then = models.BigIntegerField(null=True, blank=True)
    forecast_category = models.CharField(max_length=10, blank=True, default="")

    objects = VisitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["journey", "ordinal"], name="visit_ordinal_once"),
            models.UniqueConstraint(fields=["journey"], condition=Q(left_at=None), name="visit_one_open"),
            models.CheckConstraint(
                name="visit_left_iff_exit",
                condition=Q(left_at=None, exit_type="") | (Q(left_at__isnull=False) & ~Q(exit_type="")),
            ),
            models.CheckConstraint(
                name="visit_left_after_entered", condition=Q(left_at=None) | Q(left_at__gte=F("entered_at"))
            ),
        ]
        indexes = [models.Index(fields=["axis_key", "entered_at"], name="visit_axis")]


class Clock(models.Model):
    """A clock of a running journey as it stands (§2.5): a projection of the fold, `clocks.Reading` as a row.

    `spent_seconds` is working time before the run since `running_since`; `next_due_at` is when the sweep looks at
    it next. Its id follows from journey, kind and role, so that one statement writes it, whether it stands or not.
    """

    id = models.BigIntegerField(primary_key=True)
    journey = models.ForeignKey(Journey, models.CASCADE, related_name="clock_rows", db_index=False)
    kind = models.CharField(max_length=12, choices=ClockKind)
    key = models.CharField(max_length=60, blank=True, default="")
    started_at = models.DateTimeField()
    cause = models.CharField(max_length=20, blank=True, default="")
    spent_seconds = models.BigIntegerField(default=0)
    running_since = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    yellow_at = models.DateTimeField(null=True, blank=True)
    red_at = models.DateTimeField(null=True, blank=True)
    level = models.CharField(max_length=6, choices=ClockLevel, blank=True, default="")
    breached_at = models.DateTimeField(null=True, blank=True)
    acknowledged_until = models.DateTimeField(null=True, blank=True)
    step = models.PositiveSmallIntegerField(default=0)
    next_due_at = models.DateTimeField(null=True, blank=True)
    policy = models.PositiveIntegerField()  # the process version whose thresholds hold

    objects = ClockQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["next_due_at"], name="clock_due", condition=Q(next_due_at__isnull=False)),
            models.Index(fields=["level", "breached_at"], name="clock_over", condition=~Q(level="")),
            models.Index(fields=["journey", "level"], name="clock_journey"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.kind}"


class ClockCalendar(models.Model):
    """The state of the calendars by which the clocks were last computed; one row.

    `stamp` of the company's calendar; `people` says of everybody whose calendar is not simply that one, what made
    theirs what it was, by their id; `people_stamp` is a digest of it.
    """

    stamp = models.CharField(max_length=64, blank=True, default="")
    people = models.JSONField(default=dict, blank=True)
    people_stamp = models.CharField(max_length=64, blank=True, default="")
    computed_at = models.DateTimeField(null=True, blank=True)


class Evaluation(models.Model):
    """One real attempt: what was wished, how each criterion stood, and every fact that could be read (GT-4)."""

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="evaluations")
    kind = models.CharField(max_length=12)
    from_stage = models.CharField(max_length=60)
    to_stage = models.CharField(max_length=60, blank=True, default="")
    allowed = models.BooleanField()
    at = models.DateTimeField()
    by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    channel = models.CharField(max_length=10, choices=Channel)
    gaps = models.PositiveSmallIntegerField(default=0)
    process_version = models.PositiveIntegerField()
    results = models.JSONField()
    objections = models.JSONField(default=list)
    facts = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["journey", "at"], name="evaluation_journey")]


class Attestation(models.Model):
    """Another person's word, in a role, that a criterion holds."""

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="attestations")
    criterion_key = models.CharField(max_length=60)
    role = models.CharField(max_length=10)
    statement = models.TextField(blank=True, default="")
    by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["journey", "criterion_key"], name="attestation_journey")]


class GateFlag(models.Model):
    """A suggested or softly passed criterion left open behind a move, with its own day counter (GT-1, AC-3)."""

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="flags")
    criterion_key = models.CharField(max_length=60)
    stage_key = models.CharField(max_length=60)
    level = models.CharField(max_length=5)
    raised_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["journey", "criterion_key"], condition=Q(cleared_at=None), name="gate_flag_once"
            ),
        ]


class ChainLink(models.Model):
    """One journey began because of another: segment → account → opportunity → contract → care cycle → …"""

    from_subject_type = models.CharField(max_length=30)
    from_subject_id = models.BigIntegerField()
    to_subject_type = models.CharField(max_length=30)
    to_subject_id = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["from_subject_type", "from_subject_id", "to_subject_type", "to_subject_id", "kind"],
                name="chain_link_once",
            ),
        ]
        indexes = [models.Index(fields=["to_subject_type", "to_subject_id"], name="chain_link_to")]


class DailySnapshot(models.Model):
    """Each running journey as it stood at the end of a business day, with the hierarchy of that day (PI-1)."""

    date = models.DateField()
    journey_id = models.BigIntegerField()
    subject_type = models.CharField(max_length=30)
    process_key = models.CharField(max_length=60)
    stage_key = models.CharField(max_length=60)
    axis_key = models.CharField(max_length=60)
    state = models.CharField(max_length=10)
    outcome = models.CharField(max_length=12, blank=True, default="")
    forecast_category = models.CharField(max_length=10)
    probability = models.PositiveSmallIntegerField()
    amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    close_date = models.DateField(null=True)
    owner_id_then = models.BigIntegerField(null=True)
    team_id_then = models.BigIntegerField(null=True)
    branch_id_then = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["date", "journey_id"], name="snapshot_once_a_day")]


from .approval_models import (  # noqa: E402 - they hang on Journey
    ApprovalCondition,
    ApprovalCopy,
    ApprovalGrant,
    ApprovalQuestion,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
    Delegation,
    Precedent,
)
from .drafting_models import (  # noqa: E402 - they point at versions
    AssignmentRule,
    FitDismissal,
    ProcessDraft,
    PublishRequest,
    Sandbox,
)
from .migration_models import Migration, MigrationRow  # noqa: E402 - they hang on Journey
from .override_models import OverrideRequest, OverrideRules, Waiver  # noqa: E402 - they hang on Journey
from .playbook_models import Finding, PlaybookRun, PlaybookTask, QuestionAnswer  # noqa: E402 - they hang on Journey
from .rollout_models import FormTime, Rollout  # noqa: E402
from .veto_models import Veto  # noqa: E402 - it hangs on Journey

__all__ = [
    "ApprovalCondition", "ApprovalCopy", "ApprovalGrant", "ApprovalQuestion", "ApprovalRequest", "ApprovalSeat",
    "ApprovalStep", "AssignmentRule", "Attestation", "ChainLink", "Clock", "ClockCalendar", "DailySnapshot", "Delegation",
    "Evaluation", "Finding", "FitDismissal", "FormTime", "GateFlag", "Journey", "Migration", "MigrationRow",
    "OverrideRequest", "OverrideRules",
    "PlaybookRun", "PlaybookTask", "Precedent", "Process",
    "ProcessDraft", "ProcessVersion", "PublishRequest", "QuestionAnswer", "Rollout", "Sandbox",
    "StageRow", "Veto", "Visit", "Waiver",
]  # fmt: skip
