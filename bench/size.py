"""Memory, start, packages, and what a first visit brings over the wire."""

from __future__ import annotations

import gzip
import re
import time
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from .client import Client, Unexpected
from .databases import ROOT, Database
from .measures import Figure, milliseconds
from .pages import MANAGER, signed_in
from .serve import memory_mb, served

STARTS = 5
NAMES = ("memory", "start", "packages", "first page")
_LINKED = re.compile(
    r'<link[^>]+rel="(?:stylesheet|icon|preload)"[^>]*>|<script[^>]+src="[^"]+"|<use href="[^"#]+'
)
_ADDRESS = re.compile(r'(?:href|src)="([^"#]+)')


def measure(database: Database, facts: dict[str, Any], n: int, wanted: set[str]) -> list[Figure]:
    found: list[Figure] = []
    if "start" in wanted:
        found.append(_start(database, STARTS if n >= 100 else 1))
    if "packages" in wanted:
        found.append(_packages())
    if wanted & {"memory", "first page"}:
        with served(database) as site:
            client = signed_in(site, MANAGER)
            if "first page" in wanted:
                for name, path, scripts in (("first page", "/", 48), ("first page, board", "/board/", 65)):
                    found += _first_page(client, name, path, scripts)
            if "memory" in wanted:
                found += _memory(site.web_processes(), client, facts)
            client.close()
    return found


def _start(database: Database, times: int) -> Figure:
    seconds = []
    for _ in range(times):
        with served(database) as site:
            seconds.append(site.ready_seconds)
        time.sleep(0.2)
    shown = milliseconds(seconds)
    return Figure(
        "size", "cold start", database.engine, value=shown["p50"], limit=1500, more={"start": shown}
    )


def _memory(processes: list[int], client: Client, facts: dict[str, Any]) -> list[Figure]:
    """Resident memory of the web process after a working hour of pages, then after the first funnel page."""
    if not processes:
        return [Figure("size", "memory", unit="MB", note="the web process was not found")]
    for path in (
        "/",
        "/board/",
        "/opportunities/",
        "/accounts/",
        *(f"/opportunities/{pk}/" for pk in facts["rich"][:10]),
    ):
        client.get(path)
    before = max(memory_mb(pid) for pid in processes)
    answer = client.get("/funnel/")
    after = max(memory_mb(pid) for pid in processes)
    return [
        Figure("size", "memory before funnel", value=round(before, 1), unit="MB", limit=200),
        Figure(
            "size",
            "memory after funnel",
            value=round(after, 1) if answer.status == 200 else None,
            unit="MB",
            limit=350,
            note="" if answer.status == 200 else f"/funnel/ answers {answer.status}",
        ),
    ]


def _packages() -> Figure:
    """What the packages of the run-time lock take on the disk, compiled files included."""
    lock = (ROOT / "requirements" / "runtime.lock").read_text(encoding="utf-8")
    names = re.findall(r"^([A-Za-z0-9][\w.\-]*)==", lock, re.MULTILINE)
    total, missing = 0, []
    for name in names:
        try:
            files = metadata.distribution(name).files or []
        except metadata.PackageNotFoundError:  # of another platform
            missing.append(name)
            continue
        total += sum(path.stat().st_size for f in files if (path := Path(str(f.locate()))).is_file())
    return Figure(
        "size",
        "packages",
        value=round(total / 1e6, 1),
        unit="MB",
        limit=350,
        more={"packages": len(names) - len(missing), "not here": missing},
    )


def _first_page(client: Client, name: str, path: str, scripts_limit: float) -> list[Figure]:
    """The page and everything it links, compressed."""
    try:
        page = client.ask("GET", path, Accept_Encoding="gzip")
        if page.status != 200:
            raise Unexpected(f"{path} answers {page.status}")
    except Unexpected as error:
        return [Figure("size", name, unit="kB", note=str(error))]
    text = (
        gzip.decompress(page.body) if page.headers.get("content-encoding") == "gzip" else page.body
    ).decode()
    addresses = {m.group(1) for tag in _LINKED.findall(text) if (m := _ADDRESS.search(tag))}
    sizes = {"html": len(gzip.compress(text.encode(), 6))}  # as a proxy sends it; the server itself does not
    scripts = 0
    for address in sorted(addresses):
        answer = client.ask("GET", urljoin(path, address), Accept_Encoding="gzip")
        sizes[address.rsplit("/", 1)[-1]] = len(answer.body)
        if address.endswith(".js"):
            scripts += len(answer.body)
    return [
        Figure(
            "size",
            name,
            value=round(sum(sizes.values()) / 1000, 1),
            unit="kB",
            limit=150,
            more={"bytes": sizes, "html_as_sent": len(page.body)},
        ),
        Figure("size", f"{name}: scripts", value=round(scripts / 1000, 1), unit="kB", limit=scripts_limit),
    ]
