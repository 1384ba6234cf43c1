"""Who may, without asking the database again: for the buttons of a page. Services ask anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fairlead.organisation.rights import Reach


def reaches(user: Any, right: str, row: Any) -> bool:
    """Whether `right` of `user` reaches this row, as `visible_to` decides it for deals and owned records."""
    if is_write(right) and getattr(row, "merged_into_id", None) is not None:
        return False
    people = (row.owner_id, getattr(row, "sr_id", None), getattr(row, "fr_id", None))
    return covers(user.reach(right), user.pk, row.team_id, people)


def is_write(right: str) -> bool:
    """Whether a right lets somebody change something: a deal that was merged into another is only to be read."""
    return not right.endswith(".view")


def covers(reach: Reach, user_id: int, team_id: int | None, people: Iterable[int | None]) -> bool:
    """Whether a reach covers a deal of that team with those people on it: what `visible_to` asks the database."""
    if reach.all or (reach.own and user_id in people):
        return True
    return team_id is not None and team_id in reach.team_ids
