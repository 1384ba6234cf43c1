"""A subject sets out on a process: at a start stage, or with history that an import brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common import bulk
from fairlead.common.questions import Question
from fairlead.common.refusals import Invalid
from fairlead.journal.services import NewEvent
from fairlead.organisation.models import Organisation
from fairlead.organisation.selectors import default_calendar

from .. import fold, stages, subjects
from ..definition import Definition
from ..definitions import definitions_of
from ..enums import CANCELLING_OUTCOMES, ExitType, ForecastCategory, JourneyState, Outcome
from ..models import ChainLink, Journey, ProcessVersion, StageRow
from ..selectors.gathering import situations
from . import gates, ledger
from .assigning import assigned
from .conditions import take_along
from .norms import norm_of_stage


@dataclass(frozen=True, slots=True)
class Step:
    """One step of imported history: the stage entered, when, and whether that instant is known."""

    stage_key: str
    entered_at: datetime
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJourney:
    """A journey to be begun. Without `steps` it begins at `stage_key` (or the first start stage) at `at`.

    `steps`, oldest first, and an end (`outcome`, `closed_at`, `reason`) are history: journaled with their
    `fidelity`, asking no gate (EV-5).
    """

    subject_type: str
    subject_id: int
    process_key: str = ""
    stage_key: str = ""
    opened_at: datetime | None = None
    steps: tuple[Step, ...] = ()
    outcome: str = ""
    closed_at: datetime | None = None
    reason: str = ""
    fidelity: str = ""
    from_subject: tuple[str, int, str] | None = None  # type, id, kind of link
    acted_by_id: int | None = None  # in a batch without `by_id`: in whose name the product itself begins it


published_keys = Question(
    lambda subject_type: (
        ProcessVersion.objects.published()
        .filter(process__subject_type=subject_type)
        .order_by("process_id")
        .values_list("process__key", flat=True)
    )
)
_published_version = Question(
    lambda key: (
        ProcessVersion.objects.published()
        .select_related("process")
        .defer("document")
        .filter(process__key=key)
    )
)


_standing = Question(lambda kind, ids: Journey.objects.on(kind, ids).current(), lists=("ids",))


def default_process(subject_type: str) -> str:
    """The key of the process that new records of a kind start on; raises Invalid where none is published."""
    chosen = Organisation.objects.current().default_processes.get(subject_type, "")
    published = published_keys(subject_type)
    if chosen and chosen in published:
        return str(chosen)
    if not published:
        raise Invalid(
            errors=[
                {
                    "field": "process",
                    "message": _(
                        "No process is published for this kind of record. Publish one under Process."
                    ),
                }
            ]
        )
    return published[0]


def published_version(process_key: str) -> ProcessVersion:
    version = _published_version.first(process_key)
    if version is None:
        raise Invalid(
            errors=[
                {
                    "field": "process",
                    "message": _("There is no published process “%(key)s”.") % {"key": process_key[:60]},
                }
            ]
        )
    return version


def _processes(wanted: Sequence[NewJourney], at: datetime) -> list[str]:
    """The process of each: the one named, else the first rule that holds, else the default (PD-4).

    Where a stage or history is given, that was said of the default process and no rule is asked.
    """
    free = [w for w in wanted if not w.process_key]
    defaults = {t: default_process(t) for t in {w.subject_type for w in free}}
    chosen: dict[tuple[str, int], str] = {}
    for subject_type in defaults:
        ids = [
            w.subject_id for w in free if w.subject_type == subject_type and not w.steps and not w.stage_key
        ]
        if ids:
            found = assigned(subject_type, ids, at=at, published=published_keys(subject_type))
            chosen |= {(subject_type, pk): key for pk, key in found.items()}
    return [
        w.process_key or chosen.get((w.subject_type, w.subject_id)) or defaults[w.subject_type]
        for w in wanted
    ]


@transaction.atomic
def start_journeys(
    wanted: Sequence[NewJourney],
    *,
    by_id: int | None,
    at: datetime,
    channel: str,
    batch_id: int | None = None,
    refresh: bool = True,
    ids: Sequence[int] | None = None,
    are_new: bool = False,
) -> list[Journey]:
    """Begin journeys in bulk; the subjects' rooms have checked the right to create them.

    `ids`: those that `bulk.reserve` gave for them. `are_new`: the subjects were created in this transaction. A
    recurring process may begin again for the same subject: the closed journey before it is superseded.
    """
    if not wanted:
        return []
    keys = _processes(wanted, at)
    versions = {key: published_version(key) for key in set(keys)}
    mirrors = {
        t: subjects.room_of(t).mirrors([w.subject_id for w in wanted if w.subject_type == t])
        for t in {w.subject_type for w in wanted}
    }
    definitions = definitions_of({v.pk for v in versions.values()})
    plans = []
    for w, key in zip(wanted, keys, strict=True):
        version = versions[key]
        plans.append(_Plan(w, version, definitions[version.pk], mirrors[w.subject_type][w.subject_id], at))
    if not are_new:
        _supersede(plans, by_id=by_id, at=at, channel=channel, clocks=refresh)
    by_key = stages.by_key({p.version.pk for p in plans})
    numbers = ids if ids is not None else bulk.reserve(Journey, len(plans))
    journeys = [p.row(pk, by_key) for pk, p in zip(numbers, plans, strict=True)]
    events: list[NewEvent] = []
    for journey, plan in zip(journeys, plans, strict=True):
        events.extend(plan.events(journey, by_id=by_id, at=at, channel=channel, batch_id=batch_id))

    def settle(rows: Sequence[Journey], visits: ledger.Visits) -> Sequence[str]:
        standing = [row for row in rows if row.state == JourneyState.OPEN]
        gates.judge(standing, at=at, known=situations(standing, at=at, begun=visits), flags={})
        return gates.COLUMNS

    ledger.write(
        {j.pk: j for j in journeys},
        events,
        bump=False,
        fresh=True,
        clocks=refresh,
        settle=settle if refresh else None,
    )
    bulk.insert([p.link(at) for p in plans if p.wanted.from_subject], ignoring_conflicts=True)
    came_of = {
        p.wanted.from_subject[:2]: j for p, j in zip(plans, journeys, strict=True) if p.wanted.from_subject
    }
    gates.refresh_gates(take_along(came_of), at=at)
    return journeys


def _supersede(
    plans: Sequence[_Plan], *, by_id: int | None, at: datetime, channel: str, clocks: bool
) -> None:
    keys = {(p.wanted.subject_type, p.wanted.subject_id, p.version.process.key): p for p in plans}
    # The kind of subject has to be named: without it a database reads every journey of the process.
    matching = []
    for kind in {t for t, _i, _k in keys}:
        standing = _standing(kind, [i for t, i, _k in keys if t == kind])
        matching += [j for j in standing if (j.subject_type, j.subject_id, j.process_key) in keys]
    for journey in matching:
        if journey.state in (JourneyState.OPEN, JourneyState.ON_HOLD):
            raise Invalid(
                errors=[{"field": "process", "message": _("This record is on this process already.")}]
            )
    if not matching:
        return
    locked = ledger.lock([j.pk for j in matching])
    ledger.write(
        locked,
        [
            NewEvent(
                **ledger.event_base(
                    j, 0, type=fold.SUPERSEDED, actor_id=by_id, effective_at=at, channel=channel
                )
                | {"process_version": None}
            )
            for j in locked.values()
        ],
        clocks=clocks,
    )


class _Plan:
    """How one wanted journey becomes a row and its events."""

    def __init__(
        self, wanted: NewJourney, version: ProcessVersion, definition: Definition, mirror: Any, at: datetime
    ):
        self.wanted, self.version, self.definition, self.mirror = wanted, version, definition, mirror
        first = wanted.stage_key or definition.start_stages[0].key
        self.steps = wanted.steps or (Step(first, wanted.opened_at or at),)
        for step in self.steps:
            if step.stage_key not in definition.by_key:
                raise Invalid(
                    errors=[
                        {
                            "field": "stage",
                            "message": _("The process “%(process)s” has no stage “%(stage)s”.")
                            % {"process": definition.key, "stage": step.stage_key[:60]},
                        }
                    ]
                )

    def row(self, pk: int, by_key: dict[tuple[int, str], StageRow]) -> Journey:
        step, mirror = self.steps[0], self.mirror
        stage = by_key[self.version.pk, step.stage_key]
        row = bulk.new(
            Journey,
            id=pk,
            subject_type=self.wanted.subject_type,
            subject_id=self.wanted.subject_id,
            process_version_id=self.version.pk,
            process_key=self.definition.key,
            stage_id=stage.pk,
            opened_at=self.wanted.opened_at or step.entered_at,
            entered_at=step.entered_at,
            entered_at_known=step.known,
            title=mirror.title[:300],
            owner_id=mirror.owner_id,
            team_id=mirror.team_id,
            base_amount=mirror.amount,
            close_date=mirror.close_date,
            incomplete=mirror.incomplete,
            forecast_category=self.definition.stage(step.stage_key).forecast,
            probability=self.definition.stage(step.stage_key).probability[1],
            fidelity=self.wanted.fidelity,
        )
        row._state.fields_cache = {"process_version": self.version, "stage": stage}
        return row

    def link(self, at: datetime) -> ChainLink:
        assert self.wanted.from_subject is not None
        from_type, from_id, kind = self.wanted.from_subject
        return ChainLink(
            from_subject_type=from_type,
            from_subject_id=from_id,
            kind=kind,
            linked_at=at,
            to_subject_type=self.wanted.subject_type,
            to_subject_id=self.wanted.subject_id,
        )

    def events(
        self, journey: Journey, *, by_id: int | None, at: datetime, channel: str, batch_id: int | None
    ) -> list[NewEvent]:
        actor_id = self.wanted.acted_by_id if by_id is None else by_id
        common = {
            "actor_id": actor_id,
            "channel": channel,
            "batch_id": batch_id,
            "recorded_at": at,
            "fidelity": self.wanted.fidelity,
        }
        found = [
            NewEvent(
                **ledger.event_base(
                    journey,
                    self.definition.version,
                    type=fold.STARTED,
                    effective_at=self.steps[0].entered_at,
                    to_stage=self.steps[0].stage_key,
                    data={
                        "opened_at": journey.opened_at.isoformat(),
                        "owner_id": self.mirror.owner_id,
                        "team_id": self.mirror.team_id,
                        "amount": None if self.mirror.amount is None else str(self.mirror.amount),
                        "close_date": self.mirror.close_date.isoformat() if self.mirror.close_date else None,
                        **self._stage_data(0),
                    },
                    **common,
                )
            )
        ]
        for i, step in enumerate(self.steps[1:], start=1):
            before = self.steps[i - 1].stage_key
            back = self.definition.position(step.stage_key) < self.definition.position(before)
            found.append(
                NewEvent(
                    **ledger.event_base(
                        journey,
                        self.definition.version,
                        type=fold.PASSED,
                        effective_at=step.entered_at,
                        from_stage=before,
                        to_stage=step.stage_key,
                        data={"exit": ExitType.REGRESS if back else ExitType.ADVANCE, **self._stage_data(i)},
                        **common,
                    )
                )
            )
        if self.wanted.outcome:
            found.append(self._end(journey, common))
        return found

    def _stage_data(self, i: int) -> dict[str, Any]:
        stage = self.definition.stage(self.steps[i].stage_key)
        return {
            "axis": stage.axis_key,
            "known": self.steps[i].known,
            "probability": stage.probability[1],
            "category": stage.forecast,
            **self._norm(stage.key),
        }

    def _norm(self, stage_key: str) -> dict[str, Any]:
        if self.wanted.steps or not self.definition.clocks.needs_norm(stage_key):
            return {}
        return {"norm": norm_of_stage(self.definition, stage_key, default_calendar())}

    def _end(self, journey: Journey, common: dict[str, Any]) -> NewEvent:
        outcome = Outcome(self.wanted.outcome)
        closed_at = self.wanted.closed_at or self.steps[-1].entered_at
        type_, data = fold.LOST, {"outcome": outcome, "probability": 0, "category": ForecastCategory.OMITTED}
        if outcome == Outcome.WON:
            type_, data = fold.WON, {"probability": 100, "category": ForecastCategory.CLOSED}
        elif outcome in CANCELLING_OUTCOMES:
            type_ = fold.CANCELLED
        return NewEvent(
            **ledger.event_base(
                journey,
                self.definition.version,
                type=type_,
                effective_at=closed_at,
                from_stage=self.steps[-1].stage_key,
                reason_code=self.wanted.reason,
                data=data,
                **common,
            )
        )
