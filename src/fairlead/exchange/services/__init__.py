"""Verbs of imports: stage a file, say what its columns mean, check it, run it, undo it."""

from .checking import NotReady, begin_check, check
from .correcting import edit_cell, map_value, mend_column, mend_rows
from .running import begin_run, execute
from .staging import (
    CannotChange,
    FileRefused,
    apply_preset,
    get_run,
    path_of,
    restage,
    set_mapping,
    stage_file,
)
from .undoing import UNDO_DAYS, begin_undo, may_be_undone, undo

__all__ = [
    "UNDO_DAYS",
    "CannotChange",
    "FileRefused",
    "NotReady",
    "apply_preset",
    "begin_check",
    "begin_run",
    "begin_undo",
    "check",
    "edit_cell",
    "execute",
    "get_run",
    "map_value",
    "may_be_undone",
    "mend_column",
    "mend_rows",
    "path_of",
    "restage",
    "set_mapping",
    "stage_file",
    "undo",
]
