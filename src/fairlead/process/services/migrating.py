"""Running journeys come to another version of their process: planned, tried, confirmed (§2.7).

The plan is made for the published version and every earlier one that journeys still travel on. `check` tries it on
each of them and writes nothing but the plan; `carrying_over` then does what was confirmed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.common import bulk, turns
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.fields.catalogue import catalogue
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.selectors import default_calendar

from .. import stages, version_plans
from ..definition import Definition, Trouble
from ..definitions import definition_of
from ..enums import MOVING_OVER, MigrationChoice, MigrationRowState, MigrationState, VersionStatus
from ..models import Journey, Migration, MigrationRow, Process, ProcessVersion
from ..refusals import MigrationRefused
from ..selectors.gathering import situations
from ..version_plans import Outlook, StageMap, Totals
from .publishing import PUBLISH

AT_ONCE = 500  # journeys that are tried at once; bounds what is in memory
UNDO_FOR = timedelta(hours=24)
OPEN_STATES = (MigrationState.PLANNED, MigrationState.CHECKED)
MOST_GROUPS = 50
MOST_GRACE = 250  # working days
MOST_REASON = 300  # characters
Progress = Callable[[int, int], None]


def find_migration(migration_id: int, *, by: Any) -> Migration:
    """Raises NotPermitted, NotFound."""
    if by is not None and not by.may(PUBLISH):
        raise NotPermitted
    row = Migration.objects.select_related("process", "target").filter(pk=migration_id).first()
    if row is None:
        raise NotFound
    return row


def in_flight(process_key: str, target: ProcessVersion) -> Any:
    """Running journeys on another version than `target`."""
    return (
        Journey.objects.of_process(process_key)
        .running()
        .current()
        .exclude(process_version=target)
        .order_by("pk")
    )


def old_versions(process_key: str, target: ProcessVersion) -> dict[int, ProcessVersion]:
    """Versions that running journeys are pinned to beside `target`, by their id."""
    ids = in_flight(process_key, target).order_by().values_list("process_version_id", flat=True).distinct()
    return ProcessVersion.objects.in_bulk(sorted(ids))


def maps_of(migration: Migration) -> dict[int, StageMap]:
    """The mapping typed, by the id of the earlier version. In the catalogue of today."""
    new = definition_of(migration.target)
    fields = catalogue(new.subject)
    return {
        pk: version_plans.read_map(
            definition_of(version), new, migration.mapping.get(str(version.number), {}), fields
        )
        for pk, version in old_versions(migration.process.key, migration.target).items()
    }


def troubles_of(maps: Mapping[int, StageMap]) -> list[Trouble]:
    return [trouble for one in maps.values() for trouble in one.troubles]


@transaction.atomic
def plan_migration(process_key: str, *, by: Any, at: datetime, channel: str) -> Migration:
    """A plan for the published version, with the mapping that keys and axis suggest; one that is open is given back.

    Raises NotPermitted, NotFound, MigrationRefused where nothing is in flight or another one is at work.
    """
    if by is not None and not by.may(PUBLISH):
        raise NotPermitted
    process = Process.objects.select_for_update().filter(key=process_key).first()
    target = process.versions.published().first() if process is not None else None
    if process is None or target is None:
        raise NotFound
    standing = process.migrations.exclude(
        state__in=[MigrationState.DONE, MigrationState.UNDONE, MigrationState.DROPPED]
    ).first()
    if standing is not None and (standing.state not in OPEN_STATES or standing.target_id == target.pk):
        if standing.state not in OPEN_STATES:
            raise MigrationRefused(
                _("Running records are being moved over right now. Wait until that has ended.")
            )
        return standing
    if standing is not None:  # its version has been replaced meanwhile
        standing.state = MigrationState.DROPPED
        standing.save(update_fields=["state"])
    before = old_versions(process.key, target)
    if not before:
        raise MigrationRefused(
            _("No running record is on an earlier version; there is nothing to move over.")
        )
    new = definition_of(target)
    definitions = [definition_of(version) for version in before.values()]
    made = Migration.objects.create(
        process=process,
        target=target,
        mapping={str(old.version): version_plans.suggested(old, new) for old in definitions},
        keep_after=version_plans.keep_after([*definitions, new]),
        created_by=by,
        created_at=at,
    )
    _journal(made, "migration_planned", by=by, at=at, channel=channel)
    return made


@transaction.atomic
def edit_plan(
    migration_id: int,
    *,
    version: int,
    by: Any,
    at: datetime,
    channel: str,
    mapping: Mapping[str, Any] | None = None,
    groups: Sequence[Mapping[str, Any]] | None = None,
    keep_after: str | None = None,
    grace_days: int | None = None,
) -> Migration:
    """Change what a plan says; it has to be tried again. `mapping`: by version, the stages that lead elsewhere.

    Raises NotFound, NotPermitted, Stale, Invalid."""
    row = _locked(migration_id, version, by)
    if mapping is not None:
        row.mapping = {
            **row.mapping,
            **{str(k): {**row.mapping.get(str(k), {}), **v} for k, v in mapping.items()},
        }
    if groups is not None:
        row.groups = [_group(one, number) for number, one in enumerate(groups)]
        if len(row.groups) > MOST_GROUPS:
            raise Invalid.field("groups", _("At most %(count)s groups.") % {"count": MOST_GROUPS})
    if keep_after is not None:
        row.keep_after = keep_after[:60]
    if grace_days is not None:
        if not 0 <= grace_days <= MOST_GRACE:
            raise Invalid.field("grace_days", _("From 0 to %(count)s working days.") % {"count": MOST_GRACE})
        row.grace_days = grace_days
    row.state, row.checked_at = MigrationState.PLANNED, None
    row.version += 1
    row.save()
    return row


def _locked(migration_id: int, version: int, by: Any, states: Sequence[str] = OPEN_STATES) -> Migration:
    find_migration(migration_id, by=by)
    row = (
        Migration.objects.select_for_update(of=("self",))
        .select_related("process", "target")
        .get(pk=migration_id)
    )
    if row.version != version:
        raise Stale
    if row.state not in states:
        raise MigrationRefused(
            _("This plan is “%(state)s”; that is not possible any more.") % {"state": row.get_state_display()}
        )
    return row


def _group(raw: Mapping[str, Any], number: int) -> dict[str, Any]:
    choice = str(raw.get("choice", ""))
    if choice not in MigrationChoice.values:
        raise Invalid.field(f"groups.{number}.choice", _("Say what becomes of this group."))
    found: dict[str, Any] = {"choice": choice}
    if choice == MigrationChoice.LEAVE:
        found["reason"] = str(raw.get("reason") or "").strip()[:MOST_REASON]
        if not found["reason"]:
            raise Invalid.field(f"groups.{number}.reason", _("Say why these records leave the process."))
    if raw.get("stage"):
        found["stage"] = str(raw["stage"])[:60]
    for name in ("min", "max", "owner"):
        value = raw.get(name)
        if value in (None, ""):
            continue
        text = str(value).strip()
        if not (text.isascii() and text.isdigit() and len(text) <= 15):
            raise Invalid.field(f"groups.{number}.{name}", _("A whole number is expected."))
        found[name] = int(text)
    return found


def choice_for(migration: Migration, definition: Definition, journey: Journey) -> str:
    """What its first fitting group says, else VR-2's default."""
    return _choice_in(group_for(migration, journey), migration, definition, journey)


