"""Who may decide about a deal: confirm in a role, waive, confirm a move back."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Prefetch

from fairlead.organisation.models import RoleAssignment, User
from fairlead.organisation.rights import RIGHTS, Reach, reach_of

from ..models import Opportunity
from ..rules import covers

DEAL_ROLES = {"AR": "ar", "SR": "sr", "FR": "fr"}
STAND_INS = {"SDT": "MGR", "BIZ": "MGR"}  # roles of the process that a manager fills here


def within(reach: Reach, deal: Opportunity, user_id: int) -> bool:
    """Whether a reach covers the deal, as `visible_to` has it."""
    return covers(reach, user_id, deal.team_id, (deal.owner_id, deal.sr_id, deal.fr_id))


def who_may(right: str, deal: Opportunity, *, roles: Iterable[str] = (), limit: int = 3) -> list[User]:
    """Active people with `right` over the deal who are not its owner; the nearest team first."""
    wanted = [
        role for role, rights in RIGHTS.items() if right in rights and (not roles or role in set(roles))
    ]
    rows = (
        User.objects.filter(is_active=True, role_assignments__role__in=wanted)
        .exclude(pk=deal.owner_id)
        .select_related("team")
        .distinct()
        .order_by("name_key", "pk")
        .prefetch_related(Prefetch("role_assignments", RoleAssignment.objects.select_related("team")))
    )
    found = []
    for user in rows[:200]:
        grants = [row.grant(user.team) for row in user.role_assignments.all()]
        reach = reach_of(right, grants)
        if within(reach, deal, user.pk):
            found.append((not reach.all, user))
    found.sort(key=lambda pair: not pair[0])
    return [user for _near, user in found[:limit]]


def who_confirms(role: str, deal: Opportunity) -> list[User]:
    """Those whose word counts in a role: the person of the deal team, or people of the department."""
    if role in DEAL_ROLES:
        person = getattr(deal, DEAL_ROLES[role])
        return [person] if person is not None and person.pk != deal.owner_id else []
    return who_may("deal.attest", deal, roles=[STAND_INS.get(role, role)])


def candidates(role: str) -> list[User]:
    """Active people who hold a role, to be put on a deal team."""
    return list(
        User.objects.filter(is_active=True, role_assignments__role=role)
        .distinct()
        .order_by("name_key", "pk")[:100]
    )
