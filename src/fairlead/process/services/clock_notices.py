"""Telling people what their clocks say. Whom: the owner, the deal team, the manager, the next level (SL-2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from fairlead.organisation.enums import Role
from fairlead.organisation.models import RoleAssignment


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell some people about one record: a code and its parameters, worded when it is read."""

    recipient_ids: tuple[int, ...]
    subject_type: str
    subject_id: int
    code: str
    params: Mapping[str, Any]
    at: datetime
    reason: str = ""  # of the room of work; empty: they own it


Teller = Callable[[Sequence[Notice]], None]
_tellers: list[Teller] = []


def tell_with(teller: Teller) -> None:
    """Called once, when the room of notifications can be told."""
    if teller not in _tellers:
        _tellers.append(teller)


def tell(notices: Sequence[Notice]) -> None:
    """Hand notices over, in the caller's transaction."""
    addressed = [notice for notice in notices if notice.recipient_ids]
    if addressed:
        for teller in _tellers:
            teller(addressed)


class Managers:
    """Sales managers by the team they lead, the nearest first; asked once a batch, and only if needed."""

    @cached_property
    def _grants(self) -> list[tuple[int, int, frozenset[int]]]:
        rows = RoleAssignment.objects.filter(role=Role.MGR, user__is_active=True).select_related(
            "user__team", "team"
        )
        found = []
        for row in rows.order_by("pk"):
            team = row.team or row.user.team
            if team is not None:
                found.append((team.depth, row.user_id, frozenset(team.branch_ids) | {team.pk}))
        return sorted(found, key=lambda grant: -grant[0])

    def of(self, team_id: int | None, *, above: int = 0) -> set[int]:
        """The managers over a team on the nearest level that has any, or `above` levels higher."""
        over = [grant for grant in self._grants if team_id in grant[2]]
        depths = sorted({depth for depth, _user, _branch in over}, reverse=True)
        if not depths:
            return set()
        wanted = depths[min(above, len(depths) - 1)]
        return {user for depth, user, _branch in over if depth == wanted}
