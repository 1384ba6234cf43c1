"""The steps and votes of one request (AP-2, AP-6, AP-7, AP-9, AP-10). Pure: works on rows or on plain objects alike.

The steps of a lane follow one another; lanes run beside each other and join at the end. A vote settles its step by
the step's mode; the first step of a lane that is not settled is the one that is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .approval_enums import FOR_IT, ApprovalMode, RequestState, SeatState, StepState


class SeatLike(Protocol):
    number: int
    person_id: int
    state: str
    required: bool


class StepLike(Protocol):
    key: str
    lane: str
    order: int
    mode: str
    k: int
    state: str


@dataclass(slots=True)
class Line:
    """A step with its seats."""

    step: StepLike
    seats: list[SeatLike]

    @property
    def places(self) -> dict[int, list[SeatLike]]:
        """Seats by number; those of one number stand in for each other. Without those who gave their seat away."""
        found: dict[int, list[SeatLike]] = {}
        for seat in self.seats:
            if seat.state != SeatState.REPLACED and not seat.required:
                found.setdefault(seat.number, []).append(seat)
        return found


@dataclass(slots=True)
class Chain:
    """The steps of a request, `lines` in any order. What changes is noted in `touched`."""

    lines: list[Line]
    distinct: bool = True
    begun: list[Line] = field(default_factory=list)  # steps that became active by the last act

    def lanes(self) -> dict[str, list[Line]]:
        found: dict[str, list[Line]] = {}
        for line in sorted(self.lines, key=lambda one: one.step.order):
            found.setdefault(one_lane(line), []).append(line)
        return found

    def active(self) -> Iterator[Line]:
        return (line for line in self.lines if line.step.state == StepState.ACTIVE)

    def asked(self, person_id: int) -> list[tuple[Line, SeatLike]]:
        """The seats at which a person may vote now."""
        return [
            (line, seat)
            for line in self.active()
            for seat in line.seats
            if seat.person_id == person_id and seat.state == SeatState.ASKED
        ]


def one_lane(line: Line) -> str:
    return line.step.lane


def outcome(chain: Chain) -> RequestState:
    states = {line.step.state for line in chain.lines}
    if StepState.REJECTED in states:
        return RequestState.REJECTED
    return RequestState.APPROVED if states <= {StepState.APPROVED} else RequestState.PENDING


def advance(chain: Chain) -> None:
    """Ask the first open step of each lane. Who has just decided the step before is not asked again (AP-10)."""
    chain.begun = []
    for lane in chain.lanes().values():
        before: Line | None = None
        for line in lane:
            if line.step.state == StepState.WAITING:
                _begin(chain, line, before)
            _settle(line)
            if line.step.state != StepState.APPROVED:
                break
            before = line


def _begin(chain: Chain, line: Line, before: Line | None) -> None:
    line.step.state = StepState.ACTIVE
    chain.begun.append(line)
    decided = {s.person_id for s in before.seats if s.state in FOR_IT} if before and chain.distinct else set()
    for seat in line.seats:
        if seat.state == SeatState.WAITING:
            seat.state = SeatState.CARRIED if seat.person_id in decided else SeatState.ASKED


def vote(chain: Chain, person_id: int, *, approves: bool) -> list[SeatLike]:
    """Count a person's vote at every seat at which the person is asked now, and ask whoever comes next.

    Returns those seats; empty where the person is not asked (any more), and then nothing has changed.
    """
    chain.begun = []
    seats = chain.asked(person_id)
    for line, seat in seats:
        seat.state = SeatState.APPROVED if approves else SeatState.REJECTED
        _settle(line)
    if seats and outcome(chain) == RequestState.PENDING:
        advance(chain)
    return [seat for _line, seat in seats]


def _settle(line: Line) -> None:
    """Close the step when its votes say so; those who were asked in vain are not needed any more."""
    step = line.step
    if step.state != StepState.ACTIVE:
        return
    places = line.places
    good = sum(1 for seats in places.values() if any(s.state in FOR_IT for s in seats))
    bad = sum(
        1
        for seats in places.values()
        if any(s.state == SeatState.REJECTED for s in seats) and not any(s.state in FOR_IT for s in seats)
    )
    required = [s for s in line.seats if s.required and s.state != SeatState.REPLACED]
    needed = {ApprovalMode.ANY: min(1, len(places)), ApprovalMode.K_OF_N: step.k}.get(
        ApprovalMode(step.mode), len(places)
    )
    lost = bad > 0 and good == 0 if step.mode == ApprovalMode.ANY else len(places) - bad < needed
    refused = lost or any(s.state == SeatState.REJECTED for s in required)
    if refused:
        step.state = StepState.REJECTED
    elif good >= needed and all(s.state in FOR_IT for s in required) and (places or required):
        step.state = StepState.APPROVED
    else:
        _spare(line, places)
        return
    for seat in line.seats:
        if seat.state in (SeatState.ASKED, SeatState.WAITING):
            seat.state = SeatState.PASSED


def _spare(line: Line, places: dict[int, list[SeatLike]]) -> None:
    """Of people who stand in for each other one vote is enough."""
    for seats in places.values():
        if any(s.state in FOR_IT or s.state == SeatState.REJECTED for s in seats):
            for seat in seats:
                if seat.state == SeatState.ASKED:
                    seat.state = SeatState.PASSED


def send_back(chain: Chain, key: str) -> bool:
    """Return to a named step: it and those after it in its lane are asked again (AP-7). False: no such earlier step."""
    for lane in chain.lanes().values():
        keys = [line.step.key for line in lane]
        if key not in keys:
            continue
        place = keys.index(key)
        if lane[place].step.state != StepState.APPROVED:
            return False
        for line in lane[place:]:
            line.step.state = StepState.WAITING
            for seat in line.seats:
                if seat.state != SeatState.REPLACED:
                    seat.state = SeatState.WAITING
        advance(chain)
        return True
    return False


def step_before(chain: Chain, line: Line) -> Line | None:
    lane = chain.lanes()[line.step.lane]
    place = lane.index(line)
    return lane[place - 1] if place else None


def stop(chain: Chain) -> None:
    """Nobody is asked any more: it was recalled, returned or rejected. What was decided stays as history."""
    for line in chain.lines:
        for seat in line.seats:
            if seat.state in (SeatState.ASKED, SeatState.WAITING):
                seat.state = SeatState.PASSED
        if line.step.state == StepState.ACTIVE:
            line.step.state = StepState.WAITING


def renumber(lines: Iterable[Line]) -> None:
    for order, line in enumerate(lines):
        line.step.order = order


def votes_left(lines: Sequence[Line]) -> int:
    """How many people are asked now."""
    return len({s.person_id for line in lines for s in line.seats if s.state == SeatState.ASKED})
