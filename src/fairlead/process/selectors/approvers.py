"""Whether the people whom a matrix names are there (PD-3): asked when a document is examined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from fairlead.organisation.enums import Role
from fairlead.organisation.models import RoleAssignment, User

from ..approval_enums import Resolver
from ..approval_policy import Approver
from ..definition import Definition, Trouble
from ..examining import ERROR, WARNING


def missing_approvers(definition: Definition) -> list[tuple[str, Trouble]]:
    """Named people who do not sign in here stop a document; a role that nobody holds is a warning, for its decisions go
    up the line and to the process owner."""
    places = list(_places(definition))
    named = {str(a.value) for _path, a in places if a.kind == Resolver.PERSON}
    roles = {str(a.value) for _path, a in places if a.kind == Resolver.ROLE}
    there = set(User.objects.active().filter(username__in=named).values_list("username", flat=True))
    held = set(
        RoleAssignment.objects.filter(role__in=roles, user__is_active=True).values_list("role", flat=True)
    )
    found = []
    for path, approver in places:
        value = str(approver.value)
        if approver.kind == Resolver.PERSON and value not in there:
            found.append(
                (ERROR, Trouble(path, _("Nobody signs in here as “%(name)s”.") % {"name": value[:40]}))
            )
        elif approver.kind == Resolver.ROLE and value not in held:
            said = _("Nobody is %(role)s: the manager or the process owner will be asked.")
            found.append((WARNING, Trouble(path, said % {"role": Role(value).label})))
    return found


def _places(definition: Definition) -> Iterator[tuple[str, Approver]]:
    for committee in definition.approvals.committees.values():
        for i, member in enumerate(committee.members):
            yield f"approvals.committees.{committee.key}.members.{i}", member
    for kind in definition.approvals.kinds.values():
        for row in kind.rows:
            for i, approver in enumerate(row.approvers):
                yield f"approvals.kinds.{kind.key}.rows.{row.key}.approvers.{i}", approver


MOST_PEOPLE = 200


def people_to_name(named: Iterable[str] = ()) -> list[User]:
    """Whom a matrix may name: everybody who signs in, by name; in a large house those with a role beyond the daily work
    come first. `named` are always among them."""
    wanted = set(named)
    everyday = (Role.AR, Role.SR, Role.FR, Role.MKT)
    above = RoleAssignment.objects.filter(user=OuterRef("pk")).exclude(role__in=everyday)
    rows = (
        User.objects.active()
        .annotate(is_above=Exists(above))
        .order_by("-is_above", "name", "pk")[:MOST_PEOPLE]
    )
    found = {row.pk: row for row in rows}
    missing = wanted - {row.username for row in found.values()}
    if missing:
        found |= {row.pk: row for row in User.objects.filter(username__in=missing)}
    return sorted(found.values(), key=lambda row: (row.name, row.pk))


def names_of_people(definition: Definition) -> dict[str, str]:
    """User name → name, of the people whom the matrix of a document names."""
    named = {str(a.value) for _path, a in _places(definition) if a.kind == Resolver.PERSON}
    return dict(User.objects.filter(username__in=named).values_list("username", "name")) if named else {}
