"""The matrix of roles and rights, and why somebody sees or moves a record, or does not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.urls import Resolver404, resolve

from fairlead.crm.models import Account, Contact, Opportunity
from fairlead.organisation.enums import Role, Scope
from fairlead.organisation.explaining import Place, Reason, explain
from fairlead.organisation.models import User
from fairlead.organisation.rights import ALL_RIGHTS, scope_of

from .finding import find

MODELS: Final[dict[str, Any]] = {"opportunity": Opportunity, "account": Account, "contact": Contact}
_WITH: Final = {"opportunity": ("journey",), "account": (), "contact": ("account",)}
_ADDRESS: Final = re.compile(r"^(?:https?://[^/\s]+)?(/[a-z]+/\d{1,18}/)")


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether `right` reaches the record, and what each role of the person says about it."""

    right: str
    reaches: bool
    reasons: Sequence[Reason]


def matrix() -> list[tuple[str, list[Scope | None]]]:
    """Right → the scope of each role, in the order of the roles."""
    return [(right, [scope_of(role, right) for role in Role]) for right in ALL_RIGHTS]


def answers(person: User, kind: str, record: Any, rights: Sequence[str]) -> list[Answer]:
    place, grants = _place(person, kind, record), person.grants()
    found = []
    for right in rights:
        reasons = explain(grants, right, place)
        found.append(Answer(right, person.is_active and any(r.reaches for r in reasons), reasons))
    return found


def _place(person: User, kind: str, record: Any) -> Place:
    """Where the record stands for the person; a contact stands where its account does."""
    row = record.account if kind == "contact" else record
    if kind == "opportunity":
        return Place(row.team_id, person.pk in (row.owner_id, row.sr_id, row.fr_id))
    own = row.owner_id == person.pk or Opportunity.objects.filter(account=row).of_member(person).exists()
    return Place(row.team_id, own)


def record_of(reader: User, text: str) -> tuple[str, Any] | list[tuple[str, Any]]:
    """The record that an address or a name means, as far as `reader` sees it; several when the name is not enough."""
    if address := _ADDRESS.match(text.strip()):
        try:
            match = resolve(address.group(1))
        except Resolver404:
            return []
        kind = match.view_name.rpartition(":")[2]
        if kind not in MODELS:
            return []
        rows_of = MODELS[kind].objects.visible_to(reader).select_related(*_WITH[kind])
        row = rows_of.filter(pk=match.kwargs["pk"]).first()
        return (kind, row) if row is not None else []
    rows = [(hits.kind, row) for hits in find(reader, text, most=5) for row in hits.rows]
    return rows[0] if len(rows) == 1 else rows
