"""A migration of running deals as the worker does it: `python -m bench.migrating ROWS` on the database of the environment.

It publishes a next version, plans and tries the migration, says `ready`, and carries it out once it is told `go`; then
it prints one JSON object. Deals of the first stage keep their version: those are what people move meanwhile.
"""

from __future__ import annotations

import copy
import json
import os
import sys
import time
from typing import Any


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlead.config.settings")
    import django

    django.setup()
    from fairlead.common import memory

    memory.settle()  # as the worker does
    plan = prepared(int(sys.argv[1]))
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(carried_over(plan)), flush=True)


def _how() -> dict[str, Any]:
    from django.utils import timezone

    return {"by": None, "at": timezone.now(), "channel": "system"}


def prepared(rows: int) -> int:
    """A plan that is tried and confirmed, for about so many deals: those of the smallest amounts."""
    from fairlead.process import services as process
    from fairlead.process.models import Journey, ProcessVersion
    from fairlead.process.services import migrating

    key = Journey.objects.current().open().filter(subject_type="opportunity").first().process_key
    latest = ProcessVersion.objects.filter(process__key=key).order_by("-number")[0]
    document = copy.deepcopy(latest.document)
    document["version"] = latest.number + 1
    name = {"zh": "多一项", "en": "One more"}
    item = {"key": f"more_{latest.number}", "name": name, "type": "field", "level": "block"}
    document["stages"][1].setdefault("exit", []).append(item | {"field": "description", "op": "present"})
    process.publish(document, **_how())
    first = document["stages"][0]["key"]
    plan = migrating.plan_migration(key, **_how())
    amounts = sorted(
        migrating.in_flight(key, plan.target)
        .exclude(stage__key=first)
        .filter(base_amount__isnull=False)
        .values_list("base_amount", flat=True)
    )
    most = int(amounts[min(rows, len(amounts)) - 1])
    groups = [
        {"choice": "keep", "stage": first},
        {"choice": "now", "max": most},
        {"choice": "keep"},
    ]
    plan = migrating.edit_plan(plan.pk, version=plan.version, groups=groups, **_how())
    how = _how()
    plan = migrating.check(plan.pk, by=None, at=how["at"])
    return int(migrating.confirm(plan.pk, version=plan.version, **how).pk)


def carried_over(plan: int) -> dict[str, Any]:
    from django.utils import timezone

    from fairlead.process.models import Migration
    from fairlead.process.services import carrying_over

    begun, cpu = time.perf_counter(), time.process_time()
    carrying_over.execute(plan, clock=timezone.now)
    row = Migration.objects.get(pk=plan)
    moved = row.rows.filter(state="done").count()
    return {
        "state": str(row.state),
        "moved": moved,
        "seconds": time.perf_counter() - begun,
        "cpu": time.process_time() - cpu,
    }


if __name__ == "__main__":
    main()
