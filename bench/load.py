"""Twenty people at once, two web processes: how many lists and moves a second, and whether all succeed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .client import Client, Unexpected
from .databases import Database
from .measures import Figure, milliseconds
from .pages import NEXT_STAGE, PAGES, signed_in
from .serve import served

USERS, WORKERS = 20, 2
LISTS_A_SECOND, MOVES_A_SECOND = (
    5 * 42,
    2.5 * 68,
)  # five times, two and a half times what Odoo 19 did on the same machine
LIST = next(p for p in PAGES if p.name == "list")
NAMES = ("lists", "moves")


def measure(database: Database, facts: dict[str, Any], seconds: float, wanted: set[str]) -> list[Figure]:
    names = sorted(facts["ready"], key=lambda u: -len(facts["ready"][u]))[:USERS]
    if not names:
        return [
            Figure("load", name, database.engine, note="no deal is ready to move")
            for name in NAMES
            if name in wanted
        ]
    users = [names[i % len(names)] for i in range(USERS)]
    found = []
    with served(database, workers=WORKERS) as site:
        with ThreadPoolExecutor(USERS) as pool:
            try:
                clients = list(pool.map(lambda u: signed_in(site, u), users))
            except Unexpected as error:
                return [
                    Figure("load", name, database.engine, note=str(error)) for name in NAMES if name in wanted
                ]
        path = LIST.paths(facts)[0]
        if "lists" in wanted:
            found.append(
                _figure(
                    "lists",
                    LISTS_A_SECOND,
                    database,
                    _crowd(clients, lambda _i, _turn: lambda c: c.get(path), seconds),
                )
            )
        if "moves" in wanted:
            # Two sessions of one person share that person's deals.
            shared = {u: iter(facts["ready"][u]) for u in names}
            lock = threading.Lock()

            def next_move(i: int, _turn: int) -> Callable[[Client], Any] | None:
                with lock:
                    deal = next(shared[users[i]], None)
                return None if deal is None else lambda c: c.move(deal, NEXT_STAGE, 1)

            found.append(_figure("moves", MOVES_A_SECOND, database, _crowd(clients, next_move, seconds)))
        for client in clients:
            client.close()
    return found


def _crowd(
    clients: list[Client], work: Callable[[int, int], Callable[[Client], Any] | None], seconds: float
) -> tuple[list[float], list[str], float]:
    """Everybody works without a pause until the time or the work is over. Times, errors, duration."""
    times: list[list[float]] = [[] for _ in clients]
    errors: list[str] = []
    gate = threading.Barrier(len(clients) + 1)
    until = [0.0]

    def run(i: int) -> None:
        gate.wait()
        turn = 0
        while time.monotonic() < until[0] and (act := work(i, turn)) is not None:
            turn += 1
            try:
                answer = act(clients[i])
            except OSError as error:
                errors.append(type(error).__name__)
                continue
            if answer.status in (200, 204):
                times[i].append(answer.seconds)
            else:
                errors.append(str(answer.status))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(clients))]
    for thread in threads:
        thread.start()
    begun = time.monotonic()
    until[0] = begun + seconds
    gate.wait()
    for thread in threads:
        thread.join()
    return [t for row in times for t in row], errors, time.monotonic() - begun


def _figure(
    name: str, limit: float, database: Database, result: tuple[list[float], list[str], float]
) -> Figure:
    times, errors, took = result
    if not times:
        return Figure(
            "load",
            name,
            database.engine,
            note=f"no answer; {', '.join(sorted(set(errors))) or 'nothing to do'}",
        )
    return Figure(
        "load",
        name,
        database.engine,
        value=round(len(times) / took, 1),
        unit="/s",
        limit=limit,
        at_least=True,
        more={
            "answers": milliseconds(times),
            "errors": len(errors),
            "kinds": sorted(set(errors))[:5],
            "users": len(set(range(USERS))),
            "web_processes": WORKERS,
        },
        note=f"{len(errors)} errors" if errors else "",
    )
