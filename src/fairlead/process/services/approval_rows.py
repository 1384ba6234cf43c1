"""A request with its steps and votes: held under the lock of its journey, changed by the chain, stored again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fairlead.common import bulk
from fairlead.common.refusals import NotFound
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import User
from fairlead.organisation.selectors import calendars
from fairlead.work.enums import Reason

from ..approval_chain import Chain, Line
from ..approval_enums import RequestState, SeatState, StepState, VoidReason
from ..approval_policy import ApprovalKind
from ..approver_resolution import Ask, Chosen, PlannedStep, replacement
from ..definition import Definition
from ..definitions import definitions_of
from ..envelopes import bounds_as_json, bounds_from_json, of_lever
from ..models import (
    ApprovalCondition,
    ApprovalGrant,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
    ChainLink,
    Journey,
    Precedent,
)
from ..selectors.approvals import Has, picture, requests_seen_by
from . import ledger
from .approval_clocks import asked_in, set_due
from .clock_notices import Notice, tell
from .evidence import facts_change

PRECEDENT_DAYS = 180  # where a kind says no validity of its own
STEP_COLUMNS = (
    "order", "state", "started_at", "response_due_at", "decision_due_at", "responded_at", "decided_at", "told",
)  # fmt: skip
SEAT_COLUMNS = ("state", "asked_at", "seen_at", "decided_at", "comment", "channel")


@dataclass(slots=True)
class Held:
    """A request under lock. `store` writes what the chain has changed."""

    request: ApprovalRequest
    journey: Journey
    definition: Definition
    kind: ApprovalKind | None
    chain: Chain
    at: datetime
    channel: str
    notices: list[Notice] = field(default_factory=list)

    def seat_rows(self) -> list[ApprovalSeat]:
        return [seat for line in self.chain.lines for seat in line.seats]  # type: ignore[misc]

    def ask(self) -> Ask:
        return Ask(
            kind=self.request.kind,
            submitter_id=self.request.submitted_by_id,
            own=own_of(self.request),
            amount=self.request.amount,
            second_reader_id=self.request.second_reader_id,
        )

    def tell(self, people: Iterable[int], code: str, *, reason: str = Reason.ASKED, **params: Any) -> None:
        wanted = tuple(sorted(set(people)))
        if wanted:
            self.notices.append(
                Notice(
                    recipient_ids=wanted,
                    subject_type=self.journey.subject_type,
                    subject_id=self.journey.subject_id,
                    code=code,
                    params={"request": self.request.pk, **params},
                    at=self.at,
                    reason=reason,
                )
            )

    def begin(self) -> None:
        """Start the clocks of steps that were just reached, and tell those who are asked (AP-11)."""
        reroute(self, [line for line in self.chain.lines if line.step.state == StepState.ACTIVE])
        book = calendars()
        for line in self.chain.lines:
            step: Any = line.step
            if step.state == StepState.ACTIVE and step.started_at is None:
                step.started_at, step.told = self.at, 0
                set_due(step, asked_in(line.seats), book)
            elif step.state == StepState.ACTIVE:  # another may be asked now
                set_due(step, asked_in(line.seats), book)
            elif step.state == StepState.WAITING:
                step.started_at = step.response_due_at = step.decision_due_at = step.decided_at = None
            elif step.state in (StepState.APPROVED, StepState.REJECTED) and step.decided_at is None:
                step.decided_at = self.at
            asked = []
            for seat in line.seats:
                row: Any = seat
                if row.state == SeatState.ASKED and row.asked_at is None:
                    row.asked_at = self.at
                    asked.append(row.person_id)
                elif row.state == SeatState.WAITING:
                    row.asked_at = row.decided_at = None
            self.tell(asked, "approval_asked")

    def store(self) -> None:
        active = [line.step for line in self.chain.lines if line.step.state == StepState.ACTIVE]
        dues = [step.decision_due_at for step in active if step.decision_due_at]  # type: ignore[attr-defined]
        pending = self.request.state == RequestState.PENDING
        self.request.next_due_at = min(dues, default=None) if pending else None
        self.request.version += 1
        self.request.save()
        steps: list[Any] = [line.step for line in self.chain.lines]
        seats: list[Any] = self.seat_rows()
        bulk.update([s for s in steps if s.pk is not None], STEP_COLUMNS)
        bulk.update([s for s in seats if s.pk is not None], SEAT_COLUMNS)
        ApprovalSeat.objects.bulk_create([s for s in seats if s.pk is None])
        mark(self.journey)
        tell(self.notices)

    def event(self, type_: str, *, by: Any, data: Mapping[str, Any], comment: str = "", **more: Any) -> None:
        record(
            [
                NewEvent(
                    **ledger.event_base(
                        self.journey,
                        self.definition.version,
                        type=type_,
                        actor_id=by.pk if by is not None else None,
                        effective_at=self.at,
                        channel=self.channel,
                        data={
                            "request": self.request.pk,
                            "kind": self.request.kind,
                            **({"about": self.request.about} if self.request.about else {}),
                            **data,
                        },
                        comment=comment,
                        **more,
                    )
                )
            ]
        )


def own_of(request: ApprovalRequest) -> frozenset[int]:
    """Those who do not decide it: whoever submitted it, and whoever's deal it is (OV-5)."""
    return frozenset(p for p in (request.submitted_by_id, request.owner_id_then) if p is not None)


