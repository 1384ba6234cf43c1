"""One description per field, and the catalogue of all fields of a kind of subject (idea 5 of the design).

Rooms register their built-in fields when Django starts; custom fields are rows (`models.CustomField`) and
join the same catalogue. Every exit (column, filter, sort, export, API, history) renders through a `FieldSpec`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Protocol

from django.utils.translation import get_language, pgettext_lazy

from .enums import NUMERIC, TEMPORAL, TEXTUAL, FieldType, PersonalData

# What people type when they have nothing to say. Compared trimmed and in lower case.
PLACEHOLDER_TEXTS = frozenset(
    {
        "n/a",
        "na",
        "n.a.",
        "none",
        "null",
        "nil",
        "tbd",
        "tba",
        "todo",
        "unknown",
        "test",
        "xxx",
        "-",
        "--",
        "---",
        ".",
        "..",
        "...",
        "?",
        "??",
        "/",
        "0",
        "待定",
        "暂无",
        "无",
        "未知",
        "不详",
        "不清楚",
        "待补",
        "待补充",
        "待确认",
        "测试",
        "没有",
        "空",
        "同上",
    }
)
PLACEHOLDER_DATES = (date(1900, 1, 1), date(1970, 1, 1), date(9999, 12, 31))


class Actor(Protocol):
    """Whoever reads or writes: anything that can answer for a right."""

    def may(self, right: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Option:
    """A choice: stored `value`, words in zh and en. A retired one is read, and offered no more."""

    value: str
    label: Mapping[str, str]
    retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """A field of a subject.

    `path` is the ORM path of a built-in field; custom fields live in the JSON column `custom` under `key`.
    `read_right` / `write_right`: the right that a person needs beside the right over the row; None asks none.
    `settable` is false for what only services change (state, stage, version).
    """

    key: str
    type: FieldType
    label: Mapping[str, str]
    path: str = ""
    unit: str = ""
    help: Mapping[str, str] = field(default_factory=dict)
    options: tuple[Option, ...] = ()
    personal: PersonalData = PersonalData.NONE
    read_right: str | None = None
    write_right: str | None = None
    custom: bool = False
    settable: bool = True
    required: bool = False
    sort: str = ""  # ORM expression path of an indexed sort; blank: not sortable
    target: str = ""  # for PERSON, TEAM, RECORD: the kind of subject referred to
    max_length: int = 500
    zero_is_placeholder: bool = True

    def name(self, language: str | None = None) -> str:
        return pick(self.label, language)

    @property
    def unit_name(self) -> str:
        """The unit as a person reads it: days, hours and months are kept as `d`, `h` and `mo`."""
        known = _UNITS.get(self.unit)
        return str(known) if known is not None else self.unit

    def readable_by(self, actor: Actor) -> bool:
        return self.read_right is None or actor.may(self.read_right)

    def writable_by(self, actor: Actor) -> bool:
        return (
            self.settable
            and self.readable_by(actor)
            and (self.write_right is None or actor.may(self.write_right))
        )

    def option(self, value: str) -> Option | None:
        return next((o for o in self.options if o.value == value), None)

    def offered(self, chosen: Iterable[str] = ()) -> list[Option]:
        """The options of a form: those in use, and a retired one where it is chosen already."""
        return [o for o in self.options if not o.retired or o.value in chosen]

    def is_filled(self, value: Any) -> bool:
        """Whether `value` says something: neither absent nor a placeholder (GT-2.2, AC-5)."""
        if value is None or value == "" or value == [] or value == ():
            return False
        if self.type in TEXTUAL:
            return str(value).strip(" ").lower() not in PLACEHOLDER_TEXTS and str(value).strip(" ") != ""
        if self.type in NUMERIC:
            return not (self.zero_is_placeholder and Decimal(str(value)) == 0)
        if self.type in TEMPORAL:
            day = value.date() if isinstance(value, datetime) else value
            return day not in PLACEHOLDER_DATES
        return True


_UNITS: Final = {
    "d": pgettext_lazy("unit of a field", "days"),
    "h": pgettext_lazy("unit of a field", "hours"),
    "mo": pgettext_lazy("unit of a field", "months"),
}


def pick(label: Mapping[str, str], language: str | None = None) -> str:
    """The words of `label` in `language` (default: the active one), falling back to the other language."""
    wanted = "zh" if (language or get_language() or "zh").startswith("zh") else "en"
    return label.get(wanted) or label.get("en") or label.get("zh") or next(iter(label.values()), "")


class Catalogue:
    """The fields of one kind of subject, by key, in order of registration."""

    def __init__(self, subject_type: str, specs: Iterable[FieldSpec]) -> None:
        self.subject_type = subject_type
        self._specs: dict[str, FieldSpec] = {}
        for spec in specs:
            if spec.key in self._specs:
                raise ValueError(f"{subject_type}.{spec.key} is in the catalogue twice")
            self._specs[spec.key] = spec

    def __iter__(self) -> Iterator[FieldSpec]:
        return iter(self._specs.values())

    def __contains__(self, key: object) -> bool:
        return key in self._specs

    def __len__(self) -> int:
        return len(self._specs)

    def __getitem__(self, key: str) -> FieldSpec:
        return self._specs[key]

    def get(self, key: str) -> FieldSpec | None:
        return self._specs.get(key)

    def readable_by(self, actor: Actor) -> list[FieldSpec]:
        return [spec for spec in self if spec.readable_by(actor)]

    def custom(self) -> list[FieldSpec]:
        return [spec for spec in self if spec.custom]


_built_in: dict[str, tuple[FieldSpec, ...]] = {}
_lock = threading.Lock()
_cache: dict[str, tuple[float, int, Catalogue]] = {}
# Another process may add a custom field; a cached catalogue asks again after this many seconds.
RECHECK_SECONDS = 2.0
_load_custom: Callable[[str], list[FieldSpec]] | None = None
_revision: Callable[[], int] | None = None


def register(subject_type: str, specs: Iterable[FieldSpec]) -> None:
    """Declare the built-in fields of a kind of subject; called once from its room's `ready()`."""
    _built_in[subject_type] = tuple(specs)
    forget(subject_type)


def connect_store(load: Callable[[str], list[FieldSpec]], revision: Callable[[], int]) -> None:
    """Tell the catalogue where custom fields are kept (the models module does this once)."""
    global _load_custom, _revision
    _load_custom, _revision = load, revision


def subject_types() -> tuple[str, ...]:
    return tuple(_built_in)


def built_in(subject_type: str) -> tuple[FieldSpec, ...]:
    return _built_in[subject_type]


def forget(subject_type: str | None = None) -> None:
    """Drop cached catalogues: after a custom field changed in this process."""
    with _lock:
        if subject_type is None:
            _cache.clear()
        else:
            _cache.pop(subject_type, None)


def catalogue(subject_type: str) -> Catalogue:
    """All fields of `subject_type`. Raises KeyError for a kind of subject that nobody registered."""
    cached = _cache.get(subject_type)
    now = time.monotonic()
    if cached and now - cached[0] < RECHECK_SECONDS:
        return cached[2]
    revision = _revision() if _revision else 0
    if cached and cached[1] == revision:
        _cache[subject_type] = (now, revision, cached[2])
        return cached[2]
    custom = _load_custom(subject_type) if _load_custom else []
    built = Catalogue(subject_type, [*_built_in[subject_type], *custom])
    with _lock:
        _cache[subject_type] = (now, revision, built)
    return built
