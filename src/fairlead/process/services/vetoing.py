"""Saying no in one's own field, and how that is settled: taken back, its alternative accepted, or overruled (IT-3).

A no that nobody settles for two working days goes to those who decide: a task, and a notice to the manager.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common import records
from fairlead.common.refusals import Invalid, NotFound, Stale
from fairlead.common.text import clean_text
from fairlead.journal.enums import Channel
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.selectors import calendars, default_calendar
from fairlead.work.enums import Reason
from fairlead.work.services.notifications import notify
from fairlead.work.services.plans import PlannedTask, tasks_of_plan

from ..enums import JourneyState, VetoDomain, VetoState
from ..models import Journey, Veto
from ..refusals import VetoRefused
from ..vetoes import role_of
from . import ledger
from .clock_notices import Managers, Notice, tell
from .evidence import MIN_REASON, facts_change, holds_role, journey_for, team_of

RAISE, OVERRULE = "veto.raise", "veto.overrule"
LONGEST = 2000
PATIENCE = 2  # working days until it goes to those who decide
BATCH = 50


@transaction.atomic
def raise_veto(
    journey_id: int, *, domain: str, clause: str, alternative: str, by: Any, at: datetime, channel: str
) -> Veto:
    """Say no to a clause and propose another. Raises NotFound, NotPermitted, VetoRefused, Invalid.

    Whoever says no holds the role of the field on this record: SR in technology, FR in delivery, AR about the
    customer, finance and legal by their role in the company.
    """
    journey = journey_for(journey_id, by=by, right=RAISE)
    errors = []
    said = clean_text(clause, limit=100_000, field="clause").strip()
    instead = clean_text(alternative, limit=100_000, multiline=True, field="alternative").strip()
    if domain not in VetoDomain.values:
        errors.append({"field": "domain", "message": _("Choose the field in which you say no.")})
    if not 0 < len(said) <= 200:
        errors.append({"field": "clause", "message": _("Name the clause, in 1 to 200 characters.")})
    if not MIN_REASON <= len(instead) <= LONGEST:
        errors.append(
            {
                "field": "alternative",
                "message": _("Say what would do instead, in %(least)s to %(most)s characters.")
                % {"least": MIN_REASON, "most": LONGEST},
            }
        )
    if errors:
        raise Invalid(errors=errors)
    if journey.state not in (JourneyState.OPEN, JourneyState.ON_HOLD):
        raise VetoRefused(_("This is closed; a veto would stop nothing. Reopen it first."))
    role = role_of(domain)
    if not holds_role(journey, role, by):
        raise VetoRefused(
            _("Only %(role)s says no in this field. Ask them a question, or leave a comment.")
            % {"role": role}
        )
    with facts_change(journey.subject_type, [journey.subject_id], at=at):
        row = Veto.objects.create(
            journey=journey, domain=domain, role=role, clause=said, alternative=instead, by=by, at=at
        )
        note(row, journey, "veto_raised", by=by, at=at, channel=channel, text=instead)
    tell_team(row, journey, "veto_raised", by=by, at=at)
    return row


def withdraw_veto(veto_id: int, *, version: int, by: Any, at: datetime, channel: str) -> Veto:
    """Take one's own no back."""
    return _settle(veto_id, VetoState.WITHDRAWN, "", version=version, by=by, at=at, channel=channel)


def accept_alternative(veto_id: int, *, version: int, by: Any, at: datetime, channel: str) -> Veto:
    """Whoever works on the record takes the alternative; not the one who proposed it."""
    return _settle(veto_id, VetoState.ACCEPTED, "", version=version, by=by, at=at, channel=channel)


def overrule_veto(veto_id: int, *, reason: str, version: int, by: Any, at: datetime, channel: str) -> Veto:
    """Those who decide go on in spite of it, and say why; never the owner of the record."""
    return _settle(veto_id, VetoState.OVERRULED, reason, version=version, by=by, at=at, channel=channel)


@transaction.atomic
def _settle(
    veto_id: int, state: VetoState, reason: str, *, version: int, by: Any, at: datetime, channel: str
) -> Veto:
    found = Veto.objects.filter(pk=veto_id).values_list("journey_id", flat=True).first()
    if found is None:
        raise NotFound
    journey = journey_for(found, by=by, right=_right_to(state, found))
    row = Veto.objects.select_for_update(of=("self",)).get(pk=veto_id)
    if row.state != VetoState.OPEN or row.version != version:
        raise Stale(details={"version": row.version})
    _check_settling(row, journey, state, by)
    text = clean_text(reason, limit=100_000, multiline=True, field="reason").strip()
    if state == VetoState.OVERRULED and not MIN_REASON <= len(text) <= LONGEST:
        raise Invalid.field(
            "reason",
            _("Say why in %(least)s to %(most)s characters.") % {"least": MIN_REASON, "most": LONGEST},
        )
    with facts_change(journey.subject_type, [journey.subject_id], at=at):
        row.state, row.settled_by, row.settled_at, row.reason = state, by, at, text
        row.version += 1
        row.save()
        note(row, journey, f"veto_{state}", by=by, at=at, channel=channel, text=text)
    tell_team(row, journey, f"veto_{state}", by=by, at=at)
    return row