def _choice_in(
    group: Mapping[str, Any] | None, migration: Migration, definition: Definition, journey: Journey
) -> str:
    if group is not None:
        return str(group["choice"])
    return version_plans.default_choice(definition, journey.stage.key, migration.keep_after)


def group_for(migration: Migration, journey: Journey) -> Mapping[str, Any] | None:
    """The first group of the plan that the journey fits."""
    for group in migration.groups:
        if "stage" in group and group["stage"] != journey.stage.key:
            continue
        amount = journey.base_amount
        if "min" in group and (amount is None or amount < group["min"]):
            continue
        if "max" in group and (amount is None or amount > group["max"]):
            continue
        if "owner" in group and journey.owner_id != group["owner"]:
            continue
        return dict(group)
    return None


# --- the dry run ---


def check(migration_id: int, *, by: Any, at: datetime, progress: Progress | None = None) -> Migration:
    """Try the plan on every journey in flight: rows and totals, and nothing else (VR-4). In bulk, in short
    transactions; a second run begins anew.

    Raises NotFound, NotPermitted, and MigrationRefused naming every hole of the mapping.
    """
    row = find_migration(migration_id, by=by)
    if row.state not in OPEN_STATES:
        raise MigrationRefused(_("This plan has been carried out or given up; begin another one."))
    maps = maps_of(row)
    ids = list(in_flight(row.process.key, row.target).values_list("pk", flat=True))
    if troubles := troubles_of(_needed(row, maps, ids)):
        raise _with_holes(troubles)
    runner = secrets.token_hex(16)
    pace = turns.pace()
    with pace.turn(), transaction.atomic():
        picks = dict(row.rows.exclude(picked="").values_list("journey_id", "picked"))
        row.rows.all().delete()
        row.runner, row.checked_total, row.checked_done = runner, len(ids), 0
        row.state, row.checked_at = MigrationState.PLANNED, None
        row.save(update_fields=["runner", "checked_total", "checked_done", "state", "checked_at"])
    totals = Totals()
    for first in range(0, len(ids), AT_ONCE):
        some = ids[first : first + AT_ONCE]
        made = _tried(row, maps, some, picks, at, totals)
        with pace.turn(), transaction.atomic():
            mine = Migration.objects.filter(pk=row.pk, runner=runner)
            if not mine.update(checked_done=first + len(some)):
                raise MigrationRefused(_("Somebody has started this trial anew."))
            bulk.insert(made)
        if progress is not None:
            progress(first + len(some), len(ids))
    found = totals.as_json()
    found["breaks"] = _breaks(maps)
    with transaction.atomic():
        fresh = Migration.objects.select_for_update().get(pk=row.pk)
        if fresh.runner != runner or fresh.version != row.version:
            raise MigrationRefused(_("The plan was changed while it was tried. Try it again."))
        fresh.state, fresh.checked_at, fresh.totals, fresh.runner = MigrationState.CHECKED, at, found, ""
        fresh.version += 1
        fresh.save()
    return find_migration(migration_id, by=by)


