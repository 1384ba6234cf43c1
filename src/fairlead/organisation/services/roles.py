"""Roles given and withdrawn, and whose rows a right reaches."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid
from fairlead.organisation.enums import Role, Scope
from fairlead.organisation.models import RoleAssignment, Team, User
from fairlead.organisation.rights import Reach
from fairlead.organisation.services._base import journal, locked, require
from fairlead.organisation.services.people import keep_an_administrator
from fairlead.organisation.services.second_steps import note_roles


def reach(user: User, right: str) -> Reach:
    """Whose rows `right` reaches for `user`; asked once per instance and request."""
    return user.reach(right)


@transaction.atomic
def assign_role(
    user: User, *, role: Role, by: User | None, at: datetime, channel: str,
    scope: Scope | None = None, team: Team | None = None,
) -> RoleAssignment:  # fmt: skip
    """Give `user` a role, standing on `team` or on the person's own; `scope` only narrows the matrix."""
    require(by, "users.manage", channel)
    fresh = locked(user)
    if role not in Role.values:
        raise Invalid.field("role", _("Choose one of the list."))
    limit = Scope(scope).value if scope else ""
    row = RoleAssignment.objects.select_for_update().filter(user=user, role=role, team=team).first()
    if row is not None and row.scope == limit:
        return row
    if row is None:
        row = RoleAssignment.objects.create(user=user, role=role, team=team, scope=limit)
    else:
        if limit and Role(role) is Role.ADMIN:
            keep_an_administrator(leaving=user)
        row.scope = limit
        row.save(update_fields=["scope"])
    user.forget_rights()
    note_roles(fresh)
    data = {"role": Role(role).value, "scope": limit, "team_id": team.pk if team else None}
    journal(user, "role_assigned", by=by, at=at, channel=channel, data=data)
    return row


@transaction.atomic
def withdraw_role(assignment: RoleAssignment, *, by: User | None, at: datetime, channel: str) -> None:
    require(by, "users.manage", channel)
    user = locked(assignment.user)
    role = Role(assignment.role)
    if role is Role.ADMIN and user.is_active:
        keep_an_administrator(leaving=user)
    deleted, _by_model = RoleAssignment.objects.filter(pk=assignment.pk).delete()
    if not deleted:
        return
    assignment.user.forget_rights()
    note_roles(user)
    data = {"role": role.value, "team_id": assignment.team_id}
    journal(user, "role_withdrawn", by=by, at=at, channel=channel, data=data)


@transaction.atomic
def set_roles(user: User, *, roles: Iterable[Role], by: User | None, at: datetime, channel: str) -> None:
    """Make `roles` the whole list of those standing on the person's own team; others stay as they are."""
    require(by, "users.manage", channel)
    wanted = [Role(role) for role in roles]
    held = {Role(row.role): row for row in RoleAssignment.objects.filter(user=user, team=None)}
    for role in wanted:
        if role not in held:
            assign_role(user, role=role, by=by, at=at, channel=channel)
    for role, row in held.items():
        if role not in wanted:
            row.user = user
            withdraw_role(row, by=by, at=at, channel=channel)
