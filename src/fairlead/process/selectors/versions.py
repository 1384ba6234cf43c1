"""Versions in flight as people see them: who travels on which version, the plan at work, and where a series breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from fairlead.fields.catalogue import pick

from ..definition import Definition
from ..definitions import definition_of
from ..enums import ForecastCategory, MigrationChoice, MigrationState
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
    if row.choice == MigrationChoice.LEAVE:
        return [_("leaves the process: %(reason)s") % {"reason": row.outlook.get("reason", "")}]
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
    """From this instant on figures by stage cannot be compared with those before (VR-7). `old` blank: a stage that was
    not there before; `new` blank: one that is there no more."""

    at: datetime
    number: int
    old: str
    new: str


def series_breaks(process_key: str) -> list[SeriesBreak]:
    """Where a version has another axis than the one before it, and where running journeys were brought to another place
    of it; the newest first. Migrations that were undone are none."""
    versions = list(
        ProcessVersion.objects.filter(process__key=process_key)
        .exclude(published_at=None)
        .select_related("process")
        .order_by("number")
    )
    names: dict[str, str] = {}
    for version in reversed(versions):
        for stage in definition_of(version).stages:
            names.setdefault(stage.axis_key, pick(stage.name))
    found = []
    for before, after in pairwise(versions):
        was, now = _axes(definition_of(before)), _axes(definition_of(after))
        if after.published_at is not None:
            at, number = after.published_at, after.number
            found += [SeriesBreak(at, number, names[a], "") for a in was if a not in now]
            found += [SeriesBreak(at, number, "", names[a]) for a in now if a not in was]
    rows = Migration.objects.filter(
        process__key=process_key, state__in=[MigrationState.RUNNING, MigrationState.DONE]
    ).select_related("target")
    for row in rows:
        found += [
            SeriesBreak(row.confirmed_at, row.target.number, names.get(a, a), names.get(b, b))
            for a, b in row.totals.get("breaks", ())
            if row.confirmed_at is not None
        ]
    return sorted(found, key=lambda one: one.at, reverse=True)


def _axes(definition: Definition) -> list[str]:
    return [stage.axis_key for stage in definition.stages if stage.show_in_funnel]


def break_words(one: SeriesBreak) -> str:
    if one.old and one.new:
        said = _("v%(number)s: records of %(old)s went on at %(new)s")
    elif one.old:
        said = _("v%(number)s: without %(old)s")
    else:
        said = _("v%(number)s: %(new)s is new")
    return said % {"number": one.number, "old": one.old, "new": one.new}