def mark(journey: Journey) -> None:
    """Note on the journey what there is to read about approvals."""
    pending = ApprovalRequest.objects.filter(journey=journey, state=RequestState.PENDING).exists()
    has = Has.PENDING if pending else Has(0)
    if ApprovalGrant.objects.filter(journey=journey).exists():
        has |= Has.GRANTS
    if ApprovalCondition.objects.filter(journey=journey, holds_from__isnull=False).exists():
        has |= Has.CONDITIONS
    Journey.objects.filter(pk=journey.pk).update(approvals=int(has))
    journey.approvals = int(has)


@contextmanager
def holding(request_id: int, *, at: datetime, channel: str) -> Iterator[Held]:
    """The request under the lock of its journey: of two who act at once the second sees what the first did."""
    head = (
        ApprovalRequest.objects.filter(pk=request_id)
        .values_list("journey_id", "journey__subject_type", "journey__subject_id")
        .first()
    )
    if head is None:
        raise NotFound
    journey_id, subject_type, subject_id = head
    with facts_change(subject_type, [subject_id], at=at) as journeys:
        rows = {j.pk: j for j in journeys} or ledger.lock([journey_id])
        journey = rows.get(journey_id) or ledger.lock([journey_id])[journey_id]
        request = ApprovalRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
        yield held_of(request, journey, at=at, channel=channel)


def held_of(request: ApprovalRequest, journey: Journey, *, at: datetime, channel: str) -> Held:
    # By the id of the version: the whole document need not be read once its definition is in memory.
    definition = definitions_of({journey.process_version_id})[journey.process_version_id]
    return Held(
        request=request,
        journey=journey,
        definition=definition,
        kind=definition.approvals.kinds.get(request.kind),
        chain=chain_of(request, distinct=definition.approvals.distinct),
        at=at,
        channel=channel,
    )


def chain_of(request: ApprovalRequest, *, distinct: bool = True) -> Chain:
    seats: dict[int, list[Any]] = {}
    for seat in ApprovalSeat.objects.filter(request=request).order_by("number", "pk"):
        seats.setdefault(seat.step_id, []).append(seat)
    steps: Iterable[Any] = ApprovalStep.objects.filter(request=request).order_by("lane", "order")
    return Chain([Line(step, seats.get(step.pk, [])) for step in steps], distinct=distinct)


def store_plan(request: ApprovalRequest, planned: Sequence[PlannedStep]) -> Chain:
    """Write the steps and seats of a new request."""
    steps = [
        ApprovalStep(
            request=request,
            key=step.key,
            lane=step.lever,
            lever=step.lever,
            row_key=step.row_key,
            tier=step.tier,
            order=order,
            mode=step.mode,
            k=step.k,
            response_hours=step.response_hours,
            decision_hours=step.decision_hours,
        )
        for order, step in enumerate(planned)
    ]
    ApprovalStep.objects.bulk_create(steps)
    lines: list[Line] = []
    rows: list[ApprovalSeat] = []
    for row, step in zip(steps, planned, strict=True):
        seats: list[Any] = [seat_of(row, one) for one in step.seats]
        rows.extend(seats)
        lines.append(Line(row, seats))
    ApprovalSeat.objects.bulk_create(rows)
    return Chain(lines)


def seat_of(step: ApprovalStep, chosen: Chosen, **more: Any) -> ApprovalSeat:
    return ApprovalSeat(
        step=step,
        request_id=step.request_id,
        number=chosen.number,
        person_id=chosen.person_id,
        for_person_id=chosen.for_id,
        because=chosen.because,
        required=chosen.required,
        **more,
    )


