"""One record comes to a better-fitting process, when somebody wishes it and never by itself (PD-4).

It is carried over as a plan carries many (§2.7): the stay goes on, history keeps its names, what was added to stages
already passed is not asked for. What the stage it comes to asks for is asked at once: nobody passes a gate by leaving
the process that has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from fairlead.common import bulk
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.journal.models import Event
from fairlead.journal.services import NewEvent, record

from .. import stages, subjects, version_plans
from ..definition import Definition
from ..definitions import definition_of
from ..enums import JourneyState, MigrationRowState
from ..models import FitDismissal, GateFlag, Journey, MigrationRow, OverrideRequest, Process, ProcessVersion
from ..refusals import SwitchRefused
from ..selectors.approvals import Has
from ..selectors.gathering import Situation, situations
from ..version_plans import Outlook, StageMap, Target, Way
from . import gates, ledger
from .assigning import Fit, fit_of
from .carrying_over import after_migration, judged_anew, migrated_event
from .publishing import PUBLISH
from .starting import published_keys, published_version

RUNNING = (JourneyState.OPEN, JourneyState.ON_HOLD)


@dataclass(frozen=True, slots=True)
class Trial:
    """What the switch would change. Without `outlook.to_stage` somebody has to choose the stage."""

    situation: Situation
    target: ProcessVersion
    definition: Definition
    outlook: Outlook


def fit_for(journey: Journey, fields: Mapping[str, Any], *, at: datetime) -> Fit | None:
    """The rule by which another process would take this record now; none where it is over, or somebody has said to
    leave it and no governing value has changed since."""
    found = suggested_for(journey, fields, at=at)
    if found is None:
        return None
    left = FitDismissal.objects.filter(journey=journey.pk).first()
    if left is None or (left.process_key, left.values) != (found.process_key, dict(found.values)):
        return found
    return found if _edited_since(journey, set(found.values), left.at) else None


def _edited_since(journey: Journey, fields: set[str], at: datetime) -> bool:
    """Whether a governing field was changed after `at`, be it back to what it had been."""
    edits = Event.objects.filter(
        type="edited", subject_type=journey.subject_type, subject_id=journey.subject_id, recorded_at__gt=at
    )
    return any(fields & set(data.get("fields", ())) for data in edits.values_list("data", flat=True))


def suggested_for(journey: Journey, fields: Mapping[str, Any], *, at: datetime) -> Fit | None:
    if journey.state not in RUNNING or journey.superseded_at is not None:
        return None
    kind = journey.subject_type
    published: Any = SimpleLazyObject(lambda: published_keys(kind))  # asked for where a rule leads elsewhere
    return fit_of(kind, journey.process_key, fields, at=at, published=published)


def try_switch(journey: Journey, process_key: str, *, at: datetime, stage: str = "") -> Trial:
    """The dry run of one record; writes nothing. Raises Invalid where there is no such process or stage, SwitchRefused
    where it cannot leave now."""
    stages.attach([journey])
    return _trial(situations([journey], at=at)[journey.pk], process_key, stage)


def _trial(situation: Situation, process_key: str, stage: str) -> Trial:
    journey = situation.journey
    target = published_version(process_key)
    if target.process.subject_type != journey.subject_type or target.process.key == journey.process_key:
        raise Invalid.field("process", _("Choose another process for this kind of record."))
    _require_free(journey, target.process)
    old, new = situation.definition, definition_of(target)
    if stage and stage not in new.by_key:
        raise Invalid.field("stage", _("Choose one of the stages of the other process."))
    found = version_plans.outlook(
        stage_map(old, new, journey.stage.key, stage),
        situation.facts,
        category=journey.forecast_category,
        probability=journey.probability,
        pinned=journey.category_pinned,
        grace_until=None,
    )
    return Trial(situation, target, new, found)


def stage_map(old: Definition, new: Definition, here: str, chosen: str) -> StageMap:
    """Stages found again by key, else by their place on the axis; the present one where somebody chose it."""
    to = version_plans.suggested(old, new)
    if chosen:
        to[here] = chosen
    return StageMap(old, new, {key: Target((Way(found),)) for key, found in to.items()})


def _require_free(journey: Journey, target: Process) -> None:
    if journey.state not in RUNNING or journey.superseded_at is not None:
        raise SwitchRefused(_("Only a record on its way can change its process."))
    others = Journey.objects.current().filter(
        subject_type=journey.subject_type, subject_id=journey.subject_id, process_key=target.key
    )
    if others.exists():
        raise SwitchRefused(_("This record is or was on that process already."))
    if journey.approvals & Has.PENDING:
        raise SwitchRefused(
            _("An approval is being decided. Wait for it or recall it, then change the process.")
        )
    if OverrideRequest.objects.open().filter(journey=journey.pk).exists():
        raise SwitchRefused(
            _(
                "A request to let pass waits for a decision. Wait for it or take it back, then change the process."
            )
        )


def _locked(journey_id: int, by: Any) -> Journey:
    row = ledger.lock([journey_id]).get(journey_id)
    if row is None:
        raise NotFound
    room = subjects.room_of(row.subject_type)
    if not room.visible_ids(by, [row.subject_id], right=room.view_right):
        raise NotFound
    if not room.visible_ids(by, [row.subject_id], right=room.move_right):
        raise NotPermitted
    return row


@transaction.atomic
def switch_process(
    journey_id: int,
    *,
    process_key: str,
    version: int | None,
    by: Any,
    at: datetime,
    channel: str,
    stage: str = "",
) -> Journey:
    """Carry one running record over to another process. `stage`: where it comes to, for one that has no place there.

    Whoever may move it may send it where the rules would; anywhere else only who publishes processes. Raises NotFound,
    NotPermitted, Stale, Invalid, SwitchRefused.
    """
    row = _locked(journey_id, by)
    if version is not None and row.version != version:
        raise Stale
    situation = situations([row], at=at)[row.pk]
    fit = suggested_for(row, situation.facts.fields, at=at)
    if (fit is None or fit.process_key != process_key) and not by.may(PUBLISH):
        raise SwitchRefused(_("The rules do not send this record to that process."))
    trial = _trial(situation, process_key, stage)
    if trial.outlook.to_stage is None:
        raise Invalid.field("stage", _("Say at which stage of the other process it goes on."))
    _carry(trial, fit, by=by, at=at, channel=channel)
    FitDismissal.objects.filter(journey=row.pk).delete()
    MigrationRow.objects.filter(journey=row.pk, state=MigrationRowState.WAITING).update(
        state=MigrationRowState.GONE
    )
    return row


def _carry(trial: Trial, fit: Fit | None, *, by: Any, at: datetime, channel: str) -> None:
    situation, new, one = trial.situation, trial.definition, trial.outlook
    row = situation.journey
    event = migrated_event(
        None, new, row, situation.definition, one, at=at, until=None,
        calendar=situation.calendars.default, actor_id=by.pk, channel=channel,
    )  # fmt: skip
    event.data["rule"] = {"number": fit.number, "values": dict(fit.values)} if fit is not None else None
    flags, cleared = gates.standing_flags([row.pk]), list[GateFlag]()

    def settle(_rows: Sequence[Journey], _visits: ledger.Visits) -> Sequence[str]:
        known = {row.pk: after_migration(situation, row, new, one.stages)}
        if row.state == JourneyState.OPEN:
            cleared.extend(judged_anew([row], at, known, flags, new))
        row.waits_for_id = None
        return [*gates.COLUMNS, "waits_for_id"]

    ledger.write(
        {row.pk: row},
        [event],
        calendars=situation.calendars,
        visits={row.pk: situation.visits},
        settle=settle,
    )
    bulk.update([flag for flag in cleared if flag.pk is not None], ["cleared_at"])


@transaction.atomic
def leave_where_it_is(journey_id: int, *, by: Any, at: datetime, channel: str) -> None:
    """Take the banner away until a governing value changes again. Raises NotFound, NotPermitted, and SwitchRefused
    where no other process fits better."""
    row = _locked(journey_id, by)
    situation = situations([row], at=at)[row.pk]
    fit = suggested_for(row, situation.facts.fields, at=at)
    if fit is None:
        raise SwitchRefused(_("No other process fits this record better."))
    FitDismissal.objects.update_or_create(
        journey=row,
        defaults={"process_key": fit.process_key, "values": dict(fit.values), "by": by, "at": at},
    )
    record(
        [
            NewEvent(
                **ledger.event_base(
                    row, situation.definition.version, type="fit_dismissed", actor_id=by.pk, effective_at=at,
                    channel=channel,
                    data={"process": fit.process_key, "rule": fit.number, "values": dict(fit.values)},
                )
            )
        ]
    )  # fmt: skip
