"""Reading drafts: what they change against the version they were begun from, and who may decide on them."""

from __future__ import annotations

from ..change import Change
from ..definition import Definition
from ..definitions import definition_of
from ..differences import differences
from ..models import ProcessDraft


def changes_of(draft: ProcessDraft, definition: Definition | None) -> list[Change]:
    """In words, as far as the draft can be read; a new process changes nothing."""
    if draft.base is None or definition is None:
        return []
    return differences(definition_of(draft.base), definition)
