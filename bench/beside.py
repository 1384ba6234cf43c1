"""Ten people who look at the list and move deals while something long is written beside them, and how long they wait."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .client import Client
from .databases import Database
from .measures import Figure, milliseconds, percentile
from .pages import NEXT_STAGE, PAGES, signed_in
from .serve import served

USERS = 10
THINK_SECONDS = (0.1, 0.4)
BEFORE_SECONDS = 4
WAIT_P95, WAIT_MAX = 50.0, 250.0


@dataclass(slots=True)
class People:
    """Who is signed in, and the deals that each may still move."""

    facts: dict[str, Any]
    clients: list[tuple[str, Client]] = field(default_factory=list)
    ready: dict[str, Iterator[int]] = field(default_factory=dict)

    def work(self, is_over: Callable[[], bool]) -> list[float]:
        """Each person looks at the list or moves a deal, thinks, and goes on. How long each move took."""
        times: list[float] = []
        path = next(p for p in PAGES if p.name == "list").paths(self.facts)[0]

        def one(username: str, client: Client, seed: int) -> None:
            pick = random.Random(seed)
            while not is_over():
                time.sleep(pick.uniform(*THINK_SECONDS))
                if pick.random() < 0.5:
                    client.get(path)
                    continue
                deal = next(self.ready[username], None)
                if deal is None:
                    return
                answer = client.move(deal, NEXT_STAGE, 1)
                if answer.status in (200, 204):
                    times.append(answer.seconds)

        threads = [threading.Thread(target=one, args=(u, c, i)) for i, (u, c) in enumerate(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return times

    def before(self) -> list[float]:
        """The same work with nothing beside it: what is usual."""
        begun = time.monotonic()
        return self.work(lambda: time.monotonic() - begun > BEFORE_SECONDS)


@contextmanager
def people(database: Database, facts: dict[str, Any]) -> Iterator[People]:
    """Those with the most deals that are ready to move, at a served site; nobody where no deal is."""
    found = People(facts)
    names = [u for u in sorted(facts["ready"], key=lambda u: -len(facts["ready"][u])) if u != "s000"][:USERS]
    if not names:
        yield found
        return
    with served(database) as site:
        found.clients = [(u, signed_in(site, u)) for u in names]
        found.ready = {u: iter(facts["ready"][u]) for u in names}
        yield found
        for _user, client in found.clients:
            client.close()


def waits(group: str, engine: str, before: list[float], during: list[float]) -> list[Figure]:
    """How much longer than usual a move took."""
    if not before or not during:
        return [Figure(group, "wait p95", engine, note="nobody wrote meanwhile")]
    usual = percentile(before, 0.5)
    shown = milliseconds([max(t - usual, 0) for t in during])
    more = {"writes": milliseconds(during), "alone": milliseconds(before), "n": len(during)}
    return [
        Figure(group, "wait p95", engine, value=shown["p95"], limit=WAIT_P95, more=more),
        Figure(group, "wait max", engine, value=shown["max"], limit=WAIT_MAX),
    ]
