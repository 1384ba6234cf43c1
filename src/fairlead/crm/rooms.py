"""What this room tells the rooms below: its kinds of subjects for `process`, its records for `work`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db.models import Min
from django.urls import reverse

from fairlead.common import bulk, records
from fairlead.common.questions import Question
from fairlead.journal.services import NewEvent, record
from fairlead.process import subjects
from fairlead.process.models import Journey
from fairlead.process.packages import WAYS, fact_of
from fairlead.process.services import facts_change
from fairlead.process.subjects import Circle, Mirror, Moment, Moved, SubjectFacts
from fairlead.work.models import Activity

from . import facts, past
from .deal_team_facts import hand_over_facts
from .models import Account, Contact, Opportunity, Segment
from .rules import covers, is_write, reaches


def move_page(journey: Journey, kind: str) -> str:
    """The panel of a deal, the page of any other journey."""
    if journey.subject_type != "opportunity":
        return f"{reverse('crm:journey', args=[journey.pk])}?kind={kind}"
    place = {"hold": "hold", "close_lost": "lost", "close_won": "won"}.get(kind, "")
    return f"{reverse('crm:panel', args=[journey.subject_id])}?as={place}"


# Rooms above follow a move in its transaction: offers opens the contract's journey when a deal is won.
MoveHook = Callable[[Sequence[Moved]], None]
_move_hooks: list[MoveHook] = []


def add_move_hook(hook: MoveHook) -> None:
    _move_hooks.append(hook)


_mirrors = Question(
    lambda ids: Opportunity.objects.filter(pk__in=ids).values_list(
        "pk", "name", "owner_id", "team_id", "amount", "expected_close_date", "incomplete"
    ),
    lists=("ids",),
)


class OpportunityRoom:
    subject_type = "opportunity"
    label: Mapping[str, str] = {"zh": "商机", "en": "Opportunity"}
    externals: tuple[str, ...] = (
        "contract_countersigned",
        "contract_equals_approved",
        "tender_published",
        "award_notice",
        *(fact_of(way) for way in WAYS),
    )
    view_right, move_right = "opportunity.view", "opportunity.move"
    ends_with_journey = True

    def facts(self, subject_ids: Sequence[int]) -> Mapping[int, SubjectFacts]:
        return facts.opportunity_facts(subject_ids)

    def facts_then(self, moments: Sequence[Moment]) -> Mapping[Moment, SubjectFacts]:
        return past.past_facts(Opportunity, self.subject_type, moments)

    def mirrors(self, subject_ids: Sequence[int]) -> Mapping[int, Mirror]:
        rows = _mirrors(subject_ids)
        return {
            row[0]: Mirror(
                title=row[1],
                owner_id=row[2],
                team_id=row[3],
                amount=row[4],
                close_date=row[5],
                incomplete=row[6],
            )
            for row in rows
        }

    def visible_ids(self, user: Any, subject_ids: Sequence[int], *, right: str) -> set[int]:
        return visible_opportunities(user, subject_ids, right)

    def after_moves(self, moves: Sequence[Moved]) -> None:
        won = [m.journey.subject_id for m in moves if m.journey.state == "won"]
        if won:
            Opportunity.objects.filter(pk__in=won).update(commercial_locked=True)
            Account.objects.filter(opportunities__in=won).update(is_customer=True)
        reopened = [m.journey.subject_id for m in moves if m.verdict.wish.kind == "reopen"]
        if reopened:
            Opportunity.objects.filter(pk__in=reopened).update(commercial_locked=False)
        _keep_competitors(moves)
        for hook in _move_hooks:
            hook(moves)

    def url(self, subject_id: int) -> str:
        return reverse("crm:opportunity", args=[subject_id])


_unnamed = Question(lambda ids: Opportunity.objects.filter(pk__in=ids, competitor=""), lists=("ids",))


def _keep_competitors(moves: Sequence[Moved]) -> None:
    """To whom it was lost is a field of the deal too, if nothing stood there."""
    named = {
        m.journey.subject_id: (m, text[:200])
        for m in moves
        if (text := str(m.verdict.wish.form.get("competitor") or "").strip())
    }
    if not named:
        return
    deals = _unnamed(named)
    for deal in deals:
        deal.competitor, deal.version = named[deal.pk][1], deal.version + 1
    bulk.update(deals, ["competitor", "version"])
    record(
        [
            NewEvent(
                type="edited",
                subject_type="opportunity",
                subject_id=deal.pk,
                journey_id=move.journey.pk,
                actor_id=move.by.pk if move.by is not None else None,
                effective_at=move.at,
                channel=move.channel,
                data={"fields": ["competitor"]},
                payload={"before": {"competitor": None}, "after": {"competitor": deal.competitor}},
            )
            for deal in deals
            for move, _text in [named[deal.pk]]
        ]
    )


_people = Question(
    lambda ids: Opportunity.objects.filter(pk__in=ids).values_list(
        "pk", "team_id", "merged_into_id", "owner_id", "sr_id", "fr_id"
    ),
    lists=("ids",),
)


def visible_opportunities(user: Any, ids: Sequence[int], right: str) -> set[int]:
    """Those of `ids` that `visible_to` would let pass, by what decides it."""
    reach = user.reach(right)
    if not reach or not ids:
        return set()
    writes = is_write(right)
    return {
        pk
        for pk, team, merged_into, *people in _people(ids)
        if covers(reach, user.pk, team, people) and not (writes and merged_into)
    }


class _OwnedRoom:
    """Segments and accounts: their rows have an owner and a team, and no amount."""

    externals: tuple[str, ...] = ()
    ends_with_journey = False

    def __init__(
        self, model: Any, subject_type: str, label: Mapping[str, str], view: str, move: str, read: Any
    ) -> None:
        self.model, self.subject_type, self.label = model, subject_type, label
        self.view_right, self.move_right, self._read = view, move, read

    def facts(self, subject_ids: Sequence[int]) -> Mapping[int, SubjectFacts]:
        found: Mapping[int, SubjectFacts] = self._read(subject_ids)
        return found

    def facts_then(self, moments: Sequence[Moment]) -> Mapping[Moment, SubjectFacts]:
        return past.past_facts(self.model, self.subject_type, moments)

    def mirrors(self, subject_ids: Sequence[int]) -> Mapping[int, Mirror]:
        rows = self.model.objects.filter(pk__in=subject_ids).values_list("pk", "name", "owner_id", "team_id")
        return {
            pk: Mirror(title=name, owner_id=owner, team_id=team, amount=None, close_date=None)
            for pk, name, owner, team in rows
        }

    def visible_ids(self, user: Any, subject_ids: Sequence[int], *, right: str) -> set[int]:
        if right in ("deal.attest", "waiver.grant", "regress.confirm", "deal.reopen") and not user.reach(
            right
        ):
            return set()
        return set(
            self.model.objects.visible_to(user, right).filter(pk__in=subject_ids).values_list("pk", flat=True)
        )

    def after_moves(self, moves: Sequence[Moved]) -> None:
        for hook in _move_hooks:
            hook(moves)

    def url(self, subject_id: int) -> str:
        return reverse(f"crm:{self.subject_type}", args=[subject_id])


@contextmanager
def changing(subject_type: str, ids: Sequence[int], at: datetime) -> Iterator[None]:
    """Around a write to evidence: locks and re-judges the journeys, and copies the next step to them."""
    with facts_change(subject_type, ids, at=at):
        yield
        sync_next_steps(subject_type, ids)


def sync_next_steps(subject_type: str, ids: Sequence[int]) -> None:
    """The earliest planned activity of each record is its next step, shown on cards and lists."""
    planned = Activity.objects.filter(subject_type=subject_type, subject_id__in=ids, state="planned")
    earliest = dict(planned.values_list("subject_id").annotate(first=Min("due_at")))
    steps = {
        a.subject_id: a for a in planned.order_by("-due_at", "-pk") if earliest.get(a.subject_id) == a.due_at
    }
    for journey in Journey.objects.on(subject_type, ids).current():
        step = steps.get(journey.subject_id)
        values = (step.due_at, step.kind, step.summary[:200]) if step else (None, "", "")
        if values != (journey.next_step_at, journey.next_step_kind, journey.next_step_text):
            Journey.objects.filter(pk=journey.pk).update(
                next_step_at=values[0], next_step_kind=values[1], next_step_text=values[2]
            )


def _titles(model: Any) -> Callable[[Sequence[int]], Mapping[int, str]]:
    return lambda ids: dict(model.objects.filter(pk__in=ids).values_list("pk", "name"))


def _visible(model: Any) -> Callable[[Any, Sequence[int], str], set[int]]:
    return lambda user, ids, right: set(
        model.objects.visible_to(user, right).filter(pk__in=ids).values_list("pk", flat=True)
    )


def _seen_by(model: Any, right: str) -> records.SeenBy:
    """One record is read once, whoever is asked about; a contact is seen by whoever sees the account."""

    def seen_by(users: Sequence[Any], subject_id: int) -> set[int]:
        rows = model.objects.select_related("account") if model is Contact else model.objects
        row = rows.filter(pk=subject_id).first()
        if row is None:
            return set()
        place = row.account if model is Contact else row
        workers: set[int | None] = set()
        if isinstance(place, Account):
            slots = Opportunity.objects.filter(account=place).values_list("owner_id", "sr_id", "fr_id")
            workers = {person for deal in slots for person in deal}
        return {
            user.pk
            for user in users
            if reaches(user, right, place) or (user.pk in workers and user.reach(right).own)
        }

    return seen_by


def _record(model: Any, subject_type: str, zh: str, en: str, plural_en: str) -> records.RecordType:
    edit = "segment.edit" if subject_type == "segment" else f"{subject_type}.edit"
    return records.RecordType(
        subject_type=subject_type,
        label={"zh": zh, "en": en},
        plural={"zh": zh, "en": plural_en},
        view_right=f"{subject_type}.view",
        edit_right=edit,
        visible_ids=_visible(model),
        title=_titles(model),
        url=lambda pk: reverse(f"crm:{subject_type}", args=[pk]),
        changing=lambda ids, at: changing(subject_type, ids, at),
        seen_by=_seen_by(model, f"{subject_type}.view"),
    )


def customers(subject_ids: Sequence[int], user: Any) -> Mapping[int, Circle]:
    """The customers of deals, as far as `user` sees the account."""
    accounts = Account.objects.visible_to(user).values("pk")
    rows = Opportunity.objects.filter(pk__in=list(subject_ids), account__in=accounts)
    return {
        pk: Circle(f"account:{account}", name, reverse("crm:account", args=[account]))
        for pk, account, name in rows.values_list("pk", "account_id", "account__name")
    }


def _seen_as_query(model: Any, view_right: str) -> subjects.VisibleSubjects:
    return lambda user, right: model.objects.visible_to(user, right or view_right).values("pk")


def register_rooms() -> None:
    subjects.move_on(move_page)
    facts.add_external_source("opportunity", hand_over_facts)
    subjects.register(OpportunityRoom())
    subjects.register(
        _OwnedRoom(
            Account,
            "account",
            {"zh": "客户", "en": "Account"},
            "account.view",
            "account.edit",
            facts.account_facts,
        )
    )
    subjects.register(
        _OwnedRoom(
            Segment,
            "segment",
            {"zh": "细分市场", "en": "Market segment"},
            "segment.view",
            "segment.edit",
            facts.segment_facts,
        )
    )
    for kind, model in (
        ("segment", Segment),
        ("account", Account),
        ("contact", Contact),
        ("opportunity", Opportunity),
    ):
        subjects.see_subjects(kind, _seen_as_query(model, f"{kind}.view"))
    subjects.tell_circles("opportunity", customers)
    records.register(_record(Opportunity, "opportunity", "商机", "Opportunity", "Opportunities"))
    records.register(_record(Account, "account", "客户", "Account", "Accounts"))
    records.register(_record(Contact, "contact", "联系人", "Contact", "Contacts"))
    records.register(_record(Segment, "segment", "细分市场", "Market segment", "Market segments"))
