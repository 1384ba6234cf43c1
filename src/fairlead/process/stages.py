"""Stage rows in memory: those of a published version never change."""

from __future__ import annotations

from collections.abc import Iterable

from .models import Journey, ProcessVersion, StageRow

_rows: dict[int, StageRow] = {}
_ids: dict[tuple[str, int], int] = {}
_versions: dict[int, dict[tuple[int, str], StageRow]] = {}


def attach(journeys: Iterable[Journey]) -> None:
    """Give each journey its stage row without a join and without a row object for each."""
    waiting = list(journeys)
    if missing := {j.stage_id for j in waiting if j.stage_id not in _rows}:
        _rows.update((row.pk, row) for row in StageRow.objects.filter(pk__in=missing))
    for journey in waiting:
        journey._state.fields_cache["stage"] = _rows[journey.stage_id]


def by_key(version_ids: set[int]) -> dict[tuple[int, str], StageRow]:
    """All stages of these versions, by version id and key."""
    for version_id in version_ids - _versions.keys():
        rows = list(StageRow.objects.filter(version=version_id))
        _rows.update((row.pk, row) for row in rows)
        _versions[version_id] = {(version_id, row.key): row for row in rows}
    found: dict[tuple[int, str], StageRow] = {}
    for version_id in version_ids:
        found.update(_versions[version_id])
    return found


def version_id(process_key: str, number: int) -> int:
    """The id of a version that was published once; read once."""
    found = _ids.get((process_key, number))
    if found is None:
        found = _ids[process_key, number] = ProcessVersion.objects.values_list("pk", flat=True).get(
            process__key=process_key, number=number
        )
    return found


def forget() -> None:
    """For tests, where ids come back."""
    _ids.clear()
    _rows.clear()
    _versions.clear()