def require_whole(migration: Migration) -> None:
    """Raises MigrationRefused naming every hole of the mapping that somebody would fall into."""
    ids = list(in_flight(migration.process.key, migration.target).values_list("pk", flat=True))
    if troubles := troubles_of(_needed(migration, maps_of(migration), ids)):
        raise _with_holes(troubles)


def _needed(migration: Migration, maps: Mapping[int, StageMap], ids: Sequence[int]) -> dict[int, StageMap]:
    """The mappings that somebody travels by: where all keep their version, none has to be whole (VR-3)."""
    found: dict[int, StageMap] = {}
    for first in range(0, len(ids), AT_ONCE):
        rows = list(
            Journey.objects.filter(pk__in=ids[first : first + AT_ONCE]).only(
                "stage_id", "process_version_id", "base_amount", "owner_id"
            )
        )
        stages.attach(rows)
        for journey in rows:
            one = maps.get(journey.process_version_id)
            if one is None or journey.process_version_id in found:
                continue
            if choice_for(migration, one.old, journey) in MOVING_OVER:
                found[journey.process_version_id] = one
    return found


def _with_holes(troubles: Sequence[Trouble]) -> MigrationRefused:
    listed = [{"path": t.path, "message": str(t.message)} for t in troubles]
    said = ngettext(
        "The mapping is not whole: %(count)s place is missing or wrong.",
        "The mapping is not whole: %(count)s places are missing or wrong.",
        len(listed),
    )
    return MigrationRefused(said % {"count": len(listed)}, details={"problems": listed})


def _breaks(maps: Mapping[int, StageMap]) -> list[list[str]]:
    return [list(pair) for pair in dict.fromkeys(pair for one in maps.values() for pair in one.breaks)]


def _tried(
    migration: Migration,
    maps: Mapping[int, StageMap],
    ids: Sequence[int],
    picks: Mapping[int, str],
    at: datetime,
    totals: Totals,
) -> list[MigrationRow]:
    rows = Journey.objects.in_bulk(ids)
    ordered = [rows[pk] for pk in ids if pk in rows]
    stages.attach(ordered)
    found = situations(ordered, at=at)
    until = grace_end(migration, at)
    made = []
    for journey in ordered:
        stage_map, situation = maps.get(journey.process_version_id), found.get(journey.pk)
        if stage_map is None or situation is None:
            continue
        group = group_for(migration, journey)
        choice = _choice_in(group, migration, stage_map.old, journey)
        one = None
        if choice in MOVING_OVER:
            one = version_plans.outlook(
                stage_map, situation.facts, category=journey.forecast_category, probability=journey.probability,
                pinned=journey.category_pinned, picked=picks.get(journey.pk, ""),
                grace_until=until if choice == MigrationChoice.NOW else None,
            )  # fmt: skip
        leaves = choice == MigrationChoice.LEAVE
        totals.add(one, journey.base_amount, journey.probability, journey.state, leaves=leaves)
        state = MigrationRowState.KEPT if one is None and not leaves else MigrationRowState.PLANNED
        said = {"reason": group["reason"]} if leaves and group is not None else {}
        if one is not None and one.to_stage is None:
            state = MigrationRowState.MANUAL
        made.append(
            bulk.new(
                MigrationRow, migration_id=migration.pk, journey_id=journey.pk, choice=choice, state=state,
                from_version=stage_map.old.version, from_stage=journey.stage.key,
                to_stage=(one.to_stage or "") if one is not None else "", picked=picks.get(journey.pk, ""),
                outlook=outlook_as_json(one) if one is not None else said,
            )
        )  # fmt: skip
    return made


def grace_end(migration: Migration, at: datetime) -> datetime | None:
    if not migration.grace_days:
        return at
    return default_calendar().add_working_days(at, migration.grace_days)


