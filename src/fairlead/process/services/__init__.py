"""Verbs of the process room: publish, start, move, attest, waive, rebuild."""

from .asking import answer_question, note_guidance, remove_answer
from .clocking import acknowledge, settle_call, take_over_thresholds
from .drafting import begin_draft, begin_process, discard_draft, edit_draft, publish_draft, rebase_draft
from .evidence import attest, facts_change, grant_waiver, revoke_waiver, withdraw_attestation
from .forcing import force_move, force_waiver
from .gates import refresh_due_gates, refresh_gates
from .merging import merge_journey, undecided, unmerge_journey
from .mirroring import mirror_subjects, pin_category
from .moves import MoveOutcome, MoveWish, move, move_many
from .overrides import decide_override, request_override, withdraw_override
from .playbooks import end_playbook, happened, launch_playbook, take_back_launches
from .publishing import publish, retire, validate
from .seconding import ask_to_publish, decide_publishing
from .starting import NewJourney, Step, published_keys, start_journeys
from .vetoing import accept_alternative, escalate_vetoes, overrule_veto, raise_veto, withdraw_veto

__all__ = [
    "MoveOutcome",
    "MoveWish",
    "NewJourney",
    "Step",
    "accept_alternative",
    "acknowledge",
    "answer_question",
    "ask_to_publish",
    "attest",
    "begin_draft",
    "begin_process",
    "decide_override",
    "decide_publishing",
    "discard_draft",
    "edit_draft",
    "end_playbook",
    "escalate_vetoes",
    "facts_change",
    "force_move",
    "force_waiver",
    "grant_waiver",
    "happened",
    "launch_playbook",
    "merge_journey",
    "mirror_subjects",
    "move",
    "move_many",
    "note_guidance",
    "overrule_veto",
    "pin_category",
    "publish",
    "publish_draft",
    "published_keys",
    "raise_veto",
    "rebase_draft",
    "refresh_due_gates",
    "refresh_gates",
    "remove_answer",
    "request_override",
    "retire",
    "revoke_waiver",
    "settle_call",
    "start_journeys",
    "take_back_launches",
    "take_over_thresholds",
    "undecided",
    "unmerge_journey",
    "validate",
    "withdraw_attestation",
    "withdraw_override",
    "withdraw_veto",
]
