"""Reading approvals: what the engine may know of them, what is frozen, whom a request meets, and lists of requests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import IntFlag
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from fairlead.common.questions import Question
from fairlead.organisation.enums import Role
from fairlead.organisation.models import RoleAssignment, User

from .. import subjects
from ..approval_enums import RequestState, SeatState, VoidReason
from ..approver_resolution import Deputy, Leader, Picture
from ..definitions import definitions_of
from ..envelopes import bounds_from_json
from ..facts import ApprovalFact, ConditionFact
from ..models import (
    ApprovalCondition,
    ApprovalGrant,
    ApprovalRequest,
    ApprovalSeat,
    Delegation,
    Journey,
    Precedent,
)


class Has(IntFlag):
    """What there is to read about a journey (`Journey.approvals`); nothing is asked where nothing is."""

    PENDING = 1
    GRANTS = 2
    CONDITIONS = 4


_GRANT = (
    "journey_id", "pk", "kind", "lever", "tier", "bounds", "granted_at", "expires_at", "about", "voided_at", "void_reason",
    "stage_key",
)  # fmt: skip
_CONDITION = (
    "journey_id", "pk", "key", "stage_key", "kind", "name", "text", "role", "met_at", "holds_from", "dropped_at",
)  # fmt: skip
#: What was replaced or has gone out of the process is not told any more.
_TOLD = Q(voided_at=None) | Q(void_reason__in=[VoidReason.OUTSIDE, VoidReason.REGRESS])

_grants_now = Question(
    lambda ids: ApprovalGrant.objects.filter(_TOLD, journey__in=ids).order_by("pk").values_list(*_GRANT),
    lists=("ids",),
)
_pending_now = Question(
    lambda ids: (
        ApprovalRequest.objects.filter(journey__in=ids, state=RequestState.PENDING)
        .order_by("pk")
        .values_list("journey_id", "pk", "kind", "about", "submitted_at")
    ),
    lists=("ids",),
)
_conditions_now = Question(
    lambda ids: (
        ApprovalCondition.objects.filter(journey__in=ids, holds_from__isnull=False, dropped_at=None)
        .order_by("pk")
        .values_list(*_CONDITION)
    ),
    lists=("ids",),
)


def approvals_of(journeys: Sequence[Journey]) -> dict[int, list[ApprovalFact]]:
    """What is decided and being decided, by journey: no statement where there is nothing."""
    found: dict[int, list[ApprovalFact]] = defaultdict(list)
    if ids := _with(journeys, Has.GRANTS):
        for row in _grants_now(ids):
            found[row[0]].append(_grant_fact(row, None))
    if ids := _with(journeys, Has.PENDING):
        for journey_id, pk, kind, about, at in _pending_now(ids):
            found[journey_id].append(
                ApprovalFact(
                    id=pk, kind=kind, lever="", tier=0, bounds=(), granted_at=at, about=about, is_pending=True
                )
            )
    return found


def conditions_of(journeys: Sequence[Journey]) -> dict[int, list[ConditionFact]]:
    found: dict[int, list[ConditionFact]] = defaultdict(list)
    if ids := _with(journeys, Has.CONDITIONS):
        for row in _conditions_now(ids):
            found[row[0]].append(_condition_fact(row, None))
    return found


class ApprovalsThen:
    """The same as they were known at any instant, read once."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._grants: dict[int, list[Any]] = defaultdict(list)
        self._conditions: dict[int, list[Any]] = defaultdict(list)
        self._requests: dict[int, list[Any]] = defaultdict(list)
        for row in ApprovalGrant.objects.filter(journey__in=ids).order_by("pk").values_list(*_GRANT):
            self._grants[row[0]].append(row)
        for row in (
            ApprovalCondition.objects.filter(journey__in=ids, holds_from__isnull=False)
            .order_by("pk")
            .values_list(*_CONDITION)
        ):
            self._conditions[row[0]].append(row)
        for row in (
            ApprovalRequest.objects.filter(journey__in=ids)
            .order_by("pk")
            .values_list("journey_id", "pk", "kind", "about", "submitted_at", "ended_at")
        ):
            self._requests[row[0]].append(row)

    def approvals(self, journey_id: int, at: datetime) -> tuple[ApprovalFact, ...]:
        held = [
            _grant_fact(row, at)
            for row in self._grants.get(journey_id, ())
            if row[6] <= at and (row[9] is None or row[9] > at or row[10] in _LEFT)
        ]
        pending = [
            ApprovalFact(
                id=pk, kind=kind, lever="", tier=0, bounds=(), granted_at=since, about=about, is_pending=True
            )
            for _journey, pk, kind, about, since, end in self._requests.get(journey_id, ())
            if since <= at and (end is None or end > at)
        ]
        return (*held, *pending)

    def conditions(self, journey_id: int, at: datetime) -> tuple[ConditionFact, ...]:
        return tuple(
            _condition_fact(row, at)
            for row in self._conditions.get(journey_id, ())
            if row[9] <= at and (row[10] is None or row[10] > at)
        )


