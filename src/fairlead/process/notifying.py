"""Sentences about clocks, and the way they reach people: the room of work keeps one line per person and record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from fairlead.work.enums import Reason
from fairlead.work.services.notifications import Told, tell

from .services.clock_notices import Notice

WORDS: Final[Mapping[str, Any]] = {
    "clock_yellow_visit": _("It is close to its limit in this stage"),
    "clock_yellow_stage": _("Over all its stays it is close to its limit in this stage"),
    "clock_yellow_inactivity": _("Nothing has happened for a while"),
    "clock_yellow_total": _("It has been on the way for a long time"),
    "clock_yellow_response": _("An answer is due soon"),
    "clock_red_visit": _("It is over its limit in this stage"),
    "clock_red_stage": _("Over all its stays it is over its limit in this stage"),
    "clock_red_inactivity": _("Nothing has happened for too long"),
    "clock_red_total": _("It has been on the way for too long"),
    "clock_red_response": _("An answer is overdue"),
    "clock_yellow_track": _("The track of %(role)s in this stage is close to its limit"),
    "clock_red_track": _("The track of %(role)s in this stage is over its limit"),
    "clock_flag": _("A time limit set a flag"),
    "clock_propose_hold": _("Its time limit proposes to put it on hold"),
    "clock_propose_lost": _("Its time limit proposes to close it as lost"),
    "clock_lower_forecast": _("Its time limit lowered the forecast category"),
    "publish_asked": _("Somebody asks you to publish this process"),
    "publish_granted": _("The process you asked for is published"),
    "publish_refused": _("Publishing the process was refused"),
    "veto_raised": _("%(by)s said no to a clause: nothing moves ahead until it is settled"),
    "veto_withdrawn": _("%(by)s took a veto back"),
    "veto_accepted": _("%(by)s accepted the alternative to a veto"),
    "veto_overruled": _("%(by)s overruled a veto"),
    "veto_again": _("The deal runs on, and a veto on it stands again: settle it"),
    "veto_escalated": _("A veto has been open for two working days: decide over it"),
    "approval_asked": _("Your decision is asked"),
    "approval_granted": _("What you submitted was approved"),
    "approval_rejected": _("What you submitted was rejected"),
    "approval_returned": _("What you submitted was returned to you"),
    "approval_recalled": _("A request for approval was withdrawn"),
    "approval_copied": _("A request for approval is shown to you"),
    "approval_question": _("Somebody asks you about an approval"),
    "approval_answer": _("Your question about an approval was answered"),
    "approval_voided": _("An approval holds no more: a value left what was approved"),
    "approval_due_half": _("Half the time for a decision has passed"),
    "approval_due_soon": _("A decision is due soon"),
    "approval_overdue": _("A decision is overdue"),
    "override_requested": _("%(by)s asks you to let an item or a move pass"),
    "override_granted": _("%(by)s granted what you asked to be let pass"),
    "override_refused": _("%(by)s refused what you asked to be let pass"),
    "override_lapsed": _("Nobody decided in time what you asked to be let pass"),
    "waiver_ended": _("A waiver has run out; its item is asked for again"),
    "glass_broken": _("%(by)s broke the glass: an item or a move was forced"),
    "approval_nudged": _("Somebody reminds you: your decision is asked"),
    "clock_moved": _("The working calendar changed: its time limit moved"),
}


def tell_people(notices: Sequence[Notice]) -> None:
    """Write notices as notifications; the sweep is background work already, so at once."""
    tell(
        [
            Told(
                person=person,
                reason=notice.reason or Reason.OWNER,
                subject_type=notice.subject_type,
                subject_id=notice.subject_id,
                code=notice.code,
                params=notice.params,
                by=None,
                at=notice.at,
            )
            for notice in notices
            for person in notice.recipient_ids
        ]
    )
