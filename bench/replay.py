"""How long it takes to try a document of forty criteria on ten thousand journeys, and how much memory."""

from __future__ import annotations

import json
from typing import Any

from .databases import Database
from .measures import Figure

JOURNEYS, CRITERIA = 10_000, 40
SECONDS, MEGABYTES = 10.0, 400.0
NAMES = ("replay",)


def measure(database: Database, facts: dict[str, Any], wanted: set[str], runs: int) -> list[Figure]:
    """Processor time, the least of the runs: neighbours change it less than the clock."""
    told = json.loads(database.python("-m", "bench.trying", str(JOURNEYS), str(CRITERIA), str(runs)))
    more = {name: told[name] for name in ("journeys", "moves", "criteria", "judged", "clock")}
    return [
        Figure(
            "replay", "replay", database.engine, "cpu", round(told["cpu"], 2), "s", limit=SECONDS, more=more
        ),
        Figure(
            "replay",
            "replay",
            database.engine,
            "memory",
            round(told["megabytes"], 1),
            "MB",
            limit=MEGABYTES,
            more=more,
        ),
    ]
