"""A document of many criteria tried on the newest journeys of a filled database. Needs Django set up.

`python -m bench.trying JOURNEYS CRITERIA RUNS` on the database of the environment prints one JSON object.
"""

from __future__ import annotations

import copy
import json
import os
import resource
import sys
import time
from itertools import cycle
from typing import Any


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlead.config.settings")
    import django

    django.setup()
    print(json.dumps(tried(*map(int, sys.argv[1:4]))), flush=True)


def candidate_of(document: dict[str, Any], criteria: int) -> dict[str, Any]:
    """The document with exactly so many criteria: its own ones again under other keys, or fewer of them."""
    found = copy.deepcopy(document)
    sides = [(stage, side) for stage in found["stages"] for side in ("entry", "exit") if stage.get(side)]
    count = sum(len(stage[side]) for stage, side in sides)
    for stage, side in cycle(sides):
        if count == criteria:
            break
        if count > criteria and len(free := _free(stage, side)) > 1:
            stage[side].remove(free[-1])
            count -= 1
        elif count < criteria:
            stage[side].append({**stage[side][0], "key": f"{stage[side][0]['key'][:50]}_{count}"})
            count += 1
    for stage in found["stages"]:  # guidance may speak of a criterion that is gone
        stage.pop("handbook", None)
    return found


def _free(stage: dict[str, Any], side: str) -> list[dict[str, Any]]:
    """Items of a stage that no track of a role answers for: those may go."""
    kept = {key for track in stage.get("tracks", ()) for key in track.get("criteria", ())}
    return [item for item in stage[side] if item["key"] not in kept]


def tried(journeys: int, criteria: int, runs: int) -> dict[str, Any]:
    from django.utils import timezone

    from fairlead.insight.replay.asked import journey_ids
    from fairlead.insight.replay.figures import replay
    from fairlead.process.models import Process, ProcessVersion
    from fairlead.process.services.publishing import validate

    version = ProcessVersion.objects.published().filter(process__subject_type="opportunity").get()
    candidate, _warnings = validate(candidate_of(version.document, criteria))
    process = Process.objects.get(pk=version.process_id)
    ids = journey_ids(process, None, most=journeys)
    cpu = clock = float("inf")
    for _run in range(runs):
        began, ticked = time.process_time(), time.perf_counter()
        found = replay(candidate, ids, at=timezone.now())
        cpu, clock = min(cpu, time.process_time() - began), min(clock, time.perf_counter() - ticked)
    return {
        "cpu": cpu,
        "clock": round(clock, 2),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "journeys": found.journeys,
        "moves": found.moves,
        "criteria": len(found.criteria),
        "judged": sum(one.asked for one in found.criteria),
    }


if __name__ == "__main__":
    main()
