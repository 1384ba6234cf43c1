"""Whole answers of pages over loopback, beside the floor: their bare statements, an empty page, in turns."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from typing import Any
from urllib.parse import quote

from .client import PASSWORD, Client, Unexpected
from .databases import ROOT, Database
from .measures import Figure, chunks, milliseconds
from .serve import Site, served

SELLER, MANAGER = "s000", "m0"
FRAME = "/search/"  # the frame of every page around one empty field
TURN = 20  # requests before the floor has its turn
MOVED_FROM_EACH = 40  # deals of one seller that are moved, so that boards stay boards
COLD_STARTS = 5
NEXT_STAGE = "needs_analysis"
_FILTER = {
    "all": [
        {"field": "state", "op": "eq", "value": "open"},
        {"field": "amount", "op": "gte", "value": "500000"},
    ]
}


@dataclass(frozen=True)
class Page:
    name: str
    paths: Callable[[dict[str, Any]], list[str]]
    limit: float
    must_hold: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


def sought(facts: dict[str, Any]) -> list[str]:
    """Two or three characters of names that are there, as somebody types them."""
    return [name[2 : 4 + i % 2] for i, name in enumerate(facts["account_names"][:4000:40])]


PAGES = (
    Page("board", lambda facts: ["/board/"], 35, b"fl-card"),
    Page("list", lambda facts: [f"/opportunities/?sort=-amount&filter={quote(json.dumps(_FILTER))}"], 15),
    Page("opportunity", lambda facts: [f"/opportunities/{pk}/" for pk in facts["rich"]], 20),
    Page("timeline of 1,000", lambda facts: [f"/opportunities/{facts['long']}/"], 20),
    Page("my day", lambda facts: ["/"], 30),
    Page("search", lambda facts: [f"/search/?q={quote(text)}" for text in sought(facts)], 12),
    Page(
        "palette",
        lambda facts: [f"/palette/?q={quote(text)}" for text in sought(facts)],
        12,
        headers={"HX_Request": "true"},
    ),
    Page("funnel warm", lambda facts: ["/funnel/"], 80),
)

MOVE_LIMIT, COLD_LIMIT = 12, 1500
NAMES = (*(p.name for p in PAGES), "move", "funnel cold")


class Beside:
    """The process that executes bare statements."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def order(self, **what: Any) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "the floor has ended"}')
        if isinstance(answer, dict) and "error" in answer:
            raise Unexpected(f"floor: {answer['error']}")
        return answer


@contextmanager
def beside(database: Database) -> Iterator[Beside]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.floor"],
        cwd=ROOT,
        env=database.environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield Beside(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=30)


def signed_in(site: Site, username: str) -> Client:
    client = Client(site.address)
    client.sign_in(username, PASSWORD)
    return client


def measure(database: Database, facts: dict[str, Any], n: int, wanted: set[str]) -> list[Figure]:
    """All pages for a seller and a manager; one that is not there yet is reported as missing."""
    found: list[Figure] = []
    with served(database) as site, beside(database) as floor:
        for who, username in (("seller", SELLER), ("manager", MANAGER)):
            client = signed_in(site, username)
            for page in PAGES:
                if page.name in wanted:
                    run = partial(_page, site, client, floor, page, username, facts, n)
                    found.append(_or_missing(page.name, page.limit, database.engine, who, run))
            if "move" in wanted:
                run = partial(_moves, site, floor, who, facts, n)
                found.append(_or_missing("move", MOVE_LIMIT, database.engine, who, run))
            client.close()
    if "funnel cold" in wanted:
        found.append(
            _or_missing("funnel cold", COLD_LIMIT, database.engine, "manager", lambda: _cold(database, n))
        )
    return found


def _or_missing(name: str, limit: float, engine: str, who: str, run: Callable[[], Figure]) -> Figure:
    try:
        figure = run()
    except Unexpected as error:
        figure = Figure("pages", name, note=str(error))
    figure.engine, figure.who, figure.limit = engine, who, limit
    return figure


