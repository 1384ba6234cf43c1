"""People and teams that an import made are taken away again, while nothing else needs them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from fairlead.common import rows
from fairlead.organisation.models import RoleAssignment, Team, TeamMembership, TeamPlacement, User
from fairlead.organisation.services._base import journal
from fairlead.organisation.services.teams import rebuild_tree


@transaction.atomic
def remove_people(ids: Collection[int], *, by: User | None, at: datetime, channel: str) -> set[int]:
    """Take away those who never signed in and whom nothing refers to. Returns the ids that are gone."""
    people = User.objects.filter(pk__in=ids, last_login=None)
    free = set(people.values_list("pk", flat=True)) - rows.referred_to(
        User, ids, but=(TeamMembership, RoleAssignment)
    )
    for person in User.objects.filter(pk__in=free):
        journal(person, "user_removed", by=by, at=at, channel=channel)
    rows.delete(TeamMembership.objects.filter(user__in=free))
    rows.delete(RoleAssignment.objects.filter(user__in=free))
    rows.delete(User.objects.filter(pk__in=free))
    return free


@transaction.atomic
def remove_teams(ids: Collection[int], *, by: User | None, at: datetime, channel: str) -> set[int]:
    """Take away empty teams, children first. Returns the ids that are gone."""
    gone: set[int] = set()
    while True:
        left = set(ids) - gone
        used = rows.referred_to(Team, left, but=(TeamPlacement,))
        used |= set(TeamPlacement.objects.filter(parent__in=left).values_list("parent_id", flat=True))
        free = left - used
        if not free:
            break
        for team in Team.objects.filter(pk__in=free):
            journal(team, "team_removed", by=by, at=at, channel=channel)
        rows.delete(TeamPlacement.objects.filter(team__in=free))
        rows.delete(Team.objects.filter(pk__in=free))
        gone |= free
    if gone:
        rebuild_tree()
    return gone
