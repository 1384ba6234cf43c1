"""Handing an approval on (AP-8, AP-9): transfer, add an approver, copies, questions; absent people; its clocks (AP-11)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.organisation.models import User
from fairlead.organisation.selectors import calendars
from fairlead.work.enums import Reason

from ..approval_chain import Line, advance, renumber
from ..approval_enums import ApprovalMode, Because, RequestState, SeatState, StepState
from ..approver_resolution import Chosen
from ..models import ApprovalQuestion, ApprovalRequest, ApprovalSeat, ApprovalStep
from ..refusals import ApprovalRefused
from ..selectors.approvals import picture
from .approval_clocks import asked_of, calendar_of_step
from .approval_rows import Held, holding, own_of, reroute, seat_of, sees
from .approving import DECIDE, _asked, add_copies, refuse_ended, say_why
from .clock_notices import Managers, Notice, tell

PLACES = ("before", "after", "parallel")
PARTS = (50, 80, 100)  # percent of the time for a decision at which is told (AP-11)
MAX_ADDED = 20


def transfer(
    request_id: int, *, to: int, comment: str, by: Any, at: datetime, channel: str, version: int | None = None
) -> ApprovalRequest:
    """Hand one's seat to another (转交). Whoever decides for somebody else hands it on no further."""
    if not by.may(DECIDE):
        raise NotPermitted
    comment = comment.strip()
    say_why(comment)
    with holding(request_id, at=at, channel=channel) as held:
        asked = _asked(held, by, version)
        person = _approver(held, to)
        if any(seat.for_person_id is not None for _line, seat in asked):
            raise ApprovalRefused(
                _("You decide in somebody's place: a seat is handed on once. Decide it, or return it."),
                code="approval-chain",
            )
        for line, seat in asked:
            if any(s.person_id == person.pk and s.state == SeatState.ASKED for s in line.seats):
                raise Invalid.field("to", _("This person is asked already."))
            seat.state = SeatState.REPLACED
            chosen = Chosen(seat.number, person.pk, Because.TRANSFERRED, by.pk, seat.required)
            line.seats.append(seat_of(line.step, chosen, state=SeatState.ASKED, added_by=by))
        held.event(
            "approval_transferred",
            by=by,
            data={"to": person.pk, "steps": sorted({line.step.key for line, _s in asked})},
            comment=comment,
        )
        held.begin()
        held.store()
    return held.request


def add_approver(
    request_id: int,
    *,
    person: int,
    place: str,
    comment: str = "",
    by: Any,
    at: datetime,
    channel: str,
    version: int | None = None,
) -> ApprovalRequest:
    """Ask one more person, `before` or `after` one's own step, or beside it (加签)."""
    if not by.may(DECIDE):
        raise NotPermitted
    if place not in PLACES:
        raise Invalid.field("place", _("Before, after or beside your step."))
    with holding(request_id, at=at, channel=channel) as held:
        asked = _asked(held, by, version)
        added = _approver(held, person)
        line: Line = asked[0][0]
        step: Any = line.step
        if sum(1 for one in held.seat_rows() if one.because == Because.ADDED) >= MAX_ADDED:
            raise ApprovalRefused(_("Enough people are asked here."), code="approval-many")
        if any(s.person_id == added.pk and s.state != SeatState.REPLACED for s in line.seats):
            raise Invalid.field("person", _("This person is asked already."))
        if place == "parallel":
            number = max(s.number for s in line.seats) + 1
            chosen = Chosen(number, added.pk, Because.ADDED, None, True)
            line.seats.append(seat_of(step, chosen, state=SeatState.ASKED, added_by=by))
        else:
            _insert(held, line, added.pk, place, by)
        held.event(
            "approval_signer_added",
            by=by,
            data={"person": added.pk, "place": place, "step": step.key},
            comment=comment.strip(),
        )
        advance(held.chain)
        held.begin()
        held.store()
    return held.request


def _insert(held: Held, line: Line, person: int, place: str, by: Any) -> None:
    step: Any = line.step
    count = sum(1 for one in held.chain.lines if one.step.lane == step.lane)
    row = ApprovalStep(
        request=held.request,
        key=f"{step.lane}.added_{count}",
        lane=step.lane,
        lever=step.lever,
        tier=step.tier,
        order=0,
        mode=ApprovalMode.ALL,
        response_hours=step.response_hours,
        decision_hours=step.decision_hours,
    )
    row.save()
    added = Line(row, [seat_of(row, Chosen(0, person, Because.ADDED), added_by=by)])
    lane = held.chain.lanes()[step.lane]
    place_of = lane.index(line)
    if place == "before":
        lane.insert(place_of, added)
        step.state = StepState.WAITING
        for seat in line.seats:
            if seat.state == SeatState.ASKED:
                seat.state = SeatState.WAITING
    else:
        lane.insert(place_of + 1, added)
    renumber(lane)
    held.chain.lines.append(added)


def _approver(held: Held, pk: int) -> User:
    person: User | None = User.objects.active().filter(pk=pk).first()
    if person is None:
        raise Invalid.field("person", _("There is no such person."))
    if person.pk in own_of(held.request):
        raise ApprovalRefused(_("Nobody decides the own request."), code="approval-own")
    if not person.may(DECIDE):
        raise Invalid.field("person", _("This person decides nothing here."))
    return person


