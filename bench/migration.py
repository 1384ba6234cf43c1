"""How long ten people wait while ten thousand running deals are carried over to a new version of their process."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Any

from .beside import people, waits
from .databases import ROOT, Database
from .measures import Figure

ROWS = 10_000
NAMES = ("migration beside",)


def measure(database: Database, facts: dict[str, Any], rows: int) -> list[Figure]:
    figure = Figure("migration", NAMES[0], database.engine, unit="/s")
    with people(database, facts) as ten:
        if not ten.clients:
            figure.note = "no deal is ready to move"
            return [figure]
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.migrating", str(rows)], cwd=ROOT, env=database.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            _said, errors = process.communicate()
            figure.note = (errors.strip().splitlines() or ["ended without a word"])[-1][:200]
            return [figure]
        before = ten.before()
        said: list[tuple[str, str]] = []
        waiter = threading.Thread(target=lambda: said.append(process.communicate("go\n")))
        waiter.start()
        during = ten.work(lambda: not waiter.is_alive())
        waiter.join()
    ((answer, errors),) = said
    if process.returncode:
        figure.note = (errors.strip().splitlines() or ["ended without a word"])[-1][:200]
        return [figure]
    told = json.loads(answer)
    figure.value = round(told["moved"] / told["seconds"], 1)
    figure.more = {k: told[k] for k in ("moved", "state")} | {
        k: round(told[k], 2) for k in ("seconds", "cpu")
    }
    return [figure, *waits("migration", database.engine, before, during)]
