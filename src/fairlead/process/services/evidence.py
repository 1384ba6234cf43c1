"""Evidence that belongs to a journey itself, and the lock around everything a gate reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.journal.services import NewEvent, listening, record

from .. import subjects
from ..checks import own_workers
from ..definition import Criterion
from ..definitions import definition_of
from ..enums import CriterionType, JourneyState
from ..models import Attestation, Journey, Waiver
from ..packages import DEAL_TEAM
from ..refusals import AttestationRefused, WaiverRefused
from . import ledger
from .budget import within_budget
from .gates import refresh_gates

MIN_REASON = 10  # characters (OV-1)


_is_judged_later: ContextVar[bool] = ContextVar("_is_judged_later", default=False)


@contextmanager
def judged_later() -> Iterator[None]:
    """Inside, gates are not judged after each change: for a caller that brings about many and judges them at its end
    by `refresh_gates`, such as a simulated company. What is decided does not depend on it, for a move judges anew.
    """
    token = _is_judged_later.set(True)
    try:
        yield
    finally:
        _is_judged_later.reset(token)


@contextmanager
def facts_change(
    subject_type: str, subject_ids: Iterable[int], *, at: datetime, refresh: bool = True
) -> Iterator[list[Journey]]:
    """Around every write to something a gate reads: locks the running journeys, bumps `facts_rev`, and judges
    the gates anew afterwards. A move that gathered facts meanwhile finds the number changed and looks again.
    """
    with transaction.atomic():
        ids = list(
            Journey.objects.on(subject_type, subject_ids)
            .current()
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        journeys = list(ledger.lock(ids).values())
        if ids:
            Journey.objects.filter(pk__in=ids).update(facts_rev=F("facts_rev") + 1)
        with listening() as heard:
            yield journeys
        if refresh and not _is_judged_later.get():
            # The block may have mirrored new values to these rows: judge what is stored now.
            running = [j.pk for j in journeys if j.state in (JourneyState.OPEN, JourneyState.ON_HOLD)]
            fresh = list(Journey.objects.select_related("stage").filter(pk__in=running).order_by("pk"))
            ledger.hear(fresh, heard)
            refresh_gates([row for row in fresh if row.state == JourneyState.OPEN], at=at)


def journey_for(journey_id: int, *, by: Any, right: str) -> Journey:
    """The locked journey, if `by` sees it; NotPermitted if `by` sees it but lacks `right` over it."""
    row = ledger.lock([journey_id]).get(journey_id)
    if row is None:
        raise NotFound
    room = subjects.room_of(row.subject_type)
    if not room.visible_ids(by, [row.subject_id], right=room.view_right):
        raise NotFound
    if not room.visible_ids(by, [row.subject_id], right=right):
        raise NotPermitted
    return row


def criterion_of(journey: Journey, key: str) -> Criterion:
    found = definition_of(journey.process_version).criterion(key)
    if found is None:
        raise Invalid(errors=[{"field": "criterion", "message": _("This process has no such item.")}])
    return found[2]


@transaction.atomic
def attest(
    journey_id: int, *, criterion_key: str, statement: str, by: Any, at: datetime, channel: str
) -> Attestation:
    """Confirm a criterion in a role. Raises NotFound, NotPermitted, AttestationRefused, Invalid.

    The confirming person is another than the owner (IT-1) and holds the criterion's role: on the deal team for
    AR, SR, FR; by role for managers and departments.
    """
    journey = journey_for(journey_id, by=by, right="deal.attest")
    criterion = criterion_of(journey, criterion_key)
    if criterion.type != CriterionType.ATTESTATION:
        raise AttestationRefused(_("This item is not one that a person confirms."))
    if journey.owner_id == by.pk:
        raise AttestationRefused(_("The owner cannot confirm the own work; ask a colleague."))
    if by.pk in own_workers(criterion, team_of(journey)):
        raise AttestationRefused(
            _("You answer for this stage as %(role)s: somebody else confirms it.")
            % {"role": " · ".join(criterion.own_work_of)}
        )
    if not holds_role(journey, criterion.role, by):
        raise AttestationRefused(_("A person in the role %(role)s confirms this.") % {"role": criterion.role})
    with facts_change(journey.subject_type, [journey.subject_id], at=at):
        row = Attestation.objects.create(
            journey=journey,
            criterion_key=criterion_key,
            role=criterion.role,
            statement=statement.strip(),
            by=by,
            at=at,
        )
        record(
            [
                NewEvent(
                    **ledger.event_base(
                        journey,
                        journey.process_version.number,
                        type="attested",
                        actor_id=by.pk,
                        effective_at=at,
                        channel=channel,
                        data={"criterion": criterion_key, "role": criterion.role, "attestation": row.pk},
                        comment=row.statement,
                    )
                )
            ]
        )
    return row


def team_of(journey: Journey) -> Mapping[str, frozenset[int]]:
    """Who fills the slots of the deal team: role → people."""
    facts = subjects.room_of(journey.subject_type).facts([journey.subject_id]).get(journey.subject_id)
    return facts.team if facts is not None else {}


def holds_role(journey: Journey, role: str, by: Any) -> bool:
    """Whether `by` holds a role over the record: a slot of its deal team, or the role itself in the company."""
    if role in DEAL_TEAM:
        return by.pk in team_of(journey).get(role, frozenset())
    held = {str(r) for r in by.roles}
    return role in held or {"SDT": "MGR", "BIZ": "MGR"}.get(role, "") in held


@transaction.atomic
def withdraw_attestation(attestation_id: int, *, by: Any, at: datetime, channel: str) -> Attestation:
    """Take back one's own word; the item is open again."""
    row = (
        Attestation.objects.select_for_update(of=("self",))
        .select_related("journey")
        .filter(pk=attestation_id, withdrawn_at=None)
        .first()
    )
    if row is None:
        raise NotFound
    journey = journey_for(row.journey_id, by=by, right="deal.attest")
    if row.by_id != by.pk:
        raise NotPermitted
    with facts_change(journey.subject_type, [journey.subject_id], at=at):
        row.withdrawn_at = at
        row.save(update_fields=["withdrawn_at"])
        record(
            [
                NewEvent(
                    **ledger.event_base(
                        journey,
                        journey.process_version.number,
                        type="attestation_withdrawn",
                        actor_id=by.pk,
                        effective_at=at,
                        channel=channel,
                        data={"criterion": row.criterion_key, "attestation": row.pk},
                    )
                )
            ]
        )
    return row


