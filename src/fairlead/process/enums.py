"""Choices of the process room."""

from __future__ import annotations

from django.db import models
from django.utils.translation import pgettext_lazy


class StageKind(models.TextChoices):
    OPEN = "open", pgettext_lazy("stage kind", "open")
    POST_SALE = "post_sale", pgettext_lazy("stage kind", "after the sale")


class JourneyState(models.TextChoices):
    """Where a journey stands beside its stage (PD-7)."""

    OPEN = "open", pgettext_lazy("journey state", "Open")
    ON_HOLD = "on_hold", pgettext_lazy("journey state", "On hold")
    WON = "won", pgettext_lazy("journey state", "Won")
    LOST = "lost", pgettext_lazy("journey state", "Lost")
    CANCELLED = "cancelled", pgettext_lazy("journey state", "Cancelled")
    LEFT = "left", pgettext_lazy("journey state", "Left the process")


CLOSED_STATES = (JourneyState.WON, JourneyState.LOST, JourneyState.CANCELLED, JourneyState.LEFT)
#: Ended without a sale: what others were asked about it has lost its point; after a sale work goes on.
GIVEN_UP = (JourneyState.LOST, JourneyState.CANCELLED, JourneyState.LEFT)


class Outcome(models.TextChoices):
    """How a journey ended (MV-6). The closed basis of the win rate counts `lost` alone as lost."""

    WON = "won", pgettext_lazy("outcome", "Won")
    LOST = "lost", pgettext_lazy("outcome", "Lost to a competitor")
    NO_DECISION = "no_decision", pgettext_lazy("outcome", "No decision")
    WALKED_AWAY = "walked_away", pgettext_lazy("outcome", "We walked away")
    INVALID = "invalid", pgettext_lazy("outcome", "Invalid")
    DUPLICATE = "duplicate", pgettext_lazy("outcome", "Duplicate")
    MERGED = "merged", pgettext_lazy("outcome", "Merged into another")
    LEFT = "left", pgettext_lazy("outcome", "Left the process")


LOSING_OUTCOMES = (Outcome.LOST, Outcome.NO_DECISION, Outcome.WALKED_AWAY)
CANCELLING_OUTCOMES = (Outcome.INVALID, Outcome.DUPLICATE)
#: What only the program says of an end: no reason of a document leads there.
UNREASONED_OUTCOMES = (Outcome.WON, Outcome.MERGED, Outcome.LEFT)
#: Ends after which no move leads back: another record goes on for it, or it was taken out of its process.
FINAL_OUTCOMES = (Outcome.MERGED, Outcome.LEFT)


class Kind(models.TextChoices):
    """Kinds of moves (PD-2)."""

    ADVANCE = "advance", pgettext_lazy("move", "Advance")
    BRANCH = "branch", pgettext_lazy("move", "Branch")
    SKIP = "skip", pgettext_lazy("move", "Skip ahead")
    REGRESS = "regress", pgettext_lazy("move", "Move back")
    CLOSE_WON = "close_won", pgettext_lazy("move", "Mark won")
    CLOSE_LOST = "close_lost", pgettext_lazy("move", "Mark lost")
    HOLD = "hold", pgettext_lazy("move", "Put on hold")
    RESUME = "resume", pgettext_lazy("move", "Resume")
    REOPEN = "reopen", pgettext_lazy("move", "Reopen")


FORWARD = frozenset({Kind.ADVANCE, Kind.BRANCH, Kind.SKIP, Kind.CLOSE_WON})


class ExitType(models.TextChoices):
    """How a visit ended (EV-2); blank while it is open."""

    ADVANCE = "advance", pgettext_lazy("visit exit", "advanced")
    SKIP_FORWARD = "skip_forward", pgettext_lazy("visit exit", "skipped ahead")
    REGRESS = "regress", pgettext_lazy("visit exit", "moved back")
    WON = "won", pgettext_lazy("visit exit", "won")
    LOST = "lost", pgettext_lazy("visit exit", "lost")
    CANCELLED = "cancelled", pgettext_lazy("visit exit", "cancelled")
    MIGRATED = "migrated", pgettext_lazy("visit exit", "migrated")
    MERGED = "merged", pgettext_lazy("visit exit", "merged")
    LEFT = "left", pgettext_lazy("visit exit", "left the process")


class Level(models.TextChoices):
    """How hard a criterion stands (GT-1)."""

    BLOCK = "block", pgettext_lazy("criterion level", "required")
    FLAG = "flag", pgettext_lazy("criterion level", "suggested")
    INFO = "info", pgettext_lazy("criterion level", "for information")