def copy_to(
    request_id: int, *, people: Sequence[int], by: Any, at: datetime, channel: str
) -> ApprovalRequest:
    """Tell people of it, without a vote (抄送): by whoever submitted it or is asked."""
    with holding(request_id, at=at, channel=channel) as held:
        _takes_part(held, by)
        add_copies(held, people, by=by, seen=picture(held.journey, at=at))
        held.event("approval_copied", by=by, data={"people": sorted(set(people))})
        held.store()
    return held.request


def ask_question(
    request_id: int, *, to: int, text: str, by: Any, at: datetime, channel: str
) -> ApprovalQuestion:
    """Ask somebody about it; the clocks go on."""
    with holding(request_id, at=at, channel=channel) as held:
        _takes_part(held, by)
        refuse_ended(held)
        person = User.objects.active().filter(pk=to).first()
        if person is None or person.pk == by.pk:
            raise Invalid.field("to", _("There is no such person."))
        if not text.strip():
            raise Invalid.field("text", _("Fill this in."))
        row = ApprovalQuestion.objects.create(
            request=held.request, by=by, to=person, text=text.strip(), at=at
        )
        for line, _seat in held.chain.asked(by.pk):
            step: Any = line.step
            step.responded_at = step.responded_at or at
        held.event("approval_asked", by=by, data={"to": person.pk, "question": row.pk}, comment=row.text)
        held.tell([person.pk], "approval_question")
        held.store()
    return row


def answer_question(question_id: int, *, text: str, by: Any, at: datetime, channel: str) -> ApprovalQuestion:
    head = ApprovalQuestion.objects.filter(pk=question_id).first()
    if head is None or by.pk not in (head.to_id, head.by_id):
        raise NotFound
    if not text.strip():
        raise Invalid.field("text", _("Fill this in."))
    with holding(head.request_id, at=at, channel=channel) as held:
        row = ApprovalQuestion.objects.select_for_update().get(pk=question_id)
        if row.to_id != by.pk:
            raise NotPermitted
        if row.answered_at is None:
            row.answer, row.answered_at = text.strip(), at
            row.save(update_fields=["answer", "answered_at"])
            held.event("approval_answered", by=by, data={"question": row.pk}, comment=row.answer)
            held.tell([row.by_id], "approval_answer")
            held.store()
    return row


def _takes_part(held: Held, by: Any) -> None:
    people = {s.person_id for s in held.seat_rows()} | own_of(held.request)
    if by.pk not in people:
        raise (NotPermitted if sees(by, held.request) else NotFound)()


@transaction.atomic
def see(request_id: int, *, by: Any, at: datetime) -> None:
    """Somebody who is asked, or told, has opened it."""
    ApprovalSeat.objects.filter(request=request_id, person=by, state=SeatState.ASKED, seen_at=None).update(
        seen_at=at
    )


# --- what time brings ---


def reroute_absent(*, at: datetime, channel: str, limit: int = 200) -> int:
    """Seats of disabled accounts go on to somebody who is there (AP-8, AC-21). A job calls this; returns how many."""
    ids = (
        ApprovalSeat.objects.filter(
            state=SeatState.ASKED, request__state=RequestState.PENDING, person__is_active=False
        )
        .order_by("request")
        .values_list("request", flat=True)
        .distinct()[:limit]
    )
    done = 0
    for pk in list(ids):
        with holding(pk, at=at, channel=channel) as held:
            if held.request.state != RequestState.PENDING:
                continue
            if reroute(held, [line for line in held.chain.lines if line.step.state == StepState.ACTIVE]):
                held.begin()
                held.store()
                done += 1
    return done


def remind(*, at: datetime, limit: int = 500) -> int:
    """Tell approvers at half, four fifths and the end of their time, and at its end their managers too (AP-11)."""
    book = calendars()
    managers = Managers()
    steps = (
        ApprovalStep.objects.filter(state=StepState.ACTIVE, told__lt=PARTS[-1], started_at__isnull=False)
        .filter(request__state=RequestState.PENDING)
        .select_related("request__journey")
        .order_by("decision_due_at")[:limit]
    )
    asked = {} if book.is_plain else asked_of([step.pk for step in steps])
    count = 0
    for step in steps:
        started = step.started_at or at
        calendar = calendar_of_step(step, asked.get(step.pk, {}), started, book)
        spent = calendar.working_time_between(started, at) if started < at else timedelta()
        whole = timedelta(hours=step.decision_hours)
        reached = max((p for p in PARTS if spent * 100 >= whole * p), default=0)
        if reached <= step.told:
            continue
        if not ApprovalStep.objects.filter(pk=step.pk, told=step.told, state=StepState.ACTIVE).update(
            told=reached
        ):
            continue
        count += 1
        _remind(step, reached, managers, at)
    return count


def _remind(step: ApprovalStep, reached: int, managers: Managers, at: datetime) -> None:
    request = step.request
    asked = list(
        ApprovalSeat.objects.filter(step=step, state=SeatState.ASKED).values_list(
            "person_id", "person__team_id"
        )
    )
    codes = {50: "approval_due_half", 80: "approval_due_soon", 100: "approval_overdue"}
    notices = [(tuple(p for p, _team in asked), Reason.ASKED)]
    if reached == PARTS[-1]:
        # Whoever leads a team is reminded by the one above it.
        above = {
            m for p, team in asked for m in (managers.of(team) - {p} or managers.of(team, above=1) - {p})
        }
        notices.append((tuple(sorted(above)), Reason.ESCALATED))
    tell(
        [
            Notice(
                recipient_ids=people,
                subject_type=request.journey.subject_type,
                subject_id=request.journey.subject_id,
                code=codes[reached],
                params={"request": request.pk},
                at=at,
                reason=reason,
            )
            for people, reason in notices
        ]
    )
