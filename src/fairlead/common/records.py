"""The kinds of records, as lower rooms see them: who sees one, where its page is, what to do around a change.

A room registers its kinds when Django starts. `work` attaches activities and files to any of them, `exchange`
and `web` find them, and none of these rooms imports the room above it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .refusals import NotFound, NotPermitted

VisibleIds = Callable[[Any, Sequence[int], str], set[int]]  # user, ids, right
SeenBy = Callable[[Sequence[Any], int], set[int]]
Changing = Callable[[Sequence[int], datetime], AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordType:
    """`changing(ids, at)` is entered around every write to something that a gate may read of these records."""

    subject_type: str
    label: Mapping[str, str]
    plural: Mapping[str, str]
    view_right: str
    edit_right: str
    visible_ids: VisibleIds
    title: Callable[[Sequence[int]], Mapping[int, str]]
    url: Callable[[int], str]
    changing: Changing
    seen_by: SeenBy | None = None  # many people, one record; without it each person is asked for

    def seers(self, users: Sequence[Any], subject_id: int) -> set[int]:
        """Keys of those of `users` who see the record, as `sees` says of each."""
        if self.seen_by is not None:
            return self.seen_by(users, subject_id)
        return {user.pk for user in users if self.sees(user, subject_id)}

    def sees(self, user: Any, subject_id: int, right: str = "") -> bool:
        return subject_id in self.visible_ids(user, [subject_id], right or self.view_right)


_types: dict[str, RecordType] = {}
_unlisted: set[str] = set()


def register(record_type: RecordType, *, listed: bool = True) -> None:
    """`listed=False`: people can be told of one, but it is no record of the business with fields and lists."""
    _types[record_type.subject_type] = record_type
    (_unlisted.discard if listed else _unlisted.add)(record_type.subject_type)


def record_type(subject_type: str) -> RecordType:
    """Raises NotFound for a kind that is not here: the name may come from a URL."""
    if subject_type not in _types:
        raise NotFound
    return _types[subject_type]


def record_types() -> tuple[RecordType, ...]:
    return tuple(kind for name, kind in _types.items() if name not in _unlisted)


def require(user: Any, subject_type: str, subject_id: int, right: str) -> RecordType:
    """The kind, if `user` reaches the record with `right`; NotFound when not even seen, else NotPermitted.

    For whoever works on records of the business: what is not listed takes no activity, file, task or comment.
    """
    if subject_type in _unlisted:
        raise NotFound
    kind = record_type(subject_type)
    if not kind.sees(user, subject_id):
        raise NotFound
    if not kind.sees(user, subject_id, right):
        raise NotPermitted
    return kind
