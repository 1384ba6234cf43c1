"""Sentences of notifications, by code. `%(by)s` is who did it; other rooms add theirs through the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from . import registry

WORDS: Final[Mapping[str, Any]] = {
    "edited": _("%(by)s changed fields"),
    "owner_changed": _("%(by)s handed it over"),
    "team_member_set": _("%(by)s changed the deal team"),
    "stage_moved": _("%(by)s moved it to another stage"),
    "held": _("%(by)s put it on hold"),
    "resumed": _("%(by)s took it up again"),
    "won": _("%(by)s marked it won"),
    "lost": _("%(by)s marked it lost"),
    "cancelled": _("%(by)s cancelled it"),
    "reopened": _("%(by)s reopened it"),
    "merged": _("%(by)s merged it into another record"),
    "merge_received": _("%(by)s merged another record into it"),
    "process_left": _("It was taken out of its process"),
    "leaving_undone": _("It was put back into its process"),
    "attested": _("%(by)s confirmed an item of the gate"),
    "waiver_granted": _("%(by)s waived an item of the gate"),
    "activity_done": _("%(by)s logged an activity"),
    "file_added": _("%(by)s filed a document"),
    "commented": _("%(by)s commented"),
    "mentioned": _("%(by)s mentions you"),
    "task_assigned": _("%(by)s gave you a task"),
}
#: Events of the journal that those responsible for a record hear of.
TOLD_EVENTS: Final = frozenset(
    {
        "edited", "owner_changed", "team_member_set", "stage_moved", "held", "resumed", "won", "lost", "cancelled",
        "reopened", "attested", "waiver_granted", "activity_done", "file_added", "commented",
        "merged", "merge_received",
    }
)  # fmt: skip


def sentence(code: str, params: Mapping[str, Any], by: str) -> str:
    """In the active language. A code that nobody words, or words otherwise, still says that something is new."""
    words = registry.notification_words.get(code) or WORDS.get(code)
    if words is None:
        return gettext("Something is new here")
    try:
        return str(words) % {"by": by or gettext("Fairlead"), **params}
    except (KeyError, TypeError, ValueError):
        return gettext("Something is new here")
