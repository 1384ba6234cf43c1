"""How long the engine itself takes: one decision, facts in bulk, a full inbox, a move that checks an envelope, and the
dry run of a migration; see `deciding`."""

from __future__ import annotations

import json
from typing import Any

from .databases import Database
from .measures import Figure

NAMES = ("engine",)
#: Name → unit and the figure that it should not pass.
LIMITS = {
    "decide": ("ms", 0.2),
    "facts": ("ms", 10.0),
    "inbox": ("ms", 25.0),
    "move": ("ms", 15.0),
    "dry run": ("s", 10.0),
    "dry run memory": ("MB", 400.0),
}


def measure(database: Database, facts: dict[str, Any], wanted: set[str], *, quick: bool) -> list[Figure]:
    """Medians by the clock, and beside each the floor: a statement that reads one row by its key, a hundred times."""
    told = json.loads(database.python("-m", "bench.deciding", "quick" if quick else "full"))
    floor = told["floor"]
    return [
        Figure(
            "engine",
            name,
            database.engine,
            value=round(told[name]["value"], 3),
            unit=unit,
            limit=limit,
            ratio=round(told[name]["value"] / floor, 2) if unit == "ms" else None,
            more={**told[name]["more"], "floor": round(floor, 3)},
        )
        for name, (unit, limit) in LIMITS.items()
    ]
