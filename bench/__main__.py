"""`python -m bench`: measured speed and memory against a floor in the same run.

    python -m bench                          everything, on SQLite and PostgreSQL
    python -m bench --only board --only move --engine sqlite
    python -m bench --only demo              the demo company, from nothing (`demo large`: 100,000 opportunities)
    python -m bench --quick --scale 0.01     a smoke test
    python -m bench --record                 keep the ratios of this run in bench/ratios.json

Ends with 1 where a page is above three times its recorded ratio of page to floor, or where users under load
met an error. The ceilings beside the figures are printed as ok or over; they depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from . import clocks, company, imports, load, migration, pages, replay, size, tasks, vitals
from . import engine as engine_bench
from .databases import ENGINES, HOME, Database, NotHere, facts
from .measures import Figure

RATIOS = Path(__file__).with_name("ratios.json")
ALLOWED = 3.0
#: What is measured on the filled databases, and what makes its own.
FILLED = (
    *pages.NAMES,
    *load.NAMES,
    *imports.NAMES,
    *size.NAMES,
    *clocks.NAMES,
    *replay.NAMES,
    *engine_bench.NAMES,
    *migration.NAMES,
    *vitals.NAMES,
    *tasks.NAMES,
)
NAMES = (*FILLED, *company.NAMES)


def main() -> int:
    options = parse()
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # servers and clusters end with it
    wanted = set(options.only or NAMES)
    begun, broken = time.monotonic(), []
    found: list[Figure] = []
    about: dict[str, Any] = {
        "scale": options.scale,
        "n": options.n,
        "cores": os.cpu_count(),
        "load_before": os.getloadavg(),
    }
    for engine in options.engine or ENGINES:
        try:
            found += company.measure(engine, wanted, quick=options.quick, say=_say)
            if not wanted & set(FILLED):
                continue
            with ENGINES[engine](options.scale, say=_say) as database:
                known = facts(database)
                about[engine] = {"rows": known["rows"], "cards": known["cards"]}
                for name, part in _parts(options, wanted, engine):
                    _say(f"{engine}: {name}")
                    try:
                        found += part(database, facts(database))  # the part before has moved deals
                    except Exception as error:  # hours of other figures must not be lost with it
                        broken.append(f"{engine}: {name}: {error}")
                        _say(broken[-1])
        except NotHere as error:
            found.append(Figure("pages", "all", engine, note=str(error)))
    about |= {"load_after": os.getloadavg(), "seconds": round(time.monotonic() - begun, 1)}
    recorded = _recorded() if options.scale == 1 else {}  # another size has other ratios
    failed = broken + _judge(found, recorded)
    if options.record:
        _record(found, recorded)
    if options.json:
        print(
            json.dumps(
                {"about": about, "figures": [f.as_json() for f in found], "failed": failed},
                ensure_ascii=False,
                indent=1,
            )
        )
    else:
        _table(found, recorded, about)
        for text in failed:
            print(f"FAILED  {text}")
    return 1 if failed else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument(
        "--only", action="append", metavar="NAME", choices=NAMES, help=f"one of: {', '.join(NAMES)}"
    )
    parser.add_argument(
        "--engine", action="append", choices=list(ENGINES), help="sqlite or postgresql (default: both)"
    )
    parser.add_argument("--quick", action="store_true", help="few requests, short load, small import")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="1 is 100,000 opportunities (default: %(default)s)"
    )
    parser.add_argument("-n", type=int, default=0, help="requests of each page (default: 200)")
    parser.add_argument("--record", action="store_true", help="keep this run's ratios as the recorded ones")
    options = parser.parse_args()
    options.n = options.n or (6 if options.quick else 200)
    options.load_seconds = 1.0 if options.quick else 8.0
    options.import_rows = 60 if options.quick else 10_000
    HOME.mkdir(parents=True, exist_ok=True)
    return options


def _parts(
    options: argparse.Namespace, wanted: set[str], engine: str
) -> Iterable[tuple[str, Callable[[Database, dict[str, Any]], list[Figure]]]]:
    if wanted & set(pages.NAMES):
        yield "pages", lambda d, known: pages.measure(d, known, options.n, wanted)
    if wanted & set(size.NAMES) and engine == (options.engine or list(ENGINES))[0]:
        yield "size", lambda d, known: size.measure(d, known, options.n, wanted)
    if wanted & set(vitals.NAMES) and engine == (options.engine or list(ENGINES))[0]:
        yield "vitals", lambda d, known: vitals.measure(d, known, wanted)
    if wanted & set(tasks.NAMES) and engine == (options.engine or list(ENGINES))[0]:
        yield "tasks", lambda d, known: tasks.measure(d, known, wanted)
    if wanted & set(load.NAMES) and (engine == "postgresql" or options.quick):
        yield "load", lambda d, known: load.measure(d, known, options.load_seconds, wanted)
    if wanted & set(imports.NAMES):
        yield "import", lambda d, known: imports.measure(d, known, options.import_rows, wanted)
    if wanted & set(clocks.NAMES):
        due = 10 if options.quick else clocks.DUE
        yield "clocks", lambda d, known: clocks.measure(d, known, due, wanted)
    if wanted & set(replay.NAMES):
        runs = 1 if options.quick else 3
        yield "replay", lambda d, known: replay.measure(d, known, wanted, runs)
    if wanted & set(engine_bench.NAMES):
        yield "engine", lambda d, known: engine_bench.measure(d, known, wanted, quick=options.quick)
    if wanted & set(migration.NAMES):
        rows = 20 if options.quick else migration.ROWS
        yield "migration", lambda d, known: migration.measure(d, known, rows)


def _recorded() -> dict[str, float]:
    return json.loads(RATIOS.read_text(encoding="utf-8")) if RATIOS.exists() else {}


def _record(found: list[Figure], recorded: dict[str, float]) -> None:
    fresh = recorded | {f.key: f.ratio for f in found if f.ratio is not None}
    RATIOS.write_text(json.dumps(dict(sorted(fresh.items())), indent=1) + "\n", encoding="utf-8")


def _judge(found: list[Figure], recorded: dict[str, float]) -> list[str]:
    failed = [
        f"{f.key}: {f.ratio} times its floor; recorded are {recorded[f.key]}, allowed {ALLOWED:g} times that"
        for f in found
        if f.ratio is not None and f.key in recorded and f.ratio > ALLOWED * recorded[f.key]
    ]
    return failed + [f"{f.key}: {f.note}" for f in found if f.group == "load" and f.more.get("errors")]


def _table(found: list[Figure], recorded: dict[str, float], about: dict[str, Any]) -> None:
    head = (
        "",
        "p50 or value",
        "p95",
        "min",
        "cpu",
        "limit",
        "",
        "statements",
        "empty",
        "ratio",
        "recorded",
        "",
    )
    lines = [head]
    for f in found:
        page, bare, empty = f.more.get("page", {}), f.more.get("statements", {}), f.more.get("empty", {})
        sign = "" if f.limit is None else ("≥ " if f.at_least else "≤ ") + f"{f.limit:g}"
        mark = {None: "", True: "over" if not f.at_least else "under", False: "ok"}[f.is_over]
        lines.append(
            (
                f.key,
                "—" if f.value is None else f"{f.value:g} {f.unit}",
                _n(page.get("p95")),
                _n(page.get("min")),
                _n(f.more.get("cpu")),
                sign,
                mark,
                _n(bare.get("p50")),
                _n(empty.get("p50")),
                _n(f.ratio),
                _n(recorded.get(f.key)),
                f.note,
            )
        )
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print(
            "  ".join(
                cell.ljust(w) if i in (0, 11) else cell.rjust(w)
                for i, (cell, w) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
        )
    before, after = about["load_before"][0], about["load_after"][0]
    print(
        f"\n{about['cores']} cores, load {before:.1f} before and {after:.1f} after, "
        f"{about['seconds']} s, n = {about['n']}"
    )


def _n(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


if __name__ == "__main__":
    sys.exit(main())
