"""Edits of what stands in lists: role tracks of a stage (IT-2), notes of its handbook (PB-1), questions of its bank, and
what the process hands from role to role (IT-5). One shape for all: added, given anew whole, moved, taken out. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid

from .editing_places import (
    MAX_ITEMS,
    Document,
    body_in,
    items_of,
    key_in,
    listed,
    place_of_key,
    stage_of,
    stages_of,
    target_in,
)

Edit = Callable[[Document, Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Entries:
    """`op` begins the names of the edits (track_add) and names the argument that holds an entry. `holder`: what of the
    stage the list stands in; blank for the stage itself. `of_process`: it stands in the document instead. `by_key`: an
    entry is found by its key, else by `number`. `named`: the words that a new key is made from; blank for entries
    without one."""

    op: str
    name: str
    holder: str = ""
    of_process: bool = False
    by_key: bool = False
    named: str = ""

    def home(self, document: Document, given: Mapping[str, Any]) -> dict[str, Any]:
        return document if self.of_process else stage_of(document, given.get("stage"))

    def entries(self, home: dict[str, Any]) -> list[Any]:
        if not self.holder:
            return listed(home, self.name)
        if not isinstance(home.get(self.holder), dict):
            home[self.holder] = {}
        return listed(home[self.holder], self.name)

    def path(self, home: Mapping[str, Any], entry: Any = None) -> str:
        parts = [] if self.of_process else ["stages", str(home["key"])]
        parts += [self.holder, self.name, "" if entry is None else str(entry)]
        return ".".join(part for part in parts if part)

    def place(self, entries: list[Any], given: Mapping[str, Any]) -> int:
        if self.by_key:
            return place_of_key(entries, given.get(f"{self.op}_key"), f"{self.op}_key")
        number = given.get("number")
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(entries):
            raise Invalid.field("number", _("There is no such entry."))
        return number

    def add(self, document: Document, given: Mapping[str, Any]) -> str:
        home = self.home(document, given)
        entries, body = self.entries(home), body_in(given, self.op)
        if len(entries) >= MAX_ITEMS:
            raise Invalid.field(self.op, _("At most %(most)s entries.") % {"most": MAX_ITEMS})
        if self.named:
            body["key"] = key_in({"name": body.get(self.named), **body}, self._taken(document, home), self.op)
        entries.append(body)
        return self.path(home, body["key"] if self.by_key else len(entries) - 1)

    def change(self, document: Document, given: Mapping[str, Any]) -> str:
        """The key stays: clocks know their track by it, answers their question."""
        home = self.home(document, given)
        entries = self.entries(home)
        i = self.place(entries, given)
        old = entries[i].get("key") if isinstance(entries[i], dict) else None
        entries[i] = body_in(given, self.op) | ({"key": old} if old else {})
        return self.path(home, old if self.by_key else i)

    def move(self, document: Document, given: Mapping[str, Any]) -> str:
        home = self.home(document, given)
        entries = self.entries(home)
        i = self.place(entries, given)
        entries.insert(target_in(given, i, len(entries)), entries.pop(i))
        return self.path(home)

    def remove(self, document: Document, given: Mapping[str, Any]) -> str:
        home = self.home(document, given)
        entries = self.entries(home)
        entries.pop(self.place(entries, given))
        if self.of_process and not entries:
            home.pop(self.name)  # nothing written is something else than an empty list: what is usual holds
        return self.path(home)

    def _taken(self, document: Document, stage: Mapping[str, Any]) -> set[str]:
        """Keys in use: of a track in its stage, of a question in the whole process."""
        stages = [stage] if self.by_key else stages_of(document)
        return {str(e.get("key")) for one in stages for e in items_of(one, self.name)}

    def operations(self) -> dict[str, Edit]:
        edits = {"add": self.add, "set": self.change, "move": self.move, "remove": self.remove}
        return {f"{self.op}_{name}": edit for name, edit in edits.items()}


TRACKS: Final = Entries("track", "tracks", by_key=True, named="name")
NOTES: Final = Entries("note", "notes", holder="handbook")
QUESTIONS: Final = Entries("question", "questions", named="text")
PACKAGES: Final = Entries("package", "handovers", of_process=True)
LISTS: Final = (TRACKS, NOTES, QUESTIONS, PACKAGES)

OPERATIONS: Final[Mapping[str, Edit]] = {
    name: edit for one in LISTS for name, edit in one.operations().items()
}
#: Edits that make a piece, and the argument that holds it; see `services.drafting`.
PIECES: Final[Mapping[str, str]] = {f"{one.op}_{name}": one.op for one in LISTS for name in ("add", "set")}
