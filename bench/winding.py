"""Clocks of a filled database: wound for all open deals, and swept when a given number is due. Needs Django set up.

`python -m bench.winding DUE` on the database of the environment prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import datetime, timedelta
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


def settle(at: datetime) -> dict[str, int]:
    """What the worker of a running company did long ago: every clock that is overdue told of, the journal sealed.

    Else its first rounds write a quarter of a million rows beside whatever is measured.
    """
    from fairlead.journal.sealing import seal_all
    from fairlead.process.services.sweeping import due_journeys, sweep

    breaches = 0
    while due_journeys(at):
        breaches += sweep(at=at).breaches
    return {"breach": breaches, "sealed": seal_all(at=at)}


def sweep_when_due(wanted: int) -> dict[str, Any]:
    """Find and write when `wanted` journeys are due at once."""
    from django.db.models import F, Min

    from fairlead.process.models import Clock, Journey
    from fairlead.process.services.sweeping import due_journeys, sweep

    clocks = Clock.objects.count()
    waiting = Clock.objects.filter(next_due_at__isnull=False)
    firsts = waiting.values("journey_id").annotate(first=Min("next_due_at")).order_by("first", "journey_id")
    first = list(firsts.values_list("first", "journey_id"))
    if len(first) <= wanted:
        return {"missing": f"only {len(first)} journeys have a clock"}
    at = first[wanted - 1][0] + timedelta(microseconds=1)
    # Many are due in one instant, the end of a working day: the rest of them get a day more.
    rest = [journey for due, journey in first[wanted:] if due < at]
    for start in range(0, len(rest), AT_ONCE):
        waiting.filter(journey_id__in=rest[start : start + AT_ONCE], next_due_at__lt=at).update(
            next_due_at=F("next_due_at") + timedelta(days=1)
        )
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
