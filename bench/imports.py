"""How quickly a CSV file of new opportunities comes in, alone and while ten people work beside it."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from .beside import people, waits
from .databases import ROOT, Database
from .measures import Figure

RATE = {"sqlite": 1000.0, "postgresql": 1500.0}
RATE_BESIDE = 300.0
NAMES = ("import alone", "import beside")
HEAD = ("Opportunity name", "Account", "Amount", "Expected close date", "Owner", "External ID")


def write_file(path: Path, rows: int, facts: dict[str, Any], run: int) -> None:
    """New deals of known accounts and people, as another system exports them."""
    pick = random.Random(run)
    owners = sorted(facts["ready"]) or ["s000"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        for i in range(rows):
            day = datetime.now(UTC).date() + timedelta(days=pick.randint(10, 300))
            writer.writerow(
                [
                    f"进口件国产化 {run}-{i}",
                    pick.choice(facts["account_names"]),
                    pick.randint(2, 500) * 10_000,
                    day.isoformat(),
                    pick.choice(owners),
                    f"B{run}-{i}",
                ]
            )


def measure(database: Database, facts: dict[str, Any], rows: int, wanted: set[str]) -> list[Figure]:
    found = []
    if "import alone" in wanted:
        file = database.data / "alone.csv"
        write_file(file, rows, facts, 1)
        found.append(_rate("import alone", database, _start(database, file), rows, RATE[database.engine]))
    if "import beside" in wanted:
        found += _beside(database, facts, rows)
    return found


def _start(database: Database, file: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench.importing", str(file)],
        cwd=ROOT,
        env=database.environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _rate(name: str, database: Database, process: subprocess.Popen[str], rows: int, limit: float) -> Figure:
    """Opportunities a second from the file to the finished run, the check of the whole file included."""
    said, errors = process.communicate()
    figure = Figure("import", name, database.engine, unit="/s", limit=limit, at_least=True)
    if process.returncode:
        figure.note = (errors.strip().splitlines() or ["ended without a word"])[-1][:200]
        return figure
    told = json.loads(said)
    if "missing" in told:
        figure.note = told["missing"]
        return figure
    made = told["counts"].get("done", {}).get("created", 0)
    figure.value = round(made / told["all"], 1)
    figure.more = {k: round(told[k], 2) for k in ("stage", "check", "write")} | {
        "created": made,
        "of": rows,
        "write_rate": round(made / told["write"], 1),
    }
    if made != rows:
        figure.note = f"{made} of {rows} created; {json.dumps(told['findings'], ensure_ascii=False)[:200]}"
    return figure


def _beside(database: Database, facts: dict[str, Any], rows: int) -> list[Figure]:
    file = database.data / "beside.csv"
    write_file(file, rows, facts, 2)
    with people(database, facts) as ten:
        if not ten.clients:
            return [Figure("import", "import beside", database.engine, note="no deal is ready to move")]
        before = ten.before()
        process = _start(database, file)
        told: list[Figure] = []
        waiter = threading.Thread(
            target=lambda: told.append(_rate("import beside", database, process, rows, RATE_BESIDE))
        )
        waiter.start()
        during = ten.work(lambda: not waiter.is_alive())
        waiter.join()
    return [*told, *waits("import", database.engine, before, during)]
