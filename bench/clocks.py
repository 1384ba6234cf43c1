"""How long the sweep over all open clocks takes to find those that are due, and to write their breaches."""

from __future__ import annotations

import json
from typing import Any

from .databases import Database
from .measures import Figure, milliseconds

DUE = 1000
FIND, WRITE = 50.0, 5000.0  # ms
NAMES = ("clocks sweep",)


def measure(database: Database, facts: dict[str, Any], due: int, wanted: set[str]) -> list[Figure]:
    told = json.loads(database.python("-m", "bench.winding", str(due)))
    find = Figure("clocks", "clocks sweep", database.engine, "find", limit=FIND)
    write = Figure("clocks", "clocks sweep", database.engine, "write", limit=WRITE)
    if "missing" in told:
        find.note = write.note = told["missing"]
        return [find, write]
    page = milliseconds(told["find"])
    find.value, find.more = page["p50"], {"page": page, "clocks": told["clocks"], "due": told["due"]}
    write.value = round(told["write"] * 1000, 1)
    write.more = {k: told[k] for k in ("due", "breaches", "escalations", "transactions")} | {
        "cpu": round(told["cpu"] * 1000, 1)
    }
    return [find, write]
