"""Merging two deals that are one and the same (MV-8), and the way back.

One deal stays, the other one ends: cancelled, its open visit with the exit `merged`, in no open list, no forecast and
no count. What each brings:

- Fields: those of the deal that stays; where it says nothing, the other's; and whatever the person chooses. Amount and
  currency are one choice. Amounts are never added: it was one sale all along.
- What goes over: activities, tasks, comments, files, who follows or has starred it, buying roles of contacts, steps of
  the mutual plan, questions to roles, playbooks, answers and findings; the number of an outside system where the
  deal that stays has none.
- What stays as history where it happened: visits, attempts, approvals, confirmations, waivers, flags, vetoes, hand-overs,
  the split, and who was on the deal team when.

Two deals are not merged (`MergeRefused`, with every obstacle at once) when one of them has ended, when they travel on
different processes, while somebody is still to decide about the one that ends (approval, leave to pass, veto, hand-over),
when a contract hangs on it, or when their accounts differ and nobody has said that this is meant.

Whoever merges has the rights to edit and to move both. Within a day it is taken back as one act, as long as nothing
has happened to either since; the one who merged does so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.fields.catalogue import Catalogue, FieldSpec, catalogue
from fairlead.fields.values import to_json
from fairlead.journal.models import Event
from fairlead.journal.services import NewEvent, record
from fairlead.journal.undoing import CannotUndo
from fairlead.organisation.models import User
from fairlead.process import clock_events, fold
from fairlead.process import services as process
from fairlead.process.enums import CLOSED_STATES
from fairlead.process.models import Journey
from fairlead.work.services.hanging_over import hang_back, hang_over

from ..enums import HandOverState
from ..models import ContactRole, HandOver, Opportunity, PlanStep, RoleQuestion
from ..refusals import MergeRefused
from ..rooms import sync_next_steps
from ..rules import covers
from .records import edit
from .values import value_of

KIND: Final = "opportunity"
RIGHTS: Final = ("opportunity.edit", "opportunity.move")
TAKEN_BACK_WITHIN: Final = timedelta(hours=24)
RECEIVED, RETURNED = "merge_received", "merge_returned"
#: Chosen together: an amount without its currency says something else.
TOGETHER: Final[Mapping[str, tuple[str, ...]]] = {"amount": ("amount", "currency")}
_NEVER: Final = frozenset({"currency", "owner", "team"})  # with the amount; by handing the deal over

# Rooms above say what of theirs stops a deal from going: ids of deals → those, with the reason.
Guard = Callable[[int], str]
_guards: list[Guard] = []


def add_merge_guard(guard: Guard) -> None:
    """Called once, when a room starts: `guard(deal_id)` answers why this deal may not go, or nothing."""
    _guards.append(guard)


@dataclass(frozen=True, slots=True)
class Seen:
    """The versions of a deal and of its journey that the person saw."""

    deal: int
    journey: int


@dataclass(frozen=True, slots=True)
class Obstacle:
    code: str
    message: str


def choosable(fields: Catalogue, user: Any) -> list[FieldSpec]:
    """The fields whose value may come from either deal, in the order of the catalogue."""
    return [spec for spec in fields if spec.writable_by(user) and spec.key not in _NEVER]


def taken_by_default(kept: Opportunity, other: Opportunity, specs: Sequence[FieldSpec]) -> set[str]:
    """The fields in which the deal that stays says nothing and the other one does."""
    return {
        spec.key
        for spec in specs
        if not spec.is_filled(value_of(kept, spec)) and spec.is_filled(value_of(other, spec))
    }


def obstacles(kept: Opportunity, other: Opportunity, *, other_account: bool = False) -> list[Obstacle]:
    """Why `other` cannot be merged into `kept`, all of it at once; each says the mend."""
    mine, theirs = kept.journey, other.journey
    assert mine is not None and theirs is not None
    found = []
    for code, journey, row in (("kept_closed", mine, kept), ("other_closed", theirs, other)):
        if journey.state in CLOSED_STATES:
            text = _("“%(name)s” has ended. Reopen it first, or close the other one as a duplicate.")
            found.append(Obstacle(code, text % {"name": row.name}))
    if mine.process_key != theirs.process_key:
        found.append(
            Obstacle("process", _("They travel on different processes. Close one of them as a duplicate."))
        )
    accounts = {kept.account_id, other.account_id} - {None}
    if len(accounts) > 1 and not other_account:
        text = _("They belong to different accounts. Say that they are one and the same all the same.")
        found.append(Obstacle("account", text))
    waiting = {
        "approval": _("An approval is being decided on “%(name)s”. Withdraw the request first."),
        "override": _("Somebody is asked to let something pass on “%(name)s”. Withdraw that first."),
        "veto": _("A veto stands open on “%(name)s”. Settle it first."),
        "hand_over": _("A hand-over on “%(name)s” waits for an answer. Take it back first."),
    }
    stops = process.undecided(theirs)
    if HandOver.objects.filter(opportunity=other, state=HandOverState.OFFERED).exists():
        stops.append("hand_over")
    found += [Obstacle(code, waiting[code] % {"name": other.name}) for code in stops]
    found += [Obstacle("held", text) for guard in _guards if (text := guard(other.pk))]
    return found


@transaction.atomic
def merge(
    kept_id: int,
    *,
    other_id: int,
    seen: Seen,
    other_seen: Seen,
    by: User,
    at: datetime,
    channel: str,
    take: Collection[str] | None = None,
    other_account: bool = False,
) -> Event:
    """Merge the deal `other_id` into the deal `kept_id`; gives back the event that tells of it.

    `take`: keys of the fields whose value comes from the deal that ends; None: those in which the other one says
    nothing. `other_account`: they may belong to different accounts. Raises NotFound (a stranger to either),
    NotPermitted, Stale, MergeRefused, and Invalid for what a field does not allow. Nothing is left half done.
    """
    if kept_id == other_id:
        raise Invalid.field("other", _("A deal is not merged into itself. Choose another one."))
    with process.facts_change(KIND, [kept_id, other_id], at=at) as journeys:
        kept, other = _both(kept_id, other_id, journeys, by)
        for row, saw in ((kept, seen), (other, other_seen)):
            assert row.journey is not None
            if (row.version, row.journey.version) != (saw.deal, saw.journey):
                raise Stale(details={"record": row.pk, "version": row.version})
        if stops := obstacles(kept, other, other_account=other_account):
            raise MergeRefused(
                " ".join(stop.message for stop in stops),
                details={"obstacles": [{"code": s.code, "message": s.message} for s in stops]},
            )
        values = _values(kept, other, take, by)
        before = {key: to_json(value_of(kept, catalogue(KIND)[key])) for key in values}
        moved = {**hang_over(KIND, other.pk, kept.pk), **_crm_over(other, kept, at)}
        told = _end(other, kept, moved, by=by, at=at, channel=channel)
        if values:
            edit(KIND, kept.pk, values, version=kept.version, by=by, at=at, channel=channel)
        _note(kept, RECEIVED, other, by=by, at=at, channel=channel, merge=told.pk, before=before)
        sync_next_steps(KIND, [kept.pk, other.pk])
    return told


@transaction.atomic
def take_back_merge(told: Event, *, by: User, at: datetime, channel: str) -> Opportunity:
    """Let both deals stand as before the merge that `told` tells of. Raises NotFound, NotPermitted, CannotUndo."""
    kept_id, other_id = told.data["into"], told.subject_id
    with process.facts_change(KIND, [kept_id, other_id], at=at) as journeys:
        kept, other = _both(kept_id, other_id, journeys, by)
        received = Event.objects.about(KIND, [kept_id]).filter(type=RECEIVED, data__merge=told.pk).first()
        if at - told.recorded_at > TAKEN_BACK_WITHIN:
            raise CannotUndo(_("A merge is taken back within a day. Create the deal anew."))
        if (
            other.merged_into_id != kept.pk
            or received is None
            or _happened_since(received, kept_id, other_id)
        ):
            raise CannotUndo(_("Something has happened to one of the two since. Both stay as they are now."))
        assert other.journey is not None
        process.unmerge_journey(other.journey, told, by=by, at=at, channel=channel)
        hang_back(KIND, other_id, kept_id, told.data["moved"])
        _crm_back(other, kept, told.data["moved"], at)
        other.merged_into = None
        other.version += 1
        other.save(update_fields=["merged_into", "version"])
        if before := _payload(received).get("was"):
            edit(KIND, kept_id, before, version=kept.version, by=by, at=at, channel=channel)
            started = (told.effective_at, told.recorded_at)
            process.take_back_launches(
                told.data["into_journey"], launched_at=started, by=by, at=at, channel=channel
            )
        _note(kept, RETURNED, other, by=by, at=at, channel=channel, merge=told.pk)
        sync_next_steps(KIND, [kept_id, other_id])
    return other


# --- parts ---


def _both(
    kept_id: int, other_id: int, journeys: Sequence[Journey], by: User
) -> tuple[Opportunity, Opportunity]:
    """Both rows, locked in the order of their ids, with their locked journeys; both within reach of the rights."""
    ids = sorted((kept_id, other_id))
    rows = {
        row.pk: row
        for row in Opportunity.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")
    }
    if len(Opportunity.objects.visible_to(by).filter(pk__in=ids)) != 2:
        raise NotFound
    by_id = {journey.pk: journey for journey in journeys}
    for row in rows.values():
        journey = by_id.get(row.journey_id or 0)
        if journey is None:
            raise NotFound
        row.journey = journey
    kept, other = rows[kept_id], rows[other_id]
    if not (may_merge(by, kept) and may_merge(by, other)):
        raise NotPermitted
    return kept, other


def may_merge(user: Any, row: Opportunity) -> bool:
    """Whether the person may edit and move this deal, or might before it was merged."""
    people = (row.owner_id, row.sr_id, row.fr_id)
    return all(covers(user.reach(right), user.pk, row.team_id, people) for right in RIGHTS)


def _values(kept: Opportunity, other: Opportunity, take: Collection[str] | None, by: User) -> dict[str, Any]:
    """What the deal that stays takes over. Raises Invalid for a field that is not here to be chosen."""
    fields = catalogue(KIND)
    specs = choosable(fields, by)
    offered = {spec.key for spec in specs}
    wanted = taken_by_default(kept, other, specs) if take is None else set(take)
    if strange := sorted(wanted - offered):
        text = _("This field is not here to be set.")
        raise Invalid(errors=[{"field": key, "message": text} for key in strange])
    keys = [key for spec in specs if spec.key in wanted for key in TOGETHER.get(spec.key, (spec.key,))]
    return {
        key: value for key in keys if (value := value_of(other, fields[key])) != value_of(kept, fields[key])
    }


def _end(
    other: Opportunity, kept: Opportunity, moved: Mapping[str, Any], *, by: User, at: datetime, channel: str
) -> Event:
    assert other.journey is not None and kept.journey is not None
    told = process.merge_journey(other.journey, kept.journey, moved=moved, by=by, at=at, channel=channel)
    other.merged_into = kept
    other.updated_at, other.version = at, other.version + 1
    other.save(update_fields=["merged_into", "external_id", "updated_at", "version"])
    return told


def _crm_over(other: Opportunity, kept: Opportunity, at: datetime) -> dict[str, list[Any]]:
    """Plan steps and questions change the deal; a buying role is recorded anew, and stays where it was as well."""
    moved: dict[str, list[Any]] = {}
    for name, model in (("plan_step", PlanStep), ("role_question", RoleQuestion)):
        rows = model._default_manager.filter(opportunity=other)
        moved[name] = sorted(rows.values_list("pk", flat=True))
        rows.update(opportunity=kept)
    there = set(
        ContactRole.objects.filter(opportunity=kept, removed_at=None).values_list("contact_id", "role")
    )
    roles = ContactRole.objects.filter(opportunity=other, removed_at=None).order_by("pk")
    moved["contact_role"] = [
        ContactRole.objects.create(
            opportunity=kept, contact_id=role.contact_id, role=role.role, stance=role.stance,
            influence=role.influence, depth=role.depth, recorded_at=at,
        ).pk
        for role in roles
        if (role.contact_id, role.role) not in there
    ]  # fmt: skip
    if other.external_id and not kept.external_id:
        moved["external_id"] = [other.external_id]
        kept.external_id, other.external_id = other.external_id, ""
        kept.save(update_fields=["external_id"])
    return moved


def _crm_back(other: Opportunity, kept: Opportunity, moved: Mapping[str, Any], at: datetime) -> None:
    for name, model in (("plan_step", PlanStep), ("role_question", RoleQuestion)):
        model._default_manager.filter(pk__in=moved.get(name, ()), opportunity=kept).update(opportunity=other)
    ContactRole.objects.filter(pk__in=moved.get("contact_role", ()), removed_at=None).update(removed_at=at)
    for number in moved.get("external_id", ()):
        Opportunity.objects.filter(pk=kept.pk).update(external_id="")
        Opportunity.objects.filter(pk=other.pk).update(external_id=number)


def _note(
    kept: Opportunity, type_: str, other: Opportunity, *, by: User, at: datetime, channel: str, merge: int,
    before: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """The other half of the pair, at the deal that stays."""
    record(
        [
            NewEvent(
                type=type_,
                subject_type=KIND,
                subject_id=kept.pk,
                journey_id=kept.journey_id,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                data={"from": other.pk, "from_journey": other.journey_id, "merge": merge},
                payload={"was": dict(before)} if before else {},
            )
        ]
    )


def _payload(event: Event) -> dict[str, Any]:
    detail = getattr(event, "detail", None)
    return detail.payload if detail is not None and detail.purged_at is None else {}


def _happened_since(received: Event, *deals: int) -> bool:
    """Whether anybody did anything to either of them; a clock that passed a limit is nobody's doing."""
    later = Event.objects.about(KIND, deals).filter(id__gt=received.pk)
    return later.exclude(type__in=(*clock_events.CLOCK_EVENTS, clock_events.RESOLVED)).exists()


def merge_told(other_id: int) -> Event | None:
    """The newest merge of this deal into another."""
    return Event.objects.about(KIND, [other_id]).filter(type=fold.MERGED).order_by("-pk").first()