def gains_by(row: Journey, by: Any, *, team: Mapping[str, Collection[int]] | None = None) -> bool:
    """Approver ≠ beneficiary (OV-5): the owner, and the people of the deal team; `team` if its facts are at hand."""
    if row.owner_id == by.pk:
        return True
    if team is None:
        facts = subjects.room_of(row.subject_type).facts([row.subject_id]).get(row.subject_id)
        team = facts.team if facts is not None else {}
    return any(by.pk in people for people in team.values())


@transaction.atomic
def grant_waiver(
    journey_id: int,
    *,
    criterion_key: str,
    reason_code: str,
    text: str,
    expires_at: datetime,
    by: Any,
    at: datetime,
    channel: str,
) -> Waiver:
    """Let a criterion pass for a while. Raises NotFound, NotPermitted, WaiverRefused, Invalid (OV-1).

    Granted directly by somebody with the right over the row who is not its owner, with a listed reason, at
    least ten characters of text, and an end.
    """
    journey = journey_for(journey_id, by=by, right="waiver.grant")
    definition = definition_of(journey.process_version)
    criterion = criterion_of(journey, criterion_key)
    errors = []
    if len(text.strip()) < MIN_REASON:
        errors.append(
            {
                "field": "text",
                "message": _("Say why in at least %(count)s characters.") % {"count": MIN_REASON},
            }
        )
    if definition.lists.get("waiver") and definition.reason("waiver", reason_code) is None:
        errors.append({"field": "reason", "message": _("Choose a reason from the list.")})
    if expires_at <= at:
        errors.append({"field": "expires", "message": _("A waiver ends later than now.")})
    if errors:
        raise Invalid(errors=errors)
    if journey.owner_id == by.pk:
        raise WaiverRefused(_("The owner cannot waive for the own deal; ask a manager."))
    if gains_by(journey, by):
        raise WaiverRefused(_("Who is on the deal team cannot waive for it; ask a manager outside it."))
    if not criterion.waivable:
        raise WaiverRefused(_("This item cannot be waived."))
    within_budget(by, at)
    return write_waiver(
        journey,
        criterion_key=criterion_key,
        reason_code=reason_code,
        text=text,
        expires_at=expires_at,
        by=by,
        at=at,
        channel=channel,
    )


def write_waiver(
    journey: Journey,
    *,
    criterion_key: str,
    reason_code: str,
    text: str,
    expires_at: datetime,
    by: Any,
    at: datetime,
    channel: str,
    compensation: str = "",
    forced: bool = False,
) -> Waiver:
    """The row and its event; who may grant it was asked before."""
    with facts_change(journey.subject_type, [journey.subject_id], at=at):
        row = Waiver.objects.create(
            journey=journey,
            criterion_key=criterion_key,
            reason_code=reason_code,
            text=text.strip(),
            compensation=compensation.strip(),
            forced=forced,
            granted_by=by,
            granted_at=at,
            expires_at=expires_at,
        )
        data = {"criterion": criterion_key, "waiver": row.pk, "until": expires_at.isoformat()}
        record(
            [
                NewEvent(
                    **ledger.event_base(
                        journey,
                        journey.process_version.number,
                        type="waiver_granted",
                        actor_id=by.pk,
                        effective_at=at,
                        channel=channel,
                        reason_code=reason_code,
                        data=data | ({"forced": True} if forced else {}),
                        comment=row.text,
                    )
                )
            ]
        )
    return row


@transaction.atomic
def revoke_waiver(waiver_id: int, *, by: Any, at: datetime, channel: str) -> Waiver:
    """End a waiver before its time."""
    row = Waiver.objects.select_for_update(of=("self",)).filter(pk=waiver_id, revoked_at=None).first()
    if row is None:
        raise NotFound
    journey = journey_for(row.journey_id, by=by, right="waiver.grant")
    with facts_change(journey.subject_type, [journey.subject_id], at=at):
        row.revoked_at = at
        row.save(update_fields=["revoked_at"])
        record(
            [
                NewEvent(
                    **ledger.event_base(
                        journey,
                        journey.process_version.number,
                        type="waiver_revoked",
                        actor_id=by.pk,
                        effective_at=at,
                        channel=channel,
                        data={"criterion": row.criterion_key, "waiver": row.pk},
                    )
                )
            ]
        )
    return row
