"""A next version of the process of `company()`, as a process owner would write it."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from typing import Any

from django.utils import timezone
from tests.factories.crm import PROCESS, Company, document

from fairlead.process import services as process
from fairlead.process.models import Migration, ProcessVersion
from fairlead.process.services import carrying_over, migrating

HOW: dict[str, Any] = {"by": None, "channel": "ui"}


def renamed(value: Any, old: str, new: str) -> Any:
    """`value` with a stage called otherwise wherever it is named."""
    if isinstance(value, dict):
        return {new if k == old else k: renamed(v, old, new) for k, v in value.items()}
    if isinstance(value, list):
        return [renamed(v, old, new) for v in value]
    return new if value == old else value


def criterion(key: str, field: str = "description") -> dict[str, Any]:
    return {
        "key": key,
        "name": {"zh": f"新增 {key}", "en": f"Added {key}"},
        "type": "field",
        "level": "block",
        "field": field,
        "op": "present",
    }


def next_document(
    *,
    added: dict[str, str] | None = None,
    rename: tuple[str, str] | None = None,
    axis: str = "",
    number: int = 2,
) -> dict[str, Any]:
    """`added`: stage → key of a required item that is new at its exit; `rename`: a stage and its new key."""
    found = deepcopy(document(PROCESS))
    found["version"] = number
    for stage in found["stages"]:
        if added and stage["key"] in added:
            stage.setdefault("exit", []).append(criterion(added[stage["key"]]))
    if rename is not None:
        found = renamed(found, *rename)
        if axis:
            next(s for s in found["stages"] if s["key"] == rename[1])["axis"] = axis
    return found


def publish_next(where: Company, *, at: datetime | None = None, **changes: Any) -> ProcessVersion:
    return process.publish(next_document(**changes), by=None, at=at or timezone.now(), channel="ui")


def planned(at: datetime, **changes: Any) -> Migration:
    """A plan, changed and tried."""
    made = migrating.plan_migration(PROCESS, at=at, **HOW)
    if changes:
        made = migrating.edit_plan(made.pk, version=made.version, at=at, **HOW, **changes)
    return migrating.check(made.pk, by=None, at=at)


def carried_out(migration: Migration, at: datetime) -> Migration:
    migrating.confirm(migration.pk, version=migration.version, at=at, **HOW)
    carrying_over.execute(migration.pk, clock=lambda: at)
    migration.refresh_from_db()
    return migration


def undone(migration: Migration, at: datetime) -> Migration:
    migrating.begin_undo(migration.pk, at=at, **HOW)
    carrying_over.execute(migration.pk, clock=lambda: at)
    migration.refresh_from_db()
    return migration
