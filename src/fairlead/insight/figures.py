"""The few figures by which one checks that a pipeline came in whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fairlead.crm.models import Account, Opportunity
from fairlead.process.models import Process


def figures(*, as_of: datetime, process_key: str = "") -> dict[str, Any]:
    """Over one process, or over all that move opportunities; everything counts, whoever asks.

    Won and lost as in `outcomes.win_rate` on the closed basis (lost to a competitor); `open` are cases not closed
    at `as_of`; the median is that of won and lost cases in calendar days. Raises Process.DoesNotExist.
    """
    from fairlead.analytics import duration, outcomes
    from fairlead.analytics.survival import pool
    from fairlead.analytics.tables import EVERYTHING

    from .history import load

    if process_key:
        keys = [Process.objects.get(key=process_key).key]
    else:
        keys = list(Process.objects.filter(subject_type="opportunity").values_list("key", flat=True))
    deals = (
        Opportunity.objects.filter(journey__process_key__in=keys)
        if process_key
        else Opportunity.objects.all()
    )
    won = lost = still_open = 0
    value, curves = 0.0, []
    for key in keys:
        history = load(key).history
        found = outcomes.win_rate(history, scope=EVERYTHING, as_of=as_of, basis="closed")
        won, lost = won + found.outcomes["won"], lost + found.outcomes["lost"]
        value += found.won_value
        still_open += int((~history.closed(as_of)).sum())
        curves.append(duration.cycle_length(history, scope=EVERYTHING, as_of=as_of).decided)
    median = pool(curves).median.value if curves else None
    return {
        "opportunities": deals.count(),
        "accounts": Account.objects.count(),
        "people": deals.exclude(owner=None).values("owner").distinct().count(),
        "won": won,
        "lost": lost,
        "open": still_open,
        "win_rate_closed": round(won / (won + lost), 5) if won + lost else None,
        "won_value": _plain(round(value, 2)),
        "median_days_to_close": None if median is None else _plain(median),
    }


def _plain(number: float) -> int | float:
    return int(number) if number == int(number) else number
