"""Overrides (§2.9): asking for one and deciding it, within a budget.

A request names an item of the gate, or a move that needs somebody else's right (far back, or a skip whose process asks
for one). It is decided by a person with that right over the record who stands above whoever asked, and who neither asked
nor gains by it (OV-5). A granted item gets a waiver until the day asked for; a granted move may be made once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import RoleAssignment
from fairlead.organisation.rights import RIGHTS, reach_of
from fairlead.work.enums import Reason
from fairlead.work.services.notifications import notify

from .. import stages, subjects
from ..definition import Definition
from ..definitions import definition_of
from ..engine import decide
from ..enums import JourneyState, Kind, OverrideKind, OverrideState
from ..models import Journey, OverrideRequest, OverrideRules
from ..refusals import AlreadyDecided, OverrideRefused
from ..selectors.gathering import situations
from ..verdicts import Wish
from . import ledger
from .budget import rules, within_budget
from .evidence import MIN_REASON, criterion_of, gains_by, journey_for, write_waiver

MOVES: Final = frozenset({Kind.ADVANCE, Kind.BRANCH, Kind.SKIP, Kind.REGRESS, Kind.CLOSE_WON})
WAIVE: Final = "waiver.grant"


@transaction.atomic
def set_rules(
    *, budget: int, review_percent: int, version: int, by: Any, at: datetime, channel: str
) -> OverrideRules:
    """How many waivers one person may have running, and from which share on an item comes up for review."""
    row = OverrideRules.objects.select_for_update().get(pk=rules().pk)
    if not by.may("settings.manage") and not by.may("process.publish"):
        raise NotPermitted
    if row.version != version:
        raise Stale(details={"version": row.version})
    errors = []
    if not 0 <= budget <= 1000:
        errors.append({"field": "budget", "message": _("A number from 0 to 1000 is expected.")})
    if not 1 <= review_percent <= 100:
        errors.append({"field": "review_percent", "message": _("A number from 1 to 100 is expected.")})
    if errors:
        raise Invalid(errors=errors)
    before = {"budget": row.budget, "review_percent": row.review_percent}
    row.budget, row.review_percent, row.version = budget, review_percent, row.version + 1
    row.save()
    record(
        [
            NewEvent(
                type="override_rules_set",
                subject_type="organisation",
                subject_id=1,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                data={"before": before, "after": {"budget": budget, "review_percent": review_percent}},
            )
        ]
    )
    return row


# --- asking ---


@transaction.atomic
def request_override(
    journey_id: int,
    *,
    criterion_key: str = "",
    move_kind: str = "",
    to: str = "",
    reason_code: str = "",
    text: str,
    compensation: str,
    expires_at: datetime,
    by: Any,
    at: datetime,
    channel: str,
) -> OverrideRequest:
    """Ask that an item or a move be let pass. Raises NotFound, NotPermitted, OverrideRefused, Invalid (OV-1).

    Asked again while the first request waits, it answers with that one.
    """
    row = ledger.lock([journey_id]).get(journey_id)
    if row is None:
        raise NotFound
    room = subjects.room_of(row.subject_type)
    row = journey_for(journey_id, by=by, right=room.move_right)
    if (row.state, row.superseded_at) != (JourneyState.OPEN, None):
        raise OverrideRefused(_("Only for a record on its way something can be let pass."))
    if bool(criterion_key) == bool(move_kind):
        raise Invalid.field("criterion", _("Name an item or a move, one of the two."))
    if criterion_key:
        right, reasons, target = WAIVE, "waiver", ""
        if not criterion_of(row, criterion_key).waivable:
            raise OverrideRefused(_("This item cannot be waived."))
    else:
        right, reasons, target = _asked_move(row, move_kind, to, reason_code, at)
    check_words(
        definition_of(row.process_version),
        reasons,
        reason_code,
        text,
        expires_at,
        at,
        compensation=compensation,
    )
    if (standing := _standing(row, criterion_key, move_kind, target)) is not None:
        return standing
    try:
        with transaction.atomic():
            request = OverrideRequest.objects.create(
                journey=row,
                kind=OverrideKind.CRITERION if criterion_key else OverrideKind.MOVE,
                criterion_key=criterion_key,
                move_kind=move_kind,
                to_stage=target,
                needs_right=right,
                reason_code=reason_code,
                text=text.strip(),
                compensation=compensation.strip(),
                expires_at=expires_at,
                requested_by=by,
                requested_at=at,
            )
    except IntegrityError:  # the same click came by another door
        again = _standing(row, criterion_key, move_kind, target)
        if again is None:
            raise
        return again
    journal(request, row, "override_requested", by=by, at=at, channel=channel, comment=request.text)
    tell(deciders(row, right, but={by.pk}), Reason.ASKED, request, row, "override_requested", by, at)
    return request


def _standing(row: Journey, criterion_key: str, move_kind: str, to: str) -> OverrideRequest | None:
    return (
        OverrideRequest.objects.open()
        .filter(journey=row, criterion_key=criterion_key, move_kind=move_kind, to_stage=to)
        .first()
    )


def _asked_move(row: Journey, kind: str, to: str, reason: str, at: datetime) -> tuple[str, str, str]:
    """The right that the move needs, the list of its reasons, and where it leads."""
    if kind not in MOVES:
        raise OverrideRefused(_("Leave cannot be asked for this move."))
    stages.attach([row])
    situation = situations([row], at=at)[row.pk]
    verdict = decide(situation.definition, situation.facts, Wish(kind=Kind(kind), to=to, reason=reason))
    if any(o.code == "no_such_move" for o in verdict.objections):
        raise OverrideRefused(_("The process knows no such move from here."))
    if not verdict.needs_right:
        raise OverrideRefused(_("This move needs nobody's leave; what is missing at its gate can be waived."))
    lists = {Kind.SKIP: "skip", Kind.REGRESS: "regress"}
    transition = situation.definition.stage(row.stage.key).transition(Kind(kind), to)
    named = transition.reasons if transition is not None and transition.reasons else lists.get(Kind(kind), "")
    return verdict.needs_right, named, verdict.target


def check_words(
    definition: Definition,
    reasons: str,
    reason_code: str,
    text: str,
    expires_at: datetime | None,
    at: datetime,
    *,
    compensation: str | None = None,
) -> None:
    errors = []
    if len(text.strip()) < MIN_REASON:
        errors.append(_field("text", _("Say why in at least %(count)s characters.") % {"count": MIN_REASON}))
    if reasons and definition.lists.get(reasons) and definition.reason(reasons, reason_code) is None:
        errors.append(_field("reason", _("Choose a reason from the list.")))
    if expires_at is not None and expires_at <= at:
        errors.append(_field("expires", _("A waiver ends later than now.")))
    if compensation is not None and not compensation.strip():
        errors.append(_field("compensation", _("Say what makes good for it meanwhile.")))
    if errors:
        raise Invalid(errors=errors)


def _field(name: str, message: str) -> dict[str, str]:
    return {"field": name, "message": message}


@transaction.atomic
def withdraw_override(request_id: int, *, by: Any, at: datetime, channel: str) -> OverrideRequest:
    """Take back one's own request. Raises NotFound, NotPermitted, AlreadyDecided."""
    request, row = _locked(request_id, by=by)
    if request.requested_by_id != by.pk:
        raise NotPermitted
    _must_wait(request)
    settle(request, OverrideState.WITHDRAWN, by=None, at=at)
    journal(request, row, "override_withdrawn", by=by, at=at, channel=channel)
    return request


