"""Reading drafts: what they change against the version they were begun from, and who may decide on them."""

from __future__ import annotations

from ..change import Change
from ..definition import Definition
from ..definitions import definition_of
from ..differences import differences, is_same
from ..models import ProcessDraft


def is_untouched(draft: ProcessDraft, definition: Definition | None) -> bool:
    """Whether it says word for word what its base says."""
    return (
        draft.base is not None and definition is not None and is_same(definition_of(draft.base), definition)
    )


def changes_of(draft: ProcessDraft, definition: Definition | None) -> list[Change]:
    """In words, as far as the draft can be read; a new process changes nothing."""
    if draft.base is None or definition is None:
        return []
    return differences(definition_of(draft.base), definition)
