"""What the page of the sample data shows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from fairlead.exchange.enums import SampleState
from fairlead.exchange.models import SampleData
from fairlead.exchange.samples.plan import ACCOUNTS, CONTACTS, DEALS, SEGMENTS
from fairlead.exchange.services.samples import KINDS, may_clear, why_not

MOST_NAMED = 50


def sample_view(row: SampleData, *, at: datetime) -> dict[str, Any]:
    """`here`: how many samples of each kind there are now; `kept`: what the last clearing left to the real records."""
    is_there = row.state not in (SampleState.NONE, SampleState.LOADING)
    return {
        "row": row,
        "share": row.steps_done / row.steps_total if row.steps_total else 0.0,
        "brings": {"segments": SEGMENTS, "accounts": ACCOUNTS, "contacts": CONTACTS, "deals": DEALS},
        "here": _counted({k: m.objects.filter(is_sample=True).count() for k, m in KINDS.items()})
        if is_there
        else [],
        "removed": _counted(row.removed) if row.state == SampleState.NONE else [],
        "kept": _kept(row) if row.state == SampleState.NONE else [],
        "why_not": why_not(row) if row.state == SampleState.NONE else "",
        "may_clear": may_clear(row, at=at),
    }


def _names() -> dict[str, str]:
    return {
        "opportunity": _("Opportunities"),
        "contact": _("Contacts"),
        "account": _("Accounts"),
        "segment": _("Market segments"),
    }


def _counted(numbers: dict[str, int]) -> list[dict[str, Any]]:
    """In the order from the market to the deal."""
    return [
        {"label": label, "count": numbers[kind]}
        for kind, label in reversed(_names().items())
        if kind in numbers
    ]


def _kept(row: SampleData) -> list[dict[str, Any]]:
    """Each record that stayed, with its name, as far as it is still there."""
    found = []
    for kind, label in _names().items():
        ids = row.kept.get(kind, [])[:MOST_NAMED]
        if ids:
            rows = KINDS[kind].objects.filter(pk__in=ids).order_by("pk")
            found += [
                {"kind": kind, "label": label, "id": pk, "name": n}
                for pk, n in rows.values_list("pk", "name")
            ]
    return found
