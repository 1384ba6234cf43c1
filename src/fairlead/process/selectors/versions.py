"""Versions in flight as people see them: who travels on which version, the plan at work, and where a series breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from fairlead.fields.catalogue import pick

from ..definition import Definition
from ..definitions import definition_of
from ..enums import ForecastCategory, MigrationState
from ..models import Journey, Migration, MigrationRow, Process, ProcessVersion
from ..words import criterion_name

QUARTER = 3  # months


@dataclass(frozen=True, slots=True)
class Flight:
    """A version with the running journeys that are pinned to it."""

    number: int
    is_published: bool
    running: int


def flight(process: Process) -> list[Flight]:
    """The newest first; versions that nobody travels on are left out, but the published one."""
    rows = (
        Journey.objects.of_process(process.key)
        .running()
        .current()
        .order_by()
        .values_list("process_version_id")
        .annotate(n=Count("pk"))
    )
    running = dict(rows)
    return [
        Flight(v.number, v.status == "published", running.get(v.pk, 0))
        for v in process.versions.order_by("-number").only("pk", "number", "status")
        if running.get(v.pk) or v.status == "published"
    ]


def behind(process: Process) -> int:
    """Running journeys that are not on the published version."""
    return sum(f.running for f in flight(process) if not f.is_published)


def current_plan(process: Process) -> Migration | None:
    """The plan that is open or at work, else the last one that was not given up."""
    rows = process.migrations.select_related("target", "process").exclude(state=MigrationState.DROPPED)
    return rows.first()


def rows_of(plan: Migration, *, state: str = "") -> QuerySet[MigrationRow]:
    """Those that need a hand first."""
    rows = plan.rows.select_related("journey__owner").order_by("pk")
    return rows.filter(state=state) if state else rows


def is_late_in_quarter(day: date) -> bool:
    """The last third of a quarter: a stage that changes now changes the figures of the quarter it lands in (VR-8)."""
    return day.month % QUARTER == 0


def outlook_words(row: MigrationRow, new: Definition) -> list[str]:
    """What the dry run says of one journey, in short sentences."""
    return said_of(row.outlook, new)


def said_of(said: Mapping[str, Any], new: Definition) -> list[str]:
    """The same of an outlook as JSON."""
    found = []
    for name, words in (
        ("unmet", _("newly missing: %(items)s")),
        ("due_later", _("due after the grace: %(items)s")),
        ("exempt", _("not asked: %(items)s")),
        ("approvals", _("new approval: %(items)s")),
        ("lost", _("no longer asked: %(items)s")),
    ):
        if keys := said.get(name):
            found.append(
                words % {"items": _(", ").join(dict.fromkeys(criterion_name(new, key) for key in keys))}
            )
    (old_yellow, old_red), (yellow, red) = said.get("limits") or [[None, None], [None, None]]
    if (old_yellow, old_red) != (yellow, red):
        found.append(
            _("limit %(old)s → %(new)s days")
            % {"old": f"{old_yellow or '—'}/{old_red or '—'}", "new": f"{yellow or '—'}/{red or '—'}"}
        )
    before, after = said.get("category") or ["", ""]
    if before != after:
        found.append(f"{ForecastCategory(before).label} → {ForecastCategory(after).label}")
    chance, then = said.get("probability") or [0, 0]
    if chance != then:
        found.append(f"{chance} % → {then} %")
    return found


@dataclass(frozen=True, slots=True)
class SeriesBreak:
    """From this instant on figures by stage cannot be compared with those before (VR-7)."""

    at: datetime
    number: int
    old: str
    new: str


def series_breaks(process_key: str) -> list[SeriesBreak]:
    """Where journeys came to a stage at another place of the axis, the newest first; undone migrations are none."""
    rows = Migration.objects.filter(
        process__key=process_key, state__in=[MigrationState.RUNNING, MigrationState.DONE]
    ).select_related("target")
    found = []
    for row in rows:
        if pairs := row.totals.get("breaks"):
            new = definition_of(row.target)
            names = _names(process_key, new)
            found += [
                SeriesBreak(row.confirmed_at, row.target.number, names.get(a, a), names.get(b, b))
                for a, b in pairs
                if row.confirmed_at is not None
            ]
    return found


def _names(process_key: str, new: Definition) -> dict[str, str]:
    """Names by place on the axis, the newest version's first."""
    found: dict[str, Any] = {s.axis_key: pick(s.name) for s in new.stages}
    for version in ProcessVersion.objects.filter(process__key=process_key).exclude(status="draft"):
        for stage in definition_of(version).stages:
            found.setdefault(stage.axis_key, pick(stage.name))
    return found
