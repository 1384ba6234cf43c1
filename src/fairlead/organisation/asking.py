"""On a page that somebody may not open: which right it needs, which roles bring it, and who gives roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fairlead.organisation.enums import Role
from fairlead.organisation.models import User
from fairlead.organisation.right_names import NAMES, right_name
from fairlead.organisation.rights import RIGHTS

#: So many administrators are named; more would be a list to choose from.
MOST: Final = 3


@dataclass(frozen=True, slots=True)
class Asking:
    right: str
    roles: tuple[str, ...]
    people: tuple[str, ...]


def whom_to_ask(user: Any, details: Mapping[str, Any] | None = None) -> Asking | None:
    """Nothing for a guest. Who works here is no secret to colleagues; nothing of the denied page is told."""
    if user is None or not user.is_authenticated:
        return None
    right = str((details or {}).get("right", ""))
    known = right in NAMES
    roles = tuple(str(role.label) for role, given in RIGHTS.items() if right in given) if known else ()
    holders = User.objects.active().filter(role_assignments__role=Role.ADMIN).exclude(pk=user.pk)
    names = holders.distinct().by_name().values_list("name", flat=True)[:MOST]
    return Asking(right_name(right) if known else "", roles, tuple(names))
