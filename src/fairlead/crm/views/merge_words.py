"""What the page of a deal says of merging: where it went, what came into it, and of what it may be a double."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fairlead.journal.undoing import is_undone, may_undo
from fairlead.process.enums import CLOSED_STATES

from ..models import Opportunity
from ..selectors.lineage import lineage_of, merged_ids
from ..services.merge import merge_told

NOTHING: dict[str, list[tuple[int, str]]] = {"into": [], "from": []}


def merge_context(row: Any, user: Any, at: datetime) -> dict[str, Any]:
    """`row` as `find_deal` gives it, which knows whether there is anything to say at all."""
    is_told = row.merged_into_id is not None or row.has_merged
    return {
        "lineage": lineage_of(row, user) if is_told else NOTHING,
        "may_unmerge": row.merged_into_id is not None and _may_unmerge(row, user, at),
        "double": _double(row, user),
    }


def merged_into(row: Any) -> list[int]:
    """The deals whose past is read with this one's; asks nothing where there is none."""
    return merged_ids(row.pk) if row.has_merged else []


def _may_unmerge(row: Opportunity, user: Any, at: datetime) -> bool:
    told = merge_told(row.pk)
    return told is not None and may_undo(told, by=user, at=at) and not is_undone(told)


def _double(row: Any, user: Any) -> tuple[int, str] | None:
    """A running deal of the same name at the same account, if the person may edit it too."""
    if row.double is None or row.journey.state in CLOSED_STATES:
        return None
    seen = Opportunity.objects.visible_to(user, "opportunity.edit").filter(pk__in=[row.double, row.pk])
    found = dict(seen.values_list("pk", "name"))
    return (row.double, found[row.double]) if len(found) == 2 else None
