"""The records behind one figure of criterion quality: as many as it says, each of them visible to the reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from fairlead.analytics.criteria import BASIS, HIDDEN_BELOW, Passing
from fairlead.process.models import Journey, Process

from ..questions import BadQuestion
from ..usage import journeys_of
from . import reading
from .figures import waivers_of

#: Figures over all items → whether a passing counts.
OVERALL: Mapping[str, Callable[[Passing], bool]] = {
    "through": lambda one: True,
    "waived": lambda one: one.waived,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which figure: `item` with a part of `reading.PARTS`; or none with `stage`, `team` or `person`."""

    part: str
    item: str = ""
    stage: str = ""
    team: str = ""
    person: str = ""

    @classmethod
    def read(cls, query: Mapping[str, Any]) -> Asked:
        return cls(
            **{key: str(query.get(key, ""))[:80] for key in ("part", "item", "stage", "team", "person")}
        )


def records(process: Process, asked: Asked, *, reader: Any, at: datetime) -> list[int]:
    """Ids of journeys, the newest first. Raises BadQuestion for a figure that does not exist."""
    journeys = journeys_of(process.key, process.subject_type, reader)
    if asked.item:
        if asked.part not in reading.PARTS:
            raise BadQuestion("part", _("There is no such figure."))
        return reading.records_of(journeys, asked.item, asked.part, at=at)
    if asked.person:
        found = waivers_of(journeys, reader, at).filter(granted_by=_number("person", asked.person))
        ids = sorted(set(found.values_list("journey_id", flat=True)), reverse=True)
        return ids if len(ids) >= HIDDEN_BELOW else []
    _cells, passings, _tried = reading.read(journeys, at=at)
    if asked.part in ("overridden_ended", "clean_ended"):
        waived: dict[int, bool] = {}
        for one in passings:
            if one.outcome in BASIS:
                waived[one.record] = waived.get(one.record, False) or one.waived
        wanted = asked.part == "overridden_ended"
        return sorted((pk for pk, has in waived.items() if has == wanted), reverse=True)
    if asked.part not in OVERALL:
        raise BadQuestion("part", _("There is no such figure."))
    team = _number("team", asked.team) if asked.team else None
    mine = [one for one in passings if asked.stage in ("", one.stage) and team in (None, one.team)]
    if team is not None and len(mine) < HIDDEN_BELOW:
        return []
    # A record that went through several gates stands there once for each of them.
    return sorted((one.record for one in mine if OVERALL[asked.part](one)), reverse=True)


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BadQuestion(name, _("A number is expected."))
    return int(text)


def listed(ids: list[int]) -> list[Journey]:
    found = Journey.objects.select_related("stage", "owner").defer("clocks").in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]
