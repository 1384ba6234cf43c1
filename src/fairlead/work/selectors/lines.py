"""What a line of typing means for one record, and in which words it is shown before it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.organisation.selectors import calendars

from .. import registry
from ..enums import ActivityKind, ActivityOutcome
from ..phrases import Line, Person, Phrase, read_line
from ..words import ICONS, when_words


@dataclass(frozen=True, slots=True)
class Understood:
    """The line, and the names of the people it may speak of."""

    line: Line
    names: Mapping[int, str] = field(default_factory=dict)

    @property
    def summaries(self) -> dict[str, str]:
        """What the parts are called that say no more than their kind."""
        then = self.line.then
        return {"now": self._called(self.line.now), "then": self._called(then) if then is not None else ""}

    def _called(self, phrase: Phrase) -> str:
        who = [self.names[pk] for pk in phrase.people if pk in self.names]
        return phrase.summary or " ".join([str(ActivityKind(phrase.kind).label), *who])[:200]


def understand(
    reader: Any, subject_type: str, subject_id: int, text: str, *, at: datetime
) -> Understood | None:
    """Read the line on the reader's clock, with the people of the record; None for a blank line."""
    people = [
        Person.named(pk, words)
        for source in registry.contact_sources
        for pk, words in source(reader, subject_type, subject_id)
    ]
    calendar = calendars().of(reader.pk)
    line = read_line(text, now=timezone.localtime(at), people=people, workday_after=calendar.workday_after)
    return None if line is None else Understood(line, {p.id: p.name for p in people})


def preview(meant: Understood, *, at: datetime) -> list[dict[str, Any]]:
    """The parts as a person checks them: kind, when, who, where, what."""
    parts = [("now", meant.line.now)] + ([("then", meant.line.then)] if meant.line.then is not None else [])
    return [_part(key, phrase, meant, at) for key, phrase in parts if phrase is not None]


def _part(key: str, phrase: Phrase, meant: Understood, at: datetime) -> dict[str, Any]:
    return {
        "key": key,
        "planned": phrase.planned,
        "icon": ICONS.get(phrase.kind, "notes"),
        "kind": str(ActivityKind(phrase.kind).label),
        "what": phrase.summary,
        "when": when_words(phrase.at, at),
        "hour_assumed": phrase.planned and not phrase.hour_said,
        "who": [meant.names[pk] for pk in phrase.people if pk in meant.names],
        "maybe": [(pk, meant.names[pk]) for pk in phrase.maybe if pk in meant.names],
        "place": phrase.place,
        "outcome": phrase.outcome,
        "state": _("Planned") if phrase.planned else _("Done"),
    }


def outcome_label(code: str) -> str:
    return str(ActivityOutcome(code).label) if code in ActivityOutcome.values else ""


def records_named(reader: Any, text: str) -> list[registry.Named]:
    """Records of the reader that the line names, the surest first."""
    found = [one for source in registry.record_finders for one in source(reader, text)]
    return sorted(found, key=lambda one: (-one.score, one.title, one.subject_id))[:5]


def box(kind: str = "", pk: int = 0, **more: Any) -> dict[str, Any]:
    """What `work/line_box.html` shows. Without a record the line itself names one."""
    if kind:
        names, args = ("work:line", "work:line_preview"), [kind, pk]
    else:
        names, args = ("work:day_line", "work:day_line_preview"), []
    return {
        "url": reverse(names[0], args=args),
        "preview_url": reverse(names[1], args=args),
        "asks_about": not kind,
        "text": "",
        "error": "",
        "parts": [],
        "saved": [],
        "offers": [],
        "about": [],
        "outcomes": ActivityOutcome.choices,
        "outcome": "",
        **more,
    }