_LEFT = (VoidReason.OUTSIDE, VoidReason.REGRESS)


def _with(journeys: Iterable[Journey], what: Has) -> list[int]:
    return [j.pk for j in journeys if j.approvals & what]


def _grant_fact(row: tuple[Any, ...], as_of: datetime | None) -> ApprovalFact:
    _journey, pk, kind, lever, tier, bounds, granted_at, expires_at, about, voided_at, _why, stage_key = row
    return ApprovalFact(
        id=pk,
        kind=kind,
        lever=lever,
        tier=tier,
        bounds=bounds_from_json(bounds),
        granted_at=granted_at,
        expires_at=expires_at,
        about=about,
        was_outside=voided_at is not None and (as_of is None or voided_at <= as_of),
        stage_key=stage_key,
    )


def _condition_fact(row: tuple[Any, ...], as_of: datetime | None) -> ConditionFact:
    _journey, pk, _key, stage_key, kind, name, text, role, met_at, _from, _dropped = row
    return ConditionFact(
        id=pk,
        key=f"condition_{pk}",
        stage_key=stage_key,
        kind=kind,
        name=name,
        text=text,
        role=role,
        met_at=met_at if as_of is None or (met_at is not None and met_at <= as_of) else None,
    )


def condition_name(key: str) -> str:
    """The words of a condition by the key of its criterion; see `words.name_keys`."""
    number = key.removeprefix("condition_")
    if not number.isdigit():
        return ""
    return (
        ApprovalCondition.objects.filter(pk=int(number)).values_list("text", flat=True).first() or ""
        if len(number) < 16
        else ""
    )


def says_when_met(user: Any, condition: ApprovalCondition) -> bool:
    """Whether this person may say that a condition is fulfilled which nothing else shows (AP-12): whoever set it, or a
    manager of the record, and never its owner."""
    journey = condition.journey
    if journey is None or condition.kind != "word" or journey.owner_id == user.pk:
        return False
    if condition.set_by_id == user.pk:
        return True
    room = subjects.room_of(condition.subject_type)
    return bool(room.visible_ids(user, [journey.subject_id], right="waiver.grant"))


def condition_behind(number: Any) -> ApprovalCondition | None:
    """The condition that an item of a gate stands for, by `mend_params["condition"]`."""
    rows = ApprovalCondition.objects.select_related("set_by", "journey")
    return rows.filter(pk=number).first()


def frozen_fields(journeys: Iterable[Journey]) -> dict[int, frozenset[str]]:
    """By subject: the fields that stand still while a request is being decided (AP-5). Mostly without a statement."""
    rows = {j.pk: j for j in journeys if j.approvals & Has.PENDING}
    found: dict[int, frozenset[str]] = {}
    if not rows:
        return found
    definitions = definitions_of({j.process_version_id for j in rows.values()})
    for journey_id, _pk, kind_key, _about, _at in _pending_now(list(rows)):
        journey = rows[journey_id]
        kind = definitions[journey.process_version_id].approvals.kinds.get(kind_key)
        if kind is not None:
            found[journey.subject_id] = found.get(journey.subject_id, frozenset()) | kind.fields
    return found


