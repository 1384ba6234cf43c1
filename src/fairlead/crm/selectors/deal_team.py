"""Everything about the team of one deal: who held which slot, the split, vetoes, hand-overs, questions (§2.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from fairlead.process.models import Veto
from fairlead.process.packages import DEAL_TEAM
from fairlead.process.vetoes import ROLE_OF

from ..enums import AskState, HandOverState
from ..models import BonusSplit, DealTeamMember, HandOver, Opportunity, RoleQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamWork:
    """What is known of a deal team, read in a fixed number of questions."""

    members: list[DealTeamMember]  # today's and former ones, the newest first
    split: BonusSplit | None
    vetoes: list[Veto]
    hand_overs: list[HandOver]  # the newest first
    questions: list[RoleQuestion]

    @property
    def waiting(self) -> int:
        """What still wants a word of somebody."""
        return (
            sum(v.settled_at is None for v in self.vetoes)
            + sum(h.answered_at is None for h in self.hand_overs)
            + sum(q.settled_at is None for q in self.questions)
        )


def team_work(deal: Opportunity) -> TeamWork:
    return TeamWork(
        members=list(
            DealTeamMember.objects.filter(opportunity=deal)
            .select_related("person")
            .order_by("-from_date", "-pk")
        ),
        split=BonusSplit.objects.filter(opportunity=deal, ended_at=None).first(),
        vetoes=list(
            Veto.objects.filter(journey=deal.journey_id)
            .select_related("by", "settled_by")
            .order_by("-at", "-pk")
        ),
        hand_overs=list(
            HandOver.objects.filter(opportunity=deal)
            .select_related("by", "to", "answered_by")
            .order_by("-offered_at", "-pk")
        ),
        questions=list(
            RoleQuestion.objects.filter(opportunity=deal)
            .select_related("by", "to", "settled_by")
            .order_by("-asked_at", "-pk")
        ),
    )


def roles_of(user: Any, deal: Opportunity) -> set[str]:
    """The roles that a person holds over a deal: slots of its team, and those of the company that may say no."""
    held = {role for role in DEAL_TEAM if getattr(deal, f"{role.lower()}_id") == user.pk}
    company = {str(role) for role in user.roles}
    return held | (company & {role for role in ROLE_OF.values() if role not in DEAL_TEAM})


@dataclass(frozen=True, slots=True)
class Waiting:
    """What others wait for from one person: a hand-over to answer, a question to a role."""

    hand_overs: list[HandOver]
    questions: list[RoleQuestion]


def waiting_for(user: Any, *, most: int = 20) -> Waiting:
    """Open hand-overs and questions on deals where the person fills the slot today, the earliest due first."""
    hand_overs = HandOver.objects.filter(state=HandOverState.OFFERED).filter(_fills("to_role", user))
    questions = RoleQuestion.objects.filter(state=AskState.OPEN).filter(_fills("role", user))
    return Waiting(
        list(hand_overs.select_related("opportunity", "by").order_by("due_at", "pk")[:most]),
        list(questions.select_related("opportunity", "by").order_by("due_at", "pk")[:most]),
    )


def _fills(column: str, user: Any) -> Q:
    found = Q(pk__in=[])
    for role in DEAL_TEAM:
        found |= Q(**{column: role, f"opportunity__{role.lower()}": user.pk})
    return found
