"""Verbs of the room of work: log, plan, complete, file, comment, assign."""

from .activities import (
    NewActivity,
    cancel_activity,
    complete_activity,
    log_activities,
    log_activity,
    plan_activity,
    remove_activity,
    reopen_activity,
    reschedule_activity,
)
from .files import add_file, restore_file, withdraw_file
from .keeping import forget_seen, see, set_star
from .lines import save_line
from .notes import RIGHT as COMMENT_RIGHT
from .notes import add_comment, edit_comment, react, remove_comment, restore_comment
from .notifications import mark_read, notify, set_attention, tell_of_events
from .preferences import preferences_of, set_preferences
from .task_edits import edit_task
from .tasks import add_task, complete_task, remove_task, reopen_task, restore_task

__all__ = [
    "COMMENT_RIGHT",
    "NewActivity",
    "add_comment",
    "add_file",
    "add_task",
    "cancel_activity",
    "complete_activity",
    "complete_task",
    "edit_comment",
    "edit_task",
    "forget_seen",
    "log_activities",
    "log_activity",
    "mark_read",
    "notify",
    "plan_activity",
    "preferences_of",
    "react",
    "remove_activity",
    "remove_comment",
    "remove_task",
    "reopen_activity",
    "reopen_task",
    "reschedule_activity",
    "restore_comment",
    "restore_file",
    "restore_task",
    "save_line",
    "see",
    "set_attention",
    "set_preferences",
    "set_star",
    "tell_of_events",
    "withdraw_file",
]
