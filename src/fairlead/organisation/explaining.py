"""Why a person reaches a row, or does not: the same roles and scopes as the decision, said one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fairlead.organisation.enums import Role, Scope
from fairlead.organisation.rights import Grant, narrower, scope_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands for one person: in which team, and whether it is the person's own."""

    team_id: int | None
    is_own: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """What one role gives: `scope` is None where the role lacks the right; `reaches` whether it reaches the row."""

    role: Role
    scope: Scope | None
    team_id: int | None
    reaches: bool


def explain(grants: Iterable[Grant], right: str, place: Place) -> list[Reason]:
    """One reason for each role, in the order of the roles. The row is reached where any reason reaches it."""
    found = []
    for grant in grants:
        given = scope_of(grant.role, right)
        scope = None if given is None else narrower(given, grant.limit)
        found.append(Reason(grant.role, scope, grant.team_id, _reaches(grant, scope, place)))
    order = list(Role)
    return sorted(found, key=lambda reason: (order.index(reason.role), reason.team_id or 0))


def _reaches(grant: Grant, scope: Scope | None, place: Place) -> bool:
    match scope:
        case None:
            return False
        case Scope.ALL:
            return True
        case Scope.OWN:
            return place.is_own
    if grant.team_id is None:  # a team or branch scope without a team reaches nothing
        return False
    teams = {grant.team_id} | (grant.branch_ids if scope is Scope.BRANCH else frozenset())
    return place.is_own or place.team_id in teams
