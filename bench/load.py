"""Twenty people at once, two web processes: how many lists and moves a second, and whether all succeed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

from .client import Client, Unexpected
from .crowd import Outcome, Wish, crowd, wish
from .databases import Database
from .measures import Figure, milliseconds
from .pages import NEXT_STAGE, PAGES, signed_in
from .serve import Site, served

USERS, WORKERS = 20, 2
LISTS_A_SECOND, MOVES_A_SECOND = (
    5 * 42,
    2.5 * 68,
)  # five times, two and a half times what Odoo 19 did on the same machine
LIST = next(p for p in PAGES if p.name == "list")
NAMES = ("lists", "moves")
WARMING = (
    0.25  # of the measured time: each process compiles its statements and pages once, and is measured then
)


def measure(database: Database, facts: dict[str, Any], seconds: float, wanted: set[str]) -> list[Figure]:
    names = sorted(facts["ready"], key=lambda u: -len(facts["ready"][u]))[:USERS]
    if not names:
        return _nothing(database, wanted, "no deal is ready to move")
    users = [names[i % len(names)] for i in range(USERS)]
    found = []
    with served(database, workers=WORKERS) as site:
        with ThreadPoolExecutor(USERS) as pool:
            try:
                clients = list(pool.map(lambda u: signed_in(site, u), users))
            except Unexpected as error:
                return _nothing(database, wanted, str(error))
        for client in clients:
            client.close()  # the crowd has connections of its own
        if "lists" in wanted:
            path = LIST.paths(facts)[0]
            listing = [wish(c, "GET", path, must_hold=b'id="list"') for c in clients]
            endless = [repeat(one) for one in listing]
            found.append(_run("lists", LISTS_A_SECOND, database, site, clients, endless, seconds))
        if "moves" in wanted:
            # Two sessions of one person share that person's deals.
            deals = {u: iter(facts["ready"][u]) for u in names}
            moving = [_moving(client, deals[user]) for client, user in zip(clients, users, strict=True)]
            found.append(_run("moves", MOVES_A_SECOND, database, site, clients, moving, seconds))
    return found


def _nothing(database: Database, wanted: set[str], why: str) -> list[Figure]:
    return [Figure("load", name, database.engine, note=why) for name in NAMES if name in wanted]


def _moving(client: Client, deals: Iterator[int]) -> Iterator[Wish]:
    """As cards dropped on a column of the board send it."""
    sent = {"HX_Request": "true", "HX_Current_URL": f"{client.origin}/board/"}
    for deal in deals:
        yield wish(client, "POST", f"/opportunities/{deal}/move/", {"to": NEXT_STAGE, "version": 1}, **sent)


def _run(
    name: str,
    limit: float,
    database: Database,
    site: Site,
    clients: list[Client],
    wishes: Sequence[Iterator[Wish]],
    seconds: float,
) -> Figure:
    warm = crowd(clients, wishes, seconds * WARMING)
    web, server = site.cpu_seconds(), database.cpu_seconds()
    outcome = crowd(clients, wishes, seconds)
    web, server = site.cpu_seconds() - web, database.cpu_seconds() - server
    outcome.errors += warm.errors
    return _figure(name, limit, database, outcome, {"web": web, "database": server, "users": outcome.cpu})


def _figure(name: str, limit: float, database: Database, outcome: Outcome, cpu: dict[str, float]) -> Figure:
    errors, answers = outcome.errors, len(outcome.times)
    if not answers:
        note = f"no answer; {', '.join(sorted(set(errors))) or 'nothing to do'}"
        return Figure("load", name, database.engine, note=note)
    each = {side: round(spent / (answers + len(errors)) * 1000, 2) for side, spent in cpu.items()}
    said = f"processor ms an answer: {', '.join(f'{side} {spent:g}' for side, spent in each.items())}"
    return Figure(
        "load",
        name,
        database.engine,
        value=round(answers / outcome.seconds, 1),
        unit="/s",
        limit=limit,
        at_least=True,
        more={
            "answers": milliseconds(outcome.times),
            "errors": len(errors),
            "kinds": sorted(set(errors))[:5],
            "users": USERS,
            "web_processes": WORKERS,
            "cpu": each["web"],
            "cpu_database": each["database"],
            "cpu_users": each["users"],
            # What these cores give where nobody else works on them: no more than this.
            "at_most": round((os.cpu_count() or 1) * 1000 / sum(each.values()), 1),
        },
        note=f"{len(errors)} errors; {said}" if errors else said,
    )
