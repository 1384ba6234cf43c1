"""The iron triangle at work: the agreed split (IT-1, IT-6), hand-overs (IT-5), and questions to a role (SL-4)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from fairlead.common.names import localized
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.common.text import clean_text
from fairlead.journal.enums import Channel
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import User
from fairlead.organisation.selectors import calendars
from fairlead.process.definition import Definition, Package
from fairlead.process.definitions import definition_of
from fairlead.process.enums import GIVEN_UP
from fairlead.process.services import facts_change
from fairlead.process.services.clock_notices import Managers, Notice, tell
from fairlead.process.team_reading import return_reasons
from fairlead.work.enums import Reason
from fairlead.work.services.notifications import notify

from ..enums import AskState, HandOverState, TeamRole
from ..models import BonusSplit, HandOver, Opportunity, RoleQuestion
from ..refusals import MergedAway, NotYours
from ..rules import reaches

KIND, EDIT = "opportunity", "opportunity.edit"
USUAL_SPLIT = {"ar": 40, "sr": 30, "fr": 30}
LONGEST = 2000
ANSWER_DAYS, MOST_DAYS = 3, 30
BATCH = 50

# Rooms above follow an accepted hand-over in its transaction: a gate of the contract may wait for it.
HandOverHook = Callable[[HandOver, datetime], None]
_hooks: list[HandOverHook] = []


def add_hand_over_hook(hook: HandOverHook) -> None:
    _hooks.append(hook)


def _deal(opportunity_id: int, *, by: Any) -> Opportunity:
    """The deal with its journey, if `by` works on it."""
    rows = Opportunity.objects.select_related("journey__stage", "journey__process_version__process")
    found = rows.visible_to(by).filter(pk=opportunity_id).first()
    if found is None or found.journey is None:
        raise NotFound
    if found.merged_into_id is not None:
        raise MergedAway(details={"into": found.merged_into_id})
    if not reaches(by, EDIT, found):
        raise NotPermitted
    return found


def holder(deal: Opportunity, role: str) -> int | None:
    """Who fills a slot today."""
    found: int | None = getattr(deal, f"{role.lower()}_id") if role in TeamRole.values else None
    return found


# --- the split ---


@transaction.atomic
def agree_split(
    opportunity_id: int, *, ar: int, sr: int, fr: int, by: User, at: datetime, channel: str
) -> BonusSplit:
    """Agree how the bonus is shared; what was agreed before stays on record with its end. Raises Invalid."""
    deal = _deal(opportunity_id, by=by)
    shares = {"ar": ar, "sr": sr, "fr": fr}
    errors = [
        {"field": name, "message": _("A share from 0 to 100 is expected.")}
        for name, share in shares.items()
        if not 0 <= share <= 100
    ]
    total = sum(shares.values())
    if not errors and total != 100:
        message = _("The shares make 100 together; these make %(total)s.") % {"total": total}
        errors = [{"field": "fr", "message": message}]
    if errors:
        raise Invalid(errors=errors)
    Opportunity.objects.select_for_update(of=("self",)).get(
        pk=deal.pk
    )  # two agreements come one after the other
    standing = BonusSplit.objects.filter(opportunity=deal, ended_at=None)
    before = standing.first()
    if before is not None and all(getattr(before, name) == share for name, share in shares.items()):
        return before
    standing.update(ended_at=at)
    row = BonusSplit.objects.create(opportunity=deal, agreed_by=by, agreed_at=at, **shares)
    said = {name: getattr(before, name) for name in shares} if before is not None else None
    _note(deal, "bonus_split_agreed", by=by, at=at, channel=channel, before=said, after=shares)
    return row


# --- handing over ---


def definition_for(deal: Opportunity) -> Definition:
    assert deal.journey is not None
    return definition_of(deal.journey.process_version)


@transaction.atomic
def offer_hand_over(
    opportunity_id: int,
    *,
    package: str,
    there: Collection[str],
    by: User,
    at: datetime,
    channel: str,
    note: str = "",
) -> HandOver:
    """Offer the package to whoever holds the other role. `there`: keys of the items that are brought along.

    Whoever holds the giving role offers, or the owner for them. Raises NotFound, NotPermitted, NotYours, Invalid.
    """
    with facts_change(KIND, [opportunity_id], at=at):
        deal = _deal(opportunity_id, by=by)
        wanted = definition_for(deal).packages.get(package)
        if wanted is None:
            raise Invalid.field("package", _("This process knows no such hand-over."))
        giver, taker = holder(deal, wanted.from_role), holder(deal, wanted.to_role)
        if by.pk not in (giver, deal.owner_id):
            raise NotYours(
                _("%(role)s hands this over, or the owner of the deal.") % {"role": wanted.from_role}
            )
        said = clean_text(note, limit=100_000, multiline=True, field="note").strip()
        errors = _offer_errors(wanted, there, taker, by)
        if len(said) > LONGEST:
            errors.append(
                {"field": "note", "message": _("Write at most %(most)s characters.") % {"most": LONGEST}}
            )
        before = HandOver.objects.filter(opportunity=deal, from_role=wanted.from_role, to_role=wanted.to_role)
        if before.filter(state=HandOverState.OFFERED).exists():
            errors = [{"field": "package", "message": _("It is offered already and waits for an answer.")}]
        if errors:
            raise Invalid(errors=errors)
        last = before.filter(state=HandOverState.ACCEPTED).order_by("-pk").first()
        since = last.pk if last is not None else 0
        tried = before.filter(pk__gt=since, state=HandOverState.RETURNED).count()
        assert deal.journey is not None and taker is not None
        row = HandOver.objects.create(
            opportunity=deal,
            from_role=wanted.from_role,
            to_role=wanted.to_role,
            stage_key=deal.journey.stage.key,
            attempt=tried + 1,
            package=[
                {"key": i.key, "name": dict(i.name), "required": i.required, "there": i.key in there}
                for i in wanted.items
            ],
            note=said,
            by=by,
            to_id=taker,
            offered_at=at,
            due_at=calendars().of(taker).add_working_days(at, wanted.days),
        )
        _note(
            deal, "handover_offered", by=by, at=at, channel=channel, text=row.note,
            handover=row.pk, package=row.key, attempt=row.attempt, to=taker,
        )  # fmt: skip
    _tell(deal, [taker], Reason.ASKED, "handover_offered", by=by, at=at, handover=row.pk)
    return row


def _offer_errors(
    wanted: Package, there: Collection[str], taker: int | None, by: User
) -> list[dict[str, str]]:
    missing = [item for item in wanted.items if item.required and item.key not in there]
    errors = []
    if set(there) - {item.key for item in wanted.items}:
        errors.append({"field": "there", "message": _("The package has no such item.")})
    elif missing:
        names = _(", ").join(localized(item.name) for item in missing)
        errors.append({"field": "there", "message": _("Still missing: %(names)s.") % {"names": names}})
    if taker is None:
        message = _("Nobody is %(role)s on this deal yet. Fill the slot first.") % {"role": wanted.to_role}
        errors.append({"field": "package", "message": message})
    elif taker == by.pk:
        message = _("You hold both roles: there is nobody to hand it to.")
        errors.append({"field": "package", "message": message})
    return errors


def accept_hand_over(handover_id: int, *, version: int, by: User, at: datetime, channel: str) -> HandOver:
    """Take it. From then on it counts at gates that ask for it."""
    with _answering(handover_id, version, by, at) as (row, deal):
        row.state = HandOverState.ACCEPTED
        _answered(row, deal, "handover_accepted", by=by, at=at, channel=channel)
        row.save()
        for hook in _hooks:
            hook(row, at)
    return row


def return_hand_over(
    handover_id: int, *, reason_code: str, reason: str, version: int, by: User, at: datetime, channel: str
) -> HandOver:
    """Give it back, with a listed reason and what has to be mended (打回)."""
    with _answering(handover_id, version, by, at) as (row, deal):
        errors = []
        if reason_code not in {r.key for r in return_reasons(definition_for(deal).lists)}:
            errors.append({"field": "reason_code", "message": _("Choose a reason from the list.")})
        said = clean_text(reason, limit=100_000, multiline=True, field="reason").strip()
        if not 0 < len(said) <= LONGEST:
            message = _("Say what has to be mended, in 1 to %(most)s characters.") % {"most": LONGEST}
            errors.append({"field": "reason", "message": message})
        if errors:
            raise Invalid(errors=errors)
        row.state, row.reason_code, row.reason = HandOverState.RETURNED, reason_code, said
        _answered(row, deal, "handover_returned", by=by, at=at, channel=channel, text=said, why=reason_code)
    return row


def withdraw_hand_over(handover_id: int, *, version: int, by: User, at: datetime, channel: str) -> HandOver:
    """Whoever offered it takes it back before it is answered; it counts as no attempt."""
    with _open_hand_over(handover_id, version, by, at) as (row, deal):
        if by.pk not in (row.by_id, deal.owner_id):
            raise NotYours(_("Whoever offered it takes it back."))
        row.state = HandOverState.WITHDRAWN
        row.answered_by, row.answered_at = by, at
        _note(
            deal, "handover_withdrawn", by=by, at=at, channel=channel,
            handover=row.pk, package=row.key, attempt=row.attempt,
        )  # fmt: skip
    return row


@contextmanager
def _open_hand_over(
    handover_id: int, version: int, by: User, at: datetime
) -> Iterator[tuple[HandOver, Opportunity]]:
    """The locked row, saved when the block ends; journeys first, as every write to evidence locks them."""
    found = HandOver.objects.filter(pk=handover_id).values_list("opportunity_id", flat=True).first()
    if found is None:
        raise NotFound
    with transaction.atomic(), facts_change(KIND, [found], at=at):
        deal = _deal(found, by=by)
        row = HandOver.objects.select_for_update(of=("self",)).get(pk=handover_id)
        if row.version != version or row.state != HandOverState.OFFERED:
            raise Stale(details={"version": row.version})
        row.version += 1
        yield row, deal
        row.save()


@contextmanager
def _answering(
    handover_id: int, version: int, by: User, at: datetime
) -> Iterator[tuple[HandOver, Opportunity]]:
    """Whoever holds the taking role now answers: the person may have changed since it was offered."""
    with _open_hand_over(handover_id, version, by, at) as (row, deal):
        if by.pk != holder(deal, row.to_role) or by.pk == row.by_id:
            raise NotYours(_("%(role)s on this deal answers it.") % {"role": row.to_role})
        row.answered_by, row.answered_at = by, at
        yield row, deal


def _answered(
    row: HandOver, deal: Opportunity, type_: str, *, by: User, at: datetime, channel: str, text: str = "",
    why: str = "",
) -> None:  # fmt: skip
    _note(
        deal, type_, by=by, at=at, channel=channel, text=text, why=why,
        handover=row.pk, package=row.key, attempt=row.attempt, in_time=at <= row.due_at,
    )  # fmt: skip
    people = {row.by_id, holder(deal, row.from_role), deal.owner_id}
    _tell(deal, people, Reason.TEAM, type_, by=by, at=at, handover=row.pk)


# --- questions to a role ---


@transaction.atomic
def ask_role(
    opportunity_id: int,
    *,
    role: str,
    question: str,
    by: User,
    at: datetime,
    channel: str,
    days: int = ANSWER_DAYS,
) -> RoleQuestion:
    """Ask whoever fills a slot; an answer is owed within `days` working days. Raises Invalid."""
    deal = _deal(opportunity_id, by=by)
    said = clean_text(question, limit=100_000, multiline=True, field="question").strip()
    person = holder(deal, role)
    errors = []
    if role not in TeamRole.values:
        errors.append({"field": "role", "message": _("Choose whom to ask: AR, SR or FR.")})
    elif person is None:
        message = _("Nobody is %(role)s on this deal yet. Fill the slot first.") % {"role": role}
        errors.append({"field": "role", "message": message})
    elif person == by.pk:
        errors.append({"field": "role", "message": _("That is you. Choose another role.")})
    if not 0 < len(said) <= LONGEST:
        message = _("Write 1 to %(most)s characters.") % {"most": LONGEST}
        errors.append({"field": "question", "message": message})
    if not 1 <= days <= MOST_DAYS:
        message = _("1 to %(most)s working days are expected.") % {"most": MOST_DAYS}
        errors.append({"field": "days", "message": message})
    if errors:
        raise Invalid(errors=errors)
    assert deal.journey is not None and person is not None
    row = RoleQuestion.objects.create(
        opportunity=deal,
        role=role,
        to_id=person,
        question=said,
        by=by,
        asked_at=at,
        days=days,
        due_at=calendars().of(person).add_working_days(at, days),
        stage_key=deal.journey.stage.key,
    )
    _note(
        deal, "role_asked", by=by, at=at, channel=channel, text=said,
        question=row.pk, role=role, to=person, days=days,
    )  # fmt: skip
    _tell(deal, [person], Reason.ASKED, "role_asked", by=by, at=at, question=row.pk)
    return row


@transaction.atomic
def answer_role(
    question_id: int, *, answer: str, version: int, by: User, at: datetime, channel: str
) -> RoleQuestion:
    """Whoever fills the slot now answers; whether in time is kept with it."""
    row, deal = _open_question(question_id, version, by)
    if by.pk != holder(deal, row.role):
        raise NotYours(_("%(role)s on this deal answers it.") % {"role": row.role})
    said = clean_text(answer, limit=100_000, multiline=True, field="answer").strip()
    if not 0 < len(said) <= LONGEST:
        raise Invalid.field("answer", _("Write 1 to %(most)s characters.") % {"most": LONGEST})
    row.state, row.answer, row.settled_by, row.settled_at = AskState.ANSWERED, said, by, at
    row.version += 1
    row.save()
    _note(
        deal, "role_answered", by=by, at=at, channel=channel, text=said,
        question=row.pk, role=row.role, in_time=at <= row.due_at,
    )  # fmt: skip
    _tell(deal, {row.by_id}, Reason.TEAM, "role_answered", by=by, at=at, question=row.pk)
    return row


@transaction.atomic
def withdraw_question(
    question_id: int, *, version: int, by: User, at: datetime, channel: str
) -> RoleQuestion:
    row, deal = _open_question(question_id, version, by)
    if by.pk not in (row.by_id, deal.owner_id):
        raise NotYours(_("Whoever asked takes it back."))
    row.state, row.settled_by, row.settled_at = AskState.WITHDRAWN, by, at
    row.version += 1
    row.save()
    _note(deal, "role_question_withdrawn", by=by, at=at, channel=channel, question=row.pk, role=row.role)
    return row


def _open_question(question_id: int, version: int, by: User) -> tuple[RoleQuestion, Opportunity]:
    row = RoleQuestion.objects.select_for_update(of=("self",)).filter(pk=question_id).first()
    if row is None:
        raise NotFound
    deal = _deal(row.opportunity_id, by=by)
    if row.version != version or row.state != AskState.OPEN:
        raise Stale(details={"version": row.version})
    return row, deal


# --- what is overdue ---


def escalate_overdue(*, at: datetime) -> int:
    """Tell the manager, and both sides, of answers that are overdue; how many. Bears a second run."""
    managers, done = Managers(), 0
    kinds: tuple[tuple[Any, str, str], ...] = (
        (HandOver.objects.filter(state=HandOverState.OFFERED), "handover_overdue", "handover"),
        (RoleQuestion.objects.filter(state=AskState.OPEN), "role_answer_overdue", "question"),
    )
    for waiting, type_, name in kinds:
        due = waiting.filter(due_at__lt=at, escalated_at=None).order_by("due_at", "pk")
        due = due.exclude(opportunity__journey__state__in=GIVEN_UP)
        for pk in list(due.values_list("pk", flat=True)[:BATCH]):
            done += _escalate(waiting, pk, type_, name, managers, at)
    return done


@transaction.atomic
def _escalate(waiting: Any, pk: int, type_: str, name: str, managers: Managers, at: datetime) -> int:
    row = waiting.select_for_update(of=("self",)).filter(pk=pk, escalated_at=None).first()
    if row is None:
        return 0  # answered, or told of, since we looked
    deal = Opportunity.objects.get(pk=row.opportunity_id)
    waiting.filter(pk=pk).update(escalated_at=at, version=F("version") + 1)
    role = row.to_role if isinstance(row, HandOver) else row.role
    about: dict[str, Any] = {name: pk}
    _note(deal, type_, by=None, at=at, channel=Channel.SYSTEM, role=role, **about)
    people = {*managers.of(deal.team_id), row.to_id, row.by_id}
    notice = Notice(
        recipient_ids=tuple(sorted(people)),
        subject_type=KIND,
        subject_id=deal.pk,
        code=type_,
        params=about,
        at=at,
        reason=Reason.ESCALATED,
    )
    tell([notice])  # background work already: at once
    return 1


# --- parts ---


def _tell(
    deal: Opportunity, people: Collection[int | None], reason: str, code: str, *, by: Any, at: datetime,
    **params: Any,
) -> None:  # fmt: skip
    notify(
        recipients=[pk for pk in people if pk is not None],
        reason=reason,
        subject_type=KIND,
        subject_id=deal.pk,
        text=(code, params),
        by=by,
        at=at,
    )


def _note(
    deal: Opportunity, type_: str, *, by: Any, at: datetime, channel: str, text: str = "", why: str = "",
    **data: Any,
) -> None:  # fmt: skip
    record(
        [
            NewEvent(
                type=type_,
                subject_type=KIND,
                subject_id=deal.pk,
                journey_id=deal.journey_id,
                actor_id=by.pk if by is not None else None,
                effective_at=at,
                channel=channel,
                reason_code=why[:60],
                data=data,
                comment=text,
            )
        ]
    )