class CriterionType(models.TextChoices):
    FIELD = "field", pgettext_lazy("criterion type", "field")
    ACTIVITY = "activity", pgettext_lazy("criterion type", "activity")
    DOCUMENT = "document", pgettext_lazy("criterion type", "document")
    RELATION = "relation", pgettext_lazy("criterion type", "contact role")
    SCORE = "score", pgettext_lazy("criterion type", "score")
    APPROVAL = "approval", pgettext_lazy("criterion type", "approval")
    ATTESTATION = "attestation", pgettext_lazy("criterion type", "confirmation by another person")
    EXTERNAL = "external", pgettext_lazy("criterion type", "fact from outside")
    CHILD = "child", pgettext_lazy("criterion type", "tasks done")
    ELAPSED = "elapsed", pgettext_lazy("criterion type", "time passed")
    GROUP = "group", pgettext_lazy("criterion type", "group")


class CriterionState(models.TextChoices):
    MET = "met", pgettext_lazy("criterion state", "Met")
    UNMET = "unmet", pgettext_lazy("criterion state", "Not met")
    EXPIRED = "expired", pgettext_lazy("criterion state", "Expired")
    WAIVED = "waived", pgettext_lazy("criterion state", "Waived")
    NA = "na", pgettext_lazy("criterion state", "Not applicable")
    UNKNOWN = "unknown", pgettext_lazy("criterion state", "Unknown")


SETTLED = frozenset({CriterionState.MET, CriterionState.WAIVED, CriterionState.NA})


class Tried(models.TextChoices):
    """What a candidate document says of a move that was made, or of the next one (see `replaying`)."""

    PASSES = "passes", pgettext_lazy("replay", "lets it pass")
    STOPPED = "stopped", pgettext_lazy("replay", "stops it")
    UNKNOWN = "unknown", pgettext_lazy("replay", "history cannot tell")
    INSIDE = "inside", pgettext_lazy("replay", "has no gate there")
    NO_PLACE = "no_place", pgettext_lazy("replay", "does not have the stage")
    OTHER_ORDER = "other_order", pgettext_lazy("replay", "has the stages in another order")
    ENDED = "ended", pgettext_lazy("replay", "ended there")


class Mode(models.TextChoices):
    """Whether gates stop a move or only mark it (soft landing)."""

    SOFT = "soft", pgettext_lazy("gate mode", "Gates flag, they do not block")
    ENFORCED = "enforced", pgettext_lazy("gate mode", "Gates are enforced")


class ForecastCategory(models.TextChoices):
    OMITTED = "omitted", pgettext_lazy("forecast category", "Omitted")
    PIPELINE = "pipeline", pgettext_lazy("forecast category", "Pipeline")
    BEST_CASE = "best_case", pgettext_lazy("forecast category", "Best case")
    COMMIT = "commit", pgettext_lazy("forecast category", "Commit")
    CLOSED = "closed", pgettext_lazy("forecast category", "Closed")


