"""Stays that a migration cut in two, for what counts days by visits (VR-6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..enums import ExitType
from ..models import Visit


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a stay before a migration."""

    stage_key: str
    entered_at: datetime
    known: bool


@dataclass(frozen=True, slots=True)
class Stays:
    """Parts by journey and the instant at which they were migrated."""

    parts: Mapping[tuple[int, datetime], Part]

    def begin(self, journey_id: int, entered_at: datetime) -> tuple[datetime, bool, frozenset[str]]:
        """When the stay of a visit that was entered then began, whether that is known, and what the stage was
        called before."""
        known, names = True, set()
        while (part := self.parts.get((journey_id, entered_at))) is not None:
            if part.entered_at == entered_at:
                break
            entered_at, known = part.entered_at, part.known
            names.add(part.stage_key)
        return entered_at, known, frozenset(names)


def cut_stays(process_key: str, *, journeys: Iterable[int] | None = None) -> Stays:
    rows = Visit.objects.filter(journey__process_key=process_key, exit_type=ExitType.MIGRATED)
    if journeys is not None:
        rows = rows.filter(journey__in=list(journeys))
    found = rows.values_list("journey_id", "left_at", "stage_key", "entered_at", "entered_at_known")
    return Stays({(pk, left): Part(key, at, known) for pk, left, key, at, known in found if left is not None})
