"""How quickly a CSV file of new opportunities comes in, alone and while ten people work beside it."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from .client import Client
from .databases import ROOT, Database
from .measures import Figure, milliseconds, percentile
from .pages import NEXT_STAGE, PAGES, signed_in
from .serve import served

USERS = 10
THINK_SECONDS = (0.1, 0.4)
RATE = {"sqlite": 1000.0, "postgresql": 1500.0}
RATE_BESIDE, WAIT_P95, WAIT_MAX = 300.0, 50.0, 250.0
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
    names = [u for u in sorted(facts["ready"], key=lambda u: -len(facts["ready"][u])) if u != "s000"][:USERS]
    if not names:
        return [Figure("import", "import beside", database.engine, note="no deal is ready to move")]
    with served(database) as site:
        clients = [(u, signed_in(site, u)) for u in names]
        ready = {u: iter(facts["ready"][u]) for u in names}
        before = _people(clients, ready, facts, lambda begun: time.monotonic() - begun > 4)
        process = _start(database, file)
        told: list[Figure] = []
        waiter = threading.Thread(
            target=lambda: told.append(_rate("import beside", database, process, rows, RATE_BESIDE))
        )
        waiter.start()
        during = _people(clients, ready, facts, lambda _begun: not waiter.is_alive())
        waiter.join()
        for _user, client in clients:
            client.close()
    figure = told[0]
    if not before or not during:
        return [figure, Figure("import", "wait p95", database.engine, note="nobody wrote meanwhile")]
    usual = percentile(before, 0.5)
    waits = [max(t - usual, 0) for t in during]
    shown = milliseconds(waits)
    more = {"writes": milliseconds(during), "without import": milliseconds(before)}
    return [
        figure,
        Figure("import", "wait p95", database.engine, value=shown["p95"], limit=WAIT_P95, more=more),
        Figure("import", "wait max", database.engine, value=shown["max"], limit=WAIT_MAX),
    ]


def _people(
    clients: list[tuple[str, Client]], ready: dict[str, Any], facts: dict[str, Any], is_over: Any
) -> list[float]:
    """Each person looks at the list and moves a deal, thinks, and goes on. How long each move took."""
    times: list[float] = []
    begun = time.monotonic()
    path = next(p for p in PAGES if p.name == "list").paths(facts)[0]

    def work(username: str, client: Client, seed: int) -> None:
        pick = random.Random(seed)
        while not is_over(begun):
            time.sleep(pick.uniform(*THINK_SECONDS))
            if pick.random() < 0.5:
                client.get(path)
                continue
            deal = next(ready[username], None)
            if deal is None:
                return
            answer = client.move(deal, NEXT_STAGE, 1)
            if answer.status in (200, 204):
                times.append(answer.seconds)

    threads = [threading.Thread(target=work, args=(u, c, i)) for i, (u, c) in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times
