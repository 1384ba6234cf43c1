"""Where a field is used, as the rooms above tell it, and what a change of it would break.

A room registers when Django starts: a reader that names its uses, an objector that says which catalogue its
documents could not be read with, and the rows that hold values in their column `custom`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from .catalogue import Catalogue
from .enums import FieldType


@dataclass(frozen=True, slots=True)
class Use:
    """One use: `kind` is gate, score, move, view or import; `label` is in the language of the reader."""

    kind: str
    label: str
    url: str = ""


Reader = Callable[[str, Any], Iterable[tuple[str, Use]]]  # kind of record, who asks → key of a field, its use
Objector = Callable[[str, Catalogue], Sequence[str]]  # kind of record, the catalogue as it would be → reasons
Rows = Callable[[], QuerySet[Any]]

_readers: list[Reader] = []
_objectors: list[Objector] = []
_rows: dict[str, Rows] = {}


def read_with(reader: Reader) -> None:
    if reader not in _readers:
        _readers.append(reader)


def object_with(objector: Objector) -> None:
    if objector not in _objectors:
        _objectors.append(objector)


def keep_values_in(subject_type: str, rows: Rows) -> None:
    _rows[subject_type] = rows


def uses_of(subject_type: str, asker: Any) -> dict[str, list[Use]]:
    """Key → where the field is used, as far as the asker may know of it."""
    found: dict[str, list[Use]] = {}
    for reader in _readers:
        for key, use in reader(subject_type, asker):
            listed = found.setdefault(key, [])
            if use not in listed:
                listed.append(use)
    return found


def objections(subject_type: str, fields: Catalogue) -> list[str]:
    """Why the fields of `subject_type` cannot become `fields`; empty when they can."""
    return [reason for objector in _objectors for reason in objector(subject_type, fields)]


def filled(subject_type: str, key: str) -> int:
    """How many records hold a value of a custom field."""
    rows = _rows.get(subject_type)
    return rows().filter(custom__has_key=key).count() if rows is not None else 0


def held(subject_type: str, key: str, type_: str, values: Collection[str]) -> Mapping[str, int]:
    """Choice → how many records hold it; those that nobody holds are absent."""
    rows = _rows.get(subject_type)
    if rows is None or not values:
        return {}
    if type_ == FieldType.CHOICE:
        counts = {value: rows().filter(**{f"custom__{key}": value}).count() for value in values}
    else:
        counts = dict.fromkeys(values, 0)
        for stored in rows().filter(custom__has_key=key).values_list(f"custom__{key}", flat=True):
            for value in stored if isinstance(stored, list) else ():
                if value in counts:
                    counts[value] += 1
    return {value: n for value, n in counts.items() if n}
