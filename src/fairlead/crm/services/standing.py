"""Values that stand still: of a deal that is won, and of what is being decided (MV-5, AP-5). Every writer asks here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import Catalogue
from fairlead.process.models import Journey
from fairlead.process.selectors.approvals import frozen_fields, frozen_of

from .values import error_of, value_of

COMMERCIAL = frozenset({"amount", "currency", "product", "discount", "margin"})


def standing_errors(
    kind: str, row: Any, fields: Catalogue, values: Mapping[str, Any], journeys: Iterable[Journey]
) -> list[dict[str, str]]:
    """What of `values` may not be set now, each with its mend. `journeys`: the locked ones of this record."""
    errors = []
    if kind == "opportunity" and row.commercial_locked:
        text = _("The deal is won: its commercial values stand. Reopen it to change them.")
        errors = [error_of(fields[key], text) for key in values if key in COMMERCIAL]
    frozen = frozen_fields(journeys).get(row.pk, frozenset()) & set(values)
    text = _("It is being decided: what was submitted stands still. Withdraw the request to change it.")
    return errors + [
        error_of(fields[key], text) for key in sorted(frozen) if value_of(row, fields[key]) != values[key]
    ]


def frozen_among(kind: str, ids: Sequence[int], keys: Collection[str]) -> dict[int, frozenset[str]]:
    """By record: which of `keys` stand still because a request about them is being decided."""
    if not keys:
        return {}
    return {pk: found for pk, frozen in frozen_of(kind, ids).items() if (found := frozen & set(keys))}