def reroute(held: Held, lines: Sequence[Line]) -> bool:
    """Seats of people who cannot sign in any more go to deputy, line or process owner (AP-8). Nobody left: they wait."""
    asked = [
        (line, seat)
        for line in lines
        for seat in line.seats
        if seat.state in (SeatState.ASKED, SeatState.WAITING)
    ]
    people = {seat.person_id for _line, seat in asked}
    if not people or User.objects.active().filter(pk__in=people).count() == len(people):
        return False  # everybody is there: the organisation need not be looked at
    seen = picture(held.journey, at=held.at)
    changed = False
    for line, seat in asked:
        if seen.is_active(seat.person_id):
            continue
        others = {s.person_id for s in line.seats if s.state != SeatState.REPLACED}
        chosen = [c for c in replacement(seat.person_id, held.ask(), seen) if c.person_id not in others]
        if not chosen:
            continue
        step: Any = line.step
        line.seats.extend(
            seat_of(
                step,
                Chosen(seat.number, one.person_id, one.because, seat.person_id, seat.required),
                state=seat.state,
            )
            for one in chosen
        )
        seat.state = SeatState.REPLACED
        changed = True
        held.event(
            "approval_rerouted",
            by=None,
            data={"step": step.key, "from": seat.person_id, "to": [one.person_id for one in chosen]},
        )
    return changed


# --- what is decided ---


def grant(held: Held) -> list[ApprovalGrant]:
    """The decisions of an approved request: one a lever, in place of the one before; exceptions enter the register."""
    kind, request = held.kind, held.request
    bounds = bounds_from_json(request.bounds)
    levers = [asked["lever"] for asked in request.asked]
    ApprovalGrant.objects.filter(
        journey=held.journey, kind=request.kind, about=request.about, lever__in=levers, voided_at=None
    ).update(voided_at=held.at, void_reason=VoidReason.REPLACED)
    ends = held.at + timedelta(days=kind.valid_days) if kind and kind.valid_days is not None else None
    rows = ApprovalGrant.objects.bulk_create(
        [
            ApprovalGrant(
                journey=held.journey,
                request=request,
                kind=request.kind,
                about=request.about,
                lever=asked["lever"],
                row_key=asked["row"],
                tier=asked["tier"],
                bounds=bounds_as_json(of_lever(kind, bounds, asked["lever"]) if kind else bounds),
                stage_key=request.stage_key,
                granted_at=held.at,
                expires_at=ends,
            )
            for asked in request.asked
        ]
    )
    exceptional = [row for row in rows if row.bounds]
    Precedent.objects.bulk_create(
        [
            Precedent(
                grant=row,
                subject_type=held.journey.subject_type,
                subject_id=held.journey.subject_id,
                kind=row.kind,
                lever=row.lever,
                row_key=row.row_key,
                tier=row.tier,
                values={b["field"]: b["value"] for b in row.bounds},
                granted_at=held.at,
                expires_at=ends or held.at + timedelta(days=PRECEDENT_DAYS),
            )
            for row in exceptional
        ]
    )
    ApprovalCondition.objects.filter(request=request, dropped_at=None).update(holds_from=held.at)
    return rows


def attach_conditions(held: Held) -> None:
    """Conditions at the gate of another kind of record, such as the contract, go to its journey if there is one."""
    loose = list(ApprovalCondition.objects.filter(request=held.request, journey=None, dropped_at=None))
    for condition in loose:
        target = following(held.journey, condition.subject_type)
        if target is not None:
            condition.journey = target
            condition.save(update_fields=["journey"])
            mark(target)


def following(journey: Journey, subject_type: str) -> Journey | None:
    """The journey of the record that came of this one, such as the contract of a deal."""
    from_here = subjects_after(journey.subject_type, journey.subject_id, subject_type)
    return (
        Journey.objects.on(subject_type, from_here).current().order_by("-pk").first() if from_here else None
    )


def subjects_after(subject_type: str, subject_id: int, wanted: str) -> list[int]:
    links = ChainLink.objects.filter(
        from_subject_type=subject_type, from_subject_id=subject_id, to_subject_type=wanted
    )
    return list(links.values_list("to_subject_id", flat=True))


def sees(user: Any, request: ApprovalRequest) -> bool:
    return requests_seen_by(user).filter(pk=request.pk).exists()
