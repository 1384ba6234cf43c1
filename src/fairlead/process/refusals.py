"""The anticipated noes of the process room, each with a stable code."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from fairlead.common.refusals import Refusal

from .verdicts import Verdict


class GateRefused(Refusal):
    """The gate is not open: `verdict` holds every gap at once. Exactly one attempt was noted."""

    code = "gate-refused"
    status = 422
    default_message = _("Some items are still missing at this gate.")

    def __init__(
        self, verdict: Verdict, *, journey_id: int, evaluation_id: int | None, details: dict[str, Any]
    ) -> None:
        self.verdict, self.journey_id, self.evaluation_id = verdict, journey_id, evaluation_id
        super().__init__(details=details)


class MoveImpossible(Refusal):
    """The process knows no such move from here, or something that the move itself needs is missing."""

    code = "move-impossible"
    status = 422
    default_message = _("This move is not possible from here.")


class LostRace(Refusal):
    """Somebody else moved it first; `details` says what changed (MV-11)."""

    code = "lost-race"
    status = 409
    api_status = 409
    default_message = _("Somebody else moved this meanwhile.")


class ClockRefused(Refusal):
    """A clock that is in time, or none at all: there is nothing to acknowledge."""

    code = "clock-in-time"
    default_message = _("This clock is in time; there is nothing to acknowledge.")


class CannotPublish(Refusal):
    """A document with problems; `details["problems"]` names path and message of each."""

    code = "cannot-publish"
    default_message = _("The process cannot be published.")


class MigrationRefused(Refusal):
    """A plan for running records that cannot be carried out; `details["problems"]` names holes of its mapping."""

    code = "migration-refused"
    default_message = _("This plan cannot be carried out.")


class WaiverRefused(Refusal):
    code = "waiver-refused"
    default_message = _("This waiver cannot be granted.")


class BudgetSpent(WaiverRefused):
    """So many waivers of one person run at a time; `details` says how many (OV-1)."""

    code = "waiver-budget-spent"


class OverrideRefused(Refusal):
    """What is asked cannot be asked, or this person cannot decide it."""

    code = "override-refused"
    default_message = _("This cannot be let pass.")


class AlreadyDecided(Refusal):
    """Two devices, or two managers: the first decision stands."""

    code = "already-decided"
    status = 409
    api_status = 409
    default_message = _("This request was decided meanwhile.")


class AttestationRefused(Refusal):
    code = "attestation-refused"
    default_message = _("This cannot be confirmed by you.")


class PlaybookRanBefore(Refusal):
    """The playbook is or was at work in this deal: say whether to start afresh, go on, or leave it (PB-2)."""

    code = "playbook-ran-before"
    status = 409
    api_status = 409
    default_message = _("This playbook has run before here. Start afresh, go on, or leave it?")


class DraftExists(Refusal):
    """A process has one draft at a time; `details` says who is at it."""

    code = "draft-exists"
    status = 409
    api_status = 409
    default_message = _("There is a draft of this process already. Go on with it, or discard it first.")


class BaseMoved(Refusal):
    """Another version was published since the draft was begun: publishing it would undo that one's changes."""

    code = "base-moved"
    status = 409
    api_status = 409
    default_message = _("Another version was published since this draft was begun.")


class SecondPersonNeeded(Refusal):
    """Publishing is decided by somebody who did not write the document (OV-5); `details["people"]`: who else may."""

    code = "second-person-needed"
    default_message = _(
        "Somebody who did not write this decides on publishing it. Ask for it from the draft."
    )


class VetoRefused(Refusal):
    """Not the field of whoever says no, or not theirs to settle."""

    code = "veto-refused"
    default_message = _("This veto is not yours to settle.")


class ApprovalRefused(Refusal):
    """A request that cannot be made, or an act that it does not allow. `code` says which."""

    code = "approval-refused"
    default_message = _("This cannot be done with this approval.")


class ApprovalDecided(Refusal):
    """It was decided, recalled or returned before: a second click, another device, somebody else (exactly one counts)."""

    code = "approval-decided"
    status = 409
    api_status = 409
    default_message = _("This was decided already.")


class SwitchRefused(Refusal):
    """One record cannot come to another process, or not now."""

    code = "switch-refused"
    status = 422
    default_message = _("This record cannot change its process now.")


class SandboxRefused(Refusal):
    """A draft that cannot be clicked through as it is."""

    code = "sandbox-refused"
    status = 422
    default_message = _("This draft cannot be clicked through yet.")
