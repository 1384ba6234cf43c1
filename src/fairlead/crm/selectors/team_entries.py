"""How the work of a deal team stands in the timeline: vetoes, hand-overs, questions to a role, the agreed split."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

VETO_EVENTS = (
    "veto_raised",
    "veto_withdrawn",
    "veto_accepted",
    "veto_overruled",
    "veto_escalated",
    "veto_ended",
    "veto_again",
)
TEAM_EVENTS = (
    "handover_offered",
    "handover_accepted",
    "handover_returned",
    "handover_withdrawn",
    "handover_overdue",
    "role_asked",
    "role_answered",
    "role_question_withdrawn",
    "role_answer_overdue",
    *VETO_EVENTS,
)
#: Icon, words, what of the detail stands below, kind.
TEAM_WORDS: Mapping[str, tuple[str, str | Promise, str, str]] = {
    "veto_raised": ("hand-stop", gettext_lazy("%(name)s said no to a clause"), "clause", "gate"),
    "veto_withdrawn": ("corner-up-left", gettext_lazy("%(name)s took a veto back"), "clause", "gate"),
    "veto_accepted": ("check", gettext_lazy("%(name)s accepted the alternative to a veto"), "clause", "gate"),
    "veto_overruled": ("gavel", gettext_lazy("%(name)s overruled a veto"), "clause", "gate"),
    "veto_escalated": ("alarm", gettext_lazy("A veto went to those who decide"), "clause", "gate"),
    "veto_ended": ("x", gettext_lazy("A veto ended with the deal"), "clause", "gate"),
    "veto_again": ("hand-stop", gettext_lazy("A veto stands again: the deal runs on"), "clause", "gate"),
    "bonus_split_agreed": ("users", gettext_lazy("%(name)s agreed on the bonus split"), "", "edit"),
    "handover_offered": ("arrow-right", gettext_lazy("%(name)s offered a hand-over"), "", "work"),
    "handover_accepted": ("check", gettext_lazy("%(name)s accepted a hand-over"), "", "work"),
    "handover_returned": ("corner-up-left", gettext_lazy("%(name)s returned a hand-over"), "", "work"),
    "handover_withdrawn": ("x", gettext_lazy("%(name)s took a hand-over back"), "", "work"),
    "handover_overdue": ("alarm", gettext_lazy("A hand-over waited too long for an answer"), "", "work"),
    "role_asked": ("help", gettext_lazy("%(name)s asked a role"), "", "work"),
    "role_answered": ("notes", gettext_lazy("%(name)s answered a question"), "", "work"),
    "role_question_withdrawn": ("x", gettext_lazy("%(name)s took a question back"), "", "work"),
    "role_answer_overdue": ("alarm", gettext_lazy("An answer was overdue"), "", "work"),
}
