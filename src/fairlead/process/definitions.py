"""Published documents in memory: loaded once per process and version, for they never change."""

from __future__ import annotations

import threading
from collections import OrderedDict

from fairlead.fields.catalogue import catalogue

from . import stages, subjects
from .clocks import ClockPolicy
from .definition import Definition
from .enums import VersionStatus
from .loading import load
from .models import ProcessVersion

_KEPT = 64
_cache: OrderedDict[tuple[int, str, int], Definition] = OrderedDict()
# Checksum and kind of subject of versions that were published once: they never change again (VR-1).
_published: dict[int, tuple[str, str]] = {}
_lock = threading.Lock()
_policies: dict[int, tuple[ClockPolicy, int]] = {}  # of published versions, which never change
_taken: dict[tuple[str, int], ClockPolicy] = {}


def definition_of(version: ProcessVersion) -> Definition:
    """The typed document of `version`. The catalogue of today is used: a renamed option shows its new words."""
    fields = catalogue(version.document["subject"])
    key = (version.pk, version.checksum, id(fields))
    found = _cache.get(key)
    if found is None:
        found = load(version.document, fields, externals=externals_of(version.document["subject"]))
        with _lock:
            _cache[key] = found
            while len(_cache) > _KEPT:
                _cache.popitem(last=False)
    return found


def definitions_of(version_ids: set[int]) -> dict[int, Definition]:
    """Definitions by version id; published ones without a query once they are in memory."""
    found, missing = {}, []
    for pk, (checksum, subject_type) in _heads(version_ids).items():
        held = _cache.get((pk, checksum, id(catalogue(subject_type))))
        if held is None:
            missing.append(pk)
        else:
            found[pk] = held
    if missing:
        found.update((v.pk, definition_of(v)) for v in ProcessVersion.objects.filter(pk__in=missing))
    return found


def clock_policy_of(version_id: int) -> tuple[ClockPolicy, int]:
    """What a published version says of its clocks, and its number; read once."""
    found = _policies.get(version_id)
    if found is None:
        version = ProcessVersion.objects.get(pk=version_id)
        found = _policies[version_id] = (definition_of(version).clocks, version.number)
    return found


def clock_policy(process_key: str, number: int) -> ClockPolicy:
    """The same by process and number."""
    found = _taken.get((process_key, number))
    if found is None:
        version = ProcessVersion.objects.get(process__key=process_key, number=number)
        found = _taken[process_key, number] = definition_of(version).clocks
    return found


def _heads(version_ids: set[int]) -> dict[int, tuple[str, str]]:
    heads = {pk: _published[pk] for pk in version_ids if pk in _published}
    if unknown := version_ids - heads.keys():
        rows = ProcessVersion.objects.filter(pk__in=unknown)
        for pk, status, *head in rows.values_list("pk", "status", "checksum", "process__subject_type"):
            heads[pk] = (head[0], head[1])
            if status != VersionStatus.DRAFT:
                _published[pk] = heads[pk]
    return heads


def externals_of(subject_type: str) -> tuple[str, ...]:
    return subjects.room_of(subject_type).externals if subject_type in subjects.registered() else ()


def forget() -> None:
    """For tests, where version ids come back."""
    with _lock:
        _cache.clear()
        _published.clear()
        _policies.clear()
        _taken.clear()
    stages.forget()