# --- deciding ---


@transaction.atomic
def decide_override(
    request_id: int, *, granted: bool, text: str = "", by: Any, at: datetime, channel: str
) -> OverrideRequest:
    """Grant or refuse. Raises NotFound, NotPermitted, OverrideRefused, AlreadyDecided, BudgetSpent, Invalid."""
    request, row = _locked(request_id, by=by)
    _must_wait(request)
    if why := why_not_decide(request, row, by):
        raise OverrideRefused(why) if by.reach(request.needs_right) else NotPermitted(why)
    if not granted and not text.strip():
        raise Invalid.field("text", _("Say why not: whoever asked goes on from there."))
    if request.expires_at <= at:
        raise OverrideRefused(_("The day until which it was asked has passed. It has to be asked anew."))
    if granted:
        within_budget(by, at)
        if request.kind == OverrideKind.CRITERION:
            request.waiver = write_waiver(
                row,
                criterion_key=request.criterion_key,
                reason_code=request.reason_code,
                text=request.text,
                compensation=request.compensation,
                expires_at=request.expires_at,
                by=by,
                at=at,
                channel=channel,
            )
    settle(request, OverrideState.GRANTED if granted else OverrideState.REFUSED, by=by, at=at, text=text)
    type_ = "override_granted" if granted else "override_refused"
    journal(request, row, type_, by=by, at=at, channel=channel, comment=request.decision)
    tell([request.requested_by_id], Reason.OWNER, request, row, type_, by, at)
    return request