class VersionStatus(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("process version", "Draft")
    PUBLISHED = "published", pgettext_lazy("process version", "Published")
    RETIRED = "retired", pgettext_lazy("process version", "Retired")


class RequestState(models.TextChoices):
    """Of a request to publish a draft."""

    OPEN = "open", pgettext_lazy("publish request", "Waits for a decision")
    GRANTED = "granted", pgettext_lazy("publish request", "Published")
    REFUSED = "refused", pgettext_lazy("publish request", "Refused")
    LAPSED = "lapsed", pgettext_lazy("publish request", "Lapsed: the draft changed")


class MigrationState(models.TextChoices):
    """How far a plan for running journeys has come."""

    PLANNED = "planned", pgettext_lazy("migration", "Being planned")
    CHECKED = "checked", pgettext_lazy("migration", "Checked, waits to be confirmed")
    RUNNING = "running", pgettext_lazy("migration", "At work")
    DONE = "done", pgettext_lazy("migration", "Done")
    UNDOING = "undoing", pgettext_lazy("migration", "Being undone")
    UNDONE = "undone", pgettext_lazy("migration", "Undone")
    DROPPED = "dropped", pgettext_lazy("migration", "Given up")


class MigrationChoice(models.TextChoices):
    """What becomes of a running journey when a new version is published (VR-2)."""

    KEEP = "keep", pgettext_lazy("migration", "Keep the old version to the end")
    NEXT = "next", pgettext_lazy("migration", "Move over at the next change of stage")
    NOW = "now", pgettext_lazy("migration", "Move over now")
    LEAVE = "leave", pgettext_lazy("migration", "Leave the process")


#: What takes a journey to the new version, so that its stage needs a place there.
MOVING_OVER = (MigrationChoice.NEXT, MigrationChoice.NOW)


class MigrationRowState(models.TextChoices):
    PLANNED = "planned", pgettext_lazy("migration", "Planned")
    MANUAL = "manual", pgettext_lazy("migration", "Needs a choice by hand")
    KEPT = "kept", pgettext_lazy("migration", "Keeps its version")
    WAITING = "waiting", pgettext_lazy("migration", "Moves over at the next change of stage")
    DONE = "done", pgettext_lazy("migration", "Moved over")
    LEFT = "left", pgettext_lazy("migration", "Left the process")
    GONE = "gone", pgettext_lazy("migration", "Closed or moved over meanwhile")
    UNDONE = "undone", pgettext_lazy("migration", "Put back")
    REFUSED = "refused", pgettext_lazy("migration", "Not put back: it has moved since")


class ClockKind(models.TextChoices):
    """The clocks of a journey (§2.5); C1 to C4, and what a role owes inside a stage (SL-4, IT-2)."""

    VISIT = "visit", pgettext_lazy("clock", "This visit")
    STAGE = "stage", pgettext_lazy("clock", "In this stage so far")
    INACTIVITY = "inactivity", pgettext_lazy("clock", "Since anything happened")
    TOTAL = "total", pgettext_lazy("clock", "Since it began")
    RESPONSE = "response", pgettext_lazy("clock", "Answer awaited")
    TRACK = "track", pgettext_lazy("clock", "Track of a role")


class ClockLevel(models.TextChoices):
    NONE = "", pgettext_lazy("clock level", "In time")
    YELLOW = "yellow", pgettext_lazy("clock level", "Due soon")
    RED = "red", pgettext_lazy("clock level", "Over time")


class ClockCause(models.TextChoices):
    """What may set the clock of inactivity back (SL-1). The last ones do so only where a process says it."""

    STAGE = "stage", pgettext_lazy("clock cause", "the stage changed")
    AMOUNT = "amount", pgettext_lazy("clock cause", "the amount changed")
    CLOSE_DATE = "close_date", pgettext_lazy("clock cause", "the close date changed")
    BUYING_ROLE = "buying_role", pgettext_lazy("clock cause", "a buying role changed")
    MEETING = "meeting", pgettext_lazy("clock cause", "a talk with the customer")
    REPLY = "reply", pgettext_lazy("clock cause", "the customer replied")
    EVIDENCE = "evidence", pgettext_lazy("clock cause", "evidence for a gate was added")
    ATTEMPT = "attempt", pgettext_lazy("clock cause", "an attempt to reach the customer")
    OWNER = "owner", pgettext_lazy("clock cause", "the owner changed")
    PLANNED = "planned", pgettext_lazy("clock cause", "a next step was planned")


class ClockStop(models.TextChoices):
    """What stops a clock where a process says so (§2.5)."""

    WAITING = "waiting", pgettext_lazy("clock stop", "the customer's answer is awaited")
    PLANNED = "planned", pgettext_lazy("clock stop", "a talk with the customer is planned")


class EscalateTo(models.TextChoices):
    """Whom a rung of the ladder tells (SL-2)."""

    OWNER = "owner", pgettext_lazy("escalation", "the owner")
    TEAM = "team", pgettext_lazy("escalation", "the deal team")
    MANAGER = "manager", pgettext_lazy("escalation", "the manager")
    NEXT_LEVEL = "next_level", pgettext_lazy("escalation", "the next level")


class ClockAct(models.TextChoices):
    """What a clock that passes a limit does beside telling (SL-2)."""

    TASK = "task", pgettext_lazy("clock act", "give a task")
    FLAG = "flag", pgettext_lazy("clock act", "set a flag")
    PROPOSE_HOLD = "propose_hold", pgettext_lazy("clock act", "propose to put it on hold")
    PROPOSE_LOST = "propose_lost", pgettext_lazy("clock act", "propose to close it as lost")
    LOWER_FORECAST = "lower_forecast", pgettext_lazy("clock act", "lower the forecast category")
    MOVE = "move", pgettext_lazy("clock act", "move it")


#: Those that stand beside the clock until somebody settles them or the clock is in time again.
CALLS = frozenset({ClockAct.FLAG, ClockAct.PROPOSE_HOLD, ClockAct.PROPOSE_LOST})


class NoteKind(models.TextChoices):
    """What a note of the handbook is (PB-1), in the order in which they are shown."""

    TALK = "talk", pgettext_lazy("note", "Talk tracks")
    TEMPLATE = "template", pgettext_lazy("note", "Templates")
    OBJECTION = "objection", pgettext_lazy("note", "Objections")
    EVIDENCE = "evidence", pgettext_lazy("note", "What counts as evidence")
    CASE = "case", pgettext_lazy("note", "Cases")
    TRAINING = "training", pgettext_lazy("note", "Training")


class QuestionType(models.TextChoices):
    """The four kinds of questions of SPIN, in the order in which they are asked."""

    SITUATION = "situation", pgettext_lazy("question", "Situation")
    PROBLEM = "problem", pgettext_lazy("question", "Problem")
    IMPLICATION = "implication", pgettext_lazy("question", "Implication")
    NEED_PAYOFF = "need_payoff", pgettext_lazy("question", "Need-payoff")


class TriggerKind(models.TextChoices):
    """What starts a playbook by itself (PB-2)."""

    STAGE = "stage", pgettext_lazy("trigger", "the stage is entered")
    HOLD = "hold", pgettext_lazy("trigger", "the deal is put on hold")
    PUSHED = "pushed", pgettext_lazy("trigger", "the close date is put off again")
    COMPETITOR = "competitor", pgettext_lazy("trigger", "a competitor enters")
    CONTACT_LEFT = "contact_left", pgettext_lazy("trigger", "a key contact leaves")


class RunState(models.TextChoices):
    OPEN = "open", pgettext_lazy("playbook", "running")
    ENDED = "ended", pgettext_lazy("playbook", "ended")


class RunOutcome(models.TextChoices):
    """What came of a playbook; blank until somebody says so (PB-2)."""

    SUCCESSFUL = "successful", pgettext_lazy("playbook", "Did its work")
    PARTIALLY = "partially", pgettext_lazy("playbook", "Helped in part")
    NOT = "not", pgettext_lazy("playbook", "Did not help")
    NOT_NEEDED = "not_needed", pgettext_lazy("playbook", "Not needed")


class Again(models.TextChoices):
    """What to do with a playbook that has run before in this deal (PB-2)."""

    RESTART = "restart", pgettext_lazy("playbook", "Start afresh")
    RESUME = "resume", pgettext_lazy("playbook", "Go on")
    SKIP = "skip", pgettext_lazy("playbook", "Leave it")


class VetoDomain(models.TextChoices):
    """The field in which somebody says no (IT-3)."""

    TECHNICAL = "technical", pgettext_lazy("veto", "Technical commitment")
    DELIVERY_DATE = "delivery_date", pgettext_lazy("veto", "Delivery date")
    DELIVERY_SCOPE = "delivery_scope", pgettext_lazy("veto", "Scope of delivery")
    DELIVERY_COST = "delivery_cost", pgettext_lazy("veto", "Cost of delivery")
    CUSTOMER = "customer", pgettext_lazy("veto", "Commitment to the customer")
    FINANCE = "finance", pgettext_lazy("veto", "Financial terms")
    LEGAL = "legal", pgettext_lazy("veto", "Contract terms")


class VetoState(models.TextChoices):
    OPEN = "open", pgettext_lazy("veto", "Open")
    WITHDRAWN = "withdrawn", pgettext_lazy("veto", "Withdrawn")
    ACCEPTED = "accepted", pgettext_lazy("veto", "Alternative accepted")
    OVERRULED = "overruled", pgettext_lazy("veto", "Overruled")
    ENDED = "ended", pgettext_lazy("veto", "Ended with its deal")


class OverrideKind(models.TextChoices):
    """What a request asks to be let pass (OV-1)."""

    CRITERION = "criterion", pgettext_lazy("override", "an item")
    MOVE = "move", pgettext_lazy("override", "a move")


class OverrideState(models.TextChoices):
    OPEN = "open", pgettext_lazy("override", "waits for a decision")
    GRANTED = "granted", pgettext_lazy("override", "granted")
    REFUSED = "refused", pgettext_lazy("override", "refused")
    WITHDRAWN = "withdrawn", pgettext_lazy("override", "withdrawn")
    LAPSED = "lapsed", pgettext_lazy("override", "not decided in time")
