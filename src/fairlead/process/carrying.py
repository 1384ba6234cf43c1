"""What a journey carries from one version of its process into another. Pure: JSON in, JSON out.

`stages`: earlier version → its stage keys → today's. `former`: the same of processes that it left, each with the
ordinal of the last visit that was made there: versions of two processes have the same numbers. `exempt`: criteria that
were added to stages already passed → the stage; they are not applicable (VR-5). `grace`: criteria that were added to
the stage the journey stood in → the instant from which they count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from .enums import ExitType


class Stay(Protocol):
    """What is read of a visit, be it a row or the fold's."""

    @property
    def episode_no(self) -> int: ...
    @property
    def ordinal(self) -> int: ...
    @property
    def stage_key(self) -> str: ...
    @property
    def process_version(self) -> int: ...
    @property
    def exit_type(self) -> str: ...
    @property
    def entered_at(self) -> datetime: ...


def stage_now(visit: Any, carried: Mapping[str, Any]) -> str:
    """The stage of a visit in the words of the version that holds now; its own where that is the same."""
    mapped = _mapping_of(visit, carried).get(str(visit.process_version), {})
    return str(mapped.get(visit.stage_key, visit.stage_key))


def _mapping_of(visit: Any, carried: Mapping[str, Any]) -> Mapping[str, Any]:
    for last, stages in carried.get("former", ()):
        if visit.ordinal <= last:
            found: Mapping[str, Any] = stages
            return found
    own: Mapping[str, Any] = carried.get("stages", {})
    return own


def exempt(carried: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(carried.get("exempt", ()))


def grace(carried: Mapping[str, Any]) -> dict[str, datetime]:
    return {key: datetime.fromisoformat(until) for key, until in carried.get("grace", {}).items()}


def migrated(carried: Mapping[str, Any], data: Mapping[str, Any], *, last: int) -> dict[str, Any]:
    """After one more migration: what was mapped before is mapped on. `data`: that of the event, with `from_process`
    where another process was left; `last`: the ordinal of the visit that it ended."""
    onward: Mapping[str, str] = data["stages"]
    stages = _onward(carried.get("stages", {}), onward)
    stages[str(data["from_version"])] = dict(onward)
    former = [[until, _onward(own, onward)] for until, own in carried.get("former", ())]
    if "from_process" in data:
        former, stages = [*former, [last, stages]], {}
    return _without_blanks(
        {
            "stages": stages,
            "former": former,
            "exempt": data.get("exempt", {}),
            "grace": data.get("grace", {}),
        }
    )


def _onward(
    mappings: Mapping[str, Mapping[str, str]], onward: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    return {
        version: {key: onward.get(mid, mid) for key, mid in mapped.items()}
        for version, mapped in mappings.items()
    }


def entering(carried: dict[str, Any], stage_key: str) -> dict[str, Any]:
    """A stage is entered by a move: what it asks is asked of whoever works it now."""
    if not carried or not (carried.get("exempt") or carried.get("grace")):
        return carried
    left = {key: stage for key, stage in carried.get("exempt", {}).items() if stage != stage_key}
    return _without_blanks({**carried, "exempt": left})


def of_new_episode(carried: dict[str, Any]) -> dict[str, Any]:
    """A journey begun again meets its version as everybody else does; only the past keeps its places."""
    return _without_blanks({name: carried.get(name) for name in ("stages", "former")})


def begin_of_stay(visits: Iterable[Stay], visit: Stay) -> datetime:
    """When the stay of the last visit began: migrations do not end it (VR-6)."""
    begun = visit.entered_at
    for before in reversed(list(visits)):
        if before is visit:
            continue
        if before.exit_type != ExitType.MIGRATED or before.episode_no != visit.episode_no:
            break
        begun = before.entered_at
    return begun


def _without_blanks(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}
