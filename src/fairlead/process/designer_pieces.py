"""Pieces of a whole process that have parts of their own, as rows of the designer: playbooks with tasks, and the like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.utils import translation
from django.utils.translation import get_language


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceRow:
    """`key`: how the address names it. `said`: what an edit of it says. `parts`: shown where it is open."""

    key: str
    name: str
    other: str
    says: list[tuple[str, str]]
    said: Mapping[str, str]
    count: str = ""
    is_open: bool = False
    first: bool = True
    last: bool = True
    parts: list[PieceRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceWords:
    """`op` and `inner_op` begin the names of the edits: `playbook` of playbook_move."""

    op: str
    inner_op: str
    icon: str
    none: str
    none_hint: str
    add: str
    add_inner: str
    none_inner: str
    sorts: bool = True


def in_both(text: Callable[[], str]) -> list[tuple[str, str]]:
    """A sentence in the reader's language, then in the other one."""
    mine = "zh-hans" if (get_language() or "zh").startswith("zh") else "en"
    found = []
    for language in (mine, "en" if mine == "zh-hans" else "zh-hans"):
        with translation.override(language):
            found.append((language, text()))
    return found