def why_not_decide(
    request: OverrideRequest, row: Journey, by: Any, *, team: Mapping[str, Collection[int]] | None = None
) -> str:
    """Why this person cannot decide it, in words; blank for somebody who can. `team` if its facts are at hand."""
    room = subjects.room_of(row.subject_type)
    if not room.visible_ids(by, [row.subject_id], right=request.needs_right):
        return _("This is decided by somebody with the right “%(right)s” over the record.") % {
            "right": request.needs_right
        }
    if by.pk == request.requested_by_id:
        return _("Nobody decides the own request; it waits for somebody above you.")
    if gains_by(row, by, team=team):
        return _("Who owns the record or is on its deal team does not decide this; ask a manager outside it.")
    if not _is_above(by, request.requested_by, request.needs_right):
        return _("It is decided by somebody above whoever asked.")
    return ""


def _is_above(decider: Any, asker: Any, right: str) -> bool:
    """Whoever has no such right is below everybody who has. Between two who have it, the wider reach is above; those
    who reach everything are each other's second reader."""
    one, other = decider.reach(right), asker.reach(right)
    if not other or one.all:
        return True
    return bool(not other.all and one.team_ids > other.team_ids)


def _locked(request_id: int, *, by: Any) -> tuple[OverrideRequest, Journey]:
    """The request and its journey, locked in the order of every writer: the journey first."""
    journey_id = OverrideRequest.objects.filter(pk=request_id).values_list("journey_id", flat=True).first()
    row = ledger.lock([journey_id]).get(journey_id) if journey_id is not None else None
    if row is None:
        raise NotFound
    room = subjects.room_of(row.subject_type)
    if not room.visible_ids(by, [row.subject_id], right=room.view_right):
        raise NotFound
    request = (
        OverrideRequest.objects.select_for_update(of=("self",))
        .select_related("requested_by")
        .get(pk=request_id)
    )
    return request, row


def _must_wait(request: OverrideRequest) -> None:
    if request.state != OverrideState.OPEN:
        raise AlreadyDecided(details={"state": request.state})


def settle(request: OverrideRequest, state: OverrideState, *, by: Any, at: datetime, text: str = "") -> None:
    request.state, request.decided_by, request.decided_at = state, by, at
    request.decision = text.strip()
    request.version += 1
    request.save()


# --- telling ---


def deciders(row: Journey, right: str, *, but: Iterable[int] = ()) -> list[int]:
    """Who may decide it: those of the nearest teams; where there are none, those who reach everything."""
    roles = [role for role, rights in RIGHTS.items() if right in rights]
    left_out = {*but, row.owner_id}
    near: dict[int, int] = {}
    everywhere: list[int] = []
    rows = RoleAssignment.objects.filter(role__in=roles, user__is_active=True).select_related(
        "user__team", "team"
    )
    for assignment in rows.order_by("user_id", "pk"):
        user = assignment.user
        if user.pk in left_out:
            continue
        reach = reach_of(right, [assignment.grant(user.team)])
        if reach.all:
            everywhere.append(user.pk)
        elif row.team_id in reach.team_ids:
            near[user.pk] = min(near.get(user.pk, len(reach.team_ids)), len(reach.team_ids))
    if near:
        closest = min(near.values())
        return sorted(pk for pk, width in near.items() if width == closest)
    return sorted(set(everywhere))


def tell(
    people: Iterable[int],
    reason: str,
    request: OverrideRequest,
    row: Journey,
    code: str,
    by: Any,
    at: datetime,
) -> None:
    notify(
        recipients=people,
        reason=reason,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        text=(code, {"request": request.pk}),
        by=by,
        at=at,
    )


def journal(
    request: OverrideRequest,
    row: Journey,
    type_: str,
    *,
    by: Any,
    at: datetime,
    channel: str,
    comment: str = "",
) -> None:
    what = {"criterion": request.criterion_key} if request.criterion_key else {"move": request.move_kind}
    if request.to_stage:
        what["to"] = request.to_stage
    record(
        [
            NewEvent(
                **ledger.event_base(
                    row,
                    row.process_version.number,
                    type=type_,
                    actor_id=by.pk if by is not None else None,
                    effective_at=at,
                    channel=channel,
                    reason_code=request.reason_code,
                    data={"request": request.pk, "until": request.expires_at.isoformat(), **what},
                    payload={"compensation": request.compensation} if type_ == "override_requested" else {},
                    comment=comment,
                )
            )
        ]
    )
