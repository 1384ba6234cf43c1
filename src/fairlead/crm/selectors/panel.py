"""What the gate panel knows: the deal's situation, the wish, its verdict, and what each item needs to be mended.

Looking has no side effect: the verdict comes from the same `decide` that a move asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils import timezone

from fairlead.fields.catalogue import Catalogue, catalogue
from fairlead.organisation.models import User
from fairlead.process import words
from fairlead.process.definition import Criterion, Definition
from fairlead.process.engine import AGAIN, decide, forward_move
from fairlead.process.enums import FORWARD, CriterionType, Kind
from fairlead.process.selectors.flags import Flag, flags_of, raised_flags
from fairlead.process.selectors.gathering import Situation, situations
from fairlead.process.verdicts import CriterionResult, Verdict, Wish
from fairlead.work.models import Task

from ..models import Contact, Opportunity
from .people import within

PLACES = {"won": Kind.CLOSE_WON, "lost": Kind.CLOSE_LOST, "hold": Kind.HOLD}


def situation_of(deal: Opportunity, at: datetime) -> Situation:
    assert deal.journey is not None
    return situations([deal.journey], at=at)[deal.journey.pk]


def stage_key(definition: Definition, to: str) -> str:
    """The stage of this version that a board's column (an axis key) or a stage key names; as given if none."""
    if to in definition.by_key:
        return to
    return next((stage.key for stage in definition.stages if stage.axis_key == to), to)


def kind_of(situation: Situation, kind: str, to: str) -> tuple[Kind, str]:
    """The kind of move that `to` asks for when nobody said it: the plain next one, a skip, a step back, an end."""
    definition, here = situation.definition, situation.facts.journey.stage_key
    if to in PLACES:
        return PLACES[to], ""
    to = stage_key(definition, to[:60])
    if kind in Kind.values:
        return Kind(kind), to
    if not to:
        wish = forward_move(definition, situation.facts)
        return (wish.kind, wish.to) if wish else (Kind.ADVANCE, "")
    if to in definition.by_key and definition.position(to) < definition.position(here):
        return Kind.REGRESS, to
    found = next(
        (t.kind for t in definition.stage(here).transitions if t.to == to and t.kind in FORWARD), Kind.ADVANCE
    )
    return found, to


@dataclass
class Gate:
    """A wish on a deal and everything the panel says about it."""

    deal: Opportunity
    situation: Situation
    wish: Wish
    verdict: Verdict
    user: Any
    at: datetime

    @property
    def definition(self) -> Definition:
        return self.situation.definition

    @cached_property
    def catalogue(self) -> Catalogue:
        return catalogue("opportunity")

    @cached_property
    def names(self) -> dict[int, str]:
        ids = words.people_in(self.verdict.results)
        return dict(User.objects.filter(pk__in=ids).values_list("pk", "name"))

    @cached_property
    def flagged(self) -> list[Flag]:
        """What moves left open behind them."""
        pk, situation = self.situation.journey.pk, self.situation
        raised = raised_flags([pk]).get(pk, {})
        return flags_of(situation.definition, situation.facts, situation.calendar, raised)

    @cached_property
    def may_edit(self) -> bool:
        return within(self.user.reach("opportunity.edit"), self.deal, self.user.pk)

    @cached_property
    def may_move(self) -> bool:
        return within(self.user.reach("opportunity.move"), self.deal, self.user.pk)

    @cached_property
    def may_waive(self) -> bool:
        return self.user.pk != self.deal.owner_id and within(
            self.user.reach("waiver.grant"), self.deal, self.user.pk
        )

    @cached_property
    def contacts(self) -> list[Contact]:
        """People of the account who still work there."""
        if self.deal.account_id is None:
            return []
        rows = Contact.objects.visible_to(self.user).filter(account_id=self.deal.account_id, left_at=None)
        return list(rows.order_by("name_key", "pk")[:40])

    @cached_property
    def tasks(self) -> dict[str, list[Task]]:
        found: dict[str, list[Task]] = {}
        rows = Task.objects.filter(subject_type="opportunity", subject_id=self.deal.pk, removed_at=None)
        for task in rows.exclude(list_key="").order_by("created_at", "pk"):
            found.setdefault(task.list_key, []).append(task)
        return found

    @property
    def has_gate(self) -> bool:
        return self.wish.kind in FORWARD

    @property
    def asks(self) -> set[str]:
        """What the move itself still needs: a reason, a day, a competitor, an amount."""
        return {o.code for o in self.verdict.objections}

    @property
    def is_possible(self) -> bool:
        """Whether only what the form asks for stands in the way, beside the criteria."""
        return all(o.asked_field for o in self.verdict.objections)

    def criterion(self, key: str) -> Criterion | None:
        found = self.definition.criterion(key)
        return found[2] if found else None

    def holds_role(self, role: str) -> bool:
        if role in ("AR", "SR", "FR"):
            return self.user.pk in self.situation.facts.team.get(role, frozenset())
        held = {str(r) for r in self.user.roles}
        return role in held or {"SDT": "MGR", "BIZ": "MGR"}.get(role, "") in held

    def may_confirm(self, role: str) -> bool:
        return (
            self.user.pk != self.deal.owner_id
            and self.holds_role(role)
            and within(self.user.reach("deal.attest"), self.deal, self.user.pk)
        )

    def waivable(self) -> list[CriterionResult]:
        return [r for r in self.verdict.gaps if (c := self.criterion(r.key)) is not None and c.waivable]

    def ready_on(self, days: int) -> str:
        """The first day on which so many working days have passed in the stage."""
        entered = timezone.localdate(self.situation.facts.journey.entered_at)
        return self.situation.calendar.workday_after(entered, days).isoformat()


def look(deal: Opportunity, user: Any, at: datetime, *, kind: str = "", to: str = "", **form: Any) -> Gate:
    """Judge a wish without any side effect. `form`: reason, comment, form of the wish."""
    situation = situation_of(deal, at)
    kind_, target = kind_of(situation, kind, to)
    wish = Wish(kind=kind_, to=target, **form)
    return Gate(deal, situation, wish, decide(situation.definition, situation.facts, wish), user, at)


def reasons(
    definition: Definition, kind: Kind, stage: str, to: str
) -> Iterable[tuple[str, Mapping[str, str]]]:
    """The reasons to choose from for a move, with their names."""
    transition = definition.stage(stage).transition(kind, to)
    name = (transition.reasons if transition else "") or {
        Kind.REGRESS: "regress",
        Kind.SKIP: "skip",
        Kind.CLOSE_LOST: "lost",
        Kind.HOLD: "hold",
        Kind.REOPEN: "reopen",
        Kind.BRANCH: "" if transition else AGAIN.reasons,  # back to a fork and on by its other way
    }.get(kind, "")
    return [(reason.key, reason.name) for reason in definition.lists.get(name, ())]


def editable_fields(criterion_type: str, mend_params: Mapping[str, Any]) -> list[str]:
    """Keys of the fields that mend a criterion."""
    if criterion_type in (CriterionType.FIELD, CriterionType.SCORE, CriterionType.ELAPSED):
        return [str(key) for key in mend_params.get("fields", ())]
    return []