def frozen_of(subject_type: str, subject_ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """The same where the journeys are not at hand."""
    return frozen_fields(
        Journey.objects.on(subject_type, subject_ids)
        .current()
        .filter(approvals__gt=0)
        .only("pk", "approvals", "subject_id", "process_version_id")
    )


# --- whom a request meets ---


def picture(journey: Journey, *, at: datetime, usernames: Iterable[str] = ()) -> Picture:
    """The organisation as approvals of this journey see it (see `approver_resolution`)."""
    teams = dict(User.objects.active().order_by("pk").values_list("pk", "team_id"))
    leaders: list[Leader] = []
    holders: dict[str, list[int]] = defaultdict(list)
    rows = RoleAssignment.objects.filter(user__is_active=True).select_related("user__team", "team")
    for row in rows.order_by("pk"):
        if row.user_id not in holders[row.role]:
            holders[row.role].append(row.user_id)
        team = row.team or row.user.team
        if row.role == Role.MGR and team is not None:
            leaders.append(
                Leader(
                    user_id=row.user_id,
                    depth=team.depth,
                    team_ids=frozenset(team.branch_ids) | {team.pk},
                )
            )
    named = dict(
        User.objects.filter(username__in=[u.casefold() for u in usernames]).values_list("username", "pk")
    )
    room = subjects.room_of(journey.subject_type)
    facts = room.facts([journey.subject_id]).get(journey.subject_id)
    gone = User.objects.filter(is_active=False).values_list("pk", "team_id")
    return Picture(
        team_of=teams,
        leaders=tuple(leaders),
        holders={role: tuple(people) for role, people in holders.items()},
        deal={role: tuple(sorted(people)) for role, people in facts.team.items()} if facts else {},
        deputies=deputies_on(at),
        by_username=named,
        process_owners=tuple(holders[Role.PROCESS_OWNER] or holders[Role.ADMIN]),
        teams_then=dict(gone),
    )


def deputies_on(at: datetime) -> dict[int, tuple[Deputy, ...]]:
    """Standing delegations in force on the business day of `at`, by delegator, the earlier first."""
    day = timezone.localdate(at, timezone.get_default_timezone())
    found: dict[int, list[Deputy]] = defaultdict(list)
    rows = Delegation.objects.filter(revoked_at=None, from_date__lte=day, to_date__gte=day).order_by("pk")
    for row in rows:
        found[row.delegator_id].append(
            Deputy(id=row.pk, delegate_id=row.delegate_id, kinds=frozenset(row.kinds), cap=row.amount_cap)
        )
    return {person: tuple(rows_of) for person, rows_of in found.items()}


# --- lists ---


def requests_seen_by(user: Any) -> QuerySet[ApprovalRequest]:
    """Requests about records that the person sees, and those that the person takes part in."""
    condition = Q(seats__person=user) | Q(copies__person=user) | Q(submitted_by=user) | Q(questions__to=user)
    for subject_type, ids in subjects.visible_subjects(user).items():
        condition |= Q(journey__subject_type=subject_type, journey__subject_id__in=ids)
    return ApprovalRequest.objects.filter(pk__in=ApprovalRequest.objects.filter(condition).values("pk"))


def waiting_for(user: Any) -> QuerySet[ApprovalSeat]:
    """The seats at which a decision of the person is asked now, the longest waiting first."""
    return (
        ApprovalSeat.objects.filter(person=user, state=SeatState.ASKED)
        .select_related("request__journey__stage", "request__submitted_by", "step", "for_person")
        .order_by("asked_at", "pk")
    )


def decided_by(user: Any) -> QuerySet[ApprovalSeat]:
    return (
        ApprovalSeat.objects.filter(person=user, state__in=[SeatState.APPROVED, SeatState.REJECTED])
        .select_related("request__journey__stage", "request__submitted_by", "step", "for_person")
        .order_by("-decided_at", "-pk")
    )


def precedents(
    *, kind: str = "", lever: str = "", subject: tuple[str, int] | None = None
) -> QuerySet[Precedent]:
    """The register of exceptions, newest first (AP-13)."""
    rows = Precedent.objects.select_related("grant__request")
    if kind:
        rows = rows.filter(kind=kind)
    if lever:
        rows = rows.filter(lever=lever)
    if subject:
        rows = rows.filter(subject_type=subject[0], subject_id=subject[1])
    return rows


def values_of(bounds: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {b["field"]: b["value"] for b in bounds}