def _right_to(state: VetoState, journey_id: int) -> str:
    if state == VetoState.WITHDRAWN:
        return RAISE
    if state == VetoState.OVERRULED:
        return OVERRULE
    kind = Journey.objects.values_list("subject_type", flat=True).get(pk=journey_id)
    return records.record_type(kind).edit_right


def _check_settling(row: Veto, journey: Journey, state: VetoState, by: Any) -> None:
    if state == VetoState.WITHDRAWN and row.by_id != by.pk:
        raise VetoRefused(_("Whoever said no takes it back."))
    if state == VetoState.ACCEPTED and row.by_id == by.pk:
        raise VetoRefused(_("Somebody else accepts what you proposed; take your veto back instead."))
    if state == VetoState.OVERRULED and by.pk in (journey.owner_id, row.by_id):
        raise VetoRefused(_("Neither the owner nor whoever said no decides over a veto."))


def tell_team(row: Veto, journey: Journey, code: str, *, by: Any, at: datetime) -> None:
    """Whoever said no, the owner and the deal team."""
    people = {person for held in team_of(journey).values() for person in held}
    notify(
        recipients={row.by_id, *people, *([journey.owner_id] if journey.owner_id is not None else ())},
        reason=Reason.TEAM,
        subject_type=journey.subject_type,
        subject_id=journey.subject_id,
        text=(code, {"veto": row.pk}),
        by=by,
        at=at,
    )


# --- what nobody settles ---


def escalate_vetoes(*, at: datetime) -> int:
    """Bring vetoes older than two working days before those who decide; how many. Bears a second run."""
    calendar = default_calendar()
    waiting = Veto.objects.filter(state=VetoState.OPEN, escalated_at=None, at__lt=at).order_by("pk")
    due = [
        pk
        for pk, since in waiting.values_list("pk", Coalesce("again_at", "at"))
        if calendar.add_working_days(since, PATIENCE) < at
    ]
    done = 0
    for pk in due[:BATCH]:
        done += _escalate(pk, at)
    return done


@transaction.atomic
def _escalate(veto_id: int, at: datetime) -> int:
    journey_id = Veto.objects.values_list("journey_id", flat=True).get(pk=veto_id)
    journey = ledger.lock([journey_id]).get(journey_id)
    row = Veto.objects.select_for_update(of=("self",)).get(pk=veto_id)
    if journey is None or row.state != VetoState.OPEN or row.escalated_at is not None:
        return 0
    row.escalated_at = at
    row.version += 1
    row.save(update_fields=["escalated_at", "version"])
    deciding = Managers().of(journey.team_id) - {journey.owner_id, row.by_id}
    planned = PlannedTask(
        title=_("Decide over a veto: %(clause)s") % {"clause": row.clause[:150]},
        list_key="",
        assignee_id=(assignee := min(deciding, default=None)),
        due_date=calendars().of(assignee).workday_after(timezone.localdate(at), 1),
    )
    with records.record_type(journey.subject_type).changing([journey.subject_id], at):
        tasks_of_plan(
            journey.subject_type, journey.subject_id, [planned], by=None, at=at, channel=Channel.SYSTEM
        )
    note(row, journey, "veto_escalated", by=None, at=at, channel=Channel.SYSTEM)
    tell(
        [
            Notice(
                recipient_ids=tuple(sorted(deciding)),
                subject_type=journey.subject_type,
                subject_id=journey.subject_id,
                code="veto_escalated",
                params={"veto": row.pk},
                at=at,
                reason=Reason.ESCALATED,
            )
        ]
    )
    return 1


def note(
    row: Veto, journey: Journey, type_: str, *, by: Any, at: datetime, channel: str, text: str = ""
) -> None:
    record(
        [
            NewEvent(
                **ledger.event_base(
                    journey,
                    journey.process_version.number,
                    type=type_,
                    actor_id=by.pk if by is not None else None,
                    effective_at=at,
                    channel=channel,
                    data={"veto": row.pk, "domain": row.domain, "role": row.role},
                    payload={"clause": row.clause},
                    comment=text,
                )
            )
        ]
    )
