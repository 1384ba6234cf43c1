"""Submitting for approval and deciding (§2.4): submit, decide, recall, return. See `approval_handing` for the rest.

Everything goes under the lock of the journey: of two devices, or of a decision and a recall, exactly one counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.fields.catalogue import catalogue, pick
from fairlead.work.enums import Reason

from .. import subjects
from ..approval_chain import advance, outcome, send_back, step_before, stop, vote
from ..approval_enums import FOR_IT, Because, RequestState, SeatState, StepState
from ..approval_words import bounds_text
from ..approver_resolution import Picture
from ..enums import JourneyState
from ..envelopes import (
    bounds_as_json,
    bounds_from_json,
    envelope,
    left,
    moved,
)
from ..models import ApprovalCopy, ApprovalRequest, Journey
from ..refusals import ApprovalDecided, ApprovalRefused
from ..selectors.gathering import situations
from . import approval_asking as asking
from . import conditions as conditions_of_approvals
from .approval_rows import Held, chain_of, grant, held_of, holding, own_of, sees, store_plan
from .evidence import facts_change, journey_for

DECIDE = "approval.decide"
MIN_WORDS = 2
MAX_COPIES = 20


@transaction.atomic
def submit(
    journey_id: int,
    *,
    kind: str,
    text: str = "",
    package: Mapping[str, Any] | None = None,
    about: str = "",
    second_reader_id: int | None = None,
    copies: Sequence[int] = (),
    by: Any,
    at: datetime,
    channel: str,
) -> ApprovalRequest:
    """Ask for an approval. Raises NotFound, NotPermitted, Invalid, ApprovalRefused, ApprovalDecided.

    Only levers that no live approval covers are asked. Where no row fires it is approved by the rule, and noted.
    An incomplete request bounces and starts no clock (AP-11).
    """
    head = Journey.objects.filter(pk=journey_id).values_list("subject_type", "subject_id").first()
    if head is None:
        raise NotFound
    journey = journey_for(journey_id, by=by, right=subjects.room_of(head[0]).move_right)
    if journey.state != JourneyState.OPEN:
        raise ApprovalRefused(_("Only what is open can be submitted for approval."))
    with facts_change(head[0], [head[1]], at=at):
        return _submit(
            journey,
            kind,
            text=text.strip(),
            package=package or {},
            about=about,
            second_reader_id=second_reader_id,
            copies=copies,
            by=by,
            at=at,
            channel=channel,
        )


def _submit(
    journey: Journey,
    kind_key: str,
    *,
    text: str,
    package: Mapping[str, Any],
    about: str,
    second_reader_id: int | None,
    copies: Sequence[int],
    by: Any,
    at: datetime,
    channel: str,
) -> ApprovalRequest:
    situation = situations([journey], at=at)[journey.pk]
    definition, fields = situation.definition, situation.facts.fields
    kind = asking.kind_of(definition, kind_key)
    earlier = list(
        ApprovalRequest.objects.filter(journey=journey, kind=kind.key, about=about).order_by("-number")[:1]
    )
    if earlier and earlier[0].state == RequestState.PENDING:
        raise ApprovalDecided(
            _("It is being decided already. Withdraw it first to submit it anew."),
            code="approval-pending",
            details={"request": earlier[0].pk},
        )
    found = asking.cover(kind, situation.facts, fields, about, at)
    asking.refuse_open_ends(kind, found)
    if missing := asking.missing(kind, package):
        names = _(", ").join(pick(i.name) for i in (*kind.package, *kind.opinions) if i.key in missing)
        raise ApprovalRefused(
            _("The request is not complete: %(items)s.") % {"items": names},
            code="approval-incomplete",
            details={"missing": list(missing)},
        )
    ask = asking.ask(journey, kind, fields, by=by, second_reader_id=second_reader_id)
    rows = [found.asked.lanes[lever] for lever in found.open_levers]
    seen = asking.organisation_for(journey, definition, rows, at)
    if second_reader_id is not None and (second_reader_id in ask.own or not seen.is_active(second_reader_id)):
        raise Invalid.field("second_reader", _("The second reader is somebody else who signs in here."))
    planned = asking.planned(definition, rows, ask, seen)
    request = ApprovalRequest.objects.create(
        journey=journey,
        kind=kind.key,
        about=about,
        number=earlier[0].number + 1 if earlier else 1,
        process_version=definition.version,
        stage_key=journey.stage.key,
        text=text,
        package={key: value for key, value in package.items() if value},
        bounds=bounds_as_json(envelope(kind, fields)),
        asked=[{"lever": row.lever, "row": row.key, "tier": row.tier} for row in rows],
        amount=ask.amount,
        submitted_by=by,
        submitted_at=at,
        owner_id_then=journey.owner_id,
        second_reader_id=second_reader_id,
        is_auto=not rows,
        previous=earlier[0] if earlier else None,
    )
    store_plan(request, planned)
    held = held_of(request, journey, at=at, channel=channel)
    if earlier:
        _carry(held, earlier[0], fields)
    held.event(
        "approval_submitted",
        by=by,
        data={"levers": [row.lever for row in rows], "rows": [row.key for row in rows], "auto": not rows},
        comment=text,
    )
    add_copies(held, copies, by=by, seen=seen)
    advance(held.chain)
    _close_if_done(held, by=None)
    held.begin()
    held.store()
    return request


def _carry(held: Held, earlier: ApprovalRequest, fields: Mapping[str, Any]) -> None:
    """What was approved before and whose values have not left counts again (AP-6, AP-7): from the first step on."""
    ended = (RequestState.RECALLED, RequestState.RETURNED, RequestState.REJECTED)
    if held.kind is None or not held.kind.carry or earlier.state not in ended:
        return
    gone = left(bounds_from_json(earlier.bounds), fields)
    before = {line.step.key: line for line in chain_of(earlier).lines}
    for lane in held.chain.lanes().values():
        for line in lane:
            step: Any = line.step
            old = before.get(step.key)
            old_step: Any = old.step if old else None
            if (
                old is None
                or step.lever in gone
                or old_step.row_key != step.row_key
                or old_step.state != StepState.APPROVED
            ):
                break
            agreed = {s.person_id for s in old.seats if s.state in FOR_IT}
            for seat in line.seats:
                if seat.person_id in agreed:
                    seat.state = SeatState.CARRIED
                    seat.decided_at = held.at  # type: ignore[attr-defined]


def _close_if_done(held: Held, *, by: Any) -> bool:
    """End the request when its votes say so."""
    end = outcome(held.chain)
    if end == RequestState.PENDING:
        return False
    request = held.request
    request.state, request.ended_at = end, held.at
    if end == RequestState.APPROVED:
        rows = grant(held)
        conditions_of_approvals.take_effect(held)
        data = {
            "levers": [row.lever for row in rows],
            "until": rows[0].expires_at.isoformat() if rows and rows[0].expires_at else None,
            "auto": request.is_auto,
        }
        held.event("approval_granted", by=by, data=data)
        told = "approval_granted"
    else:
        stop(held.chain)
        conditions_of_approvals.drop(held)
        told = "approval_rejected"
    copies = request.copies.values_list("person_id", flat=True)
    held.tell([request.submitted_by_id], told, reason=Reason.OWNER)
    held.tell([p for p in copies if p != request.submitted_by_id], told, reason=Reason.FOLLOWING)
    return True


def decide(
    request_id: int,
    *,
    approves: bool,
    comment: str = "",
    conditions: Sequence[Mapping[str, Any]] = (),
    by: Any,
    at: datetime,
    channel: str,
    version: int | None = None,
) -> ApprovalRequest:
    """Vote on a request. Raises NotFound, NotPermitted, ApprovalDecided, ApprovalRefused, Invalid, Stale.

    The vote binds the values that were submitted; where they have changed since, nothing is approved.
    """
    if not by.may(DECIDE):
        raise NotPermitted
    comment = comment.strip()
    if not approves:
        say_why(comment)
    with holding(request_id, at=at, channel=channel) as held:
        seats = _asked(held, by, version)
        if approves:
            _refuse_moved(held)
        people = {seat.for_person_id for _line, seat in seats if seat.for_person_id}
        voted: list[Any] = list(vote(held.chain, by.pk, approves=approves))
        for seat in voted:
            seat.decided_at, seat.comment, seat.channel = at, comment, channel
        for line, _seat in seats:
            step: Any = line.step
            step.responded_at = step.responded_at or at
        if approves and conditions:
            conditions_of_approvals.add(held, conditions, by=by)
        stands_in = next((s.for_person_id for s in voted if s.because == Because.DEPUTY), None)
        held.event(
            "approval_voted",
            by=by,
            data={
                "approves": approves,
                "steps": sorted({line.step.key for line, _seat in seats}),
                "conditions": len(conditions) if approves else 0,
                "for": sorted(people),
            },
            comment=comment,
            on_behalf_of_id=stands_in,
        )
        _close_if_done(held, by=by)
        held.begin()
        held.store()
    return held.request


def say_why(comment: str) -> None:
    if len(comment) < MIN_WORDS:
        raise Invalid.field("comment", _("Say why, so that it can be mended."))


def _asked(held: Held, by: Any, version: int | None) -> list[Any]:
    """The seats at which `by` is asked now; a Refusal where there is none."""
    mine = [s for s in held.seat_rows() if s.person_id == by.pk]
    if not mine and not sees(by, held.request):
        raise NotFound
    refuse_ended(held)
    if version is not None and version != held.request.version:
        raise Stale(details={"version": held.request.version})
    asked: list[Any] = held.chain.asked(by.pk)
    if not asked:
        if any(
            s.state in (SeatState.APPROVED, SeatState.REJECTED, SeatState.PASSED, SeatState.CARRIED)
            for s in mine
        ):
            raise ApprovalDecided(details={"state": held.request.state})
        raise NotPermitted(_("Your decision is not asked here, or not yet."))
    if by.pk in own_of(held.request) and any(s.because != Because.TOP for _line, s in asked):
        raise NotPermitted(_("Nobody decides the own request."))
    return asked


def refuse_ended(held: Held) -> None:
    if held.request.state != RequestState.PENDING:
        raise ApprovalDecided(
            _("This has ended: %(state)s.") % {"state": RequestState(held.request.state).label},
            details={"state": held.request.state, "version": held.request.version},
        )


def _refuse_moved(held: Held) -> None:
    """An approval binds the values that were submitted (AP-3): it is not given to others."""
    fields = situations([held.journey], at=held.at)[held.journey.pk].facts.fields
    gone = moved(bounds_from_json(held.request.bounds), fields)
    if gone:
        raise ApprovalRefused(
            _(
                "The values have changed since it was submitted: %(values)s. Return it, so that it is submitted anew."
            )
            % {"values": bounds_text(gone, catalogue(held.journey.subject_type))},
            code="approval-outdated",
            details={"levers": sorted({b.lever for b in gone}), "fields": sorted({b.field for b in gone})},
        )


def recall(
    request_id: int, *, comment: str = "", by: Any, at: datetime, channel: str, version: int | None = None
) -> ApprovalRequest:
    """Take a request back before the last decision (AP-6). What was approved stays as history and may be carried."""
    with holding(request_id, at=at, channel=channel) as held:
        if by.pk not in own_of(held.request):
            raise (NotPermitted if sees(by, held.request) else NotFound)()
        if not by.may(subjects.room_of(held.journey.subject_type).move_right):
            raise NotPermitted
        refuse_ended(held)
        if version is not None and version != held.request.version:
            raise Stale(details={"version": held.request.version})
        call_off(held, by=by, comment=comment.strip())
    return held.request


def call_off(held: Held, *, by: Any, comment: str = "") -> None:
    """End a pending request undecided, and tell whoever was asked. Under the lock of its journey."""
    asked = [s.person_id for s in held.seat_rows() if s.state == SeatState.ASKED]
    _end(held, RequestState.RECALLED)
    held.event("approval_recalled", by=by, data={}, comment=comment)
    held.tell(asked, "approval_recalled", reason=Reason.FOLLOWING)
    held.begin()
    held.store()


def _end(held: Held, state: RequestState) -> None:
    stop(held.chain)
    conditions_of_approvals.drop(held)
    held.request.state, held.request.ended_at = state, held.at


def give_back(
    request_id: int,
    *,
    to: str = "",
    comment: str,
    by: Any,
    at: datetime,
    channel: str,
    version: int | None = None,
) -> ApprovalRequest:
    """Return it: to whoever submitted it (blank), to the `previous` step, or to a step by its key (AP-7)."""
    if not by.may(DECIDE):
        raise NotPermitted
    comment = comment.strip()
    say_why(comment)
    with holding(request_id, at=at, channel=channel) as held:
        asked = _asked(held, by, version)
        line = asked[0][0]
        if not to:
            _end(held, RequestState.RETURNED)
            held.tell([held.request.submitted_by_id], "approval_returned", reason=Reason.OWNER)
        else:
            before = step_before(held.chain, line)
            key = (before.step.key if before else "") if to == "previous" else to
            if not key or not send_back(held.chain, key):
                raise ApprovalRefused(_("There is no earlier step to return it to."), code="approval-no-step")
        held.event(
            "approval_returned", by=by, data={"to": to or "submitter", "from": line.step.key}, comment=comment
        )
        held.begin()
        held.store()
    return held.request


def add_copies(held: Held, people: Sequence[int], *, by: Any, seen: Picture) -> None:
    """Tell people of it, without a vote (AP-9)."""
    wanted = [p for p in dict.fromkeys(people) if seen.is_active(p)][:MAX_COPIES]
    known = set(held.request.copies.values_list("person_id", flat=True))
    new = [p for p in wanted if p not in known]
    ApprovalCopy.objects.bulk_create(
        [ApprovalCopy(request=held.request, person_id=p, by=by, at=held.at) for p in new]
    )
    held.tell(new, "approval_copied", reason=Reason.FOLLOWING)