def _page(
    site: Site, client: Client, floor: Beside, page: Page, username: str, facts: dict[str, Any], n: int
) -> Figure:
    paths = page.paths(facts)
    if not paths:
        raise Unexpected("the filled database has no such record")
    for path in paths[:3]:
        first = client.get(path, **page.headers)
        if first.status != 200 or page.must_hold not in first.body:
            raise Unexpected(f"{path.split('?')[0]} answers {first.status}")
    looked = floor.order(do="look", user=username, path=paths[0], headers=page.headers)
    if looked["status"] != 200:
        raise Unexpected(f"floor: {looked['status']}")
    pages, bare, empty, frame = [], [], [], []
    turning = cycle(paths)
    size, cpu = 0, 0.0
    for count in chunks(n, TURN):
        before = site.cpu_seconds()
        for _ in range(count):
            answer = client.get(next(turning), **page.headers)
            if answer.status != 200:
                raise Unexpected(f"answers {answer.status}")
            pages.append(answer.seconds)
            size = len(answer.body)
        cpu += site.cpu_seconds() - before
        empty += [client.get("/healthz").seconds for _ in range(count)]
        frame += [client.get(FRAME).seconds for _ in range(count)]
        bare += floor.order(do="replay", n=count)
    figure = _figure(page.name, pages, bare, empty)
    figure.more |= {
        "cpu": round(cpu / len(pages) * 1000, 1),
        "frame": milliseconds(frame),
        "queries": looked["queries"],
        "kilobytes": round(size / 1000, 1),
    }
    if page.name == "board":
        figure.more["cards"] = first.body.count(b"data-journey=")
    return figure


def _figure(name: str, pages: list[float], bare: list[float], empty: list[float]) -> Figure:
    shown, floor, nothing = milliseconds(pages), milliseconds(bare), milliseconds(empty)
    return Figure(
        "pages",
        name,
        value=shown["p50"],
        ratio=round(shown["p50"] / (floor["p50"] + nothing["p50"]), 2),
        more={"page": shown, "statements": floor, "empty": nothing},
    )


def deals_to_move(facts: dict[str, Any], who: str) -> Iterator[tuple[str, int]]:
    """Sellers take turns from the start of the list, managers (over deals of their branch) from its end."""
    own = [u for u in facts["of_branch"] if u in facts["ready"] and u != SELLER] or list(facts["ready"])
    for i in range(MOVED_FROM_EACH):
        for username in own:
            deals = facts["ready"][username]
            if i * 2 + 1 < len(deals):
                yield username, deals[i] if who == "seller" else deals[-1 - i]


def _moves(site: Site, floor: Beside, who: str, facts: dict[str, Any], n: int) -> Figure:
    clients: dict[str, Client] = {}
    sources = deals_to_move(facts, who)
    moves, bare, empty = [], [], []
    looked: dict[str, Any] = {}
    cpu = 0.0
    for count in chunks(n, TURN):
        for username, deal in (next(sources, ("", 0)) for _ in range(count)):
            if not deal:
                break
            actor = username if who == "seller" else MANAGER
            if actor not in clients:
                clients[actor] = signed_in(site, actor)
                clients[actor].get("/board/")
            before = site.cpu_seconds()
            answer = clients[actor].move(deal, NEXT_STAGE, 1)
            cpu += site.cpu_seconds() - before
            if answer.status not in (200, 204) or b"gate" in answer.body:
                raise Unexpected(f"a move answers {answer.status}")
            moves.append(answer.seconds)
            empty.append(clients[actor].get("/healthz").seconds)
        for username, deal in (next(sources, ("", 0)) for _ in range(max(count // 4, 1))):
            if deal:
                looked = floor.order(
                    do="move", user=username if who == "seller" else MANAGER, deal=deal, to=NEXT_STAGE
                )
                if looked["status"] not in (200, 204):
                    raise Unexpected(f"floor: a move answers {looked['status']}")
                bare.append(looked["seconds"])
    for client in clients.values():
        client.close()
    if not moves or not bare:
        raise Unexpected("no deal is ready to move")
    figure = _figure("move", moves, bare, empty)
    figure.more |= {"cpu": round(cpu / len(moves) * 1000, 1), "queries": looked["queries"]}
    return figure


def _cold(database: Database, n: int) -> Figure:
    """The first funnel page of a web process. Each needs a start, so there are few."""
    seconds = []
    for _ in range(COLD_STARTS if n >= 100 else 1):
        with served(database) as site:
            client = signed_in(site, MANAGER)
            answer = client.get("/funnel/")
            client.close()
        if answer.status != 200:
            raise Unexpected(f"/funnel/ answers {answer.status}")
        seconds.append(answer.seconds)
    shown = milliseconds(seconds)
    return Figure("pages", "funnel cold", value=shown["p50"], more={"page": shown})