def outlook_as_json(one: Outlook) -> dict[str, Any]:
    found: dict[str, Any] = {
        "unmet": list(one.unmet), "due_later": list(one.due_later), "exempt": sorted(one.exempt),
        "approvals": list(one.approvals), "lost": list(one.lost), "limits": [list(pair) for pair in one.limits],
        "category": list(one.category), "probability": list(one.probability), "choices": list(one.choices),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}


@transaction.atomic
def pick_stage(
    migration_id: int, journey_id: int, stage: str, *, by: Any, at: datetime, channel: str
) -> MigrationRow:
    """Choose by hand where a journey goes whose stage is split. Raises NotFound, NotPermitted, Invalid."""
    migration = find_migration(migration_id, by=by)
    if migration.state not in OPEN_STATES:
        raise MigrationRefused(_("This plan has been carried out or given up; begin another one."))
    row = migration.rows.select_for_update().filter(journey=journey_id).first()
    if row is None:
        raise NotFound
    if stage not in row.outlook.get("choices", ()):
        raise Invalid.field("stage", _("Choose one of the stages that this one is split into."))
    row.picked = row.to_stage = stage
    row.state = MigrationRowState.PLANNED
    row.save(update_fields=["picked", "to_stage", "state"])
    return row


# --- confirming and giving up ---


@transaction.atomic
def confirm(migration_id: int, *, version: int, by: Any, at: datetime, channel: str) -> Migration:
    """Let a plan that was tried be carried out: one event for the whole (VR-9). The job is the caller's to start.

    Raises NotFound, NotPermitted, Stale, MigrationRefused.
    """
    row = _locked(migration_id, version, by)
    if row.state != MigrationState.CHECKED:
        raise MigrationRefused(
            _("Try the plan first: what it changes has to be seen before it is confirmed.")
        )
    if row.target.status != VersionStatus.PUBLISHED:
        raise MigrationRefused(_("Another version has been published meanwhile. Make a new plan."))
    planned = row.rows.filter(state=MigrationRowState.PLANNED)
    going = set(planned.filter(choice__in=MOVING_OVER).values_list("from_version", flat=True))
    maps = {pk: one for pk, one in maps_of(row).items() if one.old.version in going}
    if troubles := troubles_of(maps):
        raise _with_holes(troubles)
    wanted = planned.count()
    row.state, row.confirmed_by, row.confirmed_at = MigrationState.RUNNING, by, at
    row.rows_total, row.rows_done, row.runner = wanted, 0, ""
    row.version += 1
    row.save()
    _journal(
        row, "migration_confirmed", by=by, at=at, channel=channel, rows=wanted, totals=row.totals,
        mapping=row.mapping, groups=row.groups, keep_after=row.keep_after, grace_days=row.grace_days,
    )  # fmt: skip
    return row


@transaction.atomic
def drop_plan(migration_id: int, *, version: int, by: Any, at: datetime, channel: str) -> Migration:
    """Give a plan up; nothing has happened."""
    row = _locked(migration_id, version, by)
    row.state = MigrationState.DROPPED
    row.version += 1
    row.save()
    _journal(row, "migration_dropped", by=by, at=at, channel=channel)
    return row


def may_be_undone(migration: Migration, *, at: datetime) -> bool:
    since = migration.finished_at
    return migration.state == MigrationState.DONE and since is not None and at - since < UNDO_FOR


@transaction.atomic
def begin_undo(migration_id: int, *, by: Any, at: datetime, channel: str) -> Migration:
    """Put the undo before the worker, within a day (VR-9). Raises NotFound, NotPermitted, MigrationRefused."""
    find_migration(migration_id, by=by)
    row = (
        Migration.objects.select_for_update(of=("self",))
        .select_related("process", "target")
        .get(pk=migration_id)
    )
    if not may_be_undone(row, at=at):
        raise MigrationRefused(_("A migration can be undone for 24 hours after it ended."))
    undoable = [MigrationRowState.DONE, MigrationRowState.LEFT, MigrationRowState.WAITING]
    open_rows = row.rows.filter(state__in=undoable)
    row.state, row.rows_total, row.rows_done, row.runner = MigrationState.UNDOING, open_rows.count(), 0, ""
    row.undone_by = by
    row.version += 1
    row.save()
    _journal(row, "migration_undo_started", by=by, at=at, channel=channel, rows=row.rows_total)
    return row


def _journal(migration: Migration, type_: str, *, by: Any, at: datetime, channel: str, **data: Any) -> None:
    record(
        [
            NewEvent(
                type=type_,
                subject_type="process",
                subject_id=migration.process_id,
                actor_id=by.pk if by is not None else None,
                effective_at=at,
                channel=channel,
                process_key=migration.process.key,
                process_version=migration.target.number,
                data={"migration": migration.pk, **data},
            )
        ]
    )
