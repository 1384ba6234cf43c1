"""Sentences of notifications about a deal team, by code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

WORDS: Final[Mapping[str, Any]] = {
    "handover_offered": _("%(by)s offers you a hand-over: accept it or return it"),
    "handover_accepted": _("%(by)s accepted the hand-over"),
    "handover_returned": _("%(by)s returned the hand-over"),
    "handover_overdue": _("A hand-over has waited too long for an answer"),
    "role_asked": _("%(by)s asks you something about your part of the deal"),
    "role_answered": _("%(by)s answered your question"),
    "role_answer_overdue": _("An answer is overdue"),
}
