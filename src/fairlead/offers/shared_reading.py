"""The shared figures of contracts as they are read: from the rows, and in words (IT-6)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from fairlead.common.money import format_amount

from .models import Contract, MilestoneKind
from .shared_figures import Payment, Shared, Signed, all_met, shared_of

MASK = "margin.view"


def signed_of(rows: Iterable[Contract]) -> list[Signed]:
    """Of contracts that were read with their `milestones` and `opportunity`."""
    return [
        Signed(
            contract=row.pk,
            amount=row.amount,
            cost=row.actual_cost,
            margin=row.opportunity.margin,
            satisfaction=row.satisfaction,
            satisfaction_target=row.satisfaction_target,
            payments=tuple(
                Payment(m.due_date, m.amount, m.done_date)
                for m in row.milestones.all()
                if m.kind == MilestoneKind.PAYMENT
            ),
        )
        for row in rows
    ]


def figure_name(kind: str) -> str:
    return {
        "satisfaction": _("Customer satisfaction"),
        "profit": _("Contract profit"),
        "collection": _("Paid by the due date"),
    }[kind]


def value_words(kind: str, value: Decimal | None, currency: str) -> str:
    if value is None:
        return "—"
    if kind == "profit":
        return format_amount(value, currency) if value >= 0 else f"−{format_amount(-value, currency)}"
    return f"{value.normalize():f} / 10" if kind == "satisfaction" else f"{value.normalize():f} %"


def met_words(met: bool | None, n: int) -> str:
    """What to say of a figure: met, missed, or why it cannot be said."""
    if met is None:
        return _("no target") if n else _("not measured")
    return pgettext("target", "met") if met else pgettext("target", "missed")


def figure_words(one: Shared, currency: str) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "name": figure_name(one.kind),
        "value": value_words(one.kind, one.value, currency),
        "target": value_words(one.kind, one.target, currency),
        "n": one.n,
        "met": one.met,
        "said": met_words(one.met, one.n),
    }


def contract_words(row: Contract, *, reader: Any, today: date) -> dict[str, Any]:
    """The three figures of one contract for a page; without profit for whoever may not see margins."""
    figures = shared_of(signed_of([row])[0], today=today, with_profit=reader.may(MASK))
    return {"figures": [figure_words(one, row.currency) for one in figures], "all_met": all_met(figures)}
