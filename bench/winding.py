"""Clocks of a filled database: wound for all open deals, and swept when a given number is due. Needs Django set up.

`python -m bench.winding DUE` on the database of the environment prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import timedelta
from typing import Any

AT_ONCE = 1000


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlead.config.settings")
    import django

    django.setup()
    print(json.dumps(sweep_when_due(int(sys.argv[1]))), flush=True)


def wind() -> int:
    """Write the clock rows of every open deal, by the projection that a move uses; how many."""
    from django.db import transaction

    from fairlead.organisation.selectors import default_calendar
    from fairlead.process.models import Clock, Journey
    from fairlead.process.services import clock_rows, ledger

    ids = list(Journey.objects.running().order_by("pk").values_list("pk", flat=True))
    calendar = default_calendar()
    for first in range(0, len(ids), AT_ONCE):
        with transaction.atomic():
            rows = ledger.lock(ids[first : first + AT_ONCE])
            travels, _ids = ledger.travels_of(list(rows.values()))
            clock_rows.write_rows(
                {pk: clock_rows.readings_of(row, travels[pk], calendar) for pk, row in rows.items()}
            )
    return Clock.objects.count()


def sweep_when_due(wanted: int) -> dict[str, Any]:
    """Sweep away what is overdue already, then find and write when `wanted` journeys are due at once."""
    from django.db.models import Min

    from fairlead.process.models import Clock, Journey
    from fairlead.process.services.sweeping import due_journeys, sweep

    # Of the deals that have waited longest one clock each is due; the others are given time by a late start.
    clocks = Clock.objects.count()
    dues = Clock.objects.filter(next_due_at__isnull=False)
    instants = list(
        dues.values("journey_id").annotate(first=Min("next_due_at")).values_list("first", flat=True)
    )
    instants.sort()
    if len(instants) <= wanted:
        return {"missing": f"only {len(instants)} journeys have a clock"}
    at = instants[wanted - 1] + timedelta(microseconds=1)
    found = []
    for _ in range(20):
        begun = time.perf_counter()
        ids = due_journeys(at)
        found.append(time.perf_counter() - begun)
    begun, used = time.perf_counter(), time.process_time()
    swept = sweep(at=at)
    return {
        "clocks": clocks,
        "open": Journey.objects.running().count(),
        "due": len(ids),
        "find": found,
        "write": time.perf_counter() - begun,
        "cpu": time.process_time() - used,
        "breaches": swept.breaches,
        "escalations": swept.escalations,
        "transactions": swept.transactions,
    }


if __name__ == "__main__":
    main()
