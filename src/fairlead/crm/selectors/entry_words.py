"""Words of entries in a timeline: activities, and merges (which deal it was, the page says to whoever sees it)."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

#: Icon, words, what of the detail stands below, kind.
MERGE_WORDS: Mapping[str, tuple[str, str | Promise, str, str]] = {
    "merged": ("arrows-split", gettext_lazy("%(name)s merged it into another deal"), "", "stage"),
    "merge_received": ("arrows-split", gettext_lazy("%(name)s merged another deal into it"), "", "stage"),
    "merge_undone": ("corner-up-left", gettext_lazy("%(name)s took the merge back"), "", "stage"),
    "merge_returned": ("corner-up-left", gettext_lazy("%(name)s took the merge back"), "", "stage"),
}
WORK_WORDS: Mapping[str, str | Promise] = {
    "activity_done": gettext_lazy("%(name)s · %(kind)s"),
    "activity_planned": gettext_lazy("%(name)s planned: %(kind)s"),
    "activity_cancelled": gettext_lazy("%(name)s cancelled: %(kind)s"),
    "activity_rescheduled": gettext_lazy("%(name)s put off: %(kind)s"),
    "activity_reopened": gettext_lazy("%(name)s planned again: %(kind)s"),
    "activity_removed": gettext_lazy("%(name)s took out: %(kind)s"),
}
ACTIVITY_ICONS: Mapping[str, str] = {
    "call": "phone",
    "meeting": "users",
    "visit": "map-pin",
    "email": "mail",
    "chat": "inbox",
    "demo": "video",
    "site_visit": "building",
    "workshop": "users",
    "other": "notes",
}
