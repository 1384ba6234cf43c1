"""What rooms above tell this one: the steps that fit a record, and the people who may have taken part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Proposals = Callable[[str, int], Sequence[tuple[str, str]]]  # subject type, id → (kind of activity, words)
ContactSource = Callable[
    [Any, str, int], Sequence[tuple[int, str]]
]  # reader, subject type, id → (contact, words)

RecordFinder = Callable[[Any, str], Sequence["Named"]]  # reader, a line of typing → records that it names
Responsible = Callable[[str, Sequence[int]], Mapping[int, Mapping[int, str]]]  # type, ids → person → reason

proposals: list[Proposals] = []
contact_sources: list[ContactSource] = []
record_finders: list[RecordFinder] = []
responsible_sources: list[Responsible] = []
notification_words: dict[str, Any] = {}
DigestLines = Callable[[Any, datetime], Sequence[str]]  # person, instant → lines of the first mail of a week
weekly_lines: list[DigestLines] = []


@dataclass(frozen=True, slots=True)
class Named:
    """A record that a line of typing names, by which word of it, and how surely."""

    subject_type: str
    subject_id: int
    title: str
    word: str
    score: int


def propose_with(source: Proposals) -> None:
    """Called once, when a room above starts: what to offer after an activity is done."""
    proposals.append(source)


def contacts_from(source: ContactSource) -> None:
    """Called once, when the room of contacts starts."""
    contact_sources.append(source)


def find_records_with(source: RecordFinder) -> None:
    """Called once, when a room of records starts: which of a person's records a line of typing names."""
    record_finders.append(source)


def responsible_from(source: Responsible) -> None:
    """Called once, when a room of records starts: who is told what others do to them, and why."""
    responsible_sources.append(source)


def add_to_the_first_mail_of_a_week(lines: DigestLines) -> None:
    """Called once, when a room starts that sums up a week for a person."""
    weekly_lines.append(lines)


def word_notifications(words: Mapping[str, Any]) -> None:
    """Called once, when a room starts that notifies: code → lazy sentence with `%(name)s` of its parameters."""
    notification_words.update(words)
