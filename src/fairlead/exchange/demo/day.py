"""What people write down on one simulated day, gathered first and then written in bulk in one transaction."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from fairlead.common.questions import Question
from fairlead.crm.models import ContactRole
from fairlead.crm.services.many import Change, edit_many, place_contacts
from fairlead.journal.enums import Channel
from fairlead.offers.models import Contract, Milestone
from fairlead.offers.services import many as contracts
from fairlead.process.approval_enums import RequestState
from fairlead.process.models import ApprovalRequest, Attestation, Journey, ProcessVersion, Waiver
from fairlead.process.services import NewJourney, approving, refresh_gates, start_journeys
from fairlead.process.services.many import attest_many, touch_facts, waive_many
from fairlead.work.models import Activity, File, Task
from fairlead.work.services import many as work

from . import words

CHANNEL = Channel.UI
_OF_JOURNEY = ("subject_type", "subject_id", "process_key", "process_version", "episode_no", "owner")
_journeys = Question(lambda ids: Journey.objects.only(*_OF_JOURNEY).filter(pk__in=ids), lists=("ids",))


@dataclass(slots=True)
class Day:
    """`at` is when it is written; nothing of it is known before."""

    date: dt.date
    at: dt.datetime
    worked: Sequence[dt.date]  # the days of which it tells
    activities: list[Activity] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    roles: list[tuple[ContactRole, Any]] = field(default_factory=list)
    edits: dict[str, dict[int, tuple[dict[str, Any], Any]]] = field(default_factory=lambda: defaultdict(dict))
    attestations: list[tuple[str, int, int, str, str, str, Any]] = field(default_factory=list)
    waivers: list[tuple[str, int, int, str, str, str, int, Any]] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    done_tasks: list[tuple[Task, Any]] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    contract_edits: dict[int, tuple[dict[str, Any], Any]] = field(default_factory=dict)
    milestones: list[tuple[Milestone, Any]] = field(default_factory=list)
    done_milestones: list[tuple[Milestone, Any]] = field(default_factory=list)
    bound: set[int] = field(default_factory=set)  # deals of which values changed that an approval may bind
    recalls: list[tuple[int, Any]] = field(default_factory=list)  # requests for approval, and whose
    starts: list[tuple[NewJourney, Callable[[Journey, Day], None]]] = field(default_factory=list)

    # --- what people do ---

    def edit(self, kind: str, record_id: int, by: Any, **values: Any) -> None:
        """Several edits of one record on one day are one edit."""
        standing = self.edits[kind].get(record_id)
        if standing is None:
            self.edits[kind][record_id] = (values, by)
        else:
            standing[0].update(values)

    def attest(self, agent: Any, key: str, role: str, statement: str, by: Any) -> None:
        self.attestations.append(
            (agent.subject_type, agent.subject_id, agent.journey_id, key, role, statement, by)
        )

    def waive(self, agent: Any, key: str, reason: str, text: str, days: int, by: Any) -> None:
        self.waivers.append(
            (agent.subject_type, agent.subject_id, agent.journey_id, key, reason, text, days, by)
        )

    # --- writing ---

    def touched(self) -> dict[str, set[int]]:
        """Records by kind whose evidence changes today."""
        found: dict[str, set[int]] = defaultdict(set)
        for row in (*self.activities, *self.files, *self.tasks, *(t for t, _by in self.done_tasks)):
            found[row.subject_type].add(row.subject_id)
        for kind, edits in self.edits.items():
            found[kind].update(edits)
        for subject_type, subject_id, *_word in self.attestations:
            found[subject_type].add(subject_id)
        for subject_type, subject_id, *_waiver in self.waivers:
            found[subject_type].add(subject_id)
        found["opportunity"].update(r.opportunity_id for r, _by in self.roles)
        found["opportunity"].update(c.opportunity_id for c in self.contracts)
        found["contract"].update(self.contract_edits)
        found["contract"].update(
            m.contract_id for m, _by in (*self.milestones, *self.done_milestones) if m.contract_id
        )
        return {kind: ids for kind, ids in found.items() if ids}

    @transaction.atomic
    def write(self, versions: Mapping[int, ProcessVersion]) -> None:
        """Write everything, evidence in the order in which people would, then begin new journeys."""
        self._recall()
        for kind, ids in sorted(self.touched().items()):
            touch_facts(kind, sorted(ids))
        self._write_work()
        for kind in sorted(self.edits):
            edit_many(
                kind,
                [Change(pk, values, by) for pk, (values, by) in self.edits[kind].items()],
                at=self.at,
                channel=CHANNEL,
                clocks=False,
            )
        if self.roles:
            place_contacts(
                [r for r, _by in self.roles],
                by={r.opportunity_id: by for r, by in self.roles},
                channel=CHANNEL,
            )
        self._write_words(versions)
        self._write_contracts()
        self._end_approvals()
        if self.starts:
            begun = start_journeys(
                [new for new, _then in self.starts], by_id=None, at=self.at, channel=CHANNEL, refresh=False
            )
            for journey, (_new, then) in zip(begun, self.starts, strict=True):
                then(journey, self)

    def _recall(self) -> None:
        """Before a deal is given up what it has asked for is taken back."""
        for pk, by in self.recalls:
            if ApprovalRequest.objects.filter(pk=pk, state=RequestState.PENDING).exists():
                approving.recall(pk, comment=words.RECALLED, by=by, at=self.at, channel=CHANNEL)

    def _end_approvals(self) -> None:
        """Approvals whose values have left their envelope end with the edit, as with any edit on a page."""
        held = Journey.objects.on("opportunity", self.bound).current().filter(approvals__gt=0).open()
        rows = list(held.select_related("stage").order_by("pk")) if self.bound else []
        refresh_gates(rows, at=self.at)

    def _write_work(self) -> None:
        if self.activities:
            work.log_many(self.activities, channel=CHANNEL)
        if self.files:
            work.file_many(self.files, channel=CHANNEL)
        if self.tasks:
            work.task_many(self.tasks, channel=CHANNEL)
        if self.done_tasks:
            work.complete_many(
                [t for t, _by in self.done_tasks],
                by={t.pk: by for t, by in self.done_tasks},
                at=self.at,
                channel=CHANNEL,
            )

    def _write_words(self, versions: Mapping[int, ProcessVersion]) -> None:
        ids = {word[2] for word in self.attestations} | {waiver[2] for waiver in self.waivers}
        journeys = {row.pk: row for row in _journeys(ids)} if ids else {}
        for row in journeys.values():
            row.process_version = versions[row.process_version_id]
        if self.attestations:
            attest_many(
                [
                    Attestation(
                        journey=journeys[journey],
                        criterion_key=key,
                        role=role,
                        statement=statement,
                        by=by,
                        at=self.at,
                    )
                    for _kind, _pk, journey, key, role, statement, by in self.attestations
                    if journey in journeys
                ],
                channel=CHANNEL,
            )
        if self.waivers:
            waive_many(
                [
                    Waiver(
                        journey=journeys[journey],
                        criterion_key=key,
                        reason_code=reason,
                        text=text,
                        granted_by=by,
                        granted_at=self.at,
                        expires_at=self.at + dt.timedelta(days=days),
                    )
                    for _kind, _pk, journey, key, reason, text, days, by in self.waivers
                    if journey in journeys
                ],
                channel=CHANNEL,
            )

    def _write_contracts(self) -> None:
        if self.contracts:
            contracts.create_contracts(self.contracts, channel=CHANNEL)
        if self.milestones:
            rows = [m for m, _by in self.milestones]
            contracts.add_milestones(
                rows, by={m.contract_id: by for m, by in self.milestones}, channel=CHANNEL, at=self.at
            )
        if self.done_milestones:
            contracts.complete_milestones(
                [m for m, _by in self.done_milestones],
                by={m.contract_id: by for m, by in self.done_milestones},
                at=self.at,
                channel=CHANNEL,
            )
        if self.contract_edits:
            contracts.edit_contracts(
                {pk: values for pk, (values, _by) in self.contract_edits.items()},
                by={pk: by for pk, (_values, by) in self.contract_edits.items()},
                at=self.at,
                channel=CHANNEL,
                clocks=False,
            )
